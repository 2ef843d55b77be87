//! A pipeline nobody changed reports what it does; a column of e-mail addresses upstream of a model refuses its deployment, by name.

use std::collections::BTreeSet;

use harness::Scenario;
use harness::scenario::{deployment, finding, model_version, notice, party, purpose, system, training};
use serde_json::{Value, json};

use super::{event, recorded, set, with};

const EMAIL: &str = "https://w3id.org/dpv/pd#EmailAddress";
const EXTRACT: &str = "01939f00-0000-7000-8000-000000000011";
const TRAIN: &str = "01939f00-0000-7000-8000-000000000012";

/// What dbt and a training script send: three events, in whatever order.
fn trace(tags: &Value) -> Vec<Value> {
    let people = with(
        "crm",
        "people",
        json!({
            "schema": {"fields": [{"name": "id", "type": "bigint"}, {"name": "email", "type": "varchar"}]},
            "tags": {"tags": tags},
            "licit": {"origin": "collected", "subjects": ["https://w3id.org/dpv#Adult"], "controller": "party:acme"},
        }),
    );
    let features = with(
        "s3://lake",
        "features",
        json!({"schema": {"fields": [{"name": "id"}, {"name": "contact"}]}, "tags": {"tags": [
            {"key": "identifiability", "value": "none", "field": "id"}, {"key": "identifiability", "value": "pseudonym", "field": "contact"},
            {"key": EMAIL, "field": "contact"},
        ]}}),
    );
    let model = with("licit", "score", json!({"datasetType": {"datasetType": "MODEL"}}));
    let mut train = event("COMPLETE", TRAIN, json!([set("s3://lake", "features")]), json!([model]));
    train["run"]["facets"] =
        json!({"licit": {"purpose": "purpose:scoring", "operation": "train", "controller": "party:acme"}});
    vec![
        train,
        event("COMPLETE", EXTRACT, json!([people]), json!([])),
        event("START", EXTRACT, json!([]), json!([features])),
    ]
}

fn identified() -> Value {
    json!([
        {"key": "identifiability", "value": "none", "field": "id"}, {"key": "identifiability", "value": "direct", "field": "email"},
        {"key": "category", "value": EMAIL, "field": "email"},
    ])
}

fn deployed(trace: &[Value]) -> Scenario {
    let s = Scenario::empty();
    for event in trace {
        assert_eq!(s.ana.post("/api/v1/lineage", event).good()["outcome"], "accepted");
    }
    s.add("parties", party("acme"));
    s.add("environments", json!({"key": "production", "mode": "enforce", "class": "production"}));
    s.add("purposes", purpose("scoring"));
    s.inform(notice("customers", &["scoring"]));
    s.add("systems", system());
    let mut deployment = deployment();
    deployment["bases"] = json!([]);
    deployment["reads"] = json!({"nobody": "It is asked about no person."});
    s.add("deployments", deployment);
    s.release(&format!("run-{TRAIN}"));
    s
}

#[test]
fn an_e_mail_column_upstream_of_a_model_refuses_its_deployment_by_name() {
    let s = deployed(&trace(&identified()));
    let answer = s.activate("release:score-prod@1");
    let decision = answer.problem(409)["decision"].clone();
    let uncovered = finding(&decision, "source.covered").unwrap_or_else(|| panic!("{decision:#}"));
    let all: Vec<&Value> =
        decision["findings"].as_array().unwrap().iter().filter(|f| f["rule"] == "source.covered").collect();
    let people: Vec<&&Value> = all.iter().filter(|f| f["node"] == "dataset:crm/people@reported").collect();
    assert!(!people.is_empty(), "{uncovered:#} {all:#?}");
    let path = people[0]["path"].to_string();
    for step in [
        format!("model:score@run-{TRAIN}"),
        format!("run:{TRAIN}"),
        format!("run:{EXTRACT}"),
        "dataset:crm/people@reported".to_owned(),
    ] {
        assert!(path.contains(&step), "{path}");
    }
    let exposure = s
        .audit
        .get(&format!("/api/v1/exposure?ref={}", harness::client::encode(&format!("model:score@run-{TRAIN}"))))
        .good();
    assert!(exposure.to_string().contains(EMAIL), "{exposure:#}");
    assert_eq!(exposure["identifiability"], "direct", "{exposure:#}");
}

