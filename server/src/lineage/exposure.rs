//! Exposure: whose data reach what runs, and in what form.
//!
//! The walk goes upstream from a release and what it is served. Labels say how a node's people are in there (the lower
//! eight bits), and which training runs read them (one *requirement bit* each: every source behind it must have been
//! lawful for that run's purpose when it started).

use std::collections::HashMap;
use std::sync::LazyLock;

use super::graph::{EdgeKind, Flags, Graph, Labels, Link, Node, NodeId, NodeKind, Role};
use super::walk::scratch::{self, Scratch};
use super::walk::{Label, Labelled, Seen, Transfer, labelled, labelled_into};
use super::{ASSESSED, FICTION, MAPPED, PERSONAL};

/// Their data can be in here: a basis is needed now.
pub const CONTAINED: Label = 1;
/// Their data only formed it: the training must have been lawful.
pub const SHAPED: Label = 1 << 1;
/// Their data only chose or measured it.
pub const VALIDATION: Label = 1 << 2;
/// Their data are read when it runs.
pub const SERVED: Label = 1 << 3;
/// All of the above.
pub const MODES: Label = CONTAINED | SHAPED | VALIDATION | SERVED;
/// The requirement bit of the first training run.
pub const FIRST_REQUIREMENT: u32 = 8;
/// How many training runs one walk can tell apart.
pub const RUNS_PER_WALK: usize = 56;

const PRESENT: Label = CONTAINED | SERVED;

/// What of a label passes upstream from `node` over an edge to a node of kind `cause`.
///
/// | edge | passes |
/// |---|---|
/// | `used` as validation, test or bias check | contained, shaped and served become *validation* |
/// | `used`, by a run that infers, of a model or release | contained and served become *shaped*: what a model writes about other people carries the people it learned from as shaped only |
/// | `runs` (of a deployment reached over `emits`: what it wrote) | the same, for the same reason |
/// | everything else: `generated`, `serves_on`, `emits`, `composed_of`, `disclosed_to`, `used` otherwise | all of it |
///
/// Requirement bits pass everywhere. Nothing is ever lost, so a walk reaches all there is. Because a deployment's `runs`
/// edges mean *what it wrote*, a walk about what a deployment runs begins at the release, not at the deployment.
#[must_use]
#[inline(always)]
pub fn pass(node: Node, kind: EdgeKind, role: Role, cause: NodeKind, label: Label) -> Label {
    let applies = match kind {
        EdgeKind::Used if role.measures() => return become_one(label, MODES, VALIDATION),
        EdgeKind::Used => node.flags.has(Flags::INFERS) && matches!(cause, NodeKind::ModelVersion | NodeKind::Release),
        EdgeKind::Runs => true,
        _ => false,
    };
    if applies { become_one(label, PRESENT, SHAPED) } else { label }
}

/// Replaces whatever of `old` is in the label by `new`.
#[inline(always)]
const fn become_one(label: Label, old: Label, new: Label) -> Label {
    if label & old == 0 { label } else { label & !old | new }
}

/// Edges that pass a whole label from whatever node: nearly all. Those of kind `used` do unless their run infers.
static PLAIN: LazyLock<Labels> = LazyLock::new(|| {
    Labels::new(|kind, role| {
        let node = Node::new(NodeKind::Run);
        pass(node, kind, role, NodeKind::DatasetVersion, MODES) == MODES
    })
});

/// Which of the nodes that carry [`ASSESSED`] cut the exposure: where anonymity holds, for who asks, at the moment asked.
pub type Cuts<'c> = &'c dyn Fn(NodeId) -> bool;

/// Nothing cuts: exposure as it is without any assessment.
pub const NO_CUTS: Cuts<'static> = &|_| false;

/// What is left of a label beyond a node that cuts: of an anonymous dataset nothing; an anonymous model was formed by its people
/// and contains none (EDPB Opinion 28/2024 §119). Only ways through the node are cut, no other.
#[inline(always)]
fn cut(id: NodeId, node: Node, label: Label, cuts: Cuts<'_>) -> Label {
    if !node.flags.has(ASSESSED) || !cuts(id) {
        return label;
    }
    match node.kind {
        NodeKind::ModelVersion => become_one(label, PRESENT, SHAPED),
        _ => 0,
    }
}

/// [`pass`] over an edge of the graph. The cause is only looked up where it matters: every read of a node costs.
#[inline(always)]
fn pass_link(graph: &Graph, plain: &Labels, node: Node, link: &Link, label: Label) -> Label {
    if link.is_in(plain) && !node.flags.has(Flags::INFERS) {
        return label;
    }
    pass(node, link.kind(), link.role(), graph.node(link.node).kind, label)
}

