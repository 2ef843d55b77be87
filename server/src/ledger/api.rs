//! The ledger over HTTP.

use licit_schemas::ledger::{CheckpointsQuery, ConsistencyQuery, EntriesQuery, InclusionQuery};
use licit_schemas::proof::tile::{Content, Tile};

use super::store;
use crate::error::{Error, Result};
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

/// Name and keys of the ledger, current and earlier ones.
pub async fn keys(ctx: Ctx) -> Result<Reply> {
    Reply::ok(ctx.app.db.fresh().await?.ledger.ring())
}

/// Checkpoints that were signed, smallest first.
pub async fn checkpoints(ctx: Ctx) -> Result<Reply> {
    let query: CheckpointsQuery = ctx.query()?;
    Reply::ok(&ctx.app.db.read(move |conn| store::checkpoints(conn, query.from, query.limit)).await?)
}

/// The signed checkpoint of the ledger as it stands.
pub async fn checkpoint(ctx: Ctx) -> Result<Reply> {
    let signed = ctx.app.signing.checkpoint(&ctx.app.db).await?;
    Ok(Reply::text("text/plain; charset=utf-8", signed.note.to_string()))
}

/// A tile of hashes.
pub async fn tile(ctx: Ctx) -> Result<Reply> {
    of(&ctx, ctx.text("tile"), false).await
}

/// A bundle of entries.
pub async fn entry_bundle(ctx: Ctx) -> Result<Reply> {
    let path = format!("entries/{}", ctx.text("tile"));
    of(&ctx, &path, true).await
}

async fn of(ctx: &Ctx, path: &str, entries: bool) -> Result<Reply> {
    let wanted = |tile: &Tile| (tile.content == Content::Entries) == entries;
    let Some(tile) = Tile::parse(path).filter(wanted) else {
        return Err(Error::NotFound("the path names no tile: C2SP tlog-tiles says how they are named".to_owned()));
    };
    let bytes = ctx.app.db.read(move |conn| store::tile(conn, &tile)).await?;
    // A tile never changes; who is let in without a token may share it.
    let cache = match ctx.app.public_log {
        true => "public, max-age=31536000, immutable",
        false => "private, max-age=31536000, immutable",
    };
    Ok(Reply::bytes("application/octet-stream", bytes).cached(cache))
}
