//! The one place that reads the clock. Everything else is told the time.

use licit_schemas::time::Timestamp;

/// Now, in UTC, cut to microseconds: the precision both databases keep.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn now() -> Timestamp {
    Timestamp::from_chrono(chrono::Utc::now())
}
