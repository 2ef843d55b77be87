//! Marks that need no clearing: a walk costs what it visits, never the size of the graph.
//!
//! A walk keeps the nodes it met in a dense list of its own; the marks say where in that list each node stands. A mark of
//! an earlier walk is recognised because the list does not hold that node there. Four bytes per node and thread, so that
//! the marks of hundreds of thousands of nodes stay in the processor's cache: with labels beside the marks the
//! walk of the gate took more than twice as long.

use std::cell::Cell;

use super::super::graph::{Link, Node, NodeId, Spot};

/// An element of a walk's dense list.
pub(in super::super) trait Met {
    /// The node it stands for.
    fn id(&self) -> NodeId;
}

impl<T> Met for (NodeId, T) {
    #[inline(always)]
    fn id(&self) -> NodeId {
        self.0
    }
}

/// Marks, and lists that keep their memory between walks.
#[derive(Default)]
pub(in super::super) struct Scratch {
    places: Vec<u32>,
    /// Of the first nodes of a labelled walk's dense list, which grew or are in a depth-first walk.
    pub(super) states: Vec<u8>,
    /// Where the edges of the nodes stand whose turn comes next.
    pub(super) spots: Vec<Spot>,
    /// What these nodes are.
    pub(super) nodes: Vec<Node>,
    /// Places of nodes whose label grew after it was passed on.
    pub(super) grown: Vec<usize>,
    /// Places to enter or (true) to leave in a depth-first walk.
    pub(super) stack: Vec<(usize, bool)>,
    /// Places in the order they were left.
    pub(super) left: Vec<usize>,
}

impl Scratch {
    /// Where in the list a node stands.
    #[inline(always)]
    pub(in super::super) fn find<T: Met>(&self, list: &[T], node: NodeId) -> Option<usize> {
        look(self.places[node.index()], list, node)
    }

    /// Has memory bring the marks of these edges' ends before each is looked at. What it gives means nothing.
    #[inline(always)]
    pub(super) fn touch(&self, links: &[Link]) -> u32 {
        links.iter().filter_map(|link| self.places.get(link.node.index())).fold(0, |all, mark| all | mark)
    }

    /// The same as [`Self::find`]; if it is not there, it is marked as the one to be pushed next.
    #[inline(always)]
    pub(in super::super) fn find_or_mark<T: Met>(&mut self, list: &[T], node: NodeId) -> Option<usize> {
        let mark = &mut self.places[node.index()];
        let found = look(*mark, list, node);
        if found.is_none() {
            // A list never has more elements than there are node numbers.
            *mark = u32::try_from(list.len()).unwrap_or(u32::MAX);
        }
        found
    }
}

/// An old mark may lie behind the end of the list. Pulling it in costs nothing; asking would be a second branch that
/// nobody can predict.
#[inline(always)]
fn look<T: Met>(mark: u32, list: &[T], node: NodeId) -> Option<usize> {
    let place = (mark as usize).min(list.len().wrapping_sub(1));
    list.get(place).is_some_and(|met| met.id() == node).then_some(place)
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// Gives a walk this thread's scratch, with marks for `nodes` nodes. While it is in use it is not in the thread's place:
/// a walk begun within a walk gets one of its own.
pub(in super::super) fn with<R>(nodes: usize, walk: impl FnOnce(&mut Scratch) -> R) -> R {
    let mut scratch = SCRATCH.take().unwrap_or_default();
    if scratch.places.len() < nodes {
        scratch.places.resize(nodes, 0);
    }
    let result = walk(&mut scratch);
    // The larger one stays.
    match SCRATCH.take() {
        Some(inner) if inner.places.len() > scratch.places.len() => SCRATCH.set(Some(inner)),
        _ => SCRATCH.set(Some(scratch)),
    }
    result
}

#[cfg(test)]
mod tests {
    use super::{NodeId, with};

    #[test]
    fn nested_use_and_old_marks() {
        let mut outer = Vec::new();
        with(4, |s| {
            assert_eq!(s.find_or_mark(&outer, NodeId(2)), None);
            outer.push((NodeId(2), ()));
            with(9, |s| {
                let mut inner: Vec<(NodeId, ())> = Vec::new();
                for node in [8, 2] {
                    assert_eq!(s.find_or_mark(&inner, NodeId(node)), None);
                    inner.push((NodeId(node), ()));
                }
                assert_eq!(s.find_or_mark(&inner, NodeId(2)), Some(1));
            });
            assert_eq!((s.find(&outer, NodeId(2)), s.find(&outer, NodeId(3))), (Some(0), None));
        });
        with(9, |s| {
            let next: Vec<(NodeId, ())> = vec![(NodeId(5), ()), (NodeId(6), ())];
            assert!((0..9).filter(|&id| id != 5).all(|id| s.find(&next, NodeId(id)).is_none()));
        });
    }
}
