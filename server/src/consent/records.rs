//! Recording what people say: one record or many, each once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use licit_schemas::consent::history::{Word, may_follow};
use licit_schemas::consent::{ConsentRecord, Recorded, RecordsTaken, RefusedLine, Said};
use licit_schemas::registry::uuid_text;
use licit_schemas::resource::Outcome;
use licit_schemas::time::Timestamp;

use super::lanes::{About, ConsentRecorded, Lane, day};
use crate::db::dictionary::{Hash, Subject, commitment_of, record_salt, root};
use crate::db::people::{Record, RecordId};
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx};
use crate::lawfulness::is_marketing;
use crate::review::has_compelling_grounds;

/// Kinds of will one batch may speak of.
const MOST_LANES: usize = 200;

/// A record as it came, with its canonical form.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its number in what was sent, from 1.
    pub number: u32,
    /// What it says.
    pub record: ConsentRecord,
    /// The same in canonical JSON: what is committed to.
    pub doc: String,
}

/// What became of a line.
enum Fate {
    Created,
    Unchanged(u64),
    /// It was erased with the person it was of.
    Erased,
    Refused {
        pointer: &'static str,
        detail: String,
    },
}

fn refused(pointer: &'static str, detail: impl Into<String>) -> Fate {
    Fate::Refused { pointer, detail: detail.into() }
}

impl Line {
    fn id(&self) -> RecordId {
        *self.record.record_id.0.as_bytes()
    }

    /// What it is about.
    fn lane(&self) -> Lane {
        let record = &self.record;
        let purpose = record.purpose.as_ref().map(|purpose| purpose.to_string().into());
        Lane { family: record.said.family(), purpose, channel: record.channel }
    }

    /// What of it decides.
    fn word(&self, now: i64) -> Word {
        Record::word(&self.record, now)
    }

    /// The earliest moment at which it may change what stands.
    fn since(&self, now: Timestamp) -> Timestamp {
        let record = &self.record;
        let epoch = || Timestamp::from_micros(0).unwrap_or(record.at);
        if record.said == Said::Invalidated { record.invalid_from.unwrap_or_else(epoch) } else { record.at.min(now) }
    }
}

/// Record one thing somebody said.
///
/// # Errors
/// What does not fit, by JSON pointer; another record under the same id; one that was erased.
pub fn record(tx: &mut Tx<'_>, line: &Line) -> Result<Recorded> {
    let lines = std::slice::from_ref(line);
    let (fates, seq) = take(tx, lines)?;
    let (outcome, seq) = match (fates.into_iter().next(), seq) {
        (Some(Fate::Created), Some(seq)) => (Outcome::Created, seq),
        (Some(Fate::Unchanged(seq)), _) => (Outcome::Unchanged, seq),
        (Some(Fate::Erased), _) => {
            let sentence = "this record was erased with the person it was of, and is not recorded again";
            return Err(Error::conflict(sentence.to_owned()));
        }
        (Some(Fate::Refused { pointer: "/record_id", detail }), _) => return Err(Error::conflict(detail)),
        (Some(Fate::Refused { pointer, detail }), _) => return Err(Error::invalid(pointer, detail)),
        _ => return Err(Error::Internal("a record has no fate".to_owned())),
    };
    Ok(Recorded { outcome, record_id: uuid_text::Uuid(line.record.record_id.0), seq })
}

/// Record many: each line is recorded, known, erased before, or refused for itself. What is new becomes durable together.
///
/// # Errors
/// More kinds of will than one batch may speak of.
pub fn record_all(tx: &mut Tx<'_>, lines: &[Line]) -> Result<RecordsTaken> {
    let (fates, seq) = take(tx, lines)?;
    let mut taken = RecordsTaken { created: 0, unchanged: 0, erased: 0, refused: Vec::new(), seq };
    for (line, fate) in lines.iter().zip(fates) {
        match fate {
            Fate::Created => taken.created += 1,
            Fate::Unchanged(_) => taken.unchanged += 1,
            Fate::Erased => taken.erased += 1,
            Fate::Refused { pointer, detail } => {
                taken.refused.push(RefusedLine { line: line.number, pointer: format!("#{pointer}"), detail });
            }
        }
    }
    Ok(taken)
}

