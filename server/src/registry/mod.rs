//! What exists: parties, datasets, runs, models, systems, environments, deployments, releases.

pub mod api;
pub mod attestations;
mod bytes;
mod classes;
pub mod columns;
pub mod confirm;
mod dated;
mod disclosures;
mod held;
pub mod leads;
pub mod life;
mod numbers;
pub mod operations;
pub mod store;
pub mod vocabulary;

use std::sync::Arc;

use imbl::Vector;
use licit_schemas::digest::Digest;
use licit_schemas::reference::Ref;
use licit_schemas::registry::{
    Code, DatasetSpec, DatasetVersionSpec, DeploymentSpec, EnvironmentSpec, Life, ModelSpec, ModelVersionSpec,
    PartySpec, ReleaseSpec, ReleaseState, RunSpec, SystemSpec, Tags,
};
use licit_schemas::text::{Key, Name};
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::attestations::Attestations;
use self::bytes::Bytes;
pub use self::classes::{Assumed, Classified, Silence};
use self::columns::{Fields, Mapping};
pub use self::disclosures::Disclosed;
use self::held::dataset_facts;
pub use self::held::{DatasetFacts, Held, ModelFacts, RETIRED, Release, RunFacts, Scopes, What};
pub use self::numbers::{NumberMap, NumberSet, Numbers, Some64};
use crate::catalogue::{Catalogue, Revision, Stated};
use crate::db::{At, NewRow, Rows};
use crate::facts::{text, word};
use crate::maps::HashMap;

/// The life of a dataset version changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifeChanged {
    /// The dataset version.
    pub id: Uuid,
    /// Its reference.
    pub reference: Ref,
    /// The new life.
    pub life: Life,
    /// Since when; absent, since it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Salted digest of the reason, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_digest: Option<Digest>,
}

/// Something was registered by mistake. It stays, and nothing may rest on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retired {
    /// The dataset version, model version or run.
    pub id: Uuid,
    /// Its reference.
    pub reference: Ref,
    /// Salted digest of the reason.
    pub reason_digest: Digest,
    /// Since when nothing may rest on it; absent, ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
}

/// A release moved on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseMoved {
    /// The release.
    pub id: Uuid,
    /// Its reference.
    pub reference: Ref,
    /// The new state.
    pub state: ReleaseState,
    /// The decision that let it, for activations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Uuid>,
    /// Why, in the caller's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A pattern of names: `*` any characters, `?` one, `[ab]` one of these, `{a,b}` either. None if it is not one.
pub fn glob(pattern: &Name) -> Option<globset::Glob> {
    globset::GlobBuilder::new(pattern.as_str()).literal_separator(false).build().ok()
}

/// Everything that exists.
#[derive(Clone, Default)]
pub struct State {
    /// Parties by `party:<key>`.
    pub parties: Catalogue<PartySpec>,
    /// Datasets by `dataset:<namespace>/<name>`.
    pub datasets: Catalogue<DatasetSpec>,
    /// Models by `model:<name>`.
    pub models: Catalogue<ModelSpec>,
    /// Systems by `system:<key>`.
    pub systems: Catalogue<SystemSpec>,
    /// Environments by `environment:<key>`.
    pub environments: Catalogue<EnvironmentSpec>,
    /// Deployments by `deployment:<name>`.
    pub deployments: Catalogue<DeploymentSpec>,
    /// Default classes by `class:<key>`.
    pub classes: classes::Classes,
    /// What was observed of endpoints.
    pub attestations: Attestations,
    /// Numbers of `dataset:<namespace>/<name>`, registered or named by a basis or an envelope.
    pub numbers: Numbers,
    /// Deployments by the models elsewhere that lead to them.
    pub led: leads::Led,
    held: HashMap<Arc<str>, Arc<Held>>,
    /// Lists of fields: those that are alike are kept once.
    fields: HashMap<Fields, Fields>,
    latest: HashMap<Arc<str>, Arc<str>>,
    releases: HashMap<Arc<str>, Arc<Vec<Release>>>,
    disclosed: Vector<Disclosed>,
    bytes: Bytes,
    /// Model versions by files that hold what they learned.
    weights: Bytes,
}

impl State {
    /// Versions of the same bytes that were not registered by mistake, but for one of this name.
    pub fn same_bytes<'s>(&'s self, number: Option<u64>, but: &'s str) -> impl Iterator<Item = &'s Arc<Held>> {
        let alike = number.into_iter().flat_map(|number| self.bytes.alike(number)).filter(move |name| ***name != *but);
        alike.filter_map(|name| self.held(name)).filter(|held| held.retired.is_none())
    }

