//! Fields classified later: in bulk by pattern, and corrected to something stronger.

use harness::Scenario;
use harness::scenario::{self, AGE, POLITICS};
use serde_json::{Value, json};

use super::parts::{allowed, denied, facts, only, rules, world};
use crate::support::{faults, licit, rebuilds, retire};

fn open(dataset: &str, version: &str, fields: &[&str]) -> Value {
    let mut people = scenario::people(version);
    people["dataset"] = json!(format!("dataset:crm/{dataset}"));
    for name in fields {
        people["fields"].as_array_mut().unwrap().push(json!({"name": name}));
    }
    people
}

fn open_world() -> Scenario {
    world(|p| {
        p.datasets.push("orders");
        p.versions[0] = open("people", "1", &["note_id", "free text"]);
        p.versions.push(open("orders", "1", &["order_id"]));
        p.versions.push(open("orders", "2", &["order_id"]));
    })
}

fn classify(fields: &str) -> Value {
    json!({"datasets": ["crm/*"], "fields": [fields], "categories": [AGE], "identifiability": "quasi"})
}

#[test]
fn fields_are_confirmed_by_pattern_all_at_once_and_the_finding_clears() {
    let s = open_world();
    retire(&s.ana, "dataset:crm/orders@2", "Twice.").good();
    denied(&s.dry("start"));
    let mut dry = classify("*_id");
    dry["dry_run"] = json!(true);
    let would = s.ana.post("/api/v1/classifications", &dry).good();
    let expected = json!([
        {"version": "dataset:crm/orders@1", "fields": ["order_id"]},
        {"version": "dataset:crm/people@1", "fields": ["note_id"]},
    ]);
    assert_eq!((&would["items"], &would["registered"]), (&expected, &json!([])));
    assert_eq!(facts(&s, "dataset_version.classified"), 0);
    let done = s.ana.post("/api/v1/classifications", &classify("*_id")).good();
    assert_eq!((&done["items"], done["registered"].as_array().unwrap().len()), (&expected, 2));
    assert_eq!(facts(&s, "dataset_version.classified"), 2, "one fact per version");
    let finding = only(&s.dry("start"), "lineage.complete").clone();
    assert!(finding["sentence"].as_str().unwrap().contains("`free text`"), "{finding:#}");
    s.ana.post("/api/v1/classifications", &classify("free*")).good();
    allowed(&s.dry("start"));
    assert_eq!(s.ana.post("/api/v1/classifications", &classify("*")).good()["items"], json!([]));
    // A copy that only is supposed knows it, too.
    s.activate("release:score-prod@1").good();
    let moved = json!({"move_region": [{"ref": "dataset:crm/people@1", "region": "DE"}]});
    let supposed = s.audit.post("/api/v1/whatif", &moved).good();
    assert!(
        supposed["turned"][0]["came"].is_array() && !supposed.to_string().contains("lineage.complete"),
        "{supposed:#}"
    );
    // The version itself is as it was registered.
    assert_eq!(s.add("dataset-versions", open("people", "1", &["note_id", "free text"]))["outcome"], "unchanged");
    let listed = s.audit.get("/api/v1/classifications?parent=dataset:crm/people@1").good();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed:#}");
    rebuilds(&s.server.db);
}

#[test]
fn a_correction_makes_stronger_and_nothing_makes_weaker() {
    let s = open_world();
    s.ana.post("/api/v1/classifications", &classify("*")).good();
    allowed(&s.dry("start"));
    let correct = |categories: Value, identifiability: &str| {
        json!({
            "versions": ["dataset:crm/people@1"], "fields": ["note_id"], "categories": categories, "corrects": true,
            "identifiability": identifiability, "reason": "Free text holds opinions.", "valid_from": "2020-01-01",
        })
    };
    let weaker = s.ana.post("/api/v1/classifications", &correct(json!([]), "quasi")).problem(409);
    assert!(weaker.to_string().contains("note_id"), "{weaker:#}");
    s.ana.post("/api/v1/classifications", &correct(json!([AGE]), "none")).problem(409);
    let done = s.ana.post("/api/v1/classifications", &correct(json!([AGE, POLITICS]), "quasi")).good();
    assert_eq!(done["items"][0]["fields"], json!(["note_id"]));
    let decision = s.dry("start");
    denied(&decision);
    assert!(rules(&decision).contains(&"source.covered".to_owned()), "{decision:#}");
    let listed = s.audit.get("/api/v1/classifications?parent=dataset:crm/people@1").good().to_string();
    assert!(!listed.contains("holds opinions") && listed.contains("2020-01-01"), "{listed}");
    // A field stated when it was registered is corrected, too; a weaker one is not.
    let mut stated = correct(json!([AGE]), "direct");
    stated["fields"] = json!(["age"]);
    s.ana.post("/api/v1/classifications", &stated).good();
    stated["identifiability"] = json!("quasi");
    s.ana.post("/api/v1/classifications", &stated).problem(409);
    rebuilds(&s.server.db);
}

#[test]
fn what_cannot_be_classified_is_named() {
    let s = open_world();
    let refused = |edit: &dyn Fn(&mut Value), pointer: &str| {
        let mut body = classify("*");
        edit(&mut body);
        let problem = s.ana.post("/api/v1/classifications", &body).problem(422);
        assert!(faults(&problem).contains_key(pointer), "{problem:#}");
    };
    refused(&|c| c["datasets"] = json!([]), "#/datasets");
    refused(&|c| c["datasets"] = json!(["crm/["]), "#/datasets/0");
    refused(&|c| c["fields"] = json!([]), "#/fields");
    refused(&|c| c["categories"] = json!(["https://w3id.org/dpv#Adult"]), "#/categories/0");
    refused(&|c| c["corrects"] = json!(true), "#/corrects");
    refused(&|c| c["valid_from"] = json!("2199-01-01"), "#/valid_from");
    refused(&|c| c["versions"] = json!(["dataset:crm/people@9"]), "#/versions/0");
    s.bea.post("/api/v1/classifications", &classify("*")).problem(403);
}

#[test]
fn the_command_lists_and_records_only_when_told() {
    let s = open_world();
    let args = ["dataset", "confirm", "crm/*", "--fields", "*_id", "--identifiability", "pseudonym"];
    let (code, out, err) = licit(&s.ana, &args);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("would classify 3 fields of 3 versions") && out.contains("order_id"), "{out}");
    assert_eq!(facts(&s, "dataset_version.classified"), 0);
    let (code, out, err) = licit(&s.ana, &[&args[..], &["--yes", "--reason", "Looked at."]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("classified  3 fields of 3 versions"), "{out}");
    assert_eq!(facts(&s, "dataset_version.classified"), 3);
    let (code, _, err) = licit(
        &s.ana,
        &["dataset", "confirm", "crm/people@1", "--fields", "age", "--identifiability", "none", "--correct"],
    );
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("more strongly"), "{err}");
}
