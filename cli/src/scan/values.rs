//! What a value looks like. Values are looked at and counted, never kept: what leaves this file are figures.

use std::net::IpAddr;

use chrono::{Datelike, NaiveDate};

use super::ids;

/// Longer values are prose; only their beginning is looked at.
const LOOKED_AT: usize = 400;
/// From so many characters on with several words, a value is prose.
const PROSE: usize = 30;

/// What values of a column may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Pattern {
    /// An e-mail address.
    Email,
    /// An e-mail address within a longer text.
    EmailWithin,
    /// A telephone number.
    Phone,
    /// A bank account by its check digits.
    Iban,
    /// A payment card by its check digit.
    Card,
    /// The French number of registration, by its key.
    Nir,
    /// An identifier that another state gives.
    National,
    /// An IP address.
    Ip,
    /// The address of a network card.
    Mac,
    /// A UUID.
    Uuid,
    /// A digest in hex.
    Digest,
    /// A date on which somebody who lives may be born.
    BirthDate,
    /// Any date.
    Date,
    /// Five digits.
    FiveDigits,
    /// A first name that many have.
    FirstName,
    /// Prose.
    Prose,
    /// A number.
    Number,
}

impl Pattern {
    /// How many there are.
    pub(super) const COUNT: usize = Self::Number as usize + 1;

    /// Whether hardly anything else looks like it: a few of them are enough.
    pub(super) fn is_precise(self) -> bool {
        matches!(self, Self::Email | Self::EmailWithin | Self::Iban | Self::Nir | Self::Mac)
    }

    /// As people say it of several.
    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Email => "are e-mail addresses",
            Self::EmailWithin => "contain an e-mail address",
            Self::Phone => "are telephone numbers",
            Self::Iban => "are bank accounts (IBAN) by their check digits",
            Self::Card => "are numbers of payment cards by their check digit",
            Self::Nir => "are French numbers of registration (NIR) by their key",
            Self::National => "are identity or tax numbers of a state by their check digits",
            Self::Ip => "are IP addresses",
            Self::Mac => "are addresses of network cards",
            Self::Uuid => "are UUIDs",
            Self::Digest => "look like digests, which are pseudonyms and not anonymous",
            Self::BirthDate => "are dates on which people may be born",
            Self::Date => "are dates",
            Self::FiveDigits => "are five digits, as postcodes have",
            Self::FirstName => "begin with a first name that many have",
            Self::Prose => "are prose: people may have written anything",
            Self::Number => "are numbers",
        }
    }
}

/// What the values of a column look like, as figures.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    looked_at: u32,
    of: [u32; Pattern::COUNT],
}

impl Tally {
    /// Look at a value. What is empty says nothing.
    pub(super) fn add(&mut self, value: &str) {
        let value = value.trim();
        if value.is_empty() || matches!(value, "null" | "NULL" | "None" | "NA" | "N/A" | "NaN" | "nan" | "\\N") {
            return;
        }
        self.looked_at += 1;
        for pattern in patterns(value) {
            self.of[pattern as usize] += 1;
        }
    }

    /// With what other values of the column look like.
    pub(super) fn join(&mut self, other: &Self) {
        self.looked_at += other.looked_at;
        for (own, other) in self.of.iter_mut().zip(&other.of) {
            *own += other;
        }
    }

    /// How many values were looked at.
    pub(crate) fn looked_at(&self) -> u32 {
        self.looked_at
    }

    /// How many of them look like that.
    pub(super) fn count(&self, pattern: Pattern) -> u32 {
        self.of[pattern as usize]
    }

    /// Whether at least so many of a hundred look like that.
    pub(super) fn reaches(&self, pattern: Pattern, percent: u32) -> bool {
        self.looked_at > 0 && u64::from(self.count(pattern)) * 100 >= u64::from(self.looked_at) * u64::from(percent)
    }

    /// That, in words.
    pub(super) fn said(&self, pattern: Pattern) -> String {
        format!("{} of {} sampled values {}", self.count(pattern), self.looked_at, pattern.plural())
    }
}

