//! What ran before the gate stood: its findings taken over once, for an end. Worse is not covered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::Duration;
use licit_schemas::adoption::{
    BaselineCreate, BaselineDay, BaselineDone, BaselineItem, BaselineOwner, BaselineProgress, BaselineShare,
    BaselineSpec,
};
use licit_schemas::gate::Finding;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::resource::Registered;
use licit_schemas::time::Timestamp;

use super::coverage::{base, deciding};
use super::gaps::{Found, standing};
use super::policy::Policy;
use crate::catalogue::{Revision, Stated};
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, World, digest};
use crate::resolve::{created, expect, pin, unchanged};
use crate::review::Standing;

/// Days a baseline may last.
const LONGEST: i64 = 730;
/// Findings a baseline takes over at most.
const MOST: usize = 5_000;
/// What nobody can take over: wrong bytes, and what a law forbids whoever agrees.
pub const NEVER: [&str; 3] = ["artifact.digest", "prohibited.practice", "purpose.forbids"];

/// Baselines that hold at a moment: the latest the board approved under each key, until its end.
pub fn in_force(world: &World, now: Timestamp) -> impl Iterator<Item = &Arc<Revision<BaselineSpec>>> {
    world.review.baselines.iter().filter_map(move |latest| {
        let all = world.review.baselines.all(base(&latest.reference));
        let decides = deciding(world, all, |b| b.taken_at, now)?;
        let holds = matches!(world.review.standing(&decides.reference, now), Standing::Holds(_));
        (holds && now < decides.spec.valid_to).then_some(decides)
    })
}

/// The baseline in force that took a finding over.
pub fn covering(
    world: &World,
    release: &str,
    finding: &Finding,
    now: Timestamp,
) -> Option<Arc<Revision<BaselineSpec>>> {
    if NEVER.contains(&finding.rule.as_str()) {
        return None;
    }
    let stands = |item: &BaselineItem| item.valid_to.is_none_or(|end| now < end) && covers(item, release, finding);
    let found = in_force(world, now).filter(|b| b.spec.items.iter().any(stands));
    found.min_by_key(|b| b.seq).cloned()
}

/// The baselines that together took over everything that refuses; none if anything is left.
pub fn covering_all(world: &World, release: &str, findings: &[Finding], now: Timestamp) -> Vec<String> {
    let blocking = findings.iter().filter(|finding| finding.blocking);
    let found: Option<BTreeSet<String>> =
        blocking.map(|finding| Some(covering(world, release, finding, now)?.reference.to_string())).collect();
    found.into_iter().flatten().collect()
}

/// The same rule, for the same release, in the same state, about nothing more.
fn covers(item: &BaselineItem, release: &str, finding: &Finding) -> bool {
    item.release == release
        && item.rule == finding.rule
        && item.status == finding.status
        && nodes(finding).all(|node| item.nodes.iter().any(|known| known == node))
}

fn nodes(finding: &Finding) -> impl Iterator<Item = &String> {
    std::iter::once(&finding.node).chain(&finding.also)
}

fn item(found: &Found) -> BaselineItem {
    item_of(&found.deployment, &found.release, &found.finding)
}

/// A finding of a release, as it is taken over or let through.
pub fn item_of(deployment: &str, release: &str, finding: &Finding) -> BaselineItem {
    BaselineItem {
        deployment: deployment.to_owned(),
        release: release.to_owned(),
        rule: finding.rule.clone(),
        status: finding.status,
        nodes: nodes(finding).cloned().collect(),
        owner: None,
        valid_to: None,
    }
}

/// Until when a baseline took a finding over.
pub fn end(baseline: &BaselineSpec, release: &str, finding: &Finding) -> Timestamp {
    let own = baseline.items.iter().filter(|item| covers(item, release, finding)).map(|item| item.valid_to);
    own.map(|end| end.unwrap_or(baseline.valid_to)).max().unwrap_or(baseline.valid_to)
}

/// What is wrong with the shares of a baseline.
fn check_shares(tx: &Tx<'_>, create: &BaselineCreate) -> Result<()> {
    let now = tx.now();
    for (place, share) in create.shares.iter().enumerate() {
        let at = |member: &str| format!("/shares/{place}/{member}");
        if share.owner.is_none() && share.valid_to.is_none() {
            return Err(Error::invalid(&at("owner"), "state an owner or an end of its own: else it is the baseline's"));
        }
        if let Some(deployment) = &share.deployment {
            expect(deployment, &[Kind::Deployment], &at("deployment"))?;
            pin(tx.world(), deployment, now, &at("deployment"))?;
        }
        if share.valid_to.is_some_and(|end| end <= now || end > create.valid_to) {
            return Err(Error::invalid(&at("valid_to"), "must lie in the future, and not beyond the baseline's end"));
        }
    }
    Ok(())
}

/// A finding with the owner and the end of the first share it fits.
fn shared(shares: &[BaselineShare], item: BaselineItem) -> BaselineItem {
    let fits = |share: &&BaselineShare| {
        share.deployment.as_ref().is_none_or(|d| d.to_string() == item.deployment)
            && share.rule.as_ref().is_none_or(|rule| rule.as_str() == item.rule)
            && share.node.as_ref().is_none_or(|node| item.nodes.iter().any(|n| n == node.as_str()))
    };
    match shares.iter().find(fits) {
        Some(share) => BaselineItem { owner: share.owner.clone(), valid_to: share.valid_to, ..item },
        None => item,
    }
}

