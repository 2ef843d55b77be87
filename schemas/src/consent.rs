//! What people say: consent and its withdrawal, objection, restriction.
//!
//! One record is one thing one person said, or had done in their name, about one purpose. States of consent are those of the W3C
//! Data Privacy Vocabulary, fields those of ISO/IEC TS 27560 as DPV maps them. Records are added and never edited: what somebody
//! wants is what they said last ([`history`]).

pub mod dpv;
pub mod history;
mod person;
mod remedy;
mod views;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::problem::Fault;
use crate::reference::{Kind, Ref};
use crate::registry::uuid_text::Uuid;
use crate::subjects::Pseudonym;
use crate::time::Timestamp;

pub use person::{
    ActionSource, ConsentAction, Language, OwnDataset, OwnDeployment, OwnRecipient, OwnUse, OwnWord, PersonView, letter,
};
pub use remedy::{ModelRemedy, RemedyCreate, RemedySpec};
pub use views::{
    AcknowledgementCreate, AcknowledgementView, Coverage, CoverageQuery, Erased, KeptProof, KeptProofs, ProofQuery,
    Recorded, RecordsTaken, RefusedLine, Sample, SampleQuery, SubjectQuery, SubjectRecord, SubjectRecords,
    SuppressionList, SuppressionQuery,
};

/// Records in one batch at most.
pub const MOST_RECORDS: usize = 10_000;

/// What is said of a purpose. Of consent, only the first two allow; only `invalidated` reaches back (GDPR Art. 7(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Consent is given (`dpv:ConsentGiven`).
    Given,
    /// Consent that stands is given for longer (`dpv:RenewedConsentGiven`).
    Renewed,
    /// Consent is refused (`dpv:ConsentRefused`).
    Refused,
    /// Consent is withdrawn by the person (`dpv:ConsentWithdrawn`, GDPR Art. 7(3)).
    Withdrawn,
    /// Consent is ended by somebody else than the person (`dpv:ConsentRevoked`).
    Revoked,
    /// Consent ended with its time (`dpv:ConsentExpired`); where `until` is stated, nobody needs to say so.
    Expired,
    /// Consent never was valid, as an authority or court found (`dpv:ConsentInvalidated`).
    Invalidated,
    /// Consent is asked for (`dpv:ConsentRequested`).
    Requested,
    /// The person will answer later (`dpv:ConsentRequestDeferred`).
    Deferred,
    /// The person objects (GDPR Art. 21).
    Objected,
    /// The person objects no more.
    ObjectionWithdrawn,
    /// Compelling legitimate grounds override the objection (GDPR Art. 21(1)): recorded by the data protection officer while the board's
    /// word is in force that there are any for the purpose. Never one to direct marketing (Art. 21(3)).
    ObjectionOverridden,
    /// Processing of the person's data is restricted (GDPR Art. 18).
    Restricted,
    /// The restriction is lifted.
    RestrictionLifted,
}

/// What a record is about: each is a will of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Consent (GDPR Art. 4(11)).
    Consent,
    /// Objection (GDPR Art. 21).
    Objection,
    /// Restriction (GDPR Art. 18).
    Restriction,
}

impl Said {
    /// Every one, in the order of its number.
    pub const ALL: [Self; 14] = [
        Self::Given,
        Self::Renewed,
        Self::Refused,
        Self::Withdrawn,
        Self::Revoked,
        Self::Expired,
        Self::Invalidated,
        Self::Requested,
        Self::Deferred,
        Self::Objected,
        Self::ObjectionWithdrawn,
        Self::ObjectionOverridden,
        Self::Restricted,
        Self::RestrictionLifted,
    ];

    /// Its number, as tables hold it.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// By its number.
    pub fn numbered(number: i16) -> Option<Self> {
        usize::try_from(number).ok().and_then(|place| Self::ALL.get(place).copied())
    }

    /// What it is about.
    pub fn family(self) -> Family {
        match self {
            Self::Objected | Self::ObjectionWithdrawn | Self::ObjectionOverridden => Family::Objection,
            Self::Restricted | Self::RestrictionLifted => Family::Restriction,
            _ => Family::Consent,
        }
    }

    /// Whether it stands until something else is said: consent that allows, an objection, a restriction.
    pub fn stands(self) -> bool {
        matches!(self, Self::Given | Self::Renewed | Self::Objected | Self::Restricted)
    }

    /// The status of DPV; none for what is no consent.
    pub fn dpv(self) -> Option<&'static str> {
        Some(match self {
            Self::Given => "dpv:ConsentGiven",
            Self::Renewed => "dpv:RenewedConsentGiven",
            Self::Refused => "dpv:ConsentRefused",
            Self::Withdrawn => "dpv:ConsentWithdrawn",
            Self::Revoked => "dpv:ConsentRevoked",
            Self::Expired => "dpv:ConsentExpired",
            Self::Invalidated => "dpv:ConsentInvalidated",
            Self::Requested => "dpv:ConsentRequested",
            Self::Deferred => "dpv:ConsentRequestDeferred",
            _ => return None,
        })
    }
}

