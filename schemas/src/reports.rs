//! What is drawn from the registry: decisions recomputed, what would be, what lies downstream, what expires, what changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gate::{Decision, Finding, Verdict};
use crate::known::KnownAt;
use crate::reference::Ref;
use crate::text::Country;
use crate::time::Timestamp;

/// Query of a replay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayQuery {
    /// Judge it once more with the knowledge of another position: `now`, a position or a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
}

/// An old decision, computed again from the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Replay {
    /// As it was recorded.
    pub recorded: Decision,
    /// As it comes out of the same entries today.
    pub replayed: Decision,
    /// Whether both are the same, byte for byte.
    pub same: bool,
    /// Whether the canonical evidence is the same, byte for byte.
    pub same_evidence: bool,
    /// Why they may differ: other rules, other vocabularies. Absent where neither changed: then they must be the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
    /// The same question with the knowledge asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
}

/// The same question about the same moment, with other knowledge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Known {
    /// What the gate answers then.
    pub decision: Decision,
    /// Findings that knowledge adds.
    pub came: Vec<Finding>,
    /// Findings it clears.
    pub went: Vec<Finding>,
}

/// What would be, if: judged over facts that nobody records. What is supposed is done in the order of these members.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIfRequest {
    /// Approvals taken back now, without grace: of a purpose, a basis, a system, an assessment or a deployment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub revoke: Vec<Ref>,
    /// Taken out for good: a release, what runs in a deployment, or every approved revision of a purpose, basis, system or
    /// assessment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub withdraw: Vec<Ref>,
    /// Data erased: a dataset version, or without `@version` every version of a dataset.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub drop: Vec<Ref>,
    /// Approvals nobody renews: judged at the moment the last of them ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub let_expire: Vec<Ref>,
    /// Data or computing moved to another region.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub move_region: Vec<Move>,
    /// The moment judged; absent, now, or the end that is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Only these deployments; absent, all that run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500))]
    pub deployments: Vec<Ref>,
}

/// A move to another region: of a dataset by a version of the same content there, of a deployment by where it computes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// A dataset, a dataset version or a deployment.
    pub r#ref: Ref,
    /// Where to, ISO 3166.
    pub region: Country,
}

/// What would be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WhatIf {
    /// Ledger position it starts from; nothing was added to it.
    pub position: u64,
    /// The moment judged.
    pub valid_at: Timestamp,
    /// What was supposed, in words.
    pub supposed: Vec<String>,
    /// How many deployments were judged.
    pub judged: u64,
    /// Those for which something changes, in order of their names.
    pub turned: Vec<Turn>,
}

/// What changes for one deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Turn {
    /// The deployment.
    pub deployment: String,
    /// The release judged before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Team that answers for it.
    pub owner: String,
    /// The verdict as it is.
    pub before: Verdict,
    /// The verdict as it would be; absent when nothing would run there any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Verdict>,
    /// Findings that would come: by which rule, along which path, what would clear each, and until when what runs may go on.
    pub came: Vec<Finding>,
    /// Findings that would go.
    pub went: Vec<Finding>,
}

/// Query of an impact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImpactQuery {
    /// Anything that has a reference; a dataset or model without `@version` stands for all its versions.
    pub r#ref: String,
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
}

/// Everything downstream of something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Impact {
    /// Of what.
    pub r#ref: String,
    /// Ledger position it reflects.
    pub position: u64,
    /// In order of distance. Never cut.
    pub items: Vec<Affected>,
}

/// One thing downstream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Affected {
    /// Reference.
    pub r#ref: String,
    /// `dataset_version`, `run`, `model_version`, `release`, `deployment`.
    pub kind: String,
    /// `proposed`, `active`, `standby`, `withdrawn` of a release; `running`, `idle` of a deployment; the life of data; `retired`;
    /// `unregistered`.
    pub state: String,
    /// How it is in there: `contained`, `shaped`, `validation`, `served`; `relies` where it is not about data.
    pub how: Vec<String>,
    /// The deployment of a release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// Team that answers for it, where one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Shortest path to it.
    pub path: Vec<String>,
}

/// Query of the calendar.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarQuery {
    /// Until when; absent, 90 days from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What ends when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calendar {
    /// Ledger position it reflects.
    pub position: u64,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// By date.
    pub items: Vec<Expiry>,
}

/// One end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Expiry {
    /// When.
    pub on: Timestamp,
    /// What ends: `approval`, `validity`, `document`, `contract`, `certification`.
    pub what: String,
    /// Of what.
    pub r#ref: String,
    /// In words.
    pub says: String,
    /// Running deployments that rely on it.
    pub deployments: Vec<String>,
}

/// Query of a difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiffQuery {
    /// The earlier moment: a ledger position or a time.
    pub from: KnownAt,
    /// The later one; absent, now.
    #[serde(default)]
    pub to: KnownAt,
}

/// What changed for a deployment between two moments, each judged with the knowledge of then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diff {
    /// The deployment.
    pub deployment: String,
    /// The earlier moment.
    pub from: Standpoint,
    /// The later one.
    pub to: Standpoint,
    /// Findings that came.
    pub came: Vec<Change>,
    /// Findings that went.
    pub went: Vec<Change>,
    /// Facts recorded between about what it rests on, oldest first.
    pub facts: Vec<FactView>,
}

/// How a deployment stood at a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Standpoint {
    /// What was known.
    pub position: u64,
    /// The moment judged.
    pub at: Timestamp,
    /// The release judged: the active one, else the latest proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Whether it may begin.
    pub verdict: Verdict,
}

/// A finding that came or went, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The finding.
    pub finding: Finding,
    /// The fact after which; absent where no fact did it but the passing of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<FactView>,
}

/// A fact, without its data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FactView {
    /// Ledger position.
    pub seq: u64,
    /// Its kind, such as `approval.granted`.
    pub kind: String,
    /// When it was recorded.
    pub at: Timestamp,
    /// What it is about.
    pub about: String,
}

/// Query of a list of recipients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecipientsQuery {
    /// A dataset, a model or a run; a dataset or model without `@version` stands for all its versions.
    pub r#ref: String,
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
}

/// Every party that something downstream was disclosed to (GDPR Art. 15(1)(c), 19).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recipients {
    /// What was asked about.
    pub r#ref: String,
    /// Up to which entry the answer knows.
    pub position: u64,
    /// By party, then by when it began. What was received stays received: disclosures that ended are told, too.
    pub items: Vec<Recipient>,
}

/// One disclosure to one party.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recipient {
    /// `party:<key>`.
    pub party: String,
    /// Its name.
    pub name: String,
    /// Where it is established.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Country>,
    /// How what was asked about is in there: `contained`, `shaped`, `validation`.
    pub how: Vec<String>,
    /// Since when.
    pub since: Timestamp,
    /// Until when; absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// By which release.
    pub release: String,
    /// For which purpose, pinned.
    pub purpose: Ref,
    /// Under which bases, pinned: those named when it began.
    pub bases: Vec<Ref>,
    /// Who disclosed it.
    pub controller: Ref,
    /// The way from what was asked about to the party.
    pub path: Vec<String>,
}
