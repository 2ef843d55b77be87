//! Where some people are, and what would follow if they all withdrew: how many, never who.

use std::collections::{BTreeMap, BTreeSet};

use licit_schemas::reference::Kind;
use licit_schemas::reports::{SubjectsImpact, SubjectsIn, SubjectsQuery, Turn};
use licit_schemas::subjects::Pseudonym;
use licit_schemas::time::Timestamp;
use roaring::RoaringBitmap;

use super::{actions, supposed};
use crate::db::Projection;
use crate::db::people::Form;
use crate::error::Result;
use crate::facts::{Tx, World};
use crate::gate::consented::{Will, known_purpose};
use crate::registry::deployment_of;
use crate::reports::impact::people_in;
use crate::reports::operations::turns;
use crate::resolve::parse;

/// Look for them, and suppose that they withdraw. For a run that records nothing.
///
/// # Errors
/// An unknown purpose or key; what people said cannot be read.
pub fn subjects(tx: &mut Tx<'_>, query: &SubjectsQuery) -> Result<SubjectsImpact> {
    known_purpose(tx.world(), &query.purpose)?;
    let now = tx.now();
    let named: BTreeSet<&Pseudonym> = query.subjects.iter().collect();
    let world = tx.world();
    let number = |one: &&Pseudonym| world.people.number(one.kid().as_str(), one.hash());
    let who: RoaringBitmap = named.iter().filter_map(number).collect();
    let will = Will::new(world, &query.purpose, query.channel, Form::default(), now);
    let standing = world.people.standing(&will.wanted(world, now), now.micros())?;
    let mut answer = SubjectsImpact {
        position: world.position(),
        at: now,
        purpose: query.purpose.unpinned(),
        asked: named.len() as u64,
        known: who.len(),
        consenting: who.intersection_len(standing.who()),
        datasets: Vec::new(),
        models: Vec::new(),
        deployments: Vec::new(),
        turned: Vec::new(),
        actions: Vec::new(),
    };
    reached(world, &who, now, &mut answer);
    let deployments: Vec<String> = world.registry.running().iter().map(ToString::to_string).collect();
    let open = actions::open(world, now)?;
    let before: BTreeMap<_, u64> =
        actions::dated_here(tx, open, now)?.iter().map(|action| (key(action), action.people)).collect();
    let who: Vec<Pseudonym> = named.into_iter().cloned().collect();
    let turned: Vec<Turn> = turns(tx, &deployments, |tx| {
        supposed::withdraw(tx, (&query.purpose, query.channel), &who, "")?;
        Ok(now)
    })?;
    let open = actions::open(tx.world(), now)?;
    answer.actions = actions::dated_here(tx, open, now)?;
    answer.actions.retain(|action| before.get(&key(action)).is_none_or(|people| *people < action.people));
    answer.turned = turned;
    Ok(answer)
}

type Key = (String, String, String);

fn key(action: &licit_schemas::consent::ConsentAction) -> Key {
    let about = crate::facts::word(&action.about);
    (action.model.clone(), action.purpose.clone(), about)
}

/// Some people, and how they are in something.
#[derive(Default)]
struct Reached {
    who: RoaringBitmap,
    how: BTreeSet<String>,
}

/// Data they are members of, and what came of those.
fn reached(world: &World, who: &RoaringBitmap, now: Timestamp, answer: &mut SubjectsImpact) {
    let (mut models, mut deployments) = (BTreeMap::<String, Reached>::new(), BTreeMap::<String, Reached>::new());
    let mut sets: Vec<_> = world.people.sets().collect();
    sets.sort_by_key(|(name, _)| *name);
    for (name, members) in sets {
        let Ok(reference) = parse(name) else { continue };
        let within = &*members.who & who;
        // A corrected set is one of a dataset they are in anyway.
        if reference.kind() != Kind::Dataset || within.is_empty() {
            continue;
        }
        answer.datasets.push(SubjectsIn { r#ref: name.to_string(), people: within.len(), how: Vec::new() });
        for item in people_in(world, &reference, now) {
            let place = match (item.kind.as_str(), item.state.as_str()) {
                ("model_version", _) => models.entry(item.r#ref.clone()).or_default(),
                ("deployment", "running") => deployments.entry(item.r#ref.clone()).or_default(),
                ("release", "active") => match parse(&item.r#ref) {
                    Ok(release) => deployments.entry(deployment_of(&release)).or_default(),
                    Err(_) => continue,
                },
                _ => continue,
            };
            place.who |= &within;
            place.how.extend(item.how);
        }
    }
    let list = |all: BTreeMap<String, Reached>| -> Vec<SubjectsIn> {
        let one = |(name, reached): (String, Reached)| SubjectsIn {
            r#ref: name,
            people: reached.who.len(),
            how: reached.how.into_iter().collect(),
        };
        all.into_iter().map(one).collect()
    };
    (answer.models, answer.deployments) = (list(models), list(deployments));
}
