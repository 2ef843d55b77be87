//! What stands beside the ledger for receivers of events: no facts, and written by the same writer all the same, so that a claim on
//! PostgreSQL is one server's and SQLite has one writer. It is flushed with the group that holds it.

use diesel::prelude::*;
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::conn::Conn;
use super::schema::{webhook, webhook_delivery};
use super::tx::Tx;
use super::{MultiBackend, Projection};
use crate::error::Result;

/// A receiver.
#[derive(Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = webhook, check_for_backend(MultiBackend))]
pub struct Receiver {
    pub id: String,
    pub url: String,
    pub secret: String,
    pub description: String,
    pub actor: String,
    pub created_at: chrono::NaiveDateTime,
    pub position: i64,
    pub claimed_until: chrono::NaiveDateTime,
}

/// A delivery that failed.
#[derive(Clone, Debug, Insertable, Queryable, Selectable)]
#[diesel(table_name = webhook_delivery, check_for_backend(MultiBackend))]
pub struct Failed {
    pub webhook: String,
    pub seq: i64,
    pub state: String,
    pub attempts: i32,
    pub next_at: chrono::NaiveDateTime,
    pub status: i32,
    pub error: String,
}

/// A change beside the ledger.
pub enum Outbox {
    /// A receiver is subscribed.
    Subscribe(Box<Receiver>),
    /// A receiver goes, with its secret and all that failed.
    Unsubscribe(Uuid),
    /// One server alone posts to a receiver until then.
    Claim(Uuid, Timestamp),
    /// What came of posting; the claim ends.
    Posted {
        /// The receiver.
        webhook: Uuid,
        /// How far it is; none where only what failed before was tried.
        position: Option<i64>,
        /// Deliveries that failed, in their state of now.
        failed: Vec<Failed>,
        /// Deliveries that had failed and arrived.
        arrived: Vec<i64>,
        /// When the claim ends: now.
        now: Timestamp,
    },
    /// Deliveries to be tried at once.
    Again {
        /// The receiver.
        webhook: Uuid,
        /// One event; none for all that were given up.
        seq: Option<i64>,
        /// When.
        now: Timestamp,
    },
}

/// It waits for another try.
pub const WAITING: &str = "waiting";
/// It was given up.
pub const DEAD: &str = "dead";

impl<P: Projection> Tx<'_, P> {
    /// Hand over a change beside the ledger.
    pub fn outbox(&mut self, change: Outbox) {
        self.batch.outbox.push(change);
    }

    /// A receiver as the table has it.
    ///
    /// # Errors
    /// What the database said.
    pub fn receiver(&mut self, id: Uuid) -> Result<Option<Receiver>> {
        Ok(webhook::table.find(id.to_string()).select(Receiver::as_select()).first(self.conn).optional()?)
    }
}

/// Write the changes of a group.
pub(super) fn flush(conn: &mut Conn, changes: Vec<Outbox>) -> Result<()> {
    for change in changes {
        write(conn, change)?;
    }
    Ok(())
}

fn write(conn: &mut Conn, change: Outbox) -> Result<()> {
    match change {
        Outbox::Subscribe(receiver) => {
            diesel::insert_into(webhook::table).values(*receiver).execute(conn)?;
        }
        Outbox::Unsubscribe(id) => {
            let id = id.to_string();
            diesel::delete(webhook_delivery::table.filter(webhook_delivery::webhook.eq(&id))).execute(conn)?;
            diesel::delete(webhook::table.find(&id)).execute(conn)?;
        }
        Outbox::Claim(id, until) => {
            diesel::update(webhook::table.find(id.to_string()))
                .set(webhook::claimed_until.eq(until.naive()))
                .execute(conn)?;
        }
        Outbox::Posted { webhook: id, position, failed, arrived, now } => {
            let id = id.to_string();
            // Whoever unsubscribed it meanwhile wanted nothing of it kept.
            let there =
                diesel::update(webhook::table.find(&id)).set(webhook::claimed_until.eq(now.naive())).execute(conn)?;
            if there == 0 {
                return Ok(());
            }
            if let Some(position) = position {
                diesel::update(webhook::table.find(&id)).set(webhook::position.eq(position)).execute(conn)?;
            }
            let seqs: Vec<i64> = failed.iter().map(|f| f.seq).chain(arrived).collect();
            diesel::delete(
                webhook_delivery::table
                    .filter(webhook_delivery::webhook.eq(&id))
                    .filter(webhook_delivery::seq.eq_any(seqs)),
            )
            .execute(conn)?;
            for one in failed {
                diesel::insert_into(webhook_delivery::table).values(one).execute(conn)?;
            }
        }
        Outbox::Again { webhook: id, seq: Some(seq), now } => {
            let id = id.to_string();
            diesel::delete(webhook_delivery::table.find((&id, seq))).execute(conn)?;
            diesel::insert_into(webhook_delivery::table)
                .values(Failed {
                    webhook: id,
                    seq,
                    state: WAITING.to_owned(),
                    attempts: 0,
                    next_at: now.naive(),
                    status: 0,
                    error: "asked for".to_owned(),
                })
                .execute(conn)?;
        }
        Outbox::Again { webhook: id, seq: None, now } => {
            let dead = webhook_delivery::table
                .filter(webhook_delivery::webhook.eq(id.to_string()))
                .filter(webhook_delivery::state.eq(DEAD));
            diesel::update(dead)
                .set((
                    webhook_delivery::state.eq(WAITING),
                    webhook_delivery::attempts.eq(0),
                    webhook_delivery::next_at.eq(now.naive()),
                ))
                .execute(conn)?;
        }
    }
    Ok(())
}
