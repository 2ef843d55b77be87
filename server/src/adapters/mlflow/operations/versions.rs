//! Versions of registered models. One is made whatever the gate would say of it: a training must not die at its last line.

use std::collections::BTreeSet;
use std::sync::Arc;

use licit_schemas::reference::Ref;
use licit_schemas::registry::{ModelFile, ModelKind, ModelVersionSpec, Tags};
use licit_schemas::text::Name;

use super::models::{at_rest, known, shown};
use super::promote::{self, Place, Promoted};
use crate::adapters::mlflow::artifacts::{BELOW, folder};
use crate::adapters::mlflow::fact::{Made, Stage, Texts, VersionChange, VersionChanged};
use crate::adapters::mlflow::params::figure;
use crate::adapters::mlflow::project::run_of;
use crate::adapters::mlflow::registered::{Model, Version};
use crate::adapters::mlflow::state::Artifact;
use crate::adapters::mlflow::{Rules, fault, filter, names};
use crate::error::Result;
use crate::facts::{Fact, Tx, World};
use crate::registry::operations::{MAX_FIGURE, immutable};

/// Files of a version.
const MOST_FILES: usize = 5000;

/// What a client says of a new one.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the protocol's own words")]
pub struct NewVersion {
    pub name: String,
    pub source: String,
    pub run: String,
    pub run_link: String,
    pub description: String,
    pub model: Option<String>,
    pub tags: Texts,
}

/// A version by its number.
///
/// # Errors
/// There is none.
pub fn of(model: &Model, number: u32) -> Result<Arc<Version>> {
    model
        .versions
        .get(&number)
        .cloned()
        .ok_or_else(|| fault::none(format!("Model Version (name={}, version={number}) not found", model.name)))
}

fn record(tx: &mut Tx<'_>, name: &str, version: u32, change: VersionChange) -> Result<()> {
    tx.record(Fact::MlflowVersionChanged(VersionChanged { name: name.to_owned(), version, change }))?;
    Ok(())
}

/// Where the files of a version are, and of what it came.
struct Origin {
    root: Option<String>,
    run: String,
    model: Option<String>,
}

fn invalid(source: &str, why: &str) -> crate::error::Error {
    fault::parameter(format!("Invalid model version source: '{source}'. {why}"))
}

fn local(source: &str) -> crate::error::Error {
    invalid(
        source,
        "To use a local path as a model version source, the run_id request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the run_id.",
    )
}

/// Read a source, and hold it against the run and the model that the client names besides.
fn origin(world: &World, new: &NewVersion) -> Result<Origin> {
    let source = new.source.as_str();
    if let Some(rest) = source.strip_prefix("models:/") {
        return match rest.split_once('/') {
            None => of_logged(world, new, rest.trim_start_matches('/')),
            Some((name, version)) => copied(world, new, name, version),
        };
    }
    if let Some(rest) = source.strip_prefix("runs:/") {
        let (run, path) = rest.split_once('/').unwrap_or((rest, ""));
        let own = run_of(run).and_then(|id| world.mlflow.run(id)).ok_or_else(|| super::runs::none(run))?;
        if !new.run.is_empty() && new.run != run {
            return Err(invalid(source, "The run_id request parameter names another run."));
        }
        let root = folder(world, &own.id).map(|folder| join(&folder, path)).filter(|root| sound(root));
        return Ok(Origin { root, run: run.to_owned(), model: new.model.clone() });
    }
    if let Some(rest) = source.strip_prefix("mlflow-artifacts:") {
        // A host may stand before the path: it is ours, whatever it is called.
        let path = rest.strip_prefix("//").map_or(rest, |rest| rest.split_once('/').map_or("", |(_, path)| path));
        let path = path.trim_matches('/');
        if !sound(path) {
            return Err(invalid(source, "It leads out of where artifacts are."));
        }
        return within(world, new, path);
    }
    let scheme = source.split_once("://").map(|(scheme, _)| scheme);
    match scheme {
        Some(scheme) if scheme.len() > 1 && !scheme.eq_ignore_ascii_case("file") && is_scheme(scheme) => {
            if source.split(['/', '\\']).any(|part| part == "..") {
                return Err(invalid(source, "It leads out of where it is."));
            }
            Ok(Origin { root: None, run: new.run.clone(), model: new.model.clone() })
        }
        _ => Err(local(source)),
    }
}

