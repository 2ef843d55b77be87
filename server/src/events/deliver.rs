//! Posting events to receivers, after they were committed and never inside a write: threads of their own read the ledger after the
//! position each receiver has reached.
//!
//! A receiver is claimed through the writer for half a minute, so that of several servers one posts to it; who dies leaves the claim
//! to run out, and what it posted without saying so is posted again: at least once. What fails is kept and tried again, while later
//! events go on.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use licit_schemas::events::CloudEvent;
use licit_schemas::time::Timestamp;
use ureq::Agent;
use ureq::unversioned::transport::DefaultConnector;
use uuid::Uuid;

use super::address::Guarded;
use super::operations::claim;
use super::{Settings, kinds, sign, store};
use crate::clock;
use crate::db::Projection;
use crate::db::outbox::{DEAD, Failed, Outbox, Receiver, WAITING};
use crate::error::Result;
use crate::facts::{Db, World};

/// How often it looks.
const TICK: Duration = Duration::from_millis(500);
/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one turn of a receiver goes on beginning deliveries, and how long its claim lasts: a turn and an attempt fit in.
const TURN: Duration = Duration::from_secs(15);
const CLAIM: i64 = 30;
/// Events read at a time.
const PAGE: i64 = 100;
/// Receivers posted to at once.
const AT_ONCE: usize = 16;
/// Bytes of an answer that are read, so that the connection can be used again.
const ANSWER: u64 = 16 << 10;
/// Characters kept of what went wrong.
const ERROR: usize = 200;

/// What a receiver of a foreign protocol is posted.
pub struct Told {
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Whether a receiver, by its id and secret, has a form of its own for an event, and at which second: `None` is the form of the
/// registry, `Some(None)` an event it did not ask for.
pub type Form = fn(&World, &str, &str, &CloudEvent, i64) -> Result<Option<Option<Told>>>;

struct Shared {
    db: Db,
    settings: Settings,
    form: Form,
    agent: Agent,
    /// Receivers in the hands of a thread, and how far each was looked at without finding anything to tell.
    hands: Mutex<HashSet<Uuid>>,
    seen: Mutex<HashMap<Uuid, i64>>,
    stop: Mutex<bool>,
    stopped: Condvar,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The threads that post.
pub struct Deliverer(Arc<Shared>);

impl Deliverer {
    /// Begin.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn start(db: Db, settings: Settings, form: Form) -> std::result::Result<Self, String> {
        let shared = Arc::new(Shared {
            agent: agent(&settings),
            db,
            settings,
            form,
            hands: Mutex::default(),
            seen: Mutex::default(),
            stop: Mutex::new(false),
            stopped: Condvar::new(),
        });
        let own = shared.clone();
        std::thread::Builder::new()
            .name("webhooks".to_owned())
            .spawn(move || own.serve())
            .map_err(|e| format!("no thread for webhooks: {e}"))?;
        Ok(Self(shared))
    }

