//! Taking somebody out of everything (GDPR Art. 17). What the ledger commits to stays provable for all others: of the person stay
//! the salted commitments, whose salt is gone, so that nobody can tell whose they were.

use std::sync::Arc;

use diesel::prelude::*;
use licit_schemas::digest::Digest;
use licit_schemas::subjects::Pseudonym;
use roaring::RoaringBitmap;

use super::wills::{Waiting, waiting};
use super::{Batch, Change, OPEN, bitmap, bytes, checkpoints, securely};
use crate::db::conn::Conn;
use crate::db::dictionary::Subject;
use crate::db::schema::{
    consent_record, erased_leaf, erased_record, idempotency, member_batch, member_load, member_set, subject,
};
use crate::db::{Projection, Tx};
use crate::error::{Error, Result};

/// The key of rows whose person is gone.
pub(super) const NOBODY: &str = "";

/// The route by which one thing that one person said is recorded, as answers kept for retries name it.
const RECORDING: &str = "POST /api/v1/consent-records";

/// What is left of somebody in members: a commitment.
#[derive(Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = erased_leaf, check_for_backend(crate::db::MultiBackend))]
pub(super) struct Leaf {
    pub owner: String,
    pub part: i64,
    pub leaf: Vec<u8>,
}

/// Everything that is written to take somebody out.
pub(in crate::db) struct Erasure {
    n: i64,
    sets: Vec<(String, Vec<u8>)>,
    batches: Vec<(String, i64, Vec<u8>)>,
    /// In place of the digests of what was sent: one over a single line would tell who it was.
    blank: String,
    leaves: Vec<Leaf>,
    /// Ids of what they said: who sends it again is not to make them known by it.
    records: Vec<Vec<u8>>,
}

impl Erasure {
    /// Ids of the records that went.
    pub(super) fn records(&self) -> &[Vec<u8>] {
        &self.records
    }

    /// Batches as they are after it.
    pub(super) fn applied(&self, batches: &mut [Batch]) {
        for (load, number, members) in &self.batches {
            for batch in batches.iter_mut().filter(|batch| batch.member_load == *load && batch.number == *number) {
                (batch.members, batch.digest) = (members.clone(), self.blank.clone());
            }
        }
    }
}

/// Where somebody was.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    /// Names of member sets, dataset versions and corrected sets, each with the entry that brought it.
    pub sets: Vec<(String, u64)>,
    /// Records of what they said.
    pub records: u64,
}

/// A digest of nothing that anybody could know.
fn blank() -> Result<String> {
    let mut random = [0u8; 32];
    getrandom::fill(&mut random).map_err(|e| Error::Unavailable(format!("no random bytes: {e}")))?;
    Ok(Digest::of(&random).to_string())
}

