//! Decisions on people by machine.

use licit_schemas::gate::{Finding, Status};
use licit_schemas::lawfulness::{BasisSpec, Exception, LegalBasis};

use super::asked::{Asked, Grouped, asked, each};
use super::filed::{decides, lacking, system};
use super::{BOARD, GDPR_UPPER, ask_board, finding};
use crate::gate::coverage::{Answer, Candidate};
use crate::gate::evidence::{Cohort, Evidence, Source};
use crate::gate::policy::Policy;
use crate::lineage::Class;
use crate::lineage::exposure::{CONTAINED, SERVED, Want};
use crate::lineage::walk::Label;
use crate::registry::vocabulary::{TermId, vocabulary};

const RULE: &str = "automated.decision";

/// `automated.decision`: a decisive effect, or a score others draw strongly on, with a ground of Art. 22(2), the safeguards of
/// Art. 22(3), and special categories only as Art. 22(4) allows (GDPR Art. 22, CJEU C-634/21).
pub(super) fn decision(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let Some(system) = system(evidence).filter(|s| decides(&s.spec)) else { return Vec::new() };
    let mut findings = grounds(evidence);
    findings.extend(special(evidence));
    findings.extend(lacking(evidence, system, RULE));
    findings
}

/// Contract, law, or explicit consent (Art. 22(2)). A legitimate interest is none, whatever it weighs.
fn is_ground(basis: &BasisSpec) -> bool {
    match basis.legal_basis {
        LegalBasis::Art6_1B => true,
        LegalBasis::Art6_1C | LegalBasis::Art6_1E => basis.letter.law.is_some(),
        LegalBasis::Art6_1A => basis.letter.explicit,
        LegalBasis::Art6_1D | LegalBasis::Art6_1F | LegalBasis::NoPersonalData => false,
    }
}

/// Everybody it decides on must be covered by a ground: those it is served on; where it is served on nobody, those in it.
fn grounds(evidence: &Evidence<'_>) -> Vec<Finding> {
    let running = |modes: Label| asked(evidence).filter(move |a| a.training.is_none() && a.cohort.modes & modes != 0);
    let decided_on = if running(SERVED).next().is_some() { SERVED } else { CONTAINED };
    if running(decided_on).next().is_none() {
        return nobody(evidence).into_iter().collect();
    }
    let mut covered: Vec<TermId> = Vec::new();
    for ask in running(decided_on) {
        if let Answer::Governed(places) = ask.answer {
            let grounds = places.iter().map(|p| ask.candidate(*p)).filter(|c| is_ground(&c.revision.spec));
            grounds.for_each(|ground| covered.extend(&ground.covers.subjects));
        }
    }
    let v = vocabulary();
    let all = |class: &Class| class.subjects.iter().all(|s| covered.iter().any(|by| v.is_a(*s, *by)));
    let open = |ask: &Asked<'_>| {
        let decided = ask.training.is_none() && ask.cohort.modes & decided_on != 0;
        decided && !(matches!(ask.answer, Answer::Governed(_)) && all(&ask.cohort.class))
    };
    let mut list = Grouped::new();
    for (ask, source) in each(evidence, open) {
        let name = evidence.name(source.node);
        let path = || evidence.path(source.node, Want::Mode(decided_on));
        match ask.answer {
            Answer::Governed(places) => {
                for &place in places.iter().filter(|p| !is_ground(&ask.candidate(**p).revision.spec)) {
                    no_ground(&mut list, &ask, place, (&name, path));
                }
            }
            Answer::Fell(place) if is_ground(&ask.candidate(*place).revision.spec) => {
                let reference = ask.candidate(*place).revision.reference.to_string();
                let (end, due) = ask.ended(*place);
                list.add(reference.clone(), &reference, || {
                    let mut path = path();
                    path.push(reference.clone());
                    finding(RULE, Status::Expired, "GDPR Art. 22(2)", &*reference)
                        .fine(GDPR_UPPER)
                        .path(path)
                        .since(end)
                        .due(due)
                        .says(format!("the ground to decide on people went with `{reference}`"))
                        .to(BOARD)
                        .remedy(
                            "ask the board to approve the basis again, or stop deciding",
                            ask_board(&format!("Renew {reference}"), &[&reference]),
                        )
                });
            }
            Answer::Fell(place) => no_ground(&mut list, &ask, *place, (&name, path)),
            Answer::NotAsked => {}
            _ => {
                let cause = match ask.answer {
                    Answer::NoSubjects => "subjects",
                    Answer::NoCategories => "categories",
                    _ => "basis",
                };
                list.add(cause.to_owned(), &name, || unknown(evidence, &ask, source, path()));
            }
        }
    }
    list.findings()
}

/// A basis that governs, or governed, people it decides on, and is no ground.
fn no_ground(
    list: &mut Grouped<String>,
    ask: &Asked<'_>,
    place: usize,
    (name, path): (&str, impl FnOnce() -> Vec<String>),
) {
    let basis = &ask.candidate(place).revision;
    let reference = basis.reference.to_string();
    list.add(reference.clone(), &reference, || {
        let mut path = path();
        path.push(reference.clone());
        finding(RULE, Status::Unmet, "GDPR Art. 22(1), (2)", &*reference)
            .fine(GDPR_UPPER)
            .path(path)
            .says(format!(
                "it decides on the people in `{name}` by `{reference}`: {} as stated is no ground to decide on people by machine",
                basis.spec.legal_basis.article()
            ))
            .to(BOARD)
            .remedy(
                "record a revision that rests on a contract it is necessary for, on a law that allows it, or on explicit consent, and ask the board; or let people decide, and state so in a revision of the system",
                Some("licit basis create -f basis.yaml".to_owned()),
            )
    });
}

