//! Rows of people who were erased, in what is read or looked up when a deployment runs.
//!
//! Whoever is erased stands on no list of those to leave out any more: nobody can name them. What still holds their rows serves them
//! again, until another version takes its place.

use std::collections::{BTreeMap, HashSet};

use chrono::Duration;
use licit_schemas::registry::Life;
use licit_schemas::time::Timestamp;

use super::{Evidence, Source, consents};
use crate::lineage::exposure::{self, CONTAINED, SERVED};
use crate::lineage::graph::NodeId;
use crate::registry::What;

/// A version that still holds rows of people who were erased.
#[derive(Debug)]
pub struct StillHeld {
    /// The version.
    pub node: NodeId,
    /// How many were erased.
    pub people: u64,
    /// When the first of them was.
    pub since: Timestamp,
    /// Until when what runs may go on with it.
    pub due: Timestamp,
}

/// What is read when the deployment runs, and the indexes of the release, as far as people were erased from them. Nothing is looked
/// for where nobody ever was.
pub(super) fn gather(evidence: &mut Evidence<'_>) {
    let world = evidence.world;
    if world.consent.erased == 0 {
        return;
    }
    // Nearly always nobody was erased from any of it.
    let went = |source: &Source| world.consent.erased_from(world.lineage.record(source.node).members).next().is_some();
    if !evidence.sources.iter().any(went) {
        return;
    }
    let served = evidence.seeds.iter().filter(|(_, label)| label & SERVED != 0).map(|(node, _)| *node);
    let indexes = evidence.release.iter().flat_map(|release| &release.spec.indexes);
    let indexes = indexes.filter_map(|index| world.lineage.find(index.as_str()));
    let mut read: Vec<NodeId> = served.chain(indexes).collect();
    read.sort_unstable();
    read.dedup();
    let days = Duration::days(i64::from(consents::days(evidence)));
    let reaches = |place: usize| evidence.cohorts[place].modes & (SERVED | CONTAINED) != 0;
    let people: HashSet<NodeId> =
        evidence.sources.iter().filter(|source| reaches(source.cohort)).map(|source| source.node).collect();
    let held = read.into_iter().filter(|node| people.contains(node) && !is_erased(evidence, *node));
    let held = held.filter_map(|node| {
        let gone = gone(evidence, node, &people);
        let since = gone.values().min().copied()?;
        Some(StillHeld { node, people: gone.len() as u64, since, due: since.plus(days) })
    });
    evidence.still_held = held.collect();
}

fn is_erased(evidence: &Evidence<'_>, node: NodeId) -> bool {
    match evidence.world.lineage.record(node).held.as_deref().map(|held| &held.what) {
        Some(What::Dataset(facts)) => {
            facts.life_at(evidence.ask.valid_at).is_some_and(|(life, _)| life == Life::Erased)
        }
        _ => false,
    }
}

/// Who was erased from it by the moment judged, by the entry that says so. Where nobody said who is in it, it holds whoever was erased
/// from what it was made of after it was there.
fn gone(evidence: &Evidence<'_>, node: NodeId, people: &HashSet<NodeId>) -> BTreeMap<u64, Timestamp> {
    let (world, now) = (evidence.world, evidence.ask.valid_at);
    let erased_from = |members: u64, after: Option<Timestamp>| {
        let gone = world.consent.erased_from(members).map(|gone| (gone.at.seq, gone.at.time));
        gone.filter(move |(_, at)| *at <= now && after.is_none_or(|after| after <= *at))
    };
    let record = world.lineage.record(node);
    if record.members != 0 {
        return erased_from(record.members, None).collect();
    }
    let behind = exposure::held_by(world.lineage.graph(), &[node], &|node| evidence.cuts(node));
    let behind = behind.into_iter().filter(|(node, by)| *by != 0 && people.contains(node)).map(|(node, _)| node);
    behind.flat_map(|node| erased_from(world.lineage.record(node).members, Some(record.at))).collect()
}
