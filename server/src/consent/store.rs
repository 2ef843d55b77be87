//! Loads and records read from the tables.

use std::collections::BTreeMap;

use diesel::prelude::*;
use licit_schemas::consent::{SubjectRecord, SubjectRecords};
use licit_schemas::subjects::{MemberLoadView, Pseudonym};
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::operations::view;
use super::proof::{Committed, broken};
use crate::db::Conn;
use crate::db::dictionary::Salt;
use crate::db::people::{Batch, Load};
use crate::db::schema::{consent_batch, consent_record, ledger_entry, member_batch, member_load, subject};
use crate::error::{Error, Result};

/// A load of somebody, with what of it came.
///
/// # Errors
/// No such load, or another's.
pub fn load(conn: &mut Conn, id: Uuid, actor: Uuid) -> Result<MemberLoadView> {
    let text = id.to_string();
    let load: Option<Load> = member_load::table.find(&text).select(Load::as_select()).first(conn).optional()?;
    let load = load.ok_or_else(|| Error::NotFound(format!("there is no load `{id}`")))?;
    if load.actor != actor.to_string() {
        return Err(Error::Forbidden("the load is another's: begin one of your own".to_owned()));
    }
    let batches: Vec<Batch> = member_batch::table
        .filter(member_batch::member_load.eq(&text))
        .order(member_batch::number)
        .select(Batch::as_select())
        .load(conn)?;
    view(&load, &batches)
}

/// Everything somebody said, in the order it was recorded, each with the path from its commitment to the root in the ledger.
///
/// # Errors
/// Nobody is known by that pseudonym.
pub fn records(conn: &mut Conn, who: &Pseudonym) -> Result<SubjectRecords> {
    let known: Option<(i64, Vec<u8>)> = subject::table
        .filter(subject::kid.eq(who.kid().as_str()))
        .filter(subject::hash.eq(&who.hash()[..]))
        .select((subject::n, subject::salt))
        .first(conn)
        .optional()?;
    let (n, salt) = known.ok_or_else(|| Error::NotFound("nobody is known by this pseudonym".to_owned()))?;
    let salt = Salt::try_from(salt).map_err(|_| broken("subject"))?;
    let rows: Vec<(i64, i64, Vec<u8>, String)> = consent_record::table
        .filter(consent_record::n.eq(n))
        .order((consent_record::seq, consent_record::pos))
        .select((consent_record::seq, consent_record::pos, consent_record::record_id, consent_record::doc))
        .load(conn)?;
    let mut batches: BTreeMap<i64, Committed> = BTreeMap::new();
    for (seq, ..) in &rows {
        if !batches.contains_key(seq) {
            batches.insert(*seq, committed(conn, *seq)?);
        }
    }
    let record = |(seq, pos, id, doc): (i64, i64, Vec<u8>, String)| -> Result<SubjectRecord> {
        let batch = batches.get(&seq).ok_or_else(|| broken("consent_batch"))?;
        batch.prove(&salt, pos, &id, &doc)
    };
    Ok(SubjectRecords { subject: who.clone(), records: rows.into_iter().map(record).collect::<Result<_>>()? })
}

fn committed(conn: &mut Conn, seq: i64) -> Result<Committed> {
    let leaves: Vec<u8> = consent_batch::table.find(seq).select(consent_batch::leaves).first(conn)?;
    let at: chrono::NaiveDateTime = ledger_entry::table.find(seq).select(ledger_entry::at).first(conn)?;
    Ok(Committed::new(seq, Timestamp::from_naive(at), &leaves))
}