/// Whether people contained in a node are so because they are contained in the cause at the end of this edge.
pub fn contains(graph: &Graph, node: Node, link: &Link) -> bool {
    pass_link(graph, &PLAIN, node, link, CONTAINED) == CONTAINED
}

/// How many nodes [`held_by`] can tell apart.
pub const HOLDERS: usize = Label::BITS as usize;

/// Each node whose people are contained in one of the first [`HOLDERS`] holders: a bit for each that holds them. All in one
/// walk, however many they are. Nobody is contained by ways through what cuts.
#[must_use]
pub fn held_by(graph: &Graph, holders: &[NodeId], cuts: Cuts<'_>) -> Labelled {
    let seeds: Vec<(NodeId, Label)> =
        holders.iter().take(HOLDERS).enumerate().map(|(bit, &holder)| (holder, 1 << bit)).collect();
    let passes = |id, node, link: &Link| contains(graph, node, link) && cut(id, node, CONTAINED, cuts) == CONTAINED;
    labelled(graph, &seeds, |id, node, link, label| if passes(id, node, link) { label } else { 0 })
}

#[inline(always)]
fn trains(node: Node) -> bool {
    node.kind == NodeKind::Run && node.flags.has(Flags::TRAINS)
}

/// A node worth a look: its place in the answer, and whether it is remarkable. In eight bytes, so that noting it costs less than
/// asking whether to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look(u64);

impl Look {
    #[inline(always)]
    const fn new(place: usize, is_remarkable: bool) -> Self {
        Self((place as u64) << 1 | is_remarkable as u64)
    }

    /// Its place in the answer.
    #[must_use]
    #[inline(always)]
    pub const fn place(self) -> usize {
        (self.0 >> 1) as usize
    }

    /// Whether the node may be one that is not complete, may not be used, or decides on others. The rest may hold people.
    #[must_use]
    #[inline(always)]
    pub const fn is_remarkable(self) -> bool {
        self.0 & 1 != 0
    }
}

/// What reaches a set of seeds, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// Every node reached, in order of first discovery: its modes, and the requirement bits of the first 56 training runs.
    pub nodes: Labelled,
    /// Those of them that are worth a look, in the same order: nearly all are not.
    pub looks: Vec<Look>,
    /// The classes of all, each once.
    pub classes: Vec<u32>,
    /// Which classes were met.
    met: Vec<bool>,
    /// The training runs met, in that order. Run `i` has bit `8 + i % 56` of chunk `i / 56`.
    pub training_runs: Vec<NodeId>,
    /// The chunks after the first, one for each further 56 training runs: the same nodes in the same order as `nodes`,
    /// with requirement bits of that chunk's runs. Empty for nearly every release.
    pub more: Vec<Labelled>,
}

impl Exposure {
    /// Whether training run `run` (an index into `training_runs`) read what is behind node `place` (one into `nodes`).
    #[must_use]
    pub fn is_required(&self, place: usize, run: usize) -> bool {
        let chunk = match run / RUNS_PER_WALK {
            0 => Some(&self.nodes),
            further => self.more.get(further - 1),
        };
        chunk.and_then(|labels| labels.get(place)).is_some_and(|&(_, label)| label & requirement(run) != 0)
    }

    /// Notes a class that was not met yet.
    #[cold]
    fn meet(&mut self, class: u32) {
        // What no graph ever gave has none.
        if class == u32::MAX {
            return;
        }
        let place = class as usize;
        if self.met.len() <= place {
            self.met.resize(place + 1, false);
        }
        self.met[place] = true;
        self.classes.push(class);
    }

    /// The training runs that read what is behind a node, as indexes into `training_runs`.
    pub fn required_by(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.training_runs.len()).filter(move |&run| self.is_required(place, run))
    }
}

/// The bit of a training run, by its index, in its chunk.
#[must_use]
pub const fn requirement(run: usize) -> Label {
    1 << (FIRST_REQUIREMENT as usize + run % RUNS_PER_WALK)
}

/// Numbers training runs as the walk meets them.
#[derive(Default)]
struct Numbers {
    runs: Vec<NodeId>,
    /// Of the runs after the first 56.
    further: HashMap<NodeId, usize>,
    /// The last asked for: a run's edges come one after the other.
    last: Option<(NodeId, usize)>,
}

impl Numbers {
    #[inline(always)]
    fn of(&mut self, run: NodeId) -> usize {
        match self.last {
            Some((last, number)) if last == run => number,
            _ => self.find(run),
        }
    }

    /// Few runs are found faster by looking at them than by hashing.
    fn find(&mut self, run: NodeId) -> usize {
        let known = self.runs.iter().take(RUNS_PER_WALK).position(|&known| known == run);
        let number = known.or_else(|| self.further.get(&run).copied()).unwrap_or_else(|| {
            let number = self.runs.len();
            self.runs.push(run);
            if number >= RUNS_PER_WALK {
                self.further.insert(run, number);
            }
            number
        });
        self.last = Some((run, number));
        number
    }
}

