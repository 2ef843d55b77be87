//! Exactly one basis governs; consent once relied on is not swapped.

use harness::scenario;
use serde_json::{Value, json};

use super::parts::{
    allowed, ask, basis, days, denied, of_rule, only, other_basis, path, redeploy, revise_basis, rules, world,
};

/// Recorded after the training: it never claimed to hold then.
fn interest(replaces: &[&str]) -> Value {
    let mut other = other_basis("interest", "art6_1_f");
    other["valid_from"] = json!("2026-06-01");
    if !replaces.is_empty() {
        other["replaces"] = json!(replaces);
    }
    other
}

/// The deployment relies on all that is registered.
fn names_both(p: &mut super::parts::Parts) {
    p.deployment["bases"] = json!(["basis:scoring-contract", "basis:interest"]);
}

#[test]
fn two_claims_are_ambiguous() {
    let s = world(|p| {
        p.bases.push(interest(&[]));
        names_both(p);
    });
    let decision = s.dry("start");
    denied(&decision);
    let finding = only(&decision, "basis.governing");
    assert!(path(finding).ends_with(&["dataset:crm/people@1".to_owned()]));
    let says = finding["sentence"].as_str().unwrap();
    assert!(says.contains("`basis:scoring-contract@1`") && says.contains("`basis:interest@1`"), "{says}");
    assert_eq!(rules(&decision), ["basis.governing"]);
}

#[test]
fn consent_that_fell_is_not_replaced_by_legitimate_interest() {
    for replaces in [&[][..], &["basis:scoring-contract"]] {
        let s = world(|p| {
            p.bases[0] = other_basis("scoring-contract", "art6_1_a");
            p.bases.push(interest(replaces));
            p.deferred.push("basis:interest");
            names_both(p);
        });
        s.revoke("basis:scoring-contract", 0);
        s.approve(&["basis:interest"]);
        let decision = s.dry("start");
        denied(&decision);
        let finding = only(&decision, "basis.governing");
        assert_eq!(finding["status"], "unmet");
        let remedy = finding["remedy"]["text"].as_str().unwrap();
        assert!(remedy.contains("collect them anew") && !remedy.contains("replaces"), "{remedy}");
    }
}

#[test]
fn consent_narrowed_away_governs_all_the_same() {
    let s = world(|p| {
        p.bases[0] = other_basis("scoring-contract", "art6_1_a");
        p.bases.push(interest(&[]));
        p.deferred.push("basis:interest");
        names_both(p);
    });
    let mut narrowed = other_basis("scoring-contract", "art6_1_a");
    narrowed["covers"]["subjects"] = json!(["https://w3id.org/dpv#Applicant"]);
    revise_basis(&s, narrowed);
    s.approve(&["basis:interest"]);
    let decision = s.dry("start");
    assert!(
        only(&decision, "basis.governing")["sentence"]
            .as_str()
            .unwrap()
            .contains("`basis:scoring-contract@1` governed"),
        "{decision:#}"
    );
}

#[test]
fn fresh_consent_may_openly_replace_consent() {
    let s = world(|p| {
        p.bases[0] = other_basis("scoring-contract", "art6_1_a");
        let mut fresh = other_basis("interest", "art6_1_a");
        fresh["replaces"] = json!(["basis:scoring-contract"]);
        p.bases.push(fresh);
        p.deferred.push("basis:interest");
        names_both(p);
    });
    s.revoke("basis:scoring-contract", 0);
    s.approve(&["basis:interest"]);
    redeploy(&s, |d| d["bases"] = json!(["basis:interest"]));
    s.approve(&["deployment:score-prod"]);
    allowed(&s.dry("start"));
}

#[test]
fn another_basis_may_follow_when_it_says_so() {
    let build = |replaces: &'static [&'static str]| {
        let s = world(|p| {
            p.bases.push(interest(replaces));
            p.deferred.push("basis:interest");
        });
        s.revoke("basis:scoring-contract", 0);
        s.approve(&["basis:interest"]);
        redeploy(&s, |d| d["bases"] = json!(["basis:interest"]));
        s.approve(&["deployment:score-prod"]);
        s
    };
    let silent = build(&[]);
    let decision = silent.dry("start");
    assert!(
        only(&decision, "basis.governing")["remedy"]["text"]
            .as_str()
            .unwrap()
            .contains("replaces: [basis:scoring-contract]")
    );
    // The remedy, word for word.
    revise_basis(&silent, interest(&["basis:scoring-contract"]));
    allowed(&silent.dry("start"));
    allowed(&build(&["basis:scoring-contract"]).dry("start"));
}

#[test]
fn who_follows_the_follower_follows_the_first() {
    let s = world(|p| {
        p.bases.push(interest(&["basis:scoring-contract"]));
        let mut third = other_basis("obligation", "art6_1_c");
        third["replaces"] = json!(["basis:interest"]);
        p.bases.push(third);
        p.deferred.extend(["basis:interest", "basis:obligation"]);
    });
    s.revoke("basis:scoring-contract", 0);
    s.approve(&["basis:interest"]);
    s.revoke("basis:interest", 0);
    s.approve(&["basis:obligation"]);
    assert!(of_rule(&s.dry("start"), "basis.governing").is_empty());
    assert!(of_rule(&s.dry("start"), "source.covered").is_empty());
}

#[test]
fn a_swap_has_the_grace_of_what_fell() {
    let s = world(|p| {
        p.bases.push(interest(&[]));
        p.deferred.push("basis:interest");
    });
    allowed(&s.activate("release:score-prod@1").good());
    s.revoke("basis:scoring-contract", 10);
    s.approve(&["basis:interest"]);
    let at = |n: i64| ask(&s, json!({"intent": "continue", "dry_run": true, "valid_at": days(n)}));
    assert!(of_rule(&at(9), "basis.governing").is_empty());
    assert_eq!(of_rule(&at(11), "basis.governing").len(), 1);
}

