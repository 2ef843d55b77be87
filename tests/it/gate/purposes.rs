//! Purposes: narrower ones, revisions, and what their approval includes.

use harness::Scenario;
use harness::scenario::purpose;
use serde_json::{Value, json};

use super::parts::{Parts, allowed, basis, denied, of_rule, only, redeploy, revise_basis, rules, world};

const SERVICE: &str = "https://w3id.org/dpv#ServiceProvision";

/// `purpose:scoring` is narrower than `purpose:service`, for which alone there is a basis.
fn child(p: &mut Parts) {
    let mut parent = purpose("service");
    parent["iri"] = json!(SERVICE);
    p.purposes.insert(0, parent);
    p.purposes[1]["parent"] = json!("purpose:service");
    p.purposes[1]["iri"] = json!("https://w3id.org/dpv#RequestedServiceProvision");
    p.bases[0] = basis(|b| b["covers"]["purposes"] = json!(["purpose:service"]));
    p.deferred.push("purpose:service");
}

/// A vote on one purpose.
#[track_caller]
pub(crate) fn approve(s: &Scenario, reference: &str, include_narrower: bool) {
    let body = json!({"title": "Purpose", "subjects": [{"ref": reference, "include_narrower": include_narrower}]});
    let opened = s.ana.post("/api/v1/reviews", &body).good();
    for member in [&s.bea, &s.carl] {
        let vote = json!({"choice": "approve", "digest": opened["digest"]});
        member.post(&format!("/api/v1/reviews/{}/votes", opened["id"].as_str().unwrap()), &vote).good();
    }
}

#[test]
fn the_parents_basis_covers_only_where_the_approval_includes_narrower_ones() {
    let s = world(child);
    assert_eq!(rules(&s.dry("start")), ["source.covered"]);
    approve(&s, "purpose:service", false);
    assert_eq!(rules(&s.dry("start")), ["source.covered"]);
    approve(&s, "purpose:service", true);
    allowed(&s.dry("start"));
    // The board thinks better of it.
    approve(&s, "purpose:service", false);
    assert_eq!(rules(&s.dry("start")), ["source.covered"]);
}

#[test]
fn a_later_revision_of_the_parent_that_includes_none_ends_it() {
    let s = world(child);
    approve(&s, "purpose:service", true);
    allowed(&s.dry("start"));
    let mut parent = purpose("service");
    parent["name"] = json!("Service, narrower");
    s.add("purposes", parent);
    allowed(&s.dry("start"));
    approve(&s, "purpose:service@2", false);
    assert_eq!(rules(&s.dry("start")), ["source.covered"]);
}

#[test]
fn an_approval_that_includes_narrower_ones_approves_them_where_the_vocabulary_agrees() {
    let narrower = |iri: &'static str| {
        let s = world(|p| {
            child(p);
            p.purposes[1]["iri"] = json!(iri);
            p.deferred.push("purpose:scoring");
        });
        approve(&s, "purpose:service", true);
        s.dry("start")
    };
    allowed(&narrower("https://w3id.org/dpv#RequestedServiceProvision"));
    // Its author calls it narrower; it is not.
    let decision = narrower("https://w3id.org/dpv#Marketing");
    assert_eq!(only(&decision, "purpose.approved")["node"], "purpose:scoring@1");
}

#[test]
fn a_revoked_child_does_not_live_on_under_its_parent() {
    let s = world(child);
    approve(&s, "purpose:service", true);
    s.revoke("purpose:scoring", 0);
    let decision = s.dry("start");
    assert_eq!(only(&decision, "purpose.approved")["status"], "expired");
}

#[test]
fn a_parent_proposed_afterwards_gives_nothing() {
    let s = world(|p| {
        child(p);
        p.purposes[1].as_object_mut().unwrap().remove("parent");
    });
    approve(&s, "purpose:service", true);
    let mut sneaky = purpose("scoring");
    sneaky["parent"] = json!("purpose:service");
    s.add("purposes", sneaky);
    let decision = s.dry("start");
    assert!(!of_rule(&decision, "source.covered").is_empty(), "{decision:#}");
}

#[test]
fn a_basis_that_names_a_revision_covers_that_revision_only() {
    let s = world(|p| p.bases[0] = basis(|b| b["covers"]["purposes"] = json!(["purpose:scoring@1"])));
    allowed(&s.dry("start"));
    let mut second = purpose("scoring");
    second["name"] = json!("Scoring and more");
    s.add("purposes", second);
    s.approve(&["purpose:scoring@2"]);
    redeploy(&s, |d| d["purpose"] = json!("purpose:scoring@2"));
    s.approve(&["deployment:score-prod"]);
    let decision = s.dry("start");
    denied(&decision);
    assert!(
        only(&decision, "source.covered")["sentence"].as_str().unwrap().contains("`purpose:scoring@2`"),
        "{decision:#}"
    );
    revise_basis(&s, basis(|_| {}));
    allowed(&s.dry("start"));
}

#[test]
fn training_for_another_purpose_is_refused() {
    let s = world(|p| {
        p.purposes.push(purpose("research"));
        p.runs[0]["purpose"] = json!("purpose:research");
    });
    let decision = s.dry("start");
    denied(&decision);
    let finding = only(&decision, "source.covered");
    assert!(finding["sentence"].as_str().unwrap().contains("to train for `purpose:research@1`"), "{finding:#}");
}

#[test]
fn a_purpose_pursued_later_or_no_more_is_not_approved_now() {
    let dated = |edit: fn(&mut Value)| {
        let s = world(|p| {
            p.purposes[0] = purpose("scoring");
            edit(&mut p.purposes[0]);
        });
        let decision = s.dry("start");
        let list: Vec<String> =
            of_rule(&decision, "purpose.approved").iter().map(|f| f["status"].as_str().unwrap().to_owned()).collect();
        list
    };
    assert!(dated(|p| p["valid_from"] = json!("2999-01-01")).contains(&"unmet".to_owned()));
    assert_eq!(dated(|p| p["valid_to"] = json!("2026-06-01")), ["expired"]);
}
