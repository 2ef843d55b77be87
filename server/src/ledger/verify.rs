//! Checking the ledger in its tables: every entry against its data, the tree against the entries, no gap.

use std::collections::BTreeMap;

use diesel::prelude::*;
use licit_schemas::digest::Digest;
use licit_schemas::ledger::{Entry, TreeHead};
use licit_schemas::merkle::{self, Edge};
use licit_schemas::proof::checkpoint::SignedCheckpoint;
use licit_schemas::proof::ring::KeyRing;

use super::store;
use crate::db::Conn;
use crate::db::checkpoint::CheckpointRow;
use crate::db::schema::{ledger_checkpoint, ledger_entry, ledger_hash};
use crate::error::{Error, Result};

const PAGE: i64 = 5_000;
/// Faults after which a check ends: there would be no end of them.
const MOST_FAULTS: usize = 20;

/// An entry as stored: position, kind, version, time, actor, entry, data.
type Row = (i64, String, i32, chrono::NaiveDateTime, String, String, String);

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// Entries read.
    pub entries: u64,
    /// What is wrong, first things first; empty when all is well.
    pub faults: Vec<String>,
}

/// Check every entry, every Merkle node, the head, and every checkpoint with its signatures.
///
/// # Errors
/// Only what keeps the check from being made.
pub fn ledger(conn: &mut Conn) -> Result<Report> {
    let mut report = Report::default();
    let mut check = Check::default();
    let head = match store::kept_head(conn) {
        Ok(head) => head,
        Err(Error::Internal(why)) => {
            report.faults.push(why);
            return Ok(report);
        }
        Err(e) => return Err(e),
    };
    if head.is_none() {
        report.faults.push("the head is missing: table ledger_head has no row".to_owned());
    }
    let mut last = 0i64;
    loop {
        let (page, unread) = page(conn, last)?;
        let Some(end) = page.last().map(|row| row.0).filter(|_| unread.is_none()) else {
            if let Some(fault) = unread {
                report.faults.push(fault);
                return Ok(report);
            }
            break;
        };
        let signed = signed(conn, last, end, &mut report)?;
        for row in page {
            report.entries += 1;
            let seq = row.0;
            if !check.entry(row, &mut report) {
                return Ok(report);
            }
            if let Some(row) = signed.get(&seq) {
                check.checkpoint(row, &mut report);
            }
            if report.faults.len() >= MOST_FAULTS {
                return Ok(report);
            }
        }
        check_nodes(conn, &mut check.nodes, &mut report)?;
        last = end;
    }
    beyond(conn, check.edge.size(), &mut report)?;
    let Some(head) = head else { return Ok(report) };
    let edge = &check.edge;
    if edge.size() != head.size {
        report.faults.push(format!("the head says {} entries, there are {}", head.size, edge.size()));
    } else if edge.root() != head.root {
        report.faults.push("the entries do not add up to the head's root".to_owned());
    }
    Ok(report)
}

/// What the entries so far make.
#[derive(Default)]
struct Check {
    edge: Edge,
    ring: KeyRing,
    nodes: Vec<(i64, Vec<u8>)>,
}

impl Check {
    /// Whether the next one is the next one; what else is wrong with it is reported.
    fn entry(&mut self, (seq, kind, version, at, actor, text, data): Row, report: &mut Report) -> bool {
        if u64::try_from(seq) != Ok(self.edge.size() + 1) {
            report.faults.push(format!("entry {} is missing", self.edge.size() + 1));
            return false;
        }
        match serde_json::from_str::<Entry>(&text) {
            Err(e) => report.faults.push(format!("entry {seq} cannot be read: {e}")),
            Ok(entry) => {
                let canonical = licit_schemas::json::canonical(&entry).unwrap_or_default();
                if canonical != text {
                    report.faults.push(format!("entry {seq} is not in canonical form"));
                }
                if entry.data != Digest::of(data.as_bytes()) {
                    report.faults.push(format!("entry {seq}: its data are not those it commits to"));
                }
                let columns =
                    (i64::try_from(entry.seq).ok(), entry.kind.as_str(), i32::from(entry.v), entry.at.naive());
                if columns != (Some(seq), kind.as_str(), version, at) || entry.actor.0.to_string() != actor {
                    report.faults.push(format!("entry {seq}: its columns differ from what was hashed"));
                }
                if let Err(why) = self.ring.fold(entry.seq, &entry.kind, entry.v, &data) {
                    report.faults.push(format!("entry {seq}: {why}"));
                }
            }
        }
        let nodes = &mut self.nodes;
        self.edge.push(merkle::leaf_hash(text.as_bytes()), |index, hash| {
            nodes.push((i64::try_from(index).unwrap_or(i64::MAX), hash.as_bytes().to_vec()));
        });
        true
    }

    /// A checkpoint of the tree as it is now.
    fn checkpoint(&self, row: &CheckpointRow, report: &mut Report) {
        let mut wrong = |why: &dyn std::fmt::Display| {
            report.faults.push(format!("the checkpoint of {} entries does not hold: {why}", row.size));
        };
        if row.root != self.edge.root().as_bytes() {
            wrong(&"its root is not the one the entries make");
        }
        let Some(note) = &row.note else { return };
        let head = TreeHead { size: self.edge.size(), root: self.edge.root() };
        match SignedCheckpoint::parse(note.as_bytes()) {
            Err(e) => wrong(&e),
            Ok(signed) if signed.checkpoint.head != head => wrong(&"its note is of another tree"),
            Ok(signed) => match self.ring.verify(&signed) {
                Err(e) => wrong(&e),
                Ok(others) if !others.is_empty() => wrong(&format_args!("it is signed by {} too", others.join(", "))),
                Ok(_) => {}
            },
        }
    }
}