/// Whether a text looks like somebody's data: then it is no name of a column, and must not be written anywhere.
pub(super) fn is_value(text: &str) -> bool {
    const SOMEBODYS: &[Pattern] = &[
        Pattern::Email,
        Pattern::EmailWithin,
        Pattern::Phone,
        Pattern::Iban,
        Pattern::Card,
        Pattern::Nir,
        Pattern::National,
        Pattern::Ip,
        Pattern::Mac,
        Pattern::Uuid,
        Pattern::Digest,
        Pattern::Date,
    ];
    patterns(text.trim()).iter().any(|pattern| SOMEBODYS.contains(pattern))
}

/// Whether somebody's data stand in a text, wherever: an address, a number to call or to pay by. A date or a digest is no person.
pub(super) fn holds(text: &str) -> bool {
    let number = |run: &str| {
        let digits: String = run.chars().filter(char::is_ascii_digit).collect();
        ids::is_nir(&digits) || ids::is_card(&digits) || ids::is_national(run).is_some()
    };
    let word = |word: &str| word.parse::<f64>().is_err() && (ids::is_iban(word) || is_ip(word) || is_mac(word));
    addresses(text) || numbers(text).any(number) || words(text).any(word)
}

/// Whether somebody's address stands in a text: of e-mail, or a number to call. In names of tables figures stand that mean nothing, so that
/// only these two are looked for.
pub(super) fn addresses(text: &str) -> bool {
    words(text).flat_map(|word| word.split(':')).any(is_email) || numbers(text).any(is_phone)
}

/// Figures in a text as people write numbers, but for dates and moments.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    let inner = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '.' | '-' | '(' | ')' | '/' | '+' | '\u{a0}');
    let runs =
        text.split(move |c: char| !inner(c)).map(|run| run.trim_matches(|c: char| !c.is_ascii_digit() && c != '+'));
    let moment = |run: &str| run.len() == 14 && run.bytes().all(|b| b.is_ascii_digit()) && run.starts_with("20");
    runs.filter(move |run| run.len() >= 8 && date(run).is_none() && !moment(run))
}

/// Words of a text, also of one that is made of other things.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let apart = |c: char| c.is_whitespace() || "<>(),;\"'[]{}|=/".contains(c);
    text.split(apart).map(|word| word.trim_matches(|c: char| matches!(c, '.' | '-' | '_' | ':')))
}

fn patterns(value: &str) -> Vec<Pattern> {
    let value = match value.char_indices().nth(LOOKED_AT) {
        Some((end, _)) => &value[..end],
        None => value,
    };
    let mut found = Vec::new();
    let words = value.split_whitespace().count();
    if is_email(value) {
        found.push(Pattern::Email);
    } else if words > 1 && value.split(|c: char| c.is_whitespace() || "<>(),;\"'".contains(c)).any(is_email) {
        found.push(Pattern::EmailWithin);
    }
    if words > 4 && value.chars().count() >= PROSE {
        found.push(Pattern::Prose);
        return found;
    }
    if value.parse::<f64>().is_ok() {
        found.push(Pattern::Number);
    }
    let tests: [(Pattern, bool); 10] = [
        (Pattern::Nir, ids::is_nir(value)),
        (Pattern::Card, ids::is_card(value)),
        (Pattern::Iban, ids::is_iban(value)),
        (Pattern::National, ids::is_national(value).is_some()),
        (Pattern::Ip, is_ip(value)),
        (Pattern::Mac, is_mac(value)),
        (Pattern::Uuid, value.len() >= 32 && uuid::Uuid::try_parse(value).is_ok() && value.contains('-')),
        (Pattern::Digest, is_digest(value)),
        (Pattern::FiveDigits, value.len() == 5 && value.bytes().all(|b| b.is_ascii_digit())),
        (Pattern::FirstName, super::names::is_first_name(value)),
    ];
    found.extend(tests.into_iter().filter(|(_, holds)| *holds).map(|(pattern, _)| pattern));
    if let Some(day) = date(value) {
        found.push(Pattern::Date);
        if (1905..=2012).contains(&day.year()) {
            found.push(Pattern::BirthDate);
        }
    } else if is_phone(value) && !found.iter().any(|one| matches!(one, Pattern::Nir | Pattern::Card | Pattern::Ip)) {
        found.push(Pattern::Phone);
    }
    found
}

