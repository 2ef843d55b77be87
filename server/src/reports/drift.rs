//! How far the uses of data drifted from what was agreed when they were collected. Pure.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use licit_schemas::reference::Ref;
use licit_schemas::reports::{AgreedPurpose, Drift, PurposeDistance, PurposeUse, SourceDrift};
use licit_schemas::time::Timestamp;

use crate::db::Projection;
use crate::facts::World;
use crate::gate::coverage::{base, broader, deciding};
use crate::lineage::exposure::{CONTAINED, pass};
use crate::lineage::graph::{EdgeKind, Flags, NodeId, NodeKind};
use crate::registry::{DatasetFacts, Held, What};
use crate::review::Standing;

/// What was recorded for how far a purpose agreed goes.
const COLLECTED: &str = "collected_for";

/// Per dataset that holds sources (or the one named, or its version), purposes agreed and purposes of use; none when nothing named
/// is a source.
pub fn drift(world: &World, of: Option<&Ref>, at: Timestamp) -> Option<Drift> {
    let mut sources: BTreeMap<Arc<str>, Vec<&Arc<Held>>> = BTreeMap::new();
    let wanted = |held: &&Arc<Held>| match of {
        None => true,
        Some(of) if of.is_pinned() => *held.reference == *of.to_string(),
        Some(of) => base(&held.reference) == of.to_string(),
    };
    for held in world.registry.all_held().filter(wanted) {
        if let Some(facts) = facts(held).filter(|facts| facts.is_source()) {
            sources.entry(facts.dataset.clone()).or_default().push(held);
        }
    }
    if of.is_some() && sources.is_empty() {
        return None;
    }
    let mut items: Vec<SourceDrift> =
        sources.into_iter().map(|(dataset, versions)| source(world, &dataset, &versions, at)).collect();
    items.sort_by(|a, b| {
        (b.outside_per_mille, b.drift_per_mille, &a.r#ref).cmp(&(a.outside_per_mille, a.drift_per_mille, &b.r#ref))
    });
    Some(Drift { position: world.position(), valid_at: at, items })
}

fn facts(held: &Held) -> Option<&DatasetFacts> {
    match &held.what {
        What::Dataset(facts) => Some(facts),
        _ => None,
    }
}

fn source(world: &World, dataset: &str, versions: &[&Arc<Held>], at: Timestamp) -> SourceDrift {
    let agreed = agreed(world, dataset, versions, at);
    let found = uses(world, versions, at);
    let mut uses: Vec<PurposeUse> =
        found.into_iter().map(|(purpose, used)| used.told(world, purpose, &agreed, at)).collect();
    uses.sort_by(|a, b| (b.distance, &a.purpose).cmp(&(a.distance, &b.purpose)));
    let count = |distance: PurposeDistance| -> u64 {
        uses.iter().filter(|u| u.distance == distance).map(|u| (u.trainings.len() + u.deployments.len()) as u64).sum()
    };
    let [as_collected, carried, outside] =
        [PurposeDistance::AsCollected, PurposeDistance::Carried, PurposeDistance::Outside].map(count);
    let all = as_collected + carried + outside;
    let share = |part: u64| (part * 1000).checked_div(all).unwrap_or(0);
    SourceDrift {
        r#ref: dataset.to_owned(),
        owner: world.registry.datasets.latest(dataset).and_then(|d| d.spec.owner.as_ref()).map(ToString::to_string),
        versions: versions.len() as u64,
        agreed: agreed.into_iter().collect(),
        uses,
        as_collected,
        carried,
        outside,
        drift_per_mille: share(carried + outside),
        outside_per_mille: share(outside),
    }
}

/// Purposes the people of a dataset were told, and those a basis in force agrees to.
fn agreed(world: &World, dataset: &str, versions: &[&Arc<Held>], at: Timestamp) -> BTreeSet<AgreedPurpose> {
    let law = &world.lawfulness;
    let purpose = |p: &Ref, by: &str| AgreedPurpose { purpose: p.base().to_owned(), by: by.to_owned() };
    let mut agreed = BTreeSet::new();
    for facts in versions.iter().filter_map(|held| facts(held)) {
        agreed.extend(facts.collected_for.iter().map(|p| purpose(p, COLLECTED)));
        for basis in &facts.collected_under {
            let own = basis.base().to_owned();
            let stated = basis.rev().and_then(|rev| law.bases.revision(&own, rev)).or_else(|| law.bases.latest(&own));
            let purposes = stated.iter().flat_map(|r| &r.spec.covers.purposes);
            agreed.extend(purposes.map(|p| purpose(p, &basis.to_string())));
        }
    }
    for latest in law.bases.iter() {
        let Some(decides) = deciding(world, law.bases.all(base(&latest.reference)), |b| b.valid_from, at) else {
            continue;
        };
        let covers = decides.spec.covers.datasets.iter().any(|d| d.to_string() == dataset);
        let ended = decides.spec.valid_to.is_some_and(|end| end <= at);
        if covers && !ended && matches!(world.review.standing(&decides.reference, at), Standing::Holds(_)) {
            agreed.extend(decides.spec.covers.purposes.iter().map(|p| purpose(p, &decides.reference)));
        }
    }
    agreed
}

/// Uses for one purpose.
struct Used {
    purpose: Ref,
    trainings: BTreeSet<String>,
    deployments: BTreeSet<String>,
    since: Timestamp,
}

impl Used {
    fn told(self, world: &World, purpose: String, agreed: &BTreeSet<AgreedPurpose>, at: Timestamp) -> PurposeUse {
        let mut chain: Vec<String> =
            broader(world, &self.purpose, at).iter().map(|p| base(&p.reference).to_owned()).collect();
        chain.push(purpose.clone());
        let meant = |a: &&AgreedPurpose| chain.contains(&a.purpose);
        let distance = match agreed.iter().filter(meant).map(|a| a.by == COLLECTED).max() {
            Some(true) => PurposeDistance::AsCollected,
            Some(false) => PurposeDistance::Carried,
            None => PurposeDistance::Outside,
        };
        PurposeUse {
            purpose,
            distance,
            trainings: self.trainings.into_iter().collect(),
            deployments: self.deployments.into_iter().collect(),
            since: self.since,
        }
    }
}

/// Training runs that read a source, or what its people are contained in; and running deployments that read or contain them. What
/// only formed a model whose answers others hold is no use of theirs.
fn uses(world: &World, versions: &[&Arc<Held>], at: Timestamp) -> BTreeMap<String, Used> {
    let (lineage, graph) = (&world.lineage, world.lineage.graph());
    let mut uses: BTreeMap<String, Used> = BTreeMap::new();
    let mut add = |purpose: &Ref, since: Timestamp, training: Option<String>, deployment: Option<String>| {
        let used = uses.entry(purpose.base().to_owned()).or_insert_with(|| Used {
            purpose: purpose.clone(),
            trainings: BTreeSet::new(),
            deployments: BTreeSet::new(),
            since,
        });
        used.since = used.since.min(since);
        used.trainings.extend(training);
        used.deployments.extend(deployment);
    };
    let mut waiting: Vec<NodeId> = versions.iter().filter_map(|held| lineage.find(&held.reference)).collect();
    let mut seen: HashSet<NodeId> = waiting.iter().copied().collect();
    let mut told: HashSet<NodeId> = HashSet::new();
    while let Some(cause) = waiting.pop() {
        let kind = graph.node(cause).kind;
        for half in graph.downstream(cause) {
            let node = graph.node(half.node);
            let name = lineage.name(half.node);
            // Whoever reads it in whatever role uses it, though it does not go on from there.
            if told.insert(half.node) {
                match node.kind {
                    NodeKind::Run => {
                        if let Some(What::Run(run)) = world.registry.held(&name).map(|held| &held.what)
                            && node.flags.has(Flags::TRAINS)
                            && half.kind == EdgeKind::Used
                        {
                            add(&run.purpose, run.started_at, Some(name.to_string()), None);
                        }
                    }
                    NodeKind::Release | NodeKind::Deployment => {
                        let deployment = match node.kind {
                            NodeKind::Release => base(&name).replacen("release:", "deployment:", 1),
                            _ => name.to_string(),
                        };
                        let running = world.registry.active(&deployment);
                        let running = running.filter(|r| node.kind == NodeKind::Deployment || r.reference == name);
                        let stated = world.registry.deployment_at(&deployment, at);
                        if let (Some(release), Some(stated)) = (running, stated) {
                            let since = release.activated_at.unwrap_or(release.proposed_at);
                            add(&stated.spec.purpose, since, None, Some(deployment));
                        }
                    }
                    NodeKind::DatasetVersion | NodeKind::ModelVersion | NodeKind::Party => {}
                }
            }
            let contains = pass(node, half.kind, half.role, kind, CONTAINED) == CONTAINED;
            if contains && seen.insert(half.node) {
                waiting.push(half.node);
            }
        }
    }
    uses
}
