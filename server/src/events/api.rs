//! Events over HTTP: receivers, deliveries, the stream.

use licit_schemas::events::{DeliveriesQuery, EventsQuery, Redelivery, WebhookCreate, WebhookCreated, WebhookView};
use licit_schemas::registry::uuid_text;
use licit_schemas::resource::Page;
use licit_schemas::time::Timestamp;

use super::stream::{Listening, beginning, listen};
use super::{address, operations, sign, store, wanted};
use crate::db::outbox::{DEAD, Receiver, WAITING};
use crate::error::{Error, Result};
use crate::facts::{Tx, World};
use crate::http::{Body, Ctx, Reply};

/// Subscribe a receiver. Its secret is shown this once: a retry under the same key is told which receiver was subscribed.
pub async fn create_webhook(ctx: Ctx, body: Body) -> Result<Reply> {
    let create: WebhookCreate = body.read()?;
    let key = ctx.key(&body.0)?;
    let secret = match &create.secret {
        Some(secret) if !sign::is_sound(secret) => {
            return Err(Error::invalid("/secret", "expected `whsec_` and 24 to 64 bytes in base64"));
        }
        Some(secret) => secret.clone(),
        None => sign::new_secret()?,
    };
    let (url, allow_private) = (create.url.to_string(), ctx.app.settings.allow_private);
    // Looking a name up may take its time.
    let host = actix_web::web::block(move || address::checked(&url, allow_private))
        .await
        .map_err(|e| Error::Busy(format!("the server is stopping: {e}")))?
        .map_err(|sentence| Error::invalid("/url", sentence))?;
    let given = secret.clone();
    let work = move |tx: &mut Tx<'_>| operations::subscribe(tx, &create, &given, &host).map(uuid_text::Uuid);
    let id = ctx.make_once(key, subscribed_before, work).await?;
    Reply::created(&WebhookCreated { id, secret })
}

fn subscribed_before(id: &uuid_text::Uuid) -> String {
    format!(
        "webhook `{}` was subscribed under this key, and its secret is shown once: delete it, and subscribe anew",
        id.0
    )
}

async fn views(ctx: &Ctx) -> Result<Vec<WebhookView>> {
    let world = ctx.app.db.fresh().await?;
    let (receivers, figures) = ctx.app.db.read(|conn| Ok((store::receivers(conn)?, store::figures(conn)?))).await?;
    let count = |id: &str, state: &str| figures.get(&(id.to_owned(), state.to_owned())).copied().unwrap_or(0);
    Ok(receivers.iter().filter_map(|r| view(&world, r, count(&r.id, WAITING), count(&r.id, DEAD))).collect())
}

fn view(world: &World, receiver: &Receiver, waiting: u64, dead: u64) -> Option<WebhookView> {
    let id = receiver.id.parse().ok()?;
    Some(WebhookView {
        id: uuid_text::Uuid(id),
        url: receiver.url.clone(),
        kinds: world.events.get(id)?.kinds.clone(),
        description: Some(receiver.description.clone()).filter(|text| !text.is_empty()),
        actor: receiver.actor.clone(),
        created_at: Timestamp::from_naive(receiver.created_at),
        position: u64::try_from(receiver.position).unwrap_or(0),
        waiting,
        dead,
    })
}

/// Receivers, oldest first, without their secrets.
pub async fn list_webhooks(ctx: Ctx) -> Result<Reply> {
    Reply::ok(&Page { items: views(&ctx).await?, next: None })
}

fn none(id: uuid::Uuid) -> Error {
    Error::NotFound(format!("there is no webhook `{id}`"))
}

/// One receiver, without its secret.
pub async fn get_webhook(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    let found = views(&ctx).await?.into_iter().find(|view| view.id.0 == id);
    Reply::ok(&found.ok_or_else(|| none(id))?)
}

/// Tell a receiver no more.
pub async fn delete_webhook(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    ctx.write(move |tx| operations::unsubscribe(tx, id)).await?;
    Ok(Reply::nothing())
}

/// Deliveries that failed.
pub async fn list_deliveries(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    let query: DeliveriesQuery = ctx.query()?;
    if ctx.app.db.fresh().await?.events.get(id).is_none() {
        return Err(none(id));
    }
    let text = id.to_string();
    let page =
        ctx.app.db.read(move |conn| store::deliveries(conn, &text, query.state, query.after, query.limit)).await?;
    Reply::ok(&page)
}

/// Deliver again.
pub async fn redeliver(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = ctx.id()?;
    let redelivery: Redelivery = body.read()?;
    ctx.write(move |tx| operations::again(tx, id, redelivery.seq)).await?;
    Ok(Reply::nothing())
}

/// The stream of events.
pub async fn stream_events(ctx: Ctx) -> Result<Reply> {
    let query: EventsQuery = ctx.query()?;
    let kinds = wanted(query.kinds.as_deref())?;
    let after = match query.after.or(ctx.last_event_id()?) {
        Some(after) => after,
        None => beginning(&ctx.app.db, query.follow).await?,
    };
    let listening = Listening {
        token: ctx.caller.token,
        source: ctx.app.settings.source.clone(),
        kinds,
        after,
        follow: query.follow,
        limit: query.limit.unwrap_or(u64::MAX),
    };
    // Another server may have written what a listener wants now.
    ctx.app.db.fresh().await?;
    Ok(Reply::stream("text/event-stream", listen(ctx.app.db.clone(), &ctx.app.listeners, listening)?))
}
