//! Nodes of the closure worth a look: sources, derived personal data, and what is not complete.

use std::collections::HashSet;

use licit_schemas::lawfulness::AssessmentKind;
use licit_schemas::registry::Life;
use licit_schemas::time::Timestamp;

use super::assessed::{assessed, concerns};
use super::cohorts::Sorting;
use super::{Barred, Evidence, Gap, Missing, Source};
use crate::lineage::columns;
use crate::lineage::exposure::{self, CONTAINED, Exposure, SERVED, Want};
use crate::lineage::graph::{Direction, EdgeKind, Flags, Graph, Link, Node, NodeId, NodeKind};
use crate::lineage::walk::Label;
use crate::lineage::{ASSESSED, Class, FICTION, OF_PEOPLE, PERSONAL};
use crate::registry::{DatasetFacts, What};

/// Go through what of the closure is worth a look. Gives the classes of tables that state less than what they were made of, with the
/// levels noted of them.
pub(super) fn inspect(evidence: &mut Evidence<'_>, exposure: &Exposure) -> Vec<(u32, u8)> {
    let lineage = &evidence.world.lineage;
    let graph = lineage.graph();
    let mut sorting = Sorting::new(evidence);
    let mut nobody = HashSet::new();
    let mut understated: Vec<(u32, u8)> = Vec::new();
    evidence.sources.reserve(exposure.looks.len());
    evidence.classes.extend(exposure.classes.iter().map(|&class| &**lineage.class_at(class)));
    // All are read before the first is looked at, so that the waits for memory overlap.
    let nodes: Vec<Node> = exposure.looks.iter().map(|look| graph.node(exposure.nodes[look.place()].0)).collect();
    for (look, node) in exposure.looks.iter().zip(nodes) {
        let place = look.place();
        let (id, label) = exposure.nodes[place];
        if node.implied != 0 && !understated.contains(&(node.class, node.implied)) {
            understated.push((node.class, node.implied));
        }
        let mut told = false;
        if look.is_remarkable() {
            match remark(evidence, exposure, place, node) {
                Remark::Anonymous => continue,
                Remark::Gap => told = true,
                Remark::Other => {}
            }
        }
        if node.kind != NodeKind::DatasetVersion || node.flags.0 & exposure::PEOPLE == 0 {
            continue;
        }
        let derived = !node.flags.has(Flags::SOURCE)
            && match lineage.is_circular() {
                true => source_upstream(graph, (id, node)),
                false => node.flags.has(OF_PEOPLE) || people_upstream(graph, (id, node), &mut nobody),
            };
        if node.flags.has(FICTION) && !derived {
            continue; // Nobody stands behind it: the statement that it describes nobody counts.
        }
        // People appear from nowhere: neither collected, as far as anybody said, nor in what it was made of.
        if !derived
            && !node.flags.has(Flags::SOURCE)
            && !told
            && !has_no_cause(graph, id)
            && let Some(missing) = incomplete(evidence, id, node, true)
        {
            evidence.gaps.push(Gap { node: id, missing });
        }
        let flowing = evidence.narrowed.as_ref().and_then(|narrowed| narrowed.flowing(lineage, id));
        // Boxed, because nearly always there is none: a class is large, and would be moved for every source.
        let class = flowing.map(|flowing| columns::class(lineage.class_at(node.class), &flowing).map(Box::new));
        let Some(mut class) = class.map_or(Some(None), |class| class.map(Some)) else {
            evidence.left_out.push(id);
            continue;
        };
        if node.implied != 0 {
            // It is judged by what it was made of, where it states less.
            let stated = class.as_deref().unwrap_or(lineage.class_at(node.class));
            let level = evidence.raised(id);
            if level > stated.identifiability {
                class = Some(Box::new(Class { identifiability: level, ..stated.clone() }));
            }
        }
        let cohort = sorting.cohort(evidence, exposure, place, (node, label), (derived, class));
        let source = Source { node: id, dataset: node.dataset, end: node.end, cohort };
        sorting.gather(&mut evidence.cohorts[cohort], source);
        evidence.sources.push(source);
    }
    understated
}

