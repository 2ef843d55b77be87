//! Assessments close lineage where no run can: models made elsewhere, and what ran before the registry.

use harness::scenario::{self, evidence, training};
use serde_json::json;

use super::parts::{
    Parts, acquired, allowed, ask, assessment, attest, basis, days, denied, endpoint, made, of_rule, only, rules,
    state, train_on, world,
};

fn bought(p: &mut Parts) {
    p.model_versions[0] = acquired("1");
    p.runs.clear();
}

#[test]
fn a_provider_assessment_closes_an_acquired_model() {
    let s = world(bought);
    let decision = s.dry("start");
    let finding = only(&decision, "lineage.complete");
    assert_eq!((&finding["node"], &finding["status"]), (&json!("model:score@1"), &json!("unmet")));
    s.add("assessments", assessment("bought", "provider", "model:score@1"));
    let decision = s.dry("start");
    assert!(
        only(&decision, "lineage.complete")["sentence"].as_str().unwrap().contains("`assessment:bought@1` would close")
    );
    assert_eq!(state(&s, "assessment:bought@1"), "proposed");
    s.approve(&["assessment:bought"]);
    assert_eq!(state(&s, "assessment:bought@1"), "approved");
    allowed(&s.dry("start"));
}

#[test]
fn an_assessment_for_another_holder_or_of_another_kind_closes_nothing() {
    let s = world(|p| {
        bought(p);
        p.parties.push(scenario::party("beta"));
        let mut foreign = assessment("foreign", "provider", "model:score@1");
        foreign["holder"] = json!("party:beta");
        p.assessments = vec![foreign, assessment("otherwise", "regularisation", "model:score@1")];
    });
    assert_eq!(rules(&s.dry("start")), ["lineage.complete"]);
    let s = world(|p| {
        p.model_versions[0] = endpoint("1");
        p.runs.clear();
        p.parties.push(scenario::party("beta"));
        let mut foreign = assessment("foreign", "provider", "model:score@1");
        foreign["holder"] = json!("party:beta");
        p.assessments = vec![foreign];
    });
    assert_eq!(rules(&s.dry("start")), ["artifact.digest", "lineage.complete"]);
    s.add("assessments", assessment("ours", "provider", "model:score@1"));
    s.approve(&["assessment:ours"]);
    assert_eq!(only(&s.dry("start"), "artifact.digest")["status"], "unknown");
    attest(&s, None);
    allowed(&s.dry("start"));
}

#[test]
fn a_revoked_revision_of_an_assessment_does_not_bring_the_earlier_one_back() {
    let s = world(|p| {
        bought(p);
        p.assessments.push(assessment("bought", "provider", "model:score@1"));
    });
    allowed(&s.activate("release:score-prod@1").good());
    let mut second = assessment("bought", "provider", "model:score@1");
    second["statement"] = json!("It was looked at again.");
    s.add("assessments", second);
    s.approve(&["assessment:bought@2"]);
    s.revoke("assessment:bought", 10);
    let decision = s.dry("start");
    let finding = only(&decision, "lineage.complete");
    assert_eq!(finding["status"], "expired");
    assert!(finding["sentence"].as_str().unwrap().contains("`assessment:bought@2`"), "{finding:#}");
    // The revocation's grace holds for what runs.
    let at = |n: i64| ask(&s, json!({"intent": "continue", "dry_run": true, "valid_at": days(n)}));
    allowed(&at(9));
    denied(&at(11));
}

#[test]
fn an_assessment_that_holds_later_says_so() {
    let s = world(|p| {
        bought(p);
        let mut later = assessment("bought", "provider", "model:score@1");
        later["valid_from"] = json!(days(50));
        p.assessments.push(later);
    });
    let decision = s.dry("start");
    assert!(only(&decision, "lineage.complete")["sentence"].as_str().unwrap().contains("not before"), "{decision:#}");
    allowed(&ask(&s, json!({"dry_run": true, "valid_at": days(60)})));
}

#[test]
fn a_regularisation_closes_a_model_without_its_run() {
    let s = world(|p| p.runs.clear());
    assert_eq!(only(&s.dry("start"), "lineage.complete")["status"], "unmet");
    s.add("assessments", assessment("model-of-2024", "regularisation", "model:score@1"));
    s.approve(&["assessment:model-of-2024"]);
    allowed(&s.dry("start"));
}

