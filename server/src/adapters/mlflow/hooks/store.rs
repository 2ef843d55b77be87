//! Addresses of receivers.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::db::Conn;
use crate::db::schema::webhook;
use crate::error::Result;

/// Addresses of receivers by their ids.
///
/// # Errors
/// What the database said.
pub fn addresses(conn: &mut Conn) -> Result<HashMap<String, String>> {
    let rows: Vec<(String, String)> = webhook::table.select((webhook::id, webhook::url)).load(conn)?;
    Ok(rows.into_iter().collect())
}

/// Address and secret of a receiver.
///
/// # Errors
/// What the database said.
pub fn receiver(conn: &mut Conn, id: &str) -> Result<Option<(String, String)>> {
    Ok(webhook::table.find(id).select((webhook::url, webhook::secret)).first(conn).optional()?)
}
