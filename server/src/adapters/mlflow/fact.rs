//! What the ledger keeps of what clients of `MLflow` do. Moments are those of the entry, but where the client states one, in
//! milliseconds as it does. Who works, where their programs lie, and where data lie exactly are salted digests of notes, which can
//! be erased.

use std::collections::BTreeMap;

use licit_schemas::digest::Digest;
use licit_schemas::openlineage::RunFacet;
use licit_schemas::reference::Ref;
use licit_schemas::registry::InputRole;
use licit_schemas::text::Iri;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::adapters::openlineage::event::Table;

/// Keys and values.
pub type Texts = BTreeMap<String, String>;
/// Keys, and what is said under them as a note.
pub type Noted = BTreeMap<String, Digest>;

/// Tags: in the open, or as notes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tags {
    /// In the open.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open: Texts,
    /// Those that name people or their machines.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub noted: Noted,
}

impl Tags {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty() && self.noted.is_empty()
    }
}

/// Something was said of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentChanged {
    /// Its number.
    pub experiment: u32,
    /// What.
    pub change: ExperimentChange,
}

/// What is said of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the members are the protocol's own words")]
pub enum ExperimentChange {
    /// It is new.
    Created { name: String, location: String, tags: Tags },
    /// It has another name.
    Renamed { name: String },
    /// It has a tag.
    Tagged { tags: Tags },
    /// It has a tag no more.
    Untagged { key: String },
    /// It is put away.
    Deleted,
    /// It is back.
    Restored,
}

/// Something was said of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunChanged {
    /// The run.
    pub run: Uuid,
    /// What.
    pub change: RunChange,
    /// What its tags state of purpose, basis, operation and controller, pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facet: Option<RunFacet>,
    /// Whom its tags say that what it reads is about, where an input does not say it itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<Iri>,
    /// Tags of it and of its inputs that state something nobody can read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

/// What is said of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the members are the protocol's own words")]
pub enum RunChange {
    /// It begins.
    Created {
        experiment: u32,
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<Digest>,
        started_at: i64,
        tags: Tags,
    },
    /// It goes on, or is over.
    Updated {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<Status>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended_at: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Parameters, figures and tags, as one call brought them.
    Logged {
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        params: Texts,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        metrics: Vec<Metric>,
        #[serde(default, skip_serializing_if = "Tags::is_empty")]
        tags: Tags,
    },
    /// It has a tag no more.
    Untagged { key: String },
    /// What it read.
    Read {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        datasets: Vec<Input>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        models: Vec<String>,
    },
    /// Logged models it wrote.
    Wrote { models: Vec<Output> },
    /// It is put away.
    Deleted,
    /// It is back.
    Restored,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are the protocol's own words")]
pub enum Status {
    Running,
    Scheduled,
    Finished,
    Failed,
    Killed,
}

/// A figure at a step. It is text, since it may be no number: `NaN`, `Infinity`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the members are the protocol's own words")]
pub struct Metric {
    pub key: String,
    pub value: String,
    pub timestamp: i64,
    pub step: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// A dataset that a run read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Its name in the script.
    pub name: String,
    /// 32 bits of a sample, as the client computes them: no identity.
    pub digest: String,
    /// Kind of its source.
    pub source_type: String,
    /// Its source as the client states it, as a note.
    pub source: Digest,
    /// Its columns as the client states them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// What the client counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Tags of the input.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// What it is in the registry, with its columns; none where its source is the program itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Table>,
    /// Why it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<InputRole>,
    /// It names people in words that nobody can read: nobody else speaks for it then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub slipped: bool,
}

/// A logged model that a run wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the members are the protocol's own words")]
pub struct Output {
    pub model: String,
    pub step: i64,
}

/// Something was said of a logged model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedModelChanged {
    /// `m-` and 32 hexadecimal digits.
    pub model: String,
    /// What.
    pub change: LoggedModelChange,
}

/// What is said of a logged model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the members are the protocol's own words")]
pub enum LoggedModelChange {
    /// It is new.
    Created {
        experiment: u32,
        name: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        model_type: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<Uuid>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        params: Texts,
        #[serde(default, skip_serializing_if = "Tags::is_empty")]
        tags: Tags,
    },
    /// It is ready, or failed.
    Became { status: String },
    /// It has tags.
    Tagged { tags: Tags },
    /// It has a tag no more.
    Untagged { key: String },
    /// It has parameters.
    Logged { params: Texts },
    /// It is put away.
    Deleted,
}

/// Something was said of a registered model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelChanged {
    /// Its name.
    pub name: String,
    /// What.
    pub change: ModelChange,
}

