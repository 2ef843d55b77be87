//! What came from what: walks, exposure, cycles, what was never registered.

mod exposure;

use std::collections::BTreeSet;

use harness::Scenario;
use harness::client::encode;
use serde_json::{Value, json};

use crate::support::{faults, head, rebuilds};

/// raw → clean → model 7, with a run between each.
pub(crate) fn chain() -> Scenario {
    let s = Scenario::registered();
    for name in ["raw", "clean", "scores"] {
        s.add("datasets", json!({"namespace": "crm", "name": name}));
    }
    s.add("dataset-versions", json!({"dataset": "dataset:crm/raw", "version": "1", "origin": "synthetic"}));
    s.add("dataset-versions", json!({"dataset": "dataset:crm/clean", "version": "1"}));
    s.add("model-versions", harness::scenario::model_version("7", "7"));
    run(&s, 1, "filter", &[("dataset:crm/raw@1", None)], &["dataset:crm/clean@1"]);
    run(&s, 2, "train", &[("dataset:crm/clean@1", Some("training"))], &["model:score@7"]);
    s
}

pub(crate) fn id(n: u32) -> String {
    format!("01939f00-0000-7000-8000-{n:012}")
}

/// A run under an id of the test's choice.
pub(crate) fn run(s: &Scenario, n: u32, operation: &str, inputs: &[(&str, Option<&str>)], outputs: &[&str]) -> Value {
    s.ana.post("/api/v1/runs", &run_body(n, operation, inputs, outputs)).good()
}

fn run_body(n: u32, operation: &str, inputs: &[(&str, Option<&str>)], outputs: &[&str]) -> Value {
    let inputs: Vec<Value> = inputs
        .iter()
        .map(|(r, role)| match role {
            Some(role) => json!({"ref": r, "role": role}),
            None => json!({"ref": r}),
        })
        .collect();
    json!({
        "id": id(n), "operation": operation, "purpose": "purpose:scoring", "started_at": "2026-01-01T00:00:00Z",
        "inputs": inputs, "outputs": outputs,
    })
}

fn walk(s: &Scenario, from: &str, direction: &str) -> Value {
    s.audit.get(&format!("/api/v1/lineage?ref={}&direction={direction}", encode(from))).good()
}

fn nodes(closure: &Value) -> BTreeSet<String> {
    closure["nodes"].as_array().unwrap().iter().map(|n| n["ref"].as_str().unwrap().to_owned()).collect()
}

fn path(s: &Scenario, from: &str, to: &str) -> Vec<String> {
    let answer = s.audit.get(&format!("/api/v1/lineage/path?from={}&to={}", encode(from), encode(to))).good();
    serde_json::from_value(answer["path"].clone()).unwrap()
}

#[test]
fn a_closure_and_a_path_at_a_moment_hold_what_was_there() {
    let s = chain();
    s.add("model-versions", harness::scenario::model_version("8", "8"));
    let mut later = run_body(3, "train", &[("dataset:crm/clean@1", Some("training"))], &["model:score@8"]);
    later["started_at"] = json!("2026-03-01T00:00:00Z");
    s.ana.post("/api/v1/runs", &later).good();
    let edge = json!({"kind": "serves_on", "from": "deployment:score-prod", "to": "dataset:crm/clean@1", "origin": "observed",
        "valid_from": "2026-02-01"});
    s.ana.post("/api/v1/edges", &edge).good();
    let at = |what: &str, at: &str| s.audit.get(&format!("/api/v1/lineage{what}&valid_at={at}")).good();
    let down = format!("?ref={}&direction=downstream", encode("dataset:crm/clean@1"));
    let reached = |moment: &str| {
        let closure = at(&down, moment);
        let names = nodes(&closure);
        // No edge leads out of what is there.
        for edge in closure["edges"].as_array().unwrap() {
            assert!(["from", "to"].iter().all(|end| names.contains(edge[end].as_str().unwrap())), "{edge}");
        }
        ["model:score@7", "deployment:score-prod", "model:score@8"].map(|name| names.contains(name))
    };
    assert_eq!(reached("2025-12-31"), [false, false, false]);
    assert_eq!(reached("2026-01-01"), [true, false, false]);
    assert_eq!(reached("2026-02-01"), [true, true, false]);
    assert_eq!(reached("2026-03-01"), [true, true, true]);
    let way = |from: &str, moment: &str| {
        let path = at(&format!("/path?from={}&to={}", encode(from), encode("dataset:crm/clean@1")), moment);
        path["path"].as_array().unwrap().len()
    };
    let run = format!("run:{}", id(3));
    assert_eq!((way("model:score@8", "2026-02-28"), way("model:score@8", "2026-03-01")), (0, 3));
    assert_eq!((way(&run, "2026-02-28"), way(&run, "2026-03-01")), (0, 2), "a run that had not begun read nothing");
    assert_eq!((way("deployment:score-prod", "2026-01-31"), way("deployment:score-prod", "2026-02-01")), (0, 2));
    assert_eq!(way("dataset:crm/clean@1", "2025-01-01"), 1);
    let root = at(&format!("?ref={}", encode(&run)), "2026-02-28");
    assert_eq!((nodes(&root).len(), root["edges"].as_array().unwrap().len()), (1, 0), "{root:#}");
}

