//! Everything a decision needs, gathered once from the projection. Pure: no I/O, no clock.

use std::collections::HashMap;
use std::sync::Arc;

use licit_schemas::digest::Digest;
use licit_schemas::gate::Intent;
use licit_schemas::lawfulness::{AssessmentKind, BasisSpec, PurposeSpec, Stage};
use licit_schemas::reference::Ref;
use licit_schemas::registry::{DeploymentSpec, Mode, ModelFile, ModelKind, SystemSpec};
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::coverage::{Answer, Question};
use crate::catalogue::Revision;
use crate::facts::World;
use crate::lineage::exposure::{self, CONTAINED, Exposure, SERVED, SHAPED, VALIDATION, Want};
use crate::lineage::graph::{Direction, EdgeKind, Flags, NodeId, NodeKind, Origin};
use crate::lineage::walk::Label;
use crate::lineage::{Class, PERSONAL};
use crate::registry::{Held, ModelFacts, Release, What};
use crate::review::Standing;

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
#[derive(Debug)]
pub struct Source {
    /// Its node.
    pub node: NodeId,
    /// What versions of it have in common.
    pub class: Arc<Class>,
    /// How it reaches: contained, shaped, validation, served.
    pub modes: Label,
    /// Training runs that read it, as places in [`Evidence::trainings`].
    pub trainings: Vec<usize>,
    /// Derived, not collected: its sources are asked for a basis, its own categories still count.
    pub derived: bool,
    /// What governs it when the deployment runs, where that is asked.
    pub deployment: Option<Answer>,
    /// What governed each training, in the order of `trainings`.
    pub training: Vec<Answer>,
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
    /// The controller it ran for.
    pub controller: String,
    /// Lineage closed by an approved regularisation.
    pub regularised: bool,
}

/// Why lineage is not complete at a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Missing {
    /// Named, never registered.
    Dangling,
    /// A root without origin.
    Origin,
    /// Fields nobody classified.
    Classes(Vec<String>),
    /// A model of ours without its run.
    Run,
    /// A model made elsewhere without assessment, or with one not approved.
    Assessment(Option<Arc<str>>),
    /// Its assessment ended.
    AssessmentEnded(Arc<str>, Timestamp),
}

/// A node where lineage is not complete.
#[derive(Debug)]
pub struct Gap {
    /// The node.
    pub node: NodeId,
    /// Why.
    pub missing: Missing,
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
    /// The pinned revision.
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
    pub release: Option<Release>,
    /// Mode of the environment; *enforce* when unknown.
    pub mode: Mode,
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
    /// Personal data that reach the release.
    pub sources: Vec<Source>,
    /// Training runs in the closure.
    pub trainings: Vec<Training>,
    /// Where lineage is not complete.
    pub gaps: Vec<Gap>,
    /// Models of the release.
    pub models: Vec<Model>,
    /// Datasets read or written that no declaration names.
    pub undeclared: Vec<NodeId>,
    /// Declared datasets of which no version is registered.
    pub unversioned: Vec<Ref>,
    /// Every node of the closure, for the envelope.
    pub closure: Vec<(NodeId, Label)>,
}

/// Gather the evidence.
pub fn gather<'w>(world: &'w World, ask: Ask) -> Evidence<'w> {
    let registry = &world.registry;
    let deployment = registry.deployments.latest(&ask.deployment).cloned();
    let release = pick(world, &ask);
    let mut evidence = Evidence {
        world,
        deployment,
        release,
        mode: Mode::Enforce,
        system: None,
        purpose: None,
        bases: Vec::new(),
        question: None,
        seeds: Vec::new(),
        sources: Vec::new(),
        trainings: Vec::new(),
        gaps: Vec::new(),
        models: Vec::new(),
        undeclared: Vec::new(),
        unversioned: Vec::new(),
        closure: Vec::new(),
        ask,
    };
    let Some(deployment) = evidence.deployment.clone() else { return evidence };
    let spec = &deployment.spec;
    let now = evidence.ask.valid_at;
    if let Some(environment) = registry.environments.latest(&spec.environment.to_string()) {
        evidence.mode = environment.spec.mode;
    }
    evidence.system = revision(&registry.systems, &spec.system);
    evidence.purpose = revision(&world.lawfulness.purposes, &spec.purpose);
    for basis in &spec.bases {
        if let Some(found) = revision(&world.lawfulness.bases, basis) {
            let (stands, _) = super::coverage::stands(world, &found, now);
            evidence.bases.push(NamedBasis { revision: found, stands });
        }
    }
    let purpose = spec.purpose.unpinned().to_string();
    evidence.question = Some(Question::new(world, &purpose, Stage::Deployment, &spec.controller.to_string(), now));
    serving(&mut evidence, spec);
    walk(&mut evidence, spec);
    evidence
}

