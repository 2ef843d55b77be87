//! Engines report what they read and wrote, by OpenLineage.

mod facets;
mod hostile;
mod outside;
mod quarantine;
mod real;
mod story;

use std::collections::{BTreeMap, BTreeSet};

use licit_server::adapters::openlineage::event::Received;
use licit_server::adapters::openlineage::translate::translate;
use licit_server::db::{At, Projection, Rows};
use licit_server::facts::{Fact, World};
use serde_json::{Value, json};

use crate::support::root;

/// The recorded events, by file name without its ending.
fn recorded() -> BTreeMap<String, Value> {
    let folder = root().join("tests/fixtures/openlineage/events");
    let event = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
    };
    std::fs::read_dir(folder).unwrap().map(event).collect()
}

/// What is known after these events, whatever cannot be read left out.
fn folded<'e>(events: impl IntoIterator<Item = &'e Value>) -> World {
    let mut world = World::default();
    for event in events {
        let Ok(event) = translate(event) else { continue };
        let at =
            At { seq: world.position() + 1, time: "2026-11-30T00:00:00Z".parse().unwrap(), actor: uuid::Uuid::nil() };
        let raw = harness::scenario::ZEROS.parse().unwrap();
        world.apply(&at, &Fact::LineageEventReceived(Received { raw, event }), &mut Rows::discarding());
    }
    world
}

/// Every edge with its kind and origin.
fn edges(world: &World) -> BTreeSet<String> {
    let lineage = &world.lineage;
    let mut found = BTreeSet::new();
    for held in world.registry.all_held() {
        let Some(id) = lineage.find(&held.reference) else { continue };
        for half in lineage.graph().upstream(id) {
            let (kind, origin) = (half.kind.as_str(), half.origin.as_str());
            found.insert(format!("{} {kind} {} {origin}", held.reference, lineage.name(half.node)));
        }
    }
    found
}

/// All that is known: names, versions, runs and columns by the digests of what was stated, and every edge.
fn known(world: &World) -> BTreeSet<String> {
    let held = world.registry.all_held().map(|held| format!("{} {}", held.reference, held.digest));
    let datasets = world.registry.datasets.iter().map(|set| format!("{} {}", set.reference, set.digest));
    held.chain(datasets).chain(edges(world)).collect()
}

/// The edges into and out of a run: what it read, what it wrote.
fn flow(world: &World, run: &str) -> (Vec<String>, Vec<String>) {
    let (mut read, mut made) = (Vec::new(), Vec::new());
    for edge in edges(world) {
        let words: Vec<&str> = edge.split(' ').collect();
        match words[1] {
            "used" if words[0] == run => read.push(words[2].to_owned()),
            "generated" if words[2] == run => made.push(words[0].to_owned()),
            _ => {}
        }
    }
    (read, made)
}

const RUN: &str = "01939f00-0000-7000-8000-000000000001";

/// A run event.
fn event(kind: &str, run: &str, inputs: Value, outputs: Value) -> Value {
    let mut event = json!({
        "eventType": kind, "eventTime": "2026-11-01T10:00:00Z", "producer": "https://acme.example/etl", "run": {"runId": run},
        "job": {"namespace": "acme", "name": "nightly"},
    });
    (event["inputs"], event["outputs"]) = (inputs, outputs);
    event
}

/// A dataset of an event.
fn set(namespace: &str, name: &str) -> Value {
    json!({"namespace": namespace, "name": name})
}

/// A dataset with facets.
fn with(namespace: &str, name: &str, facets: Value) -> Value {
    let mut set = set(namespace, name);
    set["facets"] = facets;
    set
}
