//! Walks over a [`Graph`]: each gives the whole answer, none follows a limit of its own.
//!
//! No recursion: a chain of a million runs is as safe as a short one. Ties fall to the edge added first.

mod labelled;
pub(super) mod scratch;

pub use super::graph::Direction;
pub use labelled::{Label, Labelled, Seen, Transfer, labelled, labelled_into};

use super::graph::{Graph, Half, NodeId};
use scratch::{Met, Scratch};

/// The place before that of a node a walk began at.
const SEED: usize = usize::MAX;

/// A node of a closure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The node.
    pub node: NodeId,
    /// The node before it on a shortest way; none for a seed.
    pub via: Option<NodeId>,
    /// Edges from the nearest seed.
    pub depth: u32,
}

impl Met for Reached {
    #[inline]
    fn id(&self) -> NodeId {
        self.node
    }
}

/// Everything reached from `seeds` (themselves first), nearest first.
#[must_use]
pub fn closure(graph: &Graph, seeds: &[NodeId], direction: Direction) -> Vec<Reached> {
    closure_over(graph, seeds, direction, |_, _| true)
}

/// [`closure`] over edges that `allow` lets pass, of those that leave a node.
#[must_use]
pub fn closure_over(
    graph: &Graph,
    seeds: &[NodeId],
    direction: Direction,
    allow: impl Fn(NodeId, &Half) -> bool,
) -> Vec<Reached> {
    let mut out: Vec<Reached> = Vec::with_capacity(seeds.len());
    scratch::with(graph.node_count(), |scratch| {
        for &node in seeds {
            if graph.contains(node) && scratch.find_or_mark(&out, node).is_none() {
                out.push(Reached { node, via: None, depth: 0 });
            }
        }
        let mut next = 0;
        while let Some(&Reached { node, depth, .. }) = out.get(next) {
            next += 1;
            for half in graph.edges(node, direction) {
                if allow(node, &half) && scratch.find_or_mark(&out, half.node).is_none() {
                    out.push(Reached { node: half.node, via: Some(node), depth: depth + 1 });
                }
            }
        }
    });
    out
}

/// The queue of a breadth-first walk: each node with the place of the one it was reached over.
type Queue = Vec<(NodeId, usize)>;

/// Breadth first from `seeds` over the edges `allow` lets pass, until `target` is found (then it is last) or nothing is
/// left.
fn breadth_first(
    graph: &Graph,
    scratch: &mut Scratch,
    seeds: &[NodeId],
    direction: Direction,
    target: Option<NodeId>,
    allow: impl Fn(&Half) -> bool,
) -> Queue {
    let mut queue = Queue::with_capacity(seeds.len());
    let mut reach = |queue: &mut Queue, node: NodeId, via: usize| {
        let first = scratch.find_or_mark(queue, node).is_none();
        if first {
            queue.push((node, via));
        }
        first && Some(node) == target
    };
    for &seed in seeds {
        if graph.contains(seed) && reach(&mut queue, seed, SEED) {
            return queue;
        }
    }
    let mut next = 0;
    while let Some(&(node, _)) = queue.get(next) {
        for half in graph.edges(node, direction) {
            if allow(&half) && reach(&mut queue, half.node, next) {
                return queue;
            }
        }
        next += 1;
    }
    queue
}

/// The way to the node at a place of the queue.
fn way_to(queue: &Queue, mut place: usize) -> Vec<NodeId> {
    let mut path = Vec::new();
    while let Some(&(node, via)) = queue.get(place) {
        path.push(node);
        place = via;
    }
    path.reverse();
    path
}

/// The shortest way from `from` to `to`, both included, over edges that `allow` lets pass.
#[must_use]
pub fn shortest_path(
    graph: &Graph,
    from: NodeId,
    to: NodeId,
    direction: Direction,
    allow: impl Fn(&Half) -> bool,
) -> Option<Vec<NodeId>> {
    let queue =
        scratch::with(graph.node_count(), |scratch| breadth_first(graph, scratch, &[from], direction, Some(to), allow));
    let last = queue.len().checked_sub(1)?;
    (queue.last()?.0 == to).then(|| way_to(&queue, last))
}

/// Shortest ways from a set of seeds, kept for several questions.
#[derive(Clone, Debug)]
pub struct PathTree {
    queue: Queue,
    /// Where each node stands in the queue, sorted by node.
    places: Vec<(NodeId, usize)>,
}

impl PathTree {
    /// Walks once over the edges that `allow` lets pass.
    #[must_use]
    pub fn new(graph: &Graph, seeds: &[NodeId], direction: Direction, allow: impl Fn(&Half) -> bool) -> Self {
        let queue =
            scratch::with(graph.node_count(), |scratch| breadth_first(graph, scratch, seeds, direction, None, allow));
        let mut places: Vec<_> = queue.iter().enumerate().map(|(place, &(node, _))| (node, place)).collect();
        places.sort_unstable();
        Self { queue, places }
    }

    /// The shortest way from the nearest seed to `node`, both included.
    #[must_use]
    pub fn path_to(&self, node: NodeId) -> Option<Vec<NodeId>> {
        let found = self.places.binary_search_by_key(&node, |&(node, _)| node).ok()?;
        self.places.get(found).map(|&(_, place)| way_to(&self.queue, place))
    }
}

impl Graph {
    /// Whether an edge from `from` (the effect) to `to` (its cause) would close a circle: whether `to` came from `from`.
    /// At once when nothing came of `from` yet, which is what nearly every new edge finds.
    #[must_use]
    pub fn would_cycle(&self, from: NodeId, to: NodeId) -> bool {
        if from == to {
            return true;
        }
        if self.is_end(from, Direction::Downstream) || self.is_end(to, Direction::Upstream) {
            return false;
        }
        scratch::with(self.node_count(), |scratch| {
            let queue = breadth_first(self, scratch, &[to], Direction::Upstream, Some(from), |_| true);
            queue.last().is_some_and(|&(node, _)| node == from)
        })
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
