//! Where models are put to use: systems, environments, deployments, releases.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Evidence, Tags};
use crate::consent::Channel;
use crate::digest::Digest;
use crate::reference::Ref;
use crate::text::{Country, Key, Name, Sentence, Text};
use crate::time::Timestamp;

/// Risk class of a use case (AI Act Art. 5, 6, 50).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskClass {
    /// Prohibited practice, Art. 5.
    Prohibited,
    /// High risk, Art. 6.
    High,
    /// Transparency duties only, Art. 50.
    Transparency,
    /// None of these.
    Minimal,
}

/// Role under the AI Act (Art. 3(3), 3(4)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AiActRole {
    /// Develops it or has it developed under its own name.
    Provider,
    /// Uses it under its authority.
    Deployer,
    /// Both.
    ProviderAndDeployer,
}

/// What the output does to people (GDPR Art. 22).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// No effect on a person.
    None,
    /// Some effect, neither legal nor similarly significant.
    Minor,
    /// Legal or similarly significant effect.
    Decisive,
}

/// How strongly people who act on the output draw on it (CJEU C-634/21).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own words")]
pub enum Reliance {
    None,
    Weak,
    Strong,
}

/// Answers to the questionnaire on prohibited practices (AI Act Art. 5(1)); versions are dated data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Questionnaire {
    /// Version answered, such as `2025-02-02`.
    pub version: Key,
    /// Question id (`a`, `ba` …) to answer.
    #[schemars(extend("maxProperties" = 50))]
    pub answers: BTreeMap<Key, PracticeAnswer>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PracticeAnswer {
    /// Whether the system does this.
    pub applies: bool,
    /// The exception the law gives, when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<Text>,
}

/// A document the system's file holds: impact assessments, technical documentation, notices, opinions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// `dpia`, `fria`, `annex-iv`, `human-review`, `workers-informed`, `notice-art50-1` … The gate asks for those its dated table
    /// names; others are kept.
    pub kind: Key,
    /// The document.
    pub evidence: Evidence,
    /// Its date.
    pub dated: Timestamp,
    /// What it concludes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Sentence>,
    /// Until when it may be relied on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
}

/// What a system does that people must be told of (AI Act Art. 50). Who registers the system states it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transparency {
    /// It deals with people directly, as a chat bot does (Art. 50(1)).
    pub talks_to_people: bool,
    /// It makes sound, images, video or text (Art. 50(2)).
    pub synthetic_content: bool,
    /// It recognises emotions or sorts people by biometrics (Art. 50(3)).
    pub emotion_or_biometric: bool,
    /// It makes deep fakes, or text that informs the public on matters of public interest (Art. 50(4)).
    pub deep_fake_or_public_text: bool,
    /// Since when it is on the market or in service: content of older systems is marked from a later date on (Art. 111(4)).
    /// Absent, it counts as a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_service_since: Option<Timestamp>,
}

/// The use case a board knows. Each change is a new revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SystemSpec {
    /// Short key, as in `system:vote-forecast`.
    pub key: Key,
    /// Name for people.
    pub name: Name,
    /// Intended purpose (AI Act Art. 3(12)).
    pub intended_purpose: Text,
    /// Risk class.
    pub risk_class: RiskClass,
    /// Why this class.
    pub risk_reason: Text,
    /// The area that makes it high risk (AI Act Art. 6, Annex I and III), a key of the dated table: `annex-iii-5b`, `annex-i` …
    /// Absent for high risk means unknown, and the gate says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high_risk_area: Option<Key>,
    /// Role under the AI Act.
    pub role: AiActRole,
    /// Effect on people.
    pub effect: Effect,
    /// How strongly people draw on it.
    pub reliance: Reliance,
    /// Team that answers for it.
    pub owner: Key,
    /// Prohibited practices; absent means unanswered, and the gate refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub practices: Option<Questionnaire>,
    /// What it does that people must be told of; absent means unanswered, and the gate refuses where the risk class asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transparency: Option<Transparency>,
    /// Documents on file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub documents: Vec<Document>,
    /// Since when this revision holds, where that is not the same as when it is recorded; it takes the place of what was said of
    /// the time after it. Before it the revision before holds. Absent, this one holds whenever it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
}

