//! What happened, for good: entries, tree head, proofs.
//!
//! The leaf of the tree is the *entry*: a small RFC 8785 document that commits to its data by digest. So every entry fits a tile
//! bundle (65,535 bytes) whatever its data weigh, and data that must be erasable never need to be in the log itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::proof::key::Vkey;
use crate::proof::origin::Origin;
use crate::registry::uuid_text::Uuid;
use crate::time::Timestamp;

/// A ledger entry. Its canonical form is the leaf; leaf index = `seq` - 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Position, from 1, without gaps: also the tree size after it.
    pub seq: u64,
    /// Kind of fact, such as `dataset_version.registered`.
    pub kind: String,
    /// Version of that kind.
    pub v: u16,
    /// When it was recorded.
    pub at: Timestamp,
    /// Opaque id of who did it.
    pub actor: Uuid,
    /// SHA-256 of the canonical data.
    pub data: Digest,
}

/// An entry with its data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntryView {
    /// The entry as hashed.
    pub entry: Entry,
    /// Leaf hash (RFC 9162 §2.1.1).
    pub leaf_hash: Digest,
    /// The data it commits to.
    pub data: serde_json::Value,
}

/// The tree as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TreeHead {
    /// Number of entries.
    pub size: u64,
    /// Root hash (RFC 9162 §2.1.1).
    pub root: Digest,
}

/// Proof that an entry is in a tree (RFC 9162 §2.1.3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InclusionProof {
    /// Position of the entry, from 1.
    pub seq: u64,
    /// Size of the tree.
    pub size: u64,
    /// Leaf hash of the entry.
    pub leaf_hash: Digest,
    /// Root of that tree.
    pub root: Digest,
    /// Nodes, from the leaf up.
    pub path: Vec<Digest>,
}

/// Proof that one tree continues another (RFC 9162 §2.1.4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsistencyProof {
    /// The older size.
    pub from: u64,
    /// The newer size.
    pub to: u64,
    /// Root of the older tree.
    pub from_root: Digest,
    /// Root of the newer tree.
    pub to_root: Digest,
    /// Nodes of the proof.
    pub path: Vec<Digest>,
}

/// The ledger has its name, for good: what its checkpoints begin with. Data of the fact `ledger.named`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerNamed {
    /// The name.
    pub origin: Origin,
}

/// A key may sign trees of this size and larger. Data of the fact `signing_key.introduced`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyIntroduced {
    /// The key, under the ledger's name.
    pub key: Vkey,
}

/// A key signs no more. Data of the fact `signing_key.retired`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRetired {
    /// The key.
    pub key: Vkey,
}

/// A signed checkpoint that was kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckpointView {
    /// Size of the tree.
    pub size: u64,
    /// The signed note (C2SP tlog-checkpoint), as it is served.
    pub note: String,
}

/// Query of the list of checkpoints.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckpointsQuery {
    /// Smallest size wanted.
    #[serde(default)]
    pub from: u64,
    /// Checkpoints a page, 1 to 1000.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: u16,
}

/// Query of the list of entries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntriesQuery {
    /// First position wanted.
    #[serde(default)]
    pub from: u64,
    /// Entries a page, 1 to 1000.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: u16,
}

fn hundred() -> u16 {
    100
}

/// Query of an inclusion proof.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InclusionQuery {
    /// Position of the entry.
    pub seq: u64,
    /// Size of the tree; absent, the present one.
    #[serde(default)]
    pub size: Option<u64>,
}

/// Query of a consistency proof.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyQuery {
    /// The older size, at least 1.
    pub from: u64,
    /// The newer size; absent, the present one.
    #[serde(default)]
    pub to: Option<u64>,
}
