//! What consent covers, and whom a deployment leaves out: counts for many, pseudonyms for few.

pub mod actions;
pub mod api;
pub mod person;
pub mod receipts;
pub mod subjects;
pub mod supposed;

use licit_schemas::consent::{Coverage, CoverageQuery, Sample, SampleQuery, SuppressionList};
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::subjects::{Excluded, KeyId, Pseudonym};
use licit_schemas::time::Timestamp;
use roaring::RoaringBitmap;
use uuid::Uuid;

use super::question;
use crate::consent::set_name;
use crate::db::people::Form;
use crate::db::{Conn, Projection};
use crate::error::{Error, Result};
use crate::facts::World;
use crate::gate::consented::{Will, known_purpose, members_of};
use crate::gate::evidence::gather;
use crate::gate::suppression;

/// Pseudonyms on one page.
pub const PAGE: usize = 10_000;

/// How far consent covers the members of a dataset version.
///
/// # Errors
/// An unknown purpose; members that nobody loaded; what people said cannot be read.
pub fn coverage(world: &World, version: &Ref, query: &CoverageQuery, now: Timestamp) -> Result<Coverage> {
    known_purpose(world, &query.purpose)?;
    let members = members_of(world, version)?;
    let at = query.valid_at.unwrap_or(now);
    let form = Form { explicit: query.explicit, parental: query.parental };
    let will = Will::new(world, &query.purpose, query.channel, form, at);
    let standing = world.people.standing(&will.wanted(world, at), at.micros())?;
    let missing = standing.missing(members.id, &members.who);
    Ok(Coverage {
        dataset_version: version.clone(),
        purpose: query.purpose.clone(),
        channel: query.channel,
        explicit: query.explicit,
        parental: query.parental,
        valid_at: at,
        position: world.position(),
        members: members.who.len(),
        covered: members.who.len() - missing,
        missing,
    })
}

/// Members whose consent does not hold, by number.
///
/// # Errors
/// As [`coverage`].
pub fn uncovered(world: &World, version: &Ref, query: &SampleQuery, now: Timestamp) -> Result<RoaringBitmap> {
    known_purpose(world, &query.purpose)?;
    let members = members_of(world, version)?;
    let at = query.valid_at.unwrap_or(now);
    let form = Form { explicit: query.explicit, parental: query.parental };
    let will = Will::new(world, &query.purpose, query.channel, form, at);
    let standing = world.people.standing(&will.wanted(world, at), at.micros())?;
    Ok(&*members.who - standing.who())
}

/// Some of them by their pseudonyms.
///
/// # Errors
/// What the database said.
pub fn sample(conn: &mut Conn, uncovered: &RoaringBitmap, limit: u32) -> Result<Sample> {
    let some: RoaringBitmap = uncovered.iter().take(limit as usize).collect();
    Ok(Sample { missing: uncovered.len(), subjects: pseudonyms(conn, &some)? })
}

/// Those left out of a corrected member set.
///
/// # Errors
/// No such set.
pub fn left_out(world: &World, id: Uuid) -> Result<RoaringBitmap> {
    let none = || Error::NotFound(format!("there is no corrected member set `{id}`"));
    let set = world.consent.set(id).ok_or_else(none)?;
    let all = members_of(world, &set.spec.dataset_version)?;
    let stay = world.people.members(&set_name(id)).ok_or_else(none)?;
    Ok(&*all.who - &*stay.who)
}

/// A page of people, after some number.
///
/// # Errors
/// What the database said.
pub fn page(conn: &mut Conn, who: &RoaringBitmap, after: Option<u32>) -> Result<Excluded> {
    let from = after.map_or(0, |after| u64::from(after) + 1);
    let mut rest = who.iter().filter(|n| u64::from(*n) >= from);
    let some: RoaringBitmap = rest.by_ref().take(PAGE).collect();
    let next = rest.next().and(some.max());
    Ok(Excluded { subjects: pseudonyms(conn, &some)?, next })
}

/// Whom a deployment leaves out at a moment, by number.
///
/// # Errors
/// An unknown deployment; what people said cannot be read.
pub fn suppressed(world: &World, deployment: &str, at: Timestamp) -> Result<RoaringBitmap> {
    if world.registry.deployments.latest(deployment).is_none() {
        return Err(Error::NotFound(format!("there is no `{deployment}`")));
    }
    suppression::who(&gather(world, question(world, deployment, at)))
}

/// A page of the list, or of what changed.
///
/// # Errors
/// What the database said.
pub fn list(
    conn: &mut Conn,
    (position, whole): (u64, bool),
    (add, remove): (&RoaringBitmap, &RoaringBitmap),
    after: Option<u32>,
) -> Result<SuppressionList> {
    // Both are walked as one list: a page holds whom it names on either side.
    let both = add | remove;
    let from = after.map_or(0, |after| u64::from(after) + 1);
    let mut rest = both.iter().filter(|n| u64::from(*n) >= from);
    let some: RoaringBitmap = rest.by_ref().take(PAGE).collect();
    let next = rest.next().and(some.max());
    Ok(SuppressionList {
        position,
        whole,
        add: pseudonyms(conn, &(&some & add))?,
        remove: pseudonyms(conn, &(&some & remove))?,
        next,
    })
}

fn pseudonyms(conn: &mut Conn, who: &RoaringBitmap) -> Result<Vec<Pseudonym>> {
    let pseudonym = |(kid, subject): (String, crate::db::dictionary::Subject)| -> Result<Pseudonym> {
        let kid: KeyId = kid.parse().map_err(|_| Error::Internal("table subject: a key is none".to_owned()))?;
        Ok(Pseudonym::new(kid, subject.hash))
    };
    crate::db::people::subjects(conn, who)?.into_iter().map(pseudonym).collect()
}

/// A dataset version by its reference.
///
/// # Errors
/// Something else.
pub fn version(reference: &str) -> Result<Ref> {
    let parsed = crate::resolve::parse(reference)?;
    if parsed.kind() == Kind::Dataset {
        Ok(parsed)
    } else {
        Err(Error::Internal(format!("`{reference}` is no dataset")))
    }
}
