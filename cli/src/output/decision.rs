//! What the gate answered, for people: the verdict, then each finding with what, why, the path, who, and what to do.

use licit_schemas::gate::{Decision, Finding, Intent, Status, Verdict};
use licit_schemas::registry::Mode;

use super::{resource, style, wrap};

/// Whose findings are the reader's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Teams {
    /// Addressees that are the reader's.
    pub(crate) own: Vec<String>,
    /// Whether the reader said so: then it is said, too, that nothing is theirs.
    pub(crate) stated: bool,
}

impl Teams {
    fn owns(&self, finding: &Finding) -> bool {
        self.own.iter().any(|team| team.eq_ignore_ascii_case(&finding.addressee))
    }
}

/// The whole decision: first what is the reader's own, then what waits for others.
pub(crate) fn text(decision: &Decision, teams: &Teams) -> String {
    let mut out = verdict(decision);
    let blocking = decision.findings.iter().filter(|finding| finding.blocking);
    let warnings = decision.findings.iter().filter(|finding| !finding.blocking);
    out.push_str(&grouped(&blocking.chain(warnings).collect::<Vec<_>>(), teams));
    if !decision.actions_due.is_empty() {
        out.push_str(&format!("\n{}\n", style::bold("it may go on, but this is due:")));
        out.push_str(&grouped(&decision.actions_due.iter().collect::<Vec<_>>(), teams));
    }
    out
}

/// Findings by who can clear them: the reader's own first, others by addressee in the order of their first.
fn grouped(findings: &[&Finding], teams: &Teams) -> String {
    let mut out = String::new();
    let (own, others): (Vec<&Finding>, Vec<&Finding>) = findings.iter().partition(|finding| teams.owns(finding));
    let known = !findings.is_empty() && (teams.stated || !own.is_empty());
    if known {
        let count = if own.is_empty() { "nothing".to_owned() } else { own.len().to_string() };
        out.push_str(&format!("\n{}\n", style::bold(&format!("yours: {count}"))));
    }
    own.iter().for_each(|finding| out.push_str(&format!("\n{}", one(finding))));
    if known && !others.is_empty() {
        out.push_str(&format!("\n{}\n", style::bold(&format!("waiting for others: {}", others.len()))));
    }
    let mut addressees: Vec<&str> = Vec::new();
    for finding in &others {
        if !addressees.contains(&finding.addressee.as_str()) {
            addressees.push(&finding.addressee);
        }
    }
    for addressee in &addressees {
        let same: Vec<_> = others.iter().filter(|finding| finding.addressee == *addressee).collect();
        if addressees.len() > 1 || known {
            out.push_str(&format!("\n{}\n", style::dim(&format!("for {addressee}: {}", same.len()))));
        }
        same.iter().for_each(|finding| out.push_str(&format!("\n{}", one(finding))));
    }
    out
}

fn verdict(decision: &Decision) -> String {
    let word = match (decision.verdict, decision.passes) {
        (Verdict::Allow, true) => style::green("ALLOWED"),
        (Verdict::Allow, false) => style::red("ALLOWED, BUT ENDED"),
        (Verdict::Deny, false) => style::red("REFUSED"),
        (Verdict::Deny, true) => style::yellow("REFUSED, BUT PASSES"),
    };
    let intent = match decision.intent {
        Intent::Start => "to start",
        Intent::Continue => "to go on",
    };
    let subject = decision.release.as_deref().unwrap_or(&decision.deployment);
    let mut out = format!("{word}  {subject} {intent}\n");
    if decision.verdict == Verdict::Deny && decision.passes {
        let why = match (&decision.break_glass, decision.mode) {
            (Some(emergency), _) => format!("let through in an emergency, {emergency}: the board must ratify it"),
            (None, Mode::Observe) => {
                "its environment only observes: recorded as allowed by mode, never as approved".to_owned()
            }
            (None, Mode::Warn) => {
                "its environment only warns: recorded as allowed by mode, never as approved".to_owned()
            }
            (None, Mode::Enforce) => format!("taken over by {}", decision.baselines.join(", ")),
        };
        out.push_str(&wrap::wrapped("", &why));
    }
    if let Some(ended) = decision.ended {
        let ended = resource::minute(&ended.to_string());
        out.push_str(&wrap::wrapped(
            "",
            &format!("the time to live of its environment was over {ended}: propose a new release"),
        ));
    }
    let refusing = decision.findings.iter().filter(|finding| finding.blocking).count();
    let warning = decision.findings.len() - refusing;
    let rules = format!("rules {}, policy {}", decision.rules_version, decision.policy);
    let record = if decision.id.0.is_nil() {
        "a dry run, not recorded".to_owned()
    } else {
        format!("decision:{}", decision.id.0)
    };
    let counts = match (refusing, warning) {
        (0, 0) => String::new(),
        (refusing, 0) => format!("{refusing} refuse; "),
        (refusing, warning) => format!("{refusing} refuse, {warning} warn; "),
    };
    out.push_str(&style::dim(&wrap::wrapped(
        "",
        &format!("{counts}{record}, at ledger position {}; {rules}", decision.position),
    )));
    out
}

