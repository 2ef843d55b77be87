//! What is known of experiments, runs, logged models, registered models and artifacts: a fold over their facts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use licit_schemas::digest::Digest;
use licit_schemas::openlineage::RunFacet;
use licit_schemas::reference::Ref;
use licit_schemas::registry::{InputRole, RunInput};
use licit_schemas::text::Iri;
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::fact::{
    ArtifactStored, ExperimentChange, ExperimentChanged, Input, LoggedModelChange, LoggedModelChanged, Metric, Output,
    RunChange, RunChanged, Status, Tags, Texts,
};
use super::names;
use super::params::figure;
use super::registered::Registered;
use crate::db::At;
use crate::maps::HashMap;

/// Milliseconds of a moment, as the protocol has them.
pub fn millis(moment: Timestamp) -> i64 {
    moment.micros().div_euclid(1000)
}

impl Tags {
    fn join(&mut self, more: &Self) {
        for (key, value) in &more.open {
            self.noted.remove(key);
            self.open.insert(key.clone(), value.clone());
        }
        for (key, digest) in &more.noted {
            self.open.remove(key);
            self.noted.insert(key.clone(), *digest);
        }
    }

    fn remove(&mut self, key: &str) {
        self.open.remove(key);
        self.noted.remove(key);
    }

    /// Whether it has one.
    pub fn has(&self, key: &str) -> bool {
        self.open.contains_key(key) || self.noted.contains_key(key)
    }
}

/// An experiment.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Where its artifacts are.
    pub location: String,
    /// Its tags.
    pub tags: Tags,
    /// Put away.
    pub deleted: bool,
    /// When it was made, and last changed, in milliseconds.
    pub times: (i64, i64),
}

/// Keys of figures that are kept of a logged model.
const MOST_KEYS: usize = 2000;

/// The experiment of those who name none.
pub const DEFAULT: u32 = 0;

impl Experiment {
    fn unnamed() -> Self {
        Self {
            id: DEFAULT,
            name: "Default".to_owned(),
            location: "mlflow-artifacts:/0".to_owned(),
            tags: Tags::default(),
            deleted: false,
            times: (0, 0),
        }
    }
}

/// The figure of a key that counts: of the last step, then moment, then the greatest.
#[derive(Clone, Debug, PartialEq)]
pub struct Latest {
    /// It, as text.
    pub value: String,
    /// When.
    pub timestamp: i64,
    /// At which step.
    pub step: i64,
}

impl Latest {
    fn of(metric: &Metric) -> Self {
        Self { value: metric.value.clone(), timestamp: metric.timestamp, step: metric.step }
    }

    fn follows(&self, known: &Self) -> bool {
        match (self.step, self.timestamp).cmp(&(known.step, known.timestamp)) {
            std::cmp::Ordering::Equal => figure(&self.value) > figure(&known.value),
            order => order.is_gt(),
        }
    }
}

/// A run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its id.
    pub id: Uuid,
    /// Its experiment.
    pub experiment: u32,
    /// Its name.
    pub name: String,
    /// Who runs it, as a note.
    pub user: Option<Digest>,
    /// How far it is.
    pub status: Status,
    /// When it began, as the client says, in milliseconds.
    pub started_at: i64,
    /// When its first fact was recorded.
    pub recorded_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Put away.
    pub deleted: bool,
    /// Its parameters.
    pub params: Texts,
    /// Its tags.
    pub tags: Tags,
    /// Its figures.
    pub metrics: BTreeMap<String, Latest>,
    /// What it read.
    pub datasets: Vec<Arc<Input>>,
    /// Logged models it read.
    pub models: BTreeSet<String>,
    /// Logged models it wrote.
    pub outputs: Vec<Output>,
    /// Logged models that name it as their source.
    pub made: BTreeSet<String>,
    /// Versions in the registry that came of it.
    pub versions: BTreeSet<Ref>,
    /// Purpose, basis, operation and controller that its tags state.
    pub facet: RunFacet,
    /// Whom its tags say that what it reads is about.
    pub subjects: BTreeSet<Iri>,
    /// Such tags that nobody can read.
    pub unread: BTreeSet<String>,
}