    /// Begin no more deliveries, and give those under way a moment to be noted.
    pub fn stop(&self) {
        *locked(&self.0.stop) = true;
        self.0.stopped.notify_all();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(2) && !locked(&self.0.hands).is_empty() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Shared {
    fn stopping(&self) -> bool {
        *locked(&self.stop)
    }

    fn serve(self: &Arc<Self>) {
        loop {
            let guard = locked(&self.stop);
            let (stop, _) = self.stopped.wait_timeout(guard, TICK).unwrap_or_else(PoisonError::into_inner);
            if *stop {
                return;
            }
            drop(stop);
            if let Err(error) = self.look() {
                tracing::warn!(%error, "webhooks could not be looked at");
            }
        }
    }

    /// Hand every receiver that has something to be told to a thread.
    fn look(self: &Arc<Self>) -> Result<()> {
        let world = self.db.world();
        if world.events.subscribed().next().is_none() {
            return Ok(());
        }
        let (now, head) = (clock::now(), i64::try_from(world.position()).unwrap_or(i64::MAX));
        let (due, receivers) = self.db.read_blocking(|conn| Ok((store::due(conn, now)?, store::receivers(conn)?)))?;
        for receiver in receivers {
            let Ok(id) = receiver.id.parse::<Uuid>() else { continue };
            let Some(spec) = world.events.get(id) else { continue };
            if receiver.claimed_until > now.naive() || locked(&self.hands).contains(&id) {
                continue;
            }
            let wanted = kinds(&spec.kinds).unwrap_or_default();
            if !due.contains(&receiver.id) && !self.has_news(id, &wanted, receiver.position, head)? {
                continue;
            }
            if locked(&self.hands).len() >= AT_ONCE {
                return Ok(());
            }
            locked(&self.hands).insert(id);
            let own = self.clone();
            let begun = std::thread::Builder::new().name("webhook".to_owned()).spawn(move || {
                if let Err(error) = own.turn(id, &wanted, head) {
                    tracing::warn!(%error, webhook = %id, "a webhook could not be served");
                }
                locked(&own.hands).remove(&id);
            });
            if begun.is_err() {
                locked(&self.hands).remove(&id);
            }
        }
        Ok(())
    }

    /// Whether an entry of interest lies beyond the receiver's position. Where none does, that is remembered, not written.
    fn has_news(&self, id: Uuid, wanted: &[&str], position: i64, head: i64) -> Result<bool> {
        let from = locked(&self.seen).get(&id).map_or(position, |seen| position.max(*seen));
        if from >= head {
            return Ok(false);
        }
        let found = self.db.read_blocking(|conn| store::events(conn, "", wanted, (from, head), 1))?;
        if found.is_empty() {
            locked(&self.seen).insert(id, head);
        }
        Ok(!found.is_empty())
    }

    /// One turn of a receiver: claim it, post what failed before and what is new, note what came of it.
    fn turn(&self, id: Uuid, wanted: &[&str], head: i64) -> Result<()> {
        let begun = Instant::now();
        let now = clock::now();
        let until = now.plus(chrono::Duration::seconds(CLAIM));
        let claimed = self.db.write_blocking(Uuid::nil(), now, move |tx| claim(tx, id, until))?;
        let Some(receiver) = claimed else { return Ok(()) };
        let source = &*self.settings.source;
        let (again, new) = self.db.read_blocking(|conn| {
            let again: Result<Vec<_>> = store::due_for(conn, &receiver.id, now, PAGE)?
                .into_iter()
                .map(|failed| Ok((store::event(conn, source, failed.seq)?, failed)))
                .collect();
            Ok((again?, store::events(conn, source, wanted, (receiver.position, head), PAGE)?))
        })?;
        let (mut failed, mut arrived, mut position) = (Vec::new(), Vec::new(), None);
        let goes_on = || begun.elapsed() < TURN && !self.stopping();
        for (event, before) in again {
            if !goes_on() {
                break;
            }
            match event.map(|event| self.post(&receiver, &event)) {
                Some(Err((status, error))) => {
                    failed.push(self.failed(&receiver, before.seq, before.attempts + 1, status, error));
                }
                Some(Ok(())) | None => arrived.push(before.seq),
            }
        }
        for (seq, event) in new {
            if !goes_on() {
                break;
            }
            if let Err((status, error)) = self.post(&receiver, &event) {
                failed.push(self.failed(&receiver, seq, 1, status, error));
            }
            position = Some(seq);
        }
        let now = clock::now();
        self.db.write_blocking(Uuid::nil(), now, move |tx| {
            let now = tx.now();
            tx.outbox(Outbox::Posted { webhook: id, position, failed: failed.clone(), arrived: arrived.clone(), now });
            Ok(())
        })
    }

    /// Post one event. What failed: the status, 0 without an answer, and a sentence.
    fn post(&self, receiver: &Receiver, event: &CloudEvent) -> std::result::Result<(), (u16, String)> {
        let body = serde_json::to_vec(event).map_err(|e| (0, format!("the event cannot be written: {e}")))?;
        let (id, time) = (format!("evt_{}", event.id), clock::now().micros().div_euclid(1_000_000));
        let form = (self.form)(&self.db.world(), &receiver.id, &receiver.secret, event, time);
        match form.map_err(|e| (0, e.to_string()))? {
            Some(None) => return Ok(()),
            Some(Some(told)) => return arrived(post(&self.agent, &receiver.url, &told)),
            None => {}
        }
        let signature = sign::signature(&receiver.secret, &id, time, &body).map_err(|e| (0, e.to_string()))?;
        let answer = self
            .agent
            .post(&receiver.url)
            .header("content-type", "application/cloudevents+json; charset=utf-8")
            .header("webhook-id", &id)
            .header("webhook-timestamp", time.to_string())
            .header("webhook-signature", signature)
            .send(&body[..]);
        match answer {
            Ok(mut answer) => {
                let status = answer.status().as_u16();
                // What it says is not kept; the connection is free for the next event.
                let _ = answer.body_mut().with_config().limit(ANSWER).read_to_vec();
                if (200..300).contains(&status) { Ok(()) } else { Err((status, format!("answered {status}"))) }
            }
            Err(error) => Err((0, error.to_string().chars().take(ERROR).collect())),
        }
    }

    /// How a failed delivery stands after so many attempts.
    fn failed(&self, receiver: &Receiver, seq: i64, attempts: i32, status: u16, error: String) -> Failed {
        let place = usize::try_from(attempts - 1).unwrap_or(usize::MAX);
        let (state, next_at) = match self.settings.retry.get(place) {
            Some(seconds) => (WAITING, after(clock::now(), *seconds)),
            None => (DEAD, clock::now()),
        };
        Failed {
            webhook: receiver.id.clone(),
            seq,
            state: state.to_owned(),
            attempts,
            next_at: next_at.naive(),
            status: i32::from(status),
            error,
        }
    }
}

/// Who posts: to the public internet alone, unless the operator says otherwise.
fn agent(settings: &Settings) -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        // A redirect could lead where the address may not: it is an answer like any other that is not 2xx.
        .max_redirects(0)
        .max_redirects_will_error(false)
        // A proxy of the environment would look the host up in our place.
        .proxy(None)
        .user_agent(concat!("licit/", env!("CARGO_PKG_VERSION")))
        .build();
    Agent::with_parts(config, DefaultConnector::default(), Guarded::new(settings.allow_private))
}

/// Post something: the status, and the beginning of what was answered.
fn post(agent: &Agent, url: &str, told: &Told) -> std::result::Result<(u16, String), String> {
    let mut request = agent.post(url);
    for (name, value) in &told.headers {
        request = request.header(*name, value);
    }
    let mut answer = request.send(&told.body[..]).map_err(|e| e.to_string().chars().take(ERROR).collect::<String>())?;
    let text = answer.body_mut().with_config().limit(ANSWER).read_to_vec().unwrap_or_default();
    let text = String::from_utf8_lossy(&text).chars().filter(|c| !c.is_control()).take(1000).collect();
    Ok((answer.status().as_u16(), text))
}

fn arrived(answer: std::result::Result<(u16, String), String>) -> std::result::Result<(), (u16, String)> {
    match answer {
        Ok((status, _)) if (200..300).contains(&status) => Ok(()),
        Ok((status, _)) => Err((status, format!("answered {status}"))),
        Err(error) => Err((0, error)),
    }
}

/// Post something once, for whoever tries a receiver.
///
/// # Errors
/// A sentence: nobody answers, or not where it may be posted to.
pub fn once(settings: &Settings, url: &str, told: &Told) -> std::result::Result<(u16, String), String> {
    post(&agent(settings), url, told)
}

/// So many seconds on, give or take a fifth: what failed together is not tried again together.
fn after(now: Timestamp, seconds: u64) -> Timestamp {
    let mut byte = [0u8; 1];
    // Without random bytes the pause is the plain one.
    let jitter = getrandom::fill(&mut byte).map_or(0, |()| i64::from(byte[0]) - 128);
    let micros = i64::try_from(seconds.min(1 << 30)).unwrap_or(0) * 1_000_000;
    now.plus(chrono::Duration::microseconds(micros + micros / 640 * jitter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_differ_by_a_fifth_at_most() {
        let now: Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
        for _ in 0..200 {
            let pause = after(now, 100).micros() - now.micros();
            assert!((79_000_000..=121_000_000).contains(&pause), "{pause}");
        }
        assert_eq!(after(now, 0), now);
    }
}
