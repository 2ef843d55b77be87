//! What came from what: the projection of versions, runs, releases and deployments as one graph.

pub mod api;
mod class;
pub mod columns;
mod dated;
pub mod exposure;
pub mod graph;
mod joining;
pub mod levels;
mod marks;
pub mod operations;
mod pages;
pub mod views;
pub mod walk;

use std::sync::Arc;

use imbl::Vector;
use licit_schemas::lineage::{EdgeCreate, EdgeName, EdgeOrigin};
use licit_schemas::reference::Ref;
use licit_schemas::registry::{
    DatasetVersionSpec, DeploymentSpec, InputRole, ModelKind, ModelVersionSpec, Operation, ReleaseSpec, RunSpec,
};
use licit_schemas::time::Timestamp;

pub use self::class::{Class, Traits};
use self::graph::{Edge, EdgeKind, Flags, Graph, Half, Node, NodeId, NodeKind, Origin, Role};
use crate::catalogue::Stated;
use crate::db::{At, Rows};
use crate::maps::HashMap;
use crate::registry::vocabulary::vocabulary;
use crate::registry::{DatasetFacts, Held, ReleaseMoved, What, deployment_of};

/// A dataset version whose own fields are personal data, collected or derived.
pub const PERSONAL: Flags = Flags(1 << 11);
/// A dataset version with categories or identifiers that states to describe nobody (synthetic, reference). The statement counts
/// only where nobody stands upstream.
pub const FICTION: Flags = Flags(1 << 12);

/// Somebody assessed that nobody is identifiable in it any more; whether that holds, and for whom, is asked when it matters.
pub const ASSESSED: Flags = Flags(1 << 13);
/// A run that may bring people of several tables together: it reads several datasets as data, or says to combine.
pub const JOINS: Flags = Flags(1 << 14);
/// A dataset version that a run made of a table with people, as far as was known when they were recorded. Where it is not set, a
/// walk says.
pub const OF_PEOPLE: Flags = Flags(1 << 15);
/// A run that says of which columns it made which. The bit is [`OF_PEOPLE`]'s, which runs never carry.
pub const MAPPED: Flags = Flags(1 << 15);

/// What was said of a node, whatever becomes known of it.
const KEPT: u16 = ASSESSED.0 | Flags::RETIRED.0 | Flags::ERASED.0 | Flags::RESTRICTED.0;

/// What follows from what a dataset version holds; other flags stay when that becomes better known.
const CLASSED: Flags = Flags(Flags::SOURCE.0 | PERSONAL.0 | FICTION.0 | Flags::UNCLASSIFIED.0 | Flags::NO_ORIGIN.0);

/// Runs that a new one is held against: a name has one job that writes it, or a few.
const MAKERS: usize = 16;

/// A node beside its place in the graph.
#[derive(Clone, Debug)]
pub struct Record {
    /// Pinned reference; without version where it could not be pinned.
    pub reference: Arc<str>,
    /// What is registered under it; absent while it dangles, and for releases and deployments.
    pub held: Option<Arc<Held>>,
    /// When the node first appeared.
    pub at: Timestamp,
    /// The run or edge that named it first, while it dangles.
    pub named_by: Option<Arc<str>>,
    /// The entry that brought the members of a dataset version; 0 while nobody said who is in it.
    pub members: u64,
}

/// The graph with what its nodes are.
#[derive(Clone, Default)]
pub struct State {
    graph: Graph,
    records: Vector<Record>,
    /// Ends of retention, by number from 1: many versions share one.
    ends: Vector<Timestamp>,
    end_of: HashMap<Timestamp, u32>,
    places: HashMap<Arc<str>, NodeId>,
    classes: Vector<Arc<Class>>,
    class_of: HashMap<Arc<Class>, u32>,
    /// The class of what has none.
    nothing: Arc<Class>,
    /// Deployments that follow a dataset, by `dataset:<namespace>/<name>`: (deployment, reads or writes).
    followers: HashMap<Arc<str>, Arc<Vec<(NodeId, EdgeKind)>>>,
    /// Since when late edges are valid that say so, by the position of their facts.
    began: HashMap<u64, Timestamp>,
    /// Whether anything an engine reported came from itself: names stand for many versions, and names may be one.
    circular: bool,
}

