//! What changed for a deployment between two moments, and after which fact.

use harness::{Scenario, scenario};
use serde_json::{Value, json};

use super::{fits, id, size};
use crate::gate::parts::{days, world};
use crate::support::licit;

fn diff(s: &Scenario, query: &str) -> Value {
    let id = id(&s.audit, "deployment:score-prod");
    s.audit.get(&format!("/api/v1/deployments/{id}/diff?{query}")).good()
}

/// Rule and the kind of the fact that did it.
fn causes(list: &Value) -> Vec<(String, String)> {
    let one = |c: &Value| {
        let kind = c["after"]["kind"].as_str().unwrap_or("time").to_owned();
        (c["finding"]["rule"].as_str().unwrap().to_owned(), kind)
    };
    list.as_array().unwrap().iter().map(one).collect()
}

#[test]
fn each_finding_has_the_fact_that_brought_it() {
    let s = Scenario::running();
    let from = size(&s);
    s.add("parties", scenario::party("bystander"));
    s.revoke("purpose:scoring", 0);
    let revoked = size(&s);
    let mut bad = scenario::people("2");
    bad["fields"][0]["categories"] = json!([scenario::POLITICS]);
    s.add("dataset-versions", bad);
    let found = diff(&s, &format!("from={from}"));
    assert_eq!((&found["from"]["verdict"], &found["to"]["verdict"]), (&json!("allow"), &json!("deny")));
    assert_eq!((&found["from"]["position"], &found["to"]["position"]), (&json!(from), &json!(size(&s))));
    let causes = causes(&found["came"]);
    assert!(causes.contains(&("source.covered".to_owned(), "dataset_version.registered".to_owned())), "{causes:?}");
    assert!(causes.contains(&("purpose.approved".to_owned(), "approval.revoked".to_owned())), "{causes:?}");
    assert!(causes.iter().all(|(_, kind)| kind != "time"), "{causes:?}");
    let facts: Vec<&str> = found["facts"].as_array().unwrap().iter().map(|f| f["about"].as_str().unwrap()).collect();
    assert_eq!(facts, ["purpose:scoring@1", "dataset:crm/people@2"], "{found:#}");
    // Back: what came is what went.
    s.approve(&["purpose:scoring"]);
    let back = diff(&s, &format!("from={revoked}"));
    let went = back["went"].as_array().unwrap();
    assert!(went.iter().all(|c| c["after"]["kind"] == "approval.granted") && !went.is_empty(), "{back:#}");
    let nothing = diff(&s, &format!("from={from}&to={from}"));
    assert_eq!((&nothing["came"], &nothing["went"], &nothing["facts"]), (&json!([]), &json!([]), &json!([])));
    let id = id(&s.audit, "deployment:score-prod");
    for wrong in ["from=9&to=8", "from=999999", "to=4", "from=2030-01-01&to=now"] {
        assert_eq!(s.audit.get(&format!("/api/v1/deployments/{id}/diff?{wrong}")).status, 422, "{wrong}");
    }
}

#[test]
fn what_ends_by_itself_has_no_fact() {
    let s = world(|p| p.bases[0]["valid_to"] = json!(days(10)));
    let from = size(&s);
    let found = diff(&s, &format!("from={from}&to={}", days(11)));
    assert_eq!(found["to"]["verdict"], "deny");
    let causes = causes(&found["came"]);
    assert!(!causes.is_empty() && causes.iter().all(|(_, kind)| kind == "time"), "{found:#}");
    assert_eq!(found["facts"], json!([]));
}

#[test]
fn the_command_line_says_why() {
    let s = Scenario::running();
    let from = size(&s);
    s.revoke("basis:scoring-contract", 0);
    let (code, out, err) = licit(&s.audit, &["diff", "score-prod", "--from", &from.to_string()]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("approval.revoked of basis:scoring-contract@1") && out.contains("refused"), "{out}");
    fits(&out);
}
