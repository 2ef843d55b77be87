//! Passports of models: what this registry says of its own, and what others said of those that were taken in. The first part is made of
//! the evidence of a decision, the second is a fact: its people become sources of this registry's lineage, its promises bind as any do.

pub mod api;
mod import;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::Duration;
use licit_schemas::digest::Digest;
use licit_schemas::gate::Intent;
use licit_schemas::lawfulness::Stage;
use licit_schemas::notices::{Commitment, Promise};
use licit_schemas::proof::oms;
use licit_schemas::proof::origin::Origin;
use licit_schemas::proof::passport::{
    BasisSaid, DAYS, Exposed, MOST_GROUPS, PREDICATE, Passport, PassportSpec, PromiseSaid, PurposeSaid, Reach,
};
use licit_schemas::proof::statement::{Descriptor, STATEMENT, Statement, Subject};
use licit_schemas::reference::Ref;
use licit_schemas::registry::ModelFile;
use licit_schemas::text::{Iri, Key};
use licit_schemas::time::Timestamp;

use super::coverage::{Answer, Question, broader, deciding};
use super::evidence::{Ask, Cohort, Evidence, gather};
use super::policy::Policy;
use super::rules::VERSION;
use super::{decide, expiry};
use crate::catalogue::Stated;
use crate::db::{At, NewRow, Rows};
use crate::error::{Error, Result};
use crate::facts::{World, text};
use crate::lineage::exposure::{self, CONTAINED, Exposure, SHAPED};
use crate::lineage::graph::NodeId;
use crate::maps::HashMap;
use crate::registry::vocabulary::vocabulary;
use crate::registry::{What, deployment_of};
use crate::resolve::parse;

/// A passport that was taken in.
#[derive(Debug)]
pub struct Taken {
    /// Its id.
    pub id: uuid::Uuid,
    /// What was recorded.
    pub spec: PassportSpec,
    /// Digest of it.
    pub digest: Digest,
    /// Ledger position.
    pub seq: u64,
}

/// Passports taken in, of each name in the order in which they came.
#[derive(Clone, Default)]
pub struct Passports {
    /// By model version.
    by_model: HashMap<Arc<str>, Vec<Arc<Taken>>>,
    /// By a dataset version that stands for people behind it: the passports, and their place in the exposure of each.
    by_dataset: HashMap<Arc<str>, Vec<(Arc<Taken>, usize)>>,
}

impl Passports {
    /// The last passport of a model version, whether or not the board agreed to it.
    pub fn last(&self, model: &str) -> Option<&Arc<Taken>> {
        self.by_model.get(model)?.last()
    }

    /// All passports of a model version, in the order in which they came.
    pub fn all(&self, model: &str) -> &[Arc<Taken>] {
        self.by_model.get(model).map_or(&[], Vec::as_slice)
    }

    /// The model versions that came with one, in order.
    pub fn models(&self) -> Vec<&Arc<str>> {
        let mut models: Vec<_> = self.by_model.keys().collect();
        models.sort();
        models
    }

    /// Whether none was taken in.
    pub fn is_empty(&self) -> bool {
        self.by_model.is_empty()
    }

    /// Fold a passport in.
    pub fn imported(&mut self, fact: &Stated<PassportSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let taken = Arc::new(Taken { id: fact.id, spec: fact.spec.clone(), digest, seq: at.seq });
        let spec = &fact.spec;
        let people = import::counted(&spec.says).map(|(place, _)| place);
        for (dataset, place) in spec.datasets.iter().zip(people) {
            self.by_dataset.entry(dataset.to_string().into()).or_default().push((taken.clone(), place));
        }
        let model = spec.model.to_string();
        self.by_model.entry(model.as_str().into()).or_default().push(taken);
        rows.put(at, || NewRow {
            kind: "passport",
            id: fact.id.to_string(),
            reference: model.clone(),
            state: "imported".to_owned(),
            name: spec.says.model.clone(),
            parent: spec.provider.to_string(),
            search: vec![spec.says.registry.clone()],
            digest: Some(digest),
            doc: text(spec),
            valid_from: Some(spec.says.issued),
            valid_to: Some(spec.says.valid_until),
            ..NewRow::default()
        });
    }
}

/// The passport of a model version that counts at a moment: that whose assessment the board approved last. A later one says nothing
/// before the board agreed to it; where it agreed to none, nothing rests on the last one either, and what it says is shown.
pub fn of<'w>(world: &'w World, model: &str, at: Timestamp) -> Option<&'w Arc<Taken>> {
    counting(world, world.gate.passports.by_model.get(model)?, |taken| taken, at)
}

