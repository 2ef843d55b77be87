//! Tables that state to identify less than what they were made of: they are judged by that.

use harness::Scenario;
use harness::client::encode;
use harness::scenario::AGE;
use serde_json::{Value, json};

use super::parts::{
    Parts, allowed, assessment, days, denied, field, from, made, of_rule, only, rules, run, train_on, world,
};

const PEOPLE: &str = "dataset:crm/people@1";
const FEATURES: &str = "dataset:crm/features@1";

/// The model learns of a table made of the people, without their e-mail addresses: so its author says.
fn features(p: &mut Parts, columns: Value) {
    p.deployment["reads"] = json!({"nobody": "It is asked about no person."});
    p.datasets.push("features");
    p.versions.push(made("features", "1", vec![field("age", AGE)]));
    p.runs[0]["inputs"][0]["ref"] = json!(FEATURES);
    p.runs.push(derive("1", columns));
}

fn derive(version: &str, columns: Value) -> Value {
    let output = format!("dataset:crm/features@{version}");
    let mut derive = run("derive", "purpose:scoring", &[PEOPLE], &[&output]);
    derive["columns"] = columns;
    derive
}

fn age(version: &str) -> Value {
    json!([{"output": format!("dataset:crm/features@{version}"), "field": "age", "from": from(PEOPLE, &["age"])}])
}

fn exposure(s: &Scenario) -> Value {
    s.audit.get(&format!("/api/v1/exposure?ref={}", encode("model:score@1"))).good()
}

#[test]
fn a_table_identifies_as_far_as_what_it_was_made_of_unless_its_run_says_of_what() {
    let s = world(|p| features(p, json!([])));
    allowed(&s.dry("start"));
    let view = exposure(&s);
    assert_eq!(view["understated"], json!([{"ref": FEATURES, "stated": "quasi", "implied": "direct"}]), "{view:#}");

    // Approved as it is said to be, and then made without saying so: more than was approved.
    let s = world(|p| features(p, age("1")));
    allowed(&s.dry("start"));
    let view = exposure(&s);
    assert_eq!((view.get("understated"), &view["identifiability"]), (None, &json!("quasi")), "{view:#}");
    s.add("dataset-versions", made("features", "2", vec![field("age", AGE)]));
    s.add("runs", derive("2", json!([])));
    train_on(&s, "2", "dataset:crm/features@2");
    let widened = only(&s.dry("start"), "release.approved")["also"].to_string();
    assert!(widened.contains("identifies people more: direct instead of quasi"), "{widened}");
    s.add("dataset-versions", made("features", "3", vec![field("age", AGE)]));
    s.add("runs", derive("3", age("3")));
    train_on(&s, "3", "dataset:crm/features@3");
    allowed(&s.dry("start"));
}

/// The features are joined with a table of pseudonyms.
fn joined(p: &mut Parts, columns: Value) {
    features(p, columns);
    p.datasets.extend(["visits", "joined"]);
    let mut visits = harness::scenario::people("1");
    visits["dataset"] = json!("dataset:crm/visits");
    visits["fields"] = json!([{"name": "visitor", "categories": [AGE], "identifiability": "pseudonym"}]);
    p.versions.push(visits);
    p.versions.push(made("joined", "1", vec![field("age", AGE)]));
    p.runs.push(run("combine", "purpose:scoring", &[FEATURES, "dataset:crm/visits@1"], &["dataset:crm/joined@1"]));
    p.runs[0]["inputs"][0]["ref"] = json!("dataset:crm/joined@1");
    p.bases[0]["covers"]["datasets"] = json!(["dataset:crm/people", "dataset:crm/visits"]);
}

#[test]
fn pseudonyms_joined_with_what_was_made_of_names_are_identified_again() {
    let s = world(|p| joined(p, json!([])));
    let decision = s.dry("start");
    denied(&decision);
    let sentence = only(&decision, "combination")["sentence"].as_str().unwrap();
    assert!(sentence.contains("identified again") && sentence.contains(FEATURES), "{sentence}");
    allowed(&world(|p| joined(p, age("1"))).dry("start"));
}

#[test]
fn what_was_assessed_to_be_anonymous_implies_nothing() {
    let anonymised = |approved: bool| {
        world(|p| {
            joined(p, json!([]));
            p.datasets.push("anonymous");
            p.versions.push(made("anonymous", "1", vec![json!({"name": "age", "identifiability": "none"})]));
            p.versions[1] = made("features", "1", vec![json!({"name": "age", "identifiability": "none"})]);
            p.runs.push(run("anonymise", "purpose:scoring", &[PEOPLE], &["dataset:crm/anonymous@1"]));
            p.runs[1] = run("derive", "purpose:scoring", &["dataset:crm/anonymous@1"], &[FEATURES]);
            let mut anonymity = assessment("anonymous", "anonymity", "dataset:crm/anonymous@1");
            anonymity["attack_model"] = json!("An insider with the register of addresses.");
            anonymity["valid_to"] = json!(days(100));
            p.assessments.push(anonymity);
            if !approved {
                p.deferred.push("assessment:anonymous");
            }
        })
    };
    let decision = anonymised(false).dry("start");
    assert_eq!(of_rule(&decision, "combination").len(), 1, "{decision:#}");
    let decision = anonymised(true).dry("start");
    assert_eq!(rules(&decision), [""; 0], "{decision:#}");
}
