//! What the board says: reviews, votes, opinions, approvals.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::Role;
use crate::digest::Digest;
use crate::reference::Ref;
use crate::registry::uuid_text::Uuid;
use crate::text::{Iri, Name, Sentence, Text};
use crate::time::Timestamp;

/// Open a review over one or more things: several make a dossier, and one vote binds all their digests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewCreate {
    /// Title for people.
    pub title: Name,
    /// What is to be approved.
    #[schemars(length(min = 1, max = 100))]
    pub subjects: Vec<ReviewSubject>,
    /// Until when the approval shall hold; absent, a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
    /// Why, for those who vote. Kept erasable; the ledger holds its salted digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Text>,
}

/// One thing under review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewSubject {
    /// A purpose, basis, system, assessment or policy revision, a deployment, a baseline, a loosening, or an emergency to ratify.
    pub r#ref: Ref,
    /// For a purpose: the approval shall cover narrower purposes too.
    #[serde(default)]
    pub include_narrower: bool,
}

/// One thing under review with the digest a vote binds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoundSubject {
    /// The thing, pinned.
    pub r#ref: Ref,
    /// Digest of its content; for a deployment, of the envelope.
    pub digest: Digest,
    /// For a purpose: narrower ones too.
    #[serde(default)]
    pub include_narrower: bool,
    /// For a deployment: what the approval covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<Envelope>,
}

/// A review as recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewSpec {
    /// Title for people.
    pub title: Name,
    /// What is to be approved, with digests.
    pub subjects: Vec<BoundSubject>,
    /// Digest over all subjects: the vote names it.
    pub digest: Digest,
    /// Persons who asked or are authors of what is new: they do not vote here.
    pub excluded: Vec<Uuid>,
    /// Board members that must agree.
    pub quorum: u16,
    /// Until when the approval shall hold.
    pub valid_to: Timestamp,
    /// Salted digest of the comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_digest: Option<Digest>,
}

/// How a board member votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own words")]
pub enum Choice {
    Approve,
    Reject,
    Abstain,
}

/// Cast a vote. A later vote of the same person replaces the earlier one while the review is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoteCreate {
    /// The vote.
    pub choice: Choice,
    /// Digest of the review as the voter read it.
    pub digest: Digest,
    /// Conditions attached to an approval.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub conditions: Vec<Sentence>,
    /// The board member whose seat is taken, by a delegation in force; absent, one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<Uuid>,
    /// Why. Kept erasable; the ledger holds its salted digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Text>,
}

/// A vote as recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoteSpec {
    /// The review.
    pub review: Uuid,
    /// The person.
    pub person: Uuid,
    /// The vote.
    pub choice: Choice,
    /// The board member whose seat it is, where another person sits in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<Uuid>,
    /// Digest of the review voted on.
    pub digest: Digest,
    /// Conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Sentence>,
    /// Salted digest of the comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_digest: Option<Digest>,
}

/// Let another person sit in one's seat on the board for a while. A seat that is delegated is not delegated further.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DelegationCreate {
    /// The person, by the id of their actor.
    pub to: Uuid,
    /// From when; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Until when; at most ninety days after.
    pub valid_to: Timestamp,
}

/// A delegation as recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DelegationSpec {
    /// The board member.
    pub from: Uuid,
    /// Who sits in their seat.
    pub to: Uuid,
    /// From when.
    pub valid_from: Timestamp,
    /// Until when.
    pub valid_to: Timestamp,
}

/// In which office an opinion is given; the token has its role. They advise, they never vote (GDPR Art. 38(6), CJEU C-453/21).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OpinionRole {
    /// Data protection officer (GDPR Art. 39(1)(c)).
    Dpo,
    /// Works council.
    WorksCouncil,
}

impl OpinionRole {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Dpo, Self::WorksCouncil];

    /// The role of a token that gives opinions in this office, and in no other.
    pub fn token(self) -> Role {
        match self {
            Self::Dpo => Role::Dpo,
            Self::WorksCouncil => Role::WorksCouncil,
        }
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Dpo => "data protection officer",
            Self::WorksCouncil => "works council",
        }
    }
}