/// Trains a model on a table, and holds its deployment against the e-mail addresses in a table upstream.
#[track_caller]
pub(super) fn refused_for_the_addresses(s: &Scenario, source: &str, trained_on: &str) {
    let (dataset, version) = source.split_once('@').unwrap();
    s.add(
        "dataset-versions",
        json!({
            "dataset": dataset, "version": version, "origin": "collected", "region": "FR", "controllers": ["party:acme"],
            "fields": [{"name": "email", "categories": [EMAIL], "identifiability": "direct"}],
            "subjects": ["https://w3id.org/dpv#Adult"], "retention": {"until": "2099-12-31"},
        }),
    );
    s.add("model-versions", model_version("2", "2"));
    let mut run = training("2", "1");
    run["inputs"] = json!([{"ref": trained_on, "role": "training"}]);
    s.add("runs", run);
    s.release("2");
    let decision = s.activate("release:score-prod@2").problem(409)["decision"].clone();
    let uncovered = finding(&decision, "source.covered").unwrap_or_else(|| panic!("{decision:#}"));
    assert_eq!(uncovered["node"], source, "{uncovered:#}");
    let path = uncovered["path"].to_string();
    assert!(path.contains("model:score@2") && path.contains(trained_on), "{path}");
    let exposure = s.audit.get(&format!("/api/v1/exposure?ref={}", harness::client::encode("model:score@2"))).good();
    assert_eq!(exposure["contained"][0]["ref"], source, "{exposure:#}");
    assert!(exposure["contained"][0]["categories"].to_string().contains(EMAIL), "{exposure:#}");
}

#[test]
fn what_airflow_reports_ends_in_the_addresses_that_refuse_a_deployment() {
    let s = Scenario::running();
    let events = recorded();
    let airflow: Vec<&Value> =
        events.iter().filter(|(name, _)| name.starts_with("cap-airflow-")).map(|(_, event)| event).collect();
    assert!(airflow.len() > 20, "{}", airflow.len());
    for event in airflow.iter().rev() {
        assert_eq!(s.ana.post("/api/v1/lineage", event).good()["outcome"], "accepted");
    }
    let source = "dataset:postgres:%2F%2Fdb:5432/crm.public.customers@reported";
    refused_for_the_addresses(&s, source, "dataset:s3:%2F%2Flake/raw%2Fcustomers.parquet@reported");
}

#[test]
fn a_column_nobody_classified_is_unknown_and_refuses_too() {
    let s = deployed(&trace(&json!([])));
    let decision = s.activate("release:score-prod@1").problem(409)["decision"].clone();
    let findings = decision["findings"].as_array().unwrap();
    let unknown = |f: &&Value| {
        f["rule"] == "lineage.complete" && f["node"] == "dataset:crm/people@reported" && f["status"] == "unknown"
    };
    let unclassified = findings.iter().find(unknown).unwrap_or_else(|| panic!("{decision:#}"));
    assert!(unclassified["sentence"].as_str().unwrap().contains("`email`"), "{unclassified:#}");
    // Classified, it is known.
    s.add("classifications", json!({
        "versions": ["dataset:crm/people@reported"], "fields": ["email"], "categories": [EMAIL], "identifiability": "direct",
    }));
    s.add(
        "classifications",
        json!({"versions": ["dataset:crm/people@reported"], "fields": ["id"], "identifiability": "none"}),
    );
    // That more became known of it takes nothing back.
    let more = with(
        "crm",
        "people",
        json!({"ownership": {"owners": [{"name": "team:crm"}]}, "lifecycleStateChange": {"lifecycleStateChange": "ALTER"}}),
    );
    s.ana.post("/api/v1/lineage", &event("OTHER", EXTRACT, json!([more]), json!([]))).good();
    let decision = s.activate("release:score-prod@1").problem(409)["decision"].clone();
    let findings = decision["findings"].as_array().unwrap();
    assert!(!findings.iter().any(|f| unknown(&f)), "{decision:#}");
    assert!(findings.iter().any(|f| f["rule"] == "source.covered"), "{decision:#}");
}

#[test]
fn a_run_without_a_purpose_covers_nothing() {
    let mut events = trace(&identified());
    events[0]["run"]["facets"] = json!({});
    let s = deployed(&events);
    let decision = s.activate("release:score-prod@1").problem(409)["decision"].clone();
    assert!(decision.to_string().contains("purpose:unstated"), "{decision:#}");
}

#[test]
fn tables_that_write_one_another_are_walked_once() {
    // A night of a warehouse: each table is read for the other, and for itself.
    // Nobody is named in it: then what tables carry together is looked for, through what they were made of.
    let mut tags = identified();
    tags[1]["value"] = json!("quasi");
    let mut events = trace(&tags);
    events.push(event(
        "COMPLETE",
        "01939f00-0000-7000-8000-000000000013",
        json!([set("s3://lake", "features"), set("crm", "people")]),
        json!([set("crm", "people")]),
    ));
    let s = deployed(&events);
    let decision = s.activate("release:score-prod@1").problem(409)["decision"].clone();
    assert!(finding(&decision, "source.covered").is_some(), "{decision:#}");
}

#[test]
fn a_table_that_is_merged_into_itself_answers_for_nobody() {
    // Nobody says where the people come from; that the table came from itself is no origin.
    let mut events = trace(&identified());
    events[1]["inputs"][0]["facets"]["licit"].as_object_mut().unwrap().remove("origin");
    let plain = deployed(&events).activate("release:score-prod@1").problem(409)["decision"].clone();
    let merged = event(
        "COMPLETE",
        "01939f00-0000-7000-8000-000000000014",
        json!([set("crm", "people"), set("crm", "staged")]),
        json!([set("crm", "people"), set("crm", "staged")]),
    );
    events.push(merged);
    let circular = deployed(&events).activate("release:score-prod@1").problem(409)["decision"].clone();
    let unknown = |decision: &Value| {
        let all = decision["findings"].as_array().unwrap().iter();
        all.filter(|f| f["status"] == "unknown" && f["node"] == "dataset:crm/people@reported").count()
    };
    assert!(unknown(&plain) > 0, "{plain:#}");
    assert!(unknown(&circular) > 0, "it is judged itself, circle or not: {circular:#}");
}

