//! That at a moment a deployment ran under a decision that allowed it: "at the moment of use, we had the right".
//!
//! What is proven by the tree and what is the registry's signed word is told apart by [`verify`](verify::verify).

pub mod verify;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::receipt::Sealed;
use super::statement::Descriptor;
use crate::digest::Digest;
use crate::gate::Verdict;
use crate::ledger::{Entry, InclusionProof};
use crate::time::Timestamp;

/// The form of a proof, by its version.
pub const FORM: &str = "licit.proof.v1";
/// Bytes a proof may have.
pub const MOST: usize = 32 << 20;
/// Type of what its statement says. A URN of our own: nobody else defines it.
pub const PREDICATE: &str = "urn:licit:in-force:v1";
/// Entries between the decision and the moment that are shown at most; beyond, the registry's word stands for them.
pub const MOST_BETWEEN: u64 = 10_000;
/// Batches of uses that are shown at most.
pub const MOST_USES: usize = 100;

/// A proof that a decision was in force at a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InForceProof {
    /// `licit.proof.v1`.
    pub form: String,
    /// The registry's statement on the moment, signed (DSSE v1.0).
    pub envelope: Sealed,
    /// The decision, with its data.
    pub decision: Proven,
    /// Moves of the deployment's releases from the earlier of decision and activation up to the moment, with their data; among them
    /// the one that made the release active.
    pub moves: Vec<Proven>,
    /// The last entry recorded by the moment.
    pub last: Proven,
    /// The entry after it; absent, there is none in the tree that was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Proven>,
    /// Every entry from the earlier of decision and activation up to the moment, without data; absent where they are too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<Between>,
    /// Batches of uses whose time holds the moment, with their data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Proven>,
    /// The signed statement of the decision's receipt, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Sealed>,
    /// The signed checkpoint (C2SP tlog-checkpoint).
    pub checkpoint: String,
}

/// An entry, the proof that it is in the tree of the checkpoint, and what it commits to, where that is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proven {
    /// The entry: its canonical form is the leaf.
    pub entry: Entry,
    /// The data it commits to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// That the entry is in the tree of the checkpoint.
    pub inclusion: InclusionProof,
}

/// Entries without a gap, and the proof that the tree of the checkpoint holds them, and no other in between.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Between {
    /// The right edge of the tree before the first of them: a hash for each set bit of its size, largest first.
    pub edge: Vec<Digest>,
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// That the tree of the checkpoint continues the one they make (RFC 9162 §2.1.4).
    pub consistency: Vec<Digest>,
}

/// What the registry says of the moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InForce {
    /// Who says it: `https://` and the name of its ledger.
    pub registry: String,
    /// The moment.
    pub at: Timestamp,
    /// Entries recorded by then.
    pub position: u64,
    /// The deployment, `deployment:<name>`.
    pub deployment: String,
    /// The release that was active, `release:<deployment>@<n>`.
    pub release: String,
    /// Ledger entry that made it active.
    pub activation: u64,
    /// The decision in force, `decision:<id>`.
    pub decision: String,
    /// Its ledger entry.
    pub entry: u64,
    /// SHA-256 of the canonical data of that entry.
    pub data: Digest,
    /// The canonical evidence of the decision.
    pub evidence: Descriptor,
    /// The policy that was in force at the moment.
    pub policy: Descriptor,
    /// Version of the rules it was judged by now.
    pub rules: String,
    /// What the gate says of going on, at the moment and with what was known then: `allow`, or there is no proof.
    pub judged: Verdict,
    /// Actions that were due.
    pub actions_due: u64,
    /// Batches of uses whose time holds the moment.
    pub uses: Vec<UseSaid>,
    /// More of them than are listed.
    #[serde(default)]
    pub more_uses: bool,
}

/// A batch of uses, by its entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UseSaid {
    /// Ledger entry.
    pub entry: u64,
    /// SHA-256 of the canonical data of that entry.
    pub data: Digest,
}
