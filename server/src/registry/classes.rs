//! What counts where the registration of a dataset version is silent: fields classified later, and the pessimistic default classes
//! of the data's owners. Both are folded into what is held of the version; what a default answers is asked again when it matters,
//! because it ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use globset::{GlobSet, GlobSetBuilder};
use licit_schemas::classes::{ClassificationSpec, DefaultClassSpec};
use licit_schemas::digest::Digest;
use licit_schemas::reference::Ref;
use licit_schemas::registry::{DatasetOrigin, Identifiability};
use licit_schemas::text::{Key, Name};
use licit_schemas::time::Timestamp;

use super::columns::{FieldFacts, Fields, place};
use super::held::terms;
use super::vocabulary::TermId;
use super::{DatasetFacts, Held, State, What, glob};
use crate::catalogue::{Catalogue, Stated};
use crate::db::{At, NewRow, Rows};
use crate::facts::text;

/// Fields classified later, by name: categories and how far they identify.
pub type Classified = BTreeMap<Name, (Vec<TermId>, Identifiability)>;

/// What a version does not say, answered by a default class or not.
#[derive(Clone, Debug)]
pub struct Silence {
    /// A field, `*` for all of a table that lists none; *subjects*; *origin*.
    pub of: String,
    /// The default class that answers longest, and until when.
    pub answer: Option<(Arc<str>, Timestamp)>,
}

/// What default classes answer for a version.
#[derive(Clone, Debug, Default)]
pub struct Assumed {
    /// Categories its unclassified fields may hold, sorted.
    pub categories: Vec<TermId>,
    /// How far they may identify.
    pub identifiability: Option<Identifiability>,
    /// All its fields, with what defaults answer for those nobody classified; absent where none answers for one of them.
    pub fields: Option<Fields>,
    /// Whom it is about, where it does not say, sorted.
    pub subjects: Vec<TermId>,
    /// Each unclassified field; the subjects, where a default states them.
    pub silent: Vec<Silence>,
    /// The origin, where it states none and a default does.
    pub origin: Option<Silence>,
}

impl DatasetFacts {
    /// Whether a default class says what unclassified fields may hold.
    pub(super) fn assumes_fields(&self) -> bool {
        self.assumed.as_ref().is_some_and(|a| a.identifiability.is_some())
    }

    /// Its fields, as far as they identify and what they hold of people, said or answered by defaults; none where it lists none, or
    /// has one of which neither is. Where a default ended, what it answered counts on.
    pub fn known_fields(&self) -> Option<&Fields> {
        let known = match self.unclassified.is_empty() {
            true => &self.fields,
            false => self.assumed.as_ref()?.fields.as_ref()?,
        };
        (!known.is_empty()).then_some(known)
    }

    /// Categories, subjects and identifiability that count: what is stated, and what defaults answer. Where a default ended, what it
    /// answered counts on, and is unknown besides.
    pub fn effective(&self) -> (Vec<TermId>, Vec<TermId>, Identifiability) {
        let Some(assumed) = &self.assumed else {
            return (self.categories.clone(), self.subjects.clone(), self.identifiability);
        };
        let subjects = if self.subjects.is_empty() { &assumed.subjects } else { &self.subjects };
        (merged(&self.categories, &assumed.categories), subjects.clone(), self.level())
    }

    /// How far it identifies: as stated, or as defaults answer.
    pub fn level(&self) -> Identifiability {
        let assumed = self.assumed.as_ref().and_then(|assumed| assumed.identifiability);
        assumed.map_or(self.identifiability, |level| level.max(self.identifiability))
    }

    /// Whether somebody must look whether all is answered: fields nobody classified, or subjects that only a default states.
    pub fn is_silent(&self) -> bool {
        !self.unclassified.is_empty() || self.assumed.as_ref().is_some_and(|a| !a.silent.is_empty())
    }

    /// What nobody said, and no default answers at a moment. Where there is no default at all, its fields.
    pub fn unanswered(&self, at: Timestamp) -> Vec<Silence> {
        match &self.assumed {
            Some(assumed) => assumed.silent.iter().filter(|s| !s.answered(at)).cloned().collect(),
            None => self.unclassified.iter().map(|f| Silence { of: f.clone(), answer: None }).collect(),
        }
    }

    /// Default classes that answer for something of it, or did.
    pub fn defaults(&self) -> Vec<Arc<str>> {
        let silences = self.assumed.iter().flat_map(|a| a.silent.iter().chain(&a.origin));
        let mut list: Vec<Arc<str>> = silences.filter_map(|s| Some(s.answer.as_ref()?.0.clone())).collect();
        list.sort();
        list.dedup();
        list
    }
}

impl Silence {
    /// Whether a default answers at a moment.
    pub fn answered(&self, at: Timestamp) -> bool {
        self.answer.as_ref().is_some_and(|(_, until)| at < *until)
    }
}

