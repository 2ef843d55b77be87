//! Experiments.

use crate::adapters::mlflow::fact::{ExperimentChange, ExperimentChanged, Texts};
use crate::adapters::mlflow::fault;
use crate::adapters::mlflow::state::{DEFAULT, Experiment};
use crate::error::Result;
use crate::facts::{Fact, Tx};

/// An experiment by its number.
///
/// # Errors
/// There is none.
pub fn known(tx: &Tx<'_>, id: &str) -> Result<Experiment> {
    let found = id.parse().ok().and_then(|id| tx.world().mlflow.experiment(id));
    found.map(|own| (*own).clone()).ok_or_else(|| none(id))
}

/// There is no such experiment.
pub fn none(id: &str) -> crate::error::Error {
    let shown: String = id.chars().filter(|c| !c.is_control()).take(100).collect();
    fault::none(format!("No Experiment with id={shown} exists"))
}

fn record(tx: &mut Tx<'_>, experiment: u32, change: ExperimentChange) -> Result<()> {
    tx.record(Fact::MlflowExperimentChanged(ExperimentChanged { experiment, change }))?;
    Ok(())
}

/// A new one; its number.
///
/// # Errors
/// The name is taken.
pub fn create(tx: &mut Tx<'_>, name: &str, location: Option<&str>, texts: &Texts) -> Result<u32> {
    free(tx, name)?;
    let id = tx.world().mlflow.next_experiment().ok_or_else(|| fault::state("There are no more experiments."))?;
    let location = location.map_or_else(|| format!("mlflow-artifacts:/{id}"), |l| l.trim_end_matches('/').to_owned());
    let tags = super::tags(tx, texts)?;
    record(tx, id, ExperimentChange::Created { name: name.to_owned(), location, tags })?;
    Ok(id)
}

fn free(tx: &Tx<'_>, name: &str) -> Result<()> {
    match tx.world().mlflow.experiment_named(name) {
        None => Ok(()),
        Some(own) if own.deleted => Err(fault::exists(format!(
            "Experiment '{name}' already exists in deleted state. You can restore the experiment, or permanently delete the experiment from the .trash folder (under tracking server's root folder) in order to use this experiment name again."
        ))),
        Some(_) => Err(fault::exists(format!("Experiment(name={name}) already exists."))),
    }
}

/// Give it another name.
///
/// # Errors
/// There is none, or the name is taken.
pub fn rename(tx: &mut Tx<'_>, id: &str, name: &str) -> Result<()> {
    let own = known(tx, id)?;
    if own.name == name {
        return Ok(());
    }
    free(tx, name)?;
    record(tx, own.id, ExperimentChange::Renamed { name: name.to_owned() })
}

/// Tag it.
///
/// # Errors
/// There is none, or it has too many.
pub fn tag(tx: &mut Tx<'_>, id: &str, key: &str, value: &str) -> Result<()> {
    let own = known(tx, id)?;
    let texts = Texts::from([(key.to_owned(), value.to_owned())]);
    super::tags_bounded("An experiment", &own.tags, &texts)?;
    let tags = super::tags(tx, &texts)?;
    record(tx, own.id, ExperimentChange::Tagged { tags })
}

/// Take a tag off it.
///
/// # Errors
/// There is none.
pub fn untag(tx: &mut Tx<'_>, id: &str, key: &str) -> Result<()> {
    let own = known(tx, id)?;
    record(tx, own.id, ExperimentChange::Untagged { key: key.to_owned() })
}

/// Put it away.
///
/// # Errors
/// There is none; that of those who name none stays.
pub fn delete(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    let own = known(tx, id)?;
    if own.id == DEFAULT {
        return Err(fault::parameter(
            "Cannot delete the default experiment '0'. This is an internally reserved experiment.",
        ));
    }
    record(tx, own.id, ExperimentChange::Deleted)
}

/// Take it back.
///
/// # Errors
/// There is none.
pub fn restore(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    let own = known(tx, id)?;
    record(tx, own.id, ExperimentChange::Restored)
}
