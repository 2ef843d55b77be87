//! `licit.yaml`: what a pipeline made, in one file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use licit_schemas::document;
use licit_schemas::reference::Ref;
use licit_schemas::registry::{
    Code, ColumnKind, DatasetOrigin, Endpoint, Field, InputRole, Measured, ModelKind, Operation, Retention, Tags,
};
use licit_schemas::text::{Country, Iri, Key, Name, Namespace, Text, VersionId};
use licit_schemas::time::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Failure, Result};
use crate::source::{self, Source};

pub(crate) mod assemble;
pub(crate) mod columns;
mod runs;
pub(crate) mod schema;

/// What a pipeline made: datasets, the runs between them, and a model. Paths are relative to this file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// Datasets read and written.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub(crate) datasets: Vec<DatasetEntry>,
    /// The run of this pipeline.
    #[serde(default)]
    pub(crate) run: Option<RunEntry>,
    /// Runs, where there are several; each then lists its outputs.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub(crate) runs: Vec<RunEntry>,
    /// The model that was trained or taken in.
    #[serde(default)]
    pub(crate) model: Option<ModelEntry>,
    /// Deployments that `licit plan` asks the gate for, with this model.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub(crate) plan: Vec<Name>,
}

/// One dataset version.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DatasetEntry {
    /// Where names live, such as `s3://bucket` or `crm`.
    pub(crate) namespace: Namespace,
    /// Name within the namespace; runs of this file say `dataset: <name>`.
    pub(crate) name: Name,
    /// Version; absent, the first twelve hex digits of the digest.
    #[serde(default)]
    pub(crate) version: Option<VersionId>,
    /// File or directory; it is hashed, and a CSV file's header gives the columns.
    #[serde(default)]
    pub(crate) path: Option<String>,
    /// Written by the run of this file.
    #[serde(default)]
    pub(crate) output: bool,
    /// What it holds, for people.
    #[serde(default)]
    pub(crate) description: Option<Text>,
    /// Team that answers for it.
    #[serde(default)]
    pub(crate) owner: Option<Key>,
    /// Where a root comes from; what a run wrote leaves it out.
    #[serde(default)]
    pub(crate) origin: Option<DatasetOrigin>,
    /// Whom the data are about, DPV IRIs such as `https://w3id.org/dpv#Customer`.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub(crate) subjects: Vec<Iri>,
    /// Where the data are stored.
    #[serde(default)]
    pub(crate) region: Option<Country>,
    /// How long they may be kept.
    #[serde(default)]
    pub(crate) retention: Option<Retention>,
    /// Figures measured on it: `k`, `l`, `records`.
    #[serde(default)]
    pub(crate) measured: Option<Measured>,
    /// Parties that determine purposes and means, `party:<key>`.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub(crate) controllers: Vec<Ref>,
    /// Parties that process on their behalf.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub(crate) processors: Vec<Ref>,
    /// Purposes the data were collected for.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub(crate) collected_for: Vec<Ref>,
    /// Legal bases they were collected on.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub(crate) collected_under: Vec<Ref>,
    /// Notices people were shown when the data were collected, `notice:<key>@<rev>`.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub(crate) notices: Vec<Ref>,
    /// Number of rows, for people.
    #[serde(default)]
    #[schemars(range(max = 4294967295u32))]
    pub(crate) rows: Option<u32>,
    /// Columns. Those of a CSV file that are not listed are registered unclassified: the gate will say *unknown*.
    #[serde(default)]
    #[schemars(length(max = 5000))]
    pub(crate) fields: Vec<Field>,
    /// Free tags.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 100))]
    pub(crate) tags: Tags,
}

/// One run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunEntry {
    /// What was done.
    pub(crate) operation: Operation,
    /// For which purpose, `purpose:<key>`.
    pub(crate) purpose: Ref,
    /// What was read.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    pub(crate) inputs: Vec<Item>,
    /// What was written; absent, every dataset marked `output: true` and the model.
    #[serde(default)]
    #[schemars(length(max = 2000))]
    pub(crate) outputs: Option<Vec<Item>>,
    /// Of which columns of the inputs each column of the outputs was made; for a model, all that were read. Only these flow where
    /// every column of an output is listed.
    #[serde(default)]
    #[schemars(length(max = 5000))]
    pub(crate) columns: Vec<ColumnEntry>,
    /// When it began; absent, when the newest of its outputs was written.
    #[serde(default)]
    pub(crate) started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default)]
    pub(crate) ended_at: Option<Timestamp>,
    /// Program and revision; absent, the commit of the git repository this file is in.
    #[serde(default)]
    pub(crate) code: Option<Code>,
    /// The controller it ran for, `party:<key>`.
    #[serde(default)]
    pub(crate) controller: Option<Ref>,
    /// Processors that took part.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub(crate) processors: Vec<Ref>,
    /// Corrected member sets of datasets upstream, as `licit subjects exclude` made them: who was left out of what was read.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub(crate) member_sets: Vec<licit_schemas::registry::uuid_text::Uuid>,
    /// Free tags.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 100))]
    pub(crate) tags: Tags,
}

/// Something a run read or wrote: exactly one of `ref`, `dataset`, `model`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item {
    /// Anything registered, by reference.
    #[serde(default)]
    pub(crate) r#ref: Option<Ref>,
    /// A dataset of this file, by name (or `<namespace>/<name>` where two share a name).
    #[serde(default)]
    pub(crate) dataset: Option<String>,
    /// The model of this file, by name.
    #[serde(default)]
    pub(crate) model: Option<Name>,
    /// Why it was read.
    #[serde(default)]
    pub(crate) role: Option<InputRole>,
}