/// One finding.
pub(crate) fn one(finding: &Finding) -> String {
    let status = word(finding.status);
    let mark = if finding.blocking { style::red("✗") } else { style::yellow("!") };
    let mut out = format!("{mark} {} {}\n", style::bold(&finding.rule), style::dim(&format!("({status})")));
    out.push_str(&wrap::wrapped("  what  ", &finding.sentence));
    let why = match &finding.fine {
        Some(fine) => format!("{}; {fine}", finding.article),
        None => finding.article.clone(),
    };
    out.push_str(&wrap::wrapped("  why   ", &why));
    out.push_str(&path(&finding.path, &finding.node));
    if !finding.also.is_empty() {
        out.push_str(&wrap::wrapped("  also  ", &finding.also.join(", ")));
    }
    if let Some(since) = finding.since {
        out.push_str(&format!("  since {}\n", resource::minute(&since.to_string())));
    }
    if let Some(due) = finding.due {
        out.push_str(&format!("  due   {}\n", style::yellow(&resource::minute(&due.to_string()))));
    }
    out.push_str(&wrap::wrapped("  who   ", &finding.addressee));
    out.push_str(&wrap::wrapped("  do    ", &finding.remedy.text));
    if let Some(command) = &finding.remedy.command {
        // Whole on one line, however long: it is there to be copied.
        out.push_str(&format!("        {}\n", style::bold(&format!("$ {command}"))));
    }
    out
}

/// What came and what went between two judgements, in a line each.
pub(crate) fn changes(came: &[Finding], went: &[Finding]) -> String {
    let mut out = String::new();
    for (mark, list) in [(style::red("+ "), came), (style::green("- "), went)] {
        for finding in list {
            let line = format!("{} {}: {}", finding.rule, word(finding.status), finding.sentence);
            let text = wrap::wrapped("  ", &line);
            out.push_str(&format!("{mark}{}", text.strip_prefix("  ").unwrap_or(&text)));
        }
    }
    if out.is_empty() { style::dim("no finding came or went\n") } else { out }
}

/// A status in a word.
fn word(status: Status) -> &'static str {
    match status {
        Status::Unmet => "unmet",
        Status::Unknown => "unknown",
        Status::Expired => "expired",
    }
}

/// From the release to the offending thing, each step further in than the one before.
fn path(path: &[String], node: &str) -> String {
    if path.len() < 2 {
        let at = path.first().map_or(node, String::as_str);
        return if at.is_empty() { String::new() } else { format!("  at    {at}\n") };
    }
    let steps = path.iter().enumerate();
    let lines = steps.map(|(depth, step)| match depth {
        0 => format!("  path  {step}\n"),
        _ => format!("        {}└ {step}\n", "  ".repeat(depth.min(12) - 1)),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use licit_schemas::gate::Remedy;

    fn finding(rule: &str, addressee: &str) -> Finding {
        Finding {
            cause: None,
            rule: rule.to_owned(),
            status: Status::Unmet,
            blocking: true,
            article: "Article 1".to_owned(),
            fine: None,
            node: "model:a@1".to_owned(),
            path: Vec::new(),
            also: Vec::new(),
            sentence: "it does not hold".to_owned(),
            addressee: addressee.to_owned(),
            remedy: Remedy { text: "do it".to_owned(), command: None },
            since: None,
            due: None,
        }
    }

    #[test]
    fn what_is_yours_comes_first_and_others_are_grouped_by_who_they_wait_for() {
        let all = [finding("a", "crm"), finding("b", "board"), finding("c", "ml"), finding("d", "crm")];
        let all: Vec<&Finding> = all.iter().collect();
        let heads = |teams: Teams| -> Vec<String> {
            let shown = anstream::adapter::strip_str(&grouped(&all, &teams)).to_string();
            let heads = |line: &&str| ["yours", "waiting", "for ", "✗"].iter().any(|head| line.starts_with(head));
            shown.lines().filter(heads).map(|line| line.replace(" (unmet)", "")).collect()
        };
        let stated = |own: &[&str]| Teams { own: own.iter().map(|t| (*t).to_owned()).collect(), stated: true };
        assert_eq!(
            heads(stated(&["ML", "crm"])),
            ["yours: 3", "✗ a", "✗ c", "✗ d", "waiting for others: 1", "for board: 1", "✗ b"]
        );
        let others = ["for crm: 2", "✗ a", "✗ d", "for board: 1", "✗ b", "for ml: 1", "✗ c"];
        assert_eq!(heads(stated(&["nobody"])), [&["yours: nothing", "waiting for others: 4"][..], &others].concat());
        assert_eq!(heads(Teams::default()), others);
        assert_eq!(heads(Teams { own: vec!["Ana".to_owned()], stated: false }), others);
        assert_eq!(grouped(&[], &stated(&["ml"])), "");
    }

    #[test]
    fn a_finding_says_what_why_where_who_and_what_to_do() {
        let finding = Finding {
            rule: "purpose.forbids".to_owned(),
            status: Status::Unmet,
            blocking: true,
            article: "Reg. (EU) 2024/900 Art. 18(1)(c)".to_owned(),
            fine: None,
            node: "dataset:anes/survey@1".to_owned(),
            cause: None,
            path: ["release:a@1", "model:vote@1", "dataset:anes/survey@1"].map(str::to_owned).to_vec(),
            also: Vec::new(),
            sentence: "political opinions reach this model, and no consent can help".to_owned(),
            addressee: "board".to_owned(),
            remedy: Remedy {
                text: "choose another purpose".to_owned(),
                command: Some("licit purpose list".to_owned()),
            },
            since: None,
            due: None,
        };
        let shown = anstream::adapter::strip_str(&one(&finding)).to_string();
        assert_eq!(
            shown,
            "✗ purpose.forbids (unmet)\n  what  political opinions reach this model, and no consent can help\n  \
             why   Reg. (EU) 2024/900 Art. 18(1)(c)\n  path  release:a@1\n        └ model:vote@1\n          └ dataset:anes/survey@1\n  \
             who   board\n  do    choose another purpose\n        $ licit purpose list\n"
        );
    }
}