    /// Model versions with this file among those that hold what they learned, but for those registered by mistake and for one of this
    /// name.
    pub fn sharing<'s>(&'s self, file: Digest, but: &'s str) -> impl Iterator<Item = &'s Arc<Held>> {
        let named = bytes::of_one(&file).into_iter().flat_map(|number| self.weights.alike(number));
        let named = named.filter(move |name| ***name != *but);
        let holds = move |held: &&Arc<Held>| match &held.what {
            What::Model(facts) => facts.weights().any(|(_, digest)| *digest == file),
            _ => false,
        };
        named.filter_map(|name| self.held(name)).filter(|held| held.retired.is_none()).filter(holds)
    }

    /// The environment of a key: the one registered, else the one whose pattern stands for it; of several, that of the longest
    /// pattern, then the strictest.
    pub fn environment_of(&self, key: &str) -> Option<&Arc<Revision<EnvironmentSpec>>> {
        self.environments.latest(&format!("environment:{key}")).or_else(|| {
            let fits = |pattern: &&Name| glob(pattern).is_some_and(|glob| glob.compile_matcher().is_match(key));
            let longest = |r: &&Arc<Revision<EnvironmentSpec>>| {
                r.spec.patterns.iter().filter(fits).map(|p| p.as_str().len()).max()
            };
            let fitting = self.environments.iter().filter_map(|r| Some((longest(&r)?, r.spec.mode, &r.reference, r)));
            fitting.max_by_key(|(length, mode, reference, _)| (*length, *mode, *reference)).map(|(.., found)| found)
        })
    }

    /// A dataset version, run or model version by pinned reference.
    pub fn held(&self, reference: &str) -> Option<&Arc<Held>> {
        self.held.get(reference)
    }

    /// Dataset versions, runs and model versions, in no order.
    pub fn all_held(&self) -> impl Iterator<Item = &Arc<Held>> {
        self.held.values()
    }

    /// Runs of a program, in no order; without revision, of every revision of it. It looks at all there are.
    pub fn made_by<'a>(&'a self, program: &'a Code) -> impl Iterator<Item = &'a Arc<Held>> {
        self.held.values().filter(move |held| match &held.what {
            What::Run(run) => run.code.as_ref().is_some_and(|own| is_program(own, program)),
            _ => false,
        })
    }

    /// Versions of a dataset or model, in the order of their registration. It looks at all there are.
    pub fn versions(&self, unpinned: &str) -> Vec<Arc<Held>> {
        let of = |held: &&Arc<Held>| match &held.what {
            What::Dataset(facts) => &*facts.dataset == unpinned,
            What::Model(facts) => &*facts.model == unpinned,
            What::Run(_) => false,
        };
        let mut versions: Vec<_> = self.held.values().filter(of).cloned().collect();
        versions.sort_by_key(|held| held.seq);
        versions
    }

    /// Whether something was registered by mistake.
    pub fn is_retired(&self, reference: &str) -> bool {
        self.held(reference).is_some_and(|held| held.retired.is_some())
    }

    /// The latest registered version of a dataset or model, retired or not.
    pub fn latest(&self, unpinned: &str) -> Option<&Arc<str>> {
        self.latest.get(unpinned)
    }

    /// Releases of a deployment, oldest first.
    pub fn releases(&self, deployment: &str) -> &[Release] {
        self.releases.get(deployment).map_or(&[], |list| list.as_slice())
    }

    /// Every release there is.
    pub fn every_release(&self) -> impl Iterator<Item = &Release> {
        self.releases.values().flat_map(|list| list.iter())
    }

    /// A release by reference.
    pub fn release(&self, reference: &Ref) -> Option<&Release> {
        let place = usize::try_from(reference.rev()?).ok()?.checked_sub(1)?;
        self.releases(&deployment_of(reference)).get(place)
    }

    /// The active release of a deployment.
    pub fn active(&self, deployment: &str) -> Option<&Release> {
        self.releases(deployment).iter().find(|r| r.state == ReleaseState::Active)
    }

    /// Every deployment with an active release, sorted.
    pub fn running(&self) -> Vec<Arc<str>> {
        let mut list: Vec<_> = self
            .releases
            .iter()
            .filter(|(_, l)| l.iter().any(|r| r.state == ReleaseState::Active))
            .map(|(d, _)| d.clone())
            .collect();
        list.sort();
        list
    }

