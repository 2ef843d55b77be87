//! Loads read from the tables.

use diesel::prelude::*;
use licit_schemas::subjects::MemberLoadView;
use uuid::Uuid;

use super::operations::view;
use crate::db::Conn;
use crate::db::people::{Batch, Load};
use crate::db::schema::{member_batch, member_load};
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
