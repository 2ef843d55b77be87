//! Actors and tokens over HTTP.

use licit_schemas::access::{ActorCreate, TokenCreate, TokenCreated, TokenSpec, TokenView, WhoAmI};
use licit_schemas::digest::Digest;
use licit_schemas::registry::uuid_text;
use licit_schemas::resource::{ListQuery, Page};
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{operations, store};
use crate::db::{Row, listing};
use crate::error::{Error, Result};
use crate::facts::Tx;
use crate::http::{Body, Ctx, Reply};

/// The caller's own token.
pub async fn whoami(ctx: Ctx) -> Result<Reply> {
    let actor = ctx.caller.actor;
    let names = ctx.app.db.read(move |conn| store::names(conn, &[actor])).await?;
    Reply::ok(&WhoAmI {
        actor: uuid_text::Uuid(actor),
        kind: ctx.caller.kind,
        name: names.get(&actor.to_string()).cloned(),
        roles: ctx.caller.roles.clone(),
        expires_at: ctx.caller.expires_at,
    })
}

/// An actor as answered.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ActorCreated {
    /// Opaque id.
    pub id: uuid_text::Uuid,
}

/// Make an actor known.
pub async fn create_actor(ctx: Ctx, body: Body) -> Result<Reply> {
    let create: ActorCreate = body.read()?;
    let key = ctx.key(&body.0)?;
    let created = ctx
        .write_once(key, move |tx| {
            operations::register_actor(tx, &create).map(|id| ActorCreated { id: uuid_text::Uuid(id) })
        })
        .await?;
    Reply::created(&created)
}

/// An actor with its name, as far as it was not erased.
#[derive(Serialize, schemars::JsonSchema)]
pub struct ActorView {
    /// Opaque id.
    pub id: String,
    /// `person` or `service`.
    pub kind: String,
    /// Display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who answers for a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responsible: Option<uuid_text::Uuid>,
}

/// All actors.
pub async fn list_actors(ctx: Ctx) -> Result<Reply> {
    let query: ListQuery = ctx.query()?;
    crate::api::valid("actor", query.valid_at)?;
    let (page, names) = ctx
        .app
        .db
        .read(move |conn| {
            let page = listing::list(conn, "actor", &query)?;
            let ids: Vec<Uuid> = page.items.iter().filter_map(|r| r.id.parse().ok()).collect();
            let names = store::names(conn, &ids)?;
            Ok((page, names))
        })
        .await?;
    let items: Vec<ActorView> = page
        .items
        .into_iter()
        .map(|row| {
            let spec = serde_json::from_str::<licit_schemas::access::ActorSpec>(&row.doc).ok();
            ActorView {
                name: names.get(&row.id).cloned(),
                kind: row.state,
                responsible: spec.and_then(|s| s.responsible),
                id: row.id,
            }
        })
        .collect();
    Reply::ok(&Page { items, next: page.next })
}

/// Erase an actor's display name: ids and proofs stay as they are.
pub async fn erase_name(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    ctx.write(move |tx| operations::erase_name(tx, id)).await?;
    Ok(Reply::nothing())
}

/// Erase a comment or a reason. What was erased, or never was, is not there afterwards.
pub async fn erase_comment(ctx: Ctx) -> Result<Reply> {
    let digest: Digest = ctx
        .text("digest")
        .parse()
        .map_err(|e| Error::NotFound(format!("the path names no comment by its digest: {e}")))?;
    ctx.write(move |tx| {
        tx.erase_note(digest);
        Ok(())
    })
    .await?;
    Ok(Reply::nothing())
}

/// Issue a token. Its secret is kept nowhere: a retry under the same key is told which token was issued.
pub async fn create_token(ctx: Ctx, body: Body) -> Result<Reply> {
    let create: TokenCreate = body.read()?;
    let key = ctx.key(&body.0)?;
    let secret = operations::new_secret()?;
    let issued = secret.clone();
    let work = move |tx: &mut Tx<'_>| {
        operations::issue_token(tx, &create, &issued).map(|created| (created.id, created.expires_at))
    };
    let (id, expires_at) = ctx.make_once(key, issued_before, work).await?;
    Reply::created(&TokenCreated { id, token: secret, expires_at })
}

fn issued_before((id, _): &(uuid_text::Uuid, Timestamp)) -> String {
    format!("token `{}` was issued under this key, and its secret is shown once: revoke it, and issue another", id.0)
}

/// Tokens, without their secrets.
pub async fn list_tokens(ctx: Ctx) -> Result<Reply> {
    let query: ListQuery = ctx.query()?;
    let page = ctx.app.db.look_up(move |conn| listing::list(conn, "token", &query)).await?;
    let broken = |row: &Row| Error::Internal(format!("token {}: not of our form", row.id));
    let view = |row: &Row| {
        let spec: TokenSpec = serde_json::from_str(&row.doc).map_err(|_| broken(row))?;
        let id = row.id.parse().map_err(|_| broken(row))?;
        let TokenSpec { actor, roles, label, expires_at, .. } = spec;
        Ok(TokenView { id: uuid_text::Uuid(id), actor, roles, label, expires_at, revoked: row.state == "revoked" })
    };
    let items = page.items.iter().map(view).collect::<Result<Vec<_>>>()?;
    Reply::ok(&Page { items, next: page.next })
}

/// Take a token back.
pub async fn revoke_token(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    ctx.write(move |tx| operations::revoke_token(tx, id)).await?;
    Ok(Reply::nothing())
}
