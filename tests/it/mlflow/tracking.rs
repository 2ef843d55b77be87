//! Runs, what they read and measured, and what of it stands in lineage.

use serde_json::{Value, json};

use super::{API, DATA, Place, inputs, refused};
use crate::support::rebuilds;

fn native(place: &Place, run: &str) -> Value {
    place.s.ana.resolve(&format!("run:{}", uuid::Uuid::parse_str(run).unwrap()))["spec"].clone()
}

fn run(place: &Place) -> String {
    let made = place
        .post("runs/create", &json!({"experiment_id": "0", "tags": [{"key": "mlflow.user", "value": "ana.martin"}]}));
    made["run"]["info"]["run_id"].as_str().unwrap().to_owned()
}

#[test]
fn what_a_run_read_is_an_edge_and_a_program_is_no_source() {
    let place = Place::new();
    let id = run(&place);
    place.post("runs/log-inputs", &inputs(&id, "code", r#"{"tags": {"mlflow.source.name": "train.py"}}"#));
    let none = place.s.ana.get(&format!("/api/v1/resolve?ref=run:{}", uuid::Uuid::parse_str(&id).unwrap()));
    assert_eq!(none.status, 404, "a program says nothing of the data: {}", none.text);
    place.post("runs/log-inputs", &inputs(&id, "s3", r#"{"uri": "s3a://acme-raw/customers.parquet"}"#));
    assert_eq!(native(&place, &id)["inputs"], json!([{"ref": format!("{DATA}@reported")}]));
    let columns = place.s.ana.resolve(&format!("{DATA}@reported"))["spec"]["fields"].clone();
    assert_eq!(columns.as_array().unwrap().len(), 3, "{columns:#}");

    // A version that somebody registered for the digest is what was read.
    place.s.add("dataset-versions", json!({"dataset": DATA, "version": "mlflow-23ab924b", "origin": "synthetic"}));
    let other = run(&place);
    place.post("runs/log-inputs", &inputs(&other, "s3", r#"{"uri": "s3://acme-raw/customers.parquet"}"#));
    assert_eq!(native(&place, &other)["inputs"], json!([{"ref": format!("{DATA}@mlflow-23ab924b")}]));
    rebuilds(&place.s.server.db);
}

#[test]
fn models_that_runs_read_and_wrote_are_lineage_before_anybody_registers_them() {
    let place = Place::new();
    let (first, model) = place.trained(1);
    let second = run(&place);
    place.post("runs/log-inputs", &json!({"run_id": second, "models": [{"model_id": model}]}));
    let made = place.post("logged-models", &json!({"experiment_id": "0", "name": "tuned", "source_run_id": second}));
    let tuned = made["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    let spec = native(&place, &second);
    assert_eq!(spec["operation"], "fine_tune", "{spec:#}");
    assert_eq!(spec["inputs"], json!([{"ref": format!("model:mlflow%2Fmodel@{model}")}]));
    assert_eq!(spec["outputs"], json!([format!("model:mlflow%2Ftuned@{tuned}")]));
    let walked = place.s.ana.get(&format!(
        "/api/v1/lineage?ref={}&direction=upstream",
        harness::client::encode(&format!("model:mlflow%2Ftuned@{tuned}"))
    ));
    assert!(walked.text.contains(&format!("{DATA}@reported")), "{}", walked.text);
    assert!(walked.text.contains(&uuid::Uuid::parse_str(&first).unwrap().to_string()), "{}", walked.text);
}

#[test]
fn names_of_people_stay_out_of_the_ledger_and_can_be_erased() {
    let place = Place::new();
    let id = run(&place);
    let shown = place.get(&format!("runs/get?run_id={id}"));
    assert!(shown.to_string().contains("ana.martin"), "{shown:#}");
    let ledger =
        place.s.server.db.sql("SELECT data FROM ledger_entry") + &place.s.server.db.sql("SELECT doc FROM resource");
    assert!(!ledger.contains("ana.martin"));
    place.s.server.db.sql("DELETE FROM note");
    assert!(!place.get(&format!("runs/get?run_id={id}")).to_string().contains("ana.martin"));
    rebuilds(&place.s.server.db);
}

#[test]
fn figures_come_back_in_order_whatever_they_are() {
    let place = Place::new();
    let id = run(&place);
    for (step, value) in [(2, json!(0.5)), (0, json!("NaN")), (1, json!("-Infinity")), (3, json!(1e300))] {
        place.post("runs/log-metric", &json!({"run_id": id, "key": "m", "value": value, "timestamp": 5, "step": step}));
    }
    let history = place.get(&format!("metrics/get-history?run_id={id}&metric_key=m"));
    let values: Vec<Value> = history["metrics"].as_array().unwrap().iter().map(|m| m["value"].clone()).collect();
    assert_eq!(values, [json!("NaN"), json!("-Infinity"), json!(0.5), json!(1e300)]);
    assert_eq!(place.get(&format!("runs/get?run_id={id}"))["run"]["data"]["metrics"][0]["step"], 3);
    let page = place.get(&format!("metrics/get-history?run_id={id}&metric_key=m&max_results=3"));
    assert!(page["next_page_token"].is_string(), "{page}");
    place.post("runs/log-parameter", &json!({"run_id": id, "key": "p", "value": "1"}));
    let (_, message) =
        refused(&place.send("POST", "runs/log-parameter", &json!({"run_id": id, "key": "p", "value": "2"})), 400);
    assert!(message.starts_with("Changing param values is not allowed."), "{message}");
    let found = place.post("runs/search", &json!({"experiment_ids": ["0"], "filter": "params.p = '1' and metrics.m > 10", "order_by": ["metrics.m DESC"]}));
    assert_eq!(found["runs"][0]["info"]["run_id"], id.as_str());
    place.post("runs/delete", &json!({"run_id": id}));
    refused(&place.send("POST", "runs/set-tag", &json!({"run_id": id, "key": "a", "value": "b"})), 400);
    assert_eq!(place.post("runs/search", &json!({"experiment_ids": ["0"]})), json!({}));
    place.post("runs/restore", &json!({"run_id": id}));
    place.post("runs/set-tag", &json!({"run_id": id, "key": "a", "value": "b"}));
    rebuilds(&place.s.server.db);
}

#[test]
fn tags_that_nobody_can_read_state_nothing_and_are_shown() {
    let place = Place::new();
    let id = run(&place);
    place.post("runs/set-tag", &json!({"run_id": id, "key": "licit.purpose", "value": "scoring, surely"}));
    place.post("runs/log-inputs", &inputs(&id, "s3", r#"{"uri": "s3://b/k"}"#));
    let spec = native(&place, &id);
    assert_eq!(spec["purpose"], "purpose:unstated", "{spec:#}");
    assert!(spec["tags"]["licit.unread"].as_str().unwrap().contains("scoring, surely"), "{spec:#}");
    place.post("runs/set-tag", &json!({"run_id": id, "key": "licit.purpose", "value": "purpose:scoring"}));
    assert_eq!(native(&place, &id)["purpose"], "purpose:scoring");
}

#[test]
fn experiments_are_found_renamed_and_put_away() {
    let place = Place::new();
    let made = place.post("experiments/create", &json!({"name": "credit", "tags": [{"key": "team", "value": "risk"}]}));
    assert_eq!(made["experiment_id"], "1");
    assert_eq!(
        refused(&place.send("POST", "experiments/create", &json!({"name": "credit"})), 400).0,
        "RESOURCE_ALREADY_EXISTS"
    );
    let found = place.post("experiments/search", &json!({"filter": "tags.team = 'risk'", "max_results": 10}));
    assert_eq!(found["experiments"][0]["name"], "credit");
    place.post("experiments/update", &json!({"experiment_id": "1", "new_name": "scoring"}));
    place.post("experiments/delete", &json!({"experiment_id": "1"}));
    refused(&place.send("POST", "runs/create", &json!({"experiment_id": "1"})), 400);
    refused(&place.trainer.get(&format!("{API}/experiments/get-by-name?experiment_name=credit")), 404);
    place.post("experiments/restore", &json!({"experiment_id": "1"}));
    assert_eq!(place.get("experiments/get?experiment_id=1")["experiment"]["lifecycle_stage"], "active");
    refused(
        &place.send(
            "POST",
            "experiments/create",
            &json!({"name": "x", "artifact_location": "mlflow-artifacts:/../etc"}),
        ),
        400,
    );
}

#[test]
fn a_slip_in_a_tag_of_an_input_states_nobody_and_is_told_of() {
    let place = Place::new();
    let tagged = |tags: Value| {
        let (run, _) = place.trained(1);
        let mut inputs = inputs(&run, "s3", r#"{"uri": "s3://b/k"}"#);
        let known = inputs["datasets"][0]["tags"].as_array_mut().unwrap();
        known.extend(tags.as_array().unwrap().iter().cloned());
        place.post("runs/log-inputs", &inputs);
        run
    };
    let read = |run: &str| {
        let run = uuid::Uuid::parse_str(run).unwrap();
        place.s.ana.resolve(&format!("run:{run}"))["spec"]["tags"]["licit.unread"].clone()
    };
    let run = tagged(json!([
        {"key": "licit.subjects", "value": "Adult, Childs"}, {"key": "licit.origin", "value": "found"},
        {"key": "licit.basis", "value": "purpose:x"},
    ]));
    assert_eq!(read(&run), "licit.basis purpose:x; licit.origin found; licit.subjects Adult, Childs");
    let data = || place.s.ana.resolve("dataset:s3:%2F%2Fb/k@reported")["spec"].clone();
    assert_eq!((&data()["subjects"], &data()["origin"]), (&Value::Null, &Value::Null));
    // Nor does the run speak for an input that spoke, if nobody knows of whom.
    place.post("runs/set-tag", &json!({"run_id": run, "key": "licit.subjects", "value": "Adult"}));
    assert_eq!(data()["subjects"], Value::Null);
    let run = tagged(json!([{"key": "licit.subjects", "value": "Adult, Child"}]));
    assert_eq!(read(&run), Value::Null);
    assert_eq!(data()["subjects"], json!(["https://w3id.org/dpv#Adult", "https://w3id.org/dpv#Child"]));
}

#[test]
fn whom_a_run_names_are_those_of_its_inputs_that_do_not_say_it() {
    let place = Place::new();
    let read = |run: &str, name: &str, subjects: Option<&str>| {
        let mut inputs = inputs(run, "s3", &format!(r#"{{"uri": "s3://b/{name}"}}"#));
        if let Some(subjects) = subjects {
            let tag = json!({"key": "licit.subjects", "value": subjects});
            inputs["datasets"][0]["tags"].as_array_mut().unwrap().push(tag);
        }
        place.post("runs/log-inputs", &inputs);
    };
    let (run, _) = place.trained(1);
    read(&run, "before", None);
    place.post("runs/set-tag", &json!({"run_id": run, "key": "licit.subjects", "value": "Employee"}));
    read(&run, "after", None);
    read(&run, "own", Some("Child"));
    let subjects =
        |name: &str| place.s.ana.resolve(&format!("dataset:s3:%2F%2Fb/{name}@reported"))["spec"]["subjects"].clone();
    let dpv = |word: &str| json!([format!("https://w3id.org/dpv#{word}")]);
    assert_eq!(
        (subjects("before"), subjects("after"), subjects("own")),
        (dpv("Employee"), dpv("Employee"), dpv("Child"))
    );
    place.post(
        "runs/set-tag",
        &json!({"run_id": run, "key": "licit.assessments", "value": "assessment:a, assessment:b"}),
    );
    let id = uuid::Uuid::parse_str(&run).unwrap();
    assert_eq!(
        place.s.ana.resolve(&format!("run:{id}"))["spec"]["tags"]["licit.assessments"],
        "assessment:a, assessment:b"
    );
    rebuilds(&place.s.server.db);
}
