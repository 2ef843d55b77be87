//! Documents of a system's file: which of them the dated table asks for, and whether they are there.

use licit_schemas::gate::{Finding, Status};
use licit_schemas::registry::{Effect, Reliance, RiskClass, SystemSpec, Transparency};
use licit_schemas::time::Timestamp;

use super::{Build, finding};
use crate::catalogue::Revision;
use crate::gate::evidence::{Cohort, Evidence};
use crate::lawfulness::law::duties::{self, Area, Duty, Ground};
use crate::lineage::exposure::{CONTAINED, SERVED};
use crate::registry::vocabulary::vocabulary;

const EMPLOYEE: &str = "https://w3id.org/dpv#Employee";

/// A document asked for that is not in force: never there, or until when.
enum Lacks {
    Missing,
    Ended(Timestamp),
}

/// The system of the deployment; that there is none, `prohibited.practice` says.
pub(super) fn system<'a>(evidence: &'a Evidence<'_>) -> Option<&'a Revision<SystemSpec>> {
    evidence.deployment.as_ref().and(evidence.system.as_deref())
}

/// Its area of high risk.
pub(super) fn area(system: &SystemSpec) -> Option<&'static Area> {
    system.high_risk_area.as_ref().and_then(|key| duties::area(key.as_str()))
}

/// Whether it decides on people, or others draw strongly on what it says: both are decisions (GDPR Art. 22(1), CJEU C-634/21).
pub(super) fn decides(system: &SystemSpec) -> bool {
    system.effect == Effect::Decisive || system.reliance == Reliance::Strong
}

/// Begin a finding about the system itself.
pub(super) fn about(
    evidence: &Evidence<'_>,
    system: &Revision<SystemSpec>,
    rule: &str,
    status: Status,
    article: &str,
) -> Build {
    let node = system.reference.to_string();
    finding(rule, status, article, &node)
        .path(vec![evidence.ask.deployment.clone(), node])
        .to(system.spec.owner.to_string())
}

/// The remedy of what a revision of the system clears.
pub(super) fn revise(begin: Build, what: &str) -> Finding {
    begin.remedy(
        format!("{what} in a revision of the system, and name that revision in the deployment"),
        Some("licit system create -f system.yaml".to_owned()),
    )
}

/// The documents a rule asks for at the moment judged, with the ground, each kind once.
pub(super) fn asked_for(
    evidence: &Evidence<'_>,
    system: &Revision<SystemSpec>,
    rule: &str,
) -> Vec<(&'static Duty, Ground)> {
    let (now, spec) = (evidence.ask.valid_at, &system.spec);
    let since = spec.transparency.as_ref().and_then(|t| t.in_service_since);
    let mut list: Vec<(&'static Duty, Ground)> = Vec::new();
    for duty in duties::duties_at(rule, now) {
        let ground = || duty.when.iter().copied().find(|g| applies(evidence, spec, *g));
        if duty.binds(spec.role)
            && duty.covers(area(spec), now)
            && duty.begun(since, now)
            && !list.iter().any(|(known, _)| known.document == duty.document)
            && let Some(ground) = ground()
        {
            list.push((duty, ground));
        }
    }
    list
}

/// A finding for each document a rule asks for that is not there, or held and ended.
pub(super) fn lacking(evidence: &Evidence<'_>, system: &Revision<SystemSpec>, rule: &str) -> Vec<Finding> {
    let lacks = |(duty, ground): (&'static Duty, Ground)| {
        let why = lacks(&system.spec, &duty.document, evidence.ask.valid_at)?;
        let (reference, what, kind) = (&system.reference, &duty.what_en, &duty.document);
        let begin = |status| {
            let begin = about(evidence, system, rule, status, &duty.cited());
            match &duty.fine {
                Some(fine) => begin.fine(fine),
                None => begin,
            }
        };
        Some(match why {
            Lacks::Missing => revise(
                begin(Status::Unmet)
                    .says(format!("`{reference}` has no {what} (`{kind}`), asked for because {}", because(ground))),
                &format!("file it as `{kind}` under `documents`"),
            ),
            Lacks::Ended(end) => revise(
                begin(Status::Expired).since(Some(end)).says(format!(
                    "the {what} (`{kind}`) of `{reference}` could be relied on until {end}; it is asked for because {}",
                    because(ground)
                )),
                &format!("file one that holds as `{kind}` under `documents`"),
            ),
        })
    };
    asked_for(evidence, system, rule).into_iter().filter_map(lacks).collect()
}

/// Whether a document of a kind is in force at a moment.
pub(super) fn in_force(system: &SystemSpec, kind: &str, now: Timestamp) -> bool {
    lacks(system, kind, now).is_none()
}

fn lacks(system: &SystemSpec, kind: &str, now: Timestamp) -> Option<Lacks> {
    let mut why = Lacks::Missing;
    for document in system.documents.iter().filter(|d| d.kind.as_str() == kind && d.dated <= now) {
        match (document.valid_to, &why) {
            (Some(end), Lacks::Ended(last)) if end <= now => why = Lacks::Ended(end.max(*last)),
            (Some(end), Lacks::Missing) if end <= now => why = Lacks::Ended(end),
            _ => return None,
        }
    }
    Some(why)
}

fn applies(evidence: &Evidence<'_>, system: &SystemSpec, ground: Ground) -> bool {
    let high = system.risk_class == RiskClass::High;
    let states = |what: fn(&Transparency) -> bool| system.transparency.as_ref().is_some_and(what);
    match ground {
        Ground::HighRisk => high,
        Ground::HighRiskWithPeople => high && !evidence.sources.is_empty(),
        Ground::SpecialCategories => {
            evidence.cohorts.iter().any(|c| c.class.special && c.modes & (CONTAINED | SERVED) != 0)
        }
        Ground::AutomatedEffect => decides(system),
        Ground::PublicAuthority => high && evidence.controller().is_some_and(|party| party.spec.public_authority),
        Ground::Employees => high && evidence.cohorts.iter().any(employees),
        Ground::TalksToPeople => states(|t| t.talks_to_people),
        Ground::SyntheticContent => states(|t| t.synthetic_content),
        Ground::EmotionOrBiometric => states(|t| t.emotion_or_biometric),
        Ground::DeepFakeOrPublicText => states(|t| t.deep_fake_or_public_text),
    }
}

/// Whether it is used on employees: those it learned from are not subject to it.
fn employees(cohort: &Cohort<'_>) -> bool {
    let v = vocabulary();
    cohort.modes & SERVED != 0
        && v.find(EMPLOYEE).is_some_and(|employee| cohort.class.subjects.iter().any(|s| v.is_a(*s, employee)))
}

fn because(ground: Ground) -> &'static str {
    match ground {
        Ground::HighRisk => "its risk class is high",
        Ground::HighRiskWithPeople => "its risk class is high and personal data reach it",
        Ground::SpecialCategories => "special categories of personal data are used when it runs",
        Ground::AutomatedEffect => "it decides on people, or others draw strongly on what it says",
        Ground::PublicAuthority => "a public authority deploys it at high risk",
        Ground::Employees => "it is used on employees at high risk",
        Ground::TalksToPeople => "it talks to people",
        Ground::SyntheticContent => "it makes content",
        Ground::EmotionOrBiometric => "it reads emotions or biometrics of people",
        Ground::DeepFakeOrPublicText => "it makes deep fakes or texts of public interest",
    }
}