/// What was found of a node.
enum Remark {
    /// Nobody is identifiable in it, for as long as an assessment holds.
    Anonymous,
    /// Its lineage is not complete.
    Gap,
    /// Something else, or nothing.
    Other,
}

/// Notes what is not complete at a node, may not be used, or is asked about once the whole closure is known.
fn remark(evidence: &mut Evidence<'_>, exposure: &Exposure, place: usize, node: Node) -> Remark {
    let lineage = &evidence.world.lineage;
    let graph = lineage.graph();
    let (id, label) = exposure.nodes[place];
    let is_root = || graph.is_end(id, Direction::Upstream);
    let made_of_something = match node.kind {
        NodeKind::DatasetVersion => !node.flags.has(Flags::NO_ORIGIN) || !has_no_cause(graph, id),
        NodeKind::Run if node.flags.has(Flags::TRAINS) => learned(graph, id),
        NodeKind::Run => !is_root() || !makes_unstated(graph, id),
        NodeKind::ModelVersion => !is_root(),
        NodeKind::Release | NodeKind::Deployment | NodeKind::Party => true,
    };
    let mut found = Remark::Other;
    if node.flags.0 & exposure::INCOMPLETE != 0 || !made_of_something {
        if node.kind == NodeKind::DatasetVersion && is_assumed(evidence, id) {
            evidence.assumed.push(id);
        }
        if let Some(missing) = incomplete(evidence, id, node, !made_of_something) {
            evidence.gaps.push(Gap { node: id, missing });
            found = Remark::Gap;
        }
    }
    if node.flags.has(Flags::RETIRED) {
        // Whatever else is the matter with it, and whatever the board took over before: nothing may rest on it.
        let record = lineage.record(id);
        let held = record.held.as_ref();
        let from = held.and_then(|held| held.retired_from);
        let since = from.or(held.and_then(|held| held.retired)).unwrap_or(record.at);
        if from.is_none_or(|from| from <= evidence.ask.valid_at) {
            evidence.gaps.push(Gap { node: id, missing: Missing::Retired(since) });
        }
    }
    // A recipe marks whatever its program makes: what none covers was not assessed.
    if node.flags.has(ASSESSED) && concerns(evidence.world, &lineage.name(id), AssessmentKind::Anonymity) {
        evidence.assessed.push(id);
        if evidence.cuts(id) && node.kind == NodeKind::DatasetVersion {
            return Remark::Anonymous;
        }
    }
    if node.flags.0 & (Flags::RESTRICTED.0 | Flags::ERASED.0) != 0
        && let Some(barred) = barred(evidence, exposure, place, (id, label))
    {
        evidence.barred.push(barred);
    }
    // What was met before the first run that speaks of columns is reached by whole ways only.
    if columns::is_mapped(node) && evidence.narrowed.is_none() {
        let narrowed = columns::narrow(lineage, &evidence.seeds, &|node| evidence.cuts(node));
        evidence.narrowed = Some(narrowed);
    }
    found
}

/// Whether nothing came before a node. That a dataset has another name is no origin: then what came before that one counts.
fn has_no_cause(graph: &Graph, id: NodeId) -> bool {
    // Nearly always the first edge says it.
    match graph.upstream(id).next() {
        None => return true,
        Some(half) if half.kind != EdgeKind::ComposedOf => return false,
        Some(_) => {}
    }
    let mut names = vec![id];
    let mut next = 0;
    while let Some(&at) = names.get(next) {
        let node = graph.node(at);
        for half in graph.upstream(at) {
            if half.kind != EdgeKind::ComposedOf || node.kind != NodeKind::DatasetVersion {
                return false;
            }
            if !names.contains(&half.node) {
                names.push(half.node);
            }
        }
        next += 1;
    }
    true
}

/// Whether a run that formed a model says what it learned from: what only measured or chose formed nothing.
fn learned(graph: &Graph, run: NodeId) -> bool {
    graph.upstream(run).any(|half| half.kind == EdgeKind::Used && !half.role.measures())
}

