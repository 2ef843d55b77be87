//! What real clients sent to the server they know, sent again: the answers are those they got there.

use std::collections::BTreeMap;

use harness::Answer;
use harness::client::encode;
use serde_json::{Map, Value, json};

use super::Place;
use crate::support::{rebuilds, root};

/// What differs from one time to the next, or is nobody's to state again.
fn passed_over(key: &str) -> bool {
    key.contains("time") || matches!(key, "workspace" | "sqlstate" | "error_class" | "run_name" | "file_size")
}

/// Lists whose order means something.
fn is_ordered(key: &str) -> bool {
    matches!(key, "registered_models" | "model_versions" | "experiments" | "runs" | "models")
}

/// An answer without what is passed over, in one order.
fn reduced(key: &str, value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let named = map.get("key").and_then(Value::as_str) == Some("mlflow.runName");
            let empty = |name: &str, value: &Value| name == "outputs" && value.as_object().is_some_and(Map::is_empty);
            let kept = map
                .iter()
                .filter(|(name, value)| !(passed_over(name) || empty(name, value) || named && *name == "value"));
            Value::Object(kept.map(|(name, value)| (name.clone(), reduced(name, value))).collect::<Map<_, _>>())
        }
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().map(|item| reduced("", item)).collect();
            if !is_ordered(key) {
                list.sort_by_key(Value::to_string);
            }
            Value::Array(list)
        }
        // JSON within a tag is spelled by whoever wrote it.
        Value::String(text) if text.starts_with(['[', '{']) => {
            serde_json::from_str::<Value>(text).map_or_else(|_| value.clone(), |told| reduced("", &told))
        }
        other => other.clone(),
    }
}

/// Ids of then, and ours.
#[derive(Default)]
struct Ids(BTreeMap<String, String>);

impl Ids {
    fn now(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (then, now)| text.replace(then, now))
    }

    /// Learn what an answer made.
    fn learn(&mut self, then: &Value, now: &Value) {
        for pointer in ["/run/info/run_id", "/model/info/model_id"] {
            if let (Some(Value::String(then)), Some(Value::String(now))) = (then.pointer(pointer), now.pointer(pointer))
            {
                self.0.entry(then.clone()).or_insert_with(|| now.clone());
            }
        }
    }
}

fn exchanges() -> Vec<Value> {
    let text = std::fs::read_to_string(root().join("tests/fixtures/mlflow/recorded.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn send(place: &Place, ids: &Ids, one: &Value) -> Answer {
    let text = |name: &str| one[name].as_str().unwrap();
    let mut path = ids.now(text("path"));
    let query: Vec<String> = one["query"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| format!("{}={}", encode(pair[0].as_str().unwrap()), encode(&ids.now(pair[1].as_str().unwrap()))))
        .collect();
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let body: Option<Vec<u8>> = match &one["req_body"] {
        Value::Null => (text("method") != "GET").then(Vec::new),
        Value::String(text) => Some(text.clone().into_bytes()),
        value => Some(match value["__bytes__"].as_u64() {
            Some(length) => vec![7; usize::try_from(length).unwrap()],
            None => ids.now(&value.to_string()).into_bytes(),
        }),
    };
    let kind = if path.contains("mlflow-artifacts") { "application/octet-stream" } else { "application/json" };
    place.trainer.send(text("method"), &path, &[("content-type", kind)], body.as_deref())
}

/// Play what was recorded under some labels, when so many experiments were there before, to a server in which nothing is governed.
fn replay(experiments: u32, wanted: impl Fn(&str) -> bool) -> usize {
    let place = Place::with(&["--mlflow-governed", "nobody-s-alias"]);
    for before in 0..experiments {
        place.post("experiments/create", &json!({"name": format!("before-{before}")}));
    }
    let (mut ids, mut wrong, mut count) = (Ids::default(), Vec::new(), 0);
    for (place_of, one) in exchanges().iter().enumerate() {
        let label = one["label"].as_str().unwrap();
        // What a server is, it says by itself; how events are told, a test of its own asks.
        if !wanted(label) || one["path"].as_str().unwrap().contains("/3.0/") {
            continue;
        }
        count += 1;
        let answer = send(&place, &ids, one);
        let of = format!("{place_of} {label} {} {} {}", one["method"], one["path"], one["req_body"]);
        if u64::from(answer.status) != one["status"].as_u64().unwrap() {
            wrong.push(format!("{of}: {} {}", answer.status, answer.text));
            continue;
        }
        if one["resp_body"].is_object() {
            let now = answer.json();
            ids.learn(&one["resp_body"], &now);
            let then: Value = serde_json::from_str(&ids.now(&one["resp_body"].to_string())).unwrap();
            if reduced("", &then) != reduced("", &now) {
                wrong.push(format!("{of}:\n  then {}\n  now  {}", reduced("", &then), reduced("", &now)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    rebuilds(&place.s.server.db);
    count
}

#[test]
fn what_version_3_of_the_client_sends_is_answered_as_it_knows_it() {
    assert!(replay(0, |label| !label.starts_with('e') && !label.starts_with("b08")) > 200);
}

#[test]
fn what_version_2_of_the_client_sends_is_answered_as_it_knows_it() {
    assert!(replay(2, |label| label.starts_with('e')) > 20);
}
