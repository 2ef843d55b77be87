//! Experiments.

use serde_json::json;

use super::{asked, done, listed, looked, notes, present, sent};
use crate::adapters::mlflow::operations::experiments as operations;
use crate::adapters::mlflow::params::{Params, TAGS};
use crate::adapters::mlflow::search::{self, Found};
use crate::adapters::mlflow::state::Experiment;
use crate::adapters::mlflow::{fault, view};
use crate::error::Result;
use crate::http::{Body, Ctx, Reply};

/// Characters of a name.
const LONGEST: usize = 500;

fn name(params: &Params, member: &str) -> Result<String> {
    let name = params.need(member)?;
    if name.trim().is_empty() || name.chars().count() > LONGEST {
        return Err(fault::parameter(format!("'{member}' exceeds the maximum length of {LONGEST} characters")));
    }
    Ok(name)
}

/// Where an experiment's artifacts are: here, or in a store that clients reach themselves.
fn location(params: &Params) -> Result<Option<String>> {
    let Some(location) = params.text("artifact_location")?.filter(|text| !text.is_empty()) else { return Ok(None) };
    let here = location.strip_prefix("mlflow-artifacts:");
    let sound = match here {
        Some(path) => path.trim_matches('/').parse::<licit_schemas::text::Path>().is_ok(),
        None => location.split_once(':').is_some_and(|(scheme, _)| scheme.len() > 1),
    };
    if !sound || location.contains(['?', '#']) || location.split('/').any(|part| part == "..") || location.len() > 1000
    {
        return Err(fault::parameter("Invalid artifact location: name an address without query, fragment and '..'."));
    }
    Ok(Some(location))
}

/// A new one.
pub async fn create(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let (name, location) = (name(&params, "name")?, location(&params)?);
    let tags = params.pairs("tags", 100, TAGS)?;
    let id = ctx.write(move |tx| operations::create(tx, &name, location.as_deref(), &tags)).await?;
    Reply::ok(&json!({"experiment_id": id.to_string()}))
}

async fn shown(ctx: &Ctx, own: &Experiment) -> Result<Reply> {
    let notes = notes(ctx, own.tags.noted.values().copied().collect()).await?;
    Reply::ok(&json!({"experiment": view::experiment(own, &notes)}))
}

/// One, by its number.
pub async fn get(ctx: Ctx) -> Result<Reply> {
    let id = asked(&ctx)?.need("experiment_id")?;
    let world = present(&ctx).await?;
    let found = id.parse().ok().and_then(|id| world.mlflow.experiment(id));
    let own = found.ok_or_else(|| operations::none(&id))?;
    shown(&ctx, &own).await
}

/// One, by its name.
pub async fn get_by_name(ctx: Ctx) -> Result<Reply> {
    let name = asked(&ctx)?.need("experiment_name")?;
    let world = present(&ctx).await?;
    let found = world.mlflow.experiment_named(&name);
    let shown_name: String = name.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    let own = found.ok_or_else(|| fault::none(format!("Could not find experiment with name '{shown_name}'")))?;
    shown(&ctx, &own).await
}

async fn found(ctx: &Ctx, params: Params) -> Result<Reply> {
    let world = present(ctx).await?;
    let found = looked(&world, params, |world, params| search::experiments(&world.mlflow, params)).await?;
    let noted = found.items.iter().flat_map(|own| own.tags.noted.values().copied()).collect();
    let notes = notes(ctx, noted).await?;
    let items = found.items.iter().map(|own| view::experiment(own, &notes)).collect();
    listed("experiments", Found { items, next: found.next })
}

/// Look for some.
pub async fn search(ctx: Ctx, body: Body) -> Result<Reply> {
    found(&ctx, sent(&body)?).await
}

/// Look for some, by a query.
pub async fn search_by_query(ctx: Ctx) -> Result<Reply> {
    found(&ctx, asked(&ctx)?).await
}

/// Give it another name.
pub async fn update(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let (id, name) = (params.need("experiment_id")?, name(&params, "new_name")?);
    ctx.write(move |tx| operations::rename(tx, &id, &name)).await?;
    done()
}

/// Tag it.
pub async fn set_tag(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let (id, key) = (params.need("experiment_id")?, TAGS.key(&params.need("key")?)?);
    let value = TAGS.value(&key, params.text("value")?.unwrap_or_default())?;
    ctx.write(move |tx| operations::tag(tx, &id, &key, &value)).await?;
    done()
}

/// Take a tag off it.
pub async fn delete_tag(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let (id, key) = (params.need("experiment_id")?, params.need("key")?);
    ctx.write(move |tx| operations::untag(tx, &id, &key)).await?;
    done()
}

/// Put it away.
pub async fn delete(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = sent(&body)?.need("experiment_id")?;
    ctx.write(move |tx| operations::delete(tx, &id)).await?;
    done()
}

/// Take it back.
pub async fn restore(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = sent(&body)?.need("experiment_id")?;
    ctx.write(move |tx| operations::restore(tx, &id)).await?;
    done()
}
