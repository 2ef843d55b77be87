//! What the gate and idempotent retries need of what is registered: immutable things, and releases.

use std::collections::BTreeMap;
use std::sync::Arc;

use licit_schemas::digest::Digest;
use licit_schemas::reference::Ref;
use licit_schemas::registry::{
    Code, DatasetOrigin, DatasetVersionSpec, Endpoint, Field, Identifiability, Life, Measured, ModelKind, Operation,
    ReleaseSpec, ReleaseState,
};
use licit_schemas::text::{Country, Name};
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::classes::{Assumed, Classified};
use super::columns::{self, Fields, Mapping};
use super::vocabulary::{TermId, vocabulary};
use crate::catalogue::Stated;
use crate::db::At;

/// Something immutable that is registered, as far as the gate and idempotent retries need it.
#[derive(Clone, Debug)]
pub struct Held {
    /// Opaque id.
    pub id: Uuid,
    /// Pinned reference.
    pub reference: Arc<str>,
    /// Digest of what was stated.
    pub digest: Digest,
    /// Ledger position.
    pub seq: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// Who recorded it.
    pub author: Uuid,
    /// When it was retired as a mistake.
    pub retired: Option<Timestamp>,
    /// Since when nothing may rest on it, where it was right until then.
    pub retired_from: Option<Timestamp>,
    /// Whether an engine reported it, and nobody registered it: more may become known of it, and whoever registers it is heard.
    pub reported: bool,
    /// What it is.
    pub what: What,
}

impl Held {
    /// What a fact just said.
    pub fn new(id: Uuid, reference: Arc<str>, digest: Digest, at: &At, what: What) -> Self {
        Self {
            id,
            reference,
            digest,
            seq: at.seq,
            at: at.time,
            author: at.actor,
            retired: None,
            retired_from: None,
            reported: false,
            what,
        }
    }
}

/// The state of what was registered by mistake.
pub const RETIRED: &str = "retired";

/// The kinds of things held.
#[derive(Clone, Debug)]
pub enum What {
    /// A dataset version.
    Dataset(DatasetFacts),
    /// A run.
    Run(RunFacts),
    /// A model version.
    Model(ModelFacts),
}

impl What {
    /// The kind of its rows.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dataset(_) => "dataset_version",
            Self::Run(_) => "run",
            Self::Model(_) => "model_version",
        }
    }
}

/// What the gate needs of a dataset version.
#[derive(Clone, Debug)]
pub struct DatasetFacts {
    /// `dataset:<namespace>/<name>`.
    pub dataset: Arc<str>,
    /// Its number among [`State::numbers`](super::State::numbers).
    pub number: u32,
    /// Where a root comes from.
    pub origin: Option<DatasetOrigin>,
    /// Data categories of all fields, sorted.
    pub categories: Vec<TermId>,
    /// Subject categories, sorted.
    pub subjects: Vec<TermId>,
    /// Strongest identifiability of its fields.
    pub identifiability: Identifiability,
    /// Its fields, with what was said of them later.
    pub fields: Fields,
    /// Fields nobody classified; `*` when no field is listed at all.
    pub unclassified: Vec<String>,
    /// Fields classified later.
    pub classified: Option<Arc<Classified>>,
    /// What default classes answer where nobody said anything.
    pub assumed: Option<Arc<Assumed>>,
    /// Where it is stored.
    pub region: Option<Country>,
    /// Controllers.
    pub controllers: Vec<Arc<str>>,
    /// Processors.
    pub processors: Vec<Arc<str>>,
    /// Purposes it was collected for.
    pub collected_for: Vec<Ref>,
    /// Bases it was collected on.
    pub collected_under: Vec<Ref>,
    /// Notices people were shown then.
    pub notices: Vec<Arc<str>>,
    /// End of retention.
    pub retention: Option<Timestamp>,
    /// Figures measured on it.
    pub measured: Measured,
    /// Where its pseudonyms are the same for the same person.
    pub scopes: Scopes,
    /// People wrote in it what they liked, and nothing was done against special categories in that.
    pub free_text: bool,
    /// Its life in the time it is valid for, by what is known: since when each holds, oldest first. Before the first, *held*.
    pub lives: Vec<(Timestamp, Life)>,
}

