//! Purposes: approved, not forbidden, no prohibited practice.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use licit_schemas::gate::{Finding, Status};
use licit_schemas::lawfulness::PurposeSpec;
use licit_schemas::reference::Ref;
use licit_schemas::registry::RiskClass;
use licit_schemas::time::Timestamp;

use super::{AI_ACT_UPPER, BOARD, GDPR_UPPER, ask_board, finding, revocation_due, techniques};
use crate::catalogue::Revision;
use crate::gate::coverage::{base, broader};
use crate::gate::evidence::{Cohort, Evidence, Missing, Source};
use crate::gate::policy::Policy;
use crate::lawfulness::law::{self, Forbidden};
use crate::lineage::exposure::{SERVED, VALIDATION, Want};
use crate::registry::vocabulary::{TermId, vocabulary};
use crate::review::Standing;

/// `purpose.approved`: an approval in force for the purpose of the deployment now, and of each training at its start
/// (GDPR Art. 5(1)(b)).
pub(super) fn approved(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(deployment) = &evidence.deployment {
        let reference = deployment.spec.purpose.as_str();
        let path = || vec![evidence.ask.deployment.clone(), reference.to_owned()];
        findings.extend(judge(evidence, reference, evidence.purpose.as_ref(), evidence.ask.valid_at, path));
    }
    let mut seen: Vec<(&str, Timestamp)> = Vec::new();
    for run in evidence.unregistered_runs() {
        let name = evidence.name(run);
        findings.push(
            finding("purpose.approved", Status::Unknown, "GDPR Art. 5(1)(b)", &name)
                .fine(GDPR_UPPER)
                .path(evidence.any_path(run))
                .says(format!("nobody registered `{name}`, so its purpose is unknown"))
                .to("registrar")
                .since(Some(evidence.world.lineage.record(run).at))
                .remedy("register the run with its purpose", Some("licit register".to_owned())),
        );
    }
    for training in evidence.trainings.iter().filter(|t| !t.regularised) {
        let Some(run) = training.run() else { continue };
        let reference = run.purpose.as_str();
        if seen.contains(&(reference, run.started_at)) {
            continue;
        }
        seen.push((reference, run.started_at));
        let revision =
            run.purpose.rev().and_then(|rev| evidence.world.lawfulness.purposes.revision(run.purpose.base(), rev));
        let path = || {
            let mut path = evidence.any_path(training.node);
            path.push(reference.to_owned());
            path
        };
        findings.extend(judge(evidence, reference, revision, run.started_at, path));
    }
    // The same purpose may be judged now and at a training's start: one cause, one finding.
    findings.dedup_by(|a, b| a.node == b.node && a.status == b.status);
    findings
}

fn judge(
    evidence: &Evidence<'_>,
    reference: &str,
    revision: Option<&Arc<Revision<PurposeSpec>>>,
    at: Timestamp,
    path: impl Fn() -> Vec<String>,
) -> Option<Finding> {
    let begin = |status| {
        finding("purpose.approved", status, "GDPR Art. 5(1)(b)", reference)
            .because(reference)
            .fine(GDPR_UPPER)
            .path(path())
            .to(BOARD)
    };
    let Some(revision) = revision else {
        return Some(begin(Status::Unknown).says(format!("there is no `{reference}`")).remedy(
            "register the purpose and ask the board",
            Some("licit purpose create -f purpose.yaml".to_owned()),
        ));
    };
    let ask = || ask_board(&format!("Approve {reference}"), &[reference]);
    match evidence.world.review.standing(reference, at) {
        Standing::Never if !included(evidence, revision, at) => Some(
            begin(Status::Unmet)
                .says(format!("the board has not approved `{reference}`"))
                .remedy("ask the board to approve the purpose", ask()),
        ),
        Standing::Ended(approval) => Some(
            begin(Status::Expired)
                .since(Some(approval.end()))
                .due(revocation_due(approval))
                .says(format!("the approval of `{reference}` ended on {}", approval.end()))
                .remedy("ask the board to approve the purpose again", ask()),
        ),
        Standing::Never | Standing::Holds(_) => {
            let spec = &revision.spec;
            let ended = spec.valid_to.filter(|end| *end <= at);
            if ended.is_none() && spec.valid_from <= at {
                return None;
            }
            let (status, says) = match ended {
                Some(end) => (Status::Expired, format!("`{reference}` is pursued until {end} only")),
                None => (Status::Unmet, format!("`{reference}` is pursued from {} on, not before", spec.valid_from)),
            };
            Some(begin(status).since(ended).says(says).remedy(
                "register a revision of the purpose with another validity and ask the board",
                Some("licit purpose create -f purpose.yaml".to_owned()),
            ))
        }
    }
}

