//! What changed for a deployment between two moments, and after which fact.

use harness::{Scenario, scenario};
use serde_json::{Value, json};

use super::{fits, id, size};
use crate::gate::emergency;
use crate::gate::parts::{basis, days, world};
use crate::gate::policy::{decide, policy};
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

/// The basis lacks what its letter asks, and the policy only warns of that.
fn warned() -> Scenario {
    let s = world(|p| p.bases[0] = basis(|b| _ = b["letter"].as_object_mut().unwrap().remove("necessity")));
    decide(&s, &policy(json!([{"rule": "basis.holds", "level": "warn"}])));
    s.activate("release:score-prod@1").good();
    s
}

#[test]
fn a_policy_that_turns_the_verdict_is_named() {
    let s = warned();
    let from = size(&s);
    decide(&s, &policy(json!([])));
    let found = diff(&s, &format!("from={from}"));
    assert_eq!((&found["from"]["verdict"], &found["to"]["verdict"]), (&json!("allow"), &json!("deny")));
    // What only warned is gone, and what refuses has come, by the same fact.
    for list in ["came", "went"] {
        assert_eq!(causes(&found[list]), [("basis.holds".to_owned(), "approval.granted".to_owned())], "{found:#}");
        assert_eq!(found[list][0]["after"]["about"], "policy:organisation@2", "{found:#}");
        assert_eq!(found[list][0]["finding"]["blocking"], json!(list == "came"));
    }
    let kinds: Vec<&str> = found["facts"].as_array().unwrap().iter().map(|f| f["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["policy.revised", "approval.granted"]);
}

#[test]
fn what_lets_it_run_all_the_same_is_named() {
    let s = warned();
    decide(&s, &policy(json!([])));
    let from = size(&s);
    s.add("baselines", json!({"key": "old", "owner": "ml-team", "reason": "It ran before.", "valid_to": days(30)}));
    s.approve(&["baseline:old"]);
    let found = diff(&s, &format!("from={from}"));
    assert_eq!((&found["from"]["passes"], &found["to"]["passes"]), (&json!(false), &json!(true)), "{found:#}");
    let about: Vec<&str> = found["facts"].as_array().unwrap().iter().map(|f| f["about"].as_str().unwrap()).collect();
    assert_eq!(about, ["baseline:old@1", "baseline:old@1"]);
    let from = size(&s);
    let looser =
        json!({"environment": "environment:production", "mode": "warn", "valid_to": days(9), "reason": "A move."});
    s.add("loosenings", looser);
    s.approve(&["loosening:production"]);
    let about: Vec<Value> =
        diff(&s, &format!("from={from}"))["facts"].as_array().unwrap().iter().map(|f| f["about"].clone()).collect();
    assert_eq!(about, ["loosening:production@1", "loosening:production@1"]);
    let (code, out, _) = licit(&s.audit, &["diff", "score-prod", "--from", &from.to_string()]);
    assert!(code == 0 && out.contains("runs all the same"), "{out}");
}

#[test]
fn an_emergency_and_what_the_board_says_of_it_are_named() {
    let s = world(emergency::denied);
    let from = size(&s);
    emergency::emergency(&s);
    let used = size(&s);
    let found = diff(&s, &format!("from={from}"));
    let kinds: Vec<&str> = found["facts"].as_array().unwrap().iter().map(|f| f["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["policy.revised", "approval.granted", "break_glass.used", "release.moved"], "{found:#}");
    let body = json!({"title": "Not so", "subjects": [{"ref": "break-glass:inc-1@1"}]});
    let opened = s.ana.post("/api/v1/reviews", &body).good();
    for member in [&s.bea, &s.carl] {
        let vote = json!({"choice": "reject", "digest": opened["digest"]});
        member.post(&format!("/api/v1/reviews/{}/votes", opened["id"].as_str().unwrap()), &vote).good();
    }
    let refused = diff(&s, &format!("from={used}"));
    assert_eq!(causes(&refused["came"]), [("break.glass".to_owned(), "review.closed".to_owned())], "{refused:#}");
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
