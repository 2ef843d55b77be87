//! What particular data or particular people ask of the basis that governs them.

use licit_schemas::gate::{Finding, Status};
use licit_schemas::lawfulness::{BasisSpec, LegalBasis, MinimumAge};
use licit_schemas::time::Timestamp;

use super::asked::{Grouped, each};
use super::{BOARD, GDPR_LOWER, finding};
use crate::gate::children::{self, CHILD, Children};
use crate::gate::coverage::Answer;
use crate::gate::evidence::Evidence;
use crate::gate::policy::Policy;
use crate::lawfulness::law::transfers::age_of_consent;
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
    /// What a basis lacks of what is asked, in words; whether it lacks it or nobody knows.
    lacks: fn(&BasisSpec, &Class, Timestamp) -> Option<(Status, String)>,
    /// What would give it that.
    remedy: &'static str,
}

const CRIMINAL: Condition = Condition {
    rule: "criminal",
    article: "GDPR Art. 10",
    fine: GDPR_LOWER,
    term: "https://w3id.org/dpv/pd#Criminal",
    terms: |class| &class.categories,
    lacks: |basis, _, _| {
        let bare = basis.letter.law.is_none();
        bare.then(|| (Status::Unmet, "names no law that authorises it".to_owned()))
    },
    remedy: "record a revision that names the law which authorises it in its `letter`, and ask the board, or take these data out",
};

const MINORS: Condition = Condition {
    rule: "minors",
    article: "GDPR Art. 8",
    fine: GDPR_LOWER,
    term: CHILD,
    terms: |class| &class.subjects,
    lacks: who_consents,
    remedy: "record a revision that shows the consent of those who hold parental responsibility (`parental_consent` in its `letter`), or asks nobody younger than the law of a member state lets consent (`minimum_age`), and ask the board; register the children in a version of their own where others are in it, too",
};

/// Those who hold parental responsibility, or children old enough by the law of their country (GDPR Art. 8(1)).
fn who_consents(basis: &BasisSpec, class: &Class, at: Timestamp) -> Option<(Status, String)> {
    let letter = &basis.letter;
    if basis.legal_basis != LegalBasis::Art6_1A || children::old_enough(basis, at) {
        return None;
    }
    if letter.parental_consent.is_some() {
        let mixed = children::of(class) == Children::Some;
        return mixed.then(|| {
            let sentence = "rests on the consent of those who hold parental responsibility, while others are in it, too, and nobody says whose consent is the parents' to give";
            (Status::Unknown, sentence.to_owned())
        });
    }
    let Some(minimum) = &letter.minimum_age else {
        return Some((Status::Unmet, "does not show who consents for them".to_owned()));
    };
    let MinimumAge { country, age } = minimum;
    match age_of_consent(country, at) {
        Some(law) if *age >= law => None,
        Some(law) => Some((
            Status::Unmet,
            format!("asks children from {age} on, who consent themselves from {law} on only by the law of {country}"),
        )),
        None => Some((Status::Unknown, format!("names the law of {country}, which is no member state then"))),
    }
}

/// `criminal`: data on convictions and offences under a basis that names no law (GDPR Art. 10).
pub(super) fn criminal(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    lacking(evidence, &CRIMINAL)
}

/// `minors`: children under a consent that does not show who gave it for them (GDPR Art. 8). Whether they did is asked of the people
/// themselves, by `consent.coverage`.
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
            let moment = ask.purpose(evidence).map_or(evidence.ask.valid_at, |(_, moment)| moment);
            let Some((status, lacks)) = (condition.lacks)(&basis.spec, &ask.cohort.class, moment) else { continue };
            let (name, reference) = (evidence.name(source.node), basis.reference.to_string());
            list.add((reference.clone(), lacks.clone()), &name, || {
                finding(condition.rule, status, condition.article, &name)
                    .fine(condition.fine)
                    .path(ask.path(evidence, source))
                    .says(format!(
                        "`{name}` holds \"{}\", and `{reference}`, which governs it, {}",
                        v.term(term).label,
                        lacks
                    ))
                    .to(BOARD)
                    .remedy(condition.remedy, Some("licit basis create -f basis.yaml".to_owned()))
            });
        }
    }
    list.findings()
}
