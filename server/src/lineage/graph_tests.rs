//! Tests of the structure: it must not be possible to tell base from delta.

use proptest::prelude::*;

use super::*;

/// A random edge list over `nodes` nodes; cycles and repeats included.
pub(in super::super) fn edges(nodes: u32, count: usize) -> impl Strategy<Value = Vec<Edge>> {
    let edge = (0..nodes, 0..nodes, 0..EdgeKind::ALL.len(), 0..Role::ALL.len(), 0..Origin::ALL.len(), any::<u64>());
    let edge = edge.prop_map(|(from, to, kind, role, origin, seq)| Edge {
        from: NodeId(from),
        to: NodeId(to),
        kind: EdgeKind::ALL[kind],
        role: Role::ALL[role],
        origin: Origin::ALL[origin],
        seq: if seq % 2 == 0 { seq } else { seq % 1000 },
    });
    prop::collection::vec(edge, 0..count)
}

pub(in super::super) fn blank(nodes: u32) -> Graph {
    Graph::load((0..nodes).map(|_| Node::new(NodeKind::DatasetVersion)), &[])
}

/// Half of the edges in the base, half in the delta.
pub(in super::super) fn half_and_half(nodes: u32, edges: &[Edge]) -> Graph {
    let mut graph = blank(nodes);
    for (i, &edge) in edges.iter().enumerate() {
        graph.add_edge(edge);
        if i + 1 == edges.len() / 2 {
            graph.compact();
        }
    }
    graph
}

/// All a reader can see.
fn view(graph: &Graph) -> Vec<(Node, Vec<Half>, Vec<Half>)> {
    (0..graph.next_id().0)
        .map(NodeId)
        .map(|id| (graph.node(id), graph.upstream(id).collect(), graph.downstream(id).collect()))
        .collect()
}

/// The same from a plain list.
fn naive(nodes: u32, edges: &[Edge]) -> Vec<(Node, Vec<Half>, Vec<Half>)> {
    let mut all = vec![(Node::new(NodeKind::DatasetVersion), Vec::new(), Vec::new()); nodes as usize];
    let mut seen = HashSet::new();
    for edge in edges {
        if seen.insert((edge.from, edge.to, edge.kind, edge.role, edge.origin)) {
            let half = |node| Half { node, kind: edge.kind, role: edge.role, origin: edge.origin, seq: edge.seq };
            all[edge.from.index()].1.push(half(edge.to));
            all[edge.to.index()].2.push(half(edge.from));
        }
    }
    all
}

proptest! {
    #[test]
    fn base_delta_and_load_look_the_same(list in edges(12, 300)) {
        let expected = naive(12, &list);
        let mut graph = half_and_half(12, &list);
        prop_assert_eq!(view(&graph), expected.clone());
        prop_assert_eq!(graph.edge_count(), expected.iter().map(|node| node.1.len()).sum::<usize>());
        graph.compact();
        prop_assert_eq!(graph.late_count(), 0);
        prop_assert_eq!(view(&graph), expected.clone());
        let nodes = (0..12).map(|_| Node::new(NodeKind::DatasetVersion));
        prop_assert_eq!(view(&Graph::load(nodes, &list)), expected);
    }

    #[test]
    fn copies_are_independent(list in edges(12, 200), at in 0_usize..200, compact: bool) {
        let (first, rest) = list.split_at(at.min(list.len()));
        let mut graph = half_and_half(12, first);
        let mark = graph.clone();
        let before = view(&mark);
        for &edge in rest {
            graph.add_edge(edge);
        }
        let added = graph.add_node(Node::new(NodeKind::Run));
        graph.set_node(NodeId(3), Node { class: 7, ..Node::new(NodeKind::Run) });
        graph.add_edge(Edge { from: added, ..edge(0, 0) });
        if compact {
            graph.compact();
        }
        prop_assert_eq!(view(&mark), before);
        prop_assert_eq!(mark.node_count(), 12);
        // And the mark goes its own way.
        let mut again = mark;
        for &edge in rest {
            again.add_edge(edge);
        }
        prop_assert_eq!(view(&again), naive(12, &list));
    }
}

fn edge(from: u32, to: u32) -> Edge {
    let (kind, role, origin) = (EdgeKind::Used, Role::None, Origin::Declared);
    Edge { from: NodeId(from), to: NodeId(to), kind, role, origin, seq: 1 }
}

#[test]
fn labels_fit_in_a_byte_and_names_read_back() {
    let mut seen = HashSet::new();
    for &kind in EdgeKind::ALL {
        for &role in Role::ALL {
            for &origin in Origin::ALL {
                let label = types::pack(kind, role, origin);
                assert!(seen.insert(label));
                assert_eq!(Link::new(5, label).half(6), Half { node: NodeId(5), kind, role, origin, seq: 6 });
            }
        }
    }
    assert!(EdgeKind::ALL.iter().all(|&kind| EdgeKind::parse(kind.as_str()) == Some(kind)));
    assert!(Role::ALL.iter().all(|&role| Role::parse(role.as_str()) == Some(role)));
    assert!(Origin::ALL.iter().all(|&origin| Origin::parse(&origin.to_string()) == Some(origin)));
    assert!(NodeKind::ALL.iter().all(|&kind| NodeKind::parse(kind.as_str()) == Some(kind)));
    assert_eq!(Role::parse("Training"), None);
}

#[test]
fn repeats_and_unknown_ends_are_refused() {
    let mut graph = blank(2);
    assert!(graph.add_edge(edge(0, 1)));
    assert!(!graph.add_edge(Edge { seq: 9, ..edge(0, 1) }));
    assert!(graph.add_edge(Edge { origin: Origin::Observed, ..edge(0, 1) }));
    assert!(!graph.add_edge(edge(0, 2)) && !graph.add_edge(edge(2, 0)));
    assert_eq!(graph.edge_count(), 2);
    assert_eq!(graph.node(NodeId(2)), Node::MISSING);
    assert_eq!(graph.upstream(NodeId(2)).count() + graph.downstream(NodeId(2)).count(), 0);
    let loaded = Graph::load([Node::new(NodeKind::Run); 2], &[edge(0, 1), edge(0, 2), edge(7, 0), edge(0, 1)]);
    assert_eq!(loaded.edge_count(), 1);
}

#[test]
fn sequences_beyond_32_bits_survive() {
    let seqs = [3, u64::MAX, 1 << 40, 9, 1 << 32, 0];
    let list: Vec<Edge> = (1..).zip(seqs).map(|(to, seq)| Edge { seq, ..edge(0, to) }).collect();
    // Merged after every so many, so that large ones come first, last, and not at all.
    for every in 1..=list.len() {
        let mut graph = blank(8);
        for (i, &edge) in list.iter().enumerate() {
            assert!(graph.add_edge(Edge { seq: 5, ..self::edge(edge.to.0, 7) }) && graph.add_edge(edge));
            if i % every == 0 {
                graph.compact();
            }
        }
        assert!(graph.upstream(NodeId(0)).map(|half| half.seq).eq(seqs), "{every}");
        assert!(graph.downstream(NodeId(7)).all(|half| half.seq == 5), "{every}");
    }
}

#[test]
fn the_delta_merges_itself() {
    let mut graph = blank(6000);
    (1..6000).for_each(|i| assert!(graph.add_edge(edge(i, 0))));
    assert_eq!((graph.edge_count(), graph.late_count()), (5999, 5999 - 4097));
    assert_eq!(graph.degree(NodeId(0), Direction::Downstream), 5999);
    assert!(graph.downstream(NodeId(0)).map(|half| half.node.0).eq(1..6000));
}
