//! Facts between two positions about things of given names.

use std::collections::BTreeSet;

use diesel::prelude::*;
use licit_schemas::reports::FactView;
use licit_schemas::time::Timestamp;

use super::diff::about;
use crate::db::schema::ledger_entry;
use crate::db::{Conn, Projection};
use crate::error::{Error, Result};
use crate::facts::World;
use crate::gate::coverage::base;

/// Entries read at a time.
const PAGE: i64 = 1_000;

/// Facts told at most: each is judged once.
const MOST: usize = 5_000;

/// Facts after one position up to another about things of these names, oldest first.
///
/// # Errors
/// So many that the question should be divided.
pub fn facts(conn: &mut Conn, after: u64, upto: u64, names: &BTreeSet<String>) -> Result<Vec<FactView>> {
    let upto = i64::try_from(upto).unwrap_or(i64::MAX);
    let mut from = i64::try_from(after).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    while from < upto {
        let end = upto.min(from.saturating_add(PAGE));
        let page: Vec<(i64, String, i32, chrono::NaiveDateTime, String)> = ledger_entry::table
            .filter(ledger_entry::seq.gt(from))
            .filter(ledger_entry::seq.le(end))
            .order(ledger_entry::seq)
            .select((
                ledger_entry::seq,
                ledger_entry::kind,
                ledger_entry::version,
                ledger_entry::at,
                ledger_entry::data,
            ))
            .load(conn)?;
        for (seq, kind, version, at, data) in page {
            let fact = World::decode(&kind, u16::try_from(version).unwrap_or(u16::MAX), &data)?;
            let own = about(&fact);
            if let Some(first) =
                own.first().filter(|_| own.iter().any(|n| names.contains(n) || names.contains(base(n))))
            {
                let seq = u64::try_from(seq).unwrap_or(0);
                found.push(FactView { seq, kind, at: Timestamp::from_naive(at), about: first.clone() });
            }
        }
        if found.len() > MOST {
            let sentence = format!("more than {MOST} facts lie between: ask for a later `from`, or an earlier `to`");
            return Err(Error::invalid("/from", sentence));
        }
        from = end;
    }
    Ok(found)
}
