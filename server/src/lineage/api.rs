//! Runs, edges, registrations, walks, over HTTP.

use licit_schemas::lineage::{LineageFormat, LineageQuery, PathQuery};
use licit_schemas::registration::Registration;
use serde::{Deserialize, Serialize};

use super::{operations, views};
use crate::api;
use crate::db::Projection;
use crate::error::{Error, Result};
use crate::http::{Body, Ctx, Reply};
use crate::resolve::node;

/// Record a run.
pub async fn create_run(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create(ctx, body, "runs", operations::run).await
}

/// Register what a pipeline made, all or nothing.
pub async fn create_registration(ctx: Ctx, body: Body) -> Result<Reply> {
    let registration: Registration = body.read()?;
    let key = ctx.key(&body.0)?;
    let result = ctx.write_once(key, move |tx| operations::register(tx, registration.clone())).await?;
    Reply::ok(&result)
}

/// Where an edge stands in the ledger.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct EdgeCreated {
    /// Ledger position.
    pub seq: u64,
}

/// Record a late edge.
pub async fn create_edge(ctx: Ctx, body: Body) -> Result<Reply> {
    let edge: licit_schemas::lineage::EdgeCreate = body.read()?;
    let key = ctx.key(&body.0)?;
    let created =
        ctx.write_once(key, move |tx| operations::edge(tx, edge.clone()).map(|seq| EdgeCreated { seq })).await?;
    Reply::ok(&created)
}

/// Upstream or downstream closure.
pub async fn closure(ctx: Ctx) -> Result<Reply> {
    let query: LineageQuery = ctx.query()?;
    let world = ctx.app.db.known(query.known_at).await?;
    let root = node(&world, &query.r#ref, "/ref")?;
    let closure = views::closure(&world.lineage, world.position(), root, query.direction, query.valid_at);
    let closure = closure.ok_or_else(|| {
        Error::conflict("the closure is too large to be answered whole, and is never cut: ask for a path instead")
    })?;
    match query.format {
        LineageFormat::Json => Reply::ok(&closure),
        LineageFormat::Dot => Ok(Reply::text("text/vnd.graphviz; charset=utf-8", views::dot(&closure))),
        LineageFormat::Tree => Ok(Reply::text("text/plain; charset=utf-8", views::tree(&closure))),
    }
}

/// Shortest path.
pub async fn path(ctx: Ctx) -> Result<Reply> {
    let query: PathQuery = ctx.query()?;
    let world = ctx.app.db.known(query.known_at).await?;
    let (from, to) = (node(&world, &query.from, "/from")?, node(&world, &query.to, "/to")?);
    Reply::ok(&views::path(&world.lineage, world.position(), (from, to), query.valid_at))
}
