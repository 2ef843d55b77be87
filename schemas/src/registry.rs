//! What exists: parties, datasets, runs, models, systems, environments, deployments, releases.
//!
//! A `…Spec` is what a caller states. It is stored verbatim (references pinned) and never changes; what may change afterwards
//! (life, state) stands beside it in [`crate::resource::Resource`].

mod attested;
mod columns;
mod uses;

use std::collections::BTreeMap;

pub use attested::*;
pub use columns::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
pub use uses::*;

use crate::digest::Digest;
use crate::reference::Ref;
use crate::text::{Country, Iri, Key, Name, Namespace, Path, Sentence, Text, Uri, VersionId};
use crate::time::Timestamp;

/// Free tags: at most 100, both sides 1 to 200 characters.
pub type Tags = BTreeMap<Name, Name>;

/// A document kept elsewhere: where it is and the digest of its bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Where the document can be read by those who may.
    pub uri: Uri,
    /// SHA-256 of its bytes, so that it cannot be exchanged later.
    pub digest: Digest,
}

/// A legal entity that controls or processes personal data (GDPR Art. 4(7), 4(8)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartySpec {
    /// Short key, as in `party:acme`.
    pub key: Key,
    /// Registered name of the entity.
    pub name: Name,
    /// Where it is established, ISO 3166.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Country>,
    /// A public authority may not rely on legitimate interests in its task (GDPR Art. 6(1) second subparagraph).
    #[serde(default)]
    pub public_authority: bool,
    /// How the data protection officer is reached: a page or an office, not a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpo_contact: Option<Uri>,
    /// Contracts and arrangements with other parties (GDPR Art. 26, 28).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub arrangements: Vec<Arrangement>,
    /// Lists it stands on that a decision on adequacy covers, such as `us-dpf` (GDPR Art. 45).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub certifications: Vec<Certification>,
}

/// An entry on a list that a decision on adequacy covers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certification {
    /// The list, a key of the dated table: `us-dpf`.
    pub scheme: Key,
    /// The entry as it was found.
    pub evidence: Evidence,
    /// From when it stands there.
    pub valid_from: Timestamp,
    /// Until when; absent means no end is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
}

/// What ties two parties together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arrangement {
    /// The nature of the tie.
    pub kind: ArrangementKind,
    /// The other party: for a processor's contract, the controller it works for.
    pub with: Ref,
    /// The contract or arrangement.
    pub evidence: Evidence,
    /// From when it holds.
    pub valid_from: Timestamp,
    /// Until when; absent means no end was agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
}

/// Kinds of ties between parties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArrangementKind {
    /// Joint controllers, GDPR Art. 26.
    JointControllers,
    /// A processor's contract, GDPR Art. 28(3).
    ProcessingContract,
    /// The Commission's standard clauses for transfers, between exporter and importer, GDPR Art. 46(2)(c).
    StandardClauses,
    /// Binding corporate rules of their group, GDPR Art. 46(2)(b), 47.
    BindingRules,
    /// A derogation for a specific situation, its conditions shown, GDPR Art. 49.
    Derogation,
}

impl ArrangementKind {
    /// Whether it carries transfers to third countries (GDPR Art. 46, 49).
    pub fn carries_transfers(self) -> bool {
        matches!(self, Self::StandardClauses | Self::BindingRules | Self::Derogation)
    }
}

/// A dataset: the lasting name under which versions are registered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatasetSpec {
    /// Where names live, such as `s3://bucket` or `crm`.
    pub namespace: Namespace,
    /// Name within the namespace.
    pub name: Name,
    /// What it holds, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// Team that answers for it; findings about it are addressed there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Key>,
    /// Free tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 100))]
    pub tags: Tags,
}

/// Where the data of a root dataset come from. None stated is *unknown*, and the gate says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DatasetOrigin {
    /// Collected from the people themselves (GDPR Art. 13).
    Collected,
    /// Received from another controller (GDPR Art. 14).
    Received,
    /// Bought or licensed.
    Acquired,
    /// Openly published.
    Public,
    /// Made up, describing nobody.
    Synthetic,
    /// Reference data about no person: postcodes, currencies.
    Reference,
}

