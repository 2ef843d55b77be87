//! Group commit: one thread owns the only mutable projection and writes for everybody.
//!
//! It takes the operations that wait, locks the ledger by updating its head, runs them one after the other, and makes what they
//! recorded durable in one transaction: one INSERT for the entries, one for the Merkle nodes, one for the rows. Operations write
//! nothing themselves, so on this fast path one that fails (or panics) is undone by going back to the copy of the projection kept
//! before it; when the common part fails, the group is run again with each operation in a savepoint of its own, and only the
//! guilty one fails.

use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::R2D2Connection;
use licit_schemas::digest::Digest;
use licit_schemas::ledger::Entry;
use licit_schemas::merkle::{self, Edge};
use licit_schemas::registry::uuid_text;
use licit_schemas::time::Timestamp;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::conn::{Conn, Manager};
use super::job::{Job, Task};
use super::people::{Asked, RecordId};
use super::rows::At;
use super::schema::{actor_name, evidence, idempotency, ledger_entry, ledger_hash, ledger_head, note};
use super::tx::{Batch, Erased, Tx};
use super::{Projection, fold};
use crate::error::{Error, Result};

/// Operations in one group at most.
const GROUP: usize = 256;
/// Operations that may wait; beyond it callers are told to come back.
const QUEUE: usize = 4096;
/// The projection with what is needed to append to it.
#[derive(Clone)]
pub(super) struct State<P> {
    pub world: P,
    pub edge: Edge,
    pub last: Timestamp,
    pruned: Timestamp,
}

impl<P: Projection> State<P> {
    /// Before the first entry, around a projection that may know more.
    pub(super) fn before(world: P) -> Self {
        let start = Timestamp::EPOCH;
        Self { world, edge: Edge::default(), last: start, pruned: start }
    }
}

#[derive(Insertable)]
#[diesel(table_name = ledger_entry)]
struct EntryRow {
    seq: i64,
    kind: String,
    version: i32,
    at: chrono::NaiveDateTime,
    actor: String,
    entry: String,
    data: String,
}

#[derive(Insertable)]
#[diesel(table_name = ledger_hash)]
struct HashRow {
    idx: i64,
    hash: Vec<u8>,
}

/// Handle to the writer thread.
pub(super) struct Writer<P: Projection> {
    queue: Arc<Mutex<Option<SyncSender<Box<dyn Job<P>>>>>>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl<P: Projection> Clone for Writer<P> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), thread: self.thread.clone() }
    }
}

impl<P: Projection> Writer<P> {
    pub(super) fn start(manager: Manager, conn: Conn, state: State<P>, world: Arc<ArcSwap<P>>) -> Self {
        let (sender, receiver) = mpsc::sync_channel(QUEUE);
        let mut core = Core { manager, conn: Some(conn), state, world, log: Log { holds: true, ..Log::default() } };
        let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(move || core.serve(&receiver));
        Self {
            // Without its thread the receiver is gone, and every write is answered as unavailable.
            queue: Arc::new(Mutex::new(Some(sender))),
            thread: Arc::new(Mutex::new(thread.ok())),
        }
    }

