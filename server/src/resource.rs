//! From rows to answers.

use licit_schemas::digest::Digest;
use licit_schemas::registry::uuid_text;
use licit_schemas::resource::Resource;
use licit_schemas::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::db::Row;
use crate::error::{Error, Result};

/// A row with its document typed. Votes and opinions have no reference of their own: they carry their review's.
///
/// # Errors
/// Only if the projection is damaged.
#[expect(clippy::needless_pass_by_value, reason = "a row is used up")]
pub fn typed<T: DeserializeOwned>(row: Row) -> Result<Resource<T>> {
    let broken = |what: &str| Error::Internal(format!("row {} {}: {what}", row.kind, row.id));
    Ok(Resource {
        id: uuid_text::Uuid(row.id.parse().map_err(|_| broken("id"))?),
        r#ref: row.reference.parse().or_else(|_| row.parent.parse()).map_err(|_| broken("reference"))?,
        state: row.state.clone(),
        reason: None,
        digest: row.digest.parse::<Digest>().map_err(|_| broken("digest"))?,
        recorded_at: row.recorded(),
        valid_from: row.valid_from.map(Timestamp::from_naive),
        valid_to: row.valid_to.map(Timestamp::from_naive),
        seq: u64::try_from(row.since_seq).map_err(|_| broken("position"))?,
        spec: serde_json::from_str(&row.doc).map_err(|e| broken(&e.to_string()))?,
    })
}

/// A row as it is sent: the stored document is passed on as it is, neither parsed nor printed again.
#[derive(Serialize)]
pub struct Sent {
    id: String,
    r#ref: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    digest: String,
    recorded_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<Timestamp>,
    seq: i64,
    spec: Box<RawValue>,
}

/// A row for sending.
///
/// # Errors
/// Only if the projection is damaged.
pub fn sent(row: Row, with_kind: bool, reason: Option<String>) -> Result<Sent> {
    let recorded_at = row.recorded();
    let [valid_from, valid_to] = [row.valid_from, row.valid_to].map(|at| at.map(Timestamp::from_naive));
    let spec =
        RawValue::from_string(row.doc).map_err(|e| Error::Internal(format!("row {} {}: {e}", row.kind, row.id)))?;
    Ok(Sent {
        id: row.id,
        r#ref: row.reference,
        kind: with_kind.then_some(row.kind),
        state: row.state,
        reason,
        digest: row.digest,
        recorded_at,
        valid_from,
        valid_to,
        seq: row.since_seq,
        spec,
    })
}
