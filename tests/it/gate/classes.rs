//! Default classes: an owner answers for what nobody classified, pessimistically, for a while, and it counts as debt.

use harness::Scenario;
use harness::scenario::{self, AGE, POLITICS, findings};
use serde_json::{Value, json};

use super::parts::{allowed, ask, days, denied, only, rules, world};
use crate::support::{faults, licit, rebuilds};

fn class(categories: &[&str]) -> Value {
    json!({
        "key": "crm-unsorted", "namespaces": ["c?m*"], "categories": categories, "identifiability": "quasi",
        "owner": "crm-stewards", "reason": "The CRM is being sorted.", "valid_to": days(30),
    })
}

/// The people, with a field nobody classified.
fn unsorted(version: &str) -> Value {
    let mut people = scenario::people(version);
    people["fields"].as_array_mut().unwrap().push(json!({"name": "note"}));
    people
}

fn unknown() -> Scenario {
    world(|p| p.versions[0] = unsorted("1"))
}

#[test]
fn a_default_answers_for_what_nobody_classified_and_then_it_is_unknown_again() {
    let s = unknown();
    let before = s.dry("start");
    assert_eq!(only(&before, "lineage.complete")["status"], "unknown", "{before:#}");
    s.add("classes", class(&[AGE]));
    let decision = ask(&s, json!({"intent": "start"}));
    allowed(&decision);
    let evidence = s.audit.get(&format!("/api/v1/decisions/{}/evidence", decision["id"].as_str().unwrap())).good();
    let assumed = &evidence["assumed"];
    assert_eq!(assumed[0]["ref"], "dataset:crm/people@1", "{evidence:#}");
    assert_eq!(assumed[0]["defaults"][0]["ref"], "class:crm-unsorted@1");
    let exposure = s.audit.get("/api/v1/exposure?ref=release:score-prod@1").good();
    assert_eq!(
        (&exposure["unknown"], &exposure["assumed"][0]["classes"]),
        (&json!([]), &json!(["class:crm-unsorted@1"]))
    );

    let over = s.dry_at("start", Some(&days(31)));
    let finding = only(&over, "lineage.complete");
    assert_eq!((&finding["status"], &finding["addressee"]), (&json!("expired"), &json!("crm-stewards")), "{finding:#}");
    assert!(finding["sentence"].as_str().unwrap().contains("class:crm-unsorted@1"), "{finding:#}");
    assert_eq!(finding["remedy"]["command"], "licit class create -f class.yaml");
    let mut renewed = class(&[AGE]);
    renewed["valid_to"] = json!(days(60));
    assert_eq!(s.add("classes", renewed.clone())["ref"], "class:crm-unsorted@2");
    assert_eq!(s.add("classes", renewed)["outcome"], "unchanged");
    allowed(&s.dry_at("start", Some(&days(31))));
    rebuilds(&s.server.db);
}

#[test]
fn what_a_default_says_counts_as_if_it_were_stated_whichever_came_first() {
    for first in [true, false] {
        let s = world(|p| {
            p.versions[0] = unsorted("1");
            p.deferred = vec!["deployment:score-prod"];
        });
        if first {
            s.add("classes", class(&[POLITICS]));
            s.add("dataset-versions", unsorted("2"));
        } else {
            s.add("dataset-versions", unsorted("2"));
            s.add("classes", class(&[POLITICS]));
        }
        for of in ["release:score-prod@1", "dataset:crm/people@2"] {
            let exposure = s.audit.get(&format!("/api/v1/exposure?ref={of}")).good();
            assert_eq!(exposure["special_categories"], json!([POLITICS]), "{exposure:#}");
        }
        let decision = s.dry("start");
        denied(&decision);
        let rules = rules(&decision);
        assert!(rules.contains(&"source.covered".to_owned()), "no basis covers opinions: {rules:?}");
        assert!(!rules.contains(&"lineage.complete".to_owned()), "{rules:?}");
        // Narrowed, the board approves the rest.
        s.add("classes", class(&[AGE]));
        s.approve(&["deployment:score-prod"]);
        allowed(&s.dry("start"));
        rebuilds(&s.server.db);
    }
}

#[test]
fn only_fields_of_the_pattern_are_answered_and_an_unlisted_table_by_none_of_them() {
    let s = unknown();
    let mut some = class(&[AGE]);
    some["fields"] = json!(["n*"]);
    s.add("classes", some.clone());
    allowed(&s.dry("start"));
    some["fields"] = json!(["x*"]);
    s.add("classes", some.clone());
    assert_eq!(only(&s.dry("start"), "lineage.complete")["status"], "unknown");

    let s = world(|p| p.versions[0]["fields"] = json!([]));
    some["fields"] = json!(["*"]);
    s.add("classes", some.clone());
    assert_eq!(only(&s.dry("start"), "lineage.complete")["status"], "unknown");
    some.as_object_mut().unwrap().remove("fields");
    s.add("classes", some);
    assert!(!rules(&s.dry("start")).contains(&"lineage.complete".to_owned()));
    assert!(findings(&s.dry("start")).iter().any(|(rule, _)| rule == "release.approved"), "the board saw nobody in it");
}

