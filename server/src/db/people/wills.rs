//! What people said, read from its table: who has consent of one kind at a moment, as bitmaps. Nothing of it is folded from the
//! ledger, which holds salted commitments only; the position of the ledger says which rows count.
//!
//! A moment is computed from the nearest one known: only subjects of whom something was said or ended between the two are looked
//! at, and each of them from all they said.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use diesel::prelude::*;
use imbl::Vector;
use licit_schemas::consent::history::{Fold, Word};
use licit_schemas::consent::{ConsentRecord, Expression, IndicatedBy, Said};
use roaring::RoaringBitmap;

use super::standing::{Form, How};
use super::{bitmap, bytes};
use crate::db::MultiBackend;
use crate::db::conn::Conn;
use crate::db::schema::{consent_checkpoint, consent_record};
use crate::error::{Error, Result};

/// Rows read at a time.
const PAGE: i64 = 20_000;
/// Subjects asked for in one statement.
const SUBJECTS: usize = 500;
/// Beyond so many subjects to look at, everything is read in one go.
pub(super) const MANY: u64 = 20_000;

/// What somebody said, as its table holds it.
#[derive(Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = consent_record, check_for_backend(MultiBackend))]
pub struct Record {
    pub seq: i64,
    pub pos: i64,
    pub lane: i64,
    pub n: i64,
    pub said: i16,
    pub explicit: bool,
    pub parental: bool,
    pub said_at: i64,
    pub holds_until: Option<i64>,
    pub invalid_from: Option<i64>,
    pub record_id: Vec<u8>,
    pub doc: String,
}

impl Record {
    /// What of a record decides. Said a little ahead of the server's clock, it counts from when it was recorded.
    pub fn word(record: &ConsentRecord, recorded_at: i64) -> Word {
        Word {
            said: record.said,
            at: record.at.micros().min(recorded_at),
            until: record.until.map(|until| until.micros()),
            invalid_from: record.invalid_from.map(|from| from.micros()),
            explicit: record.expression == Expression::Explicit,
            parental: record.indicated_by == IndicatedBy::ParentalHolder,
        }
    }

    /// The record, if the columns say what it does.
    pub(super) fn says_so(&self, recorded_at: i64) -> Option<ConsentRecord> {
        let record: ConsentRecord = serde_json::from_str(&self.doc).ok()?;
        let same = record.record_id.0.as_bytes()[..] == self.record_id[..]
            && Self::word(&record, recorded_at) == Row::from(self).word().ok()?;
        same.then_some(record)
    }
}

/// What of it decides.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = consent_record, check_for_backend(MultiBackend))]
pub(super) struct Row {
    seq: i64,
    pos: i64,
    n: i64,
    said: i16,
    explicit: bool,
    parental: bool,
    said_at: i64,
    holds_until: Option<i64>,
    invalid_from: Option<i64>,
}

impl From<&Record> for Row {
    fn from(record: &Record) -> Self {
        let Record { seq, pos, n, said, explicit, parental, said_at, holds_until, invalid_from, .. } = *record;
        Self { seq, pos, n, said, explicit, parental, said_at, holds_until, invalid_from }
    }
}

impl Row {
    fn word(&self) -> Result<Word> {
        let said = Said::numbered(self.said)
            .ok_or_else(|| Error::Internal("table consent_record: what was said is none".to_owned()))?;
        Ok(Word {
            said,
            at: self.said_at,
            until: self.holds_until,
            invalid_from: self.invalid_from,
            explicit: self.explicit,
            parental: self.parental,
        })
    }
}

/// One kind of will, as known at a position of the ledger: its number, and the last entry that speaks of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneAt {
    /// Its number.
    pub lane: u32,
    /// The last entry that counts; 0 where none does.
    pub version: u64,
}

impl LaneAt {
    pub(super) fn key(self) -> (i64, i64) {
        (i64::from(self.lane), i64::try_from(self.version).unwrap_or(i64::MAX))
    }
}

/// A batch of records of the group that runs: they are not in the table yet.
pub struct Waiting {
    /// When they are recorded, in microseconds since 1970.
    pub at: i64,
    /// What they say, under one entry.
    pub records: Vec<Record>,
}

