//! What the people behind a release are promised today, as an envelope holds it. Pure.

use licit_schemas::notices::Commitment;
use licit_schemas::text::Key;

use super::evidence::{Cohort, Evidence};
use crate::facts::World;
use crate::lineage::exposure::VALIDATION;

/// What the people of a cohort are promised: what the notices say today that their data were collected under. None where the rule
/// `promise` does not ask: of what is derived, and of what only measured.
pub(super) fn to<'e>(evidence: &'e Evidence<'_>, place: usize) -> Option<Vec<&'e Commitment>> {
    let asked = |cohort: &&Cohort<'_>| !cohort.derived && cohort.modes & !VALIDATION != 0;
    evidence.cohorts.get(place).filter(asked)?;
    let mut list = Vec::new();
    for notice in evidence.told.bound.get(place).into_iter().flatten() {
        // An earlier revision still binds; a later one that promises less is what the board did not see.
        let today = evidence.world.notices.deciding(&notice.base, evidence.ask.valid_at).unwrap_or(notice);
        for promise in &today.revision.spec.promises {
            if !list.contains(&&promise.commitment) {
                list.push(&promise.commitment);
            }
        }
    }
    Some(list)
}

/// What of several lists of promises everybody is promised, in order.
pub(super) fn to_all<'p>(world: &World, lists: &[&Vec<&'p Commitment>]) -> Vec<&'p Commitment> {
    let everybody = |promise: &&Commitment| lists.iter().all(|list| keep(world, list, promise));
    let mut all: Vec<&Commitment> = lists.iter().copied().flatten().copied().filter(everybody).collect();
    all.sort();
    all.dedup();
    all
}

/// Whether promises hold what one of them did: the same, or more.
pub(super) fn keep(world: &World, promises: &[&Commitment], one: &Commitment) -> bool {
    // Nearly always it is still there, to the letter.
    promises.contains(&one) || promises.iter().any(|promise| holds(world, promise, one))
}

fn holds(world: &World, promise: &Commitment, one: &Commitment) -> bool {
    match (promise, one) {
        (Commitment::NoThirdParty, Commitment::NeverSold) => true,
        // Not for a broader purpose is not for a narrower one; only for a narrower one is only for a broader one.
        (Commitment::NotFor(broad), Commitment::NotFor(narrow)) => is_for(world, narrow, broad),
        (Commitment::NoTrainingBeyond(only), Commitment::NoTrainingBeyond(before)) => {
            only.iter().all(|narrow| before.iter().any(|broad| is_for(world, narrow, broad)))
        }
        (Commitment::DeletedAfter(sooner), Commitment::DeletedAfter(later)) => sooner.is_within(*later),
        _ => false,
    }
}

/// Whether a purpose is another, or a narrower one.
fn is_for(world: &World, narrow: &Key, broad: &Key) -> bool {
    let chain = world.lawfulness.broader(&format!("purpose:{narrow}"));
    chain.iter().any(|purpose| purpose.strip_prefix("purpose:") == Some(broad.as_str()))
}

/// The promise of the same kind that took the place of one, if any did.
pub(super) fn instead<'p>(promises: &[&'p Commitment], one: &Commitment) -> Option<&'p Commitment> {
    promises.iter().copied().find(|promise| std::mem::discriminant(*promise) == std::mem::discriminant(one))
}
