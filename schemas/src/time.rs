//! Moments: UTC, to the microsecond, which is what both databases and the ledger hold exactly.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Duration, NaiveDateTime, SecondsFormat, Utc};
use thiserror::Error;

use crate::text::{as_text, quoted};

/// A moment in UTC, cut (never rounded) to microseconds, in the years 0001 to 9999; as text RFC 3339 with six
/// fractional digits and `Z`: `2026-11-23T09:30:00.000000Z`. Text order is time order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Timestamp(DateTime<Utc>);

/// Why a text is not a [`Timestamp`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "expected a time like `2026-11-23T09:30:00Z` (RFC 3339, years 0001 to 9999) or a day like `2026-11-23`, got {0}"
)]
pub struct TimeFault(String);

/// `0001-01-01T00:00:00.000000Z` in microseconds since 1970.
const FIRST: i64 = -62_135_596_800_000_000;
/// `9999-12-31T23:59:59.999999Z` in microseconds since 1970.
const LAST: i64 = 253_402_300_799_999_999;

impl Timestamp {
    /// `1970-01-01T00:00:00.000000Z`.
    pub const EPOCH: Self = Self(DateTime::UNIX_EPOCH);

    /// From microseconds since 1970-01-01T00:00:00Z; none outside the years 0001 to 9999.
    pub fn from_micros(micros: i64) -> Option<Self> {
        if !(FIRST..=LAST).contains(&micros) {
            return None;
        }
        DateTime::from_timestamp_micros(micros).map(Self)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// From a chrono moment, cut to microseconds; one outside the years 0001 to 9999 becomes the nearest inside.
    pub fn from_chrono(moment: DateTime<Utc>) -> Self {
        Self::nearest(moment.timestamp_micros())
    }

    /// The chrono moment.
    pub fn chrono(self) -> DateTime<Utc> {
        self.0
    }

    /// The same moment as a chrono time without a zone (it is UTC): what Diesel stores.
    pub fn naive(self) -> NaiveDateTime {
        self.0.naive_utc()
    }

    /// From a chrono time that is UTC by agreement; cut and bounded as in [`Self::from_chrono`].
    pub fn from_naive(utc: NaiveDateTime) -> Self {
        Self::from_chrono(utc.and_utc())
    }

    /// This moment moved by a duration (which may be negative), cut to microseconds; stops at the ends of the years
    /// 0001 and 9999: an expiry "in ten thousand years" is far, not an error.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let end = if duration < Duration::zero() { i64::MIN } else { i64::MAX };
        Self::nearest(self.micros().saturating_add(duration.num_microseconds().unwrap_or(end)))
    }

