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
    // It never was: a later fact takes the place of what was said of that time.
    change(&s, &json!({"life": "held", "valid_from": days(-10)})).good();
    assert_eq!(verdict(&s, &days(-1), None)["verdict"], "allow");
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
