//! What is known of runs and names. Everything here is joined by minima, maxima and unions: the same events make the same state, in
//! whatever order and however often they came.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use licit_schemas::digest::Digest;
use licit_schemas::openlineage::RunFacet;
use licit_schemas::reference::Ref;
use licit_schemas::registry::{Column, ColumnInput, ColumnKind, DatasetOrigin, Field, Identifiability};
use licit_schemas::text::{Iri, Key, Name};
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::event::{Bound, Event, Flow, Open, Overflowed, Progress, Table};
use super::names;

use crate::maps::{HashMap, HashSet};

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

/// What was said, whenever.
fn word<T>(latest: &Latest<T>) -> Option<&T> {
    latest.as_ref().map(|(_, word)| word)
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
    whole: BTreeSet<Ref>,
    open: BTreeSet<Open>,
}

/// What a run may read, write, and map columns of columns, over all its events: the bounds of a run that is recorded natively. Each
/// event states a run anew that it adds to.
const MOST_TABLES: usize = 2000;
const MOST_ORIGINS: usize = 20_000;
/// Controllers, purposes of collection, bases and assessments that events may state of one version, each.
const MOST_STATED: usize = 100;
/// Runs that a run may begin: what it states counts for each of them.
const MOST_CHILDREN: usize = 10_000;

impl Flows {
    /// Join a flow; whether it says anything new.
    fn join(&mut self, flow: &Flow) -> bool {
        let counts = |flows: &Self| {
            (flows.inputs.len(), flows.outputs.len(), flows.columns.len(), flows.whole.len(), flows.open.len())
        };
        let before = counts(self);
        self.whole.extend(flow.whole.iter().cloned());
        self.open.extend(flow.open.iter().cloned());
        self.inputs.extend(flow.inputs.iter().cloned());
        self.outputs.extend(flow.outputs.iter().cloned());
        let mut changed = false;
        for column in &flow.columns {
            let Some(field) = &column.field else { continue };
            let origins = self.columns.entry((column.output.clone(), field.clone())).or_default();
            for from in &column.from {
                let direct = from.kind == ColumnKind::Direct;
                let key = (from.input.clone(), from.field.clone());
                let known = origins.get(&key).copied();
                let (masked, valued) = known.unwrap_or((true, false));
                let joined = (masked && from.masking, valued || direct);
                if known != Some(joined) {
                    origins.insert(key, joined);
                    changed = true;
                }
            }
        }
        changed || before != counts(self)
    }

    fn origins(&self) -> usize {
        self.columns.values().map(|origins| origins.len().max(1)).sum::<usize>() + self.open.len()
    }

    /// Datasets read and written, and origins of columns, that a flow adds.
    fn added(&self, flow: &Flow) -> [usize; 3] {
        let new = |known: &BTreeSet<Ref>, list: &[Ref]| {
            list.iter().filter(|one| !known.contains(one)).collect::<BTreeSet<_>>().len()
        };
        let mut origins = BTreeSet::new();
        for column in &flow.columns {
            let Some(field) = &column.field else { continue };
            let of = (column.output.clone(), field.clone());
            let known = self.columns.get(&of);
            let none = column.from.is_empty() && known.is_none();
            origins.extend(none.then(|| (of.clone(), None)));
            let from = column.from.iter().map(|from| (from.input.clone(), from.field.clone()));
            let new = from.filter(|from| known.is_none_or(|known| !known.contains_key(from)));
            origins.extend(new.map(|from| (of.clone(), Some(from))));
        }
        let open = flow.open.iter().filter(|open| !self.open.contains(open)).collect::<BTreeSet<_>>().len();
        [new(&self.inputs, &flow.inputs), new(&self.outputs, &flow.outputs), origins.len() + open]
    }