impl State {
    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The node of a pinned reference.
    pub fn find(&self, reference: &str) -> Option<NodeId> {
        self.places.get(reference).copied()
    }

    /// What a node is.
    pub fn record(&self, id: NodeId) -> &Record {
        &self.records[id.index()]
    }

    /// Its reference.
    pub fn name(&self, id: NodeId) -> Arc<str> {
        self.record(id).reference.clone()
    }

    /// The class of a node.
    pub fn class(&self, id: NodeId) -> &Arc<Class> {
        self.class_at(self.graph.node(id).class)
    }

    /// An end of retention by its number.
    pub fn end(&self, number: u32) -> Option<Timestamp> {
        self.ends.get((number as usize).checked_sub(1)?).copied()
    }

    /// Every end of retention that is stated, each once.
    pub fn ends(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.ends.iter().copied()
    }

    fn number_end(&mut self, end: Timestamp) -> u32 {
        if let Some(&known) = self.end_of.get(&end) {
            return known;
        }
        self.ends.push_back(end);
        let number = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.end_of.insert(end, number);
        number
    }

    /// How many classes there are.
    pub fn class_count(&self) -> usize {
        self.classes.len()
    }

    /// A class by its number.
    pub fn class_at(&self, number: u32) -> &Arc<Class> {
        self.classes.get(number as usize).unwrap_or(&self.nothing)
    }

    fn add(&mut self, reference: &str, node: Node, at: &At) -> NodeId {
        let id = self.graph.add_node(node);
        let reference: Arc<str> = reference.into();
        self.records.push_back(Record {
            reference: reference.clone(),
            held: None,
            at: at.time,
            named_by: None,
            members: 0,
        });
        self.places.insert(reference, id);
        id
    }

    /// The node of a reference; made dangling when nobody registered it.
    fn refer(&mut self, reference: &Ref, by: &str, at: &At) -> NodeId {
        let text = reference.to_string();
        if let Some(id) = self.find(&text) {
            return id;
        }
        use licit_schemas::reference::Kind;
        let kind = match reference.kind() {
            Kind::Model => NodeKind::ModelVersion,
            Kind::Run => NodeKind::Run,
            Kind::Deployment => NodeKind::Deployment,
            Kind::Release => NodeKind::Release,
            _ => NodeKind::DatasetVersion,
        };
        let mut node = Node::new(kind);
        node.flags = node.flags.with(Flags::DANGLING);
        let id = self.add(&text, node, at);
        if let Some(record) = self.records.get_mut(id.index()) {
            record.named_by = Some(by.into());
        }
        id
    }

    /// The node of something now registered: new, or no longer dangling.
    fn register(&mut self, held: &Arc<Held>, node: Node, at: &At) -> NodeId {
        let id = match self.find(&held.reference) {
            Some(id) => {
                // What was said of a version that an engine reported stays when more is known of it.
                let kept = Flags(self.graph.node(id).flags.0 & KEPT);
                self.graph.set_node(id, Node { flags: node.flags.with(kept), ..node });
                id
            }
            None => self.add(&held.reference, node, at),
        };
        if let Some(record) = self.records.get_mut(id.index()) {
            record.held = Some(held.clone());
            record.named_by = None;
        }
        id
    }

    fn link(&mut self, from: NodeId, to: NodeId, [kind, role, origin]: [u8; 3], at: &At, rows: &mut Rows) {
        let (kind, role, origin) = (EdgeKind::from_bits(kind), Role::from_bits(role), Origin::from_bits(origin));
        if self.graph.add_edge(Edge { from, to, kind, role, origin, seq: at.seq }) {
            let (effect, cause) = (self.name(from), self.name(to));
            rows.edge(at, &effect, &cause, [kind.as_str(), role.as_str(), origin.as_str()]);
        }
    }

    /// Whether tables may come from themselves: then the nearest table with people answers for no other.
    pub fn is_circular(&self) -> bool {
        self.circular
    }

