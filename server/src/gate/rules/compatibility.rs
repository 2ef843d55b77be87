//! Whether data may be used for another purpose than that of their collection.

use licit_schemas::gate::{Finding, Status};
use licit_schemas::lawfulness::{BasisSpec, LegalBasis};
use licit_schemas::proof::passport::Passport;
use licit_schemas::reference::Ref;
use licit_schemas::text::Iri;
use licit_schemas::time::Timestamp;

use super::asked::{Asked, Grouped, each};
use super::{BOARD, GDPR_UPPER, ask_board, finding};
use crate::gate::coverage::{Answer, base, broader};
use crate::gate::evidence::{Evidence, Missing};
use crate::gate::passport;
use crate::gate::policy::Policy;
use crate::registry::vocabulary::vocabulary;

const RULE: &str = "compatibility";
const ARTICLE: &str = "GDPR Art. 5(1)(b), 6(4)";

/// `compatibility`: the purpose differs from that of collection, and neither fresh consent, nor law, nor research under the
/// safeguards of Art. 89(1), nor (what was not collected on consent) an approved assessment carries it (GDPR Art. 5(1)(b), 6(4),
/// EDPB Guidelines 05/2020 §120).
pub(super) fn compatible(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let mut list = Grouped::new();
    for (ask, source) in each(evidence, |ask| questionable(evidence, ask)) {
        let Some((asked, at)) = ask.purpose(evidence) else { continue };
        let purpose = base(&asked.to_string()).to_owned();
        let (name, class) = (evidence.name(source.node), &ask.cohort.class);
        let begin = |status| finding(RULE, status, ARTICLE, &name).fine(GDPR_UPPER).path(ask.path(evidence, source));
        // The same cause now and at a training is one finding.
        let group = |cause: &str| (purpose.clone(), cause.to_owned());
        let register = || Some("licit register".to_owned());
        let unstated = |what: &str, field: &str| {
            begin(Status::Unknown)
                .since(Some(evidence.world.lineage.record(source.node).at))
                .says(format!(
                    "nobody said {what} `{name}` was collected: whether `{purpose}` is compatible is unknown"
                ))
                .to(evidence.owner(&name))
                .remedy(format!("register a version that states its `{field}`"), register())
        };
        // Of people behind a model of others, its passport says it.
        let elsewhere =
            passport::people(evidence.world, &name, evidence.ask.valid_at).map(|(taken, _)| &taken.spec.says);
        let theirs: Vec<&Iri> = elsewhere.iter().flat_map(|says| &says.purposes).map(|purpose| &purpose.iri).collect();
        if elsewhere.is_some() && passport::within(evidence.world, asked, at, &theirs) {
            continue;
        }
        if class.collected_for.is_empty() && theirs.is_empty() {
            list.add(group("for"), &name, || unstated("for which purpose", "collected_for"));
            continue;
        }
        let consented = |says: &Passport| says.bases.iter().any(|basis| basis.legal_basis == LegalBasis::Art6_1A);
        if on_consent(evidence, &class.collected_under) || elsewhere.is_some_and(consented) {
            list.add(group("consent"), &name, || {
                begin(Status::Unmet)
                    .says(format!("`{name}` was collected on consent for another purpose than `{purpose}`"))
                    .to(BOARD)
                    .remedy(
                        "ask these people for consent to this purpose and record that basis, or take the data out: no assessment replaces it",
                        Some("licit basis create -f basis.yaml".to_owned()),
                    )
            });
            continue;
        }
        let Some(missing) = evidence.compatible(&name, &purpose, &ask.controller(evidence), at) else {
            if class.collected_under.is_empty() && elsewhere.is_none() {
                list.add(group("under"), &name, || unstated("on which basis", "collected_under"));
            }
            continue;
        };
        list.add(group(&format!("{missing:?}")), &name, || {
            let begin = |status| begin(status).to(BOARD);
            let assess = || Some("licit assessment create -f compatibility.yaml".to_owned());
            match missing {
                Missing::AssessmentEnded(assessment, end, due) => begin(Status::Expired)
                    .because(&assessment)
                    .since(Some(end))
                    .due(due)
                    .says(format!("`{assessment}` found `{purpose}` compatible with the collection of `{name}` until {end}"))
                    .remedy("renew the assessment and ask the board", assess()),
                Missing::AssessmentLater(assessment, from) => begin(Status::Unmet)
                    .says(format!("`{assessment}` finds `{purpose}` compatible with the collection of `{name}` from {from} on only"))
                    .remedy("wait, or record an assessment that holds now and ask the board", assess()),
                Missing::Assessment(Some(assessment)) => begin(Status::Unmet)
                    .because(&assessment)
                    .says(format!("`{assessment}` would find `{purpose}` compatible with the collection of `{name}`, but the board has not approved it"))
                    .remedy(
                        "ask the board to approve the assessment",
                        ask_board(&format!("Approve {assessment}"), &[&assessment]),
                    ),
                _ => begin(Status::Unmet)
                    .to("dpo")
                    .says(format!("`{name}` was collected for {}, and nobody assessed whether `{purpose}` is compatible with that", purposes(&class.collected_for, &theirs)))
                    .remedy("record an assessment of kind `compatibility` and ask the board, or take the data out", assess()),
            }
        });
    }
    list.findings()
}

