//! Names of actors: erasable, in the ledger by their salted digest only.

use std::collections::HashMap;

use diesel::prelude::*;
use uuid::Uuid;

use crate::db::Conn;
use crate::db::schema::{actor_name, note};
use crate::error::Result;

/// Names of actors, as far as they were not erased.
///
/// # Errors
/// What the database said.
pub fn names(conn: &mut Conn, actors: &[Uuid]) -> Result<HashMap<String, String>> {
    let ids: Vec<String> = actors.iter().map(Uuid::to_string).collect();
    let named = actor_name::table.filter(actor_name::actor.eq_any(ids)).select((actor_name::actor, actor_name::name));
    let rows: Vec<(String, String)> = named.load(conn)?;
    Ok(rows.into_iter().collect())
}

/// Texts of comments by salted digest, as far as they were not erased.
///
/// # Errors
/// What the database said.
pub fn notes(conn: &mut Conn, digests: Vec<String>) -> Result<Vec<(String, String)>> {
    Ok(note::table.filter(note::digest.eq_any(digests)).select((note::digest, note::text)).load(conn)?)
}
