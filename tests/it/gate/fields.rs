//! Fields of which somebody says later what they hold, or an owner's default does, and the columns, joins and levels that rest on them.

use harness::Scenario;
use harness::client::encode;
use harness::scenario::{AGE, POLITICS, people};
use serde_json::{Value, json};

use super::parts::{
    Parts, allowed, assessment, days, denied, field, from, made, of_rule, only, rules, run, training_on, world,
};
use crate::support::rebuilds;

const PEOPLE: &str = "dataset:crm/people@1";

/// The people with a note that nobody classified; the model learns of some of their columns.
fn noted(p: &mut Parts, columns: &[&str]) {
    p.deployment["reads"] = json!({"nobody": "It is asked about no person."});
    p.versions[0]["fields"].as_array_mut().unwrap().push(json!({"name": "note"}));
    p.runs[0] = training_on("1", PEOPLE, columns);
}

fn default(category: &str) -> Value {
    json!({
        "key": "crm-unsorted", "namespaces": ["crm"], "categories": [category], "identifiability": "quasi",
        "owner": "crm-stewards", "reason": "The CRM is being sorted.", "valid_to": days(30),
    })
}

fn note(category: &str) -> Value {
    json!({"versions": [PEOPLE], "fields": ["note"], "categories": [category], "identifiability": "quasi"})
}

fn exposure(s: &Scenario, more: &str) -> Value {
    s.audit.get(&format!("/api/v1/exposure?ref={}{more}", encode("model:score@1"))).good()
}

#[test]
fn a_field_flows_with_what_a_default_or_a_classification_says_of_it() {
    let by_default = |s: &Scenario| _ = s.add("classes", default(POLITICS));
    let by_word = |s: &Scenario| _ = s.ana.post("/api/v1/classifications", &note(POLITICS)).good();
    for said in [&by_default as &dyn Fn(&Scenario), &by_word] {
        // Nobody says what is in the note: all of it flows.
        let s = world(|p| noted(p, &["age"]));
        denied(&s.dry("start"));
        assert_eq!(exposure(&s, "")["contained"][0].get("columns"), None);
        said(&s);
        allowed(&s.dry("start"));
        let view = exposure(&s, "");
        assert_eq!(view["contained"][0]["columns"], json!([{"field": "age"}]), "{view:#}");
        assert_eq!((&view["special_categories"], &view["unknown"]), (&json!([]), &json!([])), "{view:#}");
        rebuilds(&s.server.db);

        // The note is read, too.
        let s = world(|p| noted(p, &["age", "note"]));
        said(&s);
        let view = exposure(&s, "");
        assert_eq!(view["special_categories"], json!([POLITICS]), "{view:#}");
        let decision = s.dry("start");
        assert!(!of_rule(&decision, "source.covered").is_empty(), "no basis covers opinions: {decision:#}");
    }
    // A default that ended leaves what it said, and is unknown again.
    let s = world(|p| noted(p, &["age"]));
    by_default(&s);
    let over = s.dry_at("start", Some(&days(31)));
    assert_eq!(only(&over, "lineage.complete")["status"], "expired", "{over:#}");
    assert_eq!(of_rule(&over, "source.covered").len(), 0, "{over:#}");
}

#[test]
fn a_correction_of_a_field_flows_with_it() {
    let s = world(|p| {
        p.deployment["reads"] = json!({"nobody": "It is asked about no person."});
        p.runs[0] = training_on("1", PEOPLE, &["age"]);
    });
    allowed(&s.dry("start"));
    let corrected = json!({
        "versions": [PEOPLE], "fields": ["age"], "categories": [AGE, POLITICS], "identifiability": "direct",
        "corrects": true,
    });
    s.ana.post("/api/v1/classifications", &corrected).good();
    let view = exposure(&s, "");
    assert_eq!(view["contained"][0]["identifiability"], "direct", "{view:#}");
    assert_eq!(view["special_categories"], json!([POLITICS]));
    denied(&s.dry("start"));
}

/// The model learns of a table made of the people by columns, which states to identify less than the note of it may.
fn derived(p: &mut Parts) {
    noted(p, &["age"]);
    p.datasets.push("features");
    p.versions.push(made("features", "1", vec![field("age", AGE)]));
    let mut derive = run("derive", "purpose:scoring", &[PEOPLE], &["dataset:crm/features@1"]);
    derive["columns"] =
        json!([{"output": "dataset:crm/features@1", "field": "age", "from": from(PEOPLE, &["age", "note"])}]);
    p.runs.push(derive);
    p.runs[0] = training_on("1", "dataset:crm/features@1", &["age"]);
}

#[test]
fn levels_follow_what_is_known_of_the_fields() {
    let s = world(derived);
    let understated = |s: &Scenario| exposure(s, "")["understated"][0]["implied"].clone();
    // As long as the note is open, the whole table is behind it, e-mail addresses and all.
    assert_eq!(understated(&s), "direct");
    s.ana.post("/api/v1/classifications", &note(AGE)).good();
    assert_eq!(exposure(&s, "").get("understated"), None, "age and note are quasi-identifiers");
    let mut named = note(AGE);
    (named["identifiability"], named["corrects"]) = (json!("direct"), json!(true));
    s.ana.post("/api/v1/classifications", &named).good();
    assert_eq!(understated(&s), "direct");
    rebuilds(&s.server.db);
}

