//! The lineage graph: who came from what, in a form made for walking.
//!
//! Direction everywhere: `from` is the effect, `to` its cause; upstream follows `from → to`. A [`Graph`] is a value: a
//! clone costs a few reference counts, and neither copy sees what the other does later. The writer keeps a clone as the
//! mark it rolls back to, and publishes clones to readers.
//!
//! Edges stand in compressed offsets in both directions, plus a delta of the edges since. When the delta passes
//! [`Graph::late_limit`] it is merged. Neither merging nor loading changes the order in which edges of a node are
//! seen (the order they were added in), so that two servers with different pasts answer with the same bytes.

mod offsets;
mod types;

use std::collections::HashSet;

pub(super) use offsets::Spot;
pub use types::{Direction, Edge, EdgeKind, Flags, Half, Labels, Link, Node, NodeId, NodeKind, Origin, Role};

use super::pages::Pages;
use offsets::{Entry, Side};

/// Nodes and edges; see the module.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Pages<Node>,
    up: Side,
    down: Side,
}

impl Graph {
    /// An empty graph.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A graph from rows, at once: many times faster than adding them one by one, and the same graph afterwards.
    /// As with [`Self::add_edge`], repeated edges and edges of unknown nodes are left out.
    #[must_use]
    pub fn load(nodes: impl IntoIterator<Item = Node>, edges: &[Edge]) -> Self {
        let nodes: Pages<Node> = nodes.into_iter().collect();
        let count = nodes.len();
        let known = |edge: &&Edge| edge.from.index() < count && edge.to.index() < count;
        let up = Side::build(count, edges.iter().filter(known).map(up_entry));
        let graph = Self { nodes, up, down: Side::default() };
        let repeating = graph.with_repeats();
        if repeating.is_empty() {
            return Self { down: Side::build(count, edges.iter().filter(known).map(down_entry)), ..graph };
        }
        let mut seen = HashSet::new();
        let is_first = |edge: &&Edge| {
            repeating.binary_search(&edge.from).is_err() || seen.insert((edge.from, edge.to, label(edge)))
        };
        let once: Vec<Edge> = edges.iter().filter(known).filter(is_first).copied().collect();
        let up = Side::build(count, once.iter().map(up_entry));
        Self { nodes: graph.nodes, up, down: Side::build(count, once.iter().map(down_entry)) }
    }

    /// The nodes, in order, that have some edge twice.
    fn with_repeats(&self) -> Vec<NodeId> {
        let mut labels = Vec::new();
        let has_repeat = |id: &NodeId| {
            labels.clear();
            labels.extend(self.upstream(*id).map(|half| (half.node, half.kind, half.role, half.origin)));
            labels.sort_unstable();
            labels.windows(2).any(|pair| pair[0] == pair[1])
        };
        (0..self.next_id().0).map(NodeId).filter(has_repeat).collect()
    }

    /// How many nodes there are.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// How many edges there are.
    #[must_use]
    pub fn edge_count(&self) -> usize {
        self.up.base_count() + self.up.late_count()
    }

    /// How many of the edges are in the delta.
    #[must_use]
    pub fn late_count(&self) -> usize {
        self.up.late_count()
    }

    /// The size the delta may reach: 4096 edges, or a twentieth of the base.
    #[must_use]
    pub fn late_limit(&self) -> usize {
        (self.up.base_count() / 20).max(4096)
    }

