//! What an approval of a deployment covers, and what widened beyond it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use licit_schemas::notices::Commitment;
use licit_schemas::registry::{Identifiability, Tags};
use licit_schemas::review::{Envelope, EnvelopeSource};
use licit_schemas::text::Iri;

use super::evidence::{Cohort, Evidence};
use super::promised;
use crate::facts::word;
use crate::lineage::exposure::{CONTAINED, SERVED, SHAPED, VALIDATION, Want};
use crate::lineage::graph::NodeId;
use crate::lineage::walk::Label;
use crate::lineage::{Class, PERSONAL};
use crate::registry::leads;
use crate::registry::vocabulary::{TermId, vocabulary};
use crate::review::{Grant, Within, within};

/// Names of the ways data reach, in the order of their bits.
const REACH: [(Label, &str); 4] =
    [(CONTAINED, "contained"), (SHAPED, "shaped"), (VALIDATION, "validation"), (SERVED, "served")];

/// The ways in words.
pub fn reach(modes: Label) -> Vec<&'static str> {
    REACH.iter().filter(|(bit, _)| modes & bit != 0).map(|(_, name)| *name).collect()
}

/// Something that lies outside an approval.
pub struct Widened {
    /// What, in words.
    pub says: String,
    /// How it reaches the release, for data.
    pub path: Option<Vec<String>>,
}

/// The envelope of a release.
pub fn of(evidence: &Evidence<'_>) -> Envelope {
    let Some(deployment) = &evidence.deployment else { return Envelope::default() };
    let spec = &deployment.spec;
    let mut operations = BTreeSet::new();
    let mut regions: BTreeSet<String> = spec.region.iter().map(ToString::to_string).collect();
    let mut parties: BTreeSet<String> = spec.processors.iter().map(ToString::to_string).collect();
    parties.insert(spec.controller.to_string());
    for traits in evidence.classes.iter().map(|class| &class.traits) {
        operations.extend(traits.operation.iter().map(word));
        regions.extend(traits.region.iter().map(ToString::to_string));
        parties.extend(traits.parties.iter().map(ToString::to_string));
    }
    let declared = |d: &Option<licit_schemas::registry::Declaration>| -> Vec<String> {
        let set: BTreeSet<String> = d.iter().flat_map(|d| &d.datasets).map(|r| r.base().to_owned()).collect();
        set.into_iter().collect()
    };
    let documents: BTreeSet<String> = evidence
        .system
        .iter()
        .flat_map(|s| &s.spec.documents)
        .map(|d| format!("{} {}", d.kind, d.evidence.digest))
        .collect();
    let models: BTreeSet<String> = evidence
        .models
        .iter()
        .map(|m| m.reference.rsplit_once('@').map_or(&*m.reference, |(base, _)| base).to_owned())
        .collect();
    let bases: BTreeSet<String> = spec.bases.iter().map(ToString::to_string).collect();
    Envelope {
        purpose: spec.purpose.to_string(),
        bases: bases.into_iter().collect(),
        system: system(evidence, spec).to_owned(),
        environment: spec.environment.to_string(),
        sources: sources(evidence),
        serves: declared(&spec.reads),
        emits: declared(&spec.writes),
        written: Some(written(evidence)),
        regions: regions.into_iter().collect(),
        parties: parties.into_iter().collect(),
        recipients: recipients(spec).map(str::to_owned).collect::<BTreeSet<String>>().into_iter().collect(),
        names: leads::names(&spec.tags).into_iter().collect::<BTreeSet<String>>().into_iter().collect(),
        operations: operations.into_iter().collect(),
        models: models.into_iter().collect(),
        documents: documents.into_iter().collect(),
    }
}

/// The revision of the system that holds at the moment judged: until the one named begins, the one before it.
fn system<'e>(evidence: &'e Evidence<'_>, spec: &'e licit_schemas::registry::DeploymentSpec) -> &'e str {
    evidence.system.as_ref().map_or(spec.system.as_str(), |system| &system.reference)
}