/// Walks upstream from the seeds with their modes (a release as [`CONTAINED`], what it is served as [`SERVED`]).
///
/// Training runs are numbered as they are met. More than 56 of them do not fit in a label: the walk is then done again for
/// each further 56, over the same nodes in the same order, and the answer is whole however many there are.
#[must_use]
pub fn expose(graph: &Graph, seeds: &[(NodeId, Label)]) -> Exposure {
    let mut exposure = Exposure::default();
    expose_into(graph, seeds, NO_CUTS, &mut exposure);
    exposure
}

/// [`expose`] into an answer whose memory is used again (its content is replaced).
pub fn expose_into(graph: &Graph, seeds: &[(NodeId, Label)], cuts: Cuts<'_>, exposure: &mut Exposure) {
    let mut numbers = Numbers { runs: std::mem::take(&mut exposure.training_runs), ..Numbers::default() };
    numbers.runs.clear();
    exposure.more.clear();
    let mut nodes = std::mem::take(&mut exposure.nodes);
    walk(graph, seeds, cuts, 0, (&mut numbers, exposure), &mut nodes);
    exposure.nodes = nodes;
    let mut first = RUNS_PER_WALK;
    while first < numbers.runs.len() {
        let mut chunk = Vec::with_capacity(exposure.nodes.len());
        walk(graph, seeds, cuts, first, (&mut numbers, exposure), &mut chunk);
        exposure.more.push(chunk);
        first += RUNS_PER_WALK;
    }
    exposure.training_runs = numbers.runs;
}

/// One walk, in which the training runs numbered `first .. first + 56` have their bits.
fn walk(
    graph: &Graph,
    seeds: &[(NodeId, Label)],
    cuts: Cuts<'_>,
    first: usize,
    (numbers, found): (&mut Numbers, &mut Exposure),
    out: &mut Labelled,
) {
    found.classes.clear();
    found.met.clear();
    let mut exposing = Exposing { graph, plain: &PLAIN, cuts, first, numbers, found, noted: 0 };
    labelled_into(graph, seeds, &mut exposing, out);
    let noted = exposing.noted;
    found.looks.truncate(noted);
}

/// Flags of what is not complete, whatever it is.
pub const INCOMPLETE: u16 = Flags::DANGLING.0 | Flags::UNCLASSIFIED.0 | Flags::ACQUIRED.0 | Flags::ENDPOINT.0;

/// Flags that make a node of whatever kind remarkable.
const REMARKABLE: u16 =
    INCOMPLETE | Flags::RETIRED.0 | Flags::RESTRICTED.0 | Flags::ERASED.0 | Flags::TRAINS.0 | ASSESSED.0;

/// Flags of dataset versions that hold people, or state that the people they describe are invented.
pub const PEOPLE: u16 = PERSONAL.0 | FICTION.0;

/// Whether a decision looks at a node again (it is remarkable, or people may be in it), and whether it is remarkable. Without
/// branches: no processor guesses whether people are in a table, and guessing wrong costs more than all of this.
#[inline(always)]
fn is_worth_a_look(Seen { node, is_root, is_made, .. }: Seen) -> (bool, bool) {
    let any = |flags: u16| node.flags.0 & flags != 0;
    let (table, run) = (node.kind == NodeKind::DatasetVersion, node.kind == NodeKind::Run);
    let unmade = !is_made & any(Flags::NO_ORIGIN.0);
    let remarkable = any(REMARKABLE) | !(table | run) | (table & unmade) | (run & (is_root | any(MAPPED.0)));
    (remarkable | (node.implied != 0) | (table & any(PEOPLE)), remarkable)
}

/// How exposure passes upstream.
struct Exposing<'a> {
    graph: &'a Graph,
    plain: &'a Labels,
    cuts: Cuts<'a>,
    /// The first of the training runs that have their bits.
    first: usize,
    numbers: &'a mut Numbers,
    found: &'a mut Exposure,
    /// How many of the looks are noted; what stands behind them means nothing.
    noted: usize,
}

/// Makes room: rarely, and so outside the loop.
#[cold]
fn more(looks: &mut Vec<Look>) {
    looks.resize((2 * looks.len()).max(64), Look::default());
}