    /// The number the next node gets. (2^32 nodes are 32 GiB of nodes alone: memory ends first.)
    fn next_id(&self) -> NodeId {
        NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX))
    }

    /// Whether this graph gave that number.
    #[must_use]
    #[inline]
    pub fn contains(&self, id: NodeId) -> bool {
        id.index() < self.nodes.len()
    }

    /// Appends a node.
    pub fn add_node(&mut self, node: Node) -> NodeId {
        let id = self.next_id();
        self.nodes.push(node);
        id
    }

    /// Replaces a node (a flag or its class changed); a number the graph never gave changes nothing.
    pub fn set_node(&mut self, id: NodeId, node: Node) {
        self.nodes.set(id.index(), node);
    }

    /// The node of a number; [`Node::MISSING`] for a number the graph never gave.
    #[must_use]
    #[inline(always)]
    pub fn node(&self, id: NodeId) -> Node {
        self.nodes.get(id.index())
    }

    /// Adds an edge; false if it was there already (whatever its sequence), or names a node the graph never gave.
    /// Cycles are not refused here: whoever adds asks [`Self::would_cycle`] where a cycle is a fault.
    pub fn add_edge(&mut self, edge: Edge) -> bool {
        if !self.contains(edge.from) || !self.contains(edge.to) || self.has_edge(&edge) {
            return false;
        }
        self.up.push(up_entry(&edge));
        self.down.push(down_entry(&edge));
        if self.late_count() > self.late_limit() {
            self.compact();
        }
        true
    }

    /// Whether this edge is there, whatever its sequence. Looks at the end with fewer edges: a dataset that all runs
    /// read would otherwise make each further run slower.
    #[must_use]
    pub fn has_edge(&self, edge: &Edge) -> bool {
        let (from, to) = (edge.from.0, edge.to.0);
        if self.up.is_bare(from) || self.down.is_bare(to) {
            return false;
        }
        if self.up.degree(from) <= self.down.degree(to) {
            self.up.contains(from, to, label(edge))
        } else {
            self.down.contains(to, from, label(edge))
        }
    }

    /// Merges the delta into the base. Other copies keep theirs.
    pub fn compact(&mut self) {
        // Beyond 2^32 edges offsets would not fit: the delta just goes on growing.
        if self.late_count() > 0 && u32::try_from(self.edge_count()).is_ok() {
            self.up.compact(self.nodes.len());
            self.down.compact(self.nodes.len());
        }
    }

    /// The edges from a node to its causes, oldest first.
    #[inline(always)]
    pub fn upstream(&self, id: NodeId) -> impl Iterator<Item = Half> + '_ {
        self.up.halves(id.0)
    }

    /// The older of the edges from a node to its causes: for a quick look before a whole one.
    #[must_use]
    #[inline(always)]
    pub fn older_causes(&self, id: NodeId) -> &[Link] {
        self.up.links(self.up.spot(id.0))
    }

    /// The edges from a node to its effects, oldest first.
    #[inline(always)]
    pub fn downstream(&self, id: NodeId) -> impl Iterator<Item = Half> + '_ {
        self.down.halves(id.0)
    }

    /// Where the edges to a node's causes stand, for a walk that asks for many nodes before it reads.
    #[inline(always)]
    pub(super) fn upstream_spot(&self, id: NodeId) -> Spot {
        self.up.spot(id.0)
    }

    /// The older edges at a spot of [`Self::upstream_spot`], oldest first.
    #[inline(always)]
    pub(super) fn links(&self, spot: Spot) -> &[Link] {
        self.up.links(spot)
    }

    /// The younger ones, oldest first.
    #[inline(always)]
    pub(super) fn late_links(&self, spot: Spot) -> impl Iterator<Item = Link> + '_ {
        self.up.late_links(spot)
    }

    /// How many edges a node has in a direction.
    #[must_use]
    pub fn degree(&self, id: NodeId, direction: Direction) -> usize {
        self.side(direction).degree(id.0)
    }

    /// Whether a node has no edge in a direction: a root, or nothing came of it.
    #[must_use]
    pub fn is_end(&self, id: NodeId, direction: Direction) -> bool {
        self.side(direction).is_bare(id.0)
    }

    /// The edges of a node in a direction, oldest first.
    #[inline(always)]
    pub fn edges(&self, id: NodeId, direction: Direction) -> impl Iterator<Item = Half> + '_ {
        self.side(direction).halves(id.0)
    }

    #[inline(always)]
    fn side(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Upstream => &self.up,
            Direction::Downstream => &self.down,
        }
    }
}

const fn label(edge: &Edge) -> u8 {
    types::pack(edge.kind, edge.role, edge.origin)
}

const fn up_entry(edge: &Edge) -> Entry {
    Entry { at: edge.from.0, other: edge.to.0, label: label(edge), seq: edge.seq }
}

const fn down_entry(edge: &Edge) -> Entry {
    Entry { at: edge.to.0, other: edge.from.0, label: label(edge), seq: edge.seq }
}

#[cfg(test)]
#[path = "graph_tests.rs"]
pub(super) mod tests;
