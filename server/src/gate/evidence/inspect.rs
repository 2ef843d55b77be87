//! Nodes of the closure worth a look: sources, derived personal data, and what is not complete.

use std::collections::HashSet;

use licit_schemas::lawfulness::AssessmentKind;
use licit_schemas::registry::Life;

use super::assessed::assessed;
use super::cohorts::Sorting;
use super::{Barred, Evidence, Gap, Missing, Source, joins};
use crate::lineage::exposure::{self, CONTAINED, Exposure, SERVED, Want};
use crate::lineage::graph::{Direction, Flags, Graph, Link, Node, NodeId, NodeKind};
use crate::lineage::walk::Label;
use crate::lineage::{ASSESSED, COMBINES, FICTION, OF_PEOPLE, PERSONAL};
use crate::registry::What;

/// Go through the closure.
pub(super) fn inspect(evidence: &mut Evidence<'_>, exposure: &Exposure) {
    const LOOK: u16 = Flags::DANGLING.0 | Flags::UNCLASSIFIED.0 | Flags::ACQUIRED.0 | Flags::ENDPOINT.0;
    let lineage = &evidence.world.lineage;
    let graph = lineage.graph();
    let mut sorting = Sorting::new(evidence);
    let mut nobody = HashSet::new();
    let mut classes = vec![false; lineage.class_count()];
    evidence.sources.reserve(exposure.nodes.len());
    for (place, &(id, label)) in exposure.nodes.iter().enumerate() {
        let node = graph.node(id);
        if let Some(seen) = classes.get_mut(node.class as usize)
            && !*seen
        {
            *seen = true;
            evidence.classes.push(lineage.class_at(node.class));
        }
        let root = || graph.is_end(id, Direction::Upstream);
        let made_of_something = match node.kind {
            NodeKind::DatasetVersion => !node.flags.has(Flags::NO_ORIGIN) || !root(),
            NodeKind::Run => !root() || !(node.flags.has(Flags::TRAINS) || makes_unstated(graph, id)),
            NodeKind::ModelVersion => !root(),
            NodeKind::Release | NodeKind::Deployment => true,
        };
        if (node.flags.0 & LOOK != 0 || !made_of_something)
            && let Some(missing) = incomplete(evidence, id, node)
        {
            evidence.gaps.push(Gap { node: id, missing });
        }
        if node.flags.has(Flags::RETIRED) {
            // Whatever else is the matter with it, and whatever the board took over before: nothing may rest on it.
            let record = evidence.world.lineage.record(id);
            let held = record.held.as_ref();
            let from = held.and_then(|held| held.retired_from);
            let since = from.or(held.and_then(|held| held.retired)).unwrap_or(record.at);
            if from.is_none_or(|from| from <= evidence.ask.valid_at) {
                evidence.gaps.push(Gap { node: id, missing: Missing::Retired(since) });
            }
        }
        if node.flags.has(ASSESSED) {
            evidence.assessed.push(id);
            if evidence.cuts(id) && node.kind == NodeKind::DatasetVersion {
                continue; // Nobody is identifiable in it, for as long as that assessment holds.
            }
        }
        if node.flags.0 & (Flags::RESTRICTED.0 | Flags::ERASED.0) != 0
            && let Some(barred) = barred(evidence, exposure, place, (id, label))
        {
            evidence.barred.push(barred);
        }
        if node.flags.has(COMBINES)
            && let Some(join) = joins::join(lineage, id)
        {
            evidence.joins.push(join);
        }
        if node.kind != NodeKind::DatasetVersion || node.flags.0 & (PERSONAL.0 | FICTION.0) == 0 {
            continue;
        }
        let derived = !node.flags.has(Flags::SOURCE)
            && (node.flags.has(OF_PEOPLE) || people_upstream(graph, (id, node), &mut nobody));
        if node.flags.has(FICTION) && !derived {
            continue; // Nobody stands behind it: the statement that it describes nobody counts.
        }
        // People appear from nowhere: neither collected, as far as anybody said, nor in what it was made of.
        if !derived
            && !node.flags.has(Flags::SOURCE)
            && !node.flags.has(Flags::UNCLASSIFIED)
            && !root()
            && let Some(missing) = incomplete(evidence, id, node)
        {
            evidence.gaps.push(Gap { node: id, missing });
        }
        let cohort = sorting.cohort(evidence, exposure, place, (node, label), derived);
        evidence.sources.push(Source { node: id, dataset: node.dataset, end: node.end, cohort });
    }
}

