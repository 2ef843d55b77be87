//! Receiving events.

use licit_schemas::digest::Digest;
use licit_schemas::openlineage::{EventOutcome, EventTaken};
use licit_schemas::reference::Ref;
use serde_json::Value;
use uuid::Uuid;

use super::event::{Event, Received};
use super::translate::translate;
use crate::db::received::{deflated, inflated};
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx};
use crate::resolve::pin;

/// By how many seconds the clock of a producer may be ahead of ours.
const CLOCKS_DIFFER: i64 = 300;

/// An event, read before the writer has it.
pub struct Incoming {
    digest: Digest,
    size: usize,
    body: Vec<u8>,
    read: std::result::Result<Event, String>,
}

impl Incoming {
    /// What a JSON value says; it is kept in one spelling.
    ///
    /// # Errors
    /// None in memory.
    pub fn of(value: &Value) -> Result<Self> {
        Self::new(value.to_string().as_bytes(), translate(value))
    }

    /// A text that is JSON, and more than a document may be.
    ///
    /// # Errors
    /// None in memory.
    pub fn unreadable(text: &[u8], reason: String) -> Result<Self> {
        Self::new(text, Err(reason))
    }

    fn new(text: &[u8], read: std::result::Result<Event, String>) -> Result<Self> {
        Ok(Self { digest: Digest::of(text), size: text.len(), body: deflated(text)?, read })
    }
}

/// What became of an event; or why it is to be sent again, since it can be neither recorded nor put aside now.
pub type Taken = std::result::Result<EventTaken, String>;

/// Record what can be read, and put what cannot into quarantine, where `most` may wait. An event that came before changes nothing.
///
/// # Errors
/// What the database said.
pub fn receive(tx: &mut Tx<'_>, events: &[Incoming], most: u32) -> Result<Vec<Taken>> {
    events.iter().map(|event| one(tx, event, most)).collect()
}

fn one(tx: &mut Tx<'_>, incoming: &Incoming, most: u32) -> Result<Taken> {
    let event = match &incoming.read {
        Ok(_) if tx.has_event(incoming.digest)? => return Ok(Ok(taken(EventOutcome::Unchanged))),
        Ok(event) => event,
        Err(reason) => return set_aside(tx, incoming, reason, most),
    };
    if let Some(reason) = ahead(tx, event) {
        return set_aside(tx, incoming, reason, most);
    }
    let Some(over) = tx.world().openlineage.overflows(event) else {
        return record(tx, incoming, event).map(Ok);
    };
    // Whatever becomes of the event, the gate is to know that what is known of its run is not all.
    if !tx.world().openlineage.knows(&over.fact) {
        tx.record(Fact::LineageRunOverflowed(over.fact))?;
    }
    set_aside(tx, incoming, &over.reason, most)
}

fn taken(outcome: EventOutcome) -> EventTaken {
    EventTaken { outcome, quarantine: None, reason: None }
}

/// What holds when something begins can be judged only when it has begun.
fn ahead(tx: &Tx<'_>, event: &Event) -> Option<&'static str> {
    let latest = tx.now().plus(chrono::Duration::seconds(CLOCKS_DIFFER));
    (event.at > latest).then_some("`eventTime` lies ahead")
}

fn set_aside(tx: &mut Tx<'_>, incoming: &Incoming, reason: &str, most: u32) -> Result<Taken> {
    // A reason quotes what was sent: only so much of it.
    let reason: String = reason.chars().filter(|c| !c.is_control()).take(500).collect();
    let kept = (incoming.size, incoming.body.clone());
    Ok(match tx.quarantine(incoming.digest, &reason, kept, most)? {
        Some(id) => Ok(EventTaken { outcome: EventOutcome::Quarantined, quarantine: Some(id), reason: Some(reason) }),
        None => Err(format!(
            "it cannot be recorded ({reason}), and {most} events wait in quarantine, as many as may: send it again when some were \
             read again or erased"
        )),
    })
}

fn record(tx: &mut Tx<'_>, incoming: &Incoming, event: &Event) -> Result<EventTaken> {
    let mut event = event.clone();
    if let Some(facet) = &mut event.facet {
        let named = [&mut facet.purpose, &mut facet.basis].into_iter().flatten();
        for reference in named.chain(&mut facet.assessments) {
            pinned(tx, reference);
        }
    }
    for table in &mut event.tables {
        let named = [&mut table.purpose, &mut table.basis].into_iter().flatten();
        for reference in named.chain(&mut table.assessments) {
            pinned(tx, reference);
        }
    }
    let raw = tx.keep_event(incoming.digest, incoming.body.clone())?;
    tx.record(Fact::LineageEventReceived(Received { raw, event }))?;
    Ok(taken(EventOutcome::Accepted))
}

/// What is registered is pinned; what is not is kept as it was stated, and the gate knows no such purpose. A producer must not lose
/// lineage because nobody registered a word it uses.
fn pinned(tx: &Tx<'_>, reference: &mut Ref) {
    if let Ok(known) = pin(tx.world(), reference, tx.now(), "") {
        *reference = known;
    }
}

/// Read an event in quarantine again. What can be read now is recorded and leaves it.
///
/// # Errors
/// No such event.
pub fn replay(tx: &mut Tx<'_>, id: Uuid, most: u32) -> Result<Taken> {
    let none = || Error::NotFound(format!("there is no event `{id}` in quarantine"));
    let held = tx.quarantined(id)?.ok_or_else(none)?;
    let text = inflated(&held.body)?;
    let incoming = match licit_schemas::json::parse(&text) {
        Ok(value) => Incoming::of(&value)?,
        Err(fault) => Incoming::unreadable(&text, fault.problem)?,
    };
    let answer = one(tx, &incoming, most)?;
    if answer.as_ref().is_ok_and(|answer| answer.outcome != EventOutcome::Quarantined) {
        tx.release_event(&held.id);
    }
    Ok(answer)
}
