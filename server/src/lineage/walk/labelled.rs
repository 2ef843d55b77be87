//! The walk of the gate: what reaches each node, and in what form.

use super::super::graph::{Direction, EdgeKind, Graph, Labels, Link, Node, NodeId};
use super::scratch::{self, Scratch};

/// A set of up to 64 things that can be carried upstream.
pub type Label = u64;

/// Each node something reaches, with everything that reaches it, in order of first discovery.
pub type Labelled = Vec<(NodeId, Label)>;

/// A node as a walk found it at its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its place in the answer.
    pub place: usize,
    /// Its content.
    pub node: Node,
    /// Nothing is upstream of it.
    pub is_root: bool,
    /// Its first edge says of what it came, and is not of another name of it. Where this is not set, its edges say.
    pub is_made: bool,
}

/// What passes upstream. It must be monotone: a larger label never passes less.
pub trait Transfer {
    /// What of a label passes over an edge (the node being left, its content, the edge, its label): 0 if nothing does.
    fn pass(&mut self, id: NodeId, node: Node, link: &Link, label: Label) -> Label;

    /// What of it passes over each of those edges of a node that are in [`Self::alike`], asked once for all of them; none where
    /// each is to be asked.
    #[inline(always)]
    fn pass_alike(&mut self, _: NodeId, _: Node, _: Label) -> Option<Label> {
        None
    }

    /// The edges for which one answer serves.
    fn alike(&self) -> &Labels;

    /// Is told of each node at its turn.
    #[inline(always)]
    fn meet(&mut self, _: Seen) {}
}

impl<F: FnMut(NodeId, Node, &Link, Label) -> Label> Transfer for F {
    #[inline(always)]
    fn pass(&mut self, id: NodeId, node: Node, link: &Link, label: Label) -> Label {
        self(id, node, link, label)
    }

    fn alike(&self) -> &Labels {
        &Labels::NONE
    }
}

/// The label of a node that had its turn grew after it was passed on.
const GROWN: u8 = 1;
/// In the depth-first walk that is going on.
const SEEN: u8 = 2;

/// How many nodes are read before the first of them has its turn. A walk over a large graph waits for memory at every node;
/// asked for together, the answers come together.
const AHEAD: usize = 32;

/// Walks upstream from `seeds`. The label of a node is the union over all ways to it; `transfer` is [`Transfer::pass`]. Cycles are
/// walked until nothing grows.
#[must_use]
pub fn labelled(
    graph: &Graph,
    seeds: &[(NodeId, Label)],
    mut transfer: impl FnMut(NodeId, Node, &Link, Label) -> Label,
) -> Labelled {
    let mut out = Vec::new();
    labelled_into(graph, seeds, &mut transfer, &mut out);
    out
}

/// [`labelled`] into a list that is used again and again (its content is replaced).
///
/// Nodes are taken breadth first. Where a label grew after it was passed on (a longer way brought something new), it is
/// passed on again: first in the order of growth, up to half as many times as there are nodes, then in topological order.
/// Without cycles, and unless growth opens edges nothing passed before, all of it costs at most two and a half plain walks
/// and a sort, however many ways lead to a node; each circle of growth costs one round more.
pub fn labelled_into(graph: &Graph, seeds: &[(NodeId, Label)], transfer: &mut impl Transfer, out: &mut Labelled) {
    out.clear();
    scratch::with(graph.node_count(), |scratch| {
        scratch.states.clear();
        scratch.grown.clear();
        for &(seed, label) in seeds {
            if graph.contains(seed) && label != 0 {
                offer(scratch, out, 0, seed, label);
            }
        }
        let mut next = 0;
        loop {
            while next < out.len() {
                next = spread_next(graph, scratch, out, next, transfer);
            }
            // A few late labels are cheapest passed on in the order they came; many need a better order.
            let mut turns = 0;
            while turns < scratch.grown.len() && turns < out.len() / 2 {
                let place = scratch.grown[turns];
                turns += 1;
                if scratch.states[place] & GROWN != 0 {
                    spread(graph, scratch, out, (next, place), transfer);
                }
            }
            scratch.grown.drain(..turns);
            if !scratch.grown.is_empty() {
                again(graph, scratch, out, next, transfer);
            } else if next == out.len() {
                break;
            }
        }
    });
}

/// Adds a label to a node; `had` is how many nodes at the front of the list had their turn.
#[inline(always)]
fn offer(scratch: &mut Scratch, out: &mut Labelled, had: usize, id: NodeId, label: Label) {
    let Some(place) = scratch.find_or_mark(out, id) else {
        out.push((id, label));
        return;
    };
    let known = &mut out[place].1;
    if label & !*known != 0 {
        *known |= label;
        if place < had {
            grow(scratch, had, place);
        }
    }
}

