//! Restricted data are stored and nothing else (GDPR Art. 18); erased data cannot be read (Art. 17).

use harness::Scenario;
use harness::scenario::{self, people};
use serde_json::{Value, json};

use super::parts::{
    allowed, days, denied, facts, field, made, only, path, redeploy, release_of, retrain, roll_back, rules, run, world,
};
use crate::support::rebuilds;

#[track_caller]
fn life(s: &Scenario, reference: &str, to: &str) {
    let id = s.ana.resolve(reference)["id"].as_str().unwrap().to_owned();
    let change = |body: Value| (format!("/api/v1/dataset-versions/{id}/life"), body);
    let (who, (path, body)) = match to {
        "held" => (&s.dora, change(json!({"life": to, "reason": "The dispute is settled."}))),
        _ => (&s.ana, change(json!({"life": to}))),
    };
    who.post(&path, &body).good();
}

/// Refused for this version alone, by this path.
#[track_caller]
fn refused(decision: &Value, article: &str, way: &[&str]) {
    denied(decision);
    assert_eq!(rules(decision), ["source.covered"], "{decision:#}");
    let finding = only(decision, "source.covered");
    assert_eq!((&finding["status"], &finding["article"]), (&json!("unmet"), &json!(article)), "{finding:#}");
    assert_eq!(path(finding), way);
    assert_eq!(&finding["node"], way.last().unwrap());
}

#[track_caller]
fn restricted(decision: &Value, way: &[&str]) {
    refused(decision, "GDPR Art. 18(1)", way);
    let finding = only(decision, "source.covered");
    assert_eq!(finding["addressee"], "dpo");
    assert!(finding["remedy"]["text"].as_str().unwrap().starts_with("lift the restriction"), "{finding:#}");
    assert_eq!(
        finding["remedy"]["command"],
        format!("licit dataset life {} held --reason REASON", way.last().unwrap())
    );
}

fn run_of(s: &Scenario, output: &str) -> String {
    let runs = s.ana.get("/api/v1/runs?limit=500").good();
    let mine = |r: &&Value| r["spec"]["outputs"].as_array().is_some_and(|o| o.iter().any(|x| x == output));
    runs["items"].as_array().unwrap().iter().find(mine).unwrap()["ref"].as_str().unwrap().to_owned()
}

#[test]
fn restricted_data_are_not_served() {
    let s = Scenario::running();
    s.add("dataset-versions", people("2"));
    life(&s, "dataset:crm/people@2", "restricted");
    restricted(&s.dry("start"), &["deployment:score-prod", "dataset:crm/people@2"]);
    denied(&s.dry("continue"));
    let gaps = s.audit.get("/api/v1/gaps").good();
    assert_eq!(gaps["items"].as_array().unwrap().len(), 1, "{gaps:#}");
    // Either remedy clears it: the restriction is lifted, or another version is read.
    life(&s, "dataset:crm/people@2", "held");
    allowed(&s.dry("start"));
    life(&s, "dataset:crm/people@2", "restricted");
    denied(&s.dry("start"));
    s.add("dataset-versions", people("3"));
    allowed(&s.dry("start"));
    assert_eq!(s.audit.get("/api/v1/gaps").good()["items"], json!([]));
    rebuilds(&s.server.db);
}

#[test]
fn restricted_data_are_not_contained_in_what_runs() {
    let s = Scenario::running();
    s.add("dataset-versions", people("2"));
    life(&s, "dataset:crm/people@1", "restricted");
    let run = run_of(&s, "model:score@1");
    restricted(&s.dry("start"), &["release:score-prod@1", "model:score@1", &run, "dataset:crm/people@1"]);
    retrain(&s, "2", people("2"));
    allowed(&s.dry("start"));
    s.activate("release:score-prod@2").good();
    roll_back(&s).problem(409);
    life(&s, "dataset:crm/people@1", "held");
    roll_back(&s).good();
}

#[test]
fn restricted_data_behind_what_is_served_are_found() {
    let s = world(|p| {
        p.datasets.push("features");
        p.versions.push(made("features", "1", vec![field("age", scenario::AGE)]));
        let mut source = people("0");
        source["region"] = json!("FR");
        p.versions.insert(0, source);
        p.runs.push(run("filter", "purpose:scoring", &["dataset:crm/people@0"], &["dataset:crm/features@1"]));
        p.deployment["reads"]["datasets"] = json!(["dataset:crm/features"]);
    });
    allowed(&s.dry("start"));
    life(&s, "dataset:crm/people@0", "restricted");
    let filter = run_of(&s, "dataset:crm/features@1");
    restricted(&s.dry("start"), &["deployment:score-prod", "dataset:crm/features@1", &filter, "dataset:crm/people@0"]);
}

/// A panel of people that a training reads as validation data: it is in nothing that runs.
fn validated(s: &Scenario, version: &str, started_at: &str) {
    let mut model = scenario::model_version(version, "2");
    model["version"] = json!(version);
    s.add("model-versions", model);
    let mut run = scenario::training(version, "1");
    run["started_at"] = json!(started_at);
    run["inputs"].as_array_mut().unwrap().push(json!({"ref": "dataset:crm/panel@1", "role": "validation"}));
    s.add("runs", run);
    s.release(version);
}

