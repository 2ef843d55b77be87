//! A file that holds what a model learned has one story, whatever stands beside it.

use harness::Scenario;
use harness::scenario;
use serde_json::{Value, json};

use super::parts::{allowed, denied, of_rule, only, world};

/// As large as files of weights are.
const LARGE: u64 = 3 << 20;

fn file(path: &str, digit: char, size: u64) -> Value {
    json!({"path": path, "digest": format!("sha256:{}", String::from(digit).repeat(64)), "size": size})
}

/// Two tables of people, and the usual release on the first.
fn two_tables() -> Scenario {
    world(|p| {
        p.datasets.push("other");
        let mut other = scenario::people("1");
        other["dataset"] = json!("dataset:crm/other");
        p.versions.push(other);
    })
}

/// A model version of these files, trained on these inputs.
fn trained(s: &Scenario, version: &str, files: &[Value], inputs: &[&str]) {
    let mut model = scenario::model_version(version, "9");
    model["files"] = json!(files);
    s.add("model-versions", model);
    let mut run = scenario::training(version, "1");
    run["inputs"] = inputs.iter().map(|input| json!({"ref": input, "role": "training"})).collect();
    s.add("runs", run);
}

#[test]
fn weights_shared_with_a_model_of_other_people_are_unknown() {
    let s = two_tables();
    let settings = [file("config.json", 'a', 900), file("tokenizer.json", 'b', 9 << 20)];
    let with = |own: &[Value]| [own, &settings].concat();
    trained(&s, "honest", &with(&[file("model.bin", '7', LARGE)]), &["dataset:crm/other@1"]);
    // Another file beside it makes other bytes of the whole, and not of the weights; nor does another name.
    let mine = with(&[file("renamed.bin", '7', LARGE), file("head.bin", '2', LARGE)]);
    trained(&s, "2", &mine, &["dataset:crm/people@1"]);
    s.release("2");
    let decision = s.dry("start");
    denied(&decision);
    let finding = only(&decision, "lineage.complete");
    assert_eq!((&finding["status"], &finding["node"]), (&json!("unknown"), &json!("model:score@2")));
    let said = finding["sentence"].as_str().unwrap();
    for named in ["`renamed.bin`", "`model:score@honest`", "`dataset:crm/other@1`"] {
        assert!(said.contains(named), "{said}");
    }
    // Told alike, it contradicts nothing.
    trained(&s, "3", &mine, &["dataset:crm/people@1", "dataset:crm/other@1"]);
    s.release("3");
    assert!(of_rule(&s.dry("start"), "lineage.complete").is_empty(), "{:#}", s.dry("start"));
    // Settings and vocabularies are shared by models that have nothing in common.
    trained(&s, "4", &with(&[file("model.bin", '4', LARGE)]), &["dataset:crm/people@1"]);
    s.release("4");
    allowed(&s.dry("start"));
}

#[test]
fn weights_that_two_models_have_from_one_contradict_nothing() {
    let s = two_tables();
    let base = file("base.bin", '7', LARGE);
    trained(&s, "base", std::slice::from_ref(&base), &["dataset:crm/people@1"]);
    let adapted = |version: &str, digit: char, people: &str| {
        let files = [base.clone(), file("adapter.bin", digit, LARGE)];
        trained(&s, version, &files, &["model:score@base", people]);
    };
    adapted("theirs", '3', "dataset:crm/other@1");
    adapted("2", '2', "dataset:crm/people@1");
    for version in ["2", "base"] {
        s.release(version);
        allowed(&s.dry("start"));
    }
    // Who leaves out what it was made of has another story to tell.
    let files = [base.clone(), file("adapter.bin", '5', LARGE)];
    trained(&s, "5", &files, &["dataset:crm/people@1"]);
    s.release("5");
    assert_eq!(only(&s.dry("start"), "lineage.complete")["node"], "model:score@5");
}