/// All of them.
pub type Fresh = Vector<Arc<Waiting>>;

/// Their records.
pub(super) fn waiting(fresh: &Fresh) -> impl Iterator<Item = &Record> {
    fresh.iter().flat_map(|batch| batch.records.iter())
}

/// The last entry of a version whose records are in the table: those of the group that runs are not, and where it is only tried
/// out, others may have been recorded meanwhile under the same numbers.
pub(super) fn stored(version: i64, fresh: &Fresh) -> i64 {
    waiting(fresh).next().map_or(version, |first| version.min(first.seq - 1))
}

/// Who wants what at a moment, and until when that stays so.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(super) of: LaneAt,
    /// The moment, in microseconds since 1970.
    pub(super) at: i64,
    /// The next moment at which something may change.
    pub(super) until: i64,
    /// Of whom anything was said by then.
    pub(super) spoken: RoaringBitmap,
    /// For whom it stands.
    pub(super) stands: RoaringBitmap,
    /// For whom it stands, explicitly.
    pub(super) explicit: RoaringBitmap,
    /// For whom it stands, given by whoever holds parental responsibility.
    pub(super) parental: RoaringBitmap,
}

impl Snapshot {
    fn nothing(lane: u32) -> Self {
        let none = RoaringBitmap::new;
        let of = LaneAt { lane, version: 0 };
        let (at, until) = (i64::MIN, i64::MIN);
        Self { of, at, until, spoken: none(), stands: none(), explicit: none(), parental: none() }
    }

    /// For whom it stands in a form.
    pub(super) fn in_form(&self, form: Form) -> RoaringBitmap {
        let mut stands = if form.explicit { self.explicit.clone() } else { self.stands.clone() };
        if form.parental {
            stands &= &self.parental;
        }
        stands
    }

    /// Bytes it takes, about.
    pub(super) fn size(&self) -> usize {
        let all = [&self.spoken, &self.stands, &self.explicit, &self.parental];
        all.into_iter().map(RoaringBitmap::serialized_size).sum::<usize>() + 200
    }

    fn set(&mut self, n: u32, fold: &Fold, at: i64) {
        let standing = fold.standing(at);
        for (bitmap, holds) in [
            (&mut self.spoken, standing.spoken),
            (&mut self.stands, standing.stands),
            (&mut self.explicit, standing.explicit),
            (&mut self.parental, standing.parental),
        ] {
            if holds {
                bitmap.insert(n);
            } else {
                bitmap.remove(n);
            }
        }
    }
}

/// What stood at a moment, from the nearest moment known. `fresh` are records not yet in the table.
///
/// # Errors
/// What the database said; rows that are none.
pub(super) fn snapshot(
    conn: &mut Conn,
    base: Option<&Snapshot>,
    of: LaneAt,
    at: i64,
    fresh: &Fresh,
) -> Result<Snapshot> {
    let near = match base {
        Some(base) => nearer_checkpoint(conn, of, Some(base.of.version))?.or_else(|| Some(base.clone())),
        None => nearer_checkpoint(conn, of, None)?,
    };
    let mut snapshot = match near {
        Some(known) => match changed(conn, &known, of, at, fresh)? {
            Some(subjects) => {
                let mut next = known;
                recompute(conn, &mut next, &subjects, of, at, fresh)?;
                next
            }
            None => whole(conn, of, at, fresh)?,
        },
        None => whole(conn, of, at, fresh)?,
    };
    (snapshot.of, snapshot.at) = (of, at);
    snapshot.until = next_change(conn, of, at, fresh)?;
    Ok(snapshot)
}

