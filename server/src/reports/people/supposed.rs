//! People withdraw, for the sake of argument: the same records that would be recorded, over a copy that nobody keeps.

use std::collections::BTreeSet;

use licit_schemas::consent::{Channel, ConsentRecord, Expression, IndicatedBy, Said};
use licit_schemas::json;
use licit_schemas::reference::Ref;
use licit_schemas::registry::uuid_text;
use licit_schemas::reports::{MOST_PEOPLE, Withdrawal};
use licit_schemas::subjects::{KeyId, Pseudonym};
use roaring::RoaringBitmap;

use crate::consent::records::{Line, record_all};
use crate::db::people::Form;
use crate::error::{Error, Result};
use crate::facts::Tx;
use crate::gate::consented::{Will, known_purpose};

/// Suppose it; what was supposed, in words.
///
/// # Errors
/// An unknown purpose or key; nobody named, or in two ways; too many.
pub fn suppose(tx: &mut Tx<'_>, withdrawal: &Withdrawal, at: &str) -> Result<String> {
    let Withdrawal { purpose, channel, subjects, people, per_mille } = withdrawal;
    known_purpose(tx.world(), purpose).map_err(|e| e.under(at))?;
    let who: Vec<Pseudonym> = match (subjects.is_empty(), people, per_mille) {
        (false, None, None) => subjects.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect(),
        (true, Some(people), None) => some(tx, (purpose, *channel), |_| u64::from(*people), at)?,
        (true, None, Some(share)) => some(tx, (purpose, *channel), |all| (all * u64::from(*share)).div_ceil(1000), at)?,
        _ => return Err(Error::invalid(at, "say who withdraws by one of `subjects`, `people` and `per_mille`")),
    };
    withdraw(tx, (purpose, *channel), &who, at)?;
    let contact = channel.map(|channel| format!(" by {}", crate::facts::word(&channel))).unwrap_or_default();
    Ok(format!("{} people withdraw consent to `{}`{contact}", who.len(), purpose.unpinned()))
}

/// These people withdraw now.
///
/// # Errors
/// A key nobody registered.
pub fn withdraw(
    tx: &mut Tx<'_>,
    (purpose, channel): (&Ref, Option<Channel>),
    who: &[Pseudonym],
    at: &str,
) -> Result<()> {
    let mut lines = Vec::with_capacity(who.len());
    for (number, subject) in (1u32..).zip(who) {
        let record = ConsentRecord {
            record_id: uuid_text::Uuid(tx.new_id()),
            subject: subject.clone(),
            purpose: Some(purpose.unpinned()),
            channel,
            said: Said::Withdrawn,
            at: tx.now(),
            until: None,
            expression: Expression::Expressed,
            notice: None,
            method: None,
            indicated_by: IndicatedBy::DataSubject,
            invalid_from: None,
        };
        let doc = json::canonical(&record).map_err(|e| Error::Internal(e.to_string()))?;
        lines.push(Line { number, record, doc });
    }
    match record_all(tx, &lines)?.refused.into_iter().next() {
        None => Ok(()),
        Some(refused) => {
            Err(Error::invalid(&format!("{at}/subjects/{}", refused.line.saturating_sub(1)), refused.detail))
        }
    }
}

/// Some of those whose consent stands, spread evenly over the order in which they became known.
fn some(
    tx: &mut Tx<'_>,
    (purpose, channel): (&Ref, Option<Channel>),
    how_many: impl Fn(u64) -> u64,
    at: &str,
) -> Result<Vec<Pseudonym>> {
    let (world, now) = (tx.world(), tx.now());
    let will = Will::new(world, purpose, channel, Form::default(), now);
    let standing = world.people.standing(&will.wanted(world, now), now.micros())?;
    let all = standing.who().len();
    let wanted = how_many(all).min(all);
    if wanted > MOST_PEOPLE as u64 {
        return Err(Error::invalid(at, format!("{wanted} people are too many: suppose {MOST_PEOPLE} at most")));
    }
    let picked = |place: u64| place * wanted / all.max(1) != (place + 1) * wanted / all.max(1);
    let who: RoaringBitmap = (0..).zip(standing.who()).filter(|(place, _)| picked(*place)).map(|(_, n)| n).collect();
    let pseudonym = |(kid, subject): (String, crate::db::dictionary::Subject)| -> Result<Pseudonym> {
        let kid: KeyId = kid.parse().map_err(|_| Error::Internal("table subject: a key is none".to_owned()))?;
        Ok(Pseudonym::new(kid, subject.hash))
    };
    tx.subjects(&who)?.into_iter().map(pseudonym).collect()
}
