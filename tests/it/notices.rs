//! What people are told, over HTTP: what the gate holds against it, the open page, the draft, and what is refused.

mod bad_input;
mod command;
mod draft;
mod promises;
mod public;
mod told;

use harness::scenario::notice;
use serde_json::{Value, json};

/// A notice that promises, each commitment with a sentence of its own.
pub(crate) fn promising(key: &str, commitments: &[&str]) -> Value {
    let mut promising = notice(key, &["scoring"]);
    let promise = |commitment: &&str| {
        let words = json!({"en": format!("We promise {commitment}."), "fr": format!("Nous promettons {commitment}.")});
        json!({"commitment": commitment, "words": words})
    };
    promising["promises"] = commitments.iter().map(promise).collect();
    promising
}
