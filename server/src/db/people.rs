//! Subjects and members beside the ledger: erasable tables, written by the one writer with the group that holds them, and kept in
//! memory with the projection. The ledger knows of them by count and salted root only (GDPR Art. 17 leaves every proof valid).

mod check;
mod checkpoints;
mod erase;
mod proof;
mod said;
mod standing;
mod tx;
mod wills;

use std::collections::BTreeMap;
use std::sync::Arc;

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use roaring::RoaringBitmap;
use uuid::Uuid;

use super::MultiBackend;
use super::conn::Conn;
use super::conn::Manager;
use super::dictionary::{Dictionary, Hash, Salt, Subject};
use super::schema::{consent_batch, member_batch, member_load, member_set, subject};
use crate::error::{Error, Result};
use crate::maps::HashMap;
use standing::{Known, Wills};

pub use check::check;
pub use checkpoints::{Drawn, EVERY, unkept};
pub use erase::Traces;
pub(super) use said::Asked;
pub use said::{RecordId, began, since, somebody, subjects};
pub use standing::{Form, How, Standing, Wanted};
pub use wills::{Checkpoint, Fresh, LaneAt, Record};

/// Subjects sorted at once while they are read.
const RUN: usize = 1 << 20;
/// Rows written at a time.
const CHUNK: usize = 5_000;

/// Batches are taken.
pub const OPEN: &str = "open";
/// Its members count.
pub const FINISHED: &str = "finished";

/// A subject as the table holds it.
#[derive(Clone, Insertable, Queryable)]
#[diesel(table_name = subject)]
pub(super) struct SubjectRow {
    pub n: i64,
    pub kid: String,
    pub hash: Vec<u8>,
    pub salt: Vec<u8>,
}

/// A load of members.
#[derive(Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = member_load, check_for_backend(MultiBackend))]
pub struct Load {
    pub id: String,
    pub dataset_version: String,
    pub scope: String,
    pub kid: String,
    pub actor: String,
    pub created_at: chrono::NaiveDateTime,
    pub state: String,
    pub batches: i64,
    pub records: i64,
    /// When a batch last came.
    pub touched_at: Option<chrono::NaiveDateTime>,
}

/// A batch of a load.
#[derive(Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = member_batch, check_for_backend(MultiBackend))]
pub struct Batch {
    pub member_load: String,
    pub number: i64,
    pub digest: String,
    pub records: i64,
    pub root: Vec<u8>,
    pub members: Vec<u8>,
}

/// Members of a dataset version.
#[derive(Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = member_set, check_for_backend(MultiBackend))]
pub struct Set {
    pub dataset_version: String,
    pub member_load: String,
    pub seq: i64,
    pub members: Vec<u8>,
}

/// A change beside the ledger.
pub(super) enum Change {
    Subjects(Vec<SubjectRow>),
    Begin(Load),
    Append(Batch),
    /// A batch came.
    Touch(Load),
    /// It is finished; with its batches, or without where another load had brought the same members.
    Finish(Load),
    Forget(String),
    Drop(String),
    Members(Set),
    /// What people said, with the commitments of the whole batch.
    Said(Vec<Record>, Leaves),
    Checkpoint(Checkpoint),
    /// What an erased person said is kept apart.
    Prove(proof::Proof),
    /// It goes for good.
    Shred(Uuid),
    /// Somebody is taken out of everything.
    Erase(erase::Erasure),
}

/// Commitments of a batch of records, in order.
#[derive(Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = consent_batch, check_for_backend(MultiBackend))]
pub(super) struct Leaves {
    pub seq: i64,
    pub leaves: Vec<u8>,
}

/// The members of a dataset version.
#[derive(Clone, Debug)]
pub struct Members {
    /// Entry of the ledger that brought them.
    pub id: u64,
    /// Who, by number.
    pub who: Arc<RoaringBitmap>,
}

/// Who is known, who is in what, and what they said.
#[derive(Clone, Default)]
pub struct People {
    subjects: Dictionary,
    // A copy of the whole is made for every operation.
    members: Arc<HashMap<Arc<str>, Members>>,
    by_id: Arc<HashMap<u64, Arc<RoaringBitmap>>>,
    position: i64,
    /// Entries that are durable; those after it are of the group that runs.
    committed: u64,
    /// Records of the group that runs.
    fresh: Fresh,
    /// How many people were erased: what is remembered of before that is not used.
    erased: u64,
    /// How many of them by the group that runs: the table does not say so yet.
    erasing: u64,
    wills: Option<Arc<Wills>>,
}

