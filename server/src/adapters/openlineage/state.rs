//! What is known of runs and names. Everything here is joined by minima, maxima and unions: the same events make the same state, in
//! whatever order and however often they came.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use imbl::HashMap;
use licit_schemas::digest::Digest;
use licit_schemas::openlineage::RunFacet;
use licit_schemas::reference::Ref;
use licit_schemas::registry::{Column, ColumnInput, ColumnKind, DatasetOrigin, Field, Identifiability};
use licit_schemas::text::{Iri, Key, Name};
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::event::{Event, Flow, Progress, Table};

/// Columns of a dataset that can be listed; of more, none is, and what it holds is unknown.
const MOST_COLUMNS: usize = 5000;
/// How far up a run looks for what the runs that began it state.
const MOST_PARENTS: usize = 8;

/// What was said last: the later word, and of two at once the greater.
type Latest<T> = Option<(Timestamp, T)>;

fn later<T: Ord>(known: &mut Latest<T>, at: Timestamp, said: Option<T>) {
    if let Some(said) = said
        && known.as_ref().is_none_or(|(then, word)| (*then, word) < (at, &said))
    {
        *known = Some((at, said));
    }
}

/// What went into a column, by its input and column there: whether masked on every way, and whether its values are in it.
type Origins = BTreeMap<(Ref, Name), (bool, bool)>;

/// What flowed, of all events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flows {
    /// What was read.
    pub inputs: BTreeSet<Ref>,
    /// What was written.
    pub outputs: BTreeSet<Ref>,
    columns: BTreeMap<(Ref, Name), Origins>,
}

impl Flows {
    fn join(&mut self, flow: &Flow) {
        self.inputs.extend(flow.inputs.iter().cloned());
        self.outputs.extend(flow.outputs.iter().cloned());
        for column in &flow.columns {
            let Some(field) = &column.field else { continue };
            let origins = self.columns.entry((column.output.clone(), field.clone())).or_default();
            for from in &column.from {
                let direct = from.kind == ColumnKind::Direct;
                let known = origins.entry((from.input.clone(), from.field.clone())).or_insert((true, false));
                *known = (known.0 && from.masking, known.1 || direct);
            }
        }
    }

    /// The columns, of each version that was written under the name they were told of.
    pub fn columns(&self) -> Vec<Column> {
        let mut list = Vec::new();
        for output in &self.outputs {
            let base = output.unpinned();
            for ((_, field), origins) in self.columns.iter().filter(|((of, _), _)| of.unpinned() == base) {
                let from = origins.iter().map(|((input, field), (masking, direct))| ColumnInput {
                    input: input.clone(),
                    field: field.clone(),
                    masking: *masking,
                    kind: if *direct { ColumnKind::Direct } else { ColumnKind::Indirect },
                });
                list.push(Column { output: output.clone(), field: Some(field.clone()), from: from.collect() });
            }
        }
        list
    }
}

/// What is known of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The earliest moment anything was said of.
    pub started_at: Timestamp,
    /// The latest at which it was done.
    pub ended_at: Option<Timestamp>,
    /// Whether it is known to have read and written.
    pub counts: bool,
    /// Its job.
    pub job: Latest<Name>,
    /// The run that began it.
    pub parent: Latest<Uuid>,
    facet: Latest<RunFacet>,
    /// The program: where it is, and its revision.
    pub code: Latest<(String, Option<Name>)>,
    /// Inputs × outputs.
    pub flow: Flows,
    /// What the engine said itself, by what was made.
    pub explicit: BTreeMap<Ref, Flows>,
}

/// What is known of a column.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    data_type: Latest<Name>,
    categories: BTreeSet<Iri>,
    identifiability: Option<Identifiability>,
}

/// What is known of a version of a dataset or model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Version {
    fields: BTreeMap<Name, Known>,
    /// Whom its data are about.
    pub subjects: BTreeSet<Iri>,
    origins: Vec<DatasetOrigin>,
    /// Who determines purposes and means.
    pub controllers: BTreeSet<Ref>,
    /// What its data were collected for.
    pub purposes: BTreeSet<Ref>,
    /// What they were collected on.
    pub bases: BTreeSet<Ref>,
    /// What was done to it as a whole.
    pub change: Latest<Name>,
}

