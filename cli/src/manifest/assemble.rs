//! From a manifest to the one registration that is sent: files hashed, columns read, references pinned.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use licit_schemas::problem::Fault;
use licit_schemas::reference::Ref;
use licit_schemas::registration::Registration;
use licit_schemas::registry::{DatasetSpec, DatasetVersionSpec, ModelKind, ModelSpec, ModelVersionSpec};
use licit_schemas::text::{Name, VersionId};

use super::runs::{self, Named};
use super::{DatasetEntry, ModelEntry, Read, RunEntry, columns};
use crate::error::{Failure, Result};
use crate::hashing::{self, Hashed};

/// What will be sent, and what people should know about it.
pub(crate) struct Assembled {
    /// The registration.
    pub(crate) registration: Registration,
    /// The model version, pinned, where the manifest has one.
    pub(crate) model: Option<Ref>,
    /// Sentences for stderr, with places.
    pub(crate) warnings: Vec<String>,
}

#[derive(Default)]
struct Work {
    registration: Registration,
    things: Vec<Named>,
    faults: Vec<Fault>,
    warnings: Vec<String>,
}

/// Hash everything and put the registration together.
pub(crate) fn assemble(read: &Read) -> Result<Assembled> {
    let manifest = &read.manifest;
    let paths: Vec<(String, PathBuf)> = paths(read);
    check_paths(read, &paths)?;
    let hashed = hashing::hash(&paths.iter().map(|(_, path)| path.clone()).collect::<Vec<_>>())?;
    let hashed: BTreeMap<String, Hashed> = paths.into_iter().map(|(pointer, _)| pointer).zip(hashed).collect();

    let mut work = Work::default();
    for (index, entry) in manifest.datasets.iter().enumerate() {
        let pointer = format!("/datasets/{index}");
        work.dataset(read, entry, &pointer, hashed.get(&format!("{pointer}/path")))?;
    }
    let mut model = None;
    if let Some(entry) = &manifest.model {
        model = work.model(read, entry, hashed.get("/model/path"))?;
    }
    work.runs(read);
    if !work.faults.is_empty() {
        return Err(read.source.faults(work.faults));
    }
    Ok(Assembled { registration: work.registration, model, warnings: work.warnings })
}

/// Every path of the manifest by its pointer.
fn paths(read: &Read) -> Vec<(String, PathBuf)> {
    let datasets = read.manifest.datasets.iter().enumerate();
    let datasets =
        datasets.filter_map(|(index, entry)| Some((format!("/datasets/{index}/path"), entry.path.as_ref()?)));
    let model = read.manifest.model.iter().filter_map(|entry| Some(("/model/path".to_owned(), entry.path.as_ref()?)));
    datasets.chain(model).map(|(pointer, path)| (pointer, read.folder.join(path))).collect()
}

/// All files that are not there, at once and by line, before hours of hashing.
fn check_paths(read: &Read, paths: &[(String, PathBuf)]) -> Result<()> {
    let missing = paths.iter().filter(|(_, path)| !path.exists());
    let faults: Vec<Fault> =
        missing.map(|(pointer, path)| Fault::new(pointer, format!("there is no file `{}`", path.display()))).collect();
    if faults.is_empty() { Ok(()) } else { Err(read.source.faults(faults)) }
}

impl Work {
    fn dataset(&mut self, read: &Read, entry: &DatasetEntry, pointer: &str, hashed: Option<&Hashed>) -> Result<()> {
        let path = entry.path.as_ref().map(|path| read.folder.join(path));
        let columns = columns::of(path.as_deref(), &entry.fields, pointer)?;
        self.faults.extend(columns.faults);
        if !columns.unclassified.is_empty() {
            let names = columns.unclassified.join("`, `");
            let sentence =
                format!("`{}` has columns nobody classified, the gate will say unknown: `{names}`", entry.name);
            self.warnings.push(read.source.at(pointer, &sentence));
        }
        let Some(version) = version(entry.version.as_ref(), hashed) else {
            self.faults.push(Fault::new(pointer, "a dataset without `path` needs a `version`"));
            return Ok(());
        };
        let dataset = Ref::dataset(&entry.namespace, &entry.name);
        let pinned = pinned(&dataset, &version)?;
        self.registration.datasets.push(DatasetSpec {
            namespace: entry.namespace.clone(),
            name: entry.name.clone(),
            description: entry.description.clone(),
            owner: entry.owner.clone(),
            tags: BTreeMap::new(),
        });
        self.registration.dataset_versions.push(DatasetVersionSpec {
            dataset,
            version,
            digest: hashed.map(|hashed| hashed.digest),
            fields: columns.fields,
            subjects: entry.subjects.clone(),
            origin: entry.origin,
            region: entry.region.clone(),
            retention: entry.retention.clone(),
            controllers: entry.controllers.clone(),
            processors: entry.processors.clone(),
            collected_for: entry.collected_for.clone(),
            collected_under: entry.collected_under.clone(),
            notices: entry.notices.clone(),
            rows: entry.rows,
            measured: entry.measured,
            tags: entry.tags.clone(),
        });
        self.things.push(Named {
            names: vec![entry.name.to_string(), format!("{}/{}", entry.namespace, entry.name)],
            model: false,
            reference: pinned,
            output: entry.output,
            newest: hashed.map(|hashed| hashed.newest),
        });
        Ok(())
    }

