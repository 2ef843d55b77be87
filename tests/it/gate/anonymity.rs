//! What was assessed anonymous: the exposure ends there, for whom and as long as that holds.

use harness::Scenario;
use harness::scenario;
use serde_json::{Value, json};

use super::parts::{Parts, allowed, ask, assessment, basis, days, denied, made, of_rule, rules, world};

pub(crate) fn anonymity(of: &str) -> Value {
    let mut assessment = assessment("anonymous", "anonymity", of);
    assessment["attack_model"] = json!("Membership inference with full access to the weights.");
    assessment
}

/// A model whose people may be learned from, and not be in it: it was assessed anonymous.
pub(crate) fn anonymous(p: &mut Parts) {
    p.bases[0] = basis(|b| b["covers"]["stages"] = json!(["training"]));
    p.deployment["reads"] = json!({"nobody": "It is asked about no person."});
    p.assessments.push(anonymity("model:score@1"));
}

#[test]
fn an_anonymous_model_needs_no_basis_where_it_runs_but_one_for_its_training() {
    allowed(&world(anonymous).dry("start"));
    let s = world(|p| {
        anonymous(p);
        p.bases[0] = basis(|b| b["covers"]["stages"] = json!(["deployment"]));
    });
    let decision = s.dry("start");
    let path = of_rule(&decision, "source.covered")[0]["path"].clone();
    assert_eq!(path[1], "model:score@1", "{decision:#}");
}

#[test]
fn an_assessment_cuts_only_while_approved_and_in_force_and_for_its_holder() {
    let s = world(|p| {
        anonymous(p);
        p.parties.push(scenario::party("beta"));
        p.assessments[0]["holder"] = json!("party:beta");
    });
    let decision = s.dry("start");
    denied(&decision);
    let said = of_rule(&decision, "assessment.in_force");
    assert_eq!((said.len(), &said[0]["blocking"]), (1, &json!(false)), "{decision:#}");
    assert!(said[0]["sentence"].as_str().unwrap().contains("another holder"));
    assert_eq!(of_rule(&decision, "source.covered").len(), 1, "{decision:#}");
    let mut ours = anonymity("model:score@1");
    ours["key"] = json!("ours");
    s.add("assessments", ours);
    denied(&s.dry("start"));
    s.approve(&["assessment:ours"]);
    allowed(&s.dry("start"));
    denied(&s.dry_at("start", Some(&days(101))));
}

#[test]
fn what_runs_goes_on_for_the_grace_of_an_assessment_that_ended() {
    let s = world(anonymous);
    allowed(&s.activate("release:score-prod@1").good());
    let at = |n: i64| ask(&s, json!({"intent": "continue", "dry_run": true, "valid_at": days(n)}));
    let within = at(110);
    allowed(&within);
    assert_eq!(within["actions_due"][0]["rule"], "assessment.in_force", "{within:#}");
    denied(&at(140));
}

/// A table made anonymous from the people, and a model trained on that alone.
pub(crate) fn counted(edit: fn(&mut Parts)) -> Scenario {
    world(|p| {
        p.datasets.push("counts");
        let number = json!({"name": "count", "identifiability": "none"});
        p.versions.push(made("counts", "1", vec![number]));
        p.runs.insert(0, json!({
            "operation": "anonymise", "purpose": "purpose:scoring", "started_at": "2025-12-01T00:00:00Z", "controller": "party:acme",
            "inputs": [{"ref": "dataset:crm/people@1"}], "outputs": ["dataset:crm/counts@1"],
        }));
        p.runs[1]["inputs"] = json!([{"ref": "dataset:crm/counts@1", "role": "training"}]);
        p.bases[0] = json!({
            "key": "scoring-contract", "name": "Nobody", "legal_basis": "no_personal_data",
            "covers": {"purposes": ["purpose:scoring"]}, "valid_from": "2020-01-01", "evidence": [scenario::evidence()],
        });
        p.deployment["reads"] = json!({"nobody": "It is asked about no person."});
        edit(p);
    })
}

#[test]
fn an_operation_alone_removes_nobody_and_an_assessment_does() {
    let s = counted(|_| {});
    let decision = s.dry("start");
    assert!(rules(&decision).contains(&"source.covered".to_owned()), "{decision:#}");
    s.add("assessments", anonymity("dataset:crm/counts@1"));
    s.approve(&["assessment:anonymous"]);
    allowed(&s.dry("start"));
}

#[test]
fn a_cut_hides_no_other_way() {
    let s = counted(|p| {
        p.assessments.push(anonymity("dataset:crm/counts@1"));
        let people = json!({"ref": "dataset:crm/people@1", "role": "training"});
        p.runs[1]["inputs"].as_array_mut().unwrap().push(people);
    });
    let decision = s.dry("start");
    let covered = of_rule(&decision, "source.covered");
    assert!(!covered.is_empty(), "{decision:#}");
    let path: Vec<&str> = covered[0]["path"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(!path.contains(&"dataset:crm/counts@1"), "{path:?}");
}

#[test]
fn an_assessment_of_anonymity_names_its_attacks() {
    let s = world(|_| {});
    let problem =
        s.ana.post("/api/v1/assessments", &assessment("anonymous", "anonymity", "model:score@1")).problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "#/attack_model");
}
