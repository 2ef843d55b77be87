//! What is to be done in models for those who withdrew consent: rolling, one for each running deployment and source.

use chrono::Duration;
use licit_schemas::consent::ConsentAction;
use licit_schemas::time::Timestamp;
use roaring::RoaringBitmap;

use crate::db::Conn;
use crate::db::people::{LaneAt, since};
use crate::error::Result;
use crate::facts::World;
use crate::gate::evidence::{Consented, consents_of, gather};
use crate::reports::{owner, question};

/// People whose words are read one by one for the oldest: of more, that is not told.
const MOST: u64 = 100_000;

/// An action without its dates, and whose words tell them.
pub struct Open {
    action: ConsentAction,
    who: RoaringBitmap,
    lane: Option<LaneAt>,
}

/// Actions for everything that runs.
///
/// # Errors
/// What people said cannot be read.
pub fn open(world: &World, now: Timestamp) -> Result<Vec<Open>> {
    let mut all = Vec::new();
    for deployment in world.registry.running() {
        let deployment: &str = deployment.as_ref();
        let evidence = gather(world, question(world, deployment, now));
        for consent in consents_of(&evidence) {
            let (Consented::Overdue(days), Some((id, members))) = (consent.asked, consent.members) else { continue };
            let Some(who) = world.people.by_id(id) else { continue };
            let wanted = consent.will.wanted(world, now);
            let standing = world.people.standing(&wanted, now.micros())?;
            let people = standing.missing(id, &who);
            if people == 0 {
                continue;
            }
            let action = ConsentAction {
                deployment: deployment.to_string(),
                release: evidence.release.as_ref().map(|release| release.reference.to_string()),
                dataset_version: evidence.name(consent.source),
                purpose: consent.purpose.to_string(),
                members,
                people,
                overdue: consent.missing.unwrap_or(people),
                days,
                oldest: None,
                due: None,
                owner: owner(world, deployment),
            };
            let lane = wanted.chains.first().and_then(|chain| chain.first()).copied();
            all.push(Open { action, who: &*who - standing.who(), lane });
        }
    }
    Ok(all)
}

/// The same with their dates: when the first of them withdrew, and when that is to be acted on.
///
/// # Errors
/// What the database said.
pub fn dated(conn: &mut Conn, open: Vec<Open>, now: Timestamp) -> Result<Vec<ConsentAction>> {
    let dated = |Open { mut action, who, lane }: Open| -> Result<ConsentAction> {
        if let Some(lane) = lane.filter(|_| who.len() <= MOST) {
            action.oldest = since(conn, &who, lane, now.micros())?.and_then(Timestamp::from_micros);
            action.due = action.oldest.map(|oldest| oldest.plus(Duration::days(i64::from(action.days))));
        }
        Ok(action)
    };
    let mut all: Vec<ConsentAction> = open.into_iter().map(dated).collect::<Result<_>>()?;
    all.sort_by(|one, other| {
        (one.due.is_none(), one.due, &one.deployment).cmp(&(other.due.is_none(), other.due, &other.deployment))
    });
    Ok(all)
}
