//! What stood at some moments, kept in a table so that neither a server that starts nor a question about the past begins at the
//! beginning. Nothing rests on it: it can be made anew from the records at any time.

use std::collections::HashSet;

use diesel::prelude::*;

use super::standing::unread;
use super::wills::{self, Checkpoint, Fresh, LaneAt, MANY};
use super::{Change, People, bitmap, bytes, securely};
use crate::db::conn::Conn;
use crate::db::schema::{consent_checkpoint, consent_record};
use crate::db::{Projection, Tx};
use crate::error::Result;

/// Records of one kind of will after which what stands is kept anew. Up to [`MANY`] people who changed are looked at one by one,
/// beyond that everything is read: at half of it, every moment since has a checkpoint from which few are looked at.
pub const EVERY: u64 = MANY / 2;

/// Microseconds of an hour, and of a day.
const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// What stands of a kind of will, read and not kept yet.
#[derive(Clone)]
pub struct Drawn {
    checkpoint: Checkpoint,
    /// How many people were erased when it was read.
    erased: u64,
}

impl People {
    /// What stands of a kind of will at a moment, in microseconds since 1970, for a checkpoint. Read through the reader's own
    /// connection: whoever asks the gate does not wait for it.
    ///
    /// # Errors
    /// What the database said.
    pub fn draw(&self, conn: &mut Conn, of: LaneAt, at: i64) -> Result<Drawn> {
        let wills = self.wills.as_ref().ok_or_else(unread)?;
        let base = wills.nearest(of, at, self.erased);
        let snapshot = wills::snapshot(conn, base.as_deref(), of, at, &Fresh::new())?;
        Ok(Drawn { checkpoint: Checkpoint::of(&snapshot)?, erased: self.erased })
    }
}

impl<P: Projection> Tx<'_, P> {
    /// Keep what was drawn. Where somebody was erased since it was read, or another server kept as much, nothing is kept.
    ///
    /// # Errors
    /// What the database said.
    pub fn keep_checkpoint(&mut self, drawn: &Drawn) -> Result<bool> {
        use consent_checkpoint::{lane, version};
        // The lock is held: whoever another server erased is known from here on.
        self.know_people()?;
        let people = self.world.people();
        if people.is_erasing() || people.erased != drawn.erased {
            return Ok(false);
        }
        let (of, position, _) = drawn.checkpoint.key();
        let newest: Option<i64> =
            consent_checkpoint::table.filter(lane.eq(of)).select(diesel::dsl::max(version)).first(self.conn)?;
        if newest.is_some_and(|newest| newest >= position) {
            return Ok(false);
        }
        self.batch.people.push(Change::Checkpoint(drawn.checkpoint.clone()));
        Ok(true)
    }
}

/// How many records of a kind of will came after its newest checkpoint.
///
/// # Errors
/// What the database said.
pub fn unkept(conn: &mut Conn, of: LaneAt) -> Result<u64> {
    let lane = i64::from(of.lane);
    let newest: Option<i64> = consent_checkpoint::table
        .filter(consent_checkpoint::lane.eq(lane))
        .select(diesel::dsl::max(consent_checkpoint::version))
        .first(conn)?;
    let since: i64 = consent_record::table
        .filter(consent_record::lane.eq(lane))
        .filter(consent_record::seq.gt(newest.unwrap_or(0)))
        .count()
        .get_result(conn)?;
    Ok(u64::try_from(since).unwrap_or(0))
}

