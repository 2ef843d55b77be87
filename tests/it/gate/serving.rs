//! What a deployment is served on when it runs.

use harness::Scenario;
use harness::scenario;
use serde_json::json;

use super::parts::{allowed, denied, field, made, of_rule, only, path, people_with, redeploy, rules, world};

const SOCIAL: &str = "https://w3id.org/dpv/pd#SocialNetwork";

#[test]
fn a_served_dataset_follows_its_latest_version() {
    let s = Scenario::running();
    s.add("dataset-versions", scenario::people("2"));
    allowed(&s.dry("start"));
    // Tonight's table has a new column; the model is unchanged.
    s.add("dataset-versions", people_with("3", &[SOCIAL]));
    let decision = s.dry("start");
    denied(&decision);
    let finding = only(&decision, "release.approved");
    assert_eq!(finding["also"], json!(["source `dataset:crm/people` brings \"Social Network\""]));
    assert_eq!(path(finding), ["deployment:score-prod", "dataset:crm/people@3"]);
    assert_eq!(rules(&decision), ["release.approved", "source.covered"]);
}

#[test]
fn a_pinned_dataset_does_not_follow() {
    let s = world(|p| p.deployment["reads"] = json!({"datasets": ["dataset:crm/people@1"]}));
    s.add("dataset-versions", people_with("2", &[SOCIAL]));
    allowed(&s.dry("start"));
}

#[test]
fn a_dataset_seen_but_not_declared_is_unmet_and_exposes() {
    for origin in ["observed", "inferred", "declared"] {
        let s = Scenario::running();
        s.add("datasets", json!({"namespace": "crm", "name": "calls", "owner": "crm-team"}));
        let mut calls = people_with("1", &[SOCIAL]);
        calls["dataset"] = json!("dataset:crm/calls");
        s.add("dataset-versions", calls);
        s.add("edges", json!({"kind": "serves_on", "from": "deployment:score-prod", "to": "dataset:crm/calls@1", "origin": origin}));
        let decision = s.dry("start");
        denied(&decision);
        let finding = only(&decision, "serving.declared");
        assert_eq!(path(finding), ["deployment:score-prod", "dataset:crm/calls@1"]);
        assert_eq!(
            only(&decision, "source.covered")["node"],
            "dataset:crm/calls@1",
            "it is judged as read: {decision:#}"
        );
        denied(&s.dry("continue"));
    }
}

#[test]
fn what_an_earlier_revision_declared_is_over() {
    let s = world(|p| {
        p.datasets.push("calls");
        let mut calls = people_with("1", &[SOCIAL]);
        calls["dataset"] = json!("dataset:crm/calls");
        p.versions.push(calls);
        p.deployment["reads"]["datasets"] = json!(["dataset:crm/people", "dataset:crm/calls"]);
    });
    denied(&s.dry("start"));
    redeploy(&s, |d| d["reads"]["datasets"] = json!(["dataset:crm/people"]));
    allowed(&s.dry("start"));
}

#[test]
fn a_write_that_was_seen_must_be_declared_too() {
    let s = Scenario::running();
    s.add("datasets", json!({"namespace": "crm", "name": "log"}));
    s.add("dataset-versions", made("log", "1", vec![field("age", scenario::AGE)]));
    s.add(
        "edges",
        json!({"kind": "emits", "from": "dataset:crm/log@1", "to": "deployment:score-prod", "origin": "observed"}),
    );
    assert_eq!(rules(&s.dry("start")), ["serving.declared"]);
}

#[test]
fn nobody_is_a_statement_that_an_observation_contradicts() {
    let s = world(|p| p.deployment["reads"] = json!({"nobody": "It is asked about no person."}));
    allowed(&s.dry("start"));
    s.add("edges", json!({"kind": "serves_on", "from": "deployment:score-prod", "to": "dataset:crm/people@1", "origin": "observed"}));
    assert_eq!(of_rule(&s.dry("start"), "serving.declared").len(), 1);
}

#[test]
fn a_dataset_without_any_version_is_unknown() {
    let s = world(|p| {
        p.datasets.push("calls");
        p.deployment["reads"]["datasets"] = json!(["dataset:crm/people", "dataset:crm/calls"]);
    });
    let decision = s.dry("start");
    assert_eq!(only(&decision, "serving.declared")["status"], "unknown");
    s.add("dataset-versions", {
        let mut calls = made("calls", "1", vec![json!({"name": "minute", "identifiability": "none"})]);
        calls["origin"] = json!("reference");
        calls
    });
    assert!(of_rule(&s.dry("start"), "serving.declared").is_empty());
}
