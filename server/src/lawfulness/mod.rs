//! What may be: purposes, legal bases, assessments, the organisation's policy; and the dated tables of law.

pub mod api;
pub mod law;
pub mod operations;

use std::sync::{Arc, OnceLock};

use licit_schemas::condition::{self, Condition};
use licit_schemas::digest::Digest;
use licit_schemas::lawfulness::{AssessmentSpec, BasisSpec, Covers, PurposeSpec};
use licit_schemas::policy::PolicySpec;
use licit_schemas::reference::Ref;
use licit_schemas::registry::Code;
use licit_schemas::text::Iri;

use crate::catalogue::{Catalogue, Revision, Stated};
use crate::db::{At, NewRow, Rows};
use crate::facts::{World, text};
use crate::maps::HashMap;
use crate::registry::vocabulary::{TermId, vocabulary};
use crate::registry::{NumberSet, Numbers, Some64};

/// What a basis covers, its names resolved once.
#[derive(Debug, Default)]
pub struct Covered {
    /// Datasets by their numbers.
    datasets: NumberSet,
    /// Data categories.
    pub categories: Vec<TermId>,
    /// Subject categories.
    pub subjects: Vec<TermId>,
    /// Controllers.
    pub controllers: Vec<Arc<str>>,
}

impl Covered {
    fn of(covers: &Covers, numbers: &mut Numbers) -> Self {
        let terms = |list: &[Iri]| list.iter().filter_map(|i| vocabulary().find(i.as_str())).collect();
        Self {
            datasets: covers.datasets.iter().map(|d| numbers.number(d.base())).collect(),
            categories: terms(&covers.categories),
            subjects: terms(&covers.subjects),
            controllers: covers.controllers.iter().map(|c| c.to_string().into()).collect(),
        }
    }

    /// Makes ready to be asked of many datasets.
    pub fn touch(&self) {
        self.datasets.touch();
    }

    /// Which of sixty-four datasets it names, by their numbers.
    pub fn among(&self, word: u32) -> Some64 {
        self.datasets.among(word)
    }

    /// Whether it names a dataset, by its number.
    pub fn names(&self, dataset: u32) -> bool {
        self.datasets.contains(dataset)
    }
}

/// A condition, or why it cannot be read: what passed the fence of one version of the program may not pass that of another.
pub type Readable = Result<Condition, String>;

/// Purposes, bases, assessments, the policy.
#[derive(Clone, Default)]
pub struct State {
    /// Purposes by `purpose:<key>`.
    pub purposes: Catalogue<PurposeSpec>,
    /// Whether any of them ever said which categories it needs.
    pub needs_said: bool,
    /// Bases by `basis:<key>`.
    pub bases: Catalogue<BasisSpec>,
    /// Assessments by `assessment:<key>`.
    pub assessments: Catalogue<AssessmentSpec>,
    /// The organisation's policy, `policy:organisation`.
    pub policies: Catalogue<PolicySpec>,
    /// Conditions of each policy revision that has rules of its own, by its pinned reference; read when first asked.
    conditions: HashMap<Arc<str>, Arc<OnceLock<Vec<Readable>>>>,
    /// Assessments of a thing, by its pinned reference.
    of: HashMap<Arc<str>, Arc<Vec<Arc<Revision<AssessmentSpec>>>>>,
    /// Assessments of a recipe, by its program.
    recipes: HashMap<Arc<str>, Arc<Vec<Arc<Revision<AssessmentSpec>>>>>,
    /// Basis keys by the purpose they cover.
    for_purpose: HashMap<Arc<str>, Arc<Vec<Arc<str>>>>,
    /// What each revision of a basis covers, by its pinned reference.
    covered: HashMap<Arc<str>, Arc<Covered>>,
    nothing: Arc<Covered>,
}

impl State {
    /// Assessments of a thing, oldest first.
    pub fn assessments_of(&self, reference: &str) -> &[Arc<Revision<AssessmentSpec>>] {
        self.of.get(reference).map_or(&[], |list| list.as_slice())
    }

    /// Assessments of recipes that name a program, oldest first.
    pub fn recipes_of(&self, code: &Code) -> &[Arc<Revision<AssessmentSpec>>] {
        self.recipes.get(code.uri.as_str()).map_or(&[], |list| list.as_slice())
    }

    /// Whether anybody assessed a recipe.
    pub fn has_recipes(&self) -> bool {
        !self.recipes.is_empty()
    }

    /// Keys of the bases that name a purpose in some revision.
    pub fn bases_for(&self, purpose: &str) -> &[Arc<str>] {
        self.for_purpose.get(purpose).map_or(&[], |list| list.as_slice())
    }

    /// What a revision of a basis covers.
    pub fn covered(&self, basis: &str) -> &Arc<Covered> {
        self.covered.get(basis).unwrap_or(&self.nothing)
    }

    /// The conditions of a policy revision, in the order of its rules.
    pub fn conditions(&self, policy: &Revision<PolicySpec>) -> &[Readable] {
        let Some(read) = self.conditions.get(&policy.reference) else { return &[] };
        read.get_or_init(|| {
            let texts: Vec<&str> = policy.spec.rules.iter().map(|rule| rule.when.as_str()).collect();
            condition::read(&texts)
        })
    }

