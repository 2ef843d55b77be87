//! What clients of `MLflow` do, put into the registry and the graph by the functions that native facts go through: runs, what they
//! read, and what they wrote. Versions of models are registered by the operation itself.

use std::borrow::Cow;

use licit_schemas::digest::Digest;
use licit_schemas::reference::Ref;
use licit_schemas::registry::{Code, InputRole, Operation, RunInput, RunSpec, Tags};
use licit_schemas::time::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::fact::{
    ArtifactStored, ExperimentChanged, Input, LoggedModelChanged, ModelChanged, RunChange, RunChanged, VersionChange,
    VersionChanged, WebhookChanged,
};
use super::state::Run;
use crate::adapters::openlineage::event::Table;
use crate::adapters::openlineage::names;
use crate::adapters::openlineage::project::{believed, tag, unstated};
use crate::db::{At, NewRow, Rows};
use crate::facts::{World, text};
use crate::lineage::graph::Origin;

/// A row says what was said: the rows of one thing are its history.
fn row(rows: &mut Rows, at: &At, kind: &'static str, key: &[&str], doc: &impl Serialize) {
    rows.replace(at, || said(kind, key, doc));
}

fn said(kind: &'static str, key: &[&str], doc: &impl Serialize) -> NewRow {
    NewRow {
        kind,
        id: names::id(&[&[kind], key].concat()).to_string(),
        reference: format!("{kind}:{}", key.join("/")),
        state: "said".to_owned(),
        doc: text(doc),
        ..NewRow::default()
    }
}

impl World {
    /// Fold in what was said of an experiment.
    pub(crate) fn mlflow_experiment(&mut self, fact: &ExperimentChanged, at: &At, rows: &mut Rows) {
        self.mlflow.experiment_changed(fact, at);
        row(rows, at, "mlflow_experiment", &[&fact.experiment.to_string()], fact);
    }

    /// Fold in what was said of a run.
    pub(crate) fn mlflow_run(&mut self, fact: &RunChanged, at: &At, rows: &mut Rows) {
        let moved = self.mlflow.run_changed(fact, at);
        // Each is a row of its own: a run says much, and none of it takes the place of another.
        let run = Ref::run(fact.run).to_string();
        rows.put(at, || NewRow {
            kind: "mlflow_run",
            id: names::id(&["mlflow_run", &run, &at.seq.to_string()]).to_string(),
            reference: format!("mlflow_{run}"),
            state: if figures(fact) { FIGURES } else { "said" }.to_owned(),
            parent: run.clone(),
            doc: text(fact),
            ..NewRow::default()
        });
        let read = self.mlflow_read(fact);
        if !read.is_empty() {
            let touched = self.openlineage.tables(at.time, read.iter().map(|table| &**table));
            for version in &touched.versions {
                self.put_dataset(version, at, rows);
            }
        }
        if moved {
            self.mlflow_lineage(fact.run, at, rows);
        }
    }