fn is_scheme(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn sound(path: &str) -> bool {
    path.parse::<licit_schemas::text::Path>().is_ok()
}

fn join(folder: &str, path: &str) -> String {
    if path.is_empty() { folder.to_owned() } else { format!("{folder}/{}", path.trim_matches('/')) }
}

fn of_logged(world: &World, new: &NewVersion, id: &str) -> Result<Origin> {
    let logged = world.mlflow.logged(id).filter(|own| !own.deleted).ok_or_else(|| super::logged::none(id))?;
    if new.model.as_deref().is_some_and(|model| model != id) {
        return Err(invalid(&new.source, "The model_id request parameter names another model."));
    }
    let own = logged.run.map(|run| run.simple().to_string()).unwrap_or_default();
    if !new.run.is_empty() && !own.is_empty() && new.run != own {
        return Err(invalid(
            &new.source,
            "The run_id request parameter names another run than the one the model came from.",
        ));
    }
    let run = if own.is_empty() { new.run.clone() } else { own };
    Ok(Origin {
        root: crate::adapters::mlflow::artifacts::folder_of_model(world, logged),
        run,
        model: Some(id.to_owned()),
    })
}

fn copied(world: &World, new: &NewVersion, name: &str, version: &str) -> Result<Origin> {
    let number = filter::number(version).map_err(|_| invalid(&new.source, "Name a version by its number."))?;
    let model = world.mlflow.registered.get(name).ok_or_else(|| super::models::none(name))?;
    let made = &of(model, number)?.made;
    if (!new.run.is_empty() && new.run != made.run)
        || new.model.as_ref().is_some_and(|id| made.model.as_ref() != Some(id))
    {
        return Err(invalid(
            &new.source,
            "A copy comes of the run and the model that the version it is a copy of came from.",
        ));
    }
    Ok(Origin { root: made.root.clone(), run: made.run.clone(), model: made.model.clone() })
}

/// A folder among the artifacts: it belongs to a run or a logged model, and what is named besides must be that one.
fn within(world: &World, new: &NewVersion, path: &str) -> Result<Origin> {
    let wrong = || {
        invalid(
            &new.source,
            "It has to be contained within the artifact directory of the run specified by the run_id, or of the model specified by the model_id.",
        )
    };
    let owner = crate::adapters::mlflow::artifacts::owner(world, path).ok_or_else(wrong)?;
    let (run, model) = match owner {
        crate::adapters::mlflow::artifacts::Owner::Run(run) => (run.simple().to_string(), None),
        crate::adapters::mlflow::artifacts::Owner::Model(model) => {
            let run = world.mlflow.logged(&model).and_then(|own| own.run);
            (run.map(|run| run.simple().to_string()).unwrap_or_default(), Some(model))
        }
    };
    if (!new.run.is_empty() && new.run != run) || (new.model.is_some() && new.model != model) {
        return Err(wrong());
    }
    Ok(Origin { root: Some(path.to_owned()), run, model })
}

/// The files below a folder, by their paths within it; of a file alone, itself.
fn files<'a>(world: &'a World, root: &'a str) -> Result<Vec<(&'a str, &'a Arc<Artifact>)>> {
    let mut found: Vec<(&str, &Arc<Artifact>)> = world
        .mlflow
        .artifacts_below(root)
        .map(|(path, artifact)| (&path[root.len() + 1..], artifact))
        .take(MOST_FILES + 1)
        .collect();
    if let Some(own) = world.mlflow.artifact(root) {
        found.push((root.rsplit('/').next().unwrap_or(root), own));
    }
    if found.len() > MOST_FILES {
        return Err(fault::parameter(format!("A model version may have {MOST_FILES} files.")));
    }
    Ok(found)
}