impl People {
    /// Members of a dataset version.
    pub fn members(&self, dataset_version: &str) -> Option<&Members> {
        self.members.get(dataset_version)
    }

    /// Who allowed something after one moment and up to another, in microseconds since 1970.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub fn allowed_between(&self, wanted: &Wanted, from: i64, to: i64) -> Result<RoaringBitmap> {
        let wills = self.wills.as_ref().ok_or_else(standing::unread)?;
        wills.allowed_between(wanted, (from, to), &self.fresh)
    }

    /// Since when it has been known that the first of some people is against something, who are at the moment of what stands, in
    /// microseconds since 1970; where they are too many for their words to be read one by one, since when anybody said anything of it.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub fn against(&self, standing: &Standing, who: &RoaringBitmap, at: i64) -> Result<Option<i64>> {
        self.wills.as_ref().ok_or_else(standing::unread)?.against(standing, who, at, &self.fresh)
    }

    /// The last entry that was recorded by a moment, in microseconds since 1970.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub fn position_at(&self, at: i64) -> Result<u64> {
        self.wills.as_ref().ok_or_else(standing::unread)?.position_at(at)
    }

    /// When an entry that speaks of people was recorded; none where it is not durable yet and brought members.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub fn recorded_at(&self, position: u64) -> Result<Option<i64>> {
        let seq = i64::try_from(position).unwrap_or(i64::MAX);
        if let Some(batch) = self.fresh.iter().find(|batch| batch.records.first().is_some_and(|row| row.seq == seq)) {
            return Ok(Some(batch.at));
        }
        self.wills.as_ref().ok_or_else(standing::unread)?.recorded_at(position)
    }

    /// The number of somebody by pseudonym, if known.
    pub fn number(&self, kid: &str, hash: &Hash) -> Option<u32> {
        self.subjects.find(kid, hash).map(|subject| subject.n)
    }

    /// All member sets, by name, in no order.
    pub fn sets(&self) -> impl Iterator<Item = (&Arc<str>, &Members)> {
        self.members.iter()
    }

    /// Members by the entry that brought them.
    pub fn by_id(&self, id: u64) -> Option<Arc<RoaringBitmap>> {
        self.by_id.get(&id).cloned()
    }

    /// Names of the member sets that somebody is in, sorted.
    pub fn sets_with(&self, n: u32) -> Vec<String> {
        let within = self.members.iter().filter(|(_, members)| members.who.contains(n));
        let mut names: Vec<String> = within.map(|(name, _)| name.to_string()).collect();
        names.sort_unstable();
        names
    }

    /// From where what people said is read.
    pub(super) fn read_from(&mut self, manager: &Manager) {
        self.wills = Some(Arc::new(Wills::new(manager)));
    }

    /// Everything up to an entry is durable.
    pub(super) fn settled(&mut self, position: u64) {
        self.committed = position;
        self.erasing = 0;
        self.fresh.clear();
    }

    /// Whether the group that runs erased somebody.
    pub(super) fn is_erasing(&self) -> bool {
        self.erasing > 0
    }

    /// The same people as they were known at an entry.
    pub(super) fn as_of(&self, position: u64) -> Self {
        let mut then = self.clone();
        Arc::make_mut(&mut then.members).retain(|_, members| members.id <= position);
        Arc::make_mut(&mut then.by_id).retain(|id, _| *id <= position);
        then.settled(u64::MAX);
        then
    }

    /// For whom it stands at a moment, in microseconds since 1970: read on demand, and remembered. The answer follows from the
    /// entries named and the moment alone.
    ///
    /// # Errors
    /// The database cannot be asked.
    pub fn standing(&self, wanted: &Wanted, at: i64) -> Result<Arc<Standing>> {
        let wills = self.wills.as_ref().ok_or_else(standing::unread)?;
        let known = Known { committed: self.committed, erased: self.erased, aside: self.erasing > 0 };
        wills.standing(wanted, at, known, &self.fresh, |id| self.by_id.get(&id).cloned())
    }

    /// Read what stands in the tables and is not known yet.
    ///
    /// # Errors
    /// What the database said; a bitmap that is none.
    pub fn refresh(&mut self, conn: &mut Conn) -> Result<()> {
        let there = There::now(conn)?;
        let erased = u64::try_from(there.erased).unwrap_or(0);
        if self.erasing == 0 && erased != self.erased {
            // Another server erased somebody: who that was is known here still.
            *self = Self { committed: self.committed, wills: self.wills.clone(), erased, ..Self::default() };
        }
        if there.subject.is_some_and(|last| u64::try_from(last).unwrap_or(0) >= self.subjects.next()) {
            self.read_subjects(conn)?;
        }
        if there.set.is_none_or(|last| last <= self.position) {
            return Ok(());
        }
        let sets: Vec<Set> = member_set::table
            .filter(member_set::seq.gt(self.position))
            .order(member_set::seq)
            .select(Set::as_select())
            .load(conn)?;
        for set in sets {
            self.position = set.seq;
            self.put(&set.dataset_version, set.seq, bitmap(&set.members)?);
        }
        Ok(())
    }

    /// Subjects that are not known yet, row by row. At start that is the whole table, read as it lies: in the order of numbers the
    /// database would look each of ten million up.
    fn read_subjects(&mut self, conn: &mut Conn) -> Result<()> {
        let next = i64::try_from(self.subjects.next()).unwrap_or(i64::MAX);
        let mut coming = Coming { subjects: &mut self.subjects, by_key: BTreeMap::new() };
        macro_rules! take {
            ($conn:expr, $mode:ty) => {
                if next == 0 {
                    for row in subject::table.load_iter::<SubjectRow, $mode>($conn)? {
                        coming.take(row?)?;
                    }
                } else {
                    for row in subject::table.filter(subject::n.ge(next)).load_iter::<SubjectRow, $mode>($conn)? {
                        coming.take(row?)?;
                    }
                }
            };
        }
        match conn {
            Conn::Sqlite(lite) => take!(lite, DefaultLoadingMode),
            Conn::Postgres(pg) => take!(pg, PgRowByRowLoadingMode),
        }
        coming.end();
        Ok(())
    }

    fn put(&mut self, dataset_version: &str, seq: i64, members: RoaringBitmap) {
        let (id, who) = (u64::try_from(seq).unwrap_or(0), Arc::new(members));
        Arc::make_mut(&mut self.by_id).insert(id, who.clone());
        Arc::make_mut(&mut self.members).insert(dataset_version.into(), Members { id, who });
    }
}

