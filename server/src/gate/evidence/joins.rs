//! Joins: what several tables say together that none said alone.

use std::sync::{LazyLock, OnceLock};

use licit_schemas::registry::Identifiability;
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::lineage::graph::{EdgeKind, Flags, NodeId, NodeKind};
use crate::lineage::{Class, PERSONAL, State};
use crate::registry::What;
use crate::registry::vocabulary::{TermId, vocabulary};

/// Categories that identify nobody alone and most people together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentifyingSet {
    /// Stable id.
    pub id: String,
    /// In words.
    pub name: String,
    /// DPV categories, each or a narrower one.
    pub needs: Vec<String>,
    /// What the literature found.
    pub figure: String,
    #[serde(skip)]
    terms: OnceLock<Vec<TermId>>,
}

static SETS: LazyLock<Vec<IdentifyingSet>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../data/identification/sets.json"))
        .unwrap_or_else(|e| unreachable!("an embedded table parses; a test reads it: {e}"))
});

impl IdentifyingSet {
    fn within(&self, inputs: &[(NodeId, &Class)]) -> bool {
        let v = vocabulary();
        let terms = self.terms.get_or_init(|| self.needs.iter().filter_map(|iri| v.find(iri)).collect());
        let held = |need: TermId| inputs.iter().any(|(_, class)| class.categories.iter().any(|own| v.is_a(*own, need)));
        terms.iter().all(|need| held(*need))
    }
}

/// Why a join may make people identifiable.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Together its inputs hold a set that identifies people, and none holds it alone.
    Set(#[serde(serialize_with = "id_of")] &'static IdentifyingSet),
    /// The first input is pseudonymised, the second names its people: whether they share a scope nobody can exclude.
    Reidentified(#[serde(skip)] NodeId, #[serde(skip)] NodeId),
    /// The two inputs have no controller in common.
    Controllers(#[serde(skip)] NodeId, #[serde(skip)] NodeId),
    /// Nobody said what this input holds.
    Unclear(#[serde(skip)] NodeId),
}

fn id_of<S: serde::Serializer>(set: &&IdentifyingSet, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&set.id)
}

/// A join that needs an assessment.
#[derive(Clone, Copy, Debug)]
pub struct Join {
    /// The run.
    pub run: NodeId,
    /// Why.
    pub risk: Risk,
}

/// Whether nobody said what a node holds, and no default class answers at a moment.
fn is_unclear(lineage: &State, id: NodeId, flags: Flags, now: Timestamp) -> bool {
    let answered = || match lineage.record(id).held.as_deref().map(|held| &held.what) {
        Some(What::Dataset(facts)) => facts.unanswered(now).is_empty(),
        _ => false,
    };
    flags.has(Flags::DANGLING) || (flags.has(Flags::UNCLASSIFIED) && !answered())
}

/// What a run that combines makes of its inputs, if it needs an assessment.
pub(super) fn join(lineage: &State, run: NodeId, now: Timestamp) -> Option<Join> {
    let graph = lineage.graph();
    let mut inputs: Vec<(NodeId, &Class)> = Vec::new();
    let mut unclear = None;
    for half in graph.upstream(run).filter(|half| half.kind == EdgeKind::Used) {
        let node = graph.node(half.node);
        if is_unclear(lineage, half.node, node.flags, now) {
            unclear = unclear.or(Some(half.node));
        } else if node.kind == NodeKind::DatasetVersion && node.flags.has(PERSONAL) {
            inputs.push((half.node, lineage.class_at(node.class)));
        }
    }
    let risk = match unclear {
        Some(node) => Some(Risk::Unclear(node)),
        None if inputs.len() < 2 => None,
        None => reidentified(&inputs).or_else(|| controllers(&inputs)).or_else(|| set(&inputs)),
    };
    risk.map(|risk| Join { run, risk })
}

fn of_strength(inputs: &[(NodeId, &Class)], strength: Identifiability) -> Option<NodeId> {
    inputs.iter().find(|(_, class)| class.identifiability == strength).map(|(node, _)| *node)
}

fn reidentified(inputs: &[(NodeId, &Class)]) -> Option<Risk> {
    let pseudonymised = of_strength(inputs, Identifiability::Pseudonym)?;
    Some(Risk::Reidentified(pseudonymised, of_strength(inputs, Identifiability::Direct)?))
}

fn controllers(inputs: &[(NodeId, &Class)]) -> Option<Risk> {
    let (first, class) = inputs.first()?;
    let foreign = |other: &Class| !other.controllers.iter().any(|c| class.controllers.contains(c));
    inputs.iter().find(|(_, other)| foreign(other)).map(|(other, _)| Risk::Controllers(*first, *other))
}

fn set(inputs: &[(NodeId, &Class)]) -> Option<Risk> {
    if of_strength(inputs, Identifiability::Direct).is_some() {
        return None; // Its people are named already, and the basis of that input covers it.
    }
    let alone = |set: &IdentifyingSet| inputs.chunks(1).any(|one| set.within(one));
    SETS.iter().find(|set| set.within(inputs) && !alone(set)).map(Risk::Set)
}

/// Datasets a run wrote.
pub fn outputs(lineage: &State, run: NodeId) -> impl Iterator<Item = NodeId> + '_ {
    let graph = lineage.graph();
    graph
        .downstream(run)
        .filter(|half| half.kind == EdgeKind::Generated)
        .map(|half| half.node)
        .filter(|node| graph.node(*node).kind == NodeKind::DatasetVersion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_name_known_terms() {
        for set in SETS.iter() {
            assert!(set.needs.len() > 1 && set.needs.iter().all(|iri| vocabulary().find(iri).is_some()), "{}", set.id);
        }
    }
}