/// What the opinion concludes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own words")]
pub enum OpinionOutcome {
    Favourable,
    Reserved,
    Unfavourable,
}

/// Give an opinion beside the votes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpinionCreate {
    /// In which office.
    pub role: OpinionRole,
    /// The conclusion.
    pub outcome: OpinionOutcome,
    /// Its text. Kept erasable; the ledger holds its salted digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Text>,
}

/// An opinion as recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpinionSpec {
    /// The review.
    pub review: Uuid,
    /// Who gave it.
    pub person: Uuid,
    /// In which office.
    pub role: OpinionRole,
    /// The conclusion.
    pub outcome: OpinionOutcome,
    /// Salted digest of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_digest: Option<Digest>,
}

/// An approval as recorded when a review reaches its quorum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalSpec {
    /// The review it came from.
    pub review: Uuid,
    /// What is approved.
    pub subject: BoundSubject,
    /// From when.
    pub valid_from: Timestamp,
    /// Until when.
    pub valid_to: Timestamp,
    /// Persons whose votes carried it.
    pub voters: Vec<Uuid>,
    /// Conditions they attached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Sentence>,
}

/// Take an approval back, of whatever the board votes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevocationCreate {
    /// What loses its approval.
    pub r#ref: Ref,
    /// From when it no longer holds; absent, now. What was done before stays lawful.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<Timestamp>,
    /// Days for which what already runs may continue.
    #[serde(default)]
    #[schemars(range(max = 366))]
    pub grace_days: u16,
    /// Why.
    pub reason: Sentence,
}

/// A revocation as recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevocationSpec {
    /// The approval taken back.
    pub approval: Uuid,
    /// What lost it.
    pub r#ref: Ref,
    /// From when.
    pub effective_at: Timestamp,
    /// Days of grace.
    pub grace_days: u16,
    /// Why.
    pub reason: Sentence,
}

/// What an approval of a deployment covers (its envelope). Lists are sorted and without doubles, so that the digest is
/// that of the content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// Purpose, pinned.
    pub purpose: String,
    /// Bases, pinned.
    pub bases: Vec<String>,
    /// System, pinned.
    pub system: String,
    /// Environment.
    pub environment: String,
    /// Sources by dataset.
    pub sources: Vec<EnvelopeSource>,
    /// Datasets read and written when it runs.
    pub serves: Vec<String>,
    /// Datasets written about people.
    pub emits: Vec<String>,
    /// What is written in them about whom, with no `reach`; absent in envelopes from before it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Vec<EnvelopeSource>>,
    /// Regions of data and of computing.
    pub regions: Vec<String>,
    /// Controllers and processors.
    pub parties: Vec<String>,
    /// Who receives what is disclosed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// Names elsewhere that lead to it, as its tags say: `mlflow:score@champion`, or `mlflow:score` by every governed alias, with `@`
    /// and `%` within the parts percent-encoded. Absent where it had none, and in envelopes from before they were asked for: then
    /// those that the deployment stated when it was reviewed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Operations on the way.
    pub operations: Vec<String>,
    /// Models by name.
    pub models: Vec<String>,
    /// Documents of the system, `kind digest`.
    pub documents: Vec<String>,
}

/// One dataset of an envelope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvelopeSource {
    /// `dataset:<namespace>/<name>`.
    pub dataset: String,
    /// How it reaches: `contained`, `shaped`, `served`, `validation`.
    pub reach: Vec<String>,
    /// Subject categories.
    pub subjects: Vec<Iri>,
    /// Data categories.
    pub categories: Vec<Iri>,
    /// Strongest identifiability.
    pub identifiability: String,
    /// What everybody in it is promised, as the notices say it was collected under; absent in envelopes from before it was told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promises: Vec<String>,
}

/// A review with everything said on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewView {
    /// The review.
    pub review: crate::resource::Resource<ReviewSpec>,
    /// Votes in force, oldest first.
    pub votes: Vec<crate::resource::Resource<VoteSpec>>,
    /// Opinions, oldest first.
    pub opinions: Vec<crate::resource::Resource<OpinionSpec>>,
    /// Comments by salted digest, as far as they were not erased.
    pub comments: std::collections::BTreeMap<String, String>,
}
