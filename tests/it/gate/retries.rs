//! Retries under the same idempotency key: what was let through is done once; what was refused is judged anew.

use harness::Scenario;
use harness::client::Answer;
use serde_json::{Value, json};

use super::parts::{allowed, denied, facts, retrain, state};
use harness::scenario::people;

const ALL: [&str; 4] = ["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"];

fn path(s: &Scenario, reference: &str, verb: &str) -> String {
    let found = s.ci.resolve(reference);
    let collection = if verb == "rollback" { "deployments" } else { "releases" };
    format!("/api/v1/{collection}/{}/{verb}", found["id"].as_str().unwrap())
}

fn again(s: &Scenario, path: &str) -> Answer {
    s.ci.post_once(path, "step-7", &json!({}))
}

#[test]
fn a_refused_activation_is_judged_anew_and_one_that_passed_is_done_once() {
    let s = Scenario::registered();
    let activate = path(&s, "release:score-prod@1", "activate");
    denied(&again(&s, &activate).problem(409)["decision"]);
    denied(&again(&s, &activate).problem(409)["decision"]);
    assert_eq!(facts(&s, "decision.made"), 2, "each refusal is a decision");
    s.approve(&ALL);
    let done = again(&s, &activate).good();
    allowed(&done);
    // Another release took its place: the pipeline that repeats its step does not bring the old one back.
    retrain(&s, "2", people("2"));
    s.activate("release:score-prod@2").good();
    let decisions = facts(&s, "decision.made");
    assert_eq!(again(&s, &activate).good(), done);
    assert_eq!((facts(&s, "decision.made"), state(&s, "release:score-prod@2").as_str()), (decisions, "active"));
    // Nor does a key come loose from its request.
    s.ci.post_once(&activate, "step-7", &json!({"reason": "Another."})).problem(422);
}

#[test]
fn a_refused_rollback_is_judged_anew_and_one_that_passed_is_done_once() {
    let s = Scenario::running();
    retrain(&s, "2", people("2"));
    s.activate("release:score-prod@2").good();
    let id = s.ana.resolve("dataset:crm/people@1")["id"].as_str().unwrap().to_owned();
    let life = |body: Value| s.dora.post(&format!("/api/v1/dataset-versions/{id}/life"), &body).good();
    life(json!({"life": "restricted"}));
    let rollback = path(&s, "deployment:score-prod", "rollback");
    again(&s, &rollback).problem(409);
    assert_eq!(state(&s, "release:score-prod@2"), "active");
    life(json!({"life": "held", "reason": "The dispute is settled."}));
    let done = again(&s, &rollback).good();
    assert_eq!(state(&s, "release:score-prod@1"), "active");
    assert_eq!(again(&s, &rollback).good(), done);
    assert_eq!(state(&s, "release:score-prod@1"), "active", "it is not rolled on");
}

#[test]
fn the_gate_is_asked_anew_whatever_the_key() {
    let s = Scenario::registered();
    let ask = || s.ci.post_once("/api/v1/gate", "step-7", &json!({"deployment": "deployment:score-prod"})).good();
    denied(&ask());
    s.approve(&ALL);
    allowed(&ask());
    s.revoke("basis:scoring-contract", 0);
    denied(&ask());
}
