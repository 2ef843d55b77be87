//! Passports over HTTP.

use licit_schemas::proof::passport::{FORM, PassportFile, PassportImport};
use licit_schemas::registry::ModelVersionSpec;
use licit_schemas::resource::Outcome;

use super::{Committed, behind, import::import, statement};
use crate::db::listing;
use crate::error::{Error, Result};
use crate::gate::api::off;
use crate::http::{Body, Ctx, Reply};
use crate::ledger::attest;

/// The passport of a model version: made out now, and recorded nowhere.
pub async fn passport(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    let (db, signing, now) = (&ctx.app.db, &ctx.app.signing, ctx.now);
    attest::undisputed(signing)?;
    let row = db.look_up(move |conn| listing::by_id(conn, "model_version", &id.to_string())).await?;
    let row = row.ok_or_else(|| Error::NotFound(format!("there is no model version `{id}`")))?;
    let model = row.reference.clone();
    let spec: ModelVersionSpec =
        serde_json::from_str(&row.doc).map_err(|e| Error::Internal(format!("model version {id}: {e}")))?;
    let world = db.fresh().await?;
    if world.registry.is_retired(&model) {
        return Err(Error::conflict(format!("there is no passport of `{model}`: it is retired")));
    }
    let (release, decided) = behind(&world, &model)?;
    let registered = world.registry.held(&model).map_or(0, |held| held.seq);
    let origin = signing.in_force(&world)?.1.name().clone();
    let entries = db.read(move |conn| {
        let entry = |seq, data| Committed { seq, data };
        let (decision, id) = attest::recorded(conn, decided)?;
        let (seq, data) = attest::committed(conn, registered)?;
        Ok((format!("decision:{id}"), entry(decided, decision), entry(seq, data)))
    });
    let (entries, judged) = (entries.await?, world.clone());
    let statement = off(move || statement(&judged, (&model, spec.files), &release, entries, now, &origin)).await??;
    let sealed = attest::seal(signing, &world, &statement).await?;
    let signed = attest::covering(db, signing, &sealed.by, decided.max(registered)).await?;
    let head = signed.checkpoint.head;
    let checkpoint = signed.note.to_string();
    let file = db.read(move |conn| {
        Ok(PassportFile {
            form: FORM.to_owned(),
            envelope: sealed.envelope,
            decision: attest::proven(conn, decided, &head, false)?,
            model: attest::proven(conn, registered, &head, false)?,
            checkpoint,
        })
    });
    Reply::ok(&file.await?)
}

/// Take a model in with its passport.
pub async fn create_passport(ctx: Ctx, body: Body) -> Result<Reply> {
    let create: PassportImport = body.read()?;
    let key = ctx.key(&body.0)?;
    let answer = ctx.write_once(key, move |tx| import(tx, &create)).await?;
    match answer.registered.outcome {
        Outcome::Created => Reply::created(&answer),
        Outcome::Unchanged => Reply::ok(&answer),
    }
}
