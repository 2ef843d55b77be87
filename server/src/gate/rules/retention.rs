//! How long data may be kept.

use std::cell::OnceCell;
use std::collections::HashSet;

use licit_schemas::gate::{Finding, Status};
use licit_schemas::registry::Life;
use licit_schemas::time::Timestamp;

use super::asked::Grouped;
use super::{GDPR_UPPER, finding};
use crate::gate::evidence::{Cohort, Evidence, Source, Training};
use crate::gate::policy::Policy;
use crate::lineage::exposure::Want;
use crate::lineage::graph::{Flags, NodeId};
use crate::registry::What;

const RULE: &str = "retention";
const ARTICLE: &str = "GDPR Art. 5(1)(e)";

/// `retention`: read by a run after its end, still held after it, or collected without one (GDPR Art. 5(1)(e), 13(2)(a)).
/// What was erased refuses nothing, unless it was read too late. Or it still holds rows of people who were erased (Art. 17(1)).
pub(super) fn retention(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let now = evidence.ask.valid_at;
    let lineage = &evidence.world.lineage;
    let mut list = Grouped::new();
    // Tables that stand beside each other are mostly kept equally long: an end is looked up once for a row of them.
    let mut known = (0, None);
    // Who was trained on by its end was trained on in time.
    let latest: Vec<Option<Timestamp>> = evidence.cohorts.iter().map(|cohort| begun(evidence, cohort).max()).collect();
    let in_time = |place: usize, end: Timestamp| end > now && latest[place].is_none_or(|begun| begun < end);
    let asked: Vec<bool> = (evidence.cohorts.iter().enumerate())
        .map(|(place, cohort)| {
            !cohort.ends.iter().all(|&end| lineage.end(end).map_or(cohort.derived, |end| in_time(place, end)))
        })
        .collect();
    let still_held = super::life::still_held(evidence);
    if !asked.contains(&true) {
        return still_held.collect();
    }
    // Whoever else read after the end read something whose end is over.
    let closure = OnceCell::new();
    let closure = || closure.get_or_init(|| evidence.closure.iter().map(|(node, _)| *node).collect::<HashSet<_>>());
    for source in evidence.sources.iter().filter(|source| asked[source.cohort]) {
        let cohort = evidence.cohort(source);
        if known.0 != source.end {
            known = (source.end, lineage.end(source.end));
        }
        let Some(end) = known.1 else {
            if !cohort.derived {
                unstated(evidence, source, &mut list);
            }
            continue;
        };
        if in_time(source.cohort, end) {
            continue;
        }
        let late = judged(evidence, cohort).find(|t| t.run().is_some_and(|run| run.started_at >= end));
        let mut late: Vec<NodeId> = late.map(|training| training.node).into_iter().collect();
        if end <= now {
            let began = |run: &NodeId| started(evidence, *run).is_some_and(|at| at >= end);
            let others =
                evidence.readers(closure(), source.node).into_iter().filter(|run| !is_training(evidence, *run));
            late.extend(others.filter(began));
        }
        for run in late {
            let (name, reader) = (evidence.name(source.node), evidence.name(run));
            list.add((0, reader.clone()), &name, || {
                let again =
                    if is_training(evidence, run) { "train again without it" } else { "make it again without it" };
                finding(RULE, Status::Unmet, ARTICLE, &name)
                    .fine(GDPR_UPPER)
                    .path(through(evidence, source.node, run))
                    .since(started(evidence, run))
                    .says(format!("`{reader}` read `{name}`, which was to be kept until {end} only"))
                    .to(evidence.deployment_owner())
                    .remedy(again, Some("licit register".to_owned()))
            });
        }
        if end <= now && !erased(evidence, source.node) {
            let name = evidence.name(source.node);
            list.add((1, name.clone()), &name, || {
                finding(RULE, Status::Expired, ARTICLE, &name)
                    .fine(GDPR_UPPER)
                    .path(evidence.any_path(source.node))
                    .since(Some(end))
                    .says(format!("`{name}` was to be kept until {end} only, and nobody recorded that it was erased"))
                    .to(evidence.owner(&name))
                    .remedy("erase it, and record that", Some(format!("licit dataset life {name} erased")))
            });
        }
    }
    let mut findings = list.findings();
    findings.extend(still_held);
    findings
}

/// Trainings that read the data of a cohort, but for what the board took over as lawful.
fn judged<'e>(evidence: &'e Evidence<'_>, cohort: &'e Cohort<'_>) -> impl Iterator<Item = &'e Training> {
    cohort.trainings.iter().map(|&number| &evidence.trainings[number]).filter(|training| !training.regularised)
}

fn is_training(evidence: &Evidence<'_>, run: NodeId) -> bool {
    evidence.trainings.iter().any(|training| training.node == run)
}

/// When a run began, as far as it is registered.
fn started(evidence: &Evidence<'_>, run: NodeId) -> Option<Timestamp> {
    match evidence.world.lineage.record(run).held.as_deref().map(|held| &held.what) {
        Some(What::Run(run)) => Some(run.started_at),
        _ => None,
    }
}

/// The way to what a run read.
fn through(evidence: &Evidence<'_>, source: NodeId, run: NodeId) -> Vec<String> {
    if is_training(evidence, run) {
        return evidence.path(source, Want::Run(run));
    }
    let mut path = evidence.any_path(run);
    path.push(evidence.name(source));
    path
}

/// When they began.
fn begun<'e>(evidence: &'e Evidence<'_>, cohort: &'e Cohort<'_>) -> impl Iterator<Item = Timestamp> {
    judged(evidence, cohort).filter_map(|training| training.run().map(|run| run.started_at))
}

/// Whether the data were gone at the moment judged, by what is known.
fn erased(evidence: &Evidence<'_>, node: NodeId) -> bool {
    let lineage = &evidence.world.lineage;
    lineage.graph().node(node).flags.has(Flags::ERASED)
        && match lineage.record(node).held.as_deref().map(|held| &held.what) {
            Some(What::Dataset(facts)) => {
                facts.life_at(evidence.ask.valid_at).is_some_and(|(life, _)| life == Life::Erased)
            }
            _ => false,
        }
}

/// Collected, and nobody said until when.
fn unstated(evidence: &Evidence<'_>, source: &Source, list: &mut Grouped<(u8, String)>) {
    let name = evidence.name(source.node);
    list.add((2, String::new()), &name, || {
        finding(RULE, Status::Unknown, ARTICLE, &name)
            .fine(GDPR_UPPER)
            .path(evidence.any_path(source.node))
            .since(Some(evidence.world.lineage.record(source.node).at))
            .says(format!("nobody said how long `{name}` may be kept"))
            .to(evidence.owner(&name))
            .remedy("register a version that states its `retention`", Some("licit register".to_owned()))
    });
}
