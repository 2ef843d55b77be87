//! How far tables identify people by what they were made of, where they state less.
//!
//! No operation makes a table identify less than it can undo: what a run wrote identifies as far as what it read, lowered only
//! as [`after`] says. A table that states less is *understated*, and its node keeps the level implied ([`Node::implied`]), all
//! of its fields alike. What was assessed to be anonymous is asked for where it matters: here it counts as what it was made of.

use std::collections::{HashMap, HashSet};

use licit_schemas::registry::Identifiability::{self, Direct, Pseudonym, Quasi};
use licit_schemas::registry::Operation;

use super::columns::{believed, fields, is_mapped, listed};
use super::graph::{EdgeKind, Flags, Half, Node, NodeId, NodeKind};
use super::{FICTION, OF_PEOPLE, PERSONAL, State, exposure};
use crate::registry::What;
use crate::registry::columns::{Mapping, Origin, place_read};

/// What is left of a level by an operation, without any assessment. `personal` says whether it read anything about people.
pub fn after(operation: Operation, level: Identifiability, personal: bool) -> Identifiability {
    match operation {
        Operation::Pseudonymise => level.min(Pseudonym),
        // Groups may be small, texts hold what no detector saw, and a generator may repeat what it was shown.
        Operation::Aggregate | Operation::Evaluate | Operation::Redact | Operation::Synthesise => level.min(Quasi),
        // It says something of each person.
        Operation::Infer if personal => level.max(Quasi),
        Operation::Infer
        | Operation::Anonymise
        | Operation::Copy
        | Operation::Filter
        | Operation::Combine
        | Operation::Derive
        | Operation::Train
        | Operation::FineTune
        | Operation::Distil
        | Operation::Embed => level,
    }
}

/// The level a node was raised to; *none* where it states enough.
pub fn raised(node: Node) -> Identifiability {
    level(node.implied)
}

/// The level that a node's [`Node::implied`] stands for.
pub fn level(implied: u8) -> Identifiability {
    match implied {
        0 => Identifiability::None,
        1 => Quasi,
        2 => Pseudonym,
        _ => Direct,
    }
}

/// How far inputs were raised; none for those in which nobody is identifiable any more.
type Raised<'r> = &'r dyn Fn(NodeId) -> Option<Identifiability>;

/// What an input brings: its level, and whether it is about people at all.
#[derive(Clone, Copy, Default)]
struct Brings {
    level: Option<Identifiability>,
    personal: bool,
}

impl Brings {
    fn and(self, other: Self) -> Self {
        Self { level: self.level.max(other.level), personal: self.personal || other.personal }
    }

    fn after(self, operation: Operation) -> Identifiability {
        after(operation, self.level.unwrap_or(Identifiability::None), self.personal)
    }
}

/// A whole table. One that states to describe nobody does, unless it was made of people.
fn table(lineage: &State, id: NodeId, raised: Raised<'_>) -> Brings {
    let Some(beyond) = raised(id) else { return Brings::default() };
    let node = lineage.graph().node(id);
    let stated = node.flags.has(PERSONAL) || node.flags.has(FICTION) && node.flags.has(OF_PEOPLE);
    let level = if stated { lineage.class_at(node.class).identifiability } else { Identifiability::None };
    Brings { level: Some(level.max(beyond)), personal: stated || beyond > Identifiability::None }
}

/// A field that was read of a table.
fn field(lineage: &State, input: NodeId, origin: &Origin, raised: Raised<'_>) -> Brings {
    let known = fields(lineage, input).and_then(|fields| Some(&fields[place_read(fields, &origin.field)?]));
    let Some(known) = known else { return table(lineage, input, raised) };
    let Some(beyond) = raised(input) else { return Brings::default() };
    let stated = known.identifiability.unwrap_or(Direct).max(beyond);
    let level = if origin.masked { stated.min(Pseudonym) } else { stated };
    Brings { level: Some(level), personal: known.personal() || beyond > Identifiability::None }
}

/// The tables that a run read people of, but for those that `speaks` of.
fn tables<'s>(lineage: &'s State, run: NodeId, speaks: &'s [NodeId]) -> impl Iterator<Item = NodeId> + 's {
    let graph = lineage.graph();
    let node = graph.node(run);
    let read = move |half: &Half| {
        half.kind == EdgeKind::Used
            && graph.node(half.node).kind == NodeKind::DatasetVersion
            && exposure::contains(graph, node, &half.link())
            && !speaks.contains(&half.node)
    };
    graph.upstream(run).filter(read).map(|half| half.node)
}

