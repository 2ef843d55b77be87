//! Where personal data may go outside the European Economic Area (GDPR Art. 45), and from which age children consent (Art. 8(1)).
//! Dated tables, as data.

use std::sync::LazyLock;

use licit_schemas::registry::PartySpec;
use licit_schemas::text::Country;
use licit_schemas::time::Timestamp;
use serde::Deserialize;

use super::{holds, parse};

/// A country in which the GDPR applies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// ISO 3166.
    pub country: String,
    /// From when.
    pub applies_from: Timestamp,
    /// Until when.
    pub applies_to: Option<Timestamp>,
    /// Where that is laid down.
    pub source: String,
}

/// A decision that a country protects personal data adequately.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Stable id.
    pub id: String,
    /// ISO 3166.
    pub country: String,
    /// From when.
    pub applies_from: Timestamp,
    /// Until when.
    pub applies_to: Option<Timestamp>,
    /// Covers only who stands on this list.
    pub certified_under: Option<String>,
    /// Whether it covers public authorities.
    pub public_authorities: bool,
    /// What it covers, in English.
    pub scope_en: String,
    /// In French.
    pub scope_fr: String,
    /// The decision.
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Adequacy {
    #[expect(dead_code, reason = "read by those who maintain the table")]
    note: String,
    members: Vec<Member>,
    decisions: Vec<Decision>,
}

/// The age from which children consent in a country.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Age {
    country: String,
    age: u8,
    applies_from: Timestamp,
    applies_to: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ages {
    #[expect(dead_code, reason = "read by those who maintain the table")]
    note: String,
    ages: Vec<Age>,
}

static ADEQUACY: LazyLock<Adequacy> = LazyLock::new(|| parse(include_str!("../../../data/law/adequacy.json")));
static AGES: LazyLock<Ages> = LazyLock::new(|| parse(include_str!("../../../data/law/consent_age.json")));

/// What holds where no member state provides for a lower age (GDPR Art. 8(1)).
const AGE_BY_REGULATION: u8 = 16;

/// The country of a region, `FR` of `FR-69`.
fn country(region: &Country) -> &str {
    region.as_str().get(..2).unwrap_or_default()
}

/// Whether the GDPR applies in a region at a moment.
pub fn is_member(region: &Country, moment: Timestamp) -> bool {
    let own = country(region);
    let mut members = ADEQUACY.members.iter().filter(|m| m.country == own);
    members.any(|m| holds(m.applies_from, m.applies_to, moment))
}

/// Decisions about the country of a region, whatever their dates.
fn decisions(region: &Country) -> impl Iterator<Item = &'static Decision> {
    let own = country(region).to_owned();
    ADEQUACY.decisions.iter().filter(move |d| d.country == own)
}

/// Whether a decision covers a whole country but, perhaps, its public authorities: data there are protected as here.
pub fn is_adequate(region: &Country, moment: Timestamp) -> bool {
    decisions(region).any(|d| d.certified_under.is_none() && holds(d.applies_from, d.applies_to, moment))
}

/// Whether a decision covers an importer in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covered {
    /// One does.
    Yes,
    /// One did, until then.
    Until(Timestamp),
    /// None does or did.
    No,
}

/// Whether a decision covers one who receives data in a region at a moment. What is not known of the importer is nothing that
/// speaks for it.
pub fn covers(region: &Country, importer: Option<&PartySpec>, moment: Timestamp) -> Covered {
    let mut ended = None;
    for decision in decisions(region).filter(|d| d.applies_from <= moment) {
        if !decision.public_authorities && importer.is_none_or(|party| party.public_authority) {
            continue;
        }
        // An entry on a list covers as long as both the list and the entry do.
        let end = match &decision.certified_under {
            None => decision.applies_to,
            Some(list) => {
                let entries = importer.iter().flat_map(|party| &party.certifications);
                let mut entries = entries.filter(|c| c.scheme.as_str() == list && c.valid_from <= moment);
                let Some(first) = entries.next() else { continue };
                let last = entries.fold(first.valid_to, |last, next| Some(last?.max(next.valid_to?)));
                match (decision.applies_to, last) {
                    (Some(one), Some(other)) => Some(one.min(other)),
                    (one, other) => one.or(other),
                }
            }
        };
        match end {
            Some(end) if end <= moment => ended = ended.max(Some(end)),
            _ => return Covered::Yes,
        }
    }
    ended.map_or(Covered::No, Covered::Until)
}