/// An address as people have it: RFC 5321 allows more.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let label = |label: &str| {
        !label.is_empty() && !label.starts_with('-') && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let ends = domain
        .rsplit('.')
        .next()
        .is_some_and(|last| last.chars().count() >= 2 && !last.contains(|c: char| c.is_ascii_digit()));
    (1..=64).contains(&local.len())
        && !local.contains(|c: char| c.is_whitespace() || c.is_control() || "@<>(),;:\"".contains(c))
        && domain.contains('.')
        && domain.split('.').all(label)
        && ends
}

/// A telephone number: with `+` or `00` one of a numbering plan, else ten digits as France writes them.
fn is_phone(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '.' | '-' | '(' | ')' | '/' | '+' | '\u{a0}');
    if !(8..=25).contains(&text.len()) || !text.chars().all(inner) {
        return false;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() == 10 && digits.starts_with('0') && !digits.starts_with("00") {
        return true;
    }
    let international = match digits.strip_prefix("00") {
        _ if text.starts_with('+') => format!("+{digits}"),
        Some(rest) => format!("+{rest}"),
        None => return false,
    };
    phonenumber::parse(None, &international).is_ok_and(|number| number.is_valid())
}

fn is_ip(text: &str) -> bool {
    text.len() <= 45
        && text.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6() && text.len() > 4 || address.is_ipv4())
}