/// Why lineage is not complete at a node that has no cause or a flag; none when an assessment closes it.
fn incomplete(evidence: &Evidence<'_>, id: NodeId, node: Node) -> Option<Missing> {
    let world = evidence.world;
    let holder = evidence.deployment.as_ref().map(|d| &d.spec.controller)?;
    let assess = |kind| assessed(world, &world.lineage.name(id), kind, None, holder, evidence.ask.valid_at);
    let regularised = || assess(AssessmentKind::Regularisation);
    if node.flags.has(Flags::DANGLING) {
        // What ran before the registry may stay unregistered where the board took it over.
        let closed = node.kind == NodeKind::Run && regularised().is_none();
        return (!closed).then_some(Missing::Dangling);
    }
    match node.kind {
        NodeKind::DatasetVersion if node.flags.has(Flags::UNCLASSIFIED) => {
            let fields = match world.lineage.record(id).held.as_deref().map(|h| &h.what) {
                Some(What::Dataset(facts)) => facts.unclassified.clone(),
                _ => vec!["*".to_owned()],
            };
            Some(Missing::Classes(fields))
        }
        NodeKind::DatasetVersion => regularised().map(|_| Missing::Origin),
        NodeKind::Run => regularised().map(|_| Missing::Inputs),
        _ if node.flags.has(Flags::ACQUIRED) || node.flags.has(Flags::ENDPOINT) => assess(AssessmentKind::Provider),
        _ => regularised().map(|why| if why == Missing::Assessment(None) { Missing::Run } else { why }),
    }
}

/// Restricted data may be stored, and not be in what runs, nor be read by it, nor by a training that began after (GDPR
/// Art. 18(1)). Erased data are gone: what was made of them stays, but nothing can read them.
fn barred(
    evidence: &Evidence<'_>,
    exposure: &Exposure,
    place: usize,
    (node, label): (NodeId, Label),
) -> Option<Barred> {
    let record = evidence.world.lineage.record(node);
    let Some(What::Dataset(facts)) = record.held.as_deref().map(|held| &held.what) else { return None };
    let (life, since) = facts.life_at(evidence.ask.valid_at)?;
    let after = |&run: &usize| {
        let training = &evidence.trainings[run];
        !training.regularised && training.run().is_some_and(|run| run.started_at >= since)
    };
    let index = || {
        let indexes = evidence.release.iter().flat_map(|release| &release.spec.indexes);
        indexes.into_iter().any(|index| index.to_string() == *record.reference)
    };
    let by = match life {
        Life::Held => return None,
        Life::Restricted if label & CONTAINED != 0 => Want::Mode(CONTAINED),
        Life::Restricted if label & SERVED != 0 => Want::Mode(SERVED),
        Life::Restricted => Want::Run(evidence.trainings[exposure.required_by(place).find(after)?].node),
        Life::Erased if evidence.seeds.contains(&(node, SERVED)) => Want::Mode(SERVED),
        Life::Erased if index() => Want::Mode(CONTAINED),
        Life::Erased => return None,
    };
    Some(Barred { node, life, since, by })
}

/// Whether a run made a model, or a table of which nobody said where it comes from: what such a run read must be known. People
/// in a table are looked for apart.
fn makes_unstated(graph: &Graph, run: NodeId) -> bool {
    const STATED: u16 = Flags::ACQUIRED.0 | Flags::ENDPOINT.0 | PERSONAL.0;
    graph.downstream(run).map(|half| graph.node(half.node)).any(|made| {
        made.flags.0 & STATED == 0 && (made.kind == NodeKind::ModelVersion || made.flags.has(Flags::NO_ORIGIN))
    })
}

/// Whether anything upstream holds people, or may: what is made of it holds theirs. Executions form no cycle, so the nearest
/// table with people answers for what runs made of it; it is judged itself. What a deployment wrote may have been read by it
/// again: behind a deployment only people that somebody collected count.
///
/// People who only formed a model are not those a table written with it is about: they answer for none. That a table
/// describes nobody counts all the same only where not even they stand behind it.
///
/// `nobody` holds the nodes, seen so, behind which there are none: what was looked through once is not looked through again.
fn people_upstream(graph: &Graph, (id, node): (NodeId, Node), nobody: &mut HashSet<(NodeId, bool, bool)>) -> bool {
    const MAY: u16 = Flags::SOURCE.0 | Flags::DANGLING.0 | Flags::UNCLASSIFIED.0;
    let fiction = node.flags.has(FICTION);
    let counts = |at: NodeId, link: &Link| fiction || exposure::contains(graph, graph.node(at), link);
    // Nearly always the run that made it read a table with people.
    let read = |run: NodeId| {
        graph.older_causes(run).iter().any(|read| graph.node(read.node).flags.has(PERSONAL) && counts(run, read))
    };
    if graph.older_causes(id).iter().any(|made| graph.node(made.node).kind == NodeKind::Run && read(made.node)) {
        return true;
    }
    let mut seen = HashSet::from([(id, false, fiction)]);
    let mut next = vec![(id, false)];
    while let Some((at, lasting)) = next.pop() {
        for half in graph.upstream(at).filter(|half| counts(at, &half.link())) {
            let cause = graph.node(half.node);
            let lasting = lasting || cause.kind == NodeKind::Deployment;
            let unstated = || !lasting || graph.is_end(half.node, Direction::Upstream);
            if cause.flags.0 & MAY != 0 || (cause.flags.has(PERSONAL) && unstated()) {
                return true;
            }
            let met = (half.node, lasting, fiction);
            if !nobody.contains(&met) && seen.insert(met) {
                next.push((half.node, lasting));
            }
        }
    }
    nobody.extend(seen);
    false
}
