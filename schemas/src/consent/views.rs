//! What is answered about consent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Channel, ConsentRecord, OwnRecipient, OwnUse};
use crate::digest::Digest;
use crate::known::KnownAt;
use crate::reference::Ref;
use crate::registry::uuid_text::Uuid;
use crate::resource::Outcome;
use crate::subjects::Pseudonym;
use crate::text::Sentence;
use crate::time::Timestamp;

/// Answer to one record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recorded {
    /// `created`, or `unchanged` where it had come before.
    pub outcome: Outcome,
    /// Its id.
    pub record_id: Uuid,
    /// Position of the ledger entry that commits to it.
    pub seq: u64,
}

/// A line that was not recorded. It does not repeat what stood there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedLine {
    /// Its number, from 1.
    pub line: u32,
    /// Where in it, as JSON pointer.
    pub pointer: String,
    /// What is wrong, and what to do.
    pub detail: String,
}

/// Answer to a batch of records: each line is recorded, known before, erased before, or refused for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordsTaken {
    /// Records that are new.
    pub created: u32,
    /// Records that had come before.
    pub unchanged: u32,
    /// Records that had come before, and were erased since with the person they were of: they are not recorded again.
    #[serde(default, skip_serializing_if = "is_none_erased")]
    pub erased: u32,
    /// Lines that were not recorded.
    pub refused: Vec<RefusedLine>,
    /// Position of the ledger entry that commits to what is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde gives")]
fn is_none_erased(erased: &u32) -> bool {
    *erased == 0
}

/// What to ask of a dataset version's members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverageQuery {
    /// Consent for what, `purpose:<key>`; broader ones count where their approval includes narrower.
    pub purpose: Ref,
    /// Whether being contacted this way is asked for, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Whether only explicit consent counts (GDPR Art. 9(2)(a)).
    #[serde(default)]
    pub explicit: bool,
    /// Whether only consent given by whoever holds parental responsibility counts (GDPR Art. 8(1)).
    #[serde(default)]
    pub parental: bool,
    /// The moment asked for; now where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
    /// What was known then: a ledger position or a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
}

/// How far consent covers the members of a dataset version: counts, never who.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Whose members.
    pub dataset_version: Ref,
    /// Consent for what.
    pub purpose: Ref,
    /// By which way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Whether only explicit consent counts.
    pub explicit: bool,
    /// Whether only consent given by whoever holds parental responsibility counts (GDPR Art. 8(1)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parental: bool,
    /// The moment.
    pub valid_at: Timestamp,
    /// Ledger position of what was known.
    pub position: u64,
    /// People in it.
    pub members: u64,
    /// Of them, those whose consent holds then.
    pub covered: u64,
    /// Of them, those whose consent does not.
    pub missing: u64,
}

/// Which of the missing to name, for the data protection officer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleQuery {
    /// Consent for what, `purpose:<key>`.
    pub purpose: Ref,
    /// Whether being contacted this way is asked for, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Whether only explicit consent counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub explicit: bool,
    /// Whether only consent given by whoever holds parental responsibility counts (GDPR Art. 8(1)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parental: bool,
    /// The moment asked for; now where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_at: Option<Timestamp>,
    /// How many at most.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: u32,
}

fn hundred() -> u32 {
    100
}

/// Some members whose consent does not hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// How many there are in all.
    pub missing: u64,
    /// Some of them.
    pub subjects: Vec<Pseudonym>,
}

/// Whose records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectQuery {
    /// Who, by pseudonym.
    pub subject: Pseudonym,
}

/// A record with its proof: `leaf` is `SHA-256(0x00 ‖ salt ‖ canonical record)`, and `path` leads from it to the root in the ledger
/// entry `seq` (RFC 9162 §2.1.3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubjectRecord {
    /// What was recorded.
    pub record: ConsentRecord,
    /// Position of the ledger entry that commits to it.
    pub seq: u64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Place in its batch, from 0.
    pub index: u64,
    /// Records of the batch.
    pub size: u64,
    /// Salt of the commitment.
    pub salt: Digest,
    /// Siblings from the leaf up.
    pub path: Vec<Digest>,
    /// The root that the entry holds.
    pub root: Digest,
}

/// Everything one person said, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubjectRecords {
    /// Who.
    pub subject: Pseudonym,
    /// What they said.
    pub records: Vec<SubjectRecord>,
}

/// Which part of a suppression list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressionQuery {
    /// What changed since this list; absent, the whole list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// The list of this position, for the pages after the first; absent, the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// Where the page begins, as `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u32>,
}

/// Whom a deployment leaves out, by pseudonym: those who refused or withdrew consent, never gave it, object, or are restricted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuppressionList {
    /// Ledger position of the list: what is acknowledged.
    pub position: u64,
    /// Whether this is the whole list and not what changed.
    pub whole: bool,
    /// Leave out from now on.
    pub add: Vec<Pseudonym>,
    /// Leave out no more.
    pub remove: Vec<Pseudonym>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
}

/// A serving system has a list, and leaves out whom it names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgementCreate {
    /// Ledger position of the list.
    pub position: u64,
}

/// The newest list that a deployment has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AcknowledgementView {
    /// The deployment.
    pub deployment: Ref,
    /// Ledger position of its list.
    pub position: u64,
    /// When it was acknowledged.
    pub at: Timestamp,
    /// Until when it was the newest list: a day later it is late.
    pub as_of: Timestamp,
}

/// Somebody was erased from the registry (GDPR Art. 17).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Erased {
    /// Records of what they said that are gone.
    pub records: u64,
    /// Dataset versions they were members of: the data themselves are to be erased where they lie.
    pub datasets: Vec<Ref>,
    /// Dataset versions made of those, which may hold what was theirs.
    pub derived: Vec<OwnUse>,
    /// Models made of them: what they learned is still in there.
    pub models: Vec<OwnUse>,
    /// What runs, and their data reach.
    pub deployments: Vec<OwnUse>,
    /// Who received what came of them, and is to be told, unless that is impossible or asks for disproportionate effort (GDPR Art. 19).
    pub recipients: Vec<OwnRecipient>,
    /// Position of the ledger entry, which says that somebody was erased and not who.
    pub seq: u64,
    /// Until when proof of their consent is kept, restricted; absent, nothing is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_until: Option<Timestamp>,
}

/// Whose proof of consent is read, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofQuery {
    /// Who, by pseudonym.
    pub subject: Pseudonym,
    /// For which claim. It is kept with the entry that says it was read, and may be erased.
    pub reason: Sentence,
}

/// Proof of consent of somebody who was erased (GDPR Art. 17(3)(e)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeptProof {
    /// Its opaque id.
    pub id: Uuid,
    /// Until when it is kept.
    pub until: Timestamp,
    /// What they said of consent, oldest first, each with its proof.
    pub records: Vec<SubjectRecord>,
}

/// What is kept of one person: one proof for each time they were erased.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeptProofs {
    /// Oldest first.
    pub items: Vec<KeptProof>,
}
