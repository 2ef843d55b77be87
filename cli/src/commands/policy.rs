//! `licit policy`: the organisation's policy, and a dry run of its rules.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use licit_schemas::condition::{self, Condition};
use licit_schemas::document;
use licit_schemas::policy::PolicySpec;
use licit_schemas::problem::Fault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::things::{self, Things};
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::style;
use crate::source;

/// The policy.
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    #[command(flatten)]
    Things(Things),
    /// Check a policy without a server, and try its own rules on the evidence in its `tests`
    Test(TestArgs),
}

/// A policy to try.
#[derive(Debug, Args)]
#[command(after_help = "The file is a policy, and may hold `tests` besides, which are not sent to the server:

  rules:
    - code: org.no-minors
      when: evidence.view.sources.exists(s, s.subjects.exists(t, t.endsWith('#Child')))
      …
  tests:
    - name: children are found
      evidence: {view: {sources: [{subjects: ['https://w3id.org/dpv#Child']}]}}
      expect: [org.no-minors]

`expect` names the rules that find something; `org.no-minors unknown` where nobody can tell. The evidence of a decision, from \
`licit decision evidence ID`, has this form, and a `view` where the policy has rules. Which rules of the gate a policy may \
speak of, and which environments there are, only the server knows.

Exit code 1 where a test fails.

Example:
  licit policy test policy.yaml")]
pub(crate) struct TestArgs {
    /// YAML or JSON file; `-` is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// One of the `tests`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    name: String,
    evidence: Value,
    expect: Vec<String>,
}

/// What became of a test.
#[derive(Debug, Serialize)]
struct Outcome {
    name: String,
    passed: bool,
    expected: Vec<String>,
    found: Vec<String>,
}

/// Run a command on the policy.
pub(crate) fn run(context: &Context, command: Policy) -> Result<Exit> {
    match command {
        Policy::Things(command) => things::run(context, &c::POLICIES, command),
        Policy::Test(args) => test(context, &args),
    }
}

fn test(context: &Context, args: &TestArgs) -> Result<Exit> {
    let (mut value, source) = source::read(&args.file)?;
    let tests = value.as_object_mut().and_then(|members| members.remove("tests"));
    let mut faults = Vec::new();
    let tests = tests.map(|tests| read(tests, &mut faults)).unwrap_or_default();
    let policy: PolicySpec = match document::from_value(value) {
        Ok(policy) => policy,
        Err(more) => {
            faults.extend(more);
            return Err(source.faults(faults));
        }
    };
    let texts: Vec<&str> = policy.rules.iter().map(|rule| rule.when.as_str()).collect();
    let mut conditions = Vec::new();
    for (place, readable) in condition::read(&texts).into_iter().enumerate() {
        match readable {
            Ok(condition) => conditions.push(condition),
            Err(why) => faults.push(Fault::new(&format!("/rules/{place}/when"), why)),
        }
    }
    for (place, test) in tests.iter().enumerate() {
        for (nth, wanted) in test.expect.iter().enumerate() {
            let code = wanted.strip_suffix(" unknown").unwrap_or(wanted);
            if !policy.rules.iter().any(|rule| rule.code.as_str() == code) {
                let at = format!("/tests/{place}/expect/{nth}");
                faults.push(Fault::new(&at, format!("`{code}` is no rule of this policy")));
            }
        }
    }
    if !faults.is_empty() {
        return Err(source.faults(faults));
    }
    let outcomes: Vec<Outcome> = tests.into_iter().map(|test| tried(test, &policy, &conditions)).collect();
    context.answer(&outcomes, || told(&policy, &outcomes));
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    if failed > 0 {
        return Err(Failure::plain(format!("{failed} of {} test(s) failed", outcomes.len())));
    }
    Ok(Exit::Done)
}

fn read(tests: Value, faults: &mut Vec<Fault>) -> Vec<Test> {
    let Value::Array(list) = tests else {
        faults.push(Fault::new("/tests", "expected an array"));
        return Vec::new();
    };
    let each = list.into_iter().enumerate().filter_map(|(place, test)| {
        let read = serde_json::from_value(test);
        read.map_err(|e| faults.push(Fault::new(&format!("/tests/{place}"), e.to_string()))).ok()
    });
    each.collect()
}

fn tried(test: Test, policy: &PolicySpec, conditions: &[Condition]) -> Outcome {
    let all: Vec<&Condition> = conditions.iter().collect();
    let answers = condition::judge(&all, &test.evidence);
    let mut found: Vec<String> = Vec::new();
    let mut why = Vec::new();
    for (rule, answer) in policy.rules.iter().zip(answers) {
        match answer {
            Ok(true) => found.push(rule.code.to_string()),
            Ok(false) => {}
            Err(reason) => {
                found.push(format!("{} unknown", rule.code));
                why.push((found.len() - 1, reason));
            }
        }
    }
    let sorted = |list: &[String]| {
        let mut list = list.to_vec();
        list.sort();
        list
    };
    let passed = sorted(&found) == sorted(&test.expect);
    for (place, reason) in why {
        found[place] = format!("{} (its condition {reason})", found[place]);
    }
    Outcome { name: test.name, passed, expected: test.expect, found }
}

fn told(policy: &PolicySpec, outcomes: &[Outcome]) -> String {
    let mut lines = Vec::new();
    for outcome in outcomes {
        if outcome.passed {
            lines.push(format!("{}  {}", style::green("passed"), outcome.name));
            continue;
        }
        let list = |codes: &[String]| if codes.is_empty() { "nothing".to_owned() } else { codes.join(", ") };
        lines.push(format!("{}  {}", style::red("failed"), outcome.name));
        lines.push(format!("        expected {}", list(&outcome.expected)));
        lines.push(format!("        found    {}", list(&outcome.found)));
    }
    lines.push(format!("{} rule(s) can be judged, {} test(s)", policy.rules.len(), outcomes.len()));
    lines.join("\n")
}
