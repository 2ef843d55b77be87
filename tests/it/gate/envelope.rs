//! Approvals bind an envelope: what lies inside needs no vote, what widens is named, narrowing never voids.

use harness::Scenario;
use harness::scenario::{self, AGE, POLITICS, RELIGION};
use serde_json::{Value, json};

use super::parts::{
    allowed, change, denied, facts, field, made, of_rule, only, people_with, redeploy, release_of, retrain, run,
    train_on, wide_basis, world,
};

#[test]
fn a_retrained_version_on_the_same_recipe_needs_no_vote() {
    let s = Scenario::running();
    let (votes, approvals) = (facts(&s, "vote.cast"), facts(&s, "approval.granted"));
    let mut people = scenario::people("2");
    people["rows"] = json!(5_000_000);
    retrain(&s, "2", people);
    let decision = s.activate("release:score-prod@2").good();
    allowed(&decision);
    assert_eq!(decision["release"], "release:score-prod@2");
    assert_eq!((facts(&s, "vote.cast"), facts(&s, "approval.granted")), (votes, approvals));
}

#[test]
fn a_new_category_upstream_is_outside_and_named() {
    let s = Scenario::running();
    retrain(&s, "2", people_with("2", &[RELIGION]));
    let decision = s.dry("start");
    denied(&decision);
    let finding = only(&decision, "release.approved");
    assert_eq!(finding["also"], json!(["source `dataset:crm/people` brings \"Religion\""]));
    assert_eq!(finding["node"], "dataset:crm/people@2");
    assert_eq!(finding["path"][0], "release:score-prod@2");
    assert!(finding["sentence"].as_str().unwrap().contains("Religion"), "{finding:#}");
    // The active one goes on: it has what was approved, and is served on the new version, which is not.
    let going_on = s.dry("continue");
    assert_eq!(only(&going_on, "release.approved")["also"], json!(["source `dataset:crm/people` brings \"Religion\""]));
}

#[test]
fn narrowing_never_voids() {
    let s = world(|p| {
        p.versions[0] = people_with("1", &[POLITICS]);
        p.bases[0] = wide_basis(&[POLITICS], true);
    });
    allowed(&s.activate("release:score-prod@1").good());
    let mut fewer = scenario::people("2");
    fewer["fields"] = json!([field("age", AGE)]);
    fewer["region"] = Value::Null;
    fewer.as_object_mut().unwrap().remove("region");
    retrain(&s, "2", fewer);
    redeploy(&s, |d| d["reads"] = json!({"nobody": "It is asked about no person any more."}));
    allowed(&s.dry("start"));
}

/// What is done to an approved scenario, and exactly what the gate says is new.
type Widening = (fn(&Scenario), &'static [&'static str]);

fn people_2(edit: impl FnOnce(&mut Value)) -> Value {
    let mut people = scenario::people("2");
    edit(&mut people);
    people
}

#[test]
fn everything_that_widens_is_named() {
    let widenings: [Widening; 10] = [
        (|s| retrain(s, "2", people_2(|p| p["region"] = json!("US"))), &["region `US` is new"]),
        (
            |s| {
                s.add("parties", scenario::party("beta"));
                retrain(s, "2", people_2(|p| p["controllers"] = json!(["party:acme", "party:beta"])));
            },
            &["party `party:beta` is new"],
        ),
        (
            |s| {
                s.add("parties", scenario::party("host"));
                redeploy(s, |d| d["processors"] = json!(["party:host"]));
            },
            &["party `party:host` is new"],
        ),
        (
            |s| {
                s.add(
                    "dataset-versions",
                    made("people", "2", scenario::people("1")["fields"].as_array().unwrap().clone()),
                );
                s.add("runs", run("filter", "purpose:scoring", &["dataset:crm/people@1"], &["dataset:crm/people@2"]));
                train_on(s, "2", "dataset:crm/people@2");
            },
            &["operation `filter` is new"],
        ),
        (
            |s| {
                s.add("models", json!({"name": "rival"}));
                let mut model = scenario::model_version("1", "5");
                model["model"] = json!("model:rival");
                s.add("model-versions", model);
                let mut run = scenario::training("1", "1");
                run["outputs"] = json!(["model:rival@1"]);
                s.add("runs", run);
                s.add("releases", release_of("model:rival@1"));
            },
            &["model `model:rival` is new"],
        ),
        (
            |s| retrain(s, "2", people_2(|p| p["subjects"] = json!([scenario::ADULT, "https://w3id.org/dpv#Child"]))),
            &["source `dataset:crm/people` is about \"Child\""],
        ),
        (
            |s| {
                s.add("datasets", json!({"namespace": "crm", "name": "calls"}));
                s.add(
                    "dataset-versions",
                    made("calls", "1", vec![field("age", AGE)])
                        .as_object()
                        .map(|o| {
                            let mut o = o.clone();
                            o.insert("origin".to_owned(), json!("collected"));
                            Value::Object(o)
                        })
                        .unwrap(),
                );
                redeploy(s, |d| d["reads"]["datasets"] = json!(["dataset:crm/people", "dataset:crm/calls"]));
            },
            &["reads `dataset:crm/calls` is new", "source `dataset:crm/calls` is new (\"Age\")"],
        ),
        (
            |s| {
                s.add("purposes", scenario::purpose("resale"));
                redeploy(s, |d| d["purpose"] = json!("purpose:resale"));
            },
            &["purpose `purpose:resale@1` instead of `purpose:scoring@1`"],
        ),
        (|s| redeploy(s, |d| d["region"] = json!("IE")), &["region `IE` is new"]),
        (
            |s| {
                s.add("bases", super::parts::other_basis("solvency", "art6_1_c"));
                redeploy(s, |d| d["bases"] = json!(["basis:scoring-contract", "basis:solvency"]));
            },
            &["basis `basis:solvency@1` is new"],
        ),
    ];
    for (widen, says) in widenings {
        let s = Scenario::approved();
        allowed(&s.dry("start"));
        widen(&s);
        let decision = s.dry("start");
        let finding = only(&decision, "release.approved");
        assert_eq!(finding["also"], json!(says), "{finding:#}");
        assert_eq!(finding["status"], "unmet");
    }
}

