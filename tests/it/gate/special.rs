//! Special categories: which exception stands, and that no policy softens it.

use harness::scenario::{AGE, POLITICS};
use serde_json::json;

use super::parts::{
    allowed, denied, field, made, of_rule, only, people_with, retrain, revise_basis, rules, run, wide_basis, world,
};

#[test]
fn consent_is_an_exception_only_where_it_is_explicit_and_no_policy_says_otherwise() {
    let consent = |explicit: bool| {
        let mut consent = wide_basis(&[POLITICS], false);
        consent["exception"] = json!("art9_2_a");
        consent["letter"]["explicit"] = json!(explicit);
        consent
    };
    let s = world(|p| {
        p.versions[0] = people_with("1", &[POLITICS]);
        p.bases[0] = consent(false);
    });
    let quiet = json!({
        "name": "Quiet", "review": {"quorum": 2, "approval_days": 365}, "levels": [{"rule": "basis.holds", "level": "silent"}],
    });
    s.server.admin().post("/api/v1/policies", &quiet).good();
    s.approve(&["policy:organisation"]);
    let decision = s.dry("start");
    denied(&decision);
    assert_eq!(rules(&decision), ["special.category"], "{decision:#}");
    // For the training and for the deployment.
    let finding = of_rule(&decision, "special.category")[1];
    assert!(finding["sentence"].as_str().unwrap().contains("not stated to be explicit"), "{finding:#}");
    revise_basis(&s, consent(true));
    allowed(&s.dry("start"));
}

#[test]
fn free_text_may_hold_what_nobody_asked_for() {
    let remarks = |version: &str, measures: &[&str]| {
        let mut people = people_with(version, &[AGE]);
        people["fields"][2]["free_text"] = json!({"measures": measures});
        people
    };
    let s = world(|p| p.versions[0] = remarks("1", &[]));
    let decision = s.dry("start");
    assert_eq!(rules(&decision), ["special.category"], "{decision:#}");
    let finding = only(&decision, "special.category");
    assert!(finding["sentence"].as_str().unwrap().contains("people wrote what they liked"), "{finding:#}");
    // What was done against it, or an exception that covers what may be in it.
    retrain(&s, "2", remarks("2", &["https://w3id.org/dpv#DataRedaction"]));
    assert!(of_rule(&s.dry("start"), "special.category").is_empty(), "{:#}", s.dry("start"));
    allowed(
        &world(|p| {
            p.versions[0] = remarks("1", &[]);
            p.bases[0] = wide_basis(&[], true);
        })
        .dry("start"),
    );
    // A table made of the people is no better than what is written in it.
    let s = world(|p| {
        p.datasets.push("notes");
        let mut note = field("note", AGE);
        note["free_text"] = json!({});
        p.versions.push(made("notes", "1", vec![note]));
        p.runs.push(run("derive", "purpose:scoring", &["dataset:crm/people@1"], &["dataset:crm/notes@1"]));
        p.deployment["reads"] = json!({"datasets": ["dataset:crm/notes"]});
    });
    let decision = s.dry("start");
    assert_eq!(only(&decision, "special.category")["node"], "dataset:crm/notes@1", "{decision:#}");
    let unknown = remarks("3", &["https://w3id.org/dpv#Adult"]);
    let problem = s.ana.post("/api/v1/dataset-versions", &unknown).problem(422);
    assert!(problem["errors"][0]["pointer"].as_str().unwrap().ends_with("/free_text/measures/0"), "{problem:#}");
}
