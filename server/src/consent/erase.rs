//! Erasing somebody (GDPR Art. 17).

use licit_schemas::consent::{Erased, SubjectQuery};
use licit_schemas::reference::{Kind, Ref};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::facts::{Fact, Tx};

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
}

/// Take somebody out of everything the registry holds: pseudonym, salts, memberships, records. Every proof stays as it is.
///
/// # Errors
/// Nobody is known by that pseudonym.
pub fn erase(tx: &mut Tx<'_>, query: &SubjectQuery) -> Result<Erased> {
    let found = tx.somebody(&query.subject)?;
    let who = found.ok_or_else(|| Error::NotFound("nobody is known by this pseudonym".to_owned()))?;
    let traces = tx.erase_subject(query.subject.kid().as_str(), &who)?;
    let mut member_sets: Vec<u64> = traces.sets.iter().map(|(_, id)| *id).collect();
    member_sets.sort_unstable();
    let fact = SubjectErased { id: tx.new_id(), records: traces.records, member_sets };
    let seq = tx.record(Fact::SubjectErased(fact))?;
    let mut datasets: Vec<Ref> = traces
        .sets
        .iter()
        .filter_map(|(name, _)| name.parse::<Ref>().ok())
        .filter(|r| r.kind() == Kind::Dataset)
        .collect();
    datasets.sort_by_key(ToString::to_string);
    Ok(Erased { records: traces.records, datasets, seq })
}
