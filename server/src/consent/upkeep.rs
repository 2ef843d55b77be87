//! What is done about people by itself: proof of consent goes when its time is over, and checkpoints are kept, beside all writes and
//! never inside one that somebody waits for.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::proof::shred_due;
use crate::clock;
use crate::db::people::{EVERY, LaneAt, unkept};
use crate::error::Result;
use crate::facts::Db;

/// How often it looks. Where the work takes long it rests ten times as long: who writes does not wait for it.
const TICK: Duration = Duration::from_secs(1);
/// How long a server that is told to stop goes on keeping what changed.
const LAST: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Shared {
    stop: Mutex<bool>,
    stopped: Condvar,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread that does it.
pub struct Upkeep {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

impl Upkeep {
    /// Begin.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn start(db: Db) -> std::result::Result<Self, String> {
        let shared = Arc::new(Shared::default());
        let own = shared.clone();
        let thread = std::thread::Builder::new()
            .name("upkeep".to_owned())
            .spawn(move || own.serve(&db))
            .map_err(|e| format!("no thread for upkeep: {e}"))?;
        Ok(Self { shared, thread })
    }

    /// Keep what changed since the last checkpoints, then end.
    pub fn stop(self) {
        *locked(&self.shared.stop) = true;
        self.shared.stopped.notify_all();
        if self.thread.join().is_err() {
            tracing::error!("upkeep broke");
        }
    }
}

impl Shared {
    fn serve(&self, db: &Db) {
        let (mut rest, mut keeper) = (TICK, Keeper::default());
        loop {
            let guard = locked(&self.stop);
            let waited = self.stopped.wait_timeout_while(guard, rest, |stop| !*stop);
            let (stop, _) = waited.unwrap_or_else(PoisonError::into_inner);
            let stopping = *stop;
            drop(stop);
            let begun = Instant::now();
            if let Err(error) = shred(db, clock::now()) {
                tracing::warn!(%error, "proof of consent whose time is over could not be shredded");
            }
            let (least, until) = if stopping { (1, Some(begun + LAST)) } else { (EVERY, None) };
            if let Err(error) = keeper.keep(db, least, until) {
                tracing::warn!(%error, "checkpoints of what people said could not be kept");
            }
            if stopping {
                return;
            }
            rest = TICK.max(begun.elapsed() * 10);
        }
    }
}

/// Shred every proof whose time is over. Of several servers, the first that has the lock does it. Returns how many went.
///
/// # Errors
/// What the database said.
pub fn shred(db: &Db, now: Timestamp) -> Result<u32> {
    if db.world().consent.proofs.due(now).next().is_none() {
        return Ok(0);
    }
    db.write_blocking(Uuid::nil(), now, shred_due)
}

/// Keeps checkpoints of what changed.
#[derive(Default)]
pub struct Keeper {
    /// Records of each lane there were when it was looked at last, less those without a checkpoint then.
    kept: HashMap<u32, u64>,
}

impl Keeper {
    /// Keep what stands of each kind of will of which so many records came since its last checkpoint, as long as there is time.
    /// Returns how many were kept.
    ///
    /// # Errors
    /// What the database said.
    pub fn keep(&mut self, db: &Db, least: u64, until: Option<Instant>) -> Result<u32> {
        let (world, now, mut kept) = (db.world(), clock::now(), 0);
        for (of, count) in world.consent.lanes.each(now.micros()) {
            let before = self.kept.entry(of.lane).or_default();
            if count.saturating_sub(*before) < least {
                continue;
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
            // Another server may have kept one meanwhile.
            let since = db.read_blocking(|conn| unkept(conn, of))?;
            if since >= least && one(db, of)? {
                kept += 1;
                *before = count;
            } else {
                *before = count.saturating_sub(since);
            }
        }
        Ok(kept)
    }
}

fn one(db: &Db, of: LaneAt) -> Result<bool> {
    let (world, now) = (db.world(), clock::now());
    let drawn = db.read_blocking(|conn| world.people.draw(conn, of, now.micros()))?;
    db.write_blocking(Uuid::nil(), now, move |tx| tx.keep_checkpoint(&drawn))
}
