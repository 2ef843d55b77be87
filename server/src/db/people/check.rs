//! Members are kept beside the ledger, which holds their count and a salted root: what is kept is sound, and none is gone.

use std::collections::HashMap;

use diesel::prelude::*;
use licit_schemas::subjects::MembersSpec;
use roaring::RoaringBitmap;

use super::{Batch, Set, SubjectRow, bitmap, read};
use crate::db::Conn;
use crate::db::dictionary::{Subject, commitment, load_root};
use crate::db::schema::{member_batch, member_set, resource, subject};
use crate::error::{Error, Result};

/// Faults named at most.
const MOST: usize = 20;
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
    let kept: Vec<String> = member_set::table.select(member_set::dataset_version).load(conn)?;
    let strange = kept.iter().filter(|version| !recorded.iter().any(|(known, _)| known == *version));
    faults
        .extend(strange.take(MOST).map(|version| format!("table member_set: {version} is in no entry of the ledger")));
    Ok(faults)
}

/// What is wrong with the members of one version.
fn fault(conn: &mut Conn, known: &Known, version: &str, spec: &MembersSpec) -> Result<Option<&'static str>> {
    let set: Option<Set> = member_set::table.find(version).select(Set::as_select()).first(conn).optional()?;
    let Some(set) = set else { return Ok(Some("is missing")) };
    let Ok(members) = bitmap(&set.members) else { return Ok(Some("is no bitmap")) };
    if members.len() != spec.count {
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
        if commitment(&known.of(spec.kid.as_str(), &part)).as_bytes()[..] != batch.root[..] {
            return Ok(Some("has a batch that is not what was committed to"));
        }
        all |= part;
    }
    if load_root(batches.iter().map(|batch| batch.root.as_slice())) != spec.root {
        return Ok(Some("is not what the ledger's root commits to"));
    }
    Ok((all != members).then_some("has other members than its batches"))
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
                // A row that cannot be one is missed by whoever commits to it.
                let Ok(one) = read(row) else { continue };
                known.keys.entry(kid).or_default().insert(one.n);
                known.subjects.insert(one.n, one);
            }
        }
    }

    fn of(&self, kid: &str, members: &RoaringBitmap) -> Vec<Subject> {
        let of_key = self.keys.get(kid);
        let numbers = members.iter().filter(|n| of_key.is_some_and(|known| known.contains(*n)));
        numbers.filter_map(|n| self.subjects.get(&n).copied()).collect()
    }
}
