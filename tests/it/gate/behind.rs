//! What stands behind a table or a model: who is in it, and who only formed the model that wrote it.

use harness::scenario::{self, POLITICS};
use serde_json::json;

use super::parts::{Parts, denied, field, made, of_rule, only, people_with, run, wide_basis, world};

const SCORE: &str = "https://w3id.org/dpv/pd#CreditScore";
const WROTE: &str = "01900000-0000-7000-8000-000000000001";

/// The deployment reads scores that its model wrote before, from these inputs.
fn scored(p: &mut Parts, category: &str, inputs: &[&str]) {
    p.datasets.push("scores");
    p.versions.push(made("scores", "1", vec![field("score", category)]));
    let inputs: Vec<&str> = ["model:score@1"].iter().chain(inputs).copied().collect();
    let mut wrote = run("infer", "purpose:scoring", &inputs, &["dataset:crm/scores@1"]);
    wrote["id"] = json!(WROTE);
    p.runs.push(wrote);
    p.deployment["reads"] = json!({"datasets": ["dataset:crm/scores"]});
}

#[test]
fn those_a_model_learned_from_are_not_those_it_wrote_about() {
    let s = world(|p| scored(p, SCORE, &[]));
    let decision = s.dry("start");
    denied(&decision);
    let finding = only(&decision, "lineage.complete");
    assert_eq!((&finding["node"], &finding["status"]), (&json!("dataset:crm/scores@1"), &json!("unknown")));
    s.add("edges", json!({"from": format!("run:{WROTE}"), "to": "dataset:crm/people@1", "kind": "used"}));
    assert!(of_rule(&s.dry("start"), "lineage.complete").is_empty(), "{:#}", s.dry("start"));
}

#[test]
fn what_a_table_was_measured_by_is_not_in_it() {
    let s = world(|p| {
        scored(p, SCORE, &["dataset:crm/people@1"]);
        p.runs[1]["inputs"][1]["role"] = json!("test");
    });
    assert_eq!(only(&s.dry("start"), "lineage.complete")["node"], "dataset:crm/scores@1");
}

/// Other people, whose basis names no exception.
fn others(p: &mut Parts) {
    p.datasets.push("others");
    let mut others = scenario::people("1");
    others["dataset"] = json!("dataset:crm/others");
    p.versions.push(others);
    p.versions[0] = people_with("1", &[POLITICS]);
    p.bases[0] = wide_basis(&[POLITICS], true);
    let mut bare = scenario::basis("others", "scoring");
    bare["covers"]["datasets"] = json!(["dataset:crm/others"]);
    p.bases.push(bare);
    p.deployment["bases"] = json!(["basis:scoring-contract", "basis:others"]);
}

#[test]
fn an_exception_for_those_a_model_learned_from_excepts_nothing_it_wrote_about_others() {
    let s = world(|p| {
        others(p);
        scored(p, POLITICS, &["dataset:crm/others@1"]);
    });
    let decision = s.dry("start");
    assert_eq!(decision["findings"].as_array().unwrap().len(), 1, "{decision:#}");
    assert_eq!(only(&decision, "special.category")["node"], "dataset:crm/scores@1");
}

#[test]
fn each_of_many_inferred_tables_is_judged_by_those_in_it() {
    let name = |n: usize| format!("t{n:02}");
    let s = world(|p| {
        others(p);
        let mut reads = Vec::new();
        for n in 0..70 {
            let table = name(n);
            let from = if n % 7 == 0 { "dataset:crm/others@1" } else { "dataset:crm/people@1" };
            p.versions.push(made(&table, "1", vec![field("leaning", POLITICS)]));
            p.runs.push(run("infer", "purpose:scoring", &[from], &[&format!("dataset:crm/{table}@1")]));
            reads.push(format!("dataset:crm/{table}"));
            p.datasets.push(table.leak());
        }
        p.deployment["reads"] = json!({"datasets": reads});
    });
    let decision = s.dry("start");
    let found: Vec<&str> = of_rule(&decision, "special.category").iter().map(|f| f["node"].as_str().unwrap()).collect();
    let wanted: Vec<String> = (0..70).step_by(7).map(|n| format!("dataset:crm/{}@1", name(n))).collect();
    assert_eq!(found, wanted);
}

#[test]
fn a_model_or_an_unstated_table_of_a_run_that_read_nothing_comes_from_nowhere() {
    let s = world(|p| {
        p.runs[0]["operation"] = json!("combine");
        p.runs[0]["inputs"] = json!([]);
        p.runs[0]["id"] = json!(WROTE);
        p.datasets.push("places");
        p.versions.push(made("places", "1", vec![json!({"name": "postcode", "identifiability": "none"})]));
        p.runs.push(run("derive", "purpose:scoring", &[], &["dataset:crm/places@1"]));
        p.deployment["reads"] = json!({"datasets": ["dataset:crm/places", "dataset:crm/people"]});
    });
    let decision = s.dry("start");
    denied(&decision);
    let found = of_rule(&decision, "lineage.complete");
    assert_eq!(found.len(), 2, "{decision:#}");
    assert!(found.iter().all(|f| f["status"] == "unknown" && f["node"].as_str().unwrap().starts_with("run:")));
    assert!(found.iter().any(|f| f["node"] == format!("run:{WROTE}")), "{decision:#}");
    s.add("edges", json!({"from": format!("run:{WROTE}"), "to": "dataset:crm/people@1", "kind": "used"}));
    assert_eq!(of_rule(&s.dry("start"), "lineage.complete").len(), 1);
}
