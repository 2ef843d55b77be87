//! Subjects and members beside the ledger: erasable tables, written by the one writer with the group that holds them, and kept in
//! memory with the projection. The ledger knows of them by count and salted root only (GDPR Art. 17 leaves every proof valid).

mod check;
mod tx;

use std::collections::BTreeMap;
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use imbl::HashMap;
use roaring::RoaringBitmap;

use super::MultiBackend;
use super::conn::Conn;
use super::dictionary::{Dictionary, Hash, Salt, Subject};
use super::schema::{member_batch, member_load, member_set, subject};
use crate::error::{Error, Result};

pub use check::check;

/// Rows read or written at a time.
const PAGE: i64 = 20_000;
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
    /// It is finished; with its batches, or without where another load had brought the same members.
    Finish(Load),
    Forget(String),
    Drop(String),
    Members(Set),
}

/// Who is known, and who is in what.
#[derive(Clone, Default)]
pub struct People {
    subjects: Dictionary,
    members: HashMap<Arc<str>, Arc<RoaringBitmap>>,
    position: i64,
}

impl People {
    /// Members of a dataset version, by number.
    pub fn members(&self, dataset_version: &str) -> Option<&Arc<RoaringBitmap>> {
        self.members.get(dataset_version)
    }

    /// Read what stands in the tables and is not known yet.
    ///
    /// # Errors
    /// What the database said; a bitmap that is none.
    pub fn refresh(&mut self, conn: &mut Conn) -> Result<()> {
        loop {
            let next = i64::try_from(self.subjects.next()).unwrap_or(i64::MAX);
            let rows: Vec<SubjectRow> =
                subject::table.filter(subject::n.ge(next)).order(subject::n).limit(PAGE).load(conn)?;
            if rows.is_empty() {
                break;
            }
            let mut by_key: BTreeMap<String, Vec<Subject>> = BTreeMap::new();
            for row in rows {
                by_key.entry(row.kid.clone()).or_default().push(read(row)?);
            }
            for (kid, subjects) in by_key {
                self.subjects.add(&kid, subjects);
            }
        }
        let sets: Vec<Set> = member_set::table
            .filter(member_set::seq.gt(self.position))
            .order(member_set::seq)
            .select(Set::as_select())
            .load(conn)?;
        for set in sets {
            self.position = set.seq;
            self.members.insert(set.dataset_version.into(), Arc::new(bitmap(&set.members)?));
        }
        Ok(())
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

/// Write the changes of a group.
pub(super) fn flush(conn: &mut Conn, changes: Vec<Change>) -> Result<()> {
    for change in changes {
        match change {
            Change::Subjects(rows) => {
                for chunk in rows.chunks(CHUNK) {
                    let query = diesel::insert_into(subject::table).values(chunk);
                    match conn {
                        Conn::Postgres(pg) => query.execute(pg)?,
                        Conn::Sqlite(lite) => query.execute(lite)?,
                    };
                }
            }
            Change::Begin(load) => {
                diesel::insert_into(member_load::table).values(load).execute(conn)?;
            }
            Change::Append(batch) => {
                diesel::insert_into(member_batch::table).values(batch).execute(conn)?;
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
        }
    }
    Ok(())
}

/// SQLite would leave the bytes in the file: there they are overwritten.
fn forget(conn: &mut Conn, id: &str) -> Result<()> {
    if let Conn::Sqlite(lite) = conn {
        lite.batch_execute("PRAGMA secure_delete = ON")?;
    }
    diesel::delete(member_batch::table.filter(member_batch::member_load.eq(id))).execute(conn)?;
    if let Conn::Sqlite(lite) = conn {
        lite.batch_execute("PRAGMA secure_delete = OFF")?;
    }
    Ok(())
}
