//! Columns: where runs say what they read of a table and made of it, only that flows; everywhere else, all of it.

use harness::Scenario;
use harness::client::encode;
use harness::scenario::{AGE, POLITICS, people};
use serde_json::{Value, json};

use super::parts::{
    Parts, allowed, denied, field, from, made, of_rule, only, path, people_with, run, train_on, train_on_columns,
    training_on, world,
};
use crate::support::faults;

const PEOPLE: &str = "dataset:crm/people@1";
const EMAIL: &str = "https://w3id.org/dpv/pd#EmailAddress";

fn nobody(p: &mut Parts) {
    p.deployment["reads"] = json!({"nobody": "It is asked about no person."});
}

/// A column of the people that no basis covers.
fn with_opinions(p: &mut Parts) {
    nobody(p);
    p.versions[0] = people_with("1", &[POLITICS]);
}

fn sources(s: &Scenario) -> Value {
    let made = s.ci.post("/api/v1/gate", &json!({"deployment": "deployment:score-prod"})).good();
    let id = made["id"].as_str().unwrap();
    let evidence = s.audit.get(&format!("/api/v1/decisions/{id}/evidence")).good();
    json!({"sources": evidence["sources"], "left_out": evidence["left_out"]})
}

fn exposure(s: &Scenario, reference: &str) -> Value {
    s.audit.get(&format!("/api/v1/exposure?ref={}", encode(reference))).good()
}

#[test]
fn a_model_trained_on_some_columns_holds_these() {
    let s = world(|p| {
        with_opinions(p);
        p.runs[0] = training_on("1", PEOPLE, &["age", "email"]);
    });
    allowed(&s.dry("start"));
    let evidence = sources(&s);
    assert_eq!(evidence["sources"][0]["columns"], json!({"age": "plain", "email": "plain"}), "{evidence:#}");
    let view = exposure(&s, "model:score@1");
    assert_eq!(view["contained"][0]["columns"], json!([{"field": "age"}, {"field": "email"}]));
    assert_eq!((&view["special_categories"], &view["identifiability"]), (&json!([]), &json!("direct")), "{view:#}");

    // On all of them, as if nothing were said.
    train_on(&s, "2", PEOPLE);
    let decision = s.dry("start");
    denied(&decision);
    let uncovered = of_rule(&decision, "source.covered");
    assert!(uncovered.iter().all(|f| f["sentence"].as_str().unwrap().contains("Political Opinion")), "{uncovered:#?}");
    assert_eq!(uncovered.len(), 2, "to train, and to be used");
    assert_eq!(sources(&s)["sources"][0].get("columns"), None);
    // On fewer than approved: inside the envelope. On one more: outside.
    train_on_columns(&s, "3", PEOPLE, &["age"]);
    allowed(&s.dry("start"));
    train_on_columns(&s, "4", PEOPLE, &["age", "extra0"]);
    let widened = only(&s.dry("start"), "release.approved")["also"].to_string();
    assert!(widened.contains("brings \\\"Political Opinion\\\""), "{widened}");
}

#[test]
fn what_flows_whole_by_another_way_is_not_narrowed() {
    // It learned of their ages, and reads all of them when it runs.
    let s = world(|p| {
        p.versions[0] = people_with("1", &[POLITICS]);
        p.runs[0] = training_on("1", PEOPLE, &["age"]);
    });
    denied(&s.dry("start"));
    assert_eq!(sources(&s)["sources"][0].get("columns"), None);

    // It was seen reading another table besides: of that nobody said a column.
    let s = world(|p| {
        nobody(p);
        p.datasets.push("polls");
        p.versions.push(people_with("1", &[POLITICS]));
        p.versions[1]["dataset"] = json!("dataset:crm/polls");
        p.runs[0] = training_on("1", PEOPLE, &["age"]);
    });
    allowed(&s.dry("start"));
    let run = s.ana.get("/api/v1/runs").good()["items"][0]["ref"].clone();
    s.add("edges", json!({"kind": "used", "from": run, "to": "dataset:crm/polls@1", "origin": "observed"}));
    let decision = s.dry("start");
    assert!(of_rule(&decision, "source.covered").iter().any(|f| f["node"] == "dataset:crm/polls@1"), "{decision:#}");
}

/// The model learns of a join of the people with what they think. `columns` are those the join made.
fn joined(p: &mut Parts, fields: Vec<Value>, columns: Value) {
    nobody(p);
    p.datasets.extend(["polls", "joined"]);
    let mut polls = people("1");
    polls["dataset"] = json!("dataset:crm/polls");
    polls["fields"] = json!([field("leaning", POLITICS), {"name": "key", "identifiability": "none"}]);
    p.versions.push(polls);
    p.versions.push(made("joined", "1", fields));
    let mut join = run("combine", "purpose:scoring", &[PEOPLE, "dataset:crm/polls@1"], &["dataset:crm/joined@1"]);
    join["columns"] = columns;
    p.runs.push(join);
    p.runs[0]["inputs"][0]["ref"] = json!("dataset:crm/joined@1");
}

fn column(name: &str, from: &Value) -> Value {
    json!({"output": "dataset:crm/joined@1", "field": name, "from": from})
}

fn age() -> Value {
    column("age", &from(PEOPLE, &["age"]))
}