/// Whether default classes answer for something of a dataset version, or did.
fn is_assumed(evidence: &Evidence<'_>, id: NodeId) -> bool {
    let held = evidence.world.lineage.record(id).held.as_deref();
    matches!(held.map(|h| &h.what), Some(What::Dataset(facts)) if facts.assumed.is_some())
}

/// What nobody said of the fields of a dataset version, as far as no default class answers.
fn unsaid(facts: &DatasetFacts, now: Timestamp) -> Option<Missing> {
    /// Fields named at most.
    const FEW: usize = 5;
    let silent = facts.unanswered(now);
    let never: Vec<String> = silent.iter().filter(|s| s.answer.is_none()).map(|s| s.of.clone()).take(FEW).collect();
    if !never.is_empty() {
        return Some(Missing::Classes(never));
    }
    let ended = silent.into_iter().filter_map(|s| s.answer).min_by_key(|(_, until)| *until);
    ended.map(|(class, until)| Missing::DefaultEnded(class, until))
}

/// Why lineage is not complete at a node that has no cause or a flag; none when an assessment closes it. `unmade`: it was made of
/// nothing, as far as anybody said.
fn incomplete(evidence: &Evidence<'_>, id: NodeId, node: Node, unmade: bool) -> Option<Missing> {
    let world = evidence.world;
    let holder = evidence.deployment.as_ref().map(|d| &d.spec.controller)?;
    let assess = |kind| assessed(world, &world.lineage.name(id), kind, None, holder, evidence.ask.valid_at);
    // Not closed, or by an assessment whose bases did not hold: that is said.
    let or = |otherwise: Missing| match assess(AssessmentKind::Regularisation)? {
        why @ Missing::BasesThen(..) => Some(why),
        _ => Some(otherwise),
    };
    if node.flags.has(Flags::DANGLING) {
        // What ran before the registry may stay unregistered where the board took it over.
        return if node.kind == NodeKind::Run { or(Missing::Dangling) } else { Some(Missing::Dangling) };
    }
    match node.kind {
        NodeKind::DatasetVersion => {
            let now = evidence.ask.valid_at;
            let facts = match world.lineage.record(id).held.as_deref().map(|h| &h.what) {
                Some(What::Dataset(facts)) => facts,
                _ => return Some(Missing::Classes(vec!["*".to_owned()])),
            };
            if node.flags.has(Flags::UNCLASSIFIED)
                && let Some(missing) = unsaid(facts, now)
            {
                return Some(missing);
            }
            let answer = facts.assumed.as_ref().and_then(|a| a.origin.as_ref()?.answer.clone());
            match answer {
                _ if !unmade => None,
                Some((_, until)) if now < until => None,
                answer => or(answer.map_or(Missing::Origin, |(class, until)| Missing::DefaultEnded(class, until))),
            }
        }
        NodeKind::Run => or(Missing::Inputs),
        _ if node.flags.has(Flags::ACQUIRED) || node.flags.has(Flags::ENDPOINT) => assess(AssessmentKind::Provider),
        _ => match assess(AssessmentKind::Regularisation)? {
            Missing::Assessment(None) => Some(Missing::Run),
            why => Some(why),
        },
    }
}

/// Restricted data may be stored, and not be in what runs, nor be read by it, nor by a training that began after (GDPR
/// Art. 18(1)). Erased data are gone: what was made of them stays, but nothing can read them.
fn barred(
    evidence: &Evidence<'_>,
    exposure: &Exposure,
    place: usize,
    (node, label): (NodeId, Label),
) -> Option<Barred> {
    let record = evidence.world.lineage.record(node);
    let Some(What::Dataset(facts)) = record.held.as_deref().map(|held| &held.what) else { return None };
    let (life, since) = facts.life_at(evidence.ask.valid_at)?;
    let after = |&run: &usize| {
        let training = &evidence.trainings[run];
        !training.regularised && training.run().is_some_and(|run| run.started_at >= since)
    };
    let index = || {
        let indexes = evidence.release.iter().flat_map(|release| &release.spec.indexes);
        indexes.into_iter().any(|index| index.as_str() == &*record.reference)
    };
    let by = match life {
        Life::Held => return None,
        Life::Restricted if label & CONTAINED != 0 => Want::Mode(CONTAINED),
        Life::Restricted if label & SERVED != 0 => Want::Mode(SERVED),
        Life::Restricted => Want::Run(evidence.trainings[exposure.required_by(place).find(after)?].node),
        Life::Erased if evidence.seeds.contains(&(node, SERVED)) => Want::Mode(SERVED),
        Life::Erased if index() => Want::Mode(CONTAINED),
        Life::Erased => return None,
    };
    Some(Barred { node, life, since, by })
}