/// Subjects that may stand otherwise; none where they are too many to look at one by one.
fn changed(conn: &mut Conn, known: &Snapshot, of: LaneAt, at: i64, fresh: &Fresh) -> Result<Option<BTreeSet<i64>>> {
    use consent_record::{holds_until, lane, n, said, said_at, seq};
    let (number, version) = of.key();
    let (_, before) = known.of.key();
    let (from, to) = (known.at.min(at), known.at.max(at));
    let mut subjects: BTreeSet<i64> = BTreeSet::new();
    let between = |one: i64, low: i64, high: i64| low < one && one <= high;
    let recent = |row: &Record| {
        row.lane == number
            && row.seq <= version
            && (between(row.seq, before.min(version), before.max(version)) || between(row.said_at, from, to))
    };
    subjects.extend(waiting(fresh).filter(|row| recent(row)).map(|row| row.n));
    // One more than may be looked at: who gets that many got too many, and perhaps not all.
    let most = i64::try_from(MANY).unwrap_or(i64::MAX) + 1;
    let ours = || consent_record::table.filter(lane.eq(number)).select(n).distinct().limit(most);
    let mut whole = true;
    let mut add = |some: Vec<i64>| {
        whole &= some.len() as u64 <= MANY;
        subjects.extend(some);
    };
    if before != version {
        let (low, high) = (before.min(version), before.max(version));
        add(ours().filter(seq.gt(low)).filter(seq.le(high)).load(conn)?);
    }
    if from != to {
        add(ours().filter(said_at.gt(from)).filter(said_at.le(to)).load(conn)?);
        add(ours().filter(holds_until.gt(from)).filter(holds_until.le(to)).load(conn)?);
        // Few ever are: which moments they reach back to is not looked at.
        add(ours().filter(said.eq(i16::from(Said::Invalidated.number()))).load(conn)?);
    }
    let few = whole && subjects.len() as u64 <= MANY;
    Ok(few.then_some(subjects))
}

/// Look at some subjects anew, each from all they said.
fn recompute(
    conn: &mut Conn,
    next: &mut Snapshot,
    subjects: &BTreeSet<i64>,
    of: LaneAt,
    at: i64,
    fresh: &Fresh,
) -> Result<()> {
    let all: Vec<i64> = subjects.iter().copied().collect();
    for some in all.chunks(SUBJECTS) {
        let mut folds = history(conn, some, of, at, fresh)?;
        for subject in some {
            next.set(number(*subject)?, &folds.remove(subject).unwrap_or_default(), at);
        }
    }
    Ok(())
}

/// What some subjects said, folded for a moment.
fn history(conn: &mut Conn, subjects: &[i64], of: LaneAt, at: i64, fresh: &Fresh) -> Result<HashMap<i64, Fold>> {
    let mut folds: HashMap<i64, Fold> = HashMap::new();
    for row in rows_of(conn, subjects, of, fresh)? {
        folds.entry(row.n).or_default().take(row.word()?, at);
    }
    Ok(folds)
}

/// All that some subjects, sorted, said, in the order it was recorded.
fn rows_of(conn: &mut Conn, subjects: &[i64], of: LaneAt, fresh: &Fresh) -> Result<Vec<Row>> {
    use consent_record::{lane, n, seq};
    let (number, version) = of.key();
    let rows: Vec<Row> = consent_record::table
        .filter(n.eq_any(subjects))
        .filter(lane.eq(number))
        .filter(seq.le(stored(version, fresh)))
        .select(Row::as_select())
        .load(conn)?;
    let waiting =
        waiting(fresh).filter(|row| row.lane == number && row.seq <= version && subjects.binary_search(&row.n).is_ok());
    let by_place: BTreeMap<(i64, i64), Row> =
        rows.into_iter().chain(waiting.map(Row::from)).map(|row| ((row.seq, row.pos), row)).collect();
    Ok(by_place.into_values().collect())
}

/// What some subjects, sorted, said, word by word.
///
/// # Errors
/// What the database said; rows that are none.
pub(super) fn words(conn: &mut Conn, subjects: &[i64], of: LaneAt, fresh: &Fresh) -> Result<HashMap<i64, Vec<Word>>> {
    let placed = words_in_places(conn, subjects, of, fresh)?;
    Ok(placed.into_iter().map(|(n, words)| (n, words.into_iter().map(|(_, word)| word).collect())).collect())
}

/// Where a word was recorded: its entry of the ledger, and its place in the batch.
pub(super) type Place = (i64, i64);

