//! An event in our words: what the ledger keeps of it.

use licit_schemas::digest::Digest;
use licit_schemas::openlineage::RunFacet;
use licit_schemas::reference::Ref;
use licit_schemas::registry::{Code, Column, DatasetOrigin, Field};
use licit_schemas::text::{Iri, Key, Name};
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An event was received.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Received {
    /// Salted digest of the event as it came, which is kept erasable.
    pub raw: Digest,
    /// What it says.
    pub event: Event,
}

/// What a run would be more than, with an event that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Datasets that it reads.
    Inputs,
    /// Versions that it writes.
    Outputs,
    /// Columns in its lineage.
    Columns,
    /// Datasets of which it is said what they came of.
    Explicit,
    /// What engines state of one version.
    Stated,
    /// Runs that its parent began.
    Children,
}

/// An event was not taken, because with it there would be more of its run than is kept: what is known of the run is not all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overflowed {
    /// The run.
    pub run: Uuid,
    /// The first bound that was met.
    pub bound: Bound,
    /// Versions of which not all is known either: what it would have written, and the one that engines state too much of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Ref>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// It begins: what it will read and write, as far as is known.
    Start,
    /// It goes on: what is read and written is.
    Running,
    /// It is done.
    Complete,
    /// It failed, or was given up: what it names makes no edge.
    Fail,
    /// Anything else that is said of it.
    Other,
}

impl Progress {
    /// Whether from here on what is known of the run happened.
    pub fn counts(self) -> bool {
        matches!(self, Self::Running | Self::Complete)
    }
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// How far the run is. What is said of a job or a dataset alone holds, as if it were done.
    pub progress: Progress,
    /// When.
    pub at: Timestamp,
    /// The run; one made of the job's or the dataset's name, where the event is of these alone.
    pub run: Uuid,
    /// The job, as `<namespace> <name>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<Name>,
    /// The run that began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Uuid>,
    /// What the facet `licit` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facet: Option<RunFacet>,
    /// The program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Datasets and models named, by version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<Table>,
    /// What was read for what was written.
    #[serde(default, skip_serializing_if = "Flow::is_empty")]
    pub flow: Flow,
    /// Where the engine said itself what came of what: one flow for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explicit: Vec<Flow>,
}

/// What was read for what was written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// What was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Ref>,
    /// What was written: under the version that it made, and by name alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Ref>,
    /// Of which columns which were made; `output` by name alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// Inputs all of which flows into all of what was written, but for those of which it is told which columns do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub whole: Vec<Ref>,
    /// Columns of what was written of which not every source is told: nobody can say what flows into them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Open>,
}

/// A column of which not every source is told; no field for all of them. `output` by name alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// The dataset.
    pub output: Ref,
    /// Its column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Name>,
}

impl Flow {
    /// Whether nothing flows.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.outputs.is_empty()
    }
}

/// What an event says of a dataset or model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The version.
    pub r#ref: Ref,
    /// Its columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// Whom its data are about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<Iri>,
    /// Where its data come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<DatasetOrigin>,
    /// Who determines purposes and means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<Ref>,
    /// What its data were collected for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Ref>,
    /// What they were collected on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Ref>,
    /// Assessments believed to hold for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assessments: Vec<Ref>,
    /// The team that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Key>,
    /// What was done to it as a whole: `DROP`, `TRUNCATE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Name>,
    /// Other names of it, by name alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Ref>,
}

impl Table {
    /// One of which nothing is said but that it is.
    pub fn named(r#ref: Ref) -> Self {
        Self {
            r#ref,
            fields: Vec::new(),
            subjects: Vec::new(),
            origin: None,
            controller: None,
            purpose: None,
            basis: None,
            assessments: Vec::new(),
            owner: None,
            change: None,
            aliases: Vec::new(),
        }
    }
}
