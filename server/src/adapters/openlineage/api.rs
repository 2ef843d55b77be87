//! The routes of OpenLineage.
//!
//! A producer that is answered 4xx loses its event, and one that is answered 5xx waits while a pipeline stands still. So what is
//! JSON is taken: recorded, or put aside with the reason; only where there is no room to put it aside is it to be sent again.

use std::fmt;

use licit_schemas::digest::Digest;
use licit_schemas::json;
use licit_schemas::openlineage::{
    EventOutcome, EventsSummary, EventsTaken, FACET_SCHEMA, FailedEvent, QuarantineQuery,
};
use licit_schemas::problem::Fault;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::operations::{self, Incoming, Taken};
use super::store;
use crate::error::{Error, Result};
use crate::http::{Body, Ctx, Reply, off_thread};

/// Events of a batch that one write records: others have their turn between them.
const AT_ONCE: usize = 200;
/// Events of a batch.
const MOST_EVENTS: usize = 10_000;

/// One event.
pub async fn receive(ctx: Ctx, body: Body) -> Result<Reply> {
    // Megabytes take their time to read.
    let events = off_thread(move || Ok(vec![read(&body.0)?])).await?;
    let most = ctx.app.quarantine;
    let taken = ctx.write(move |tx| operations::receive(tx, &events, most)).await?;
    let one = taken.into_iter().next().ok_or_else(|| Error::Internal("an event is lost".to_owned()))?;
    let one = one.map_err(Error::Busy)?;
    if one.outcome == EventOutcome::Accepted { Reply::created(&one) } else { Reply::ok(&one) }
}

/// Many, in an array: each is taken for itself.
pub async fn receive_batch(ctx: Ctx, body: Body) -> Result<Reply> {
    // Megabytes take their time to read.
    let events = off_thread(move || batch(&body.0)).await?;
    let most = ctx.app.quarantine;
    let mut taken: Vec<Taken> = Vec::with_capacity(events.len());
    let mut rest = events.into_iter().peekable();
    while rest.peek().is_some() {
        let some: Vec<Incoming> = rest.by_ref().take(AT_ONCE).collect();
        taken.extend(ctx.write(move |tx| operations::receive(tx, &some, most)).await?);
    }
    let mut answer = EventsTaken {
        status: "success".to_owned(),
        summary: EventsSummary { received: count(taken.len()), ..EventsSummary::default() },
        failed_events: Vec::new(),
    };
    for (index, one) in taken.into_iter().enumerate() {
        let (reason, retriable) = match one {
            Ok(one) if one.outcome == EventOutcome::Quarantined => (one.reason.unwrap_or_default(), false),
            Ok(_) => continue,
            Err(reason) => (reason, true),
        };
        answer.failed_events.push(FailedEvent { index: count(index), reason, retriable });
    }
    let failed = count(answer.failed_events.len());
    let again = count(answer.failed_events.iter().filter(|one| one.retriable).count());
    if failed > 0 {
        answer.status = "partial_success".to_owned();
    }
    (answer.summary.failed, answer.summary.retriable, answer.summary.non_retriable) = (failed, again, failed - again);
    answer.summary.successful = answer.summary.received - failed;
    Reply::ok(&answer)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn malformed(sentence: String) -> Error {
    Error::Malformed(sentence.clone(), vec![Fault::new("", sentence)])
}

/// An event, or a text that is JSON and no document of ours: too deep, a member named twice.
fn read(bytes: &[u8]) -> Result<Incoming> {
    match json::parse(bytes) {
        Ok(value) => Incoming::of(&value),
        // Half of a character, or a number beyond all numbers, is JSON to look at: whoever sent it loses no event over it.
        Err(fault) if is_json(bytes) => Incoming::unreadable(bytes, fault.to_string()),
        Err(fault) => Err(malformed(fault.to_string())),
    }
}

/// Whether a text is JSON by its grammar.
fn is_json(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<&RawValue>(text).is_ok())
}

fn batch(bytes: &[u8]) -> Result<Vec<Incoming>> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let events = json.deserialize_seq(Batch).and_then(|events| json.end().map(|()| events));
    match events {
        Ok(Some(events)) => events.into_iter().map(|one| read(one.get().as_bytes())).collect(),
        Ok(None) => Err(Error::TooLarge(format!("a batch may have {MOST_EVENTS} events"))),
        Err(_) => Err(malformed("the body is no JSON array: send events as `[{…}, {…}]`".to_owned())),
    }
}

/// The events of a batch as they stand in it; none where they are more than a batch may have: the rest is passed over, since a small
/// body can unfold to millions.
struct Batch;

impl<'de> Visitor<'de> for Batch {
    type Value = Option<Vec<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> std::result::Result<Self::Value, A::Error> {
        let mut events = Vec::new();
        while let Some(event) = sequence.next_element()? {
            if events.len() == MOST_EVENTS {
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(None);
            }
            events.push(event);
        }
        Ok(Some(events))
    }
}

/// What waits in quarantine.
pub async fn list_quarantine(ctx: Ctx) -> Result<Reply> {
    let query: QuarantineQuery = ctx.query()?;
    let after = query.after.unwrap_or_default();
    Reply::ok(&ctx.app.db.read(move |conn| store::list(conn, &after)).await?)
}

/// One event there.
pub async fn get_quarantined(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    Reply::ok(&ctx.app.db.read(move |conn| store::get(conn, id)).await?)
}

/// Erase an event there. What was erased, or never was, is not there afterwards.
pub async fn erase_quarantined(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    ctx.write(move |tx| {
        tx.erase_quarantined(id);
        Ok(())
    })
    .await?;
    Ok(Reply::nothing())
}

/// Events that were recorded, as they came.
pub async fn list_kept(ctx: Ctx) -> Result<Reply> {
    let query: QuarantineQuery = ctx.query()?;
    let after = match query.after.as_deref() {
        None => 0,
        Some(text) => text.parse().map_err(|_| {
            Error::invalid("/after", "it is no position of the ledger: take `next` of the page before".to_owned())
        })?,
    };
    Reply::ok(&ctx.app.db.read(move |conn| store::kept(conn, after)).await?)
}

fn digest(ctx: &Ctx) -> Result<Digest> {
    ctx.text("digest").parse().map_err(|e| Error::NotFound(format!("the path names no event by its digest: {e}")))
}

/// One of them.
pub async fn get_kept(ctx: Ctx) -> Result<Reply> {
    let digest = digest(&ctx)?;
    Reply::ok(&ctx.app.db.read(move |conn| store::kept_one(conn, &digest)).await?)
}

/// Erase what one of them said as it came. Its digest stays, and what was derived.
pub async fn erase_kept(ctx: Ctx) -> Result<Reply> {
    let digest = digest(&ctx)?;
    ctx.write(move |tx| {
        tx.erase_event(digest);
        Ok(())
    })
    .await?;
    Ok(Reply::nothing())
}

/// Read it again.
pub async fn replay(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    let most = ctx.app.quarantine;
    let taken = ctx.write(move |tx| operations::replay(tx, id, most)).await?;
    Reply::ok(&taken.map_err(Error::Busy)?)
}

/// The schema of our facet.
pub async fn facet_schema(_: Ctx) -> Result<Reply> {
    let schema: Value = serde_json::from_str(FACET_SCHEMA).map_err(|e| Error::Internal(format!("facet: {e}")))?;
    Reply::ok(&schema)
}