#[cold]
fn grow(scratch: &mut Scratch, had: usize, place: usize) {
    if scratch.states.len() < had {
        scratch.states.resize(had, 0);
    }
    if scratch.states[place] & GROWN == 0 {
        scratch.states[place] |= GROWN;
        scratch.grown.push(place);
    }
}

/// Passes on the labels of the next nodes of the list, and gives the place after them.
#[inline(always)]
fn spread_next(
    graph: &Graph,
    scratch: &mut Scratch,
    out: &mut Labelled,
    first: usize,
    transfer: &mut impl Transfer,
) -> usize {
    let last = out.len().min(first + AHEAD);
    let mut spots = std::mem::take(&mut scratch.spots);
    spots.clear();
    spots.extend(out[first..last].iter().map(|&(id, _)| graph.upstream_spot(id)));
    let mut nodes = std::mem::take(&mut scratch.nodes);
    nodes.clear();
    nodes.extend(out[first..last].iter().map(|&(id, _)| graph.node(id)));
    std::hint::black_box(spots.iter().fold(0, |all, &spot| all | scratch.touch(graph.links(spot))));
    for ((place, &node), &spot) in (first..last).zip(&nodes).zip(&spots) {
        let (id, label) = out[place];
        let is_made = graph.links(spot).first().is_some_and(|link| link.kind() != EdgeKind::ComposedOf);
        transfer.meet(Seen { place, node, is_root: spot.is_bare(), is_made });
        let alike = transfer.pass_alike(id, node, label);
        let mut over = |link: &Link| {
            let passed = match alike {
                Some(passed) if link.is_in(transfer.alike()) => passed,
                _ => transfer.pass(id, node, link, label),
            };
            if passed != 0 {
                offer(scratch, out, place + 1, link.node, passed);
            }
        };
        graph.links(spot).iter().for_each(&mut over);
        if spot.has_late() {
            graph.late_links(spot).for_each(|link| over(&link));
        }
    }
    (scratch.spots, scratch.nodes) = (spots, nodes);
    last
}

/// Passes on the label of one node again; `had` nodes had their turn.
fn spread(
    graph: &Graph,
    scratch: &mut Scratch,
    out: &mut Labelled,
    (had, place): (usize, usize),
    transfer: &mut impl Transfer,
) {
    let (id, label) = out[place];
    scratch.states[place] &= !GROWN;
    let node = graph.node(id);
    for half in graph.upstream(id) {
        let passed = transfer.pass(id, node, &half.link(), label);
        if passed != 0 {
            offer(scratch, out, had, half.node, passed);
        }
    }
}

/// Passes on what grew: one depth-first walk from there, then every grown node with causes after effects. What is left
/// grown afterwards lies on a cycle, and has its turn in the next round.
#[cold]
#[inline(never)]
fn again(graph: &Graph, scratch: &mut Scratch, out: &mut Labelled, had: usize, transfer: &mut impl Transfer) {
    scratch.states.resize(out.len(), 0);
    let mut stack = std::mem::take(&mut scratch.stack);
    let mut left = std::mem::take(&mut scratch.left);
    let mut grown = std::mem::take(&mut scratch.grown);
    left.clear();
    for &start in &grown {
        stack.push((start, false));
        while let Some((place, leaving)) = stack.pop() {
            if leaving {
                left.push(place);
                continue;
            }
            let state = &mut scratch.states[place];
            if *state & SEEN != 0 {
                continue;
            }
            *state |= SEEN;
            stack.push((place, true));
            for half in graph.edges(out[place].0, Direction::Upstream) {
                let met = scratch.find(out, half.node);
                stack.extend(met.filter(|&place| scratch.states[place] & SEEN == 0).map(|place| (place, false)));
            }
        }
    }
    for &place in left.iter().rev() {
        let state = &mut scratch.states[place];
        *state &= !SEEN;
        if *state & GROWN != 0 {
            spread(graph, scratch, out, (had, place), transfer);
        }
    }
    // Every node that grew meanwhile is noted again; those that had their turn are done.
    grown.clear();
    grown.append(&mut scratch.grown);
    grown.retain(|&place| scratch.states[place] & GROWN != 0);
    grown.sort_unstable();
    grown.dedup();
    (scratch.stack, scratch.left, scratch.grown) = (stack, left, grown);
}
