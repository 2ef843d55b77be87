//! Edges as they were at a moment.

use licit_schemas::time::Timestamp;

use super::State;
use super::graph::{Half, NodeId};
use crate::registry::What;

impl State {
    /// Since when the edge of a fact is valid, where that was said.
    pub fn began(&self, seq: u64) -> Option<Timestamp> {
        self.began.get(&seq).copied()
    }

    /// Whether an edge that leaves a node was there at a moment: it is that of a run that had begun by then, or holds since then or
    /// before. Of what nobody dated nothing says that it was not there.
    pub fn stood(&self, left: NodeId, half: &Half, at: Timestamp) -> bool {
        let begun = |id: NodeId| match self.record(id).held.as_deref().map(|held| &held.what) {
            Some(What::Run(run)) => run.started_at <= at,
            _ => true,
        };
        self.began(half.seq).is_none_or(|from| from <= at) && begun(left) && begun(half.node)
    }
}
