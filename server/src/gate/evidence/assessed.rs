//! Which assessments hold, of what, for whom.

use std::collections::HashSet;
use std::sync::Arc;

use licit_schemas::lawfulness::{AssessmentKind, AssessmentSpec, Recipe};
use licit_schemas::reference::Ref;
use licit_schemas::registry::Code;
use licit_schemas::time::Timestamp;
use serde::Serialize;

use super::Missing;
use crate::catalogue::Revision;
use crate::facts::World;
use crate::gate::coverage::{Stands, base, deciding, stands};
use crate::lineage::graph::{EdgeKind, NodeId};
use crate::registry::{What, is_program};
use crate::review::Standing;

/// A figure that misses the threshold of a recipe.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Missed {
    /// Its name.
    pub figure: String,
    /// What was measured; absent, nobody did.
    pub measured: Option<f64>,
    /// It must not be less.
    pub at_least: Option<f64>,
    /// It must not be more.
    pub at_most: Option<f64>,
}

/// `None` when an assessment of the kind holds of `name` for the holder (and, for those of one, for the purpose); else why not.
pub(super) fn assessed(
    world: &World,
    name: &str,
    kind: AssessmentKind,
    purpose: Option<&str>,
    holder: &Ref,
    now: Timestamp,
) -> Option<Missing> {
    let fits = |r: &&Arc<Revision<AssessmentSpec>>| {
        r.spec.kind == kind
            && r.spec.holder == *holder
            && is_of(world, name, &r.spec)
            && purpose.is_none_or(|p| r.spec.purpose.as_ref().is_some_and(|own| own.base() == p))
    };
    let mut why = Missing::Assessment(None);
    let mut seen: HashSet<&str> = HashSet::new();
    for named in of(world, name).filter(fits) {
        let key = base(&named.reference);
        if !seen.insert(key) {
            continue;
        }
        let all = world.lawfulness.assessments.all(key);
        let found = match deciding(world, all, |a| a.valid_from, now) {
            Some(decides) if fits(&decides) => match world.review.standing(&decides.reference, now) {
                Standing::Holds(_) if now < decides.spec.valid_to => fails(world, name, decides)?,
                Standing::Ended(approval) if approval.end() <= decides.spec.valid_to => Missing::AssessmentEnded(
                    decides.reference.clone(),
                    approval.end(),
                    crate::gate::rules::revocation_due(approval),
                ),
                _ => Missing::AssessmentEnded(decides.reference.clone(), decides.spec.valid_to, None),
            },
            _ => match all.iter().rev().find(fits) {
                Some(later) if !world.review.approvals(&later.reference).is_empty() && later.spec.valid_from > now => {
                    Missing::AssessmentLater(later.reference.clone(), later.spec.valid_from)
                }
                Some(proposed) => Missing::Assessment(Some(proposed.reference.clone())),
                None => Missing::Assessment(None),
            },
        };
        if rank(&found) > rank(&why) {
            why = found;
        }
    }
    Some(why)
}

/// Of several reasons, the one nearest to being closed is said; but before all that an assessment in force does not carry it.
pub(super) fn rank(missing: &Missing) -> u8 {
    match missing {
        Missing::Figure(..) | Missing::BasesThen(..) => 4,
        Missing::AssessmentEnded(..) => 3,
        Missing::AssessmentLater(..) => 2,
        Missing::Assessment(Some(_)) => 1,
        _ => 0,
    }
}

/// Assessments that name a thing, or a recipe by whose program it was made.
pub fn of<'w>(world: &'w World, name: &str) -> impl Iterator<Item = &'w Arc<Revision<AssessmentSpec>>> {
    let recipes = program(world, name).map_or(&[][..], |code| world.lawfulness.recipes_of(code));
    world.lawfulness.assessments_of(name).iter().chain(recipes)
}

/// Whether anybody assessed a thing, for whatever holder.
pub(super) fn concerns(world: &World, name: &str, kind: AssessmentKind) -> bool {
    of(world, name).any(|r| r.spec.kind == kind && is_of(world, name, &r.spec))
}

/// What a recipe asked to be measured on a thing, and what was; nothing where no recipe covers it.
pub(super) fn figures(world: &World, name: &str) -> Vec<(String, Option<f64>)> {
    let held = world.registry.held(name);
    let recipes = of(world, name).filter(|r| is_of(world, name, &r.spec)).filter_map(|r| r.spec.recipe.as_ref());
    let names = recipes.flat_map(|recipe| &recipe.thresholds).map(|t| t.figure.as_str());
    names.map(|name| (name.to_owned(), held.and_then(|held| held.figure(name)))).collect()
}

