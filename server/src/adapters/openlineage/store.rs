//! The quarantine, and events that were kept as they came, read.

use std::collections::HashMap;

use diesel::prelude::*;
use licit_schemas::digest::Digest;
use licit_schemas::openlineage::{KeptEvent, QuarantinedEvent};
use licit_schemas::resource::Page;
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use crate::db::Conn;
use crate::db::received::{Quarantined, inflated};
use crate::db::schema::{ledger_entry, lineage_event, lineage_quarantine};
use crate::error::{Error, Result};

/// Events on a page.
const PAGE: i64 = 100;

/// Events in quarantine, oldest first.
///
/// # Errors
/// What the database said.
pub fn list(conn: &mut Conn, after: &str) -> Result<Page<QuarantinedEvent>> {
    type Columns = (String, String, chrono::NaiveDateTime, String, i64);
    let rows: Vec<Columns> = lineage_quarantine::table
        .filter(lineage_quarantine::id.gt(after))
        .order(lineage_quarantine::id)
        .limit(PAGE + 1)
        .select((
            lineage_quarantine::id,
            lineage_quarantine::reason,
            lineage_quarantine::received_at,
            lineage_quarantine::actor,
            lineage_quarantine::size,
        ))
        .load(conn)?;
    let full = i64::try_from(rows.len()).is_ok_and(|count| count > PAGE);
    let mut items: Vec<QuarantinedEvent> = rows
        .into_iter()
        .map(|(id, reason, received_at, actor, size)| QuarantinedEvent {
            id,
            reason,
            received_at: Timestamp::from_naive(received_at),
            actor,
            size: u64::try_from(size).unwrap_or(0),
            event: None,
        })
        .collect();
    if full {
        items.pop();
    }
    let next = items.last().filter(|_| full).map(|last| last.id.clone());
    Ok(Page { items, next })
}

/// Events that were recorded, oldest first.
///
/// # Errors
/// What the database said.
pub fn kept(conn: &mut Conn, after: i64) -> Result<Page<KeptEvent>> {
    let rows: Vec<(String, i64, Vec<u8>)> = lineage_event::table
        .filter(lineage_event::seq.gt(after))
        .order(lineage_event::seq)
        .limit(PAGE + 1)
        .select((lineage_event::digest, lineage_event::seq, lineage_event::salt))
        .load(conn)?;
    let full = i64::try_from(rows.len()).is_ok_and(|count| count > PAGE);
    let entries: Vec<i64> = rows.iter().map(|(_, seq, _)| *seq).collect();
    let moments: Vec<(i64, chrono::NaiveDateTime)> = ledger_entry::table
        .filter(ledger_entry::seq.eq_any(entries))
        .select((ledger_entry::seq, ledger_entry::at))
        .load(conn)?;
    let moments: HashMap<i64, chrono::NaiveDateTime> = moments.into_iter().collect();
    let mut items: Vec<KeptEvent> = rows
        .into_iter()
        .filter_map(|(digest, seq, salt)| Some(shown(digest, seq, *moments.get(&seq)?, &salt)))
        .collect();
    if full {
        items.pop();
    }
    let next = items.last().filter(|_| full).map(|last| last.position.to_string());
    Ok(Page { items, next })
}

/// One of them, as it came.
///
/// # Errors
/// No such event.
pub fn kept_one(conn: &mut Conn, digest: &Digest) -> Result<KeptEvent> {
    let found: Option<(String, i64, Vec<u8>, Vec<u8>)> =
        lineage_event::table.find(digest.to_string()).first(conn).optional()?;
    let none = || Error::NotFound(format!("no event with the digest `{digest}` was recorded"));
    let (digest, seq, salt, body) = found.ok_or_else(none)?;
    let at = ledger_entry::table.find(seq).select(ledger_entry::at).first(conn)?;
    let mut one = shown(digest, seq, at, &salt);
    if !one.erased {
        let text = String::from_utf8_lossy(&inflated(&body)?).into_owned();
        one.event = Some(serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text)));
    }
    Ok(one)
}

fn shown(digest: String, seq: i64, at: chrono::NaiveDateTime, salt: &[u8]) -> KeptEvent {
    KeptEvent {
        digest,
        position: u64::try_from(seq).unwrap_or(0),
        received_at: Timestamp::from_naive(at),
        erased: salt.is_empty(),
        event: None,
    }
}

/// One event in quarantine, with what came.
///
/// # Errors
/// No such event.
pub fn get(conn: &mut Conn, id: Uuid) -> Result<QuarantinedEvent> {
    let found: Option<Quarantined> =
        lineage_quarantine::table.find(id.to_string()).select(Quarantined::as_select()).first(conn).optional()?;
    let one = found.ok_or_else(|| Error::NotFound(format!("there is no event `{id}` in quarantine")))?;
    let text = String::from_utf8_lossy(&inflated(&one.body)?).into_owned();
    // Deeper than a document may be, it is shown as text.
    let event = serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text));
    Ok(QuarantinedEvent {
        id: one.id,
        reason: one.reason,
        received_at: Timestamp::from_naive(one.received_at),
        actor: one.actor,
        size: u64::try_from(one.size).unwrap_or(0),
        event: Some(event),
    })
}