    /// [`Self::link`], where it may close a circle: nobody is told at once that something comes from itself.
    fn reported(&mut self, from: NodeId, to: NodeId, label: [u8; 3], at: &At, rows: &mut Rows) {
        // Once known, it is not asked again; and a walk through all that went into a name grows with every run of the pipeline.
        if !self.circular && !self.made_so_before(from, to) {
            self.circular = self.graph.would_cycle(from, to);
        }
        self.link(from, to, label, at, rows);
    }

    /// Whether something was made before by a run that read the same: if that closed no circle, this run closes none.
    fn made_so_before(&self, effect: NodeId, run: NodeId) -> bool {
        let graph = &self.graph;
        let read_by = |other: NodeId, cause: NodeId| graph.upstream(other).any(|half| half.node == cause);
        let alike = |half: Half| {
            half.kind == EdgeKind::Generated && graph.upstream(run).all(|cause| read_by(half.node, cause.node))
        };
        effect != run && graph.node(run).kind == NodeKind::Run && graph.upstream(effect).take(MAKERS).any(alike)
    }

    fn declared(&mut self, from: NodeId, to: NodeId, kind: EdgeKind, role: Role, at: &At, rows: &mut Rows) {
        self.link(from, to, [kind as u8, role as u8, Origin::Declared as u8], at, rows);
    }

    fn intern(&mut self, class: Class) -> u32 {
        // Class 0 is that of nodes of which nothing is known: dangling ones, releases, deployments.
        if self.classes.is_empty() && class != Class::default() {
            self.intern(Class::default());
        }
        if let Some(&known) = self.class_of.get(&class) {
            return known;
        }
        let place = u32::try_from(self.classes.len()).unwrap_or(u32::MAX);
        let class = Arc::new(class);
        self.classes.push_back(class.clone());
        self.class_of.insert(class, place);
        place
    }

    /// Fold a dataset version in; deployments that follow its dataset read or write it from now on.
    pub fn dataset_version(&mut self, fact: &Stated<DatasetVersionSpec>, held: &Arc<Held>, at: &At, rows: &mut Rows) {
        let What::Dataset(facts) = &held.what else { return };
        let mut node = Node::new(NodeKind::DatasetVersion);
        (node.flags, node.class) = self.classed(facts);
        node.dataset = facts.number;
        node.end = facts.retention.map_or(0, |end| self.number_end(end));
        let id = self.register(held, node, at);
        self.note_people(id);
        self.raise_from(id);
        let followers = self.followers.get(fact.spec.dataset.to_string().as_str()).cloned().unwrap_or_default();
        for &(deployment, kind) in followers.iter() {
            self.follow(deployment, id, kind, at, rows);
        }
    }

    /// Fold in who brought the members of a dataset version.
    pub fn members(&mut self, reference: &str, at: &At) {
        if let Some(record) = self.find(reference).and_then(|id| self.records.get_mut(id.index())) {
            record.members = at.seq;
        }
    }

    /// Fold in that more is known, or assumed, of what a dataset version holds.
    pub fn reclassified(&mut self, held: &Arc<Held>) {
        let (Some(id), What::Dataset(facts)) = (self.find(&held.reference), &held.what) else { return };
        let (flags, class) = self.classed(facts);
        let node = self.graph.node(id);
        let kept = Flags(node.flags.0 & !CLASSED.0);
        self.graph.set_node(id, Node { flags: kept.with(flags), class, ..node });
        if let Some(record) = self.records.get_mut(id.index()) {
            record.held = Some(held.clone());
        }
        self.raise_anew(id);
    }