    /// The columns, of each version that was written under the name they were told of.
    pub fn columns(&self) -> Vec<Column> {
        // By name, so that not every output is held against every column.
        let mut told: BTreeMap<Ref, Vec<(&Name, &Origins)>> = BTreeMap::new();
        for ((of, field), origins) in &self.columns {
            told.entry(of.unpinned()).or_default().push((field, origins));
        }
        let open = |of: &Ref, field: Option<&Name>| {
            self.open.iter().any(|open| open.output.unpinned() == *of && open.field.as_ref() == field)
        };
        // An input of which only what chose the rows is told flows whole all the same.
        let valued: BTreeSet<&Ref> =
            self.columns.values().flatten().filter(|(_, (_, direct))| *direct).map(|((input, _), _)| input).collect();
        let whole: Vec<&Ref> = self.whole.iter().filter(|input| !valued.contains(input)).collect();
        if self.columns.len().saturating_mul(whole.len()) > MOST_ORIGINS {
            return Vec::new(); // Then all flows whole.
        }
        let mut list = Vec::new();
        for output in &self.outputs {
            let base = output.unpinned();
            if !self.open.is_empty() && open(&base, None) {
                continue;
            }
            for (field, origins) in told.get(&base).into_iter().flatten() {
                if !self.open.is_empty() && open(&base, Some(*field)) {
                    continue;
                }
                let all = whole.iter().filter_map(|input| {
                    let field = names::name(ColumnInput::WHOLE)?;
                    Some(ColumnInput { input: (*input).clone(), field, masking: false, kind: ColumnKind::Direct })
                });
                let from = origins.iter().map(|((input, field), (masking, direct))| ColumnInput {
                    input: input.clone(),
                    field: field.clone(),
                    masking: *masking,
                    kind: if *direct { ColumnKind::Direct } else { ColumnKind::Indirect },
                });
                let from = all.chain(from).collect();
                list.push(Column { output: output.clone(), field: Some((*field).clone()), from });
            }
        }
        list
    }
}

/// What a flow is too much of, with what is known.
fn overflow(known: &Flows, said: &Flow) -> Option<(Bound, String)> {
    let [inputs, outputs, origins] = known.added(said);
    let bounds = [
        (Bound::Inputs, known.inputs.len(), inputs, MOST_TABLES, "datasets that it read"),
        // By name, and the version that was made: two of each dataset.
        (Bound::Outputs, known.outputs.len(), outputs, 2 * MOST_TABLES, "versions that it wrote"),
        (
            Bound::Columns,
            if origins > 0 { known.origins() } else { 0 },
            origins,
            MOST_ORIGINS,
            "columns in its lineage",
        ),
    ];
    let over = |(_, known, new, most, _): &(Bound, usize, usize, usize, &str)| *new > 0 && known + new > *most;
    bounds.into_iter().find(over).map(|(bound, _, _, most, what)| (bound, format!("{most} {what}")))
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
    /// Assessments believed to hold for them.
    pub assessments: BTreeSet<Ref>,
    /// What was done to it as a whole.
    pub change: Latest<Name>,
}

impl Version {
    /// Join what is said of it; whether that says anything new.
    fn join(&mut self, at: Timestamp, table: &Table) -> bool {
        let before = self.clone();
        self.said(at, table);
        // When a word was said last is not told.
        let same = |one: &Self, other: &Self| {
            let field = |(a, b): ((&Name, &Known), (&Name, &Known))| {
                a.0 == b.0
                    && word(&a.1.data_type) == word(&b.1.data_type)
                    && (&a.1.categories, a.1.identifiability) == (&b.1.categories, b.1.identifiability)
            };
            one.fields.len() == other.fields.len()
                && one.fields.iter().zip(&other.fields).all(field)
                && (&one.subjects, &one.origins) == (&other.subjects, &other.origins)
                && (&one.controllers, &one.purposes, &one.bases) == (&other.controllers, &other.purposes, &other.bases)
                && one.assessments == other.assessments
                && word(&one.change) == word(&other.change)
        };
        !same(&before, self)
    }

    /// Whether what is said of it is more than can be kept of one version.
    fn is_full(&self, table: &Table) -> bool {
        let full = |known: &BTreeSet<Ref>, said: &Option<Ref>| {
            known.len() >= MOST_STATED && said.as_ref().is_some_and(|said| !known.contains(said))
        };
        full(&self.controllers, &table.controller)
            || full(&self.purposes, &table.purpose)
            || full(&self.bases, &table.basis)
            || (self.assessments.len() >= MOST_STATED
                && table.assessments.iter().any(|one| !self.assessments.contains(one)))
    }