fn merged(one: &[TermId], other: &[TermId]) -> Vec<TermId> {
    let mut all = [one, other].concat();
    all.sort_unstable();
    all.dedup();
    all
}

/// A default class, ready to be asked.
struct Ready {
    reference: Arc<str>,
    namespaces: GlobSet,
    /// Absent: every field.
    fields: Option<GlobSet>,
    categories: Vec<TermId>,
    identifiability: Identifiability,
    subjects: Vec<TermId>,
    origin: Option<DatasetOrigin>,
    until: Timestamp,
}

impl Ready {
    fn answers(&self, field: &str) -> bool {
        self.fields.as_ref().is_none_or(|fields| field != "*" && fields.is_match(field))
    }
}

/// What a default says of a field counts beside what others say.
fn answer(field: &mut FieldFacts, ready: &Ready) {
    field.categories = merged(&field.categories, &ready.categories).into();
    field.identifiability = field.identifiability.max(Some(ready.identifiability));
}

/// Names that fit one of these patterns; none fits what is no pattern.
pub(super) fn any_of(patterns: &[Name]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns.iter().filter_map(glob) {
        set.add(pattern);
    }
    set.build().unwrap_or_default()
}

/// Default classes.
#[derive(Clone, Default)]
pub struct Classes {
    /// Every revision, by `class:<key>`.
    pub catalogue: Catalogue<DefaultClassSpec>,
    /// The latest of each, in the order of their keys.
    ready: Arc<Vec<Ready>>,
}

impl Classes {
    /// Answer for what a version does not say. Without any default class it costs a look.
    pub(super) fn answer(&self, facts: &mut DatasetFacts) {
        if self.ready.is_empty() && facts.assumed.is_none() {
            return;
        }
        facts.assumed = self.assumed(facts).map(Arc::new);
    }

    fn assumed(&self, facts: &DatasetFacts) -> Option<Assumed> {
        let namespace = facts.dataset.parse::<Ref>().ok()?.namespace()?.to_owned();
        let fitting: Vec<&Ready> = self.ready.iter().filter(|r| r.namespaces.is_match(&namespace)).collect();
        let mut assumed = Assumed::default();
        let mut fields = facts.fields.to_vec();
        let longest = |asked: &mut dyn Iterator<Item = &&Ready>| {
            asked.max_by_key(|r| (r.until, std::cmp::Reverse(&r.reference))).map(|r| (r.reference.clone(), r.until))
        };
        for field in &facts.unclassified {
            let answering: Vec<&Ready> = fitting.iter().filter(|r| r.answers(field)).copied().collect();
            for ready in &answering {
                if let Some(at) = place(&fields, field) {
                    answer(&mut fields[at], ready);
                }
                assumed.categories = merged(&assumed.categories, &ready.categories);
                assumed.identifiability = assumed.identifiability.max(Some(ready.identifiability));
            }
            assumed.silent.push(Silence { of: field.clone(), answer: longest(&mut answering.iter()) });
        }
        let known = !fields.is_empty() && fields.iter().all(|field| field.identifiability.is_some());
        assumed.fields = known.then(|| fields.into());
        if facts.subjects.is_empty() {
            let stating = || fitting.iter().filter(|r| !r.subjects.is_empty());
            assumed.subjects = stating().fold(Vec::new(), |all, ready| merged(&all, &ready.subjects));
            if let Some(answer) = longest(&mut stating()) {
                assumed.silent.push(Silence { of: "subjects".to_owned(), answer: Some(answer) });
            }
        }
        if facts.origin.is_none()
            && let Some(answer) = longest(&mut fitting.iter().filter(|r| r.origin.is_some()))
        {
            assumed.origin = Some(Silence { of: "origin".to_owned(), answer: Some(answer) });
        }
        let any = assumed.origin.is_some() || assumed.silent.iter().any(|s| s.answer.is_some());
        any.then_some(assumed)
    }

    /// The team that owns what a default class, pinned, answers for.
    pub fn owner(&self, class: &str) -> Option<&Key> {
        Some(&self.catalogue.every().find(|r| *r.reference == *class)?.spec.owner)
    }
}