    /// Fold a party in.
    pub fn party(&mut self, fact: &Stated<PartySpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let reference = Ref::party(&spec.key).to_string();
        self.parties.put(&reference, reference.clone(), fact, digest, at);
        rows.replace(at, || NewRow {
            kind: "party",
            id: fact.id.to_string(),
            state: "registered".to_owned(),
            name: spec.name.to_string(),
            reference,
            digest: Some(digest),
            doc: text(spec),
            ..NewRow::default()
        });
    }

    /// Fold a dataset in.
    pub fn dataset(&mut self, fact: &Stated<DatasetSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let reference = Ref::dataset(&spec.namespace, &spec.name).to_string();
        self.datasets.put(&reference, reference.clone(), fact, digest, at);
        rows.replace(at, || NewRow {
            kind: "dataset",
            id: fact.id.to_string(),
            state: "registered".to_owned(),
            name: spec.name.to_string(),
            owner: owner(spec.owner.as_ref()),
            tags: tags(&spec.tags),
            search: vec![
                spec.namespace.to_string(),
                spec.description.as_ref().map(ToString::to_string).unwrap_or_default(),
            ],
            reference,
            digest: Some(digest),
            doc: text(spec),
            ..NewRow::default()
        });
    }

    /// Fold a model in.
    pub fn model(&mut self, fact: &Stated<ModelSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let reference = Ref::model(&spec.name).to_string();
        self.models.put(&reference, reference.clone(), fact, digest, at);
        rows.replace(at, || NewRow {
            kind: "model",
            id: fact.id.to_string(),
            state: "registered".to_owned(),
            name: spec.name.to_string(),
            owner: owner(spec.owner.as_ref()),
            tags: tags(&spec.tags),
            search: vec![spec.description.as_ref().map(ToString::to_string).unwrap_or_default()],
            reference,
            digest: Some(digest),
            doc: text(spec),
            ..NewRow::default()
        });
    }

    /// Fold a system revision in.
    pub fn system(&mut self, fact: &Stated<SystemSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let base = Ref::system(&spec.key).to_string();
        let reference = format!("{base}@{}", fact.rev);
        self.systems.put(&base, reference.clone(), fact, digest, at);
        rows.put(at, || NewRow {
            kind: "system",
            id: fact.id.to_string(),
            state: "registered".to_owned(),
            name: spec.name.to_string(),
            owner: spec.owner.to_string(),
            parent: base,
            reference,
            digest: Some(digest),
            doc: text(spec),
            valid_from: spec.valid_from,
            ..NewRow::default()
        });
    }

    /// Fold an environment in.
    pub fn environment(&mut self, fact: &Stated<EnvironmentSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let reference = Ref::environment(&spec.key).to_string();
        self.environments.put(&reference, reference.clone(), fact, digest, at);
        rows.replace(at, || NewRow {
            kind: "environment",
            id: fact.id.to_string(),
            state: word(&spec.mode),
            name: spec.key.to_string(),
            reference,
            digest: Some(digest),
            doc: text(spec),
            ..NewRow::default()
        });
    }

    /// Fold a deployment in.
    pub fn deployment(&mut self, fact: &Stated<DeploymentSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let reference = Ref::deployment(&spec.name).to_string();
        self.led.note(&reference, &spec.tags);
        self.deployments.put(&reference, reference.clone(), fact, digest, at);
        rows.replace(at, || NewRow {
            kind: "deployment",
            id: fact.id.to_string(),
            state: "registered".to_owned(),
            name: spec.name.to_string(),
            owner: spec.owner.to_string(),
            parent: spec.environment.to_string(),
            tags: tags(&spec.tags),
            search: vec![spec.purpose.to_string(), spec.system.to_string()],
            reference,
            digest: Some(digest),
            doc: text(spec),
            valid_from: spec.valid_from,
            ..NewRow::default()
        });
    }

    /// Whether it was held before: what was reported, and is known better now.
    fn hold(&mut self, mut held: Held, unpinned: Option<Arc<str>>) -> bool {
        let before = self.held.get(&held.reference).cloned();
        if let Some(before) = &before {
            held.follow(before);
            if let What::Dataset(facts) = &mut held.what {
                facts.fields = self.alike(facts.fields.clone());
                self.classes.answer(facts);
            }
        } else if let Some(base) = unpinned {
            self.latest.insert(base, held.reference.clone());
        }
        self.held.insert(held.reference.clone(), Arc::new(held));
        before.is_some()
    }

