//! Lineage as people and programs read it: JSON, DOT, indented text; paths; exposure.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use licit_schemas::lineage::{
    self as wire, ExposureAssumption, ExposureColumn, ExposureSource, ExposureView, LineageEdge, LineageNode, PathView,
    Understated,
};
use licit_schemas::registry::Identifiability;
use licit_schemas::time::Timestamp;
use petgraph::dot::{Config, Dot};
use petgraph::graph::DiGraph;

use super::columns::{self, Narrowed, Way};
use super::exposure::{self, CONTAINED, Cuts, Exposure, SHAPED, VALIDATION, Want};
use super::graph::{Direction, Flags, Half, NodeId, NodeKind, Role};
use super::{ASSESSED, PERSONAL, State, levels, walk};
use crate::registry::What;
use crate::registry::columns::FieldFacts;
use crate::registry::vocabulary::vocabulary;

/// Lines of an indented tree at most: a node with many ways to it is shown once, so this bounds hostile width only.
const MAX_NODES: usize = 200_000;
/// Steps that are indented further than the one before.
const INDENTED: usize = 32;

fn direction(direction: wire::Direction) -> Direction {
    match direction {
        wire::Direction::Upstream => Direction::Upstream,
        wire::Direction::Downstream => Direction::Downstream,
    }
}

/// The whole closure of a node, as far as it was there at a moment; `None` when it is larger than can be answered whole.
pub fn closure(
    state: &State,
    position: u64,
    root: NodeId,
    way: wire::Direction,
    valid_at: Option<Timestamp>,
) -> Option<wire::Closure> {
    let stood = |left: NodeId, half: &Half| valid_at.is_none_or(|at| state.stood(left, half, at));
    let reached = walk::closure_over(&state.graph, &[root], direction(way), stood);
    if reached.len() > MAX_NODES {
        return None;
    }
    let inside: BTreeSet<NodeId> = reached.iter().map(|r| r.node).collect();
    let mut edges = Vec::new();
    let nodes = reached
        .iter()
        .map(|r| {
            let node = state.graph.node(r.node);
            let edges_of = state.graph.upstream(r.node).filter(|h| inside.contains(&h.node) && stood(r.node, h));
            for half in edges_of {
                edges.push(LineageEdge {
                    from: state.name(r.node).to_string(),
                    to: state.name(half.node).to_string(),
                    kind: half.kind.as_str().to_owned(),
                    role: (half.role != Role::None).then(|| half.role.as_str().to_owned()),
                    origin: half.origin.as_str().to_owned(),
                    valid_from: state.began(half.seq),
                    seq: half.seq,
                });
            }
            LineageNode {
                r#ref: state.name(r.node).to_string(),
                kind: kind(node.kind).to_owned(),
                depth: r.depth,
                dangling: node.flags.has(Flags::DANGLING),
                source: node.flags.has(Flags::SOURCE),
                retired: node.flags.has(Flags::RETIRED),
            }
        })
        .collect();
    Some(wire::Closure { root: state.name(root).to_string(), direction: way, position, nodes, edges })
}

/// The kind of a node on the wire.
pub fn kind(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::DatasetVersion => "dataset_version",
        NodeKind::Run => "run",
        NodeKind::ModelVersion => "model_version",
        NodeKind::Release => "release",
        NodeKind::Deployment => "deployment",
        NodeKind::Party => "party",
    }
}

