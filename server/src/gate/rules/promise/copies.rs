//! Copies of what was promised to be deleted: what was made of it and still holds the people keeps no promise by being another table.

use std::collections::HashMap;

use licit_schemas::notices::{Commitment, Period, Promise};
use licit_schemas::time::Timestamp;

use super::{Broken, List, add, kept};
use crate::gate::evidence::{Cohort, Evidence, Source};
use crate::lineage::exposure::{self, CONTAINED, SERVED};
use crate::lineage::graph::NodeId;
use crate::notices::Notice;

/// A promise to delete that binds some collected data.
struct Bound<'e> {
    place: usize,
    notice: &'e Notice,
    promise: &'e Promise,
    period: &'e Period,
}

/// Hold what was made of collected data to the promise to delete those, counted from the same start: when the registry knew of them.
pub(super) fn deleted(evidence: &Evidence<'_>, list: &mut List) {
    let bound: Vec<Bound<'_>> = bound(evidence).collect();
    if bound.is_empty() {
        return;
    }
    let (lineage, now) = (&evidence.world.lineage, evidence.ask.valid_at);
    let oldest = |one: &Bound<'_>| one.period.after(lineage.record(evidence.cohorts[one.place].oldest).at);
    let Some(first) = bound.iter().map(oldest).min() else { return };
    // What is to go before the first of them is over, and that is still to come, keeps them all.
    let late = |end: &u32| first <= now || lineage.end(*end).is_some_and(|until| until > first);
    let copies = |cohort: &Cohort<'_>| cohort.derived && cohort.modes & (CONTAINED | SERVED) != 0;
    // Nearly always there is none, and nothing is looked up.
    if !evidence.cohorts.iter().any(|cohort| copies(cohort) && cohort.ends.iter().any(late)) {
        return;
    }
    let copies: Vec<&Source> =
        evidence.sources.iter().filter(|source| copies(evidence.cohort(source)) && late(&source.end)).collect();
    let collected: HashMap<NodeId, usize> =
        evidence.sources.iter().filter(|s| !evidence.cohort(s).derived).map(|s| (s.node, s.cohort)).collect();
    for some in copies.chunks(exposure::HOLDERS) {
        let nodes: Vec<NodeId> = some.iter().map(|source| source.node).collect();
        // By copy and promise, when the first of the data behind it is to be gone.
        let mut ends: HashMap<(usize, usize), Timestamp> = HashMap::new();
        for (node, by) in exposure::held_by(lineage.graph(), &nodes, &|node| evidence.cuts(node)) {
            let Some(&cohort) = collected.get(&node) else { continue };
            // They stand in the order of the cohorts.
            let first = bound.partition_point(|one| one.place < cohort);
            for (number, one) in bound.iter().enumerate().skip(first).take_while(|(_, one)| one.place == cohort) {
                let end = one.period.after(lineage.record(node).at);
                for copy in (0..some.len()).filter(|copy| by & 1 << copy != 0) {
                    ends.entry((copy, number)).and_modify(|known| *known = end.min(*known)).or_insert(end);
                }
            }
        }
        let mut ends: Vec<((usize, usize), Timestamp)> = ends.into_iter().collect();
        ends.sort_unstable_by_key(|(key, _)| *key);
        for ((copy, number), end) in ends {
            let (source, Bound { notice, promise, .. }) = (some[copy], &bound[number]);
            if let Some(broken) = kept(evidence, source, evidence.cohort(source), end) {
                let broken = Broken { by: format!("{} in a copy", broken.by), ..broken };
                add(evidence, (notice, promise), source, broken, list);
            }
        }
    }
}

/// Promises to delete that bind the collected data of the evidence, by the place of their cohort.
fn bound<'e>(evidence: &'e Evidence<'_>) -> impl Iterator<Item = Bound<'e>> {
    let collected = evidence.cohorts.iter().enumerate().filter(|(_, cohort)| !cohort.derived);
    collected.flat_map(move |(place, _)| {
        let notices = evidence.told.bound.get(place).map_or(&[][..], Vec::as_slice);
        notices.iter().flat_map(move |notice| {
            notice.revision.spec.promises.iter().filter_map(move |promise| match &promise.commitment {
                Commitment::DeletedAfter(period) => Some(Bound { place, notice, promise, period }),
                _ => None,
            })
        })
    })
}
