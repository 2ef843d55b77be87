//! Everything a decision needs, gathered once from the projection. Pure: no I/O, no clock.

mod assessed;
mod cohorts;
mod consents;
mod controllers;
mod document;
mod inspect;
mod joins;
mod partial;
mod rows;
mod told;
mod twins;
mod understated;
mod view;
mod views;

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use licit_schemas::gate::Intent;
use licit_schemas::lawfulness::{AssessmentKind, BasisSpec, PurposeSpec, Stage};
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::{
    Declaration, DeploymentSpec, EnvironmentSpec, Identifiability, Life, Mode, ModelFile, SystemSpec,
};
use licit_schemas::time::Timestamp;
use serde::Serialize;

pub use self::assessed::{Missed, of as assessments_of, things_of};
pub use self::consents::{Asked as Consented, Consent, all as consents_of};
pub use self::joins::{Join, Risk, bringing_together, measured, outputs};
pub use self::rows::StillHeld;
pub use self::told::Told;
use super::coverage::{Answer, Question};
use super::suppression::Suppression;
use crate::catalogue::Revision;
use crate::facts::World;
use crate::lineage::Class;
use crate::lineage::columns::Narrowed;
use crate::lineage::exposure::{self, CONTAINED, Exposure, SERVED, Want};
use crate::lineage::graph::{EdgeKind, Half, NodeId, Origin};
use crate::lineage::walk::Label;
use crate::registry::{Held, ModelFacts, Release, RunFacts, Some64, What};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Ask {
    /// `deployment:<name>`.
    pub deployment: String,
    /// A release of it; absent, the one that follows from the intent.
    pub release: Option<Ref>,
    /// Begin or go on.
    pub intent: Intent,
    /// Files found where they will run.
    pub artifacts: Vec<ModelFile>,
    /// The moment judged.
    pub valid_at: Timestamp,
}

/// A dataset version with personal data that reaches the release.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Its node.
    pub node: NodeId,
    /// Number of its dataset.
    pub dataset: u32,
    /// Number of the end of its retention; 0 where none is stated.
    pub end: u32,
    /// Place of its cohort in [`Evidence::cohorts`].
    pub cohort: usize,
}

/// Sources that are alike in all a rule asks for: each is judged by its cohort, and named for itself.
#[derive(Debug)]
pub struct Cohort<'w> {
    /// What of them reaches the release.
    pub class: Cow<'w, Class>,
    /// How they reach: contained, shaped, validation, served.
    pub modes: Label,
    /// Training runs that read them, as places in [`Evidence::trainings`].
    pub trainings: Vec<usize>,
    /// Derived, not collected: their sources are asked for a basis, their own categories still count.
    pub derived: bool,
    /// What governs them when the deployment runs, where that is asked.
    pub deployment: Option<Answer>,
    /// What governed each training, in the order of `trainings`.
    pub training: Vec<Answer>,
    /// Numbers of their datasets. The same sixty-four may stand there more than once.
    pub tables: Vec<Some64>,
    /// Numbers of the ends of their retention, 0 where one states none. The same may stand there more than once.
    pub ends: Vec<u32>,
    /// The oldest of them: nodes are numbered as they appear.
    pub oldest: NodeId,
}

/// A training run in the closure.
#[derive(Debug)]
pub struct Training {
    /// Its node.
    pub node: NodeId,
    /// What is registered of it; absent while it dangles.
    pub held: Option<Arc<Held>>,
    /// Bases for its purpose at its start; absent for a dangling run.
    pub question: Option<Question>,
    /// The controller it ran for; that of the deployment, where nobody knows.
    pub controller: String,
    /// Whom its data name, where it does not say itself for whom it ran, and they do not tell.
    pub unsaid: Option<Vec<Arc<str>>>,
    /// Closed by an approved regularisation: the board took over that it was lawful then.
    pub regularised: bool,
    /// Why one in force does not close it all the same.
    pub unfounded: Option<Missing>,
}

impl Training {
    /// What is registered of it.
    pub fn run(&self) -> Option<&RunFacts> {
        match self.held.as_deref().map(|h| &h.what) {
            Some(What::Run(run)) => Some(run),
            _ => None,
        }
    }
}