impl Transfer for Exposing<'_> {
    fn pass(&mut self, id: NodeId, node: Node, link: &Link, label: Label) -> Label {
        let passed = pass_link(self.graph, self.plain, node, link, cut(id, node, label, self.cuts));
        if !trains(node) || link.kind() != EdgeKind::Used {
            return passed;
        }
        let number = self.numbers.of(id);
        let numbered = self.first..self.first + RUNS_PER_WALK;
        if numbered.contains(&number) { passed | requirement(number) } else { passed }
    }

    #[inline(always)]
    fn pass_alike(&mut self, id: NodeId, node: Node, label: Label) -> Option<Label> {
        let asked = trains(node) || node.flags.has(Flags::INFERS);
        (!asked).then(|| cut(id, node, label, self.cuts))
    }

    #[inline(always)]
    fn alike(&self) -> &Labels {
        self.plain
    }

    #[inline(always)]
    fn meet(&mut self, seen: Seen) {
        let class = seen.node.class;
        if !self.found.met.get(class as usize).is_some_and(|met| *met) {
            self.found.meet(class);
        }
        let (worth, remarkable) = is_worth_a_look(seen);
        let looks = &mut self.found.looks;
        if looks.len() <= self.noted {
            more(looks);
        }
        // Written in any case, and written over by the next one if it was not worth it.
        looks[self.noted] = Look::new(seen.place, remarkable);
        self.noted += usize::from(worth);
    }
}

/// What a path must show at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// One of the modes: the way along which the people behind the target are contained (shaped …) in the seed.
    Mode(Label),
    /// A training run: the way along which it read what is behind the target.
    Run(NodeId),
}

/// The shortest way from a seed to `target` along which `want` is carried, both included; empty if there is none.
///
/// The shortest way at all may carry something else (a data set used for validation nearby, for training further off):
/// the walk is over pairs of node and mode, so that the way found is one that shows the finding.
#[must_use]
pub fn path(graph: &Graph, seeds: &[(NodeId, Label)], cuts: Cuts<'_>, target: NodeId, want: Want) -> Vec<NodeId> {
    path_over(graph, seeds, cuts, &|_, _| true, target, want)
}

/// [`path`] over those edges only that carry something, from effect to cause.
#[must_use]
pub fn path_over(
    graph: &Graph,
    seeds: &[(NodeId, Label)],
    cuts: Cuts<'_>,
    carries: &dyn Fn(NodeId, NodeId) -> bool,
    target: NodeId,
    want: Want,
) -> Vec<NodeId> {
    let plain = &*PLAIN;
    // What a way carries: one mode, and for `Want::Run` whether the run lies behind it.
    let step = |id: NodeId, node: Node, link: &Link, state: Label| match want {
        Want::Mode(_) => pass_link(graph, plain, node, link, cut(id, node, state, cuts)),
        Want::Run(_) if cut(id, node, CONTAINED, cuts) == 0 => 0,
        Want::Run(run) => state | if id == run && link.kind() == EdgeKind::Used { 2 } else { 0 },
    };
    let goal = match want {
        Want::Mode(mode) => mode,
        Want::Run(_) => 2,
    };
    let is_goal = |node: NodeId, state: Label| node == target && state & goal != 0;
    let mut queue: Vec<(NodeId, Label, usize)> = Vec::new();
    // The nodes met, with the states they were met in.
    let mut met: Vec<(NodeId, Label)> = Vec::new();
    let found = scratch::with(graph.node_count(), |scratch| {
        for &(seed, label) in seeds.iter().filter(|&&(seed, _)| graph.contains(seed)) {
            let states = if matches!(want, Want::Run(_)) { 1 } else { label & MODES };
            for state in (0..4).map(|bit| 1 << bit).filter(|bit| states & bit != 0) {
                if is_new(scratch, &mut met, seed, state) {
                    queue.push((seed, state, usize::MAX));
                }
            }
        }
        let mut next = 0;
        while let Some(&(id, state, _)) = queue.get(next) {
            if is_goal(id, state) {
                return Some(next);
            }
            let node = graph.node(id);
            for half in graph.upstream(id) {
                let passed = step(id, node, &half.link(), state);
                if passed != 0 && carries(id, half.node) && is_new(scratch, &mut met, half.node, passed) {
                    queue.push((half.node, passed, next));
                }
            }
            next += 1;
        }
        None
    });
    let mut path = Vec::new();
    let mut at = found;
    while let Some(&(node, _, before)) = at.and_then(|place| queue.get(place)) {
        path.push(node);
        at = Some(before);
    }
    path.reverse();
    path
}

/// Notes a node and the state it was met in; false if it was met in it (or in more) before.
fn is_new(scratch: &mut Scratch, met: &mut Labelled, node: NodeId, state: Label) -> bool {
    match scratch.find_or_mark(met, node) {
        None => {
            met.push((node, state));
            true
        }
        Some(place) => {
            let known = &mut met[place].1;
            let new = *known & state != state;
            *known |= state;
            new
        }
    }
}

#[cfg(test)]
#[path = "exposure_tests.rs"]
mod tests;