/// [`words`] with their places.
///
/// # Errors
/// What the database said; rows that are none.
pub(super) fn words_in_places(
    conn: &mut Conn,
    subjects: &[i64],
    of: LaneAt,
    fresh: &Fresh,
) -> Result<HashMap<i64, Vec<(Place, Word)>>> {
    let mut said: HashMap<i64, Vec<(Place, Word)>> = HashMap::new();
    for some in subjects.chunks(SUBJECTS) {
        for row in rows_of(conn, some, of, fresh)? {
            said.entry(row.n).or_default().push(((row.seq, row.pos), row.word()?));
        }
    }
    Ok(said)
}

/// Who said that something is allowed, or took an objection back, after one moment and up to another.
///
/// # Errors
/// What the database said; rows that are none.
pub(super) fn allowed_between(
    conn: &mut Conn,
    (of, how): (LaneAt, How),
    (from, to): (i64, i64),
    fresh: &Fresh,
) -> Result<RoaringBitmap> {
    use consent_record::{lane, n, said, said_at, seq};
    let (lane_number, version) = of.key();
    let words = [Said::Given, Said::Renewed, Said::ObjectionWithdrawn, Said::ObjectionOverridden];
    // Against direct marketing, no grounds count (GDPR Art. 21(3)).
    let words = words.into_iter().filter(|word| how != How::Whatever || *word != Said::ObjectionOverridden);
    let allows: Vec<i16> = words.map(|word| i16::from(word.number())).collect();
    let subjects: Vec<i64> = consent_record::table
        .filter(lane.eq(lane_number))
        .filter(said_at.gt(from))
        .filter(said_at.le(to))
        .filter(seq.le(stored(version, fresh)))
        .filter(said.eq_any(&allows))
        .select(n)
        .distinct()
        .load(conn)?;
    let here = waiting(fresh)
        .filter(|row| row.lane == lane_number && row.said_at > from && row.said_at <= to && allows.contains(&row.said));
    subjects.into_iter().chain(here.map(|row| row.n)).map(number).collect()
}

/// Everything of a kind, read once, in the order it was recorded. Where what somebody says is later than all before, or their
/// first word, it decides as it comes; the few others are looked at anew, each from all they said.
fn whole(conn: &mut Conn, of: LaneAt, at: i64, fresh: &Fresh) -> Result<Snapshot> {
    use consent_record::{lane, pos, seq};
    let (number_of_lane, version) = of.key();
    let mut reading = Reading { snapshot: Snapshot::nothing(of.lane), latest: i64::MIN, otherwise: BTreeSet::new() };
    let mut after = (0, -1);
    loop {
        let page: Vec<Row> = consent_record::table
            .filter(lane.eq(number_of_lane))
            .filter(seq.le(stored(version, fresh)))
            .filter(seq.ge(after.0))
            .filter(seq.gt(after.0).or(pos.gt(after.1)))
            .order((seq, pos))
            .limit(PAGE)
            .select(Row::as_select())
            .load(conn)?;
        let Some(last) = page.last() else { break };
        after = (last.seq, last.pos);
        page.iter().try_for_each(|row| reading.take(row, at))?;
    }
    let waiting = waiting(fresh).filter(|row| row.lane == number_of_lane && row.seq <= version);
    for row in waiting.filter(|row| (row.seq, row.pos) > after) {
        reading.take(&Row::from(row), at)?;
    }
    let Reading { mut snapshot, otherwise, .. } = reading;
    recompute(conn, &mut snapshot, &otherwise, of, at, fresh)?;
    let all = [&mut snapshot.spoken, &mut snapshot.stands, &mut snapshot.explicit, &mut snapshot.parental];
    for bitmap in all {
        bitmap.optimize();
    }
    Ok(snapshot)
}

/// Words as they come.
struct Reading {
    snapshot: Snapshot,
    latest: i64,
    otherwise: BTreeSet<i64>,
}

impl Reading {
    fn take(&mut self, row: &Row, at: i64) -> Result<()> {
        let (word, n) = (row.word()?, number(row.n)?);
        if word.said == Said::Invalidated {
            self.otherwise.insert(row.n);
        }
        if word.at > at {
            return Ok(());
        }
        if word.at < self.latest && self.snapshot.spoken.contains(n) {
            self.otherwise.insert(row.n);
            return Ok(());
        }
        self.latest = self.latest.max(word.at);
        let mut fold = Fold::default();
        fold.take(word, at);
        self.snapshot.set(n, &fold, at);
        Ok(())
    }
}

