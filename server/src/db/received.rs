//! Foreign events as they came, and those that could not be read: erasable, beside the ledger, and written by the same writer.

use std::collections::HashSet;

use diesel::prelude::*;
use licit_schemas::digest::Digest;
use licit_schemas::known::KnownAt;
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::conn::Conn;
use super::schema::{lineage_event, lineage_quarantine};
use super::tx::{Erased, Tx};
use super::{MultiBackend, Projection, past};
use crate::error::{Error, Result};

/// An event as it came, compressed. The ledger keeps the digest of salt and digest.
#[derive(Clone, Insertable)]
#[diesel(table_name = lineage_event)]
pub(super) struct Kept {
    digest: String,
    seq: i64,
    salt: Vec<u8>,
    body: Vec<u8>,
}

/// An event that could not be read.
#[derive(Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = lineage_quarantine, check_for_backend(MultiBackend))]
pub struct Quarantined {
    pub id: String,
    pub digest: String,
    pub actor: String,
    pub received_at: chrono::NaiveDateTime,
    pub reason: String,
    pub size: i64,
    pub body: Vec<u8>,
}

/// A change of these tables.
pub(super) enum Received {
    Keep(Kept),
    Quarantine(Quarantined),
}

impl<P: Projection> Tx<'_, P> {
    /// Whether an event came before.
    ///
    /// # Errors
    /// What the database said.
    pub fn has_event(&mut self, digest: Digest) -> Result<bool> {
        let digest = digest.to_string();
        let same = |change: &Received| matches!(change, Received::Keep(kept) if kept.digest == digest);
        if self.batch.received.iter().any(same) {
            return Ok(true);
        }
        let found: Option<String> =
            lineage_event::table.find(&digest).select(lineage_event::digest).first(self.conn).optional()?;
        Ok(found.is_some())
    }

    /// Keep an event with the fact that is recorded next, which holds the salted digest given back.
    ///
    /// # Errors
    /// No random bytes to be had.
    pub fn keep_event(&mut self, digest: Digest, body: Vec<u8>) -> Result<Digest> {
        let mut salt = [0u8; 32];
        getrandom::fill(&mut salt).map_err(|e| Error::Unavailable(format!("no random bytes: {e}")))?;
        let seq = i64::try_from(self.world().position() + 1).unwrap_or(i64::MAX);
        let kept = Kept { digest: digest.to_string(), seq, salt: salt.to_vec(), body };
        self.batch.received.push(Received::Keep(kept));
        Ok(salted(&salt, digest))
    }

    /// An event in quarantine, by its id.
    ///
    /// # Errors
    /// What the database said.
    pub fn quarantined(&mut self, id: Uuid) -> Result<Option<Quarantined>> {
        let id = id.to_string();
        if self.is_going(&id) {
            return Ok(None);
        }
        Ok(lineage_quarantine::table.find(&id).select(Quarantined::as_select()).first(self.conn).optional()?)
    }

    /// Whether an event in quarantine is erased by this group: its row goes when the group is flushed, and nobody may find it until then.
    fn is_going(&self, id: &str) -> bool {
        self.batch.erased.iter().any(|one| one.quarantined() == Some(id))
    }

    /// Put an event into quarantine, where `most` may wait (0: any number); its id there. One that is there stays as it is. None where it
    /// is full: what waits gives way to nothing that comes later.
    ///
    /// # Errors
    /// What the database said.
    pub fn quarantine(
        &mut self,
        digest: Digest,
        reason: &str,
        (size, body): (usize, Vec<u8>),
        most: u32,
    ) -> Result<Option<String>> {
        let digest = digest.to_string();
        let pending = self.batch.received.iter().find_map(|change| match change {
            Received::Quarantine(one) if one.digest == digest && !self.is_going(&one.id) => Some(one.id.clone()),
            _ => None,
        });
        let known = match pending {
            Some(id) => Some(id),
            None => {
                let all = lineage_quarantine::table.filter(lineage_quarantine::digest.eq(&digest));
                let ids: Vec<String> = all.select(lineage_quarantine::id).load(self.conn)?;
                ids.into_iter().find(|id| !self.is_going(id))
            }
        };
        if known.is_some() {
            return Ok(known);
        }
        if most > 0 && self.waiting()? >= usize::try_from(most).unwrap_or(usize::MAX) {
            return Ok(None);
        }
        let id = self.new_id().to_string();
        self.batch.received.push(Received::Quarantine(Quarantined {
            id: id.clone(),
            digest,
            actor: self.actor().to_string(),
            received_at: self.now().naive(),
            reason: reason.to_owned(),
            size: i64::try_from(size).unwrap_or(i64::MAX),
            body,
        }));
        Ok(Some(id))
    }

    /// How many events wait in quarantine, with what this group changes. They are counted once for a group: nobody else writes meanwhile.
    fn waiting(&mut self) -> Result<usize> {
        let stored = match self.batch.waiting {
            Some(stored) => stored,
            None => {
                let count: i64 = lineage_quarantine::table.count().get_result(self.conn)?;
                *self.batch.waiting.insert(usize::try_from(count).unwrap_or(0))
            }
        };
        let came = self.batch.received.iter().filter(|change| matches!(change, Received::Quarantine(_))).count();
        let gone: HashSet<&str> = self.batch.erased.iter().filter_map(Erased::quarantined).collect();
        Ok((stored + came).saturating_sub(gone.len()))
    }

    /// Erase the body of an event, as it came, and its salt. Its digest stays, so that it is known when it is sent again, and so does
    /// what the ledger says of it.
    pub fn erase_event(&mut self, digest: Digest) {
        let digest = digest.to_string();
        // One that is kept by this very write.
        for change in &mut self.batch.received {
            if let Received::Keep(kept) = change
                && kept.digest == digest
            {
                (kept.salt, kept.body) = (Vec::new(), Vec::new());
            }
        }
        self.batch.erased.push(Erased::Event(digest));
    }

    /// Erase an event in quarantine.
    pub fn erase_quarantined(&mut self, id: Uuid) {
        self.batch.erased.push(Erased::Quarantined(id.to_string()));
    }

    /// Erase what was found to be beyond its bound. What was erased is cleared from the log behind the last of many such writes, not behind
    /// each.
    pub fn expire(&mut self, found: &[Expired]) {
        self.batch.erased.extend(found.iter().map(|one| match one {
            Expired::Event { digest, .. } => Erased::Event(digest.clone()),
            Expired::Quarantined(id) => Erased::Quarantined(id.clone()),
        }));
        self.batch.deferred |= !found.is_empty();
    }

    /// Let an event out of quarantine. What it said is kept with its fact, and may be erased there: so it is overwritten here.
    pub fn release_event(&mut self, id: &str) {
        self.batch.erased.push(Erased::Quarantined(id.to_owned()));
    }
}

