//! What was registered by mistake carries nothing: the gate says so by the path, and taking it out clears it.

use harness::Scenario;
use harness::scenario::{self, model_version, people, training};
use serde_json::{Value, json};

use super::parts::{allowed, assessment, denied, facts, only, path, release_of, retrain, roll_back, rules};
use crate::support::{faults, rebuilds, retire};

fn gaps(s: &Scenario) -> Vec<Value> {
    s.audit.get("/api/v1/gaps").good()["items"].as_array().unwrap().clone()
}

/// Refused for the retired thing alone, by this path.
#[track_caller]
fn refused(decision: &Value, way: &[&str], owner: &str) {
    denied(decision);
    assert_eq!(rules(decision), ["lineage.complete"], "{decision:#}");
    let finding = only(decision, "lineage.complete");
    assert_eq!(finding["status"], "unmet");
    assert_eq!(path(finding), way);
    assert_eq!(finding["addressee"], owner);
    let remedy = finding["remedy"]["text"].as_str().unwrap();
    assert!(remedy.contains("take it out") && remedy.contains("under a new version"), "{remedy}");
    assert!(finding["sentence"].as_str().unwrap().contains("registered by mistake"), "{finding:#}");
}

#[test]
fn a_retired_source_refuses_at_once_and_a_right_version_clears_it() {
    let s = Scenario::running();
    assert!(gaps(&s).is_empty());
    retire(&s.ana, "dataset:crm/people@1", "The wrong table.").good();
    let run = s.ana.get("/api/v1/runs").good()["items"][0]["ref"].as_str().unwrap().to_owned();
    let way = ["release:score-prod@1", "model:score@1", &run, "dataset:crm/people@1"];
    let open = gaps(&s);
    assert_eq!(open.len(), 1, "{open:#?}");
    assert_eq!(
        (&open[0]["affected"][0]["release"], &open[0]["affected"][0]["findings"][0]["rule"]),
        (&json!("release:score-prod@1"), &json!("lineage.complete"))
    );
    assert_eq!(facts(&s, "gap.opened"), 1);
    for intent in ["start", "continue"] {
        let decision = s.dry(intent);
        refused(&decision, &way, "crm-team");
    }
    // Registered right under a new version it is what the deployment reads; the model is trained again on it.
    retrain(&s, "2", people("2"));
    allowed(&s.dry("start"));
    s.activate("release:score-prod@2").good();
    assert!(gaps(&s).is_empty());
    assert_eq!(facts(&s, "gap.closed"), 1);
    // What ran before does not come back.
    let problem = roll_back(&s).problem(409);
    assert_eq!(problem["type"], "urn:licit:problem:refused");
    rebuilds(&s.server.db);
}

#[test]
fn a_retired_run_refuses_what_it_made() {
    let s = Scenario::running();
    let run = s.ana.get("/api/v1/runs").good()["items"][0]["ref"].as_str().unwrap().to_owned();
    retire(&s.ana, &run, "It read another version.").good();
    refused(&s.dry("start"), &["release:score-prod@1", "model:score@1", &run], "ml-team");
    // The same model under a new version, with the run as it was.
    s.add("model-versions", model_version("2", "1"));
    s.add("runs", training("2", "1"));
    s.release("2");
    allowed(&s.dry("start"));
}

#[test]
fn a_retired_model_version_is_neither_proposed_nor_activated() {
    let s = Scenario::running();
    s.add("model-versions", model_version("2", "2"));
    s.add("runs", training("2", "1"));
    s.release("2");
    retire(&s.ana, "model:score@2", "Registered twice.").good();
    let problem = s.activate("release:score-prod@2").problem(409);
    refused(&problem["decision"], &["release:score-prod@2", "model:score@2"], "ml-team");
    assert!(gaps(&s).is_empty(), "what runs does not rest on it");
    for (composition, at) in [
        (json!([{"part": "base", "model": "model:score@2"}]), "#/composition/0/model"),
        (json!([{"part": "base", "model": "model:score"}]), "#/composition/0/model"),
        (
            json!([{"part": "base", "model": "model:score@1"}, {"part": "guard", "model": "model:score@2"}]),
            "#/composition/1/model",
        ),
    ] {
        let body = json!({"deployment": "deployment:score-prod", "composition": composition});
        let found = faults(&s.ana.post("/api/v1/releases", &body).problem(422));
        assert!(found[at].contains("`model:score@2`") && found[at].contains("retired"), "{found:?}");
    }
    retire(&s.ana, "dataset:crm/people@1", "The wrong table.").good();
    let mut body = release_of("model:score@1");
    body["indexes"] = json!(["dataset:crm/people@1"]);
    assert!(faults(&s.ana.post("/api/v1/releases", &body).problem(422)).contains_key("#/indexes/0"));
}

#[test]
fn a_followed_dataset_does_not_fall_back_to_an_earlier_version() {
    let s = Scenario::running();
    s.add("dataset-versions", people("2"));
    allowed(&s.dry("start"));
    retire(&s.ana, "dataset:crm/people@2", "The wrong table.").good();
    refused(&s.dry("start"), &["deployment:score-prod", "dataset:crm/people@2"], "crm-team");
    s.add("dataset-versions", people("3"));
    allowed(&s.dry("start"));
}

#[test]
fn what_else_is_wrong_with_it_is_still_said() {
    let s = Scenario::running();
    let mut table = people("2");
    table["fields"].as_array_mut().unwrap().push(json!({"name": "remarks"}));
    s.add("dataset-versions", table);
    retire(&s.ana, "dataset:crm/people@2", "The wrong table.").good();
    let decision = s.dry("start");
    let statuses: Vec<(String, String)> =
        scenario::findings(&decision).into_iter().filter(|(rule, _)| rule == "lineage.complete").collect();
    assert_eq!(statuses.len(), 2, "{decision:#}");
}

#[test]
fn what_the_board_took_over_before_does_not_close_it() {
    let s = Scenario::running();
    let run = s.ana.get("/api/v1/runs").good()["items"][0]["ref"].as_str().unwrap().to_owned();
    let mut taken = assessment("then", "regularisation", &run);
    taken["bases_then"] = json!(["basis:scoring-contract"]);
    s.add("assessments", taken);
    s.approve(&["assessment:then"]);
    allowed(&s.dry("start"));
    retire(&s.ana, &run, "It read another version.").good();
    refused(&s.dry("start"), &["release:score-prod@1", "model:score@1", &run], "ml-team");
}
