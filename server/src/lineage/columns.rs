//! Which columns of a dataset reach what runs, where the runs on the way say so.
//!
//! A run that lists, for every field of an output, the fields it was made of narrows what flows: only those do, of this run,
//! into that output. Whatever is not said, not registered or not classified flows whole, and what flows by one way is not
//! narrowed by another. This is a second walk over the closure, made only where it holds such a run: the walk of the gate
//! ([`super::exposure`]) knows nothing of columns.

use std::collections::{HashMap, HashSet};

use licit_schemas::registry::Identifiability;

use super::exposure::Cuts;
use super::graph::{EdgeKind, Flags, Node, NodeId, NodeKind};
use super::walk::Label;
use super::{ASSESSED, Class, MAPPED, State};
use crate::registry::What;
use crate::registry::columns::{FieldFacts, Fields, Made, Mapping, Origin, place_read};
use crate::registry::vocabulary::{TermId, vocabulary};

/// How a field flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Not at all.
    #[default]
    No,
    /// Pseudonymised on every way.
    Masked,
    /// As it is.
    Plain,
}

/// Nothing is known to flow.
const NONE: u8 = 0;
/// Some fields flow.
const SOME: u8 = 1;
/// All of it flows.
const WHOLE: u8 = 2;

/// What flows of each node of a closure; by default, all of it.
#[derive(Debug, Default)]
pub struct Narrowed {
    states: Vec<u8>,
    /// Of datasets of which some fields flow: how each does, in the order of [`Fields`].
    fields: HashMap<NodeId, Vec<Way>>,
    /// Runs with columns, and what of their inputs flows at all.
    carried: HashSet<(NodeId, NodeId)>,
}

/// Whether a node is a run that says something of its columns.
#[inline(always)]
pub fn is_mapped(node: Node) -> bool {
    node.flags.has(MAPPED) && node.kind == NodeKind::Run
}

/// The fields of a dataset version with what was said of them later and what default classes answer, where all are known; none where
/// it dangles, lists none, or has one that nobody classified and no default answers for.
pub fn fields(lineage: &State, id: NodeId) -> Option<&Fields> {
    let node = lineage.graph().node(id);
    if node.kind != NodeKind::DatasetVersion || node.flags.has(Flags::DANGLING) {
        return None;
    }
    match lineage.record(id).held.as_deref().map(|held| &held.what) {
        Some(What::Dataset(facts)) => facts.known_fields(),
        _ => None,
    }
}

/// What a run says of its columns.
pub fn mapping(lineage: &State, run: NodeId) -> Option<&Mapping> {
    match lineage.record(run).held.as_deref().map(|held| &held.what) {
        Some(What::Run(facts)) => facts.columns.as_deref(),
        _ => None,
    }
}

/// Walks upstream from the seeds, all of which flow whole.
pub fn narrow(lineage: &State, seeds: &[(NodeId, Label)], cuts: Cuts<'_>) -> Narrowed {
    let count = lineage.graph().node_count();
    let mut walk = Walk {
        lineage,
        queue: Vec::new(),
        waiting: HashSet::new(),
        out: Narrowed { states: vec![NONE; count], ..Narrowed::default() },
    };
    for &(seed, _) in seeds.iter().filter(|(seed, _)| lineage.graph().contains(*seed)) {
        walk.whole(seed);
    }
    let mut next = 0;
    while let Some(&id) = walk.queue.get(next) {
        walk.waiting.remove(&id);
        walk.turn(id, cuts);
        next += 1;
    }
    walk.out
}

struct Walk<'s> {
    lineage: &'s State,
    queue: Vec<NodeId>,
    /// Datasets of which some fields flow, in the queue for what grew.
    waiting: HashSet<NodeId>,
    out: Narrowed,
}

