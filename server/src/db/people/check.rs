//! Members are kept beside the ledger, which holds their count and a salted root: what is kept is sound, and none is gone.

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
const CHUNK: usize = 10_000;

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
    let mut faults = Vec::new();
    for (version, doc) in &recorded {
        let spec: MembersSpec =
            serde_json::from_str(doc).map_err(|e| Error::Internal(format!("members of {version}: {e}")))?;
        if let Some(fault) = fault(conn, version, &spec)? {
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
fn fault(conn: &mut Conn, version: &str, spec: &MembersSpec) -> Result<Option<&'static str>> {
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
        let people = people(conn, spec.kid.as_str(), &part)?;
        if commitment(&people).as_bytes()[..] != batch.root[..] {
            return Ok(Some("has a batch that is not what was committed to"));
        }
        all |= part;
    }
    if load_root(batches.iter().map(|batch| batch.root.as_slice())) != spec.root {
        return Ok(Some("is not what the ledger's root commits to"));
    }
    Ok((all != members).then_some("has other members than its batches"))
}

fn people(conn: &mut Conn, kid: &str, members: &RoaringBitmap) -> Result<Vec<Subject>> {
    let numbers: Vec<i64> = members.iter().map(i64::from).collect();
    let mut people = Vec::with_capacity(numbers.len());
    for chunk in numbers.chunks(CHUNK) {
        let rows: Vec<SubjectRow> =
            subject::table.filter(subject::n.eq_any(chunk)).filter(subject::kid.eq(kid)).load(conn)?;
        for row in rows {
            people.push(read(row)?);
        }
    }
    Ok(people)
}
