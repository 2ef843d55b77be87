//! Why something was retired: the fact that says so holds the digest of the reason.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{RETIRED, Retired};
use crate::db::schema::ledger_entry;
use crate::db::{Conn, Row};
use crate::error::{Error, Result};

/// Digests of the reasons of those of the rows that are retired, by the position of their state.
///
/// # Errors
/// What the database said.
pub fn reasons(conn: &mut Conn, rows: &[Row]) -> Result<HashMap<i64, String>> {
    let positions: Vec<i64> = rows.iter().filter(|row| row.state == RETIRED).map(|row| row.since_seq).collect();
    if positions.is_empty() {
        return Ok(HashMap::new());
    }
    let facts: Vec<(i64, String)> = ledger_entry::table
        .filter(ledger_entry::seq.eq_any(positions))
        .select((ledger_entry::seq, ledger_entry::data))
        .load(conn)?;
    let digest = |(seq, data): (i64, String)| {
        let fact: Retired =
            serde_json::from_str(&data).map_err(|e| Error::Internal(format!("ledger entry {seq}: {e}")))?;
        Ok((seq, fact.reason_digest.to_string()))
    };
    facts.into_iter().map(digest).collect()
}
