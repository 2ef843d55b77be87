//! What the walk of the gate costs, as a ratio to the barest walk there is over the same graph in the same run.
//!
//! `walk [EDGES] [grouped]`: a layered graph (1,000,000 edges unless said), 2000 random releases. Compared are
//! (a) a breadth-first walk on nothing but offsets and marks, written here; (b) `closure`; (c) `expose`; (d) `expose`
//! while a twentieth of the edges still is in the delta. Only ratios mean anything on a shared machine.
//!
//! Ten layers of equal size: sources · runs · datasets · runs · datasets · runs (some apply an acquired model) · training
//! sets · training runs · model versions · releases. An output has one edge, to its run; a release has one to three; the
//! rest are what runs read: log-normal, four fifths from the dataset layer just below, 97 % within the domain (about 600
//! nodes). Every edge counts as one, `generated` and `composed_of` included. Nodes of a domain are spread over their
//! layer, as they are when domains grow side by side; `grouped` puts them next to each other.

use std::hint::black_box;
use std::time::Instant;

use licit_server::lineage::exposure::{CONTAINED, Exposure, NO_CUTS, expose_into};
use licit_server::lineage::graph::{Direction, Edge, EdgeKind, Flags, Graph, Node, NodeId, NodeKind, Origin, Role};
use licit_server::lineage::walk::closure;

const LAYERS: usize = 10;
/// Nodes of one domain in one layer.
const DOMAIN: usize = 60;
const ROOTS: usize = 2000;
/// Roots measured before the next walk has its turn.
const BLOCK: usize = 50;
const EDGES_PER_NODE: f64 = 3.42;

#[expect(clippy::cast_possible_truncation, reason = "small numbers, none of them negative")]
const fn whole(number: f64) -> usize {
    number as usize
}

/// Xorshift: the same graph every time, without a crate.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Between 0 and 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, end: usize) -> usize {
        whole(self.unit() * end as f64)
    }

    /// Log-normal: exp(mean + 0.75 N), at least one.
    fn fan_in(&mut self, mean: f64) -> usize {
        let normal = (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos();
        whole((mean + 0.75 * normal).exp().round()).clamp(1, 200)
    }
}

/// Where the `i`-th node of a domain stands in a layer.
struct Plan {
    width: usize,
    domains: usize,
    grouped: bool,
}

impl Plan {
    fn id(&self, layer: usize, domain: usize, i: usize) -> NodeId {
        let place = if self.grouped { domain * DOMAIN + i } else { i * self.domains + domain };
        NodeId(u32::try_from(layer * self.width + place).unwrap_or(u32::MAX))
    }

    /// A node of a layer, nearly always of this domain.
    fn pick(&self, random: &mut Random, layer: usize, domain: usize) -> NodeId {
        let domain = if random.unit() < 0.97 { domain } else { random.below(self.domains) };
        self.id(layer, domain, random.below(DOMAIN))
    }
}

fn node(layer: usize, i: usize) -> Node {
    let (kind, flags) = match layer {
        0 if i.is_multiple_of(50) => (NodeKind::ModelVersion, Flags::ACQUIRED),
        0 => (NodeKind::DatasetVersion, Flags::SOURCE),
        5 if i.is_multiple_of(20) => (NodeKind::Run, Flags::INFERS),
        7 => (NodeKind::Run, Flags::TRAINS),
        1 | 3 | 5 => (NodeKind::Run, Flags::default()),
        8 => (NodeKind::ModelVersion, Flags::default()),
        9 => (NodeKind::Release, Flags::default()),
        _ => (NodeKind::DatasetVersion, Flags::default()),
    };
    Node { flags, ..Node::new(kind) }
}

fn generate(edges: usize, grouped: bool) -> (Plan, Vec<Node>, Vec<Edge>) {
    let domains = whole((edges as f64 / EDGES_PER_NODE / (LAYERS * DOMAIN) as f64).ceil());
    let plan = Plan { width: domains * DOMAIN, domains, grouped };
    let mut nodes = vec![Node::MISSING; LAYERS * plan.width];
    let mut list = Vec::with_capacity(edges);
    let mut random = Random(0x00C0_FFEE);
    let slots = (0..LAYERS).flat_map(|layer| (0..domains).flat_map(move |d| (0..DOMAIN).map(move |i| (layer, d, i))));
    for (layer, domain, i) in slots {
        let from = plan.id(layer, domain, i);
        nodes[from.0 as usize] = node(layer, i);
        let mut add = |to: NodeId, kind: EdgeKind, role: Role| {
            list.push(Edge { from, to, kind, role, origin: Origin::Declared, seq: u64::from(from.0) });
        };
        match layer {
            0 => {}
            1 | 3 | 5 | 7 => {
                for _ in 0..random.fan_in(1.74) {
                    let below = if random.unit() < 0.8 { layer - 1 } else { 2 * random.below(layer.div_ceil(2)) };
                    let role = match (layer, random.below(10)) {
                        (7, 0) => Role::Validation,
                        (7, _) => Role::Training,
                        _ => Role::None,
                    };
                    add(plan.pick(&mut random, below, domain), EdgeKind::Used, role);
                }
                if layer == 5 && i.is_multiple_of(20) {
                    add(plan.id(0, domain, 0), EdgeKind::Used, Role::None);
                }
            }
            // Of a release up to three models; an output always has its own run.
            9 => (0..=random.below(3)).for_each(|_| {
                add(plan.pick(&mut random, 8, domain), EdgeKind::ComposedOf, Role::None);
            }),
            _ => add(plan.id(layer - 1, domain, i), EdgeKind::Generated, Role::None),
        }
    }
    (plan, nodes, list)
}

