//! For whom consent stands, remembered: by what is asked, as known at an entry of the ledger, for as long as nothing changes. The
//! gate asks three hundred datasets in a walk of a tenth of a millisecond, so each answer is a number that is looked up; when
//! something is said, the numbers are brought forward by who changed, and nobody is counted anew.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel::prelude::*;
use diesel::r2d2::Pool;
use licit_schemas::consent::history::Against;
use licit_schemas::known::KnownAt;
use licit_schemas::time::Timestamp;
use roaring::RoaringBitmap;

use super::said;
use super::wills::{Fresh, LaneAt, Snapshot, allowed_between, snapshot};
use crate::db::NumberHasher;
use crate::db::conn::{Conn, Manager};
use crate::db::schema::ledger_entry;
use crate::error::{Error, Result};

/// How many members lack it, by the entry of the ledger that brought the members.
type Counts = HashMap<u64, u64, BuildHasherDefault<NumberHasher>>;

/// Bytes of bitmaps remembered, of either kind.
const REMEMBERED: usize = 96 << 20;
/// People whose words are read one by one for the first of them who is against something.
const MOST_READ: u64 = 100_000;
/// Connections for what is not remembered: apart from the readers', who may wait for this while they hold theirs.
const CONNECTIONS: u32 = 2;

/// Consent for what: a purpose with the broader ones that cover it, nearest first, and where contact is asked for, too, the same
/// of its channel. Whoever spoke of the nearer is not asked about the broader.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Chains, all of which must agree.
    pub chains: Vec<Vec<LaneAt>>,
    /// How what they say is brought together.
    pub how: How,
}

/// How what is said in several places is brought together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// Consent: the nearest word of a chain counts, and every chain must allow, in this form.
    Consent(Form),
    /// Who spoke of it and does not allow it, in any chain.
    Refused,
    /// Objections and restrictions: any one stands.
    Any,
    /// Objections, whatever grounds were held against them: any one that the person did not withdraw (GDPR Art. 21(3)).
    Whatever,
}

/// What form consent must have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Form {
    /// It must be explicit (GDPR Art. 9(2)(a)).
    pub explicit: bool,
    /// Whoever holds parental responsibility must have given it (GDPR Art. 8(1)).
    pub parental: bool,
}

impl Wanted {
    /// Whether the same is asked, of whatever version.
    fn alike(&self, other: &Self) -> bool {
        let lanes = |one: &Self| -> Vec<Vec<u32>> {
            one.chains.iter().map(|chain| chain.iter().map(|at| at.lane).collect()).collect()
        };
        self.how == other.how && lanes(self) == lanes(other)
    }
}

/// For whom it stands at a moment, with the members of datasets counted so far.
#[derive(Debug)]
pub struct Standing {
    wanted: Wanted,
    /// Of entries after it, no number is remembered: another may bear it, where the group fails.
    committed: u64,
    from: i64,
    until: i64,
    who: RoaringBitmap,
    missing: Mutex<Counts>,
    /// Since when the first of them has been against it, once somebody asked.
    since: Mutex<Option<Option<i64>>>,
    /// The same of this and an earlier moment, by entry, that moment's beginning and what else is left out.
    both: Mutex<HashMap<(u64, i64, u64), u64>>,
}

impl Standing {
    /// Those for whom it stands, by number.
    pub fn who(&self) -> &RoaringBitmap {
        &self.who
    }

    /// Whether those count for whom it stands: who refused, objects or is restricted.
    fn against(&self) -> bool {
        matches!(self.wanted.how, How::Refused | How::Any | How::Whatever)
    }

    /// Those of some people who lack it: for whom consent does not stand; of objections and the like, for whom they do.
    pub fn lacking(&self, members: &RoaringBitmap) -> RoaringBitmap {
        if self.against() { members & &self.who } else { members - &self.who }
    }

    /// How many members lack it. `id` is the entry of the ledger that brought them.
    pub fn missing(&self, id: u64, members: &RoaringBitmap) -> u64 {
        if let Some(known) = locked(&self.missing).get(&id) {
            return *known;
        }
        let standing = members.intersection_len(&self.who);
        let missing = if self.against() { standing } else { members.len() - standing };
        if id <= self.committed {
            locked(&self.missing).insert(id, missing);
        }
        missing
    }

