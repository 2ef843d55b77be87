//! Members and what people said are kept beside the ledger, which holds counts and salted roots: what is kept is sound, and none
//! is gone.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDateTime;
use diesel::prelude::*;
use licit_schemas::consent::{Channel, Family};
use licit_schemas::digest::Digest;
use licit_schemas::reference::Ref;
use licit_schemas::subjects::{CorrectedSpec, MembersSpec};
use licit_schemas::time::Timestamp;
use roaring::RoaringBitmap;
use serde::Deserialize;

use super::erase::{Leaf, NOBODY};
use super::{Batch, Leaves, Record, RecordId, Set, SubjectRow, bitmap, read};
use crate::db::Conn;
use crate::db::dictionary::{Subject, commitment_of, commitment_with, load_root, record_salt, root};
use crate::db::schema::{
    consent_batch, consent_record, erased_leaf, erased_record, ledger_entry, member_batch, member_set, resource,
    subject,
};
use crate::error::{Error, Result};

/// Faults named at most.
const MOST: usize = 20;
/// Entries looked at together.
const ENTRIES: i64 = 500;
/// Subjects read at a time.
const PAGE: i64 = 20_000;

/// What is wrong with kept members.
///
/// # Errors
/// Only what keeps the check from being made.
pub fn check(conn: &mut Conn) -> Result<Vec<String>> {
    let recorded: Vec<(String, String)> = resource::table
        .filter(resource::kind.eq("members"))
        .order(resource::id)
        .select((resource::parent, resource::doc))
        .load(conn)?;
    let known = Known::read(conn)?;
    let mut faults = Vec::new();
    for (version, doc) in &recorded {
        let spec: MembersSpec =
            serde_json::from_str(doc).map_err(|e| Error::Internal(format!("members of {version}: {e}")))?;
        if let Some(fault) = fault(conn, &known, version, &spec)? {
            faults.push(format!("table member_set: {version} {fault}"));
        }
        if faults.len() == MOST {
            return Ok(faults);
        }
    }
    let corrected: Vec<(String, String)> = resource::table
        .filter(resource::kind.eq("corrected_members"))
        .order(resource::id)
        .select((resource::reference, resource::doc))
        .load(conn)?;
    for (name, doc) in &corrected {
        let spec: CorrectedSpec = serde_json::from_str(doc).map_err(|e| Error::Internal(format!("{name}: {e}")))?;
        if let Some(fault) = corrected_fault(conn, &known, name, &spec)? {
            faults.push(format!("table member_set: {name} {fault}"));
        }
    }
    faults.extend(said_faults(conn, &known)?);
    faults.extend(super::proof::faults(conn)?);
    faults.truncate(MOST);
    let kept: Vec<String> = member_set::table.select(member_set::dataset_version).load(conn)?;
    let stands = |name: &String| recorded.iter().chain(&corrected).any(|(known, _)| known == name);
    let strange = kept.iter().filter(|name| !stands(name));
    faults
        .extend(strange.take(MOST).map(|version| format!("table member_set: {version} is in no entry of the ledger")));
    Ok(faults)
}

/// What is wrong with the members of one version.
fn fault(conn: &mut Conn, known: &Known, version: &str, spec: &MembersSpec) -> Result<Option<&'static str>> {
    let set: Option<Set> = member_set::table.find(version).select(Set::as_select()).first(conn).optional()?;
    let Some(set) = set else { return Ok(Some("is missing")) };
    let Ok(members) = bitmap(&set.members) else { return Ok(Some("is no bitmap")) };
    let gone = leaves_of(conn, &set.member_load)?;
    let people: HashSet<&Digest> = gone.iter().map(|(_, leaf)| leaf).collect();
    if members.len() + people.len() as u64 != spec.count {
        return Ok(Some("has another number of members than the ledger says"));
    }
    let batches: Vec<Batch> = member_batch::table
        .filter(member_batch::member_load.eq(&set.member_load))
        .order(member_batch::number)
        .select(Batch::as_select())
        .load(conn)?;
    let mut all = RoaringBitmap::new();
    for batch in &batches {
        let Ok(part) = bitmap(&batch.members) else { return Ok(Some("has a batch that is no bitmap")) };
        let gone = gone.iter().filter(|(part, _)| *part == batch.number).map(|(_, leaf)| *leaf).collect();
        if commitment_with(&known.of(spec.kid.as_str(), &part), gone).as_bytes()[..] != batch.root[..] {
            return Ok(Some("has a batch that is not what was committed to"));
        }
        all |= part;
    }
    if load_root(batches.iter().map(|batch| batch.root.as_slice())) != spec.root {
        return Ok(Some("is not what the ledger's root commits to"));
    }
    Ok((all != members).then_some("has other members than its batches"))
}

