//! What an operation sees while it runs: the projection with everything recorded so far, the time, who asks, and `record`.

use diesel::prelude::*;
use licit_schemas::digest::Digest;
use licit_schemas::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::checkpoint::Keep;
use super::conn::Conn;
use super::outbox::Outbox;
use super::people::{Asked, Change};
use super::received::Received;
use super::rows::{At, Rows};
use super::schema::idempotency;
use super::{Encoded, Projection, Row, listing};
use crate::error::{Error, Result};

/// A fact with its place, waiting for its group.
pub(super) struct Pending {
    pub at: At,
    pub fact: Encoded,
}

/// A comment kept erasable.
#[derive(Insertable)]
#[diesel(table_name = super::schema::note)]
pub(super) struct Note {
    pub digest: String,
    pub salt: Vec<u8>,
    pub text: String,
}

/// An actor's name, kept erasable.
#[derive(Insertable)]
#[diesel(table_name = super::schema::actor_name)]
pub(super) struct ActorName {
    pub actor: String,
    pub name: String,
    pub salt: Vec<u8>,
}

/// An answer kept for retries.
#[derive(Clone, Insertable, Queryable)]
#[diesel(table_name = idempotency)]
pub(super) struct Kept {
    pub actor: String,
    pub route: String,
    pub key: String,
    pub fingerprint: String,
    pub answer: String,
    pub created_at: chrono::NaiveDateTime,
}

/// Everything a group wants written, in memory until it is flushed.
#[derive(Default)]
pub(super) struct Batch {
    pub facts: Vec<Pending>,
    pub rows: Rows,
    pub notes: Vec<Note>,
    pub names: Vec<ActorName>,
    pub evidence: Vec<(Digest, Vec<u8>)>,
    pub kept: Vec<Kept>,
    pub erased: Vec<Erased>,
    pub outbox: Vec<Outbox>,
    pub people: Vec<Change>,
    pub checkpoints: Vec<Keep>,
    pub received: Vec<Received>,
    /// How many events waited in quarantine when the group began, once somebody asked.
    pub waiting: Option<usize>,
    /// Whether more is erased by writes that follow, so that the log is cleared behind the last of them.
    pub deferred: bool,
    /// What the group was looked up for.
    pub asked: Asked,
    /// Whether the group knows whoever other servers made known: while it holds the lock, they make nobody known.
    pub knows_people: bool,
}

/// What is taken out of the erasable tables.
#[derive(Clone, Debug)]
pub(super) enum Erased {
    Name(Uuid),
    Note(Digest),
    /// The body of an event and its salt, by the event's digest, which stays.
    Event(String),
    Quarantined(String),
}

impl Erased {
    /// The event in quarantine, where it is one.
    pub(super) fn quarantined(&self) -> Option<&str> {
        match self {
            Self::Quarantined(id) => Some(id),
            _ => None,
        }
    }
}

/// Marks into a [`Batch`], to go back to when an operation fails.
pub(super) struct Mark([usize; 11], bool);

impl Batch {
    pub(super) fn mark(&self) -> Mark {
        let lengths = [
            self.facts.len(),
            self.rows.len(),
            self.notes.len(),
            self.names.len(),
            self.evidence.len(),
            self.kept.len(),
            self.erased.len(),
            self.outbox.len(),
            self.people.len(),
            self.checkpoints.len(),
            self.received.len(),
        ];
        Mark(lengths, self.knows_people)
    }

    pub(super) fn back_to(&mut self, mark: &Mark) {
        let Mark(lengths, knows_people) = mark;
        let [facts, rows, notes, names, evidence, kept, erased, outbox, people, checkpoints, received] = lengths;
        self.facts.truncate(*facts);
        self.rows.truncate(*rows);
        self.notes.truncate(*notes);
        self.names.truncate(*names);
        self.evidence.truncate(*evidence);
        self.kept.truncate(*kept);
        self.erased.truncate(*erased);
        self.outbox.truncate(*outbox);
        self.people.truncate(*people);
        self.checkpoints.truncate(*checkpoints);
        self.received.truncate(*received);
        self.knows_people = *knows_people;
    }
}

