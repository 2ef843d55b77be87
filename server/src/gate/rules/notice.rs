//! What people are told, and how they withdraw.

use std::collections::BTreeSet;

use licit_schemas::gate::{Finding, Status};
use licit_schemas::lawfulness::LegalBasis;
use licit_schemas::notices::{Language, TestOutcome};
use licit_schemas::registry::Identifiability;

use super::asked::{Grouped, asked};
use super::controller::third_parties;
use super::filed::{decides, system};
use super::{Build, DPO, GDPR_UPPER, finding};
use crate::gate::coverage::Answer;
use crate::gate::evidence::{Cohort, Evidence, Source};
use crate::gate::policy::Policy;
use crate::lineage::exposure::{CONTAINED, SERVED, Want};
use crate::notices::Notice;
use crate::registry::vocabulary::{TermId, vocabulary};

const RULE: &str = "notice";

/// `notice`: people whose data are served or contained are told before it begins: for which purpose, which categories, inferred
/// ones too, who receives them, whether machines decide, in a text that people can read (GDPR Art. 12 to 14).
pub(super) fn notice(evidence: &Evidence<'_>, policy: &Policy) -> Vec<Finding> {
    let Some(first) = evidence.cohorts.iter().position(is_told) else { return Vec::new() };
    if evidence.told.in_force.is_empty() {
        return untold(evidence, first).into_iter().collect();
    }
    let mut findings = categories(evidence);
    findings.extend(inferred(evidence));
    findings.extend(recipients(evidence));
    findings.extend(decisions(evidence));
    findings.extend(evidence.told.in_force.iter().filter_map(|notice| hard(evidence, notice, policy)));
    findings
}

/// Whether people in a cohort are to be told of the deployment's purpose.
fn is_told(cohort: &Cohort<'_>) -> bool {
    cohort.class.told && !cohort.derived && cohort.modes & (CONTAINED | SERVED) != 0
}

fn path(evidence: &Evidence<'_>, source: &Source) -> Vec<String> {
    let mode = if evidence.cohort(source).modes & CONTAINED != 0 { CONTAINED } else { SERVED };
    evidence.path(source.node, Want::Mode(mode))
}

fn state() -> Option<String> {
    Some("licit notice create -f notice.yaml".to_owned())
}

/// No notice in force names the purpose.
fn untold(evidence: &Evidence<'_>, first: usize) -> Option<Finding> {
    let told = |source: &&Source| is_told(evidence.cohort(source));
    let source = evidence.sources_of(first).next()?;
    let others = evidence.sources.iter().filter(told).filter(|other| other.node != source.node);
    let purpose = evidence.purpose.as_ref()?.reference.to_string();
    let name = evidence.name(source.node);
    let begin = |status: Status, cause: &str| {
        finding(RULE, status, "GDPR Art. 13, 14", cause)
            .because(cause)
            .fine(GDPR_UPPER)
            .path({
                let mut path = path(evidence, source);
                path.push(cause.to_owned());
                path
            })
            .also(others.clone().map(|other| evidence.name(other.node)).collect())
            .to(DPO)
    };
    let draft = || Some(format!("licit notice draft --deployment {}", evidence.ask.deployment));
    Some(match (&evidence.told.ended, &evidence.told.later) {
        (Some((notice, end)), _) => begin(Status::Expired, notice.reference())
            .since(Some(*end))
            .says(format!("`{}` told people in `{name}` of `{purpose}` until {end}", notice.reference()))
            .remedy("state a revision of the notice that is in force", state()),
        (None, Some((notice, from))) => begin(Status::Unmet, notice.reference())
            .says(format!(
                "`{}` tells people in `{name}` of `{purpose}` from {from} on, not before",
                notice.reference()
            ))
            .remedy("wait until it is shown, or state a revision that is in force", state()),
        (None, None) => begin(Status::Unmet, &purpose)
            .says(format!("no notice tells the people in `{name}` of `{purpose}`"))
            .remedy("draft a notice from what is registered, show it to people, and state it", draft()),
    })
}

/// Begin a finding about the notices in force: the first is the offending one.
fn about(evidence: &Evidence<'_>, status: Status, article: &str, path: Vec<String>) -> Build {
    let reference = evidence.told.in_force.first().map_or_else(String::new, |notice| notice.reference().to_owned());
    let mut path = path;
    path.push(reference.clone());
    finding(RULE, status, article, &reference).because(&reference).fine(GDPR_UPPER).path(path).to(DPO)
}

fn all(evidence: &Evidence<'_>) -> String {
    let names: Vec<String> = evidence.told.in_force.iter().map(|notice| format!("`{}`", notice.reference())).collect();
    names.join(", ")
}

fn labels(terms: impl Iterator<Item = TermId>) -> String {
    let labels: BTreeSet<String> = terms.map(|term| format!("\"{}\"", vocabulary().term(term).label)).collect();
    labels.into_iter().collect::<Vec<_>>().join(", ")
}