impl Version {
    fn join(&mut self, at: Timestamp, table: &Table) {
        for field in &table.fields {
            let known = self.fields.entry(field.name.clone()).or_default();
            later(&mut known.data_type, at, field.data_type.clone());
            known.categories.extend(field.categories.iter().cloned());
            known.identifiability = known.identifiability.max(field.identifiability);
            // One more than can be listed says that there are too many; which ones, nobody asks.
            if self.fields.len() > MOST_COLUMNS + 1 {
                self.fields.pop_last();
            }
        }
        self.subjects.extend(table.subjects.iter().cloned());
        if let Some(origin) = table.origin.filter(|origin| !self.origins.contains(origin)) {
            self.origins.push(origin);
        }
        self.controllers.extend(table.controller.clone());
        self.purposes.extend(table.purpose.clone());
        self.bases.extend(table.basis.clone());
        later(&mut self.change, at, table.change.clone());
    }

    /// All that is shown of it: when a word was said is not.
    fn shown(&self) -> impl PartialEq {
        let change = self.change.as_ref().map(|(_, change)| change.clone());
        let stated = (self.controllers.clone(), self.purposes.clone(), self.bases.clone());
        (self.fields(), self.subjects.clone(), self.origin(), stated, change)
    }

    /// Its columns.
    pub fn fields(&self) -> Vec<Field> {
        if self.fields.len() > MOST_COLUMNS {
            return Vec::new();
        }
        let field = |(name, known): (&Name, &Known)| Field {
            name: name.clone(),
            data_type: known.data_type.as_ref().map(|(_, word)| word.clone()),
            categories: known.categories.iter().cloned().collect(),
            identifiability: known.identifiability,
            pseudonym: None,
            free_text: None,
        };
        self.fields.iter().map(field).collect()
    }

    /// Where its data come from; none where events say different things, but of people once said to be collected, from whomever, no
    /// other event says otherwise.
    pub fn origin(&self) -> Option<DatasetOrigin> {
        use DatasetOrigin::{Acquired, Collected, Public, Received};
        if let [origin] = self.origins[..] {
            return Some(origin);
        }
        [Collected, Received, Acquired, Public].into_iter().find(|origin| self.origins.contains(origin))
    }
}

/// What is to be put into the registry and the graph anew.
#[derive(Debug, Default)]
pub struct Touched {
    /// Versions of which something new was said.
    pub versions: Vec<Ref>,
    /// Names that are one.
    pub aliases: Vec<(Ref, Ref)>,
    /// Runs.
    pub runs: Vec<Uuid>,
}

/// What is known of all of them.
#[derive(Clone, Default)]
pub struct State {
    runs: HashMap<Uuid, Arc<Run>>,
    children: HashMap<Uuid, Arc<BTreeSet<Uuid>>>,
    versions: HashMap<Ref, Arc<Version>>,
    owners: HashMap<Ref, (Timestamp, Key)>,
    /// What was put into the registry of names that have revisions, so that what others state of them stays.
    stated: HashMap<Ref, Digest>,
}

impl State {
    /// What is known of a run.
    pub fn run(&self, id: Uuid) -> Option<&Arc<Run>> {
        self.runs.get(&id)
    }

    /// What is known of a version.
    pub fn version(&self, reference: &Ref) -> Option<&Arc<Version>> {
        self.versions.get(reference)
    }

    /// The team that owns a dataset.
    pub fn owner(&self, base: &Ref) -> Option<&Key> {
        self.owners.get(base).map(|(_, owner)| owner)
    }

    /// What was put into the registry of a name.
    pub fn stated(&self, base: &Ref) -> Option<Digest> {
        self.stated.get(base).copied()
    }

    /// Note what was put into the registry of a name.
    pub fn note(&mut self, base: &Ref, digest: Digest) {
        self.stated.insert(base.clone(), digest);
    }

