//! Everything downstream of something, and how it is in there. Pure.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::Life;
use licit_schemas::reports::{Affected, Impact};
use licit_schemas::time::Timestamp;

use crate::db::Projection;
use crate::facts::{World, word};
use crate::gate::coverage::{base, broader};
use crate::gate::envelope::reach;
use crate::gate::evidence::{Ask, gather, things_of};
use crate::lineage::PERSONAL;
use crate::lineage::columns::{class, is_mapped, narrow};
use crate::lineage::exposure::{CONTAINED, MODES, NO_CUTS, SERVED, SHAPED, VALIDATION, pass};
use crate::lineage::graph::{Flags, Graph, NodeId, NodeKind};
use crate::lineage::views;
use crate::lineage::walk::{Direction, Label, PathTree, closure};
use crate::registry::What;

/// Nodes of a reference: a dataset or model without version stands for all its versions.
pub fn nodes(world: &World, reference: &str) -> Vec<NodeId> {
    let lineage = &world.lineage;
    if let Some(node) = lineage.find(reference) {
        return vec![node];
    }
    world.registry.versions(reference).iter().filter_map(|held| lineage.find(&held.reference)).collect()
}

/// What is directly touched at a moment by something that is no data: the deployments and runs that rely on it.
fn relying(world: &World, reference: &Ref, at: Timestamp) -> Vec<NodeId> {
    let own = reference.to_string();
    let is = |r: &Ref| if reference.is_pinned() { *r == *reference } else { r.base() == own };
    let named = |r: &str| if reference.is_pinned() { *r == *own } else { base(r) == own };
    let meant = |rev: u32| reference.rev().is_none_or(|named| named == rev);
    let unpinned = reference.base().to_owned();
    let covers: Vec<Ref> = match reference.kind() {
        Kind::Basis => {
            let all = world.lawfulness.bases.all(&unpinned);
            all.iter().filter(|r| meant(r.rev)).flat_map(|r| r.spec.covers.purposes.clone()).collect()
        }
        _ => Vec::new(),
    };
    // What holds for a purpose holds for narrower ones, where its approval says so. Thousands of runs have few purposes.
    let known_of: RefCell<HashMap<Ref, bool>> = RefCell::default();
    let within = |purpose: &Ref, by: &dyn Fn(&Ref) -> bool| {
        let found = known_of.borrow().get(purpose).copied();
        found.unwrap_or_else(|| {
            let chain = broader(world, purpose, at);
            let found = by(purpose) || chain.iter().any(|broad| broad.reference.parse().is_ok_and(|broad| by(&broad)));
            known_of.borrow_mut().insert(purpose.clone(), found);
            found
        })
    };
    let is_covered = |purpose: &Ref| {
        covers.iter().any(|c| c.base() == purpose.base() && c.rev().is_none_or(|rev| purpose.rev() == Some(rev)))
    };
    let covered = |purpose: &Ref| !covers.is_empty() && within(purpose, &is_covered);
    let review = &world.review;
    let excepted: HashSet<String> = match reference.kind() {
        Kind::Baseline => {
            let all = review.baselines.all(&unpinned).iter().filter(|b| meant(b.rev));
            all.flat_map(|b| b.spec.items.iter().map(|item| item.deployment.clone())).collect()
        }
        Kind::BreakGlass => {
            let all = review.broken.all(&unpinned).iter().filter(|b| meant(b.rev));
            all.map(|b| b.spec.deployment.clone()).collect()
        }
        _ => HashSet::new(),
    };
    let looser: Vec<&Ref> = match reference.kind() {
        Kind::Loosening => {
            let all = review.loosenings.all(&unpinned).iter().filter(|l| meant(l.rev));
            all.map(|l| &l.spec.environment).collect()
        }
        _ => Vec::new(),
    };
    let informs = |purpose: &Ref| {
        let notices = world.notices.revisions(&unpinned).iter().filter(|notice| meant(notice.revision.rev));
        notices.into_iter().any(|n| n.names(purpose.base(), purpose.rev().unwrap_or(0)))
    };
    let mut names: Vec<String> = Vec::new();
    for latest in world.registry.deployments.iter() {
        // As it is at that moment; one that begins later is as it will be.
        let deployment = world.registry.deployment_at(&latest.reference, at).unwrap_or(latest);
        let d = &deployment.spec;
        let relies = match reference.kind() {
            Kind::Purpose => within(&d.purpose, &is),
            Kind::Basis => d.bases.iter().any(is) || covered(&d.purpose),
            Kind::System => is(&d.system),
            Kind::Environment => is(&d.environment),
            Kind::Party => {
                let recipients = d.discloses.iter().flat_map(|disclosure| &disclosure.to);
                is(&d.controller) || d.processors.iter().chain(recipients).any(is)
            }
            Kind::Notice => within(&d.purpose, &informs),
            Kind::Policy => known(world, reference),
            Kind::Baseline | Kind::BreakGlass => excepted.contains(&*deployment.reference),
            Kind::Loosening => {
                let stands = world.registry.environment_of(d.environment.name());
                stands.is_some_and(|e| looser.iter().any(|own| own.name() == e.spec.key.as_str()))
            }
            _ => false,
        };
        if relies {
            names.push(deployment.reference.to_string());
        }
    }
    for held in world.registry.all_held() {
        let relies = match (&held.what, reference.kind()) {
            (What::Run(run), Kind::Purpose) => within(&run.purpose, &is),
            (What::Run(run), Kind::Basis) => covered(&run.purpose),
            (What::Run(run), Kind::Party) => run.controller.iter().chain(&run.processors).any(is),
            (What::Dataset(data), Kind::Class) => data.defaults().iter().any(|class| named(class)),
            (What::Dataset(data), Kind::Notice) => data.notices.iter().any(|notice| named(notice)),
            (What::Dataset(data), Kind::Party) => data.controllers.iter().chain(&data.processors).any(|p| **p == own),
            _ => false,
        };
        if relies {
            names.push(held.reference.to_string());
        }
    }
    names.sort();
    names.iter().filter_map(|name| world.lineage.find(name)).collect()
}

