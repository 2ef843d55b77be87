//! The ledger over HTTP.

use licit_schemas::ledger::{ConsistencyQuery, EntriesQuery, InclusionQuery};

use super::store;
use crate::error::Result;
use crate::http::{Ctx, Reply};

/// The tree as it stands.
pub async fn head(ctx: Ctx) -> Result<Reply> {
    Reply::ok(&ctx.app.db.read(store::head).await?)
}

/// Entries, oldest first.
pub async fn entries(ctx: Ctx) -> Result<Reply> {
    let query: EntriesQuery = ctx.query()?;
    Reply::ok(&ctx.app.db.read(move |conn| store::entries(conn, query.from, query.limit)).await?)
}

/// One entry.
pub async fn entry(ctx: Ctx) -> Result<Reply> {
    let seq = ctx.number("seq")?;
    Reply::ok(&ctx.app.db.read(move |conn| store::entry(conn, seq)).await?)
}

/// Inclusion proof.
pub async fn inclusion(ctx: Ctx) -> Result<Reply> {
    let query: InclusionQuery = ctx.query()?;
    Reply::ok(&ctx.app.db.read(move |conn| store::inclusion(conn, query.seq, query.size)).await?)
}

/// Consistency proof.
pub async fn consistency(ctx: Ctx) -> Result<Reply> {
    let query: ConsistencyQuery = ctx.query()?;
    Reply::ok(&ctx.app.db.read(move |conn| store::consistency(conn, query.from, query.to)).await?)
}
