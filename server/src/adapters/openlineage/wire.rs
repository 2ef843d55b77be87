//! Events as producers send them, as far as they are read here. What the specification asks for and producers leave out (a producer,
//! the URL of a schema, a zone) is not missed; facets nobody here knows are kept with the event.

use std::collections::BTreeMap;

use licit_schemas::openlineage::{DatasetFacet, RunFacet};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire {
    pub(super) event_time: Option<String>,
    pub(super) event_type: Option<String>,
    pub(super) run: Option<Run>,
    pub(super) job: Option<Job>,
    pub(super) dataset: Option<Dataset>,
    pub(super) inputs: Option<Vec<Dataset>>,
    pub(super) outputs: Option<Vec<Dataset>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run {
    pub(super) run_id: String,
    pub(super) facets: Option<RunFacets>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RunFacets {
    pub(super) parent: Option<Parent>,
    pub(super) lineage: Option<Lineage>,
    pub(super) licit: Option<RunFacet>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Parent {
    pub(super) run: Option<ParentRun>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ParentRun {
    pub(super) run_id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Job {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) facets: Option<JobFacets>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobFacets {
    pub(super) lineage: Option<Lineage>,
    pub(super) licit: Option<RunFacet>,
    pub(super) source_code_location: Option<Location>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Location {
    pub(super) url: Option<String>,
    pub(super) version: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dataset {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) facets: Option<DatasetFacets>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DatasetFacets {
    pub(super) schema: Option<Schema>,
    pub(super) version: Option<Version>,
    pub(super) column_lineage: Option<Columns>,
    pub(super) symlinks: Option<Symlinks>,
    pub(super) tags: Option<Tags>,
    pub(super) ownership: Option<Ownership>,
    pub(super) lifecycle_state_change: Option<Change>,
    pub(super) dataset_type: Option<Type>,
    pub(super) lineage: Option<Sources>,
    pub(super) licit: Option<DatasetFacet>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Schema {
    pub(super) fields: Option<Vec<SchemaField>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SchemaField {
    pub(super) name: String,
    pub(super) r#type: Option<String>,
    pub(super) fields: Option<Vec<SchemaField>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Version {
    pub(super) dataset_version: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Columns {
    pub(super) fields: Option<BTreeMap<String, ColumnEntry>>,
    /// Columns that affect every row.
    pub(super) dataset: Option<Vec<Source>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ColumnEntry {
    pub(super) input_fields: Option<Vec<Source>>,
    pub(super) transformation_type: Option<String>,
}

/// A column, or all of a dataset, that something was made of. Producers leave the namespace out where they do not know it.
#[derive(Debug, Deserialize)]
pub(super) struct Source {
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    pub(super) r#type: Option<String>,
    pub(super) field: Option<String>,
    pub(super) transformations: Option<Vec<Transformation>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Transformation {
    pub(super) r#type: Option<String>,
    pub(super) masking: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Symlinks {
    pub(super) identifiers: Option<Vec<Identifier>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Identifier {
    pub(super) namespace: String,
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tags {
    pub(super) tags: Option<Vec<Tag>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tag {
    pub(super) key: String,
    pub(super) value: Option<String>,
    pub(super) field: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Ownership {
    pub(super) owners: Option<Vec<Owner>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Owner {
    pub(super) name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Change {
    pub(super) lifecycle_state_change: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Type {
    pub(super) dataset_type: Option<String>,
}

/// Explicit lineage, of a run or a job.
#[derive(Debug, Deserialize)]
pub(super) struct Lineage {
    pub(super) lineage: Option<Vec<Target>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Target {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) r#type: Option<String>,
    #[serde(flatten)]
    pub(super) sources: Sources,
}

/// Explicit lineage of one dataset.
#[derive(Debug, Deserialize)]
pub(super) struct Sources {
    pub(super) inputs: Option<Vec<Source>>,
    pub(super) fields: Option<BTreeMap<String, FieldEntry>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FieldEntry {
    pub(super) inputs: Option<Vec<Source>>,
}
