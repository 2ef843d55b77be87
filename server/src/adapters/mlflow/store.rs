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
/// Figures of any key that are looked at for a page.
const MOST: usize = 250_000;
/// What a row counts for, however few figures it has.
const LEAST: usize = 25;

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

/// So many figures of a key that a run brought, from a place on, and where the next page begins, if there is more to look at. Pages
/// follow each other as the figures came, so that none is read for nothing; within a page they stand in the order of steps, then
/// moments, and what a client brought twice is one. However much a run measured, no more than one answer is held.
///
/// # Errors
/// What the database said.
pub fn history(
    conn: &mut Conn,
    run: &str,
    key: &str,
    from: Option<Place>,
    limit: usize,
) -> Result<(Vec<Metric>, Option<Place>)> {
    let mut found: BTreeMap<(i64, i64, String), Metric> = BTreeMap::new();
    let (first, skip) = from.unwrap_or_default();
    let (mut from, mut looked) = (first, 0);
    loop {
        let rows: Vec<(i64, String)> = resource::table
            .filter(resource::kind.eq("mlflow_run"))
            .filter(resource::parent.eq(run))
            .filter(resource::state.eq(FIGURES))
            .filter(resource::since_seq.ge(from))
            .order(resource::since_seq)
            .limit(ROWS)
            .select((resource::since_seq, resource::doc))
            .load(conn)?;
        if rows.is_empty() {
            return Ok((found.into_values().collect(), None));
        }
        for (seq, doc) in rows {
            from = seq.saturating_add(1);
            let fact: RunChanged =
                serde_json::from_str(&doc).map_err(|e| Error::Internal(format!("stored figures: {e}")))?;
            let RunChange::Logged { metrics, .. } = fact.change else { continue };
            looked += metrics.len().max(LEAST);
            for (index, metric) in (0..).zip(metrics) {
                if metric.key != key || (seq == first && index < skip) {
                    continue;
                }
                let place = (metric.step, metric.timestamp, metric.value.clone());
                if found.len() >= limit && !found.contains_key(&place) {
                    return Ok((found.into_values().collect(), Some((seq, index))));
                }
                found.insert(place, metric);
            }
            if looked >= MOST {
                return Ok((found.into_values().collect(), Some((from, 0))));
            }
        }
    }
}