/// Whether a governed source is used for a purpose it was not collected for, and no basis that governs it carries that. What no
/// basis governs is refused elsewhere, and asked here once one does.
fn questionable(evidence: &Evidence<'_>, ask: &Asked<'_>) -> bool {
    let Answer::Governed(places) = ask.answer else { return false };
    let Some((purpose, at)) = ask.purpose(evidence) else { return false };
    if collected_for(evidence, &ask.cohort.class.collected_for, purpose, at) {
        return false;
    }
    let research = research(evidence, purpose);
    !places.iter().all(|&place| carries(&ask.candidate(place).revision.spec, research))
}

/// The purpose itself, in whatever revision, or a broader one whose approval includes narrower ones.
fn collected_for(evidence: &Evidence<'_>, purposes: &[std::sync::Arc<str>], purpose: &Ref, at: Timestamp) -> bool {
    let among = |purpose: &str| purposes.binary_search_by(|known| base(known).cmp(purpose)).is_ok();
    among(purpose.base()) || broader(evidence.world, purpose, at).iter().any(|broad| among(base(&broad.reference)))
}

/// Fresh consent, a law, or research under its safeguards carry a further purpose without an assessment.
fn carries(basis: &BasisSpec, research: bool) -> bool {
    match basis.legal_basis {
        LegalBasis::Art6_1A => true,
        LegalBasis::Art6_1C | LegalBasis::Art6_1E if basis.letter.law.is_some() => true,
        _ => research && basis.letter.safeguards.is_some(),
    }
}

/// Research, statistics, archiving: not incompatible by Art. 5(1)(b).
fn research(evidence: &Evidence<'_>, purpose: &Ref) -> bool {
    const PURPOSES: [&str; 2] = ["https://w3id.org/dpv#AcademicResearch", "https://w3id.org/dpv#ScientificResearch"];
    let v = vocabulary();
    let revision = purpose.rev().and_then(|rev| evidence.world.lawfulness.purposes.revision(purpose.base(), rev));
    let own = revision.and_then(|r| v.find(r.spec.iri.as_str()));
    own.is_some_and(|own| PURPOSES.iter().filter_map(|iri| v.find(iri)).any(|broad| v.is_a(own, broad)))
}

fn on_consent(evidence: &Evidence<'_>, bases: &[std::sync::Arc<str>]) -> bool {
    let spec = |reference: &str| {
        let reference: Ref = reference.parse().ok()?;
        let found = evidence.world.lawfulness.bases.revision(reference.base(), reference.rev()?)?;
        Some(found.spec.legal_basis)
    };
    bases.iter().any(|b| spec(b) == Some(LegalBasis::Art6_1A))
}

fn purposes(list: &[std::sync::Arc<str>], theirs: &[&Iri]) -> String {
    let own = list.iter().map(|p| format!("`{}`", base(p)));
    own.chain(theirs.iter().map(|iri| format!("`{iri}`"))).collect::<Vec<_>>().join(", ")
}