#[test]
fn a_regularisation_closes_a_training_whose_basis_began_later() {
    const RUN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
    let s = world(|p| {
        p.runs[0]["id"] = json!(RUN);
        p.bases[0] = basis(|b| b["valid_from"] = json!("2026-03-01"));
    });
    let decision = s.dry("start");
    denied(&decision);
    let finding = only(&decision, "source.covered");
    assert!(finding["sentence"].as_str().unwrap().contains("from 2026-03-01"), "{finding:#}");
    assert!(finding["remedy"]["text"].as_str().unwrap().contains("regularise"), "{finding:#}");
    let of = format!("run:{RUN}");
    let bare = s.ana.post("/api/v1/assessments", &assessment("training-of-2026", "regularisation", &of)).problem(422);
    assert_eq!(bare["errors"][0]["pointer"], "#/bases_then");
    // The basis it names was not valid when the training began: it closes nothing, and the finding says so.
    let mut then = assessment("training-of-2026", "regularisation", &of);
    then["bases_then"] = json!(["basis:scoring-contract"]);
    s.add("assessments", then.clone());
    s.approve(&["assessment:training-of-2026"]);
    let decision = s.dry("start");
    denied(&decision);
    let sentence = only(&decision, "source.covered")["sentence"].as_str().unwrap().to_owned();
    assert!(sentence.contains("`assessment:training-of-2026@1` rests on `basis:scoring-contract@1`"), "{sentence}");
    // What held then, recorded now: it names less than it covered, so the board says by the assessment that it did.
    let mut held = scenario::basis("contract-of-2020", "scoring");
    held["valid_to"] = json!("2026-02-01");
    held["covers"]["categories"] = json!([scenario::AGE]);
    s.add("bases", held);
    then["bases_then"] = json!(["basis:contract-of-2020"]);
    s.add("assessments", then);
    s.approve(&["assessment:training-of-2026"]);
    denied(&s.dry("start"));
    s.approve(&["basis:contract-of-2020"]);
    allowed(&s.dry("start"));
}

#[test]
fn a_run_nobody_registered_is_closed_only_on_bases_the_board_approved() {
    const RUN: &str = "run:01890a5d-ac96-774b-bcce-b302099a8057";
    let s = world(|p| {
        p.edges.push(json!({"kind": "generated", "from": "model:score@1", "to": RUN, "origin": "observed"}));
        let mut then = assessment("then", "regularisation", RUN);
        then["bases_then"] = json!(["basis:of-then"]);
        p.bases.push(scenario::basis("of-then", "scoring"));
        p.bases[1]["covers"]["stages"] = json!(["training"]);
        p.bases[1]["covers"]["categories"] = json!([scenario::AGE]);
        p.deferred.push("basis:of-then");
        p.assessments.push(then);
    });
    let decision = s.dry("start");
    let finding = only(&decision, "lineage.complete");
    assert!(finding["sentence"].as_str().unwrap().contains("rests on `basis:of-then@1`"), "{decision:#}");
    assert_eq!(only(&decision, "source.covered")["node"], RUN);
    s.approve(&["basis:of-then"]);
    allowed(&s.dry("start"));
}

#[test]
fn a_regularised_training_is_still_held_to_what_a_law_forbids() {
    const RUN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
    let s = world(|p| {
        p.purposes.push(scenario::purpose("campaign"));
        p.purposes[1]["regulated_as"] = json!(["political_targeting"]);
        p.versions[0] = super::parts::people_with("1", &[scenario::POLITICS]);
        p.bases[0] = super::parts::wide_basis(&[scenario::POLITICS], true);
        p.runs[0]["id"] = json!(RUN);
        p.runs[0]["purpose"] = json!("purpose:campaign");
        p.assessments.push(assessment("then", "regularisation", &format!("run:{RUN}")));
        p.assessments[0]["bases_then"] = json!(["basis:scoring-contract"]);
    });
    assert_eq!(rules(&s.dry("start")), ["purpose.forbids"]);
}

#[test]
fn people_of_a_root_that_was_regularised_still_need_a_basis() {
    let s = world(|p| {
        p.versions[0].as_object_mut().unwrap().remove("origin");
        p.assessments.push(assessment("old-table", "regularisation", "dataset:crm/people@1"));
        p.bases[0] = basis(|b| b["covers"]["stages"] = json!(["training"]));
    });
    let decision = s.dry("start");
    assert!(of_rule(&decision, "lineage.complete").is_empty());
    assert_eq!(only(&decision, "source.covered")["node"], "dataset:crm/people@1");
}

