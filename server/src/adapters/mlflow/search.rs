//! Searches: what passes all comparisons, in the order asked for, page by page.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

use super::fault;
use super::filter::{self, By, Comparison, Of, Order, With};
use super::params::{Params, figure};
use super::pattern;
use super::registered::{Model, Version};
use super::state::{Experiment, Logged, Run, State};
use crate::error::Result;
use crate::facts::word;

/// A page of what was found, and where it goes on.
pub struct Found<T> {
    /// The page.
    pub items: Vec<T>,
    /// The token of the next.
    pub next: Option<String>,
}

/// Cut a page out of what comes, without looking further than needed.
fn page<T>(all: impl Iterator<Item = T>, offset: usize, limit: usize) -> Found<T> {
    let mut items: Vec<T> = all.skip(offset).take(limit.saturating_add(1)).collect();
    let more = items.len() > limit;
    items.truncate(limit);
    Found { items, next: more.then(|| filter::token(offset.saturating_add(limit))) }
}

fn ordered<T>(
    list: &mut [T],
    orders: &[Order],
    by: impl Fn(&T, &T, &str) -> Ordering,
    then: impl Fn(&T, &T) -> Ordering,
) {
    list.sort_by(|a, b| {
        let first = orders.iter().map(|(key, up)| if *up { by(a, b, key) } else { by(b, a, key) }).find(|o| o.is_ne());
        first.unwrap_or_else(|| then(a, b))
    });
}

fn tag<'a>(tags: &'a super::fact::Texts, key: &str) -> Option<&'a str> {
    tags.get(key).map(String::as_str)
}

/// Registered models.
///
/// # Errors
/// A filter or an order that is none; a page out of range.
pub fn models(state: &State, params: &Params) -> Result<Found<Arc<Model>>> {
    let limit = params.limit(100, 1000)?;
    let wanted = filter::checked(&params.text("filter")?.unwrap_or_default(), &["name"], &[], &[])?;
    let orders = filter::orders(
        &params.texts("order_by")?,
        &["name", "creation_timestamp", "last_updated_timestamp", "timestamp"],
    )?;
    let offset = filter::offset(params.text("page_token")?.as_deref())?;
    let passes = |model: &&Arc<Model>| {
        wanted.iter().all(|one| match &one.of {
            Of::Tag(key) => one.text(tag(&model.tags, key)),
            _ => one.text(Some(&model.name)),
        })
    };
    // One named is asked for, not looked for.
    if let Some(name) = named(&wanted) {
        return Ok(page(state.registered.get(name).into_iter().filter(passes).cloned(), offset, limit));
    }
    let all = state.registered.beginning(beginning(&wanted)).filter(passes);
    match orders.first() {
        None => Ok(page(all.cloned(), offset, limit)),
        Some((key, true)) if key == "name" => Ok(page(all.cloned(), offset, limit)),
        Some((key, false)) if key == "name" => Ok(page(all.rev().cloned(), offset, limit)),
        _ => {
            let mut list: Vec<Arc<Model>> = all.cloned().collect();
            let by = |a: &Arc<Model>, b: &Arc<Model>, key: &str| match key {
                "name" => a.name.cmp(&b.name),
                "creation_timestamp" => a.times.0.cmp(&b.times.0),
                _ => a.times.1.cmp(&b.times.1),
            };
            ordered(&mut list, &orders, by, |a, b| a.name.cmp(&b.name));
            Ok(page(list.into_iter(), offset, limit))
        }
    }
}

/// The name that a filter asks for alone.
fn named(wanted: &[Comparison]) -> Option<&str> {
    wanted.iter().find_map(|one| match (&one.of, one.by, &one.with) {
        (Of::Attribute(key), By::Equal, With::Text(name)) if key == "name" => Some(name.as_str()),
        _ => None,
    })
}

/// What every name begins with that a filter lets pass.
fn beginning(wanted: &[Comparison]) -> &str {
    let begins = wanted.iter().filter_map(|one| match (&one.of, one.by, &one.with) {
        (Of::Attribute(key), By::Like, With::Text(pattern)) if key == "name" => Some(pattern::beginning(pattern)),
        _ => None,
    });
    begins.max_by_key(|begins| begins.len()).unwrap_or_default()
}

