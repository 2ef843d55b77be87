//! Taking over what ran before the gate stood.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gate::Status;
use crate::reference::Ref;
use crate::text::{Key, Text};
use crate::time::Timestamp;

/// Take over today's findings of what runs: once, for an end. The board votes on it as `baseline:<key>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineCreate {
    /// Short key, as in `baseline:before-licit`.
    pub key: Key,
    /// Team that clears what is taken over.
    pub owner: Key,
    /// Why it is bearable until then.
    pub reason: Text,
    /// Until when; at most two years ahead.
    pub valid_to: Timestamp,
    /// Deployments whose active releases are taken over; none named means all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub deployments: Vec<Ref>,
}

/// Findings taken over, as recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineSpec {
    /// Short key.
    pub key: Key,
    /// Team that clears what is taken over.
    pub owner: Key,
    /// Why it is bearable until then.
    pub reason: Text,
    /// When the findings were judged.
    pub taken_at: Timestamp,
    /// Until when.
    pub valid_to: Timestamp,
    /// What is taken over.
    pub items: Vec<BaselineItem>,
    /// What cannot be: wrong bytes, and what a law forbids outright.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<BaselineItem>,
}

/// One finding of one active release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineItem {
    /// The deployment.
    pub deployment: String,
    /// Its release that ran.
    pub release: String,
    /// Rule code.
    pub rule: String,
    /// Why the rule did not hold.
    pub status: Status,
    /// The offending things; a finding about others is not taken over.
    pub nodes: Vec<String>,
}

/// How far a baseline is worked off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineProgress {
    /// Findings taken over.
    pub total: u32,
    /// Of them, how many stand today.
    pub open: Vec<BaselineItem>,
    /// Of them, how many are cleared, or their release runs no more.
    pub cleared: u32,
    /// Until when it lasts.
    pub valid_to: Timestamp,
}