/// Whether a purpose that was never voted on is narrower than one whose approval includes narrower ones. That it is narrower is
/// read from the vocabulary, not from its author.
fn included(evidence: &Evidence<'_>, revision: &Revision<PurposeSpec>, at: Timestamp) -> bool {
    let Ok(own) = revision.reference.parse::<Ref>() else { return false };
    let v = vocabulary();
    match (broader(evidence.world, &own, at).get(1), v.find(revision.spec.iri.as_str())) {
        (Some(parent), Some(narrow)) => {
            let approved = matches!(evidence.world.review.standing(&parent.reference, at), Standing::Holds(_));
            approved && v.find(parent.spec.iri.as_str()).is_some_and(|broad| v.is_a(narrow, broad))
        }
        _ => false,
    }
}

/// `purpose.forbids`: what a law, or the purpose itself, forbids for it. No basis and no consent helps.
pub(super) fn forbids(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    let now = evidence.ask.valid_at;
    if let Some(purpose) = &evidence.purpose {
        let uses = |c: &Cohort<'_>| c.modes & !VALIDATION != 0;
        forbidden(evidence, purpose, now, &cohorts(evidence, uses), None, &mut findings);
    }
    for (place, training) in evidence.trainings.iter().enumerate() {
        let Some(run) = training.run() else { continue };
        let purposes = &evidence.world.lawfulness.purposes;
        let Some(purpose) = run.purpose.rev().and_then(|rev| purposes.revision(run.purpose.base(), rev)) else {
            continue;
        };
        if evidence.purpose.as_ref().is_some_and(|p| p.reference == purpose.reference) {
            continue;
        }
        let read = |c: &Cohort<'_>| c.trainings.contains(&place);
        forbidden(evidence, purpose, run.started_at, &cohorts(evidence, read), Some(place), &mut findings);
    }
    findings
}

/// Places of the cohorts that `which` picks.
fn cohorts(evidence: &Evidence<'_>, which: impl Fn(&Cohort<'_>) -> bool) -> Vec<usize> {
    (0..evidence.cohorts.len()).filter(|&place| which(&evidence.cohorts[place])).collect()
}

/// Laws that regulate a purpose at a moment. What regulates a broader purpose regulates it too; but only its own revision can
/// state that it is one of those a law reserves data for.
fn laws<'a>(line: &'a [&'a PurposeSpec], at: Timestamp) -> impl Iterator<Item = &'static Forbidden> + 'a {
    let v = vocabulary();
    let terms: Vec<_> = line.iter().map(|spec| v.find(spec.iri.as_str())).collect();
    law::forbidden_at(at).filter(move |law| {
        if law.regulated_as == "*" {
            let own = line.first();
            return !own.is_some_and(|p| {
                law.collected_for.iter().any(|word| p.regulated_as.iter().any(|r| r.as_str() == word))
            });
        }
        line.iter().zip(&terms).any(|(spec, own)| {
            spec.regulated_as.iter().any(|r| r.as_str() == law.regulated_as)
                || own.is_some_and(|own| law.purposes().iter().any(|broad| v.is_a(own, *broad)))
        })
    })
}

/// A purpose and all it says to be narrower than, whoever approved that: what a law forbids is inherited, approved or not.
fn line<'a>(evidence: &Evidence<'a>, purpose: &'a PurposeSpec) -> Vec<&'a PurposeSpec> {
    let law = &evidence.world.lawfulness;
    let mut line = vec![purpose];
    if let Some(parent) = &purpose.parent {
        let broader = law.broader(parent.base());
        line.extend(broader.iter().filter_map(|p| law.purposes.latest(p)).map(|p| &p.spec));
    }
    line
}

