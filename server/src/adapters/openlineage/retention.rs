//! How long foreign events are kept as they came: they hold texts and names, and some of these are about people.

use licit_schemas::time::Timestamp;
use uuid::Uuid;

use crate::db::received::{self, Bound, Expired};
use crate::error::Result;
use crate::facts::Db;

/// How long events are kept as they came, and those in quarantine.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Of events that were recorded.
    pub kept: Bound,
    /// Of those that could not be read.
    pub quarantined: Bound,
}

/// Erase what is beyond its bound, a few at a time, from a position of the ledger on before which all is erased; the position before
/// which all is then. What is to go is found by a reader: the one writer is there for everybody.
///
/// # Errors
/// What the database said.
pub async fn expire(db: &Db, bounds: Retention, now: Timestamp, mut after: i64) -> Result<i64> {
    let until = db.read(move |conn| received::last_expired(conn, &bounds.kept, now)).await?;
    loop {
        let found = db.read(move |conn| received::expired(conn, after, until)).await?;
        let Some(Expired::Event { seq, .. }) = found.last() else { break };
        let last = *seq;
        db.write(Uuid::nil(), now, move |tx| {
            tx.expire(&found);
            Ok(())
        })
        .await?;
        after = last;
    }
    let mut discarded = 0;
    loop {
        let found = db.read(move |conn| received::expired_quarantined(conn, &bounds.quarantined, now)).await?;
        if found.is_empty() {
            break;
        }
        discarded += found.len();
        db.write(Uuid::nil(), now, move |tx| {
            tx.expire(&found);
            Ok(())
        })
        .await?;
    }
    // One more write, so that what was erased, now or before, leaves the log, too.
    db.write(Uuid::nil(), now, |_| Ok(())).await?;
    if discarded > 0 {
        let days = bounds.quarantined.days;
        tracing::warn!(discarded, days, "events were erased from quarantine that waited there longer than they may");
    }
    Ok(after.max(until))
}