    /// The flags and the class that follow from what a dataset version holds.
    fn classed(&mut self, facts: &DatasetFacts) -> (Flags, u32) {
        let mut flags = Flags(0);
        for (flag, holds) in [
            (Flags::SOURCE, facts.is_source()),
            (PERSONAL, facts.personal() && !facts.is_fiction()),
            (FICTION, facts.personal() && facts.is_fiction()),
            (Flags::UNCLASSIFIED, facts.is_silent()),
            (Flags::NO_ORIGIN, facts.origin.is_none()),
        ] {
            flags = if holds { flags.with(flag) } else { flags };
        }
        let traits = Traits {
            operation: None,
            region: facts.region.clone(),
            parties: facts.controllers.iter().chain(&facts.processors).cloned().collect(),
        };
        let class = self.intern(if !facts.personal() {
            Class::plain(traits)
        } else {
            let (categories, subjects, identifiability) = facts.effective();
            let mut collected_for: Vec<&Ref> = facts.collected_for.iter().collect();
            collected_for.sort_by_cached_key(|purpose| (purpose.base().to_owned(), purpose.rev()));
            Class {
                traits,
                special: categories.iter().any(|c| vocabulary().is_special(*c)),
                categories,
                subjects,
                identifiability,
                controllers: facts.controllers.clone(),
                processors: facts.processors.clone(),
                collected_for: collected_for.into_iter().map(|purpose| purpose.to_string().into()).collect(),
                collected_under: facts.collected_under.iter().map(|b| b.to_string().into()).collect(),
                notices: facts.notices.clone(),
                told: facts.is_told(),
                scopes: facts.scopes.clone(),
                free_text: facts.free_text,
            }
        });
        (flags, class)
    }

    fn follow(&mut self, deployment: NodeId, version: NodeId, kind: EdgeKind, at: &At, rows: &mut Rows) {
        match kind {
            EdgeKind::Emits => self.declared(version, deployment, kind, Role::None, at, rows),
            _ => self.declared(deployment, version, kind, Role::None, at, rows),
        }
    }

