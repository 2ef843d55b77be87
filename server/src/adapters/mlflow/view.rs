//! Answers as clients expect them.

use std::collections::HashMap;

use licit_schemas::digest::Digest;
use serde_json::{Map, Value, json};

use super::artifacts::{address, address_of_model};
use super::fact::{Metric, Status, Tags, Texts};
use super::params::figure;
use super::registered::{Model, Version};
use super::state::{Experiment, Logged, Run};
use crate::facts::{World, word};

/// Notes by their digests.
pub type Notes = HashMap<Digest, String>;

fn pairs<'a>(texts: impl Iterator<Item = (&'a String, &'a String)>) -> Vec<Value> {
    texts.map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// Put a list where it is not empty: the protocol leaves empty ones out.
fn put(map: &mut Map<String, Value>, name: &str, list: Vec<Value>) {
    if !list.is_empty() {
        map.insert(name.to_owned(), Value::Array(list));
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn tags(tags: &Tags, notes: &Notes) -> Vec<Value> {
    let noted: Texts = tags
        .noted
        .iter()
        .map(|(key, digest)| (key.clone(), notes.get(digest).cloned().unwrap_or_default()))
        .chain(tags.open.clone())
        .collect();
    pairs(noted.iter())
}

/// Notes that a run needs to be shown.
pub fn noted(run: &Run) -> Vec<Digest> {
    let inputs =
        run.datasets.iter().flat_map(|input| std::iter::once(input.source).chain(input.tags.noted.values().copied()));
    run.user.iter().copied().chain(run.tags.noted.values().copied()).chain(inputs).collect()
}

/// An experiment.
pub fn experiment(own: &Experiment, notes: &Notes) -> Value {
    let mut map = object(json!({
        "experiment_id": own.id.to_string(),
        "name": own.name,
        "artifact_location": own.location,
        "lifecycle_stage": if own.deleted { "deleted" } else { "active" },
        "last_update_time": own.times.1,
        "creation_time": own.times.0,
    }));
    put(&mut map, "tags", tags(&own.tags, notes));
    Value::Object(map)
}

/// What is known of a run at once.
pub fn run_info(world: &World, run: &Run, notes: &Notes) -> Value {
    let id = run.id.simple().to_string();
    let mut map = object(json!({
        "run_uuid": id,
        "run_id": id,
        "experiment_id": run.experiment.to_string(),
        "run_name": run.name,
        "user_id": run.user.and_then(|user| notes.get(&user)).cloned().unwrap_or_default(),
        "status": word(&run.status),
        "start_time": run.started_at,
        "artifact_uri": address(world, run),
        "lifecycle_stage": if run.deleted { "deleted" } else { "active" },
    }));
    let over = !matches!(run.status, Status::Running | Status::Scheduled);
    if let Some(end) = run.ended_at.filter(|_| over || run.ended_at.is_some()) {
        map.insert("end_time".to_owned(), json!(end));
    }
    Value::Object(map)
}

/// A figure; JSON has no word for what is no number, and the protocol writes it as text.
fn measured(value: &str) -> Value {
    let number = figure(value);
    if number.is_finite() { json!(number) } else { json!(value) }
}

/// A figure at a step.
pub fn metric(metric: &Metric) -> Value {
    json!({"key": metric.key, "value": measured(&metric.value), "timestamp": metric.timestamp, "step": metric.step})
}

/// A run.
pub fn run(world: &World, run: &Run, notes: &Notes) -> Value {
    let metrics = run.metrics.iter().map(|(key, latest)| {
        json!({"key": key, "value": measured(&latest.value), "timestamp": latest.timestamp, "step": latest.step})
    });
    let mut data = Map::new();
    put(&mut data, "metrics", metrics.collect());
    put(&mut data, "params", pairs(run.params.iter()));
    put(&mut data, "tags", tags(&run.tags, notes));
    let mut inputs = Map::new();
    let datasets = run.datasets.iter().map(|input| {
        let mut dataset = object(json!({
            "name": input.name,
            "digest": input.digest,
            "source_type": input.source_type,
            "source": notes.get(&input.source).cloned().unwrap_or_default(),
        }));
        for (name, text) in [("schema", &input.schema), ("profile", &input.profile)] {
            if let Some(text) = text {
                dataset.insert(name.to_owned(), json!(text));
            }
        }
        let mut one = Map::new();
        put(&mut one, "tags", tags(&input.tags, notes));
        one.insert("dataset".to_owned(), Value::Object(dataset));
        Value::Object(one)
    });
    put(&mut inputs, "dataset_inputs", datasets.collect());
    put(&mut inputs, "model_inputs", run.models.iter().map(|model| json!({"model_id": model})).collect());
    let mut map = object(json!({"info": run_info(world, run, notes), "data": data, "inputs": inputs}));
    if !run.outputs.is_empty() {
        let outputs: Vec<Value> =
            run.outputs.iter().map(|output| json!({"model_id": output.model, "step": output.step})).collect();
        map.insert("outputs".to_owned(), json!({"model_outputs": outputs}));
    }
    Value::Object(map)
}

/// A logged model.
pub fn logged(world: &World, own: &Logged, notes: &Notes) -> Value {
    let mut info = object(json!({
        "model_id": own.id,
        "experiment_id": own.experiment.to_string(),
        "name": own.name,
        "creation_timestamp_ms": own.times.0,
        "last_updated_timestamp_ms": own.times.1,
        "artifact_uri": address_of_model(world, own),
        "status": own.status,
        "model_type": own.model_type,
    }));
    if let Some(run) = own.run {
        info.insert("source_run_id".to_owned(), json!(run.simple().to_string()));
    }
    put(&mut info, "tags", tags(&own.tags, notes));
    let mut data = Map::new();
    let metrics = own.metrics.iter().map(|(key, (latest, run))| {
        json!({
            "key": key, "value": measured(&latest.value), "timestamp": latest.timestamp, "step": latest.step,
            "model_id": own.id, "run_id": run.simple().to_string(),
        })
    });
    put(&mut data, "metrics", metrics.collect());
    put(&mut data, "params", pairs(own.params.iter()));
    json!({"info": info, "data": data})
}

/// A version of a registered model.
pub fn version(model: &Model, own: &Version) -> Value {
    let mut map = object(json!({
        "name": &*model.name,
        "version": own.number.to_string(),
        "creation_timestamp": own.times.0,
        "last_updated_timestamp": own.times.1,
        "current_stage": own.stage.as_str(),
        "description": own.description,
        "source": own.made.source,
        "run_id": own.made.run,
        "status": "READY",
        "run_link": own.made.run_link,
    }));
    put(&mut map, "tags", pairs(own.tags.iter()));
    put(&mut map, "aliases", model.aliases_of(own.number).map(|alias| json!(alias)).collect());
    Value::Object(map)
}

/// A version as it stands in the list of its model's latest: without aliases.
fn latest(model: &Model, own: &Version) -> Value {
    let mut map = object(version(model, own));
    map.remove("aliases");
    Value::Object(map)
}

/// A registered model.
pub fn model(own: &Model) -> Value {
    let mut map = object(json!({
        "name": &*own.name,
        "creation_timestamp": own.times.0,
        "last_updated_timestamp": own.times.1,
    }));
    if !own.description.is_empty() {
        map.insert("description".to_owned(), json!(own.description));
    }
    put(&mut map, "latest_versions", own.latest().map(|version| latest(own, version)).collect());
    put(&mut map, "tags", pairs(own.tags.iter()));
    let aliases = own.aliases.iter().map(|(alias, of)| json!({"alias": alias, "version": of.to_string()}));
    put(&mut map, "aliases", aliases.collect());
    Value::Object(map)
}
