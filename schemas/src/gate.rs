//! May it run: requests, findings, decisions, gaps.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::known::KnownAt;
use crate::proof::receipt::Receipt;
use crate::reference::Ref;
use crate::registry::uuid_text::Uuid;
use crate::registry::{Mode, ModelFile};
use crate::text::Sentence;
use crate::time::Timestamp;

/// Begin something new, or go on with what was allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// A first start or a new release: refused unless everything holds.
    #[default]
    Start,
    /// Restart, reschedule, scale, tonight's batch, rollback: passes while a grace runs, with actions due.
    Continue,
}

/// Ask the gate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateRequest {
    /// The deployment, `deployment:<name>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Ref>,
    /// The release; absent, the active one for *continue* and the latest proposed (else the active) for *start*.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Ref>,
    /// Begin or go on.
    #[serde(default)]
    pub intent: Intent,
    /// Files as found where they will run, to be held against what was registered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5000))]
    pub artifacts: Vec<ModelFile>,
    /// Answer without recording a decision.
    #[serde(default)]
    pub dry_run: bool,
    /// Answer with the receipt, too, where the decision has one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub receipt: bool,
    /// The moment judged; absent, now. Only a dry run may ask for another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
    /// Up to which entry of the ledger the answer knows: `now`, a position or a time. Only a dry run may know less than all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own words")]
pub enum Verdict {
    Allow,
    Deny,
}

/// What a finding of a rule outside the hard core does, the strictest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// It refuses.
    Block,
    /// It is said, and does not refuse.
    Warn,
    /// It is not said.
    Silent,
}

/// Why a rule does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is known not to hold.
    Unmet,
    /// Nobody knows: closed world, deny.
    Unknown,
    /// It held and ended.
    Expired,
}

/// The smallest change that would clear a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Remedy {
    /// In words.
    pub text: String,
    /// As a command, where one exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// One rule that does not hold, for one cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Rule code, such as `source.covered`.
    pub rule: String,
    /// Why it does not hold.
    pub status: Status,
    /// Whether it refuses or warns.
    pub blocking: bool,
    /// The law it comes from.
    pub article: String,
    /// Tier of the fine (GDPR Art. 83, AI Act Art. 99), where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine: Option<String>,
    /// The offending thing.
    pub node: String,
    /// What fell, where others fall with it: a basis behind many sources, say. Gaps are grouped by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Shortest lineage path from the release to it.
    pub path: Vec<String>,
    /// Others with the same cause.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// One sentence in plain words.
    pub sentence: String,
    /// Who can clear it.
    pub addressee: String,
    /// What would clear it.
    pub remedy: Remedy,
    /// Since when it does not hold, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// For *continue*: until when it may run on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// What the gate answered, and on what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// Id; nil for a dry run.
    pub id: Uuid,
    /// The deployment.
    pub deployment: String,
    /// The release, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Begin or go on.
    pub intent: Intent,
    /// The answer. It is true whatever the environment does with it.
    pub verdict: Verdict,
    /// Whether it may run: by the verdict, or although denied because the environment does not enforce or a baseline took it over.
    pub passes: bool,
    /// Baselines in force that took over every finding: it runs on with them, though denied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baselines: Vec<String>,
    /// The emergency under which somebody let it through: it runs for hours, though denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<String>,
    /// When the environment's time to live was over for this release: it runs no more, whatever the verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Mode in which the environment enforces.
    pub mode: Mode,
    /// Ledger position known.
    pub position: u64,
    /// Moment judged.
    pub valid_at: Timestamp,
    /// Version of the rules.
    pub rules_version: String,
    /// Policy revision; where its approval ended, all revisions of which the strictest counts.
    pub policy: String,
    /// Digest of the vocabularies and dated tables.
    pub vocabulary_digest: Digest,
    /// Digest of the canonical evidence.
    pub evidence_digest: Digest,
    /// Digests of the files admitted, by model.
    pub models: BTreeMap<String, Vec<Digest>>,
    /// What does not hold.
    pub findings: Vec<Finding>,
    /// For *continue*: what must be done, with dates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions_due: Vec<Finding>,
}

/// What the gate answered, with the receipt where one was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateAnswer {
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
    /// Its receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Box<Receipt>>,
    /// Why it has none, or none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_receipt: Option<String>,
}

/// One cause for which active releases would not be allowed today, with all it affects: one owner, one alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// Id, once it is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// What fell, or the offending thing.
    pub cause: String,
    /// Who can clear it.
    pub owner: String,
    /// Until when the first of what runs may go on with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// When the registry noticed.
    pub opened_at: Timestamp,
    /// What runs with it.
    pub affected: Vec<Affected>,
}

/// An active release that a gap affects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Affected {
    /// Deployment.
    pub deployment: String,
    /// Active release.
    pub release: String,
    /// The baseline in force that took all of it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// What does not hold, each due when what runs must have cleared it.
    pub findings: Vec<Finding>,
}

/// A gap as recorded: what an alert says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GapSpec {
    /// What fell, or the offending thing.
    pub cause: String,
    /// Tells gaps of one cause apart; no other open gap has it.
    pub key: String,
    /// Who can clear it.
    pub owner: String,
    /// Until when the first of what runs may go on with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// One sentence in plain words, of the first finding.
    pub sentence: String,
    /// What would clear it.
    pub remedy: Remedy,
    /// When the registry noticed.
    pub opened_at: Timestamp,
    /// The findings, by deployment and release.
    pub affected: Vec<crate::adoption::BaselineItem>,
}

/// Query of the gaps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GapQuery {
    /// One deployment, with or without `deployment:` before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// Who can clear them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Up to which entry of the ledger the answer knows: `now`, a position or a time. Nothing is recorded then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
    /// The moment judged; absent, now. Nothing is recorded then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
}

/// Activate a release.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    /// Files as found where they will run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5000))]
    pub artifacts: Vec<ModelFile>,
    /// Why, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sentence>,
}

/// Roll a deployment back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The release on standby to go back to, `release:<deployment>@<n>`; absent, the one that first ran before the present one did:
    /// rolling back again goes further back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Ref>,
    /// Files as found where they will run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5000))]
    pub artifacts: Vec<ModelFile>,
    /// Why, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sentence>,
}

/// What a registration and a release of it would lead to; nothing is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// What would be registered.
    pub registered: Vec<crate::resource::Registered>,
    /// What the gate would answer for each deployment named.
    pub decisions: Vec<Decision>,
}