/// Where the pseudonyms of a table are the same for the same person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes {
    /// The scopes stated, sorted.
    pub names: Vec<Arc<str>>,
    /// A pseudonym states none: it may be of any.
    pub unstated: bool,
    /// A pseudonym may be made again from the identifier.
    pub remade: bool,
}

impl Scopes {
    fn of(fields: &[Field]) -> Self {
        let mut scopes = Self::default();
        for field in fields.iter().filter(|f| f.identifiability == Some(Identifiability::Pseudonym)) {
            match &field.pseudonym {
                None => scopes.unstated = true,
                Some(stated) => {
                    scopes.names.push(stated.scope.as_str().into());
                    scopes.remade |= stated.deterministic != Some(false);
                }
            }
        }
        scopes.names.sort_unstable();
        scopes.names.dedup();
        scopes
    }

    /// Whether they have a scope in common.
    pub fn shares(&self, other: &Self) -> bool {
        self.names.iter().any(|name| other.names.contains(name))
    }
}

impl DatasetFacts {
    /// Its life as it is known to have become last.
    pub fn life(&self) -> Life {
        self.lives.last().map_or(Life::Held, |(_, life)| *life)
    }

    /// Its life at a moment, and since when it was that; none while nothing else was said than that it is held.
    pub fn life_at(&self, moment: Timestamp) -> Option<(Life, Timestamp)> {
        let (since, life) = self.lives.iter().rev().find(|(since, _)| *since <= moment)?;
        Some((*life, *since))
    }

    /// Whether it holds personal data by its own fields: any that identifies, or any category of personal data.
    pub fn personal(&self) -> bool {
        self.identifiability > Identifiability::None || !self.categories.is_empty() || self.assumes_fields()
    }

    /// Whether it states to describe nobody: a statement with an author.
    pub fn is_fiction(&self) -> bool {
        matches!(self.origin, Some(DatasetOrigin::Synthetic | DatasetOrigin::Reference))
    }

    /// Whether it is a source: a root with data collected from people.
    pub fn is_source(&self) -> bool {
        use DatasetOrigin::{Acquired, Collected, Public, Received};
        matches!(self.origin, Some(Collected | Received | Acquired | Public)) && self.personal()
    }

    /// Whether people are to be told: collected from them (GDPR Art. 13) or received about them (Art. 14), or nobody said where it
    /// comes from.
    pub fn is_told(&self) -> bool {
        matches!(self.origin, None | Some(DatasetOrigin::Collected | DatasetOrigin::Received))
    }
}

/// What the gate needs of a run.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// What it did.
    pub operation: Operation,
    /// For which purpose, pinned.
    pub purpose: Ref,
    /// When it began.
    pub started_at: Timestamp,
    /// For whom.
    pub controller: Option<Ref>,
    /// Processors that took part.
    pub processors: Vec<Ref>,
    /// Corrected member sets that were read.
    pub member_sets: Vec<Uuid>,
    /// The program that ran.
    pub code: Option<Code>,
    /// Of which fields it made which, where it says so.
    pub columns: Option<Arc<Mapping>>,
}

/// What the gate needs of a model version.
#[derive(Clone, Debug)]
pub struct ModelFacts {
    /// `model:<name>`.
    pub model: Arc<str>,
    /// How it came here.
    pub kind: ModelKind,
    /// Files by path.
    pub files: Vec<(String, Digest)>,
    /// The pinned service.
    pub endpoint: Option<Endpoint>,
    /// Who made it.
    pub provider: Option<Ref>,
    /// Measured figures.
    pub metrics: BTreeMap<Name, f64>,
    /// The number of its bytes; none where it has no files.
    pub bytes: Option<u64>,
    /// Places of the files that hold what it learned.
    pub weights: Vec<usize>,
}

