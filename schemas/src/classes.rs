//! What is said of data nobody classified when they were registered: default classes of their owners, and classifications given
//! later.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::reference::Ref;
use crate::registry::{DatasetOrigin, Identifiability};
use crate::resource::Registered;
use crate::text::{Iri, Key, Name, Sentence, Text};
use crate::time::Timestamp;

/// The pessimistic class of what lies in some namespaces, where nobody said better: it answers for fields nobody classified, and
/// counts as debt. Each change is a new revision; the latest counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefaultClassSpec {
    /// Short key, as in `class:crm-unsorted`.
    pub key: Key,
    /// Namespaces of datasets, by pattern: `crm`, `s3://lake*`. `*` stands for any characters, `?` for one.
    #[schemars(length(min = 1, max = 100))]
    pub namespaces: Vec<Name>,
    /// Fields by pattern; absent, every field, and tables of which no field is listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub fields: Vec<Name>,
    /// Categories of personal data such a field may hold, DPV IRIs.
    #[schemars(length(min = 1, max = 50))]
    pub categories: Vec<Iri>,
    /// How far such a field may identify; never `none`: that nobody is in there is no default.
    pub identifiability: Identifiability,
    /// Whom the data are about, where a version does not say, DPV IRIs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub subjects: Vec<Iri>,
    /// Where a root comes from that does not say; `collected`, `received`, `acquired` or `public`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<DatasetOrigin>,
    /// Team that owns the data and classifies them.
    pub owner: Key,
    /// Why they are not classified yet.
    pub reason: Text,
    /// Until when the default answers; at most two years ahead.
    pub valid_to: Timestamp,
}

/// Classify fields that were left unclassified, or classify some more strongly than before. One fact per version; versions stay as
/// registered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassificationCreate {
    /// Datasets by pattern over `<namespace>/<name>`: all their versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub datasets: Vec<Name>,
    /// Dataset versions by reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub versions: Vec<Ref>,
    /// Fields by pattern: those of them nobody classified.
    #[schemars(length(min = 1, max = 100))]
    pub fields: Vec<Name>,
    /// Categories of personal data, DPV IRIs; empty for data about no person.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub categories: Vec<Iri>,
    /// How far the fields identify.
    pub identifiability: Identifiability,
    /// Also fields classified before, where this is stronger: only of `versions`.
    #[serde(default)]
    pub corrects: bool,
    /// Since when it holds, where that lies in the past. What was judged by weaker knowledge is judged anew by this in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Why. Kept erasable; the ledger holds its salted digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sentence>,
    /// Say what would be classified, and record nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// A classification of one version, as recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassificationSpec {
    /// The dataset version.
    pub version: Ref,
    /// The fields, with what each is now.
    pub fields: Vec<ClassifiedField>,
    /// Since when it holds, where that was stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Salted digest of the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_digest: Option<Digest>,
}

/// A field classified later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassifiedField {
    /// Column name.
    pub name: Name,
    /// Categories of personal data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Iri>,
    /// How far it identifies.
    pub identifiability: Identifiability,
}

/// What was, or would be, classified.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassificationResult {
    /// Versions with the fields concerned.
    pub items: Vec<ClassificationItem>,
    /// What was recorded, one per version; empty for a dry run.
    pub registered: Vec<Registered>,
}

/// Fields of one version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassificationItem {
    /// The dataset version.
    pub version: String,
    /// Names of the fields.
    pub fields: Vec<String>,
}

/// What default classes answer for, and what runs on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Debt {
    /// Ledger position known.
    pub position: u64,
    /// By default class, those that end first before others.
    pub items: Vec<DebtItem>,
}

/// The debt of one default class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DebtItem {
    /// The default class, pinned.
    pub class: String,
    /// Team that owns the data and classifies them.
    pub owner: String,
    /// Its namespaces.
    pub namespaces: Vec<String>,
    /// Since when it answers.
    pub since: Timestamp,
    /// Until when.
    pub valid_to: Timestamp,
    /// Whether that is over: what it answered for is unknown again.
    pub ended: bool,
    /// Dataset versions it answers for.
    pub versions: u64,
    /// Fields it answers for; a table of which no field is listed counts as one.
    pub fields: u64,
    /// Datasets of these versions, each once, the first hundred.
    pub datasets: Vec<String>,
    /// Running deployments that rest on them.
    pub deployments: Vec<String>,
}