/// Versions of registered models.
///
/// # Errors
/// As [`models`].
pub fn versions(state: &State, params: &Params) -> Result<Found<(Arc<Model>, Arc<Version>)>> {
    let limit = params.limit(10_000, 200_000)?;
    let texts = ["name", "run_id", "source_path"];
    let wanted =
        filter::checked(&params.text("filter")?.unwrap_or_default(), &texts, &["name", "run_id"], &["version_number"])?;
    let keys = ["name", "version_number", "creation_timestamp", "last_updated_timestamp"];
    let orders = filter::orders(&params.texts("order_by")?, &keys)?;
    let offset = filter::offset(params.text("page_token")?.as_deref())?;
    let passes = |model: &Model, version: &Version| {
        wanted.iter().all(|one| match &one.of {
            Of::Tag(key) => one.text(tag(&version.tags, key)),
            Of::Attribute(key) => match key.as_str() {
                "name" => one.text(Some(&model.name)),
                "run_id" => one.text(Some(&version.made.run)),
                "source_path" => one.text(Some(&version.made.source)),
                _ => one.figure(Some(f64::from(version.number))),
            },
            _ => false,
        })
    };
    let mut list: Vec<(Arc<Model>, Arc<Version>)> = Vec::new();
    let mut gather = |model: &Arc<Model>| {
        let fitting = model.versions.values().filter(|version| passes(model, version));
        list.extend(fitting.map(|version| (model.clone(), version.clone())));
    };
    match named(&wanted) {
        Some(name) => state.registered.get(name).into_iter().for_each(&mut gather),
        None => state.registered.beginning(beginning(&wanted)).for_each(&mut gather),
    }
    type One = (Arc<Model>, Arc<Version>);
    let by = |a: &One, b: &One, key: &str| match key {
        "name" => a.0.name.cmp(&b.0.name),
        "version_number" => a.1.number.cmp(&b.1.number),
        "creation_timestamp" => a.1.times.0.cmp(&b.1.times.0),
        _ => a.1.times.1.cmp(&b.1.times.1),
    };
    ordered(&mut list, &orders, by, |a, b| {
        (b.1.times.1.cmp(&a.1.times.1)).then(a.0.name.cmp(&b.0.name)).then(b.1.number.cmp(&a.1.number))
    });
    Ok(page(list.into_iter(), offset, limit))
}

/// Which of the living and the put away are wanted.
fn viewed(params: &Params, name: &str) -> Result<(bool, bool)> {
    match params.text(name)?.as_deref().unwrap_or("ACTIVE_ONLY") {
        "ACTIVE_ONLY" | "active_only" => Ok((true, false)),
        "DELETED_ONLY" | "deleted_only" => Ok((false, true)),
        "ALL" | "all" => Ok((true, true)),
        other => Err(fault::mistyped(name, &Value::String(other.to_owned()))),
    }
}

/// Experiments.
///
/// # Errors
/// As [`models`].
pub fn experiments(state: &State, params: &Params) -> Result<Found<Arc<Experiment>>> {
    let limit = params.limit(1000, 50_000)?;
    let wanted = filter::checked(
        &params.text("filter")?.unwrap_or_default(),
        &["name"],
        &[],
        &["creation_time", "last_update_time"],
    )?;
    let keys = ["name", "experiment_id", "creation_time", "last_update_time"];
    let orders = filter::orders(&params.texts("order_by")?, &keys)?;
    let offset = filter::offset(params.text("page_token")?.as_deref())?;
    let (living, away) = viewed(params, "view_type")?;
    let fits = |own: &Arc<Experiment>| {
        (if own.deleted { away } else { living })
            && wanted.iter().all(|one| match &one.of {
                Of::Tag(key) => one.text(tag(&own.tags.open, key)),
                Of::Attribute(key) => match key.as_str() {
                    "name" => one.text(Some(&own.name)),
                    "creation_time" => one.figure(Some(count(own.times.0))),
                    _ => one.figure(Some(count(own.times.1))),
                },
                _ => false,
            })
    };
    let mut list: Vec<Arc<Experiment>> = state.experiments().filter(fits).collect();
    let by = |a: &Arc<Experiment>, b: &Arc<Experiment>, key: &str| match key {
        "name" => a.name.cmp(&b.name),
        "experiment_id" => a.id.cmp(&b.id),
        "creation_time" => a.times.0.cmp(&b.times.0),
        _ => a.times.1.cmp(&b.times.1),
    };
    ordered(&mut list, &orders, by, |a, b| b.times.1.cmp(&a.times.1).then(b.id.cmp(&a.id)));
    Ok(page(list.into_iter(), offset, limit))
}

