//! Registered models and their aliases.

use std::sync::Arc;

use licit_schemas::registry::{ModelSpec, Tags};

use super::promote::{self, Led, Place, Promoted};
use super::standing;
use crate::adapters::mlflow::fact::{ModelChange, ModelChanged, Stage, Texts};
use crate::adapters::mlflow::registered::Model;
use crate::adapters::mlflow::{Rules, fault, names};
use crate::error::Result;
use crate::facts::{Fact, Tx};
use crate::registry::operations::{Existing, model};

/// There is no such model.
pub fn none(name: &str) -> crate::error::Error {
    fault::none(format!("Registered Model with name={name} not found"))
}

/// A model by its name, with its governed names as they hold now.
///
/// # Errors
/// There is none.
pub fn shown(tx: &Tx<'_>, rules: &Rules, name: &str) -> Result<Arc<Model>> {
    Ok(standing::shown(tx.world(), rules, &known(tx, name)?))
}

/// A model by its name, as it was said.
///
/// # Errors
/// There is none.
pub fn known(tx: &Tx<'_>, name: &str) -> Result<Arc<Model>> {
    tx.world().mlflow.registered.get(name).cloned().ok_or_else(|| none(name))
}

/// A name that does.
///
/// # Errors
/// One that does not.
pub fn checked(name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return Err(fault::parameter("Registered model name cannot be empty."));
    }
    if name.contains(['/', ':']) {
        return Err(fault::parameter(format!("Invalid model name '{name}'. Names cannot contain '/' or ':'.")));
    }
    if name.chars().count() > 256 {
        return Err(fault::parameter("Registered model name exceeds the maximum length of 256 characters."));
    }
    Ok(())
}

fn record(tx: &mut Tx<'_>, name: &str, change: ModelChange) -> Result<()> {
    tx.record(Fact::MlflowModelChanged(ModelChanged { name: name.to_owned(), change }))?;
    Ok(())
}

/// The model behind it in the registry: registered where nobody did.
fn native(tx: &mut Tx<'_>, name: &str) -> Result<()> {
    let reference = names::model(name).ok_or_else(|| fault::parameter(format!("Invalid model name '{name}'.")))?;
    if tx.world().registry.models.latest(&reference.to_string()).is_some() {
        return Ok(());
    }
    let name = reference.name().parse().map_err(|_| fault::parameter(format!("Invalid model name '{name}'.")))?;
    model(tx, ModelSpec { name, description: None, owner: None, tags: Tags::new() }, Existing::Refuse)?;
    Ok(())
}

/// A new one.
///
/// # Errors
/// The name does not do, or is taken.
pub fn create(tx: &mut Tx<'_>, name: &str, description: &str, tags: &Texts) -> Result<()> {
    checked(name)?;
    if tx.world().mlflow.registered.get(name).is_some() {
        return Err(fault::exists(format!("Registered Model (name={name}) already exists.")));
    }
    native(tx, name)?;
    record(tx, name, ModelChange::Created { description: description.to_owned(), tags: tags.clone() })
}

/// Aliases and stages that stand for what runs: they are taken away first, so that nothing runs on under another name.
fn held(model: &Model, rules: &Rules, number: Option<u32>) -> Option<String> {
    let of = |own: u32| number.is_none_or(|number| number == own);
    let alias =
        model.aliases.iter().find(|(alias, own)| rules.governs(alias) && of(**own)).map(|(alias, _)| alias.clone());
    alias.or_else(|| {
        if !rules.governs(Stage::Production.as_str()) {
            return None;
        }
        let produces = |version: &&Arc<super::super::registered::Version>| {
            version.stage == Stage::Production && of(version.number)
        };
        model.versions.values().find(produces).map(|_| "Production".to_owned())
    })
}

/// Refuse to take away what runs under a governed name.
///
/// # Errors
/// It does.
pub(super) fn at_rest(tx: &Tx<'_>, model: &Arc<Model>, rules: &Rules, number: Option<u32>, what: &str) -> Result<()> {
    // What a name was set to goes with the version, and the name with it, whatever runs by it now.
    let now = standing::shown(tx.world(), rules, model);
    match held(model, rules, number).or_else(|| held(&now, rules, number)) {
        Some(alias) => Err(fault::denied(format!(
            "'{alias}' of '{}' stands for what runs: delete that alias, or leave that stage, or set it to another version, before you {what}.",
            model.name
        ))),
        None => Ok(()),
    }
}

