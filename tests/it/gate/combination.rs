//! Tables that identify people together and not alone.

use harness::scenario::{self, ADULT};
use serde_json::{Value, json};

use super::parts::{Parts, allowed, assessment, basis, field, made, of_rule, release_of, rules, world};
use super::table::Case;

const POSTCODE: &str = "https://w3id.org/dpv/pd#PostalCode";
const BIRTH: &str = "https://w3id.org/dpv/pd#BirthDate";
const GENDER: &str = "https://w3id.org/dpv/pd#Gender";

pub(crate) fn combination(of: &str) -> Value {
    assessment("joined-up", "combination", of)
}

fn table(name: &str, version: &str, categories: &[&str]) -> Value {
    let fields = categories.iter().enumerate().map(|(n, c)| field(&format!("f{n}"), c)).collect();
    let mut table = made(name, version, fields);
    for (key, value) in scenario::people("1").as_object().unwrap() {
        if !["dataset", "version", "fields"].contains(&key.as_str()) {
            table[key] = value.clone();
        }
    }
    table
}

fn join(calls: &str, version: &str) -> Value {
    json!({
        "operation": "combine", "purpose": "purpose:scoring", "started_at": "2025-12-01T00:00:00Z", "controller": "party:acme",
        "inputs": [{"ref": "dataset:crm/visits@1"}, {"ref": format!("dataset:crm/calls@{calls}")}],
        "outputs": [format!("dataset:crm/joined@{version}")],
    })
}

/// Postcodes in one table, birth date and sex in the other; the model learns from both.
pub(crate) fn joined(p: &mut Parts) {
    p.datasets = vec!["people", "visits", "calls", "joined"];
    p.versions[0] = table("visits", "1", &[POSTCODE]);
    p.versions.push(table("calls", "1", &[BIRTH, GENDER]));
    p.versions.push(made("joined", "1", vec![field("a", POSTCODE), field("b", BIRTH), field("c", GENDER)]));
    p.runs[0]["inputs"] = json!([{"ref": "dataset:crm/joined@1", "role": "training"}]);
    p.runs.push(join("1", "1"));
    p.deployment["reads"] = json!({"nobody": "It is asked about no person."});
    p.bases[0] = basis(|b| {
        b["covers"]["datasets"] = json!(["dataset:crm/visits", "dataset:crm/calls"]);
        b["covers"]["categories"] = json!([POSTCODE, BIRTH, GENDER]);
    });
}

/// The same with a table that says all it holds.
pub(crate) fn rejoin(c: &mut Case) {
    c.s.add("dataset-versions", table("calls", "2", &[BIRTH]));
    c.s.add("dataset-versions", made("joined", "2", vec![field("a", POSTCODE), field("b", BIRTH)]));
    c.s.add("runs", join("2", "2"));
    c.s.add("model-versions", scenario::model_version("2", "2"));
    let mut run = scenario::training("2", "1");
    run["inputs"] = json!([{"ref": "dataset:crm/joined@2", "role": "training"}]);
    c.s.add("runs", run);
    c.s.add("releases", release_of("model:score@2"));
}

#[test]
fn a_dangerous_set_is_named_with_its_figure_and_assessed_once_for_all_versions() {
    let s = world(joined);
    let decision = s.dry("start");
    assert_eq!(rules(&decision), ["combination"], "{decision:#}");
    let sentence = of_rule(&decision, "combination")[0]["sentence"].as_str().unwrap().to_owned();
    assert!(sentence.contains("postcode, birth date and sex") && sentence.contains("87 %"), "{sentence}");
    s.add("assessments", combination("dataset:crm/joined"));
    s.approve(&["assessment:joined-up"]);
    allowed(&s.dry("start"));
}

#[test]
fn a_set_that_one_table_holds_already_is_no_news() {
    let s = world(|p| {
        joined(p);
        p.versions[1] = table("calls", "1", &[POSTCODE, BIRTH, GENDER]);
    });
    allowed(&s.dry("start"));
}

#[test]
fn a_pseudonymised_table_joined_with_names_is_identified_again() {
    let s = world(|p| {
        joined(p);
        p.versions[0] = table("visits", "1", &[POSTCODE]);
        p.versions[0]["fields"][0]["identifiability"] = json!("pseudonym");
        p.versions[1] = table("calls", "1", &[GENDER]);
        p.versions[1]["fields"][0]["identifiability"] = json!("direct");
    });
    let decision = s.dry("start");
    assert_eq!(rules(&decision), ["combination"], "{decision:#}");
    assert!(of_rule(&decision, "combination")[0]["sentence"].as_str().unwrap().contains("identified again"));
}

#[test]
fn tables_of_two_controllers_are_a_new_link() {
    let s = world(|p| {
        joined(p);
        p.parties.push(scenario::party("beta"));
        p.versions[1] = table("calls", "1", &[GENDER]);
        p.versions[1]["controllers"] = json!(["party:beta"]);
        p.versions[1]["subjects"] = json!([ADULT]);
    });
    let decision = s.dry("start");
    let found = of_rule(&decision, "combination");
    assert!(found[0]["sentence"].as_str().unwrap().contains("which no controller has in common"), "{decision:#}");
}
