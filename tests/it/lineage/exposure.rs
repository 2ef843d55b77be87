//! Whose data reach a node, and how: contained, shaped, only for validation.

use std::collections::BTreeMap;

use harness::Scenario;
use harness::client::encode;
use harness::scenario::{ADULT, AGE, POLITICS, RELIGION};
use serde_json::{Value, json};

use super::run;

fn source(s: &Scenario, name: &str, category: &str) {
    s.add("datasets", json!({"namespace": "src", "name": name}));
    s.add(
        "dataset-versions",
        json!({
            "dataset": format!("dataset:src/{name}"), "version": "1", "origin": "collected", "subjects": [ADULT],
            "fields": [{"name": "x", "categories": [category], "identifiability": "quasi"}],
        }),
    );
}

fn derived(s: &Scenario, name: &str) {
    s.add("datasets", json!({"namespace": "out", "name": name}));
    let fields = json!([{"name": "x", "identifiability": "none"}]);
    s.add("dataset-versions", json!({"dataset": format!("dataset:out/{name}"), "version": "1", "fields": fields}));
}

fn exposure(s: &Scenario, reference: &str) -> Value {
    s.audit.get(&format!("/api/v1/exposure?ref={}", encode(reference))).good()
}

/// Sources by how they reach.
fn reach(view: &Value) -> BTreeMap<&'static str, Vec<String>> {
    ["contained", "shaped", "validation"]
        .into_iter()
        .map(|mode| {
            let mut list: Vec<String> =
                view[mode].as_array().unwrap().iter().map(|x| x["ref"].as_str().unwrap().to_owned()).collect();
            list.sort();
            (mode, list)
        })
        .filter(|(_, list)| !list.is_empty())
        .collect()
}

fn table(rows: &[(&'static str, &[&str])]) -> BTreeMap<&'static str, Vec<String>> {
    rows.iter().map(|(mode, list)| (*mode, list.iter().map(ToString::to_string).collect())).collect()
}

#[test]
fn data_that_are_copied_are_contained() {
    let s = Scenario::registered();
    source(&s, "age", AGE);
    source(&s, "votes", POLITICS);
    derived(&s, "joined");
    run(&s, 1, "combine", &[("dataset:src/age@1", None), ("dataset:src/votes@1", None)], &["dataset:out/joined@1"]);
    let view = exposure(&s, "dataset:out/joined@1");
    assert_eq!(reach(&view), table(&[("contained", &["dataset:src/age@1", "dataset:src/votes@1"])]));
    assert_eq!(view["special_categories"], json!([POLITICS]));
    assert_eq!(view["subjects"], json!([ADULT]));
    assert_eq!(view["identifiability"], "quasi");
    let path = view["contained"][0]["path"].as_array().unwrap();
    assert_eq!((path.len(), &path[0]), (3, &json!("dataset:out/joined@1")), "{view:#}");
}

#[test]
fn what_a_model_learned_from_is_exposed_and_what_tested_it_is_told_apart() {
    let s = Scenario::registered();
    source(&s, "age", AGE);
    source(&s, "faith", RELIGION);
    s.add("model-versions", harness::scenario::model_version("7", "7"));
    run(
        &s,
        1,
        "train",
        &[("dataset:src/age@1", Some("training")), ("dataset:src/faith@1", Some("validation"))],
        &["model:score@7"],
    );
    let view = exposure(&s, "model:score@7");
    let found = reach(&view);
    assert_eq!(found.get("validation"), Some(&vec!["dataset:src/faith@1".to_owned()]), "{view:#}");
    let learned: Vec<&String> = ["contained", "shaped"].iter().filter_map(|m| found.get(m)).flatten().collect();
    assert_eq!(learned, ["dataset:src/age@1"], "{view:#}");
    // What only tested it is no category of the model.
    assert_eq!(view["special_categories"], json!([]));
}

#[test]
fn scores_a_model_wrote_are_shaped_by_what_it_learned_from() {
    let s = Scenario::registered();
    source(&s, "age", AGE);
    source(&s, "votes", POLITICS);
    derived(&s, "scores");
    s.add("model-versions", harness::scenario::model_version("7", "7"));
    run(&s, 1, "train", &[("dataset:src/votes@1", Some("training"))], &["model:score@7"]);
    run(&s, 2, "infer", &[("model:score@7", None), ("dataset:src/age@1", None)], &["dataset:out/scores@1"]);
    let view = exposure(&s, "dataset:out/scores@1");
    let found = reach(&view);
    assert!(found["contained"].contains(&"dataset:src/age@1".to_owned()), "{view:#}");
    assert_eq!(found["shaped"], ["dataset:src/votes@1"], "{view:#}");
    assert_eq!(view["special_categories"], json!([POLITICS]));
}

#[test]
fn who_trains_on_what_a_deployment_emitted_inherits_its_exposure() {
    let s = Scenario::running();
    derived(&s, "emitted");
    s.add(
        "edges",
        json!({"kind": "emits", "from": "dataset:out/emitted@1", "to": "deployment:score-prod", "origin": "observed"}),
    );
    s.add("model-versions", harness::scenario::model_version("9", "9"));
    run(&s, 1, "train", &[("dataset:out/emitted@1", Some("training"))], &["model:score@9"]);
    for reference in ["dataset:out/emitted@1", "model:score@9"] {
        let view = exposure(&s, reference);
        let all: Vec<String> = reach(&view).into_values().flatten().collect();
        assert!(all.contains(&"dataset:crm/people@1".to_owned()), "{reference}: {view:#}");
        assert!(view["categories"].as_array().unwrap().contains(&json!(AGE)), "{reference}: {view:#}");
    }
}

#[test]
fn what_keeps_the_answer_from_being_complete_is_named() {
    let s = Scenario::registered();
    for name in ["no-fields", "unclassified", "no-origin", "fiction"] {
        s.add("datasets", json!({"namespace": "src", "name": name}));
    }
    let fields = json!([{"name": "x", "identifiability": "none"}]);
    for (name, body) in [
        ("no-fields", json!({"origin": "collected"})),
        ("unclassified", json!({"origin": "collected", "fields": [{"name": "x"}]})),
        ("no-origin", json!({"fields": fields})),
        ("fiction", json!({"origin": "reference", "fields": fields})),
    ] {
        let mut body = body;
        body["dataset"] = json!(format!("dataset:src/{name}"));
        body["version"] = json!("1");
        s.add("dataset-versions", body);
        let unknown = exposure(&s, &format!("dataset:src/{name}@1"))["unknown"].clone();
        let wanted = if name == "fiction" { json!([]) } else { json!([format!("dataset:src/{name}@1")]) };
        assert_eq!(unknown, wanted, "{name}");
    }
}

#[test]
fn erased_rows_keep_their_place_in_the_lineage() {
    let s = Scenario::registered();
    source(&s, "age", AGE);
    derived(&s, "copy");
    run(&s, 1, "copy", &[("dataset:src/age@1", None)], &["dataset:out/copy@1"]);
    let before = reach(&exposure(&s, "dataset:out/copy@1"));
    let id = s.ana.resolve("dataset:src/age@1")["id"].as_str().unwrap().to_owned();
    s.ana.post(&format!("/api/v1/dataset-versions/{id}/life"), &json!({"life": "erased"})).good();
    assert_eq!(reach(&exposure(&s, "dataset:out/copy@1")), before);
}
