//! The table of rules, and what must hold on any graph.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::graph::tests::edges;
use super::super::graph::{Edge, Origin};
use super::*;

fn node(kind: NodeKind, flags: Flags) -> Node {
    Node { flags, ..Node::new(kind) }
}

const DATASET: Node = Node::new(NodeKind::DatasetVersion);
const MODEL: Node = Node::new(NodeKind::ModelVersion);
const RELEASE: Node = Node::new(NodeKind::Release);
const DEPLOYMENT: Node = Node::new(NodeKind::Deployment);

fn edge(from: u32, to: u32, kind: EdgeKind, role: Role) -> Edge {
    Edge { from: NodeId(from), to: NodeId(to), kind, role, origin: Origin::Declared, seq: 1 }
}

fn used(from: u32, to: u32) -> Edge {
    edge(from, to, EdgeKind::Used, Role::Training)
}

fn made(from: u32, to: u32) -> Edge {
    edge(from, to, EdgeKind::Generated, Role::None)
}

fn ids(list: &[u32]) -> Vec<NodeId> {
    list.iter().copied().map(NodeId).collect()
}

#[test]
fn what_is_worth_a_look_is_told_by_kind_and_flags() {
    for kind in NodeKind::ALL.iter().copied() {
        for (bits, bools) in (0..=u16::MAX).flat_map(|bits| (0..8).map(move |bools| (bits, bools))) {
            let [is_root, is_made, implied] = [1, 2, 4].map(|bool| bools & bool != 0);
            let of = |flags: Flags| bits & flags.0 != 0;
            let remarkable = bits & REMARKABLE != 0
                || match kind {
                    NodeKind::DatasetVersion => of(Flags::NO_ORIGIN) && !is_made,
                    NodeKind::Run => is_root || of(MAPPED),
                    _ => true,
                };
            let people = kind == NodeKind::DatasetVersion && (of(PERSONAL) || of(FICTION));
            let node = Node { implied: u8::from(implied), ..node(kind, Flags(bits)) };
            let told = is_worth_a_look(Seen { place: 0, node, is_root, is_made });
            assert_eq!(told, (remarkable || people || implied, remarkable), "{kind} {bits:b} {bools:b}");
        }
    }
}

#[test]
fn looks_are_those_of_the_last_walk() {
    let mut exposure = Exposure::default();
    for tables in [100, 0, 3, 700, 90] {
        // A run that read tables, every third with people; the rest is made of what is not known to be.
        let of = |table| if table % 3 == 1 { node(NodeKind::DatasetVersion, PERSONAL) } else { DATASET };
        let nodes = std::iter::once(Node::new(NodeKind::Run)).chain((1..=tables).map(of));
        let list: Vec<Edge> = (1..=tables).map(|table| used(0, table)).collect();
        expose_into(&Graph::load(nodes, &list), &[(NodeId(0), CONTAINED)], NO_CUTS, &mut exposure);
        // The run is remarkable where it read nothing.
        let expected = (0..=tables as usize).filter(|place| place % 3 == 1 || tables == 0);
        let expected: Vec<_> = expected.map(|place| (place, place == 0)).collect();
        let looks: Vec<_> = exposure.looks.iter().map(|look| (look.place(), look.is_remarkable())).collect();
        assert_eq!(looks, expected, "{tables} tables");
    }
}

#[test]
fn table_of_rules() {
    use EdgeKind::{ComposedOf, DisclosedTo, Emits, Generated, Runs, ServesOn, Used};
    use NodeKind::{DatasetVersion as D, Deployment, ModelVersion as M, Release as R, Run};
    let run = Node::new(Run);
    let infer = node(Run, Flags::INFERS);
    let bit = requirement(0);
    let all = MODES | bit;
    // Node left, edge, role, kind of the cause, what modes become: contained, shaped, validation, served.
    let kept = [CONTAINED, SHAPED, VALIDATION, SERVED];
    let checked = [VALIDATION; 4];
    let formed = [SHAPED, SHAPED, VALIDATION, SHAPED];
    let table = [
        (DATASET, Generated, Role::None, Run, kept),
        (MODEL, Generated, Role::None, Run, kept),
        (run, Used, Role::None, D, kept),
        (run, Used, Role::Training, D, kept),
        (run, Used, Role::Reference, D, kept),
        (run, Used, Role::None, M, kept),
        (run, Used, Role::Validation, D, checked),
        (run, Used, Role::Test, D, checked),
        (run, Used, Role::BiasCheck, M, checked),
        (infer, Used, Role::None, D, kept),
        (infer, Used, Role::None, M, formed),
        (infer, Used, Role::Reference, M, formed),
        (infer, Used, Role::None, R, formed),
        (infer, Used, Role::Test, M, checked),
        // A call to what runs: it keeps its label there, and `runs` shapes it.
        (infer, Used, Role::None, Deployment, kept),
        (infer, Generated, Role::None, Run, kept),
        (DATASET, Emits, Role::None, Deployment, kept),
        (DEPLOYMENT, Runs, Role::None, R, formed),
        (DEPLOYMENT, ServesOn, Role::None, D, kept),
        (RELEASE, ComposedOf, Role::None, M, kept),
        (RELEASE, ComposedOf, Role::None, D, kept),
        (DATASET, DisclosedTo, Role::None, D, kept),
    ];
    for (left, kind, role, cause, expected) in table {
        for (mode, expected) in kept.into_iter().zip(expected) {
            assert_eq!(pass(left, kind, role, cause, mode), expected, "{left:?} {kind} {role} {cause} {mode}");
            assert_eq!(pass(left, kind, role, cause, mode | bit), expected | bit, "requirements pass");
        }
        let union = expected.into_iter().fold(bit, |a, b| a | b);
        assert_eq!(pass(left, kind, role, cause, all), union, "{left:?} {kind} {role} {cause}");
    }
}