    /// The purpose and its broader ones, nearest first, each once: `purpose:<key>`.
    pub fn broader(&self, purpose: &str) -> Vec<Arc<str>> {
        let mut chain: Vec<Arc<str>> = vec![purpose.into()];
        while let Some(parent) = chain
            .last()
            .and_then(|at| self.purposes.latest(at))
            .and_then(|p| p.spec.parent.as_ref())
            .map(|p| Arc::<str>::from(p.base()))
        {
            if chain.contains(&parent) {
                break;
            }
            chain.push(parent);
        }
        chain
    }

    /// Fold a purpose revision in.
    pub fn purpose(&mut self, fact: &Stated<PurposeSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let base = Ref::purpose(&spec.key).to_string();
        let reference = format!("{base}@{}", fact.rev);
        self.purposes.put(&base, reference.clone(), fact, digest, at);
        self.needs_said |= spec.needs.is_some();
        rows.put(at, || NewRow {
            kind: "purpose",
            id: fact.id.to_string(),
            state: "proposed".to_owned(),
            name: spec.name.to_string(),
            parent: base,
            search: vec![spec.iri.to_string()],
            reference,
            digest: Some(digest),
            doc: text(spec),
            valid_from: Some(spec.valid_from),
            valid_to: spec.valid_to,
            ..NewRow::default()
        });
    }

    /// Fold a basis revision in.
    pub fn basis(&mut self, fact: &Stated<BasisSpec>, digest: Digest, numbers: &mut Numbers, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let base: Arc<str> = Ref::basis(&spec.key).to_string().into();
        let reference = format!("{base}@{}", fact.rev);
        for purpose in &spec.covers.purposes {
            let keys = Arc::make_mut(self.for_purpose.entry(purpose.base().into()).or_default());
            if !keys.contains(&base) {
                keys.push(base.clone());
            }
        }
        self.covered.insert(reference.as_str().into(), Arc::new(Covered::of(&spec.covers, numbers)));
        self.bases.put(&base, reference.clone(), fact, digest, at);
        rows.put(at, || NewRow {
            kind: "basis",
            id: fact.id.to_string(),
            state: "proposed".to_owned(),
            name: spec.name.to_string(),
            parent: base.to_string(),
            search: vec![spec.legal_basis.article().to_owned()],
            reference,
            digest: Some(digest),
            doc: text(spec),
            valid_from: Some(spec.valid_from),
            valid_to: spec.valid_to,
            ..NewRow::default()
        });
    }

    /// Fold an assessment revision in.
    pub fn assessment(&mut self, fact: &Stated<AssessmentSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let base = Ref::assessment(&spec.key).to_string();
        let reference = format!("{base}@{}", fact.rev);
        self.assessments.put(&base, reference.clone(), fact, digest, at);
        let (program, of) = (spec.recipe.as_ref().map(|recipe| recipe.code.uri.to_string()), spec.of.as_ref());
        let of = of.map(Ref::to_string);
        if let Some(revision) = self.assessments.latest(&base) {
            let named = [(&mut self.of, &of), (&mut self.recipes, &program)];
            for (index, name) in named.into_iter().filter_map(|(index, name)| Some((index, name.as_deref()?))) {
                Arc::make_mut(index.entry(name.into()).or_default()).push(revision.clone());
            }
        }
        rows.put(at, || NewRow {
            kind: "assessment",
            id: fact.id.to_string(),
            state: "proposed".to_owned(),
            name: spec.key.to_string(),
            parent: of.or(program).unwrap_or_default(),
            reference,
            digest: Some(digest),
            doc: text(spec),
            valid_from: Some(spec.valid_from),
            valid_to: Some(spec.valid_to),
            ..NewRow::default()
        });
    }

    /// Fold a policy revision in.
    pub fn policy(&mut self, fact: &Stated<PolicySpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let base = Ref::policy().to_string();
        let reference = format!("{base}@{}", fact.rev);
        if !spec.rules.is_empty() {
            self.conditions.insert(reference.as_str().into(), Arc::default());
        }
        self.policies.put(&base, reference.clone(), fact, digest, at);
        rows.put(at, || NewRow {
            kind: "policy",
            id: fact.id.to_string(),
            state: "proposed".to_owned(),
            name: spec.name.to_string(),
            parent: base,
            reference,
            digest: Some(digest),
            doc: text(spec),
            ..NewRow::default()
        });
    }
}

/// Whether a purpose is direct marketing, or something narrower, in any of its revisions: whoever proposes another word for it
/// takes nobody's objection away.
pub fn is_marketing(world: &World, purpose: &str) -> bool {
    let marketing = ["https://w3id.org/dpv#DirectMarketing", "https://w3id.org/dpv#Marketing"];
    let broad: Vec<TermId> = marketing.iter().filter_map(|iri| vocabulary().find(iri)).collect();
    let is = |revision: &Arc<Revision<PurposeSpec>>| {
        let term = vocabulary().find(revision.spec.iri.as_str());
        term.is_some_and(|term| broad.iter().any(|broad| vocabulary().is_a(term, *broad)))
    };
    world.lawfulness.purposes.all(purpose).iter().any(is)
}

/// The purposes that a purpose stands under in any of its revisions, and those above them, without revisions.
pub fn above(world: &World, purpose: &str) -> Vec<Arc<str>> {
    let mut found: Vec<Arc<str>> = vec![purpose.into()];
    let mut next = 0;
    while let Some(at) = found.get(next).cloned() {
        next += 1;
        for revision in world.lawfulness.purposes.all(&at) {
            if let Some(parent) = &revision.spec.parent {
                let parent: Arc<str> = parent.base().into();
                if !found.contains(&parent) {
                    found.push(parent);
                }
            }
        }
    }
    found.remove(0);
    found
}