fn take(tx: &mut Tx<'_>, lines: &[Line]) -> Result<(Vec<Fate>, Option<u64>)> {
    let mut fates: Vec<Option<Fate>> = known(tx, lines)?;
    not_here(tx, lines, &mut fates);
    let open = |fates: &[Option<Fate>]| -> Vec<usize> {
        fates.iter().enumerate().filter(|(_, fate)| fate.is_none()).map(|(place, _)| place).collect()
    };
    // Who is refused above does not become known; whose word does not follow is known from what was said before.
    let subjects = people(tx, lines, &open(&fates))?;
    does_not_follow(tx, lines, &subjects, &mut fates)?;
    let new = open(&fates);
    let seq = if new.is_empty() { None } else { Some(keep(tx, lines, &subjects, &new)?) };
    as_the_first(lines, &mut fates);
    Ok((fates.into_iter().map(|fate| fate.unwrap_or(Fate::Created)).collect(), seq))
}

/// What repeats a line of its batch that was refused is refused, too: nothing of it is there.
fn as_the_first(lines: &[Line], fates: &mut [Option<Fate>]) {
    let mut refused: HashMap<RecordId, (&'static str, String)> = HashMap::new();
    for (line, fate) in lines.iter().zip(fates) {
        match fate {
            Some(Fate::Refused { pointer, detail }) => {
                _ = refused.entry(line.id()).or_insert((*pointer, detail.clone()))
            }
            Some(Fate::Unchanged(0)) => {
                if let Some((pointer, detail)) = refused.get(&line.id()) {
                    *fate = Some(self::refused(pointer, detail.clone()));
                }
            }
            _ => {}
        }
    }
}

/// Records that came before, in this batch or an earlier one; and those that were erased since.
fn known(tx: &mut Tx<'_>, lines: &[Line]) -> Result<Vec<Option<Fate>>> {
    let ids: BTreeSet<RecordId> = lines.iter().map(Line::id).collect();
    let ids: Vec<RecordId> = ids.into_iter().collect();
    let known = tx.known_records(&ids)?;
    // Nearly everywhere nobody was erased yet, and the database is not asked.
    let erased = if tx.world().consent.erased == 0 { HashSet::new() } else { tx.erased_records(&ids)? };
    let mut here: HashMap<RecordId, &Line> = HashMap::new();
    let fate = |line| -> Option<Fate> {
        let line: &Line = line;
        if erased.contains(&line.id()) {
            return Some(Fate::Erased);
        }
        let before = known.get(&line.id()).map(|(seq, doc)| (*seq, doc.as_str()));
        let before = before.or_else(|| here.get(&line.id()).map(|first| (0, first.doc.as_str())));
        here.entry(line.id()).or_insert(line);
        before.map(|(seq, doc)| match doc == line.doc {
            true => Fate::Unchanged(seq),
            false => refused("/record_id", "another record has this id: give every record an id of its own"),
        })
    };
    Ok(lines.iter().map(fate).collect())
}

/// Purposes and keys that are not known here, and what does not fit together.
fn not_here(tx: &Tx<'_>, lines: &[Line], fates: &mut [Option<Fate>]) {
    let (world, now) = (tx.world(), tx.now());
    for (line, fate) in lines.iter().zip(fates) {
        if fate.is_some() {
            continue;
        }
        let record = &line.record;
        let purpose = record.purpose.as_ref();
        *fate = if let Some(purpose) = purpose.filter(|p| world.lawfulness.purposes.latest(&p.to_string()).is_none()) {
            Some(refused("/purpose", format!("there is no `{purpose}`: register it first")))
        } else if world.consent.kid(record.subject.kid().as_str()).is_none() {
            // The id of a key may be somebody's name where it is none of ours.
            Some(refused("/subject", "its key is not known here: `licit subjects register-key` makes it known"))
        } else if record.said == Said::ObjectionOverridden
            && purpose.is_none_or(|p| is_marketing(world, &p.to_string()))
        {
            let sentence =
                "an objection to direct marketing is never overridden (GDPR Art. 21(3)): name a purpose that is none";
            Some(refused("/said", sentence))
        } else if record.said == Said::ObjectionOverridden
            && !purpose.is_some_and(|p| has_compelling_grounds(world, &p.to_string(), record.at, now))
        {
            let sentence = "the board has not approved that there were compelling grounds for this purpose then (GDPR Art. 21(1)): propose an assessment of kind `compelling_grounds` of it";
            Some(refused("/said", sentence))
        } else {
            None
        };
    }
}

/// Who the open lines speak of.
fn people(tx: &mut Tx<'_>, lines: &[Line], open: &[usize]) -> Result<HashMap<(String, Hash), Subject>> {
    let mut by_key: BTreeMap<String, BTreeSet<Hash>> = BTreeMap::new();
    for place in open {
        let subject = &lines[*place].record.subject;
        by_key.entry(subject.kid().to_string()).or_default().insert(*subject.hash());
    }
    let mut found = HashMap::new();
    for (kid, hashes) in by_key {
        let hashes: Vec<Hash> = hashes.into_iter().collect();
        for subject in tx.intern(&kid, &hashes)? {
            found.insert((kid.clone(), subject.hash), subject);
        }
    }
    Ok(found)
}

type Subjects = HashMap<(String, Hash), Subject>;

fn subject_of(subjects: &Subjects, line: &Line) -> Result<Subject> {
    let subject = &line.record.subject;
    let found = subjects.get(&(subject.kid().to_string(), *subject.hash())).copied();
    found.ok_or_else(|| Error::Internal("a subject is not known".to_owned()))
}

/// Lines that cannot follow what was said before.
fn does_not_follow(tx: &mut Tx<'_>, lines: &[Line], subjects: &Subjects, fates: &mut [Option<Fate>]) -> Result<()> {
    let now = tx.now().micros();
    let asks = |said: Said| {
        !matches!(
            said,
            Said::Given
                | Said::Refused
                | Said::Withdrawn
                | Said::Revoked
                | Said::Expired
                | Said::Invalidated
                | Said::Objected
                | Said::Restricted
        )
    };
    // Only what may be out of place is looked up; what is said in the same batch before it counts, too.
    let mut asked: BTreeMap<Lane, BTreeSet<i64>> = BTreeMap::new();
    for (line, _) in lines.iter().zip(&*fates).filter(|(line, fate)| fate.is_none() && asks(line.record.said)) {
        asked.entry(line.lane()).or_default().insert(i64::from(subject_of(subjects, line)?.n));
    }
    let mut words: HashMap<(Lane, i64), Vec<Word>> = HashMap::new();
    for (lane, who) in &asked {
        let who: Vec<i64> = who.iter().copied().collect();
        if let Some(of) = tx.world().consent.lanes.whole(lane) {
            let said = tx.words(&who, of)?;
            words.extend(said.into_iter().map(|(n, words)| ((lane.clone(), n), words)));
        }
    }
    for (line, fate) in
        lines.iter().zip(fates).filter(|(line, fate)| fate.is_none() && asked.contains_key(&line.lane()))
    {
        let before = words.entry((line.lane(), i64::from(subject_of(subjects, line)?.n))).or_default();
        let word = line.word(now);
        match may_follow(before, &word) {
            Ok(()) => before.push(word),
            Err(detail) => *fate = Some(refused("/said", detail)),
        }
    }
    Ok(())
}

/// Record what is new: one fact, with one commitment for each record.
fn keep(tx: &mut Tx<'_>, lines: &[Line], subjects: &Subjects, new: &[usize]) -> Result<u64> {
    let now = tx.now().micros();
    let mut about: BTreeMap<Lane, About> = BTreeMap::new();
    let mut leaves = Vec::with_capacity(new.len());
    for place in new {
        let line = &lines[*place];
        let since = day(line.since(tx.now()));
        let entry = about.entry(line.lane()).or_insert_with(|| About {
            family: line.record.said.family(),
            purpose: line.record.purpose.clone(),
            channel: line.record.channel,
            since,
            count: 0,
        });
        (entry.since, entry.count) = (entry.since.min(since), entry.count + 1);
        leaves.push(commitment_of(&record_salt(&subject_of(subjects, line)?.salt, &line.id()), &line.doc));
    }
    if about.len() > MOST_LANES {
        return Err(Error::invalid("", format!("more than {MOST_LANES} purposes and channels: send smaller batches")));
    }
    let about = about.into_values().collect();
    let fact = ConsentRecorded { id: tx.new_id(), count: new.len() as u64, root: root(leaves.iter().copied()), about };
    let seq = tx.record(Fact::ConsentRecorded(fact))?;
    let row = |(pos, place): (usize, &usize)| -> Result<Record> {
        let line = &lines[*place];
        let (word, lane) = (line.word(now), tx.world().consent.lanes.number(&line.lane()));
        Ok(Record {
            seq: i64::try_from(seq).unwrap_or(i64::MAX),
            pos: i64::try_from(pos).unwrap_or(i64::MAX),
            lane: lane.map(i64::from).ok_or_else(|| Error::Internal("a lane is not folded in".to_owned()))?,
            n: i64::from(subject_of(subjects, line)?.n),
            said: i16::from(word.said.number()),
            explicit: word.explicit,
            parental: word.parental,
            said_at: word.at,
            holds_until: word.until,
            invalid_from: word.invalid_from,
            record_id: line.id().to_vec(),
            doc: line.doc.clone(),
        })
    };
    let rows: Vec<Record> = new.iter().enumerate().map(row).collect::<Result<_>>()?;
    let leaves = leaves.iter().flat_map(|leaf| *leaf.as_bytes()).collect();
    tx.keep_said(seq, rows, leaves);
    Ok(seq)
}