#[test]
fn a_default_states_origin_and_subjects_of_versions_that_do_not() {
    let s = world(|p| {
        p.versions[0].as_object_mut().unwrap().remove("origin");
    });
    assert_eq!(only(&s.dry("start"), "lineage.complete")["status"], "unknown");
    let mut stated = class(&[AGE]);
    stated["origin"] = json!("collected");
    s.add("classes", stated);
    assert!(!rules(&s.dry("start")).contains(&"lineage.complete".to_owned()), "{:#}", s.dry("start"));
    assert_eq!(only(&s.dry_at("start", Some(&days(31))), "lineage.complete")["status"], "expired");

    let s = world(|p| {
        p.versions[0].as_object_mut().unwrap().remove("subjects");
    });
    let mut stated = class(&[AGE]);
    stated["subjects"] = json!(["https://w3id.org/dpv#Child"]);
    s.add("classes", stated);
    let exposure = s.audit.get("/api/v1/exposure?ref=release:score-prod@1").good();
    assert_eq!(exposure["subjects"], json!(["https://w3id.org/dpv#Child"]));
    assert_eq!(only(&s.dry_at("start", Some(&days(31))), "lineage.complete")["status"], "expired");
}

#[test]
fn a_default_is_pessimistic_known_and_ends() {
    let s = unknown();
    let refused = |edit: &dyn Fn(&mut Value), pointer: &str| {
        let mut body = class(&[AGE]);
        edit(&mut body);
        let problem = s.ana.post("/api/v1/classes", &body).problem(422);
        assert!(faults(&problem).contains_key(pointer), "{problem:#}");
    };
    refused(&|c| c["identifiability"] = json!("none"), "#/identifiability");
    refused(&|c| c["categories"] = json!([]), "#/categories");
    refused(&|c| c["categories"] = json!(["https://w3id.org/dpv/pd#Nothing"]), "#/categories/0");
    refused(&|c| c["origin"] = json!("synthetic"), "#/origin");
    refused(&|c| c["namespaces"] = json!(["crm", "[a"]), "#/namespaces/1");
    refused(&|c| c["valid_to"] = json!("2020-01-01"), "#/valid_to");
    refused(&|c| c["valid_to"] = json!(days(731)), "#/valid_to");
    s.bea.post("/api/v1/classes", &class(&[AGE])).problem(403);
}

#[test]
fn it_is_counted_as_debt_with_who_owes_and_what_runs_on_it() {
    let s = unknown();
    s.add("classes", class(&[AGE]));
    s.activate("release:score-prod@1").good();
    s.add("dataset-versions", unsorted("2"));
    let debt = s.audit.get("/api/v1/reports/debt").good();
    let item = &debt["items"][0];
    assert_eq!((&item["class"], &item["owner"]), (&json!("class:crm-unsorted@1"), &json!("crm-stewards")), "{debt:#}");
    assert_eq!((&item["versions"], &item["fields"], &item["ended"]), (&json!(2), &json!(2), &json!(false)), "{debt:#}");
    assert_eq!(item["deployments"], json!(["deployment:score-prod"]));
    assert_eq!(item["datasets"], json!(["dataset:crm/people"]));
    let impact = s.audit.get("/api/v1/impact?ref=class:crm-unsorted").good();
    let reached = impact["items"].as_array().unwrap().iter().any(|i| i["ref"] == "deployment:score-prod");
    assert!(reached, "{impact:#}");
    let calendar = s.audit.get(&format!("/api/v1/calendar?until={}", days(40))).good();
    let ends = calendar["items"].as_array().unwrap().iter().find(|i| i["what"] == "class").unwrap().clone();
    assert_eq!((&ends["ref"], &ends["deployments"]), (&item["class"], &item["deployments"]), "{calendar:#}");
    let (code, out, err) = licit(&s.audit, &["debt"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("crm-stewards") && out.contains("2 in 2") && out.contains("score-prod"), "{out}");
    // Confirmed, nothing is owed.
    let body = json!({"datasets": ["crm/*"], "fields": ["*"], "categories": [AGE], "identifiability": "quasi"});
    s.ana.post("/api/v1/classifications", &body).good();
    let debt = s.audit.get("/api/v1/reports/debt").good();
    assert_eq!((&debt["items"][0]["fields"], &debt["items"][0]["deployments"]), (&json!(0), &json!([])), "{debt:#}");
    allowed(&s.dry_at("start", Some(&days(31))));
}