/// Who receives what a deployment discloses.
fn recipients(spec: &licit_schemas::registry::DeploymentSpec) -> impl Iterator<Item = &str> {
    spec.discloses.iter().flat_map(|disclosure| &disclosure.to).map(|recipient| recipient.as_str())
}

/// Whether every name that leads to a deployment is approved.
fn led_inside(evidence: &Evidence<'_>, approved: &Envelope, names: &[String]) -> bool {
    names.is_empty() || {
        let led = led(evidence, approved);
        names.iter().all(|name| leads::holds(&led, name))
    }
}

/// The names that an approval covers: those of its envelope. One without any is of a deployment that stated none, or older than that
/// question: then it covers what the revision stated that was reviewed, and nothing where that is not known.
fn led(evidence: &Evidence<'_>, approved: &Envelope) -> Vec<String> {
    if !approved.names.is_empty() {
        return approved.names.clone();
    }
    let (own, world) = (&*evidence.ask.deployment, evidence.world);
    // Several approvals may say the same: the one asked about is the one that lies there.
    let asked = |approval: &&std::sync::Arc<crate::review::Approval>| {
        approval.spec.subject.envelope.as_ref().is_some_and(|envelope| std::ptr::eq(envelope, approved))
    };
    let approval = world.review.approvals(own).iter().find(asked);
    let review = approval.and_then(|approval| world.review.review(approval.spec.review.0));
    let Some(review) = review else { return Vec::new() };
    let revisions = world.registry.deployments.all(own).iter().map(|revision| (revision.seq, &revision.spec.tags));
    led_at(review.seq, revisions)
}

/// The names that the last revision stated before a position.
fn led_at<'t>(position: u64, revisions: impl Iterator<Item = (u64, &'t Tags)>) -> Vec<String> {
    revisions.take_while(|(seq, _)| *seq <= position).last().map(|(_, tags)| leads::names(tags)).unwrap_or_default()
}

/// Whether [`widened`] would find nothing, without making the words for it: the usual case, on every decision.
pub fn inside(evidence: &Evidence<'_>, approved: &Envelope, within: &Within) -> bool {
    let Some(deployment) = &evidence.deployment else { return false };
    let spec = &deployment.spec;
    let has = |list: &[String], word: &str| list.iter().any(|w| w == word);
    let declared = |list: &[String], d: &Option<licit_schemas::registry::Declaration>| {
        d.iter().flat_map(|d| &d.datasets).all(|r| has(list, r.base()))
    };
    let known = |d: &str| {
        evidence.system.iter().flat_map(|s| &s.spec.documents).any(|x| d == format!("{} {}", x.kind, x.evidence.digest))
    };
    approved.purpose == spec.purpose.as_str()
        && approved.system == system(evidence, spec)
        && approved.environment == spec.environment.as_str()
        && spec.bases.iter().all(|b| has(&approved.bases, b.as_str()))
        && declared(&approved.serves, &spec.reads)
        && declared(&approved.emits, &spec.writes)
        && spec.region.iter().all(|r| has(&approved.regions, r.as_str()))
        && std::iter::once(&spec.controller).chain(&spec.processors).all(|p| has(&approved.parties, p.as_str()))
        && recipients(spec).all(|r| has(&approved.recipients, r))
        && led_inside(evidence, approved, &leads::names(&spec.tags))
        && evidence
            .models
            .iter()
            .all(|m| has(&approved.models, m.reference.rsplit_once('@').map_or(&*m.reference, |(base, _)| base)))
        && approved.documents.iter().all(|d| known(d))
        && evidence.classes.iter().map(|class| &class.traits).all(|traits| {
            traits.operation.iter().all(|o| has(&approved.operations, &word(o)))
                && traits.region.iter().all(|r| has(&approved.regions, r.as_str()))
                && traits.parties.iter().all(|p| has(&approved.parties, p))
        })
        && within.written.as_ref().is_none_or(|tables| written_inside(evidence, tables))
        && sources_inside(evidence, within)
}

