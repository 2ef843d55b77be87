//! What exists: registering, changing, listing, finding.

mod change;
mod lists;
mod releases;
mod retire;

use harness::Scenario;
use harness::scenario::{ZEROS, deployment, model_version, party, people, system};
use serde_json::{Value, json};

use crate::support::{faults, head, rebuilds, verified};

#[test]
fn the_same_content_again_is_the_same_thing() {
    let s = Scenario::registered();
    let size = head(&s.audit).size;
    for (collection, body) in [
        ("parties", party("acme")),
        ("datasets", json!({"namespace": "crm", "name": "people", "owner": "crm-team"})),
        ("dataset-versions", people("1")),
        ("models", json!({"name": "score", "owner": "ml-team"})),
        ("model-versions", model_version("1", "1")),
        ("systems", system()),
        ("deployments", deployment()),
    ] {
        let answer = s.ana.post(&format!("/api/v1/{collection}"), &body);
        assert_eq!(answer.status, 200, "{collection}");
        assert_eq!(answer.good()["outcome"], "unchanged", "{collection}");
    }
    assert_eq!(head(&s.audit).size, size, "nothing was recorded");
}

#[test]
fn other_spellings_of_the_same_content_are_the_same_thing() {
    let s = Scenario::registered();
    let mut spelled = people("1");
    spelled["dataset"] = json!("dataset:%63rm/people");
    spelled["collected_for"] = json!(["purpose:scoring@1"]);
    spelled["tags"] = json!({});
    let text =
        format!(" {{\n \"region\" : \"\\u0046R\", {}", &spelled.to_string()[1..].replace("\"region\":\"FR\",", ""));
    let answer = s.ana.send("POST", "/api/v1/dataset-versions", &[], Some(text.as_bytes())).good();
    assert_eq!(answer["outcome"], "unchanged", "{answer}");
}

#[test]
fn other_content_under_the_same_version_is_refused_with_what_differs() {
    let s = Scenario::registered();
    let size = head(&s.audit).size;
    let mut other = people("1");
    other["fields"][1]["identifiability"] = json!("quasi");
    other["region"] = json!("DE");
    other["rows"] = json!(7);
    let problem = s.ana.post("/api/v1/dataset-versions", &other).problem(409);
    let found = faults(&problem);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["#/fields/1/identifiability", "#/region", "#/rows"], "{problem:#}");
    assert_eq!(found["#/region"], "registered: \"FR\"; sent: \"DE\"");
    assert_eq!(found["#/rows"], "registered: nothing; sent: 7");

    let mut other = model_version("1", "2");
    other["files"].as_array_mut().unwrap().push(json!({"path": "x", "digest": ZEROS}));
    let found = faults(&s.ana.post("/api/v1/model-versions", &other).problem(409));
    assert_eq!(found["#/files"], "registered: 1 item(s); sent: 2 item(s)");
    assert_eq!(head(&s.audit).size, size);
    assert_eq!(s.ana.resolve("model:score@1")["spec"], model_version("1", "1"));
}

#[test]
fn a_dataset_or_model_is_changed_by_put_only() {
    let s = Scenario::registered();
    let problem = s.ana.post("/api/v1/models", &json!({"name": "score", "owner": "others"})).problem(409);
    assert_eq!(faults(&problem).keys().collect::<Vec<_>>(), ["#/owner"]);
    assert!(problem["detail"].as_str().unwrap().contains("PUT and If-Match"), "{problem}");
}

#[test]
fn a_version_needs_the_thing_it_is_of() {
    let s = Scenario::registered();
    let mut version = model_version("9", "1");
    version["model"] = json!("model:nobody");
    assert!(faults(&s.ana.post("/api/v1/model-versions", &version).problem(422)).contains_key("#/model"));
    let mut version = people("9");
    version["dataset"] = json!("dataset:crm/nobody");
    assert!(faults(&s.ana.post("/api/v1/dataset-versions", &version).problem(422)).contains_key("#/dataset"));
}

#[test]
fn each_kind_of_model_states_what_it_needs() {
    let s = Scenario::registered();
    let file = json!({"path": "m", "digest": ZEROS});
    let endpoint = json!({
        "model_id": "big", "snapshot": "2026-01-01", "region": "FR", "contract": {"uri": "a:b", "digest": ZEROS},
        "configuration_digest": ZEROS,
    });
    for (body, pointer) in [
        (json!({"kind": "built"}), "#/files"),
        (json!({"kind": "built", "files": [file], "endpoint": endpoint}), "#/endpoint"),
        (json!({"kind": "endpoint", "provider": "party:acme"}), "#/endpoint"),
        (json!({"kind": "endpoint", "provider": "party:acme", "endpoint": endpoint, "files": [file]}), "#/files"),
        (json!({"kind": "acquired", "files": [file]}), "#/provider"),
        (json!({"kind": "acquired", "files": [file], "provider": "party:nobody"}), "#/provider"),
        (json!({"kind": "built", "files": [file, file]}), "#/files/1/path"),
    ] {
        let mut body = body;
        body["model"] = json!("model:score");
        body["version"] = json!("k");
        let problem = s.ana.post("/api/v1/model-versions", &body).problem(422);
        assert!(faults(&problem).contains_key(pointer), "{pointer}: {problem}");
    }
    s.add("model-versions", json!({"model": "model:score", "version": "e", "kind": "endpoint", "provider": "party:acme", "endpoint": endpoint}));
    s.add(
        "model-versions",
        json!({"model": "model:score", "version": "a", "kind": "acquired", "provider": "party:acme", "files": [file]}),
    );
}