/// How directly a column identifies a person, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Identifiability {
    /// Identifies nobody, alone or combined.
    None,
    /// Identifies together with others: postcode, birth date.
    Quasi,
    /// A pseudonym: still personal data (GDPR Art. 4(5), Rec. 26).
    Pseudonym,
    /// Identifies by itself: name, e-mail.
    Direct,
}

/// One column, its data categories and how far it identifies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Column name.
    pub name: Name,
    /// Type as the engine names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_type: Option<Name>,
    /// Categories of personal data, DPV IRIs such as `https://w3id.org/dpv/pd#Age`; empty for data about no person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub categories: Vec<Iri>,
    /// Absent means nobody classified this field: the gate answers *unknown*.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifiability: Option<Identifiability>,
    /// For a pseudonym: where the same person has the same one. Absent, it may be the same anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pseudonym: Option<Pseudonym>,
    /// People write here what they like: special categories may stand in it that nobody asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_text: Option<FreeText>,
}

/// What was done against special categories that people wrote into free text (GDPR Art. 9(1)).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreeText {
    /// DPV measures, such as `https://w3id.org/dpv#DataRedaction`; none, nothing was done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub measures: Vec<Iri>,
}

/// How a pseudonym was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pseudonym {
    /// Name of the key or table behind it: within one scope, two tables link by it.
    pub scope: Name,
    /// Whether it can be made again from the identifier; absent, it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deterministic: Option<bool>,
}

/// Figures measured on a dataset version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Records that share the rarest combination of quasi-identifiers (k-anonymity).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 4294967295u32))]
    pub k: Option<u32>,
    /// Distinct sensitive values within the poorest of these groups (l-diversity).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 4294967295u32))]
    pub l: Option<u32>,
    /// Records it was measured on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 4294967295u32))]
    pub records: Option<u32>,
}

/// Until when data may be kept (GDPR Art. 5(1)(e)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// End of the period.
    pub until: Timestamp,
    /// The rule it follows from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Sentence>,
}

/// One immutable state of a dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatasetVersionSpec {
    /// The dataset, `dataset:<namespace>/<name>` without version.
    pub dataset: Ref,
    /// Version, free text without `@`.
    pub version: VersionId,
    /// SHA-256 of the content, where there are bytes to hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Columns; none listed means nobody said what is in here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5000))]
    pub fields: Vec<Field>,
    /// Whom the data are about, DPV IRIs such as `https://w3id.org/dpv#Customer`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub subjects: Vec<Iri>,
    /// Where a root comes from; derived versions leave it out, their runs say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<DatasetOrigin>,
    /// Where the data are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Country>,
    /// How long they may be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// Parties that determine purposes and means.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub controllers: Vec<Ref>,
    /// Parties that process on their behalf.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub processors: Vec<Ref>,
    /// Purposes the data were collected for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub collected_for: Vec<Ref>,
    /// Legal bases they were collected on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub collected_under: Vec<Ref>,
    /// Notices people were shown when the data were collected, `notice:<key>@<rev>`; without revision the one in force, stored
    /// pinned. Their promises bind these data. None named, the gate goes by the letter of the bases, then by the purposes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub notices: Vec<Ref>,
    /// Number of rows, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 4294967295u32))]
    pub rows: Option<u32>,
    /// Figures measured on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
    /// Free tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 100))]
    pub tags: Tags,
}

/// Life of a dataset version; digest and lineage stay whatever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    /// Kept and usable.
    Held,
    /// Stored only (GDPR Art. 18).
    Restricted,
    /// Gone (GDPR Art. 17).
    Erased,
}

/// What a run does to data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own words")]
pub enum Operation {
    Copy,
    Filter,
    Combine,
    Derive,
    Infer,
    Aggregate,
    Pseudonymise,
    Anonymise,
    Redact,
    Synthesise,
    Train,
    FineTune,
    Distil,
    Embed,
    Evaluate,
}

impl Operation {
    /// Whether the run forms a model from what it reads: the training stage begins here.
    pub fn trains(self) -> bool {
        matches!(self, Self::Train | Self::FineTune | Self::Distil | Self::Embed)
    }
}

/// Why a run read something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own words")]
pub enum InputRole {
    Training,
    Validation,
    Test,
    BiasCheck,
    Reference,
}

