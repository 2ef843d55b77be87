//! Webhooks over HTTP.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::operations::{self, Wanted};
use super::{EVENTS, Hook, SECRET, example, signed, store};
use crate::adapters::mlflow::params::Params;
use crate::adapters::mlflow::{fault, filter};
use crate::error::{Error, Result};
use crate::events::{address, deliver};
use crate::http::{Body, Ctx, Reply};

fn view(hook: &Hook, addresses: &HashMap<String, String>) -> Option<Value> {
    // One whose receiver was let go natively is gone.
    let url = addresses.get(&hook.receiver.to_string())?;
    let events = hook.events.iter().filter_map(|event| event.split_once('.'));
    let events: Vec<Value> = events.map(|(entity, action)| json!({"entity": entity, "action": action})).collect();
    let mut map = Map::new();
    for (name, value) in [
        ("webhook_id", json!(hook.id)),
        ("name", json!(hook.name)),
        ("url", json!(url)),
        ("events", json!(events)),
        ("status", json!(if hook.active { "ACTIVE" } else { "DISABLED" })),
        ("creation_timestamp", json!(hook.times.0)),
        ("last_updated_timestamp", json!(hook.times.1)),
    ] {
        map.insert(name.to_owned(), value);
    }
    if !hook.description.is_empty() {
        map.insert("description".to_owned(), json!(hook.description));
    }
    Some(Value::Object(map))
}

fn text(params: &Params, name: &str, most: usize) -> Result<Option<String>> {
    match params.text(name)? {
        Some(text) if text.chars().count() > most => {
            Err(fault::parameter(format!("'{name}' exceeds the maximum length of {most} characters")))
        }
        text => Ok(text),
    }
}

async fn wanted(ctx: &Ctx, params: &Params) -> Result<Wanted> {
    let mut events = Vec::new();
    for one in params.list("events", 50)? {
        let event = format!("{}.{}", one.need("entity")?.to_uppercase(), one.need("action")?.to_uppercase());
        if !EVENTS.contains(&event.as_str()) {
            let shown: String = event.chars().filter(|c| !c.is_control()).take(100).collect();
            return Err(fault::parameter(format!("Invalid event '{shown}': there are {}.", EVENTS.join(", "))));
        }
        events.push(event);
    }
    let url = text(params, "url", 1000)?.filter(|url| !url.is_empty());
    let host = match url.clone() {
        None => String::new(),
        Some(url) => {
            let allow_private = ctx.app.settings.allow_private;
            // Looking a name up may take its time.
            actix_web::web::block(move || address::checked(&url, allow_private))
                .await
                .map_err(|e| Error::Busy(format!("the server is stopping: {e}")))?
                .map_err(|sentence| fault::parameter(format!("Invalid webhook URL: it {sentence}.")))?
        }
    };
    let active = match params.text("status")?.as_deref() {
        None => None,
        Some("ACTIVE") => Some(true),
        Some("DISABLED") => Some(false),
        Some(other) => return Err(fault::mistyped("status", &Value::String(other.to_owned()))),
    };
    Ok(Wanted {
        name: text(params, "name", 256)?.filter(|name| !name.is_empty()),
        description: text(params, "description", 1000)?,
        url,
        host,
        events: params.has("events").then_some(events),
        secret: text(params, "secret", 1000)?,
        active,
    })
}

fn id(ctx: &Ctx) -> Result<Uuid> {
    ctx.text("id").parse().map_err(|_| operations::none(ctx.text("id")))
}

async fn shown(ctx: &Ctx, id: Uuid) -> Result<Reply> {
    let world = ctx.app.db.fresh().await?;
    let addresses = ctx.app.db.read(store::addresses).await?;
    let found = world.mlflow.hooks.get(id).and_then(|hook| view(hook, &addresses));
    Reply::ok(&json!({"webhook": found.ok_or_else(|| operations::none(&id.to_string()))?}))
}

/// A new one. Its secret is never shown.
pub async fn create(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = Params::body(&body.0)?;
    for name in ["name", "url"] {
        params.need(name)?;
    }
    let wanted = wanted(&ctx, &params).await?;
    if wanted.events.as_ref().is_none_or(Vec::is_empty) {
        return Err(fault::missing("events"));
    }
    let id = ctx.write(move |tx| operations::create(tx, &wanted)).await?;
    shown(&ctx, id).await
}

/// All of them.
pub async fn list(ctx: Ctx) -> Result<Reply> {
    let params = Params::query(ctx.pairs()?);
    let limit = params.limit(100, 1000)?;
    let offset = filter::offset(params.text("page_token")?.as_deref())?;
    let world = ctx.app.db.fresh().await?;
    let addresses = ctx.app.db.read(store::addresses).await?;
    let all: Vec<Value> = world.mlflow.hooks.iter().filter_map(|hook| view(hook, &addresses)).collect();
    let mut map = Map::new();
    if all.len() > offset + limit {
        map.insert("next_page_token".to_owned(), json!(filter::token(offset + limit)));
    }
    let page: Vec<Value> = all.into_iter().skip(offset).take(limit).collect();
    if !page.is_empty() {
        map.insert("webhooks".to_owned(), Value::Array(page));
    }
    Reply::ok(&map)
}

/// One.
pub async fn get(ctx: Ctx) -> Result<Reply> {
    let id = id(&ctx)?;
    shown(&ctx, id).await
}

/// Change one.
pub async fn update(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = id(&ctx)?;
    let wanted = wanted(&ctx, &Params::body(&body.0)?).await?;
    ctx.write(move |tx| operations::update(tx, id, &wanted)).await?;
    shown(&ctx, id).await
}

/// Let one go.
pub async fn delete(ctx: Ctx) -> Result<Reply> {
    let id = id(&ctx)?;
    ctx.write(move |tx| operations::delete(tx, id)).await?;
    Reply::ok(&json!({}))
}

/// Post an example to one, and say what it answered.
pub async fn test(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = id(&ctx)?;
    let params = Params::body(&body.0)?;
    let world = ctx.app.db.fresh().await?;
    let hook = world.mlflow.hooks.get(id).cloned().ok_or_else(|| operations::none(&id.to_string()))?;
    let event = if params.has("event") {
        let one = params.object("event")?;
        format!("{}.{}", one.need("entity")?.to_uppercase(), one.need("action")?.to_uppercase())
    } else {
        hook.events.first().cloned().unwrap_or_default()
    };
    if !EVENTS.contains(&event.as_str()) {
        return Err(fault::parameter("Invalid event: the webhook is told no such thing."));
    }
    let receiver = hook.receiver.to_string();
    let found = ctx.app.db.read(move |conn| store::receiver(conn, &receiver)).await?;
    let (url, secret) = found.ok_or_else(|| operations::none(&id.to_string()))?;
    let (now, settings) = (ctx.now, ctx.app.settings.clone());
    let told = signed(
        secret.strip_prefix(SECRET).unwrap_or_default(),
        &event,
        &example(&event),
        &now.to_string().replace('Z', "+00:00"),
        Uuid::now_v7(),
        now.micros().div_euclid(1_000_000),
    )?;
    let answer = actix_web::web::block(move || deliver::once(&settings, &url, &told))
        .await
        .map_err(|e| Error::Busy(format!("the server is stopping: {e}")))?;
    let result = match answer {
        Ok((status, text)) => {
            json!({"success": (200..300).contains(&status), "response_status": status, "response_body": text})
        }
        Err(error) => json!({"success": false, "error_message": error}),
    };
    Reply::ok(&json!({"result": result}))
}