#[test]
fn unknown_terms_and_doubled_fields_are_named() {
    let s = Scenario::registered();
    let mut version = people("9");
    version["fields"] = json!([
        {"name": "a", "categories": ["https://w3id.org/dpv/pd#Age", "https://w3id.org/dpv/pd#Nonsense"]}, {"name": "b"}, {"name": "b"},
    ]);
    assert!(
        faults(&s.ana.post("/api/v1/dataset-versions", &version).problem(422)).contains_key("#/fields/0/categories/1")
    );
    version["fields"][0]["categories"] = json!([]);
    assert!(faults(&s.ana.post("/api/v1/dataset-versions", &version).problem(422)).contains_key("#/fields/2/name"));
    version["fields"] = json!([]);
    version["subjects"] = json!(["https://w3id.org/dpv/pd#Age"]);
    assert!(faults(&s.ana.post("/api/v1/dataset-versions", &version).problem(422)).contains_key("#/subjects/0"));
}

#[test]
fn references_are_stored_pinned() {
    let s = Scenario::registered();
    let stored = s.ana.resolve("deployment:score-prod")["spec"].clone();
    assert_eq!(stored["system"], "system:scorer@1");
    assert_eq!(stored["purpose"], "purpose:scoring@1");
    assert_eq!(stored["bases"], json!(["basis:scoring-contract@1"]));
    assert_eq!(s.ana.resolve("dataset:crm/people@1")["spec"]["collected_for"], json!(["purpose:scoring@1"]));
}

#[test]
fn resolving_finds_the_thing_the_version_and_the_revision_meant() {
    let s = Scenario::registered();
    let kinds = [
        ("party:acme", "party"),
        ("dataset:crm/people", "dataset"),
        ("dataset:crm/people@1", "dataset_version"),
        ("model:score", "model"),
        ("model:score@1", "model_version"),
        ("system:scorer", "system"),
        ("system:scorer@1", "system"),
        ("purpose:scoring", "purpose"),
        ("basis:scoring-contract", "basis"),
        ("environment:production", "environment"),
        ("deployment:score-prod", "deployment"),
        ("release:score-prod@1", "release"),
    ];
    for (reference, kind) in kinds {
        assert_eq!(s.ana.resolve(reference)["kind"], kind, "{reference}");
    }
    // A revision that is not approved yet is the latest; once one is approved, it is the one meant.
    let mut second = system();
    second["owner"] = json!("others");
    assert_eq!(s.add("systems", second)["ref"], "system:scorer@2");
    assert_eq!(s.ana.resolve("system:scorer")["ref"], "system:scorer@2");
    s.approve(&["system:scorer@1"]);
    assert_eq!(s.ana.resolve("system:scorer")["ref"], "system:scorer@1");
    for nobody in ["party:nobody", "model:score@2", "system:scorer@9", "release:score-prod@9"] {
        s.ana.get(&format!("/api/v1/resolve?ref={nobody}")).problem(404);
    }
}

#[test]
fn a_registration_is_all_or_nothing() {
    let s = Scenario::registered();
    let before = head(&s.audit);
    let mut body: Value = crate::support::registration("whole");
    body["model_versions"].as_array_mut().unwrap().push(model_version("1", "9"));
    let problem = s.ana.post("/api/v1/registrations", &body).problem(409);
    assert_eq!(faults(&problem).keys().collect::<Vec<_>>(), ["#/model_versions/1/files/0/digest"]);
    assert_eq!(head(&s.audit), before);
    s.ana.get("/api/v1/resolve?ref=model:whole").problem(404);
    body["model_versions"].as_array_mut().unwrap().pop();
    let items = s.ana.post("/api/v1/registrations", &body).good()["items"].clone();
    assert!(items.as_array().unwrap().iter().all(|i| i["outcome"] == "created"));
    rebuilds(&s.server.db);
}

#[test]
fn figures_that_cannot_be_read_back_are_refused_and_the_rest_verify() {
    let s = Scenario::registered();
    for (version, figure) in
        [("small", "5e-324"), ("large", "1e300"), ("whole", "9007199254740993"), ("round", "1e21"), ("zero", "-0.0")]
    {
        let mut body = model_version(version, "1").to_string();
        body = body.replace("0.9", figure);
        let answer = s.ana.send("POST", "/api/v1/model-versions", &[], Some(body.as_bytes()));
        if matches!(version, "large" | "whole" | "round") {
            assert!(faults(&answer.problem(422)).contains_key("#/metrics/auc"), "{figure}: {}", answer.text);
        } else {
            answer.good();
        }
    }
    verified(&s.audit);
    rebuilds(&s.server.db);
}

#[test]
fn a_dataset_lives_is_restricted_and_is_erased_for_good() {
    let s = Scenario::registered();
    let id = s.ana.resolve("dataset:crm/people@1")["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/dataset-versions/{id}/life");
    let life = |to: &str| s.ana.post(&path, &json!({"life": to}));
    let state = || s.ana.resolve("dataset:crm/people@1")["state"].clone();
    assert_eq!(state(), "held");
    life("restricted").good();
    assert_eq!(state(), "restricted");
    assert_eq!(life("restricted").good()["outcome"], "unchanged");
    s.dora.post(&path, &json!({"life": "held", "reason": "The dispute is settled."})).good();
    life("erased").good();
    assert_eq!(state(), "erased");
    for back in ["held", "restricted"] {
        life(back).problem(409);
    }
    assert!(faults(&life("burnt").problem(422)).contains_key("#/life"));
    // Digest, fields and lineage stay.
    let kept = s.ana.resolve("dataset:crm/people@1");
    assert_eq!(kept["spec"]["fields"], people("1")["fields"]);
    let history = s.ana.get(&format!("/api/v1/dataset-versions/{id}/history")).good();
    let states: Vec<&str> = history["items"].as_array().unwrap().iter().map(|i| i["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["held", "restricted", "held", "erased"]);
    rebuilds(&s.server.db);
}