/// One thing a run read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunInput {
    /// A dataset or model version; without `@version` the latest registered, stored pinned.
    pub r#ref: Ref,
    /// Why it was read; absent for plain data processing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<InputRole>,
}

/// The program that ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Repository or script.
    pub uri: Uri,
    /// Commit or digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Name>,
}

/// One execution: what it read, what it wrote, for which purpose, when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// The caller's own id; absent, the server makes one. Sent again with the same content it is the same run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<uuid_text::Uuid>,
    /// What was done.
    pub operation: Operation,
    /// For which purpose; the training stage is judged against it.
    pub purpose: Ref,
    /// What was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2000))]
    pub inputs: Vec<RunInput>,
    /// What was written: dataset and model versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2000))]
    pub outputs: Vec<Ref>,
    /// Of which fields of the inputs each field of the outputs was made. Where every field of an output is listed, only these
    /// fields flow into it; elsewhere all that was read does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5000))]
    pub columns: Vec<Column>,
    /// When it began; lawfulness of training is judged at this moment.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Program and revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The controller it ran for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<Ref>,
    /// Processors that took part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub processors: Vec<Ref>,
    /// Corrected member sets of datasets upstream: those left out of them were left out of what was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500))]
    pub member_sets: Vec<uuid_text::Uuid>,
    /// Free tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 100))]
    pub tags: Tags,
}

/// A UUID on the wire: lower-case, with hyphens.
pub mod uuid_text {
    pub use uuid::Uuid as Inner;

    /// UUID of any version, as text.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
    #[serde(transparent)]
    pub struct Uuid(pub Inner);

    pub(crate) const PATTERN: &str = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";

    impl schemars::JsonSchema for Uuid {
        fn inline_schema() -> bool {
            true
        }
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Uuid".into()
        }
        fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
            schemars::json_schema!({ "type": "string", "pattern": PATTERN })
        }
    }
}

/// A model: the lasting name under which versions are registered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// Name; retrained versions of one model are one family in an approval's envelope.
    pub name: Name,
    /// What it does, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// Team that answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Key>,
    /// Free tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 100))]
    pub tags: Tags,
}

/// How a model version came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// Made by a run that is registered.
    Built,
    /// A provider's files.
    Acquired,
    /// A provider's service.
    Endpoint,
}

/// One file of a model version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// Relative path with `/`.
    pub path: Path,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 9007199254740991u64))]
    pub size: Option<u64>,
}

/// A provider's service, pinned as far as the provider lets it be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The provider's model id.
    pub model_id: Name,
    /// Dated snapshot.
    pub snapshot: Name,
    /// Where it computes.
    pub region: Country,
    /// The contract.
    pub contract: Evidence,
    /// Digest of the configuration sent with each call.
    pub configuration_digest: Digest,
}

/// One immutable state of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelVersionSpec {
    /// The model, `model:<name>` without version.
    pub model: Ref,
    /// Version, free text without `@`.
    pub version: VersionId,
    /// How it came here.
    pub kind: ModelKind,
    /// Files, for `built` and `acquired`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5000))]
    pub files: Vec<ModelFile>,
    /// The pinned service, for `endpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// Who made it, for `acquired` and `endpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Ref>,
    /// Framework and version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub framework: Option<Name>,
    /// Measured figures; besides the thresholds of a recipe, the only place where fractions are allowed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 500))]
    pub metrics: BTreeMap<Name, f64>,
    /// Free tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 100))]
    pub tags: Tags,
}

/// Retire a dataset version, model version or run that was registered by mistake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retirement {
    /// Why. Kept erasable; the ledger holds its salted digest.
    pub reason: Sentence,
    /// Since when nothing may rest on it, where it was right until then; never ahead. Absent, it was a mistake from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
}

/// Change the life of a dataset version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LifeChange {
    /// The new life; never back from `erased`.
    pub life: Life,
    /// Since when, where it is recorded later than it happened; never ahead. It takes the place of what was said of the time after
    /// it. Absent, now; a restriction is lifted from now on only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Why; needed to lift a restriction. Kept erasable; the ledger holds its salted digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sentence>,
}
