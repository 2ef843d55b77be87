//! What governed names stand for: the deployments that say so by their tags, and the version that these run now. Whichever door a
//! deployment was moved by, the name follows it.

use std::sync::Arc;

use licit_schemas::reference::Ref;
use licit_schemas::registry::DeploymentSpec;
use uuid::Uuid;

use crate::adapters::mlflow::Rules;
use crate::adapters::mlflow::fact::Stage;
use crate::adapters::mlflow::registered::Model;
use crate::catalogue::Revision;
use crate::facts::World;
use crate::registry::leads;

/// The deployments that a governed alias of a model stands for, sorted. What runs by it stands for it as long as it runs, whatever a
/// later revision says: or the gate were left behind by a changed tag.
pub fn standing(world: &World, model: &str, alias: &str) -> Vec<String> {
    let registry = &world.registry;
    let says = |revision: &Arc<Revision<DeploymentSpec>>| leads::says(&revision.spec.tags, model, alias);
    let stands = |deployment: &&Arc<str>| {
        let all = registry.deployments.all(deployment);
        all.last().is_some_and(says) || all.iter().any(says) && registry.active(deployment).is_some()
    };
    registry.led.of(model).filter(stands).map(|deployment| deployment.to_string()).collect()
}

/// By whose word an alias leads to a deployment: the last revision that says so, and who stated it.
pub fn word(world: &World, model: &str, alias: &str, deployment: &str) -> Option<(u32, Uuid)> {
    let all = world.registry.deployments.all(deployment);
    let said = all.iter().rev().find(|revision| leads::says(&revision.spec.tags, model, alias));
    said.map(|revision| (revision.rev, revision.author))
}

/// The version that the deployments of a governed alias run now. None where nothing runs, where they run different ones, or one that
/// is no version of this model here.
fn running(world: &World, model: &Model, alias: &str) -> Option<u32> {
    let mut found = None;
    for deployment in standing(world, &model.name, alias) {
        let Some(active) = world.registry.active(&deployment) else { continue };
        let runs = |native: &Ref| active.spec.composition.iter().any(|part| part.model == *native);
        let number =
            model.versions.values().find(|version| runs(&version.made.native)).map(|version| version.number)?;
        if found.is_some_and(|other| other != number) {
            return None;
        }
        found = Some(number);
    }
    found
}

/// A model with its governed names as they hold: each stands for what its deployments run, whatever it was set to. What was moved by
/// another door is shown where it is, and what was withdrawn stands for nothing.
pub fn shown(world: &World, rules: &Rules, model: &Arc<Model>) -> Arc<Model> {
    let production = Stage::Production.as_str().to_lowercase();
    let produces = rules.governs(&production) && model.versions.values().any(|own| own.stage == Stage::Production);
    let governed: Vec<&String> = model.aliases.keys().filter(|alias| rules.governs(alias)).collect();
    if governed.is_empty() && !produces {
        return model.clone();
    }
    let mut own = (**model).clone();
    for alias in governed {
        match running(world, model, &alias.to_lowercase()) {
            Some(number) => _ = own.aliases.insert(alias.clone(), number),
            None => _ = own.aliases.remove(alias),
        }
    }
    if produces {
        let now = running(world, model, &production);
        for (number, version) in &model.versions {
            let stage = match (version.stage, now == Some(*number)) {
                (_, true) => Stage::Production,
                (Stage::Production, false) => Stage::Archived,
                _ => continue,
            };
            if let Some(version) = own.versions.get_mut(number) {
                Arc::make_mut(version).stage = stage;
            }
        }
    }
    Arc::new(own)
}
