//! Promises a machine can hold a release against: a closed list, written as one word.

use std::{fmt, str::FromStr};

use chrono::Months;
use thiserror::Error;

use crate::text::{Key, as_text, quoted};
use crate::time::Timestamp;

/// Purposes in one commitment, at most.
const MOST_PURPOSES: usize = 20;

/// What is promised. The list is closed: what the gate cannot check is no commitment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Commitment {
    /// The data are never sold.
    NeverSold,
    /// Not used for this purpose, nor a narrower one.
    NotFor(Key),
    /// No machine decides alone.
    HumanReview,
    /// Gone so long after they were registered.
    DeletedAfter(Period),
    /// No third party receives them (GDPR Art. 4(10)).
    NoThirdParty,
    /// Nothing is trained on them but for these purposes, or narrower ones.
    NoTrainingBeyond(Vec<Key>),
}

/// A time, as ISO 8601 writes it with one unit: `P30D`, `P6M`, `P10Y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period {
    count: u16,
    unit: Unit,
}

/// Unit of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the field's own words")]
pub enum Unit {
    Days,
    Months,
    Years,
}

impl Period {
    /// The moment so long after another.
    #[must_use]
    pub fn after(self, from: Timestamp) -> Timestamp {
        let count = u32::from(self.count);
        let months = match self.unit {
            Unit::Days => return from.plus(chrono::Duration::days(i64::from(self.count))),
            Unit::Months => count,
            Unit::Years => 12 * count,
        };
        // The calendar ends before: for all purposes, never.
        let end = from.chrono().checked_add_months(Months::new(months));
        end.map_or_else(|| from.plus(chrono::Duration::MAX), Timestamp::from_chrono)
    }

    /// Whether it is over no later than another, whenever both begin.
    #[must_use]
    pub fn is_within(self, other: Self) -> bool {
        match (self.months(), other.months()) {
            (Some(own), Some(other)) => own <= other,
            _ => self.days().1 <= other.days().0,
        }
    }

    fn months(self) -> Option<u32> {
        match self.unit {
            Unit::Days => None,
            Unit::Months => Some(u32::from(self.count)),
            Unit::Years => Some(12 * u32::from(self.count)),
        }
    }

    /// How many days it has, at least and at most.
    fn days(self) -> (u32, u32) {
        match self.months() {
            None => (u32::from(self.count), u32::from(self.count)),
            Some(months) => (months / 12 * 365 + months % 12 * 28, months / 12 * 366 + months % 12 * 31),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('P')?;
        let (digits, unit) = rest.split_at_checked(rest.len().checked_sub(1)?)?;
        let unit = match unit {
            "D" => Unit::Days,
            "M" => Unit::Months,
            "Y" => Unit::Years,
            _ => return None,
        };
        let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let count = digits.parse().ok().filter(|_| plain && !digits.starts_with('0'))?;
        Some(Self { count, unit })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Days => 'D',
            Unit::Months => 'M',
            Unit::Years => 'Y',
        };
        write!(f, "P{}{unit}", self.count)
    }
}

/// Why a text is not a [`Period`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a time such as `P30D`, `P6M` or `P3Y`, got {0}")]
pub struct PeriodFault(String);

impl FromStr for Period {
    type Err = PeriodFault;

    fn from_str(text: &str) -> Result<Self, PeriodFault> {
        Self::read(text).ok_or_else(|| PeriodFault(quoted(text)))
    }
}

as_text!(Period, "Period", {
    "description": "a time with one unit, as ISO 8601 writes it: `P30D`, `P6M`, `P3Y`",
    "maxLength": 6,
    "pattern": "^P[1-9][0-9]{0,3}[DMY]$",
});

/// Why a text is not a [`Commitment`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "expected `never_sold`, `no_third_party`, `human_review`, `not_for:<purpose>`, `deleted_after:P12M` or \
     `no_training_beyond:<purpose>,<purpose>`, got {0}"
)]
pub struct CommitmentFault(String);

impl FromStr for Commitment {
    type Err = CommitmentFault;

    fn from_str(text: &str) -> Result<Self, CommitmentFault> {
        let (word, rest) = text.split_once(':').map_or((text, None), |(word, rest)| (word, Some(rest)));
        let found = match (word, rest) {
            ("never_sold", None) => Some(Self::NeverSold),
            ("no_third_party", None) => Some(Self::NoThirdParty),
            ("human_review", None) => Some(Self::HumanReview),
            ("not_for", Some(purpose)) => purpose.parse().ok().map(Self::NotFor),
            ("deleted_after", Some(period)) => Period::read(period).map(Self::DeletedAfter),
            ("no_training_beyond", Some(purposes)) => {
                let keys: Result<Vec<Key>, _> = purposes.split(',').map(str::parse).collect();
                keys.ok().filter(|keys| keys.len() <= MOST_PURPOSES).map(Self::NoTrainingBeyond)
            }
            _ => None,
        };
        found.ok_or_else(|| CommitmentFault(quoted(text)))
    }
}

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverSold => f.write_str("never_sold"),
            Self::NoThirdParty => f.write_str("no_third_party"),
            Self::HumanReview => f.write_str("human_review"),
            Self::NotFor(purpose) => write!(f, "not_for:{purpose}"),
            Self::DeletedAfter(period) => write!(f, "deleted_after:{period}"),
            Self::NoTrainingBeyond(purposes) => {
                let keys: Vec<&str> = purposes.iter().map(Key::as_str).collect();
                write!(f, "no_training_beyond:{}", keys.join(","))
            }
        }
    }
}

