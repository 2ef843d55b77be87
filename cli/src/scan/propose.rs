//! From names and figures to a proposal: what a column may hold, how far it may identify, and why one may think so. A proposal is to be
//! confirmed. What nothing speaks for stays unknown.

use licit_schemas::registry::Identifiability::{self, Direct, Pseudonym, Quasi};
use serde::Serialize;

use super::names::{self, Meaning};
use super::values::{Pattern, Tally};

/// Of a column, so many of a hundred values make it what they look like.
const MOST: u32 = 80;
/// Of what nothing else looks like, so many of a hundred and at least two.
const SOME: u32 = 2;

/// What a column may hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Guess {
    /// DPV IRIs.
    pub(crate) categories: Vec<String>,
    /// How far it may identify; none where nothing speaks for anything.
    pub(crate) identifiability: Option<Identifiability>,
    /// Whether people may have written in it what they like.
    pub(crate) free_text: bool,
    /// Why, sentence by sentence.
    pub(crate) because: Vec<String>,
}

/// The whole IRI of a term of the tables.
pub(super) fn iri(term: &str) -> String {
    match term.strip_prefix('#') {
        Some(term) => format!("https://w3id.org/dpv#{term}"),
        None => format!("https://w3id.org/dpv/pd#{term}"),
    }
}

impl Guess {
    fn add(&mut self, categories: &[&str], level: Option<Identifiability>, because: String) {
        for term in categories {
            let iri = iri(term);
            if !self.categories.contains(&iri) {
                self.categories.push(iri);
            }
        }
        self.identifiability = self.identifiability.max(level);
        self.because.push(because);
    }
}

/// What a column of this name may hold whose values look like that.
pub(super) fn guess(name: &str, tally: &Tally) -> Guess {
    let mut guess = Guess::default();
    let meaning = names::meaning(name);
    if let Some(Meaning { what, categories, identifiability, free_text }) = &meaning {
        // That a column is about nobody is not said for people by its name: it is unknown until somebody says so.
        let level = (*identifiability != Identifiability::None).then_some(*identifiability);
        guess.add(categories, level, format!("the name looks like {what}"));
        guess.free_text = *free_text;
    }
    let named = |term: &str| meaning.as_ref().is_some_and(|meaning| meaning.categories.contains(&term));
    for (pattern, categories, level) in [
        (Pattern::Email, &["EmailAddress"][..], Direct),
        (Pattern::Nir, &["OfficialID"], Direct),
        (Pattern::National, &["OfficialID"], Direct),
        (Pattern::Iban, &["BankAccount"], Direct),
        (Pattern::Card, &["PaymentCardNumber"], Direct),
        (Pattern::Phone, &["TelephoneNumber"], Direct),
        (Pattern::Ip, &["IPAddress"], Pseudonym),
        (Pattern::Mac, &["MACAddress"], Pseudonym),
        (Pattern::Uuid, &["Identifier"], Pseudonym),
        (Pattern::Digest, &["Identifier"], Pseudonym),
    ] {
        let enough = if pattern.is_precise() { SOME } else { MOST };
        if tally.count(pattern) >= least(tally) && tally.reaches(pattern, enough) {
            guess.add(categories, Some(level), tally.said(pattern));
        }
    }
    if tally.reaches(Pattern::FirstName, 30) && tally.count(Pattern::FirstName) >= least(tally) {
        guess.add(&["Name"], Some(Direct), tally.said(Pattern::FirstName));
    }
    // Dates and five digits are many things: what the values say counts with the name, or where most people of a table could be.
    let days = tally.reaches(Pattern::BirthDate, MOST) && !named("BirthDate") && meaning.is_none();
    if named("BirthDate") && tally.reaches(Pattern::Date, MOST) {
        guess.because.push(tally.said(Pattern::Date));
    } else if days && tally.looked_at() >= 5 {
        guess.add(&["BirthDate"], Some(Quasi), tally.said(Pattern::BirthDate));
    }
    if named("PostalCode") && tally.reaches(Pattern::FiveDigits, MOST) {
        guess.because.push(tally.said(Pattern::FiveDigits));
    }
    if tally.count(Pattern::EmailWithin) > 0 {
        guess.add(&["EmailAddress"], Some(Direct), tally.said(Pattern::EmailWithin));
    }
    if tally.reaches(Pattern::Prose, 30) {
        guess.free_text = true;
        guess.add(&[], Some(Direct), tally.said(Pattern::Prose));
    }
    guess
}

/// Of a long sample, one value is an accident.
fn least(tally: &Tally) -> u32 {
    if tally.looked_at() < 5 { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, values: &[&str]) -> Guess {
        let mut tally = Tally::default();
        values.iter().for_each(|value| tally.add(value));
        guess(name, &tally)
    }

    #[test]
    fn names_and_values_are_told_apart() {
        let mail = of("contact", &["a@example.com", "b@example.com", "none known", "c@example.com", "d@example.com"]);
        assert_eq!(mail.identifiability, Some(Direct));
        assert_eq!(mail.categories, ["https://w3id.org/dpv/pd#EmailAddress"]);
        assert_eq!(mail.because, ["4 of 5 sampled values are e-mail addresses"]);
        let both = of("email", &["a@example.com"]);
        assert_eq!(
            both.because,
            ["the name looks like an e-mail address", "1 of 1 sampled values are e-mail addresses"]
        );
    }

    #[test]
    fn the_strongest_counts() {
        let hidden = of("customer_id", &["a@example.com", "b@example.com"]);
        assert_eq!(hidden.identifiability, Some(Direct), "{hidden:?}");
        assert_eq!(hidden.categories.len(), 2);
    }

    #[test]
    fn what_nothing_speaks_for_is_unknown() {
        for (name, values) in [
            ("x1", &["1", "2"][..]),
            ("v", &[]),
            ("status", &["open", "closed"]),
            ("when", &["2024-01-01", "2025-01-01"]),
        ] {
            assert_eq!(of(name, values), Guess::default(), "{name}");
        }
    }

    #[test]
    fn prose_may_hold_anything() {
        let guess = of(
            "v1",
            &["she says that the heating has been out since May", "nobody answered when I called them up again"],
        );
        assert!(guess.free_text);
        assert_eq!(guess.identifiability, Some(Direct));
    }

    #[test]
    fn every_term_is_one() {
        assert_eq!(iri("Age"), "https://w3id.org/dpv/pd#Age");
        assert_eq!(iri("#PersonalData"), "https://w3id.org/dpv#PersonalData");
    }
}