impl Run {
    /// What it read, in the registry's words; of two roles of one dataset the one that forms a model.
    pub fn inputs(&self) -> Vec<RunInput> {
        let mut inputs: Vec<RunInput> = Vec::new();
        for input in &self.datasets {
            let Some(table) = &input.table else { continue };
            match inputs.iter_mut().find(|known| known.r#ref == table.r#ref) {
                Some(known) if known.role == input.role => {}
                Some(known) => {
                    let training = Some(InputRole::Training);
                    known.role = if known.role == training || input.role == training { training } else { None };
                }
                None => inputs.push(RunInput { r#ref: table.r#ref.clone(), role: input.role }),
            }
        }
        inputs
    }

    fn log(&mut self, params: &Texts, metrics: &[Metric], tags: &Tags) {
        self.params.extend(params.iter().map(|(key, value)| (key.clone(), value.clone())));
        self.tags.join(tags);
        if let Some(name) = tags.open.get("mlflow.runName") {
            self.name.clone_from(name);
        }
        for metric in metrics {
            let said = Latest::of(metric);
            if self.metrics.get(&metric.key).is_none_or(|known| said.follows(known)) {
                self.metrics.insert(metric.key.clone(), said);
            }
        }
    }
}

/// A logged model.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Its id.
    pub id: Arc<str>,
    /// Its experiment.
    pub experiment: u32,
    /// Its name.
    pub name: String,
    /// What kind of model.
    pub model_type: String,
    /// The run it came from.
    pub run: Option<Uuid>,
    /// How far it is.
    pub status: String,
    /// Its parameters.
    pub params: Texts,
    /// Its tags.
    pub tags: Tags,
    /// Figures that runs measured of it, by key, each with its run.
    pub metrics: BTreeMap<String, (Latest, Uuid)>,
    /// Put away.
    pub deleted: bool,
    /// When it was made, and last changed, in milliseconds.
    pub times: (i64, i64),
}

impl Logged {
    /// What it is in the registry.
    pub fn reference(&self) -> Option<Ref> {
        names::logged(&self.name, &self.id)
    }
}

/// An artifact.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// Where its bytes are.
    pub key: Uuid,
    /// Their digest.
    pub digest: Digest,
    /// Their number.
    pub size: u64,
    /// Rows of data in it, where it is an example of input.
    pub rows: Option<u32>,
}

/// What is known of all of them.
#[derive(Clone, Default)]
pub struct State {
    experiments: OrdMap<u32, Arc<Experiment>>,
    named: HashMap<Arc<str>, u32>,
    runs: HashMap<Uuid, Arc<Run>>,
    runs_of: HashMap<u32, OrdSet<Uuid>>,
    logged: HashMap<Arc<str>, Arc<Logged>>,
    logged_of: HashMap<u32, OrdSet<Arc<str>>>,
    artifacts: OrdMap<Arc<str>, Arc<Artifact>>,
    /// Registered models and their versions.
    pub registered: Registered,
    /// Webhooks.
    pub hooks: super::hooks::Hooks,
}

impl State {
    /// An experiment.
    pub fn experiment(&self, id: u32) -> Option<Arc<Experiment>> {
        let known = self.experiments.get(&id).cloned();
        known.or_else(|| (id == DEFAULT).then(|| Arc::new(Experiment::unnamed())))
    }

    /// An experiment by name.
    pub fn experiment_named(&self, name: &str) -> Option<Arc<Experiment>> {
        match self.named.get(name) {
            Some(id) => self.experiment(*id),
            None => self.experiment(DEFAULT).filter(|own| own.name == name),
        }
    }

    /// All experiments, latest first.
    pub fn experiments(&self) -> impl Iterator<Item = Arc<Experiment>> {
        let unnamed = if self.experiments.contains_key(&DEFAULT) { None } else { self.experiment(DEFAULT) };
        self.experiments.values().rev().cloned().chain(unnamed)
    }

    /// The number of the next experiment.
    pub fn next_experiment(&self) -> Option<u32> {
        self.experiments.get_max().map_or(Some(1), |(id, _)| id.checked_add(1))
    }

    /// A run.
    pub fn run(&self, id: Uuid) -> Option<&Arc<Run>> {
        self.runs.get(&id)
    }

    /// Runs of an experiment, latest first.
    pub fn runs_of(&self, experiment: u32) -> impl Iterator<Item = &Arc<Run>> {
        self.runs_of.get(&experiment).into_iter().flat_map(|ids| ids.iter().rev()).filter_map(|id| self.runs.get(id))
    }

    /// A logged model.
    pub fn logged(&self, id: &str) -> Option<&Arc<Logged>> {
        self.logged.get(id)
    }

    /// Logged models of an experiment.
    pub fn logged_of(&self, experiment: u32) -> impl Iterator<Item = &Arc<Logged>> {
        self.logged_of.get(&experiment).into_iter().flatten().filter_map(|id| self.logged.get(id))
    }