/// What the passport that counts at a moment says of the people that a dataset version stands for.
pub fn people<'w>(world: &'w World, dataset: &str, at: Timestamp) -> Option<(&'w Arc<Taken>, &'w Exposed)> {
    let all = world.gate.passports.by_dataset.get(dataset)?;
    let (taken, place) = counting(world, all, |(taken, _)| taken, at)?;
    Some((taken, taken.spec.says.exposure.get(*place)?))
}

fn counting<'w, T>(world: &World, all: &'w [T], taken: impl Fn(&T) -> &Arc<Taken>, at: Timestamp) -> Option<&'w T> {
    let last = all.last()?;
    if all.len() == 1 {
        return Some(last);
    }
    let revisions = world.lawfulness.assessments.all(taken(last).spec.assessment.base());
    let decides = deciding(world, revisions, |spec| spec.valid_from, at);
    let of = |one: &&T| decides.is_some_and(|decides| *taken(one).spec.assessment.to_string() == *decides.reference);
    let approved = |one: &&T| !world.review.approvals(&taken(one).spec.assessment.to_string()).is_empty();
    // Where the one that counts says nothing of these people, what the board agreed to last does.
    all.iter().find(of).or_else(|| all.iter().rev().find(approved)).or(Some(last))
}

/// Whether a purpose of this registry, or a broader one whose approval includes it, is one of these, or narrower. Words that no vocabulary
/// has are compared as they stand.
pub fn within(world: &World, purpose: &Ref, at: Timestamp, named: &[&Iri]) -> bool {
    let v = vocabulary();
    let narrower = |own: &Iri, broad: &Iri| {
        let both = v.find(own.as_str()).zip(v.find(broad.as_str()));
        own == broad || both.is_some_and(|(own, broad)| v.is_a(own, broad))
    };
    let chain = broader(world, purpose, at);
    chain.iter().any(|revision| named.iter().any(|broad| narrower(&revision.spec.iri, broad)))
}

/// The decision behind a model version: that on the release with it which was allowed last, by its ledger position.
///
/// # Errors
/// None was.
pub fn behind(world: &World, model: &str) -> Result<(String, u64)> {
    let with = |release: &&crate::registry::Release| {
        release.spec.composition.iter().any(|part| part.model.to_string() == model)
    };
    let all = world.registry.every_release().filter(with);
    let allowed =
        all.filter_map(|release| Some((release.reference.to_string(), world.gate.allowed(&release.reference)?)));
    allowed.max_by_key(|(_, seq)| *seq).ok_or_else(|| {
        Error::conflict(format!("there is no passport of `{model}`: no release with it was ever allowed"))
    })
}

/// An entry that a passport rests on, and what it commits to.
#[derive(Clone, Copy, Debug)]
pub struct Committed {
    /// Position.
    pub seq: u64,
    /// Digest of the data.
    pub data: Digest,
}

/// What this registry says of a model version, now.
///
/// # Errors
/// The gate would refuse the release behind it now; it has no files; too many groups of people.
pub fn statement(
    world: &World,
    (model, files): (&str, Vec<ModelFile>),
    release: &str,
    (decision, decided, registered): (String, Committed, Committed),
    now: Timestamp,
    origin: &Origin,
) -> Result<Statement<Passport>> {
    let none = |why: String| Error::conflict(format!("there is no passport of `{model}`: {why}"));
    let Some(node) = world.lineage.find(model) else {
        return Err(Error::NotFound(format!("there is no `{model}`")));
    };
    if files.is_empty() {
        return Err(none("it has no files by which anybody would know it".to_owned()));
    }
    let reference = parse(release)?;
    let ask = Ask {
        deployment: deployment_of(&reference),
        release: Some(reference),
        intent: Intent::Start,
        artifacts: Vec::new(),
        valid_at: now,
    };
    let policy = Policy::in_force(world, now);
    let evidence = gather(world, ask);
    let judgement = decide::judge(&evidence, &policy);
    if let Some(finding) = judgement.findings.iter().find(|finding| finding.blocking) {
        return Err(none(format!("the gate would refuse `{release}` now: `{}`: {}", finding.rule, finding.sentence)));
    }
    let mut end = (now.plus(Duration::days(DAYS)), format!("a passport stands for {DAYS} days"));
    if let Some(first) = expiry::earliest(&evidence, &policy).filter(|(at, _)| *at < end.0) {
        end = first;
    }
    let mut found = Exposure::default();
    exposure::expose_into(world.lineage.graph(), &[(node, CONTAINED)], &|node| evidence.cuts(node), &mut found);
    let exposure = exposed(&evidence, &found);
    if exposure.len() > MOST_GROUPS {
        return Err(none(format!("it tells more than {MOST_GROUPS} groups of people apart")));
    }
    let (uri, digest) = policy.named();
    Ok(Statement {
        r#type: STATEMENT.to_owned(),
        subject: subjects(model, &files),
        predicate_type: PREDICATE.to_owned(),
        predicate: Passport {
            registry: format!("https://{origin}"),
            model: model.to_owned(),
            files,
            registered: registered.seq,
            registered_data: registered.data,
            decision,
            entry: decided.seq,
            data: decided.data,
            policy: Descriptor { uri, digest: digest.into() },
            rules: VERSION.to_owned(),
            issued: now,
            valid_until: end.0,
            valid_until_for: end.1,
            exposure,
            purposes: purposes(&evidence, &found),
            bases: bases(&evidence, &found),
        },
    })
}