    /// What was said of datasets that a run read. Whom its tags name counts for those that do not say it themselves, whichever was
    /// said first.
    fn mlflow_read<'f>(&self, fact: &'f RunChanged) -> Vec<Cow<'f, Table>> {
        let run = self.mlflow.run(fact.run);
        let filled = |input: &Input| -> Option<Table> {
            let (subjects, table) = (&run?.subjects, input.table.as_ref()?);
            (table.subjects.is_empty() && !input.slipped && !subjects.is_empty())
                .then(|| Table { subjects: subjects.iter().cloned().collect(), ..table.clone() })
        };
        match (&fact.change, run) {
            (RunChange::Read { datasets, .. }, _) => {
                let table =
                    |input: &'f Input| Some(filled(input).map_or(Cow::Borrowed(input.table.as_ref()?), Cow::Owned));
                datasets.iter().filter_map(table).collect()
            }
            (_, Some(run)) if !fact.subjects.is_empty() => {
                run.datasets.iter().filter_map(|input| filled(input)).map(Cow::Owned).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Fold in what was said of a logged model.
    pub(crate) fn mlflow_logged(&mut self, fact: &LoggedModelChanged, at: &At, rows: &mut Rows) {
        let run = self.mlflow.logged_changed(fact, at);
        row(rows, at, "mlflow_logged_model", &[&fact.model], fact);
        if let Some(run) = run {
            self.mlflow_lineage(run, at, rows);
        }
    }

    /// Fold in what was said of a registered model.
    pub(crate) fn mlflow_model(&mut self, fact: &ModelChanged, at: &At, rows: &mut Rows) {
        self.mlflow.registered.model_changed(fact, at);
        row(rows, at, "mlflow_model", &[&fact.name], fact);
    }

    /// Fold in what was said of a version.
    pub(crate) fn mlflow_version(&mut self, fact: &VersionChanged, at: &At, rows: &mut Rows) {
        self.mlflow.registered.version_changed(fact, at);
        // No number is given twice: nothing is looked for that a new version would follow.
        let again = !matches!(fact.change, VersionChange::Created(_));
        rows.put_or_replace(again, at, || said("mlflow_version", &[&fact.name, &fact.version.to_string()], fact));
        if let VersionChange::Created(made) = &fact.change {
            if let Some(model) = &made.model {
                self.mlflow.registered_as(model, &fact.name, fact.version);
            }
            if let Some(run) = run_of(&made.run) {
                self.mlflow.came_of(run, &made.native);
                self.mlflow_lineage(run, at, rows);
            }
        }
    }

    /// Fold in what was said of a webhook.
    pub(crate) fn mlflow_webhook(&mut self, fact: &WebhookChanged, at: &At, rows: &mut Rows) {
        self.mlflow.hooks.changed(fact, at);
        row(rows, at, "mlflow_webhook", &[&fact.webhook.to_string()], fact);
    }

    /// Fold in that the bytes of an artifact are there.
    pub(crate) fn mlflow_artifact(&mut self, fact: &ArtifactStored, at: &At, rows: &mut Rows) {
        self.mlflow.stored(fact);
        let key = Digest::of(fact.path.as_bytes()).hex();
        row(rows, at, "mlflow_artifact", &[&key], fact);
    }

    /// What is known of a run, in the registry: once it is known to have read or written anything.
    fn mlflow_lineage(&mut self, id: Uuid, at: &At, rows: &mut Rows) {
        let Some(run) = self.mlflow.run(id).cloned() else { return };
        let mut logged: Vec<Ref> = Vec::new();
        for model in run.outputs.iter().map(|output| &output.model).chain(&run.made) {
            let known = self.mlflow.logged(model).and_then(|logged| logged.reference());
            logged.extend(known);
        }
        logged.sort();
        logged.dedup();
        let mut read: Vec<RunInput> = run.inputs();
        for model in &run.models {
            // What it wrote itself, it looked at: it came from the same.
            let known = self.mlflow.logged(model).and_then(|logged| logged.reference());
            if let Some(reference) = known.filter(|reference| !logged.contains(reference)) {
                read.push(RunInput { r#ref: reference, role: None });
            }
        }
        if read.is_empty() && logged.is_empty() && run.versions.is_empty() {
            return;
        }
        for reference in logged.iter().chain(read.iter().map(|input| &input.r#ref)) {
            let unknown = self.registry.held(&reference.to_string()).is_none();
            if unknown && reference.kind() == licit_schemas::reference::Kind::Model {
                self.put_model(reference, at, rows);
            }
        }
        let outputs = logged.into_iter().chain(run.versions.iter().cloned()).collect();
        let spec = spec(&run, read, outputs);
        self.put_run(id, spec, Origin::Observed, at, rows);
    }
}

/// The state of a row that brings figures.
pub const FIGURES: &str = "figures";

fn figures(fact: &RunChanged) -> bool {
    matches!(&fact.change, RunChange::Logged { metrics, .. } if !metrics.is_empty())
}

/// The run that a client names, by 32 hexadecimal digits.
pub fn run_of(text: &str) -> Option<Uuid> {
    (text.len() == 32).then(|| Uuid::try_parse(text).ok()).flatten()
}

fn spec(run: &Run, inputs: Vec<RunInput>, outputs: Vec<Ref>) -> RunSpec {
    let forms = !outputs.is_empty();
    let from_model = inputs.iter().any(|input| input.r#ref.kind() == licit_schemas::reference::Kind::Model);
    let operation = run.facet.operation.unwrap_or(match (forms, from_model) {
        (true, true) => Operation::FineTune,
        (true, false) => Operation::Train,
        (false, true) => Operation::Evaluate,
        (false, false) => Operation::Derive,
    });
    let mut tags = Tags::new();
    tag(&mut tags, "mlflow.experiment", &run.experiment.to_string());
    if let Some(basis) = &run.facet.basis {
        tag(&mut tags, "licit.basis", &basis.to_string());
    }
    believed(&mut tags, &run.facet.assessments);
    if !run.unread.is_empty() {
        let unread: Vec<&str> = run.unread.iter().map(String::as_str).collect();
        tag(&mut tags, "licit.unread", &shortened(&unread.join("; ")));
    }
    let digests: Vec<String> = run.datasets.iter().map(|input| format!("{}={}", input.name, input.digest)).collect();
    if !digests.is_empty() {
        tag(&mut tags, "mlflow.digests", &shortened(&digests.join(", ")));
    }
    let role = |mut input: RunInput| {
        // Training is a word for what forms a model.
        if input.role == Some(InputRole::Training) && !forms {
            input.role = None;
        }
        input
    };
    let started_at = moment(run.started_at).unwrap_or(run.recorded_at);
    let ended_at = run.ended_at.and_then(moment).filter(|end| *end >= started_at);
    RunSpec {
        id: None,
        operation,
        purpose: run.facet.purpose.clone().unwrap_or_else(unstated),
        inputs: inputs.into_iter().map(role).collect(),
        outputs,
        columns: Vec::new(),
        started_at,
        ended_at,
        code: code(run),
        controller: run.facet.controller.clone(),
        processors: Vec::new(),
        member_sets: Vec::new(),
        tags,
    }
}

fn shortened(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    text.trim().to_owned()
}

fn moment(millis: i64) -> Option<Timestamp> {
    Timestamp::from_micros(millis.checked_mul(1000)?)
}

/// The program, where the client names a place that others can find: a repository, and its revision.
fn code(run: &Run) -> Option<Code> {
    let open = |key: &str| run.tags.open.get(key);
    let place = open(super::operations::REPOSITORY)?;
    let revision = open("mlflow.source.git.commit").and_then(|commit| commit.parse().ok());
    Some(Code { uri: place.parse().ok()?, revision })
}
