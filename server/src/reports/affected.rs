//! Which deployments a change reaches: what runs there, or would run next, comes from what changed. Pure.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use licit_schemas::reference::Ref;
use licit_schemas::registry::ReleaseState;
use licit_schemas::reports::{AffectedDeployment, AffectedDeployments};

use super::impact::nodes;
use crate::db::Projection;
use crate::facts::World;
use crate::lineage::graph::{NodeId, NodeKind};

/// Deployments downstream of any of these datasets and models, each with the one it is reached from on the shortest way. Releases
/// that run no more, and were not proposed last, carry nothing on.
pub fn affected(world: &World, references: &[Ref]) -> AffectedDeployments {
    let (graph, lineage) = (world.lineage.graph(), &world.lineage);
    let mut from: HashMap<NodeId, usize> = HashMap::new();
    let (mut waiting, mut unknown) = (VecDeque::new(), Vec::new());
    for (place, reference) in references.iter().enumerate() {
        let seeds = nodes(world, &reference.to_string());
        if seeds.is_empty() {
            unknown.push(reference.to_string());
        }
        for seed in seeds {
            from.entry(seed).or_insert_with(|| {
                waiting.push_back(seed);
                place
            });
        }
    }
    let mut found: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    while let Some(cause) = waiting.pop_front() {
        let place = from.get(&cause).copied().unwrap_or(0);
        match graph.node(cause).kind {
            NodeKind::Release => match current(world, &lineage.name(cause)) {
                Some(deployment) => {
                    found.entry(deployment).or_insert(place);
                }
                None => continue,
            },
            NodeKind::Deployment => {
                found.entry(lineage.name(cause)).or_insert(place);
            }
            _ => {}
        }
        for half in graph.downstream(cause) {
            from.entry(half.node).or_insert_with(|| {
                waiting.push_back(half.node);
                place
            });
        }
    }
    let items = found.into_iter().map(|(deployment, place)| AffectedDeployment {
        deployment: deployment.to_string(),
        by: references.get(place).map(ToString::to_string).unwrap_or_default(),
    });
    AffectedDeployments { position: world.position(), items: items.collect(), unknown }
}

/// The deployment of a release that runs, or was proposed last.
fn current(world: &World, release: &str) -> Option<Arc<str>> {
    let reference: Ref = release.parse().ok()?;
    let deployment = crate::registry::deployment_of(&reference);
    let releases = world.registry.releases(&deployment);
    let own = releases.iter().find(|r| *r.reference == *release)?;
    let last = releases.iter().rev().find(|r| r.state == ReleaseState::Proposed);
    let counts = own.state == ReleaseState::Active || last.is_some_and(|last| last.id == own.id);
    counts.then(|| deployment.into())
}