/// What the tables written say of people, as far as there are versions of them.
fn written(evidence: &Evidence<'_>) -> Vec<EnvelopeSource> {
    let terms = |terms: &[TermId]| iris(&terms.iter().copied().collect());
    let mut list = Vec::new();
    for node in evidence.written() {
        let class = evidence.world.lineage.class(node);
        list.push(EnvelopeSource {
            dataset: super::coverage::base(&evidence.name(node)).to_owned(),
            reach: Vec::new(),
            subjects: terms(&class.subjects),
            categories: terms(&class.categories),
            identifiability: word(&class.identifiability),
            promises: Vec::new(),
        });
    }
    list.sort();
    list
}

/// What of the tables written says more of people than when they were approved; a table that had no version then was approved to
/// say nothing of them. Nothing where the approval is older than that question.
fn written_more<'a>(
    evidence: &Evidence<'_>,
    approved: &Envelope,
    actual: &'a [EnvelopeSource],
) -> Vec<(&'a EnvelopeSource, Vec<String>)> {
    let Some(before) = &approved.written else { return Vec::new() };
    let tables = evidence.written().into_iter().filter(|node| of_people(evidence, *node));
    let of_people: BTreeSet<String> =
        tables.map(|node| super::coverage::base(&evidence.name(node)).to_owned()).collect();
    let more = |now: &'a EnvelopeSource| {
        let parts = match before.iter().find(|b| b.dataset == now.dataset) {
            Some(before) => said_more(before, now),
            None if !of_people.contains(&now.dataset) => Vec::new(),
            None => {
                let nothing = EnvelopeSource { subjects: Vec::new(), categories: Vec::new(), ..now.clone() };
                let parts =
                    said_more(&EnvelopeSource { identifiability: word(&Identifiability::None), ..nothing }, now);
                if parts.is_empty() { vec!["says something of people".to_owned()] } else { parts }
            }
        };
        (!parts.is_empty()).then_some((now, parts))
    };
    actual.iter().filter_map(more).collect()
}

/// Whether a version says anything of people.
fn of_people(evidence: &Evidence<'_>, node: NodeId) -> bool {
    evidence.world.lineage.graph().node(node).flags.has(PERSONAL)
}

/// What one table says of people beyond another, in words.
fn said_more(before: &EnvelopeSource, now: &EnvelopeSource) -> Vec<String> {
    let mut parts = Vec::new();
    let new: Vec<Iri> = now.categories.iter().filter(|c| !is_within(c, &before.categories)).cloned().collect();
    if !new.is_empty() {
        parts.push(format!("brings {}", labels(&new)));
    }
    let new: Vec<Iri> = now.subjects.iter().filter(|s| !is_within(s, &before.subjects)).cloned().collect();
    if !new.is_empty() {
        parts.push(format!("is about {}", labels(&new)));
    }
    if within::rank(&now.identifiability) > within::rank(&before.identifiability) {
        parts.push(format!("identifies people more: {} instead of {}", now.identifiability, before.identifiability));
    }
    parts
}

/// Whether every source has a grant that allows what its cohort is: each pair of grant and cohort is compared once.
fn sources_inside(evidence: &Evidence<'_>, within: &Within) -> bool {
    within.touch();
    let mut known: Vec<Option<bool>> = vec![None; within.grants.len()];
    evidence.cohorts.iter().enumerate().all(|(own, cohort)| {
        known.fill(None);
        let mut allows = |place: usize| {
            let grant = &within.grants[place];
            *known[place].get_or_insert_with(|| allows_cohort(grant, cohort) && keeps(evidence, own, grant))
        };
        cohort.tables.iter().all(|&tables| within.all(tables, &mut allows))
    })
}

