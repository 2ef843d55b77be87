//! Receivers, what failed, and entries to be told, read from the tables.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use licit_schemas::events::{CloudEvent, Delivery, DeliveryState};
use licit_schemas::ledger::Entry;
use licit_schemas::resource::Page;
use licit_schemas::time::Timestamp;

use crate::db::Conn;
use crate::db::outbox::{DEAD, Failed, Receiver, WAITING};
use crate::db::schema::{ledger_entry, webhook, webhook_delivery};
use crate::error::{Error, Result};

/// All receivers, oldest first.
///
/// # Errors
/// What the database said.
pub fn receivers(conn: &mut Conn) -> Result<Vec<Receiver>> {
    Ok(webhook::table.order(webhook::id).select(Receiver::as_select()).load(conn)?)
}

/// Waiting and dead deliveries by receiver.
///
/// # Errors
/// What the database said.
pub fn figures(conn: &mut Conn) -> Result<BTreeMap<(String, String), u64>> {
    let rows: Vec<(String, String, i64)> = webhook_delivery::table
        .group_by((webhook_delivery::webhook, webhook_delivery::state))
        .select((webhook_delivery::webhook, webhook_delivery::state, diesel::dsl::count_star()))
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, state, n)| ((id, state), u64::try_from(n).unwrap_or(0))).collect())
}

/// Receivers with something to be tried again by now.
///
/// # Errors
/// What the database said.
pub fn due(conn: &mut Conn, now: Timestamp) -> Result<BTreeSet<String>> {
    let ids: Vec<String> = webhook_delivery::table
        .filter(webhook_delivery::state.eq(WAITING))
        .filter(webhook_delivery::next_at.le(now.naive()))
        .select(webhook_delivery::webhook)
        .distinct()
        .load(conn)?;
    Ok(ids.into_iter().collect())
}

/// What is to be tried again for a receiver by now, oldest event first.
///
/// # Errors
/// What the database said.
pub fn due_for(conn: &mut Conn, id: &str, now: Timestamp, limit: i64) -> Result<Vec<Failed>> {
    Ok(webhook_delivery::table
        .filter(webhook_delivery::webhook.eq(id))
        .filter(webhook_delivery::state.eq(WAITING))
        .filter(webhook_delivery::next_at.le(now.naive()))
        .order(webhook_delivery::seq)
        .limit(limit)
        .select(Failed::as_select())
        .load(conn)?)
}

/// Deliveries that failed, oldest event first.
///
/// # Errors
/// A limit out of range.
pub fn deliveries(
    conn: &mut Conn,
    id: &str,
    state: Option<DeliveryState>,
    after: u64,
    limit: u16,
) -> Result<Page<Delivery>> {
    if !(1..=1000).contains(&limit) {
        return Err(Error::invalid(
            "/limit",
            format!("`{limit}` is out of range: ask for 1 to 1000 deliveries a page"),
        ));
    }
    let states = match state {
        Some(DeliveryState::Waiting) => vec![WAITING],
        Some(DeliveryState::Dead) => vec![DEAD],
        None => vec![WAITING, DEAD],
    };
    let rows: Vec<Failed> = webhook_delivery::table
        .filter(webhook_delivery::webhook.eq(id))
        .filter(webhook_delivery::state.eq_any(states))
        .filter(webhook_delivery::seq.gt(i64::try_from(after).unwrap_or(i64::MAX)))
        .order(webhook_delivery::seq)
        .limit(i64::from(limit))
        .select(Failed::as_select())
        .load(conn)?;
    let full = rows.len() == usize::from(limit);
    let next = rows.last().filter(|_| full).map(|row| row.seq.to_string());
    let items = rows
        .into_iter()
        .map(|row| Delivery {
            seq: u64::try_from(row.seq).unwrap_or(0),
            state: if row.state == DEAD { DeliveryState::Dead } else { DeliveryState::Waiting },
            attempts: u32::try_from(row.attempts).unwrap_or(0),
            next_at: Timestamp::from_naive(row.next_at),
            status: u16::try_from(row.status).ok().filter(|status| *status > 0),
            error: row.error,
        })
        .collect();
    Ok(Page { items, next })
}

type Stored = (i64, String, String);

fn told(source: &str, (seq, entry, data): &Stored) -> Result<CloudEvent> {
    let broken = |e: serde_json::Error| Error::Internal(format!("ledger entry {seq}: {e}"));
    let entry: Entry = serde_json::from_str(entry).map_err(broken)?;
    Ok(super::event(source, &entry, serde_json::from_str(data).map_err(broken)?))
}

/// Events after a position up to another, of some kinds, oldest first, each with its position.
///
/// # Errors
/// What the database said.
pub fn events(
    conn: &mut Conn,
    source: &str,
    kinds: &[&str],
    (after, until): (i64, i64),
    limit: i64,
) -> Result<Vec<(i64, CloudEvent)>> {
    let rows: Vec<Stored> = ledger_entry::table
        .filter(ledger_entry::seq.gt(after))
        .filter(ledger_entry::seq.le(until))
        .filter(ledger_entry::kind.eq_any(kinds))
        .order(ledger_entry::seq)
        .limit(limit)
        .select((ledger_entry::seq, ledger_entry::entry, ledger_entry::data))
        .load(conn)?;
    rows.iter().map(|row| Ok((row.0, told(source, row)?))).collect()
}

/// One event, whatever its kind.
///
/// # Errors
/// What the database said.
pub fn event(conn: &mut Conn, source: &str, seq: i64) -> Result<Option<CloudEvent>> {
    let row: Option<Stored> = ledger_entry::table
        .find(seq)
        .select((ledger_entry::seq, ledger_entry::entry, ledger_entry::data))
        .first(conn)
        .optional()?;
    row.map(|row| told(source, &row)).transpose()
}