impl ModelFacts {
    /// The files that hold what it learned.
    pub fn weights(&self) -> impl Iterator<Item = &(String, Digest)> {
        self.weights.iter().filter_map(|place| self.files.get(*place))
    }
}

impl Held {
    /// A figure measured on it, by its name.
    pub fn figure(&self, name: &str) -> Option<f64> {
        match &self.what {
            What::Model(facts) => facts.metrics.iter().find(|(own, _)| own.as_str() == name).map(|(_, figure)| *figure),
            What::Dataset(DatasetFacts { measured, .. }) => match name {
                "k" => measured.k.map(f64::from),
                "l" => measured.l.map(f64::from),
                "records" => measured.records.map(f64::from),
                _ => None,
            },
            What::Run(_) => None,
        }
    }
}

/// A release in memory.
#[derive(Clone, Debug)]
pub struct Release {
    /// Opaque id.
    pub id: Uuid,
    /// Number within the deployment, from 1.
    pub n: u32,
    /// `release:<deployment>@<n>`.
    pub reference: Arc<str>,
    /// What was proposed.
    pub spec: ReleaseSpec,
    /// Digest of it.
    pub digest: Digest,
    /// Its state.
    pub state: ReleaseState,
    /// Ledger position of that state.
    pub seq: u64,
    /// When it was proposed.
    pub proposed_at: Timestamp,
    /// Who proposed it.
    pub author: Uuid,
    /// When it was last activated.
    pub activated_at: Option<Timestamp>,
    /// Ledger position at which it was first activated.
    pub first_active: Option<u64>,
}

impl Release {
    /// One just proposed.
    pub(super) fn proposed(fact: &Stated<ReleaseSpec>, reference: Arc<str>, digest: Digest, at: &At) -> Self {
        Self {
            id: fact.id,
            n: fact.rev,
            reference,
            spec: fact.spec.clone(),
            digest,
            state: ReleaseState::Proposed,
            seq: at.seq,
            proposed_at: at.time,
            author: at.actor,
            activated_at: None,
            first_active: None,
        }
    }
}

/// Terms of a list; unknown ones were refused when it was recorded.
pub(super) fn terms<'a>(iris: impl Iterator<Item = &'a licit_schemas::text::Iri>) -> Vec<TermId> {
    let mut list: Vec<TermId> = iris.filter_map(|iri| vocabulary().find(iri.as_str())).collect();
    list.sort_unstable();
    list.dedup();
    list
}

pub(super) fn dataset_facts(spec: &DatasetVersionSpec, dataset: Arc<str>, number: u32) -> DatasetFacts {
    let mut unclassified: Vec<String> =
        spec.fields.iter().filter(|f| f.identifiability.is_none()).map(|f| f.name.to_string()).collect();
    if spec.fields.is_empty() {
        unclassified.push("*".to_owned());
    }
    let fields = columns::fields(spec);
    let names = |list: &[Ref]| list.iter().map(|r| Arc::from(r.to_string())).collect();
    DatasetFacts {
        dataset,
        number,
        origin: spec.origin,
        categories: terms(spec.fields.iter().flat_map(|f| &f.categories)),
        subjects: terms(spec.subjects.iter()),
        identifiability: spec.fields.iter().filter_map(|f| f.identifiability).max().unwrap_or(Identifiability::None),
        unclassified,
        classified: None,
        assumed: None,
        region: spec.region.clone(),
        controllers: names(&spec.controllers),
        processors: names(&spec.processors),
        collected_for: spec.collected_for.clone(),
        collected_under: spec.collected_under.clone(),
        notices: names(&spec.notices),
        retention: spec.retention.as_ref().map(|r| r.until),
        measured: spec.measured.unwrap_or_default(),
        scopes: Scopes::of(&spec.fields),
        free_text: fields.iter().any(|field| field.free_text),
        fields,
        lives: Vec::new(),
    }
}
