//! The clock of this machine: what is verified offline is verified for a moment.

use std::time::{SystemTime, UNIX_EPOCH};

use licit_schemas::time::Timestamp;

/// Now, in UTC. A clock before 1970 is no clock, and no receipt is valid then.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).ok().and_then(Timestamp::from_micros).unwrap_or(Timestamp::EPOCH)
}
