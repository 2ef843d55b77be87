//! Who controls, who processes, and what ties them.

use std::sync::Arc;

use licit_schemas::gate::{Finding, Status};
use licit_schemas::reference::Ref;
use licit_schemas::registry::ArrangementKind;
use licit_schemas::time::Timestamp;

use super::asked::{Asked, asked, grouped};
use super::{GDPR_LOWER, finding};
use crate::gate::coverage::Answer;
use crate::gate::evidence::Evidence;
use crate::gate::policy::Policy;
use crate::registry::What;

/// `controller`: one the basis does not name and that controls jointly with none it names; a processor without contract
/// (GDPR Art. 4(7), 26, 28).
pub(super) fn controller(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let Some(deployment) = &evidence.deployment else { return Vec::new() };
    let mut list = Vec::new();
    let questionable =
        |ask: &Asked<'_>| matches!(ask.answer, Answer::OtherController(_)) || ask.source.class.controllers.is_empty();
    for ask in asked(evidence).filter(questionable) {
        let name = evidence.name(ask.source.node);
        if let Answer::OtherController(place) = ask.answer {
            let basis = &ask.candidate(*place).revision;
            let acting = ask.controller(evidence);
            let mut path = ask.path(evidence);
            path.push(acting.clone());
            list.push((
                (acting.clone(), basis.reference.to_string()),
                finding("controller", Status::Unmet, "GDPR Art. 4(7), 26", &acting)
                    .fine(GDPR_LOWER)
                    .path(path)
                    .says(format!("`{}` would cover `{name}`, but does not name `{acting}` as controller, nor a joint controller of it", basis.reference))
                    .to("dpo")
                    .remedy(
                        format!("record the joint arrangement of `{acting}`, or a revision of the basis that names it"),
                        Some(format!("licit party create -f {}.yaml", acting.trim_start_matches("party:"))),
                    ),
            ));
        }
        if ask.source.class.controllers.is_empty() {
            list.push((
                (String::new(), String::new()),
                finding("controller", Status::Unknown, "GDPR Art. 4(7)", &name)
                    .fine(GDPR_LOWER)
                    .path(ask.path(evidence))
                    .since(Some(evidence.world.lineage.record(ask.source.node).at))
                    .says(format!("nobody said who controls `{name}`"))
                    .to(evidence.owner(&name))
                    .remedy("register a version that states its `controllers`", Some("licit register".to_owned())),
            ));
        }
    }
    let mut findings = grouped(list);
    let now = evidence.ask.valid_at;
    for processor in &deployment.spec.processors {
        let path = vec![evidence.ask.deployment.clone(), processor.to_string()];
        findings.extend(contract(evidence, processor, &[deployment.spec.controller.to_string().into()], now, &path));
    }
    for source in &evidence.sources {
        let Some(What::Dataset(facts)) = evidence.world.lineage.record(source.node).held.as_deref().map(|h| &h.what)
        else {
            continue;
        };
        for processor in &facts.processors {
            let Ok(processor) = processor.parse::<Ref>() else { continue };
            let mut path = evidence.any_path(source.node);
            path.push(processor.to_string());
            findings.extend(contract(evidence, &processor, &facts.controllers, now, &path));
        }
    }
    for training in &evidence.trainings {
        let Some(run) = training.run() else { continue };
        for processor in &run.processors {
            let mut path = evidence.any_path(training.node);
            path.push(processor.to_string());
            findings.extend(contract(
                evidence,
                processor,
                &[training.controller.as_str().into()],
                run.started_at,
                &path,
            ));
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

/// A processor acts under a contract with the controller (GDPR Art. 28(3)).
fn contract(
    evidence: &Evidence<'_>,
    processor: &Ref,
    controllers: &[Arc<str>],
    at: Timestamp,
    path: &[String],
) -> Option<Finding> {
    let with = controllers.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(" or ");
    let name = processor.to_string();
    let begin =
        |status| finding("controller", status, "GDPR Art. 28(3)", &name).fine(GDPR_LOWER).path(path.to_vec()).to("dpo");
    let command = || Some(format!("licit party create -f {}.yaml", name.trim_start_matches("party:")));
    let contracts: Vec<_> = evidence
        .world
        .registry
        .parties
        .latest(&name)
        .map(|party| {
            let ours = |a: &&licit_schemas::registry::Arrangement| {
                a.kind == ArrangementKind::ProcessingContract && controllers.iter().any(|c| **c == *a.with.to_string())
            };
            party.spec.arrangements.iter().filter(ours).cloned().collect()
        })
        .unwrap_or_default();
    if contracts
        .iter()
        .any(|c: &licit_schemas::registry::Arrangement| c.valid_from <= at && c.valid_to.is_none_or(|end| at < end))
    {
        return None;
    }
    Some(match contracts.iter().filter_map(|c| c.valid_to).filter(|end| *end <= at).max() {
        Some(end) => begin(Status::Expired)
            .since(Some(end))
            .says(format!("the contract of `{name}` with {with} ended on {end}"))
            .remedy("record the renewed contract on the party", command()),
        None => begin(Status::Unmet)
            .says(format!("`{name}` processes for {with} without a contract on record"))
            .remedy("record the contract on the party", command()),
    })
}
