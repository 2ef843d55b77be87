//! What is recorded later than it happened: a new fact, valid before it was known.

use harness::{Scenario, scenario};
use serde_json::{Value, json};

use super::{id, items, size};
use crate::gate::parts::days;
use crate::support::{licit, rebuilds};

fn change(s: &Scenario, body: &Value) -> harness::Answer {
    let id = id(&s.ana, "dataset:crm/people@1");
    s.ana.post(&format!("/api/v1/dataset-versions/{id}/life"), body)
}

#[track_caller]
fn verdict(s: &Scenario, at: &str, known_at: Option<u64>) -> Value {
    let mut body = json!({"deployment": "deployment:score-prod", "dry_run": true, "valid_at": at});
    if let Some(position) = known_at {
        body["known_at"] = json!(position.to_string());
    }
    s.ci.post("/api/v1/gate", &body).good()
}

#[test]
fn a_restriction_counts_from_when_it_was_valid_whenever_it_was_recorded() {
    let s = Scenario::running();
    let before = size(&s);
    let decision = s.ci.post("/api/v1/gate", &json!({"deployment": "deployment:score-prod"})).good();
    assert_eq!(decision["verdict"], "allow");
    let from = days(-3);
    change(&s, &json!({"life": "restricted", "valid_from": from})).good();
    assert_eq!(verdict(&s, &days(-5), None)["verdict"], "allow", "it was free then, as we know now");
    let then = verdict(&s, &days(-1), None);
    assert_eq!((&then["verdict"], &then["findings"][0]["since"]), (&json!("deny"), &json!(from)), "{then:#}");
    assert_eq!(verdict(&s, &days(-1), Some(before))["verdict"], "allow", "nobody knew");
    // What was decided stays what it was; what is known since is told apart from it.
    let path = format!("/api/v1/decisions/{}/replay?known_at=now", decision["id"].as_str().unwrap());
    let again = s.audit.get(&path).good();
    assert_eq!((&again["same"], &again["known"]["decision"]["verdict"]), (&json!(true), &json!("deny")));
    // Both clocks stand in the history.
    let id = id(&s.ana, "dataset:crm/people@1");
    let states = items(&s.audit.get(&format!("/api/v1/dataset-versions/{id}/history")).good());
    assert_eq!((&states[1]["state"], &states[1]["valid_from"]), (&json!("restricted"), &json!(from)), "{states:#?}");
    assert!(states[1]["recorded_at"].as_str().unwrap() > &*days(-1));
    let known = format!("/api/v1/dataset-versions/{id}/history?known_at={before}");
    assert_eq!(items(&s.audit.get(&known).good()).len(), 1);
    // A later fact takes the place of what was said of that time; that it never was restricted, nobody may say.
    change(&s, &json!({"life": "restricted", "valid_from": days(-6)})).good();
    assert_eq!(verdict(&s, &days(-5), None)["verdict"], "deny");
    let path = format!("/api/v1/dataset-versions/{id}/life");
    let never = json!({"life": "held", "valid_from": days(-10), "reason": "It never was."});
    s.dora.post(&path, &never).problem(422);
    assert_eq!(verdict(&s, &days(-1), None)["verdict"], "deny");
    rebuilds(&s.server.db);
}

#[test]
fn an_erasure_is_dated_back_and_nothing_is_dated_ahead() {
    let s = Scenario::running();
    change(&s, &json!({"life": "erased"})).good();
    change(&s, &json!({"life": "erased"})).good();
    let recorded = size(&s);
    let from = days(-7);
    let corrected = change(&s, &json!({"life": "erased", "valid_from": from})).good();
    assert_eq!((&corrected["outcome"], size(&s)), (&json!("created"), recorded + 1));
    let again = change(&s, &json!({"life": "erased", "valid_from": days(-2)})).good();
    assert_eq!((&again["outcome"], size(&s)), (&json!("unchanged"), recorded + 1));
    let finding = verdict(&s, &days(-6), None)["findings"][0].clone();
    assert_eq!(finding["since"], json!(from), "{finding:#}");
    change(&s, &json!({"life": "held", "valid_from": days(-8)})).problem(409);
    let problem = change(&s, &json!({"life": "erased", "valid_from": days(1)})).problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "#/valid_from", "{problem}");
    s.add("dataset-versions", scenario::people("2"));
    let from = days(-1);
    let (code, out, err) = licit(&s.ana, &["dataset", "life", "crm/people@2", "restricted", "--valid-from", &from]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert_eq!(s.audit.resolve("dataset:crm/people@2")["valid_from"], json!(from));
}

#[test]
fn what_was_recalled_was_right_until_then() {
    let s = Scenario::running();
    let (id, from) = (id(&s.ana, "model:score@1"), days(-3));
    let recall = json!({"reason": "Recalled.", "valid_from": from});
    let path = format!("/api/v1/model-versions/{id}/retire");
    s.ana.post(&path, &json!({"reason": "Recalled.", "valid_from": days(1)})).problem(422);
    s.ana.post(&path, &recall).good();
    assert_eq!(verdict(&s, &days(-5), None)["verdict"], "allow");
    let then = verdict(&s, &days(-1), None);
    assert_eq!((&then["verdict"], &then["findings"][0]["since"]), (&json!("deny"), &json!(from)), "{then:#}");
    let state = s.audit.get(&format!("/api/v1/model-versions/{id}")).good();
    assert_eq!((&state["state"], &state["valid_from"]), (&json!("retired"), &json!(from)), "{state:#}");
    // A mistake from the start has no such day.
    s.add("model-versions", scenario::model_version("2", "2"));
    s.add("runs", scenario::training("2", "1"));
    s.release("2");
    let (code, _, err) = licit(&s.ana, &["model", "retire", "score@2", "--reason", "Registered twice"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let body = json!({"release": "release:score-prod@2", "dry_run": true, "valid_at": days(-5)});
    assert_eq!(s.ci.post("/api/v1/gate", &body).good()["verdict"], "deny");
    rebuilds(&s.server.db);
}

#[test]
fn what_a_deployment_was_seen_to_read_counts_since_it_did() {
    let s = Scenario::running();
    s.add("datasets", json!({"namespace": "crm", "name": "panel"}));
    let mut panel = scenario::people("1");
    panel["dataset"] = json!("dataset:crm/panel");
    s.add("dataset-versions", panel);
    let from = days(-3);
    let edge = |kind: &str, from: &str, at: &str| json!({"kind": kind, "from": from, "to": "dataset:crm/panel@1", "origin": "observed", "valid_from": at});
    s.ana.post("/api/v1/edges", &edge("serves_on", "deployment:score-prod", &days(1))).problem(422);
    let run = s.audit.get("/api/v1/runs").good()["items"][0]["ref"].as_str().unwrap().to_owned();
    s.ana.post("/api/v1/edges", &edge("used", &run, &from)).problem(422);
    s.ana.post("/api/v1/edges", &edge("serves_on", "deployment:score-prod", &from)).good();
    assert_eq!(verdict(&s, &days(-5), None)["verdict"], "allow");
    let then = verdict(&s, &days(-1), None);
    assert!(then.to_string().contains("serving.declared"), "{then:#}");
    let lineage = s.audit.get("/api/v1/lineage?ref=deployment:score-prod").good();
    let edges = lineage["edges"].as_array().unwrap();
    assert!(edges.iter().any(|e| e["to"] == "dataset:crm/panel@1" && e["valid_from"] == json!(from)), "{edges:#?}");
}
