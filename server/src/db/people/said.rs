//! Records of what people said: kept with the group that commits to them, and found again by their ids.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use diesel::prelude::*;
use imbl::Vector;
use licit_schemas::consent::history::{Against, Word, begun, ended};
use licit_schemas::subjects::Pseudonym;
use licit_schemas::time::Timestamp;
use roaring::RoaringBitmap;

use super::erase::NOBODY;
use super::wills::{self, Fresh, LaneAt, Place, Record, Waiting, waiting};
use super::{Change, Leaves, Set, SubjectRow, bytes, read};
use crate::db::conn::Conn;
use crate::db::dictionary::Subject;
use crate::db::schema::{consent_batch, consent_record, erased_record, ledger_entry, subject};
use crate::db::{Projection, Tx};
use crate::error::{Error, Result};

/// Ids asked for in one statement.
const IDS: usize = 500;
/// Rows of one statement: twelve variables each, of which SQLite takes 32,766.
const ROWS: usize = 2_700;

/// Id of a record.
pub type RecordId = [u8; 16];

/// Records that a group asks for, looked up at once before it runs: it holds the lock, so that nobody else records any.
#[derive(Default)]
pub(in crate::db) struct Asked {
    ids: HashSet<RecordId>,
    found: HashMap<RecordId, (u64, String)>,
}

impl Asked {
    /// Look them up, where that spares anything.
    ///
    /// # Errors
    /// What the database said.
    pub(in crate::db) fn of<'i>(conn: &mut Conn, ids: impl Iterator<Item = &'i RecordId>) -> Result<Self> {
        let ids: HashSet<RecordId> = ids.copied().collect();
        if ids.len() < 2 {
            return Ok(Self::default());
        }
        let all: Vec<RecordId> = ids.iter().copied().collect();
        Ok(Self { found: stored(conn, &all)?, ids })
    }

    /// Those of some ids that are known; none where not all of them were asked for.
    fn of_all(&self, ids: &[RecordId]) -> Option<HashMap<RecordId, (u64, String)>> {
        let asked = ids.iter().all(|id| self.ids.contains(id));
        let known = |id: &RecordId| Some((*id, self.found.get(id)?.clone()));
        asked.then(|| ids.iter().filter_map(known).collect())
    }
}

/// Records in the table, of some ids: the entry that commits to each, and what it says.
fn stored(conn: &mut Conn, ids: &[RecordId]) -> Result<HashMap<RecordId, (u64, String)>> {
    use consent_record::{doc, record_id, seq};
    let mut known = HashMap::new();
    for some in ids.chunks(IDS) {
        let some: Vec<&[u8]> = some.iter().map(|id| &id[..]).collect();
        let query = consent_record::table.filter(record_id.eq_any(some)).select((record_id, seq, doc));
        for (id, at, text) in query.load::<(Vec<u8>, i64, String)>(conn)? {
            if let Ok(id) = RecordId::try_from(&id[..]) {
                known.insert(id, (u64::try_from(at).unwrap_or(0), text));
            }
        }
    }
    Ok(known)
}

impl<P: Projection> Tx<'_, P> {
    /// Records that are known, of some ids, sorted: the entry that commits to each, and what it says.
    ///
    /// # Errors
    /// What the database said.
    pub fn known_records(&mut self, ids: &[RecordId]) -> Result<HashMap<RecordId, (u64, String)>> {
        let mut known = match self.batch.asked.of_all(ids) {
            Some(known) => known,
            None => stored(self.conn, ids)?,
        };
        for record in waiting(&self.world.people().fresh) {
            if let Ok(id) = RecordId::try_from(&record.record_id[..])
                && ids.binary_search(&id).is_ok()
            {
                known.insert(id, (u64::try_from(record.seq).unwrap_or(0), record.doc.clone()));
            }
        }
        Ok(known)
    }

    /// Which of some ids, sorted, are of records that were erased with the person they were of.
    ///
    /// # Errors
    /// What the database said.
    pub fn erased_records(&mut self, ids: &[RecordId]) -> Result<HashSet<RecordId>> {
        let mut erased = HashSet::new();
        for some in ids.chunks(IDS) {
            let some: Vec<&[u8]> = some.iter().map(|id| &id[..]).collect();
            let query = erased_record::table.filter(erased_record::record_id.eq_any(some));
            let found = query.select(erased_record::record_id).load::<Vec<u8>>(self.conn)?;
            erased.extend(found.iter().filter_map(|id| RecordId::try_from(&id[..]).ok()));
        }
        for change in &self.batch.people {
            if let Change::Erase(erasure) = change {
                let going = erasure.records().iter().filter_map(|id| RecordId::try_from(&id[..]).ok());
                erased.extend(going.filter(|id| ids.binary_search(id).is_ok()));
            }
        }
        Ok(erased)
    }

    /// What some subjects, sorted, said of one thing, in the order it was recorded.
    ///
    /// # Errors
    /// What the database said.
    pub fn words(&mut self, subjects: &[i64], of: LaneAt) -> Result<HashMap<i64, Vec<Word>>> {
        let fresh = self.world.people().fresh.clone();
        wills::words(self.conn, subjects, of, &fresh)
    }

    /// [`since`], with what this group recorded.
    ///
    /// # Errors
    /// What the database said.
    pub fn since(&mut self, who: &RoaringBitmap, of: LaneAt, moment: i64) -> Result<Option<i64>> {
        let fresh = self.world.people().fresh.clone();
        earliest(self.conn, who, of, &fresh, |words| ended(words, moment))
    }

    /// [`began`], with what this group recorded.
    ///
    /// # Errors
    /// What the database said.
    pub fn began(&mut self, who: &RoaringBitmap, of: LaneAt, moment: i64) -> Result<Option<i64>> {
        let fresh = self.world.people().fresh.clone();
        earliest(self.conn, who, of, &fresh, |words| begun(words, moment))
    }

    /// Keep what people said, with the commitments of the batch in order.
    pub fn keep_said(&mut self, seq: u64, records: Vec<Record>, leaves: Vec<u8>) {
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        let waiting = Waiting { at: self.now.micros(), records: records.clone() };
        self.world.people_mut().fresh.push_back(Arc::new(waiting));
        self.batch.people.push(Change::Said(records, Leaves { seq, leaves }));
    }
}