    /// Whether what an engine reports of something is to be held: nobody registered it, and it is not known already.
    pub fn takes(&self, reference: &str, digest: Digest) -> bool {
        self.held(reference).is_none_or(|held| held.reported && held.digest != digest)
    }

    /// Note that what is held was reported by an engine.
    pub fn report(&mut self, reference: &str) -> Option<Arc<Held>> {
        let held = self.held.get_mut(reference)?;
        Arc::make_mut(held).reported = true;
        Some(held.clone())
    }

    /// A list of fields, kept once.
    fn alike(&mut self, fields: Fields) -> Fields {
        self.fields.entry(fields.clone()).or_insert(fields).clone()
    }

    /// Fold a dataset version in.
    pub fn dataset_version(&mut self, fact: &Stated<DatasetVersionSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let base: Arc<str> = spec.dataset.to_string().into();
        let reference: Arc<str> = version_ref(&spec.dataset, &spec.version).into();
        let mut facts = dataset_facts(spec, base.clone(), self.numbers.number(&base));
        facts.fields = self.alike(facts.fields);
        self.classes.answer(&mut facts);
        let what = What::Dataset(facts);
        let held = Held::new(fact.id, reference.clone(), digest, at, what);
        let again = self.hold(held, Some(base.clone()));
        self.bytes.note(bytes::number(spec.digest), &reference);
        rows.put_or_replace(again, at, || NewRow {
            kind: "dataset_version",
            id: fact.id.to_string(),
            reference: reference.to_string(),
            state: word(&Life::Held),
            name: spec.dataset.name().to_owned(),
            parent: base.to_string(),
            tags: tags(&spec.tags),
            digest: Some(digest),
            doc: text(spec),
            valid_to: spec.retention.as_ref().map(|r| r.until),
            ..NewRow::default()
        });
    }

    /// Fold a change of life in.
    pub fn life(&mut self, fact: &LifeChanged, at: &At, rows: &mut Rows) {
        if let Some(held) = self.held.get_mut(fact.reference.to_string().as_str())
            && let Held { what: What::Dataset(facts), retired, .. } = Arc::make_mut(held)
        {
            let from = fact.valid_from.unwrap_or(at.time);
            facts.lives.retain(|(earlier, _)| *earlier < from);
            facts.lives.push((from, fact.life));
            // Data of a mistaken registration may still be erased; it stays retired.
            if retired.is_none() {
                rows.begun(at, "dataset_version", fact.id, &word(&fact.life), from);
            }
        }
    }

    /// Fold a retirement in.
    pub fn retired(&mut self, fact: &Retired, at: &At, rows: &mut Rows) {
        if let Some(held) = self.held.get_mut(fact.reference.to_string().as_str()) {
            let held = Arc::make_mut(held);
            held.retired = Some(at.time);
            held.retired_from = fact.valid_from;
            match fact.valid_from {
                Some(from) => rows.begun(at, held.what.kind(), fact.id, RETIRED, from),
                None => rows.restate(at, held.what.kind(), fact.id, RETIRED),
            }
        }
    }

