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

/// Postcodes in one table and birth date and sex in the other, brought together by a run of another kind.
fn by(operation: &'static str) -> impl FnOnce(&mut Parts) {
    move |p| {
        joined(p);
        p.runs[1]["operation"] = json!(operation);
    }
}

#[test]
fn whatever_puts_rows_of_several_tables_together_is_a_join() {
    for operation in ["derive", "infer", "aggregate", "synthesise"] {
        let decision = world(by(operation)).dry("start");
        assert_eq!(of_rule(&decision, "combination").len(), 1, "{operation}: {decision:#}");
    }
    // A copy of two tables is two tables, and who is measured by a table does not learn from it.
    for operation in ["copy", "filter", "evaluate"] {
        let decision = world(by(operation)).dry("start");
        assert_eq!(of_rule(&decision, "combination").len(), 0, "{operation}: {decision:#}");
    }
    let s = world(|p| {
        by("derive")(p);
        p.runs[1]["inputs"][1]["role"] = json!("test");
    });
    assert_eq!(of_rule(&s.dry("start"), "combination").len(), 0);
}

#[test]
fn a_training_on_two_tables_links_what_they_say() {
    let both = json!([
        {"ref": "dataset:crm/visits@1", "role": "training"}, {"ref": "dataset:crm/calls@1", "role": "training"},
    ]);
    let s = world(|p| {
        joined(p);
        p.runs[0]["inputs"] = both.clone();
        p.runs.remove(1);
    });
    let decision = s.dry("start");
    assert_eq!(rules(&decision), ["combination"], "{decision:#}");
    let run = of_rule(&decision, "combination")[0]["node"].as_str().unwrap().to_owned();
    s.add("assessments", combination(&run));
    s.approve(&["assessment:joined-up"]);
    allowed(&s.dry("start"));
    // Two years of one table are no join, whatever the columns.
    let s = world(|p| {
        joined(p);
        p.versions[1]["dataset"] = json!("dataset:crm/visits");
        p.versions[1]["version"] = json!("2");
        p.runs[0]["inputs"] = json!([
            {"ref": "dataset:crm/visits@1", "role": "training"}, {"ref": "dataset:crm/visits@2", "role": "training"},
        ]);
        p.runs.remove(1);
    });
    allowed(&s.dry("start"));
}

#[test]
fn a_table_carries_what_it_was_made_of() {
    // Nobody states the postcode any more: the table was made of it all the same.
    let through = |edit: fn(&mut Parts)| {
        world(|p| {
            joined(p);
            p.datasets.push("regulars");
            p.versions.push(made("regulars", "1", vec![field("age", scenario::AGE)]));
            p.runs.push(super::parts::run(
                "derive",
                "purpose:scoring",
                &["dataset:crm/visits@1"],
                &["dataset:crm/regulars@1"],
            ));
            p.runs[1]["inputs"][0]["ref"] = json!("dataset:crm/regulars@1");
            edit(p);
        })
    };
    let decision = through(|_| {}).dry("start");
    let found = of_rule(&decision, "combination");
    assert!(found[0]["sentence"].as_str().unwrap().contains("postcode, birth date and sex"), "{decision:#}");
    // Where nobody is identifiable any more, nothing is carried on.
    let s = through(|p| p.assessments.push(super::anonymity::anonymity("dataset:crm/regulars@1")));
    assert_eq!(of_rule(&s.dry("start"), "combination").len(), 0, "{:#}", s.dry("start"));
}

#[test]
fn pseudonyms_link_within_their_scope() {
    let links = |pseudonym: Option<Value>, named: Vec<Value>| {
        let s = world(|p| {
            joined(p);
            p.versions[0]["fields"] =
                json!([{"name": "person", "categories": [POSTCODE], "identifiability": "pseudonym"}]);
            if let Some(pseudonym) = pseudonym {
                p.versions[0]["fields"][0]["pseudonym"] = pseudonym;
            }
            let mut fields = vec![json!({"name": "mail", "categories": [GENDER], "identifiability": "direct"})];
            fields.extend(named);
            p.versions[1]["fields"] = json!(fields);
        });
        let decision = s.dry("start");
        let found = of_rule(&decision, "combination");
        found.first().is_some_and(|f| f["sentence"].as_str().unwrap().contains("identified again"))
    };
    let scope = |name: &str| json!({"scope": name});
    let person = |name: &str| {
        vec![
            json!({"name": "person", "categories": [GENDER], "identifiability": "pseudonym", "pseudonym": scope(name)}),
        ]
    };
    let random = json!({"scope": "research", "deterministic": false});
    assert!(links(Some(scope("research")), person("research")));
    assert!(!links(Some(scope("research")), person("billing")));
    assert!(links(None, person("billing")), "nobody said of which scope it is");
    assert!(links(Some(scope("research")), Vec::new()), "it may be made again from the address");
    assert!(!links(Some(random), Vec::new()));
}