/// What is wrong with a corrected set.
fn corrected_fault(conn: &mut Conn, known: &Known, name: &str, spec: &CorrectedSpec) -> Result<Option<&'static str>> {
    let mut set = |name: &str| -> Result<Option<RoaringBitmap>> {
        let set: Option<Set> = member_set::table.find(name).select(Set::as_select()).first(conn).optional()?;
        Ok(set.and_then(|set| bitmap(&set.members).ok()))
    };
    let Some(stay) = set(name)? else { return Ok(Some("is missing, or no bitmap")) };
    let Some(all) = set(&spec.dataset_version.to_string())? else { return Ok(Some("has lost what it was made of")) };
    let gone = leaves_of(conn, name)?;
    let stayed = gone.iter().filter(|(part, _)| *part == 1).count() as u64;
    if stay.len() + stayed != spec.count || !stay.is_subset(&all) {
        return Ok(Some("has other members than the ledger says"));
    }
    let out = &all - &stay;
    let gone: Vec<Digest> = gone.into_iter().filter(|(part, _)| *part == 0).map(|(_, leaf)| leaf).collect();
    if out.len() + gone.len() as u64 != spec.excluded || commitment_with(&known.all(&out), gone) != spec.root {
        return Ok(Some("leaves others out than the ledger commits to"));
    }
    Ok(None)
}

/// What is left of those who were erased, by part.
fn leaves_of(conn: &mut Conn, owner: &str) -> Result<Vec<(i64, Digest)>> {
    let rows: Vec<Leaf> =
        erased_leaf::table.filter(erased_leaf::owner.eq(owner)).select(Leaf::as_select()).load(conn)?;
    let leaf = |row: Leaf| {
        let leaf = row.leaf.try_into().map_err(|_| Error::Internal("table erased_leaf: a leaf is none".to_owned()))?;
        Ok((row.part, Digest::from_bytes(leaf)))
    };
    rows.into_iter().map(leaf).collect()
}

/// The part of a fact that is checked.
#[derive(Deserialize)]
struct Committed {
    count: usize,
    root: Digest,
    about: Vec<About>,
}

/// What a record is about: of each kind, the number is its place among all in the order they were first spoken of.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
struct About {
    family: Family,
    #[serde(default)]
    purpose: Option<Ref>,
    #[serde(default)]
    channel: Option<Channel>,
}

/// What is wrong with records of what people said, entry by entry.
fn said_faults(conn: &mut Conn, known: &Known) -> Result<Vec<String>> {
    let (mut faults, mut after, mut entries, mut missing) = (Vec::new(), 0i64, 0usize, 0u64);
    let mut lanes: HashMap<About, i64> = HashMap::new();
    loop {
        let page: Vec<(i64, NaiveDateTime, String)> = ledger_entry::table
            .filter(ledger_entry::kind.eq("consent.recorded"))
            .filter(ledger_entry::seq.gt(after))
            .order(ledger_entry::seq)
            .limit(ENTRIES)
            .select((ledger_entry::seq, ledger_entry::at, ledger_entry::data))
            .load(conn)?;
        let (Some(first), Some(last)) = (page.first(), page.last()) else { break };
        let (first, last) = (first.0, last.0);
        let mut records: HashMap<i64, Vec<Record>> = HashMap::new();
        let rows: Vec<Record> = consent_record::table
            .filter(consent_record::seq.between(first, last))
            .order((consent_record::seq, consent_record::pos))
            .select(Record::as_select())
            .load(conn)?;
        rows.into_iter().for_each(|row| records.entry(row.seq).or_default().push(row));
        let leaves: Vec<Leaves> = consent_batch::table
            .filter(consent_batch::seq.between(first, last))
            .select(Leaves::as_select())
            .load(conn)?;
        let leaves: HashMap<i64, Vec<u8>> = leaves.into_iter().map(|one| (one.seq, one.leaves)).collect();
        for (seq, at, data) in &page {
            let stated: Committed =
                serde_json::from_str(data).map_err(|e| Error::Internal(format!("entry {seq}: {e}")))?;
            for about in &stated.about {
                let next = i64::try_from(lanes.len()).unwrap_or(i64::MAX);
                lanes.entry(about.clone()).or_insert(next);
            }
            let at = Timestamp::from_naive(*at).micros();
            let (rows, kept) = (records.remove(seq).unwrap_or_default(), leaves.get(seq).map_or(&[][..], |l| l));
            missing += stated.count.saturating_sub(rows.len()) as u64;
            if let Some(fault) = said_fault((known, &lanes), (&stated, at), &rows, kept) {
                faults.push(format!("table consent_record: entry {seq} {fault}"));
            }
        }
        if faults.len() >= MOST {
            return Ok(faults);
        }
        (after, entries) = (last, entries + page.len());
    }
    let erased = erased_records(conn)?;
    if missing != erased {
        faults.push("table consent_record: records are missing that nobody erased".to_owned());
    }
    // Of those who were erased before their ids were kept, there are none.
    let ids: i64 = erased_record::table.count().get_result(conn)?;
    if u64::try_from(ids).is_ok_and(|ids| ids > erased) {
        faults.push("table erased_record: it names more records than were erased".to_owned());
    }
    let kept: i64 = consent_batch::table.count().get_result(conn)?;
    if usize::try_from(kept) != Ok(entries) {
        faults.push("table consent_batch: there is one in no entry of the ledger".to_owned());
    }
    Ok(faults)
}

