//! Each rule in each of its states: a state is made, the gate says so with path, addressee
//! and remedy, and the remedy clears it.

use std::collections::BTreeSet;
use std::process::Command;

use harness::Scenario;
use serde_json::{Value, json};

use super::lines::{self, Line};
use super::parts::{ask, days, of_rule, world};

/// States a rule can be found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Satisfied,
    Unmet,
    Unknown,
    Expired,
}

impl State {
    const ALL: [Self; 4] = [Self::Satisfied, Self::Unmet, Self::Unknown, Self::Expired];

    fn word(self) -> &'static str {
        match self {
            Self::Satisfied => "satisfied",
            Self::Unmet => "unmet",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
        }
    }
}

/// The server, and what of the question a remedy may change.
pub(crate) struct Case {
    pub(crate) s: Scenario,
    /// Files found where it will run.
    pub(crate) artifacts: Vec<Value>,
    /// Days from now to the moment judged; none, now.
    pub(crate) in_days: Option<i64>,
}

impl Case {
    fn decision(&self) -> Value {
        let mut more = json!({"dry_run": true, "artifacts": self.artifacts});
        if let Some(n) = self.in_days {
            more["valid_at"] = json!(days(n));
        }
        ask(&self.s, more)
    }
}

/// A command as a shell takes it apart.
pub(crate) fn words(command: &str) -> Vec<String> {
    let out = Command::new("sh").args(["-c", &format!("printf '%s\\n' {command}")]).output().unwrap();
    String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn check(line: &Line) {
    let Line { rule, state, exists, .. } = line;
    let Ok(cell) = exists else { return };
    let s = world(cell.edit);
    (cell.then)(&s);
    let mut case = Case { s, artifacts: (cell.artifacts)(), in_days: cell.in_days };
    let decision = case.decision();
    let found = of_rule(&decision, rule);
    let at = format!("{rule} {}", state.word());
    if *state == State::Satisfied {
        assert!(found.is_empty(), "{at}: {decision:#}");
        return;
    }
    let finding = found.iter().find(|f| f["status"] == state.word()).unwrap_or_else(|| panic!("{at}: {decision:#}"));
    assert_eq!(decision["verdict"], "deny", "{at}");
    let text = |field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    let path: Vec<&str> = finding["path"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let first = path.first().unwrap_or_else(|| panic!("{at} has no path: {finding:#}"));
    assert!(first.starts_with("release:") || first.starts_with("deployment:"), "{at} begins elsewhere: {finding:#}");
    assert_eq!(path.last().copied(), Some(&*text("node")), "{at} ends elsewhere: {finding:#}");
    for field in ["article", "sentence", "addressee", "node"] {
        assert!(!text(field).is_empty(), "{at} without {field}: {finding:#}");
    }
    assert!(finding["remedy"]["text"].as_str().is_some_and(|t| !t.is_empty()), "{at}: {finding:#}");
    for told in decision["findings"].as_array().unwrap() {
        if let Some(command) = told["remedy"]["command"].as_str() {
            licit_cli::understood(&words(command)).unwrap_or_else(|e| panic!("{at}: `{command}`: {e}"));
        }
    }
    (cell.remedy)(&mut case);
    let after = case.decision();
    let left: Vec<_> = of_rule(&after, rule);
    assert!(left.is_empty(), "{at}: the remedy \"{}\" does not clear it: {left:#?}", finding["remedy"]["text"]);
}

/// Every cell of a rule, one after the other.
fn rule(name: &str) {
    for line in lines::all().filter(|l| l.rule == name) {
        check(line);
    }
}

macro_rules! rules {
    ($($test:ident = $rule:literal),* $(,)?) => {
        $(#[test] fn $test() { rule($rule); })*
        const RULES: &[&str] = &[$($rule),*];
    };
}

rules! {
    purpose_approved = "purpose.approved",
    purpose_forbids = "purpose.forbids",
    prohibited_practice = "prohibited.practice",
    basis_approved = "basis.approved",
    basis_governing = "basis.governing",
    basis_holds = "basis.holds",
    source_covered = "source.covered",
    serving_declared = "serving.declared",
    controller = "controller",
    assessment_in_force = "assessment.in_force",
    combination = "combination",
    compatibility = "compatibility",
    special_category = "special.category",
    criminal = "criminal",
    minors = "minors",
    retention = "retention",
    transfer = "transfer",
    environment_class = "environment.class",
    minimisation = "minimisation",
    risk_documents = "risk.documents",
    workers = "workers",
    transparency_ai = "transparency.ai",
    automated_decision = "automated.decision",
    notice = "notice",
    withdrawal_means = "withdrawal.means",
    promise = "promise",
    lineage_complete = "lineage.complete",
    artifact_digest = "artifact.digest",
    release_approved = "release.approved",
    consent_coverage = "consent.coverage",
    suppression_fresh = "suppression.fresh",
    objection = "objection",
    break_glass = "break.glass",
}

/// What a refused person is told to type opens the review that clears it, once the board has voted.
#[test]
fn the_review_told_of_is_the_one_that_clears() {
    let unapproved = ["purpose:scoring", "basis:scoring-contract", "deployment:score-prod"];
    let s = world(|p| p.deferred.extend(unapproved));
    let decision = s.dry("start");
    let told = |decision: &Value| -> BTreeSet<String> {
        let findings = decision["findings"].as_array().unwrap();
        let commands = findings.iter().filter_map(|f| f["remedy"]["command"].as_str());
        commands.filter(|c| c.starts_with("licit review create")).map(str::to_owned).collect()
    };
    let commands = told(&decision);
    assert!(commands.len() >= unapproved.len(), "{decision:#}");
    for command in commands {
        let mut typed = crate::cli::bare();
        let typed = typed.args(&words(&command)[1..]).args(["--url", &s.server.url, "--json"]);
        let (code, out, said) =
            crate::cli::typed(typed.env("LICIT_TOKEN", s.ana.token.as_deref().unwrap_or_default()), "");
        assert_eq!(code, 0, "`{command}`: {said}");
        let opened: Value = serde_json::from_str(&out).unwrap();
        for member in [&s.bea, &s.carl] {
            let vote = json!({"choice": "approve", "digest": opened["digest"]});
            member.post(&format!("/api/v1/reviews/{}/votes", opened["id"].as_str().unwrap()), &vote).good();
        }
    }
    assert_eq!(s.dry("start")["verdict"], "allow");
}

/// No rule and no cell is forgotten: each exists, or the table says why not.
#[test]
fn the_table_is_whole() {
    let codes = |list: &[&'static str]| list.iter().copied().collect::<BTreeSet<_>>();
    let every: Vec<&str> = licit_server::gate::rules::RULES.iter().map(|rule| rule.code).collect();
    assert_eq!(codes(RULES), codes(&every));
    for name in RULES {
        for state in State::ALL {
            let lines: Vec<_> = lines::all().filter(|l| l.rule == *name && l.state == state).collect();
            assert_eq!(lines.len(), 1, "{name} {}", state.word());
            assert!(lines[0].exists.as_ref().err().is_none_or(|reason| reason.len() > 20), "{name} {}", state.word());
        }
    }
    assert_eq!(lines::all().count(), RULES.len() * State::ALL.len());
}
