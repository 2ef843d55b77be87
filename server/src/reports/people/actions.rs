//! What is to be done in models for those who withdrew consent, or object: rolling, one for each running deployment and source.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::Duration;
use licit_schemas::consent::{ConsentAction, Family, ModelRemedy};
use licit_schemas::lawfulness::WithdrawalPolicy;
use licit_schemas::time::Timestamp;
use roaring::RoaringBitmap;

use crate::db::Conn;
use crate::db::people::{LaneAt, began, since};
use crate::error::Result;
use crate::facts::{Tx, World};
use crate::gate::acted::Parts;
use crate::gate::evidence::{Consented, Evidence, consents_of, gather};
use crate::reports::{owner, question};

/// People whose words are read one by one for the oldest: of more, that is not told.
const MOST: u64 = 100_000;

/// An action without its dates, and whose words tell them.
pub struct Open {
    action: ConsentAction,
    who: RoaringBitmap,
    lanes: Vec<LaneAt>,
}

/// Actions for everything that runs.
///
/// # Errors
/// What people said cannot be read.
pub fn open(world: &World, now: Timestamp) -> Result<Vec<Open>> {
    let mut all = Vec::new();
    for deployment in world.registry.running() {
        all.extend(of(&gather(world, question(world, &deployment, now)), now)?);
    }
    Ok(all)
}

/// Actions for what one deployment runs.
///
/// # Errors
/// What people said cannot be read.
fn of(evidence: &Evidence<'_>, now: Timestamp) -> Result<Vec<Open>> {
    let (world, deployment) = (evidence.world, &evidence.ask.deployment);
    let policy = evidence.purpose.as_ref().and_then(|purpose| purpose.spec.withdrawal.as_ref());
    let (mut all, mut parts) = (Vec::new(), HashMap::<Arc<str>, Parts>::new());
    for consent in consents_of(evidence) {
        let (about, days) = match consent.asked {
            Consented::Overdue(days) => (Family::Consent, days),
            Consented::Objected(days) => (Family::Objection, days),
            Consented::Training(_) | Consented::Opposed(_) | Consented::Restricted(_) | Consented::Served => continue,
        };
        let Some((id, members)) = consent.members else { continue };
        let Some(who) = world.people.by_id(id) else { continue };
        let wanted = consent.will.wanted(world, now);
        let lacking = world.people.standing(&wanted, now.micros())?.lacking(&who);
        if lacking.is_empty() {
            continue;
        }
        let left = &lacking - consent.acted.who(world, &consent.will, &who, now)?;
        if left.is_empty() {
            continue;
        }
        let parts = parts.entry(consent.purpose.clone()).or_insert_with(|| Parts::of(evidence, &consent.purpose));
        let action = ConsentAction {
            deployment: deployment.clone(),
            release: evidence.release.as_ref().map(|release| release.reference.to_string()),
            dataset_version: evidence.name(consent.source),
            about,
            purpose: consent.purpose.to_string(),
            parts: parts.names(consent.source),
            remedy: policy.map_or(ModelRemedy::Retrain, WithdrawalPolicy::remedy),
            remedies: policy.map(|policy| policy.remedies.clone()).unwrap_or_default(),
            members,
            people: left.len(),
            acted: lacking.len() - left.len(),
            overdue: consent.missing.unwrap_or(left.len()),
            days,
            oldest: None,
            due: None,
            owner: owner(world, deployment),
        };
        let lanes = wanted.chains.into_iter().next().unwrap_or_default();
        // Of consent the nearest word counts; objections to anything above it do, too.
        let lanes = if about == Family::Consent { lanes.into_iter().take(1).collect() } else { lanes };
        all.push(Open { action, who: left, lanes });
    }
    Ok(all)
}

/// When the will of any of some people ended, or an objection began, as whoever asks reads it.
type Oldest<'a> = &'a mut dyn FnMut(Family, &RoaringBitmap, LaneAt) -> Result<Option<i64>>;

/// The same with their dates: when the first of them withdrew, and when that is to be acted on.
///
/// # Errors
/// What the database said.
pub fn dated(conn: &mut Conn, open: Vec<Open>, now: Timestamp) -> Result<Vec<ConsentAction>> {
    dates(open, &mut |about, who, lane| match about {
        Family::Consent => since(conn, who, lane, now.micros()),
        _ => began(conn, who, lane, now.micros()),
    })
}

/// [`dated`], with what is only supposed.
///
/// # Errors
/// What the database said.
pub fn dated_here(tx: &mut Tx<'_>, open: Vec<Open>, now: Timestamp) -> Result<Vec<ConsentAction>> {
    dates(open, &mut |about, who, lane| match about {
        Family::Consent => tx.since(who, lane, now.micros()),
        _ => tx.began(who, lane, now.micros()),
    })
}

fn dates(open: Vec<Open>, oldest: Oldest<'_>) -> Result<Vec<ConsentAction>> {
    let mut all = Vec::with_capacity(open.len());
    for Open { mut action, who, lanes } in open {
        if who.len() <= MOST {
            for lane in lanes {
                let found = oldest(action.about, &who, lane)?.and_then(Timestamp::from_micros);
                action.oldest = [action.oldest, found].into_iter().flatten().min();
            }
            action.due = action.oldest.map(|oldest| oldest.plus(Duration::days(i64::from(action.days))));
        }
        all.push(action);
    }
    all.sort_by(|one, other| {
        (one.due.is_none(), one.due, &one.deployment).cmp(&(other.due.is_none(), other.due, &other.deployment))
    });
    Ok(all)
}
