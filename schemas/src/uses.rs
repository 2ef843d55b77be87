//! Uses of what runs, recorded by batch: a use is a thing that happened, whether it had a right to or not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gate::Verdict;
use crate::known::KnownAt;
use crate::reference::Ref;
use crate::registry::uuid_text::Uuid;
use crate::resource::Registered;
use crate::text::Name;
use crate::time::Timestamp;

/// Days a batch may span: longer ones are recorded in parts.
pub const MOST_DAYS: i64 = 31;

/// Uses of a deployment, counted over a time. Under which decision they fell, the registry finds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UseCreate {
    /// The deployment, `deployment:<name>`.
    pub deployment: Ref,
    /// How many.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub count: u64,
    /// From this moment on.
    pub from: Timestamp,
    /// Up to this moment, which is not of it: 31 days later at most, and not to come.
    pub to: Timestamp,
    /// Id of the batch within the deployment: sent again, it is the same batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Name>,
}

/// Uses as they are recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UseSpec {
    /// The deployment.
    pub deployment: Ref,
    /// How many.
    pub count: u64,
    /// From this moment on.
    pub from: Timestamp,
    /// Up to this moment, which is not of it.
    pub to: Timestamp,
    /// Id of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Name>,
    /// Whether there was a right to them over the whole time, by what was known when they were recorded.
    pub right: bool,
    /// What was in force over that time, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub under: Vec<Under>,
    /// Why there was no right; none where there was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Without>,
}

/// A part of a time, and the decision in force in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Under {
    /// Since when in that time.
    pub from: Timestamp,
    /// Until when in that time.
    pub to: Timestamp,
    /// The release that ran; absent, none was active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Ref>,
    /// The decision in force; absent, there was none. Of decisions alike, the last one known when this was recorded, where it was made
    /// before this part began; else the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Ref>,
    /// Ledger entry of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
    /// What it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Later decisions of the same release and verdict, known when this was recorded.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub renewed: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Why there was no right to a use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Without {
    /// In a word: `no_decision`, `denied`, `ended`, `unknown`, or the rule that refused.
    pub code: String,
    /// The first moment at which it was so.
    pub at: Timestamp,
    /// In a sentence.
    pub sentence: String,
}

/// What was recorded, and whether there was a right to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UseTaken {
    /// The record.
    #[serde(flatten)]
    pub registered: Registered,
    /// Whether there was a right to the uses over the whole time.
    pub right: bool,
    /// What was in force over that time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub under: Vec<Under>,
    /// Why there was no right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Without>,
}

/// Query of the uses recorded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsesQuery {
    /// One deployment, with or without `deployment:` before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// Only those to which there was a right, or only those without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<bool>,
    /// Only those whose time holds this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
    /// Items a page, 1 to 500.
    #[serde(default = "crate::resource::default_limit")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: u16,
    /// The `next` of the page before, with the other parameters unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Query of the figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UseFiguresQuery {
    /// One deployment, with or without `deployment:` before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
}

/// How often a deployment was used, as far as anybody recorded it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UseFigures {
    /// The deployment.
    pub deployment: String,
    /// Batches recorded.
    pub batches: u64,
    /// Uses, no more than 2^53 - 1.
    pub count: u64,
    /// Of these, in batches without a right over their whole time.
    pub without_right: u64,
    /// Where the first batch begins.
    pub from: Timestamp,
    /// Where the last one ends.
    pub to: Timestamp,
    /// The last batch without a right, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_without: Option<Uuid>,
}
