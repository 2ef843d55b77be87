//! Columns on random small registries, held against a slow and plain way to say the same.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::exposure::{CONTAINED, NO_CUTS, expose};
use super::*;
use crate::catalogue::Stated;
use crate::db::{At, Projection, Rows};
use crate::facts::{Fact, World};

/// Categories by number of the field; the third field of each table says nothing of anybody.
const CATEGORIES: [&str; 2] = ["https://w3id.org/dpv/pd#Age", "https://w3id.org/dpv/pd#PoliticalOpinion"];
const FIELDS: usize = 3;

#[derive(Clone, Debug)]
pub(in super::super) struct Table {
    levels: [&'static str; FIELDS],
    registered: bool,
    unclassified: bool,
}

impl Table {
    /// Whether it is known what is in it.
    fn clear(&self) -> bool {
        self.registered && !self.unclassified
    }

    fn personal(&self, field: usize) -> bool {
        field < CATEGORIES.len() || self.levels[field] != "none"
    }
}

/// A field of a table, and whether it was masked.
type From = (usize, usize, bool);

#[derive(Clone, Debug, Default)]
pub(in super::super) struct Run {
    inputs: Vec<usize>,
    outputs: Vec<usize>,
    columns: BTreeMap<(usize, usize), Vec<From>>,
    /// It made the model, and says what it read for it.
    model: Option<Option<Vec<From>>>,
    /// Tables it was seen reading besides.
    late: Vec<usize>,
}

#[derive(Clone, Debug, Default)]
pub(in super::super) struct Small {
    pub(in super::super) tables: Vec<Table>,
    pub(in super::super) runs: Vec<Run>,
}

pub(in super::super) struct Dice(pub(in super::super) u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.roll(n) == 0
    }
}

fn froms(dice: &mut Dice, inputs: &[usize]) -> Vec<From> {
    (0..dice.roll(4)).map(|_| (inputs[dice.roll(inputs.len())], dice.roll(FIELDS), dice.one_in(4))).collect()
}

fn run(dice: &mut Dice, output: usize) -> Run {
    let inputs: BTreeSet<usize> = (0..1 + dice.roll(3)).map(|_| dice.roll(output)).collect();
    let inputs: Vec<usize> = inputs.into_iter().collect();
    let mut run = Run { outputs: vec![output], ..Run::default() };
    if !dice.one_in(4) {
        for field in 0..FIELDS {
            if !dice.one_in(12) {
                run.columns.insert((output, field), froms(dice, &inputs));
            }
        }
    }
    if dice.one_in(8) {
        run.late.push(dice.roll(output));
    }
    run.inputs = inputs;
    run
}

pub(in super::super) fn small(dice: &mut Dice) -> Small {
    let count = 3 + dice.roll(6);
    let mut small = Small::default();
    for _ in 0..count {
        let level = |dice: &mut Dice| ["none", "quasi", "pseudonym", "direct"][dice.roll(4)];
        small.tables.push(Table {
            levels: [level(dice), level(dice), "none"],
            registered: !dice.one_in(15),
            unclassified: dice.one_in(15),
        });
    }
    for output in 1..count {
        for _ in 0..[0, 1, 1, 1, 2][dice.roll(5)] {
            small.runs.push(run(dice, output));
        }
    }
    let mut training = run(dice, count);
    training.outputs.clear();
    training.columns.clear();
    training.model = Some((!dice.one_in(4)).then(|| {
        let mut read = froms(dice, &training.inputs);
        read.extend(training.inputs.iter().map(|input| (*input, dice.roll(FIELDS), false)));
        read
    }));
    small.runs.push(training);
    small
}

pub(in super::super) fn name(table: usize) -> String {
    format!("dataset:t/t{table}@1")
}

