//! Registered models, their versions and aliases.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{asked, done, listed, looked, may_release, present, sent};
use crate::adapters::mlflow::Rules;
use crate::adapters::mlflow::fact::Stage;
use crate::adapters::mlflow::operations::promote::{self, Led, Promoted};
use crate::adapters::mlflow::operations::standing::shown as shown_now;
use crate::adapters::mlflow::operations::versions::{self, NewVersion};
use crate::adapters::mlflow::operations::{models, versions as of};
use crate::adapters::mlflow::params::{Params, REGISTRY};
use crate::adapters::mlflow::registered::{Model, Version};
use crate::adapters::mlflow::search::{self, Found};
use crate::adapters::mlflow::{fault, filter, view};
use crate::error::Result;
use crate::facts::World;
use crate::http::{Body, Ctx, Reply};

/// Characters of a description, of a source.
const PROSE: usize = 5000;
const SOURCE: usize = 2000;

fn bounded(text: Option<String>, name: &str, most: usize) -> Result<String> {
    let text = text.unwrap_or_default();
    if text.chars().count() > most {
        return Err(fault::parameter(format!("'{name}' exceeds the maximum length of {most} characters")));
    }
    Ok(text)
}

/// A model with its governed names as they hold now.
fn known(world: &World, rules: &Rules, name: &str) -> Result<Arc<Model>> {
    let said = world.mlflow.registered.get(name).ok_or_else(|| models::none(name))?;
    Ok(shown_now(world, rules, said))
}

async fn shown(ctx: &Ctx, name: &str) -> Result<Reply> {
    let world = present(ctx).await?;
    Reply::ok(&json!({"registered_model": view::model(&*known(&world, &ctx.app.mlflow.rules, name)?)}))
}

async fn shown_version(ctx: &Ctx, name: &str, number: u32) -> Result<Reply> {
    let world = present(ctx).await?;
    let model = known(&world, &ctx.app.mlflow.rules, name)?;
    let version = versions::of(&model, number)?;
    Reply::ok(&json!({"model_version": view::version(&model, &version)}))
}

/// A name and a number that must be there.
fn named(params: &Params) -> Result<(String, u32)> {
    let name = params.need("name")?;
    Ok((name, number(params)?))
}

fn number(params: &Params) -> Result<u32> {
    match params.text("version") {
        Ok(Some(text)) if !text.is_empty() => filter::number(&text),
        Ok(_) => Err(fault::missing("version")),
        Err(error) => params.integer("version")?.map_or(Err(error), |number| Ok(u32::try_from(number).unwrap_or(0))),
    }
}

/// A new registered model.
pub async fn create(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let name = params.need("name")?;
    let (description, tags) =
        (bounded(params.text("description")?, "description", PROSE)?, params.pairs("tags", 100, REGISTRY)?);
    let own = name.clone();
    ctx.write(move |tx| models::create(tx, &own, &description, &tags)).await?;
    shown(&ctx, &name).await
}

/// One.
pub async fn get(ctx: Ctx) -> Result<Reply> {
    let name = asked(&ctx)?.need("name")?;
    shown(&ctx, &name).await
}

/// Give it another name.
pub async fn rename(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let (name, to) = (params.need("name")?, params.need("new_name")?);
    let (rules, own) = (ctx.app.mlflow.rules.clone(), to.clone());
    ctx.write(move |tx| models::rename(tx, &rules, &name, &own)).await?;
    shown(&ctx, &to).await
}

/// Describe it.
pub async fn update(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let (name, description) = (params.need("name")?, bounded(params.text("description")?, "description", PROSE)?);
    let own = name.clone();
    ctx.write(move |tx| models::describe(tx, &own, &description)).await?;
    shown(&ctx, &name).await
}

/// Put it away.
pub async fn delete(ctx: Ctx, body: Body) -> Result<Reply> {
    let name = sent(&body)?.need("name")?;
    let rules = ctx.app.mlflow.rules.clone();
    ctx.write(move |tx| models::delete(tx, &rules, &name)).await?;
    done()
}

