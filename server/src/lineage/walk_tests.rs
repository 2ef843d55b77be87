//! Walks against petgraph, against a naive fix-point, and on shapes that break recursion.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction as Way;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Bfs, Reversed};
use proptest::prelude::*;

use super::super::graph::tests::{blank, edges, half_and_half};
use super::super::graph::{Edge, EdgeKind, Link, Node, Origin, Role};
use super::*;

const NODES: u32 = 24;

fn oracle(list: &[Edge]) -> DiGraph<(), ()> {
    let mut graph = DiGraph::new();
    (0..NODES).for_each(|_| _ = graph.add_node(()));
    list.iter().for_each(|edge| _ = graph.add_edge(edge.from.0.into(), edge.to.0.into(), ()));
    graph
}

fn reach(graph: &DiGraph<(), ()>, from: u32, way: Way) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let start = NodeIndex::from(from);
    let mut add = |node: NodeIndex| _ = found.insert(u32::try_from(node.index()).unwrap());
    if way == Way::Outgoing {
        let mut bfs = Bfs::new(graph, start);
        std::iter::from_fn(|| bfs.next(graph)).for_each(&mut add);
    } else {
        let mut bfs = Bfs::new(Reversed(graph), start);
        std::iter::from_fn(|| bfs.next(Reversed(graph))).for_each(&mut add);
    }
    found
}

/// Whether each step of a path is an edge.
fn connected(list: &[Edge], path: &[NodeId]) -> bool {
    path.windows(2).all(|pair| list.iter().any(|edge| edge.from == pair[0] && edge.to == pair[1]))
}

proptest! {
    #[test]
    fn closures_and_cycles(list in edges(NODES, 60), from in 0..NODES, to in 0..NODES) {
        let (graph, oracle) = (half_and_half(NODES, &list), oracle(&list));
        for (direction, way) in [(Direction::Upstream, Way::Outgoing), (Direction::Downstream, Way::Incoming)] {
            let got = closure(&graph, &[NodeId(from)], direction);
            prop_assert_eq!(got.iter().map(|r| r.node.0).collect::<BTreeSet<_>>(), reach(&oracle, from, way));
            prop_assert_eq!(got.iter().map(|r| r.node).collect::<BTreeSet<_>>().len(), got.len());
            prop_assert!(got.windows(2).all(|pair| pair[0].depth <= pair[1].depth));
        }
        prop_assert_eq!(graph.would_cycle(NodeId(from), NodeId(to)), reach(&oracle, to, Way::Outgoing).contains(&from));
        let mut with = oracle.clone();
        with.add_edge(from.into(), to.into(), ());
        if !petgraph::algo::is_cyclic_directed(&oracle) {
            prop_assert_eq!(
                petgraph::algo::is_cyclic_directed(&with),
                graph.would_cycle(NodeId(from), NodeId(to))
            );
        }
    }

    #[test]
    fn shortest_paths(list in edges(NODES, 60), from in 0..NODES, to in 0..NODES) {
        let (graph, oracle) = (half_and_half(NODES, &list), oracle(&list));
        let lengths = petgraph::algo::dijkstra(&oracle, from.into(), None, |_| 1_usize);
        let got = shortest_path(&graph, NodeId(from), NodeId(to), Direction::Upstream, |_| true);
        prop_assert_eq!(got.as_ref().map(|path| path.len() - 1), lengths.get(&NodeIndex::from(to)).copied());
        let tree = PathTree::new(&graph, &[NodeId(from)], Direction::Upstream, |_| true);
        prop_assert_eq!(tree.path_to(NodeId(to)), got.clone());
        if let Some(path) = got {
            prop_assert!(connected(&list, &path) && path[0].0 == from && path.last() == Some(&NodeId(to)));
            let back = shortest_path(&graph, NodeId(to), NodeId(from), Direction::Downstream, |_| true);
            prop_assert_eq!(back.map(|path| path.len()), Some(path.len()));
        }
        let used: Vec<Edge> = list.iter().filter(|edge| edge.kind == EdgeKind::Used).copied().collect();
        let narrow = shortest_path(&graph, NodeId(from), NodeId(to), Direction::Upstream, |h| h.kind == EdgeKind::Used);
        let plain = half_and_half(NODES, &used);
        prop_assert_eq!(narrow.map(|path| path.len()),
            shortest_path(&plain, NodeId(from), NodeId(to), Direction::Upstream, |_| true).map(|path| path.len()));
    }

    #[test]
    fn labels_are_the_fix_point(list in edges(NODES, 90), seeds in prop::collection::vec((0..NODES, 1..256_u64), 1..4)) {
        let graph = half_and_half(NODES, &list);
        let seeds: Vec<(NodeId, Label)> = seeds.into_iter().map(|(node, label)| (NodeId(node), label)).collect();
        let got = labelled(&graph, &seeds, transfer);
        let mut naive: BTreeMap<NodeId, Label> = BTreeMap::new();
        seeds.iter().for_each(|&(node, label)| *naive.entry(node).or_default() |= label);
        loop {
            let before = naive.clone();
            for (&id, &label) in &before {
                for half in graph.upstream(id) {
                    let passed = transfer(id, graph.node(id), &half.link(), label);
                    if passed != 0 {
                        *naive.entry(half.node).or_default() |= passed;
                    }
                }
            }
            if naive == before {
                break;
            }
        }
        prop_assert_eq!(got.len(), naive.len());
        prop_assert_eq!(got.iter().copied().collect::<BTreeMap<_, _>>(), naive);
        prop_assert_eq!(labelled(&graph, &seeds, transfer), got);
    }
}