/// Everything downstream of a reference; none when nothing of that name is known. For the law and the organisation: what relies
/// on it, and what came of that.
pub fn impact(world: &World, reference: &Ref, now: Timestamp) -> Option<Impact> {
    let name = reference.to_string();
    let data = matches!(reference.kind(), Kind::Dataset | Kind::Model | Kind::Run | Kind::Release | Kind::Deployment);
    let seeds = match reference.kind() {
        _ if data => nodes(world, &name),
        Kind::Assessment => {
            let all = world.lawfulness.assessments.all(reference.base());
            let meant = all.iter().filter(|r| reference.rev().is_none_or(|rev| rev == r.rev));
            // Interests are weighed of a basis, and found compelling of a purpose: what relies on that relies on it.
            let behind = |of: String| match of.parse::<Ref>() {
                Ok(law) if matches!(law.kind(), Kind::Basis | Kind::Purpose) => relying(world, &law, now),
                _ => nodes(world, &of),
            };
            meant.flat_map(|r| things_of(world, &r.spec)).flat_map(behind).collect()
        }
        _ => relying(world, reference, now),
    };
    if seeds.is_empty() && (data || !known(world, reference)) {
        return None;
    }
    let (graph, lineage) = (world.lineage.graph(), &world.lineage);
    let reached = closure(graph, &seeds, Direction::Downstream);
    let paths = PathTree::new(graph, &seeds, Direction::Downstream, |_| true);
    let ways = ways(graph, &seeds, &reached.iter().map(|r| r.node).collect::<Vec<_>>());
    let set: HashSet<NodeId> = seeds.iter().copied().collect();
    let narrowing = Narrowing::new(world, &reached.iter().map(|r| r.node).collect::<Vec<_>>(), &seeds);
    let items = reached
        .iter()
        .filter(|r| !data || r.depth > 0)
        .filter_map(|r| {
            let own = lineage.name(r.node);
            let node = graph.node(r.node);
            let modes = match node.kind {
                _ if !data => 0,
                NodeKind::Release => judged(world, &deployment_of(&own), Some(&own), &set, now),
                NodeKind::Deployment => judged(world, &own, None, &set, now),
                _ => ways.get(&r.node).map_or(0, |ways| arriving(*ways, CONTAINED)),
            };
            let modes = match if data { narrowing.flows(r.node) } else { Flows::People } {
                Flows::Nothing => return None,
                Flows::Nobody => 0,
                Flows::People => modes,
            };
            let how = match modes {
                0 => vec!["relies".to_owned()],
                modes => reach(modes).into_iter().map(str::to_owned).collect(),
            };
            let path = paths.path_to(r.node).unwrap_or_default();
            Some(Affected {
                kind: views::kind(node.kind).to_owned(),
                state: state(world, &own, node.flags, node.kind),
                how,
                deployment: (node.kind == NodeKind::Release).then(|| deployment_of(&own)),
                owner: owner(world, &own, node.kind),
                path: path.into_iter().map(|n| lineage.name(n).to_string()).collect(),
                r#ref: own.to_string(),
            })
        })
        .collect();
    Some(Impact { r#ref: name, position: world.position(), items })
}

/// What people of a dataset version are in, as far as their data flow there.
pub fn people_in(world: &World, dataset_version: &Ref, now: Timestamp) -> impl Iterator<Item = Affected> + use<> {
    let items = impact(world, dataset_version, now).map(|found| found.items).unwrap_or_default();
    items.into_iter().filter(|item| item.how.iter().any(|how| how != "relies"))
}

fn known(world: &World, reference: &Ref) -> bool {
    let (own, registry, law) = (reference.base().to_owned(), &world.registry, &world.lawfulness);
    match reference.kind() {
        Kind::Party => registry.parties.latest(&own).is_some(),
        Kind::System => registry.systems.latest(&own).is_some(),
        Kind::Environment => registry.environment_of(reference.name()).is_some(),
        Kind::Class => registry.classes.catalogue.latest(&own).is_some(),
        Kind::Purpose => law.purposes.latest(&own).is_some(),
        Kind::Basis => law.bases.latest(&own).is_some(),
        Kind::Assessment => law.assessments.latest(&own).is_some(),
        Kind::Policy => law.policies.latest(&own).is_some(),
        Kind::Notice => world.notices.catalogue.latest(&own).is_some(),
        Kind::Baseline => world.review.baselines.latest(&own).is_some(),
        Kind::Loosening => world.review.loosenings.latest(&own).is_some(),
        Kind::BreakGlass => world.review.broken.latest(&own).is_some(),
        _ => false,
    }
}

pub(super) fn deployment_of(release: &str) -> String {
    base(release).replacen("release:", "deployment:", 1)
}

/// How the gate sees what is downstream in a release or in what a deployment runs and reads: assessments cut there.
fn judged(world: &World, deployment: &str, release: Option<&str>, seeds: &HashSet<NodeId>, now: Timestamp) -> Label {
    let mut ask: Ask = super::question(world, deployment, now);
    if let Some(release) = release {
        ask.release = release.parse().ok();
    }
    let evidence = gather(world, ask);
    let left_out = |node: &NodeId| evidence.left_out.contains(node);
    let reached = evidence.closure.iter().filter(|(node, _)| seeds.contains(node) && !left_out(node));
    reached.fold(0, |all, (_, label)| all | label & MODES)
}

/// What of the seeds flows into something.
enum Flows {
    /// Nothing: no column of them.
    Nothing,
    /// Something, and nothing personal.
    Nobody,
    /// All of it, or something personal.
    People,
}

/// What flows where runs say so by column, as the gate sees it. A walk for each thing that lies behind such a run; none where no run
/// does.
struct Narrowing<'w> {
    world: &'w World,
    seeds: &'w [NodeId],
    /// What lies behind a run that speaks of columns.
    behind: HashSet<NodeId>,
}

impl<'w> Narrowing<'w> {
    fn new(world: &'w World, reached: &[NodeId], seeds: &'w [NodeId]) -> Self {
        let graph = world.lineage.graph();
        let mapped: Vec<NodeId> = reached.iter().copied().filter(|node| is_mapped(graph.node(*node))).collect();
        let below = closure(graph, &mapped, Direction::Downstream);
        let behind = below.iter().map(|r| r.node).filter(|node| !mapped.contains(node)).collect();
        Self { world, seeds, behind }
    }

    fn flows(&self, node: NodeId) -> Flows {
        if !self.behind.contains(&node) {
            return Flows::People;
        }
        let lineage = &self.world.lineage;
        // A deployment reads what it is served, and writes with what it runs: the walk of each begins where that does.
        let narrowed = narrow(lineage, &[(node, CONTAINED)], NO_CUTS);
        let mut flows = Flows::Nothing;
        for seed in self.seeds {
            let Some(flowing) = narrowed.flowing(lineage, *seed) else { return Flows::People };
            let about = lineage.graph().node(*seed);
            if flowing.is_empty() {
                continue;
            }
            if !about.flags.has(PERSONAL) || class(lineage.class(*seed), &flowing).is_some() {
                return Flows::People;
            }
            flows = Flows::Nobody;
        }
        flows
    }
}

/// Per node, which modes arrive at a seed for each mode it is looked at in: four bits for each of four modes. The same transfer as
/// in the walk upstream, so that downstream says the same.
pub(super) fn ways(graph: &Graph, seeds: &[NodeId], order: &[NodeId]) -> HashMap<NodeId, Label> {
    const EACH: [Label; 4] = [CONTAINED, SHAPED, VALIDATION, SERVED];
    let identity = EACH.iter().enumerate().fold(0, |all: Label, (place, mode)| all | mode << (4 * place));
    let mut ways: HashMap<NodeId, Label> = seeds.iter().map(|seed| (*seed, identity)).collect();
    let mut waiting: std::collections::VecDeque<NodeId> = order.iter().copied().collect();
    while let Some(cause) = waiting.pop_front() {
        let behind = ways.get(&cause).copied().unwrap_or(0);
        let kind = graph.node(cause).kind;
        for half in graph.downstream(cause) {
            let node = graph.node(half.node);
            let mut all: Label = 0;
            for (place, mode) in EACH.iter().enumerate() {
                let passed = pass(node, half.kind, half.role, kind, *mode);
                all |= arriving(behind, passed) << (4 * place);
            }
            let own = ways.entry(half.node).or_insert(0);
            if *own | all != *own {
                *own |= all;
                waiting.push_back(half.node);
            }
        }
    }
    ways
}

/// What arrives at a seed of a node looked at in these modes.
pub(super) fn arriving(ways: Label, modes: Label) -> Label {
    let of = |place: u32| if modes >> place & 1 == 1 { ways >> (4 * place) & MODES } else { 0 };
    (0..4).fold(0, |all, place| all | of(place))
}

fn state(world: &World, name: &str, flags: Flags, kind: NodeKind) -> String {
    if flags.has(Flags::DANGLING) {
        return "unregistered".to_owned();
    }
    if flags.has(Flags::RETIRED) {
        return "retired".to_owned();
    }
    match kind {
        NodeKind::Release => {
            let release = name.parse::<Ref>().ok().and_then(|r| world.registry.release(&r).map(|r| word(&r.state)));
            release.unwrap_or_default()
        }
        NodeKind::Deployment if world.registry.active(name).is_some() => "running".to_owned(),
        NodeKind::Deployment => "idle".to_owned(),
        NodeKind::Party => "recipient".to_owned(),
        _ => match world.registry.held(name).map(|held| &held.what) {
            Some(What::Dataset(facts)) => word(&facts.life()),
            Some(What::Run(facts)) => word(&facts.operation),
            Some(What::Model(facts)) => word(&facts.kind),
            None => word(&Life::Held),
        },
    }
}

fn owner(world: &World, name: &str, kind: NodeKind) -> Option<String> {
    let own = base(name);
    match kind {
        NodeKind::Release => Some(super::owner(world, &deployment_of(name))),
        NodeKind::Deployment => Some(super::owner(world, name)),
        NodeKind::DatasetVersion => world.registry.datasets.latest(own)?.spec.owner.as_ref().map(ToString::to_string),
        NodeKind::ModelVersion => world.registry.models.latest(own)?.spec.owner.as_ref().map(ToString::to_string),
        NodeKind::Run | NodeKind::Party => None,
    }
    .filter(|owner| !owner.is_empty())
}
