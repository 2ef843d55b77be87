//! What was known: a position of the ledger, by its number or by the time of its entries.

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::text::{as_text, quoted};
use crate::time::Timestamp;

/// Up to which entry of the ledger the answer knows: `now`, a position such as `1200`, or a time, which stands for the last entry
/// recorded at or before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum KnownAt {
    /// Everything recorded so far.
    #[default]
    Now,
    /// Entries 1 to this one; 0 is before the first.
    Position(u64),
    /// Entries recorded at or before this moment.
    Time(Timestamp),
}

/// Why a text is not a [`KnownAt`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected `now`, a ledger position like `1200`, or a time like `2026-11-23T09:30:00Z`, got {0}")]
pub struct KnownFault(String);

impl fmt::Display for KnownAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => f.write_str("now"),
            Self::Position(position) => write!(f, "{position}"),
            Self::Time(moment) => write!(f, "{moment}"),
        }
    }
}

impl FromStr for KnownAt {
    type Err = KnownFault;

    fn from_str(text: &str) -> Result<Self, KnownFault> {
        let fault = || KnownFault(quoted(text));
        if text == "now" {
            return Ok(Self::Now);
        }
        if !text.is_empty() && text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().map(Self::Position).map_err(|_| fault());
        }
        text.parse().map(Self::Time).map_err(|_| fault())
    }
}

as_text!(KnownAt, "KnownAt", {
    "description": "`now`, a ledger position, or a time: up to which entry the answer knows",
    "pattern": concat!(
        "^(now|[0-9]{1,15}|[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
        "([Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?)$",
    ),
    "minLength": 1,
    "maxLength": 35,
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tests::accepts;

    #[test]
    fn the_three_spellings_read_back() {
        for good in ["now", "0", "1200", "999999999999999", "2026-11-23T09:30:00.000000Z"] {
            assert_eq!(good.parse::<KnownAt>().map(|k| k.to_string()).as_deref(), Ok(good));
            assert!(accepts::<KnownAt>(good), "{good}");
        }
        assert_eq!("2026-11-23".parse(), Ok(KnownAt::Time("2026-11-23".parse().unwrap())));
    }

    #[test]
    fn anything_else_is_refused_by_parser_and_schema() {
        for bad in ["", "Now", "-1", "1.5", "+3", "1234567890123456", "2026-1-1", "yesterday", "１２"] {
            assert!(bad.parse::<KnownAt>().is_err(), "{bad}");
            assert!(!accepts::<KnownAt>(bad), "{bad}");
        }
    }
}