/// The pinned revision, or the latest.
fn revision<T>(catalogue: &crate::catalogue::Catalogue<T>, reference: &Ref) -> Option<Arc<Revision<T>>> {
    let base = reference.unpinned().to_string();
    match reference.rev() {
        Some(rev) => catalogue.revision(&base, rev).cloned(),
        None => catalogue.latest(&base).cloned(),
    }
}

/// The release meant: the one named; for *continue* the active one; for *start* the latest proposed, else the active one.
fn pick(world: &World, ask: &Ask) -> Option<Release> {
    use licit_schemas::registry::ReleaseState::{Active, Proposed};
    if let Some(reference) = &ask.release {
        return world.registry.release(reference).cloned();
    }
    let releases = world.registry.releases(&ask.deployment);
    let active = releases.iter().find(|r| r.state == Active);
    match ask.intent {
        Intent::Continue => active.cloned(),
        Intent::Start => releases.iter().rev().find(|r| r.state == Proposed).or(active).cloned(),
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
    let declared = |declaration: &Option<licit_schemas::registry::Declaration>, node: NodeId| {
        let name = world.lineage.name(node);
        let base = name.parse::<Ref>().map(|r| r.unpinned().to_string()).unwrap_or_default();
        declaration.iter().flat_map(|d| &d.datasets).any(|d| {
            let text = d.to_string();
            text == *name || text == base
        })
    };
    for half in graph.upstream(own) {
        if half.kind == EdgeKind::ServesOn && half.origin != Origin::Declared && !declared(&spec.reads, half.node) {
            evidence.undeclared.push(half.node);
            evidence.seeds.push((half.node, SERVED));
        }
    }
    for half in graph.downstream(own) {
        if half.kind == EdgeKind::Emits && half.origin != Origin::Declared && !declared(&spec.writes, half.node) {
            evidence.undeclared.push(half.node);
        }
    }
    evidence.undeclared.sort_unstable();
    evidence.undeclared.dedup();
}

thread_local! {
    /// The walk's answer, kept between decisions so that its memory is used again.
    static WALK: std::cell::RefCell<Exposure> = std::cell::RefCell::default();
}

fn walk(evidence: &mut Evidence<'_>, spec: &DeploymentSpec) {
    let world = evidence.world;
    if let Some(release) = &evidence.release {
        if let Some(node) = world.lineage.find(&release.reference) {
            evidence.seeds.push((node, CONTAINED));
        }
        for part in &release.spec.composition {
            let reference: Arc<str> = part.model.to_string().into();
            evidence.models.push(Model { held: world.registry.held(&reference).cloned(), reference });
        }
    }
    // Taken out while in use: a nested evaluation must not find it borrowed.
    let mut exposure = WALK.with(|kept| kept.take());
    exposure::expose_into(world.lineage.graph(), &evidence.seeds, &mut exposure);
    evidence.closure.extend_from_slice(&exposure.nodes);
    for &node in &exposure.training_runs {
        evidence.trainings.push(training(world, node, spec, evidence.ask.valid_at));
    }
    inspect(evidence, &exposure);
    WALK.with(|kept| kept.replace(exposure));
}

fn training(world: &World, node: NodeId, spec: &DeploymentSpec, now: Timestamp) -> Training {
    let held = world.lineage.record(node).held.clone();
    let mut controller = spec.controller.to_string();
    let mut question = None;
    if let Some(What::Run(facts)) = held.as_deref().map(|h| &h.what) {
        if let Some(own) = &facts.controller {
            controller = own.to_string();
        }
        let purpose = facts.purpose.unpinned().to_string();
        question = Some(Question::new(world, &purpose, Stage::Training, &controller, facts.started_at));
    }
    let regularised = assessed(world, node, AssessmentKind::Regularisation, &spec.controller, now).is_none();
    Training { node, held, question, controller, regularised }
}

/// `None` when an assessment of the kind closes the node for the holder; else why not.
fn assessed(world: &World, node: NodeId, kind: AssessmentKind, holder: &Ref, now: Timestamp) -> Option<Missing> {
    let name = world.lineage.name(node);
    let mut why = Missing::Assessment(None);
    for assessment in world.lawfulness.assessments_of(&name).iter().rev() {
        let spec = &assessment.spec;
        if spec.kind != kind || spec.holder.to_string() != holder.to_string() {
            continue;
        }
        match world.review.standing(&assessment.reference, now) {
            Standing::Holds(_) if spec.valid_from <= now && now < spec.valid_to => return None,
            Standing::Holds(_) if now >= spec.valid_to => {
                why = Missing::AssessmentEnded(assessment.reference.clone(), spec.valid_to);
            }
            Standing::Ended(approval) => why = Missing::AssessmentEnded(assessment.reference.clone(), approval.end()),
            _ => why = Missing::Assessment(Some(assessment.reference.clone())),
        }
    }
    Some(why)
}

/// Nodes worth a look: sources, derived personal data, and what is not complete.
fn inspect(evidence: &mut Evidence<'_>, exposure: &Exposure) {
    const LOOK: u16 = Flags::DANGLING.0 | Flags::UNCLASSIFIED.0 | Flags::ACQUIRED.0 | Flags::ENDPOINT.0;
    let world = evidence.world;
    let graph = world.lineage.graph();
    let now = evidence.ask.valid_at;
    let holder = evidence.deployment.as_ref().map(|d| d.spec.controller.clone());
    let mut memo: HashMap<(u32, usize), Answer> = HashMap::new();
    for (place, &(id, label)) in exposure.nodes.iter().enumerate() {
        let node = graph.node(id);
        let root = || graph.degree(id, Direction::Upstream) == 0;
        let (dataset, model) = (node.kind == NodeKind::DatasetVersion, node.kind == NodeKind::ModelVersion);
        if node.flags.0 & LOOK != 0 || (dataset && node.flags.has(Flags::NO_ORIGIN) && root()) || (model && root()) {
            let missing = if node.flags.has(Flags::DANGLING) {
                Some(Missing::Dangling)
            } else if node.flags.has(Flags::UNCLASSIFIED) {
                match world.lineage.record(id).held.as_deref().map(|h| &h.what) {
                    Some(What::Dataset(facts)) => Some(Missing::Classes(facts.unclassified.clone())),
                    _ => None,
                }
            } else if dataset {
                Some(Missing::Origin)
            } else if node.flags.has(Flags::ACQUIRED) || node.flags.has(Flags::ENDPOINT) {
                holder.as_ref().and_then(|h| assessed(world, id, AssessmentKind::Provider, h, now))
            } else if model {
                holder
                    .as_ref()
                    .and_then(|h| assessed(world, id, AssessmentKind::Regularisation, h, now))
                    .map(|why| if why == Missing::Assessment(None) { Missing::Run } else { why })
            } else {
                None
            };
            let closed = matches!(missing, Some(Missing::Origin))
                && holder.as_ref().is_some_and(|h| assessed(world, id, AssessmentKind::Regularisation, h, now).is_none());
            if let Some(missing) = missing.filter(|_| !closed) {
                evidence.gaps.push(Gap { node: id, missing });
            }
        }
        if dataset && node.flags.has(PERSONAL) {
            let source = source(evidence, exposure, place, id, label, node.class, !node.flags.has(Flags::SOURCE), &mut memo);
            evidence.sources.push(source);
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the loop above, cut in two")]
fn source(
    evidence: &Evidence<'_>,
    exposure: &Exposure,
    place: usize,
    node: NodeId,
    label: Label,
    class_id: u32,
    derived: bool,
    memo: &mut HashMap<(u32, usize), Answer>,
) -> Source {
    let class = evidence.world.lineage.class(node).clone();
    let modes = label & (CONTAINED | SHAPED | VALIDATION | SERVED);
    let trainings: Vec<usize> = exposure.required_by(place).collect();
    let mut ask = |number: usize, question: &Question| {
        memo.entry((class_id, number)).or_insert_with(|| question.ask(&class)).clone()
    };
    let deployment = match &evidence.question {
        Some(question) if !derived && modes & (CONTAINED | SERVED) != 0 => Some(ask(0, question)),
        _ => None,
    };
    let mut training = Vec::new();
    for &number in &trainings {
        let run = &evidence.trainings[number];
        training.push(match &run.question {
            Some(question) if !derived && !run.regularised => ask(number + 1, question),
            _ => Answer::Governed(Vec::new()),
        });
    }
    Source { node, class, modes, trainings, derived, deployment, training }
}

impl Evidence<'_> {
    /// The shortest path from the release to a node along which `want` is carried, as references.
    pub fn path(&self, node: NodeId, want: Want) -> Vec<String> {
        let lineage = &self.world.lineage;
        let path = exposure::path(lineage.graph(), &self.seeds, node, want);
        let mut names: Vec<String> = path.into_iter().map(|n| lineage.name(n).to_string()).collect();
        // What is read when it runs begins at the deployment, not at the release.
        let own = self.release.as_ref().map(|r| &*r.reference);
        if names.first().is_some_and(|first| Some(first.as_str()) != own) {
            names.insert(0, self.ask.deployment.clone());
        }
        names
    }

    /// The path by whatever way the node is reached.
    pub fn any_path(&self, node: NodeId) -> Vec<String> {
        let label = self.closure.iter().find(|(n, _)| *n == node).map_or(0, |(_, l)| *l);
        let mode = [CONTAINED, SERVED, SHAPED, VALIDATION].into_iter().find(|m| label & m != 0);
        mode.map_or_else(Vec::new, |mode| self.path(node, Want::Mode(mode)))
    }

    /// Name of a node.
    pub fn name(&self, node: NodeId) -> String {
        self.world.lineage.name(node).to_string()
    }

    /// Team that answers for a dataset or model, for findings.
    pub fn owner(&self, reference: &str) -> String {
        let base = reference.parse::<Ref>().map(|r| r.unpinned().to_string()).unwrap_or_default();
        let registry = &self.world.registry;
        let owner = registry
            .datasets
            .latest(&base)
            .and_then(|d| d.spec.owner.clone())
            .or_else(|| registry.models.latest(&base).and_then(|m| m.spec.owner.clone()));
        owner.map_or_else(|| format!("owner of {base}"), |o| o.to_string())
    }

    /// Team that answers for the deployment.
    pub fn deployment_owner(&self) -> String {
        self.deployment.as_ref().map_or_else(|| "registrar".to_owned(), |d| d.spec.owner.to_string())
    }

    /// The canonical form: what was looked at, by reference and digest. Its digest stands in the decision.
    pub fn document(&self) -> Value {
        let stands = |s: super::coverage::Stands| format!("{s:?}");
        let digest_of = |reference: &str| self.world.registry.held(reference).map(|h| h.digest.to_string());
        let candidates = |question: &Option<Question>| -> Value {
            question
                .iter()
                .flat_map(|q| &q.candidates)
                .map(|c| {
                    json!({
                        "basis": &*c.revision.reference,
                        "digest": c.revision.digest,
                        "approval": c.approval.as_ref().map(|a| a.id.to_string()),
                        "stands": stands(c.stands),
                    })
                })
                .collect()
        };
        json!({
            "position": self.world_position(),
            "valid_at": self.ask.valid_at,
            "intent": self.ask.intent,
            "deployment": {
                "ref": self.ask.deployment,
                "digest": self.deployment.as_ref().map(|d| d.digest),
                "approvals": self.world.review.approvals(&self.ask.deployment).iter().map(|a| json!({
                    "id": a.id.to_string(), "end": a.end(), "envelope": a.spec.subject.digest,
                })).collect::<Vec<_>>(),
            },
            "release": self.release.as_ref().map(|r| json!({"ref": &*r.reference, "digest": r.digest})),
            "system": self.system.as_ref().map(|s| json!({"ref": &*s.reference, "digest": s.digest})),
            "purpose": self.purpose.as_ref().map(|p| json!({
                "ref": &*p.reference,
                "digest": p.digest,
                "approvals": self.world.review.approvals(&p.reference).iter().map(|a| a.id.to_string()).collect::<Vec<_>>(),
            })),
            "bases": candidates(&self.question),
            "named_bases": self.bases.iter().map(|b| json!({
                "basis": &*b.revision.reference, "stands": stands(b.stands),
            })).collect::<Vec<_>>(),
            "sources": self.sources.iter().map(|s| {
                let name = self.name(s.node);
                json!({
                    "digest": digest_of(&name),
                    "ref": name,
                    "modes": s.modes,
                    "trainings": s.trainings,
                    "derived": s.derived,
                    "deployment": s.deployment.as_ref().map(|a| format!("{a:?}")),
                    "training": s.training.iter().map(|a| format!("{a:?}")).collect::<Vec<_>>(),
                })
            }).collect::<Vec<_>>(),
            "trainings": self.trainings.iter().map(|t| json!({
                "ref": self.name(t.node),
                "digest": t.held.as_ref().map(|h| h.digest),
                "controller": t.controller,
                "regularised": t.regularised,
                "bases": candidates(&t.question),
            })).collect::<Vec<_>>(),
            "incomplete": self.gaps.iter().map(|g| json!({
                "ref": self.name(g.node), "missing": format!("{:?}", g.missing),
            })).collect::<Vec<_>>(),
            "models": self.models.iter().map(|m| json!({
                "ref": &*m.reference, "digest": m.held.as_ref().map(|h| h.digest),
            })).collect::<Vec<_>>(),
            "undeclared": self.undeclared.iter().map(|n| self.name(*n)).collect::<Vec<_>>(),
            "unversioned": self.unversioned,
            "closure": self.closure.len(),
            "artifacts": self.ask.artifacts,
        })
    }

    fn world_position(&self) -> u64 {
        use crate::db::Projection;
        self.world.position()
    }

    /// Digests of the files the release may run, by model.
    pub fn admitted(&self) -> std::collections::BTreeMap<String, Vec<Digest>> {
        self.models
            .iter()
            .filter_map(|m| m.facts().map(|f| (m.reference.to_string(), f.files.iter().map(|(_, d)| *d).collect())))
            .collect()
    }

    /// Whether a model kind is among those of the release.
    pub fn has_kind(&self, kind: ModelKind) -> bool {
        self.models.iter().any(|m| m.facts().is_some_and(|f| f.kind == kind))
    }
}
