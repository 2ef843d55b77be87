//! The registry in the words of others: CycloneDX, PROV, OpenLineage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::known::KnownAt;

/// Formats in which what is registered leaves the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// A bill of materials with model cards, CycloneDX 1.7.
    Cyclonedx,
    /// Provenance, PROV-JSON of the W3C.
    Prov,
    /// Events of OpenLineage, as `POST /api/v1/lineage/batch` takes them.
    Openlineage,
}

impl ExportFormat {
    /// As the query spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cyclonedx => "cyclonedx",
            Self::Prov => "prov",
            Self::Openlineage => "openlineage",
        }
    }
}

/// Query of an export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportQuery {
    /// In which words.
    pub format: ExportFormat,
    /// One thing with everything behind it: a dataset or model (without version the latest), run, release or deployment. Absent, the
    /// whole registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// Up to which entry the export knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
}