    /// What the facet `licit` states of a run: its own, and where it is silent, that of the run that began it.
    pub fn facet(&self, id: Uuid) -> RunFacet {
        let mut facet = RunFacet::default();
        let mut next = Some(id);
        for _ in 0..MOST_PARENTS {
            let Some(run) = next.and_then(|id| self.runs.get(&id)) else { break };
            if let Some((_, said)) = &run.facet {
                facet.purpose = facet.purpose.or_else(|| said.purpose.clone());
                facet.basis = facet.basis.or_else(|| said.basis.clone());
                facet.controller = facet.controller.or_else(|| said.controller.clone());
                // What a parent does is not what its children do.
                if next == Some(id) {
                    facet.operation = said.operation;
                }
            }
            next = run.parent.as_ref().map(|(_, parent)| *parent);
        }
        facet
    }

    /// Join what an event says; what is to be put into the registry and the graph anew.
    pub fn fold(&mut self, event: &Event) -> Touched {
        let mut touched = self.tables(event.at, event.tables.iter());
        touched.runs.push(event.run);
        if self.join(event) {
            self.below(event.run, &mut touched.runs);
        }
        touched
    }

    /// Join what is said of datasets and models.
    pub fn tables<'a>(&mut self, at: Timestamp, tables: impl Iterator<Item = &'a Table>) -> Touched {
        let mut touched = Touched::default();
        for table in tables {
            let before = self.versions.get(&table.r#ref).cloned();
            let version = Arc::make_mut(self.versions.entry(table.r#ref.clone()).or_default());
            version.join(at, table);
            // Engines say the same of a table whenever they read it.
            let mut news = before.is_none_or(|before| before.shown() != version.shown());
            if let Some(owner) = &table.owner {
                let base = table.r#ref.unpinned();
                let mut known = self.owners.get(&base).cloned();
                let before = known.clone().map(|(_, owner)| owner);
                later(&mut known, at, Some(owner.clone()));
                news |= before != known.clone().map(|(_, owner)| owner);
                self.owners.extend(known.map(|known| (base, known)));
            }
            if news {
                touched.versions.push(table.r#ref.clone());
            }
            for alias in &table.aliases {
                if !self.versions.contains_key(alias) {
                    self.versions.entry(alias.clone()).or_default();
                    touched.versions.push(alias.clone());
                }
                touched.aliases.push((table.r#ref.clone(), alias.clone()));
            }
        }
        touched.versions.sort();
        touched.versions.dedup();
        touched
    }

    /// Join what an event says of its run; whether that may count for the runs it began.
    fn join(&mut self, event: &Event) -> bool {
        let at = event.at;
        let run = self.runs.entry(event.run).or_insert_with(|| {
            Arc::new(Run {
                started_at: at,
                ended_at: None,
                counts: false,
                job: None,
                parent: None,
                facet: None,
                code: None,
                flow: Flows::default(),
                explicit: BTreeMap::new(),
            })
        });
        let run = Arc::make_mut(run);
        let before = (run.facet.clone(), run.parent);
        run.started_at = run.started_at.min(at);
        if event.progress == Progress::Complete {
            run.ended_at = run.ended_at.max(Some(at));
        }
        run.counts |= event.progress.counts();
        later(&mut run.job, at, event.job.clone());
        later(&mut run.parent, at, event.parent);
        later(&mut run.facet, at, event.facet.clone());
        later(&mut run.code, at, event.code.as_ref().map(|code| (code.uri.to_string(), code.revision.clone())));
        if event.progress != Progress::Fail {
            run.flow.join(&event.flow);
            for flow in &event.explicit {
                if let Some(output) = flow.outputs.first() {
                    run.explicit.entry(output.unpinned()).or_default().join(flow);
                }
            }
        }
        let changed = before != (run.facet.clone(), run.parent);
        if let Some(parent) = event.parent {
            Arc::make_mut(self.children.entry(parent).or_default()).insert(event.run);
        }
        changed
    }

    /// The runs that a run began, and those that these began, as far down as they look up.
    fn below(&self, id: Uuid, runs: &mut Vec<Uuid>) {
        let (mut next, mut seen) = (vec![id], HashSet::from([id]));
        for _ in 0..MOST_PARENTS {
            let begun = next.iter().filter_map(|id| self.children.get(id)).flat_map(|all| all.iter().copied());
            next = begun.filter(|id| seen.insert(*id)).collect();
            runs.extend(next.iter().copied());
        }
    }
}
