//! OpenLineage at our door: what is answered to producers, what waits in quarantine, and the facet `licit` with which a producer
//! states what OpenLineage has no words for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::reference::Ref;
use crate::registry::{DatasetOrigin, Operation};
use crate::text::Iri;
use crate::time::Timestamp;

/// The JSON Schema of the facet `licit`, served at [`FACET_PATH`].
pub const FACET_SCHEMA: &str = include_str!("../openlineage/licit-facet.json");

/// Where the schema of the facet is served, to anybody.
pub const FACET_PATH: &str = "/openlineage/licit-facet.json";

/// Assessments that a facet may name.
pub const MOST_ASSESSMENTS: usize = 50;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventOutcome {
    /// It is recorded.
    Accepted,
    /// It was recorded before.
    Unchanged,
    /// It could not be read, and waits.
    Quarantined,
}

/// The answer to one event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventTaken {
    /// What became of it.
    pub outcome: EventOutcome,
    /// Its place in quarantine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
    /// Why it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The answer to many, as OpenLineage's own API has it. What is quarantined is kept here: sending it again changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventsTaken {
    /// `success`, or `partial_success` where some could not be read.
    pub status: String,
    /// How many.
    pub summary: EventsSummary,
    /// Those in quarantine.
    pub failed_events: Vec<FailedEvent>,
}

/// How many events of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventsSummary {
    /// Came.
    pub received: u64,
    /// Are recorded.
    pub successful: u64,
    /// Are in quarantine, or found no room there.
    pub failed: u64,
    /// Are worth being sent again: those that found no room.
    pub retriable: u64,
    /// Are not.
    pub non_retriable: u64,
}

/// An event of a batch that is in quarantine, or found no room there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FailedEvent {
    /// Its place in the batch, from 0.
    pub index: u64,
    /// Why.
    pub reason: String,
    /// Whether it is worth being sent again.
    pub retriable: bool,
}

/// An event in quarantine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuarantinedEvent {
    /// Its id.
    pub id: String,
    /// Why it could not be read.
    pub reason: String,
    /// When it came.
    pub received_at: Timestamp,
    /// Who sent it.
    pub actor: String,
    /// Bytes it has.
    pub size: u64,
    /// The event as it came; only where one is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<serde_json::Value>,
}

/// An event that was recorded, as it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeptEvent {
    /// Its digest.
    pub digest: String,
    /// The entry of the ledger that was made of it.
    pub position: u64,
    /// When it came.
    pub received_at: Timestamp,
    /// Whether it was erased: its digest stays, and what was derived of it.
    pub erased: bool,
    /// The event; only where one is asked for, and was not erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<serde_json::Value>,
}

/// The query of the quarantine and of kept events: oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuarantineQuery {
    /// After this id; of kept events, after this position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// The facet `licit` of a run or a job: what was done, for whom, for which purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunFacet {
    /// For which purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Ref>,
    /// The legal basis the producer believes to rest on: shown, not relied on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Ref>,
    /// What was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// The controller it ran for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<Ref>,
    /// Assessments the producer believes to hold for what it did: shown, not relied on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assessments: Vec<Ref>,
}

/// The facet `licit` of a dataset: where its data come from, of whom they are, and what they were collected for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatasetFacet {
    /// Where the data of a root come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<DatasetOrigin>,
    /// Whom the data are about, DPV IRIs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<Iri>,
    /// Who determines purposes and means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<Ref>,
    /// What they were collected for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Ref>,
    /// The legal basis they were collected on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Ref>,
    /// Assessments the producer believes to hold for them: shown, not relied on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assessments: Vec<Ref>,
}