#[expect(clippy::cast_precision_loss, reason = "moments lie within 2^53")]
fn count(number: i64) -> f64 {
    number as f64
}

/// Runs of experiments.
///
/// # Errors
/// As [`models`].
pub fn runs(state: &State, params: &Params) -> Result<Found<Arc<Run>>> {
    let limit = params.limit(1000, 50_000)?;
    let wanted = filter::parse(&params.text("filter")?.unwrap_or_default())?;
    for one in &wanted {
        asked(one)?;
    }
    let keys = ["start_time", "end_time", "status", "run_name", "run_id", "artifact_uri", "user_id", "Created", "*"];
    let clauses: Vec<String> = params.texts("order_by")?;
    let orders = filter::orders(&clauses, &keys)?;
    let offset = filter::offset(params.text("page_token")?.as_deref())?;
    let (living, away) = viewed(params, "run_view_type")?;
    let fits = |run: &&Arc<Run>| (if run.deleted { away } else { living }) && wanted.iter().all(|one| passes(run, one));
    let experiments = params.texts("experiment_ids")?;
    let of = experiments.iter().filter_map(|id| id.parse::<u32>().ok());
    let mut list: Vec<Arc<Run>> = of.flat_map(|id| state.runs_of(id)).filter(fits).cloned().collect();
    let by = |a: &Arc<Run>, b: &Arc<Run>, key: &str| value(a, key).cmp(&value(b, key));
    // Where there is none, it stands last, whichever way the order goes.
    list.sort_by(|a, b| {
        let first = orders.iter().map(|(key, up)| match (value(a, key).is_none(), value(b, key).is_none()) {
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            _ if *up => by(a, b, key),
            _ => by(b, a, key),
        });
        let first = first.into_iter().find(|order| order.is_ne());
        first.unwrap_or_else(|| b.started_at.cmp(&a.started_at).then(a.id.cmp(&b.id)))
    });
    Ok(page(list.into_iter(), offset, limit))
}

const ATTRIBUTES: [&str; 12] = [
    "run_id",
    "run_name",
    "run name",
    "Run name",
    "Run Name",
    "status",
    "artifact_uri",
    "user_id",
    "start_time",
    "end_time",
    "created",
    "Created",
];

fn asked(one: &Comparison) -> Result<()> {
    let numeric = match &one.of {
        Of::Attribute(key) if !ATTRIBUTES.contains(&key.as_str()) => {
            let shown: String = key.chars().take(100).collect();
            return Err(fault::parameter(format!(
                "Invalid attribute key '{shown}' specified. Valid keys are '{{'run_id', 'run_name', 'status', 'start_time', 'end_time', 'user_id', 'artifact_uri'}}'"
            )));
        }
        Of::Attribute(key) => matches!(key.as_str(), "start_time" | "end_time" | "created" | "Created"),
        Of::Metric(_) => true,
        _ => false,
    };
    let null = matches!(one.by, By::IsNull | By::IsNotNull);
    let fits = match &one.with {
        With::Figure(_) => numeric && one.by.is_numeric(),
        With::Text(_) => !numeric && matches!(one.by, By::Equal | By::Unequal | By::Like | By::Ilike),
        With::Any(_) => !numeric && matches!(&one.of, Of::Attribute(_)),
        With::Nothing => null && matches!(&one.of, Of::Tag(_) | Of::Param(_)),
    };
    if fits {
        return Ok(());
    }
    let what = match &one.of {
        Of::Attribute(_) => "attribute",
        Of::Tag(_) => "tag",
        Of::Param(_) => "param",
        Of::Metric(_) => "metric",
    };
    Err(fault::parameter(format!("Invalid comparator for {what}: {}", one.by.as_str())))
}