/// Columns of an output: exactly one of `ref`, `dataset`, `model`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ColumnEntry {
    /// Any output, by reference.
    #[serde(default)]
    pub(crate) r#ref: Option<Ref>,
    /// A dataset of this file, by name.
    #[serde(default)]
    pub(crate) dataset: Option<String>,
    /// The model of this file, by name.
    #[serde(default)]
    pub(crate) model: Option<Name>,
    /// Column of the dataset; absent for a model.
    #[serde(default)]
    pub(crate) field: Option<Name>,
    /// What it was made of; empty for a constant.
    #[schemars(length(max = 5000))]
    pub(crate) from: Vec<ColumnSource>,
}

/// Columns of an input: exactly one of `ref`, `dataset`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ColumnSource {
    /// Any input, by reference.
    #[serde(default)]
    pub(crate) r#ref: Option<Ref>,
    /// A dataset of this file, by name.
    #[serde(default)]
    pub(crate) dataset: Option<String>,
    /// Its columns.
    #[schemars(length(min = 1, max = 5000))]
    pub(crate) fields: Vec<Name>,
    /// Hashed, encrypted or replaced on the way: pseudonymised, never anonymous.
    #[serde(default)]
    pub(crate) masking: bool,
    /// `indirect` where they chose, joined or ordered rows.
    #[serde(default)]
    pub(crate) kind: ColumnKind,
}

/// The model version.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelEntry {
    /// Name; retrained versions keep it.
    pub(crate) name: Name,
    /// Version; absent, the first twelve hex digits of the digest of its files.
    #[serde(default)]
    pub(crate) version: Option<VersionId>,
    /// File or directory; each file is listed with its digest.
    #[serde(default)]
    pub(crate) path: Option<String>,
    /// How it came here.
    #[serde(default = "built")]
    pub(crate) kind: ModelKind,
    /// Who made it, for `acquired` and `endpoint`.
    #[serde(default)]
    pub(crate) provider: Option<Ref>,
    /// The pinned service, for `endpoint`.
    #[serde(default)]
    pub(crate) endpoint: Option<Endpoint>,
    /// What it does, for people.
    #[serde(default)]
    pub(crate) description: Option<Text>,
    /// Team that answers for it.
    #[serde(default)]
    pub(crate) owner: Option<Key>,
    /// Framework and version.
    #[serde(default)]
    pub(crate) framework: Option<Name>,
    /// Measured figures.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 500))]
    pub(crate) metrics: BTreeMap<Name, f64>,
    /// A JSON file of measured figures; its numbers join `metrics`.
    #[serde(default)]
    pub(crate) metrics_file: Option<String>,
    /// Free tags.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 100))]
    pub(crate) tags: Tags,
}

fn built() -> ModelKind {
    ModelKind::Built
}

/// A manifest as read: with where it stands, for relative paths and the places of faults.
pub(crate) struct Read {
    /// The content.
    pub(crate) manifest: Manifest,
    /// Its places.
    pub(crate) source: Source,
    /// The directory that its paths begin in.
    pub(crate) folder: PathBuf,
}

/// Read the file, against its schema; every fault at once.
pub(crate) fn read(path: &Path) -> Result<Read> {
    if !path.exists() && path != Path::new("-") {
        return Err(Failure::plain(format!("there is no file `{}`; `licit init` writes one", path.display())));
    }
    checked(path, source::read(path)?)
}

/// Read what such a file held, under its name.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Read> {
    checked(path, source::parse(&path.display().to_string(), bytes)?)
}

fn checked(path: &Path, (value, source): (Value, Source)) -> Result<Read> {
    let manifest = document::from_value(value).map_err(|faults| source.faults(faults))?;
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    Ok(Read { manifest, source, folder })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_schema_names_every_fault() {
        let faults = document::from_value::<Manifest>(json!({
            "datasets": [{"namespace": "a", "name": "b", "origin": "stolen", "colour": 1}],
            "run": {"operation": "train"},
            "model": {"name": "m", "kind": "built", "version": 2},
        }))
        .unwrap_err();
        let at: Vec<&str> = faults.iter().map(|f| f.pointer.as_str()).collect();
        for pointer in ["#/datasets/0/colour", "#/datasets/0/origin", "#/run/purpose", "#/model/version"] {
            assert!(at.contains(&pointer), "{pointer} in {at:?}");
        }
    }

    #[test]
    fn faults_say_where_they_stand_and_what_would_do() {
        let path = std::env::temp_dir().join(format!("licit-faults-{}.yaml", uuid::Uuid::now_v7()));
        let text = "model:\n  name: m\n  kind: found\n  version: 2\n  owner:\nrun:\n  operation: train\n  purpose: purpose:p\n  \
                    inputs: [{dataset: a, role: fun}]\n  code: {uri: 'a:b', colour: 1}\n";
        std::fs::write(&path, text).unwrap();
        let told = read(&path).err().unwrap().to_string().replace(&path.display().to_string(), "licit.yaml");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(
            told.lines().collect::<Vec<_>>(),
            [
                "licit.yaml:3:3: /model/kind: expected one of `built`, `acquired`, `endpoint`, got `found`",
                "licit.yaml:4:3: /model/version: expected a string, got `2`; put it in quotes",
                "licit.yaml:5:3: /model/owner: expected a string, got null",
                "licit.yaml:9:25: /run/inputs/0/role: expected one of `training`, `validation`, `test`, `bias_check`, \
                 `reference`, got `fun`",
                "licit.yaml:10:22: /run/code/colour: unknown field `colour`",
            ]
        );
    }

    #[test]
    fn an_empty_manifest_holds() {
        assert!(document::from_value::<Manifest>(json!({})).is_ok());
    }
}