/// Write one, and let go of older ones that have another near.
pub(super) fn keep(conn: &mut Conn, checkpoint: Checkpoint) -> Result<()> {
    use consent_checkpoint::{moment, version};
    let (lane, _, now) = checkpoint.key();
    let query = diesel::insert_into(consent_checkpoint::table).values(checkpoint).on_conflict_do_nothing();
    match conn {
        Conn::Postgres(pg) => query.execute(pg)?,
        Conn::Sqlite(lite) => query.execute(lite)?,
    };
    let kept: Vec<(i64, i64)> = consent_checkpoint::table
        .filter(consent_checkpoint::lane.eq(lane))
        .order((version.desc(), moment.desc()))
        .select((version, moment))
        .load(conn)?;
    let goes = too_near(&kept, now);
    if goes.is_empty() {
        return Ok(());
    }
    securely(conn, |conn| {
        for (known, at) in goes {
            diesel::delete(consent_checkpoint::table.find((lane, known, at))).execute(conn)?;
        }
        Ok(())
    })
}

/// Of checkpoints of one kind of will, newest first, those that go: of the last day one an hour stays, of the last thirty days one
/// a day, of before one in thirty days. The newest of each stays.
fn too_near(kept: &[(i64, i64)], now: i64) -> Vec<(i64, i64)> {
    let mut seen = HashSet::new();
    let width = |moment: i64| match now - moment {
        age if age < DAY => HOUR,
        age if age < 30 * DAY => DAY,
        _ => 30 * DAY,
    };
    let near = |(_, moment): &&(i64, i64)| !seen.insert((width(*moment), moment.div_euclid(width(*moment))));
    kept.iter().filter(near).copied().collect()
}

/// Take somebody out of the checkpoints of everything they spoke of. What stands for others, also then, stays at hand.
pub(super) fn erase(conn: &mut Conn, n: i64) -> Result<()> {
    use consent_checkpoint::{explicit, lane, moment, parental, spoken, stands, version};
    let Ok(number) = u32::try_from(n) else { return Ok(()) };
    let lanes: Vec<i64> =
        consent_record::table.filter(consent_record::n.eq(n)).select(consent_record::lane).distinct().load(conn)?;
    let keys: Vec<(i64, i64, i64)> =
        consent_checkpoint::table.filter(lane.eq_any(lanes)).select((lane, version, moment)).load(conn)?;
    for key in keys {
        let found: (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>) =
            consent_checkpoint::table.find(key).select((spoken, stands, explicit, parental)).first(conn)?;
        let mut was = false;
        let mut without = |stored: &[u8]| -> Result<Vec<u8>> {
            let mut people = bitmap(stored)?;
            was |= people.remove(number);
            bytes(&people)
        };
        let (all, standing) = (without(&found.0)?, without(&found.1)?);
        let (explicitly, by_parents) = (without(&found.2)?, without(&found.3)?);
        if was {
            diesel::update(consent_checkpoint::table.find(key))
                .set((spoken.eq(all), stands.eq(standing), explicit.eq(explicitly), parental.eq(by_parents)))
                .execute(conn)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_they_are_the_farther_apart_they_stand() {
        let now = 1000 * DAY;
        // One each quarter of an hour, for a hundred days.
        let all: Vec<(i64, i64)> = (0..100 * 96).map(|place| (10_000 - place, now - place * HOUR / 4)).collect();
        let goes: HashSet<(i64, i64)> = too_near(&all, now).into_iter().collect();
        let stays: Vec<i64> = all.iter().filter(|one| !goes.contains(one)).map(|(_, moment)| *moment).collect();
        assert_eq!(stays.first(), Some(&now), "the newest always");
        let gaps = |from: i64, to: i64| {
            let within: Vec<i64> = stays.iter().copied().filter(|m| (from..to).contains(&(now - m))).collect();
            (within.len(), within.windows(2).map(|pair| pair[0] - pair[1]).max().unwrap_or(0))
        };
        assert_eq!(gaps(0, DAY), (25, HOUR));
        assert_eq!(gaps(DAY, 30 * DAY).1, DAY);
        assert!(gaps(30 * DAY, 100 * DAY).0 <= 4 && stays.len() < 62, "{}", stays.len());
        // Looked at again, the same stay.
        let left: Vec<(i64, i64)> = all.iter().filter(|one| !goes.contains(one)).copied().collect();
        assert_eq!(too_near(&left, now), []);
    }
}