/// Whether what is written says no more of people than when it was approved. A table without a version then has no grant: it was
/// approved to say nothing of them.
fn written_inside(evidence: &Evidence<'_>, tables: &Within) -> bool {
    let lineage = &evidence.world.lineage;
    evidence.written().into_iter().all(|node| match tables.grant(lineage.graph().node(node).dataset) {
        Some(place) => allows(&tables.grants[place], lineage.class(node)),
        None => !of_people(evidence, node),
    })
}

fn allows_cohort(grant: &Grant, cohort: &Cohort<'_>) -> bool {
    cohort.modes & !grant.reach == 0 && allows(grant, &cohort.class)
}

/// Whether the people of a cohort are still promised what they were when it was approved.
fn keeps(evidence: &Evidence<'_>, cohort: usize, grant: &Grant) -> bool {
    let Some(promises) = &grant.promises else { return false };
    promises.is_empty()
        || promised::to(evidence, cohort)
            .is_none_or(|today| promises.iter().all(|one| promised::keep(evidence.world, &today, one)))
}

fn allows(grant: &Grant, class: &Class) -> bool {
    let v = vocabulary();
    let covered = |terms: &[TermId], by: &[TermId]| {
        // Mostly they are those approved, to the letter.
        terms == by || terms.iter().all(|t| by.iter().any(|broad| v.is_a(*t, *broad)))
    };
    grant.identifiability.is_some_and(|most| class.identifiability as usize <= most)
        && covered(&class.categories, &grant.categories)
        && covered(&class.subjects, &grant.subjects)
}

/// Personal data by dataset: versions of one dataset are one source.
fn sources(evidence: &Evidence<'_>) -> Vec<EnvelopeSource> {
    #[derive(Default)]
    struct Merged {
        modes: Label,
        subjects: BTreeSet<TermId>,
        categories: BTreeSet<TermId>,
        identifiability: Option<Identifiability>,
        cohorts: BTreeSet<usize>,
    }
    let mut by_dataset: BTreeMap<String, Merged> = BTreeMap::new();
    for source in &evidence.sources {
        let (merged, cohort) = (by_dataset.entry(evidence.dataset(source)).or_default(), evidence.cohort(source));
        merged.cohorts.insert(source.cohort);
        merged.modes |= cohort.modes;
        merged.subjects.extend(&cohort.class.subjects);
        merged.categories.extend(&cohort.class.categories);
        merged.identifiability = merged.identifiability.max(Some(cohort.class.identifiability));
    }
    let promised: Vec<_> = (0..evidence.cohorts.len()).map(|place| promised::to(evidence, place)).collect();
    let to_all = |cohorts: &BTreeSet<usize>| {
        let lists: Vec<_> = cohorts.iter().filter_map(|place| promised[*place].as_ref()).collect();
        let mut words: Vec<_> = promised::to_all(evidence.world, &lists).iter().map(ToString::to_string).collect();
        words.sort();
        words
    };
    by_dataset
        .into_iter()
        .map(|(dataset, merged)| EnvelopeSource {
            dataset,
            reach: reach(merged.modes).into_iter().map(str::to_owned).collect(),
            subjects: iris(&merged.subjects),
            categories: iris(&merged.categories),
            identifiability: word(&merged.identifiability.unwrap_or(Identifiability::None)),
            promises: to_all(&merged.cohorts),
        })
        .collect()
}

fn iris(terms: &BTreeSet<TermId>) -> Vec<Iri> {
    let mut list: Vec<Iri> = terms.iter().filter_map(|t| vocabulary().iri(*t)).collect();
    list.sort();
    list
}

