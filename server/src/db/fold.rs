//! Folding entries of the ledger: into memory at start and when catching up, into other tables, into its own anew.

use diesel::prelude::*;
use licit_schemas::merkle;
use licit_schemas::time::Timestamp;

use super::Projection;
use super::conn::Conn;
use super::rows::{At, Rows};
use super::schema::{ledger_entry, lineage_edge, resource};
use super::tx::{Batch, Pending};
use super::writer::{State, flush, lock};
use crate::error::{Error, Result};

/// Entries read at a time.
const PAGE: i64 = 1_000;

/// An entry as stored: position, kind, version, time, actor, entry, data.
type Stored = (i64, String, i32, chrono::NaiveDateTime, String, String, String);

/// Fold entries after the known position up to `size` into memory; with `hash`, into the tree's edge too.
pub(super) fn fold<P: Projection>(conn: &mut Conn, state: &mut State<P>, size: i64, hash: bool) -> Result<()> {
    let mut rows = Rows::discarding();
    loop {
        let known = i64::try_from(state.world.position()).unwrap_or(i64::MAX);
        if known >= size {
            return Ok(());
        }
        for stored in page(conn, &state.world, size)? {
            let leaf = hash.then(|| merkle::leaf_hash(stored.5.as_bytes()));
            let (at, fact) = read_fact::<P>(&state.world, stored)?;
            state.world.apply(&at, &fact, &mut rows);
            state.last = state.last.max(at.time);
            if let Some(leaf) = leaf {
                state.edge.push(leaf, |_, _| {});
            }
        }
        let now_known = i64::try_from(state.world.position()).unwrap_or(i64::MAX);
        if now_known == known {
            return Err(Error::Internal(format!("ledger entry {} is missing", known + 1)));
        }
    }
}

/// Fold entries after what a projection knows, up to a position, into it. Nothing is written.
pub(super) fn fold_on<P: Projection>(conn: &mut Conn, world: P, position: u64) -> Result<P> {
    let mut state = State::before(world);
    fold(conn, &mut state, i64::try_from(position).unwrap_or(i64::MAX), false)?;
    Ok(state.world)
}

/// Fold a ledger into another, empty database: the same projection, the same flush.
pub(super) fn fold_into<P: Projection>(live: &mut Conn, empty: &mut Conn) -> Result<()> {
    let mut state = State::before(P::default());
    loop {
        let page = page(live, &state.world, i64::MAX)?;
        if page.is_empty() {
            return Ok(());
        }
        #[expect(clippy::disallowed_methods, reason = "a page of entries is written whole")]
        empty.transaction(|empty| {
            let mut batch = Batch::default();
            for stored in page {
                let (at, fact) = read_fact::<P>(&state.world, stored)?;
                let encoded = P::encode(&fact)?;
                state.world.apply(&at, &fact, &mut batch.rows);
                batch.facts.push(Pending { at, fact: encoded });
            }
            flush(empty, &mut state, batch)
        })?;
    }
}

/// Fill the projected tables if nothing is in them though the ledger has entries: a migration that gives them another shape drops
/// them and leaves the rest to this.
pub(super) fn refold_emptied<P: Projection>(conn: &mut Conn) -> Result<()> {
    let emptied = |conn: &mut Conn| -> Result<bool> {
        let rows: Option<i64> = resource::table.select(resource::since_seq).first(conn).optional()?;
        Ok(rows.is_none() && super::migrate::ledger_size(conn)? > 0)
    };
    if !emptied(conn)? {
        return Ok(());
    }
    #[expect(clippy::disallowed_methods, reason = "servers that start together fill them once")]
    conn.transaction(|conn| {
        lock(conn)?;
        if emptied(conn)? {
            let entries = refill::<P>(conn)?;
            tracing::warn!(entries, "the projected tables were empty and were folded anew from the ledger");
        }
        Ok(())
    })
}

/// Empty the projected tables and fold the ledger into them once more, under the lock every write takes: all of it or nothing.
///
/// # Errors
/// A gap in the ledger, a fact this program does not know, or what the database said.
pub(super) fn refold<P: Projection>(conn: &mut Conn) -> Result<u64> {
    #[expect(clippy::disallowed_methods, reason = "nobody may see the tables half filled")]
    conn.transaction(|conn| {
        lock(conn)?;
        diesel::delete(resource::table).execute(conn)?;
        diesel::delete(lineage_edge::table).execute(conn)?;
        refill::<P>(conn)
    })
}

/// Fold the whole ledger into empty tables; the number of entries.
fn refill<P: Projection>(conn: &mut Conn) -> Result<u64> {
    let mut world = P::default();
    loop {
        let page = page(conn, &world, i64::MAX)?;
        if page.is_empty() {
            return Ok(world.position());
        }
        let mut rows = Rows::default();
        for stored in page {
            let (at, fact) = read_fact::<P>(&world, stored)?;
            world.apply(&at, &fact, &mut rows);
        }
        rows.flush(conn)?;
    }
}

/// The next entries after what a projection knows, up to a position.
fn page<P: Projection>(conn: &mut Conn, world: &P, size: i64) -> Result<Vec<Stored>> {
    let known = i64::try_from(world.position()).unwrap_or(i64::MAX);
    Ok(ledger_entry::table
        .filter(ledger_entry::seq.gt(known))
        .filter(ledger_entry::seq.le(size.min(known.saturating_add(PAGE))))
        .order(ledger_entry::seq)
        .load(conn)?)
}

/// A stored entry as a fact with its place.
fn read_fact<P: Projection>(world: &P, (seq, kind, version, at, actor, _, data): Stored) -> Result<(At, P::Fact)> {
    let seq = u64::try_from(seq).unwrap_or(0);
    if seq != world.position() + 1 {
        return Err(Error::Internal(format!("ledger entry {} is missing", world.position() + 1)));
    }
    let actor = actor.parse().map_err(|_| Error::Internal(format!("ledger entry {seq}: actor is not a UUID")))?;
    let fact = P::decode(&kind, u16::try_from(version).unwrap_or(u16::MAX), &data)?;
    Ok((At { seq, time: Timestamp::from_naive(at), actor }, fact))
}
