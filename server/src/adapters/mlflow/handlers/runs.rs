//! Runs and what they measured.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{asked, done, listed, looked, notes, present, sent};
use crate::adapters::mlflow::fact::{Metric, Output, Status, Texts};
use crate::adapters::mlflow::operations::inputs::Stated;
use crate::adapters::mlflow::operations::runs::{self as operations, NewRun};
use crate::adapters::mlflow::params::{Bounds, PARAMS, Params, TAGS};
use crate::adapters::mlflow::project::run_of;
use crate::adapters::mlflow::search::{self, Found};
use crate::adapters::mlflow::state::Run;
use crate::adapters::mlflow::{fault, filter, store, view};
use crate::db::Conn;
use crate::error::Result;
use crate::facts::World;
use crate::http::{Body, Ctx, Reply};

/// Figures, parameters and tags of one call.
const BATCH: [usize; 3] = [1000, 100, 100];
/// Characters of a schema, a source, a profile.
const TEXT: usize = 65_535;
/// Characters of a model's description that a run keeps.
const MODEL: usize = 65_535;

fn id(params: &Params) -> Result<String> {
    params.either("run_id", "run_uuid")
}

fn status(params: &Params) -> Result<Option<Status>> {
    let Some(text) = params.text("status")? else { return Ok(None) };
    let word = Value::String(text);
    serde_json::from_value(word.clone()).map(Some).map_err(|_| fault::mistyped("status", &word))
}

/// A new one.
pub async fn create(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let new = NewRun {
        experiment: params.text("experiment_id")?.filter(|id| !id.is_empty()).unwrap_or_else(|| "0".to_owned()),
        name: params.text("run_name")?.map(|name| name.chars().take(250).collect()),
        user: params.text("user_id")?.map(|user| user.chars().take(256).collect()),
        started_at: params.integer("start_time")?,
        tags: params.pairs("tags", 100, TAGS)?,
    };
    let id = ctx.write(move |tx| operations::create(tx, &new)).await?;
    let world = present(&ctx).await?;
    let run = world.mlflow.run(id).cloned();
    let run = run.ok_or_else(|| crate::error::Error::Internal("a run is lost".to_owned()))?;
    let notes = notes(&ctx, view::noted(&run)).await?;
    Reply::ok(&json!({"run": view::run(&world, &run, &notes)}))
}

fn known(world: &World, id: &str) -> Result<Arc<Run>> {
    run_of(id).and_then(|id| world.mlflow.run(id).cloned()).ok_or_else(|| operations::none(id))
}

/// One.
pub async fn get(ctx: Ctx) -> Result<Reply> {
    let id = id(&asked(&ctx)?)?;
    let world = present(&ctx).await?;
    let run = known(&world, &id)?;
    let notes = notes(&ctx, view::noted(&run)).await?;
    Reply::ok(&json!({"run": view::run(&world, &run, &notes)}))
}

/// It goes on, or is over.
pub async fn update(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let (id, status, ended_at) = (id(&params)?, status(&params)?, params.integer("end_time")?);
    let name: Option<String> = params.text("run_name")?.map(|name| name.chars().take(250).collect());
    let id = ctx.write(move |tx| operations::update(tx, &id, status, ended_at, name.clone())).await?;
    let world = present(&ctx).await?;
    let run = known(&world, &id.simple().to_string())?;
    let notes = notes(&ctx, run.user.into_iter().collect()).await?;
    Reply::ok(&json!({"run_info": view::run_info(&world, &run, &notes)}))
}

fn figure_of(params: &Params, name: &str) -> Result<Metric> {
    let key = TAGS.key(&params.need(name)?)?;
    Ok(Metric {
        value: params.figure("value")?,
        timestamp: params.integer("timestamp")?.ok_or_else(|| fault::missing("timestamp"))?,
        step: params.integer("step")?.unwrap_or(0),
        model: params.text("model_id")?.filter(|model| !model.is_empty()),
        key,
    })
}

async fn log(ctx: &Ctx, id: String, params: Texts, metrics: Vec<Metric>, tags: Texts) -> Result<Reply> {
    ctx.write(move |tx| operations::log(tx, &id, &params, &metrics, &tags)).await?;
    done()
}

/// Many at once.
pub async fn log_batch(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let [most_metrics, most_params, most_tags] = BATCH;
    let metrics: Vec<Metric> =
        params.list("metrics", most_metrics)?.iter().map(|one| figure_of(one, "key")).collect::<Result<_>>()?;
    let texts = params.pairs("params", most_params, PARAMS)?;
    let tags = params.pairs("tags", most_tags, TAGS)?;
    log(&ctx, id(&params)?, texts, metrics, tags).await
}

/// A figure.
pub async fn log_metric(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    log(&ctx, id(&params)?, Texts::new(), vec![figure_of(&params, "key")?], Texts::new()).await
}

fn pair(params: &Params, bounds: Bounds) -> Result<Texts> {
    let key = bounds.key(&params.need("key")?)?;
    let value = bounds.value(&key, params.text("value")?.unwrap_or_default())?;
    Ok(Texts::from([(key, value)]))
}