    /// An artifact.
    pub fn artifact(&self, path: &str) -> Option<&Arc<Artifact>> {
        self.artifacts.get(path)
    }

    /// Artifacts below a folder, in the order of their paths.
    pub fn artifacts_below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a Arc<Artifact>)> {
        let prefix = format!("{folder}/");
        self.artifacts
            .range(Arc::from(prefix.as_str())..)
            .map(|(path, artifact)| (&**path, artifact))
            .take_while(move |(path, _)| path.starts_with(&prefix))
    }

    /// Fold in what was said of an experiment.
    pub fn experiment_changed(&mut self, fact: &ExperimentChanged, at: &At) {
        let now = millis(at.time);
        let id = fact.experiment;
        let mut own = match self.experiment(id) {
            Some(own) => (*own).clone(),
            None => Experiment { id, times: (now, now), ..Experiment::unnamed() },
        };
        own.times.1 = now;
        match &fact.change {
            ExperimentChange::Created { name, location, tags } => {
                own.name.clone_from(name);
                own.location.clone_from(location);
                own.tags.join(tags);
                self.named.insert(name.as_str().into(), id);
            }
            ExperimentChange::Renamed { name } => {
                self.named.remove(own.name.as_str());
                own.name.clone_from(name);
                self.named.insert(name.as_str().into(), id);
            }
            ExperimentChange::Tagged { tags } => own.tags.join(tags),
            ExperimentChange::Untagged { key } => own.tags.remove(key),
            ExperimentChange::Deleted => own.deleted = true,
            ExperimentChange::Restored => own.deleted = false,
        }
        self.experiments.insert(id, Arc::new(own));
    }

    /// Fold in what was said of a run; whether its lineage may have changed.
    pub fn run_changed(&mut self, fact: &RunChanged, at: &At) -> bool {
        if let RunChange::Created { experiment, name, user, started_at, tags } = &fact.change {
            let mut run = Run {
                id: fact.run,
                experiment: *experiment,
                name: name.clone(),
                user: *user,
                status: Status::Running,
                started_at: *started_at,
                recorded_at: at.time,
                ended_at: None,
                deleted: false,
                params: Texts::new(),
                tags: Tags::default(),
                metrics: BTreeMap::new(),
                datasets: Vec::new(),
                models: BTreeSet::new(),
                outputs: Vec::new(),
                made: BTreeSet::new(),
                versions: BTreeSet::new(),
                facet: RunFacet::default(),
                subjects: BTreeSet::new(),
                unread: BTreeSet::new(),
            };
            run.log(&Texts::new(), &[], tags);
            run.state(fact);
            self.runs.insert(fact.run, Arc::new(run));
            self.runs_of.entry(*experiment).or_default().insert(fact.run);
            return false;
        }
        let Some(run) = self.runs.get_mut(&fact.run) else { return false };
        let run = Arc::make_mut(run);
        let stated = run.state(fact);
        match &fact.change {
            RunChange::Created { .. } => stated,
            RunChange::Updated { status, ended_at, name } => {
                run.status = status.unwrap_or(run.status);
                run.ended_at = ended_at.or(run.ended_at);
                if let Some(name) = name {
                    run.name.clone_from(name);
                    run.tags.join(&Tags {
                        open: Texts::from([("mlflow.runName".to_owned(), name.clone())]),
                        ..Tags::default()
                    });
                }
                ended_at.is_some()
            }
            RunChange::Logged { params, metrics, tags } => {
                run.log(params, metrics, tags);
                self.measured(fact.run, metrics);
                stated
            }
            RunChange::Untagged { key } => {
                run.tags.remove(key);
                stated
            }
            RunChange::Read { datasets, models } => {
                for input in datasets {
                    // Read to learn from and to measure on, it is both.
                    let same = |known: &Arc<Input>| {
                        known.name == input.name && known.digest == input.digest && known.role == input.role
                    };
                    match run.datasets.iter_mut().find(|known| same(known)) {
                        // Said again, it is what it was; what it reads besides adds up.
                        Some(known) if known.table == input.table => *known = Arc::new(input.clone()),
                        _ => run.datasets.push(Arc::new(input.clone())),
                    }
                }
                run.models.extend(models.iter().cloned());
                true
            }
            RunChange::Wrote { models } => {
                for output in models {
                    if !run.outputs.contains(output) {
                        run.outputs.push(output.clone());
                    }
                }
                true
            }
            RunChange::Deleted => {
                run.deleted = true;
                stated
            }
            RunChange::Restored => {
                run.deleted = false;
                stated
            }
        }
    }

    /// Note what a run measured of logged models.
    fn measured(&mut self, run: Uuid, metrics: &[Metric]) {
        for metric in metrics {
            let Some(logged) = metric.model.as_deref().and_then(|id| self.logged.get_mut(id)) else { continue };
            let said = Latest::of(metric);
            let known = logged.metrics.get(&metric.key);
            // As many keys as a run has, and no more.
            if known.map_or(logged.metrics.len() < MOST_KEYS, |(known, _)| said.follows(known)) {
                Arc::make_mut(logged).metrics.insert(metric.key.clone(), (said, run));
            }
        }
    }

    /// Note that a version came of a run.
    pub fn came_of(&mut self, run: Uuid, version: &Ref) {
        if let Some(run) = self.runs.get_mut(&run) {
            Arc::make_mut(run).versions.insert(version.clone());
        }
    }

    /// Fold in what was said of a logged model; the run whose lineage may have changed.
    pub fn logged_changed(&mut self, fact: &LoggedModelChanged, at: &At) -> Option<Uuid> {
        let now = millis(at.time);
        let id: Arc<str> = fact.model.as_str().into();
        if let LoggedModelChange::Created { experiment, name, model_type, run, params, tags } = &fact.change {
            let logged = Logged {
                id: id.clone(),
                experiment: *experiment,
                name: name.clone(),
                model_type: model_type.clone(),
                run: *run,
                status: "LOGGED_MODEL_PENDING".to_owned(),
                params: params.clone(),
                tags: tags.clone(),
                metrics: BTreeMap::new(),
                deleted: false,
                times: (now, now),
            };
            self.logged.insert(id.clone(), Arc::new(logged));
            self.logged_of.entry(*experiment).or_default().insert(id);
            if let Some(source) = run.and_then(|run| self.runs.get_mut(&run)) {
                Arc::make_mut(source).made.insert(fact.model.clone());
            }
            return *run;
        }
        let logged = Arc::make_mut(self.logged.get_mut(&id)?);
        match &fact.change {
            LoggedModelChange::Created { .. } => {}
            LoggedModelChange::Became { status } => {
                logged.status.clone_from(status);
                logged.times.1 = now;
            }
            LoggedModelChange::Tagged { tags } => logged.tags.join(tags),
            LoggedModelChange::Untagged { key } => logged.tags.remove(key),
            LoggedModelChange::Logged { params } => {
                logged.params.extend(params.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
            LoggedModelChange::Deleted => logged.deleted = true,
        }
        None
    }

    /// Tag a logged model with the versions made of it, as the protocol's own server does.
    pub fn registered_as(&mut self, model: &str, name: &str, version: u32) {
        const KEY: &str = "mlflow.modelVersions";
        let Some(logged) = self.logged.get_mut(model) else { return };
        let logged = Arc::make_mut(logged);
        let mut list: Vec<serde_json::Value> =
            logged.tags.open.get(KEY).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        list.push(serde_json::json!({"name": name, "version": version}));
        // As Python spells it: clients read this tag, and write it again.
        let member = |one: &serde_json::Value, key: &str| one.get(key).map(ToString::to_string).unwrap_or_default();
        let spelled = list
            .iter()
            .map(|one| format!("{{\"name\": {}, \"version\": {}}}", member(one, "name"), member(one, "version")));
        logged.tags.open.insert(KEY.to_owned(), format!("[{}]", spelled.collect::<Vec<_>>().join(", ")));
    }

    /// Fold in that the bytes of an artifact are there.
    pub fn stored(&mut self, fact: &ArtifactStored) {
        let artifact = Artifact { key: fact.key, digest: fact.digest, size: fact.size, rows: fact.rows };
        self.artifacts.insert(fact.path.as_str().into(), Arc::new(artifact));
    }
}

impl Run {
    /// Take what the tags state; whether they state anything.
    fn state(&mut self, fact: &RunChanged) -> bool {
        if let Some(said) = &fact.facet {
            let own = &mut self.facet;
            own.purpose = said.purpose.clone().or(own.purpose.take());
            own.basis = said.basis.clone().or(own.basis.take());
            own.operation = said.operation.or(own.operation);
            own.controller = said.controller.clone().or(own.controller.take());
            if !said.assessments.is_empty() {
                own.assessments.clone_from(&said.assessments);
            }
        }
        self.subjects.extend(fact.subjects.iter().cloned());
        self.unread.extend(fact.unread.iter().cloned());
        fact.facet.is_some() || !fact.unread.is_empty()
    }
}