/// Whom it decides on, and by which basis, is not known.
fn unknown(evidence: &Evidence<'_>, ask: &Asked<'_>, source: &Source, path: Vec<String>) -> Finding {
    let name = evidence.name(source.node);
    let begin = finding(RULE, Status::Unknown, "GDPR Art. 22(2)", &name)
        .fine(GDPR_UPPER)
        .path(path)
        .since(Some(evidence.world.lineage.record(source.node).at))
        .says(format!(
            "it decides on people, and no basis is known to govern `{name}`: whether a ground of Art. 22(2) does is unknown"
        ));
    let register = || Some("licit register".to_owned());
    match ask.answer {
        Answer::NoSubjects => {
            begin.to(evidence.owner(&name)).remedy("register a version that states its `subjects`", register())
        }
        Answer::NoCategories => {
            begin.to(evidence.owner(&name)).remedy("register a version with every field classified", register())
        }
        _ => begin.to(BOARD).remedy(
            "settle which one basis governs here, a contract, a law or explicit consent, and ask the board",
            Some("licit basis create -f basis.yaml".to_owned()),
        ),
    }
}

/// It decides on people, and reads nobody as far as anybody knows.
fn nobody(evidence: &Evidence<'_>) -> Option<Finding> {
    let deployment = evidence.deployment.as_ref()?;
    let own = &evidence.ask.deployment;
    Some(
        finding(RULE, Status::Unknown, "GDPR Art. 22(2)", own)
            .fine(GDPR_UPPER)
            .path(vec![own.clone()])
            .since(Some(deployment.at))
            .says(format!("`{own}` decides on people and reads nobody as far as is known: by which ground is unknown"))
            .to(evidence.deployment_owner())
            .remedy(
                "name in `reads` the datasets about the people it decides on, and the basis that covers them",
                Some("licit deployment create -f deployment.yaml".to_owned()),
            ),
    )
}

/// Special categories it decides by need explicit consent or a law in the substantial public interest (Art. 22(4)).
fn special(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut list = Grouped::new();
    let open = |ask: &Asked<'_>| {
        ask.training.is_none()
            && ask.cohort.class.special
            && matches!(ask.answer, Answer::Governed(places) if !places.iter().all(|p| allows(ask.candidate(*p))))
    };
    for (ask, source) in each(evidence, open) {
        let Answer::Governed(places) = ask.answer else { continue };
        for candidate in places.iter().map(|p| ask.candidate(*p)).filter(|c| !allows(c)) {
            let reference = candidate.revision.reference.to_string();
            list.add(reference.clone(), &reference, || {
                let mut path = ask.path(evidence, source);
                path.push(reference.clone());
                bare(&reference, &format!("those of `{}`, by `{reference}`,", evidence.name(source.node)), path)
            });
        }
    }
    let reaches = |cohort: &Cohort<'_>| cohort.modes & (CONTAINED | SERVED) != 0;
    evidence.behind(
        |cohort| cohort.derived && cohort.class.special && reaches(cohort),
        |behind| {
            let cohort = &evidence.cohorts[behind.cohort];
            let (mut governed, mut allowed) = (0, 0);
            for ask in asked(evidence).filter(|a| a.training.is_none()) {
                let Answer::Governed(places) = ask.answer else { continue };
                let holders = behind.holders(ask.place);
                governed |= holders;
                let mut candidates = places.iter().map(|p| ask.candidate(*p));
                if holders & !allowed != 0 && candidates.any(|c| allows(c) && c.excepts(&cohort.class)) {
                    allowed |= holders;
                }
            }
            for derived in behind.among(governed & !allowed) {
                let name = evidence.name(derived.node);
                let mode = if cohort.modes & CONTAINED != 0 { CONTAINED } else { SERVED };
                list.add(name.clone(), &name, || {
                    bare(&name, &format!("those that `{name}` brings"), evidence.path(derived.node, Want::Mode(mode)))
                });
            }
        },
    );
    list.findings()
}

/// Explicit consent, or a law in the substantial public interest.
fn allows(candidate: &Candidate) -> bool {
    matches!(candidate.revision.spec.exception, Some(Exception::Art9_2A | Exception::Art9_2G))
}

fn bare(node: &str, which: &str, path: Vec<String>) -> Finding {
    finding(RULE, Status::Unmet, "GDPR Art. 22(4)", node)
        .fine(GDPR_UPPER)
        .path(path)
        .says(format!(
            "it decides on people by special categories, and {which} rest neither on Art. 9(2)(a) nor on 9(2)(g)"
        ))
        .to(BOARD)
        .remedy(
            "decide without these data; or record a revision with explicit consent, or with the law in the substantial public interest, as its exception, and ask the board",
            Some("licit basis create -f basis.yaml".to_owned()),
        )
}
