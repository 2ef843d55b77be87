//! Tables that identify people further than they state, by what they were made of.

use licit_schemas::registry::Identifiability;

use super::Evidence;
use crate::lineage::graph::NodeId;
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
