//! Subjects: pseudonyms of people, the keys that made them, and the members of dataset versions.
//!
//! A pseudonym is made on the client, by HMAC-SHA-256 under a key of one scope; Licit never receives a name, an e-mail address or a
//! telephone number. Pseudonyms stay personal data for whoever can link them (GDPR Art. 4(5), Recital 26). What is refused here is
//! never repeated: the refused word may be the identifier itself.

mod pseudonym;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::consent::Channel;
use crate::digest::Digest;
use crate::reference::Ref;
use crate::registry::uuid_text::Uuid;
use crate::resource::Outcome;
use crate::text::Key;
use crate::time::Timestamp;

pub use pseudonym::{KeyId, KeyIdFault, Pseudonym, PseudonymFault};

/// Pseudonyms in one batch at most.
pub const MOST_IN_BATCH: usize = 10_000;
/// Batches of one load at most.
pub const MOST_BATCHES: u32 = 50_000;
/// How batches come: one JSON text a line.
pub const LINES: &str = "application/x-ndjson";

/// How identifiers are spelled before they are hashed: two spellings of one address must be one person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Normalisation {
    /// E-mail: trimmed, NFC, domain as A-label, all in lower case. Telephone: E.164. Other ids: trimmed, NFC.
    #[default]
    N1,
}

/// What kind of identifier was hashed. It is part of what is hashed: a number and an id of the same letters are two subjects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierType {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// An id that means something to its maker only.
    Opaque,
}

impl IdentifierType {
    /// Its word, as it is hashed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Opaque => "opaque",
        }
    }
}

/// Make a key known, never the key itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectKeySpec {
    /// The pseudonymisation domain (EDPB Guidelines 01/2025): pseudonyms of two scopes cannot be linked.
    pub scope: Key,
    /// Id of the key; unique in the organisation, never used again.
    pub kid: KeyId,
    /// How identifiers are spelled before they are hashed.
    pub normalisation: Normalisation,
    /// By what the key is recognised: an HMAC-SHA-256 under it, of a fixed text. It reveals nothing of the key.
    pub fingerprint: Digest,
}

/// Whether a key makes pseudonyms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKeyState {
    /// It does.
    Active,
    /// No more: nothing is loaded under it, what was loaded stays.
    Retired,
}

/// A key as listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubjectKeyView {
    /// Opaque id.
    pub id: Uuid,
    /// What was said of it.
    #[serde(flatten)]
    pub spec: SubjectKeySpec,
    /// Whether it makes pseudonyms.
    pub state: SubjectKeyState,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// Who registered it.
    pub registered_by: Uuid,
    /// Ledger position of its registration.
    pub seq: u64,
}

/// Begin to load the members of a dataset version, or go on with a load that broke off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberLoadCreate {
    /// Whose members; without `@version`, the latest.
    pub dataset_version: Ref,
    /// The key that made the pseudonyms.
    pub kid: KeyId,
    /// Its fingerprint: another key under the same id would make other people of them.
    pub fingerprint: Digest,
}

/// Where a load stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoadState {
    /// Batches are taken; nobody counts yet.
    Open,
    /// Its members count.
    Finished,
}

/// A load and what of it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemberLoadView {
    /// Opaque id.
    pub id: Uuid,
    /// Whose members.
    pub dataset_version: Ref,
    /// Scope of the key.
    pub scope: Key,
    /// The key.
    pub kid: KeyId,
    /// Where it stands.
    pub state: LoadState,
    /// Batches that came, by number; of a finished load, those that are kept.
    pub batches: Vec<BatchView>,
}

/// A batch that came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchView {
    /// Its number, from 1.
    pub number: u32,
    /// Lines it had.
    pub records: u32,
    /// Digest of its bytes.
    pub digest: Digest,
}

/// Query of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchQuery {
    /// Digest of the body: what was cut off on the way is not taken for the whole.
    pub digest: Digest,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BatchTaken {
    /// `created`, or `unchanged` where it had come before.
    pub outcome: Outcome,
    /// Its number.
    pub number: u32,
    /// Lines it had.
    pub records: u32,
}

/// That everything was sent, and how much that is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadFinish {
    /// Batches sent, numbered from 1 without gap.
    #[schemars(range(min = 1, max = 50_000))]
    pub batches: u32,
    /// Lines in them all; somebody named twice counts twice here, and once among the members.
    #[schemars(range(min = 1))]
    pub records: u64,
}

/// The members of a dataset version as recorded: how many, under which key, and a commitment to whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MembersSpec {
    /// Whose members.
    pub dataset_version: Ref,
    /// Scope of the key.
    pub scope: Key,
    /// The key that made their pseudonyms.
    pub kid: KeyId,
    /// People, each once.
    pub count: u64,
    /// Merkle root over the batches' Merkle roots of salted commitments, one for each person; the salts are erasable.
    pub root: Digest,
}

/// Members of a dataset version: never who.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MembersView {
    /// Opaque id.
    pub id: Uuid,
    /// What was recorded.
    #[serde(flatten)]
    pub spec: MembersSpec,
    /// When.
    pub loaded_at: Timestamp,
    /// By whom.
    pub loaded_by: Uuid,
    /// Ledger position.
    pub seq: u64,
}

/// Answer to [`LoadFinish`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MembersLoaded {
    /// `created`, or `unchanged` where the same members were loaded before.
    pub outcome: Outcome,
    /// The members.
    pub members: MembersView,
}

/// Leave out of a dataset version's members who has no valid consent, or who objects; and whoever's data are restricted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExcludeCreate {
    /// Whose members; without `@version`, the latest.
    pub dataset_version: Ref,
    /// Consent for what, `purpose:<key>`.
    pub purpose: Ref,
    /// Whether being contacted this way is asked for, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Whether only explicit consent counts (GDPR Art. 9(2)(a)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub explicit: bool,
    /// Whether only consent given by whoever holds parental responsibility counts (GDPR Art. 8(1)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parental: bool,
    /// Whether those who object are left out, instead of those without consent (GDPR Art. 21(1)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub objecting: bool,
    /// Whether those alone are left out whose data are restricted, consent or not (GDPR Art. 18(1)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restricted: bool,
}

/// A corrected member set as recorded: how many stay, how many were left out, and a commitment to whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectedSpec {
    /// Whose members.
    pub dataset_version: Ref,
    /// Ledger position of the members it was made of.
    pub of: u64,
    /// Consent for what.
    pub purpose: Ref,
    /// By which way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Whether only explicit consent counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub explicit: bool,
    /// Whether only consent given by whoever holds parental responsibility counts (GDPR Art. 8(1)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parental: bool,
    /// Whether those who object were left out, instead of those without consent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub objecting: bool,
    /// Whether those alone were left out whose data are restricted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restricted: bool,
    /// The moment at which consent was asked for.
    pub valid_at: Timestamp,
    /// People who stay.
    pub count: u64,
    /// People left out.
    pub excluded: u64,
    /// Merkle root over the salted commitments of those left out; the salts are erasable.
    pub root: Digest,
}

/// A corrected member set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CorrectedView {
    /// Opaque id: what a run names in `member_sets`.
    pub id: Uuid,
    /// What was recorded.
    #[serde(flatten)]
    pub spec: CorrectedSpec,
    /// When.
    pub recorded_at: Timestamp,
    /// Ledger position.
    pub seq: u64,
}

/// Those left out of a corrected member set, page by page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Excluded {
    /// Pseudonyms.
    pub subjects: Vec<Pseudonym>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
}

/// Where a page of those left out begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExcludedQuery {
    /// From this place on.
    #[serde(default)]
    pub after: Option<u32>,
}
