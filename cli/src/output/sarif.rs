//! SARIF 2.1.0 (OASIS): what code scanning shows beside a change.

use licit_schemas::digest::Digest;
use serde_json::{Value, json};

use super::report::{End, Report, Said, text};

/// The file that findings are shown at: they are about data and law, and no line of code is at fault.
const FILE: &str = "licit.yaml";

/// A report as a log of one run. Findings that a baseline in force took over are `unchanged` and suppressed, all others `new`.
pub(crate) fn log(report: &Report) -> Value {
    let mut rules: Vec<Value> = Vec::new();
    let mut results = Vec::new();
    for said in &report.said {
        let known = rules.iter().position(|rule| rule["id"] == said.finding.rule.as_str());
        let place = known.unwrap_or(rules.len());
        if known.is_none() {
            rules.push(json!({
                "id": said.finding.rule,
                "shortDescription": {"text": format!("{} ({})", said.finding.rule, said.finding.article)},
                "defaultConfiguration": {"level": "error"},
            }));
        }
        results.push(result(report, said, place));
    }
    let asked = report.end != End::NotAsked;
    let mut invocation = json!({"executionSuccessful": asked});
    if !asked {
        invocation["toolExecutionNotifications"] = json!([{"level": "error", "message": {"text": report.sentence}}]);
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "licit", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "automationDetails": {"id": format!("licit/{}/", report.deployment)},
            "invocations": [invocation],
            "results": results,
            "properties": {"deployment": report.deployment, "passes": report.end == End::Passes, "says": report.sentence},
        }],
    })
}

fn result(report: &Report, said: &Said, rule: usize) -> Value {
    let finding = &said.finding;
    let level = match (said.refuses(), said.due) {
        (true, _) => "error",
        (false, true) => "warning",
        (false, false) => "note",
    };
    // The same rule at the same thing of the same deployment is the same finding, however it is worded.
    let same = [report.deployment.as_str(), &finding.rule, &finding.node].join("\n");
    let logical = json!([{"fullyQualifiedName": finding.node, "kind": "resource"}]);
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": level,
        "message": {"text": text(said)},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": FILE}, "region": {"startLine": 1}},
            "logicalLocations": logical,
        }],
        "partialFingerprints": {"licitFinding/v1": Digest::of(same.as_bytes()).hex()},
        "baselineState": if said.baseline.is_some() { "unchanged" } else { "new" },
        "properties": {"status": finding.status, "addressee": finding.addressee, "path": finding.path},
    });
    if let Some(baseline) = &said.baseline {
        result["suppressions"] = json!([{"kind": "external", "status": "accepted", "justification": baseline}]);
    }
    result
}
