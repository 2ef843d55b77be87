//! What has to be renewed, how long refusals stay, and whom data and models reach.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::known::KnownAt;
use crate::reference::Ref;
use crate::text::Country;
use crate::text::Sentence;
use crate::time::Timestamp;

/// Query of the renewals.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewalsQuery {
    /// Approvals that end until then; absent, within sixty days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
    /// From when to look; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
}

/// Approvals that end soon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Renewals {
    /// Ledger position known.
    pub position: u64,
    /// Until when.
    pub until: Timestamp,
    /// Those a review would bind to the same digest today, the earliest first.
    pub unchanged: Vec<Renewal>,
    /// Those that changed since.
    pub changed: Vec<Renewal>,
    /// What asks the board for all that is unchanged: one command for every hundred.
    pub commands: Vec<String>,
}

/// An approval that ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Renewal {
    /// What a review would be about: the latest revision, or the deployment.
    pub r#ref: String,
    /// What is approved.
    pub approved: String,
    /// The digest approved.
    pub digest: Digest,
    /// Whether narrower purposes are approved with it.
    #[serde(default)]
    pub include_narrower: bool,
    /// When the approval ends.
    pub end: Timestamp,
    /// Conditions attached to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Sentence>,
    /// What changed; absent where nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<String>,
}

/// How long refusals of a rule stayed, where one addressee can clear them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleClearing {
    /// Rule code.
    pub rule: String,
    /// Who can clear it.
    pub addressee: String,
    /// Findings not seen cleared, by deployment and offending thing.
    pub open: u64,
    /// Findings cleared: a later decision of the deployment did not have them.
    pub cleared: u64,
    /// Hours within which half of them were cleared, from the first refusal on; begun hours count whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_hours: Option<u64>,
    /// Hours within which nine of ten were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90_hours: Option<u64>,
}

/// Ask which deployments datasets and models are behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AffectedQuery {
    /// Datasets and models; without `@version` all their versions.
    #[schemars(length(min = 1, max = 500))]
    pub refs: Vec<Ref>,
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
}

/// Deployments downstream of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AffectedDeployments {
    /// Ledger position known.
    pub position: u64,
    /// Each once, in order of their names.
    pub items: Vec<AffectedDeployment>,
    /// Names of which no version is registered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// A deployment in which something runs, or would run next, that comes from one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AffectedDeployment {
    /// The deployment.
    pub deployment: String,
    /// The one it is reached from on the shortest way.
    pub by: String,
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