/// What stands in the tables: how far they reach, in one statement.
#[derive(QueryableByName)]
struct There {
    /// How many people were erased: their rows name nobody.
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    erased: i64,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    subject: Option<i64>,
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::BigInt>)]
    set: Option<i64>,
}

impl There {
    fn now(conn: &mut Conn) -> Result<Self> {
        const QUERY: &str = "SELECT (SELECT count(*) FROM subject WHERE kid = '') AS erased, (SELECT max(n) FROM subject) AS subject, \
            (SELECT max(seq) FROM member_set) AS \"set\"";
        Ok(diesel::sql_query(QUERY).get_result(conn)?)
    }
}

/// Subjects on their way into the dictionary.
struct Coming<'d> {
    subjects: &'d mut Dictionary,
    by_key: BTreeMap<String, Vec<Subject>>,
}

impl Coming<'_> {
    fn take(&mut self, mut row: SubjectRow) -> Result<()> {
        if row.kid == erase::NOBODY {
            self.subjects.taken(u32::try_from(row.n).unwrap_or(u32::MAX));
            return Ok(());
        }
        let kid = std::mem::take(&mut row.kid);
        let subject = read(row)?;
        match self.by_key.get_mut(&kid) {
            Some(some) => {
                some.push(subject);
                if some.len() == RUN {
                    self.subjects.add(&kid, std::mem::take(some));
                }
            }
            None => _ = self.by_key.insert(kid, vec![subject]),
        }
        Ok(())
    }

    fn end(self) {
        for (kid, some) in self.by_key {
            self.subjects.add(&kid, some);
        }
    }
}

