//! Dated tables of law, as data: what laws forbid per purpose, and the questionnaire on prohibited practices.

pub mod dates;
pub mod duties;
pub mod transfers;

use std::sync::{LazyLock, OnceLock};

use licit_schemas::registry::{DatasetOrigin, Operation};
use licit_schemas::time::Timestamp;
use serde::Deserialize;

use crate::registry::vocabulary::{TermId, vocabulary};

/// One prohibition.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forbidden {
    /// Stable id.
    pub id: String,
    /// The law.
    pub law: String,
    /// Its article.
    pub article: String,
    /// From when it applies.
    pub applies_from: Timestamp,
    /// Until when.
    pub applies_to: Option<Timestamp>,
    /// The regulated field of activity; `*` for every purpose that is not itself one of `collected_for`.
    pub regulated_as: String,
    /// DPV purposes that fall under it, narrower ones included, whatever their revision states.
    pub purposes: Vec<String>,
    /// Data categories it forbids, narrower ones included.
    pub categories: Vec<String>,
    /// Techniques it forbids: with the categories it names, or, where it names none, at all. With `infer` among them, to write such
    /// categories about people is forbidden as much as to read them.
    #[serde(default)]
    pub operations: Vec<Operation>,
    /// Origins of data it forbids.
    #[serde(default)]
    pub origins: Vec<DatasetOrigin>,
    /// Whether it forbids data that no explicit consent governs, to this very purpose.
    #[serde(default)]
    pub explicit_consent: bool,
    /// Categories of people it forbids to serve, narrower ones included.
    #[serde(default)]
    pub served_subjects: Vec<String>,
    /// Regulated activities whose data it forbids for other purposes.
    pub collected_for: Vec<String>,
    /// In English.
    pub sentence_en: String,
    /// In French.
    pub sentence_fr: String,
    /// The fine.
    pub fine: String,
    /// `purposes`, `categories` and `served_subjects`, resolved once.
    #[serde(skip)]
    terms: OnceLock<[Vec<TermId>; 3]>,
}

impl Forbidden {
    /// Terms of `purposes`.
    pub fn purposes(&self) -> &[TermId] {
        &self.terms()[0]
    }

    /// Terms of `categories`.
    pub fn categories(&self) -> &[TermId] {
        &self.terms()[1]
    }

    /// Terms of `served_subjects`.
    pub fn served_subjects(&self) -> &[TermId] {
        &self.terms()[2]
    }

    fn terms(&self) -> &[Vec<TermId>; 3] {
        let find = |iris: &[String]| iris.iter().filter_map(|iri| vocabulary().find(iri)).collect();
        self.terms.get_or_init(|| [find(&self.purposes), find(&self.categories), find(&self.served_subjects)])
    }
}

/// One dated questionnaire (AI Act Art. 5(1)).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Practices {
    /// Version: its date.
    pub version: String,
    /// From when it applies.
    pub applies_from: Timestamp,
    /// The questions.
    pub questions: Vec<Practice>,
}

/// One question.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Practice {
    /// Letter of Art. 5(1).
    pub id: String,
    /// In English.
    pub text_en: String,
    /// In French.
    pub text_fr: String,
    /// The exception the law gives, if any.
    pub exception: Option<String>,
    /// The same in French.
    pub exception_fr: Option<String>,
}

static FORBIDDEN: LazyLock<Vec<Forbidden>> = LazyLock::new(|| parse(include_str!("../../data/law/forbidden.json")));
static PRACTICES: LazyLock<Vec<Practices>> =
    LazyLock::new(|| parse(include_str!("../../data/law/prohibited_practices.json")));

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|e| unreachable!("an embedded table parses; a test reads them all: {e}"))
}

fn holds(from: Timestamp, to: Option<Timestamp>, moment: Timestamp) -> bool {
    from <= moment && to.is_none_or(|end| moment < end)
}

/// Prohibitions that apply at a moment.
pub fn forbidden_at(moment: Timestamp) -> impl Iterator<Item = &'static Forbidden> {
    FORBIDDEN.iter().filter(move |f| holds(f.applies_from, f.applies_to, moment))
}

/// All activities the tables name: what `regulated_as` of a purpose may hold.
pub fn regulated_activities() -> Vec<&'static str> {
    let mut list: Vec<&str> = FORBIDDEN
        .iter()
        .flat_map(|f| std::iter::once(f.regulated_as.as_str()).chain(f.collected_for.iter().map(String::as_str)))
        .filter(|word| *word != "*")
        .collect();
    list.sort_unstable();
    list.dedup();
    list
}

/// The questionnaire that applies at a moment: the latest whose date has come.
pub fn practices_at(moment: Timestamp) -> Option<&'static Practices> {
    PRACTICES.iter().filter(|p| p.applies_from <= moment).max_by_key(|p| p.applies_from)
}

/// A questionnaire by version.
pub fn practices(version: &str) -> Option<&'static Practices> {
    PRACTICES.iter().find(|p| p.version == version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_parse_and_name_known_terms() {
        for rule in FORBIDDEN.iter() {
            for iri in rule.purposes.iter().chain(&rule.categories) {
                assert!(vocabulary().find(iri).is_some(), "{iri} of {}", rule.id);
            }
        }
        assert!(PRACTICES.iter().all(|p| p.questions.len() >= 8));
    }

    #[test]
    fn dates_decide() {
        let at = |t: &str| t.parse::<Timestamp>().unwrap();
        assert_eq!(forbidden_at(at("2024-01-01")).count(), 0);
        assert!(forbidden_at(at("2025-10-10")).any(|f| f.regulated_as == "political_targeting"));
        assert_eq!(practices_at(at("2026-12-01")).unwrap().version, "2025-02-02");
        assert_eq!(practices_at(at("2026-12-02")).unwrap().version, "2026-12-02");
        assert!(practices_at(at("2025-01-01")).is_none());
    }
}