/// People by their numbers, with the key that made their pseudonyms, in the order of the numbers.
///
/// # Errors
/// What the database said.
pub fn subjects(conn: &mut Conn, who: &RoaringBitmap) -> Result<Vec<(String, Subject)>> {
    let mut found = Vec::new();
    let numbers: Vec<i64> = who.iter().map(i64::from).collect();
    for some in numbers.chunks(IDS) {
        let rows: Vec<SubjectRow> = subject::table.filter(subject::n.eq_any(some)).order(subject::n).load(conn)?;
        for row in rows.into_iter().filter(|row| row.kid != NOBODY) {
            found.push((row.kid.clone(), read(row)?));
        }
    }
    Ok(found)
}

/// Since when it has been known that the first of some people is against something, who are at a moment: since they said it or it came
/// to be, and not before it was recorded.
///
/// # Errors
/// What the database said.
pub(super) fn against(
    conn: &mut Conn,
    who: &RoaringBitmap,
    (chains, how): (&[Vec<LaneAt>], Against),
    fresh: &Fresh,
    moment: i64,
) -> Result<Option<i64>> {
    let numbers: Vec<i64> = who.iter().map(i64::from).collect();
    let mut first: Option<i64> = None;
    for some in numbers.chunks(IDS) {
        for chain in chains {
            let mut said: HashMap<i64, Vec<(Place, usize, Word)>> = HashMap::new();
            for (thing, of) in chain.iter().enumerate() {
                for (n, words) in wills::words_in_places(conn, some, *of, fresh)? {
                    said.entry(n).or_default().extend(words.into_iter().map(|(place, word)| (place, thing, word)));
                }
            }
            let mut entries: Vec<i64> = said.values().flatten().map(|((entry, _), ..)| *entry).collect();
            entries.sort_unstable();
            entries.dedup();
            let recorded = recorded(conn, &entries, fresh)?;
            for mut words in said.into_values() {
                words.sort_unstable_by_key(|(place, ..)| *place);
                let at = |entry: i64, word: &Word| recorded.get(&entry).copied().unwrap_or(word.at);
                let words = words.into_iter().map(|((entry, _), thing, word)| (at(entry, &word), thing, word));
                first = how.known_since(&words.collect::<Vec<_>>(), moment).into_iter().chain(first).min();
            }
        }
    }
    Ok(first)
}

/// When entries were recorded, those of the group that runs included.
fn recorded(conn: &mut Conn, entries: &[i64], fresh: &Fresh) -> Result<HashMap<i64, i64>> {
    let waiting = fresh.iter().filter_map(|batch| Some((batch.records.first()?.seq, batch.at)));
    let mut recorded: HashMap<i64, i64> = HashMap::new();
    for some in entries.chunks(IDS) {
        let query = ledger_entry::table.filter(ledger_entry::seq.eq_any(some));
        let rows: Vec<(i64, chrono::NaiveDateTime)> = query.select((ledger_entry::seq, ledger_entry::at)).load(conn)?;
        recorded.extend(rows.into_iter().map(|(seq, at)| (seq, Timestamp::from_naive(at).micros())));
    }
    // Where something is only tried out, another entry may bear the number meanwhile.
    recorded.extend(waiting);
    Ok(recorded)
}

