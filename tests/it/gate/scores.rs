//! Scores a deployment writes, and the model that learns from them.

use harness::Scenario;
use harness::scenario::{self, POLITICS};
use serde_json::{Value, json};

use super::parts::{allowed, ask, denied, field, made, of_rule, only, world};

const SCORE: &str = "https://w3id.org/dpv/pd#CreditScore";

/// The first deployment is trained on a survey, served on applicants, and writes scores; `purpose` is what the second model,
/// trained on the scores, is for.
fn offers(purpose: &str) -> Scenario {
    let s = world(|p| {
        p.datasets.extend(["applicants", "scores"]);
        let mut applicants = scenario::people("1");
        applicants["dataset"] = json!("dataset:crm/applicants");
        p.versions.push(applicants);
        p.bases[0]["covers"]["datasets"] = json!(["dataset:crm/people", "dataset:crm/applicants"]);
        p.deployment["reads"] = json!({"datasets": ["dataset:crm/applicants"]});
        p.deployment["writes"] = json!({"datasets": ["dataset:crm/scores"]});
        p.purposes.push(scenario::purpose("preapproved-offers"));
    });
    allowed(&s.activate("release:score-prod@1").good());
    s.add("dataset-versions", made("scores", "1", vec![field("score", SCORE)]));
    s.add("models", json!({"name": "offers", "owner": "ml-team"}));
    let mut model = scenario::model_version("1", "4");
    model["model"] = json!("model:offers");
    s.add("model-versions", model);
    let mut run = scenario::training("1", "1");
    run["purpose"] = json!(format!("purpose:{purpose}"));
    // After the scores were written; before now.
    run["inputs"] = json!([{"ref": "dataset:crm/scores@1", "role": "training"}]);
    run["outputs"] = json!(["model:offers@1"]);
    s.add("runs", run);
    let mut deployment = scenario::deployment();
    deployment["name"] = json!("offers-prod");
    deployment["purpose"] = json!(format!("purpose:{purpose}"));
    deployment["reads"] = json!({"datasets": ["dataset:crm/applicants"]});
    s.add("deployments", deployment);
    s.add(
        "releases",
        json!({"deployment": "deployment:offers-prod", "composition": [{"part": "base", "model": "model:offers@1"}]}),
    );
    s.approve(&["deployment:offers-prod"]);
    s
}

fn decision(s: &Scenario) -> Value {
    ask(s, json!({"deployment": "deployment:offers-prod", "dry_run": true}))
}

#[test]
fn who_trains_on_scores_inherits_the_people_behind_them() {
    let s = offers("scoring");
    let exposure = s.ana.get("/api/v1/exposure?ref=model:offers@1").good();
    let names = |mode: &str| -> Vec<String> {
        exposure[mode].as_array().unwrap().iter().map(|e| e["ref"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert!(names("contained").contains(&"dataset:crm/applicants@1".to_owned()), "{exposure:#}");
    assert!(names("shaped").contains(&"dataset:crm/people@1".to_owned()), "{exposure:#}");
    assert!(!names("contained").contains(&"dataset:crm/people@1".to_owned()), "{exposure:#}");
    allowed(&decision(&s));
}

#[test]
fn training_on_scores_for_another_purpose_is_refused_for_all_of_them() {
    let s = offers("preapproved-offers");
    let decision = decision(&s);
    denied(&decision);
    let nodes: Vec<String> = of_rule(&decision, "source.covered")
        .iter()
        .flat_map(|f| std::iter::once(&f["node"]).chain(f["also"].as_array().into_iter().flatten()))
        .map(|n| n.as_str().unwrap().to_owned())
        .collect();
    // Those who were scored, and those the scoring model learned from.
    assert!(nodes.contains(&"dataset:crm/applicants@1".to_owned()), "{decision:#}");
    assert!(nodes.contains(&"dataset:crm/people@1".to_owned()), "{decision:#}");
}

#[test]
fn special_categories_travel_through_scores() {
    let s = world(|p| {
        p.purposes[0]["iri"] = json!("https://w3id.org/dpv#PoliticalCampaign");
        p.datasets.extend(["survey", "scores"]);
        let mut survey = super::parts::people_with("1", &[POLITICS]);
        survey["dataset"] = json!("dataset:crm/survey");
        p.versions.push(survey);
        p.versions.push(made("scores", "1", vec![field("score", SCORE)]));
        // A model learned from the survey; it scored the people; the scores train ours.
        let mut model = scenario::model_version("teacher", "3");
        model["version"] = json!("teacher");
        p.model_versions.push(model);
        let mut taught = scenario::training("teacher", "1");
        taught["inputs"][0]["ref"] = json!("dataset:crm/survey@1");
        p.runs.push(taught);
        p.runs.push(super::parts::run(
            "infer",
            "purpose:scoring",
            &["model:score@teacher", "dataset:crm/people@1"],
            &["dataset:crm/scores@1"],
        ));
        p.runs[0]["inputs"][0]["ref"] = json!("dataset:crm/scores@1");
        p.bases[0] = super::parts::wide_basis(&[POLITICS], true);
        p.bases[0]["covers"]["datasets"] = json!(["dataset:crm/people", "dataset:crm/survey"]);
        super::parts::explicitly(&mut p.bases[0]);
    });
    let decision = s.dry("start");
    let finding = only(&decision, "purpose.forbids");
    assert_eq!(finding["node"], "dataset:crm/survey@1");
    assert_eq!(finding["path"].as_array().unwrap().len(), 8, "{finding:#}");
}

#[test]
fn people_that_only_the_deployment_itself_wrote_come_from_nowhere() {
    let s = world(|p| {
        p.datasets.push("scores");
        p.versions[0]["fields"] = json!([{"name": "postcode", "identifiability": "none"}]);
        p.versions[0]["origin"] = json!("reference");
        p.versions.push(made("scores", "1", vec![field("score", SCORE)]));
        p.deployment["reads"] = json!({"datasets": ["dataset:crm/scores"]});
        p.deployment["writes"] = json!({"datasets": ["dataset:crm/scores"]});
    });
    let decision = s.dry("start");
    denied(&decision);
    let finding = only(&decision, "lineage.complete");
    assert_eq!((&finding["node"], &finding["status"]), (&json!("dataset:crm/scores@1"), &json!("unknown")));
    assert_eq!(only(&decision, "source.covered")["node"], "dataset:crm/scores@1");
}
