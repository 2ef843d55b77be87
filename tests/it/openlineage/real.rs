//! 221 events that real producers sent, or would.

use std::collections::BTreeSet;

use harness::Scenario;
use serde_json::{Value, json};

use super::{edges, folded, known, recorded};
use crate::support::{rebuilds, root};

#[test]
fn every_event_is_recorded_or_waits_with_its_reason() {
    let s = Scenario::empty();
    let events = recorded();
    assert_eq!(events.len(), 221);
    let mut aside = Vec::new();
    for (name, event) in &events {
        let answer = s.ana.post("/api/v1/lineage", event);
        let said = answer.good();
        match said["outcome"].as_str().unwrap() {
            "accepted" => assert_eq!(answer.status, 201, "{name}"),
            "unchanged" => assert!(events.values().filter(|other| *other == event).count() > 1, "{name}"),
            _ => aside.push((name.clone(), said["reason"].as_str().unwrap().to_owned())),
        }
    }
    let broken = |command: &str| {
        let reason = "is no event of OpenLineage: missing field `namespace`";
        (format!("drv-spark-hiveCreate{command}AsSelectCommandStartEvent"), reason.to_owned())
    };
    assert_eq!(aside, [broken("DataSource"), broken("HiveTable")], "datasets without a namespace");
    // Sent again, one by one and all at once, they change nothing.
    let before = s.audit.get("/api/v1/ledger/head").good();
    for event in events.values().take(20) {
        assert_eq!(s.ana.post("/api/v1/lineage", event).good()["outcome"], "unchanged");
    }
    let all: Vec<&Value> = events.values().collect();
    let answer = s.ana.post("/api/v1/lineage/batch", &json!(all)).good();
    assert_eq!(answer["status"], "partial_success", "{answer}");
    assert_eq!(answer["summary"]["successful"], 219);
    assert_eq!(s.audit.get("/api/v1/ledger/head").good(), before);
    rebuilds(&s.server.db);
}

#[test]
fn a_batch_makes_the_same_graph_as_its_events() {
    let s = Scenario::empty();
    let events = recorded();
    let all: Vec<&Value> = events.values().rev().collect();
    let answer = s.ana.post("/api/v1/lineage/batch", &json!(all)).good();
    assert_eq!(answer["summary"]["failed"], 2, "{answer}");
    let expected = edges(&folded(events.values()));
    let rows = s.server.db.sql("SELECT effect, kind, cause, origin FROM lineage_edge");
    let found: BTreeSet<String> =
        rows.lines().filter(|line| !line.is_empty()).map(|line| line.replace('|', " ")).collect();
    assert_eq!(found, expected);
    assert!(found.len() > 300, "{}", found.len());
}

/// References as the table of expected edges writes them.
fn plain(reference: &str) -> String {
    let reference: licit_schemas::reference::Ref = reference.parse().unwrap();
    let version = reference.version().filter(|version| *version != "reported").map(|version| format!(" @{version}"));
    format!("{} {}{}", reference.namespace().unwrap(), reference.name(), version.unwrap_or_default())
}

#[test]
fn what_each_event_says_is_what_a_reader_finds_in_it() {
    let events = recorded();
    let table = std::fs::read_to_string(root().join("tests/fixtures/openlineage/expected.tsv")).unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(rows.len() >= 40);
    let mut wrong = Vec::new();
    for row in rows {
        let [name, inputs, outputs] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let list = |cell: &str| -> BTreeSet<String> {
            cell.split(" ; ").filter(|one| !one.is_empty()).map(str::to_owned).collect()
        };
        let found = edges(&folded([&events[name]]));
        let of = |kind: &str, place: usize| -> BTreeSet<String> {
            let words = found.iter().map(|edge| edge.split(' ').collect::<Vec<_>>());
            words.filter(|words| words[1] == kind).map(|words| plain(words[place])).collect()
        };
        let mut made = of("generated", 0);
        // Each name that is written is written under a version, too: the run's own where none is stated.
        made.retain(|name| !name.contains(" @run-"));
        let wanted: BTreeSet<String> = list(outputs);
        let named: BTreeSet<String> = wanted.iter().map(|name| name.split(" @").next().unwrap().to_owned()).collect();
        if of("used", 2) != list(inputs) || made != wanted.union(&named).cloned().collect() {
            wrong.push(format!("{name}: {:?} → {made:?}", of("used", 2)));
        }
        let inferred = found
            .iter()
            .all(|edge| !edge.contains("dataset") || edge.ends_with("inferred") || edge.ends_with("observed"));
        assert!(inferred, "{name}: {found:#?}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Numbers in an order that looks like none, and is the same in each run of the test.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

#[test]
fn order_repetition_and_late_arrival_change_nothing() {
    let events: Vec<Value> = recorded().into_values().collect();
    let wanted = known(&folded(&events));
    for seed in 1..=40u64 {
        let mut dice = Dice(seed);
        let mut shuffled: Vec<&Value> = events.iter().collect();
        for place in 0..dice.below(200) {
            shuffled.push(&events[(place * 7) % events.len()]);
        }
        for place in (1..shuffled.len()).rev() {
            shuffled.swap(place, dice.below(place + 1));
        }
        let found = known(&folded(shuffled));
        assert!(
            found == wanted,
            "seed {seed}: {:#?}",
            found.symmetric_difference(&wanted).take(10).collect::<Vec<_>>()
        );
    }
}