/// Look for some.
pub async fn search(ctx: Ctx) -> Result<Reply> {
    let params = asked(&ctx)?;
    let world = present(&ctx).await?;
    let rules = ctx.app.mlflow.rules.clone();
    let found = looked(&world, params, move |world, params| {
        let found = search::models(&world.mlflow, params)?;
        let items = found.items.iter().map(|own| view::model(&shown_now(world, &rules, own))).collect();
        Ok(Found { items, next: found.next })
    });
    listed("registered_models", found.await?)
}

/// The latest version of each stage, or of some.
async fn latest_of(ctx: &Ctx, params: &Params) -> Result<Reply> {
    let world = present(ctx).await?;
    let model = known(&world, &ctx.app.mlflow.rules, &params.need("name")?)?;
    let stages: Vec<Stage> =
        params.texts("stages")?.iter().map(|stage| versions::stage(stage)).collect::<Result<_>>()?;
    let wanted = |version: &&Arc<Version>| stages.is_empty() || stages.contains(&version.stage);
    let items: Vec<Value> = model.latest().filter(wanted).map(|version| view::version(&model, version)).collect();
    listed("model_versions", Found { items, next: None })
}

/// The latest versions.
pub async fn latest(ctx: Ctx, body: Body) -> Result<Reply> {
    latest_of(&ctx, &sent(&body)?).await
}

/// The latest versions, by a query.
pub async fn latest_by_query(ctx: Ctx) -> Result<Reply> {
    latest_of(&ctx, &asked(&ctx)?).await
}

/// A key and a value of a tag.
fn pair(params: &Params) -> Result<(String, String)> {
    let key = REGISTRY.key(&params.need("key")?)?;
    let value = REGISTRY.value(&key, params.text("value")?.unwrap_or_default())?;
    Ok((key, value))
}

/// Tag it.
pub async fn set_tag(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let (name, (key, value)) = (params.need("name")?, pair(&params)?);
    ctx.write(move |tx| models::tag(tx, &name, &key, &value)).await?;
    done()
}

/// Take a tag off it.
pub async fn delete_tag(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let (name, key) = (params.need("name")?, params.need("key")?);
    ctx.write(move |tx| models::untag(tx, &name, &key)).await?;
    done()
}

/// What the gate let, or refused: a refusal is recorded, and told.
fn answered(promoted: Promoted) -> Result<Vec<Led>> {
    match promoted {
        Promoted::Let(led) => Ok(led),
        Promoted::Refused(message) => Err(promote::error(message)),
    }
}

/// Let an alias stand for a version.
pub async fn set_alias(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let (name, alias) = (params.need("name")?, params.need("alias")?);
    let (number, may, rules) = (number(&params)?, may_release(&ctx), ctx.app.mlflow.rules.clone());
    let led = answered(ctx.write(move |tx| models::alias(tx, &rules, may, &name, &alias, number)).await?)?;
    if led.is_empty() {
        return done();
    }
    // Clients pass over members they do not know; who promotes by hand sees what moved, and by whose word.
    let told = |led: &Led| {
        json!({
            "deployment": led.deployment, "revision": led.revision, "stated_by": format!("actor:{}", led.stated_by),
            "decision": led.decision,
        })
    };
    Reply::ok(&json!({"licit": led.iter().map(told).collect::<Vec<_>>()}))
}

/// What an alias stands for.
pub async fn get_alias(ctx: Ctx) -> Result<Reply> {
    let params = asked(&ctx)?;
    let (name, alias) = (params.need("name")?, params.need("alias")?);
    let world = present(&ctx).await?;
    let model = known(&world, &ctx.app.mlflow.rules, &name)?;
    let shown: String = alias.chars().filter(|c| !c.is_control()).take(255).collect();
    let number = model.aliases.get(&alias).copied();
    let number = number.ok_or_else(|| fault::parameter(format!("Registered model alias {shown} not found.")))?;
    let version = versions::of(&model, number)?;
    Reply::ok(&json!({"model_version": view::version(&model, &version)}))
}

/// Let an alias stand for nothing.
pub async fn delete_alias(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let (name, alias) = (params.need("name")?, params.need("alias")?);
    let (may, rules) = (may_release(&ctx), ctx.app.mlflow.rules.clone());
    ctx.write(move |tx| models::unalias(tx, &rules, may, &name, &alias)).await?;
    done()
}

