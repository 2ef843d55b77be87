//! Foreign events as they came, and those that could not be read: erasable, beside the ledger, and written by the same writer.

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
    Release(String),
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
        let gone = |change: &Received| matches!(change, Received::Release(one) if *one == id);
        if self.batch.received.iter().any(gone) {
            return Ok(None);
        }
        Ok(lineage_quarantine::table.find(&id).select(Quarantined::as_select()).first(self.conn).optional()?)
    }

    /// Put an event into quarantine; its id there. One that is there stays as it is.
    ///
    /// # Errors
    /// What the database said.
    pub fn quarantine(&mut self, digest: Digest, reason: &str, size: usize, body: Vec<u8>) -> Result<String> {
        let digest = digest.to_string();
        let pending = self.batch.received.iter().find_map(|change| match change {
            Received::Quarantine(one) if one.digest == digest => Some(one.id.clone()),
            _ => None,
        });
        let known = match pending {
            Some(id) => Some(id),
            None => lineage_quarantine::table
                .filter(lineage_quarantine::digest.eq(&digest))
                .select(lineage_quarantine::id)
                .first(self.conn)
                .optional()?,
        };
        if let Some(id) = known {
            return Ok(id);
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
        Ok(id)
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

    /// Erase some of the events beyond their bound, from one position of the ledger on; where to go on, while there are more.
    ///
    /// # Errors
    /// What the database said.
    pub fn expire_events(&mut self, bound: &Bound, after: i64) -> Result<Option<i64>> {
        let mut until = 0;
        if let Some(end) = bound.since(self.now()) {
            until = i64::try_from(past::position(self.conn, KnownAt::Time(end))?).unwrap_or(i64::MAX);
        }
        if let Some(most) = bound.most() {
            let events = lineage_event::table.select(lineage_event::seq).order(lineage_event::seq.desc());
            let first: Option<i64> = events.offset(most).first(self.conn).optional()?;
            until = until.max(first.unwrap_or(0));
        }
        let found: Vec<(String, i64)> = lineage_event::table
            .filter(lineage_event::seq.gt(after).and(lineage_event::seq.le(until)))
            .filter(lineage_event::salt.ne(Vec::new()))
            .order(lineage_event::seq)
            .limit(AT_ONCE)
            .select((lineage_event::digest, lineage_event::seq))
            .load(self.conn)?;
        let next = found.last().map(|(_, seq)| *seq);
        self.batch.erased.extend(found.into_iter().map(|(digest, _)| Erased::Event(digest)));
        Ok(next)
    }

    /// Erase some of the events in quarantine beyond their bound, oldest first; how many.
    ///
    /// # Errors
    /// What the database said.
    pub fn expire_quarantined(&mut self, bound: &Bound) -> Result<usize> {
        let all = || lineage_quarantine::table.select(lineage_quarantine::id);
        let mut found: Vec<String> = Vec::new();
        if let Some(end) = bound.since(self.now()) {
            let old = all().filter(lineage_quarantine::received_at.lt(end.naive()));
            found = old.order(lineage_quarantine::id).limit(AT_ONCE).load(self.conn)?;
        }
        // Ids are in the order of time.
        if let (true, Some(most)) = (found.is_empty(), bound.most()) {
            found = all().order(lineage_quarantine::id.desc()).offset(most).limit(AT_ONCE).load(self.conn)?;
        }
        let count = found.len();
        self.batch.erased.extend(found.into_iter().map(Erased::Quarantined));
        Ok(count)
    }

    /// Let an event out of quarantine.
    pub fn release_event(&mut self, id: &str) {
        self.batch.received.push(Received::Release(id.to_owned()));
    }
}

/// How long foreign events are kept as they came, and how many.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Days; 0: without end.
    pub days: u32,
    /// The latest so many; 0: all.
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
            Received::Release(id) => {
                diesel::delete(lineage_quarantine::table.find(id)).execute(conn)?;
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