fn forbidden(
    evidence: &Evidence<'_>,
    purpose: &Revision<PurposeSpec>,
    at: Timestamp,
    cohorts: &[usize],
    training: Option<usize>,
    findings: &mut Vec<Finding>,
) {
    let v = vocabulary();
    let line = line(evidence, &purpose.spec);
    let laws: Vec<&Forbidden> = laws(&line, at).collect();
    let first = findings.len();
    for &law in &laws {
        // One finding per law and category: the people who can act on it are the same.
        let mut hits: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for &place in cohorts {
            let class = &evidence.cohorts[place].class;
            for category in &class.categories {
                if law.categories().iter().any(|broad| v.is_a(*category, *broad)) {
                    hits.entry(format!("The category \"{}\"", v.term(*category).label)).or_default().push(place);
                }
            }
            let served = |s: &&TermId| law.served_subjects().iter().any(|broad| v.is_a(**s, *broad));
            if training.is_none()
                && evidence.cohorts[place].modes & SERVED != 0
                && let Some(subject) = class.subjects.iter().find(served)
            {
                hits.entry(format!("Data about people of the category \"{}\"", v.term(*subject).label))
                    .or_default()
                    .push(place);
            }
            if class.collected_for.iter().any(|p| regulated(evidence, p, &law.collected_for)) {
                hits.entry(format!("Data collected for {}", law.collected_for.join(", "))).or_default().push(place);
            }
        }
        for (what, places) in hits {
            let article = format!("{} {}", law.law, law.article);
            let says = format!("{} {what} reaches this release.", law.sentence_en);
            let reached: Vec<&Source> = evidence.sources.iter().filter(|s| places.contains(&s.cohort)).collect();
            findings.push(hit(evidence, purpose, &reached, training, &article, Some(&law.fine), says));
        }
        findings.extend(techniques::origins(evidence, purpose, law, cohorts, training));
        if training.is_none() {
            findings.extend(techniques::techniques(evidence, purpose, law));
        }
        // What nobody classified may be what it forbids, where it forbids data for what they are.
        if !law.explicit_consent && law.served_subjects.is_empty() {
            unknown(evidence, purpose, law, findings);
        }
    }
    // Whoever is told to ask for consent must be helped by it: not where something else forbids the same data.
    for law in laws.into_iter().filter(|law| law.explicit_consent) {
        let refused: HashSet<String> =
            findings[first..].iter().flat_map(|f| std::iter::once(&f.node).chain(&f.also)).cloned().collect();
        findings.extend(techniques::consent(evidence, purpose, law, (cohorts, &refused), training));
    }
    let own: Vec<_> = line.iter().flat_map(|p| &p.forbids.categories).filter_map(|iri| v.find(iri.as_str())).collect();
    let numbers = &evidence.world.registry.numbers;
    let excluded: Vec<u32> = line
        .iter()
        .flat_map(|p| &p.forbids.sources)
        .map(|d| numbers.find(d.base()))
        .filter(|number| *number != 0)
        .collect();
    if own.is_empty() && excluded.is_empty() {
        return;
    }
    let holds = |place: &usize| {
        evidence.cohorts[*place].class.categories.iter().any(|c| own.iter().any(|broad| v.is_a(*c, *broad)))
    };
    let holding: Vec<usize> = cohorts.iter().copied().filter(holds).collect();
    let out =
        |s: &&Source| holding.contains(&s.cohort) || (excluded.contains(&s.dataset) && cohorts.contains(&s.cohort));
    let reached: Vec<&Source> = evidence.sources.iter().filter(out).collect();
    if !reached.is_empty() {
        let says = format!("`{}` itself excludes data that reach this release", purpose.reference);
        findings.push(hit(evidence, purpose, &reached, training, "GDPR Art. 5(1)(b)", None, says));
    }
}

pub(super) fn hit(
    evidence: &Evidence<'_>,
    purpose: &Revision<PurposeSpec>,
    reached: &[&Source],
    training: Option<usize>,
    article: &str,
    fine: Option<&str>,
    says: String,
) -> Finding {
    // The offending data are best shown where they were collected.
    let first = reached.iter().find(|s| !evidence.cohort(s).derived).or(reached.first());
    let (node, path) = first.map_or_else(Default::default, |s| {
        let modes = evidence.cohort(s).modes;
        let mode = training.map_or(Want::Mode(modes & modes.wrapping_neg()), |t| Want::Run(evidence.trainings[t].node));
        (evidence.name(s.node), evidence.path(s.node, mode))
    });
    let also: Vec<String> = reached.iter().map(|s| evidence.name(s.node)).filter(|n| *n != node).collect();
    let begin = finding("purpose.forbids", Status::Unmet, article, &node).path(path).also(also);
    let begin = match fine {
        Some(fine) => begin.fine(fine),
        None => begin,
    };
    begin.says(says).to(evidence.owner(&node)).remedy(
        format!(
            "train and serve without these data, and where a run on the way leaves them out, have it state its `columns`: no approval and no basis can allow them for `{}`",
            purpose.reference
        ),
        None,
    )
}

fn regulated(evidence: &Evidence<'_>, purpose: &str, words: &[String]) -> bool {
    let stated =
        |r: &Arc<Revision<PurposeSpec>>| r.spec.regulated_as.iter().any(|w| words.iter().any(|x| x == w.as_str()));
    !words.is_empty() && evidence.world.lawfulness.purposes.all(base(purpose)).iter().any(stated)
}