    /// What was counted so far, to be asked of many at once; nothing can be counted while this is held.
    pub fn counted(&self) -> Counted<'_> {
        Counted(locked(&self.missing))
    }

    /// Members who lack it now and at another moment, but for those that `except` names: counted once for each such moment, and for
    /// each `mark` of what `except` names.
    ///
    /// # Errors
    /// Those of `except`.
    pub fn missing_in_both(
        &self,
        then: &Self,
        (id, members): (u64, &RoaringBitmap),
        mark: u64,
        except: impl FnOnce() -> Result<RoaringBitmap>,
    ) -> Result<u64> {
        if self.missing(id, members) == 0 || then.missing(id, members) == 0 {
            return Ok(0);
        }
        let key = (id, then.from, mark);
        if let Some(known) = locked(&self.both).get(&key) {
            return Ok(*known);
        }
        let lacking = then.lacking(&self.lacking(members));
        let missing = if lacking.is_empty() { 0 } else { lacking.difference_len(&except()?) };
        if id <= self.committed {
            let mut both = locked(&self.both);
            // The other moment moves on with the clock: what was counted before it is not asked again.
            both.retain(|(known, _, marked), _| *known != id || *marked != mark);
            both.insert(key, missing);
        }
        Ok(missing)
    }

    /// Numbers of an earlier one, brought forward by who changed.
    fn bring_forward(&self, before: &Self, members: impl Fn(u64) -> Option<Arc<RoaringBitmap>>) {
        let (gained, lost) = (&self.who - &before.who, &before.who - &self.who);
        let counted: Vec<(u64, u64)> = locked(&before.missing).iter().map(|(id, count)| (*id, *count)).collect();
        let mut missing = locked(&self.missing);
        for (id, count) in counted {
            if let Some(members) = members(id) {
                let (more, fewer) = if self.against() { (&gained, &lost) } else { (&lost, &gained) };
                let now = count + members.intersection_len(more) - members.intersection_len(fewer);
                missing.insert(id, now);
            }
        }
    }

    fn size(&self) -> usize {
        self.who.serialized_size() + 200
    }
}

/// How many members lack it, as far as that was counted.
pub struct Counted<'s>(MutexGuard<'s, Counts>);

impl Counted<'_> {
    /// Of the members that an entry of the ledger brought.
    #[inline]
    pub fn missing(&self, id: u64) -> Option<u64> {
        self.0.get(&id).copied()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What whoever asks knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// The last durable entry.
    pub committed: u64,
    /// How many people were erased.
    pub erased: u64,
    /// Whether some of them by a group that is not durable: nothing remembered is used then.
    pub aside: bool,
}

/// What is remembered, last asked last.
#[derive(Default)]
struct Memo {
    /// How many people were erased when it was made.
    erased: u64,
    snapshots: Vec<Arc<Snapshot>>,
    standings: Vec<Arc<Standing>>,
}

impl Memo {
    /// What is remembered nearest to a version and a moment, of a version no later than the latest that counts.
    fn nearest(&self, of: LaneAt, at: i64, latest: u64) -> Option<Arc<Snapshot>> {
        let of_lane = self.snapshots.iter().filter(|one| one.of.lane == of.lane && one.of.version <= latest);
        of_lane.min_by_key(|one| (one.of.version.abs_diff(of.version), one.at.abs_diff(at))).cloned()
    }
}

/// Give up what was asked longest ago, until the rest fits.
fn fit<T>(kept: &mut Vec<Arc<T>>, size: impl Fn(&T) -> usize) {
    let mut bytes: usize = kept.iter().map(|one| size(one)).sum();
    while bytes > REMEMBERED && kept.len() > 1 {
        bytes -= size(&kept.remove(0));
    }
}

/// Take the one that fits, and put it last.
fn recall<T>(kept: &mut Vec<Arc<T>>, fits: impl Fn(&T) -> bool) -> Option<Arc<T>> {
    let place = kept.iter().rposition(|one| fits(one))?;
    let found = kept.remove(place);
    kept.push(found.clone());
    Some(found)
}

