//! Two clocks: what was known, and what holds. Old decisions, what would be, what lies downstream, what ends, what changed.

mod ahead;
mod corrections;
mod dated;
mod diff;
mod drift;
mod histories;
mod impact;
mod known;
mod properties;
mod replay;
mod suggest;
mod whatif;

use harness::{Client, Scenario};
use serde_json::Value;

/// Length of the ledger.
fn size(s: &Scenario) -> u64 {
    s.audit.get("/api/v1/ledger/head").good()["size"].as_u64().unwrap()
}

/// Items of an answer.
fn items(answer: &Value) -> Vec<Value> {
    answer["items"].as_array().unwrap().clone()
}

/// The id of what a reference names.
fn id(client: &Client, reference: &str) -> String {
    client.resolve(reference)["id"].as_str().unwrap().to_owned()
}

/// What a command says fits 80 columns, but for what is there to be copied whole.
fn fits(out: &str) {
    let long = |line: &&str| line.chars().count() > 80 && !line.contains("$ licit");
    assert!(!out.lines().any(|line| long(&line)), "{out}");
}