fn subjects(model: &str, files: &[ModelFile]) -> Vec<Subject> {
    let roots = oms::roots(files.iter().map(|file| (file.path.as_str(), &file.digest)));
    let whole = roots.into_iter().map(|root| Subject {
        name: model.to_owned(),
        digest: root.into(),
        annotations: BTreeMap::new(),
    });
    let each = files.iter().map(|file| Subject {
        name: file.path.to_string(),
        digest: file.digest.into(),
        annotations: BTreeMap::from([("model".to_owned(), model.to_owned())]),
    });
    whole.chain(each).collect()
}

/// People behind the model, those alike once: neither who, nor in which dataset.
fn exposed(evidence: &Evidence<'_>, found: &Exposure) -> Vec<Exposed> {
    let labels: BTreeMap<NodeId, u64> = found.nodes.iter().copied().collect();
    let mut groups: Vec<Exposed> = Vec::new();
    for source in &evidence.sources {
        let Some(label) = labels.get(&source.node) else { continue };
        let reach = match () {
            () if label & CONTAINED != 0 => Reach::Contained,
            () if label & SHAPED != 0 => Reach::Shaped,
            () => Reach::Validation,
        };
        let cohort = &evidence.cohorts[source.cohort];
        let bound = evidence.told.bound.get(source.cohort).map_or(&[][..], Vec::as_slice);
        let v = vocabulary();
        let iris = |terms: &[crate::registry::vocabulary::TermId]| -> Vec<Iri> {
            terms.iter().filter_map(|term| v.iri(*term)).collect()
        };
        let promises = bound.iter().flat_map(|notice| &notice.revision.spec.promises);
        // What others said of people behind their model is passed on, not forgotten.
        let theirs = people(evidence.world, &evidence.name(source.node), evidence.ask.valid_at);
        let group = Exposed {
            reach,
            categories: iris(&cohort.class.categories),
            subjects: iris(&cohort.class.subjects),
            identifiability: cohort.class.identifiability,
            promises_known: match theirs {
                Some((_, people)) => people.promises_known,
                None => cohort.derived || !bound.is_empty() || !cohort.class.told,
            },
            promises: promises
                .map(|promise| promised(evidence.world, promise, evidence.world.lineage.record(source.node).at))
                .chain(theirs.iter().flat_map(|(taken, people)| passed_on(taken, people)))
                .collect(),
            kept_until: evidence.world.lineage.end(source.end),
            sources: 1,
        };
        let bare = |one: &Exposed| {
            let promises = one.promises.iter().map(|promise| PromiseSaid { until: None, ..promise.clone() }).collect();
            Exposed { kept_until: None, sources: 0, promises, ..one.clone() }
        };
        let wanted = bare(&group);
        let alike = |known: &&mut Exposed| bare(known) == wanted;
        match groups.iter_mut().find(alike) {
            Some(known) => {
                known.sources += 1;
                // The first of it to go; of what has no end, nobody knows one.
                known.kept_until = known.kept_until.zip(group.kept_until).map(|(one, other)| one.min(other));
                for (promise, other) in known.promises.iter_mut().zip(&group.promises) {
                    promise.until = promise.until.min(other.until);
                }
            }
            None => groups.push(group),
        }
    }
    groups
}

/// Promises of others, with the end that they set: no registry on the way begins to count anew.
fn passed_on(taken: &Taken, people: &Exposed) -> Vec<PromiseSaid> {
    let until = |promise: &PromiseSaid| deleted_by(promise, taken.spec.says.issued);
    people.promises.iter().map(|promise| PromiseSaid { until: until(promise), ..promise.clone() }).collect()
}