    fn model(&mut self, read: &Read, entry: &ModelEntry, hashed: Option<&Hashed>) -> Result<Option<Ref>> {
        let Some(version) = version(entry.version.as_ref(), hashed) else {
            self.faults.push(Fault::new("/model", "a model without `path` needs a `version`"));
            return Ok(None);
        };
        let mut metrics = entry.metrics.clone();
        if let Some(file) = &entry.metrics_file {
            match figures(&read.folder.join(file)) {
                Ok(figures) => metrics.extend(figures),
                Err(problem) => self.faults.push(Fault::new("/model/metrics_file", problem)),
            }
        }
        let model = Ref::model(&entry.name);
        let pinned = pinned(&model, &version)?;
        self.registration.models.push(ModelSpec {
            name: entry.name.clone(),
            description: entry.description.clone(),
            owner: entry.owner.clone(),
            tags: BTreeMap::new(),
        });
        self.registration.model_versions.push(ModelVersionSpec {
            model,
            version,
            kind: entry.kind,
            files: hashed.map(|hashed| hashed.files.clone()).unwrap_or_default(),
            endpoint: entry.endpoint.clone(),
            provider: entry.provider.clone(),
            framework: entry.framework.clone(),
            metrics,
            tags: entry.tags.clone(),
        });
        self.things.push(Named {
            names: vec![entry.name.to_string()],
            model: true,
            reference: pinned.clone(),
            output: entry.kind == ModelKind::Built,
            newest: hashed.map(|hashed| hashed.newest),
        });
        Ok(Some(pinned))
    }

    fn runs(&mut self, read: &Read) {
        let manifest = &read.manifest;
        let several = manifest.runs.len() + usize::from(manifest.run.is_some()) > 1;
        let one = manifest.run.iter().map(|entry| ("/run".to_owned(), entry));
        let many = manifest.runs.iter().enumerate().map(|(index, entry)| (format!("/runs/{index}"), entry));
        let entries: Vec<(String, &RunEntry)> = one.chain(many).collect();
        let code = if entries.iter().any(|(_, entry)| entry.code.is_none()) { runs::code(&read.folder) } else { None };
        for (pointer, entry) in entries {
            if several && entry.outputs.is_none() {
                self.faults.push(Fault::new(&pointer, "with several runs, each lists its `outputs`"));
                continue;
            }
            match runs::run(entry, &pointer, &self.things, code.as_ref()) {
                Ok(run) => self.registration.runs.push(run),
                Err(faults) => self.faults.extend(faults),
            }
        }
    }
}

fn version(stated: Option<&VersionId>, hashed: Option<&Hashed>) -> Option<VersionId> {
    stated.cloned().or_else(|| hashed?.digest.hex().get(..12)?.parse().ok())
}

fn pinned(thing: &Ref, version: &VersionId) -> Result<Ref> {
    thing.clone().at(version).map_err(|e| Failure::plain(e.to_string()))
}

/// The numbers of a JSON object; whatever else it holds is not a figure.
fn figures(path: &Path) -> std::result::Result<BTreeMap<Name, f64>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read `{}`: {e}", path.display()))?;
    let members: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&text).map_err(|e| format!("`{}` is not a JSON object: {e}", path.display()))?;
    let numbers = members.into_iter().filter_map(|(name, value)| Some((name, value.as_f64()?)));
    numbers.map(|(name, value)| Ok((name.parse::<Name>().map_err(|e| e.to_string())?, value))).collect()
}
