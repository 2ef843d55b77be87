//! What came from what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::known::KnownAt;
use crate::reference::Ref;
use crate::registry::{Identifiability, InputRole};
use crate::text::{Iri, Name};
use crate::time::Timestamp;

/// Kinds of edges a caller may add by itself; those of runs and releases follow from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EdgeName {
    /// Run → what it read.
    Used,
    /// What was written → run.
    Generated,
    /// Deployment → dataset it reads about people.
    ServesOn,
    /// Dataset → deployment that wrote it.
    Emits,
}

/// How an edge is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EdgeOrigin {
    /// Somebody stated it.
    #[default]
    Declared,
    /// An engine reported it.
    Observed,
    /// Concluded from inputs × outputs.
    Inferred,
}

/// Record an edge that became known late.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdgeCreate {
    /// Kind; it says which ends are allowed.
    pub kind: EdgeName,
    /// The effect: run, output, deployment or emitted dataset.
    pub from: Ref,
    /// Its cause.
    pub to: Ref,
    /// Role, for `used`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<InputRole>,
    /// How it is known.
    #[serde(default)]
    pub origin: EdgeOrigin,
    /// Since when a deployment reads or writes it, where that is known; never ahead. Absent, it counts for every moment. What a run
    /// read and wrote has the time of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
}

/// Direction of a walk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Towards the sources.
    #[default]
    Upstream,
    /// Towards what was made of it.
    Downstream,
}

/// Query of a lineage walk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineageQuery {
    /// Where it begins.
    pub r#ref: String,
    /// Which way.
    #[serde(default)]
    pub direction: Direction,
    /// How the answer is written.
    #[serde(default)]
    pub format: LineageFormat,
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
    /// As it was at this moment: runs that began later, and edges that hold since later, are left out; absent, all that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
}

/// Forms of a lineage answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineageFormat {
    /// JSON.
    #[default]
    Json,
    /// Graphviz DOT.
    Dot,
    /// Indented text.
    Tree,
}

/// Query of a shortest path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathQuery {
    /// The effect.
    pub from: String,
    /// Its supposed cause.
    pub to: String,
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
    /// As it was at this moment: runs that began later, and edges that hold since later, are left out; absent, all that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
}

/// One node of a closure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineageNode {
    /// Reference.
    pub r#ref: String,
    /// `dataset_version`, `run`, `model_version`, `release`, `deployment`.
    pub kind: String,
    /// Steps from where the walk began.
    pub depth: u32,
    /// Referred to, but never registered.
    #[serde(default)]
    pub dangling: bool,
    /// Holds data collected from people.
    #[serde(default)]
    pub source: bool,
    /// Registered by mistake.
    #[serde(default)]
    pub retired: bool,
}

/// One edge of a closure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineageEdge {
    /// The effect.
    pub from: String,
    /// Its cause.
    pub to: String,
    /// Kind.
    pub kind: String,
    /// Role, where one was stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// How it is known.
    pub origin: String,
    /// Since when it is valid, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Ledger position of its fact.
    pub seq: u64,
}

/// A whole closure: never cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Closure {
    /// Where it began.
    pub root: String,
    /// Which way.
    pub direction: Direction,
    /// Ledger position it reflects.
    pub position: u64,
    /// Nodes in order of distance.
    pub nodes: Vec<LineageNode>,
    /// Edges among them.
    pub edges: Vec<LineageEdge>,
}

/// A shortest path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PathView {
    /// References from the effect to the cause; empty when there is none.
    pub path: Vec<String>,
    /// Ledger position it reflects.
    pub position: u64,
}

/// One source of an exposure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExposureSource {
    /// Dataset version.
    pub r#ref: String,
    /// Data categories.
    pub categories: Vec<Iri>,
    /// Subject categories.
    pub subjects: Vec<Iri>,
    /// Strongest identifiability of its fields.
    pub identifiability: Identifiability,
    /// Where runs on the way say which columns they read: those of its fields that flow. Absent, all of it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<ExposureColumn>>,
    /// Shortest path from the node.
    pub path: Vec<String>,
}

/// Query of an exposure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExposureQuery {
    /// The reference; a dataset or model without version stands for the latest.
    pub r#ref: String,
    /// Whose assessments of anonymity cut it: a party, or a deployment for its controller. Absent, none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
    /// The moment at which those assessments hold; absent, now. Asks for a `holder`: nothing else in an exposure has a validity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
}

/// A field of a source that flows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExposureColumn {
    /// Column name.
    pub field: Name,
    /// Pseudonymised on every way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub masked: bool,
}

/// A table that identifies people further than it states.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Understated {
    /// Dataset version.
    pub r#ref: String,
    /// What its fields state.
    pub stated: Identifiability,
    /// What the runs that made it imply, of what they read. It is judged by that.
    pub implied: Identifiability,
}

/// The personal data that reach a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExposureView {
    /// The node.
    pub r#ref: String,
    /// Ledger position it reflects.
    pub position: u64,
    /// Whose assessments of anonymity were applied; absent, none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// The moment at which they were asked to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
    /// Where they cut the exposure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<String>,
    /// Their data can be in here.
    pub contained: Vec<ExposureSource>,
    /// Their data only formed it.
    pub shaped: Vec<ExposureSource>,
    /// Their data only tested it.
    pub validation: Vec<ExposureSource>,
    /// Data categories, all sources together.
    pub categories: Vec<Iri>,
    /// Those of them that are special (GDPR Art. 9(1)).
    pub special_categories: Vec<Iri>,
    /// Subject categories.
    pub subjects: Vec<Iri>,
    /// Strongest identifiability.
    pub identifiability: Identifiability,
    /// Tables that identify people further than they state, by what they were made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub understated: Vec<Understated>,
    /// What keeps the answer from being complete: references never registered or retired, unclassified versions, unstated
    /// origins.
    pub unknown: Vec<String>,
    /// Versions of which part is not known but assumed: the default class of its owner answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<ExposureAssumption>,
}

/// A dataset version for which default classes answer, and until when the first of them ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExposureAssumption {
    /// The version.
    pub r#ref: String,
    /// The default classes, pinned.
    pub classes: Vec<String>,
}
