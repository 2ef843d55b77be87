//! What a receipt cannot say: what became of its decision since.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gate::{Finding, Intent, Verdict};
use crate::registry::ReleaseState;
use crate::registry::uuid_text::Uuid;
use crate::time::Timestamp;

/// What became of a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionStatus {
    /// The decision.
    pub id: Uuid,
    /// What it said.
    pub verdict: Verdict,
    /// Begin or go on.
    pub intent: Intent,
    /// The deployment.
    pub deployment: String,
    /// The release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Whether it is what the registry says now: it allowed, and the same question is allowed today.
    pub stands: bool,
    /// Why it does not, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// Where the release stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_state: Option<ReleaseState>,
    /// Another release that was made active in its place since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
    /// What refuses now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Open gaps that affect the release, as recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Uuid>,
    /// Why it has no receipt, where it never had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_receipt: Option<String>,
    /// Ledger position of this answer.
    pub position: u64,
    /// Moment of this answer.
    pub at: Timestamp,
}