/// Some of everything: edges that stop a bit, turn one into another, add one.
fn transfer(id: NodeId, _: Node, link: &Link, label: Label) -> Label {
    match link.kind() {
        EdgeKind::Used => label,
        EdgeKind::Generated => label & !1,
        EdgeKind::Emits => label | 1 << (8 + id.0),
        EdgeKind::Runs => (label & !2) | (label & 2) << 1,
        EdgeKind::ServesOn => label << 1 & 0xff,
        EdgeKind::ComposedOf => label & 0x0f,
        EdgeKind::DisclosedTo => 0,
    }
}

fn edge(from: u32, to: u32) -> Edge {
    let (kind, role, origin) = (EdgeKind::Used, Role::None, Origin::Declared);
    Edge { from: NodeId(from), to: NodeId(to), kind, role, origin, seq: 1 }
}

#[test]
fn a_chain_of_a_million() {
    const LAST: u32 = 999_999;
    let list: Vec<Edge> = (0..LAST).map(|i| edge(i, i + 1)).collect();
    let graph = Graph::load((0..=LAST).map(|_| Node::new(super::super::graph::NodeKind::Run)), &list);
    assert_eq!(closure(&graph, &[NodeId(0)], Direction::Upstream).last().map(|r| r.depth), Some(LAST));
    assert_eq!(closure(&graph, &[NodeId(LAST)], Direction::Downstream).len(), 1_000_000);
    let path = shortest_path(&graph, NodeId(0), NodeId(LAST), Direction::Upstream, |_| true);
    assert_eq!(path.map(|path| path.len()), Some(1_000_000));
    let tree = PathTree::new(&graph, &[NodeId(0)], Direction::Upstream, |_| true);
    assert_eq!(tree.path_to(NodeId(LAST)).map(|path| path.len()), Some(1_000_000));
    assert!(graph.would_cycle(NodeId(LAST), NodeId(0)));
    assert!(!graph.would_cycle(NodeId(0), NodeId(LAST)));
    let got = labelled(&graph, &[(NodeId(0), 1), (NodeId(1), 2)], |_, _, _, label| label);
    assert_eq!(got.last(), Some(&(NodeId(LAST), 3)));
}

/// A ladder on which every rung brings a new bit late: each node is passed on a few times, not once per way.
#[test]
fn late_labels_cost_few_passes() {
    const RUNGS: u32 = 60;
    let mut graph = blank(RUNGS + 2001);
    // Node 0 reaches the head of a long tail directly, and again behind each of its rungs, one step later every time.
    let head = RUNGS;
    (0..RUNGS - 1).for_each(|i| assert!(graph.add_edge(edge(i, i + 1)) && graph.add_edge(edge(i, head))));
    (head..head + 2000).for_each(|i| assert!(graph.add_edge(edge(i, i + 1))));
    let mut calls = 0;
    let got = labelled(&graph, &[(NodeId(0), 1)], |id, _, _, label| {
        calls += 1;
        if id.0 < RUNGS { label | 1 << id.0 } else { label }
    });
    assert_eq!(got.iter().find(|(id, _)| id.0 == head + 2000).map(|&(_, label)| label), Some((1 << (RUNGS - 1)) - 1));
    assert!(calls <= 3 * graph.edge_count(), "{calls} calls");
}

#[test]
fn walks_within_walks_and_unknown_seeds() {
    let mut graph = blank(4);
    assert!(graph.add_edge(edge(0, 1)) && graph.add_edge(edge(1, 2)));
    let got = labelled(&graph, &[(NodeId(0), 1), (NodeId(9), 1)], |id, _, half, label| {
        assert_eq!(closure(&graph, &[id], Direction::Upstream).len(), 3 - id.index());
        assert!(shortest_path(&graph, id, half.node, Direction::Upstream, |_| true).is_some());
        label
    });
    assert_eq!(got, [(NodeId(0), 1), (NodeId(1), 1), (NodeId(2), 1)]);
    assert!(closure(&graph, &[NodeId(9)], Direction::Upstream).is_empty());
    assert_eq!(shortest_path(&graph, NodeId(0), NodeId(9), Direction::Upstream, |_| true), None);
    assert_eq!(shortest_path(&graph, NodeId(0), NodeId(0), Direction::Upstream, |_| true), Some(vec![NodeId(0)]));
}
