//! Notes, and what a run measured, read from the tables.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use licit_schemas::digest::Digest;

use super::fact::{Metric, RunChange, RunChanged};
use super::filter::Place;
use super::project::FIGURES;
use crate::db::Conn;
use crate::db::schema::{note, resource};
use crate::error::{Error, Result};

/// Digests asked for at once.
const CHUNK: usize = 500;
/// Rows of figures read at once: each has those of one call, a thousand at most.
const ROWS: i64 = 100;

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

/// So many figures of a key that a run brought, in the order of steps, then moments, from the one after a place on; whether there are
/// more. However much a run measured, no more than one answer is held.
///
/// # Errors
/// What the database said.
pub fn history(
    conn: &mut Conn,
    run: &str,
    key: &str,
    after: Option<&Place>,
    limit: usize,
) -> Result<(Vec<Metric>, bool)> {
    let mut found: BTreeMap<Place, Metric> = BTreeMap::new();
    let (mut more, mut seen) = (false, 0);
    loop {
        let rows: Vec<(i64, String)> = resource::table
            .filter(resource::kind.eq("mlflow_run"))
            .filter(resource::parent.eq(run))
            .filter(resource::state.eq(FIGURES))
            .filter(resource::since_seq.gt(seen))
            .order(resource::since_seq)
            .limit(ROWS)
            .select((resource::since_seq, resource::doc))
            .load(conn)?;
        let Some((last, _)) = rows.last() else { break };
        seen = *last;
        for (_, doc) in rows {
            let fact: RunChanged =
                serde_json::from_str(&doc).map_err(|e| Error::Internal(format!("stored figures: {e}")))?;
            let RunChange::Logged { metrics, .. } = fact.change else { continue };
            for metric in metrics.into_iter().filter(|metric| metric.key == key) {
                let place = (metric.step, metric.timestamp, metric.value.clone());
                if after.is_none_or(|after| place > *after) {
                    found.insert(place, metric);
                }
                if found.len() > limit {
                    found.pop_last();
                    more = true;
                }
            }
        }
    }
    Ok((found.into_values().collect(), more))
}