/// The model learns of a join of the people, of whom it reads these columns, with a table of pseudonyms.
fn joined(p: &mut Parts, columns: &[&str]) {
    p.deployment["reads"] = json!({"nobody": "It is asked about no person."});
    p.datasets.extend(["visits", "joined", "lean"]);
    let mut visits = people("1");
    visits["dataset"] = json!("dataset:crm/visits");
    visits["fields"] = json!([{"name": "visitor", "categories": [AGE], "identifiability": "pseudonym"}]);
    p.versions.push(visits);
    let contact = json!({"name": "contact", "categories": [AGE], "identifiability": "direct"});
    p.versions.push(made("joined", "1", vec![field("age", AGE), contact]));
    p.versions.push(made("lean", "1", vec![field("age", AGE)]));
    let mut join = run("combine", "purpose:scoring", &[PEOPLE, "dataset:crm/visits@1"], &["dataset:crm/joined@1"]);
    let made_of = |from: Value| {
        let mut list = from.as_array().unwrap().clone();
        list.push(json!({"input": "dataset:crm/visits@1", "field": "visitor", "kind": "indirect"}));
        list
    };
    join["columns"] = json!([
        {"output": "dataset:crm/joined@1", "field": "age", "from": made_of(from(PEOPLE, &["age"]))},
        {"output": "dataset:crm/joined@1", "field": "contact", "from": made_of(from(PEOPLE, columns))},
    ]);
    p.runs.push(join);
    // What comes after the join leaves the contact out.
    let mut lean = run("derive", "purpose:scoring", &["dataset:crm/joined@1"], &["dataset:crm/lean@1"]);
    lean["columns"] = json!([
        {"output": "dataset:crm/lean@1", "field": "age", "from": from("dataset:crm/joined@1", &["age"])},
    ]);
    p.runs.push(lean);
    p.runs[0] = training_on("1", "dataset:crm/lean@1", &["age"]);
    p.bases[0]["covers"]["datasets"] = json!(["dataset:crm/people", "dataset:crm/visits"]);
}

#[test]
fn a_join_is_judged_by_the_columns_it_read_whatever_is_left_out_after_it() {
    let s = world(|p| joined(p, &["email"]));
    let decision = s.dry("start");
    let sentence = only(&decision, "combination")["sentence"].as_str().unwrap();
    assert!(sentence.contains("identified again"), "{sentence}");
    assert_eq!(exposure(&s, "")["contained"][0]["columns"], json!([{"field": "age"}]), "it flows no further");
    // It read no name, and so found nobody.
    let decision = world(|p| joined(p, &["age"])).dry("start");
    assert_eq!(rules(&decision), [""; 0], "{decision:#}");
}

#[test]
fn what_an_assessment_cuts_is_understated_by_nobody() {
    let s = world(|p| {
        p.deployment["reads"] = json!({"nobody": "It is asked about no person."});
        p.datasets.extend(["anonymous", "features"]);
        p.versions.push(made("anonymous", "1", vec![json!({"name": "age", "identifiability": "none"})]));
        p.versions.push(made("features", "1", vec![json!({"name": "age", "identifiability": "none"})]));
        p.runs.push(run("anonymise", "purpose:scoring", &[PEOPLE], &["dataset:crm/anonymous@1"]));
        p.runs.push(run("derive", "purpose:scoring", &["dataset:crm/anonymous@1"], &["dataset:crm/features@1"]));
        p.runs[0]["inputs"][0]["ref"] = json!("dataset:crm/features@1");
        let mut anonymity = assessment("anonymous", "anonymity", "dataset:crm/anonymous@1");
        anonymity["attack_model"] = json!("An insider with the register of addresses.");
        anonymity["valid_to"] = json!(days(100));
        p.assessments.push(anonymity);
    });
    let names = |view: &Value| {
        let all = view["understated"].as_array().cloned().unwrap_or_default();
        all.iter().map(|one| one["ref"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let view = exposure(&s, "");
    assert_eq!(names(&view), ["dataset:crm/features@1", "dataset:crm/anonymous@1"], "{view:#}");
    assert_eq!(view["contained"][0]["ref"], PEOPLE);
    let view = exposure(&s, "&holder=party:acme");
    assert_eq!((names(&view), &view["cuts"]), (vec![], &json!(["dataset:crm/anonymous@1"])), "{view:#}");
    assert_eq!((&view["contained"], &view["identifiability"]), (&json!([]), &json!("none")));
    // Over the end of that word, they are back.
    let view = exposure(&s, &format!("&holder=party:acme&valid_at={}", encode(&days(101))));
    assert_eq!(names(&view).len(), 2, "{view:#}");
}