/// A law regulates the purpose and nobody classified what is in the data: it may be what the law forbids.
fn unknown(evidence: &Evidence<'_>, purpose: &Revision<PurposeSpec>, law: &Forbidden, findings: &mut Vec<Finding>) {
    let unclear: Vec<_> =
        evidence.gaps.iter().filter(|g| matches!(g.missing, Missing::Classes(_) | Missing::Dangling)).collect();
    let Some(first) = unclear.first() else { return };
    let node = evidence.name(first.node);
    findings.push(
        finding("purpose.forbids", Status::Unknown, &format!("{} {}", law.law, law.article), &node)
            .path(evidence.any_path(first.node))
            .also(unclear.iter().skip(1).map(|g| evidence.name(g.node)).collect())
            .since(Some(evidence.world.lineage.record(first.node).at))
            .says(format!(
                "a law forbids certain data for `{}`, and nobody classified what `{node}` holds",
                purpose.reference
            ))
            .to(evidence.owner(&node))
            .remedy("register a version with every field classified", Some("licit register".to_owned())),
    );
}

/// `prohibited.practice`: the questionnaire of AI Act Art. 5(1) that applies at this date, answered with no, or with the
/// exception the law gives.
pub(super) fn practices(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let Some(deployment) = &evidence.deployment else { return Vec::new() };
    let Some(system) = &evidence.system else {
        let node = deployment.spec.system.to_string();
        let rev = deployment.spec.system.rev().unwrap_or_default();
        let stated = evidence.world.registry.systems.revision(deployment.spec.system.base(), rev);
        let is = match stated.and_then(|stated| stated.spec.valid_from) {
            Some(from) => format!("`{node}` holds from {from} on, not before"),
            None => format!("there is no `{node}`"),
        };
        return vec![
            finding("prohibited.practice", Status::Unknown, "AI Act Art. 5(1)", &node)
                .fine(AI_ACT_UPPER)
                .path(vec![evidence.ask.deployment.clone(), node.clone()])
                .says(format!("{is}: whether it does what is prohibited is unknown"))
                .to(evidence.deployment_owner())
                .remedy(
                    "register the system with its questionnaire",
                    Some("licit system create -f system.yaml".to_owned()),
                ),
        ];
    };
    let Some(asked) = law::practices_at(evidence.ask.valid_at) else { return Vec::new() };
    let node = &*system.reference;
    let begin = |status| {
        finding("prohibited.practice", status, "AI Act Art. 5(1)", node)
            .fine(AI_ACT_UPPER)
            .path(vec![evidence.ask.deployment.clone(), node.to_owned()])
            .to(system.spec.owner.to_string())
    };
    let command = || Some("licit system create -f system.yaml".to_owned());
    let answer = || format!("answer questionnaire `{}` in a revision of the system", asked.version);
    let mut findings = Vec::new();
    if system.spec.risk_class == RiskClass::Prohibited {
        findings.push(
            begin(Status::Unmet)
                .says(format!("`{node}` itself states to be a prohibited practice"))
                .remedy("take the practice out of the system: nobody can approve it", None),
        );
    }
    let Some(practices) = &system.spec.practices else {
        findings.push(
            begin(Status::Unknown)
                .since(Some(system.at))
                .says(format!("`{node}` does not answer the questionnaire on prohibited practices"))
                .remedy(answer(), command()),
        );
        return findings;
    };
    for (id, given) in practices.answers.iter().filter(|(_, a)| a.applies) {
        let question = asked.questions.iter().find(|q| q.id == id.as_str());
        let excepted = given.exception.is_some() && question.is_some_and(|q| q.exception.is_some());
        if !excepted {
            findings.push(
                begin(Status::Unmet)
                    .says(format!(
                        "`{node}` does what AI Act Art. 5(1)({id}) prohibits, without an exception of the law"
                    ))
                    .remedy("take the practice out of the system: nobody can approve it", None),
            );
        }
    }
    let open: Vec<&str> =
        asked.questions.iter().map(|q| q.id.as_str()).filter(|id| !practices.answers.contains_key(*id)).collect();
    if !open.is_empty() {
        // Answered in full once, but a later questionnaire asks more.
        let complete_then = law::practices(practices.version.as_str())
            .is_some_and(|then| then.questions.iter().all(|q| practices.answers.contains_key(&*q.id)));
        let outdated = complete_then && practices.version.as_str() != asked.version;
        let status = if outdated { Status::Expired } else { Status::Unknown };
        let since = if outdated { asked.applies_from } else { system.at };
        findings.push(
            begin(status)
                .since(Some(since))
                .says(format!("`{node}` leaves questions open: {}", open.join(", ")))
                .remedy(answer(), command()),
        );
    }
    findings
}