/// A new one; its number. Its files, as they were hashed when they came, are those of a model version in the registry.
///
/// # Errors
/// No such model, run or logged model; a source that is none.
pub fn create(tx: &mut Tx<'_>, new: &NewVersion) -> Result<u32> {
    known(tx, &new.name)?;
    let base = names::model(&new.name).ok_or_else(|| super::models::none(&new.name))?;
    let origin = origin(tx.world(), new)?;
    let mut number = tx.world().mlflow.registered.greatest(&new.name);
    let native = loop {
        number = number.checked_add(1).ok_or_else(|| fault::state("There are no more versions."))?;
        let at = filter::version(number).and_then(|version| base.clone().at(&version).ok());
        match at {
            // What was registered natively under a number keeps it.
            Some(native) if tx.world().registry.held(&native.to_string()).is_none() => break native,
            Some(_) => {}
            None => return Err(fault::state("There are no more versions.")),
        }
    };
    let spec = spec(tx.world(), &base, &native, new, &origin)?;
    immutable(tx, "model_version", native.clone(), None, spec, Fact::ModelVersionRegistered)?;
    let made = Made {
        native,
        source: names::address(&new.source),
        root: origin.root,
        run: origin.run,
        model: origin.model,
        run_link: names::address(&new.run_link),
        description: new.description.clone(),
        tags: new.tags.clone(),
    };
    record(tx, &new.name, number, VersionChange::Created(Box::new(made)))?;
    Ok(number)
}

fn spec(world: &World, base: &Ref, native: &Ref, new: &NewVersion, origin: &Origin) -> Result<ModelVersionSpec> {
    let found = match &origin.root {
        Some(root) => files(world, root)?,
        None => Vec::new(),
    };
    let mut tags = Tags::new();
    let mut tag = |key: &str, value: &str| {
        let value: String = value.chars().filter(|c| !c.is_control()).take(200).collect();
        if let (Ok(key), Ok(value)) = (key.parse::<Name>(), value.trim().parse::<Name>()) {
            tags.insert(key, value);
        }
    };
    tag("mlflow.source", &names::address(&new.source));
    let examples: Vec<String> = found
        .iter()
        .filter_map(|(path, artifact)| Some(format!("`{path}` {}", artifact.rows.filter(|rows| *rows > 0)?)))
        .collect();
    if !examples.is_empty() {
        tag(EXAMPLES, &format!("rows of data lie beside the model: {}", examples.join(", ")));
    }
    let version = native.version().unwrap_or_default().parse();
    let version = version.map_err(|_| fault::state("There are no more versions."))?;
    Ok(ModelVersionSpec {
        model: base.clone(),
        version,
        kind: ModelKind::Built,
        files: found
            .iter()
            .filter_map(|(path, artifact)| {
                Some(ModelFile { path: path.parse().ok()?, digest: artifact.digest, size: Some(artifact.size) })
            })
            .collect(),
        endpoint: None,
        provider: None,
        framework: None,
        metrics: run_of(&origin.run)
            .and_then(|run| world.mlflow.run(run))
            .map(|run| {
                let sound = |(key, latest): (&String, &crate::adapters::mlflow::state::Latest)| {
                    let figure = figure(&latest.value);
                    Some((key.parse::<Name>().ok()?, figure))
                        .filter(|_| figure.is_finite() && figure.abs() <= MAX_FIGURE)
                };
                run.metrics.iter().filter_map(sound).take(500).collect()
            })
            .unwrap_or_default(),
        tags,
    })
}

/// The tag that says that rows of data lie beside a model.
pub const EXAMPLES: &str = "licit.warning.examples";

/// Describe it.
///
/// # Errors
/// There is none.
pub fn describe(tx: &mut Tx<'_>, name: &str, number: u32, description: &str) -> Result<()> {
    of(&*known(tx, name)?, number)?;
    record(tx, name, number, VersionChange::Described { description: description.to_owned() })
}

/// Tag it.
///
/// # Errors
/// There is none, or it has too many.
pub fn tag(tx: &mut Tx<'_>, name: &str, number: u32, key: &str, value: &str) -> Result<()> {
    let own = of(&*known(tx, name)?, number)?;
    super::bounded(("A model version", "tags"), own.tags.len(), [&key.to_owned()], |key| own.tags.contains_key(key))?;
    record(tx, name, number, VersionChange::Tagged { key: key.to_owned(), value: value.to_owned() })
}