#[test]
fn people_from_nowhere_are_unknown() {
    // A run that read nothing wrote people.
    let s = world(|p| {
        p.versions[0].as_object_mut().unwrap().remove("origin");
        p.runs.push(json!({
            "operation": "derive", "purpose": "purpose:scoring", "started_at": "2025-12-01T00:00:00Z", "outputs": ["dataset:crm/people@1"],
        }));
    });
    let decision = s.dry("start");
    let finding = only(&decision, "lineage.complete");
    assert_eq!((&finding["status"], &finding["node"]), (&json!("unknown"), &json!("dataset:crm/people@1")));
    // And from a table of postcodes come none either.
    let s = world(|p| {
        p.datasets.push("postcodes");
        let mut table = made("postcodes", "1", vec![json!({"name": "postcode", "identifiability": "none"})]);
        table["origin"] = json!("reference");
        p.versions.insert(0, table);
        p.versions[1].as_object_mut().unwrap().remove("origin");
        p.runs.push(super::parts::run(
            "derive",
            "purpose:scoring",
            &["dataset:crm/postcodes@1"],
            &["dataset:crm/people@1"],
        ));
    });
    assert_eq!(only(&s.dry("start"), "lineage.complete")["node"], "dataset:crm/people@1");
}

#[test]
fn a_training_that_names_nothing_it_read_is_unknown() {
    let s = world(|p| p.runs[0]["inputs"] = json!([]));
    let decision = s.dry("start");
    let finding = only(&decision, "lineage.complete");
    assert_eq!(finding["status"], "unknown");
    assert!(finding["sentence"].as_str().unwrap().contains("nobody said what"));
    let run = finding["node"].clone();
    s.add(
        "edges",
        json!({"kind": "used", "role": "training", "from": run, "to": "dataset:crm/people@1", "origin": "declared"}),
    );
    assert!(of_rule(&s.dry("start"), "lineage.complete").is_empty());
}

#[test]
fn made_up_people_made_from_people_are_people() {
    let s = world(|p| {
        p.datasets.push("synthetic");
        let mut table = made("synthetic", "1", vec![super::parts::field("faith", scenario::RELIGION)]);
        table["origin"] = json!("synthetic");
        p.versions.push(table);
        p.runs.push(super::parts::run(
            "synthesise",
            "purpose:scoring",
            &["dataset:crm/people@1"],
            &["dataset:crm/synthetic@1"],
        ));
    });
    train_on(&s, "2", "dataset:crm/synthetic@1");
    let decision = s.dry("start");
    // The statement alone takes nobody out: those behind it are asked for, and what it brings counts.
    assert!(rules(&decision).contains(&"special.category".to_owned()), "{decision:#}");
    let s = world(|p| {
        p.versions[0]["origin"] = json!("synthetic");
        p.versions[0]["subjects"] = json!([]);
        p.bases[0] = basis(|b| {
            b["legal_basis"] = json!("no_personal_data");
            b["covers"] = json!({"purposes": ["purpose:scoring"]});
            b["letter"] = json!({});
            b["evidence"] = json!([evidence()]);
        });
        p.runs[0] = training("1", "1");
    });
    allowed(&s.dry("start"));
}

#[test]
fn an_assessment_can_weigh_the_interests_behind_a_basis() {
    let s = world(|p| {
        p.bases[0] = basis(|b| {
            b["legal_basis"] = json!("art6_1_f");
            b["letter"] = json!({});
        });
        p.parties.push(scenario::party("beta"));
        p.assessments.push(assessment("foreign", "balancing", "basis:scoring-contract"));
        p.assessments[0]["holder"] = json!("party:beta");
    });
    let lacks = |s: &harness::Scenario| only(&s.dry("start"), "basis.holds")["sentence"].as_str().unwrap().to_owned();
    assert!(lacks(&s).contains("lacks the balancing test"), "{}", lacks(&s));
    // Of every revision of the basis, or of one.
    s.add("assessments", assessment("weighed", "balancing", "basis:scoring-contract@1"));
    assert!(lacks(&s).contains("`assessment:weighed@1`"), "{}", lacks(&s));
    s.approve(&["assessment:weighed"]);
    allowed(&s.dry("start"));
    let of = assessment("other", "balancing", "dataset:crm/people");
    assert_eq!(s.ana.post("/api/v1/assessments", &of).problem(422)["errors"][0]["pointer"], "#/of");
}