/// The next entries; where one cannot even be read, its fault.
fn page(conn: &mut Conn, last: i64) -> Result<(Vec<Row>, Option<String>)> {
    let rows = |conn: &mut Conn, limit: i64, offset: i64| {
        ledger_entry::table
            .filter(ledger_entry::seq.gt(last))
            .order(ledger_entry::seq)
            .limit(limit)
            .offset(offset)
            .load::<Row>(conn)
    };
    let whole = rows(conn, PAGE, 0);
    let Err(diesel::result::Error::DeserializationError(_)) = whole else { return Ok((whole?, None)) };
    let mut page = Vec::new();
    loop {
        let next = i64::try_from(page.len()).unwrap_or(i64::MAX);
        match rows(conn, 1, next) {
            Ok(mut one) => match one.pop() {
                Some(row) => page.push(row),
                None => return Ok((page, None)),
            },
            Err(diesel::result::Error::DeserializationError(e)) => {
                let seq = page.last().map_or(last, |row: &Row| row.0) + 1;
                return Ok((page, Some(format!("entry {seq} cannot be read: {e}"))));
            }
            Err(e) => return Err(e.into()),
        }
    }
}

/// Checkpoints of the trees that end with these entries, by size; one that cannot even be read is reported.
fn signed(conn: &mut Conn, after: i64, end: i64, report: &mut Report) -> Result<BTreeMap<i64, CheckpointRow>> {
    let among = || ledger_checkpoint::size.gt(after).and(ledger_checkpoint::size.le(end));
    let rows = ledger_checkpoint::table.filter(among()).select(CheckpointRow::as_select()).load(conn);
    let rows: Vec<CheckpointRow> = match rows {
        Err(diesel::result::Error::DeserializationError(_)) => {
            let sizes: Vec<i64> =
                ledger_checkpoint::table.filter(among()).select(ledger_checkpoint::size).load(conn)?;
            let mut rows = Vec::new();
            for size in sizes {
                match ledger_checkpoint::table.find(size).select(CheckpointRow::as_select()).first(conn) {
                    Err(diesel::result::Error::DeserializationError(e)) => {
                        report
                            .faults
                            .push(format!("the checkpoint of {size} entries does not hold: it cannot be read: {e}"));
                    }
                    row => rows.push(row?),
                }
            }
            rows
        }
        rows => rows?,
    };
    Ok(rows.into_iter().map(|row| (row.size, row)).collect())
}

/// What there is of more entries than there are.
fn beyond(conn: &mut Conn, size: u64, report: &mut Report) -> Result<()> {
    let entries = i64::try_from(size).unwrap_or(i64::MAX);
    let sizes: Vec<i64> = ledger_checkpoint::table
        .filter(ledger_checkpoint::size.gt(entries).or(ledger_checkpoint::size.lt(0)))
        .order(ledger_checkpoint::size)
        .limit(3)
        .select(ledger_checkpoint::size)
        .load(conn)?;
    for signed in sizes {
        report.faults.push(format!("the checkpoint of {signed} entries does not hold: there are {size}"));
    }
    let empty: Option<CheckpointRow> =
        ledger_checkpoint::table.find(0).select(CheckpointRow::as_select()).first(conn).optional()?;
    if empty.is_some_and(|row| row.note.is_some() || row.root != merkle::empty_root().as_bytes()) {
        report.faults.push("the checkpoint of 0 entries does not hold: no key was known then".to_owned());
    }
    let nodes = i64::try_from(stored(size)).unwrap_or(i64::MAX);
    let extra: Option<i64> = ledger_hash::table
        .filter(ledger_hash::idx.ge(nodes).or(ledger_hash::idx.lt(0)))
        .order(ledger_hash::idx)
        .select(ledger_hash::idx)
        .first(conn)
        .optional()?;
    if let Some(index) = extra {
        report.faults.push(format!("Merkle node {index} is of no entry"));
    }
    Ok(())
}

/// How many nodes a tree has.
fn stored(size: u64) -> u64 {
    // One per leaf, and one per complete pair on each level above.
    (0..64).map(|level| size >> level).sum()
}

/// Stored nodes are those the entries make.
fn check_nodes(conn: &mut Conn, nodes: &mut Vec<(i64, Vec<u8>)>, report: &mut Report) -> Result<()> {
    let (Some(first), Some(last)) = (nodes.iter().map(|n| n.0).min(), nodes.iter().map(|n| n.0).max()) else {
        return Ok(());
    };
    let stored: std::collections::HashMap<i64, Vec<u8>> =
        ledger_hash::table.filter(ledger_hash::idx.between(first, last)).load(conn)?.into_iter().collect();
    for (index, hash) in nodes.drain(..) {
        if stored.get(&index) != Some(&hash) {
            report.faults.push(format!("Merkle node {index} is not what the entries make"));
        }
    }
    Ok(())
}