/// Take a tag off it.
///
/// # Errors
/// There is none.
pub fn untag(tx: &mut Tx<'_>, name: &str, number: u32, key: &str) -> Result<()> {
    let version = of(&*known(tx, name)?, number)?;
    match version.tags.contains_key(key) {
        true => record(tx, name, number, VersionChange::Untagged { key: key.to_owned() }),
        false => Ok(()),
    }
}

/// Put it away. The model version in the registry stays, and so does its lineage.
///
/// # Errors
/// There is none, or it runs under a governed name.
pub fn delete(tx: &mut Tx<'_>, rules: &Rules, name: &str, number: u32) -> Result<()> {
    let model = known(tx, name)?;
    of(&model, number)?;
    at_rest(tx, &model, rules, Some(number), "delete the version")?;
    record(tx, name, number, VersionChange::Deleted)
}

/// A stage by its name, whatever its case.
///
/// # Errors
/// There is none.
pub fn stage(text: &str) -> Result<Stage> {
    let found = Stage::ALL.into_iter().find(|stage| stage.as_str().eq_ignore_ascii_case(text));
    found.ok_or_else(|| {
        let shown: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
        fault::parameter(format!(
            "Invalid Model Version stage: {shown}. Value must be one of None, Staging, Production, Archived."
        ))
    })
}

/// Put it into another stage. `Production` asks the gate, and what leaves it is withdrawn.
///
/// # Errors
/// There is none; a caller who may not.
pub fn transition(
    tx: &mut Tx<'_>,
    rules: &Rules,
    may: bool,
    name: &str,
    number: u32,
    (stage, archive): (Stage, bool),
) -> Result<Promoted> {
    let (said, model) = (known(tx, name)?, shown(tx, rules, name)?);
    let version = of(&model, number)?;
    if archive && !matches!(stage, Stage::Staging | Stage::Production) {
        return Err(fault::parameter(format!(
            "Model version transition cannot archive existing model versions because '{}' is not an Active stage. Valid stages are Staging, Production",
            stage.as_str()
        )));
    }
    let governed = |stage: Stage| stage == Stage::Production && rules.governs(stage.as_str());
    // It leaves whether it was set to it or runs by it: both are still said.
    let produces = |of: &Model| of.versions.values().any(|own| own.number != number && own.stage == Stage::Production);
    let leaves = (governed(of(&said, number)?.stage) || governed(version.stage)) && stage != Stage::Production;
    // Where another was set to it, too, and runs by it, the stage goes on to stand for that one.
    let ends = leaves && (governed(version.stage) || !produces(&said));
    if leaves && !may {
        return Err(fault::denied(promote::no_role("Production")));
    }
    let led = if governed(stage) {
        match promote::promote(tx, rules, may, &model, &version, Place::Stage { archive })? {
            Promoted::Let(led) => led,
            refused @ Promoted::Refused(_) => return Ok(refused),
        }
    } else {
        Vec::new()
    };
    // What was set to `Production` and no longer runs leaves it with what does.
    let goes = |other: &&Arc<Version>| {
        other.number != number && (archive && other.stage == stage || ends && other.stage == Stage::Production)
    };
    let others = model.versions.values().chain(said.versions.values()).filter(goes);
    let archived: BTreeSet<u32> = others.map(|other| other.number).collect();
    let (archived, decisions) = (archived.into_iter().collect(), led.iter().map(|led| led.decision).collect());
    record(tx, name, number, VersionChange::Staged { stage, archived, decisions })?;
    if ends {
        promote::withdraw(tx, rules, name, Place::Stage { archive: false })?;
    }
    Ok(Promoted::Let(led))
}

/// Where a version's files are, for clients.
pub fn place(world: &World, version: &Version) -> Option<String> {
    if version.made.source.starts_with("models:/") || version.made.source.starts_with("runs:/") {
        return version.made.root.as_ref().map(|root| format!("{BELOW}/{root}")).or_else(|| {
            let model = version.made.model.as_deref().and_then(|id| world.mlflow.logged(id))?;
            crate::adapters::mlflow::artifacts::address_of_model(world, model)
        });
    }
    Some(version.made.source.clone())
}