/// A closure as Graphviz DOT.
pub fn dot(closure: &wire::Closure) -> String {
    let mut graph: DiGraph<String, String> = DiGraph::new();
    let mut places = HashMap::new();
    for node in &closure.nodes {
        let mark = if node.dangling {
            " (not registered)"
        } else if node.retired {
            " (retired)"
        } else if node.source {
            " (source)"
        } else {
            ""
        };
        places.insert(node.r#ref.as_str(), graph.add_node(format!("{}{mark}", node.r#ref)));
    }
    for edge in &closure.edges {
        if let (Some(&from), Some(&to)) = (places.get(edge.from.as_str()), places.get(edge.to.as_str())) {
            let role = edge.role.as_ref().map(|r| format!(" {r}")).unwrap_or_default();
            graph.add_edge(from, to, format!("{}{role}", edge.kind));
        }
    }
    // `Display` of the labels, escaped by petgraph; `Debug` would quote them twice.
    format!("{}", Dot::with_config(&graph, &[Config::RankDir(petgraph::dot::RankDir::LR)]))
}

/// The room before a line of a tree. What lies deeper than people follow by eye is numbered instead: a long chain would be mostly
/// room.
fn indent(depth: usize) -> String {
    match depth.checked_sub(INDENTED) {
        None | Some(0) => "  ".repeat(depth),
        Some(_) => format!("{}[{depth}] ", "  ".repeat(INDENTED)),
    }
}

/// A closure as indented text. A node reached again is marked and not opened again.
pub fn tree(closure: &wire::Closure) -> String {
    let mut next: HashMap<&str, Vec<(&LineageEdge, &str)>> = HashMap::new();
    for edge in &closure.edges {
        let (from, to) = match closure.direction {
            wire::Direction::Upstream => (edge.from.as_str(), edge.to.as_str()),
            wire::Direction::Downstream => (edge.to.as_str(), edge.from.as_str()),
        };
        next.entry(from).or_default().push((edge, to));
    }
    let nodes: HashMap<&str, &LineageNode> = closure.nodes.iter().map(|n| (n.r#ref.as_str(), n)).collect();
    let mut text = String::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut stack: Vec<(usize, &str, String)> = vec![(0, closure.root.as_str(), String::new())];
    while let Some((depth, name, how)) = stack.pop() {
        let again = !seen.insert(name);
        let node = nodes.get(name);
        let mut marks = Vec::new();
        if node.is_some_and(|n| n.source) {
            marks.push("source");
        }
        if node.is_some_and(|n| n.dangling) {
            marks.push("not registered");
        }
        let children = next.get(name).map(Vec::as_slice).unwrap_or_default();
        if node.is_some_and(|n| n.retired) {
            marks.push("retired");
        }
        if again && !children.is_empty() {
            marks.push("shown above");
        }
        let marks = if marks.is_empty() { String::new() } else { format!("  [{}]", marks.join(", ")) };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}{how}{name}{marks}", indent(depth));
        if !again {
            for (edge, to) in children.iter().rev() {
                let role = edge.role.as_ref().map(|r| format!(" {r}")).unwrap_or_default();
                stack.push((depth + 1, to, format!("{}{role}: ", edge.kind)));
            }
        }
    }
    text
}

/// The shortest path from an effect to a cause, as far as it was there at a moment.
pub fn path(state: &State, position: u64, (from, to): (NodeId, NodeId), valid_at: Option<Timestamp>) -> PathView {
    // What leaves a node was entered by an edge that was there; the first was not.
    let begins = |half: &Half| valid_at.is_none_or(|at| state.stood(from, half, at));
    let stood = |half: &Half| valid_at.is_none_or(|at| state.stood(half.node, half, at));
    let leads = from == to || state.graph.upstream(from).any(|half| begins(&half));
    let path = walk::shortest_path(&state.graph, from, to, Direction::Upstream, stood).filter(|_| leads);
    let path = path.unwrap_or_default();
    PathView { path: path.into_iter().map(|n| state.name(n).to_string()).collect(), position }
}

/// What default classes answer for a node at a moment; none where they leave something open.
fn assumption(state: &State, id: NodeId, origin: bool, now: Timestamp) -> Option<ExposureAssumption> {
    let held = state.record(id).held.as_deref();
    let What::Dataset(facts) = &held?.what else { return None };
    let assumed = facts.assumed.as_ref()?;
    let rooted = !origin || assumed.origin.as_ref().is_some_and(|silence| silence.answered(now));
    let answered = held?.retired.is_none() && facts.unanswered(now).is_empty() && rooted;
    let classes = facts.defaults().iter().map(ToString::to_string).collect();
    answered.then(|| ExposureAssumption { r#ref: state.name(id).to_string(), classes })
}

fn column(&(field, way): &(&FieldFacts, Way)) -> Option<ExposureColumn> {
    Some(ExposureColumn { field: field.name.parse().ok()?, masked: way == Way::Masked })
}

/// The personal data that reach a node but for what assessments cut, and what keeps the answer from being complete.
pub fn exposure(state: &State, position: u64, root: NodeId, cuts: Cuts<'_>, now: Timestamp) -> ExposureView {
    let seeds = [(root, CONTAINED)];
    let mut found = Exposure::default();
    exposure::expose_into(&state.graph, &seeds, cuts, &mut found);
    let v = vocabulary();
    let (mut categories, mut subjects) = (BTreeSet::new(), BTreeSet::new());
    let mut identifiability = Identifiability::None;
    let mut view = ExposureView {
        r#ref: state.name(root).to_string(),
        position,
        holder: None,
        valid_at: None,
        cuts: Vec::new(),
        contained: Vec::new(),
        shaped: Vec::new(),
        validation: Vec::new(),
        categories: Vec::new(),
        special_categories: Vec::new(),
        subjects: Vec::new(),
        identifiability,
        understated: Vec::new(),
        unknown: Vec::new(),
        assumed: Vec::new(),
    };
    let mapped = |&(id, _): &(NodeId, _)| columns::is_mapped(state.graph.node(id));
    let narrowed =
        if found.nodes.iter().any(mapped) { columns::narrow(state, &seeds, cuts) } else { Narrowed::default() };
    // Who judges with an assessment in force judges what is made of an anonymous table by nobody.
    let cut = |node: NodeId| state.graph.node(node).flags.has(ASSESSED) && cuts(node);
    let mut raised = HashMap::new();
    for &(id, label) in &found.nodes {
        let node = state.graph.node(id);
        let name = state.name(id);
        let rootless = node.kind == NodeKind::DatasetVersion
            && node.flags.has(Flags::NO_ORIGIN)
            && state.graph.degree(id, Direction::Upstream) == 0;
        const UNKNOWN: u16 = Flags::DANGLING.0 | Flags::UNCLASSIFIED.0 | Flags::RETIRED.0;
        if node.flags.0 & UNKNOWN != 0 || rootless {
            match assumption(state, id, rootless, now) {
                Some(assumption) => view.assumed.push(assumption),
                None => view.unknown.push(name.to_string()),
            }
        }
        let flowing = narrowed.flowing(state, id);
        let flows = flowing.as_ref().is_none_or(|flowing| !flowing.is_empty());
        let implied = match node.implied {
            0 => Identifiability::None,
            _ if cut(id) => Identifiability::None,
            _ => levels::raised_without(state, id, &cut, &mut raised),
        };
        if implied > Identifiability::None && flows && label & (CONTAINED | SHAPED) != 0 {
            identifiability = identifiability.max(implied);
            let stated = state.class(id).identifiability;
            view.understated.push(Understated { r#ref: name.to_string(), stated, implied });
        }
        if !node.flags.has(PERSONAL) || node.kind != NodeKind::DatasetVersion {
            continue;
        }
        let class = match &flowing {
            None => Cow::Borrowed(&**state.class(id)),
            Some(flowing) => match columns::class(state.class(id), flowing) {
                Some(class) => Cow::Owned(class),
                None => continue, // Nothing personal of it flows.
            },
        };
        if label & (CONTAINED | SHAPED) != 0 {
            categories.extend(class.categories.iter().copied());
            subjects.extend(class.subjects.iter().copied());
            identifiability = identifiability.max(class.identifiability);
        }
        if !node.flags.has(Flags::SOURCE) {
            continue;
        }
        for (mode, list) in
            [(CONTAINED, &mut view.contained), (SHAPED, &mut view.shaped), (VALIDATION, &mut view.validation)]
        {
            if label & mode != 0 {
                let carries = |from, to| narrowed.carries(state, from, to);
                let over = |carries| exposure::path_over(&state.graph, &seeds, cuts, carries, id, Want::Mode(mode));
                let way = Some(over(&carries)).filter(|way| !way.is_empty()).unwrap_or_else(|| over(&|_, _| true));
                list.push(ExposureSource {
                    r#ref: name.to_string(),
                    categories: class.categories.iter().filter_map(|t| v.iri(*t)).collect(),
                    subjects: class.subjects.iter().filter_map(|t| v.iri(*t)).collect(),
                    identifiability: class.identifiability.max(implied),
                    columns: flowing.as_ref().map(|flowing| flowing.iter().filter_map(column).collect()),
                    path: way.into_iter().map(|n| state.name(n).to_string()).collect(),
                });
            }
        }
    }
    view.special_categories = categories.iter().filter(|t| v.is_special(**t)).filter_map(|t| v.iri(*t)).collect();
    view.categories = categories.into_iter().filter_map(|t| v.iri(t)).collect();
    view.subjects = subjects.into_iter().filter_map(|t| v.iri(t)).collect();
    view.identifiability = identifiability;
    view
}