pub(in super::super) fn built(small: &Small) -> World {
    let mut world = World::default();
    let mut rows = Rows::discarding();
    let mut record = |fact: Fact| {
        let at = At { seq: world.position() + 1, time: "2026-01-01T00:00:00Z".parse().unwrap(), actor: Uuid::nil() };
        world.apply(&at, &fact, &mut rows);
    };
    let mut n = 0;
    fn stated<T: serde::de::DeserializeOwned>(n: &mut u128, spec: Value) -> Stated<T> {
        *n += 1;
        Stated { id: Uuid::from_u128(*n), rev: 1, spec: serde_json::from_value(spec).unwrap() }
    }
    for (place, table) in small.tables.iter().enumerate().filter(|(_, table)| table.registered) {
        let fields: Vec<Value> = (0..FIELDS)
            .map(|field| {
                let mut spec = json!({"name": format!("f{field}"), "identifiability": table.levels[field]});
                if let Some(category) = CATEGORIES.get(field) {
                    spec["categories"] = json!([category]);
                }
                if table.unclassified && field == 2 {
                    spec.as_object_mut().unwrap().remove("identifiability");
                }
                spec
            })
            .collect();
        let spec =
            json!({"dataset": format!("dataset:t/t{place}"), "version": "1", "fields": fields, "origin": "collected"});
        record(Fact::DatasetVersionRegistered(stated(&mut n, spec)));
    }
    let model = json!({"model": "model:m", "version": "1", "kind": "built"});
    record(Fact::ModelVersionRegistered(stated(&mut n, model)));
    for run in &small.runs {
        let from = |list: &[From]| -> Vec<Value> {
            let one = |(input, field, masking): &From| json!({"input": name(*input), "field": format!("f{field}"), "masking": masking});
            list.iter().map(one).collect()
        };
        let mut columns: Vec<Value> = run
            .columns
            .iter()
            .map(|((output, field), list)| json!({"output": name(*output), "field": format!("f{field}"), "from": from(list)}))
            .collect();
        let mut outputs: Vec<String> = run.outputs.iter().map(|output| name(*output)).collect();
        if let Some(read) = &run.model {
            outputs.push("model:m@1".to_owned());
            columns.extend(read.iter().map(|read| json!({"output": "model:m@1", "from": from(read)})));
        }
        let inputs: Vec<Value> = run.inputs.iter().map(|input| json!({"ref": name(*input)})).collect();
        let spec = json!({
            "operation": if run.model.is_some() { "train" } else { "derive" }, "purpose": "purpose:p@1", "inputs": inputs,
            "outputs": outputs, "columns": columns, "started_at": "2026-01-01",
        });
        let fact = stated(&mut n, spec);
        let id = fact.id;
        record(Fact::RunRecorded(fact));
        for late in &run.late {
            let edge = json!({"kind": "used", "from": format!("run:{id}"), "to": name(*late), "origin": "observed"});
            record(Fact::EdgeRecorded(serde_json::from_value(edge).unwrap()));
        }
    }
    world
}

/// How each field of each table flows into the model, by the program.
fn found(small: &Small) -> Vec<[Way; FIELDS]> {
    let world = built(small);
    let lineage = &world.lineage;
    let seeds = [(lineage.find("model:m@1").unwrap(), CONTAINED)];
    let narrowed = narrow(lineage, &seeds, NO_CUTS);
    let closure: BTreeSet<NodeId> = expose(lineage.graph(), &seeds).nodes.iter().map(|(node, _)| *node).collect();
    (0..small.tables.len())
        .map(|table| {
            let mut ways = [Way::No; FIELDS];
            let Some(id) = lineage.find(&name(table)).filter(|id| closure.contains(id)) else { return ways };
            match narrowed.flowing(lineage, id) {
                None => ways = [Way::Plain; FIELDS],
                Some(flowing) => {
                    for (field, way) in flowing {
                        ways[field.name[1..].parse::<usize>().unwrap()] = way;
                    }
                }
            }
            ways
        })
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Table(usize),
    Run(usize),
    Model,
}

/// The same, said until nothing new is said.
fn naive(small: &Small) -> Vec<[Way; FIELDS]> {
    let mut whole = BTreeSet::from([What::Model]);
    let mut ways = vec![[Way::No; FIELDS]; small.tables.len()];
    loop {
        let before = (whole.clone(), ways.clone());
        for (place, run) in small.runs.iter().enumerate() {
            let others: Vec<usize> = run.late.iter().copied().filter(|late| !run.inputs.contains(late)).collect();
            let mut into: Vec<Option<Vec<(From, Way)>>> = Vec::new();
            if let Some(read) = &run.model {
                into.push(read.as_ref().map(|read| read.iter().map(|from| (*from, Way::Plain)).collect()));
            }
            for &output in &run.outputs {
                if whole.contains(&What::Table(output)) {
                    ways[output] = [Way::Plain; FIELDS];
                } else if ways[output] == [Way::No; FIELDS] {
                    continue;
                }
                let all = (0..FIELDS).all(|field| run.columns.contains_key(&(output, field)));
                let mut list = Vec::new();
                let mut believed = small.tables[output].clear() && all;
                let flowing: Vec<usize> = (0..FIELDS).filter(|field| ways[output][*field] != Way::No).collect();
                for &field in flowing.iter().filter(|_| all) {
                    let from = &run.columns[&(output, field)];
                    let personal = |(input, field, _): &From| {
                        !small.tables[*input].clear() || small.tables[*input].personal(*field)
                    };
                    if small.tables[output].personal(field) && !from.iter().any(personal) {
                        believed = false;
                    }
                    list.extend(from.iter().map(|from| (*from, ways[output][field])));
                }
                into.push(believed.then_some(list));
            }
            for made in into {
                let Some(list) = made else {
                    whole.insert(What::Run(place));
                    continue;
                };
                whole.extend(others.iter().map(|other| What::Table(*other)));
                for ((input, field, masked), way) in list {
                    if small.tables[input].clear() {
                        let way = if masked { way.min(Way::Masked) } else { way };
                        ways[input][field] = ways[input][field].max(way);
                    } else {
                        whole.insert(What::Table(input));
                    }
                }
            }
            if whole.contains(&What::Run(place)) {
                whole.extend(run.inputs.iter().chain(&run.late).map(|input| What::Table(*input)));
            }
        }
        for (table, ways) in ways.iter_mut().enumerate() {
            if whole.contains(&What::Table(table)) {
                *ways = [Way::Plain; FIELDS];
            }
        }
        if before == (whole.clone(), ways.clone()) {
            return ways;
        }
    }
}