/// By which way a person is reached. Being profiled and being contacted are two wills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own words")]
pub enum Channel {
    Email,
    Phone,
    Sms,
    Post,
    App,
}

/// How consent was expressed (27560 `event_type`; GDPR Art. 4(11), 9(2)(a)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expression {
    /// By a clear affirmative act.
    #[default]
    Expressed,
    /// In words that say so: special categories need it.
    Explicit,
}

/// By what means it was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Method {
    WebForm,
    App,
    Email,
    PhoneCall,
    Post,
    Paper,
    InPerson,
    Imported,
}

/// Who said it (27560 `entity_id`, as a role and never a name).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IndicatedBy {
    /// The person.
    #[default]
    DataSubject,
    /// Whoever holds parental responsibility (GDPR Art. 8(1)).
    ParentalHolder,
    /// Another who may speak for the person.
    Representative,
    /// The controller.
    Controller,
    /// A supervisory authority or a court.
    Authority,
}

/// One thing somebody said. To withdraw takes no more than to give: who, what for, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentRecord {
    /// Chosen by whoever records it: sent again, it is the same record.
    pub record_id: Uuid,
    /// Who, by pseudonym.
    pub subject: Pseudonym,
    /// What for, `purpose:<key>`: all its revisions. Absent, an objection or a restriction is about everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Ref>,
    /// By which way, where being contacted is meant and not the purpose itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// What was said.
    pub said: Said,
    /// When it was said (27560 `event_time`).
    pub at: Timestamp,
    /// Until when consent holds (27560 `validity_duration`); absent, until something else is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// How consent was expressed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub expression: Expression,
    /// Digest of the notice that was shown when consent was given (27560 `privacy_notice`; GDPR Art. 7(1), 13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Digest>,
    /// By what means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// Who said it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub indicated_by: IndicatedBy,
    /// From when consent never was valid, for `invalidated`; absent, from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid_from: Option<Timestamp>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// How far ahead of the server's clock a record may be dated.
pub const AHEAD: chrono::Duration = chrono::Duration::minutes(5);

impl ConsentRecord {
    /// What does not fit together, with JSON pointers.
    ///
    /// `now` is the server's time: what was said lies in the past, but for a small difference of clocks.
    pub fn faults(&self, now: Timestamp) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut wrong = |wrong: bool, pointer: &str, detail: &str| {
            if wrong {
                faults.push(Fault::new(pointer, detail));
            }
        };
        let allows = matches!(self.said, Said::Given | Said::Renewed);
        let consent = self.said.family() == Family::Consent;
        wrong(self.at > now.plus(AHEAD), "/at", "lies ahead: record what was said once it was said");
        match &self.purpose {
            None => wrong(consent, "/purpose", "consent is about one purpose: name it, `purpose:<key>`"),
            Some(purpose) => {
                wrong(purpose.kind() != Kind::Purpose, "/purpose", "a purpose belongs here, `purpose:<key>`");
                wrong(
                    purpose.is_pinned(),
                    "/purpose",
                    "name the purpose without a revision: what is said is said of all",
                );
            }
        }
        wrong(self.channel.is_some() && self.purpose.is_none(), "/channel", "name the purpose of the contact, too");
        wrong(
            self.channel.is_some() && self.said.family() == Family::Restriction,
            "/channel",
            "a restriction is not about a channel",
        );
        wrong(allows && self.notice.is_none(), "/notice", "consent is informed: name the digest of the notice shown");
        wrong(!allows && self.notice.is_some(), "/notice", "belongs to consent that is given");
        wrong(!allows && self.expression != Expression::Expressed, "/expression", "belongs to consent that is given");
        wrong(!allows && self.until.is_some(), "/until", "belongs to consent that is given");
        wrong(
            allows && matches!(self.indicated_by, IndicatedBy::Controller | IndicatedBy::Authority),
            "/indicated_by",
            "nobody but the person, or who speaks for them, gives consent (GDPR Art. 4(11))",
        );
        wrong(
            self.said == Said::Invalidated
                && !matches!(self.indicated_by, IndicatedBy::Controller | IndicatedBy::Authority),
            "/indicated_by",
            "an authority, a court or the controller finds consent invalid: name which",
        );
        wrong(self.until.is_some_and(|until| until <= self.at), "/until", "lies before it was given");
        wrong(
            self.said != Said::Invalidated && self.invalid_from.is_some(),
            "/invalid_from",
            "belongs to consent that is invalidated",
        );
        wrong(self.invalid_from.is_some_and(|from| from > self.at), "/invalid_from", "lies after it was found invalid");
        faults
    }
}
