//! Proof that somebody said something: the path from a record to the root in the ledger; and what of it is kept, restricted, of
//! people who were erased (GDPR Art. 7(1), 17(3)(e)).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use imbl::OrdSet;
use licit_schemas::consent::{Family, KeptProof, KeptProofs, ProofQuery, SubjectRecord};
use licit_schemas::digest::Digest;
use licit_schemas::merkle::{self, Edge};
use licit_schemas::registry::uuid_text;
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::dictionary::{Salt, Subject, record_salt};
use crate::db::people::RecordId;
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx};
use crate::maps::HashMap;

/// Proof of an erased person's consent is kept, apart: how much, and nothing of who it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofKept {
    /// Its opaque id.
    pub id: Uuid,
    /// The erasure, by its id.
    pub erasure: Uuid,
    /// Records in it.
    pub records: u64,
    /// When it goes.
    pub until: Timestamp,
}

/// Somebody read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofRead {
    /// Its opaque id.
    pub id: Uuid,
    /// Salted digest of the reason.
    pub reason_digest: Digest,
}

/// It is gone: its time was over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofShredded {
    /// Its opaque id.
    pub id: Uuid,
}

/// Proofs that are kept, by when they go.
#[derive(Clone, Default)]
pub struct Proofs {
    until: HashMap<Uuid, Timestamp>,
    order: OrdSet<(Timestamp, Uuid)>,
}

impl Proofs {
    /// Those whose time is over, the oldest first.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = Uuid> {
        self.order.iter().take_while(move |(until, _)| *until <= now).map(|(_, id)| *id)
    }

    /// Until when one is kept.
    pub fn until(&self, id: Uuid) -> Option<Timestamp> {
        self.until.get(&id).copied()
    }

    /// Fold one in.
    pub fn kept(&mut self, fact: &ProofKept) {
        self.until.insert(fact.id, fact.until);
        self.order.insert((fact.until, fact.id));
    }

    /// Fold its end in.
    pub fn shredded(&mut self, fact: &ProofShredded) {
        if let Some(until) = self.until.remove(&fact.id) {
            self.order.remove(&(until, fact.id));
        }
    }
}

/// A batch of records as the ledger commits to it.
pub struct Committed {
    seq: i64,
    at: Timestamp,
    size: u64,
    root: Digest,
    hashes: BTreeMap<u64, Digest>,
}

impl Committed {
    /// The batch of an entry, from the commitments to its records in order.
    pub fn new(seq: i64, at: Timestamp, leaves: &[u8]) -> Self {
        let (mut edge, mut hashes) = (Edge::default(), BTreeMap::new());
        for leaf in leaves.as_chunks().0 {
            edge.push(Digest::from_bytes(*leaf), |at, hash| {
                hashes.insert(at, *hash);
            });
        }
        Self { seq, at, size: edge.size(), root: edge.root(), hashes }
    }

    /// A record of it with the path to its root.
    ///
    /// # Errors
    /// Only rows that are not ours.
    pub fn prove(&self, salt: &Salt, pos: i64, id: &[u8], doc: &str) -> Result<SubjectRecord> {
        let id = RecordId::try_from(id).map_err(|_| broken("consent_record"))?;
        let (index, size) = (u64::try_from(pos).unwrap_or(0), self.size);
        let path = merkle::inclusion_proof(index, size, |wanted| {
            wanted.iter().map(|at| self.hashes.get(at).copied().ok_or(())).collect()
        });
        Ok(SubjectRecord {
            record: serde_json::from_str(doc).map_err(|_| broken("consent_record"))?,
            seq: u64::try_from(self.seq).unwrap_or(0),
            recorded_at: self.at,
            index,
            size,
            salt: record_salt(salt, &id),
            path: path.map_err(|_| broken("consent_batch"))?,
            root: self.root,
        })
    }
}

/// A row that is none.
pub fn broken(table: &str) -> Error {
    Error::Internal(format!("table {table}: a row is not ours"))
}

/// What somebody said of consent, each record with its proof. Objections and restrictions prove no consent.
///
/// # Errors
/// What the database said.
pub fn of_consent(tx: &mut Tx<'_>, who: &Subject) -> Result<Vec<SubjectRecord>> {
    let mut batches: BTreeMap<i64, Committed> = BTreeMap::new();
    let mut proofs = Vec::new();
    for row in tx.said_by(who.n)? {
        let batch = match batches.entry(row.seq) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let at = tx.time_of(u64::try_from(row.seq).unwrap_or(0))?.ok_or_else(|| broken("consent_record"))?;
                free.insert(Committed::new(row.seq, at, &tx.leaves(row.seq)?))
            }
        };
        let proof = batch.prove(&who.salt, row.pos, &row.record_id, &row.doc)?;
        if proof.record.said.family() == Family::Consent {
            proofs.push(proof);
        }
    }
    Ok(proofs)
}

/// Read what is kept of somebody who was erased. Each reading is a fact, with its reason.
///
/// # Errors
/// Nothing is kept under that pseudonym, or its time is over.
pub fn read(tx: &mut Tx<'_>, query: &ProofQuery) -> Result<KeptProofs> {
    let (mut items, now) = (Vec::new(), tx.now());
    for (id, doc) in tx.proofs_of(&query.subject)? {
        let Some(until) = tx.world().consent.proofs.until(id).filter(|until| *until > now) else { continue };
        let records = serde_json::from_str(&doc).map_err(|_| broken("consent_proof"))?;
        items.push(KeptProof { id: uuid_text::Uuid(id), until, records });
    }
    if items.is_empty() {
        return Err(Error::NotFound("no proof of consent is kept under this pseudonym".to_owned()));
    }
    let reason_digest = tx.note(query.reason.as_str())?;
    for item in &items {
        tx.record(Fact::ConsentProofRead(ProofRead { id: item.id.0, reason_digest }))?;
    }
    Ok(KeptProofs { items })
}

/// Let go of every proof whose time is over.
///
/// # Errors
/// Data that cannot be canonical: none of these.
pub fn shred_due(tx: &mut Tx<'_>) -> Result<u32> {
    let due: Vec<Uuid> = tx.world().consent.proofs.due(tx.now()).collect();
    for id in &due {
        tx.record(Fact::ConsentProofShredded(ProofShredded { id: *id }))?;
        tx.shred(*id);
    }
    Ok(u32::try_from(due.len()).unwrap_or(u32::MAX))
}