/// What of `actual` lies outside `approved`. Narrowing never voids: empty when all is inside.
pub fn widened(evidence: &Evidence<'_>, approved: &Envelope, actual: &Envelope) -> Vec<Widened> {
    let mut list = Vec::new();
    let mut say = |says: String| list.push(Widened { says, path: None });
    for (what, before, now) in [
        ("purpose", &approved.purpose, &actual.purpose),
        ("system", &approved.system, &actual.system),
        ("environment", &approved.environment, &actual.environment),
    ] {
        if before != now {
            say(format!("{what} `{now}` instead of `{before}`"));
        }
    }
    for (what, before, now) in [
        ("basis", &approved.bases, &actual.bases),
        ("reads", &approved.serves, &actual.serves),
        ("writes", &approved.emits, &actual.emits),
        ("region", &approved.regions, &actual.regions),
        ("party", &approved.parties, &actual.parties),
        ("recipient", &approved.recipients, &actual.recipients),
        ("operation", &approved.operations, &actual.operations),
        ("model", &approved.models, &actual.models),
    ] {
        for new in now.iter().filter(|n| !before.contains(n)) {
            say(format!("{what} `{new}` is new"));
        }
    }
    let led = if actual.names.is_empty() { Vec::new() } else { led(evidence, approved) };
    for new in actual.names.iter().filter(|name| !leads::holds(&led, name)) {
        say(format!("that `{new}` leads to it is new"));
    }
    for gone in approved.documents.iter().filter(|d| !actual.documents.contains(d)) {
        say(format!("document `{}` is no longer on file", gone.split(' ').next().unwrap_or_default()));
    }
    for (source, parts) in actual.written.iter().flat_map(|now| written_more(evidence, approved, now)) {
        say(format!("what is written to `{}` {}", source.dataset, parts.join(", ")));
    }
    for source in &actual.sources {
        let path = || path_to(evidence, &source.dataset);
        let Some(before) = approved.sources.iter().find(|s| s.dataset == source.dataset) else {
            let categories = labels(&source.categories);
            list.push(Widened { says: format!("source `{}` is new ({categories})", source.dataset), path: path() });
            continue;
        };
        let mut parts = Vec::new();
        let open = within::open(&before.reach);
        let now = REACH.iter().filter(|(way, name)| way & !open != 0 && source.reach.iter().any(|r| r == name));
        parts.extend(now.map(|(_, way)| format!("is now {way}")));
        parts.extend(said_more(before, source));
        parts.extend(promised_less(evidence, before));
        if !parts.is_empty() {
            list.push(Widened { says: format!("source `{}` {}", source.dataset, parts.join(", ")), path: path() });
        }
    }
    list
}

/// What the people in a source are no longer promised, in words.
fn promised_less(evidence: &Evidence<'_>, before: &EnvelopeSource) -> Vec<String> {
    if before.promises.is_empty() {
        return Vec::new();
    }
    let number = evidence.world.registry.numbers.find(&before.dataset);
    let own = evidence.sources.iter().filter(|source| source.dataset == number);
    let cohorts: BTreeSet<usize> = own.map(|source| source.cohort).collect();
    let lists: Vec<Vec<&Commitment>> = cohorts.into_iter().filter_map(|place| promised::to(evidence, place)).collect();
    let mut parts = Vec::new();
    for word in &before.promises {
        let Ok(one) = word.parse::<Commitment>() else {
            parts.push(format!("is promised `{word}`, which this program does not know"));
            continue;
        };
        if let Some(list) = lists.iter().find(|list| !promised::keep(evidence.world, list, &one)) {
            parts.push(match promised::instead(list, &one) {
                Some(other) => format!("is promised `{other}` instead of `{word}`"),
                None => format!("is no longer promised `{word}`"),
            });
        }
    }
    parts
}

/// A broader approved term holds narrower ones.
fn is_within(term: &Iri, approved: &[Iri]) -> bool {
    let v = vocabulary();
    match v.find(term.as_str()) {
        Some(term) => approved.iter().filter_map(|a| v.find(a.as_str())).any(|broad| v.is_a(term, broad)),
        None => false,
    }
}