    fn said(&mut self, at: Timestamp, table: &Table) {
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
        self.assessments.extend(table.assessments.iter().cloned());
        later(&mut self.change, at, table.change.clone());
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

/// The run of its own that a thing has where the engine said what it came of.
pub fn explicit_run(run: Uuid, made: &Ref) -> Uuid {
    names::id(&["lineage", &run.to_string(), &made.to_string()])
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
    /// Runs and versions of which not all is known, since an event was too much to be taken.
    partial: HashSet<String>,
}

/// An event that is too much to be taken.
pub struct Over {
    /// Why, for whoever sent it.
    pub reason: String,
    /// What is recorded of it.
    pub fact: Overflowed,
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
                    facet.assessments.clone_from(&said.assessments);
                }
            }
            next = run.parent.as_ref().map(|(_, parent)| *parent);
        }
        facet
    }

    /// Join what an event says; what is to be put into the registry and the graph anew.
    pub fn fold(&mut self, event: &Event) -> Touched {
        let mut touched = self.tables(event.at, event.tables.iter());
        let (changed, states) = self.join(event);
        if self.has_partial() {
            self.mark_explicit(event.run);
        }
        if changed {
            touched.runs.push(event.run);
        }
        if states {
            self.below(event.run, &mut touched.runs);
        }
        touched
    }

    /// Join what is said of datasets and models.
    pub fn tables<'a>(&mut self, at: Timestamp, tables: impl Iterator<Item = &'a Table>) -> Touched {
        let mut touched = Touched::default();
        for table in tables {
            let mut changed = !self.versions.contains_key(&table.r#ref);
            changed |= Arc::make_mut(self.versions.entry(table.r#ref.clone()).or_default()).join(at, table);
            if let Some(owner) = &table.owner {
                let base = table.r#ref.unpinned();
                let known = self.owners.get(&base).cloned();
                let mut latest = known.clone();
                later(&mut latest, at, Some(owner.clone()));
                changed |= word(&known) != word(&latest);
                self.owners.extend(latest.map(|latest| (base, latest)));
            }
            if changed {
                touched.versions.push(table.r#ref.clone());
            }
            for alias in &table.aliases {
                if !self.versions.contains_key(alias) {
                    self.versions.insert(alias.clone(), Arc::default());
                    touched.versions.push(alias.clone());
                }
                touched.aliases.push((table.r#ref.clone(), alias.clone()));
            }
        }
        touched.versions.sort();
        touched.versions.dedup();
        touched
    }

    /// Join what an event says of its run; whether that is anything new, and whether it counts for the runs it began, too.
    fn join(&mut self, event: &Event) -> (bool, bool) {
        let at = event.at;
        let mut changed = !self.runs.contains_key(&event.run);
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
        let spoken = |run: &Run| {
            let moments = (run.started_at, run.ended_at, run.counts);
            (moments, word(&run.job).cloned(), word(&run.code).cloned())
        };
        let stating = |run: &Run| (word(&run.facet).cloned(), word(&run.parent).copied());
        let before = (spoken(run), stating(run));
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
            changed |= run.flow.join(&event.flow);
            for flow in &event.explicit {
                if let Some(output) = flow.outputs.first() {
                    changed |= run.explicit.entry(output.unpinned()).or_default().join(flow);
                }
            }
        }
        let states = before.1 != stating(run);
        changed |= states || before.0 != spoken(run);
        if let Some(parent) = event.parent {
            Arc::make_mut(self.children.entry(parent).or_default()).insert(event.run);
        }
        (changed, states)
    }

    /// Why an event cannot be joined: with what is known, it would be more than is kept of one run or one version. Asked before it is
    /// recorded, so that the fold itself takes everything there is.
    pub fn overflows(&self, event: &Event) -> Option<Over> {
        let (bound, reason, stated) = self.beyond(event)?;
        let mut versions: BTreeSet<Ref> = stated.into_iter().collect();
        // What the run wrote besides is not all that was made of it.
        if event.progress != Progress::Fail {
            let known = self.runs.get(&event.run);
            for made in std::iter::once(&event.flow).chain(&event.explicit).flat_map(|flow| &flow.outputs) {
                let flows = known.iter().flat_map(|run| std::iter::once(&run.flow).chain(run.explicit.values()));
                if !flows.into_iter().any(|flows| flows.outputs.contains(made)) {
                    versions.insert(made.clone());
                }
            }
        }
        Some(Over { reason, fact: Overflowed { run: event.run, bound, versions: versions.into_iter().collect() } })
    }

    fn beyond(&self, event: &Event) -> Option<(Bound, String, Option<Ref>)> {
        // What a run that failed names makes no edge: of it only the rest counts.
        let flows = if event.progress == Progress::Fail { None } else { self.flows_beyond(event) };
        if let Some((bound, over)) = flows {
            return Some((bound, format!("brings its run `{}` beyond {over}", event.run), None));
        }
        let full = |table: &&Table| self.versions.get(&table.r#ref).is_some_and(|known| known.is_full(table));
        if let Some(table) = event.tables.iter().find(full) {
            let of = &table.r#ref;
            let over = format!("brings `{of}` beyond {MOST_STATED} controllers, purposes or bases that engines state");
            return Some((Bound::Stated, over, Some(of.clone())));
        }
        let children = event.parent.and_then(|parent| self.children.get(&parent));
        let child = children.is_some_and(|known| known.len() >= MOST_CHILDREN && !known.contains(&event.run));
        child.then(|| {
            (Bound::Children, format!("names as its parent a run that began {MOST_CHILDREN} others already"), None)
        })
    }

    /// The bound of its run's flows that an event goes beyond, in words, too.
    fn flows_beyond(&self, event: &Event) -> Option<(Bound, String)> {
        let none = (Flows::default(), BTreeMap::new());
        let known = self.runs.get(&event.run);
        let (flow, explicit) = known.map_or((&none.0, &none.1), |run| (&run.flow, &run.explicit));
        let mut over = overflow(flow, &event.flow);
        let mut outputs: BTreeSet<Ref> = explicit.keys().cloned().collect();
        // Several flows of one event may be of one thing: joined, they count once.
        let mut new: BTreeMap<Ref, Flows> = BTreeMap::new();
        for said in &event.explicit {
            let Some(output) = said.outputs.first().map(Ref::unpinned) else { continue };
            let own = new.entry(output.clone()).or_insert_with_key(|of| explicit.get(of).cloned().unwrap_or_default());
            over = over.or_else(|| overflow(own, said));
            own.join(said);
            outputs.insert(output);
        }
        let origins = |all: &BTreeMap<Ref, Flows>| all.values().map(Flows::origins).sum::<usize>();
        let before: usize =
            explicit.iter().filter(|(of, _)| !new.contains_key(*of)).map(|(_, own)| own.origins()).sum();
        if over.is_none() && outputs.len() > MOST_TABLES {
            over = Some((Bound::Explicit, format!("{MOST_TABLES} datasets of which it is said what they came of")));
        }
        if over.is_none() && before + origins(&new) > MOST_ORIGINS {
            over = Some((Bound::Columns, format!("{MOST_ORIGINS} columns in its lineage")));
        }
        over
    }

    /// Note that an event was too much.
    pub fn overflowed(&mut self, fact: &Overflowed) {
        self.partial.insert(Ref::run(fact.run).to_string());
        self.partial.extend(fact.versions.iter().map(Ref::to_string));
        self.mark_explicit(fact.run);
    }

    /// Whether that was noted before.
    pub fn knows(&self, fact: &Overflowed) -> bool {
        self.is_partial(&Ref::run(fact.run).to_string())
            && fact.versions.iter().all(|version| self.is_partial(&version.to_string()))
    }

    /// Whether not all is known of a run or version.
    pub fn is_partial(&self, reference: &str) -> bool {
        self.partial.contains(reference)
    }

    /// Whether there is any of which not all is known.
    pub fn has_partial(&self) -> bool {
        !self.partial.is_empty()
    }

    /// What a run of which not all is known made stands as runs of their own, where the engine said what came of what.
    fn mark_explicit(&mut self, id: Uuid) {
        if let Some(run) = self.runs.get(&id).filter(|_| self.partial.contains(&Ref::run(id).to_string())) {
            self.partial.extend(run.explicit.keys().map(|made| Ref::run(explicit_run(id, made)).to_string()));
        }
    }

    /// The runs that a run began, and those that these began, as far down as they look up.
    fn below(&self, id: Uuid, runs: &mut Vec<Uuid>) {
        let (mut next, mut seen) = (vec![id], BTreeSet::from([id]));
        for _ in 0..MOST_PARENTS {
            let begun = next.iter().filter_map(|id| self.children.get(id)).flat_map(|all| all.iter().copied());
            next = begun.filter(|id| seen.insert(*id)).collect();
            runs.extend(next.iter().copied());
        }
    }
}