/// When the first thing of some kinds was recorded: no later than whatever any of many people said of it.
///
/// # Errors
/// What the database said.
pub(super) fn first_recorded(conn: &mut Conn, chains: &[Vec<LaneAt>], fresh: &Fresh) -> Result<Option<i64>> {
    use consent_record::{lane, seq};
    let mut first: Option<i64> = None;
    for of in chains.iter().flatten() {
        let (number, version) = of.key();
        let rows = consent_record::table.filter(lane.eq(number)).filter(seq.le(wills::stored(version, fresh)));
        let stored: Option<i64> = rows.select(diesel::dsl::min(seq)).first(conn)?;
        let waiting = waiting(fresh).filter(|row| row.lane == number && row.seq <= version).map(|row| row.seq);
        first = waiting.chain(stored).chain(first).min();
    }
    let Some(entry) = first else { return Ok(None) };
    Ok(recorded(conn, &[entry], fresh)?.get(&entry).copied())
}

/// The earliest moment since which any of some people has lacked a will that stood before, or has stood by an objection.
fn earliest(
    conn: &mut Conn,
    who: &RoaringBitmap,
    of: LaneAt,
    fresh: &Fresh,
    of_one: impl Fn(&[Word]) -> Option<i64>,
) -> Result<Option<i64>> {
    let numbers: Vec<i64> = who.iter().map(i64::from).collect();
    let mut oldest = None;
    for some in numbers.chunks(IDS) {
        let words = wills::words(conn, some, of, fresh)?;
        oldest = words.values().filter_map(|words| of_one(words)).chain(oldest).min();
    }
    Ok(oldest)
}

/// The earliest moment since which the will of any of some people has not stood, where it stood before.
///
/// # Errors
/// What the database said.
pub fn since(conn: &mut Conn, who: &RoaringBitmap, of: LaneAt, moment: i64) -> Result<Option<i64>> {
    earliest(conn, who, of, &Vector::new(), |words| ended(words, moment))
}

/// The earliest moment since which an objection or the like of any of some people has stood.
///
/// # Errors
/// What the database said.
pub fn began(conn: &mut Conn, who: &RoaringBitmap, of: LaneAt, moment: i64) -> Result<Option<i64>> {
    earliest(conn, who, of, &Vector::new(), |words| begun(words, moment))
}

/// Somebody by pseudonym, if known.
///
/// # Errors
/// What the database said.
pub fn somebody(conn: &mut Conn, who: &Pseudonym) -> Result<Option<Subject>> {
    let row: Option<SubjectRow> = subject::table
        .filter(subject::kid.eq(who.kid().as_str()))
        .filter(subject::hash.eq(&who.hash()[..]))
        .first(conn)
        .optional()?;
    row.map(read).transpose()
}

impl<P: Projection> Tx<'_, P> {
    /// [`subjects`], with those this group made known.
    ///
    /// # Errors
    /// What the database said; somebody who is not there.
    pub fn subjects(&mut self, who: &RoaringBitmap) -> Result<Vec<(String, Subject)>> {
        let mut found = subjects(self.conn, who)?;
        let fresh = self.batch.people.iter().filter_map(|change| match change {
            Change::Subjects(rows) => Some(rows),
            _ => None,
        });
        for row in fresh.flatten().filter(|row| u32::try_from(row.n).is_ok_and(|n| who.contains(n))) {
            found.push((row.kid.clone(), read(row.clone())?));
        }
        if found.len() as u64 != who.len() {
            return Err(Error::Internal("table subject: somebody is missing".to_owned()));
        }
        found.sort_by_key(|(_, subject)| subject.n);
        Ok(found)
    }

    /// Keep members under a name of their own.
    ///
    /// # Errors
    /// None in memory.
    pub fn keep_set(&mut self, name: &str, seq: u64, members: RoaringBitmap) -> Result<()> {
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        self.batch.people.push(Change::Members(Set {
            dataset_version: name.to_owned(),
            member_load: String::new(),
            seq,
            members: bytes(&members)?,
        }));
        let people = self.world.people_mut();
        people.position = seq;
        people.put(name, seq, members);
        Ok(())
    }
}

/// Write them.
pub(super) fn keep(conn: &mut Conn, records: &[Record], leaves: &[Leaves]) -> Result<()> {
    for chunk in records.chunks(ROWS) {
        let query = diesel::insert_into(consent_record::table).values(chunk);
        match conn {
            Conn::Postgres(pg) => query.execute(pg)?,
            Conn::Sqlite(lite) => query.execute(lite)?,
        };
    }
    for chunk in leaves.chunks(ROWS) {
        let query = diesel::insert_into(consent_batch::table).values(chunk);
        match conn {
            Conn::Postgres(pg) => query.execute(pg)?,
            Conn::Sqlite(lite) => query.execute(lite)?,
        };
    }
    Ok(())
}
