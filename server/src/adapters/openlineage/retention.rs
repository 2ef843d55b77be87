//! How long foreign events are kept as they came: they hold texts and names, and some of these are about people.

use licit_schemas::time::Timestamp;
use uuid::Uuid;

use crate::db::received::Bound;
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

/// Erase what is beyond its bound, a few at a time.
///
/// # Errors
/// What the database said.
pub async fn expire(db: &Db, bounds: Retention, now: Timestamp) -> Result<()> {
    let mut next = Some(0);
    while let Some(after) = next {
        next = db.write(Uuid::nil(), now, move |tx| tx.expire_events(&bounds.kept, after)).await?;
    }
    let mut gone = 0;
    loop {
        let some = db.write(Uuid::nil(), now, move |tx| tx.expire_quarantined(&bounds.quarantined)).await?;
        if some == 0 {
            break;
        }
        gone += some;
    }
    if gone > 0 {
        tracing::warn!(
            gone,
            "events that could not be read were erased from quarantine: they came too long ago, or are too many"
        );
    }
    Ok(())
}
