//! Runs that may bring tables together: what of them links people, the gate says.

use licit_schemas::registry::Operation;

use super::graph::{EdgeKind, Flags, Node, NodeId, NodeKind};
use super::{JOINS, State};

/// Whether rows of several inputs become one row of a result, or one example that a model learns from. Copies, filters and what
/// takes identifiers away work table by table; what measures writes figures.
fn joins(operation: Operation) -> bool {
    use Operation::{Aggregate, Combine, Derive, Infer, Synthesise};
    operation.trains() || matches!(operation, Aggregate | Combine | Derive | Infer | Synthesise)
}

impl State {
    /// Note on a run that it reads several datasets as data, or says to combine: that stays so, whatever is recorded later.
    pub(super) fn note_join(&mut self, run: NodeId) {
        let node = self.graph.node(run);
        let Some(operation) = self.class_at(node.class).traits.operation else { return };
        if node.flags.has(JOINS) || !joins(operation) {
            return;
        }
        let alike = {
            let graph = &self.graph;
            let mut datasets = graph
                .upstream(run)
                .filter(|half| half.kind == EdgeKind::Used && !half.role.measures())
                .map(|half| graph.node(half.node))
                .filter(|node| node.kind == NodeKind::DatasetVersion);
            let first = datasets.next();
            // What dangles may be of any dataset.
            let same = |other: Node, first: Node| !other.flags.has(Flags::DANGLING) && first.dataset == other.dataset;
            first.is_none_or(|first| datasets.all(|other| same(other, first)))
        };
        if operation == Operation::Combine || !alike {
            self.flag(run, JOINS);
        }
    }
}
