//! Proof of consent of people who were erased: a table apart, in which nothing counts, and of which only the proof's own route reads.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use licit_schemas::consent::SubjectRecord;
use licit_schemas::digest::Digest;
use licit_schemas::subjects::Pseudonym;
use licit_schemas::{json, merkle};
use serde::Deserialize;
use uuid::Uuid;

use super::wills::waiting;
use super::{Change, Leaves, Record, securely};
use crate::db::conn::Conn;
use crate::db::schema::{consent_batch, consent_proof, consent_record, ledger_entry};
use crate::db::{MultiBackend, Projection, Tx};
use crate::error::{Error, Result};

/// What is kept of one erased person.
#[derive(Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = consent_proof, check_for_backend(MultiBackend))]
pub(in crate::db) struct Proof {
    id: String,
    kid: String,
    hash: Vec<u8>,
    doc: String,
}

impl<P: Projection> Tx<'_, P> {
    /// Everything a person said, in the order it was recorded, with what this group recorded.
    ///
    /// # Errors
    /// What the database said.
    pub fn said_by(&mut self, n: u32) -> Result<Vec<Record>> {
        let n = i64::from(n);
        let stored: Vec<Record> =
            consent_record::table.filter(consent_record::n.eq(n)).select(Record::as_select()).load(self.conn)?;
        let fresh = waiting(&self.world.people().fresh).filter(|row| row.n == n).cloned();
        let by_place: BTreeMap<(i64, i64), Record> =
            stored.into_iter().chain(fresh).map(|row| ((row.seq, row.pos), row)).collect();
        Ok(by_place.into_values().collect())
    }

    /// The commitments of a batch of records, in order.
    ///
    /// # Errors
    /// What the database said; no such batch.
    pub fn leaves(&mut self, seq: i64) -> Result<Vec<u8>> {
        let waiting = self.batch.people.iter().find_map(|change| match change {
            Change::Said(_, leaves) if leaves.seq == seq => Some(leaves.leaves.clone()),
            _ => None,
        });
        match waiting {
            Some(leaves) => Ok(leaves),
            None => {
                let found: Leaves = consent_batch::table.find(seq).select(Leaves::as_select()).first(self.conn)?;
                Ok(found.leaves)
            }
        }
    }

    /// Keep what an erased person said, apart.
    pub fn keep_proof(&mut self, id: Uuid, who: &Pseudonym, doc: String) {
        let (id, kid, hash) = (id.to_string(), who.kid().to_string(), who.hash().to_vec());
        self.batch.people.push(Change::Prove(Proof { id, kid, hash, doc }));
    }

    /// What is kept of a person, by id.
    ///
    /// # Errors
    /// What the database said.
    pub fn proofs_of(&mut self, who: &Pseudonym) -> Result<BTreeMap<Uuid, String>> {
        let (kid, hash) = (who.kid().as_str(), &who.hash()[..]);
        let mut found: Vec<Proof> = consent_proof::table
            .filter(consent_proof::kid.eq(kid))
            .filter(consent_proof::hash.eq(hash))
            .select(Proof::as_select())
            .load(self.conn)?;
        for change in &self.batch.people {
            match change {
                Change::Prove(one) if one.kid == kid && one.hash == hash => found.push(one.clone()),
                Change::Shred(id) => found.retain(|one| one.id != id.to_string()),
                _ => {}
            }
        }
        let broken = |_| Error::Internal("table consent_proof: an id is none".to_owned());
        found.into_iter().map(|one| Ok((one.id.parse().map_err(broken)?, one.doc))).collect()
    }

    /// Let go of what is kept of a person, for good.
    pub fn shred(&mut self, id: Uuid) {
        self.batch.people.push(Change::Shred(id));
    }
}

/// Write it.
pub(super) fn keep(conn: &mut Conn, proof: Proof) -> Result<()> {
    diesel::insert_into(consent_proof::table).values(proof).execute(conn)?;
    Ok(())
}

/// Delete it.
pub(super) fn shred(conn: &mut Conn, id: Uuid) -> Result<()> {
    securely(conn, |conn| {
        diesel::delete(consent_proof::table.find(id.to_string())).execute(conn)?;
        Ok(())
    })
}

/// What is wrong with what is kept: more or less than the ledger says, or what would prove nothing.
pub(super) fn faults(conn: &mut Conn) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Kept {
        id: Uuid,
        #[serde(default)]
        records: usize,
    }
    let mut facts = |kind: &str| -> Result<BTreeMap<String, usize>> {
        let all: Vec<String> =
            ledger_entry::table.filter(ledger_entry::kind.eq(kind)).select(ledger_entry::data).load(conn)?;
        let each = all.iter().map(|data| {
            let one: Kept = serde_json::from_str(data).map_err(|e| Error::Internal(format!("a proof: {e}")))?;
            Ok((one.id.to_string(), one.records))
        });
        each.collect()
    };
    let (mut stated, shredded) = (facts("consent_proof.kept")?, facts("consent_proof.shredded")?);
    stated.retain(|id, _| !shredded.contains_key(id));
    let ids: BTreeSet<String> =
        consent_proof::table.select(consent_proof::id).load::<String>(conn)?.into_iter().collect();
    let mut faults = Vec::new();
    for id in &ids {
        let Some(records) = stated.remove(id) else {
            faults.push(format!("table consent_proof: {id} is in no entry of the ledger, or should be shredded"));
            continue;
        };
        let proof: Proof = consent_proof::table.find(id).select(Proof::as_select()).first(conn)?;
        if !proves(conn, &proof, records)? {
            faults.push(format!("table consent_proof: {id} is not what the ledger commits to"));
        }
    }
    faults.extend(stated.keys().map(|id| format!("table consent_proof: {id} is missing")));
    Ok(faults)
}

/// Whether it holds so many records of its person, each under the root in its entry.
fn proves(conn: &mut Conn, proof: &Proof, count: usize) -> Result<bool> {
    #[derive(Deserialize)]
    struct Committed {
        root: Digest,
    }
    let Ok(records) = serde_json::from_str::<Vec<SubjectRecord>>(&proof.doc) else { return Ok(false) };
    for one in &records {
        let Ok(record) = json::canonical(&one.record) else { return Ok(false) };
        let leaf = merkle::leaf_hash(&[one.salt.as_bytes(), record.as_bytes()].concat());
        let seq = i64::try_from(one.seq).unwrap_or(i64::MAX);
        let entry: Option<String> = ledger_entry::table.find(seq).select(ledger_entry::data).first(conn).optional()?;
        let root = entry.and_then(|data| serde_json::from_str::<Committed>(&data).ok()).map(|stated| stated.root);
        let subject = &one.record.subject;
        if root != Some(one.root)
            || merkle::verify_inclusion(&leaf, one.index, one.size, &one.path, &one.root).is_err()
            || subject.kid().as_str() != proof.kid
            || subject.hash()[..] != proof.hash[..]
        {
            return Ok(false);
        }
    }
    Ok(records.len() == count)
}
