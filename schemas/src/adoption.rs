//! Taking over what ran before the gate stood.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::gate::Status;
use crate::reference::Ref;
use crate::registry::uuid_text::Uuid;
use crate::registry::{Mode, ModelFile};
use crate::text::{Key, Name, Sentence, Text};
use crate::time::Timestamp;

/// Take over today's findings of what runs: once, for an end. The board votes on it as `baseline:<key>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineCreate {
    /// Short key, as in `baseline:before-licit`.
    pub key: Key,
    /// Team that clears what is taken over.
    pub owner: Key,
    /// Why it is bearable until then.
    pub reason: Text,
    /// Until when; at most two years ahead.
    pub valid_to: Timestamp,
    /// Deployments whose active releases are taken over; none named means all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub deployments: Vec<Ref>,
    /// Findings that another team clears, or that end earlier; of several that fit one, the first counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500))]
    pub shares: Vec<BaselineShare>,
}

/// Findings of a baseline with an owner or an end of their own. What is absent fits all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineShare {
    /// Findings of this deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Ref>,
    /// Findings of this rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Key>,
    /// Findings about this thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Name>,
    /// Team that clears them; absent, the baseline's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Key>,
    /// Until when; absent, as the baseline. Never later than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
}

/// Findings taken over, as recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineSpec {
    /// Short key.
    pub key: Key,
    /// Team that clears what is taken over.
    pub owner: Key,
    /// Why it is bearable until then.
    pub reason: Text,
    /// When the findings were judged.
    pub taken_at: Timestamp,
    /// Until when.
    pub valid_to: Timestamp,
    /// What is taken over.
    pub items: Vec<BaselineItem>,
    /// What cannot be: wrong bytes, and what a law forbids outright.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<BaselineItem>,
}

/// One finding of one active release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineItem {
    /// The deployment.
    pub deployment: String,
    /// Its release that ran.
    pub release: String,
    /// Rule code.
    pub rule: String,
    /// Why the rule did not hold.
    pub status: Status,
    /// The offending things; a finding about others is not taken over.
    pub nodes: Vec<String>,
    /// Team that clears it, where it is not the baseline's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Key>,
    /// Until when it is taken over, where that is earlier than the baseline's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
}

/// How far a baseline is worked off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineProgress {
    /// Findings taken over.
    pub total: u32,
    /// Of them, how many stand today.
    pub open: Vec<BaselineItem>,
    /// Of them, how many are cleared, or their release runs no more.
    pub cleared: u32,
    /// Until when it lasts.
    pub valid_to: Timestamp,
    /// By the team that clears them.
    pub owners: Vec<BaselineOwner>,
    /// What is cleared, with the moment the registry noticed; none where it never noted the gap.
    pub done: Vec<BaselineDone>,
    /// How many stood at the end of each day (UTC) on which that changed, from the day it was taken on.
    pub burn_down: Vec<BaselineDay>,
}

/// One team's part of a baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineOwner {
    /// The team.
    pub owner: String,
    /// Findings taken over.
    pub total: u32,
    /// Of them, how many stand.
    pub open: u32,
    /// Of those, how many stand beyond their end.
    pub past_due: u32,
}

/// A finding that is cleared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineDone {
    /// The finding.
    pub item: BaselineItem,
    /// When its gap was closed, as noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// A day of a baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineDay {
    /// The day, such as `2026-11-25`.
    pub day: String,
    /// Findings that stood at its end.
    pub open: u32,
}

/// Let a denied release through in an emergency: one person of the policy's roster, for hours, ratified by the board afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakGlassCreate {
    /// The incident it is for, such as `inc-2041`.
    pub incident: Key,
    /// Why it cannot wait. Kept erasable; the ledger holds its salted digest.
    pub reason: Sentence,
    /// Files as found where they will run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5000))]
    pub artifacts: Vec<ModelFile>,
}

/// A denied release let through, as recorded. The board ratifies it as `break-glass:<incident>@<n>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakGlassSpec {
    /// The incident.
    pub incident: Key,
    /// The deployment.
    pub deployment: String,
    /// The release that runs although denied.
    pub release: String,
    /// The person.
    pub person: Uuid,
    /// Salted digest of the reason.
    pub reason_digest: Digest,
    /// From when.
    pub valid_from: Timestamp,
    /// Until when it may run.
    pub valid_to: Timestamp,
    /// By when the board must have ratified it: the end of the third working day after (Regulation 1182/71 Art. 3; no public
    /// holiday is left out).
    pub ratify_by: Timestamp,
    /// What was denied when it was let through.
    pub findings: Vec<BaselineItem>,
}

/// Propose that an environment enforces less for a while. The board votes on it as `loosening:<environment>`; the verdict stays
/// what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LooseningSpec {
    /// The environment.
    pub environment: Ref,
    /// The looser mode.
    pub mode: Mode,
    /// Until when; at most a year ahead.
    pub valid_to: Timestamp,
    /// Why.
    pub reason: Text,
}

/// Say that a finding of a recorded decision is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContestCreate {
    /// The decision, `decision:<id>`.
    pub decision: Ref,
    /// Rule code of the finding.
    pub rule: Key,
    /// The offending thing it names.
    pub node: Name,
    /// Why it is wrong. Kept erasable; the ledger holds its salted digest.
    pub reason: Sentence,
}

/// A finding contested, as recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContestSpec {
    /// The decision.
    pub decision: Ref,
    /// The deployment it is about.
    pub deployment: String,
    /// Rule code.
    pub rule: String,
    /// The offending thing.
    pub node: String,
    /// Who contests it, as a person.
    pub person: Uuid,
    /// Salted digest of the reason.
    pub reason_digest: Digest,
}

/// What became of a contest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// The finding was wrong: nothing had to change but the rule, or what the registry was told of it.
    Upheld,
    /// The finding was right.
    Dismissed,
}

/// Settle a contest. It changes no verdict: that follows from what is registered; it counts against the rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettlementCreate {
    /// What became of it.
    pub outcome: Settlement,
    /// Why. Kept erasable; the ledger holds its salted digest.
    pub reason: Sentence,
}

/// How often findings of a rule were contested, and rightly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleContests {
    /// Rule code.
    pub rule: String,
    /// Refusals: distinct findings of recorded denials, by deployment and offending thing.
    pub refusals: u64,
    /// Contests not settled.
    pub open: u64,
    /// Contests upheld.
    pub upheld: u64,
    /// Contests dismissed.
    pub dismissed: u64,
    /// Upheld of a thousand settled; absent while none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upheld_per_mille: Option<u64>,
    /// Upheld of a thousand refusals; above 50 the rule refuses too much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_refusals_per_mille: Option<u64>,
}
