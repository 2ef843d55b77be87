//! One call that registers what a pipeline made: all or nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::known::KnownAt;
use crate::reference::Ref;
use crate::registry::{DatasetSpec, DatasetVersionSpec, ModelSpec, ModelVersionSpec, PartySpec, RunSpec};
use crate::resource::Registered;
use crate::time::Timestamp;

/// What a pipeline registers in one operation. Items may refer to each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// Parties.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub parties: Vec<PartySpec>,
    /// Datasets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub datasets: Vec<DatasetSpec>,
    /// Dataset versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub dataset_versions: Vec<DatasetVersionSpec>,
    /// Models.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub models: Vec<ModelSpec>,
    /// Model versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub model_versions: Vec<ModelVersionSpec>,
    /// Runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub runs: Vec<RunSpec>,
}

/// What became of each item, in the order parties, datasets, dataset versions, models, model versions, runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RegistrationResult {
    /// One answer per item.
    pub items: Vec<Registered>,
}

/// Ask what a registration, and then a release for some deployments, would lead to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanRequest {
    /// What would be registered.
    #[serde(default)]
    pub registration: Registration,
    /// Deployments to ask the gate for, each with the models that would be released; empty composition: as it stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub deployments: Vec<PlannedRelease>,
    /// Up to which entry the registry is known: `now`, a ledger position or a time; absent, now. It is planned as if that were now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
    /// The moment the gate judges; absent, now, or the time of what is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
}

/// A release that would be proposed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedRelease {
    /// The deployment.
    pub deployment: Ref,
    /// Models, as parts `base`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub models: Vec<Ref>,
}
