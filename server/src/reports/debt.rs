//! What rests on default classes: versions and fields their owners have still to classify. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use licit_schemas::classes::{Debt, DebtItem};
use licit_schemas::time::Timestamp;

use super::question;
use crate::db::Projection;
use crate::facts::World;
use crate::gate::coverage::base;
use crate::gate::evidence::gather;
use crate::registry::{DatasetFacts, What};

/// Datasets named at most, by default class.
const MOST: usize = 100;

#[derive(Default)]
struct Owed<'w> {
    versions: u64,
    fields: u64,
    datasets: BTreeSet<&'w str>,
}

/// The debt of every default class, the one that ends first before the others.
pub fn debt(world: &World, now: Timestamp) -> Debt {
    let mut owed: BTreeMap<Arc<str>, Owed<'_>> = BTreeMap::new();
    for held in world.registry.all_held().filter(|held| held.retired.is_none()) {
        let What::Dataset(facts) = &held.what else { continue };
        for class in facts.defaults() {
            let one = owed.entry(class.clone()).or_default();
            one.versions += 1;
            one.fields += fields(facts, &class);
            one.datasets.insert(&facts.dataset);
        }
    }
    let resting = resting(world, now);
    let classes = &world.registry.classes.catalogue;
    let mut items: Vec<DebtItem> = classes
        .iter()
        .map(|latest| {
            let owed = owed.remove(&latest.reference).unwrap_or_default();
            let first = classes.all(base(&latest.reference)).first();
            DebtItem {
                class: latest.reference.to_string(),
                owner: latest.spec.owner.to_string(),
                namespaces: latest.spec.namespaces.iter().map(ToString::to_string).collect(),
                since: first.map_or(latest.at, |first| first.at),
                valid_to: latest.spec.valid_to,
                ended: latest.spec.valid_to <= now,
                versions: owed.versions,
                fields: owed.fields,
                datasets: owed.datasets.into_iter().take(MOST).map(str::to_owned).collect(),
                deployments: resting.get(&latest.reference).into_iter().flatten().map(ToString::to_string).collect(),
            }
        })
        .collect();
    items.sort_by(|one, other| (one.valid_to, &one.class).cmp(&(other.valid_to, &other.class)));
    Debt { position: world.position(), items }
}

/// Fields of a version for which a default class answers.
fn fields(facts: &DatasetFacts, class: &str) -> u64 {
    let Some(assumed) = &facts.assumed else { return 0 };
    let own = assumed.silent.iter().filter(|s| s.answer.as_ref().is_some_and(|(by, _)| **by == *class));
    own.filter(|s| facts.unclassified.contains(&s.of)).count() as u64
}

/// Running deployments by the default classes they rest on.
pub fn resting(world: &World, now: Timestamp) -> BTreeMap<Arc<str>, BTreeSet<Arc<str>>> {
    let mut resting: BTreeMap<Arc<str>, BTreeSet<Arc<str>>> = BTreeMap::new();
    if world.registry.classes.catalogue.iter().next().is_none() {
        return resting;
    }
    for deployment in world.registry.running() {
        let evidence = gather(world, question(world, &deployment, now));
        for node in &evidence.assumed {
            let held = world.lineage.record(*node).held.as_deref();
            let Some(What::Dataset(facts)) = held.map(|held| &held.what) else { continue };
            for class in facts.defaults() {
                resting.entry(class).or_default().insert(deployment.clone());
            }
        }
    }
    resting
}
