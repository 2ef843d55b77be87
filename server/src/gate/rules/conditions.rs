//! What particular data or particular people ask of the basis that governs them.

use licit_schemas::gate::{Finding, Status};
use licit_schemas::lawfulness::{BasisSpec, LegalBasis};

use super::asked::{Grouped, each};
use super::{BOARD, GDPR_LOWER, finding};
use crate::gate::coverage::Answer;
use crate::gate::evidence::Evidence;
use crate::gate::policy::Policy;
use crate::lineage::Class;
use crate::registry::vocabulary::{TermId, vocabulary};

/// What a rule asks of a basis that governs certain data.
struct Condition {
    rule: &'static str,
    article: &'static str,
    fine: &'static str,
    /// The DPV term whose presence, or that of a narrower one, makes the rule ask.
    term: &'static str,
    /// Where a class names its terms.
    terms: fn(&Class) -> &[TermId],
    /// Whether a basis has what is asked.
    met: fn(&BasisSpec) -> bool,
    /// What it lacks, in words.
    lacks: &'static str,
    /// What would give it that.
    remedy: &'static str,
}

const CRIMINAL: Condition = Condition {
    rule: "criminal",
    article: "GDPR Art. 10",
    fine: GDPR_LOWER,
    term: "https://w3id.org/dpv/pd#Criminal",
    terms: |class| &class.categories,
    met: |basis| basis.letter.law.is_some(),
    lacks: "names no law that authorises it",
    remedy: "record a revision that names the law which authorises it in its `letter`, and ask the board, or take these data out",
};

const MINORS: Condition = Condition {
    rule: "minors",
    article: "GDPR Art. 8",
    fine: GDPR_LOWER,
    term: "https://w3id.org/dpv#Child",
    terms: |class| &class.subjects,
    met: |basis| basis.legal_basis != LegalBasis::Art6_1A || basis.letter.parental_consent.is_some(),
    lacks: "does not show who consents for them",
    remedy: "record a revision that shows the consent of those who hold parental responsibility (`parental_consent` in its `letter`), and ask the board",
};

/// `criminal`: data on convictions and offences under a basis that names no law (GDPR Art. 10).
pub(super) fn criminal(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    lacking(evidence, &CRIMINAL)
}

/// `minors`: children under a consent that does not show who gave it for them (GDPR Art. 8).
pub(super) fn minors(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    lacking(evidence, &MINORS)
}

fn lacking(evidence: &Evidence<'_>, condition: &Condition) -> Vec<Finding> {
    let v = vocabulary();
    let Some(broad) = v.find(condition.term) else { return Vec::new() };
    let held = |class: &Class| (condition.terms)(class).iter().find(|term| v.is_a(**term, broad)).copied();
    let mut list = Grouped::new();
    for (ask, source) in
        each(evidence, |ask| matches!(ask.answer, Answer::Governed(_)) && held(&ask.cohort.class).is_some())
    {
        let (Answer::Governed(places), Some(term)) = (ask.answer, held(&ask.cohort.class)) else { continue };
        for &place in places {
            let basis = &ask.candidate(place).revision;
            if (condition.met)(&basis.spec) {
                continue;
            }
            let (name, reference) = (evidence.name(source.node), basis.reference.to_string());
            list.add(reference.clone(), &name, || {
                finding(condition.rule, Status::Unmet, condition.article, &name)
                    .fine(condition.fine)
                    .path(ask.path(evidence, source))
                    .says(format!(
                        "`{name}` holds \"{}\", and `{reference}`, which governs it, {}",
                        v.term(term).label,
                        condition.lacks
                    ))
                    .to(BOARD)
                    .remedy(condition.remedy, Some("licit basis create -f basis.yaml".to_owned()))
            });
        }
    }
    list.findings()
}
