//! What is drawn from the registry: decisions recomputed, what would be, what lies downstream, what expires, what changed.

mod people;
mod upkeep;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use people::*;
pub use upkeep::*;

use crate::gate::{Decision, Finding, Verdict};
use crate::known::KnownAt;
use crate::lawfulness::BasisSpec;
use crate::policy::PolicySpec;
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
    /// People who withdraw their consent now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub withdraw_consent: Vec<Withdrawal>,
    /// Data erased: a dataset version, or without `@version` every version of a dataset.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub drop: Vec<Ref>,
    /// Approvals nobody renews: judged at the moment each of them ends, against the instant before. With `valid_at`, all that ends by
    /// then counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub let_expire: Vec<Ref>,
    /// Data or computing moved to another region.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub move_region: Vec<Move>,
    /// Revisions of bases, as narrow as they are stated here, thought approved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub narrow: Vec<BasisSpec>,
    /// What waits for the board, thought approved: the latest revision of a purpose, a basis, a system, an assessment, a baseline, a
    /// loosening, the policy; a deployment with the release proposed for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub approve: Vec<Ref>,
    /// Another policy, thought approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicySpec>,
    /// Up to which entry the registry is known: `now`, a ledger position or a time; absent, now. All is supposed as if that were now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
    /// The moment judged; absent, now, the time of what is known, or the end that is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
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
    /// The verdict as it is; where something is let expire, the instant before it ends.
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
    /// The moment at which deployments are as stated, approvals of purposes include narrower ones, and assessments hold that cut the
    /// exposure of releases; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
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
    /// How it is in there: `contained`, `shaped`, `validation`, `served`; `relies` where it is not about
    /// people's data.
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
    /// Until when; absent, 90 days after `valid_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
    /// From when to look; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
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
    /// What ends: `approval`, `validity`, `document`, `contract`, `certification`, `attestation`, `class`, `retention`, `time_to_live`,
    /// `baseline`, `loosening`, `delegation`, `break_glass`, `passport`, `token`; or what is due: `ratification`; or what begins: `law`.
    pub what: String,
    /// Of what.
    pub r#ref: String,
    /// In words.
    pub says: String,
    /// Running deployments that rely on it; of a law, those that it would find wanting.
    pub deployments: Vec<String>,
    /// The warning that is due: the least of 60, 30 and 7 days within which it lies; absent where it is farther away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn: Option<u16>,
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
    /// Whether it would run: refused all the same where its environment does not enforce, or a baseline or an emergency lets it.
    pub passes: bool,
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

/// Query of suggestions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuggestQuery {
    /// The deployment that is refused, with or without `deployment:` before it.
    pub deployment: String,
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
    /// The moment judged; absent, now, or the time of what is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
}

/// What would clear a refusal. Each suggestion was tried over a copy of the registry, and is there because the gate then said so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Suggestions {
    /// The deployment.
    pub deployment: String,
    /// The release judged: the active one, else the latest proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Ledger position it starts from; nothing was added to it.
    pub position: u64,
    /// The moment judged.
    pub valid_at: Timestamp,
    /// Whether it might begin as things stand.
    pub verdict: Verdict,
    /// How many findings refuse.
    pub refusing: u64,
    /// How many changes were tried.
    pub tried: u64,
    /// What clears most first; of those alike, what leaves least and asks nobody for a vote.
    pub items: Vec<Suggestion>,
    /// Findings that none of them clears: their own remedies say what would.
    pub unanswered: Vec<Finding>,
}

/// One change that clears findings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Suggestion {
    /// `approve` something proposed or ended, use another approved `purpose`, rely on another approved `basis`, or `dossier`: several
    /// approvals that clear more together than each alone.
    pub kind: SuggestionKind,
    /// What to approve or to use.
    pub refs: Vec<String>,
    /// In words.
    pub says: String,
    /// How, command by command.
    pub commands: Vec<String>,
    /// Whether the board must vote, on this or on what follows from it.
    pub vote: bool,
    /// The verdict afterwards.
    pub after: Verdict,
    /// Findings it clears.
    pub clears: Vec<Finding>,
    /// Findings that still refuse, and those that come with it.
    pub remains: Vec<Finding>,
}

/// What a suggestion does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuggestionKind {
    /// Rely on another approved basis.
    Basis,
    /// Use another approved purpose.
    Purpose,
    /// Approve something.
    Approve,
    /// Approve several things together.
    Dossier,
}

/// Query of the drift of purposes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftQuery {
    /// One dataset, or one version of it; absent, every dataset that holds a source.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
    /// The moment at which purposes and bases hold; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
}

/// Per source, purposes agreed and purposes of use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// Ledger position it reflects.
    pub position: u64,
    /// The moment at which purposes and bases were asked to hold.
    pub valid_at: Timestamp,
    /// What drifted most first.
    pub items: Vec<SourceDrift>,
}

/// How far the uses of one dataset's sources drifted from what was agreed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceDrift {
    /// The dataset.
    pub r#ref: String,
    /// Team that answers for it, where one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Versions of it that hold data collected from people.
    pub versions: u64,
    /// Purposes agreed: those it was collected for, those of the bases it was collected under, those of bases that cover it now.
    pub agreed: Vec<AgreedPurpose>,
    /// Purposes of use.
    pub uses: Vec<PurposeUse>,
    /// Uses for a purpose of collection.
    pub as_collected: u64,
    /// Uses for another purpose that a basis in force covers.
    pub carried: u64,
    /// Uses for a purpose nobody agreed to.
    pub outside: u64,
    /// Of a thousand uses, how many are for another purpose than that of collection.
    pub drift_per_mille: u64,
    /// Of a thousand uses, how many are for a purpose nobody agreed to.
    pub outside_per_mille: u64,
}

/// A purpose agreed for a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct AgreedPurpose {
    /// The purpose, without revision.
    pub purpose: String,
    /// `collected_for`, or the basis that agrees to it.
    pub by: String,
}

/// What a source is used for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PurposeUse {
    /// The purpose, without revision.
    pub purpose: String,
    /// How far it is from what was agreed.
    pub distance: PurposeDistance,
    /// Training runs that read it, or what was made of it.
    pub trainings: Vec<String>,
    /// Running deployments that read it or contain it.
    pub deployments: Vec<String>,
    /// Since when.
    pub since: Timestamp,
}

/// How far a use is from what was agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PurposeDistance {
    /// A purpose it was collected for, or narrower than one that includes narrower ones.
    AsCollected,
    /// Another, which a basis in force covers.
    Carried,
    /// Nobody agreed to it.
    Outside,
}
