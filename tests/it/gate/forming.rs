//! What forms a model is judged as a training, by whatever word and whatever role, and bytes have one story.

use harness::Scenario;
use harness::scenario;
use serde_json::{Value, json};

use super::parts::{allowed, days, denied, facts, of_rule, only, rules, world};

/// A second version of the model, made by this run, and its release.
fn made_by(s: &Scenario, digit: &str, run: &Value) {
    s.add("model-versions", scenario::model_version("2", digit));
    s.add("runs", run.clone());
    s.release("2");
}

fn run(operation: &str, role: Option<&str>) -> Value {
    let mut run = scenario::training("2", "1");
    run["operation"] = json!(operation);
    let input = run["inputs"][0].as_object_mut().unwrap();
    input.remove("role");
    if let Some(role) = role {
        input.insert("role".to_owned(), json!(role));
    }
    run
}

#[test]
fn a_model_is_trained_whatever_the_run_calls_it() {
    for operation in ["derive", "infer", "combine", "train"] {
        let s = Scenario::running();
        let mut other = scenario::purpose("resale");
        other["regulated_as"] = json!(["political_targeting"]);
        s.add("purposes", other);
        let mut run = run(operation, None);
        run["purpose"] = json!("purpose:resale");
        made_by(&s, "2", &run);
        let decision = s.dry("start");
        denied(&decision);
        let found = rules(&decision);
        for rule in ["purpose.approved", "source.covered"] {
            assert!(found.contains(&rule.to_owned()), "{operation}: {found:?}");
        }
    }
}

#[test]
fn a_model_written_by_a_run_according_to_a_later_edge_was_trained_by_it() {
    let s = Scenario::running();
    s.add("purposes", scenario::purpose("resale"));
    s.add("model-versions", scenario::model_version("2", "2"));
    let mut derive = run("derive", None);
    derive["purpose"] = json!("purpose:resale");
    derive["outputs"] = json!([]);
    let reference = s.add("runs", derive)["ref"].clone();
    s.add("edges", json!({"kind": "generated", "from": "model:score@2", "to": reference, "origin": "observed"}));
    s.release("2");
    let found = rules(&s.dry("start"));
    assert!(found.contains(&"purpose.approved".to_owned()), "{found:?}");
}

#[test]
fn what_only_measured_or_chose_formed_no_model() {
    for role in ["validation", "test", "bias_check"] {
        let s = Scenario::running();
        made_by(&s, "2", &run("train", Some(role)));
        let decision = s.dry("start");
        denied(&decision);
        let finding = only(&decision, "lineage.complete");
        assert_eq!(finding["status"], "unknown", "{role}");
        assert!(finding["sentence"].as_str().unwrap().contains("what it learned from"), "{finding:#}");
    }
    let s = Scenario::running();
    let mut both = run("train", Some("training"));
    let mut test = both["inputs"][0].clone();
    test["role"] = json!("test");
    s.add("dataset-versions", scenario::people("2"));
    test["ref"] = json!("dataset:crm/people@2");
    both["inputs"].as_array_mut().unwrap().push(test);
    made_by(&s, "2", &both);
    allowed(&s.dry("start"));
}

#[test]
fn a_model_made_of_a_model_holds_the_people_that_one_holds() {
    let s = Scenario::running();
    let mut copy = run("infer", None);
    copy["inputs"] = json!([{"ref": "model:score@1"}]);
    made_by(&s, "2", &copy);
    let exposure = s.ana.get("/api/v1/exposure?ref=model:score@2").good();
    assert_eq!(exposure["contained"][0]["ref"], "dataset:crm/people@1", "{exposure:#}");
}

#[test]
fn the_same_bytes_told_twice_are_unknown_until_one_story_is_taken_back() {
    let s = world(|p| {
        p.datasets.push("other");
        let mut other = scenario::people("1");
        other["dataset"] = json!("dataset:crm/other");
        p.versions.push(other);
    });
    allowed(&s.activate("release:score-prod@1").good());
    // The model learned from other people; then its bytes are registered again, as if it had learned from these.
    let mut honest = run("train", Some("training"));
    honest["inputs"][0]["ref"] = json!("dataset:crm/other@1");
    honest["outputs"] = json!(["model:score@honest"]);
    let mut model = scenario::model_version("honest", "5");
    model["version"] = json!("honest");
    s.add("model-versions", model);
    s.add("runs", honest);
    made_by(&s, "5", &run("train", Some("training")));
    let decision = s.dry("start");
    denied(&decision);
    let finding = only(&decision, "lineage.complete");
    assert_eq!((&finding["status"], &finding["node"]), (&json!("unknown"), &json!("model:score@2")));
    let said = finding["sentence"].as_str().unwrap();
    assert!(said.contains("`model:score@honest`") && said.contains("`dataset:crm/other@1`"), "{said}");
    let command = finding["remedy"]["command"].as_str().unwrap();
    licit_cli::understood(&super::table::words(command)).unwrap();
    let id = s.ana.resolve("model:score@honest")["id"].as_str().unwrap().to_owned();
    s.add(&format!("model-versions/{id}/retire"), json!({"reason": "registered by mistake"}));
    assert!(of_rule(&s.dry("start"), "lineage.complete").is_empty());
}

#[test]
fn bytes_that_came_from_people_are_not_made_up_when_registered_again() {
    let s = Scenario::empty();
    s.register();
    let digest = format!("sha256:{}", "9".repeat(64));
    let mut collected = scenario::people("3");
    collected["digest"] = json!(digest);
    s.add("dataset-versions", collected.clone());
    for origin in ["synthetic", "reference"] {
        let mut again = collected.clone();
        again["version"] = json!(format!("3-{origin}"));
        again["origin"] = json!(origin);
        let problem = s.ana.post("/api/v1/dataset-versions", &again).problem(409);
        assert_eq!(problem["errors"][0]["pointer"], "#/origin", "{problem:#}");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("dataset:crm/people@3"), "{problem:#}");
    }
    // Said to be more, they may be; other bytes may be anything.
    collected["version"] = json!("4");
    collected["origin"] = json!("received");
    s.add("dataset-versions", collected);
}

#[test]
fn a_run_begins_before_it_is_recorded() {
    let s = Scenario::registered();
    let runs = facts(&s, "run.recorded");
    for field in ["started_at", "ended_at"] {
        let mut run = scenario::training("1", "1");
        run[field] = json!(days(1));
        let problem = s.ana.post("/api/v1/runs", &run).problem(422);
        assert_eq!(problem["errors"][0]["pointer"], format!("#/{field}"), "{problem:#}");
    }
    assert_eq!(facts(&s, "run.recorded"), runs);
}
