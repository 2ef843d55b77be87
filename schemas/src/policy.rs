//! What an organisation may decide about reviews and the gate. The hard core of the rules is not among it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gate::{Level, Status};
use crate::notices::Period;
use crate::registry::RiskClass;
use crate::registry::uuid_text::Uuid;
use crate::text::{Expression, Key, Name, Sentence};

/// The key of the one policy a registry has: `policy:organisation`.
pub const KEY: &str = "organisation";

/// The organisation's policy. Each change is a new revision, and counts once the board approved it under the policy before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicySpec {
    /// Name for people.
    pub name: Name,
    /// What a review asks.
    pub review: ReviewPolicy,
    /// How long what already runs may go on. For the hard core, at most as long as without any policy.
    #[serde(default)]
    pub grace: Grace,
    /// What findings of rules outside the hard core do; those of other rules refuse.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub levels: Vec<RuleLevel>,
    /// Rules of the organisation's own. They add findings and take none away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub rules: Vec<OwnRule>,
    /// Days after which an endpoint must have been attested again; absent, 30. No policy waits longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 30))]
    pub attestation_days: Option<u16>,
    /// People that must share the rarest combination of quasi-identifiers in what a join brings together (k-anonymity), or it
    /// needs an assessment; absent, no number is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000000))]
    pub min_k: Option<u32>,
    /// Of a million people behind a training, how many may lack valid consent when it began, if they are left out of the next;
    /// absent, none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub unconsented_per_million: Option<u32>,
    /// What is asked of notices; absent, as without any policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notices: Option<NoticePolicy>,
    /// How long proof that consent had been given is kept, restricted, of people who are erased; absent, nothing is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_of_consent: Option<ProofPolicy>,
    /// Who may let a denied release through in an emergency; absent, nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<BreakGlassPolicy>,
    /// Hours for which the receipt of a decision stands, at most, where nothing behind it ends earlier; absent, 24.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 168))]
    pub receipt_hours: Option<u16>,
}

/// How long and how hard a notice may be (GDPR Art. 12(1)), and how long a test of the way out counts (Art. 7(3)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoticePolicy {
    /// Words a notice has in either language, at most; absent, 1500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 50, max = 10000))]
    pub most_words: Option<u32>,
    /// LIX a notice has in either language, at most; absent, 60: above that a text counts as hard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 20, max = 100))]
    pub most_lix: Option<u32>,
    /// Days for which a test of the means of withdrawal counts; absent, 365.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1826))]
    pub test_days: Option<u16>,
}

/// Proof of consent after an erasure: what the establishment, exercise or defence of legal claims needs (GDPR Art. 17(3)(e)), since
/// whoever relied on consent must be able to show it (Art. 7(1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofPolicy {
    /// How long: the limitation period of such claims, at most ten years.
    pub keep: Period,
}

/// Who may let a denied release through in an emergency, and for how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakGlassPolicy {
    /// Persons, by the ids of their actors.
    #[schemars(length(min = 1, max = 50))]
    pub roster: Vec<Uuid>,
    /// Hours for which it runs.
    #[serde(default = "a_day")]
    #[schemars(range(min = 1, max = 24))]
    pub hours: u16,
}

fn a_day() -> u16 {
    24
}

/// A rule of the organisation's own: where its condition is true, there is a finding; where that cannot be known, one of status
/// `unknown`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnRule {
    /// Its code, `org.` and a name.
    pub code: Key,
    /// When there is a finding: a CEL expression over `evidence`, the canonical evidence of the decision.
    pub when: Expression,
    /// Status of the finding.
    pub status: Status,
    /// What it does.
    pub level: Level,
    /// What the rule rests on: an article of law, a decision of the organisation.
    pub article: Name,
    /// What it says, in plain words.
    pub sentence: Sentence,
    /// Who can clear it.
    pub addressee: Name,
    /// What would clear it.
    pub remedy: Sentence,
}

/// What kind of thing a review is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own words")]
pub enum Reviewed {
    Purpose,
    Basis,
    System,
    Assessment,
    Deployment,
    Policy,
    Baseline,
    BreakGlass,
    Loosening,
}

/// What a review asks: the general terms, and others where an override applies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewPolicy {
    /// Board members that must agree; for a deployment of high risk at least two.
    #[schemars(range(min = 1, max = 20))]
    pub quorum: u16,
    /// Days an approval lasts unless the review asks otherwise.
    #[schemars(range(min = 1, max = 1826))]
    pub approval_days: u16,
    /// Other terms. Where several apply, the strictest counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub overrides: Vec<ReviewOverride>,
    /// Whether a release needs no vote in an environment of class `synthetic` with a time to live, as long as only made-up or
    /// anonymous data reach it there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub synthetic_without_vote: bool,
}

/// Terms of some reviews. What is in no environment or of no risk class, such as a purpose, may reach any: of the terms that
/// might apply to it, the strictest count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewOverride {
    /// Kinds of things; absent, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 9))]
    pub kinds: Vec<Reviewed>,
    /// Environments by their keys; absent, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub environments: Vec<Key>,
    /// Risk classes of the system; absent, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    pub risk_classes: Vec<RiskClass>,
    /// Board members that must agree; absent, as in general.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 20))]
    pub quorum: Option<u16>,
    /// Days an approval lasts; absent, as in general.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1826))]
    pub approval_days: Option<u16>,
}

/// Days for which what already runs may go on with a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grace {
    /// After an approval, a document or a validity ended.
    #[schemars(range(max = 90))]
    pub expired_days: u16,
    /// After something unknown appeared upstream.
    #[schemars(range(max = 90))]
    pub unknown_days: u16,
}

impl Default for Grace {
    fn default() -> Self {
        Self { expired_days: 30, unknown_days: 14 }
    }
}

/// What findings of one rule outside the hard core do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleLevel {
    /// The rule, such as `basis.holds`.
    pub rule: Key,
    /// What its findings do.
    pub level: Level,
    /// How long what runs may go on with them; absent, as in general.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<Grace>,
    /// Other levels. Where several apply, the strictest counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub overrides: Vec<LevelOverride>,
}

/// What findings of a rule do in some environments or risk classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelOverride {
    /// Environments by their keys; absent, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub environments: Vec<Key>,
    /// Risk classes of the system; absent, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    pub risk_classes: Vec<RiskClass>,
    /// What its findings do there.
    pub level: Level,
}