/// How an environment enforces verdicts, the loosest first. The verdict itself is always true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Record only.
    Observe,
    /// Let pass with a warning.
    Warn,
    /// Refuse.
    Enforce,
}

/// Where deployments run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentSpec {
    /// Short key, as in `environment:production`.
    pub key: Key,
    /// What the doors do with a denial.
    pub mode: Mode,
    /// Class of data allowed here: `production`, `test`, `synthetic` … The gate judges `synthetic`: only made-up, reference and
    /// anonymous data may be there.
    pub class: Key,
    /// Keys it stands for besides its own, such as `pr-*`: a deployment names `environment:pr-123`, and nobody registers it. `*`
    /// stands for any characters, `?` for one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub patterns: Vec<Name>,
    /// Hours after which what runs here is taken down; absent for lasting environments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 4294967295u32))]
    pub time_to_live_hours: Option<u32>,
}

/// What a deployment reads or writes about people: datasets, or the statement that it is nobody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// Datasets; without `@version` each later version is followed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500))]
    pub datasets: Vec<Ref>,
    /// "Nobody", with the reason; its author is whoever recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nobody: Option<Sentence>,
}

/// What is handed to other parties, and to whom: with it a deployment is a disclosure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// Who receives it, `party:<key>`.
    #[schemars(length(min = 1, max = 100))]
    pub to: Vec<Ref>,
    /// Datasets and models; without `@version` each release hands over the latest.
    #[schemars(length(min = 1, max = 100))]
    pub what: Vec<Ref>,
}

/// A lasting use: system × environment × purpose × bases × inputs × outputs. Each change is a new revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentSpec {
    /// Name, as in `deployment:vote-forecast-prod`.
    pub name: Name,
    /// The use case, pinned to a revision.
    pub system: Ref,
    /// Where it runs.
    pub environment: Ref,
    /// What for, pinned to a revision.
    pub purpose: Ref,
    /// Legal bases relied on, pinned to revisions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub bases: Vec<Ref>,
    /// The party that decides why and how.
    pub controller: Ref,
    /// Parties that process on its behalf.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub processors: Vec<Ref>,
    /// What it reads about people when it runs; absent means not declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads: Option<Declaration>,
    /// What it writes about people; absent means not declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<Declaration>,
    /// What it hands to other parties. What it reads and writes about people may then be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discloses: Option<Disclosure>,
    /// Where it computes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Country>,
    /// By which way it contacts people, where it does: consent to be contacted is asked for besides that to the purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Team that answers for it.
    pub owner: Key,
    /// Free tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 100))]
    pub tags: Tags,
    /// Since when this revision holds, where that is not the same as when it is recorded; it takes the place of what was said of
    /// the time after it. Before it the revision before holds. Absent, this one holds whenever it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
}

/// The place of a model in a composition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own words")]
pub enum PartKind {
    Base,
    Adapter,
    Embedder,
    Reranker,
    Guard,
}

/// One model of a composition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its place.
    pub part: PartKind,
    /// The model version; without `@version` the latest registered, stored pinned.
    pub model: Ref,
}

/// One composition proposed for a deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseSpec {
    /// The deployment.
    pub deployment: Ref,
    /// Models by part; none only where a deployment discloses.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub composition: Vec<Part>,
    /// Index datasets served with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub indexes: Vec<Ref>,
    /// What is handed over, pinned; absent, the latest of what the deployment discloses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub discloses: Vec<Ref>,
    /// Digest of the prompt template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_digest: Option<Digest>,
}

/// Life of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseState {
    /// Proposed, never run.
    Proposed,
    /// Runs now.
    Active,
    /// Ran before, ready for rollback.
    Standby,
    /// Taken out for good.
    Withdrawn,
}
