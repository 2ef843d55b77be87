//! What is refused, with the pointer of the fault.

use harness::Scenario;
use harness::scenario::notice;
use serde_json::{Value, json};

use super::promising;
use crate::support::{faults, rebuilds};

#[test]
fn each_fault_of_a_notice_is_named() {
    let s = Scenario::registered();
    let with = |edit: &dyn Fn(&mut Value)| {
        let mut notice = notice("other", &["scoring"]);
        edit(&mut notice);
        faults(&s.ana.post("/api/v1/notices", &notice).problem(422))
    };
    let cases: [(&str, &dyn Fn(&mut Value)); 9] = [
        ("#/controller", &|n| n["controller"] = json!("party:nobody")),
        ("#/controller", &|n| n["controller"] = json!("purpose:scoring")),
        ("#/purposes/1", &|n| n["purposes"] = json!(["purpose:scoring", "purpose:misspelt"])),
        ("#/recipients/0", &|n| n["recipients"] = json!(["party:nobody"])),
        ("#/categories/0/iri", &|n| n["categories"] = json!([{"iri": "https://w3id.org/dpv#Marketing"}])),
        ("#/categories/1", &|n| {
            n["categories"] = json!([{"iri": harness::scenario::AGE}, {"iri": harness::scenario::AGE}])
        }),
        ("#/promises/1/commitment", &|n| {
            n["promises"] = promising("x", &["never_sold", "never_sold"])["promises"].clone()
        }),
        ("#/promises/0/commitment", &|n| n["promises"] = promising("x", &["not_for:misspelt"])["promises"].clone()),
        ("#/valid_to", &|n| n["valid_to"] = json!("2019-01-01")),
    ];
    for (pointer, edit) in cases {
        let found = with(edit);
        assert!(found.contains_key(pointer), "{pointer}: {found:?}");
    }
}

#[test]
fn the_same_words_are_the_same_revision_and_others_the_next() {
    let s = Scenario::registered();
    let same = s.ana.post("/api/v1/notices", &notice("customers", &["scoring"])).good();
    assert_eq!((&same["outcome"], &same["ref"]), (&json!("unchanged"), &json!("notice:customers@1")));
    let next = s.ana.post("/api/v1/notices", &promising("customers", &["never_sold"])).good();
    assert_eq!((&next["outcome"], &next["ref"]), (&json!("created"), &json!("notice:customers@2")));
    // The data protection officer may, the board and the pipeline may not.
    s.dora.post("/api/v1/notices", &notice("customers", &["scoring"])).good();
    s.bea.post("/api/v1/notices", &notice("customers", &["scoring"])).problem(403);
    s.ci.post("/api/v1/notices", &notice("customers", &["scoring"])).problem(403);
    let listed = s.audit.get("/api/v1/notices?parent=notice:customers").good();
    assert_eq!(listed["items"].as_array().unwrap().len(), 3);
    rebuilds(&s.server.db);
}

#[test]
fn a_test_is_of_a_way_that_a_notice_names_and_has_been_gone() {
    let s = Scenario::registered();
    let test = |body: Value| faults(&s.ana.post("/api/v1/withdrawal-tests", &body).problem(422));
    let ahead = harness::scenario::in_days(1);
    assert!(test(json!({"notice": "notice:customers", "outcome": "passed", "at": ahead})).contains_key("#/at"));
    assert!(test(json!({"notice": "notice:misspelt", "outcome": "passed"})).contains_key("#/notice"));
    assert!(test(json!({"notice": "purpose:scoring", "outcome": "passed"})).contains_key("#/notice"));
    let mut silent = notice("silent", &["scoring"]);
    silent.as_object_mut().unwrap().remove("refusal");
    s.add("notices", silent);
    assert!(test(json!({"notice": "notice:silent", "outcome": "passed"})).contains_key("#/notice"));
    let once = json!({"notice": "notice:customers", "outcome": "passed", "at": "2026-03-01"});
    s.dora.post("/api/v1/withdrawal-tests", &once).good();
    let again = s.dora.post("/api/v1/withdrawal-tests", &once).good();
    assert_eq!((&again["outcome"], &again["ref"]), (&json!("unchanged"), &json!("notice:customers@1")));
}

#[test]
fn data_name_notices_that_there_are() {
    let s = Scenario::registered();
    let mut version = harness::scenario::people("2");
    version["notices"] = json!(["notice:misspelt"]);
    assert!(faults(&s.ana.post("/api/v1/dataset-versions", &version).problem(422)).contains_key("#/notices/0"));
    version["notices"] = json!(["notice:customers@7"]);
    assert!(faults(&s.ana.post("/api/v1/dataset-versions", &version).problem(422)).contains_key("#/notices/0"));
    version["notices"] = json!(["basis:scoring-contract"]);
    assert!(faults(&s.ana.post("/api/v1/dataset-versions", &version).problem(422)).contains_key("#/notices/0"));
}
