//! Passports of models: what this registry says of its own, and what others said of those that were taken in. The first part is made of
//! the evidence of a decision, the second is a fact: its people become sources of this registry's lineage, its promises bind as any do.

pub mod api;
mod import;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::Duration;
use imbl::HashMap;
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

use super::coverage::{Answer, Question, broader};
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

/// Passports taken in.
#[derive(Clone, Default)]
pub struct Passports {
    /// The last one of each model version.
    by_model: HashMap<Arc<str>, Arc<Taken>>,
    /// By a dataset version that stands for people behind it: the passport, and their place in its exposure.
    by_dataset: HashMap<Arc<str>, (Arc<Taken>, usize)>,
}

impl Passports {
    /// The last passport of a model version.
    pub fn of(&self, model: &str) -> Option<&Arc<Taken>> {
        self.by_model.get(model)
    }

    /// Whether none was taken in.
    pub fn is_empty(&self) -> bool {
        self.by_model.is_empty()
    }

    /// What a passport says of the people that a dataset version stands for.
    pub fn people(&self, dataset: &str) -> Option<(&Arc<Taken>, &Exposed)> {
        let (taken, place) = self.by_dataset.get(dataset)?;
        Some((taken, taken.spec.says.exposure.get(*place)?))
    }

    /// Fold a passport in.
    pub fn imported(&mut self, fact: &Stated<PassportSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let taken = Arc::new(Taken { id: fact.id, spec: fact.spec.clone(), digest, seq: at.seq });
        let spec = &fact.spec;
        let people = import::counted(&spec.says).map(|(place, _)| place);
        for (dataset, place) in spec.datasets.iter().zip(people) {
            self.by_dataset.insert(dataset.to_string().into(), (taken.clone(), place));
        }
        let model = spec.model.to_string();
        self.by_model.insert(model.as_str().into(), taken);
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
        let theirs = evidence.world.gate.passports.people(&evidence.name(source.node)).map(|(_, people)| people);
        let group = Exposed {
            reach,
            categories: iris(&cohort.class.categories),
            subjects: iris(&cohort.class.subjects),
            identifiability: cohort.class.identifiability,
            promises_known: match theirs {
                Some(people) => people.promises_known,
                None => cohort.derived || !bound.is_empty() || !cohort.class.told,
            },
            promises: promises
                .map(|promise| promised(evidence.world, promise))
                .chain(theirs.iter().flat_map(|people| people.promises.iter().cloned()))
                .collect(),
            kept_until: evidence.world.lineage.end(source.end),
            sources: 1,
        };
        let bare = |one: &Exposed| Exposed { kept_until: None, sources: 0, ..one.clone() };
        let wanted = bare(&group);
        let alike = |known: &&mut Exposed| bare(known) == wanted;
        match groups.iter_mut().find(alike) {
            Some(known) => {
                known.sources += 1;
                // The first of it to go; of what has no end, nobody knows one.
                known.kept_until = known.kept_until.zip(group.kept_until).map(|(one, other)| one.min(other));
            }
            None => groups.push(group),
        }
    }
    groups
}

fn promised(world: &World, promise: &Promise) -> PromiseSaid {
    let keys: Vec<&Key> = match &promise.commitment {
        Commitment::NotFor(key) => vec![key],
        Commitment::NoTrainingBeyond(keys) => keys.iter().collect(),
        _ => Vec::new(),
    };
    let iri = |key: &Key| world.lawfulness.purposes.latest(&Ref::purpose(key).to_string()).map(|p| p.spec.iri.clone());
    PromiseSaid {
        commitment: promise.commitment.to_string(),
        purposes: keys.into_iter().filter_map(|key| Some((key.to_string(), iri(key)?))).collect(),
        words: promise.words.clone(),
    }
}

fn said(world: &World, stage: &str, purpose: &Ref) -> Option<PurposeSaid> {
    let name = purpose.unpinned().to_string();
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
    let theirs = theirs(world, found).flat_map(|says| says.purposes.iter().cloned());
    found.training_runs.iter().filter_map(run).chain(own).chain(theirs).collect::<BTreeSet<_>>().into_iter().collect()
}

/// What others said of models that are behind this one.
fn theirs<'w>(world: &'w World, found: &Exposure) -> impl Iterator<Item = &'w Passport> {
    found.nodes.iter().filter_map(|(node, _)| Some(&world.gate.passports.of(&world.lineage.name(*node))?.spec.says))
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
    let passed_on = theirs(evidence.world, found).flat_map(|says| says.bases.iter().cloned());
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