macro_rules! key {
    () => {
        "[a-z0-9][a-z0-9._-]{0,99}"
    };
}
const PATTERN: &str = concat!(
    "^(never_sold|no_third_party|human_review|not_for:",
    key!(),
    "|deleted_after:P[1-9][0-9]{0,3}[DMY]|no_training_beyond:",
    key!(),
    "(,",
    key!(),
    "){0,19})$"
);

as_text!(Commitment, "Commitment", {
    "description": "a promise a machine can check: `never_sold`, `no_third_party`, `human_review`, `not_for:<purpose>`, `deleted_after:P12M`, `no_training_beyond:<purpose>,<purpose>`",
    "maxLength": 2100,
    "pattern": PATTERN,
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::tests::accepts;

    fn read(text: &str) -> Commitment {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_is_within_another_whenever_both_begin() {
        let within = |one: &str, other: &str| Period::read(one).unwrap().is_within(Period::read(other).unwrap());
        for (one, other) in [("P30D", "P30D"), ("P28D", "P1M"), ("P1M", "P31D"), ("P12M", "P1Y"), ("P1Y", "P366D")] {
            assert!(within(one, other), "{one} {other}");
        }
        for (one, other) in [("P31D", "P30D"), ("P30D", "P1M"), ("P1M", "P30D"), ("P13M", "P1Y"), ("P1Y", "P365D")] {
            assert!(!within(one, other), "{one} {other}");
        }
    }

    #[test]
    fn each_commitment_is_written_as_it_is_read() {
        for text in [
            "never_sold",
            "no_third_party",
            "human_review",
            "not_for:political-targeting",
            "deleted_after:P30D",
            "deleted_after:P6M",
            "no_training_beyond:research,statistics",
        ] {
            assert_eq!(read(text).to_string(), text);
            assert!(accepts::<Commitment>(text), "{text}");
        }
    }

    #[test]
    fn what_no_machine_can_check_is_refused() {
        for text in [
            "",
            "kept_safe",
            "never_sold:x",
            "not_for",
            "not_for:",
            "not_for:A",
            "not_for:purpose:a",
            "deleted_after:12M",
            "deleted_after:P0D",
            "deleted_after:P+1D",
            "deleted_after:P",
            "deleted_after:Pé",
            "deleted_after:P1W",
            "deleted_after:P99999D",
            "no_training_beyond:",
            "no_training_beyond:a,",
            &format!("no_training_beyond:{}", ["a"; 21].join(",")),
        ] {
            let sentence = text.parse::<Commitment>().expect_err(text).to_string();
            assert!(sentence.contains("expected `never_sold`"), "{sentence}");
            assert!(!accepts::<Commitment>(text), "{text}");
        }
    }

    #[test]
    fn a_period_goes_by_the_calendar() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let after = |text: &str, from: &str| match read(text) {
            Commitment::DeletedAfter(period) => period.after(at(from)),
            other => panic!("{other}"),
        };
        assert_eq!(after("deleted_after:P30D", "2026-01-31"), at("2026-03-02"));
        assert_eq!(after("deleted_after:P1M", "2026-01-31"), at("2026-02-28"));
        assert_eq!(after("deleted_after:P1Y", "2024-02-29"), at("2025-02-28"));
        assert_eq!(after("deleted_after:P9999Y", "2026-01-01"), at("9999-12-31T23:59:59.999999Z"));
    }

    proptest! {
        #[test]
        fn nothing_panics_and_the_schema_takes_what_is_read(
            free in "\\PC{0,40}",
            word in prop::sample::select(vec!["never_sold", "human_review", "not_for:", "deleted_after:", "no_training_beyond:"]),
            rest in "[a-z0-9PDMY,._:-]{0,12}",
        ) {
            for text in [free, format!("{word}{rest}")] {
                let read = text.parse::<Commitment>();
                prop_assert_eq!(read.is_ok(), accepts::<Commitment>(&text), "{}", text);
                if let Ok(commitment) = read {
                    prop_assert_eq!(commitment.to_string(), text);
                }
            }
        }
    }
}
