//! Erasing somebody (GDPR Art. 17).

use licit_schemas::consent::{Erased, SubjectQuery};
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::proof::{self, ProofKept};
use crate::db::people::Form;
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, canonical};

/// Somebody was erased: how much went, and nothing of who it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectErased {
    /// Opaque id of the erasure; nobody's.
    pub id: Uuid,
    /// Records of what they said.
    pub records: u64,
    /// Entries that brought the members they were among: what was trained on those is to be made anew without them.
    pub member_sets: Vec<u64>,
    /// Trainings that began without their consent, against their objection, or while their data were restricted: that stays a finding
    /// until they are done anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacked: Vec<Lacked>,
    /// What they objected to: what was trained on them before is to be made anew without them all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objected: Vec<Objection>,
}

/// An objection that its author had not withdrawn (GDPR Art. 21), and nothing of who that was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objection {
    /// To which purpose, without its revision; absent for one to everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Ref>,
    /// Whether compelling grounds were held against it: only to direct marketing does it hold all the same (GDPR Art. 21(3)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overridden: bool,
}

/// A training that began without the consent of one of its members, against their objection, or while their data were restricted: a
/// count of one, and nothing of who it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lacked {
    /// Entry that brought the members.
    pub members: u64,
    /// The training, `run:<id>`.
    pub run: Ref,
    /// Whether explicit consent was asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub explicit: bool,
    /// Whether consent given by whoever holds parental responsibility was asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parental: bool,
    /// Whether they had objected to it, and no consent was asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub objecting: bool,
    /// Whether their data were restricted, and no consent was asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restricted: bool,
}

/// What was wrong with reading somebody's data when a training began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wrong {
    /// They had not consented in this form.
    Unasked(Form),
    /// They had objected (GDPR Art. 21).
    Objected,
    /// Their data were restricted (GDPR Art. 18).
    Restricted,
}

impl Lacked {
    /// What was wrong.
    pub fn wrong(&self) -> Wrong {
        match (self.objecting, self.restricted) {
            (true, _) => Wrong::Objected,
            (_, true) => Wrong::Restricted,
            _ => Wrong::Unasked(Form { explicit: self.explicit, parental: self.parental }),
        }
    }
}

/// What of an erased person stays.
#[derive(Clone, Debug, Default)]
pub struct Stays {
    /// Until when what they said of consent is kept apart; none where it is not.
    pub proof_until: Option<Timestamp>,
    /// Trainings that began without their consent.
    pub lacked: Vec<Lacked>,
    /// What they objected to.
    pub objected: Vec<Objection>,
}

/// Take somebody out of everything the registry holds: pseudonym, salts, memberships, records. Every proof stays as it is.
///
/// What came of their data is not looked up here: lineage knows nothing of people, and whoever asks looks for the datasets told.
///
/// # Errors
/// Nobody is known by that pseudonym.
pub fn erase(tx: &mut Tx<'_>, query: &SubjectQuery, stays: Stays) -> Result<Erased> {
    let found = tx.somebody(&query.subject)?;
    let who = found.ok_or_else(|| Error::NotFound("nobody is known by this pseudonym".to_owned()))?;
    let proof = match stays.proof_until {
        Some(until) => Some((until, proof::of_consent(tx, &who)?)),
        None => None,
    };
    let proof = proof.filter(|(_, records)| !records.is_empty());
    let traces = tx.erase_subject(query.subject.kid().as_str(), &who)?;
    let mut member_sets: Vec<u64> = traces.sets.iter().map(|(_, id)| *id).collect();
    member_sets.sort_unstable();
    let erasure = tx.new_id();
    let Stays { lacked, objected, .. } = stays;
    let fact = SubjectErased { id: erasure, records: traces.records, member_sets, lacked, objected };
    let seq = tx.record(Fact::SubjectErased(fact))?;
    if let Some((until, records)) = &proof {
        let id = tx.new_id();
        let fact = ProofKept { id, erasure, records: records.len() as u64, until: *until };
        tx.record(Fact::ConsentProofKept(fact))?;
        tx.keep_proof(id, &query.subject, canonical(records)?);
    }
    let mut datasets: Vec<Ref> = traces
        .sets
        .iter()
        .filter_map(|(name, _)| name.parse::<Ref>().ok())
        .filter(|r| r.kind() == Kind::Dataset)
        .collect();
    datasets.sort_by_key(ToString::to_string);
    let (derived, models, deployments, recipients) = Default::default();
    let proof_until = proof.map(|(until, _)| until);
    Ok(Erased { records: traces.records, datasets, derived, models, deployments, recipients, seq, proof_until })
}
