//! Who controls, who processes, and what ties them.

use std::sync::Arc;

use licit_schemas::gate::{Finding, Status};
use licit_schemas::reference::Ref;
use licit_schemas::registry::{Arrangement, ArrangementKind};
use licit_schemas::time::Timestamp;

use super::asked::{Asked, Grouped, each};
use super::{BOARD, GDPR_LOWER, GDPR_UPPER, finding};
use crate::gate::coverage::{Answer, joint};
use crate::gate::evidence::{Evidence, Training};
use crate::gate::policy::Policy;

/// `controller`: one the basis does not name and that controls jointly with none it names; a processor without contract
/// (GDPR Art. 4(7), 26, 28).
pub(super) fn controller(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let Some(deployment) = &evidence.deployment else { return Vec::new() };
    let mut list = Grouped::new();
    let questionable =
        |ask: &Asked<'_>| matches!(ask.answer, Answer::OtherController(_)) || ask.cohort.class.controllers.is_empty();
    for (ask, source) in each(evidence, questionable) {
        let name = evidence.name(source.node);
        if let Answer::OtherController(place) = ask.answer {
            let basis = &ask.candidate(*place).revision;
            let acting = ask.controller(evidence);
            list.add((acting.clone(), basis.reference.to_string()), &acting, || {
                let mut path = ask.path(evidence, source);
                path.push(acting.clone());
                finding("controller", Status::Unmet, "GDPR Art. 4(7), 26", &acting)
                    .fine(GDPR_LOWER)
                    .path(path)
                    .says(format!("`{}` would cover `{name}`, but does not name `{acting}` as controller, nor a joint controller of it", basis.reference))
                    .to("dpo")
                    .remedy(
                        format!("record the joint arrangement of `{acting}`, or a revision of the basis that names it"),
                        Some(format!("licit party create --replace -f {}.yaml", acting.trim_start_matches("party:"))),
                    )
            });
        }
        if ask.cohort.class.controllers.is_empty() {
            list.add((String::new(), String::new()), &name, || {
                finding("controller", Status::Unknown, "GDPR Art. 4(7)", &name)
                    .fine(GDPR_LOWER)
                    .path(ask.path(evidence, source))
                    .since(Some(evidence.world.lineage.record(source.node).at))
                    .says(format!("nobody said who controls `{name}`"))
                    .to(evidence.owner(&name))
                    .remedy("register a version that states its `controllers`", Some("licit register".to_owned()))
            });
        }
    }
    recipients(evidence, &mut list);
    let mut findings = list.findings();
    findings.extend(trained_for(evidence));
    let now = evidence.ask.valid_at;
    for processor in &deployment.spec.processors {
        let path = || vec![evidence.ask.deployment.clone(), processor.to_string()];
        let with = [deployment.spec.controller.as_str().into()];
        findings.extend(contract(evidence, processor.as_str(), &with, now, path));
    }
    for (place, cohort) in evidence.cohorts.iter().enumerate() {
        for processor in &cohort.class.processors {
            let path = || {
                let first = evidence.sources_of(place).next();
                let mut path = first.map_or_else(Vec::new, |source| evidence.any_path(source.node));
                path.push(processor.to_string());
                path
            };
            findings.extend(contract(evidence, processor, &cohort.class.controllers, now, path));
        }
    }
    for training in &evidence.trainings {
        let Some(run) = training.run() else { continue };
        for processor in &run.processors {
            let path = || {
                let mut path = evidence.any_path(training.node);
                path.push(processor.to_string());
                path
            };
            let with = [training.controller.as_str().into()];
            findings.extend(contract(evidence, processor.as_str(), &with, run.started_at, path));
        }
    }
    // One processor may act in many places: one contract settles them all.
    let mut seen: Vec<String> = Vec::new();
    findings.retain(|f| {
        f.article != "GDPR Art. 28(3)"
            || !seen.contains(&f.sentence) && {
                seen.push(f.sentence.clone());
                true
            }
    });
    findings
}

/// For whom a training on people's data ran: the run says it, or all its data do (GDPR Art. 4(7)).
fn trained_for<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = Finding> + 'a {
    let untold = |(place, training): (usize, &'a Training)| {
        let named = training.unsaid.as_ref().filter(|_| !training.regularised)?;
        let mut read = evidence.cohorts.iter().filter(|cohort| cohort.trainings.contains(&place)).peekable();
        read.peek()?;
        // Where the data name nobody, that is said of them, and clears this.
        if named.is_empty() && read.any(|cohort| cohort.class.controllers.is_empty()) {
            return None;
        }
        let name = evidence.name(training.node);
        let whose = match named.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(" and ") {
            none if none.is_empty() => "its data name nobody".to_owned(),
            several => format!("its data are controlled by {several}"),
        };
        let build = finding("controller", Status::Unknown, "GDPR Art. 4(7), 26", &name)
            .fine(GDPR_LOWER)
            .path(evidence.any_path(training.node))
            .since(Some(evidence.world.lineage.record(training.node).at))
            .says(format!("`{name}` does not say for whom it trained, and {whose}"))
            .to(evidence.owner(&name));
        Some(build.remedy(
            "register the run and what it made under new versions, with its `controller` stated; or record the joint arrangement of those who control its data",
            Some("licit register".to_owned()),
        ))
    };
    evidence.trainings.iter().enumerate().filter_map(untold)
}