/// What people said, read on demand and remembered.
pub(super) struct Wills {
    pool: Pool<Manager>,
    memo: Mutex<Memo>,
    /// One computes at a time: whoever waits finds it remembered.
    turn: Mutex<()>,
}

impl Wills {
    pub(super) fn new(manager: &Manager) -> Self {
        let pool = Pool::builder()
            .max_size(CONNECTIONS)
            .min_idle(Some(0))
            .connection_timeout(crate::db::PATIENCE)
            .test_on_check_out(!manager.is_sqlite())
            .build_unchecked(manager.read_only());
        Self { pool, memo: Mutex::default(), turn: Mutex::default() }
    }

    fn remembered(&self, wanted: &Wanted, at: i64) -> Option<Arc<Standing>> {
        let fits = |one: &Standing| one.wanted == *wanted && one.from <= at && at < one.until;
        recall(&mut locked(&self.memo).standings, fits)
    }

    /// For whom it stands at a moment. `fresh` are records that are not durable yet: what rests on them is not remembered.
    ///
    /// # Errors
    /// What the database said.
    pub(super) fn standing(
        &self,
        wanted: &Wanted,
        at: i64,
        known: Known,
        fresh: &Fresh,
        members: impl Fn(u64) -> Option<Arc<RoaringBitmap>>,
    ) -> Result<Arc<Standing>> {
        let current = !known.aside && self.erased(known.erased);
        // Another entry may bear the number of one that is not durable: what is remembered is of that one then.
        let durable = current && wanted.chains.iter().flatten().all(|of| of.version <= known.committed);
        if let Some(found) = self.remembered(wanted, at).filter(|_| durable) {
            return Ok(found);
        }
        let _turn = locked(&self.turn);
        if let Some(found) = self.remembered(wanted, at).filter(|_| durable) {
            return Ok(found);
        }
        let mut snapshots = Vec::with_capacity(wanted.chains.len());
        for chain in &wanted.chains {
            let chain: Vec<Arc<Snapshot>> = chain
                .iter()
                .map(|of| self.snapshot(*of, at, fresh, (known, current, durable)))
                .collect::<Result<_>>()?;
            snapshots.push(chain);
        }
        let all = || snapshots.iter().flatten();
        let made = Arc::new(Standing {
            wanted: wanted.clone(),
            committed: known.committed,
            from: at,
            until: all().map(|one| one.until).min().unwrap_or(i64::MAX),
            who: together(&snapshots, wanted.how),
            missing: Mutex::default(),
            since: Mutex::default(),
            both: Mutex::default(),
        });
        let mut memo = locked(&self.memo);
        // Somebody may have been erased meanwhile: whoever knows that must not meet what was counted with them.
        if durable && memo.erased == known.erased {
            if let Some(before) = memo.standings.iter().rev().find(|one| one.wanted.alike(wanted)) {
                made.bring_forward(before, members);
            }
            memo.standings.push(made.clone());
            fit(&mut memo.standings, Standing::size);
        }
        Ok(made)
    }

    fn snapshot(
        &self,
        of: LaneAt,
        at: i64,
        fresh: &Fresh,
        (known, current, durable): (Known, bool, bool),
    ) -> Result<Arc<Snapshot>> {
        let base = {
            let mut memo = locked(&self.memo);
            let fits = |one: &Snapshot| durable && one.of == of && one.at <= at && at < one.until;
            if let Some(found) = recall(&mut memo.snapshots, fits) {
                return Ok(found);
            }
            let latest = if durable { u64::MAX } else { known.committed };
            memo.nearest(of, at, latest).filter(|_| current)
        };
        let made = Arc::new(self.read(|conn| snapshot(conn, base.as_deref(), of, at, fresh))?);
        let mut memo = locked(&self.memo);
        if durable && memo.erased == known.erased {
            memo.snapshots.push(made.clone());
            fit(&mut memo.snapshots, Snapshot::size);
        }
        Ok(made)
    }