fn labels(iris: &[Iri]) -> String {
    let v = vocabulary();
    iris.iter()
        .map(|iri| v.find(iri.as_str()).map_or_else(|| iri.to_string(), |t| format!("\"{}\"", v.term(t).label)))
        .collect::<Vec<_>>()
        .join(", ")
}

fn path_to(evidence: &Evidence<'_>, dataset: &str) -> Option<Vec<String>> {
    let number = evidence.world.registry.numbers.find(dataset);
    let source = evidence.sources.iter().find(|s| s.dataset == number)?;
    let modes = evidence.cohort(source).modes;
    let mode = modes & modes.wrapping_neg();
    Some(evidence.path(source.node, Want::Mode(mode)))
}

/// The envelope a review of a deployment binds: of its latest proposed release, else of the active one. With it, the authors of
/// what is new.
///
/// # Errors
/// No such deployment, or no release to judge.
pub fn under_review(tx: &crate::facts::Tx<'_>, deployment: &str) -> crate::error::Result<(Envelope, Vec<uuid::Uuid>)> {
    use crate::error::Error;
    use licit_schemas::gate::Intent;
    // What begins later is reviewed before it does, as it will be.
    let begins = tx.world().registry.deployments.latest(deployment).and_then(|stated| stated.spec.valid_from);
    let ask = super::evidence::Ask {
        deployment: deployment.to_owned(),
        release: None,
        intent: Intent::Start,
        artifacts: Vec::new(),
        valid_at: begins.unwrap_or(tx.now()).max(tx.now()),
    };
    let evidence = super::evidence::gather(tx.world(), ask);
    let Some(found) = &evidence.deployment else {
        return Err(Error::invalid("", format!("there is no `{deployment}`")));
    };
    let Some(release) = &evidence.release else {
        return Err(Error::invalid("", format!("`{deployment}` has no release to judge: propose one first")));
    };
    // New is what was written since the board was last asked: its approval binds what was there then.
    let world = tx.world();
    let asked = world.review.approvals(deployment).last().and_then(|a| world.review.review(a.spec.review.0));
    let since = asked.map_or(0, |review| review.seq);
    let written = world.registry.deployments.all(deployment).iter().filter(|r| r.seq > since).map(|r| r.author);
    let behind = evidence.closure.iter().filter_map(|(node, _)| world.lineage.record(*node).held.as_deref());
    let behind: HashSet<uuid::Uuid> = behind.filter(|held| held.seq > since).map(|held| held.author).collect();
    let authors = written.chain([found.author, release.author]).chain(behind).collect();
    Ok((of(&evidence), authors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_older_than_the_question_covers_the_names_of_what_was_reviewed() {
        let tags = |list: &[(&str, &str)]| -> Tags {
            list.iter().map(|(key, value)| (key.parse().unwrap(), value.parse().unwrap())).collect()
        };
        let revisions = [
            (3, tags(&[])),
            (5, tags(&[("mlflow.model", "score"), ("mlflow.alias", "champion")])),
            (9, tags(&[("mlflow.model", "score")])),
        ];
        let at = |position: u64| led_at(position, revisions.iter().map(|(seq, tags)| (*seq, tags)));
        // Before the first, and of one that stated none: nothing.
        assert!(at(2).is_empty() && at(4).is_empty());
        assert_eq!(
            (at(5), at(8)),
            (vec!["mlflow:score@champion".to_owned()], vec!["mlflow:score@champion".to_owned()])
        );
        // What was stated later was not reviewed.
        assert!(!leads::holds(&at(8), "mlflow:score") && leads::holds(&at(9), "mlflow:score@champion"));
        // An envelope from before says nothing of names, and is read.
        let older = serde_json::json!({
            "purpose": "", "bases": [], "system": "", "environment": "", "sources": [], "serves": [], "emits": [],
            "regions": [], "parties": [], "operations": [], "models": [], "documents": [],
        });
        assert!(serde_json::from_value::<Envelope>(older).unwrap().names.is_empty());
    }
}