fn is_mac(text: &str) -> bool {
    let parts = |by: char| {
        let parts: Vec<&str> = text.split(by).collect();
        parts.len() == 6 && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    text.len() == 17 && (parts(':') || parts('-'))
}

/// Hex of the length of a digest, in which letters stand, too: else it may be a number.
fn is_digest(text: &str) -> bool {
    matches!(text.len(), 32 | 40 | 56 | 64 | 96 | 128)
        && text.bytes().all(|b| b.is_ascii_hexdigit())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// A date, with or without a time after it.
fn date(text: &str) -> Option<NaiveDate> {
    if !(8..=35).contains(&text.len()) || !text.is_ascii() || !text.as_bytes()[0].is_ascii_digit() {
        return None;
    }
    let day = text.split(['T', ' ']).next()?;
    ["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y", "%d-%m-%Y"]
        .iter()
        .find_map(|form| NaiveDate::parse_from_str(day, form).ok())
        .filter(|day| (1800..=2200).contains(&day.year()))
}

/// Which rows are looked at: the first ones, then ever fewer of those that follow, so that a file of any length is sampled over its
/// whole length and no row has to be kept.
#[derive(Clone, Debug)]
pub(super) struct Sampler {
    most: u64,
    taken: u64,
    stride: u64,
    next: u64,
    row: u64,
}

impl Sampler {
    /// At most so many rows.
    pub(super) fn new(most: u64) -> Self {
        Self { most, taken: 0, stride: 1, next: 0, row: 0 }
    }

    /// Whether none of the next rows is looked at.
    #[cfg(feature = "arrow")]
    pub(super) fn passes(&self, rows: u64) -> bool {
        self.taken >= self.most || self.row.saturating_add(rows) <= self.next
    }

    /// Pass rows up to the next one that is looked at, of so many that are left; how many these are.
    #[cfg(feature = "arrow")]
    pub(super) fn pass(&mut self, left: u64) -> u64 {
        let passed = if self.taken >= self.most { left } else { self.next.saturating_sub(self.row).min(left) };
        self.leave(passed);
        passed
    }

    /// Pass rows that cannot be looked at.
    #[cfg(feature = "arrow")]
    pub(super) fn leave(&mut self, rows: u64) {
        self.row = self.row.saturating_add(rows);
    }

    /// Whether the next row is looked at.
    pub(super) fn wants(&mut self) -> bool {
        let row = self.row;
        self.row += 1;
        if row < self.next || self.taken >= self.most {
            return false;
        }
        self.taken += 1;
        // Half of the sample are the first rows, a sixty-fourth of it each the stretches that follow, each twice as far apart: a thousand
        // rows reach through a file of any length.
        let (half, part) = (self.most.div_ceil(2), (self.most / 64).max(1));
        if self.taken > half && (self.taken - half).is_multiple_of(part) {
            self.stride = self.stride.saturating_mul(2);
        }
        self.next = row.saturating_add(self.stride);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Vec<Pattern> {
        patterns(value)
    }

    #[test]
    fn somebodys_data_are_found_within_texts() {
        for text in [
            "ask Jane <jane.doe@example.com>.",
            "call 06 12 34 56 78, please",
            "tel:+33612345678",
            "mailto:jane@example.com",
            "paid from FR7630006000011234567890189",
        ] {
            assert!(holds(text), "{text}");
        }
        for text in
            ["orders of 2024-01-01", "export_20240101123045", "v1.2.3", "scores, in per cent", "fact_orders_2024", ""]
        {
            assert!(!holds(text), "{text}");
        }
        assert!(addresses("jane@example.com.csv") && addresses("t_0612345678") && !addresses("orders_123456789"));
    }

    #[test]
    fn values_look_like_what_they_are() {
        for (value, pattern) in [
            ("jane.doe+news@example.com", Pattern::Email),
            ("ren\u{e9}e@b\u{fc}cher.example", Pattern::Email),
            ("call me or write to jane@example.com", Pattern::EmailWithin),
            ("+33 6 12 34 56 78", Pattern::Phone),
            ("06.12.34.56.78", Pattern::Phone),
            ("0033612345678", Pattern::Phone),
            ("FR1420041010050500013M02606", Pattern::Iban),
            ("4111111111111111", Pattern::Card),
            ("255081416802538", Pattern::Nir),
            ("12345678Z", Pattern::National),
            ("192.0.2.17", Pattern::Ip),
            ("2001:db8::17", Pattern::Ip),
            ("00:00:5e:00:53:01", Pattern::Mac),
            ("01939f00-0000-7000-8000-000000000000", Pattern::Uuid),
            ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Pattern::Digest),
            ("1984-02-29", Pattern::BirthDate),
            ("29/02/1984", Pattern::BirthDate),
            ("2024-02-29T10:00:00Z", Pattern::Date),
            ("69003", Pattern::FiveDigits),
            ("Camille Martin", Pattern::FirstName),
            ("she said that the heating has been broken since May", Pattern::Prose),
            ("-12.5", Pattern::Number),
        ] {
            assert!(of(value).contains(&pattern), "{value}: {:?}", of(value));
        }
    }

    #[test]
    fn other_values_do_not() {
        for value in [
            "a@b",
            "@example.com",
            "jane@",
            "12",
            "0123",
            "1.2.3",
            "deadbeef",
            "2024-13-01",
            "blue",
            "1",
            "::",
            "0000000000000000",
            "00000000000000000000000000000000",
            "\u{1f600}",
            "A-12-B",
        ] {
            let somebodys = |pattern: &Pattern| !matches!(pattern, Pattern::Number | Pattern::Prose);
            assert!(!of(value).iter().any(somebodys), "{value}: {:?}", of(value));
        }
        assert!(is_value("jane@example.com") && is_value("1984-02-29") && !is_value("e-mail") && !is_value("2024"));
        // Of any length, and any bytes, there is an answer.
        for value in ["9".repeat(100_000), "\u{e9}@".repeat(50_000), "+".repeat(24), ".".repeat(300)] {
            let _ = of(&value);
        }
    }

    #[test]
    fn a_sample_is_bounded_and_goes_to_the_end() {
        for most in [1, 2, 10, 1_000] {
            let mut sampler = Sampler::new(most);
            let taken: Vec<u64> = (0..100_000).filter(|_| sampler.wants()).collect();
            assert!(taken.len() as u64 <= most, "{most}: {}", taken.len());
            assert_eq!(taken[0], 0);
        }
        for rows in [100_000, 10_000_000] {
            let mut sampler = Sampler::new(1_000);
            let last = (0..rows).filter(|_| sampler.wants()).last();
            assert!(last.is_some_and(|row| row > rows / 4), "{last:?} of {rows}");
        }
        let mut few = Sampler::new(1_000);
        assert_eq!((0..300).filter(|_| few.wants()).count(), 300);
    }

    #[test]
    fn figures_say_how_many() {
        let mut tally = Tally::default();
        for value in ["a@example.com", "b@example.com", "", "none"] {
            tally.add(value);
        }
        assert_eq!(tally.said(Pattern::Email), "2 of 3 sampled values are e-mail addresses");
        assert!(tally.reaches(Pattern::Email, 60) && !tally.reaches(Pattern::Email, 70));
        assert!(!Tally::default().reaches(Pattern::Email, 0));
    }
}