/// A parameter.
pub async fn log_parameter(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    log(&ctx, id(&params)?, pair(&params, PARAMS)?, Vec::new(), Texts::new()).await
}

/// A tag.
pub async fn set_tag(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    log(&ctx, id(&params)?, Texts::new(), Vec::new(), pair(&params, TAGS)?).await
}

/// Take a tag off it.
pub async fn delete_tag(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let (id, key) = (id(&params)?, params.need("key")?);
    ctx.write(move |tx| operations::untag(tx, &id, &key)).await?;
    done()
}

fn within(text: Option<String>, name: &str, most: usize) -> Result<Option<String>> {
    match text {
        Some(text) if text.chars().count() > most => {
            Err(fault::parameter(format!("'{name}' exceeds the maximum length of {most} characters")))
        }
        text => Ok(text),
    }
}

/// Datasets and models it read.
pub async fn log_inputs(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let id = id(&params)?;
    let mut datasets = Vec::new();
    for input in params.list("datasets", 1000)? {
        let dataset = input.object("dataset")?;
        let need =
            |name: &str, most: usize| within(Some(dataset.need(name)?), name, most).map(Option::unwrap_or_default);
        datasets.push(Stated {
            name: need("name", 500)?,
            digest: need("digest", 36)?,
            source_type: need("source_type", 100)?,
            source: need("source", TEXT)?,
            schema: within(dataset.text("schema")?, "schema", TEXT)?,
            profile: within(dataset.text("profile")?, "profile", TEXT)?,
            tags: input.pairs("tags", 100, TAGS)?,
        });
    }
    let models: Vec<String> =
        params.list("models", 1000)?.iter().map(|model| model.need("model_id")).collect::<Result<_>>()?;
    ctx.write(move |tx| operations::read(tx, &id, &datasets, &models)).await?;
    done()
}

/// Logged models it wrote.
pub async fn outputs(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let id = id(&params)?;
    let one = |model: &Params| Ok(Output { model: model.need("model_id")?, step: model.integer("step")?.unwrap_or(0) });
    let models: Vec<Output> = params.list("models", 1000)?.iter().map(one).collect::<Result<_>>()?;
    ctx.write(move |tx| operations::wrote(tx, &id, &models)).await?;
    done()
}

/// What version 2 of the clients says of a model: it stands in a tag, as there.
pub async fn log_model(ctx: Ctx, body: Body) -> Result<Reply> {
    const KEY: &str = "mlflow.log-model.history";
    let params = sent(&body)?;
    let (id, text) = (id(&params)?, params.need("model_json")?);
    let model: Value = serde_json::from_str(&text)
        .map_err(|_| fault::parameter("Malformed model info. \n The model_json is no JSON."))?;
    if !model.is_object() || text.len() > MODEL {
        return Err(fault::parameter("Malformed model info. \n The model_json is no object, or too long."));
    }
    ctx.write(move |tx| {
        let known =
            run_of(&id).and_then(|id| tx.world().mlflow.run(id)).and_then(|run| run.tags.open.get(KEY).cloned());
        let mut history: Vec<Value> = known.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        history.push(model.clone());
        let mut text = Value::Array(history.clone()).to_string();
        // The latest are kept, as many as there is room for.
        while text.len() > MODEL && history.len() > 1 {
            history.remove(0);
            text = Value::Array(history.clone()).to_string();
        }
        operations::log(tx, &id, &Texts::new(), &[], &Texts::from([(KEY.to_owned(), text)]))
    })
    .await?;
    done()
}

/// Put it away.
pub async fn delete(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = id(&sent(&body)?)?;
    ctx.write(move |tx| operations::delete(tx, &id)).await?;
    done()
}

/// Take it back.
pub async fn restore(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = id(&sent(&body)?)?;
    ctx.write(move |tx| operations::restore(tx, &id)).await?;
    done()
}

/// Look for some.
pub async fn search(ctx: Ctx, body: Body) -> Result<Reply> {
    let params = sent(&body)?;
    let world = present(&ctx).await?;
    let found = looked(&world, params, |world, params| search::runs(&world.mlflow, params)).await?;
    let notes = notes(&ctx, found.items.iter().flat_map(|run| view::noted(run)).collect()).await?;
    let items = found.items.iter().map(|run| view::run(&world, run, &notes)).collect();
    listed("runs", Found { items, next: found.next })
}

/// Figures of a key, page by page.
pub async fn history(ctx: Ctx) -> Result<Reply> {
    let params = asked(&ctx)?;
    let (id, key) = (id(&params)?, params.need("metric_key")?);
    let limit = params.limit(25_000, 25_000)?;
    let from = filter::place(params.text("page_token")?.as_deref())?;
    let run = known(&*present(&ctx).await?, &id)?;
    let reference = licit_schemas::reference::Ref::run(run.id).to_string();
    let read = move |conn: &mut Conn| store::history(conn, &reference, &key, from, limit);
    let (found, next) = ctx.app.db.read(read).await?;
    let next = next.map(filter::token_from);
    listed("metrics", Found { items: found.iter().map(view::metric).collect(), next })
}