/// Who receives what is disclosed is named by the basis that governs it, controls jointly, or processes under contract: a handing
/// over is processing of its own (GDPR Art. 4(2), 4(9), 5(1)(b), 13(1)(e)).
fn recipients(evidence: &Evidence<'_>, list: &mut Grouped<(String, String)>) {
    let Some(deployment) = &evidence.deployment else { return };
    let controller = deployment.spec.controller.to_string();
    for (recipient, ended) in third_parties(evidence) {
        let key = recipient.to_string();
        let governed = |ask: &Asked<'_>| ask.training.is_none() && matches!(ask.answer, Answer::Governed(_));
        for (ask, source) in each(evidence, governed) {
            let Answer::Governed(places) = ask.answer else { continue };
            let names = |place: &&usize| ask.candidate(**place).revision.spec.covers.recipients.contains(recipient);
            let Some(bare) = places.iter().find(|place| !names(place)) else { continue };
            let (name, basis) = (evidence.name(source.node), &ask.candidate(*bare).revision.reference);
            list.add((key.clone(), basis.to_string()), &name, || {
                let mut path = ask.path(evidence, source);
                path.push(key.clone());
                let status = if ended.is_some() { Status::Expired } else { Status::Unmet };
                let before = ended.map_or_else(String::new, |end| format!("; its contract as processor ended on {end}"));
                finding("controller", status, "GDPR Art. 4(9), 5(1)(b), 13(1)(e)", &key)
                    .fine(GDPR_UPPER)
                    .path(path)
                    .since(ended)
                    .says(format!("there is no disclosure basis: `{basis}` governs `{name}` and does not name `{key}` among its recipients, and nothing ties it to `{controller}`{before}"))
                    .to(BOARD)
                    .remedy(
                        "record a revision of the basis that names it in `recipients`, where the basis carries that, and ask the board; or the joint arrangement or processor's contract, on the party",
                        Some("licit basis create -f basis.yaml".to_owned()),
                    )
            });
        }
    }
}

/// Who receives what is disclosed as a third party (GDPR Art. 4(10)): whoever controls it jointly is none, nor a processor of the
/// controller. Beside each, when its contract as processor ended, where it had one.
pub(super) fn third_parties<'e>(evidence: &'e Evidence<'_>) -> Vec<(&'e Ref, Option<Timestamp>)> {
    let Some(deployment) = &evidence.deployment else { return Vec::new() };
    let Some(disclosure) = &deployment.spec.discloses else { return Vec::new() };
    let (now, controller) = (evidence.ask.valid_at, deployment.spec.controller.to_string());
    let third = |recipient: &'e Ref| {
        let key = recipient.to_string();
        if joint(evidence.world, &controller, &key, now) {
            return None;
        }
        let contract = contract(evidence, &key, &[controller.as_str().into()], now, Vec::new)?;
        Some((recipient, contract.since.filter(|_| contract.status == Status::Expired)))
    };
    disclosure.to.iter().filter_map(third).collect()
}

/// A processor acts under a contract with the controller (GDPR Art. 28(3)).
fn contract(
    evidence: &Evidence<'_>,
    processor: &str,
    controllers: &[Arc<str>],
    at: Timestamp,
    path: impl Fn() -> Vec<String>,
) -> Option<Finding> {
    let ours = |a: &&Arrangement| {
        a.kind == ArrangementKind::ProcessingContract && controllers.iter().any(|c| **c == *a.with.as_str())
    };
    let party = evidence.world.registry.parties.latest(processor);
    let contracts = || party.into_iter().flat_map(|p| &p.spec.arrangements).filter(ours);
    if contracts().any(|c| c.valid_from <= at && c.valid_to.is_none_or(|end| at < end)) {
        return None;
    }
    let with = controllers.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(" or ");
    let begin =
        |status| finding("controller", status, "GDPR Art. 28(3)", processor).fine(GDPR_LOWER).path(path()).to("dpo");
    let command = || Some(format!("licit party create --replace -f {}.yaml", processor.trim_start_matches("party:")));
    Some(match contracts().filter_map(|c| c.valid_to).filter(|end| *end <= at).max() {
        Some(end) => begin(Status::Expired)
            .since(Some(end))
            .says(format!("the contract of `{processor}` with {with} ended on {end}"))
            .remedy("record the renewed contract on the party", command()),
        None => begin(Status::Unmet)
            .says(format!("`{processor}` processes for {with} without a contract on record"))
            .remedy("record the contract on the party", command()),
    })
}