/// Categories that no notice in force names, or that nobody knows.
fn categories(evidence: &Evidence<'_>) -> Vec<Finding> {
    let told = &evidence.told.in_force;
    let unnamed = |term: &&TermId| !told.iter().any(|notice| notice.tells(**term));
    let mut list = Grouped::new();
    for (place, cohort) in evidence.cohorts.iter().enumerate().filter(|(_, cohort)| is_told(cohort)) {
        let class = &cohort.class;
        if class.categories.is_empty() && class.identifiability > Identifiability::None {
            for source in evidence.sources_of(place) {
                let name = evidence.name(source.node);
                list.add(String::new(), &name, || {
                    finding(RULE, Status::Unknown, "GDPR Art. 14(1)(d)", &name)
                        .fine(GDPR_UPPER)
                        .path(path(evidence, source))
                        .since(Some(evidence.world.lineage.record(source.node).at))
                        .says(format!(
                            "nobody said which data about people `{name}` holds: whether {} names them is unknown",
                            all(evidence)
                        ))
                        .to(evidence.owner(&name))
                        .remedy(
                            "register a version that states the categories of its fields",
                            Some("licit register".to_owned()),
                        )
                });
            }
            continue;
        }
        if !class.categories.iter().any(|term| unnamed(&term)) {
            continue;
        }
        let missing = labels(class.categories.iter().filter(unnamed).copied());
        for source in evidence.sources_of(place) {
            let name = evidence.name(source.node);
            list.add(missing.clone(), &name, || {
                about(evidence, Status::Unmet, "GDPR Art. 14(1)(d)", path(evidence, source))
                    .says(format!("{} does not name {missing}, which `{name}` brings", all(evidence)))
                    .remedy(
                        format!("state a revision of the notice that names {missing}, or leave these data out"),
                        state(),
                    )
            });
        }
    }
    list.findings()
}

/// Categories of what was made of the data, or is written about people, that nobody collected from them: they are inferred.
fn inferred(evidence: &Evidence<'_>) -> Option<Finding> {
    let v = vocabulary();
    let collected = |term: TermId| {
        let told = evidence.cohorts.iter().filter(|cohort| is_told(cohort));
        told.flat_map(|cohort| &cohort.class.categories).any(|known| v.is_a(term, *known))
    };
    let said = |term: TermId| evidence.told.in_force.iter().any(|notice| notice.tells_inferred(term));
    let silent = |term: &TermId| !collected(*term) && !said(*term);
    let derived = evidence.cohorts.iter().filter(|c| c.derived && c.modes & (CONTAINED | SERVED) != 0);
    let written = evidence.written();
    let classes = derived.map(|c| &*c.class).chain(written.iter().map(|node| &**evidence.world.lineage.class(*node)));
    let missing: BTreeSet<TermId> = classes.flat_map(|class| &class.categories).copied().filter(silent).collect();
    if missing.is_empty() {
        return None;
    }
    let holds = |class: &crate::lineage::Class| class.categories.iter().any(|term| missing.contains(term));
    let table = evidence.sources.iter().find(|source| {
        let cohort = evidence.cohort(source);
        cohort.derived && cohort.modes & (CONTAINED | SERVED) != 0 && holds(&cohort.class)
    });
    let output = || written.iter().find(|node| holds(evidence.world.lineage.class(**node)));
    let (name, path) = match (table, output()) {
        (Some(source), _) => (evidence.name(source.node), path(evidence, source)),
        (None, Some(node)) => {
            let name = evidence.name(*node);
            (name.clone(), vec![evidence.ask.deployment.clone(), name])
        }
        (None, None) => (String::new(), vec![evidence.ask.deployment.clone()]),
    };
    let missing = labels(missing.into_iter());
    Some(
        about(evidence, Status::Unmet, "GDPR Art. 13, 14(1)(d)", path)
            .says(format!("{} does not say that {missing} in `{name}` is inferred about people", all(evidence)))
            .remedy(format!("state a revision of the notice that names {missing} as `inferred`"), state()),
    )
}

/// Third parties that receive the data and that no notice in force names.
fn recipients(evidence: &Evidence<'_>) -> Vec<Finding> {
    let named = |recipient: &licit_schemas::reference::Ref| {
        evidence.told.in_force.iter().any(|notice| notice.revision.spec.recipients.contains(recipient))
    };
    let missing = third_parties(evidence).into_iter().filter(|(recipient, _)| !named(recipient));
    let each = missing.map(|(recipient, _)| {
        let path = vec![evidence.ask.deployment.clone(), recipient.to_string()];
        about(evidence, Status::Unmet, "GDPR Art. 13(1)(e), 14(1)(e)", path)
            .says(format!("{} does not name `{recipient}`, which receives the data", all(evidence)))
            .remedy(format!("state a revision of the notice that names `{recipient}` in `recipients`"), state())
    });
    each.collect()
}

