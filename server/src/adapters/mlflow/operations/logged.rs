//! Logged models.

use std::sync::Arc;

use uuid::Uuid;

use crate::adapters::mlflow::fact::{LoggedModelChange, LoggedModelChanged, Texts};
use crate::adapters::mlflow::fault;
use crate::adapters::mlflow::project::run_of;
use crate::adapters::mlflow::state::Logged;
use crate::error::Result;
use crate::facts::{Fact, Tx};

/// There is no such model.
pub fn none(id: &str) -> crate::error::Error {
    let shown: String = id.chars().filter(|c| !c.is_control()).take(100).collect();
    fault::none(format!("Logged model with ID '{shown}' not found."))
}

/// What a client says of a new one.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the protocol's own words")]
pub struct NewLogged {
    pub experiment: String,
    pub name: Option<String>,
    pub model_type: String,
    pub run: Option<String>,
    pub params: Texts,
    pub tags: Texts,
}

fn record(tx: &mut Tx<'_>, model: &str, change: LoggedModelChange) -> Result<()> {
    tx.record(Fact::MlflowLoggedModelChanged(LoggedModelChanged { model: model.to_owned(), change }))?;
    Ok(())
}

fn known(tx: &Tx<'_>, id: &str) -> Result<Arc<Logged>> {
    match tx.world().mlflow.logged(id) {
        Some(own) if !own.deleted => Ok(own.clone()),
        _ => Err(none(id)),
    }
}

/// A new one; its id.
///
/// # Errors
/// No such experiment or run.
pub fn create(tx: &mut Tx<'_>, new: &NewLogged) -> Result<String> {
    let experiment = super::experiments::known(tx, &new.experiment)?.id;
    let run: Option<Uuid> = match new.run.as_deref().filter(|run| !run.is_empty()) {
        None => None,
        Some(text) => {
            let known = run_of(text).filter(|id| tx.world().mlflow.run(*id).is_some());
            Some(known.ok_or_else(|| super::runs::none(text))?)
        }
    };
    let id = tx.new_id().simple().to_string();
    let model = format!("m-{id}");
    let name = new.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| format!("model-{}", &id[24..]));
    if name.contains(['/', ':', '.', '%', '"', '\'']) {
        return Err(fault::parameter(format!(
            "Invalid model name ({name}) provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%', '\"', \"'\")"
        )));
    }
    let tags = super::tags(tx, &new.tags)?;
    let (model_type, params) = (new.model_type.clone(), new.params.clone());
    record(tx, &model, LoggedModelChange::Created { experiment, name, model_type, run, params, tags })?;
    Ok(model)
}

/// It is ready, or failed.
///
/// # Errors
/// No such model, no such state.
pub fn finish(tx: &mut Tx<'_>, id: &str, status: &str) -> Result<()> {
    known(tx, id)?;
    if !matches!(status, "LOGGED_MODEL_READY" | "LOGGED_MODEL_UPLOAD_FAILED" | "LOGGED_MODEL_PENDING") {
        return Err(fault::parameter(
            "Invalid model status: expected LOGGED_MODEL_READY or LOGGED_MODEL_UPLOAD_FAILED.",
        ));
    }
    record(tx, id, LoggedModelChange::Became { status: status.to_owned() })
}

/// Tag it.
///
/// # Errors
/// No such model, or it has too many.
pub fn tag(tx: &mut Tx<'_>, id: &str, texts: &Texts) -> Result<()> {
    let own = known(tx, id)?;
    if texts.is_empty() {
        return Ok(());
    }
    super::tags_bounded("A logged model", &own.tags, texts)?;
    let tags = super::tags(tx, texts)?;
    record(tx, id, LoggedModelChange::Tagged { tags })
}

/// Take a tag off it.
///
/// # Errors
/// No such model or tag.
pub fn untag(tx: &mut Tx<'_>, id: &str, key: &str) -> Result<()> {
    if !known(tx, id)?.tags.has(key) {
        return Err(fault::none(format!("No tag with key {key} found for model with ID {id}.")));
    }
    record(tx, id, LoggedModelChange::Untagged { key: key.to_owned() })
}

/// Parameters.
///
/// # Errors
/// No such model, or it has too many.
pub fn log(tx: &mut Tx<'_>, id: &str, params: &Texts) -> Result<()> {
    let own = known(tx, id)?;
    super::bounded(("A logged model", "params"), own.params.len(), params.keys(), |key| own.params.contains_key(key))?;
    match params.is_empty() {
        true => Ok(()),
        false => record(tx, id, LoggedModelChange::Logged { params: params.clone() }),
    }
}

/// Put it away.
///
/// # Errors
/// No such model.
pub fn delete(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    known(tx, id)?;
    record(tx, id, LoggedModelChange::Deleted)
}
