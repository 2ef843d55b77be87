//! Keys of subjects, loads of members and what people say, over HTTP.

use licit_schemas::access::Role;
use licit_schemas::consent::{ConsentRecord, ProofQuery, SubjectQuery};
use licit_schemas::digest::Digest;
use licit_schemas::resource::{GetQuery, Outcome, Page};
use licit_schemas::subjects::{BatchQuery, LoadFinish, MemberLoadCreate, SubjectKeySpec};
use serde::Serialize;

use super::{batch, key_view, lines, members_view, operations, proof, records, store};
use crate::db::listing;
use crate::error::{Error, Result};
use crate::http::{Body, Ctx, Reply};

fn reply(outcome: Outcome, body: &impl Serialize) -> Result<Reply> {
    if outcome == Outcome::Created { Reply::created(body) } else { Reply::ok(body) }
}

/// Make a key known by its fingerprint.
pub async fn create_key(ctx: Ctx, body: Body) -> Result<Reply> {
    let spec: SubjectKeySpec = body.read()?;
    let key = ctx.key(&body.0)?;
    let known = ctx.write_once(key, move |tx| operations::register_key(tx, &spec)).await?;
    reply(known.outcome, &known.view)
}

/// Keys, oldest first.
pub async fn list_keys(ctx: Ctx) -> Result<Reply> {
    let query: GetQuery = ctx.query()?;
    let world = ctx.app.db.known(query.known_at).await?;
    Reply::ok(&Page { items: world.consent.keys().map(|key| key_view(key)).collect(), next: None })
}

/// Load nothing under a key any more.
pub async fn retire_key(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    ctx.write(move |tx| operations::retire_key(tx, id)).await?;
    Ok(Reply::nothing())
}

/// Begin a load, or go on with one.
pub async fn create_load(ctx: Ctx, body: Body) -> Result<Reply> {
    let create: MemberLoadCreate = body.read()?;
    let key = ctx.key(&body.0)?;
    let begun = ctx.write_once(key, move |tx| operations::begin(tx, &create)).await?;
    reply(begun.outcome, &begun.view)
}

/// A load of the caller, and what of it came.
pub async fn get_load(ctx: Ctx) -> Result<Reply> {
    let (id, actor) = (ctx.id()?, ctx.caller.actor);
    Reply::ok(&ctx.app.db.read(move |conn| store::load(conn, id, actor)).await?)
}

/// Take a batch.
pub async fn put_batch(ctx: Ctx, body: Body) -> Result<Reply> {
    let (id, number) = (ctx.id()?, ctx.number("seq")?);
    let query: BatchQuery = ctx.query()?;
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    let bytes = body.0;
    // Ten thousand lines take their milliseconds.
    let lines = actix_web::web::block(move || {
        if Digest::of(&bytes) != query.digest {
            return Err(Error::invalid("/digest", "is not that of the body: send the batch again"));
        }
        lines::read(&bytes)
    })
    .await
    .map_err(|e| Error::Busy(format!("the server is stopping: {e}")))??;
    let taken = ctx.write(move |tx| operations::append(tx, id, number, query.digest, &lines)).await?;
    reply(taken.outcome, &taken)
}

/// All was sent.
pub async fn finish_load(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = ctx.id()?;
    let stated: LoadFinish = body.read()?;
    let loaded = ctx.write(move |tx| operations::finish(tx, id, &stated)).await?;
    reply(loaded.outcome, &loaded)
}

/// Give an open load up. Who answers for the registry or for people's data may give up anybody's.
pub async fn delete_load(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    let officer = [Role::Dpo, Role::Admin].iter().any(|role| ctx.caller.roles.contains(role));
    ctx.write(move |tx| operations::abandon(tx, id, officer)).await?;
    Ok(Reply::nothing())
}

/// How many members a dataset version has, and the commitment to them.
pub async fn get_members(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    let query: GetQuery = ctx.query()?;
    let world = ctx.app.db.known(query.known_at).await?;
    let text = id.to_string();
    let row = ctx.app.db.read(move |conn| listing::by_id_known(conn, "dataset_version", &text, query.known_at)).await?;
    let row = row.ok_or_else(|| Error::NotFound(format!("there is no dataset version `{id}`")))?;
    let none = || Error::NotFound(format!("the members of `{}` are not loaded", row.reference));
    Reply::ok(&members_view(world.consent.members(&row.reference).ok_or_else(none)?))
}

/// Record one thing somebody said.
pub async fn create_record(ctx: Ctx, body: Body) -> Result<Reply> {
    let overrides = ctx.caller.roles.contains(&Role::Dpo);
    let record: ConsentRecord = body.read_quietly()?;
    let key = ctx.key(&body.0)?;
    let line = batch::line(1, record, ctx.now, overrides).map_err(Error::Invalid)?;
    let id = *line.record.record_id.0.as_bytes();
    let recorded = ctx.write_once_of(vec![id], key, move |tx| records::record(tx, &line)).await?;
    reply(recorded.outcome, &recorded)
}

/// Record many, one a line.
pub async fn create_records(ctx: Ctx, body: Body) -> Result<Reply> {
    let (bytes, now, overrides) = (body.0, ctx.now, ctx.caller.roles.contains(&Role::Dpo));
    let batch::Batch { lines, refused } = actix_web::web::block(move || batch::read(&bytes, now, overrides))
        .await
        .map_err(|e| Error::Unavailable(format!("the server is stopping: {e}")))??;
    let mut taken = ctx.write(move |tx| records::record_all(tx, &lines)).await?;
    taken.refused.extend(refused);
    taken.refused.sort_by_key(|one| one.line);
    Reply::ok(&taken)
}

/// Everything somebody said, each with its proof.
pub async fn list_subject_records(ctx: Ctx, body: Body) -> Result<Reply> {
    let query: SubjectQuery = body.read_quietly()?;
    Reply::ok(&ctx.app.db.read(move |conn| store::records(conn, &query.subject)).await?)
}

/// Proof of the consent of somebody who was erased.
pub async fn read_proof(ctx: Ctx, body: Body) -> Result<Reply> {
    let query: ProofQuery = body.read_quietly()?;
    Reply::ok(&ctx.write(move |tx| proof::read(tx, &query)).await?)
}