#[test]
fn people_kept_apart_by_scopes_are_a_new_link_where_they_are_combined() {
    let apart = |operation: &'static str| {
        let s = world(|p| {
            by(operation)(p);
            for (place, (scope, category)) in [("research", POSTCODE), ("billing", GENDER)].into_iter().enumerate() {
                let field = json!({"name": "person", "categories": [category], "identifiability": "pseudonym", "pseudonym": {"scope": scope}});
                p.versions[place]["fields"] = json!([field]);
            }
        });
        let decision = s.dry("start");
        of_rule(&decision, "combination").first().map(|f| f["sentence"].as_str().unwrap().to_owned())
    };
    assert!(apart("combine").is_some_and(|says| says.contains("were kept apart")));
    assert_eq!(apart("derive"), None);
    let s = world(|_| {});
    let mut table = table("people", "9", &[POSTCODE]);
    table["fields"][0]["pseudonym"] = json!({"scope": "research"});
    let problem = s.ana.post("/api/v1/dataset-versions", &table).problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "#/fields/0/pseudonym");
}

#[test]
fn what_a_join_brings_together_is_counted_where_policy_asks_for_a_number() {
    let counted = |k: Option<u32>| {
        let s = world(|p| {
            joined(p);
            p.versions[1] = table("calls", "1", &[BIRTH]);
            p.versions[2] = made("joined", "1", vec![field("a", POSTCODE), field("b", BIRTH)]);
            if let Some(k) = k {
                p.versions[2]["measured"] = json!({"k": k, "l": 2, "records": 4000});
            }
        });
        allowed(&s.dry("start"));
        let policy = json!({"name": "Counted", "review": {"quorum": 2, "approval_days": 365}, "min_k": 10});
        s.server.admin().post("/api/v1/policies", &policy).good();
        s.approve(&["policy:organisation"]);
        s
    };
    allowed(&counted(Some(10)).dry("start"));
    for (k, says) in [(Some(3), "as few as k = 3"), (None, "nobody measured k of `dataset:crm/joined@1`")] {
        let s = counted(k);
        let decision = s.dry("start");
        assert_eq!(rules(&decision), ["combination"], "{decision:#}");
        let sentence = of_rule(&decision, "combination")[0]["sentence"].as_str().unwrap().to_owned();
        assert!(sentence.contains(says) && sentence.contains("policy asks for 10"), "{sentence}");
        s.add("assessments", combination("dataset:crm/joined"));
        s.approve(&["assessment:joined-up"]);
        allowed(&s.dry("start"));
        let recorded = super::parts::ask(&s, json!({}));
        let id = recorded["id"].as_str().unwrap();
        let shown = s.audit.get(&format!("/api/v1/decisions/{id}/evidence")).good();
        assert_eq!(shown["measured"], json!([{"ref": "dataset:crm/joined@1", "k": k}]));
        assert_eq!(shown["assessments"][0]["ref"], "assessment:joined-up@1", "{shown:#}");
    }
}

/// Where engines report names with versions of theirs, tables may come from one another in a circle.
#[test]
fn tables_that_come_from_one_another_in_a_circle_are_all_looked_through() {
    let s = world(|p| {
        joined(p);
        p.datasets.extend(["notes", "orders"]);
        p.versions[1] = table("calls", "1", &[GENDER]);
        // What the joined tables lack of the set stands in the circle, two steps away.
        p.versions.push(table("notes", "1", &[]));
        p.versions.push(table("orders", "1", &[BIRTH]));
        let covers = json!(["dataset:crm/visits", "dataset:crm/calls", "dataset:crm/notes", "dataset:crm/orders"]);
        p.bases[0]["covers"]["datasets"] = covers;
    });
    let set = |name: &str| json!({"namespace": "crm", "name": name, "facets": {"version": {"datasetVersion": "1"}}});
    for (n, (from, to)) in [("orders", "notes"), ("notes", "visits"), ("visits", "orders")].into_iter().enumerate() {
        let event = json!({
            "eventType": "COMPLETE", "eventTime": "2025-11-01T10:00:00Z",
            "run": {"runId": format!("01939f00-0000-7000-8000-0000000000a{n}")}, "job": {"namespace": "etl", "name": to},
            "inputs": [set(from)], "outputs": [set(to)],
        });
        assert_eq!(s.ana.post("/api/v1/lineage", &event).good()["outcome"], "accepted");
    }
    let decision = s.dry("start");
    let found = of_rule(&decision, "combination");
    let sentences: Vec<&str> = found.iter().map(|f| f["sentence"].as_str().unwrap()).collect();
    assert!(sentences.iter().any(|s| s.contains("postcode, birth date and sex")), "{sentences:#?} {decision:#}");
}