fn read(row: SubjectRow) -> Result<Subject> {
    let broken = || Error::Internal("table subject: a row is of another size".to_owned());
    let hash: Hash = row.hash.try_into().map_err(|_| broken())?;
    let salt: Salt = row.salt.try_into().map_err(|_| broken())?;
    Ok(Subject { hash, salt, n: u32::try_from(row.n).map_err(|_| broken())? })
}

/// A bitmap as a table holds it, in Roaring's portable form.
///
/// # Errors
/// Bytes that are none.
pub fn bitmap(bytes: &[u8]) -> Result<RoaringBitmap> {
    RoaringBitmap::deserialize_from(bytes).map_err(|e| Error::Internal(format!("stored bitmap: {e}")))
}

/// A bitmap for a table.
///
/// # Errors
/// None in memory.
pub fn bytes(bitmap: &RoaringBitmap) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(bitmap.serialized_size());
    bitmap.serialize_into(&mut bytes).map_err(|e| Error::Internal(format!("bitmap: {e}")))?;
    Ok(bytes)
}

/// Write the changes of a group, in their order. What requests say one by one goes in together: every statement is a way to the
/// database and back.
pub(super) fn flush(conn: &mut Conn, changes: Vec<Change>) -> Result<()> {
    let mut together = Together::default();
    for change in changes {
        if !matches!(change, Change::Subjects(_) | Change::Said(..)) {
            together.write(conn)?;
        }
        match change {
            Change::Subjects(rows) => together.subjects.extend(rows),
            Change::Said(records, leaves) => {
                together.records.extend(records);
                together.leaves.push(leaves);
            }
            Change::Begin(load) => {
                diesel::insert_into(member_load::table).values(load).execute(conn)?;
            }
            Change::Append(batch) => {
                diesel::insert_into(member_batch::table).values(batch).execute(conn)?;
            }
            Change::Touch(load) => {
                diesel::update(member_load::table.find(&load.id))
                    .set(member_load::touched_at.eq(load.touched_at))
                    .execute(conn)?;
            }
            Change::Finish(load) => {
                diesel::update(member_load::table.find(&load.id))
                    .set((
                        member_load::state.eq(&load.state),
                        member_load::batches.eq(load.batches),
                        member_load::records.eq(load.records),
                    ))
                    .execute(conn)?;
            }
            Change::Forget(id) => forget(conn, &id)?,
            Change::Drop(id) => {
                forget(conn, &id)?;
                diesel::delete(member_load::table.find(&id)).execute(conn)?;
            }
            Change::Members(set) => {
                diesel::insert_into(member_set::table).values(set).execute(conn)?;
            }
            Change::Prove(proof) => proof::keep(conn, proof)?,
            Change::Shred(id) => proof::shred(conn, id)?,
            Change::Erase(erasure) => erase::erase(conn, &erasure)?,
            Change::Checkpoint(checkpoint) => checkpoints::keep(conn, checkpoint)?,
        }
    }
    together.write(conn)
}

/// People made known and what they said, of several operations.
#[derive(Default)]
struct Together {
    subjects: Vec<SubjectRow>,
    records: Vec<Record>,
    leaves: Vec<Leaves>,
}

impl Together {
    /// Write it, and begin anew.
    fn write(&mut self, conn: &mut Conn) -> Result<()> {
        let Self { subjects, records, leaves } = std::mem::take(self);
        for chunk in subjects.chunks(CHUNK) {
            let query = diesel::insert_into(subject::table).values(chunk);
            match conn {
                Conn::Postgres(pg) => query.execute(pg)?,
                Conn::Sqlite(lite) => query.execute(lite)?,
            };
        }
        said::keep(conn, &records, &leaves)
    }
}

fn forget(conn: &mut Conn, id: &str) -> Result<()> {
    securely(conn, |conn| {
        diesel::delete(member_batch::table.filter(member_batch::member_load.eq(id))).execute(conn)?;
        Ok(())
    })
}

/// Change rows so that nothing of them is left: SQLite would leave the bytes in the file, and overwrites them here.
fn securely(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<()>) -> Result<()> {
    if let Conn::Sqlite(lite) = conn {
        lite.batch_execute("PRAGMA secure_delete = ON")?;
    }
    work(conn)?;
    if let Conn::Sqlite(lite) = conn {
        lite.batch_execute("PRAGMA secure_delete = OFF")?;
    }
    Ok(())
}
