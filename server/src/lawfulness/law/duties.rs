//! What laws ask of a system's file: areas of high risk, and documents by date, role and area. Dated tables, as data.

use std::sync::LazyLock;

use licit_schemas::registry::AiActRole;
use licit_schemas::time::Timestamp;
use serde::Deserialize;

use super::{holds, parse};

/// An area in which a system is of high risk (AI Act Art. 6, Annex I and III).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// As systems state it: `annex-iii-5b`.
    pub key: String,
    /// The law.
    pub law: String,
    /// Its article.
    pub article: String,
    /// The same in DPV.
    pub iri: String,
    /// From when duties apply to systems of this area.
    pub applies_from: Timestamp,
    /// Until when.
    pub applies_to: Option<Timestamp>,
    /// In English.
    pub text_en: String,
    /// In French.
    pub text_fr: String,
}

/// Why a document is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// The risk class is high.
    HighRisk,
    /// The same, and personal data reach the release.
    HighRiskWithPeople,
    /// Special categories are used when it runs.
    SpecialCategories,
    /// It decides on people, or others draw strongly on what it says.
    AutomatedEffect,
    /// The risk class is high, and a public authority deploys it.
    PublicAuthority,
    /// The risk class is high, and it is used on employees.
    Employees,
    /// It deals with people directly.
    TalksToPeople,
    /// It makes sound, images, video or text.
    SyntheticContent,
    /// It recognises emotions or sorts people by biometrics.
    EmotionOrBiometric,
    /// It makes deep fakes or text on matters of public interest.
    DeepFakeOrPublicText,
}

/// A document a law asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// Stable id.
    pub id: String,
    /// The gate's rule that asks for it.
    pub rule: String,
    /// Kind of the document.
    pub document: String,
    /// The law.
    pub law: String,
    /// Its article.
    pub article: String,
    /// From when it is asked for.
    pub applies_from: Timestamp,
    /// Until when.
    pub applies_to: Option<Timestamp>,
    /// Any of these is enough.
    pub when: Vec<Ground>,
    /// Roles under the AI Act it is asked of; none named, all.
    pub roles: Vec<AiActRole>,
    /// Areas of high risk it is asked in, `*` at the end for all that begin so; none named, all systems. The dates of the area
    /// count, too.
    pub areas: Vec<String>,
    /// Areas left out of them.
    pub areas_except: Vec<String>,
    /// A later beginning for older systems.
    pub older: Option<Older>,
    /// What the document is, in English.
    pub what_en: String,
    /// In French.
    pub what_fr: String,
    /// The fine, where the law sets one.
    pub fine: Option<String>,
}

/// A later beginning for systems that were in service before.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Older {
    /// In service before this day.
    pub in_service_before: Timestamp,
    /// Asked from this day on.
    pub applies_from: Timestamp,
}

static AREAS: LazyLock<Vec<Area>> = LazyLock::new(|| parse(include_str!("../../../data/law/high_risk_areas.json")));
static DUTIES: LazyLock<Vec<Duty>> = LazyLock::new(|| parse(include_str!("../../../data/law/system_documents.json")));

/// All areas of high risk.
pub fn areas() -> &'static [Area] {
    &AREAS
}

/// All documents laws ask for.
pub fn all() -> &'static [Duty] {
    &DUTIES
}

/// An area by its key.
pub fn area(key: &str) -> Option<&'static Area> {
    AREAS.iter().find(|a| a.key == key)
}

/// Documents a rule asks for at a moment.
pub fn duties_at(rule: &str, moment: Timestamp) -> impl Iterator<Item = &'static Duty> {
    DUTIES.iter().filter(move |d| d.rule == rule && holds(d.applies_from, d.applies_to, moment))
}

impl Area {
    /// Whether its duties apply at a moment.
    pub fn applies(&self, moment: Timestamp) -> bool {
        holds(self.applies_from, self.applies_to, moment)
    }
}

impl Duty {
    /// Whether it is asked of a role; who is both is asked what each is.
    pub fn binds(&self, role: AiActRole) -> bool {
        self.roles.is_empty() || role == AiActRole::ProviderAndDeployer || self.roles.contains(&role)
    }

    /// Whether it depends on the area.
    pub fn by_area(&self) -> bool {
        !self.areas.is_empty()
    }