/// 0 release, 1 model, 2 its training run, 3 scores (training data), 4 scoring run, 5 older model, 6 its training run,
/// 7 people of the older model, 8 people scored, 9 a check set, 10 logs, 11 deployment, 12 older release.
fn story() -> Graph {
    let run = |flags| node(NodeKind::Run, flags);
    let nodes = [
        RELEASE,
        MODEL,
        run(Flags::TRAINS),
        DATASET,
        run(Flags::INFERS),
        MODEL,
        run(Flags::TRAINS),
        DATASET,
        DATASET,
        DATASET,
        DATASET,
        DEPLOYMENT,
        RELEASE,
    ];
    let list = [
        edge(0, 1, EdgeKind::ComposedOf, Role::None),
        made(1, 2),
        used(2, 3),
        made(3, 4),
        used(4, 5),
        used(4, 8),
        made(5, 6),
        used(6, 7),
        edge(2, 9, EdgeKind::Used, Role::BiasCheck),
        used(2, 10),
        edge(10, 11, EdgeKind::Emits, Role::None),
        edge(11, 12, EdgeKind::Runs, Role::None),
        edge(11, 8, EdgeKind::ServesOn, Role::None),
        edge(12, 5, EdgeKind::ComposedOf, Role::None),
    ];
    Graph::load(nodes, &list)
}

#[test]
fn a_whole_story() {
    let graph = story();
    let seeds = [(NodeId(0), CONTAINED)];
    let exposure = expose(&graph, &seeds);
    assert_eq!(exposure.training_runs, ids(&[2, 6]));
    assert!(exposure.more.is_empty());
    let (new, old) = (requirement(0), requirement(1));
    let labels: BTreeMap<u32, Label> = exposure.nodes.iter().map(|&(id, label)| (id.0, label)).collect();
    assert_eq!(labels[&8], CONTAINED | new, "the people scored are in the scores");
    assert_eq!(labels[&7], SHAPED | new | old, "the people behind the scoring model only shaped them");
    assert_eq!(labels[&9], VALIDATION | new);
    assert_eq!(labels[&12], SHAPED | new);
    assert_eq!(labels.len(), 13);
    let place = exposure.nodes.iter().position(|&(id, _)| id == NodeId(7)).unwrap();
    assert_eq!(exposure.required_by(place).collect::<Vec<_>>(), [0, 1]);

    assert_eq!(path(&graph, &seeds, NO_CUTS, NodeId(7), Want::Mode(SHAPED)), ids(&[0, 1, 2, 3, 4, 5, 6, 7]));
    assert_eq!(path(&graph, &seeds, NO_CUTS, NodeId(7), Want::Mode(CONTAINED)), []);
    assert_eq!(path(&graph, &seeds, NO_CUTS, NodeId(8), Want::Mode(CONTAINED)), ids(&[0, 1, 2, 3, 4, 8]));
    assert_eq!(path(&graph, &seeds, NO_CUTS, NodeId(8), Want::Run(NodeId(2))), ids(&[0, 1, 2, 3, 4, 8]));
    assert_eq!(path(&graph, &seeds, NO_CUTS, NodeId(8), Want::Run(NodeId(6))), []);
    assert_eq!(path(&graph, &seeds, NO_CUTS, NodeId(9), Want::Mode(VALIDATION)), ids(&[0, 1, 2, 9]));
    assert_eq!(path(&graph, &seeds, NO_CUTS, NodeId(0), Want::Mode(CONTAINED)), ids(&[0]));
    assert_eq!(path(&graph, &seeds, NO_CUTS, NodeId(99), Want::Mode(CONTAINED)), []);
}