/// An event beyond its bound.
#[derive(Clone, Debug)]
pub enum Expired {
    /// One that was recorded.
    Event {
        /// Its digest.
        digest: String,
        /// Where in the ledger its fact is.
        seq: i64,
    },
    /// One in quarantine, by its id.
    Quarantined(String),
}

/// The last position of the ledger whose event is beyond the bound; 0 where none is.
///
/// # Errors
/// What the database said.
pub fn last_expired(conn: &mut Conn, bound: &Bound, now: Timestamp) -> Result<i64> {
    let mut until = 0;
    if let Some(end) = bound.since(now) {
        until = i64::try_from(past::position(conn, KnownAt::Time(end))?).unwrap_or(i64::MAX);
    }
    if let Some(most) = bound.most() {
        let events = lineage_event::table.select(lineage_event::seq).order(lineage_event::seq.desc());
        let first: Option<i64> = events.offset(most).first(conn).optional()?;
        until = until.max(first.unwrap_or(0));
    }
    Ok(until)
}

/// Some of the events between two positions of the ledger that were not erased yet, oldest first.
///
/// # Errors
/// What the database said.
pub fn expired(conn: &mut Conn, after: i64, until: i64) -> Result<Vec<Expired>> {
    let found: Vec<(String, i64)> = lineage_event::table
        .filter(lineage_event::seq.gt(after).and(lineage_event::seq.le(until)))
        .filter(lineage_event::salt.ne(Vec::new()))
        .order(lineage_event::seq)
        .limit(AT_ONCE)
        .select((lineage_event::digest, lineage_event::seq))
        .load(conn)?;
    Ok(found.into_iter().map(|(digest, seq)| Expired::Event { digest, seq }).collect())
}