    fn submit<T: Send + 'static>(
        &self,
        (actor, now): (Uuid, Timestamp),
        asks: Vec<RecordId>,
        work: impl Fn(&mut Tx<'_, P>) -> Result<T> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T>>> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Task { actor, now, asks, work, result: None, reply });
        let queue = self.queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        match queue.map(|q| q.try_send(job)) {
            Some(Ok(())) => Ok(answer),
            Some(Err(TrySendError::Full(_))) => {
                Err(Error::Busy("too many writes are waiting, try again in a moment".to_owned()))
            }
            _ => Err(Error::Busy("the server is stopping".to_owned())),
        }
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        place: (Uuid, Timestamp),
        asks: Vec<RecordId>,
        work: impl Fn(&mut Tx<'_, P>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.submit(place, asks, work)?.await.unwrap_or_else(|_| Err(gone()))
    }

    pub(super) fn write_blocking<T: Send + 'static>(
        &self,
        actor: Uuid,
        now: Timestamp,
        work: impl Fn(&mut Tx<'_, P>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.submit((actor, now), Vec::new(), work)?.blocking_recv().unwrap_or_else(|_| Err(gone()))
    }

    /// An operation that records nothing: by taking the lock the writer learns what other servers wrote.
    pub(super) async fn catch_up(&self) -> Result<()> {
        let epoch = Timestamp::from_micros(0).ok_or_else(|| Error::Internal("no epoch".to_owned()))?;
        self.write((Uuid::nil(), epoch), Vec::new(), |_| Ok(())).await
    }

    pub(super) fn close(&self) {
        self.queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn gone() -> Error {
    Error::Unavailable("the writer stopped before it could answer; try again with the same Idempotency-Key".to_owned())
}

struct Core<P: Projection> {
    manager: Manager,
    conn: Option<Conn>,
    state: State<P>,
    world: Arc<ArcSwap<P>>,
    log: Log,
}

/// What the write-ahead log of SQLite still holds of what was erased: the pages as they were.
#[derive(Default)]
struct Log {
    /// Whether it holds any; at the start it may, of a server that was killed.
    holds: bool,
    /// Whether this group erases.
    erases: bool,
    /// Whether it is cleared behind a later group.
    deferred: bool,
    /// When clearing it failed last: readers keep it, and nobody is to wait for them again and again.
    failed: Option<Instant>,
}

impl Log {
    /// Note what a group erases. One that is not made durable after all costs no more than a checkpoint.
    fn note(&mut self, batch: &Batch) {
        self.erases |= !batch.erased.is_empty();
        self.deferred |= batch.deferred;
    }

    /// Clear it, where it is time.
    fn clear(&mut self, conn: &mut Conn, erasing: bool) {
        const AGAIN: Duration = Duration::from_secs(60);
        let erases = std::mem::take(&mut self.erases) || erasing;
        let deferred = std::mem::take(&mut self.deferred);
        self.holds |= erases;
        let soon = !erases && self.failed.is_some_and(|at| at.elapsed() < AGAIN);
        let Conn::Sqlite(lite) = conn else { return };
        if !self.holds || deferred || soon {
            return;
        }
        // It answers in a row, not by an error, where a reader kept it from doing all.
        let done = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result::<Cleared>(lite);
        match done {
            Ok(Cleared { busy: 0 }) => *self = Self::default(),
            other => {
                tracing::warn!(?other, "what was erased stands in the write-ahead log until a later checkpoint");
                self.failed = Some(Instant::now());
            }
        }
    }
}

/// What a checkpoint answers.
#[derive(Debug, QueryableByName)]
struct Cleared {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    busy: i32,
}

impl<P: Projection> Core<P> {
    /// Until every sender is gone.
    fn serve(&mut self, queue: &Receiver<Box<dyn Job<P>>>) {
        while let Ok(first) = queue.recv() {
            let mut jobs: Vec<Box<dyn Job<P>>> =
                std::iter::once(first).chain(queue.try_iter().take(GROUP - 1)).collect();
            let durable = self.commit(&mut jobs).map_err(|failed| {
                tracing::error!(
                    error = failed.detail(),
                    operations = jobs.len(),
                    "a group of writes was not made durable"
                );
                failed.sentence()
            });
            for job in jobs {
                job.answer(durable.clone());
            }
        }
    }

    /// Make a group durable, or say why nothing of it is.
    fn commit(&mut self, jobs: &mut [Box<dyn Job<P>>]) -> std::result::Result<(), Failed> {
        let before = self.state.clone();
        let (mut conn, used) = match self.conn.take() {
            Some(conn) => (conn, true),
            None => (self.open()?, false),
        };
        let mut outcome = self.attempt(&mut conn, jobs, false);
        // One that was lost since the last group, or before it was asked to commit: nothing was done, and another may do it.
        if used && matches!(outcome, Err(Failed::Lost)) {
            self.state = before.clone();
            conn = self.open()?;
            outcome = self.attempt(&mut conn, jobs, false);
        }
        if matches!(outcome, Err(Failed::Refused(_))) && jobs.len() > 1 && !conn.is_broken() {
            self.state = before.clone();
            outcome = self.attempt(&mut conn, jobs, true);
        }
        match &outcome {
            Ok(()) => {
                let position = self.state.world.position();
                self.log.clear(&mut conn, self.state.world.people().is_erasing());
                self.state.world.people_mut().settled(position);
                self.world.store(Arc::new(self.state.world.clone()));
            }
            Err(_) => self.state = before,
        }
        // A connection that failed may be anywhere in its protocol: a new one costs little.
        if outcome.is_ok() && !conn.is_broken() {
            self.conn = Some(conn);
        }
        outcome
    }

    fn open(&self) -> std::result::Result<Conn, Failed> {
        self.manager.open().map_err(|e| Failed::Refused(super::unreachable(e)))
    }

    /// One durable transaction over all jobs; with `apart`, each in a savepoint of its own.
    fn attempt(
        &mut self,
        conn: &mut Conn,
        jobs: &mut [Box<dyn Job<P>>],
        apart: bool,
    ) -> std::result::Result<(), Failed> {
        let (state, log) = (&mut self.state, &mut self.log);
        let mut committing = false;
        #[expect(clippy::disallowed_methods, reason = "this is the write door")]
        let outcome = conn.transaction(|conn| {
            lock_and_catch_up(conn, state)?;
            if apart {
                run_apart(conn, state, log, jobs)?;
            } else {
                let asked = Asked::of(conn, jobs.iter().flat_map(|job| job.asks()))?;
                let mut batch = Batch { asked, ..Batch::default() };
                for job in jobs.iter_mut() {
                    run(conn, state, &mut batch, job.as_mut());
                }
                log.note(&batch);
                flush(conn, state, batch)?;
            }
            committing = true;
            Ok(())
        });
        outcome.map_err(|error: Error| match conn.ping() {
            Ok(()) => Failed::Refused(error),
            Err(_) if committing => Failed::Unknown,
            Err(_) => Failed::Lost,
        })
    }
}

/// Why a group was not made durable.
enum Failed {
    /// The database, or its absence, says no.
    Refused(Error),
    /// The connection was lost before it was asked to commit: nothing of the group is there.
    Lost,
    /// The connection was lost while it committed: the group is there whole or not at all, and the next one learns which.
    Unknown,
}

impl Failed {
    /// What a caller may read of it.
    fn sentence(&self) -> String {
        const AGAIN: &str = "try again with the same Idempotency-Key";
        match self {
            Self::Refused(Error::Unavailable(text)) => format!("the write was not made durable, {AGAIN}: {text}"),
            Self::Refused(_) => {
                format!("the write was not made durable, {AGAIN}: the database refused the transaction")
            }
            Self::Lost => format!("the write was not made durable, {AGAIN}: the connection to the database was lost"),
            Self::Unknown => {
                format!(
                    "the connection to the database was lost while the write was made durable, and whether it was is not known: {AGAIN}"
                )
            }
        }
    }

    /// What stands in the log.
    fn detail(&self) -> String {
        match self {
            Self::Refused(error) => error.to_string(),
            Self::Lost | Self::Unknown => self.sentence(),
        }
    }
}

/// Run each job with a flush in a savepoint of its own: the guilty one fails alone.
fn run_apart<P: Projection>(
    conn: &mut Conn,
    state: &mut State<P>,
    log: &mut Log,
    jobs: &mut [Box<dyn Job<P>>],
) -> Result<()> {
    for job in jobs.iter_mut() {
        let before = state.clone();
        #[expect(clippy::disallowed_methods, reason = "a savepoint within the write door's transaction")]
        let alone = conn.transaction(|conn| {
            let mut batch = Batch::default();
            run(conn, state, &mut batch, job.as_mut());
            log.note(&batch);
            flush(conn, state, batch)
        });
        if let Err(error) = alone {
            *state = before;
            job.fail(error);
        }
    }
    Ok(())
}

/// Run one job; what a failed one recorded is taken back.
fn run<P: Projection>(conn: &mut Conn, state: &mut State<P>, batch: &mut Batch, job: &mut dyn Job<P>) {
    let (world, mark) = (state.world.clone(), batch.mark());
    let (actor, now) = job.place();
    let now = now.max(state.last);
    let good = job.run(&mut Tx { world: &mut state.world, batch, conn, now, actor, upto: None });
    if good {
        state.last = now;
    } else {
        state.world = world;
        batch.back_to(&mark);
    }
}

/// Lock by updating: the same on both databases. The number of entries.
pub(super) fn lock(conn: &mut Conn) -> Result<i64> {
    Ok(diesel::update(ledger_head::table.find(1))
        .set(ledger_head::size.eq(ledger_head::size))
        .returning(ledger_head::size)
        .get_result(conn)?)
}

/// Lock, and fold in first what others appended since.
fn lock_and_catch_up<P: Projection>(conn: &mut Conn, state: &mut State<P>) -> Result<()> {
    let size = lock(conn)?;
    let known = i64::try_from(state.world.position()).unwrap_or(i64::MAX);
    if size < known {
        return Err(Error::Unavailable(format!(
            "the ledger has {size} entries but {known} were seen: the database was exchanged, restart the server"
        )));
    }
    if size > known {
        fold::fold(conn, state, size, true)?;
        state.world.people_mut().refresh(conn)?;
        state.world.people_mut().settled(u64::try_from(size).unwrap_or(0));
    }
    Ok(())
}

/// Read the state from the database.
pub(super) fn load<P: Projection>(conn: &mut Conn) -> Result<State<P>> {
    #[expect(clippy::disallowed_methods, reason = "one snapshot for head, nodes and entries")]
    conn.transaction(|conn| {
        let (size, root): (i64, Vec<u8>) =
            ledger_head::table.find(1).select((ledger_head::size, ledger_head::root)).first(conn)?;
        let mut failed = None;
        let edge =
            Edge::restore(u64::try_from(size).unwrap_or(0), |index| match super::migrate::hash_at(conn, index) {
                Ok(hash) => Some(hash),
                Err(e) => {
                    failed = Some(e);
                    None
                }
            });
        let edge =
            edge.ok_or_else(|| failed.unwrap_or_else(|| Error::Internal("a Merkle node is missing".to_owned())))?;
        if edge.root().as_bytes()[..] != root[..] {
            return Err(Error::Internal(
                "the Merkle nodes do not add up to the ledger's head: run `licit-server rebuild --check`".to_owned(),
            ));
        }
        let mut state = State { edge, ..State::before(P::default()) };
        fold::fold(conn, &mut state, size, false)?;
        state.world.people_mut().refresh(conn)?;
        state.world.people_mut().settled(u64::try_from(size).unwrap_or(0));
        Ok(state)
    })
}

/// The canonical entry of a fact: the leaf of the tree.
pub(super) fn entry_text(at: &At, kind: &str, version: u16, data: &str) -> Result<String> {
    let entry = Entry {
        seq: at.seq,
        kind: kind.to_owned(),
        v: version,
        at: at.time,
        actor: uuid_text::Uuid(at.actor),
        data: Digest::of(data.as_bytes()),
    };
    licit_schemas::json::canonical(&entry).map_err(|e| Error::Internal(format!("entry: {e}")))
}

/// Write what a group recorded: a handful of statements, however many operations.
pub(super) fn flush<P: Projection>(conn: &mut Conn, state: &mut State<P>, batch: Batch) -> Result<()> {
    if !batch.facts.is_empty() {
        let mut entries = Vec::with_capacity(batch.facts.len());
        let mut hashes = Vec::with_capacity(batch.facts.len() * 2);
        for pending in batch.facts {
            let entry = entry_text(&pending.at, pending.fact.kind, pending.fact.version, &pending.fact.data)?;
            state.edge.push(merkle::leaf_hash(entry.as_bytes()), |index, hash| {
                hashes.push(HashRow { idx: i64::try_from(index).unwrap_or(i64::MAX), hash: hash.as_bytes().to_vec() });
            });
            entries.push(EntryRow {
                seq: pending.at.seq_i64(),
                kind: pending.fact.kind.to_owned(),
                version: i32::from(pending.fact.version),
                at: pending.at.time.naive(),
                actor: pending.at.actor.to_string(),
                entry,
                data: pending.fact.data,
            });
        }
        for chunk in entries.chunks(1000) {
            let query = diesel::insert_into(ledger_entry::table).values(chunk);
            match conn {
                Conn::Postgres(pg) => query.execute(pg)?,
                Conn::Sqlite(lite) => query.execute(lite)?,
            };
        }
        for chunk in hashes.chunks(4000) {
            let query = diesel::insert_into(ledger_hash::table).values(chunk);
            match conn {
                Conn::Postgres(pg) => query.execute(pg)?,
                Conn::Sqlite(lite) => query.execute(lite)?,
            };
        }
        diesel::update(ledger_head::table.find(1))
            .set((
                ledger_head::size.eq(i64::try_from(state.edge.size()).unwrap_or(i64::MAX)),
                ledger_head::root.eq(state.edge.root().as_bytes().to_vec()),
            ))
            .execute(conn)?;
    }
    batch.rows.flush(conn)?;
    for note in &batch.notes {
        diesel::insert_into(note::table).values(note).execute(conn)?;
    }
    for name in &batch.names {
        diesel::delete(actor_name::table.find(&name.actor)).execute(conn)?;
        diesel::insert_into(actor_name::table).values(name).execute(conn)?;
    }
    // What this very group keeps, it may erase as well.
    super::received::flush(conn, batch.received)?;
    erase(conn, &batch.erased)?;
    for (digest, body) in &batch.evidence {
        keep_evidence(conn, digest, body)?;
    }
    for chunk in batch.kept.chunks(GROUP) {
        let query = diesel::insert_into(idempotency::table).values(chunk);
        match conn {
            Conn::Postgres(pg) => query.execute(pg)?,
            Conn::Sqlite(lite) => query.execute(lite)?,
        };
    }
    super::outbox::flush(conn, batch.outbox)?;
    super::people::flush(conn, batch.people)?;
    super::checkpoint::flush(conn, batch.checkpoints)?;
    // Answers are kept for a day; once an hour the older ones go.
    if !batch.kept.is_empty() && state.last > state.pruned.plus(chrono::Duration::hours(1)) {
        let old = state.last.plus(-chrono::Duration::hours(24)).naive();
        diesel::delete(idempotency::table.filter(idempotency::created_at.lt(old))).execute(conn)?;
        state.pruned = state.last;
    }
    Ok(())
}

/// Take names and comments out. SQLite would leave the bytes in the file: there they are overwritten.
fn erase(conn: &mut Conn, erased: &[Erased]) -> Result<()> {
    if erased.is_empty() {
        return Ok(());
    }
    if let Conn::Sqlite(lite) = conn {
        lite.batch_execute("PRAGMA secure_delete = ON")?;
    }
    for one in erased {
        match one {
            Erased::Name(actor) => diesel::delete(actor_name::table.find(actor.to_string())).execute(conn)?,
            Erased::Note(digest) => diesel::delete(note::table.find(digest.to_string())).execute(conn)?,
            Erased::Event(digest) => super::received::erase(conn, digest)?,
            Erased::Quarantined(id) => super::received::discard(conn, id)?,
        };
    }
    if let Conn::Sqlite(lite) = conn {
        lite.batch_execute("PRAGMA secure_delete = OFF")?;
    }
    Ok(())
}

/// The same evidence may be kept already: two decisions at one position see the same.
fn keep_evidence(conn: &mut Conn, digest: &Digest, body: &[u8]) -> Result<()> {
    let query = diesel::insert_into(evidence::table)
        .values((evidence::digest.eq(digest.to_string()), evidence::body.eq(body)))
        .on_conflict(evidence::digest)
        .do_nothing();
    match conn {
        Conn::Postgres(pg) => query.execute(pg)?,
        Conn::Sqlite(lite) => query.execute(lite)?,
    };
    Ok(())
}