#[test]
fn a_training_may_not_begin_on_restricted_data_but_one_before_stays_lawful() {
    let s = world(|p| {
        p.datasets.push("panel");
        let mut panel = people("1");
        panel["dataset"] = json!("dataset:crm/panel");
        p.versions.push(panel);
        p.bases[0]["covers"]["datasets"] = json!(["dataset:crm/people", "dataset:crm/panel"]);
        p.runs[0]["inputs"].as_array_mut().unwrap().push(json!({"ref": "dataset:crm/panel@1", "role": "validation"}));
    });
    allowed(&s.dry("start"));
    life(&s, "dataset:crm/panel@1", "restricted");
    allowed(&s.dry("start"));
    validated(&s, "before", "2026-02-01");
    allowed(&s.dry("start"));
    validated(&s, "after", &days(0));
    let run = run_of(&s, "model:score@after");
    let decision = s.dry("start");
    restricted(&decision, &["release:score-prod@3", "model:score@after", &run, "dataset:crm/panel@1"]);
    let says = only(&decision, "source.covered")["sentence"].as_str().unwrap().to_owned();
    assert!(says.ends_with(&format!("`{run}` began to train on it after that")), "{says}");
    life(&s, "dataset:crm/panel@1", "held");
    allowed(&s.dry("start"));
}

#[test]
fn erased_data_are_not_read_but_what_was_made_of_them_stays() {
    let s = Scenario::running();
    s.add("dataset-versions", people("2"));
    // The model was trained on it: erasing is not retroactive.
    life(&s, "dataset:crm/people@1", "erased");
    allowed(&s.dry("start"));
    life(&s, "dataset:crm/people@2", "erased");
    refused(&s.dry("start"), "GDPR Art. 17(1)", &["deployment:score-prod", "dataset:crm/people@2"]);
    assert_eq!(only(&s.dry("start"), "source.covered")["addressee"], "ml-team");
    s.add("dataset-versions", people("3"));
    allowed(&s.dry("start"));
    redeploy(&s, |d| d["reads"] = json!({"datasets": ["dataset:crm/people@1"]}));
    refused(&s.dry("start"), "GDPR Art. 17(1)", &["deployment:score-prod", "dataset:crm/people@1"]);
    redeploy(&s, |d| d["reads"] = json!({"datasets": ["dataset:crm/people@3"]}));
    allowed(&s.dry("start"));
}

#[test]
fn an_erased_index_cannot_be_served_with_a_release() {
    let s = world(|p| {
        p.versions.push(people("2"));
        let mut release = release_of("model:score@1");
        release["indexes"] = json!(["dataset:crm/people@1"]);
        p.release = Some(release);
    });
    allowed(&s.dry("start"));
    life(&s, "dataset:crm/people@1", "erased");
    refused(&s.dry("start"), "GDPR Art. 17(1)", &["release:score-prod@1", "dataset:crm/people@1"]);
    let mut release = release_of("model:score@1");
    release["indexes"] = json!(["dataset:crm/people@2"]);
    s.add("releases", release);
    allowed(&s.dry("start"));
}

#[test]
fn what_was_decided_says_what_was_barred() {
    let s = Scenario::running();
    life(&s, "dataset:crm/people@1", "restricted");
    let decision = super::parts::ask(&s, json!({}));
    let path = format!("/api/v1/decisions/{}/evidence", decision["id"].as_str().unwrap());
    let evidence = s.audit.get(&path).good();
    assert_eq!(
        (&evidence["barred"][0]["ref"], &evidence["barred"][0]["life"]),
        (&json!("dataset:crm/people@1"), &json!("restricted"))
    );
}

#[test]
fn only_who_has_the_office_to_lifts_a_restriction_with_a_reason_and_from_now_on() {
    let s = Scenario::running();
    let id = s.ana.resolve("dataset:crm/people@1")["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/dataset-versions/{id}/life");
    let lift = json!({"life": "held", "reason": "The dispute is settled."});
    s.audit.post(&path, &json!({"life": "restricted"})).problem(403);
    // The officer may restrict: that is where people ask for it; only who registers says that data are gone.
    s.dora.post(&path, &json!({"life": "erased"})).problem(403);
    s.dora.post(&path, &json!({"life": "restricted", "valid_from": days(-3), "reason": "Ana disputes it."})).good();
    let entries = facts(&s, "dataset_version.life_changed");
    s.ana.post(&path, &lift).problem(403);
    let faults = |body: Value| s.dora.post(&path, &body).problem(422)["errors"][0]["pointer"].clone();
    assert_eq!(faults(json!({"life": "held"})), "#/reason");
    let mut before = lift.clone();
    before["valid_from"] = json!(days(-1));
    assert_eq!(faults(before.clone()), "#/valid_from");
    denied(&s.dry("start"));
    assert_eq!(facts(&s, "dataset_version.life_changed"), entries);
    for who in [&s.dora, &s.bea] {
        who.post(&path, &lift).good();
        allowed(&s.dry("start"));
        let shown = s.audit.get(&format!("/api/v1/dataset-versions/{id}")).good();
        assert_eq!((&shown["state"], &shown["reason"]), (&json!("held"), &lift["reason"]), "{shown:#}");
        // What was restricted then is not free in hindsight, nor by a lift of what is over.
        who.post(&path, &before).problem(422);
        denied(&s.dry_at("start", Some(&days(-2))));
        s.ana.post(&path, &json!({"life": "restricted"})).good();
        denied(&s.dry("start"));
    }
    let said = s.audit.get("/api/v1/ledger/entries?limit=1000").text;
    assert!(!said.contains("dispute"), "reasons are kept erasable");
    rebuilds(&s.server.db);
}