#[test]
fn what_a_join_leaves_out_is_no_source() {
    let polled = |decision: &Value| {
        let findings = decision["findings"].as_array().unwrap();
        findings.iter().any(|f| f["node"] == "dataset:crm/polls@1" || f["also"].to_string().contains("polls"))
    };
    let minute = || json!({"name": "minute", "identifiability": "none"});
    let fields = || vec![field("age", AGE), minute()];
    let said = |columns: Value| world(|p| joined(p, fields(), columns));
    let s = said(json!([age(), column("minute", &json!([]))]));
    let decision = s.dry("start");
    allowed(&decision);
    let evidence = sources(&s);
    assert_eq!(evidence["left_out"], json!(["dataset:crm/polls@1"]), "{evidence:#}");
    assert_eq!(exposure(&s, "model:score@1")["contained"].as_array().unwrap().len(), 1);

    // A column that nobody lists, one that the join ordered by, one made of both: they flow.
    for columns in [
        json!([]),
        json!([age()]),
        json!([
            age(),
            column("minute", &json!([{"input": "dataset:crm/polls@1", "field": "leaning", "kind": "indirect"}]))
        ]),
    ] {
        let decision = said(columns.clone()).dry("start");
        denied(&decision);
        assert!(polled(&decision), "{columns}: {decision:#}");
    }
    // The key says nothing of anybody.
    let columns = json!([age(), column("minute", &from("dataset:crm/polls@1", &["key"]))]);
    allowed(&said(columns).dry("start"));
}

#[test]
fn people_do_not_come_from_nothing() {
    let s = world(|p| joined(p, vec![field("age", AGE)], json!([column("age", &json!([]))])));
    let decision = s.dry("start");
    denied(&decision);
    assert!(of_rule(&decision, "source.covered").iter().any(|f| f["node"] == "dataset:crm/polls@1"), "{decision:#}");
}

#[test]
fn masked_is_a_pseudonym_and_never_nobody() {
    let contact = || json!({"name": "contact", "categories": [EMAIL], "identifiability": "pseudonym"});
    let masked = json!([{"input": PEOPLE, "field": "email", "masking": true}]);
    let s = world(|p| joined(p, vec![contact()], json!([column("contact", &masked)])));
    allowed(&s.dry("start"));
    let view = exposure(&s, "model:score@1");
    let source = &view["contained"][0];
    assert_eq!(source["identifiability"], "pseudonym", "{view:#}");
    assert_eq!(source["columns"], json!([{"field": "email", "masked": true}]));
}

#[test]
fn paths_lead_along_the_columns_that_flow() {
    // The join leaves the polls out; a longer way brings them in.
    let s = world(|p| {
        joined(p, vec![field("age", AGE)], json!([age()]));
        p.datasets.extend(["copy", "more"]);
        p.versions.push(made("copy", "1", vec![field("leaning", POLITICS)]));
        p.versions.push(made("more", "1", vec![field("leaning", POLITICS)]));
        p.runs.push(run("copy", "purpose:scoring", &["dataset:crm/polls@1"], &["dataset:crm/copy@1"]));
        p.runs.push(run("copy", "purpose:scoring", &["dataset:crm/copy@1"], &["dataset:crm/more@1"]));
        p.runs[0]["inputs"].as_array_mut().unwrap().push(json!({"ref": "dataset:crm/more@1", "role": "training"}));
    });
    let decision = s.dry("start");
    let found = of_rule(&decision, "source.covered");
    let polls: Vec<_> = found.iter().filter(|f| f["node"] == "dataset:crm/polls@1").collect();
    assert!(!polls.is_empty(), "{decision:#}");
    for finding in polls {
        let way = path(finding);
        assert!(
            way.contains(&"dataset:crm/copy@1".to_owned()) && !way.contains(&"dataset:crm/joined@1".to_owned()),
            "{way:?}"
        );
    }
}

#[test]
fn what_is_said_of_columns_is_held_against_what_was_read_and_written() {
    let s = Scenario::registered();
    s.add("model-versions", harness::scenario::model_version("2", "2"));
    let with = |columns: Value| {
        let mut run = harness::scenario::training("2", "1");
        run["columns"] = columns;
        let answer = s.ana.post("/api/v1/runs", &run);
        assert_eq!(answer.status, 422, "{}", answer.text);
        faults(&answer.json()).into_iter().next().unwrap()
    };
    let model = "model:score@2";
    for (columns, pointer, sentence) in [
        (json!([{"output": "model:score@1", "from": []}]), "#/columns/0/output", "is no output of this run"),
        (json!([{"output": PEOPLE, "from": []}]), "#/columns/0/output", "is no output of this run"),
        (json!([{"output": model, "field": "age", "from": []}]), "#/columns/0/field", "is a model"),
        (json!([{"output": model, "from": []}]), "#/columns/0/from", "none of its columns is listed"),
        (
            json!([{"output": model, "from": from("dataset:crm/people@7", &["age"])}]),
            "#/columns/0/from/0/input",
            "is no input of this run",
        ),
        (
            json!([{"output": model, "from": from(model, &["age"])}]),
            "#/columns/0/from/0/input",
            "a dataset belongs here",
        ),
        (json!([{"output": model, "from": from(PEOPLE, &["aeg"])}]), "#/columns/0/from/0/field", "has no field `aeg`"),
        (
            json!([{"output": model, "from": from(PEOPLE, &["age"])}, {"output": model, "from": from(PEOPLE, &["email"])}]),
            "#/columns/1",
            "stands twice",
        ),
        (json!([{"output": model}]), "#/columns/0/from", "missing"),
    ] {
        let (at, said) = with(columns.clone());
        assert_eq!(at, pointer, "{columns}: {said}");
        assert!(said.contains(sentence), "{columns}: {said}");
    }
}
