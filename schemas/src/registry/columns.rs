//! Column lineage: of which fields of its inputs a run made each field of its outputs. The words are those of OpenLineage's
//! `columnLineage` facet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::reference::Ref;
use crate::text::Name;

/// How a field went into another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Its values are in it.
    #[default]
    Direct,
    /// It chose, joined, grouped or ordered them: its people and categories flow all the same.
    Indirect,
}

impl ColumnKind {
    fn is_direct(&self) -> bool {
        *self == Self::Direct
    }
}

/// A field that a run read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnInput {
    /// An input of the run, a dataset version.
    pub input: Ref,
    /// Its column; `*` where all of it went in, or nobody knows which did.
    pub field: Name,
    /// Hashed, encrypted or replaced on the way: pseudonymised, never anonymous.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub masking: bool,
    /// How it went in.
    #[serde(default, skip_serializing_if = "ColumnKind::is_direct")]
    pub kind: ColumnKind,
}

impl ColumnInput {
    /// Written in the place of a column where all of a dataset went in, or nobody knows which column did.
    pub const WHOLE: &str = "*";
}

/// One field of an output, or a model, with all it was made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// An output of the run: a dataset or model version.
    pub output: Ref,
    /// Its column; absent for a model, of which all that was read is listed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Name>,
    /// What it was made of; empty for a constant. Required: what is not said is not narrowed.
    #[schemars(length(max = 5000))]
    pub from: Vec<ColumnInput>,
}