/// A new version.
pub async fn create_version(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let new = NewVersion {
        name: params.need("name")?,
        source: bounded(Some(params.need("source")?), "source", SOURCE)?,
        run: bounded(params.text("run_id")?, "run_id", 250)?,
        run_link: bounded(params.text("run_link")?, "run_link", 500)?,
        description: bounded(params.text("description")?, "description", PROSE)?,
        model: params.text("model_id")?.filter(|model| !model.is_empty()),
        tags: params.pairs("tags", 100, REGISTRY)?,
    };
    let name = new.name.clone();
    let number = ctx.write(move |tx| versions::create(tx, &new)).await?;
    shown_version(&ctx, &name, number).await
}

/// One version.
pub async fn get_version(ctx: Ctx) -> Result<Reply> {
    let (name, number) = named(&asked(&ctx)?)?;
    shown_version(&ctx, &name, number).await
}

/// Describe a version.
pub async fn update_version(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let ((name, number), description) = (named(&params)?, bounded(params.text("description")?, "description", PROSE)?);
    let own = name.clone();
    ctx.write(move |tx| of::describe(tx, &own, number, &description)).await?;
    shown_version(&ctx, &name, number).await
}

/// Put a version away.
pub async fn delete_version(ctx: Ctx, body: Body) -> Result<Reply> {
    let (name, number) = named(&sent(&body)?)?;
    let rules = ctx.app.mlflow.rules.clone();
    ctx.write(move |tx| of::delete(tx, &rules, &name, number)).await?;
    done()
}

/// Put a version into another stage.
pub async fn transition(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let (name, number) = named(&params)?;
    let stage = of::stage(&params.need("stage")?)?;
    let archive =
        params.flag("archive_existing_versions")?.ok_or_else(|| fault::missing("archive_existing_versions"))?;
    let (may, rules, own) = (may_release(&ctx), ctx.app.mlflow.rules.clone(), name.clone());
    answered(ctx.write(move |tx| of::transition(tx, &rules, may, &own, number, (stage, archive))).await?)?;
    shown_version(&ctx, &name, number).await
}

/// Look for versions.
pub async fn search_versions(ctx: Ctx) -> Result<Reply> {
    let params = asked(&ctx)?;
    let world = present(&ctx).await?;
    let rules = ctx.app.mlflow.rules.clone();
    let found = looked(&world, params, move |world, params| {
        let found = search::versions(&world.mlflow, params)?;
        // Versions of a model share what its names stand for.
        let mut now: HashMap<Arc<str>, Arc<Model>> = HashMap::new();
        let mut shown = |(model, version): &(Arc<Model>, Arc<Version>)| {
            let now = now.entry(model.name.clone()).or_insert_with(|| shown_now(world, &rules, model));
            view::version(now, now.versions.get(&version.number).unwrap_or(version))
        };
        let items = found.items.iter().map(&mut shown).collect();
        Ok(Found { items, next: found.next })
    });
    listed("model_versions", found.await?)
}

/// Where the files of a version are.
pub async fn download_uri(ctx: Ctx) -> Result<Reply> {
    let (name, number) = named(&asked(&ctx)?)?;
    let world = present(&ctx).await?;
    let version = versions::of(&*known(&world, &ctx.app.mlflow.rules, &name)?, number)?;
    let place = versions::place(&world, &version);
    let place = place.ok_or_else(|| fault::parameter("The files of this version are at no address that is known."))?;
    Reply::ok(&json!({"artifact_uri": place}))
}

/// Tag a version.
pub async fn set_version_tag(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let ((name, number), (key, value)) = (named(&params)?, pair(&params)?);
    ctx.write(move |tx| of::tag(tx, &name, number, &key, &value)).await?;
    done()
}

/// Take a tag off a version.
pub async fn delete_version_tag(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let ((name, number), key) = (named(&params)?, params.need("key")?);
    ctx.write(move |tx| of::untag(tx, &name, number, &key)).await?;
    done()
}