fn passes(run: &Run, one: &Comparison) -> bool {
    match &one.of {
        Of::Tag(key) => one.text(tag(&run.tags.open, key)),
        Of::Param(key) => match run.params.get(key) {
            // The protocol finds runs by a parameter they have, whatever the comparison.
            None => one.by == By::IsNull,
            own => one.text(own.map(String::as_str)),
        },
        Of::Metric(key) => one.figure(run.metrics.get(key).map(|latest| figure(&latest.value))),
        Of::Attribute(key) => match key.as_str() {
            "run_id" => one.text(Some(&run.id.simple().to_string())),
            "status" => one.text(Some(&word(&run.status))),
            "start_time" | "created" | "Created" => one.figure(Some(count(run.started_at))),
            "end_time" => one.figure(run.ended_at.map(count)),
            "user_id" | "artifact_uri" => one.text(Some("")),
            _ => one.text(Some(&run.name)),
        },
    }
}

/// What runs are ordered by: figures before texts.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(i64),
    /// Bits of a figure, in the order of figures.
    Figure(i64),
    Text(String),
}

fn value(run: &Run, key: &str) -> Option<Key> {
    if let Some((of, key)) = key.split_once('.') {
        let key = key.trim_matches(['`', '"']);
        return match of {
            "metrics" | "metric" => {
                let number = figure(&run.metrics.get(key)?.value);
                (!number.is_nan()).then(|| Key::Figure(ranked(number)))
            }
            "params" | "param" | "parameters" | "parameter" => run.params.get(key).cloned().map(Key::Text),
            _ => run.tags.open.get(key).cloned().map(Key::Text),
        };
    }
    match key {
        "start_time" | "Created" => Some(Key::Number(run.started_at)),
        "end_time" => run.ended_at.map(Key::Number),
        "status" => Some(Key::Text(word(&run.status))),
        "run_id" => Some(Key::Text(run.id.simple().to_string())),
        _ => Some(Key::Text(run.name.clone())),
    }
}

fn ranked(number: f64) -> i64 {
    let bits = number.to_bits().cast_signed();
    // Negative figures are in the reverse order of their bits.
    if bits < 0 { !bits ^ i64::MIN } else { bits }
}

/// Logged models of experiments.
///
/// # Errors
/// As [`models`].
pub fn logged(state: &State, params: &Params) -> Result<Found<Arc<Logged>>> {
    let limit = params.limit(100, 1000)?;
    let wanted = filter::parse(&params.text("filter")?.unwrap_or_default())?;
    let known = ["name", "model_id", "model_type", "status", "source_run_id"];
    for one in &wanted {
        if let Of::Attribute(key) = &one.of
            && !known.contains(&key.as_str())
            && !matches!(key.as_str(), "creation_timestamp" | "last_updated_timestamp" | "creation_time")
        {
            let shown: String = key.chars().take(100).collect();
            return Err(fault::parameter(format!("Invalid attribute key '{shown}' specified.")));
        }
    }
    let offset = filter::offset(params.text("page_token")?.as_deref())?;
    let fits = |own: &&Arc<Logged>| {
        !own.deleted
            && wanted.iter().all(|one| match &one.of {
                Of::Tag(key) => one.text(tag(&own.tags.open, key)),
                Of::Param(key) => one.text(tag(&own.params, key)),
                Of::Metric(_) => false,
                Of::Attribute(key) => match key.as_str() {
                    "name" => one.text(Some(&own.name)),
                    "model_id" => one.text(Some(&own.id)),
                    "model_type" => one.text(Some(&own.model_type)),
                    "status" => {
                        one.text(Some(own.status.trim_start_matches("LOGGED_MODEL_"))) || one.text(Some(&own.status))
                    }
                    "source_run_id" => one.text(own.run.map(|run| run.simple().to_string()).as_deref()),
                    "last_updated_timestamp" => one.figure(Some(count(own.times.1))),
                    _ => one.figure(Some(count(own.times.0))),
                },
            })
    };
    let experiments = params.texts("experiment_ids")?;
    let of = experiments.iter().filter_map(|id| id.parse::<u32>().ok());
    let mut list: Vec<Arc<Logged>> = of.flat_map(|id| state.logged_of(id)).filter(fits).cloned().collect();
    list.sort_by(|a, b| b.times.0.cmp(&a.times.0).then(b.id.cmp(&a.id)));
    Ok(page(list.into_iter(), offset, limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_ranked_as_figures() {
        let mut list = [1.0, -2.0, 0.0, 1e9, -1e-9, f64::INFINITY, f64::NEG_INFINITY];
        list.sort_by_key(|number| ranked(*number));
        assert_eq!(list, [f64::NEG_INFINITY, -2.0, -1e-9, 0.0, 1.0, 1e9, f64::INFINITY]);
    }
}
