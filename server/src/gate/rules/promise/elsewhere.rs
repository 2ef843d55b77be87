//! What people behind a model of others were promised, by its passport: purposes are told by their IRI, since keys are each registry's own.

use std::collections::BTreeMap;

use licit_schemas::gate::Status;
use licit_schemas::notices::Commitment;
use licit_schemas::proof::passport::PromiseSaid;
use licit_schemas::reference::Ref;
use licit_schemas::text::{Iri, Key};

use super::{Broken, List, RULE, alone, disclosed, trainings, way};
use crate::gate::evidence::{Cohort, Evidence, Source};
use crate::gate::passport::{self, Taken};
use crate::gate::rules::{DPO, GDPR_UPPER, finding};
use crate::lineage::exposure::{VALIDATION, Want};

/// Hold a release against what passports promise to the people behind models of others.
pub(super) fn promised(evidence: &Evidence<'_>, list: &mut List) {
    if evidence.world.gate.passports.is_empty() {
        return;
    }
    for source in &evidence.sources {
        let cohort = evidence.cohort(source);
        if cohort.modes & !VALIDATION == 0 {
            continue;
        }
        let name = evidence.name(source.node);
        let Some((taken, people)) = passport::people(evidence.world, &name, evidence.ask.valid_at) else { continue };
        if !people.promises_known {
            let says = "nobody knows what they were promised".to_owned();
            add(evidence, list, (source, taken), ("", None), unknown(says, cohort));
        }
        for promise in &people.promises {
            for broken in held(evidence, cohort, taken, promise) {
                add(evidence, list, (source, taken), (&promise.commitment, Some(promise)), broken);
            }
        }
    }
}

fn unknown(says: String, cohort: &Cohort<'_>) -> Broken {
    let remedy = "ask its maker for a passport that says so, or use another model";
    Broken {
        status: Status::Unknown,
        ..Broken::new("unknown", says, way(cohort), remedy, "licit import model.passport")
    }
}

fn add(
    evidence: &Evidence<'_>,
    list: &mut List,
    (source, taken): (&Source, &Taken),
    (commitment, promise): (&str, Option<&PromiseSaid>),
    broken: Broken,
) {
    let name = evidence.name(source.node);
    let model = taken.spec.model.to_string();
    let Broken { by, says, status, since, want, remedy, command } = broken;
    list.add((model.clone(), commitment.to_owned(), by), &name, || {
        let registry = &taken.spec.says.registry;
        let sentence = match promise {
            Some(PromiseSaid { words, .. }) => format!(
                "the people behind `{model}` read “{}”, « {} », as `{registry}` says in its passport; {says}",
                words.en, words.fr
            ),
            None => {
                format!("what the people behind `{model}` were promised, `{registry}` does not say in its passport")
            }
        };
        finding(RULE, status, super::ARTICLE, &name)
            .because(&model)
            .fine(GDPR_UPPER)
            .path(evidence.path(source.node, want))
            .since(since)
            .says(sentence)
            .to(if promise.is_some() { evidence.deployment_owner() } else { DPO.to_owned() })
            .remedy(remedy, command)
    });
}

/// How a promise is broken, if it is.
fn held(evidence: &Evidence<'_>, cohort: &Cohort<'_>, taken: &Taken, promise: &PromiseSaid) -> Vec<Broken> {
    let Ok(commitment) = promise.commitment.parse::<Commitment>() else {
        return vec![unknown(format!("`{}` is no promise that this registry knows", promise.commitment), cohort)];
    };
    match commitment {
        Commitment::NeverSold | Commitment::NoThirdParty => disclosed(evidence, cohort),
        Commitment::HumanReview => alone(evidence, cohort).into_iter().collect(),
        Commitment::DeletedAfter(period) => {
            let issued = taken.spec.says.issued;
            let end = passport::deleted_by(promise, issued).unwrap_or_else(|| period.after(issued));
            let over = end <= evidence.ask.valid_at;
            let broken = |end| Broken {
                status: Status::Expired,
                since: Some(end),
                ..Broken::new(
                    "held",
                    format!("that was over on {end}"),
                    way(cohort),
                    "use another model",
                    "licit release create",
                )
            };
            over.then(|| broken(end)).into_iter().collect()
        }
        Commitment::NotFor(key) => match iris(std::slice::from_ref(&key), &promise.purposes) {
            Some(named) => used_for(evidence, cohort, &named),
            None => vec![unknown(format!("nobody says which purpose `{key}` is"), cohort)],
        },
        Commitment::NoTrainingBeyond(keys) => match iris(&keys, &promise.purposes) {
            Some(named) => beyond(evidence, cohort, &named),
            None => vec![unknown("nobody says which purposes these are".to_owned(), cohort)],
        },
    }
}

/// The IRIs of purposes that a promise names; none where it does not say one.
fn iris<'p>(keys: &[Key], said: &'p BTreeMap<String, Iri>) -> Option<Vec<&'p Iri>> {
    keys.iter().map(|key| said.get(key.as_str())).collect()
}

fn within(evidence: &Evidence<'_>, purpose: &Ref, named: &[&Iri]) -> bool {
    passport::within(evidence.world, purpose, evidence.ask.valid_at, named)
}

fn used_for(evidence: &Evidence<'_>, cohort: &Cohort<'_>, named: &[&Iri]) -> Vec<Broken> {
    let mut list = Vec::new();
    if let Some(deployment) = evidence.deployment.as_ref().filter(|d| within(evidence, &d.spec.purpose, named)) {
        let purpose = &deployment.spec.purpose;
        let says = format!("`{}` is for `{purpose}`", evidence.ask.deployment);
        list.push(Broken::new(purpose.to_string(), says, way(cohort), "use another model", "licit release create"));
    }
    for (_, training) in trainings(evidence, cohort) {
        let Some(run) = training.run().filter(|run| within(evidence, &run.purpose, named)) else { continue };
        let name = evidence.name(training.node);
        let says = format!("`{name}` trained on them for `{}`", run.purpose);
        list.push(Broken::new(
            name,
            says,
            Want::Run(training.node),
            "train again from another model",
            "licit register",
        ));
    }
    list
}

fn beyond(evidence: &Evidence<'_>, cohort: &Cohort<'_>, named: &[&Iri]) -> Vec<Broken> {
    let each = trainings(evidence, cohort).filter_map(|(_, training)| {
        let run = training.run();
        if run.is_some_and(|run| within(evidence, &run.purpose, named)) {
            return None;
        }
        let (name, want) = (evidence.name(training.node), Want::Run(training.node));
        let Some(run) = run else {
            let says = format!("for what `{name}` trained on them is unknown: it is not registered");
            return Some(Broken {
                status: Status::Unknown,
                ..Broken::new(name, says, want, "register the run", "licit register")
            });
        };
        let says = format!("`{name}` trained on them for `{}`", run.purpose);
        Some(Broken::new(name, says, want, "train again from another model", "licit register"))
    });
    each.collect()
}
