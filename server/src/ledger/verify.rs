//! Checking the ledger in its tables: every entry against its data, the tree against the entries, no gap.

use diesel::prelude::*;
use licit_schemas::digest::Digest;
use licit_schemas::ledger::Entry;
use licit_schemas::merkle::{self, Edge};

use super::store;
use crate::db::Conn;
use crate::db::schema::{ledger_entry, ledger_hash};
use crate::error::Result;

const PAGE: i64 = 5_000;

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// Entries read.
    pub entries: u64,
    /// What is wrong, first things first; empty when all is well.
    pub faults: Vec<String>,
}

/// Check every entry, every Merkle node and the head.
///
/// # Errors
/// Only what keeps the check from being made.
pub fn ledger(conn: &mut Conn) -> Result<Report> {
    let mut report = Report::default();
    let mut edge = Edge::default();
    let mut nodes: Vec<(i64, Vec<u8>)> = Vec::new();
    let head = store::kept_head(conn)?;
    if head.is_none() {
        report.faults.push("the head is missing: table ledger_head has no row".to_owned());
    }
    let mut last = 0i64;
    loop {
        type Row = (i64, String, i32, chrono::NaiveDateTime, String, String, String);
        let page: Vec<Row> =
            ledger_entry::table.filter(ledger_entry::seq.gt(last)).order(ledger_entry::seq).limit(PAGE).load(conn)?;
        let Some(end) = page.last().map(|r| r.0) else { break };
        for (seq, kind, version, at, actor, text, data) in page {
            report.entries += 1;
            if u64::try_from(seq) != Ok(edge.size() + 1) {
                report.faults.push(format!("entry {} is missing", edge.size() + 1));
                return Ok(report);
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
                }
            }
            edge.push(merkle::leaf_hash(text.as_bytes()), |index, hash| {
                nodes.push((i64::try_from(index).unwrap_or(i64::MAX), hash.as_bytes().to_vec()));
            });
            if report.faults.len() >= 20 {
                return Ok(report);
            }
        }
        check_nodes(conn, &mut nodes, &mut report)?;
        last = end;
    }
    let Some(head) = head else { return Ok(report) };
    if edge.size() != head.size {
        report.faults.push(format!("the head says {} entries, there are {}", head.size, edge.size()));
    } else if edge.root() != head.root {
        report.faults.push("the entries do not add up to the head's root".to_owned());
    }
    Ok(report)
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