/// Some of the events that wait in quarantine longer than they may, oldest first.
///
/// # Errors
/// What the database said.
pub fn expired_quarantined(conn: &mut Conn, bound: &Bound, now: Timestamp) -> Result<Vec<Expired>> {
    let Some(end) = bound.since(now) else { return Ok(Vec::new()) };
    // Ids are in the order of time: the first that is not too old ends it.
    let oldest: Vec<(String, chrono::NaiveDateTime)> = lineage_quarantine::table
        .select((lineage_quarantine::id, lineage_quarantine::received_at))
        .order(lineage_quarantine::id)
        .limit(AT_ONCE)
        .load(conn)?;
    let old = oldest.into_iter().take_while(|(_, at)| *at < end.naive());
    Ok(old.map(|(id, _)| Expired::Quarantined(id)).collect())
}

/// How long foreign events are kept as they came, and how many.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Days; 0: without end.
    pub days: u32,
    /// So many: of those that were recorded the latest, of those in quarantine the first; 0: all.
    pub most: u32,
}

impl Bound {
    /// What came before this moment goes.
    fn since(&self, now: Timestamp) -> Option<Timestamp> {
        (self.days > 0).then(|| now.plus(-chrono::Duration::days(self.days.into())))
    }

    fn most(&self) -> Option<i64> {
        (self.most > 0).then_some(self.most.into())
    }
}

/// Events erased in one write: others have their turn between them.
const AT_ONCE: i64 = 500;

/// Erase the body of an event and its salt.
pub(super) fn erase(conn: &mut Conn, digest: &str) -> Result<usize> {
    let nothing: Vec<u8> = Vec::new();
    let gone = (lineage_event::salt.eq(&nothing), lineage_event::body.eq(&nothing));
    Ok(diesel::update(lineage_event::table.find(digest)).set(gone).execute(conn)?)
}

/// Erase an event in quarantine.
pub(super) fn discard(conn: &mut Conn, id: &str) -> Result<usize> {
    Ok(diesel::delete(lineage_quarantine::table.find(id)).execute(conn)?)
}

/// What the ledger holds of an event.
fn salted(salt: &[u8], digest: Digest) -> Digest {
    Digest::of(&[salt, digest.as_bytes()].concat())
}

/// Write the changes of a group.
pub(super) fn flush(conn: &mut Conn, changes: Vec<Received>) -> Result<()> {
    for change in changes {
        match change {
            Received::Keep(kept) => {
                diesel::insert_into(lineage_event::table).values(kept).execute(conn)?;
            }
            Received::Quarantine(one) => {
                diesel::insert_into(lineage_quarantine::table).values(one).execute(conn)?;
            }
        }
    }
    Ok(())
}

/// Events that are not what the ledger says of them, or of entries there are none of: faults in words, the first twenty.
///
/// # Errors
/// What the database said.
pub fn check(conn: &mut Conn, stated: &mut dyn FnMut(&mut Conn, i64) -> Result<Option<Digest>>) -> Result<Vec<String>> {
    const PAGE: i64 = 500;
    let (mut after, mut faults) = (String::new(), Vec::new());
    loop {
        let page: Vec<(String, i64, Vec<u8>, Vec<u8>)> = lineage_event::table
            .filter(lineage_event::digest.gt(&after))
            .order(lineage_event::digest)
            .limit(PAGE)
            .load(conn)?;
        let Some((last, ..)) = page.last() else { return Ok(faults) };
        after.clone_from(last);
        for (digest, seq, salt, body) in page {
            // It was erased: what the entry commits to, nobody can say any more.
            if salt.is_empty() && body.is_empty() {
                continue;
            }
            let kept: Option<Digest> = digest.parse().ok();
            let wanted = stated(conn, seq)?;
            let as_kept = kept.is_some_and(|kept| inflated(&body).is_ok_and(|text| Digest::of(&text) == kept));
            if !as_kept || kept.map(|kept| salted(&salt, kept)) != wanted {
                faults.push(format!("table lineage_event: the event of entry {seq} is not what the entry commits to"));
            }
        }
        if faults.len() >= 20 {
            return Ok(faults);
        }
    }
}

/// What was compressed.
///
/// # Errors
/// Only bytes that are not ours.
pub fn inflated(body: &[u8]) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(body), &mut text)
        .map_err(|e| Error::Internal(format!("a kept event cannot be read: {e}")))?;
    Ok(text)
}

/// Compressed as it is kept.
///
/// # Errors
/// None in memory.
pub fn deflated(text: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, text)
        .and_then(|()| encoder.finish())
        .map_err(|e| Error::Internal(format!("an event cannot be compressed: {e}")))
}