/// Why lineage is not complete at a node.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Named, never registered.
    Dangling,
    /// People are in it, and nobody said where they come from.
    Origin,
    /// Fields nobody classified.
    Classes(Vec<String>),
    /// What it does not say was answered by this default class until then.
    DefaultEnded(Arc<str>, Timestamp),
    /// A run that trained, made a model or an unstated table, and names nothing it read.
    Inputs,
    /// An engine reported more of it than is kept.
    Partial,
    /// A model of ours without its run.
    Run,
    /// The same bytes are registered as this model version, made of this dataset version, too.
    Contradicted(Arc<str>, Arc<str>),
    /// This model version, made of this dataset version, holds the file, too, and neither has it from a model behind both.
    Shared(Arc<str>, Arc<str>, Arc<str>),
    /// Registered by mistake, and retired then.
    Retired(Timestamp),
    /// A model made elsewhere without assessment, or with one not approved.
    Assessment(Option<Arc<str>>),
    /// Its assessment holds from then on.
    AssessmentLater(Arc<str>, Timestamp),
    /// Its assessment ended; a revocation says until when what runs may go on.
    AssessmentEnded(Arc<str>, Timestamp, Option<Timestamp>),
    /// The recipe that was assessed asks for another figure.
    Figure(Arc<str>, Missed),
    /// A regularisation names no basis, or this one, which did not hold then.
    BasesThen(Arc<str>, Option<Arc<str>>),
}

impl Missing {
    /// Why an assessment in force does not carry a thing all the same, as the end of a sentence.
    pub fn says(&self) -> Option<String> {
        match self {
            Self::Figure(assessment, missed) => {
                let Missed { figure, measured, at_least, at_most } = missed;
                let measured = measured.map_or_else(|| "was not measured".to_owned(), |m| format!("is {m}"));
                let bounds = [(at_least, "at least"), (at_most, "at most")];
                let asked = bounds.into_iter().filter_map(|(bound, side)| bound.map(|bound| format!("{side} {bound}")));
                let asked = asked.collect::<Vec<_>>().join(" and ");
                Some(format!("`{assessment}` asks for `{figure}` of {asked}, and it {measured}"))
            }
            Self::BasesThen(assessment, Some(basis)) => {
                Some(format!("`{assessment}` rests on `{basis}`, which is not approved or was not valid then"))
            }
            Self::BasesThen(assessment, None) => Some(format!("`{assessment}` names no basis that held then")),
            _ => None,
        }
    }
}

/// What people said cannot be read from the database.
#[derive(Clone, Copy, Debug)]
pub struct Unread;

/// A node where lineage is not complete.
#[derive(Debug)]
pub struct Gap {
    /// The node.
    pub node: NodeId,
    /// Why.
    pub missing: Missing,
}

/// A dataset version that may not be used as it is: restricted, or erased.
#[derive(Debug)]
pub struct Barred {
    /// The node.
    pub node: NodeId,
    /// Its life.
    pub life: Life,
    /// Since when.
    pub since: Timestamp,
    /// How it is used all the same.
    pub by: Want,
}

/// A model of the release.
#[derive(Debug)]
pub struct Model {
    /// Its reference.
    pub reference: Arc<str>,
    /// What is registered; absent while it dangles.
    pub held: Option<Arc<Held>>,
}

impl Model {
    /// Files, pin and provider, when it is registered.
    pub fn facts(&self) -> Option<&ModelFacts> {
        match self.held.as_deref().map(|h| &h.what) {
            Some(What::Model(facts)) => Some(facts),
            _ => None,
        }
    }
}

/// A basis the deployment names.
#[derive(Debug)]
pub struct NamedBasis {
    /// The revision that decides: the pinned one, or what the board approved after it.
    pub revision: Arc<Revision<BasisSpec>>,
    /// Where it stands.
    pub stands: super::coverage::Stands,
}

