//! Logged models.

use serde_json::json;

use super::{done, listed, looked, notes, present, sent};
use crate::adapters::mlflow::operations::logged::{self as operations, NewLogged};
use crate::adapters::mlflow::params::{PARAMS, TAGS};
use crate::adapters::mlflow::search::{self, Found};
use crate::adapters::mlflow::view;
use crate::error::Result;
use crate::http::{Body, Ctx, Reply};

async fn shown(ctx: &Ctx, id: &str) -> Result<Reply> {
    let world = present(ctx).await?;
    let own = world.mlflow.logged(id).filter(|own| !own.deleted).cloned().ok_or_else(|| operations::none(id))?;
    let notes = notes(ctx, own.tags.noted.values().copied().collect()).await?;
    Reply::ok(&json!({"model": view::logged(&world, &own, &notes)}))
}

/// A new one.
pub async fn create(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let new = NewLogged {
        experiment: params.need("experiment_id")?,
        name: params.text("name")?.map(|name| name.chars().take(250).collect()),
        model_type: params.text("model_type")?.unwrap_or_default().chars().take(250).collect(),
        run: params.text("source_run_id")?,
        params: params.pairs("params", 1000, PARAMS)?,
        tags: params.pairs("tags", 1000, TAGS)?,
    };
    let id = ctx.write(move |tx| operations::create(tx, &new)).await?;
    shown(&ctx, &id).await
}

/// One.
pub async fn get(ctx: Ctx) -> Result<Reply> {
    let id = ctx.text("id").to_owned();
    shown(&ctx, &id).await
}

/// It is ready, or failed.
pub async fn finish(ctx: Ctx, body: Body) -> Result<Reply> {
    let (id, status) = (ctx.text("id").to_owned(), sent(&body)?.need("status")?);
    let own = id.clone();
    ctx.write(move |tx| operations::finish(tx, &own, &status)).await?;
    shown(&ctx, &id).await
}

/// Put it away.
pub async fn delete(ctx: Ctx) -> Result<Reply> {
    let id = ctx.text("id").to_owned();
    ctx.write(move |tx| operations::delete(tx, &id)).await?;
    done()
}

/// Tag it.
pub async fn set_tags(ctx: Ctx, body: Body) -> Result<Reply> {
    let (id, tags) = (ctx.text("id").to_owned(), sent(&body)?.pairs("tags", 100, TAGS)?);
    ctx.write(move |tx| operations::tag(tx, &id, &tags)).await?;
    done()
}

/// Take a tag off it.
pub async fn delete_tag(ctx: Ctx) -> Result<Reply> {
    let (id, key) = (ctx.text("id").to_owned(), ctx.text("key").to_owned());
    ctx.write(move |tx| operations::untag(tx, &id, &key)).await?;
    done()
}

/// Parameters.
pub async fn log_params(ctx: Ctx, body: Body) -> Result<Reply> {
    let (id, params) = (ctx.text("id").to_owned(), sent(&body)?.pairs("params", 1000, PARAMS)?);
    ctx.write(move |tx| operations::log(tx, &id, &params)).await?;
    done()
}

/// Look for some.
pub async fn search(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let world = present(&ctx).await?;
    let found = looked(&world, params, |world, params| search::logged(&world.mlflow, params)).await?;
    let noted = found.items.iter().flat_map(|own| own.tags.noted.values().copied()).collect();
    let notes = notes(&ctx, noted).await?;
    let items = found.items.iter().map(|own| view::logged(&world, own, &notes)).collect();
    listed("models", Found { items, next: found.next })
}