#[test]
fn a_revoked_revision_does_not_bring_the_earlier_one_back() {
    let s = world(|_| {});
    revise_basis(&s, basis(|b| b["name"] = json!("Contract, clearer")));
    allowed(&s.dry("start"));
    s.revoke("basis:scoring-contract", 0);
    let decision = s.dry("start");
    assert_eq!(only(&decision, "source.covered")["status"], "expired");
    s.approve(&["basis:scoring-contract@1"]);
    allowed(&s.dry("start"));
}

#[test]
fn a_narrowed_revision_takes_the_place_of_the_wider_one() {
    let s = world(|_| {});
    revise_basis(&s, basis(|b| b["covers"]["stages"] = json!(["training"])));
    let decision = s.dry("start");
    let finding = only(&decision, "source.covered");
    assert!(finding["sentence"].as_str().unwrap().contains("does not cover this stage"), "{finding:#}");
}

#[test]
fn a_statement_that_there_are_no_people_governs_none() {
    let s = world(|p| {
        p.bases[0] = basis(|b| {
            b["legal_basis"] = json!("no_personal_data");
            b["letter"] = json!({});
        });
    });
    let decision = s.dry("start");
    denied(&decision);
    assert!(!of_rule(&decision, "source.covered").is_empty(), "{decision:#}");
    let void = only(&decision, "basis.approved");
    assert_eq!(void["node"], "dataset:crm/people@1");
    assert!(void["sentence"].as_str().unwrap().contains("states that no personal data are touched"));
}

#[test]
fn a_basis_the_deployment_does_not_name_is_not_relied_on() {
    let s = world(|p| {
        let mut training = basis(|b| b["covers"]["stages"] = json!(["training"]));
        training["key"] = json!("training-contract");
        p.bases = vec![training, basis(|b| b["covers"]["stages"] = json!(["deployment"]))];
        p.deployment["bases"] = json!(["basis:training-contract"]);
    });
    let decision = s.dry("start");
    let finding = only(&decision, "basis.approved");
    assert_eq!(finding["node"], "basis:scoring-contract@1");
    redeploy(&s, |d| d["bases"] = json!(["basis:scoring-contract", "basis:training-contract"]));
    s.approve(&["deployment:score-prod"]);
    allowed(&s.dry("start"));
}

#[test]
fn broader_terms_cover_narrower_ones_and_not_the_other_way() {
    let s = world(|p| {
        p.bases[0] = basis(|b| {
            b["covers"]["categories"] = json!(["https://w3id.org/dpv#PersonalData"]);
            b["covers"]["subjects"] = json!(["https://w3id.org/dpv#HumanSubject"]);
        });
    });
    let decision = s.dry("start");
    assert!(of_rule(&decision, "source.covered").is_empty(), "{decision:#}");
    let s = world(|p| p.versions[0]["subjects"] = json!(["https://w3id.org/dpv#HumanSubject"]));
    let decision = s.dry("start");
    let found = of_rule(&decision, "source.covered");
    assert_eq!(found.len(), 2, "for training and for deployment: {decision:#}");
    assert!(found.iter().all(|f| f["sentence"].as_str().unwrap().contains("the subject category")));
}

#[test]
fn employees_consent_is_presumed_not_free_wherever_they_stand() {
    let s = world(|p| {
        p.datasets.push("staff");
        let mut staff = scenario::people("1");
        staff["dataset"] = json!("dataset:crm/staff");
        staff["subjects"] = json!(["https://w3id.org/dpv#Employee"]);
        p.versions.push(staff);
        p.runs[0]["inputs"].as_array_mut().unwrap().push(json!({"ref": "dataset:crm/staff@1", "role": "training"}));
        p.bases[0] = other_basis("scoring-contract", "art6_1_a");
        p.bases[0]["covers"]["datasets"] = json!(["dataset:crm/people", "dataset:crm/staff"]);
        p.bases[0]["covers"]["subjects"] = json!([scenario::ADULT, "https://w3id.org/dpv#Employee"]);
    });
    let decision = s.dry("start");
    assert!(
        only(&decision, "basis.holds")["sentence"].as_str().unwrap().contains("employees' consent"),
        "{decision:#}"
    );
}

#[test]
fn joint_controllers_count_whichever_of_them_recorded_it() {
    for recorder in ["acme", "beta"] {
        let other = if recorder == "acme" { "beta" } else { "acme" };
        let s = world(|p| {
            p.parties.push(scenario::party("beta"));
            p.bases[0] = basis(|b| b["covers"]["controllers"] = json!(["party:beta"]));
        });
        let decision = s.dry("start");
        let finding = only(&decision, "controller");
        assert_eq!(finding["node"], "party:acme");
        super::parts::change(&s, "parties", &format!("party:{recorder}"), |party| {
            party["arrangements"] = json!([{
                "kind": "joint_controllers", "with": format!("party:{other}"), "evidence": scenario::evidence(), "valid_from": "2020-01-01",
            }]);
        });
        assert!(of_rule(&s.dry("start"), "controller").is_empty(), "{recorder}");
    }
}

#[test]
fn a_dataset_held_by_a_processor_needs_its_contract() {
    let s = world(|p| {
        p.parties.push(scenario::party("host"));
        p.versions[0]["processors"] = json!(["party:host"]);
    });
    let decision = s.dry("start");
    assert_eq!(only(&decision, "controller")["node"], "party:host");
}