/// What a run says of its columns, with how far what it made of them identifies more than it states.
fn by_columns(
    lineage: &State,
    (operation, mapping): (Operation, &Mapping),
    run: NodeId,
    output: NodeId,
    raised: Raised<'_>,
) -> Option<Identifiability> {
    let made = listed(lineage, mapping, output)?;
    let inputs: Vec<Option<NodeId>> = mapping.inputs.iter().map(|input| lineage.find(input)).collect();
    let speaks: Vec<NodeId> = inputs.iter().flatten().copied().collect();
    let besides = tables(lineage, run, &speaks).fold(Brings::default(), |all, id| all.and(table(lineage, id, raised)));
    let mut level = Identifiability::None;
    for (stated, origins) in made {
        if !believed(lineage, mapping, stated, origins) {
            return None;
        }
        let brings = origins.iter().fold(besides, |all, origin| match inputs[origin.input] {
            Some(input) => all.and(field(lineage, input, origin, raised)),
            None => all,
        });
        let implied = brings.after(operation);
        if stated.identifiability.is_some_and(|own| own < implied) {
            level = level.max(implied);
        }
    }
    Some(level)
}

/// The level that a table states; none where nothing can be implied of it: it is no table, or nobody registered it.
fn stated(lineage: &State, id: NodeId) -> Option<Identifiability> {
    let node = lineage.graph().node(id);
    if node.kind != NodeKind::DatasetVersion || node.flags.has(Flags::DANGLING) {
        return None;
    }
    Some(match lineage.record(id).held.as_deref().map(|held| &held.what) {
        Some(What::Dataset(facts)) => facts.level(),
        _ => Identifiability::None,
    })
}

/// The level that the runs which made a table imply, where it states less.
fn implied(lineage: &State, id: NodeId, raised: Raised<'_>) -> Identifiability {
    let Some(stated) = stated(lineage, id) else { return Identifiability::None };
    let runs = lineage.graph().upstream(id).filter(generated);
    runs.map(|half| implied_by(lineage, half.node, (id, stated), raised)).max().unwrap_or(Identifiability::None)
}

fn generated(half: &Half) -> bool {
    half.kind == EdgeKind::Generated
}

/// The level that one of these runs implies.
fn implied_by(
    lineage: &State,
    run: NodeId,
    (id, stated): (NodeId, Identifiability),
    raised: Raised<'_>,
) -> Identifiability {
    let node = lineage.graph().node(run);
    let Some(operation) = lineage.class_at(node.class).traits.operation else { return Identifiability::None };
    let mapping = if is_mapped(node) { super::columns::mapping(lineage, run) } else { None };
    let by_columns = mapping.and_then(|mapping| by_columns(lineage, (operation, mapping), run, id, raised));
    by_columns.unwrap_or_else(|| {
        let read = tables(lineage, run, &[]);
        let whole = read.fold(Brings::default(), |all, id| all.and(table(lineage, id, raised))).after(operation);
        if stated < whole { whole } else { Identifiability::None }
    })
}

/// How far a table was raised, where some of what it was made of holds nobody any more: `cut` says of what.
pub fn raised_without(
    lineage: &State,
    id: NodeId,
    cut: &dyn Fn(NodeId) -> bool,
    known: &mut HashMap<NodeId, Identifiability>,
) -> Identifiability {
    let graph = lineage.graph();
    let mut met = HashSet::new();
    let mut stack = vec![id];
    while let Some(&at) = stack.last() {
        if graph.node(at).implied == 0 || known.contains_key(&at) {
            stack.pop();
            continue;
        }
        if met.insert(at) {
            // What it was made of comes first. Executions form no circle; were there one, what was met stands as it was.
            let runs = graph.upstream(at).filter(|half| half.kind == EdgeKind::Generated);
            let read = runs.flat_map(|half| tables(lineage, half.node, &[]));
            stack.extend(read.filter(|read| graph.node(*read).implied != 0 && !met.contains(read) && !cut(*read)));
            continue;
        }
        stack.pop();
        let level = implied(lineage, at, &|input| match cut(input) {
            true => None,
            false => Some(known.get(&input).copied().unwrap_or_else(|| raised(graph.node(input)))),
        });
        known.insert(at, level);
    }
    known.get(&id).copied().unwrap_or(Identifiability::None)
}

impl State {
    /// What was made of these nodes by runs.
    fn made_of(&self, id: NodeId) -> Vec<NodeId> {
        let of = |kind: EdgeKind| move |half: &Half| half.kind == kind;
        let runs = self.graph.downstream(id).filter(of(EdgeKind::Used));
        runs.flat_map(|run| self.graph.downstream(run.node).filter(of(EdgeKind::Generated)))
            .map(|half| half.node)
            .collect()
    }

    /// Note on a dataset version that people are in what it was made of: that stays so, whatever is recorded later. Whether that is new.
    pub(super) fn note_people(&mut self, id: NodeId) -> bool {
        let graph = &self.graph;
        let node = graph.node(id);
        if node.kind != NodeKind::DatasetVersion || node.flags.has(OF_PEOPLE) {
            return false;
        }
        let personal = |run: NodeId, half: Half| {
            half.kind == EdgeKind::Used
                && graph.node(half.node).flags.has(PERSONAL)
                && exposure::contains(graph, graph.node(run), &half.link())
        };
        let of_people = |half: Half| {
            half.kind == EdgeKind::Generated && graph.upstream(half.node).any(|read| personal(half.node, read))
        };
        let found = graph.upstream(id).any(of_people);
        if found {
            self.flag(id, OF_PEOPLE);
        }
        found
    }