/// The barest walk: offsets, ends, marks, a queue; nothing else is read or kept.
struct Bare {
    off: Vec<u32>,
    to: Vec<u32>,
    mark: Vec<u32>,
    epoch: u32,
    queue: Vec<u32>,
}

impl Bare {
    fn new(nodes: usize, edges: &[Edge]) -> Self {
        let mut off = vec![0_u32; nodes + 1];
        edges.iter().for_each(|edge| off[edge.from.0 as usize + 1] += 1);
        (1..off.len()).for_each(|i| off[i] += off[i - 1]);
        let mut next = off.clone();
        let mut to = vec![0; edges.len()];
        for edge in edges {
            let place = &mut next[edge.from.0 as usize];
            to[*place as usize] = edge.to.0;
            *place += 1;
        }
        Self { off, to, mark: vec![0; nodes], epoch: 0, queue: Vec::new() }
    }

    fn walk(&mut self, root: u32) -> usize {
        self.epoch += 1;
        self.queue.clear();
        self.queue.push(root);
        self.mark[root as usize] = self.epoch;
        let mut next = 0;
        while next < self.queue.len() {
            let node = self.queue[next] as usize;
            next += 1;
            for &to in &self.to[self.off[node] as usize..self.off[node + 1] as usize] {
                if self.mark[to as usize] != self.epoch {
                    self.mark[to as usize] = self.epoch;
                    self.queue.push(to);
                }
            }
        }
        self.queue.len()
    }
}

/// The time at a share of the sorted times.
fn at(times: &[f64], share: f64) -> f64 {
    times[whole((times.len() - 1) as f64 * share)]
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let edges = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let grouped = arguments.next().is_some_and(|word| word == "grouped");
    let (plan, nodes, list) = generate(edges, grouped);

    let start = Instant::now();
    let graph = Graph::load(nodes.iter().copied(), &list);
    let loading = start.elapsed();
    // The same graph, a twentieth of whose edges came since the last merge.
    let kept = list.len() - list.len() / 21;
    let mut order: Vec<Edge> = list.clone();
    let mut random = Random(7);
    (1..order.len()).rev().for_each(|i| order.swap(i, random.below(i + 1)));
    let mut fresh = Graph::load(nodes.iter().copied(), &order[..kept]);
    let start = Instant::now();
    order[kept..].iter().for_each(|&edge| _ = fresh.add_edge(edge));
    let adding = start.elapsed();
    let mut merged = fresh.clone();
    let start = Instant::now();
    merged.compact();
    let merging = start.elapsed();

    println!(
        "{} nodes, {} edges ({} in the delta of d), grouped: {grouped}",
        nodes.len(),
        graph.edge_count(),
        fresh.late_count()
    );
    println!(
        "load {:.0} ms, add an edge {:.2} us, merge the delta {:.0} ms",
        loading.as_secs_f64() * 1e3,
        adding.as_secs_f64() * 1e6 / (order.len() - kept).max(1) as f64,
        merging.as_secs_f64() * 1e3
    );

    let roots: Vec<NodeId> = (0..ROOTS).map(|_| plan.id(9, random.below(plan.domains), random.below(DOMAIN))).collect();
    let mut bare = Bare::new(nodes.len(), &list);
    let mut exposure = Exposure::default();
    let mut times: [Vec<f64>; 4] = Default::default();
    let mut visited = [0_usize; 4];
    let mut regrown = 0;
    // Each walk has its own block of roots in each turn, so that none runs over memory another just warmed up; after all
    // turns each has seen every root once.
    let blocks = ROOTS / BLOCK;
    for turn in 0..=blocks {
        for engine in 0..4 {
            // The first turn warms up and is not counted.
            let block = (turn + engine * blocks / 4) % blocks;
            for &root in &roots[block * BLOCK..(block + 1) * BLOCK] {
                let start = Instant::now();
                let count = match engine {
                    0 => black_box(bare.walk(root.0)),
                    1 => black_box(closure(&graph, &[root], Direction::Upstream)).len(),
                    _ => {
                        let graph = if engine == 2 { &graph } else { &fresh };
                        expose_into(graph, &[(root, CONTAINED)], NO_CUTS, &mut exposure);
                        regrown += exposure.more.len();
                        black_box(&exposure).nodes.len()
                    }
                };
                if turn > 0 {
                    times[engine].push(start.elapsed().as_secs_f64() * 1e6);
                    visited[engine] += count;
                }
            }
        }
    }
    assert!(visited.iter().all(|&count| count == visited[0]), "all walks see the same nodes: {visited:?}");
    println!("{ROOTS} releases, {} nodes each on average, {regrown} walks in several chunks", visited[0] / ROOTS);
    println!("{:<24} {:>9} {:>9} {:>8} {:>8}", "", "p50 us", "p99 us", "p50 /a", "p99 /a");
    times.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
    let [a, ..] = &times;
    for (name, times) in ["a bare walk", "b closure", "c expose", "d expose with delta"].iter().zip(&times) {
        let (half, most) = (at(times, 0.5), at(times, 0.99));
        println!("{name:<24} {half:>9.1} {most:>9.1} {:>8.2} {:>8.2}", half / at(a, 0.5), most / at(a, 0.99));
    }
}