/// The way along which it is contained may be longer than the shortest.
#[test]
fn the_path_carries_what_is_asked_for() {
    let graph = Graph::load(
        [RELEASE, MODEL, node(NodeKind::Run, Flags::TRAINS), DATASET, Node::new(NodeKind::Run), DATASET],
        &[
            edge(0, 1, EdgeKind::ComposedOf, Role::None),
            made(1, 2),
            edge(2, 5, EdgeKind::Used, Role::Validation),
            used(2, 3),
            made(3, 4),
            used(4, 5),
        ],
    );
    let seeds = [(NodeId(0), CONTAINED)];
    assert_eq!(path(&graph, &seeds, NO_CUTS, NodeId(5), Want::Mode(VALIDATION)), ids(&[0, 1, 2, 5]));
    assert_eq!(path(&graph, &seeds, NO_CUTS, NodeId(5), Want::Mode(CONTAINED)), ids(&[0, 1, 2, 3, 4, 5]));
    assert_eq!(path(&graph, &seeds, NO_CUTS, NodeId(5), Want::Run(NodeId(2))), ids(&[0, 1, 2, 5]));
    let last = expose(&graph, &seeds).nodes.iter().find(|&&(id, _)| id == NodeId(5)).map(|&(_, label)| label);
    assert_eq!(last, Some(CONTAINED | VALIDATION | requirement(0)));
}

/// A fine-tune of a fine-tune, 150 times, every one of which reads the same dataset and one of its own.
#[test]
fn more_training_runs_than_bits() {
    const RUNS: u32 = 150;
    // Model i is 3i, its run 3i + 1, its own data 3i + 2; the shared data come last.
    let shared = 3 * RUNS;
    let mut graph = Graph::new();
    for _ in 0..RUNS {
        graph.add_node(MODEL);
        graph.add_node(node(NodeKind::Run, Flags::TRAINS));
        graph.add_node(DATASET);
    }
    graph.add_node(DATASET);
    for i in 0..RUNS {
        assert!(graph.add_edge(made(3 * i, 3 * i + 1)));
        assert!(graph.add_edge(used(3 * i + 1, 3 * i + 2)) && graph.add_edge(used(3 * i + 1, shared)));
        if i + 1 < RUNS {
            assert!(graph.add_edge(used(3 * i + 1, 3 * i + 3)));
        }
    }
    let exposure = expose(&graph, &[(NodeId(0), CONTAINED)]);
    assert_eq!(exposure.training_runs, (0..RUNS).map(|i| NodeId(3 * i + 1)).collect::<Vec<_>>());
    assert_eq!(exposure.more.len(), 2);
    let order = |labels: &Labelled| labels.iter().map(|&(id, _)| id).collect::<Vec<_>>();
    assert!(exposure.more.iter().all(|chunk| order(chunk) == order(&exposure.nodes)));
    for (place, &(id, _)) in exposure.nodes.iter().enumerate() {
        let upto = match id.0 {
            id if id == shared => RUNS,
            id if id % 3 == 2 => id / 3 + 1,
            id => id / 3,
        };
        assert!(exposure.required_by(place).eq(0..upto as usize), "{id:?}");
    }
    let mut again = exposure.clone();
    expose_into(&graph, &[(NodeId(0), CONTAINED)], NO_CUTS, &mut again);
    assert_eq!(again, exposure);
    assert_eq!(path(&graph, &[(NodeId(0), CONTAINED)], NO_CUTS, NodeId(shared), Want::Run(NodeId(4))).len(), 5);
}

/// A model assessed anonymous contains nobody: those it learned from shaped it. What a release reaches past it stays contained.
#[test]
fn an_anonymous_model_is_shaped() {
    let assessed = node(NodeKind::ModelVersion, ASSESSED);
    let graph = Graph::load(
        [RELEASE, assessed, node(NodeKind::Run, Flags::TRAINS), DATASET, DATASET],
        &[
            edge(0, 1, EdgeKind::ComposedOf, Role::None),
            edge(0, 4, EdgeKind::ComposedOf, Role::None),
            made(1, 2),
            used(2, 3),
            used(2, 4),
        ],
    );
    let seeds = [(NodeId(0), CONTAINED)];
    let label = |cuts: Cuts<'_>, of: u32| {
        let mut exposure = Exposure::default();
        expose_into(&graph, &seeds, cuts, &mut exposure);
        exposure.nodes.iter().find(|(id, _)| *id == NodeId(of)).map_or(0, |&(_, label)| label)
    };
    let holds: Cuts<'_> = &|id| id == NodeId(1);
    assert_eq!(label(NO_CUTS, 3), CONTAINED | requirement(0));
    assert_eq!(label(holds, 3), SHAPED | requirement(0));
    assert_eq!(label(holds, 4), CONTAINED | SHAPED | requirement(0));
    assert_eq!(path(&graph, &seeds, holds, NodeId(3), Want::Mode(CONTAINED)), []);
    assert_eq!(path(&graph, &seeds, holds, NodeId(3), Want::Mode(SHAPED)), ids(&[0, 1, 2, 3]));
}

