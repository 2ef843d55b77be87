//! For whom a run trained that does not say so itself.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::facts::World;
use crate::gate::coverage::joint;
use crate::lineage::graph::{EdgeKind, NodeId, NodeKind};
use crate::registry::{RunFacts, What};
use licit_schemas::time::Timestamp;

/// Whose training it was.
///
/// Who decides on purpose and means of a training is its controller (GDPR Art. 4(7)); who deploys what came out of it years later
/// need not be. Where the run does not say it, whoever controls all that it read and wrote does, alone or jointly (Art. 26);
/// where several do that nothing ties together, nobody can tell.
///
/// # Errors
/// All whom its data name; nobody, where they name none.
pub(super) fn of_training(world: &World, run: NodeId, facts: &RunFacts) -> Result<String, Vec<Arc<str>>> {
    if let Some(own) = &facts.controller {
        return Ok(own.to_string());
    }
    let named: Vec<Arc<str>> = named(world, run).into_iter().collect();
    let at: Timestamp = facts.started_at;
    match named.split_first() {
        Some((first, others)) if others.iter().all(|other| joint(world, first, other, at)) => Ok(first.to_string()),
        _ => Err(named),
    }
}

/// Controllers of what a run read and wrote. Data that name none have those of what they were made of, or whom that run names. A
/// model it read was made by others, before.
fn named(world: &World, run: NodeId) -> BTreeSet<Arc<str>> {
    let (lineage, graph) = (&world.lineage, world.lineage.graph());
    let mut named = BTreeSet::new();
    let is_data = |id: NodeId| graph.node(id).kind == NodeKind::DatasetVersion;
    let read = |run: NodeId| {
        graph.upstream(run).filter(|h| h.kind == EdgeKind::Used).map(|h| h.node).filter(move |id| is_data(*id))
    };
    let written =
        graph.downstream(run).filter(|h| h.kind == EdgeKind::Generated).map(|h| h.node).filter(|id| is_data(*id));
    let of = |id: NodeId| lineage.record(id).held.as_deref().map(|held| &held.what);
    for id in written {
        if let Some(What::Dataset(facts)) = of(id) {
            named.extend(facts.controllers.iter().cloned());
        }
    }
    let mut seen = HashSet::new();
    let mut open: Vec<NodeId> = read(run).collect();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        match of(id) {
            Some(What::Dataset(facts)) if !facts.controllers.is_empty() => {
                named.extend(facts.controllers.iter().cloned())
            }
            _ => {
                for made_by in graph.upstream(id).filter(|h| h.kind == EdgeKind::Generated).map(|h| h.node) {
                    match of(made_by) {
                        Some(What::Run(RunFacts { controller: Some(controller), .. })) => {
                            named.insert(controller.as_str().into());
                        }
                        _ => open.extend(read(made_by)),
                    }
                }
            }
        }
    }
    named
}
