//! Runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::MOST;
use super::Stated;
use crate::adapters::mlflow::fact::{Input, Metric, Output, RunChange, RunChanged, Status, Texts};
use crate::adapters::mlflow::fault;
use crate::adapters::mlflow::project::run_of;
use crate::adapters::mlflow::state::Run;
use crate::error::Result;
use crate::facts::{Fact, Tx};

/// What a client says of a new run.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the protocol's own words")]
pub struct NewRun {
    pub experiment: String,
    pub name: Option<String>,
    pub user: Option<String>,
    pub started_at: Option<i64>,
    pub tags: Texts,
}

/// There is no such run.
pub fn none(id: &str) -> crate::error::Error {
    let shown: String = id.chars().filter(|c| !c.is_control()).take(100).collect();
    fault::none(format!("Run with id={shown} not found"))
}

fn known(tx: &Tx<'_>, id: &str) -> Result<Arc<Run>> {
    run_of(id).and_then(|id| tx.world().mlflow.run(id).cloned()).ok_or_else(|| none(id))
}

/// A run that may go on.
fn active(tx: &Tx<'_>, id: &str) -> Result<Arc<Run>> {
    let run = known(tx, id)?;
    if run.deleted {
        return Err(fault::parameter(format!("The run {id} must be in the 'active' state. Current state is deleted.")));
    }
    Ok(run)
}

fn record(tx: &mut Tx<'_>, run: Uuid, change: RunChange) -> Result<()> {
    stating(tx, run, change, Stated::default())
}

fn stating(tx: &mut Tx<'_>, run: Uuid, change: RunChange, stated: Stated) -> Result<()> {
    let Stated { facet, subjects, unread } = stated;
    tx.record(Fact::MlflowRunChanged(RunChanged { run, change, facet, subjects, unread }))?;
    Ok(())
}

/// A new one; its id.
///
/// # Errors
/// No such experiment, or one that is put away.
pub fn create(tx: &mut Tx<'_>, new: &NewRun) -> Result<Uuid> {
    let experiment = super::experiments::known(tx, &new.experiment)?;
    if experiment.deleted {
        return Err(fault::parameter(format!(
            "The experiment {} must be in the 'active' state. Current state is deleted.",
            experiment.id
        )));
    }
    let id = tx.new_id();
    let mut texts = new.tags.clone();
    let named = new.name.clone().filter(|name| !name.is_empty()).or_else(|| texts.get("mlflow.runName").cloned());
    let name = named.unwrap_or_else(|| format!("run-{}", &id.simple().to_string()[24..]));
    texts.insert("mlflow.runName".to_owned(), name.clone());
    let stated = super::stated(tx, &texts);
    let user = new.user.as_ref().filter(|user| !user.is_empty()).map(|user| tx.note(user)).transpose()?;
    let tags = super::tags(tx, &texts)?;
    let started_at = super::said_at(tx, new.started_at);
    let change = RunChange::Created { experiment: experiment.id, name, user, started_at, tags };
    stating(tx, id, change, stated)?;
    Ok(id)
}

/// It goes on, or is over.
///
/// # Errors
/// No such run, or one that is put away.
pub fn update(
    tx: &mut Tx<'_>,
    id: &str,
    status: Option<Status>,
    ended_at: Option<i64>,
    name: Option<String>,
) -> Result<Uuid> {
    let run = active(tx, id)?;
    let ended_at = ended_at.map(|stated| super::said_at(tx, Some(stated)));
    record(tx, run.id, RunChange::Updated { status, ended_at, name: name.filter(|name| !name.is_empty()) })?;
    Ok(run.id)
}

/// Parameters, figures and tags.
///
/// # Errors
/// No such run, or one that is put away; a parameter that has another value; too many.
pub fn log(tx: &mut Tx<'_>, id: &str, params: &Texts, metrics: &[Metric], texts: &Texts) -> Result<()> {
    let run = active(tx, id)?;
    for (key, value) in params {
        if let Some(known) = run.params.get(key).filter(|known| *known != value) {
            return Err(fault::parameter(format!(
                "Changing param values is not allowed. Param with key='{key}' was already logged with value='{known}' for run ID='{id}'. Attempted logging new value '{value}'."
            )));
        }
    }
    let keys: BTreeSet<&String> = metrics.iter().map(|metric| &metric.key).collect();
    super::bounded(("A run", "params"), run.params.len(), params.keys(), |key| run.params.contains_key(key))?;
    super::bounded(("A run", "metrics"), run.metrics.len(), keys, |key| run.metrics.contains_key(key))?;
    super::tags_bounded("A run", &run.tags, texts)?;
    let fresh: Texts =
        params.iter().filter(|(key, _)| !run.params.contains_key(*key)).map(|(k, v)| (k.clone(), v.clone())).collect();
    if fresh.is_empty() && metrics.is_empty() && texts.is_empty() {
        return Ok(());
    }
    let stated = super::stated(tx, texts);
    let tags = super::tags(tx, texts)?;
    stating(tx, run.id, RunChange::Logged { params: fresh, metrics: metrics.to_vec(), tags }, stated)
}

/// Take a tag off it.
///
/// # Errors
/// No such run or tag.
pub fn untag(tx: &mut Tx<'_>, id: &str, key: &str) -> Result<()> {
    let run = active(tx, id)?;
    if !run.tags.has(key) {
        return Err(fault::none(format!("No tag with name: {key} in run with id {id}")));
    }
    record(tx, run.id, RunChange::Untagged { key: key.to_owned() })
}

/// What it read.
///
/// # Errors
/// No such run, or one that is put away; too much.
pub fn read(tx: &mut Tx<'_>, id: &str, stated: &[super::inputs::Stated], models: &[String]) -> Result<()> {
    let run = active(tx, id)?;
    if run.datasets.len() + stated.len() > MOST || run.models.len() + models.len() > MOST {
        return Err(fault::parameter(format!("A run may have {MOST} datasets and {MOST} models as inputs.")));
    }
    for model in models {
        if tx.world().mlflow.logged(model).is_none() {
            return Err(super::logged::none(model));
        }
    }
    let mut unread = Vec::new();
    let datasets: Vec<Input> =
        stated.iter().map(|one| super::inputs::input(tx, one, &mut unread)).collect::<Result<_>>()?;
    if datasets.is_empty() && models.is_empty() {
        return Ok(());
    }
    let change = RunChange::Read { datasets, models: models.to_vec() };
    stating(tx, run.id, change, Stated { unread, ..Stated::default() })
}

/// Logged models that it wrote.
///
/// # Errors
/// No such run or model; too many.
pub fn wrote(tx: &mut Tx<'_>, id: &str, models: &[Output]) -> Result<()> {
    let run = active(tx, id)?;
    if run.outputs.len() + models.len() > MOST {
        return Err(fault::parameter(format!("A run may have {MOST} models as outputs.")));
    }
    for output in models {
        if tx.world().mlflow.logged(&output.model).is_none() {
            return Err(super::logged::none(&output.model));
        }
    }
    if models.is_empty() {
        return Ok(());
    }
    record(tx, run.id, RunChange::Wrote { models: models.to_vec() })
}

/// Put it away.
///
/// # Errors
/// No such run.
pub fn delete(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    let run = known(tx, id)?;
    if run.deleted { Ok(()) } else { record(tx, run.id, RunChange::Deleted) }
}

/// Take it back.
///
/// # Errors
/// No such run.
pub fn restore(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    let run = known(tx, id)?;
    if run.deleted { record(tx, run.id, RunChange::Restored) } else { Ok(()) }
}