    /// Note how far the tables that a run made identify by what it read: what other runs imply of them is noted already. A name that
    /// is written every hour has thousands of those.
    pub(super) fn raise_by(&mut self, run: NodeId) {
        // With what it was known to have written before it was recorded.
        let made: Vec<NodeId> = self.graph.downstream(run).filter(generated).map(|half| half.node).collect();
        for id in made {
            let Some(stated) = stated(self, id) else { continue };
            let level = implied_by(self, run, (id, stated), &|input| Some(raised(self.graph.node(input))));
            if level as u8 > self.graph.node(id).implied {
                self.raise(vec![id]);
            }
        }
    }

    /// Note on tables how far they identify beyond what they state, and on what was made of those, and so on. It only rises.
    pub(super) fn raise(&mut self, mut tables: Vec<NodeId>) {
        while let Some(id) = tables.pop() {
            let graph = &self.graph;
            let level = implied(self, id, &|input| Some(raised(graph.node(input))));
            let node = graph.node(id);
            if level as u8 > node.implied {
                self.graph.set_node(id, Node { implied: level as u8, ..node });
                tables.extend(self.made_of(id));
            }
        }
    }

    /// The same anew, of a table now known better and all that was raised by it: by what its fields are known to hold, less may
    /// follow than before.
    pub(super) fn raise_anew(&mut self, id: NodeId) {
        let mut met = HashSet::new();
        let mut next = self.made_of(id);
        next.push(id);
        while let Some(at) = next.pop() {
            if !met.insert(at) {
                continue;
            }
            let node = self.graph.node(at);
            if node.implied != 0 {
                self.graph.set_node(at, Node { implied: 0, ..node });
                next.extend(self.made_of(at));
            }
        }
        let mut tables: Vec<NodeId> = met.into_iter().collect();
        tables.sort_unstable();
        for table in &tables {
            self.note_people(*table);
        }
        self.raise(tables);
    }

    /// Note how far tables identify, of what was made of something now registered.
    pub(super) fn raise_from(&mut self, id: NodeId) {
        let mut tables = self.made_of(id);
        tables.push(id);
        self.raise(tables);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::columns::tests::{Dice, built, grown, name, small};
    use super::*;
    use crate::facts::World;

    #[test]
    fn table_of_operations() {
        use Identifiability::None;
        let keeps = [None, Quasi, Pseudonym, Direct];
        let table = [
            (Operation::Copy, keeps),
            (Operation::Filter, keeps),
            (Operation::Combine, keeps),
            (Operation::Derive, keeps),
            (Operation::Anonymise, keeps),
            (Operation::Pseudonymise, [None, Quasi, Pseudonym, Pseudonym]),
            (Operation::Redact, [None, Quasi, Quasi, Quasi]),
            (Operation::Aggregate, [None, Quasi, Quasi, Quasi]),
            (Operation::Synthesise, [None, Quasi, Quasi, Quasi]),
            (Operation::Infer, [Quasi, Quasi, Pseudonym, Direct]),
        ];
        for (operation, wanted) in table {
            assert_eq!(keeps.map(|level| after(operation, level, true)), wanted, "{operation:?}");
        }
        assert_eq!(after(Operation::Infer, None, false), None, "it says nothing of anybody");
    }

    fn levels(world: &World, tables: usize) -> Vec<Option<(NodeId, Identifiability)>> {
        let lineage = &world.lineage;
        let of = |id| (id, raised(lineage.graph().node(id)));
        (0..tables).map(|table| lineage.find(&name(table)).map(of)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

        #[test]
        fn what_is_noted_is_what_follows(seed in 1u64..) {
            let mut dice = Dice(seed);
            let small = small(&mut dice);
            let world = built(&small);
            let graph = world.lineage.graph();
            let before = levels(&world, small.tables.len());
            for (id, level) in before.iter().flatten() {
                let follows = implied(&world.lineage, *id, &|input| Some(raised(graph.node(input))));
                prop_assert_eq!(follows, *level, "{:#?}", small);
                let mut known = HashMap::new();
                prop_assert_eq!(raised_without(&world.lineage, *id, &|_| false, &mut known), *level);
                // With what it was made of assessed, nothing is implied.
                prop_assert_eq!(raised_without(&world.lineage, *id, &|_| true, &mut HashMap::new()), Identifiability::None);
            }
            let more = grown(&small, &mut dice);
            for (before, after) in before.iter().zip(levels(&built(&more), small.tables.len())) {
                prop_assert!(before.map(|(_, level)| level) <= after.map(|(_, level)| level), "{:#?}", more);
            }
        }
    }

    #[test]
    fn some_tables_are_understated() {
        let mut counts = [0; 4];
        for seed in 1..200u64 {
            let small = small(&mut Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
            for (_, level) in levels(&built(&small), small.tables.len()).into_iter().flatten() {
                counts[level as usize] += 1;
            }
        }
        assert!(counts.iter().all(|count| *count > 10), "{counts:?}");
    }
}