/// Whether a run made a model, or a table of which nobody said where it comes from: what such a run read must be known. People
/// in a table are looked for apart.
fn makes_unstated(graph: &Graph, run: NodeId) -> bool {
    const STATED: u16 = Flags::ACQUIRED.0 | Flags::ENDPOINT.0 | PERSONAL.0;
    graph.downstream(run).map(|half| graph.node(half.node)).any(|made| {
        made.flags.0 & STATED == 0 && (made.kind == NodeKind::ModelVersion || made.flags.has(Flags::NO_ORIGIN))
    })
}

/// [`people_upstream`] where tables may come from one another in a circle: two that answer for each other answer for nothing. Only
/// people that somebody collected count, or may have.
fn source_upstream(graph: &Graph, (id, node): (NodeId, Node)) -> bool {
    let fiction = node.flags.has(FICTION);
    let (mut seen, mut next) = (HashSet::from([id]), vec![id]);
    while let Some(at) = next.pop() {
        let passes = |link: &Link| fiction || exposure::contains(graph, graph.node(at), link);
        for half in graph.upstream(at).filter(|half| passes(&half.link())) {
            if seen.insert(half.node) {
                if graph.node(half.node).flags.0 & (Flags::SOURCE.0 | Flags::DANGLING.0) != 0 {
                    return true;
                }
                next.push(half.node);
            }
        }
    }
    false
}

/// Whether anything upstream holds people, or may: what is made of it holds theirs. Executions form no cycle, so the nearest
/// table with people answers for what runs made of it; it is judged itself. What a deployment wrote may have been read by it
/// again: behind a deployment only people that somebody collected count.
///
/// People who only formed a model are not those a table written with it is about: they answer for none. That a table
/// describes nobody counts all the same only where not even they stand behind it.
///
/// `nobody` holds the nodes, seen so, behind which there are none: what was looked through once is not looked through again.
fn people_upstream(graph: &Graph, (id, node): (NodeId, Node), nobody: &mut HashSet<(NodeId, bool, bool)>) -> bool {
    const MAY: u16 = Flags::SOURCE.0 | Flags::DANGLING.0 | Flags::UNCLASSIFIED.0;
    let fiction = node.flags.has(FICTION);
    let counts = |at: NodeId, link: &Link| fiction || exposure::contains(graph, graph.node(at), link);
    // Nearly always the run that made it read a table with people.
    let read = |run: NodeId| {
        graph.older_causes(run).iter().any(|read| graph.node(read.node).flags.has(PERSONAL) && counts(run, read))
    };
    if graph.older_causes(id).iter().any(|made| graph.node(made.node).kind == NodeKind::Run && read(made.node)) {
        return true;
    }
    let mut seen = HashSet::from([(id, false, fiction)]);
    let mut next = vec![(id, false)];
    while let Some((at, lasting)) = next.pop() {
        for half in graph.upstream(at).filter(|half| counts(at, &half.link())) {
            let cause = graph.node(half.node);
            let lasting = lasting || cause.kind == NodeKind::Deployment;
            let unstated = || !lasting || graph.is_end(half.node, Direction::Upstream);
            if cause.flags.0 & MAY != 0 || (cause.flags.has(PERSONAL) && unstated()) {
                return true;
            }
            let met = (half.node, lasting, fiction);
            if !nobody.contains(&met) && seen.insert(met) {
                next.push((half.node, lasting));
            }
        }
    }
    nobody.extend(seen);
    false
}