/// Give it another name. Its versions in the registry keep theirs.
///
/// # Errors
/// There is none, the name does not do or is taken, or something runs under a governed name.
pub fn rename(tx: &mut Tx<'_>, rules: &Rules, name: &str, to: &str) -> Result<()> {
    let own = known(tx, name)?;
    checked(to)?;
    if tx.world().mlflow.registered.get(to).is_some() {
        return Err(fault::exists(format!("Registered Model (name={to}) already exists.")));
    }
    at_rest(tx, &own, rules, None, "rename the model")?;
    native(tx, to)?;
    record(tx, name, ModelChange::Renamed { to: to.to_owned() })
}

/// Describe it.
///
/// # Errors
/// There is none.
pub fn describe(tx: &mut Tx<'_>, name: &str, description: &str) -> Result<()> {
    known(tx, name)?;
    record(tx, name, ModelChange::Described { description: description.to_owned() })
}

/// Put it away, with its versions.
///
/// # Errors
/// There is none, or something runs under a governed name.
pub fn delete(tx: &mut Tx<'_>, rules: &Rules, name: &str) -> Result<()> {
    let own = known(tx, name)?;
    at_rest(tx, &own, rules, None, "delete the model")?;
    record(tx, name, ModelChange::Deleted)
}

/// Tag it.
///
/// # Errors
/// There is none, or it has too many.
pub fn tag(tx: &mut Tx<'_>, name: &str, key: &str, value: &str) -> Result<()> {
    let own = known(tx, name)?;
    super::bounded(("A registered model", "tags"), own.tags.len(), [&key.to_owned()], |key| {
        own.tags.contains_key(key)
    })?;
    record(tx, name, ModelChange::Tagged { key: key.to_owned(), value: value.to_owned() })
}

/// Take a tag off it.
///
/// # Errors
/// There is none.
pub fn untag(tx: &mut Tx<'_>, name: &str, key: &str) -> Result<()> {
    let own = known(tx, name)?;
    if own.tags.contains_key(key) { record(tx, name, ModelChange::Untagged { key: key.to_owned() }) } else { Ok(()) }
}

/// An alias that does.
///
/// # Errors
/// One that does not.
pub fn alias_checked(alias: &str) -> Result<()> {
    let sound = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    if alias.is_empty() || !alias.chars().all(sound) {
        return Err(fault::parameter(format!(
            "Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )));
    }
    if alias.chars().count() > 255 {
        return Err(fault::parameter("Registered model alias name exceeds the maximum length of 255 characters."));
    }
    if alias.to_lowercase() == "latest" {
        return Err(fault::parameter("'latest' alias name (case insensitive) is reserved."));
    }
    let numbered =
        alias.strip_prefix(['v', 'V']).is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()));
    if numbered {
        return Err(fault::parameter(format!("Version alias name '{alias}' is reserved.")));
    }
    Ok(())
}

/// Let an alias stand for a version. A governed one asks the gate.
///
/// # Errors
/// No such model or version; an alias that does not do.
pub fn alias(tx: &mut Tx<'_>, rules: &Rules, may: bool, name: &str, alias: &str, number: u32) -> Result<Promoted> {
    alias_checked(alias)?;
    let model = known(tx, name)?;
    let version = super::versions::of(&model, number)?;
    let has = |alias: &str| model.aliases.contains_key(alias);
    super::bounded(("A registered model", "aliases"), model.aliases.len(), [&alias.to_owned()], has)?;
    let led: Vec<Led> = if rules.governs(alias) {
        let now = shown(tx, rules, name)?;
        match promote::promote(tx, rules, may, &now, &version, Place::Alias(alias))? {
            Promoted::Let(led) => led,
            refused @ Promoted::Refused(_) => return Ok(refused),
        }
    } else {
        Vec::new()
    };
    // Said again, it is so already.
    if model.aliases.get(alias) != Some(&number) || !led.is_empty() {
        let decisions = led.iter().map(|led| led.decision).collect();
        record(tx, name, ModelChange::Aliased { alias: alias.to_owned(), version: number, decisions })?;
    }
    Ok(Promoted::Let(led))
}

/// Let an alias stand for nothing. What ran under a governed one is withdrawn.
///
/// # Errors
/// No such model; a governed alias, and a caller who may not.
pub fn unalias(tx: &mut Tx<'_>, rules: &Rules, may: bool, name: &str, alias: &str) -> Result<()> {
    alias_checked(alias)?;
    let model = known(tx, name)?;
    if !model.aliases.contains_key(alias) {
        return Ok(());
    }
    let governed = rules.governs(alias);
    if governed && !may {
        return Err(fault::denied(promote::no_role(alias)));
    }
    record(tx, name, ModelChange::Unaliased { alias: alias.to_owned() })?;
    if governed {
        // Whatever it was set to, and whatever each of its deployments runs.
        promote::withdraw(tx, rules, name, Place::Alias(alias))?;
    }
    Ok(())
}