/// Everything a decision needs.
pub struct Evidence<'w> {
    /// The projection: for names and paths.
    pub world: &'w World,
    /// What was asked.
    pub ask: Ask,
    /// The deployment, if it exists.
    pub deployment: Option<Arc<Revision<DeploymentSpec>>>,
    /// The release judged.
    pub release: Option<&'w Release>,
    /// Where it runs.
    pub environment: Option<Arc<Revision<EnvironmentSpec>>>,
    /// How that enforces; *enforce* when unknown.
    pub mode: Mode,
    /// The board's word by which it enforces less, for a while.
    pub loosened: Option<Arc<str>>,
    /// When the environment's time to live is over for the release.
    pub ends: Option<Timestamp>,
    /// The use case.
    pub system: Option<Arc<Revision<SystemSpec>>>,
    /// The purpose.
    pub purpose: Option<Arc<Revision<PurposeSpec>>>,
    /// Bases the deployment names.
    pub bases: Vec<NamedBasis>,
    /// Bases for the deployment's purpose now.
    pub question: Option<Question>,
    /// Where the walk began.
    pub seeds: Vec<(NodeId, Label)>,
    /// Personal data that reach the release, in order of discovery.
    pub sources: Vec<Source>,
    /// Kinds of sources, in order of their first.
    pub cohorts: Vec<Cohort<'w>>,
    /// Training runs in the closure.
    pub trainings: Vec<Training>,
    /// Which columns flow, where a run of the closure says so.
    pub narrowed: Option<Narrowed>,
    /// Tables with people of which nothing personal flows.
    pub left_out: Vec<NodeId>,
    /// Sources that rest on consent of which somebody lacks it, or nobody knows.
    pub consents: Vec<Consent>,
    /// Whom it leaves out; absent where nobody can be, an error where what people said cannot be read.
    pub suppression: Option<std::result::Result<Suppression, Unread>>,
    /// Where lineage is not complete.
    pub gaps: Vec<Gap>,
    /// Dataset versions of the closure for which default classes answer, or did.
    pub assumed: Vec<NodeId>,
    /// Runs of the closure that may bring tables together, once somebody asked.
    joining: OnceCell<Vec<NodeId>>,
    /// Joins of the closure that may make people identifiable.
    pub joins: Vec<Join>,
    /// Nodes of the closure whose anonymity somebody assessed.
    pub assessed: Vec<NodeId>,
    /// Which of them cut the exposure, as far as it was asked.
    cuts: RefCell<Vec<(NodeId, bool)>>,
    /// How far understated tables were raised, as far as it was asked.
    raised: RefCell<HashMap<NodeId, Identifiability>>,
    /// What the people behind the sources were told.
    pub told: Told,
    /// Data used although they are restricted or erased.
    pub barred: Vec<Barred>,
    /// What still holds rows of people who were erased.
    pub still_held: Vec<StillHeld>,
    /// Models of the release.
    pub models: Vec<Model>,
    /// Datasets read or written that no declaration names.
    pub undeclared: Vec<NodeId>,
    /// Declared datasets of which no version is registered.
    pub unversioned: Vec<Ref>,
    /// Every node of the closure.
    pub closure: Vec<(NodeId, Label)>,
    /// The classes of its nodes, each once.
    pub classes: Vec<&'w Class>,
}

impl Drop for Evidence<'_> {
    fn drop(&mut self) {
        let lists = (std::mem::take(&mut self.closure), std::mem::take(&mut self.sources));
        // While its thread ends there is nothing left to keep them in.
        let _ = LISTS.try_with(|kept| kept.replace(lists));
    }
}

/// Whether an approved assessment finds something anonymous for a holder at a moment: what the exposure is cut by.
pub fn anonymous(world: &World, name: &str, holder: &Ref, at: Timestamp) -> bool {
    assessed::assessed(world, name, AssessmentKind::Anonymity, None, holder, at).is_none()
}