/// By when a promise of a passport says that the data are deleted. Where its maker does not say from when that counts, it is from the
/// day of the passport, at the latest.
pub fn deleted_by(promise: &PromiseSaid, issued: Timestamp) -> Option<Timestamp> {
    match promise.commitment.parse() {
        Ok(Commitment::DeletedAfter(period)) => Some(promise.until.unwrap_or_else(|| period.after(issued))),
        _ => None,
    }
}

fn promised(world: &World, promise: &Promise, since: Timestamp) -> PromiseSaid {
    let keys: Vec<&Key> = match &promise.commitment {
        Commitment::NotFor(key) => vec![key],
        Commitment::NoTrainingBeyond(keys) => keys.iter().collect(),
        _ => Vec::new(),
    };
    let iri = |key: &Key| world.lawfulness.purposes.latest(&Ref::purpose(key).to_string()).map(|p| p.spec.iri.clone());
    PromiseSaid {
        commitment: promise.commitment.to_string(),
        until: match &promise.commitment {
            Commitment::DeletedAfter(period) => Some(period.after(since)),
            _ => None,
        },
        purposes: keys.into_iter().filter_map(|key| Some((key.to_string(), iri(key)?))).collect(),
        words: promise.words.clone(),
    }
}

fn said(world: &World, stage: &str, purpose: &Ref) -> Option<PurposeSaid> {
    let name = purpose.base().to_owned();
    let all = &world.lawfulness.purposes;
    let found = purpose.rev().and_then(|rev| all.revision(&name, rev)).or_else(|| all.latest(&name))?;
    Some(PurposeSaid { stage: stage.to_owned(), key: found.spec.key.to_string(), iri: found.spec.iri.clone() })
}

fn purposes(evidence: &Evidence<'_>, found: &Exposure) -> Vec<PurposeSaid> {
    let world = evidence.world;
    let run = |node: &NodeId| match world.lineage.record(*node).held.as_deref().map(|held| &held.what) {
        Some(What::Run(run)) => said(world, "training", &run.purpose),
        _ => None,
    };
    let own = evidence.deployment.iter().filter_map(|d| said(world, "deployment", &d.spec.purpose));
    let theirs = theirs(evidence, found).flat_map(|says| says.purposes.iter().cloned());
    found.training_runs.iter().filter_map(run).chain(own).chain(theirs).collect::<BTreeSet<_>>().into_iter().collect()
}

/// What others said of models that are behind this one.
fn theirs<'w>(evidence: &Evidence<'w>, found: &Exposure) -> impl Iterator<Item = &'w Passport> {
    let (world, at) = (evidence.world, evidence.ask.valid_at);
    found.nodes.iter().filter_map(move |(node, _)| Some(&of(world, &world.lineage.name(*node), at)?.spec.says))
}

/// Bases that govern what is behind the model, in kind.
fn bases(evidence: &Evidence<'_>, found: &Exposure) -> Vec<BasisSaid> {
    let reached: BTreeSet<NodeId> = found.nodes.iter().map(|(node, _)| *node).collect();
    let places: BTreeSet<usize> =
        evidence.sources.iter().filter(|s| reached.contains(&s.node)).map(|s| s.cohort).collect();
    let mut list: Vec<BasisSaid> = Vec::new();
    let mut say = |stage: Stage, question: Option<&Question>, answer: Option<&Answer>| {
        let (Some(question), Some(Answer::Governed(governing))) = (question, answer) else { return };
        for candidate in governing.iter().filter_map(|place| question.candidates.get(*place)) {
            let spec = &candidate.revision.spec;
            let one = BasisSaid { stage, legal_basis: spec.legal_basis, exception: spec.exception };
            if !list.contains(&one) {
                list.push(one);
            }
        }
    };
    let passed_on = theirs(evidence, found).flat_map(|says| says.bases.iter().cloned());
    for cohort in places.iter().map(|place| &evidence.cohorts[*place]) {
        let Cohort { deployment, training, trainings, .. } = cohort;
        say(Stage::Deployment, evidence.question.as_ref(), deployment.as_ref());
        for (place, answer) in trainings.iter().zip(training) {
            let question = evidence.trainings.get(*place).and_then(|training| training.question.as_ref());
            say(Stage::Training, question, Some(answer));
        }
    }
    for one in passed_on {
        if !list.contains(&one) {
            list.push(one);
        }
    }
    list
}
