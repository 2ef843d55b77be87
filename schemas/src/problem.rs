//! RFC 9457 problem documents.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gate::Decision;

/// What went wrong, for people and machines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Stable URI of the kind of problem, `urn:licit:problem:<kind>`.
    pub r#type: String,
    /// The kind in words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What was wrong here, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Request id, as in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Each fault of the document sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// The decision that refused, with its findings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Box<Decision>>,
}

/// One fault of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// JSON pointer as URI fragment, `#/fields/3/name`.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

impl Fault {
    /// A fault at a JSON pointer (`/fields/3`, or empty for the whole document).
    pub fn new(pointer: &str, detail: impl Into<String>) -> Self {
        Self { pointer: format!("#{pointer}"), detail: detail.into() }
    }
}
