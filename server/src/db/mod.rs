//! The only doors to the database: [`Db::read`] and [`Db::write`].
//!
//! A write is an operation over a [`Tx`]: it decides on facts and records them. The writer thread (`writer.rs`) numbers them,
//! appends them to the ledger, writes what their projection says into the tables, commits, and then publishes the projection in
//! memory. `db` knows a fact as a kind, a version and canonical text; what facts mean is given from above as a [`Projection`].

pub mod checkpoint;
mod conn;
mod dense;
pub mod dictionary;
mod fold;
mod job;
pub mod listing;
pub mod migrate;
pub mod outbox;
mod past;
pub mod people;
pub mod received;
pub mod rows;
pub mod schema;
mod tx;
mod writer;

use std::sync::Arc;

use arc_swap::ArcSwap;
use diesel::prelude::*;
use diesel::r2d2::{Pool, PooledConnection};
use licit_schemas::known::KnownAt;
use licit_schemas::time::Timestamp;
use uuid::Uuid;

pub use conn::{Conn, Manager, MultiBackend};
pub use dense::NumberHasher;
pub use past::position;
pub use rows::{At, NewRow, Row, Rows};
pub use tx::{Idempotency, Tx};

use crate::error::{Error, Result};
use people::RecordId;
use writer::Writer;

/// How long a reader waits for a connection: a database that is away is said to be away, and half of it is the longest pause
/// between two attempts to reach it again.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);

/// Nobody answers: what the database or the network said goes to the log.
fn unreachable(error: impl std::fmt::Display) -> Error {
    tracing::warn!(%error, "the database cannot be reached");
    Error::Unavailable("the database cannot be reached, try again in a moment".to_owned())
}

/// A fact as the ledger holds it.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// Kind, such as `dataset.registered`.
    pub kind: &'static str,
    /// Version of that kind.
    pub version: u16,
    /// Canonical data.
    pub data: String,
}

/// What facts mean: the projection in memory, and with it the rows of the tables. One fold serves live writes, catching up with
/// other servers, and rebuilding.
pub trait Projection: Clone + Default + Send + Sync + 'static {
    /// The facts it understands.
    type Fact;

    /// Kind, version and canonical data of a fact.
    ///
    /// # Errors
    /// Data that cannot be canonical, such as an integer beyond 2^53.
    fn encode(fact: &Self::Fact) -> Result<Encoded>;

    /// The fact back from the ledger, old versions lifted to the present one.
    ///
    /// # Errors
    /// A kind or version this program does not know.
    fn decode(kind: &str, version: u16, data: &str) -> Result<Self::Fact>;

    /// Fold one fact in.
    fn apply(&mut self, at: &At, fact: &Self::Fact, rows: &mut Rows);

    /// Position of the last fact folded in.
    fn position(&self) -> u64;

    /// Names of corrected member sets, each with the dataset version it is of.
    fn corrected_sets(&self) -> Vec<(String, String)>;

    /// The people it knows.
    fn people(&self) -> &people::People;

    /// The people it knows, from erasable tables: no fold of the ledger brings them.
    fn people_mut(&mut self) -> &mut people::People;
}

/// Handle to the database and the published projection. Cheap to clone.
#[derive(Clone)]
pub struct Db<P: Projection> {
    pool: Pool<Manager>,
    writer: Writer<P>,
    world: Arc<ArcSwap<P>>,
    past: Arc<past::Past<P>>,
    manager: Manager,
}

