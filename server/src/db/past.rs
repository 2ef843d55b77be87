//! The projection as it was: entries 1 to N folded into memory, by the same fold as live writes and rebuilding, without a row
//! written. Worlds are persistent maps: one is kept by a few reference counts, and what lies behind the nearest kept one is not
//! folded again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel::prelude::*;
use licit_schemas::known::KnownAt;
use licit_schemas::time::Timestamp;

use super::conn::Conn;
use super::schema::ledger_entry;
use super::{Projection, fold, migrate};
use crate::error::{Error, Result};

/// Projections kept: those asked for last.
const KEPT: usize = 4;

/// Projections of earlier positions, as far as they are kept.
pub(super) struct Past<P> {
    kept: Mutex<Vec<Arc<P>>>,
    /// One folds at a time: a fold may take as much memory as the whole projection.
    turn: Mutex<()>,
}

impl<P> Default for Past<P> {
    fn default() -> Self {
        Self { kept: Mutex::default(), turn: Mutex::default() }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<P: Projection> Past<P> {
    /// The projection of a position, if it is kept.
    fn find(&self, position: u64) -> Option<Arc<P>> {
        let mut kept = locked(&self.kept);
        let place = kept.iter().position(|world| world.position() == position)?;
        let found = kept.remove(place);
        kept.push(found.clone());
        Some(found)
    }

    /// The kept one nearest before a position.
    fn before(&self, position: u64) -> Option<Arc<P>> {
        locked(&self.kept).iter().filter(|world| world.position() < position).max_by_key(|w| w.position()).cloned()
    }

    fn keep(&self, world: Arc<P>) {
        let mut kept = locked(&self.kept);
        kept.push(world);
        if kept.len() > KEPT {
            kept.remove(0);
        }
    }

    /// The projection of a position the ledger has; read page by page.
    pub(super) fn at(&self, position: u64, conn: impl FnOnce() -> Result<PooledConn>) -> Result<Arc<P>> {
        if let Some(found) = self.find(position) {
            return Ok(found);
        }
        let _turn = locked(&self.turn);
        // Whoever had the turn before may have asked for the same.
        if let Some(found) = self.find(position) {
            return Ok(found);
        }
        let from = self.before(position).map(|world| (*world).clone()).unwrap_or_default();
        let world = Arc::new(fold::fold_on(&mut *conn()?, from, position)?);
        self.keep(world.clone());
        Ok(world)
    }
}

/// A connection of the pool.
pub(super) type PooledConn = diesel::r2d2::PooledConnection<super::Manager>;

/// The position meant.
///
/// # Errors
/// A position the ledger has not reached.
pub fn position(conn: &mut Conn, known_at: KnownAt) -> Result<u64> {
    let size = migrate::ledger_size(conn)?;
    match known_at {
        KnownAt::Now => Ok(size),
        KnownAt::Position(position) if position > size => Err(Error::invalid(
            "/known_at",
            format!("`{position}` is no position of this ledger: it has {size} entries"),
        )),
        KnownAt::Position(position) => Ok(position),
        KnownAt::Time(moment) => last_at(conn, moment, size),
    }
}

/// When an entry was recorded; of position 0, when the first was.
///
/// # Errors
/// No such entry.
pub(super) fn recorded_at(conn: &mut Conn, position: u64) -> Result<Timestamp> {
    let seq = i64::try_from(position.max(1)).unwrap_or(i64::MAX);
    let at: chrono::NaiveDateTime = ledger_entry::table.find(seq).select(ledger_entry::at).first(conn)?;
    Ok(Timestamp::from_naive(at))
}

/// The last entry recorded at or before a moment, 0 before the first. Time never runs backwards along the ledger: twenty entries
/// are looked at among a million.
fn last_at(conn: &mut Conn, moment: Timestamp, size: u64) -> Result<u64> {
    let (mut low, mut high) = (0, size);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let seq = i64::try_from(middle).unwrap_or(i64::MAX);
        let at: chrono::NaiveDateTime = ledger_entry::table.find(seq).select(ledger_entry::at).first(conn)?;
        if at <= moment.naive() { low = middle } else { high = middle - 1 }
    }
    Ok(low)
}