#[test]
fn more_identifying_is_wider_and_a_dropped_document_too() {
    let s = world(|p| p.versions[0]["fields"] = json!([field("age", AGE)]));
    allowed(&s.dry("start"));
    let mut named = scenario::people("2");
    named["fields"] = json!([{"name": "age", "categories": [AGE], "identifiability": "direct"}]);
    retrain(&s, "2", named);
    let decision = s.dry("start");
    assert_eq!(
        only(&decision, "release.approved")["also"],
        json!(["source `dataset:crm/people` identifies people more: direct instead of quasi"])
    );

    let mut without = scenario::system();
    without["documents"] = json!([]);
    let reference = s.add("systems", without)["ref"].as_str().unwrap().to_owned();
    redeploy(&s, |d| d["system"] = json!(reference));
    let decision = s.dry("start");
    let said = only(&decision, "release.approved")["also"].to_string();
    assert!(
        said.contains("document `dpia` is no longer on file") && said.contains("system `system:scorer@2`"),
        "{said}"
    );
}

#[test]
fn a_table_without_people_upstream_is_inside() {
    let s = Scenario::approved();
    s.add("datasets", json!({"namespace": "crm", "name": "postcodes"}));
    let mut table = made("postcodes", "1", vec![json!({"name": "postcode", "identifiability": "none"})]);
    table["origin"] = json!("reference");
    table["subjects"] = json!([]);
    s.add("dataset-versions", table);
    s.add("model-versions", scenario::model_version("2", "2"));
    let mut run = scenario::training("2", "1");
    run["inputs"].as_array_mut().unwrap().push(json!({"ref": "dataset:crm/postcodes@1", "role": "reference"}));
    s.add("runs", run);
    s.release("2");
    allowed(&s.dry("start"));
}

#[test]
fn the_wider_deployment_is_allowed_once_the_board_says_so() {
    let s = Scenario::running();
    change(&s, "deployments", "deployment:score-prod", |d| d["region"] = json!("IE"));
    assert_eq!(of_rule(&s.dry("start"), "release.approved").len(), 1);
    s.approve(&["deployment:score-prod"]);
    allowed(&s.dry("start"));
    // Back to the first region: the earlier approval still holds it.
    change(&s, "deployments", "deployment:score-prod", |d| d["region"] = json!("FR"));
    allowed(&s.dry("start"));
}

#[test]
fn a_table_that_says_more_of_people_than_when_its_writing_was_approved_is_outside() {
    let s = world(|p| {
        p.datasets.push("scores");
        p.versions.push(made("scores", "1", vec![field("age", AGE)]));
        p.deployment["writes"] = json!({"datasets": ["dataset:crm/scores"]});
    });
    allowed(&s.activate("release:score-prod@1").good());
    s.add("dataset-versions", made("scores", "2", vec![field("age", AGE)]));
    allowed(&s.dry("continue"));
    s.add("dataset-versions", made("scores", "3", vec![field("age", AGE), field("faith", RELIGION)]));
    let decision = s.dry("continue");
    let also = only(&decision, "release.approved")["also"].to_string();
    assert!(also.contains("what is written to `dataset:crm/scores` brings \\\"Religion\\\""), "{also}");
    s.add("dataset-versions", made("scores", "4", vec![field("age", AGE)]));
    allowed(&s.dry("continue"));
}

#[test]
fn a_table_first_written_after_the_approval_is_outside_once_it_says_something_of_people() {
    let s = world(|p| {
        p.datasets.push("scores");
        p.deployment["writes"] = json!({"datasets": ["dataset:crm/scores"]});
    });
    allowed(&s.activate("release:score-prod@1").good());
    let mut counts = made("scores", "1", vec![json!({"name": "batch", "identifiability": "none"})]);
    counts["subjects"] = json!([]);
    s.add("dataset-versions", counts);
    allowed(&s.dry("continue"));
    s.add("dataset-versions", made("scores", "2", vec![field("faith", RELIGION)]));
    let decision = s.dry("continue");
    assert_eq!(
        only(&decision, "release.approved")["also"],
        json!([
            "what is written to `dataset:crm/scores` brings \"Religion\", is about \"Adult\", identifies people more: quasi \
             instead of none"
        ])
    );
    // The board is asked once, and then it is inside.
    s.approve(&["deployment:score-prod"]);
    assert!(of_rule(&s.dry("continue"), "release.approved").is_empty());
}
