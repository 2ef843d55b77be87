//! Tables that identify people further than they state, by what they were made of.

use licit_schemas::registry::Identifiability;

use super::{Evidence, Risk};
use crate::lineage::graph::{EdgeKind, NodeId, NodeKind, Role};
use crate::lineage::{ASSESSED, levels};

impl Evidence<'_> {
    /// The level implied of a table that states less; *none* of others. What an assessment in force says to hold nobody implies
    /// nothing.
    pub fn raised(&self, node: NodeId) -> Identifiability {
        let graph = self.world.lineage.graph();
        if graph.node(node).implied == 0 {
            return Identifiability::None;
        }
        let cut = |node: NodeId| graph.node(node).flags.has(ASSESSED) && self.cuts(node);
        levels::raised_without(&self.world.lineage, node, &cut, &mut self.raised.borrow_mut())
    }
}

/// What a run brings together that combines a pseudonymised table with one of another dataset that names its people, where one of
/// them does not say so.
pub(super) fn risk(evidence: &Evidence<'_>, run: NodeId) -> Option<Risk> {
    let lineage = &evidence.world.lineage;
    let graph = lineage.graph();
    let measured = |role| matches!(role, Role::Validation | Role::Test | Role::BiasCheck);
    let read = graph.upstream(run).filter(|half| half.kind == EdgeKind::Used && !measured(half.role));
    let tables: Vec<NodeId> =
        read.map(|half| half.node).filter(|node| graph.node(*node).kind == NodeKind::DatasetVersion).collect();
    if tables.iter().all(|table| graph.node(*table).implied == 0) {
        return None;
    }
    let is = |table: NodeId, level: Identifiability| {
        lineage.class(table).identifiability == level || evidence.raised(table) == level
    };
    let of = |level: Identifiability| tables.iter().copied().filter(move |table| is(*table, level));
    let dataset = |table: NodeId| graph.node(table).dataset;
    of(Identifiability::Pseudonym).find_map(|pseudonymised| {
        let named = of(Identifiability::Direct).find(|named| dataset(*named) != dataset(pseudonymised))?;
        Some(Risk::Reidentified(pseudonymised, named))
    })
}
