//! What consent covers, and whom a deployment leaves out, over HTTP.

use licit_schemas::access::Role;
use licit_schemas::consent::{
    AcknowledgementCreate, AcknowledgementView, CoverageQuery, RemedyCreate, SampleQuery, SubjectQuery,
    SuppressionQuery,
};
use licit_schemas::reference::Ref;
use licit_schemas::resource::{MomentQuery, Page};
use licit_schemas::subjects::{ExcludeCreate, ExcludedQuery};
use roaring::RoaringBitmap;

use super as people;
use crate::consent::erase::{Stays, erase};
use crate::consent::said_by;
use crate::consent::suppression::acknowledge;
use crate::db::people::somebody;
use crate::db::{Projection, listing};
use crate::error::{Error, Result};
use crate::facts::Tx;
use crate::gate::erased::{lacked, objected};
use crate::gate::policy::Policy;
use crate::gate::{consented, remedies};
use crate::http::{Body, Ctx, Reply};
use crate::resolve::parse;

async fn off<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    actix_web::web::block(work).await.map_err(|e| Error::Unavailable(format!("the server is stopping: {e}")))?
}

/// The thing of a kind that the path names.
async fn named(ctx: &Ctx, kind: &'static str) -> Result<String> {
    let id = ctx.id()?.to_string();
    let row = ctx.app.db.read({
        let id = id.clone();
        move |conn| listing::by_id(conn, kind, &id)
    });
    let none = || Error::NotFound(format!("there is no {} `{id}`", kind.replace('_', " ")));
    Ok(row.await?.ok_or_else(none)?.reference)
}

/// How far consent covers the members of a dataset version.
pub async fn coverage(ctx: Ctx) -> Result<Reply> {
    let query: CoverageQuery = ctx.query()?;
    let version = people::version(&named(&ctx, "dataset_version").await?)?;
    let (world, now) = (ctx.app.db.known(query.known_at).await?, ctx.now);
    Reply::ok(&off(move || people::coverage(&world, &version, &query, now)).await?)
}

/// Some of those it does not cover.
pub async fn sample(ctx: Ctx, body: Body) -> Result<Reply> {
    let query: SampleQuery = body.read_quietly()?;
    let version = people::version(&named(&ctx, "dataset_version").await?)?;
    let (world, now) = (ctx.app.db.fresh().await?, ctx.now);
    let limit = query.limit;
    let uncovered = off(move || people::uncovered(&world, &version, &query, now)).await?;
    Reply::ok(&ctx.app.db.read(move |conn| people::sample(conn, &uncovered, limit)).await?)
}

/// Make a corrected member set.
pub async fn exclude(ctx: Ctx, body: Body) -> Result<Reply> {
    let create: ExcludeCreate = body.read()?;
    let key = ctx.key(&body.0)?;
    let made = ctx.write_once(key, move |tx| consented::exclude(tx, &create)).await?;
    Reply::created(&made)
}

/// Those left out of one.
pub async fn excluded(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    let query: ExcludedQuery = ctx.query()?;
    let world = ctx.app.db.fresh().await?;
    let who = people::left_out(&world, id)?;
    Reply::ok(&ctx.app.db.read(move |conn| people::page(conn, &who, query.after)).await?)
}

/// Whom a deployment leaves out, or what changed since a list.
pub async fn suppressions(ctx: Ctx) -> Result<Reply> {
    let query: SuppressionQuery = ctx.query()?;
    let deployment = named(&ctx, "deployment").await?;
    let db = &ctx.app.db;
    let world = match query.position {
        Some(position) => at(&ctx, position, "/position").await?,
        None => db.fresh().await?,
    };
    // The list of a position is what was known then. Its first page was asked for before the next entry came: whose consent ended by
    // then is on it, and on the pages after. What a serving system has of an earlier list it may have asked for as soon as that was
    // recorded: what ended since is told again.
    let position = world.position();
    let before = match query.since {
        Some(since) if since > position => {
            return Err(Error::invalid("/since", format!("lies after the list of `{position}`")));
        }
        // Whoever was erased is known by no name: that they were on the list of then cannot be told as a change.
        Some(since) if since < world.consent.last_erased => {
            return Err(Error::conflict(format!(
                "somebody was erased since the list of `{since}`, and no change can name them: take the whole list, without `since`, and keep nothing of the one before"
            )));
        }
        Some(since) => Some((at(&ctx, since, "/since").await?, db.moment_of(since, ctx.now).await?)),
        None => None,
    };
    let moment = match query.position {
        Some(_) => db.last_moment_of(position, ctx.now).await?,
        None => ctx.now,
    };
    let name = deployment.clone();
    let (add, remove) = off(move || {
        let now = people::suppressed(&world, &name, moment)?;
        let then = match before {
            // Where it is new since, nobody was left out then.
            Some((world, moment)) => people::suppressed(&world, &name, moment).or_else(|error| match error {
                Error::NotFound(_) => Ok(RoaringBitmap::new()),
                other => Err(other),
            })?,
            None => RoaringBitmap::new(),
        };
        Ok((&now - &then, &then - &now))
    })
    .await?;
    let whole = query.since.is_none();
    let list = db.read(move |conn| people::list(conn, (position, whole), (&add, &remove), query.after)).await?;
    Reply::ok(&list)
}