/// What is said of a registered model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the members are the protocol's own words")]
pub enum ModelChange {
    /// It is new.
    Created {
        #[serde(default, skip_serializing_if = "String::is_empty")]
        description: String,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        tags: Texts,
    },
    /// It is described anew.
    Described { description: String },
    /// It has a tag.
    Tagged { key: String, value: String },
    /// It has a tag no more.
    Untagged { key: String },
    /// An alias stands for a version.
    Aliased {
        alias: String,
        version: u32,
        /// The decision that let it, where the alias is governed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        decisions: Vec<Uuid>,
    },
    /// It stands for none.
    Unaliased { alias: String },
    /// It has another name.
    Renamed { to: String },
    /// It is put away, with its versions.
    Deleted,
}

/// Something was said of a version of a registered model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionChanged {
    /// The registered model.
    pub name: String,
    /// The version.
    pub version: u32,
    /// What.
    pub change: VersionChange,
}

/// What is said of a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the members are the protocol's own words")]
pub enum VersionChange {
    /// It is new.
    Created(Box<Made>),
    /// It is described anew.
    Described { description: String },
    /// It has a tag.
    Tagged { key: String, value: String },
    /// It has a tag no more.
    Untagged { key: String },
    /// It is in another stage, and these versions are archived.
    Staged {
        stage: Stage,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        archived: Vec<u32>,
        /// The decisions that let it, where the stage is governed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        decisions: Vec<Uuid>,
    },
    /// It is put away; the model version in the registry stays.
    Deleted,
}

/// A new version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// The model version in the registry.
    pub native: Ref,
    /// Where the client says its files are.
    pub source: String,
    /// Where they are among the artifacts here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// The run the client names.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run: String,
    /// The logged model it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// A link to the run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run_link: String,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Texts,
}

/// The stages of old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the protocol's own words")]
pub enum Stage {
    #[default]
    None,
    Staging,
    Production,
    Archived,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Staging, Self::Production, Self::Archived];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Staging => "Staging",
            Self::Production => "Production",
            Self::Archived => "Archived",
        }
    }
}

/// The bytes of an artifact are there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArtifactStored {
    /// Where clients find it.
    pub path: String,
    /// Where its bytes are.
    pub key: Uuid,
    /// Their digest.
    pub digest: Digest,
    /// Their number.
    pub size: u64,
    /// Rows of data in it, where it is an example of input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u32>,
}

impl RunChanged {
    /// Things whose lineage it says something of: none where it brings figures and words only.
    pub fn about(&self) -> Vec<String> {
        let read: Vec<String> = match &self.change {
            RunChange::Read { datasets, .. } => {
                datasets.iter().filter_map(|input| input.table.as_ref()).map(|table| table.r#ref.to_string()).collect()
            }
            RunChange::Wrote { .. } | RunChange::Updated { .. } => Vec::new(),
            _ if self.facet.is_some() => Vec::new(),
            _ => return Vec::new(),
        };
        std::iter::once(Ref::run(self.run).to_string()).chain(read).collect()
    }
}

impl VersionChanged {
    /// The model version in the registry, where it is new, and the run that it came of.
    pub fn about(&self) -> Vec<String> {
        match &self.change {
            VersionChange::Created(made) => {
                let run = super::project::run_of(&made.run).map(|run| Ref::run(run).to_string());
                std::iter::once(made.native.to_string()).chain(run).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Something was said of a webhook. Its address and its secret lie beside the ledger, as those of every receiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookChanged {
    /// The webhook.
    pub webhook: Uuid,
    /// What.
    pub change: WebhookChange,
}

/// What is said of a webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the members are the protocol's own words")]
pub enum WebhookChange {
    /// What it is from now on.
    Stated {
        name: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        description: String,
        /// Events, as `MODEL_VERSION.CREATED`.
        events: Vec<String>,
        active: bool,
        /// The receiver.
        receiver: Uuid,
    },
    /// It is no more.
    Deleted,
}
