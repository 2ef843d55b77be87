//! Notes, and what a run measured, read from the tables.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use licit_schemas::digest::Digest;

use super::fact::{Metric, RunChange, RunChanged};
use super::project::FIGURES;
use crate::db::Conn;
use crate::db::schema::{note, resource};
use crate::error::{Error, Result};

/// Digests asked for at once.
const CHUNK: usize = 500;
/// Figures that one answer may be looked for in.
const MOST_ROWS: i64 = 200_000;

/// Texts of notes by their digests, as far as they were not erased.
///
/// # Errors
/// What the database said.
pub fn notes(conn: &mut Conn, digests: &[Digest]) -> Result<HashMap<Digest, String>> {
    let mut found = HashMap::new();
    for chunk in digests.chunks(CHUNK) {
        let wanted: Vec<String> = chunk.iter().map(ToString::to_string).collect();
        let rows: Vec<(String, String)> =
            note::table.filter(note::digest.eq_any(wanted)).select((note::digest, note::text)).load(conn)?;
        found.extend(rows.into_iter().filter_map(|(digest, text)| Some((digest.parse().ok()?, text))));
    }
    Ok(found)
}

/// Every figure of a key that a run brought, in the order of steps, then moments.
///
/// # Errors
/// What the database said.
pub fn history(conn: &mut Conn, run: &str, key: &str) -> Result<Vec<Metric>> {
    let docs: Vec<String> = resource::table
        .filter(resource::kind.eq("mlflow_run"))
        .filter(resource::parent.eq(run))
        .filter(resource::state.eq(FIGURES))
        .order(resource::since_seq)
        .limit(MOST_ROWS)
        .select(resource::doc)
        .load(conn)?;
    let mut found = Vec::new();
    for doc in docs {
        let fact: RunChanged =
            serde_json::from_str(&doc).map_err(|e| Error::Internal(format!("stored figures: {e}")))?;
        if let RunChange::Logged { metrics, .. } = fact.change {
            found.extend(metrics.into_iter().filter(|metric| metric.key == key));
        }
    }
    found.sort_by_key(|metric| (metric.step, metric.timestamp));
    // Clients bring figures of a run again when they log its model.
    let mut seen = HashSet::new();
    found.retain(|metric| seen.insert((metric.step, metric.timestamp, metric.value.clone())));
    Ok(found)
}