/// All an exposure says, without numbers that depend on the order of discovery.
fn said(graph: &Graph, seeds: &[(NodeId, Label)], cuts: Cuts<'_>) -> BTreeSet<(NodeId, Result<Label, NodeId>)> {
    let mut exposure = Exposure::default();
    expose_into(graph, seeds, cuts, &mut exposure);
    let mut all = BTreeSet::new();
    for (place, &(id, label)) in exposure.nodes.iter().enumerate() {
        all.extend((0..4).map(|bit| 1 << bit).filter(|bit| label & bit != 0).map(|bit| (id, Ok(bit))));
        all.extend(exposure.required_by(place).map(|run| (id, Err(exposure.training_runs[run]))));
    }
    all
}

proptest! {
    #[test]
    fn exposure_never_shrinks_and_paths_show_it(
        list in edges(16, 60),
        kinds in prop::collection::vec((0..5_usize, 0..4_u16), 16),
        late in edges(16, 8),
        seed in 0..16_u32,
        mode in 0..4_u32,
    ) {
        let nodes = kinds.into_iter().map(|(kind, flags)| node(NodeKind::ALL[kind], Flags(flags)));
        let mut graph = Graph::load(nodes, &list);
        let seeds = [(NodeId(seed), 1 << mode)];
        let mut before = said(&graph, &seeds, NO_CUTS);
        for edge in late {
            graph.add_edge(edge);
            let after = said(&graph, &seeds, NO_CUTS);
            prop_assert!(before.is_subset(&after));
            before = after;
        }
        prop_assert_eq!(&said(&graph, &seeds, NO_CUTS), &before);
        // A path exists for exactly what is said.
        for target in (0..16).map(NodeId) {
            for mode in (0..4).map(|bit| 1 << bit) {
                let found = path(&graph, &seeds, NO_CUTS, target, Want::Mode(mode));
                prop_assert_eq!(!found.is_empty(), before.contains(&(target, Ok(mode))));
                prop_assert!(found.windows(2).all(|pair| graph.upstream(pair[0]).any(|half| half.node == pair[1])));
            }
            for run in (0..16).map(NodeId).filter(|&run| trains(graph.node(run))) {
                let found = path(&graph, &seeds, NO_CUTS, target, Want::Run(run));
                prop_assert_eq!(!found.is_empty(), before.contains(&(target, Err(run))));
            }
        }
    }

    /// A cut takes away the ways through the node, and no other: it is as if nothing were upstream of it.
    #[test]
    fn a_cut_hides_no_other_path(
        list in edges(16, 60),
        kinds in prop::collection::vec((0..5_usize, 0..4_u16, any::<bool>()), 16),
        seed in 0..16_u32,
        mode in 0..4_u32,
    ) {
        let nodes: Vec<Node> = kinds
            .into_iter()
            .map(|(kind, flags, cut)| {
                let assessed = if cut && NodeKind::ALL[kind] == NodeKind::DatasetVersion { ASSESSED } else { Flags(0) };
                node(NodeKind::ALL[kind], Flags(flags).with(assessed))
            })
            .collect();
        let rest: Vec<Edge> = list.iter().filter(|e| !nodes[e.from.index()].flags.has(ASSESSED)).copied().collect();
        let (graph, open) = (Graph::load(nodes.clone(), &list), Graph::load(nodes, &rest));
        let seeds = [(NodeId(seed), 1 << mode)];
        let found = said(&graph, &seeds, &|_| true);
        prop_assert_eq!(&found, &said(&open, &seeds, NO_CUTS));
        for target in (0..16).map(NodeId) {
            for mode in (0..4).map(|bit| 1 << bit) {
                let way = path(&graph, &seeds, &|_| true, target, Want::Mode(mode));
                prop_assert_eq!(!way.is_empty(), found.contains(&(target, Ok(mode))));
            }
            for run in (0..16).map(NodeId).filter(|&run| trains(graph.node(run))) {
                let way = path(&graph, &seeds, &|_| true, target, Want::Run(run));
                prop_assert_eq!(!way.is_empty(), found.contains(&(target, Err(run))));
            }
        }
    }
}
