//! The stream of events for who listens: server-sent events, read from the ledger after the position the listener has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{Receiver, Sender, channel};
use uuid::Uuid;

use super::store;
use crate::clock;
use crate::db::{Projection, migrate};
use crate::error::{Error, Result};
use crate::facts::Db;

/// Streams at once.
const MOST: usize = 64;
/// How often it looks for news, whether the token still holds, and whether the server is stopping.
const TICK: Duration = Duration::from_millis(200);
/// After which silence it says that it lives, and how far it is.
const SILENCE: Duration = Duration::from_secs(15);
/// How long a listener may leave what it got unread.
const PATIENCE: Duration = Duration::from_secs(10);
/// Events read at a time.
const PAGE: i64 = 100;

/// Who listens, as a count; and whether everybody is told to go.
#[derive(Default)]
pub struct Listeners {
    count: AtomicUsize,
    stopping: AtomicBool,
}

impl Listeners {
    /// End every stream: the server stops.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

/// A place among the streams, given back when dropped.
struct Place(Arc<Listeners>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is listened to.
pub struct Listening {
    /// The token by which.
    pub token: Uuid,
    /// The registry, as events name it.
    pub source: String,
    /// Which kinds.
    pub kinds: Vec<&'static str>,
    /// After which position.
    pub after: u64,
    /// Whether it goes on with what is recorded from now on.
    pub follow: bool,
    /// Events after which it ends.
    pub limit: u64,
}

/// Begin a stream: what comes out of the channel is its text, piece by piece.
///
/// # Errors
/// Too many listen already.
pub fn listen(db: Db, listeners: &Arc<Listeners>, listening: Listening) -> Result<Receiver<Vec<u8>>> {
    if listeners.count.fetch_add(1, Ordering::Relaxed) >= MOST {
        listeners.count.fetch_sub(1, Ordering::Relaxed);
        return Err(Error::Busy(format!("{MOST} streams are open: try again when one has ended")));
    }
    let place = Place(listeners.clone());
    let (sender, receiver) = channel(4);
    tokio::task::spawn_local(async move {
        // A listener that went away is no fault, and what the database said, the log has: the listener comes back and goes on.
        if let Err(error) = tell(&db, &place.0, &sender, listening).await {
            tracing::warn!(%error, "a stream of events ended");
        }
    });
    Ok(receiver)
}

async fn tell(db: &Db, listeners: &Listeners, sender: &Sender<Vec<u8>>, mut listening: Listening) -> Result<()> {
    let mut spoke = Instant::now();
    if !said(sender, format!("retry: 2000\nid: {}\n\n", listening.after)).await {
        return Ok(());
    }
    let mut cursor = i64::try_from(listening.after).unwrap_or(i64::MAX);
    loop {
        let head = i64::try_from(db.world().position()).unwrap_or(i64::MAX);
        while cursor < head && listening.limit > 0 {
            if listeners.stopping.load(Ordering::Relaxed) || !holds(db, listening.token) {
                return Ok(());
            }
            let wanted = PAGE.min(i64::try_from(listening.limit).unwrap_or(PAGE));
            let (source, kinds) = (listening.source.clone(), listening.kinds.clone());
            let page = db.read(move |conn| store::events(conn, &source, &kinds, (cursor, head), wanted)).await?;
            let full = i64::try_from(page.len()) == Ok(wanted);
            let mut text = String::new();
            for (seq, event) in page {
                let json = serde_json::to_string(&event).map_err(|e| Error::Internal(format!("event {seq}: {e}")))?;
                text.push_str(&format!("id: {seq}\ndata: {json}\n\n"));
                listening.limit -= 1;
                cursor = seq;
            }
            if !full {
                cursor = head;
            }
            if !text.is_empty() {
                if !said(sender, text).await {
                    return Ok(());
                }
                spoke = Instant::now();
            }
        }
        let over = !listening.follow || listening.limit == 0;
        if over || listeners.stopping.load(Ordering::Relaxed) || !holds(db, listening.token) || sender.is_closed() {
            return Ok(());
        }
        if spoke.elapsed() >= SILENCE {
            // An id without data: who reconnects goes on from here, and not through everything that was not wanted.
            if !said(sender, format!(":\nid: {cursor}\n\n")).await {
                return Ok(());
            }
            spoke = Instant::now();
        }
        tokio::time::sleep(TICK).await;
    }
}

/// Whether the listener took it.
async fn said(sender: &Sender<Vec<u8>>, text: String) -> bool {
    matches!(tokio::time::timeout(PATIENCE, sender.send(text.into_bytes())).await, Ok(Ok(())))
}

/// Whether the token is still in force.
fn holds(db: &Db, token: Uuid) -> bool {
    db.world().access.in_force(token, clock::now())
}

/// The position a stream begins after, where the listener names none.
///
/// # Errors
/// What the database said.
pub async fn beginning(db: &Db, follow: bool) -> Result<u64> {
    if follow { db.read(migrate::ledger_size).await } else { Ok(0) }
}