    pub(super) fn allowed_between(&self, wanted: &Wanted, between: (i64, i64), fresh: &Fresh) -> Result<RoaringBitmap> {
        let mut all = RoaringBitmap::new();
        self.read(|conn| {
            for of in wanted.chains.iter().flatten() {
                all |= allowed_between(conn, (*of, wanted.how), between, fresh)?;
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// See [`super::People::against`].
    pub(super) fn against(
        &self,
        standing: &Standing,
        who: &RoaringBitmap,
        moment: i64,
        fresh: &Fresh,
    ) -> Result<Option<i64>> {
        let all = who.len() == standing.who.len();
        if let Some(known) = locked(&standing.since).filter(|_| all) {
            return Ok(known);
        }
        let Wanted { chains, how } = &standing.wanted;
        let against = match how {
            How::Consent(_) | How::Refused => Against::Unwilling,
            How::Any => Against::Any,
            How::Whatever => Against::Whatever,
        };
        let since = self.read(|conn| {
            if who.len() > MOST_READ {
                return said::first_recorded(conn, chains, fresh);
            }
            said::against(conn, who, (chains, against), fresh, moment)
        })?;
        if all {
            *locked(&standing.since) = Some(since);
        }
        Ok(since)
    }

    pub(super) fn position_at(&self, at: i64) -> Result<u64> {
        let Some(at) = Timestamp::from_micros(at) else { return Ok(0) };
        self.read(|conn| crate::db::position(conn, KnownAt::Time(at)))
    }

    pub(super) fn recorded_at(&self, position: u64) -> Result<Option<i64>> {
        let seq = i64::try_from(position).unwrap_or(i64::MAX);
        let at: Option<chrono::NaiveDateTime> =
            self.read(|conn| Ok(ledger_entry::table.find(seq).select(ledger_entry::at).first(conn).optional()?))?;
        Ok(at.map(|at| Timestamp::from_naive(at).micros()))
    }

    fn read<T>(&self, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        let mut conn = self.pool.get().map_err(crate::db::unreachable)?;
        crate::db::read_only(&mut conn, work)
    }

    /// What is remembered nearest to a version and a moment, if it is of the same people.
    pub(super) fn nearest(&self, of: LaneAt, at: i64, erased: u64) -> Option<Arc<Snapshot>> {
        if self.erased(erased) { locked(&self.memo).nearest(of, at, u64::MAX) } else { None }
    }

    /// Whether what is remembered is of the same people. Of fewer erased, it is forgotten; whoever still knows one more of them
    /// does not use it.
    fn erased(&self, erased: u64) -> bool {
        let mut memo = locked(&self.memo);
        if memo.erased < erased {
            *memo = Memo { erased, ..Memo::default() };
        }
        memo.erased == erased
    }
}

/// What several kinds of will say together.
fn together(chains: &[Vec<Arc<Snapshot>>], how: How) -> RoaringBitmap {
    if how == How::Any {
        return chains.iter().flatten().fold(RoaringBitmap::new(), |all, one| all | &one.stands);
    }
    if how == How::Whatever {
        return chains.iter().flatten().fold(RoaringBitmap::new(), |all, one| all | &one.explicit);
    }
    let form = if let How::Consent(form) = how { form } else { Form::default() };
    let allowed = |chain: &[Arc<Snapshot>]| {
        // From the broadest on: who spoke of the nearer is taken at that word.
        chain.iter().rev().fold(RoaringBitmap::new(), |all, one| (all - &one.spoken) | one.in_form(form))
    };
    if how == How::Refused {
        let refused = |chain: &[Arc<Snapshot>]| {
            let spoken = chain.iter().fold(RoaringBitmap::new(), |all, one| all | &one.spoken);
            spoken - allowed(chain)
        };
        return chains.iter().fold(RoaringBitmap::new(), |all, chain| all | refused(chain));
    }
    let mut chains = chains.iter().map(|chain| allowed(chain));
    let Some(first) = chains.next() else { return RoaringBitmap::new() };
    chains.fold(first, |all, one| all & one)
}

/// Why nothing is known of what people said.
pub(super) fn unread() -> Error {
    Error::Internal("what people said is not read here".to_owned())
}
