//! What is to be done in models for those who withdrew consent, or object: rolling, one for each model and purpose.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::Duration;
use licit_schemas::consent::{ActionSource, ConsentAction, Family, ModelRemedy};
use licit_schemas::lawfulness::WithdrawalPolicy;
use licit_schemas::time::Timestamp;
use roaring::RoaringBitmap;

use crate::db::Conn;
use crate::db::people::{LaneAt, began, since};
use crate::error::Result;
use crate::facts::{Tx, World};
use crate::gate::acted::Parts;
use crate::gate::coverage::base;
use crate::gate::evidence::{Consent, Consented, Evidence, consents_of, gather};
use crate::reports::{owner, question};

/// People whose words are read one by one for the oldest: of more, that is not told.
const MOST: u64 = 1_000_000;

/// Of which model, about what, and for which purpose.
type Key = (String, String, Family);

/// An action without its dates, and whose words tell them.
pub struct Open {
    action: ConsentAction,
    members: RoaringBitmap,
    who: RoaringBitmap,
    acted: RoaringBitmap,
    late: RoaringBitmap,
    /// How many were erased and are not acted on in time: at most so many in any one source.
    erased: u64,
    lanes: BTreeSet<LaneAt>,
}

/// People of one source, in one deployment.
struct Found {
    source: ActionSource,
    about: Family,
    purpose: Arc<str>,
    days: u16,
    members: Arc<RoaringBitmap>,
    left: RoaringBitmap,
    acted: RoaringBitmap,
    late: RoaringBitmap,
    erased: u64,
    lanes: Vec<LaneAt>,
}

/// Actions for everything that runs.
///
/// # Errors
/// What people said cannot be read.
pub fn open(world: &World, now: Timestamp) -> Result<Vec<Open>> {
    let mut all: BTreeMap<Key, Open> = BTreeMap::new();
    for deployment in world.registry.running() {
        let evidence = gather(world, question(world, &deployment, now));
        let policy = evidence.purpose.as_ref().and_then(|purpose| purpose.spec.withdrawal.as_ref());
        for found in of(&evidence, now)? {
            let models: BTreeSet<&str> = found.source.parts.iter().map(|part| base(part)).collect();
            for model in models {
                let key = (model.to_owned(), found.purpose.to_string(), found.about);
                all.entry(key).or_insert_with(|| begin(model, &found, policy)).add(&found);
            }
        }
    }
    Ok(all.into_values().map(Open::counted).collect())
}

fn begin(model: &str, found: &Found, policy: Option<&WithdrawalPolicy>) -> Open {
    let action = ConsentAction {
        model: model.to_owned(),
        about: found.about,
        purpose: found.purpose.to_string(),
        remedy: policy.map_or(ModelRemedy::Retrain, WithdrawalPolicy::remedy),
        remedies: policy.map(|policy| policy.remedies.clone()).unwrap_or_default(),
        members: 0,
        people: 0,
        acted: 0,
        overdue: 0,
        days: found.days,
        oldest: None,
        due: None,
        sources: Vec::new(),
    };
    let (members, who, acted, late, lanes) = Default::default();
    Open { action, members, who, acted, late, erased: 0, lanes }
}

impl Open {
    fn add(&mut self, found: &Found) {
        self.members |= &*found.members;
        self.who |= &found.left;
        self.acted |= &found.acted;
        self.late |= &found.late;
        self.erased = self.erased.max(found.erased);
        self.lanes.extend(&found.lanes);
        // The shortest time counts, where deployments give different ones.
        self.action.days = self.action.days.min(found.days);
        self.action.sources.push(found.source.clone());
    }

    /// Everybody counts once, in however many sources they are. Dealt with is who is dealt with everywhere.
    fn counted(mut self) -> Self {
        let action = &mut self.action;
        (action.members, action.people) = (self.members.len(), self.who.len());
        action.acted = self.acted.difference_len(&self.who);
        action.overdue = self.late.len() + self.erased;
        self
    }
}

/// What is to be done for the people in one deployment.
///
/// # Errors
/// What people said cannot be read.
fn of(evidence: &Evidence<'_>, now: Timestamp) -> Result<Vec<Found>> {
    let (world, deployment) = (evidence.world, &evidence.ask.deployment);
    let (mut all, mut parts) = (Vec::new(), HashMap::<Arc<str>, Parts>::new());
    for consent in consents_of(evidence) {
        let (about, days) = match consent.asked {
            Consented::Overdue(days) => (Family::Consent, days),
            Consented::Objected(days) => (Family::Objection, days),
            Consented::Training(_) | Consented::Opposed(_) | Consented::Restricted(_) | Consented::Served => continue,
        };
        let Some((id, counted)) = consent.members else { continue };
        let Some(members) = world.people.by_id(id) else { continue };
        let wanted = consent.will.wanted(world, now);
        let lacking = world.people.standing(&wanted, now.micros())?.lacking(&members);
        if lacking.is_empty() {
            continue;
        }
        let left = &lacking - consent.acted.who(world, &consent.will, &members, now)?;
        if left.is_empty() {
            continue;
        }
        let parts = parts.entry(consent.purpose.clone()).or_insert_with(|| Parts::of(evidence, &consent.purpose));
        let late = late(world, &consent, &left, (now, days))?;
        let source = ActionSource {
            deployment: deployment.clone(),
            release: evidence.release.as_ref().map(|release| release.reference.to_string()),
            dataset_version: evidence.name(consent.source),
            parts: parts.names(consent.source),
            members: counted,
            people: left.len(),
            overdue: consent.missing.unwrap_or(left.len()),
            owner: owner(world, deployment),
        };
        let lanes = wanted.chains.into_iter().next().unwrap_or_default();
        // Of consent the nearest word counts; objections to anything above it do, too.
        let lanes = if about == Family::Consent { lanes.into_iter().take(1).collect() } else { lanes };
        let (acted, purpose, erased) = (&lacking - &left, consent.purpose, consent.erased);
        all.push(Found { source, about, purpose, days, members, left, acted, late, erased, lanes });
    }
    Ok(all)
}

/// Those of some people for whom the time is over: they lacked it so many days ago, and agreed to nothing since.
fn late(
    world: &World,
    consent: &Consent,
    left: &RoaringBitmap,
    (now, days): (Timestamp, u16),
) -> Result<RoaringBitmap> {
    let then = now.plus(-Duration::days(i64::from(days)));
    let late = world.people.standing(&consent.will.wanted(world, then), then.micros())?.lacking(left);
    if late.is_empty() {
        return Ok(late);
    }
    let meanwhile = world.people.allowed_between(&consent.will.wanted(world, now), then.micros(), now.micros())?;
    Ok(late - meanwhile)
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
    for Open { mut action, who, lanes, .. } in open {
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
        (one.due.is_none(), one.due, &one.model).cmp(&(other.due.is_none(), other.due, &other.model))
    });
    Ok(all)
}