/// An idempotency key with the request it belongs to.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// Method and path.
    pub route: String,
    /// The key the client chose.
    pub key: String,
    /// Digest of the request.
    pub fingerprint: Digest,
}

impl Idempotency {
    /// What is kept of a key: the digest of who sent it and what it is. Clients choose keys as they like, and one may be somebody's
    /// address.
    fn sum(&self, actor: &str) -> String {
        Digest::of(format!("{actor}\n{}", self.key).as_bytes()).to_string()
    }
}

/// A running operation. It hides its connection: only `store.rs` files reach the database through it, and only to read.
pub struct Tx<'a, P: Projection> {
    pub(super) world: &'a mut P,
    pub(super) batch: &'a mut Batch,
    pub(super) conn: &'a mut Conn,
    pub(super) now: Timestamp,
    pub(super) actor: Uuid,
    /// For what is only tried out over an earlier projection: its position, where the tables are read as they were then.
    pub(super) upto: Option<i64>,
}

impl<P: Projection> Tx<'_, P> {
    /// The projection, with what this operation and those before it recorded.
    pub fn world(&self) -> &P {
        self.world
    }

    /// The time of this operation: never earlier than that of an entry before it.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Who asks.
    pub fn actor(&self) -> Uuid {
        self.actor
    }

    /// A new id: UUIDv7, its time that of the operation.
    pub fn new_id(&self) -> Uuid {
        new_id(self.now)
    }

    /// Record a fact. It is folded in at once; its position is final unless the operation fails.
    ///
    /// # Errors
    /// Data that cannot be canonical.
    pub fn record(&mut self, fact: impl Into<P::Fact>) -> Result<u64> {
        let fact = fact.into();
        let encoded = P::encode(&fact)?;
        let at = At { seq: self.world.position() + 1, time: self.now, actor: self.actor };
        self.world.apply(&at, &fact, &mut self.batch.rows);
        debug_assert_eq!(self.world.position(), at.seq, "a projection counts every fact");
        self.batch.facts.push(Pending { at, fact: encoded });
        Ok(at.seq)
    }

    /// Keep a comment erasable: the ledger gets the digest of salt and text, never the text.
    ///
    /// # Errors
    /// No random bytes to be had.
    pub fn note(&mut self, text: &str) -> Result<Digest> {
        let (digest, salt) = salted(text)?;
        self.batch.notes.push(Note { digest: digest.to_string(), salt, text: text.to_owned() });
        Ok(digest)
    }

    /// Keep an actor's name erasable: the ledger gets the digest of salt and name, never the name.
    ///
    /// # Errors
    /// No random bytes to be had.
    pub fn name_actor(&mut self, actor: Uuid, name: &str) -> Result<Digest> {
        let (digest, salt) = salted(name)?;
        self.batch.names.push(ActorName { actor: actor.to_string(), name: name.to_owned(), salt });
        Ok(digest)
    }

    /// Erase an actor's name (GDPR Art. 17): its digest there says nothing without the salt, and stays.
    pub fn erase_name(&mut self, actor: Uuid) {
        self.batch.erased.push(Erased::Name(actor));
    }

    /// Erase a comment and its salt: its digest in the ledger says nothing any more.
    pub fn erase_note(&mut self, digest: Digest) {
        self.batch.erased.push(Erased::Note(digest));
    }

    /// Keep the canonical evidence of a decision, compressed, by its digest.
    pub fn keep_evidence(&mut self, digest: Digest, compressed: Vec<u8>) {
        self.batch.evidence.push((digest, compressed));
    }

    /// What was recorded in this group so far, in order, as the ledger would hold it.
    pub fn recorded(&self) -> impl Iterator<Item = (&At, &Encoded)> {
        self.batch.facts.iter().map(|pending| (&pending.at, &pending.fact))
    }

    /// Evidence kept in this group, compressed, by its digest.
    pub fn kept_evidence(&self, digest: &Digest) -> Option<&[u8]> {
        self.batch.evidence.iter().find(|(known, _)| known == digest).map(|(_, bytes)| bytes.as_slice())
    }

    /// When an entry was recorded, by this group or before; none beyond the last.
    ///
    /// # Errors
    /// What the database said.
    pub fn time_of(&mut self, seq: u64) -> Result<Option<Timestamp>> {
        if let Some(pending) = self.batch.facts.iter().find(|pending| pending.at.seq == seq) {
            return Ok(Some(pending.at.time));
        }
        let stored: Option<chrono::NaiveDateTime> = super::schema::ledger_entry::table
            .find(i64::try_from(seq).unwrap_or(i64::MAX))
            .select(super::schema::ledger_entry::at)
            .first(self.conn)
            .optional()?;
        Ok(stored.map(Timestamp::from_naive))
    }

    /// Run `work`, and forget what it recorded: to try several things from the same start.
    ///
    /// # Errors
    /// Those of the work.
    pub fn aside<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let (world, mark) = (self.world.clone(), self.batch.mark());
        let answer = work(self);
        *self.world = world;
        self.batch.back_to(&mark);
        answer
    }

    /// The row in force of an id, pending ones included.
    ///
    /// # Errors
    /// What the database said.
    pub fn row(&mut self, kind: &str, id: Uuid) -> Result<Option<Row>> {
        let id = id.to_string();
        match self.batch.rows.pending(kind, &id) {
            Some(row) => Ok(Some(row.clone())),
            None => match self.upto {
                Some(seq) => listing::by_id_upto(self.conn, kind, &id, seq),
                None => listing::by_id(self.conn, kind, &id),
            },
        }
    }

    /// Run `work` unless the key was answered before; then give that answer. What does not settle the request is not kept, so that
    /// a retry asks again.
    ///
    /// # Errors
    /// Those of the work; [`Error::KeyReused`] when the key came with another request.
    pub fn once<T: Serialize + DeserializeOwned>(
        &mut self,
        key: &Idempotency,
        settles: fn(&T) -> bool,
        work: &dyn Fn(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let actor = self.actor.to_string();
        let sum = key.sum(&actor);
        let waiting =
            self.batch.kept.iter().find(|k| k.actor == actor && k.route == key.route && k.key == sum).cloned();
        let kept: Option<Kept> = match waiting {
            Some(kept) => Some(kept),
            None => idempotency::table.find((&actor, &key.route, &sum)).first(self.conn).optional()?,
        };
        if let Some(kept) = kept {
            if kept.fingerprint != key.fingerprint.to_string() {
                return Err(Error::KeyReused);
            }
            return serde_json::from_str(&kept.answer).map_err(|e| Error::Internal(format!("kept answer: {e}")));
        }
        let answer = work(self)?;
        if !settles(&answer) {
            return Ok(answer);
        }
        let text = serde_json::to_string(&answer).map_err(|e| Error::Internal(format!("answer to keep: {e}")))?;
        self.batch.kept.push(Kept {
            actor,
            route: key.route.clone(),
            key: sum,
            fingerprint: key.fingerprint.to_string(),
            answer: text,
            created_at: self.now.naive(),
        });
        Ok(answer)
    }
}

/// The digest of a text with a salt drawn for it.
fn salted(text: &str) -> Result<(Digest, Vec<u8>)> {
    let mut salt = [0u8; 32];
    getrandom::fill(&mut salt).map_err(|e| Error::Unavailable(format!("no random bytes: {e}")))?;
    Ok((Digest::of(&[&salt[..], text.as_bytes()].concat()), salt.to_vec()))
}

/// A UUIDv7 of the given moment.
fn new_id(now: Timestamp) -> Uuid {
    let micros = u64::try_from(now.micros()).unwrap_or(0);
    let nanos = u32::try_from(micros % 1_000_000 * 1000).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, micros / 1_000_000, nanos))
}