    /// Whether it is asked in an area, by then.
    pub fn covers(&self, area: Option<&Area>, moment: Timestamp) -> bool {
        let among = |list: &[String], key: &str| {
            list.iter().any(|entry| match entry.strip_suffix('*') {
                Some(start) => key.starts_with(start),
                None => key == entry,
            })
        };
        !self.by_area()
            || area
                .is_some_and(|a| a.applies(moment) && among(&self.areas, &a.key) && !among(&self.areas_except, &a.key))
    }

    /// Whether it is asked by then of a system in service since `since`; unknown, it counts as a new one.
    pub fn begun(&self, since: Option<Timestamp>, moment: Timestamp) -> bool {
        match (&self.older, since) {
            (Some(older), Some(since)) if since < older.in_service_before => older.applies_from <= moment,
            _ => true,
        }
    }

    /// Law and article.
    pub fn cited(&self) -> String {
        format!("{} {}", self.law, self.article)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::vocabulary::vocabulary;

    fn at(day: &str) -> Timestamp {
        day.parse().unwrap()
    }

    fn asked(rule: &str, key: Option<&str>, role: AiActRole, day: &str) -> Vec<&'static str> {
        let area = key.map(|k| area(k).unwrap());
        let applies = |d: &&Duty| d.binds(role) && d.covers(area, at(day));
        duties_at(rule, at(day)).filter(applies).map(|d| d.id.as_str()).collect()
    }

    #[test]
    fn tables_parse_and_name_what_there_is() {
        for area in areas() {
            assert!(vocabulary().find(&area.iri).is_some(), "{}", area.iri);
            assert_eq!(areas().iter().filter(|a| a.key == area.key).count(), 1, "{}", area.key);
        }
        for duty in DUTIES.iter() {
            for entry in duty.areas.iter().chain(&duty.areas_except) {
                let start = entry.trim_end_matches('*');
                assert!(areas().iter().any(|a| a.key.starts_with(start)), "{entry} of {}", duty.id);
            }
            assert!(!duty.when.is_empty(), "{}", duty.id);
        }
    }

    #[test]
    fn dates_areas_and_roles_decide() {
        use AiActRole::{Deployer, Provider};
        let risk = |key, role, day| asked("risk.documents", Some(key), role, day);
        assert_eq!(risk("annex-iii-5b", Deployer, "2018-05-24"), [""; 0]);
        assert_eq!(risk("annex-iii-5b", Deployer, "2027-12-01"), ["dpia"]);
        assert_eq!(
            risk("annex-iii-5b", Deployer, "2027-12-02"),
            ["dpia", "fria-credit-insurance", "fria-public-authority"]
        );
        assert_eq!(risk("annex-iii-5b", Provider, "2027-12-02"), ["dpia", "technical-documentation"]);
        assert_eq!(risk("annex-iii-2", Deployer, "2027-12-02"), ["dpia"]);
        assert_eq!(risk("annex-i", Provider, "2028-08-01"), ["dpia"]);
        assert_eq!(risk("annex-i", Provider, "2028-08-02"), ["dpia", "technical-documentation"]);
        assert_eq!(risk("annex-i-b", Provider, "2030-01-01"), ["dpia"]);
        assert_eq!(asked("workers", Some("annex-iii-4a"), Deployer, "2027-12-01"), [""; 0]);
        assert_eq!(
            asked("workers", Some("annex-iii-4a"), Deployer, "2027-12-02"),
            ["workers-employment", "workers-subject"]
        );
        assert_eq!(asked("workers", Some("annex-iii-4a"), Provider, "2027-12-02"), [""; 0]);
        assert_eq!(asked("transparency.ai", None, Deployer, "2026-08-01").len(), 0);
        assert_eq!(asked("transparency.ai", None, Deployer, "2026-08-02").len(), 4);
    }

    #[test]
    fn content_of_older_systems_is_marked_later() {
        let marking = DUTIES.iter().find(|d| d.id == "art50-2").unwrap();
        let old = Some(at("2026-08-01"));
        assert!(!marking.begun(old, at("2026-12-01")));
        assert!(marking.begun(old, at("2026-12-02")));
        assert!(marking.begun(Some(at("2026-08-02")), at("2026-08-02")));
        assert!(marking.begun(None, at("2026-08-02")));
    }
}