/// Gather the evidence.
pub fn gather<'w>(world: &'w World, ask: Ask) -> Evidence<'w> {
    let registry = &world.registry;
    let deployment = registry.deployment_at(&ask.deployment, ask.valid_at).cloned();
    let release = pick(world, &ask);
    let (mut closure, mut sources) = LISTS.with(|kept| kept.take());
    closure.clear();
    sources.clear();
    let mut evidence = Evidence {
        world,
        deployment,
        release,
        environment: None,
        mode: Mode::Enforce,
        loosened: None,
        ends: None,
        system: None,
        purpose: None,
        bases: Vec::new(),
        question: None,
        seeds: Vec::new(),
        sources,
        cohorts: Vec::new(),
        trainings: Vec::new(),
        narrowed: None,
        left_out: Vec::new(),
        consents: Vec::new(),
        suppression: None,
        gaps: Vec::new(),
        assumed: Vec::new(),
        assessed: Vec::new(),
        joining: OnceCell::new(),
        joins: Vec::new(),
        cuts: RefCell::default(),
        raised: RefCell::default(),
        told: Told::default(),
        barred: Vec::new(),
        still_held: Vec::new(),
        models: Vec::new(),
        undeclared: Vec::new(),
        unversioned: Vec::new(),
        closure,
        classes: Vec::new(),
        ask,
    };
    let Some(deployment) = evidence.deployment.clone() else { return evidence };
    let spec = &deployment.spec;
    let now = evidence.ask.valid_at;
    if let Some(environment) = registry.environment_of(spec.environment.name()) {
        let loosened = super::modes::loosened(world, &environment.spec, now);
        evidence.environment = Some(Arc::clone(environment));
        evidence.mode = loosened.map_or(environment.spec.mode, |l| l.spec.mode);
        evidence.loosened = loosened.map(|l| Arc::clone(&l.reference));
        let hours = environment.spec.time_to_live_hours.map(|hours| chrono::Duration::hours(i64::from(hours)));
        evidence.ends = hours.zip(evidence.release.as_ref()).map(|(hours, release)| release.proposed_at.plus(hours));
    }
    evidence.system = registry.system_at(&spec.system, now).cloned();
    evidence.purpose = revision(&world.lawfulness.purposes, &spec.purpose);
    for basis in &spec.bases {
        if let Some(found) = revision(&world.lawfulness.bases, basis) {
            // Once approved, what the board said last on the same basis counts, be it of another revision.
            let all = world.lawfulness.bases.all(basis.base());
            let voted = !world.review.approvals(&found.reference).is_empty();
            let decides = super::coverage::deciding(world, all, |b| b.valid_from, now).filter(|_| voted);
            let revision = decides.cloned().unwrap_or(found);
            let (stands, _) = super::coverage::stands(world, &revision, now);
            evidence.bases.push(NamedBasis { revision, stands });
        }
    }
    evidence.question = Some(Question::new(world, &spec.purpose, Stage::Deployment, spec.controller.as_str(), now));
    serving(&mut evidence, spec);
    walk(&mut evidence, spec);
    consents::gather(&mut evidence);
    rows::gather(&mut evidence);
    evidence.told = told::told(&evidence);
    evidence
}

/// The pinned revision, or the latest.
fn revision<T>(catalogue: &crate::catalogue::Catalogue<T>, reference: &Ref) -> Option<Arc<Revision<T>>> {
    match reference.rev() {
        Some(rev) => catalogue.revision(reference.base(), rev).cloned(),
        None => catalogue.latest(reference.base()).cloned(),
    }
}

/// The release meant: the one named; for *continue* the active one; for *start* the latest proposed, else the active one.
fn pick<'w>(world: &'w World, ask: &Ask) -> Option<&'w Release> {
    use licit_schemas::registry::ReleaseState::{Active, Proposed};
    if let Some(reference) = &ask.release {
        return world.registry.release(reference);
    }
    let releases = world.registry.releases(&ask.deployment);
    let active = releases.iter().find(|r| r.state == Active);
    match ask.intent {
        Intent::Continue => active,
        Intent::Start => releases.iter().rev().find(|r| r.state == Proposed).or(active),
    }
}

