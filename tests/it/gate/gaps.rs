//! Gaps: an active release that would not be allowed today shows at once, once, and closes by itself.

use std::collections::BTreeSet;

use harness::Scenario;
use serde_json::{Value, json};

use super::parts::{days, facts, retrain, state, world};

fn open(s: &Scenario) -> Vec<Value> {
    s.audit.get("/api/v1/gaps").good()["items"].as_array().unwrap().clone()
}

fn causes(gaps: &[Value]) -> BTreeSet<&str> {
    gaps.iter().map(|g| g["finding"]["rule"].as_str().unwrap()).collect()
}

#[test]
fn a_revoked_basis_shows_at_once_and_closes_when_it_is_approved_again() {
    let s = Scenario::running();
    assert!(open(&s).is_empty());
    assert_eq!(state(&s, "basis:scoring-contract@1"), "approved");
    s.revoke("basis:scoring-contract", 10);
    assert_eq!(state(&s, "basis:scoring-contract@1"), "revoked");
    let gaps = open(&s);
    assert_eq!(causes(&gaps), BTreeSet::from(["basis.approved", "source.covered"]));
    for gap in &gaps {
        assert_eq!(
            (&gap["deployment"], &gap["release"]),
            (&json!("deployment:score-prod"), &json!("release:score-prod@1"))
        );
        let due = gap["finding"]["due"].as_str().unwrap();
        assert!(due > &*days(9) && due < &*days(10), "as the revocation says: {gap:#}");
    }
    let recorded = facts(&s, "gap.opened");
    assert_eq!(recorded, gaps.len());
    let again = open(&s);
    assert_eq!((again.len(), facts(&s, "gap.opened")), (gaps.len(), recorded), "noticed once");
    assert_eq!(again[0]["opened_at"], gaps[0]["opened_at"]);
    s.approve(&["basis:scoring-contract@1"]);
    assert_eq!(state(&s, "basis:scoring-contract@1"), "approved");
    assert!(open(&s).is_empty());
    assert_eq!((facts(&s, "gap.opened"), facts(&s, "gap.closed")), (recorded, recorded));
    open(&s);
    assert_eq!(facts(&s, "gap.closed"), recorded);
}

#[test]
fn a_gap_belongs_to_one_deployment() {
    let s = Scenario::running();
    s.revoke("purpose:scoring", 0);
    let of =
        |name: &str| s.audit.get(&format!("/api/v1/gaps?deployment={name}")).good()["items"].as_array().unwrap().len();
    assert_eq!((of("score-prod"), of("other")), (1, 0));
    assert_eq!(state(&s, "purpose:scoring@1"), "revoked");
}

#[test]
fn what_is_proposed_has_no_gap_and_what_left_neither() {
    let s = Scenario::registered();
    assert!(open(&s).is_empty());
    let s = Scenario::running();
    retrain(&s, "2", harness::scenario::people("2"));
    s.activate("release:score-prod@2").good();
    assert!(open(&s).is_empty());
}

#[test]
fn a_release_let_through_by_mode_has_its_gaps() {
    let s = world(|p| {
        p.environment["mode"] = json!("observe");
        p.deferred.push("system:scorer");
        p.deferred.push("deployment:score-prod");
    });
    s.activate("release:score-prod@1").good();
    assert_eq!(causes(&open(&s)), BTreeSet::from(["release.approved"]));
}