#[test]
fn a_closure_is_whole_in_both_directions() {
    let s = chain();
    let (one, two) = (format!("run:{}", id(1)), format!("run:{}", id(2)));
    let all: BTreeSet<String> = ["dataset:crm/raw@1", &one, "dataset:crm/clean@1", &two, "model:score@7"]
        .iter()
        .map(ToString::to_string)
        .collect();
    let up = walk(&s, "model:score@7", "upstream");
    assert_eq!(nodes(&up), all);
    assert_eq!(nodes(&walk(&s, "dataset:crm/raw@1", "downstream")), all);
    assert_eq!(nodes(&walk(&s, "dataset:crm/raw@1", "upstream")), BTreeSet::from(["dataset:crm/raw@1".to_owned()]));
    let edges: BTreeSet<(String, String, String)> = up["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| ["from", "kind", "to"].map(|k| e[k].as_str().unwrap().to_owned()).into())
        .collect();
    let edge = |from: &str, kind: &str, to: &str| (from.to_owned(), kind.to_owned(), to.to_owned());
    assert_eq!(
        edges,
        BTreeSet::from([
            edge("model:score@7", "generated", &two),
            edge(&two, "used", "dataset:crm/clean@1"),
            edge("dataset:crm/clean@1", "generated", &one),
            edge(&one, "used", "dataset:crm/raw@1"),
        ])
    );
    let depths: Vec<u64> = up["nodes"].as_array().unwrap().iter().map(|n| n["depth"].as_u64().unwrap()).collect();
    assert_eq!(depths, [0, 1, 2, 3, 4]);
    // Without version it is the latest.
    assert_eq!(walk(&s, "model:score", "upstream")["root"], "model:score@7");
}

#[test]
fn the_shortest_path_is_found_and_none_is_empty() {
    let s = chain();
    let (one, two) = (format!("run:{}", id(1)), format!("run:{}", id(2)));
    assert_eq!(
        path(&s, "model:score@7", "dataset:crm/raw@1"),
        ["model:score@7", &two, "dataset:crm/clean@1", &one, "dataset:crm/raw@1"]
    );
    assert_eq!(path(&s, "dataset:crm/raw@1", "model:score@7"), Vec::<String>::new());
    assert_eq!(path(&s, "model:score@7", "model:score@7"), ["model:score@7"]);
    // A shorter way appears.
    s.add("edges", json!({"kind": "used", "from": two, "to": "dataset:crm/raw@1", "role": "training"}));
    assert_eq!(path(&s, "model:score@7", "dataset:crm/raw@1"), ["model:score@7", &two, "dataset:crm/raw@1"]);
}

#[test]
fn dot_and_tree_say_the_same() {
    let s = chain();
    let closure = |format: &str| s.audit.get(&format!("/api/v1/lineage?ref=model:score@7&format={format}"));
    let tree = closure("tree");
    assert_eq!(tree.header("content-type"), Some("text/plain; charset=utf-8"));
    let (one, two) = (id(1), id(2));
    assert_eq!(
        tree.text,
        format!(
            "model:score@7\n  generated: run:{two}\n    used training: dataset:crm/clean@1\n      generated: run:{one}\n        used: dataset:crm/raw@1\n"
        )
    );
    let dot = closure("dot");
    assert_eq!(dot.header("content-type"), Some("text/vnd.graphviz; charset=utf-8"));
    assert!(dot.text.starts_with("digraph {"), "{}", dot.text);
    for word in ["model:score@7", "dataset:crm/raw@1", "used training", "generated"] {
        assert!(dot.text.contains(word), "{word} in {}", dot.text);
    }
    assert_eq!(dot.text.matches(" -> ").count(), 4);
    s.audit.get("/api/v1/lineage?ref=model:score@7&format=svg").problem(422);
}

#[test]
fn a_name_with_quotes_stays_inside_its_label() {
    let s = chain();
    let name = "a\"]; evil [label=\"x";
    s.add("models", json!({"name": name}));
    let reference = "model:a\"];%20evil%20[label=\"x";
    s.add("model-versions", json!({"model": reference, "version": "1", "kind": "built", "files": [{"path": "m", "digest": harness::scenario::ZEROS}]}));
    let dot = s.audit.get(&format!("/api/v1/lineage?ref={}&format=dot", encode(&format!("{reference}@1"))));
    assert_eq!(dot.status, 200, "{}", dot.text);
    assert!(!dot.text.contains("a\"];"), "{}", dot.text);
}

#[test]
fn what_was_never_registered_is_kept_and_named() {
    let s = chain();
    run(
        &s,
        3,
        "train",
        &[("dataset:crm/raw@404", Some("training")), ("dataset:lost/found@1", None)],
        &["model:score@8"],
    );
    let up = walk(&s, "model:score@8", "upstream");
    let dangling: BTreeSet<&str> = up["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|n| n["dangling"] == true)
        .map(|n| n["ref"].as_str().unwrap())
        .collect();
    assert_eq!(dangling, BTreeSet::from(["dataset:crm/raw@404", "dataset:lost/found@1", "model:score@8"]));
    let tree = s.audit.get("/api/v1/lineage?ref=model:score@8&format=tree").text;
    assert!(tree.contains("dataset:lost/found@1  [not registered]"), "{tree}");
    let exposure = s.audit.get("/api/v1/exposure?ref=model:score@8").good();
    for reference in &dangling {
        assert!(exposure["unknown"].as_array().unwrap().contains(&json!(reference)), "{exposure:#}");
    }
    // Registered later, it is what it is.
    s.add("model-versions", harness::scenario::model_version("8", "8"));
    let up = walk(&s, "model:score@8", "upstream");
    assert!(up["nodes"].as_array().unwrap().iter().any(|n| n["ref"] == "model:score@8" && n["dangling"] == false));
    rebuilds(&s.server.db);
}

#[test]
fn a_cycle_is_refused_and_nothing_is_written() {
    let s = chain();
    let before = head(&s.audit);
    let refused = |body: &Value, path: &str| s.ana.post(path, body).problem(409);
    refused(&run_body(3, "copy", &[("model:score@7", None)], &["dataset:crm/raw@1"]), "/api/v1/runs");
    refused(&run_body(3, "copy", &[("dataset:crm/clean@1", None)], &["dataset:crm/clean@1"]), "/api/v1/runs");
    refused(&run_body(3, "copy", &[("dataset:x/new@1", None)], &["dataset:x/new@1"]), "/api/v1/runs");
    let late = json!({"kind": "used", "from": format!("run:{}", id(1)), "to": "model:score@7"});
    let problem = refused(&late, "/api/v1/edges");
    assert!(faults(&problem).contains_key("#/to"), "{problem}");
    let both = json!({"runs": [
        run_body(4, "copy", &[("dataset:x/a@1", None)], &["dataset:x/b@1"]), run_body(5, "copy", &[("dataset:x/b@1", None)], &["dataset:x/a@1"]),
    ]});
    let problem = refused(&both, "/api/v1/registrations");
    assert!(faults(&problem).keys().all(|p| p.starts_with("#/runs/1/")), "{problem}");
    assert_eq!(head(&s.audit), before);
}

#[test]
fn a_late_edge_is_a_fact_of_its_own_and_the_same_again_is_none() {
    let s = chain();
    let size = head(&s.audit).size;
    let edge = json!({"kind": "used", "from": format!("run:{}", id(2)), "to": "dataset:crm/raw@1", "role": "validation", "origin": "observed"});
    assert_eq!(s.add("edges", edge.clone())["seq"], size + 1);
    s.add("edges", edge);
    assert_eq!(head(&s.audit).size, size + 1);
    let up = walk(&s, "model:score@7", "upstream");
    let late: Vec<&Value> = up["edges"].as_array().unwrap().iter().filter(|e| e["seq"] == size + 1).collect();
    assert_eq!((late.len(), &late[0]["origin"], &late[0]["role"]), (1, &json!("observed"), &json!("validation")));
    // The run itself is as it was.
    assert_eq!(s.ana.resolve(&format!("run:{}", id(2)))["spec"]["inputs"].as_array().unwrap().len(), 1);
    rebuilds(&s.server.db);
}

#[test]
fn edges_join_what_their_kind_joins() {
    let s = chain();
    let run = format!("run:{}", id(1));
    for (edge, pointer) in [
        (json!({"kind": "used", "from": "model:score@7", "to": "dataset:crm/raw@1"}), "#/from"),
        (json!({"kind": "used", "from": run, "to": "party:acme"}), "#/to"),
        (json!({"kind": "generated", "from": run, "to": "dataset:crm/raw@1"}), "#/from"),
        (json!({"kind": "serves_on", "from": "deployment:score-prod", "to": "model:score@7"}), "#/to"),
        (json!({"kind": "emits", "from": "dataset:crm/raw@1", "to": "deployment:nobody"}), "#/to"),
        (json!({"kind": "generated", "from": "dataset:crm/raw@1", "to": run, "role": "training"}), "#/role"),
        (json!({"kind": "eats", "from": run, "to": run}), "#/kind"),
    ] {
        let problem = s.ana.post("/api/v1/edges", &edge).problem(422);
        assert!(faults(&problem).contains_key(pointer), "{edge}: {problem}");
    }
}

#[test]
fn a_run_sent_again_is_the_same_run_and_another_under_its_id_is_refused() {
    let s = chain();
    let again = run(&s, 1, "filter", &[("dataset:crm/raw@1", None)], &["dataset:crm/clean@1"]);
    assert_eq!(again["outcome"], "unchanged");
    let problem = s
        .ana
        .post("/api/v1/runs", &run_body(1, "copy", &[("dataset:crm/raw@1", None)], &["dataset:crm/clean@1"]))
        .problem(409);
    assert_eq!(faults(&problem).keys().collect::<Vec<_>>(), ["#/operation"]);
    let backwards = json!({"operation": "copy", "purpose": "purpose:scoring", "started_at": "2026-01-02", "ended_at": "2026-01-01"});
    assert!(faults(&s.ana.post("/api/v1/runs", &backwards).problem(422)).contains_key("#/ended_at"));
    let role = run_body(9, "filter", &[("dataset:crm/raw@1", Some("training"))], &[]);
    assert!(faults(&s.ana.post("/api/v1/runs", &role).problem(422)).contains_key("#/inputs/0/role"));
}

#[test]
fn a_long_chain_is_shown_in_lines_as_long_as_those_of_a_short_one() {
    let s = Scenario::registered();
    s.add("datasets", json!({"namespace": "crm", "name": "chain"}));
    let version = |n: u32| format!("dataset:crm/chain@{n}");
    let (steps, each) = (10_000, 1_000);
    for from in (0..steps).step_by(each as usize) {
        let versions: Vec<Value> =
            (from..from + each).map(|n| json!({"dataset": "dataset:crm/chain", "version": n.to_string()})).collect();
        let runs: Vec<Value> = (from.max(1)..from + each)
            .map(|n| run_body(n, "copy", &[(&version(n - 1), None)], &[&version(n)]))
            .collect();
        s.ana.post("/api/v1/registrations", &json!({"dataset_versions": versions, "runs": runs})).good();
    }
    let last = version(steps - 1);
    let tree = |of: &str| {
        let answer = s.audit.get(&format!("/api/v1/lineage?ref={}&format=tree", encode(of)));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text
    };
    let shown = tree(&last);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 2 * steps as usize - 1);
    assert!(lines.iter().all(|line| line.len() < 150), "{}", lines.iter().map(|l| l.len()).max().unwrap());
    assert!(lines[steps as usize].contains(&format!("[{steps}] ")), "{}", lines[steps as usize]);
    // What people follow by eye is indented, step by step.
    let short = tree(&version(3));
    let rooms: Vec<usize> = short.lines().map(|line| line.len() - line.trim_start().len()).collect();
    assert_eq!(rooms, [0, 2, 4, 6, 8, 10, 12], "{short}");
    let (code, out, said) = crate::support::licit(&s.audit, &["lineage", "path", &last, &version(0)]);
    assert_eq!((code, out.lines().count()), (0, lines.len()), "{said}");
    assert!(out.len() < 150 * lines.len(), "{}", out.len());
}