impl State {
    /// Fold a default class in; what is held of the versions for which answers change.
    pub fn class_stated(
        &mut self,
        fact: &Stated<DefaultClassSpec>,
        digest: Digest,
        at: &At,
        rows: &mut Rows,
    ) -> Vec<Arc<Held>> {
        let spec = &fact.spec;
        let base = Ref::class(&spec.key).to_string();
        let reference = format!("{base}@{}", fact.rev);
        self.classes.catalogue.put(&base, reference.clone(), fact, digest, at);
        let mut latest: Vec<_> = self.classes.catalogue.iter().cloned().collect();
        latest.sort_by(|one, other| one.spec.key.cmp(&other.spec.key));
        let ready = latest.iter().map(|revision| {
            let spec = &revision.spec;
            Ready {
                reference: revision.reference.clone(),
                namespaces: any_of(&spec.namespaces),
                fields: (!spec.fields.is_empty()).then(|| any_of(&spec.fields)),
                categories: terms(spec.categories.iter()),
                identifiability: spec.identifiability,
                subjects: terms(spec.subjects.iter()),
                origin: spec.origin,
                until: spec.valid_to,
            }
        });
        self.classes.ready = Arc::new(ready.collect());
        rows.put(at, || NewRow {
            kind: "class",
            id: fact.id.to_string(),
            state: "stated".to_owned(),
            name: spec.key.to_string(),
            owner: spec.owner.to_string(),
            parent: base,
            search: spec.namespaces.iter().map(ToString::to_string).collect(),
            reference,
            digest: Some(digest),
            doc: text(spec),
            valid_to: Some(spec.valid_to),
            ..NewRow::default()
        });
        let mut concerned: Vec<Arc<str>> = Vec::new();
        for held in self.held.values() {
            let What::Dataset(facts) = &held.what else { continue };
            if !facts.unclassified.is_empty() || facts.subjects.is_empty() || facts.origin.is_none() {
                concerned.push(held.reference.clone());
            }
        }
        // In the same order on every server.
        concerned.sort_unstable();
        let classes = self.classes.clone();
        let mut changed = Vec::new();
        for reference in concerned {
            let Some(held) = self.held.get_mut(&reference) else { continue };
            let What::Dataset(facts) = &held.what else { continue };
            let mut facts = facts.clone();
            let before = facts.assumed.is_some();
            classes.answer(&mut facts);
            if before || facts.assumed.is_some() {
                Arc::make_mut(held).what = What::Dataset(facts);
                changed.push(held.clone());
            }
        }
        changed
    }

    /// Fold a classification in. It only adds: what is classified already becomes no weaker.
    pub fn classified(&mut self, fact: &Stated<ClassificationSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let reference = spec.version.to_string();
        let classes = self.classes.clone();
        let fields = match self.held.get(reference.as_str()).map(|held| &held.what) {
            Some(What::Dataset(facts)) => self.alike(said_later(&facts.fields, spec)),
            _ => Fields::default(),
        };
        if let Some(held) = self.held.get_mut(reference.as_str())
            && let What::Dataset(facts) = &mut Arc::make_mut(held).what
        {
            facts.fields = fields;
            let mut known = facts.classified.as_deref().cloned().unwrap_or_default();
            for field in &spec.fields {
                let own = terms(field.categories.iter());
                facts.categories = merged(&facts.categories, &own);
                facts.identifiability = facts.identifiability.max(field.identifiability);
                facts.unclassified.retain(|name| name != field.name.as_str());
                known.insert(field.name.clone(), (own, field.identifiability));
            }
            facts.classified = Some(Arc::new(known));
            classes.answer(facts);
        }
        rows.put(at, || NewRow {
            kind: "classification",
            id: fact.id.to_string(),
            state: "recorded".to_owned(),
            name: spec.version.name().to_owned(),
            parent: reference.clone(),
            search: spec.fields.iter().map(|field| field.name.to_string()).collect(),
            reference,
            digest: Some(digest),
            doc: text(spec),
            valid_from: spec.valid_from,
            ..NewRow::default()
        });
    }
}

impl Held {
    /// What was said of it before it became known better stays said.
    pub(super) fn follow(&mut self, before: &Self) {
        (self.retired, self.retired_from) = (before.retired, before.retired_from);
        let (What::Dataset(facts), What::Dataset(known)) = (&mut self.what, &before.what) else { return };
        facts.lives.clone_from(&known.lives);
        let Some(classified) = &known.classified else { return };
        let mut fields = facts.fields.to_vec();
        for (name, (categories, identifiability)) in classified.iter() {
            if let Some(at) = place(&fields, name.as_str()) {
                fields[at].categories = merged(&fields[at].categories, categories).into();
                fields[at].identifiability = fields[at].identifiability.max(Some(*identifiability));
            }
            facts.categories = merged(&facts.categories, categories);
            facts.identifiability = facts.identifiability.max(*identifiability);
            facts.unclassified.retain(|field| field != name.as_str());
        }
        facts.fields = fields.into();
        facts.classified = Some(classified.clone());
    }
}

/// Fields with what a classification adds to them.
fn said_later(fields: &Fields, spec: &ClassificationSpec) -> Fields {
    let mut fields = fields.to_vec();
    for later in &spec.fields {
        if let Some(at) = place(&fields, later.name.as_str()) {
            let field = &mut fields[at];
            field.categories = merged(&field.categories, &terms(later.categories.iter())).into();
            field.identifiability = field.identifiability.max(Some(later.identifiability));
        }
    }
    fields.into()
}
