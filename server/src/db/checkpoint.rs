//! What was signed of the tree, beside the ledger: no facts, and written by the same writer under the same lock, so that no two
//! servers sign two roots of one size.
//!
//! A checkpoint is promised before it is signed: first the row with size and root is made durable, if it continues the one before;
//! then, outside the lock, it is signed (which may ask a device far away); then the note is put beside. Whoever dies in between
//! leaves a promise that anybody may keep, and nobody can break.

use diesel::prelude::*;
use licit_schemas::digest::Digest;
use licit_schemas::ledger::TreeHead;
use licit_schemas::merkle;

use super::conn::Conn;
use super::migrate::digest;
use super::schema::{ledger_checkpoint, ledger_hash, ledger_head};
use super::tx::Tx;
use super::{MultiBackend, Projection};
use crate::error::{Error, Result};

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq, Insertable, Queryable, Selectable)]
#[diesel(table_name = ledger_checkpoint, check_for_backend(MultiBackend))]
pub struct CheckpointRow {
    /// Size of the tree.
    pub size: i64,
    /// Its root.
    pub root: Vec<u8>,
    /// The signed note; none while it is only promised.
    pub note: Option<String>,
}

/// A change of the table.
#[derive(Clone, Debug)]
pub(super) enum Keep {
    /// A promise.
    Promise(CheckpointRow),
    /// The note of a promise.
    Note(i64, String),
}

/// What came of asking to sign the tree as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Promise {
    /// It is promised; with its note where it was signed before.
    Made(TreeHead, Option<String>),
    /// It contradicts what was promised before: it is never signed.
    Contradicts(String),
}

impl<P: Projection> Tx<'_, P> {
    /// Promise to sign the tree as it is committed, if it continues what was promised last.
    ///
    /// # Errors
    /// What the database said.
    pub fn promise_checkpoint(&mut self) -> Result<Promise> {
        let head = committed(self.conn)?;
        let last = newest(self.conn)?;
        if let Some(row) = &last {
            let kept = kept_head(row)?;
            if let Err(why) = continues(self.conn, &kept, &head)? {
                return Ok(Promise::Contradicts(format!(
                    "the ledger of {} entries contradicts its checkpoint of {}: {why}",
                    head.size, kept.size
                )));
            }
            if kept.size == head.size {
                return Ok(Promise::Made(head, row.note.clone()));
            }
        }
        let row = CheckpointRow { size: to_i64(head.size), root: head.root.as_bytes().to_vec(), note: None };
        // A neighbour of the group may have promised the same.
        let same = |keep: &Keep| matches!(keep, Keep::Promise(other) if other.size == row.size);
        if !self.batch.checkpoints.iter().any(same) {
            self.batch.checkpoints.push(Keep::Promise(row));
        }
        Ok(Promise::Made(head, None))
    }

    /// Put the note beside what was promised. What is not promised is not kept.
    ///
    /// # Errors
    /// Nothing of that size and root was promised.
    pub fn keep_signed(&mut self, head: &TreeHead, note: String) -> Result<()> {
        let promised = at(self.conn, head.size)?.filter(|row| row.root == head.root.as_bytes());
        if promised.is_none() {
            return Err(Error::Internal(format!("no checkpoint of {} entries was promised", head.size)));
        }
        self.batch.checkpoints.push(Keep::Note(to_i64(head.size), note));
        Ok(())
    }
}

pub(super) fn flush(conn: &mut Conn, changes: Vec<Keep>) -> Result<()> {
    for change in changes {
        match change {
            Keep::Promise(row) => diesel::insert_into(ledger_checkpoint::table).values(&row).execute(conn)?,
            Keep::Note(size, note) => diesel::update(ledger_checkpoint::table.find(size))
                .set(ledger_checkpoint::note.eq(note))
                .execute(conn)?,
        };
    }
    Ok(())
}

fn to_i64(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn committed(conn: &mut Conn) -> Result<TreeHead> {
    let (size, root): (i64, Vec<u8>) =
        ledger_head::table.find(1).select((ledger_head::size, ledger_head::root)).first(conn)?;
    tree_head(size, &root)
}

fn tree_head(size: i64, root: &[u8]) -> Result<TreeHead> {
    let root = digest(root).ok_or_else(|| Error::Internal(format!("the root of {size} entries is not 32 bytes")))?;
    Ok(TreeHead { size: u64::try_from(size).unwrap_or(0), root })
}

/// Size and root of a row.
///
/// # Errors
/// A root that is not 32 bytes.
pub fn kept_head(row: &CheckpointRow) -> Result<TreeHead> {
    tree_head(row.size, &row.root)
}

/// The row of the largest size.
///
/// # Errors
/// What the database said.
pub fn newest(conn: &mut Conn) -> Result<Option<CheckpointRow>> {
    Ok(ledger_checkpoint::table
        .order(ledger_checkpoint::size.desc())
        .select(CheckpointRow::as_select())
        .first(conn)
        .optional()?)
}

/// The row of a size.
///
/// # Errors
/// What the database said.
pub fn at(conn: &mut Conn, size: u64) -> Result<Option<CheckpointRow>> {
    Ok(ledger_checkpoint::table.find(to_i64(size)).select(CheckpointRow::as_select()).first(conn).optional()?)
}

/// Whether a tree continues another, by the stored nodes: they are read, and not believed.
fn continues(conn: &mut Conn, old: &TreeHead, new: &TreeHead) -> Result<std::result::Result<(), String>> {
    if new.size < old.size {
        return Ok(Err("entries are gone".to_owned()));
    }
    if old.size == 0 {
        return Ok(if old.root == merkle::empty_root() {
            Ok(())
        } else {
            Err("the empty ledger has another root".into())
        });
    }
    let proof = match merkle::consistency_proof(old.size, new.size, |indexes| hashes(conn, indexes)) {
        Ok(proof) => proof,
        Err(merkle::ProveError::Read(Error::Internal(missing))) => return Ok(Err(missing)),
        Err(merkle::ProveError::Read(e)) => return Err(e),
        Err(e) => return Ok(Err(e.to_string())),
    };
    let held = merkle::verify_consistency(old.size, &old.root, new.size, &new.root, &proof);
    Ok(held.map_err(|e| e.to_string()))
}

/// Merkle nodes by stored index, in that order.
///
/// # Errors
/// One is missing, or what the database said.
pub fn hashes(conn: &mut Conn, indexes: &[u64]) -> Result<Vec<Digest>> {
    let wanted: Vec<i64> = indexes.iter().map(|i| to_i64(*i)).collect();
    let rows: Vec<(i64, Vec<u8>)> = ledger_hash::table.filter(ledger_hash::idx.eq_any(&wanted)).load(conn)?;
    let by_index: std::collections::HashMap<i64, Vec<u8>> = rows.into_iter().collect();
    let found = |i: &i64| by_index.get(i).and_then(|hash| digest(hash));
    wanted.iter().map(|i| found(i).ok_or_else(|| Error::Internal(format!("Merkle node {i} is missing")))).collect()
}