/// The next moment after this one at which something of it may be otherwise.
fn next_change(conn: &mut Conn, of: LaneAt, at: i64, fresh: &Fresh) -> Result<i64> {
    use consent_record::{holds_until, invalid_from, lane, said, said_at};
    use diesel::dsl::min;
    let (number, _) = of.key();
    let ours = || consent_record::table.filter(lane.eq(number));
    let next_said: Option<i64> = ours().filter(said_at.gt(at)).select(min(said_at)).first(conn)?;
    let next_end: Option<i64> = ours().filter(holds_until.gt(at)).select(min(holds_until)).first(conn)?;
    let next_invalid: Option<i64> = ours()
        .filter(said.eq(i16::from(Said::Invalidated.number())))
        .filter(invalid_from.gt(at))
        .select(min(invalid_from))
        .first(conn)?;
    let waiting = waiting(fresh).filter(|row| row.lane == number);
    let waiting = waiting.flat_map(|row| [Some(row.said_at), row.holds_until, row.invalid_from]).flatten();
    let next = waiting.filter(|moment| *moment > at).chain([next_said, next_end, next_invalid].into_iter().flatten());
    Ok(next.min().unwrap_or(i64::MAX))
}

fn number(n: i64) -> Result<u32> {
    u32::try_from(n).map_err(|_| Error::Internal("table consent_record: a subject is none".to_owned()))
}

/// A checkpoint as its table holds it.
#[derive(Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = consent_checkpoint, check_for_backend(MultiBackend))]
pub struct Checkpoint {
    lane: i64,
    version: i64,
    moment: i64,
    until: i64,
    spoken: Vec<u8>,
    stands: Vec<u8>,
    explicit: Vec<u8>,
    parental: Vec<u8>,
}

impl Checkpoint {
    /// Of which kind of will, the entry it knows, and its moment.
    pub(super) fn key(&self) -> (i64, i64, i64) {
        (self.lane, self.version, self.moment)
    }

    /// Of what stood.
    ///
    /// # Errors
    /// None in memory.
    pub fn of(snapshot: &Snapshot) -> Result<Self> {
        let (lane, version) = snapshot.of.key();
        Ok(Self {
            lane,
            version,
            moment: snapshot.at,
            until: snapshot.until,
            spoken: bytes(&snapshot.spoken)?,
            stands: bytes(&snapshot.stands)?,
            explicit: bytes(&snapshot.explicit)?,
            parental: bytes(&snapshot.parental)?,
        })
    }
}

/// The last checkpoint that knows no more than is asked, unless what is at hand knows more of it.
fn nearer_checkpoint(conn: &mut Conn, of: LaneAt, at_hand: Option<u64>) -> Result<Option<Snapshot>> {
    use consent_checkpoint::{lane, moment, version};
    let (number, known) = of.key();
    let latest: Option<(i64, i64)> = consent_checkpoint::table
        .filter(lane.eq(number))
        .filter(version.le(known))
        .order((version.desc(), moment.desc()))
        .select((version, moment))
        .first(conn)
        .optional()?;
    let Some(key) = latest else { return Ok(None) };
    let far = |one: u64| one.abs_diff(of.version);
    let stored = u64::try_from(key.0).unwrap_or(0);
    if at_hand.is_some_and(|hand| far(hand) <= far(stored)) {
        return Ok(None);
    }
    let found: Checkpoint =
        consent_checkpoint::table.find((number, key.0, key.1)).select(Checkpoint::as_select()).first(conn)?;
    Ok(Some(Snapshot {
        of: LaneAt { lane: of.lane, version: stored },
        at: found.moment,
        until: found.until,
        spoken: bitmap(&found.spoken)?,
        stands: bitmap(&found.stands)?,
        explicit: bitmap(&found.explicit)?,
        parental: bitmap(&found.parental)?,
    }))
}