/// One thing more is known: a run, or that one was seen reading something besides, or that it wrote something besides.
pub(in super::super) fn grown(small: &Small, dice: &mut Dice) -> Small {
    let mut more = small.clone();
    let last = more.tables.len();
    match dice.roll(3) {
        0 => {
            let output = 1 + dice.roll(last - 1);
            let new = run(dice, output);
            more.runs.insert(0, new);
        }
        1 => {
            let place = dice.roll(more.runs.len());
            let below = more.runs[place].outputs.first().copied().unwrap_or(last);
            more.runs[place].late.push(dice.roll(below));
        }
        _ => {
            // It made the model, too, and says nothing of how.
            let place = dice.roll(more.runs.len());
            if more.runs[place].model.is_none() {
                more.runs[place].model = Some(None);
            }
        }
    }
    more
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn narrowing_is_what_is_said_step_by_step(seed in 1u64..) {
        let small = small(&mut Dice(seed));
        prop_assert_eq!(found(&small), naive(&small), "{:#?}", small);
    }

    #[test]
    fn what_flows_never_shrinks_when_more_is_known(seed in 1u64..) {
        let mut dice = Dice(seed);
        let before = small(&mut dice);
        let after = grown(&before, &mut dice);
        for (table, (before_ways, after_ways)) in found(&before).iter().zip(found(&after)).enumerate() {
            for (b, a) in before_ways.iter().zip(after_ways) {
                prop_assert!(*b <= a, "table {table}: {:#?}\n{:#?}", before, after);
            }
        }
    }
}

#[test]
fn the_small_registries_differ() {
    // The properties would say little if all flowed whole, or nothing.
    let (mut whole, mut some, mut masked, mut none) = (0, 0, 0, 0);
    for seed in 1..400u64 {
        for ways in found(&small(&mut Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)))) {
            whole += usize::from(ways == [Way::Plain; FIELDS]);
            none += usize::from(ways == [Way::No; FIELDS]);
            some += usize::from(ways.contains(&Way::No) && ways.contains(&Way::Plain));
            masked += usize::from(ways.contains(&Way::Masked));
        }
    }
    assert!(whole > 100 && some > 100 && masked > 50 && none > 100, "{whole} {some} {masked} {none}");
}

#[test]
fn a_masked_name_is_a_pseudonym() {
    let field = |name: &str, categories: Vec<TermId>, level| FieldFacts {
        name: name.into(),
        free_text: false,
        categories: categories.into(),
        identifiability: Some(level),
    };
    let age = vocabulary().find(CATEGORIES[0]).unwrap();
    let whole = Class { identifiability: Identifiability::Direct, ..Class::default() };
    let (email, years) =
        (field("email", vec![], Identifiability::Direct), field("age", vec![age], Identifiability::Quasi));
    let level = |flowing: &[(&FieldFacts, Way)]| class(&whole, flowing).map(|class| class.identifiability);
    assert_eq!(level(&[(&email, Way::Plain), (&years, Way::Plain)]), Some(Identifiability::Direct));
    assert_eq!(level(&[(&email, Way::Masked), (&years, Way::Plain)]), Some(Identifiability::Pseudonym));
    assert_eq!(level(&[(&years, Way::Masked)]), Some(Identifiability::Quasi));
    let nothing = field("minute", vec![], Identifiability::None);
    assert_eq!(level(&[(&nothing, Way::Plain)]), None);
}

#[test]
fn free_text_counts_where_it_flows() {
    let field = |name: &str, level, free_text| FieldFacts {
        name: name.into(),
        categories: Box::default(),
        identifiability: Some(level),
        free_text,
    };
    let whole = Class { free_text: true, identifiability: Identifiability::Direct, ..Class::default() };
    let email = field("email", Identifiability::Direct, false);
    let note = field("note", Identifiability::None, true);
    let flows = |flowing: &[(&FieldFacts, Way)]| class(&whole, flowing).map(|class| class.free_text);
    assert_eq!(flows(&[(&email, Way::Plain)]), Some(false));
    assert_eq!(flows(&[(&email, Way::Plain), (&note, Way::Masked)]), Some(true));
    assert_eq!(flows(&[(&note, Way::Plain)]), Some(true), "whoever states that nobody is in what people wrote");
}