    /// Fold a run in.
    pub fn run(&mut self, fact: &Stated<RunSpec>, held: &Arc<Held>, origin: Origin, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let mut node = Node::new(NodeKind::Run);
        if spec.operation.trains() {
            node.flags = node.flags.with(Flags::TRAINS);
        }
        if spec.operation == Operation::Infer {
            node.flags = node.flags.with(Flags::INFERS);
        }
        if !spec.columns.is_empty() {
            node.flags = node.flags.with(MAPPED);
        }
        let parties = spec.controller.iter().chain(&spec.processors).map(|p| p.to_string().into()).collect();
        node.class = self.intern(Class::plain(Traits { operation: Some(spec.operation), region: None, parties }));
        let run = self.register(held, node, at);
        let link = if held.reported { Self::reported } else { Self::link };
        for input in &spec.inputs {
            let cause = self.refer(&input.r#ref, &held.reference, at);
            link(self, run, cause, [EdgeKind::Used as u8, role(input.role) as u8, origin as u8], at, rows);
        }
        self.note_join(run);
        let mut people = Vec::new();
        for output in &spec.outputs {
            let effect = self.refer(output, &held.reference, at);
            link(self, effect, run, [EdgeKind::Generated as u8, Role::None as u8, origin as u8], at, rows);
            if self.note_people(effect) {
                people.push(effect);
            }
        }
        self.note_model(run);
        self.raise_by(run);
        people.into_iter().for_each(|id| self.raise_from(id));
    }

    /// Note on a run that it wrote a model: whatever word it has for what it did, it formed a model from what it read, and people
    /// contained in that are contained in the model.
    fn note_model(&mut self, run: NodeId) {
        let node = self.graph.node(run);
        let model =
            |half: &Half| half.kind == EdgeKind::Generated && self.graph.node(half.node).kind == NodeKind::ModelVersion;
        if node.kind == NodeKind::Run && self.graph.downstream(run).any(|half| model(&half)) {
            let flags = node.flags.with(Flags::TRAINS).without(Flags::INFERS);
            self.graph.set_node(run, Node { flags, ..node });
        }
    }

    /// Fold a model version in.
    pub fn model_version(&mut self, _: &Stated<ModelVersionSpec>, held: &Arc<Held>, at: &At) {
        let What::Model(facts) = &held.what else { return };
        let mut node = Node::new(NodeKind::ModelVersion);
        node.flags = match facts.kind {
            ModelKind::Built => node.flags,
            ModelKind::Acquired => node.flags.with(Flags::ACQUIRED),
            ModelKind::Endpoint => node.flags.with(Flags::ENDPOINT),
        };
        let region = facts.endpoint.as_ref().map(|e| e.region.clone());
        node.class = self.intern(Class::plain(Traits { region, ..Traits::default() }));
        self.register(held, node, at);
    }

    /// Fold in whose data are behind a model of others, as its passport says: contained in it, like those of a training here.
    pub fn behind(&mut self, model: &Ref, datasets: &[Ref], at: &At, rows: &mut Rows) {
        let reference = model.to_string();
        let effect = self.refer(model, &reference, at);
        for dataset in datasets {
            let cause = self.refer(dataset, &reference, at);
            self.declared(effect, cause, EdgeKind::Used, Role::Training, at, rows);
        }
    }

    /// Fold a deployment in: what it reads and writes, present versions and, without `@version`, later ones.
    pub fn deployment(
        &mut self,
        spec: &DeploymentSpec,
        latest: impl Fn(&str) -> Option<Arc<str>>,
        at: &At,
        rows: &mut Rows,
    ) {
        let reference = Ref::deployment(&spec.name).to_string();
        let deployment = match self.find(&reference) {
            Some(id) => {
                self.graph.set_node(id, Node::new(NodeKind::Deployment));
                id
            }
            None => self.add(&reference, Node::new(NodeKind::Deployment), at),
        };
        // Until a revision begins, the one before reads and writes on.
        if spec.valid_from.is_none_or(|from| from <= at.time) {
            self.unfollow(deployment);
        }
        for (declaration, kind) in [(&spec.reads, EdgeKind::ServesOn), (&spec.writes, EdgeKind::Emits)] {
            for dataset in declaration.iter().flat_map(|d| &d.datasets) {
                if dataset.is_pinned() {
                    let version = self.refer(dataset, &reference, at);
                    self.follow(deployment, version, kind, at, rows);
                    continue;
                }
                let base: Arc<str> = dataset.to_string().into();
                if let Some(version) = latest(&base).and_then(|pinned| self.find(&pinned)) {
                    self.follow(deployment, version, kind, at, rows);
                }
                Arc::make_mut(self.followers.entry(base).or_default()).push((deployment, kind));
            }
        }
    }

    fn unfollow(&mut self, deployment: NodeId) {
        let mine: Vec<Arc<str>> = self
            .followers
            .iter()
            .filter(|(_, l)| l.iter().any(|(d, _)| *d == deployment))
            .map(|(k, _)| k.clone())
            .collect();
        for key in mine {
            if let Some(list) = self.followers.get_mut(&key) {
                Arc::make_mut(list).retain(|(d, _)| *d != deployment);
            }
        }
    }

    /// Fold a proposed release in.
    pub fn release(&mut self, fact: &Stated<ReleaseSpec>, at: &At, rows: &mut Rows) {
        let deployment = fact.spec.deployment.to_string();
        let reference = format!("release:{}@{}", deployment.trim_start_matches("deployment:"), fact.rev);
        let release = self.add(&reference, Node::new(NodeKind::Release), at);
        for part in &fact.spec.composition {
            let model = self.refer(&part.model, &reference, at);
            self.declared(release, model, EdgeKind::ComposedOf, Role::None, at, rows);
        }
        for index in fact.spec.indexes.iter().chain(&fact.spec.discloses) {
            let dataset = self.refer(index, &reference, at);
            self.declared(release, dataset, EdgeKind::ComposedOf, Role::None, at, rows);
        }
    }

    /// Fold an activation in: what the deployment writes from now on was made by this release.
    pub fn moved(&mut self, fact: &ReleaseMoved, at: &At, rows: &mut Rows) {
        use licit_schemas::registry::ReleaseState;
        let (deployment, release) =
            (self.find(&deployment_of(&fact.reference)), self.find(&fact.reference.to_string()));
        if let (ReleaseState::Active, Some(deployment), Some(release)) = (fact.state, deployment, release) {
            self.declared(deployment, release, EdgeKind::Runs, Role::None, at, rows);
        }
    }

    /// Fold a disclosure in: what a party received came from this release.
    pub fn disclosed(&mut self, release: &str, party: &str, at: &At, rows: &mut Rows) {
        let Some(release) = self.find(release) else { return };
        let party = self.find(party).unwrap_or_else(|| self.add(party, Node::new(NodeKind::Party), at));
        self.declared(party, release, EdgeKind::DisclosedTo, Role::None, at, rows);
    }

    /// Fold in that two names are of one dataset: what is in one is in the other.
    pub fn same(&mut self, one: &Ref, other: &Ref, at: &At, rows: &mut Rows) {
        let by = format!("entry {}", at.seq);
        let (one, other) = (self.refer(one, &by, at), self.refer(other, &by, at));
        for (from, to) in [(one, other), (other, one)] {
            self.reported(from, to, [EdgeKind::ComposedOf as u8, Role::None as u8, Origin::Observed as u8], at, rows);
        }
    }

    /// Fold a late edge in that an engine reported: it may close a circle.
    pub fn edge_reported(&mut self, fact: &EdgeCreate, at: &At, rows: &mut Rows) {
        let ends = self.find(&fact.from.to_string()).zip(self.find(&fact.to.to_string()));
        self.circular = self.circular || ends.is_some_and(|(from, to)| self.graph.would_cycle(from, to));
        self.edge(fact, at, rows);
    }

    /// Fold a late edge in.
    pub fn edge(&mut self, fact: &EdgeCreate, at: &At, rows: &mut Rows) {
        let by = format!("entry {}", at.seq);
        if let Some(valid_from) = fact.valid_from {
            self.began.insert(at.seq, valid_from);
        }
        let from = self.refer(&fact.from, &by, at);
        let to = self.refer(&fact.to, &by, at);
        let kind = match fact.kind {
            EdgeName::Used => EdgeKind::Used,
            EdgeName::Generated => EdgeKind::Generated,
            EdgeName::ServesOn => EdgeKind::ServesOn,
            EdgeName::Emits => EdgeKind::Emits,
        };
        let origin = match fact.origin {
            EdgeOrigin::Declared => Origin::Declared,
            EdgeOrigin::Observed => Origin::Observed,
            EdgeOrigin::Inferred => Origin::Inferred,
        };
        self.link(from, to, [kind as u8, role(fact.role) as u8, origin as u8], at, rows);
        match kind {
            EdgeKind::Used => {
                self.note_join(from);
                self.raise_from(to);
            }
            _ => {
                if kind == EdgeKind::Generated {
                    self.note_model(to);
                }
                self.raise(vec![from]);
            }
        }
    }

    /// Dataset versions a deployment reads about people, as judged now: pinned ones, the latest of followed datasets.
    pub fn reads(
        &self,
        spec: &DeploymentSpec,
        latest: impl Fn(&str) -> Option<Arc<str>>,
    ) -> Vec<(Ref, Option<NodeId>)> {
        let datasets = spec.reads.iter().flat_map(|d| &d.datasets);
        datasets
            .map(|dataset| {
                let pinned = match dataset.is_pinned() {
                    true => Some(Arc::from(dataset.to_string())),
                    false => latest(&dataset.to_string()),
                };
                (dataset.clone(), pinned.and_then(|p| self.find(&p)))
            })
            .collect()
    }
}

/// A role as the graph spells it.
pub fn role(role: Option<InputRole>) -> Role {
    match role {
        None => Role::None,
        Some(InputRole::Training) => Role::Training,
        Some(InputRole::Validation) => Role::Validation,
        Some(InputRole::Test) => Role::Test,
        Some(InputRole::BiasCheck) => Role::BiasCheck,
        Some(InputRole::Reference) => Role::Reference,
    }
}

/// Whether a late edge is known already.
pub fn has(state: &State, from: NodeId, to: NodeId, edge: &EdgeCreate) -> bool {
    let kind = match edge.kind {
        EdgeName::Used => EdgeKind::Used,
        EdgeName::Generated => EdgeKind::Generated,
        EdgeName::ServesOn => EdgeKind::ServesOn,
        EdgeName::Emits => EdgeKind::Emits,
    };
    let origin = match edge.origin {
        EdgeOrigin::Declared => Origin::Declared,
        EdgeOrigin::Observed => Origin::Observed,
        EdgeOrigin::Inferred => Origin::Inferred,
    };
    state.graph.has_edge(&Edge { from, to, kind, role: role(edge.role), origin, seq: 0 })
}