#[test]
fn what_was_said_to_be_collected_stays_so() {
    let mut events = trace(&identified());
    let said = |origin: &str| with("crm", "people", json!({"licit": {"origin": origin}}));
    for (place, origin) in ["reference", "synthetic"].into_iter().enumerate() {
        let run = format!("01939f00-0000-7000-8000-00000000002{place}");
        events.push(event("COMPLETE", &run, json!([said(origin)]), json!([])));
    }
    let decision = deployed(&events).activate("release:score-prod@1").problem(409)["decision"].clone();
    assert!(finding(&decision, "source.covered").is_some(), "{decision:#}");
}

#[test]
fn a_run_of_which_not_all_is_known_refuses_what_was_made_of_it() {
    let mut events = trace(&identified());
    let table = |n: usize| {
        with(
            "lake",
            &format!("t{n}"),
            json!({
                "schema": {"fields": [{"name": "id"}]}, "licit": {"origin": "synthetic"},
                "tags": {"tags": [{"key": "identifiability", "value": "none", "field": "id"}]},
            }),
        )
    };
    let more =
        |from: usize, count: usize| event("RUNNING", TRAIN, (from..from + count).map(table).collect(), json!([]));
    events.extend([more(0, 1000), more(1000, 999)]);
    let s = deployed(&events);
    let findings = || -> Vec<Value> {
        let decision = s.activate("release:score-prod@1").problem(409)["decision"].clone();
        decision["findings"].as_array().unwrap().clone()
    };
    let node =
        |finding: &Value| (finding["rule"].as_str().unwrap().to_owned(), finding["node"].as_str().unwrap().to_owned());
    let incomplete = |of: &str| -> Option<Value> {
        findings()
            .into_iter()
            .find(|f| node(f) == ("lineage.complete".to_owned(), of.to_owned()) && f["status"] == "unknown")
    };
    let run = format!("run:{TRAIN}");
    let before: BTreeSet<(String, String)> = findings().iter().map(node).collect();

    // One table more, with people, than is kept of a run: it is not taken, and the gate knows that something is missing.
    let mut crm = more(1999, 1);
    crm["inputs"][0] = with("crm", "calls", json!({"schema": {"fields": [{"name": "email"}]}}));
    crm["outputs"] = json!([set("crm", "derived")]);
    assert_eq!(s.ana.post("/api/v1/lineage", &crm).good()["outcome"], "quarantined");
    let after: BTreeSet<(String, String)> = findings().iter().map(node).collect();
    let new: Vec<&(String, String)> = after.difference(&before).collect();
    assert_eq!(new, [&("lineage.complete".to_owned(), run.clone())], "and nothing else is the matter");
    let gap = incomplete(&run).unwrap();
    assert!(gap["sentence"].as_str().unwrap().contains("more of"), "{gap:#}");
    assert!(gap["path"].to_string().contains(&run) && !gap["remedy"]["text"].as_str().unwrap().is_empty(), "{gap:#}");

    // Sent again, or with other inputs, it is known.
    let noted = || s.server.db.sql("SELECT data FROM ledger_entry WHERE kind = 'lineage_run.overflowed'");
    assert_eq!(noted().trim().lines().count(), 1);
    s.ana.post("/api/v1/lineage", &crm).good();
    crm["inputs"][0] = set("crm", "others");
    assert_eq!(s.ana.post("/api/v1/lineage", &crm).good()["outcome"], "quarantined");
    assert_eq!(noted().trim().lines().count(), 1, "{}", noted());

    // A version of which engines state too much is not known either.
    let people = "dataset:crm/people@reported";
    assert!(incomplete(people).is_none());
    let said: Vec<Value> = (0..100)
        .map(|n| {
            let controlled = with("crm", "people", json!({"licit": {"controller": format!("party:p{n}")}}));
            event("OTHER", &TRAIN.replace("12", "19"), json!([controlled]), json!([]))
        })
        .collect();
    let batch = s.ana.post("/api/v1/lineage/batch", &json!(said)).good();
    assert_eq!(batch["summary"]["failed"], 1, "{batch}");
    assert!(incomplete(people).is_some());

    // Who registers the run is heard instead of the engine.
    s.add("runs", json!({
        "id": TRAIN, "operation": "train", "purpose": "purpose:scoring", "controller": "party:acme", "started_at": "2026-11-01T10:00:00Z",
        "inputs": [{"ref": "dataset:s3:%2F%2Flake/features@reported"}], "outputs": [format!("model:score@run-{TRAIN}")],
    }));
    assert!(incomplete(&run).is_none());
    crate::support::rebuilds(&s.server.db);
}