/// How many records went with those who were erased.
fn erased_records(conn: &mut Conn) -> Result<u64> {
    #[derive(Deserialize)]
    struct Gone {
        records: u64,
    }
    let facts: Vec<String> =
        ledger_entry::table.filter(ledger_entry::kind.eq("subject.erased")).select(ledger_entry::data).load(conn)?;
    let each = facts.iter().map(|data| {
        let gone: Gone = serde_json::from_str(data).map_err(|e| Error::Internal(format!("an erasure: {e}")))?;
        Ok(gone.records)
    });
    each.sum()
}

/// What is wrong with the records of one entry.
fn said_fault(
    (known, lanes): (&Known, &HashMap<About, i64>),
    (stated, recorded_at): (&Committed, i64),
    rows: &[Record],
    leaves: &[u8],
) -> Option<&'static str> {
    let leaves: Vec<Digest> = leaves.as_chunks().0.iter().map(|leaf| Digest::from_bytes(*leaf)).collect();
    if leaves.len() != stated.count || root(leaves.iter().copied()) != stated.root {
        return Some("commits to others than are kept");
    }
    let sound = rows.iter().all(|row| {
        let leaf = usize::try_from(row.pos).ok().and_then(|place| leaves.get(place));
        let subject = u32::try_from(row.n).ok().and_then(|n| known.subjects.get(&n));
        let id = RecordId::try_from(&row.record_id[..]);
        let (Some(subject), Ok(id), Some(leaf)) = (subject, id, leaf) else { return false };
        let Some(record) = row.says_so(recorded_at) else { return false };
        let about = About { family: record.said.family(), purpose: record.purpose.clone(), channel: record.channel };
        commitment_of(&record_salt(&subject.salt, &id), &row.doc) == *leaf
            && *record.subject.hash() == subject.hash
            && lanes.get(&about) == Some(&row.lane)
    });
    (!sound).then_some("has a record that is not what was committed to")
}

/// Everybody in the tables, read once.
#[derive(Default)]
struct Known {
    subjects: HashMap<u32, Subject>,
    keys: HashMap<String, RoaringBitmap>,
}

impl Known {
    fn read(conn: &mut Conn) -> Result<Self> {
        let (mut known, mut after) = (Self::default(), i64::MIN);
        loop {
            let rows: Vec<SubjectRow> =
                subject::table.filter(subject::n.gt(after)).order(subject::n).limit(PAGE).load(conn)?;
            let Some(last) = rows.last() else { return Ok(known) };
            after = last.n;
            for row in rows {
                let kid = row.kid.clone();
                if kid == NOBODY {
                    continue;
                }
                // A row that cannot be one is missed by whoever commits to it.
                let Ok(one) = read(row) else { continue };
                known.keys.entry(kid).or_default().insert(one.n);
                known.subjects.insert(one.n, one);
            }
        }
    }

    fn all(&self, members: &RoaringBitmap) -> Vec<Subject> {
        members.iter().filter_map(|n| self.subjects.get(&n).copied()).collect()
    }

    fn of(&self, kid: &str, members: &RoaringBitmap) -> Vec<Subject> {
        let of_key = self.keys.get(kid);
        let numbers = members.iter().filter(|n| of_key.is_some_and(|known| known.contains(*n)));
        numbers.filter_map(|n| self.subjects.get(&n).copied()).collect()
    }
}