impl Walk<'_> {
    fn whole(&mut self, id: NodeId) {
        if let Some(state) = self.out.states.get_mut(id.index())
            && *state != WHOLE
        {
            *state = WHOLE;
            self.queue.push(id);
        }
    }

    fn field(&mut self, id: NodeId, name: &str, way: Way) {
        let Some(fields) = fields(self.lineage, id) else { return self.whole(id) };
        // A version registered later may lack what the run said to have read.
        let Some(place) = place_read(fields, name) else { return self.whole(id) };
        if self.out.states[id.index()] == WHOLE {
            return;
        }
        self.out.states[id.index()] = SOME;
        let ways = self.out.fields.entry(id).or_insert_with(|| vec![Way::No; fields.len()]);
        if ways[place] < way {
            ways[place] = way;
            if self.waiting.insert(id) {
                self.queue.push(id);
            }
        }
    }

    fn turn(&mut self, id: NodeId, cuts: Cuts<'_>) {
        let graph = self.lineage.graph();
        let node = graph.node(id);
        if node.flags.has(ASSESSED) && node.kind == NodeKind::DatasetVersion && cuts(id) {
            return;
        }
        for half in graph.upstream(id) {
            if half.kind == EdgeKind::Generated && is_mapped(graph.node(half.node)) {
                self.through(half.node, id);
            } else {
                self.whole(half.node);
            }
        }
    }

    /// What flows through a run with columns into one of its outputs.
    fn through(&mut self, run: NodeId, output: NodeId) {
        let lineage = self.lineage;
        let wanted = mapping(lineage, run).and_then(|mapping| Some((mapping, self.wanted(mapping, output)?)));
        let Some((mapping, wanted)) = wanted else { return self.whole(run) };
        let inputs: Vec<Option<NodeId>> = mapping.inputs.iter().map(|input| lineage.find(input)).collect();
        let spoken_of: HashSet<NodeId> = inputs.iter().flatten().copied().collect();
        for half in lineage.graph().upstream(run) {
            // What it was seen reading besides, and models, of which there are no columns.
            if !spoken_of.contains(&half.node) {
                self.out.carried.insert((run, half.node));
                self.whole(half.node);
            }
        }
        for (origin, way) in wanted {
            let Some(input) = inputs[origin.input] else { continue };
            self.out.carried.insert((run, input));
            self.field(input, &origin.field, if origin.masked { way.min(Way::Masked) } else { way });
        }
    }

    /// The fields that went into what flows of an output, and how that flows; none where that is not known.
    fn wanted<'s>(&self, mapping: &'s Mapping, output: NodeId) -> Option<Vec<(&'s Origin, Way)>> {
        let lineage = self.lineage;
        let whole = self.out.states[output.index()] == WHOLE;
        let ways = self.out.fields.get(&output);
        if let Some(Made::Model(origins)) = mapping.outputs.get(&lineage.name(output)) {
            return Some(origins.iter().map(|origin| (origin, Way::Plain)).collect());
        }
        let mut wanted = Vec::new();
        for (place, (field, origins)) in listed(lineage, mapping, output)?.into_iter().enumerate() {
            let way = if whole { Way::Plain } else { ways.map_or(Way::No, |ways| ways[place]) };
            if way == Way::No {
                continue;
            }
            if !believed(lineage, mapping, field, origins) {
                return None;
            }
            wanted.extend(origins.iter().map(|origin| (origin, way)));
        }
        Some(wanted)
    }
}

/// Each field of an output, in their order, with what a run says it was made of; none where it does not say it of all.
pub(super) fn listed<'s, 'm>(
    lineage: &'s State,
    mapping: &'m Mapping,
    output: NodeId,
) -> Option<Vec<(&'s FieldFacts, &'m [Origin])>> {
    let Made::Fields(listed) = mapping.outputs.get(&lineage.name(output))? else { return None };
    fields(lineage, output)?.iter().map(|field| Some((field, listed.get(&field.name)?.as_slice()))).collect()
}

/// People do not come from nothing: who says so is not believed.
pub(super) fn believed(lineage: &State, mapping: &Mapping, field: &FieldFacts, origins: &[Origin]) -> bool {
    !field.personal() || origins.iter().any(|origin| is_personal(lineage, mapping, origin))
}

/// Whether a field that was read holds personal data, as far as is known.
fn is_personal(lineage: &State, mapping: &Mapping, origin: &Origin) -> bool {
    let Some(input) = lineage.find(&mapping.inputs[origin.input]) else { return false };
    match fields(lineage, input) {
        Some(fields) => place_read(fields, &origin.field).is_none_or(|place| fields[place].personal()),
        None => true, // It flows whole.
    }
}

/// What a run says to have read of its inputs, before it masked any: asked once for all of them.
pub struct Read<'s> {
    inputs: Vec<Option<NodeId>>,
    /// Of each input, its fields and which were read; none where they are not known, or lack one that it says to have read.
    ways: Vec<Option<(&'s Fields, Vec<Way>)>>,
}