/// Lists that decisions on adequacy name.
pub fn lists() -> Vec<&'static str> {
    let mut all: Vec<&str> = ADEQUACY.decisions.iter().filter_map(|d| d.certified_under.as_deref()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The age from which children consent in a country at a moment; none where the GDPR does not apply.
pub fn age_of_consent(region: &Country, moment: Timestamp) -> Option<u8> {
    let own = country(region);
    let ages = AGES.ages.iter().filter(|a| a.country == own && holds(a.applies_from, a.applies_to, moment));
    is_member(region, moment).then(|| ages.map(|a| a.age).next_back().unwrap_or(AGE_BY_REGULATION))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: &str) -> Timestamp {
        day.parse().unwrap()
    }

    fn region(text: &str) -> Country {
        text.parse().unwrap()
    }

    fn party(public: bool, certifications: &[(&str, &str, &str)]) -> PartySpec {
        let evidence =
            serde_json::json!({"uri": "https://list.example/entry", "digest": format!("sha256:{}", "0".repeat(64))});
        let entries = certifications.iter().map(|(scheme, from, to)| {
            serde_json::json!({"scheme": scheme, "evidence": evidence, "valid_from": from, "valid_to": to})
        });
        serde_json::from_value(serde_json::json!({
            "key": "acme", "name": "Acme", "public_authority": public, "certifications": entries.collect::<Vec<_>>(),
        }))
        .unwrap()
    }

    #[test]
    fn the_tables_parse_and_no_line_is_doubled() {
        for (place, decision) in ADEQUACY.decisions.iter().enumerate() {
            assert!(decision.applies_to.is_none_or(|end| decision.applies_from < end), "{}", decision.id);
            assert!(!ADEQUACY.decisions[..place].iter().any(|d| d.id == decision.id), "{}", decision.id);
            assert!(!decision.scope_en.is_empty() && !decision.scope_fr.is_empty(), "{}", decision.id);
            assert!(decision.country.parse::<Country>().is_ok(), "{}", decision.id);
        }
        assert_eq!(ADEQUACY.members.iter().filter(|m| m.applies_to.is_none()).count(), 30);
        assert!(
            AGES.ages
                .iter()
                .all(|a| (13..16).contains(&a.age)
                    && is_member(&region(&a.country), a.applies_from.max(at("2018-07-20"))))
        );
    }

    #[test]
    fn dates_and_scopes_decide() {
        let (firm, office) = (party(false, &[]), party(true, &[]));
        let asked = |country: &str, party: &PartySpec, day: &str| covers(&region(country), Some(party), at(day));
        assert_eq!(asked("JP", &firm, "2026-11-25"), Covered::Yes);
        assert_eq!(asked("JP-13", &firm, "2026-11-25"), Covered::Yes);
        assert_eq!(asked("JP", &office, "2026-11-25"), Covered::No);
        assert_eq!(covers(&region("JP"), None, at("2026-11-25")), Covered::No);
        assert_eq!(asked("JP", &firm, "2019-01-22"), Covered::No);
        assert_eq!(asked("CH", &office, "2026-11-25"), Covered::Yes);
        assert_eq!(asked("IN", &firm, "2026-11-25"), Covered::No);
        assert_eq!(asked("GB", &firm, "2025-12-28"), Covered::Yes);
        assert_eq!(asked("GB", &firm, "2031-12-27"), Covered::Yes);
        assert_eq!(asked("GB", &firm, "2031-12-28"), Covered::Until(at("2031-12-28")));
        assert!(is_member(&region("GB"), at("2020-12-31")) && !is_member(&region("GB"), at("2021-01-01")));
        assert!(is_member(&region("FR-69"), at("2026-11-25")) && !is_member(&region("CH"), at("2026-11-25")));
        assert!(is_adequate(&region("CH"), at("2026-11-25")) && !is_adequate(&region("US"), at("2026-11-25")));
    }

    #[test]
    fn who_stands_on_a_list_is_covered_while_both_hold() {
        let asked =
            |entries: &[(&str, &str, &str)], day: &str| covers(&region("US"), Some(&party(false, entries)), at(day));
        let year = ("us-dpf", "2026-01-01", "2027-01-01");
        assert_eq!(asked(&[], "2026-11-25"), Covered::No);
        assert_eq!(asked(&[year], "2026-11-25"), Covered::Yes);
        assert_eq!(asked(&[year], "2027-01-01"), Covered::Until(at("2027-01-01")));
        assert_eq!(asked(&[year, ("us-dpf", "2026-12-15", "2028-01-01")], "2027-01-01"), Covered::Yes);
        assert_eq!(
            asked(&[("us-privacy-shield", "2018-01-01", "2027-01-01")], "2026-11-25"),
            Covered::Until(at("2020-07-16"))
        );
    }

    #[test]
    fn children_consent_at_an_age_the_country_sets() {
        let age = |country: &str, day: &str| age_of_consent(&region(country), at(day));
        assert_eq!(age("FR", "2026-11-25"), Some(15));
        assert_eq!(age("DE", "2026-11-25"), Some(16));
        assert_eq!((age("DK", "2023-12-31"), age("DK", "2024-01-01")), (Some(13), Some(15)));
        assert_eq!(age("US", "2026-11-25"), None);
    }
}
