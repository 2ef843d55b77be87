//! The routes: each reads its parameters, calls an operation or looks at the projection, and answers.

pub mod experiments;
pub mod logged;
pub mod registry;
pub mod runs;

use std::sync::Arc;

use licit_schemas::access::Role;
use licit_schemas::digest::Digest;
use serde_json::{Map, Value, json};

use super::params::Params;
use super::search::Found;
use super::store;
use super::view::Notes;
use crate::error::Result;
use crate::facts::World;
use crate::http::{Body, Ctx, Reply, off_thread};

/// Parameters of the body.
fn sent(body: &Body) -> Result<Params> {
    Params::body(&body.0)
}

/// Parameters of the query.
fn asked(ctx: &Ctx) -> Result<Params> {
    Ok(Params::query(ctx.pairs()?))
}

/// Nothing to say.
fn done() -> Result<Reply> {
    Reply::ok(&json!({}))
}

/// The present, with what other servers wrote.
async fn present(ctx: &Ctx) -> Result<Arc<World>> {
    ctx.app.db.fresh().await
}

/// Texts of notes.
async fn notes(ctx: &Ctx, digests: Vec<Digest>) -> Result<Notes> {
    if digests.is_empty() {
        return Ok(Notes::new());
    }
    ctx.app.db.read(move |conn| store::notes(conn, &digests)).await
}

/// Look through all there is on a thread that answers nobody else meanwhile.
async fn looked<T: Send + 'static>(
    world: &Arc<World>,
    params: Params,
    look: impl FnOnce(&World, &Params) -> Result<T> + Send + 'static,
) -> Result<T> {
    let world = world.clone();
    off_thread(move || look(&world, &params)).await
}

/// Whether the caller may move what runs.
fn may_release(ctx: &Ctx) -> bool {
    ctx.caller.may(&[Role::Releaser])
}

/// A page of something.
fn listed(name: &str, found: Found<Value>) -> Result<Reply> {
    let mut map = Map::new();
    if !found.items.is_empty() {
        map.insert(name.to_owned(), Value::Array(found.items));
    }
    if let Some(next) = found.next {
        map.insert("next_page_token".to_owned(), Value::String(next));
    }
    Reply::ok(&map)
}
