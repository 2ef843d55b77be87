//! Receipts: what they say, for how long, who gets none, and what became of the decision since.

mod command;
pub(crate) mod outside;
mod pipelines;
mod served;
mod turned;

use harness::{Client, Scenario};
use licit_schemas::proof::receipt::verify::{Asked, Trusted, Verified, verify};
use licit_schemas::proof::statement::Statement;
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

use crate::ledger::ring;

/// The keys of a ledger, as somebody trusts them.
pub(crate) fn keys(s: &Scenario) -> Vec<Trusted> {
    ring(&s.audit).keys.into_iter().map(|known| Trusted::Named(known.key)).collect()
}

/// A recorded decision of the gate on the scenario's deployment.
#[track_caller]
pub(crate) fn decide(s: &Scenario, intent: &str) -> Value {
    s.ci.post("/api/v1/gate", &json!({"deployment": "deployment:score-prod", "intent": intent})).good()
}

pub(crate) fn path(decision: &Value, what: &str) -> String {
    format!("/api/v1/decisions/{}/{what}", decision["id"].as_str().unwrap())
}

/// Verified at a moment, or at its own.
pub(crate) fn held(s: &Scenario, receipt: &Value, at: Option<Timestamp>) -> Verified {
    let keys = keys(s);
    let at = at.unwrap_or_else(licit_server::clock::now);
    let asked = Asked { keys: &keys, at, max_age: None, deployment: None, release: None, intent: None, files: None };
    verify(receipt.to_string().as_bytes(), &asked)
}

/// The receipt of a decision, and what it says once it is verified.
#[track_caller]
pub(crate) fn receipt(s: &Scenario, client: &Client, decision: &Value) -> (Value, Statement) {
    let receipt = client.get(&path(decision, "receipt")).good();
    let verified = held(s, &receipt, None);
    let statement = verified.statement.clone();
    (receipt, statement.unwrap_or_else(|| panic!("{verified:#?}")))
}
