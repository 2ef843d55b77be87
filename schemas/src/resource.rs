//! The shape in which the server answers: one resource, a page of them, how to list them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::known::KnownAt;
use crate::reference::Ref;
use crate::registry::uuid_text::Uuid;
use crate::time::Timestamp;

/// What was registered, with what the registry knows about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resource<T> {
    /// Opaque id (UUIDv7).
    pub id: Uuid,
    /// Reference, pinned.
    pub r#ref: Ref,
    /// State that may change: the life of a dataset version, the state of a release or a review; `retired` for a mistaken
    /// registration.
    pub state: String,
    /// Why it is retired, unless that was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Digest of the canonical form of `spec`.
    pub digest: Digest,
    /// When this state was recorded.
    pub recorded_at: Timestamp,
    /// From when it is valid, where that is stated: the other clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Until when it is valid, where that is stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
    /// Ledger position of this state; also the ETag.
    pub seq: u64,
    /// What was stated.
    pub spec: T,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    /// The items, in the order asked for.
    pub items: Vec<T>,
    /// Pass as `cursor` for what follows; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Query of every list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Words that name, reference, owner, description or tags contain, without regard to case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Exact name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Exact owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// A tag, `key` or `key=value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// State, such as `active`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Reference of the thing it belongs to: the dataset of versions, the deployment of releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Exact reference.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
    /// Only what is valid at this moment. For what states a validity: purposes, bases, assessments, approvals, revocations,
    /// baselines, loosenings, uses of break-glass, delegations, tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
    /// Order.
    #[serde(default)]
    pub sort: Sort,
    /// Items a page, 1 to 500.
    #[serde(default = "default_limit")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: u16,
    /// The `next` of the page before, with the other parameters unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Query of one thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetQuery {
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
}

/// Query of what is drawn from the registry at a moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MomentQuery {
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
    /// The moment judged; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
}

/// Items a page unless asked otherwise.
pub fn default_limit() -> u16 {
    50
}

/// Order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Sort {
    /// Newest first.
    #[default]
    #[serde(rename = "-recorded")]
    Newest,
    /// Oldest first.
    #[serde(rename = "recorded")]
    Oldest,
    /// By name, then oldest first.
    #[serde(rename = "name")]
    Name,
}

/// What happened to one item of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is new.
    Created,
    /// The same content was registered before.
    Unchanged,
}

/// Answer to a registration of one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Registered {
    /// Opaque id.
    pub id: Uuid,
    /// Reference, pinned.
    pub r#ref: Ref,
    /// Whether it is new.
    pub outcome: Outcome,
    /// `retired` for a mistaken registration: registering it again does not bring it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Digest of the canonical form of what was stated.
    pub digest: Digest,
    /// Ledger position.
    pub seq: u64,
    /// What will come too late though it is registered, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}