impl<'s> Read<'s> {
    /// What a run says; none where it does not say it of all it made.
    pub fn of(lineage: &'s State, run: NodeId) -> Option<Self> {
        let mapping = mapping(lineage, run)?;
        let inputs: Vec<Option<NodeId>> = mapping.inputs.iter().map(|input| lineage.find(input)).collect();
        let known: Vec<Option<&Fields>> = inputs.iter().map(|input| fields(lineage, (*input)?)).collect();
        let ways = known.iter().map(|known| known.map(|known| (known, vec![Way::No; known.len()]))).collect();
        let mut read = Self { inputs, ways };
        for made in lineage.graph().downstream(run).filter(|half| half.kind == EdgeKind::Generated) {
            if let Some(Made::Model(origins)) = mapping.outputs.get(&lineage.name(made.node)) {
                read.note(origins);
                continue;
            }
            for (field, origins) in listed(lineage, mapping, made.node)? {
                if field.personal() && !origins.iter().any(|origin| read.is_personal(&known, origin)) {
                    return None;
                }
                read.note(origins);
            }
        }
        Some(read)
    }

    /// [`is_personal`], of inputs that were looked up.
    fn is_personal(&self, known: &[Option<&Fields>], origin: &Origin) -> bool {
        let at = |fields: &Fields| place_read(fields, &origin.field).is_none_or(|place| fields[place].personal());
        self.inputs[origin.input].is_some() && known[origin.input].is_none_or(at)
    }

    fn note(&mut self, origins: &[Origin]) {
        for origin in origins {
            let ways = &mut self.ways[origin.input];
            let Some((known, list)) = ways else { continue };
            match place_read(known, &origin.field) {
                Some(place) => list[place] = Way::Plain,
                None => *ways = None,
            }
        }
    }

    /// The fields of an input that were read; none where nobody says which.
    pub fn fields(&self, input: NodeId) -> Option<Vec<(&'s FieldFacts, Way)>> {
        let at = self.inputs.iter().position(|known| *known == Some(input))?;
        let (known, ways) = self.ways[at].as_ref()?;
        Some(known.iter().zip(ways).filter(|(_, way)| **way != Way::No).map(|(field, way)| (field, *way)).collect())
    }
}

impl Narrowed {
    /// How each field of a dataset flows, in the order of its [`Fields`]; none where all of it does.
    fn ways(&self, id: NodeId) -> Option<&[Way]> {
        match self.states.get(id.index()) {
            Some(&SOME) => self.fields.get(&id).map(Vec::as_slice),
            Some(&NONE) => Some(&[]),
            _ => None,
        }
    }

    /// The fields of a dataset that flow, with how; none where all of it does, as it is.
    pub fn flowing<'s>(&self, lineage: &'s State, id: NodeId) -> Option<Vec<(&'s FieldFacts, Way)>> {
        let ways = self.ways(id)?;
        let Some(fields) = fields(lineage, id) else { return Some(Vec::new()) };
        if !ways.is_empty() && ways.iter().all(|way| *way == Way::Plain) {
            return None;
        }
        let flowing = fields.iter().zip(ways).filter(|(_, way)| **way != Way::No);
        Some(flowing.map(|(field, way)| (field, *way)).collect())
    }

    /// Whether anything flows over an edge.
    pub fn carries(&self, lineage: &State, from: NodeId, to: NodeId) -> bool {
        !is_mapped(lineage.graph().node(from))
            || self.states.get(from.index()).is_none_or(|state| *state == WHOLE)
            || self.carried.contains(&(from, to))
    }
}

/// The class of what flows of a dataset; none where that is no personal data.
pub fn class(whole: &Class, flowing: &[(&FieldFacts, Way)]) -> Option<Class> {
    // What people may have written into a table about people counts, whatever is stated of it.
    if !flowing.iter().any(|(field, _)| field.personal() || field.free_text) {
        return None;
    }
    let mut categories: Vec<TermId> = flowing.iter().flat_map(|(field, _)| field.categories.iter().copied()).collect();
    categories.sort_unstable();
    categories.dedup();
    let levels = flowing.iter().map(|(field, way)| match field.identifiability {
        Some(Identifiability::Direct) if *way == Way::Masked => Identifiability::Pseudonym,
        level => level.unwrap_or(Identifiability::Direct),
    });
    Some(Class {
        special: categories.iter().any(|c| vocabulary().is_special(*c)),
        identifiability: levels.max().unwrap_or(Identifiability::None),
        free_text: flowing.iter().any(|(field, _)| field.free_text),
        categories,
        ..whole.clone()
    })
}

#[cfg(test)]
#[path = "columns_tests.rs"]
pub(super) mod tests;
