//! Kinds of will, each counted for itself: consent to a purpose, being contacted by a channel, an objection. Folded from the
//! ledger, which says of each batch what it spoke of and since when, and never who.

use std::sync::Arc;

use imbl::{OrdMap, Vector};
use licit_schemas::consent::{Channel, Family};
use licit_schemas::digest::Digest;
use licit_schemas::reference::Ref;
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::people::LaneAt;
use crate::maps::HashMap;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Records came: how many, of what, and a commitment to each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentRecorded {
    /// Opaque id of the batch.
    pub id: Uuid,
    /// Records in it.
    pub count: u64,
    /// Merkle root over the salted commitments of the records, in their order (RFC 9162 §2.1.1); the salts are erasable.
    pub root: Digest,
    /// What they speak of.
    pub about: Vec<About>,
}

/// What some records of a batch speak of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Consent, objection, restriction.
    pub family: Family,
    /// What for; absent, for everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Ref>,
    /// By which way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The day (UTC) of the earliest moment at which they may change what stands.
    pub since: Timestamp,
    /// How many they are.
    pub count: u64,
}

/// What a will is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane {
    /// Consent, objection, restriction.
    pub family: Family,
    /// `purpose:<key>`; none for everything.
    pub purpose: Option<Arc<str>>,
    /// By which way.
    pub channel: Option<Channel>,
}

impl About {
    /// The lane it is of.
    pub fn lane(&self) -> Lane {
        let purpose = self.purpose.as_ref().map(|purpose| purpose.to_string().into());
        Lane { family: self.family, purpose, channel: self.channel }
    }
}

/// Since which day what is known of a lane may be otherwise, by the last entry that says so: later entries that reach further back
/// take the place of earlier ones, so that both grow together.
#[derive(Clone, Debug, Default)]
struct Since(OrdMap<i64, u64>);

impl Since {
    fn said(&mut self, day: i64, seq: u64) {
        let over: Vec<i64> = self.0.range(day..).map(|(day, _)| *day).collect();
        for day in over {
            self.0.remove(&day);
        }
        self.0.insert(day, seq);
    }

    /// The last entry that can matter at a moment.
    fn at(&self, moment: i64) -> u64 {
        self.0.range(..=moment.div_euclid(DAY)).next_back().map_or(0, |(_, seq)| *seq)
    }
}

/// All lanes, numbered in the order they were first spoken of.
#[derive(Clone, Default)]
pub struct Lanes {
    numbers: HashMap<Lane, u32>,
    since: Vector<Since>,
    /// Records of each there ever were.
    counts: Vector<u64>,
    /// The kinds there are lanes of.
    families: Vec<Family>,
}

/// The day of a moment, as the ledger tells it.
pub fn day(moment: Timestamp) -> Timestamp {
    let start = moment.micros().div_euclid(DAY) * DAY;
    Timestamp::from_micros(start).unwrap_or(moment)
}

impl Lanes {
    /// Number of a lane, if anything was ever said of it.
    pub fn number(&self, lane: &Lane) -> Option<u32> {
        self.numbers.get(lane).copied()
    }

    /// Whether nobody ever said anything.
    pub fn is_empty(&self) -> bool {
        self.since.is_empty()
    }

    /// Whether anybody ever said anything of a kind.
    pub fn speak_of(&self, family: Family) -> bool {
        self.families.contains(&family)
    }

    /// A lane as far as it matters at a moment, in microseconds since 1970; none where nobody ever spoke of it.
    pub fn at(&self, lane: &Lane, moment: i64) -> Option<LaneAt> {
        let number = self.number(lane)?;
        let since = self.since.get(usize::try_from(number).ok()?)?;
        Some(LaneAt { lane: number, version: since.at(moment) })
    }

    /// A lane with all that is known of it.
    pub fn whole(&self, lane: &Lane) -> Option<LaneAt> {
        self.at(lane, i64::MAX)
    }

    /// Each lane of which anything can matter at a moment, in microseconds since 1970, with how many records of it there ever were.
    pub fn each(&self, moment: i64) -> impl Iterator<Item = (LaneAt, u64)> {
        let lanes = (0u32..).zip(self.since.iter().zip(&self.counts));
        let at =
            move |(lane, (since, count)): (u32, (&Since, &u64))| (LaneAt { lane, version: since.at(moment) }, *count);
        lanes.map(at).filter(|(of, _)| of.version > 0)
    }

    /// Every lane of a kind, by number, with all that is known of it.
    pub fn of(&self, family: Family) -> Vec<(&Lane, LaneAt)> {
        let all = self.numbers.keys().filter(|lane| lane.family == family);
        let mut lanes: Vec<_> = all.filter_map(|lane| Some((lane, self.whole(lane)?))).collect();
        lanes.sort_unstable_by_key(|(_, at)| at.lane);
        lanes
    }

    /// Fold a batch in.
    pub fn recorded(&mut self, fact: &ConsentRecorded, seq: u64) {
        for about in &fact.about {
            let fresh = u32::try_from(self.since.len()).unwrap_or(u32::MAX);
            let number = *self.numbers.entry(about.lane()).or_insert(fresh);
            if number == fresh {
                self.since.push_back(Since::default());
                self.counts.push_back(0);
                if !self.families.contains(&about.family) {
                    self.families.push(about.family);
                }
            }
            let place = usize::try_from(number).unwrap_or(usize::MAX);
            if let (Some(since), Some(count)) = (self.since.get_mut(place), self.counts.get_mut(place)) {
                since.said(about.since.micros().div_euclid(DAY), seq);
                *count += about.count;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_entry_that_can_matter_is_found() {
        let mut since = Since::default();
        for (day, seq) in [(10, 1), (12, 2), (20, 3)] {
            since.said(day, seq);
        }
        let at = |since: &Since, day: i64| since.at(day * DAY + 5);
        assert_eq!([9, 10, 11, 12, 19, 20, 99].map(|day| at(&since, day)), [0, 1, 1, 2, 2, 3, 3]);
        // A late one reaches back: from its day on, everything is as the last entry says.
        since.said(11, 4);
        assert_eq!([10, 11, 12, 20].map(|day| at(&since, day)), [1, 4, 4, 4]);
        assert_eq!(since.at(i64::MAX), 4);
    }
}
