//! What an operation does with people: it sees what its group did before it, and writes nothing itself.

use diesel::prelude::*;
use roaring::RoaringBitmap;
use uuid::Uuid;

use super::{Batch, Change, Load, OPEN, Set, SubjectRow, bytes};
use crate::db::dictionary::{Hash, Salt, Subject};
use crate::db::schema::{member_batch, member_load};
use crate::db::{Projection, Tx};
use crate::error::{Error, Result};

impl<P: Projection> Tx<'_, P> {
    /// Learn whom other servers made known: once in a group, which holds the lock from then on.
    ///
    /// # Errors
    /// What the database said.
    pub(super) fn know_people(&mut self) -> Result<()> {
        if !self.batch.knows_people {
            self.world.people_mut().refresh(self.conn)?;
            self.batch.knows_people = true;
        }
        Ok(())
    }

    /// The subjects of these hashes, in their order; who is not known yet becomes known. Each hash once.
    ///
    /// # Errors
    /// No random bytes, no number left, or what the database said.
    pub fn intern(&mut self, kid: &str, hashes: &[Hash]) -> Result<Vec<Subject>> {
        self.know_people()?;
        let people = self.world.people_mut();
        let mut salts = vec![0u8; hashes.len() * size_of::<Salt>()];
        getrandom::fill(&mut salts).map_err(|e| Error::Unavailable(format!("no random bytes: {e}")))?;
        let (mut found, mut fresh, mut next) = (Vec::with_capacity(hashes.len()), Vec::new(), people.subjects.next());
        for (hash, salt) in hashes.iter().zip(salts.as_chunks().0) {
            let known = people.subjects.find(kid, hash);
            found.push(match known {
                Some(known) => known,
                None => {
                    let n = u32::try_from(next)
                        .map_err(|_| Error::Unavailable("2^32 subjects are known: no number is left".to_owned()))?;
                    next += 1;
                    let subject = Subject { hash: *hash, salt: *salt, n };
                    fresh.push(subject);
                    subject
                }
            });
        }
        let row = |one: &Subject| SubjectRow {
            n: i64::from(one.n),
            kid: kid.to_owned(),
            hash: one.hash.to_vec(),
            salt: one.salt.to_vec(),
        };
        if !fresh.is_empty() {
            self.batch.people.push(Change::Subjects(fresh.iter().map(row).collect()));
            people.subjects.add(kid, fresh);
        }
        Ok(found)
    }

    /// A load, with what this group did to it.
    ///
    /// # Errors
    /// What the database said.
    pub fn load(&mut self, id: Uuid) -> Result<Option<Load>> {
        let id = id.to_string();
        let stored: Option<Load> =
            member_load::table.find(&id).select(Load::as_select()).first(self.conn).optional()?;
        Ok(self.batch.people.iter().fold(stored, |load, change| match change {
            Change::Begin(one) | Change::Touch(one) | Change::Finish(one) if one.id == id => Some(one.clone()),
            Change::Drop(dropped) if *dropped == id => None,
            _ => load,
        }))
    }

    /// Open loads, of everybody.
    ///
    /// # Errors
    /// What the database said.
    pub fn open_loads(&mut self) -> Result<Vec<Load>> {
        let mut ids: Vec<String> =
            member_load::table.filter(member_load::state.eq(OPEN)).select(member_load::id).load(self.conn)?;
        ids.extend(self.batch.people.iter().filter_map(|change| match change {
            Change::Begin(load) => Some(load.id.clone()),
            _ => None,
        }));
        let mut open = Vec::new();
        for id in ids {
            let id = id.parse().map_err(|_| Error::Internal("table member_load: an id is none".to_owned()))?;
            open.extend(self.load(id)?.filter(|load| load.state == OPEN));
        }
        Ok(open)
    }

    /// What came of a load, by number.
    ///
    /// # Errors
    /// What the database said.
    pub fn batches(&mut self, id: &str) -> Result<Vec<Batch>> {
        let mut all: Vec<Batch> = member_batch::table
            .filter(member_batch::member_load.eq(id))
            .order(member_batch::number)
            .select(Batch::as_select())
            .load(self.conn)?;
        all.extend(self.batch.people.iter().filter_map(|change| match change {
            Change::Append(batch) if batch.member_load == id => Some(batch.clone()),
            _ => None,
        }));
        all.sort_by_key(|batch| batch.number);
        // Whoever this group took out before is not in them any more.
        for change in &self.batch.people {
            if let Change::Erase(erasure) = change {
                erasure.applied(&mut all);
            }
        }
        Ok(all)
    }

    /// One batch of a load.
    ///
    /// # Errors
    /// What the database said.
    pub fn batch(&mut self, id: &str, number: u32) -> Result<Option<Batch>> {
        let number = i64::from(number);
        let pending = self.batch.people.iter().find_map(|change| match change {
            Change::Append(batch) if batch.member_load == id && batch.number == number => Some(batch.clone()),
            _ => None,
        });
        match pending {
            Some(batch) => Ok(Some(batch)),
            None => {
                Ok(member_batch::table.find((id, number)).select(Batch::as_select()).first(self.conn).optional()?)
            }
        }
    }

    /// Begin a load.
    pub fn begin_load(&mut self, load: Load) {
        self.batch.people.push(Change::Begin(load));
    }

    /// Keep a batch of a load.
    pub fn keep_batch(&mut self, load: Load, batch: Batch) {
        self.batch.people.push(Change::Append(batch));
        self.batch.people.push(Change::Touch(Load { touched_at: Some(self.now.naive()), ..load }));
    }

    /// A load is finished. Its batches are kept with the members they make, or go where others brought the same.
    ///
    /// # Errors
    /// None in memory.
    pub fn finish_load(&mut self, load: Load, members: Option<(u64, RoaringBitmap)>) -> Result<()> {
        match members {
            Some((seq, members)) => {
                self.batch.people.push(Change::Members(Set {
                    dataset_version: load.dataset_version.clone(),
                    member_load: load.id.clone(),
                    seq: i64::try_from(seq).unwrap_or(i64::MAX),
                    members: bytes(&members)?,
                }));
                let people = self.world.people_mut();
                people.position = i64::try_from(seq).unwrap_or(i64::MAX);
                people.put(&load.dataset_version, people.position, members);
            }
            None => self.batch.people.push(Change::Forget(load.id.clone())),
        }
        self.batch.people.push(Change::Finish(load));
        Ok(())
    }

    /// Forget an open load with its batches. Who became known by it stays known.
    pub fn drop_load(&mut self, id: &str) {
        self.batch.people.push(Change::Drop(id.to_owned()));
    }
}