/// It decides on people, and no notice in force says so.
fn decisions(evidence: &Evidence<'_>) -> Option<Finding> {
    let system = system(evidence).filter(|system| decides(&system.spec))?;
    if evidence.told.in_force.iter().any(|notice| notice.revision.spec.automated_decisions.is_some()) {
        return None;
    }
    let path = vec![evidence.ask.deployment.clone(), system.reference.to_string()];
    Some(
        about(evidence, Status::Unmet, "GDPR Art. 13(2)(f), 14(2)(g)", path)
            .says(format!("`{}` decides on people, and {} does not say so", system.reference, all(evidence)))
            .remedy(
                "state a revision of the notice that says in `automated_decisions` by what logic, and with what consequence",
                state(),
            ),
    )
}

/// A notice that is too long, or too hard to read, by policy (Art. 12(1): concise, intelligible, in plain language).
fn hard(evidence: &Evidence<'_>, notice: &Notice, policy: &Policy) -> Option<Finding> {
    let (most_words, most_lix) = policy.longest_notice();
    let measured = [(Language::En, notice.measured.en), (Language::Fr, notice.measured.fr)];
    if measured.iter().all(|(_, m)| m.words <= most_words && m.lix <= most_lix) {
        return None;
    }
    let mut faults: Vec<String> = Vec::new();
    for (language, measure) in measured {
        let language = language.as_str();
        if measure.words > most_words {
            faults.push(format!("it has {} words in `{language}`, {most_words} at most", measure.words));
        }
        if measure.lix > most_lix {
            faults.push(format!("its LIX in `{language}` is {}, {most_lix} at most", measure.lix));
        }
    }
    let reference = notice.reference();
    Some(
        finding(RULE, Status::Unmet, "GDPR Art. 12(1)", reference)
            .because(reference)
            .fine(GDPR_UPPER)
            .path(vec![evidence.ask.deployment.clone(), reference.to_owned()])
            .says(format!("`{reference}` is not concise and plain: {}", faults.join("; ")))
            .to(DPO)
            .remedy("state a revision with fewer and shorter words and sentences", state()),
    )
}

/// `withdrawal.means`: where consent governs, each notice in force names a way to withdraw, and somebody went it lately
/// (GDPR Art. 7(3)).
pub(super) fn withdrawal(evidence: &Evidence<'_>, policy: &Policy) -> Vec<Finding> {
    const RULE: &str = "withdrawal.means";
    const ARTICLE: &str = "GDPR Art. 7(3)";
    let consent = asked(evidence).filter(|ask| ask.training.is_none()).find_map(|ask| {
        let Answer::Governed(places) = ask.answer else { return None };
        let bases = places.iter().map(|place| &ask.candidate(*place).revision);
        let basis = bases.into_iter().find(|basis| basis.spec.legal_basis == LegalBasis::Art6_1A)?;
        Some((ask.place, basis.reference.clone()))
    });
    let Some((place, basis)) = consent else { return Vec::new() };
    let begin = |status, node: &str| {
        let mut path = evidence.sources_of(place).next().map_or_else(Vec::new, |source| path(evidence, source));
        path.push(basis.to_string());
        if node != &*basis {
            path.push(node.to_owned());
        }
        finding(RULE, status, ARTICLE, node).because(node).fine(GDPR_UPPER).path(path).to(DPO)
    };
    if evidence.told.in_force.is_empty() {
        return vec![
            begin(Status::Unmet, &basis)
                .says(format!("`{basis}` is consent, and no notice in force says how to withdraw it"))
                .remedy("state a notice with `refusal`, and have the way tested", state()),
        ];
    }
    let each = evidence.told.in_force.iter().filter_map(|notice| {
        let reference = notice.reference();
        let test = |outcome: &str| Some(format!("licit notice test-withdrawal {reference} {outcome}"));
        let Some(refusal) = &notice.revision.spec.refusal else {
            return Some(
                begin(Status::Unmet, reference)
                    .says(format!("`{basis}` is consent, and `{reference}` does not say how to withdraw it"))
                    .remedy("state a revision of the notice with `refusal`, and have the way tested", state()),
            );
        };
        let url = &refusal.url;
        let Some(tested) = evidence.tested(notice) else {
            return Some(
                begin(Status::Unknown, reference)
                    .since(Some(notice.revision.at))
                    .says(format!("nobody tried whether consent can be withdrawn at {url}, as `{reference}` says"))
                    .remedy("go the way, and record what came of it", test("--passed")),
            );
        };
        let end = tested.at.plus(policy.withdrawal_test());
        if tested.spec.outcome == TestOutcome::Failed {
            return Some(
                begin(Status::Unmet, reference)
                    .says(format!("withdrawing consent at {url}, as `{reference}` says, failed on {}", tested.at))
                    .remedy("repair it, go the way again, and record what came of it", test("--passed")),
            );
        }
        (end <= evidence.ask.valid_at).then(|| {
            begin(Status::Expired, reference)
                .since(Some(end))
                .says(format!(
                    "that consent can be withdrawn at {url}, as `{reference}` says, was last tried on {}",
                    tested.at
                ))
                .remedy("go the way again, and record what came of it", test("--passed"))
        })
    });
    each.collect()
}
