//! Why something was retired, or its life changed: the fact that says so holds the digest of the reason.

use std::collections::HashMap;

use diesel::prelude::*;
use licit_schemas::digest::Digest;
use serde::Deserialize;

use super::RETIRED;
use crate::db::schema::ledger_entry;
use crate::db::{Conn, Row};
use crate::error::{Error, Result};

/// What of a fact says why.
#[derive(Deserialize)]
struct Why {
    #[serde(default)]
    reason_digest: Option<Digest>,
}

/// Whether the state of a row is one that is given a reason: retired, or of a dataset version whose life changed.
fn reasoned(row: &Row) -> bool {
    row.state == RETIRED || (row.kind == "dataset_version" && row.valid_from.is_some())
}

/// Digests of the reasons of the states of rows, where one was given, by the position of the state.
///
/// # Errors
/// What the database said.
pub fn reasons(conn: &mut Conn, rows: &[Row]) -> Result<HashMap<i64, String>> {
    let positions: Vec<i64> = rows.iter().filter(|row| reasoned(row)).map(|row| row.since_seq).collect();
    if positions.is_empty() {
        return Ok(HashMap::new());
    }
    let facts: Vec<(i64, String)> = ledger_entry::table
        .filter(ledger_entry::seq.eq_any(positions))
        .select((ledger_entry::seq, ledger_entry::data))
        .load(conn)?;
    let digest = |(seq, data): (i64, String)| {
        let why: Why = serde_json::from_str(&data).map_err(|e| Error::Internal(format!("ledger entry {seq}: {e}")))?;
        Ok(why.reason_digest.map(|digest| (seq, digest.to_string())))
    };
    facts.into_iter().filter_map(|fact| digest(fact).transpose()).collect()
}
