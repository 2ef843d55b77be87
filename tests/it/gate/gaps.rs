//! Gaps: an active release that would not be allowed today shows at once, once, and closes by itself.

use std::collections::BTreeSet;

use harness::client::encode;
use harness::{Scenario, scenario};
use serde_json::{Value, json};

use super::parts::{days, facts, retrain, state, world};
use crate::support::rebuilds;

fn open(s: &Scenario) -> Vec<Value> {
    s.audit.get("/api/v1/gaps").good()["items"].as_array().unwrap().clone()
}

fn rules(gaps: &[Value]) -> BTreeSet<&str> {
    let affected = gaps.iter().flat_map(|g| g["affected"].as_array().unwrap());
    affected.flat_map(|a| a["findings"].as_array().unwrap()).map(|f| f["rule"].as_str().unwrap()).collect()
}

fn deployments(gap: &Value) -> Vec<&str> {
    gap["affected"].as_array().unwrap().iter().map(|a| a["deployment"].as_str().unwrap()).collect()
}

#[test]
fn a_revoked_basis_is_one_gap_at_once_and_closes_when_it_is_approved_again() {
    let s = Scenario::running();
    assert!(open(&s).is_empty());
    assert_eq!(state(&s, "basis:scoring-contract@1"), "approved");
    s.revoke("basis:scoring-contract", 10);
    assert_eq!(state(&s, "basis:scoring-contract@1"), "revoked");
    let gaps = open(&s);
    assert_eq!(rules(&gaps), BTreeSet::from(["basis.approved", "source.covered"]));
    let [gap] = &gaps[..] else { panic!("one cause, one gap: {gaps:#?}") };
    assert_eq!((&gap["cause"], &gap["owner"]), (&json!("basis:scoring-contract@1"), &json!("governance board")));
    assert_eq!(gap["affected"][0]["release"], "release:score-prod@1");
    let due = gap["due"].as_str().unwrap();
    assert!(due > &*days(9) && due < &*days(10), "as the revocation says: {gap:#}");
    assert_eq!(facts(&s, "gap.opened"), 1);
    let again = open(&s);
    assert_eq!((again.len(), facts(&s, "gap.opened")), (1, 1), "noticed once");
    assert_eq!((&again[0]["opened_at"], &again[0]["id"]), (&gap["opened_at"], &gap["id"]));
    let recorded = fact(&s, "gap.opened");
    assert_eq!(recorded["id"], gap["id"]);
    assert_eq!(recorded["spec"]["sentence"], gap["affected"][0]["findings"][0]["sentence"]);
    s.approve(&["basis:scoring-contract@1"]);
    assert_eq!(state(&s, "basis:scoring-contract@1"), "approved");
    assert!(open(&s).is_empty());
    assert_eq!((facts(&s, "gap.opened"), facts(&s, "gap.changed"), facts(&s, "gap.closed")), (1, 0, 1));
    open(&s);
    assert_eq!(facts(&s, "gap.closed"), 1);
    rebuilds(&s.server.db);
}

/// Data of the last fact of a kind.
fn fact(s: &Scenario, kind: &str) -> Value {
    let page = s.audit.get("/api/v1/ledger/entries?limit=1000").good();
    page["items"].as_array().unwrap().iter().rev().find(|e| e["entry"]["kind"] == kind).unwrap()["data"].clone()
}

/// A second deployment of the same system, purpose and basis, running.
fn another(s: &Scenario) {
    let mut other = scenario::deployment();
    other["name"] = json!("score-batch");
    s.add("deployments", other);
    s.add(
        "releases",
        json!({"deployment": "deployment:score-batch", "composition": [{"part": "base", "model": "model:score@1"}]}),
    );
    s.approve(&["deployment:score-batch"]);
    s.activate("release:score-batch@1").good();
}

#[test]
fn what_one_cause_affects_is_one_alert() {
    let s = Scenario::running();
    another(&s);
    assert!(open(&s).is_empty());
    s.revoke("basis:scoring-contract", 10);
    let gaps = open(&s);
    assert_eq!(gaps.iter().map(deployments).collect::<Vec<_>>(), [["deployment:score-batch", "deployment:score-prod"]]);
    assert_eq!(facts(&s, "gap.opened"), 1);
    // One of them stops: the gap stays, and says so.
    let id = s.ci.resolve("release:score-batch@1")["id"].as_str().unwrap().to_owned();
    s.ci.post(&format!("/api/v1/releases/{id}/withdraw"), &json!({"reason": "It ended."})).good();
    let gaps = open(&s);
    assert_eq!(gaps.iter().map(deployments).collect::<Vec<_>>(), [["deployment:score-prod"]]);
    assert_eq!((facts(&s, "gap.opened"), facts(&s, "gap.changed"), facts(&s, "gap.closed")), (1, 1, 0));
    let of = |query: &str| s.audit.get(&format!("/api/v1/gaps?{query}")).good()["items"].as_array().unwrap().len();
    assert_eq!((of("owner=governance%20board"), of("owner=ml-team"), of("deployment=score-batch")), (1, 0, 0));
    s.approve(&["basis:scoring-contract@1"]);
    assert!(open(&s).is_empty());
    assert_eq!((facts(&s, "gap.opened"), facts(&s, "gap.closed")), (1, 1));
    rebuilds(&s.server.db);
}

#[test]
fn causes_that_are_not_one_are_not_mixed() {
    let s = Scenario::running();
    s.revoke("basis:scoring-contract", 0);
    s.revoke("purpose:scoring", 0);
    let gaps = open(&s);
    let causes: Vec<&str> = gaps.iter().map(|g| g["cause"].as_str().unwrap()).collect();
    assert_eq!(causes, ["basis:scoring-contract@1", "purpose:scoring@1"]);
    assert_eq!(facts(&s, "gap.opened"), 2);
    s.approve(&["purpose:scoring@1"]);
    assert_eq!((open(&s).len(), facts(&s, "gap.closed")), (1, 1));
    assert_eq!(fact(&s, "gap.closed")["key"], "purpose:scoring@1");
}

#[test]
fn asked_for_another_moment_or_for_less_knowledge_nothing_is_recorded() {
    let s = Scenario::running();
    let before = crate::support::head(&s.audit).size;
    s.revoke("basis:scoring-contract", 10);
    let later = crate::support::head(&s.audit).size;
    let of = |query: &str| s.audit.get(&format!("/api/v1/gaps?{query}")).good()["items"].as_array().unwrap().len();
    assert_eq!(of(&format!("known_at={before}")), 0, "nobody knew");
    assert_eq!(of(&format!("known_at={later}")), 1);
    assert_eq!(
        of(&format!("valid_at={}", encode(&days(400)))),
        3,
        "basis, purpose and release: every approval has ended by then"
    );
    assert_eq!((facts(&s, "gap.opened"), crate::support::head(&s.audit).size), (0, later));
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
    assert_eq!(rules(&open(&s)), BTreeSet::from(["release.approved"]));
}

#[test]
fn what_ends_is_a_gap_at_that_moment_and_not_a_minute_later() {
    let in_seconds = |seconds: i64| licit_server::clock::now().plus(chrono::Duration::seconds(seconds));
    let end = in_seconds(6);
    let s = world(|p| p.versions[0]["retention"]["until"] = json!(end.to_string()));
    s.activate("release:score-prod@1").good();
    assert!(open(&s).is_empty());
    assert!(licit_server::clock::now() < end, "the machine is too slow for this test");
    while licit_server::clock::now() <= end {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(rules(&open(&s)), BTreeSet::from(["retention"]));
}