    /// Fold a run in.
    pub fn run(&mut self, fact: &Stated<RunSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let reference: Arc<str> = Ref::run(fact.id).to_string().into();
        let what = What::Run(RunFacts {
            member_sets: fact.spec.member_sets.iter().map(|set| set.0).collect(),
            operation: spec.operation,
            purpose: spec.purpose.clone(),
            started_at: spec.started_at,
            controller: spec.controller.clone(),
            processors: spec.processors.clone(),
            code: spec.code.clone(),
            columns: Mapping::of(spec),
        });
        let held = Held::new(fact.id, reference.clone(), digest, at, what);
        let again = self.hold(held, None);
        rows.put_or_replace(again, at, || NewRow {
            kind: "run",
            id: fact.id.to_string(),
            reference: reference.to_string(),
            state: word(&spec.operation),
            parent: spec.purpose.to_string(),
            tags: tags(&spec.tags),
            search: spec
                .inputs
                .iter()
                .map(|i| i.r#ref.to_string())
                .chain(spec.outputs.iter().map(Ref::to_string))
                .collect(),
            digest: Some(digest),
            doc: text(spec),
            valid_from: Some(spec.started_at),
            valid_to: spec.ended_at,
            ..NewRow::default()
        });
    }

    /// Fold a model version in.
    pub fn model_version(&mut self, fact: &Stated<ModelVersionSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let base: Arc<str> = spec.model.to_string().into();
        let reference: Arc<str> = version_ref(&spec.model, &spec.version).into();
        let number = bytes::number(spec.files.iter().map(|file| file.digest));
        let weights = bytes::weights(&spec.files);
        for place in &weights {
            self.weights.note(bytes::of_one(&spec.files[*place].digest), &reference);
        }
        let what = What::Model(ModelFacts {
            model: base.clone(),
            kind: spec.kind,
            files: spec.files.iter().map(|f| (f.path.to_string(), f.digest)).collect(),
            endpoint: spec.endpoint.clone(),
            provider: spec.provider.clone(),
            metrics: spec.metrics.clone(),
            bytes: number,
            weights,
        });
        let held = Held::new(fact.id, reference.clone(), digest, at, what);
        let again = self.hold(held, Some(base.clone()));
        self.bytes.note(number, &reference);
        rows.put_or_replace(again, at, || NewRow {
            kind: "model_version",
            id: fact.id.to_string(),
            reference: reference.to_string(),
            state: word(&spec.kind),
            name: spec.model.name().to_owned(),
            parent: base.to_string(),
            tags: tags(&spec.tags),
            search: spec.framework.iter().map(ToString::to_string).collect(),
            digest: Some(digest),
            doc: text(spec),
            ..NewRow::default()
        });
    }

    /// Fold a proposed release in.
    pub fn proposed(&mut self, fact: &Stated<ReleaseSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let deployment: Arc<str> = fact.spec.deployment.to_string().into();
        let reference: Arc<str> =
            format!("release:{}@{}", deployment.trim_start_matches("deployment:"), fact.rev).into();
        let release = Release::proposed(fact, reference.clone(), digest, at);
        Arc::make_mut(self.releases.entry(deployment.clone()).or_default()).push(release);
        rows.put(at, || NewRow {
            kind: "release",
            id: fact.id.to_string(),
            reference: reference.to_string(),
            state: word(&ReleaseState::Proposed),
            name: fact.spec.deployment.name().to_owned(),
            parent: deployment.to_string(),
            search: composed(&fact.spec).map(ToString::to_string).collect(),
            digest: Some(digest),
            doc: text(&fact.spec),
            ..NewRow::default()
        });
    }

    /// Fold a move of a release in.
    pub fn moved(&mut self, fact: &ReleaseMoved, at: &At, rows: &mut Rows) {
        let Some(list) = self.releases.get_mut(deployment_of(&fact.reference).as_str()) else { return };
        if let Some(release) = Arc::make_mut(list).iter_mut().find(|r| r.id == fact.id) {
            release.state = fact.state;
            release.seq = at.seq;
            if fact.state == ReleaseState::Active {
                release.activated_at = Some(at.time);
                release.first_active.get_or_insert(at.seq);
            }
            rows.restate(at, "release", fact.id, &word(&fact.state));
        }
    }
}

/// The reference without its version.
fn base(reference: &str) -> &str {
    reference.rsplit_once('@').map_or(reference, |(base, _)| base)
}

/// Whether what ran is a program; one named without revision is every revision of it.
pub fn is_program(ran: &Code, program: &Code) -> bool {
    ran.uri == program.uri && program.revision.as_ref().is_none_or(|own| ran.revision.as_ref() == Some(own))
}

/// `deployment:<name>` of a release's reference.
pub fn deployment_of(release: &Ref) -> String {
    release.base().replacen("release:", "deployment:", 1)
}

/// Models of a release, and what it hands over.
fn composed(spec: &ReleaseSpec) -> impl Iterator<Item = &Ref> {
    spec.composition.iter().map(|part| &part.model).chain(&spec.discloses)
}

/// The pinned reference of a version.
pub fn version_ref(base: &Ref, version: &licit_schemas::text::VersionId) -> String {
    // A version never fits a pinned base; operations checked that before.
    base.clone().at(version).map(|r| r.to_string()).unwrap_or_default()
}

fn owner(owner: Option<&Key>) -> String {
    owner.map(Key::to_string).unwrap_or_default()
}

fn tags(tags: &Tags) -> Vec<(String, String)> {
    tags.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
}
