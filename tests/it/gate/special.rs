//! Special categories: which exception stands, and that no policy softens it.

use harness::scenario::POLITICS;
use serde_json::json;

use super::parts::{allowed, denied, of_rule, people_with, revise_basis, rules, wide_basis, world};

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