impl<P: Projection> Tx<'_, P> {
    /// Somebody by pseudonym, if known.
    ///
    /// # Errors
    /// What the database said.
    pub fn somebody(&mut self, who: &Pseudonym) -> Result<Option<Subject>> {
        self.know_people()?;
        Ok(self.world.people().subjects.find(who.kid().as_str(), who.hash()))
    }

    /// Take somebody out of everything. Returns where they were.
    ///
    /// # Errors
    /// What the database said.
    pub fn erase_subject(&mut self, kid: &str, who: &Subject) -> Result<Traces> {
        let n = i64::from(who.n);
        let mut records: Vec<Vec<u8>> =
            consent_record::table.filter(consent_record::n.eq(n)).select(consent_record::record_id).load(self.conn)?;
        let fresh = waiting(&self.world.people().fresh).filter(|row| row.n == n);
        records.extend(fresh.map(|row| row.record_id.clone()));
        let said = records.len() as u64;
        let (sets, batches, leaves) = Default::default();
        let mut erasure = Erasure { n, sets, batches, blank: blank()?, leaves, records };
        let leaf = || who.leaf().as_bytes().to_vec();
        let within: Vec<(String, u64, Arc<RoaringBitmap>)> = self
            .world
            .people()
            .members
            .iter()
            .filter(|(_, members)| members.who.contains(who.n))
            .map(|(name, members)| (name.to_string(), members.id, members.who.clone()))
            .collect();
        for (name, id, members) in &within {
            let mut left = (**members).clone();
            left.remove(who.n);
            erasure.sets.push((name.clone(), bytes(&left)?));
            self.world.people_mut().put(name, i64::try_from(*id).unwrap_or(i64::MAX), left);
        }
        for batch in self.batches_with(who.n)? {
            let mut left = bitmap(&batch.members)?;
            left.remove(who.n);
            erasure.leaves.push(Leaf { owner: batch.member_load.clone(), part: batch.number, leaf: leaf() });
            erasure.batches.push((batch.member_load, batch.number, bytes(&left)?));
        }
        let inside = |name: &str| within.iter().any(|(known, ..)| known == name);
        for (name, of) in self.world.corrected_sets() {
            if inside(&of) {
                let part = i64::from(inside(&name));
                erasure.leaves.push(Leaf { owner: name, part, leaf: leaf() });
            }
        }
        let people = self.world.people_mut();
        people.subjects.remove(kid, &who.hash);
        people.erased += 1;
        people.erasing += 1;
        people.fresh = people
            .fresh
            .iter()
            .map(|batch| {
                let records = batch.records.iter().filter(|row| row.n != n).cloned().collect();
                Arc::new(Waiting { at: batch.at, records })
            })
            .collect();
        self.batch.people.push(Change::Erase(erasure));
        Ok(Traces { sets: within.into_iter().map(|(name, id, _)| (name, id)).collect(), records: said })
    }

    /// How many people were erased from a load.
    ///
    /// # Errors
    /// What the database said.
    pub fn erased_of(&mut self, load: &str) -> Result<u64> {
        let stored: Vec<Vec<u8>> = erased_leaf::table
            .filter(erased_leaf::owner.eq(load))
            .select(erased_leaf::leaf)
            .distinct()
            .load(self.conn)?;
        let waiting = self.batch.people.iter().filter_map(|change| match change {
            Change::Erase(erasure) => Some(&erasure.leaves),
            _ => None,
        });
        let waiting = waiting.flatten().filter(|leaf| leaf.owner == load).map(|leaf| leaf.leaf.clone());
        Ok(stored.into_iter().chain(waiting).collect::<std::collections::HashSet<_>>().len() as u64)
    }

    /// Batches that somebody is in: of what is loaded, and of loads that are open.
    fn batches_with(&mut self, n: u32) -> Result<Vec<Batch>> {
        let finished = member_set::table.select(member_set::member_load).load::<String>(self.conn)?;
        let open: Vec<String> =
            member_load::table.filter(member_load::state.eq(OPEN)).select(member_load::id).load(self.conn)?;
        let waiting = self.batch.people.iter().filter_map(|change| match change {
            Change::Begin(load) => Some(load.id.clone()),
            _ => None,
        });
        let mut loads: Vec<String> = finished.into_iter().chain(open).chain(waiting).collect();
        loads.sort_unstable();
        loads.dedup();
        let mut found = Vec::new();
        for load in loads.iter().filter(|load| !load.is_empty()) {
            for batch in self.batches(load)? {
                if bitmap(&batch.members)?.contains(n) {
                    found.push(batch);
                }
            }
        }
        Ok(found)
    }
}

/// Write it.
pub(super) fn erase(conn: &mut Conn, erasure: &Erasure) -> Result<()> {
    securely(conn, |conn| {
        let nobody = erasure.n.to_be_bytes().to_vec();
        diesel::update(subject::table.find(erasure.n))
            .set((subject::kid.eq(NOBODY), subject::hash.eq(nobody), subject::salt.eq(Vec::<u8>::new())))
            .execute(conn)?;
        // What they spoke of is read from their records.
        checkpoints::erase(conn, erasure.n)?;
        diesel::delete(consent_record::table.filter(consent_record::n.eq(erasure.n))).execute(conn)?;
        // The digest of a request that recorded one thing would tell who said it: no retry of any is known any more.
        diesel::delete(idempotency::table.filter(idempotency::route.eq(RECORDING))).execute(conn)?;
        for id in &erasure.records {
            diesel::insert_into(erased_record::table).values(erased_record::record_id.eq(id)).execute(conn)?;
        }
        for (name, members) in &erasure.sets {
            diesel::update(member_set::table.find(name)).set(member_set::members.eq(members)).execute(conn)?;
        }
        for (load, number, members) in &erasure.batches {
            diesel::update(member_batch::table.find((load, number)))
                .set((member_batch::members.eq(members), member_batch::digest.eq(&erasure.blank)))
                .execute(conn)?;
        }
        for leaf in &erasure.leaves {
            diesel::insert_into(erased_leaf::table).values(leaf).execute(conn)?;
        }
        Ok(())
    })
}