    fn nearest(micros: i64) -> Self {
        // chrono holds every year from 0001 to 9999, so the default is never taken.
        Self(DateTime::from_timestamp_micros(micros.clamp(FIRST, LAST)).unwrap_or_default())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl FromStr for Timestamp {
    type Err = TimeFault;

    /// Reads RFC 3339 with any offset and 1 to 9 fractional digits, or a bare day (its midnight, UTC). A leap second
    /// (`:60`) is refused: microseconds since 1970 cannot tell it from the next one.
    fn from_str(text: &str) -> Result<Self, TimeFault> {
        let read = || {
            let full = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
            let moment = has_shape(full.as_bytes()).then(|| DateTime::parse_from_rfc3339(&full).ok()).flatten()?;
            Self::from_micros(moment.timestamp_micros())
        };
        read().ok_or_else(|| TimeFault(quoted(text)))
    }
}

/// RFC 3339 §5.6 in shape: chrono reads more (a space for `T`, leap seconds, any number of fractional digits), and
/// what the parser takes should be what the schema takes.
fn has_shape(text: &[u8]) -> bool {
    let matches = |text: &[u8], shape: &[u8]| {
        text.len() == shape.len()
            && text.iter().zip(shape).all(|(b, s)| match s {
                b'0' => b.is_ascii_digit(),
                s => b.eq_ignore_ascii_case(s),
            })
    };
    let Some((clock, rest)) = text.split_at_checked(19) else { return false };
    let (fraction, zone) = match rest.strip_prefix(b".") {
        None => (None, rest),
        Some(rest) => {
            let (digits, zone) = rest.split_at(rest.iter().take_while(|b| b.is_ascii_digit()).count());
            (Some(digits.len()), zone)
        }
    };
    matches(clock, b"0000-00-00T00:00:00")
        && !clock.ends_with(b"60")
        && fraction.is_none_or(|digits| (1..=9).contains(&digits))
        && (matches(zone, b"Z") || matches(zone, b"+00:00") || matches(zone, b"-00:00"))
}

as_text!(Timestamp, "Timestamp", {
    "description": "RFC 3339 time with any offset, kept in UTC to the microsecond; a bare day is its midnight, UTC",
    // A pattern and not `format: date-time`, which refuses bare days and takes leap seconds.
    "pattern": concat!(
        "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
        "([Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$",
    ),
    "minLength": 10,
    "maxLength": 35,
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tests::accepts;
    use proptest::prelude::*;

    fn text(text: &str) -> String {
        text.parse::<Timestamp>().unwrap_or_else(|e| panic!("{e}")).to_string()
    }

    #[test]
    fn every_spelling_becomes_utc_with_six_digits() {
        assert_eq!(text("2026-11-23"), "2026-11-23T00:00:00.000000Z");
        assert_eq!(text("2026-11-23T09:30:00Z"), "2026-11-23T09:30:00.000000Z");
        assert_eq!(text("2026-11-23t09:30:00.1z"), "2026-11-23T09:30:00.100000Z");
        assert_eq!(text("2026-11-23T00:30:00.9999999+02:00"), "2026-11-22T22:30:00.999999Z");
        assert_eq!(text("1969-12-31T23:59:59.9999999-00:00"), "1969-12-31T23:59:59.999999Z");
        assert_eq!(text("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00.000000Z");
        assert_eq!(text("0001-01-01"), Timestamp::from_micros(FIRST).unwrap().to_string());
        assert_eq!(text("9999-12-31T23:59:59.999999Z"), Timestamp::from_micros(LAST).unwrap().to_string());
    }

    #[test]
    fn malformed_times_are_refused_by_parser_and_schema() {
        for bad in [
            "",
            "2026",
            "2026-1-1",
            "2026-13-01",
            "2026-11-23T",
            "2026-11-23T09:30",
            "2026-11-23T09:30:00",
            "2026-11-23 09:30:00Z",
            "2026-11-23T09:30:60Z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T09:30:00.Z",
            "2026-11-23T09:30:00.1234567890Z",
            "2026-11-23T09:30:00+0200",
            "2026-11-23T09:30:00+24:00",
            "2026-11-23T09:30:00Z ",
            "+2026-11-23",
            "12026-11-23",
            "２026-11-2",
            "2026-11-23T09:30:00−02:00",
        ] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
            assert!(!accepts::<Timestamp>(bad), "{bad}");
        }
        // The calendar is the parser's alone.
        for bad in ["2026-02-29", "0000-01-01", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:00-00:01"] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
            assert!(accepts::<Timestamp>(bad), "{bad}");
        }
    }

    #[test]
    fn sums_stop_at_the_ends_of_the_calendar() {
        let start: Timestamp = "2026-11-23".parse().unwrap();
        assert_eq!(start.plus(Duration::days(2)).to_string(), "2026-11-25T00:00:00.000000Z");
        assert_eq!(start.plus(Duration::MAX).micros(), LAST);
        assert_eq!(start.plus(Duration::MIN).micros(), FIRST);
        assert_eq!(Timestamp::from_chrono(DateTime::<Utc>::MAX_UTC).micros(), LAST);
        assert_eq!(Timestamp::from_micros(LAST + 1), None);
        assert_eq!(Timestamp::from_micros(FIRST - 1), None);
    }

    proptest! {
        #[test]
        fn every_moment_reads_back(a in FIRST..=LAST, b in FIRST..=LAST) {
            let (first, second) = (Timestamp::from_micros(a).unwrap(), Timestamp::from_micros(b).unwrap());
            let text = first.to_string();
            prop_assert_eq!(text.parse(), Ok(first));
            prop_assert!(accepts::<Timestamp>(&text));
            prop_assert_eq!(Timestamp::from_naive(first.naive()), first);
            prop_assert_eq!(first.micros(), a);
            prop_assert_eq!(first.cmp(&second), text.cmp(&second.to_string()));
        }

        #[test]
        fn what_the_parser_takes_the_schema_takes(
            text in "[0-2]{4}-[01][0-9]-[0-3][0-9]([Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?([Zz]|[+-][0-2][0-9]:?[0-6][0-9])?)?",
        ) {
            let read = text.parse::<Timestamp>();
            prop_assert!(read.is_err() || accepts::<Timestamp>(&text));
            // What only the calendar refuses becomes good on the first of a month of a common year.
            let first = format!("2025-01-01{}", &text[10..]);
            prop_assert_eq!(first.parse::<Timestamp>().is_ok(), accepts::<Timestamp>(&first));
        }

        #[test]
        fn nothing_panics(text in "\\PC*") {
            let _ = text.parse::<Timestamp>();
        }
    }
}