async fn at(ctx: &Ctx, position: u64, pointer: &str) -> Result<std::sync::Arc<crate::facts::World>> {
    let fresh = ctx.app.db.fresh().await?;
    if position > fresh.position() {
        let sentence = format!("`{position}` is no position of this ledger: it has {} entries", fresh.position());
        return Err(Error::invalid(pointer, sentence));
    }
    ctx.app.db.at(position).await
}

/// A serving system has a list.
pub async fn create_acknowledgement(ctx: Ctx, body: Body) -> Result<Reply> {
    let create: AcknowledgementCreate = body.read()?;
    let deployment: Ref = parse(&named(&ctx, "deployment").await?)?.unpinned();
    let key = ctx.key(&body.0)?;
    let work = move |tx: &mut Tx<'_>| {
        let last = acknowledge(tx, deployment.clone(), create.position)?;
        Ok(AcknowledgementView {
            deployment: deployment.clone(),
            position: last.position,
            at: last.at,
            as_of: last.as_of,
        })
    };
    Reply::created(&ctx.write_once(key, work).await?)
}

/// What the registry knows of one person's data.
pub async fn view_subject(ctx: Ctx, body: Body) -> Result<Reply> {
    let query: SubjectQuery = body.read_quietly()?;
    let (db, now) = (&ctx.app.db, ctx.now);
    let world = db.fresh().await?;
    let (who, said) = db
        .read(move |conn| {
            let none = || Error::NotFound("nobody is known by this pseudonym".to_owned());
            let who = somebody(conn, &query.subject)?.ok_or_else(none)?;
            Ok((who, said_by(conn, &query.subject)?))
        })
        .await?;
    Reply::ok(&off(move || people::person::view(&world, &who, said, now)).await?)
}

/// Receipts of what one person said of consent.
pub async fn receipts(ctx: Ctx, body: Body) -> Result<Reply> {
    let query: SubjectQuery = body.read_quietly()?;
    let (db, now) = (&ctx.app.db, ctx.now);
    let world = db.fresh().await?;
    let said = db.read(move |conn| said_by(conn, &query.subject)).await?;
    Reply::ok(&people::receipts::receipts(&world, said, now))
}

/// Take somebody out of everything. What policy keeps as proof is kept apart.
pub async fn erase_subject(ctx: Ctx, body: Body) -> Result<Reply> {
    let query: SubjectQuery = body.read_quietly()?;
    let erased = ctx.write(move |tx| {
        let proof_until = Policy::in_force(tx.world(), tx.now()).proof_of_consent(tx.now());
        let stays = Stays { proof_until, lacked: lacked(tx, &query.subject)?, objected: objected(tx, &query.subject)? };
        erase(tx, &query, stays)
    });
    let erased = erased.await?;
    // It is done: where what came of the data cannot be told, that it is done is told all the same.
    let (world, now, plain) = (ctx.app.db.world(), ctx.now, erased.clone());
    Reply::ok(&off(move || Ok(people::person::left(&world, erased, now))).await.unwrap_or(plain))
}

/// A remedy was taken.
pub async fn create_remedy(ctx: Ctx, body: Body) -> Result<Reply> {
    let officer = ctx.caller.roles.contains(&Role::Dpo);
    crate::api::create::<RemedyCreate>(ctx, body, "remedies", move |tx, create| remedies::take(tx, &create, officer))
        .await
}

/// What is to be done for those who withdrew or object.
pub async fn actions(ctx: Ctx) -> Result<Reply> {
    let query: MomentQuery = ctx.query()?;
    let world = ctx.app.db.known(query.known_at).await?;
    let at = query.valid_at.unwrap_or(ctx.now);
    let open = off(move || people::actions::open(&world, at)).await?;
    let items = ctx.app.db.read(move |conn| people::actions::dated(conn, open, at)).await?;
    Reply::ok(&Page { items, next: None })
}