/// What it reads and writes, and whether it says so.
fn serving(evidence: &mut Evidence<'_>, spec: &DeploymentSpec) {
    let world = evidence.world;
    for (dataset, node) in world.lineage.reads(spec, |base| world.registry.latest(base).cloned()) {
        match node {
            Some(node) => evidence.seeds.push((node, SERVED)),
            None => evidence.unversioned.push(dataset),
        }
    }
    let Some(own) = world.lineage.find(&evidence.ask.deployment) else { return };
    let graph = world.lineage.graph();
    // What was seen must be in the present declaration; what somebody declared may be in an earlier one, which is over.
    let revisions = world.registry.deployments.all(&evidence.ask.deployment);
    let declared = |half: &Half, of: fn(&DeploymentSpec) -> &Option<Declaration>| {
        let name = world.lineage.name(half.node);
        let base = super::coverage::base(&name);
        let holds = |spec: &DeploymentSpec| {
            of(spec).iter().flat_map(|d| &d.datasets).any(|d| d.as_str() == &*name || d.as_str() == base)
        };
        holds(spec) || (half.origin == Origin::Declared && revisions.iter().any(|r| holds(&r.spec)))
    };
    // What was seen later than the moment judged was not there yet, if it was said since when it is.
    let at = evidence.ask.valid_at;
    let begun = |half: &Half| world.lineage.began(half.seq).is_none_or(|from| from <= at);
    for half in graph.upstream(own).filter(|h| h.kind == EdgeKind::ServesOn && begun(h)) {
        if !declared(&half, |spec| &spec.reads) {
            evidence.undeclared.push(half.node);
            evidence.seeds.push((half.node, SERVED));
        }
    }
    for half in graph.downstream(own).filter(|h| h.kind == EdgeKind::Emits && begun(h)) {
        if !declared(&half, |spec| &spec.writes) {
            evidence.undeclared.push(half.node);
        }
    }
    evidence.undeclared.sort_unstable();
    evidence.undeclared.dedup();
}

thread_local! {
    /// The walk's answer, kept between decisions so that its memory is used again.
    static WALK: RefCell<Exposure> = RefCell::default();
    /// The long lists of the evidence before, for the same reason.
    static LISTS: RefCell<(Vec<(NodeId, Label)>, Vec<Source>)> = RefCell::default();
}

fn walk(evidence: &mut Evidence<'_>, spec: &DeploymentSpec) {
    let world = evidence.world;
    if let Some(release) = &evidence.release {
        if let Some(node) = world.lineage.find(&release.reference) {
            evidence.seeds.push((node, CONTAINED));
        }
        let disclosed = release.spec.discloses.iter().filter(|r| r.kind() == Kind::Model);
        for model in release.spec.composition.iter().map(|part| &part.model).chain(disclosed) {
            let reference: Arc<str> = model.as_str().into();
            evidence.models.push(Model { held: world.registry.held(&reference).cloned(), reference });
        }
    }
    // Taken out while in use: a nested evaluation must not find it borrowed.
    let mut exposure = WALK.with(|kept| kept.take());
    exposure::expose_into(world.lineage.graph(), &evidence.seeds, &|node| evidence.cuts(node), &mut exposure);
    for &node in &exposure.training_runs {
        evidence.trainings.push(training(world, node, spec, evidence.ask.valid_at));
    }
    let understated = inspect::inspect(evidence, &exposure);
    std::mem::swap(&mut evidence.closure, &mut exposure.nodes);
    WALK.with(|kept| kept.replace(exposure));
    partial::partial(evidence);
    twins::contradicted(evidence);
    evidence.joins = joins::joins(evidence, &understated);
}

fn training(world: &World, node: NodeId, spec: &DeploymentSpec, now: Timestamp) -> Training {
    let held = world.lineage.record(node).held.clone();
    let mut controller = spec.controller.to_string();
    let (mut question, mut unsaid) = (None, None);
    if let Some(What::Run(facts)) = held.as_deref().map(|h| &h.what) {
        match controllers::of_training(world, node, facts) {
            Ok(known) => controller = known,
            Err(named) => unsaid = Some(named),
        }
        question = Some(Question::new(world, &facts.purpose, Stage::Training, &controller, facts.started_at));
    }
    let name = world.lineage.name(node);
    let missing = assessed::assessed(world, &name, AssessmentKind::Regularisation, None, &spec.controller, now);
    let regularised = missing.is_none();
    let unfounded = missing.filter(|why| matches!(why, Missing::BasesThen(..)));
    Training { node, held, question, controller, unsaid, regularised, unfounded }
}