impl<P: Projection> Db<P> {
    /// Open, migrate, fold the ledger, start the writer.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn open(manager: Manager, readers: u32) -> std::result::Result<Self, String> {
        let mut conn = manager.open().map_err(|e| format!("cannot open {}: {e}", manager.shown()))?;
        migrate::run(&mut conn).map_err(|e| format!("cannot migrate {}: {e}", manager.shown()))?;
        let unread = |e| format!("cannot read the ledger of {}: {e}", manager.shown());
        fold::refold_emptied::<P>(&mut conn).map_err(unread)?;
        conn::keep(&mut conn, conn::PASSING).map_err(|e| unread(e.into()))?;
        let mut state = writer::load::<P>(&mut conn).map_err(unread)?;
        conn::keep(&mut conn, conn::CACHE).map_err(|e| unread(e.into()))?;
        state.world.people_mut().read_from(&manager);
        let world = Arc::new(ArcSwap::from_pointee(state.world.clone()));
        let pool = Pool::builder()
            .max_size(readers)
            .min_idle(Some(1))
            .connection_timeout(PATIENCE)
            .test_on_check_out(!manager.is_sqlite())
            .build(manager.read_only())
            .map_err(|e| format!("cannot open {}: {e}", manager.shown()))?;
        let writer = Writer::start(manager.clone(), conn, state, world.clone());
        Ok(Self { pool, writer, world, past: Arc::default(), manager })
    }

    /// The connection settings.
    pub fn manager(&self) -> &Manager {
        &self.manager
    }

    /// The projection as last published. Never shows a fact that is not committed.
    pub fn world(&self) -> Arc<P> {
        self.world.load_full()
    }

    /// The projection, at least as new as the ledger is now: another server may have written.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database cannot be asked.
    pub async fn fresh(&self) -> Result<Arc<P>> {
        let head = self.look_up(migrate::ledger_size).await?;
        if head > self.world().position() {
            self.writer.catch_up().await?;
        }
        Ok(self.world())
    }

    /// The projection as it was when the ledger had so many entries, or at a moment. Folded anew, and kept for a while.
    ///
    /// # Errors
    /// A position the ledger has not reached; [`Error::Unavailable`] when the database cannot be asked.
    pub async fn known(&self, known_at: Option<KnownAt>) -> Result<Arc<P>> {
        let Some(known_at) = known_at.filter(|at| *at != KnownAt::Now) else { return self.fresh().await };
        let position = self.read(move |conn| past::position(conn, known_at)).await?;
        self.at(position).await
    }

    /// Where what is known stands: the position, and the time that belongs to it.
    ///
    /// # Errors
    /// A position the ledger has not reached; [`Error::Unavailable`] when the database cannot be asked.
    pub async fn moment(&self, at: KnownAt, now: Timestamp) -> Result<(u64, Timestamp)> {
        self.read(move |conn| {
            let position = past::position(conn, at)?;
            let time = match at {
                KnownAt::Now => now,
                KnownAt::Position(_) => past::recorded_at(conn, position)?,
                KnownAt::Time(time) => time,
            };
            Ok((position, time))
        })
        .await
    }

    /// When an entry was recorded; of the newest, now: time went on since.
    ///
    /// # Errors
    /// A position the ledger has not reached; [`Error::Unavailable`] when the database cannot be asked.
    pub async fn moment_of(&self, position: u64, now: Timestamp) -> Result<Timestamp> {
        if position >= self.world().position() {
            return Ok(now);
        }
        Ok(self.moment(KnownAt::Position(position), now).await?.1)
    }

    /// The last moment at which an entry was the newest one; of the newest, now.
    ///
    /// # Errors
    /// As [`Db::moment_of`].
    pub async fn last_moment_of(&self, position: u64, now: Timestamp) -> Result<Timestamp> {
        if position >= self.world().position() {
            return Ok(now);
        }
        self.read(move |conn| {
            let next = past::recorded_at(conn, position + 1)?.plus(-chrono::Duration::microseconds(1));
            Ok(next.max(past::recorded_at(conn, position)?))
        })
        .await
    }

    /// [`Db::known`] for a position the ledger is known to have.
    ///
    /// # Errors
    /// As [`Db::known`].
    pub async fn at(&self, position: u64) -> Result<Arc<P>> {
        let world = self.world();
        if world.position() == position {
            return Ok(world);
        }
        let db = self.clone();
        actix_web::web::block(move || db.at_blocking(position))
            .await
            .map_err(|e| Error::Busy(format!("the server is stopping: {e}")))?
    }

    /// [`Db::at`] for programs without an async runtime.
    ///
    /// # Errors
    /// As [`Db::known`].
    pub fn at_blocking(&self, position: u64) -> Result<Arc<P>> {
        let then = self.past.at(position, || self.pool.get().map_err(unreachable))?;
        let mut then = (*then).clone();
        *then.people_mut() = self.world().people().as_of(position);
        Ok(Arc::new(then))
    }

    /// Read from the database off the async threads.
    ///
    /// # Errors
    /// Those of the work; [`Error::Unavailable`] when no connection can be had.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.look_up(|conn| read_only(conn, work)).await
    }

    /// [`Db::read`] of one statement, or of several that need not see one state: each sees the newest. Over a network a transaction is
    /// two more ways to the database and back.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn look_up<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let pool = self.pool.clone();
        actix_web::web::block(move || {
            // It cannot write: its connection does not.
            let mut conn: PooledConnection<Manager> = pool.get().map_err(unreachable)?;
            work(&mut conn)
        })
        .await
        .map_err(|e| Error::Busy(format!("the server is stopping: {e}")))?
    }

    /// [`Db::read`] for programs without an async runtime.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn read_blocking<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        let mut conn = self.pool.get().map_err(unreachable)?;
        read_only(&mut conn, work)
    }

    /// Run an operation. All its facts become durable together, or none; the answer comes after COMMIT.
    ///
    /// The operation may be run again when a neighbour of its group spoils the transaction, so it owns its input and draws
    /// nothing from outside but what `Tx` gives it.
    ///
    /// # Errors
    /// Those of the operation; [`Error::Unavailable`] when it could not be made durable.
    pub async fn write<T: Send + 'static>(
        &self,
        actor: Uuid,
        now: Timestamp,
        work: impl Fn(&mut Tx<'_, P>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_of(actor, now, Vec::new(), work).await
    }

    /// [`Db::write`] of an operation that first asks whether records are known: they are looked up for its whole group at once.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn write_of<T: Send + 'static>(
        &self,
        actor: Uuid,
        now: Timestamp,
        records: Vec<RecordId>,
        work: impl Fn(&mut Tx<'_, P>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.write((actor, now), records, work).await
    }

    /// [`Db::write`] for programs without an async runtime.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn write_blocking<T: Send + 'static>(
        &self,
        actor: Uuid,
        now: Timestamp,
        work: impl Fn(&mut Tx<'_, P>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.write_blocking(actor, now, work)
    }

    /// Run an operation over a copy of the projection and keep nothing of it: what would be. Over what was known earlier, the
    /// time of that takes the place of `now`.
    ///
    /// # Errors
    /// Those of the operation; a position the ledger has not reached.
    pub async fn try_out<T: Send + 'static>(
        &self,
        actor: Uuid,
        now: Timestamp,
        known_at: Option<KnownAt>,
        work: impl FnOnce(&mut Tx<'_, P>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let known_at = known_at.filter(|at| *at != KnownAt::Now);
        let (mut world, now) = match known_at {
            None => ((*self.fresh().await?).clone(), now),
            Some(known_at) => {
                let (position, now) = self.moment(known_at, now).await?;
                ((*self.at(position).await?).clone(), now)
            }
        };
        let upto = known_at.map(|_| i64::try_from(world.position()).unwrap_or(i64::MAX));
        // What is recorded from here on never becomes durable: nothing that rests on it is remembered.
        let position = world.position();
        world.people_mut().settled(position);
        self.read(move |conn| {
            let mut batch = tx::Batch::default();
            work(&mut Tx { world: &mut world, batch: &mut batch, conn, now, actor, upto })
        })
        .await
    }

    /// Let the writer finish what waits, then stop it.
    pub fn close(&self) {
        self.writer.close();
    }
}

/// Fold the whole ledger of one database into the tables of an empty one, its entries and Merkle nodes included.
///
/// # Errors
/// A gap in the ledger, a fact this program does not know, or what the databases said.
pub fn fold_into<P: Projection>(live: &mut Conn, empty: &mut Conn) -> Result<()> {
    fold::fold_into::<P>(live, empty)
}

/// Empty the projected tables of a database and fold its own ledger into them, under the lock of every write. Returns the number
/// of entries.
///
/// # Errors
/// As [`fold_into`]; the tables stay as they were then.
pub fn refold<P: Projection>(conn: &mut Conn) -> Result<u64> {
    fold::refold::<P>(conn)
}

/// Reads run in one transaction, which sees one state, on a connection that cannot write: [`Db::write`] stays the only way to
/// change a row.
fn read_only<T>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    #[expect(clippy::disallowed_methods, reason = "this is the read door")]
    conn.transaction(work)
}