/// Record today's findings of what runs, for the board to vote on.
///
/// # Errors
/// An unknown deployment, an end that is over or too far, nothing to take over.
pub fn create(tx: &mut Tx<'_>, create: BaselineCreate) -> Result<Registered> {
    let now = tx.now();
    if create.valid_to <= now || create.valid_to > now.plus(Duration::days(LONGEST)) {
        return Err(Error::invalid("/valid_to", format!("must lie in the future, within {LONGEST} days")));
    }
    for (place, deployment) in create.deployments.iter().enumerate() {
        let at = format!("/deployments/{place}");
        expect(deployment, &[Kind::Deployment], &at)?;
        pin(tx.world(), deployment, now, &at)?;
    }
    check_shares(tx, &create)?;
    let named = |found: &&Found| {
        found.finding.blocking
            && (create.deployments.is_empty() || create.deployments.iter().any(|d| d.to_string() == found.deployment))
    };
    let open = standing(tx.world(), None, &Policy::in_force(tx.world(), now), now);
    let (refused, items): (Vec<_>, Vec<_>) =
        open.iter().filter(named).map(item).partition(|item| NEVER.contains(&item.rule.as_str()));
    if items.is_empty() {
        return Err(Error::conflict("nothing to take over: no active release has a finding that can be"));
    }
    if items.len() > MOST {
        return Err(Error::invalid(
            "/deployments",
            format!("{} findings stand, and a baseline takes over {MOST}: name fewer deployments", items.len()),
        ));
    }
    let own = Ref::baseline(&create.key);
    let latest = tx.world().review.baselines.latest(&own.to_string()).cloned();
    let BaselineCreate { key, owner, reason, valid_to, shares, .. } = create;
    let items = items.into_iter().map(|item| shared(&shares, item)).collect();
    let mut spec = BaselineSpec { key, owner, reason, taken_at: now, valid_to, items, refused };
    if let Some(known) = &latest {
        // Asked again while nothing changed: the same baseline.
        let again = BaselineSpec { taken_at: known.spec.taken_at, ..spec };
        if again == known.spec {
            return Ok(unchanged(known.id, crate::resolve::parse(&known.reference)?, known.digest, known.seq));
        }
        spec = BaselineSpec { taken_at: now, ..again };
    }
    let rev = latest.map_or(1, |known| known.rev + 1);
    let (id, sum) = (tx.new_id(), digest(&spec));
    let seq = tx.record(Fact::BaselineRevised(Stated { id, rev, spec }))?;
    Ok(created(id, crate::resolve::parse(&format!("{own}@{rev}"))?, sum, seq))
}

/// How far a baseline is worked off.
pub fn progress(world: &World, spec: &BaselineSpec, now: Timestamp) -> BaselineProgress {
    let open = standing(world, None, &Policy::in_force(world, now), now);
    let stands = |item: &&BaselineItem| {
        open.iter().any(|found| {
            found.release == item.release
                && found.finding.rule == item.rule
                && nodes(&found.finding).any(|node| item.nodes.contains(node))
        })
    };
    let (open, cleared): (Vec<&BaselineItem>, Vec<&BaselineItem>) = spec.items.iter().partition(stands);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mut owners: BTreeMap<&str, BaselineOwner> = BTreeMap::new();
    for item in &spec.items {
        let name = item.owner.as_ref().unwrap_or(&spec.owner).as_str();
        let none = || BaselineOwner { owner: name.to_owned(), total: 0, open: 0, past_due: 0 };
        let owner = owners.entry(name).or_insert_with(none);
        let stands = open.iter().any(|one| std::ptr::eq(*one, item));
        owner.total += 1;
        owner.open += u32::from(stands);
        owner.past_due += u32::from(stands && item.valid_to.unwrap_or(spec.valid_to) <= now);
    }
    let done: Vec<BaselineDone> = cleared
        .iter()
        .map(|item| {
            let keys = item.nodes.iter().map(|node| format!("{} {} {node}", item.deployment, item.rule));
            let noted = keys.filter_map(|key| world.gate.closed_at(&key)).filter(|at| *at >= spec.taken_at);
            BaselineDone { item: (*item).clone(), at: noted.max() }
        })
        .collect();
    BaselineProgress {
        total: count(spec.items.len()),
        cleared: count(cleared.len()),
        burn_down: burn_down(spec, &done, now),
        open: open.into_iter().cloned().collect(),
        valid_to: spec.valid_to,
        owners: owners.into_values().collect(),
        done,
    }
}

/// What stood at the end of each day on which that changed. What was cleared without a note counts today.
fn burn_down(spec: &BaselineSpec, done: &[BaselineDone], now: Timestamp) -> Vec<BaselineDay> {
    let day = |at: Timestamp| at.to_string().get(..10).unwrap_or_default().to_owned();
    let mut cleared: BTreeMap<String, u32> = BTreeMap::from([(day(spec.taken_at), 0)]);
    for one in done {
        *cleared.entry(day(one.at.unwrap_or(now))).or_insert(0) += 1;
    }
    let mut open = u32::try_from(spec.items.len()).unwrap_or(u32::MAX);
    let stood = cleared.into_iter().map(|(day, cleared)| {
        open = open.saturating_sub(cleared);
        BaselineDay { day, open }
    });
    stood.collect()
}