fn is_of(world: &World, name: &str, spec: &AssessmentSpec) -> bool {
    match (&spec.of, &spec.recipe) {
        (Some(of), _) => of.as_str() == name,
        (None, Some(recipe)) => follows(world, name, recipe),
        (None, None) => false,
    }
}

/// Whether every run that made a version is of the recipe's program, and the version of its families.
fn follows(world: &World, name: &str, recipe: &Recipe) -> bool {
    let family = || recipe.families.is_empty() || recipe.families.iter().any(|own| own.as_str() == base(name));
    let made = world.lineage.find(name).is_some_and(|node| {
        let mut runs = runs(world, node).peekable();
        runs.peek().is_some() && runs.all(|run| code(world, run).is_some_and(|ran| is_program(ran, &recipe.code)))
    });
    made && family()
}

/// The program that made a version; only looked for where somebody assessed a recipe.
fn program<'w>(world: &'w World, name: &str) -> Option<&'w Code> {
    if !world.lawfulness.has_recipes() {
        return None;
    }
    runs(world, world.lineage.find(name)?).find_map(|run| code(world, run))
}

fn runs(world: &World, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
    world.lineage.graph().upstream(node).filter(|half| half.kind == EdgeKind::Generated).map(|half| half.node)
}

fn code(world: &World, run: NodeId) -> Option<&Code> {
    match world.lineage.record(run).held.as_deref().map(|held| &held.what) {
        Some(What::Run(run)) => run.code.as_ref(),
        _ => None,
    }
}

/// Why an assessment in force does not carry a thing all the same.
fn fails(world: &World, name: &str, decides: &Revision<AssessmentSpec>) -> Option<Missing> {
    let reference = || decides.reference.clone();
    if let Some(recipe) = &decides.spec.recipe {
        return missed(world, name, recipe).map(|missed| Missing::Figure(reference(), missed));
    }
    if decides.spec.kind != AssessmentKind::Regularisation {
        return None;
    }
    let started = match world.registry.held(name).map(|held| &held.what) {
        Some(What::Run(run)) => Some(run.started_at),
        _ => None,
    };
    if decides.spec.bases_then.is_empty() {
        return name.starts_with("run:").then(|| Missing::BasesThen(reference(), None));
    }
    let fell = decides.spec.bases_then.iter().find(|basis| !held_then(world, basis, started))?;
    Some(Missing::BasesThen(reference(), Some(fell.as_str().into())))
}

/// Whether a basis is approved and was valid at a moment: recorded now, it held then. Of what nobody knows when it ran, the board
/// must have approved the basis at all.
fn held_then(world: &World, basis: &Ref, started: Option<Timestamp>) -> bool {
    let found = basis.rev().and_then(|rev| world.lawfulness.bases.revision(basis.base(), rev));
    found.is_some_and(|revision| match started {
        Some(at) => matches!(stands(world, revision, at).0, Stands::InForce),
        None => !world.review.approvals(&revision.reference).is_empty(),
    })
}

/// The first threshold of a recipe that a version misses, or has no figure for.
fn missed(world: &World, name: &str, recipe: &Recipe) -> Option<Missed> {
    let held = world.registry.held(name);
    recipe.thresholds.iter().find_map(|threshold| {
        let measured = held.and_then(|held| held.figure(threshold.figure.as_str()));
        let meets = measured.is_some_and(|figure| {
            threshold.at_least.is_none_or(|least| figure >= least)
                && threshold.at_most.is_none_or(|most| figure <= most)
        });
        (!meets).then(|| Missed {
            figure: threshold.figure.to_string(),
            measured,
            at_least: threshold.at_least,
            at_most: threshold.at_most,
        })
    })
}

/// Things an assessment is of: the one it names, or all that its recipe covers, by name.
pub fn things_of(world: &World, spec: &AssessmentSpec) -> Vec<String> {
    if let Some(of) = &spec.of {
        return vec![of.to_string()];
    }
    let Some(recipe) = &spec.recipe else { return Vec::new() };
    let lineage = &world.lineage;
    let runs = world.registry.made_by(&recipe.code).filter_map(|run| lineage.find(&run.reference));
    let made = runs.flat_map(|run| lineage.graph().downstream(run).filter(|half| half.kind == EdgeKind::Generated));
    let mut names: Vec<String> = made.map(|half| lineage.name(half.node).to_string()).collect();
    names.retain(|name| follows(world, name, recipe));
    names.sort();
    names.dedup();
    names
}
