//! A mistaken registration is retired: it stays, marked, and does not come back.

use harness::Scenario;
use harness::scenario::{model_version, people, training};
use serde_json::{Value, json};

use crate::support::{entries, faults, head, licit, pages, rebuilds, registration, retire, verified};

fn state(s: &Scenario, reference: &str) -> Value {
    s.ana.resolve(reference)["state"].clone()
}

#[test]
fn each_kind_is_retired_with_a_reason_and_stays_in_its_lists() {
    let s = Scenario::registered();
    let run = s.add("runs", training("1", "1"))["ref"].as_str().unwrap().to_owned();
    for (reference, collection, before) in [
        ("dataset:crm/people@1", "dataset-versions", "held"),
        ("model:score@1", "model-versions", "built"),
        (&run, "runs", "train"),
    ] {
        let found = s.ana.resolve(reference);
        assert_eq!((&found["state"], found.get("reason")), (&json!(before), None), "{reference}");
        let count = pages(&s.ana, &format!("/api/v1/{collection}"), 500).len();
        let answer = retire(&s.ana, reference, "It was the wrong file.");
        assert_eq!((answer.status, &answer.json()["state"]), (201, &json!("retired")), "{}", answer.text);

        let after = s.ana.resolve(reference);
        assert_eq!((&after["state"], &after["reason"]), (&json!("retired"), &json!("It was the wrong file.")));
        assert_eq!(after["spec"], found["spec"], "what was stated stays");
        let list = pages(&s.ana, &format!("/api/v1/{collection}"), 500);
        assert_eq!(list.len(), count, "nothing is gone");
        let retired = pages(&s.ana, &format!("/api/v1/{collection}?state=retired"), 500);
        assert_eq!(retired.len(), 1);
        assert_eq!((&retired[0]["ref"], &retired[0]["reason"]), (&json!(reference), &after["reason"]));
        assert!(
            pages(&s.ana, &format!("/api/v1/{collection}?state={before}"), 500).iter().all(|i| i["ref"] != reference)
        );
        let path = format!("/api/v1/{collection}/{}", found["id"].as_str().unwrap());
        assert_eq!(s.ana.get(&path).good()["reason"], after["reason"]);
        let history = s.ana.get(&format!("{path}/history")).good();
        let states: Vec<&Value> = history["items"].as_array().unwrap().iter().map(|i| &i["state"]).collect();
        assert_eq!(states, [before, "retired"]);
        assert_eq!(history["items"][1]["reason"], after["reason"]);
    }
    rebuilds(&s.server.db);
}

#[test]
fn retiring_again_changes_nothing() {
    let s = Scenario::registered();
    retire(&s.ana, "model:score@1", "Registered twice.").good();
    let size = head(&s.audit).size;
    let again = retire(&s.ana, "model:score@1", "Another reason.");
    assert_eq!(
        (again.status, &again.json()["outcome"], &again.json()["state"]),
        (200, &json!("unchanged"), &json!("retired"))
    );
    assert_eq!(head(&s.audit).size, size);
    assert_eq!(s.ana.resolve("model:score@1")["reason"], "Registered twice.");
}

#[test]
fn registering_the_same_again_does_not_bring_it_back_and_says_so() {
    let s = Scenario::registered();
    retire(&s.ana, "model:score@1", "Registered twice.").good();
    retire(&s.ana, "dataset:crm/people@1", "The wrong table.").good();
    let size = head(&s.audit).size;
    for (collection, body) in [("model-versions", model_version("1", "1")), ("dataset-versions", people("1"))] {
        let again = s.add(collection, body);
        assert_eq!((&again["outcome"], &again["state"]), (&json!("unchanged"), &json!("retired")));
    }
    let body = json!({"model_versions": [model_version("1", "1")]});
    let items = s.ana.post("/api/v1/registrations", &body).good()["items"].clone();
    assert_eq!((&items[0]["outcome"], &items[0]["state"]), (&json!("unchanged"), &json!("retired")));
    assert_eq!(head(&s.audit).size, size);
    assert_eq!((state(&s, "model:score@1"), state(&s, "dataset:crm/people@1")), (json!("retired"), json!("retired")));
    // Other content under the same version is what it always was.
    s.ana.post("/api/v1/model-versions", &model_version("1", "2")).problem(409);
    let right = s.add("model-versions", model_version("2", "1"));
    assert_eq!((&right["outcome"], right.get("state")), (&json!("created"), None));
}

#[test]
fn the_reason_is_not_in_the_ledger_and_can_be_erased() {
    let s = Scenario::registered();
    let text = "Ana took the file of Mrs Example.";
    let answer = retire(&s.ana, "model:score@1", text).good();
    let all = entries(&s.audit);
    let fact = &all[usize::try_from(answer["seq"].as_u64().unwrap()).unwrap() - 1];
    assert_eq!(fact.entry.kind, "resource.retired");
    let members: Vec<&String> = fact.data.as_object().unwrap().keys().collect();
    assert_eq!(members, ["id", "reason_digest", "reference"]);
    assert!(!serde_json::to_string(&all).unwrap().contains("Example."));
    s.server.db.sql("DELETE FROM note");
    let found = s.ana.resolve("model:score@1");
    assert_eq!((&found["state"], found.get("reason")), (&json!("retired"), None));
    verified(&s.audit);
    rebuilds(&s.server.db);
}

#[test]
fn a_reason_is_asked_for_and_what_is_not_there_cannot_be_retired() {
    let s = Scenario::registered();
    let id = s.ana.resolve("model:score@1")["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/model-versions/{id}/retire");
    for body in [json!({}), json!({"reason": ""}), json!({"reason": "x".repeat(1001)}), json!({"reason": 1})] {
        assert!(faults(&s.ana.post(&path, &body).problem(422)).contains_key("#/reason"), "{body}");
    }
    let body = json!({"reason": "It is not there."});
    s.ana.post("/api/v1/model-versions/01939f00-0000-7000-8000-000000000000/retire", &body).problem(404);
    // Each under its own collection: a model version is no dataset version.
    s.ana.post(&format!("/api/v1/dataset-versions/{id}/retire"), &body).problem(404);
    s.ana.post(&format!("/api/v1/runs/{id}/retire"), &body).problem(404);
    s.ci.post(&path, &body).problem(403);
    assert_eq!(state(&s, "model:score@1"), "built");
}

#[test]
fn a_key_makes_one_retirement_and_all_at_once_make_one() {
    let s = Scenario::registered();
    let id = s.ana.resolve("model:score@1")["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/model-versions/{id}/retire");
    let body = json!({"reason": "Registered twice."});
    let size = head(&s.audit).size;
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| s.ana.post(&path, &body).good())).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|a| a["outcome"] == "created").count(), 1);
    assert_eq!(head(&s.audit).size, size + 1);
    let first = s.ana.post_once(&path, "k", &body).good();
    assert_eq!(s.ana.post_once(&path, "k", &body).good(), first);
}

#[test]
fn data_of_a_mistaken_registration_may_still_be_erased() {
    let s = Scenario::registered();
    retire(&s.ana, "dataset:crm/people@1", "The wrong table.").good();
    let id = s.ana.resolve("dataset:crm/people@1")["id"].as_str().unwrap().to_owned();
    s.add(&format!("dataset-versions/{id}/life"), json!({"life": "erased"}));
    assert_eq!(state(&s, "dataset:crm/people@1"), "retired");
    assert_eq!(s.ana.resolve("dataset:crm/people@1")["reason"], "The wrong table.");
    s.ana.post(&format!("/api/v1/dataset-versions/{id}/life"), &json!({"life": "held"})).problem(409);
    rebuilds(&s.server.db);
}

#[test]
fn a_name_whose_latest_version_is_retired_stands_for_none() {
    let s = Scenario::registered();
    s.add("dataset-versions", people("2"));
    retire(&s.ana, "dataset:crm/people@2", "The wrong table.").good();
    let mut run = training("1", "1");
    run["inputs"] = json!([{"ref": "dataset:crm/people", "role": "training"}]);
    run["outputs"] = json!(["model:score@2"]);
    let problem = s.ana.post("/api/v1/runs", &run).problem(422);
    let found = faults(&problem);
    assert!(found["#/inputs/0/ref"].contains("`dataset:crm/people@2`, the latest version, is retired"), "{problem:#}");
    // Named, either may be read: what happened is recorded, and the gate judges it.
    run["inputs"][0]["ref"] = json!("dataset:crm/people@1");
    s.add("runs", run);
    s.add("dataset-versions", people("3"));
    let mut run = training("2", "1");
    run["inputs"][0]["ref"] = json!("dataset:crm/people");
    s.add("runs", run);
}

#[test]
fn lineage_shows_it_marked() {
    let s = Scenario::registered();
    retire(&s.ana, "dataset:crm/people@1", "The wrong table.").good();
    let node = |reference: &str| {
        let closure = s.ana.get("/api/v1/lineage?ref=model:score@1").good();
        let nodes = closure["nodes"].as_array().unwrap().clone();
        nodes.into_iter().find(|n| n["ref"] == reference).unwrap()
    };
    assert_eq!(
        (&node("dataset:crm/people@1")["retired"], &node("model:score@1")["retired"]),
        (&json!(true), &json!(false))
    );
    let text = |format: &str| s.ana.get(&format!("/api/v1/lineage?ref=model:score@1&format={format}")).text;
    assert!(text("tree").contains("dataset:crm/people@1  [source, retired]"), "{}", text("tree"));
    assert!(text("dot").contains("dataset:crm/people@1 (retired)"), "{}", text("dot"));
    let exposure = s.ana.get("/api/v1/exposure?ref=model:score@1").good();
    assert_eq!(exposure["unknown"], json!(["dataset:crm/people@1"]));
    assert_eq!(exposure["contained"][0]["ref"], "dataset:crm/people@1");
}

#[test]
fn it_outlives_a_restart() {
    let s = Scenario::registered();
    retire(&s.ana, "model:score@1", "Registered twice.").good();
    let ana = s.ana.token.clone();
    let server = harness::TestServer::on(s.server.kill());
    let ana = harness::Client::new(&server.url, ana.as_deref());
    assert_eq!(ana.post("/api/v1/model-versions", &model_version("1", "1")).good()["state"], "retired");
    assert_eq!(retire(&ana, "model:score@1", "Again.").good()["outcome"], "unchanged");
    let closure = ana.get("/api/v1/lineage?ref=model:score@1").good();
    assert_eq!(closure["nodes"][0]["retired"], true);
}

#[test]
fn the_command_line_retires_and_shows_it() {
    let s = Scenario::registered();
    let run = s.ana.get("/api/v1/runs").good()["items"][0]["id"].as_str().unwrap().to_owned();
    for (words, reference) in
        [(["dataset", "retire"], "crm/people@1"), (["model", "retire"], "score@1"), (["run", "retire"], &run)]
    {
        let args = [words[0], words[1], reference, "--reason", "wrong file"];
        let (code, stdout, stderr) = licit(&s.ana, &args);
        assert_eq!((code, stdout), (0, format!("done  {reference} is retired\n")), "{stderr}");
        let (code, stdout, _) = licit(&s.ana, &args);
        assert_eq!((code, stdout), (0, format!("unchanged  {reference} was retired before\n")));
    }
    let (_, stdout, _) = licit(&s.ana, &["dataset", "versions", "crm/people", "--state", "retired"]);
    assert!(stdout.contains("dataset:crm/people@1") && stdout.contains("retired"), "{stdout}");
    let (_, stdout, _) = licit(&s.ana, &["dataset", "show", "crm/people@1"]);
    assert!(stdout.contains("wrong file"), "{stdout}");
    let (code, _, stderr) = licit(&s.ana, &["model", "retire", "score", "--reason", "x"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("`score@VERSION`"), "{stderr}");
    let (code, _, stderr) = licit(&s.ana, &["model", "retire", "score@1"]);
    assert_eq!(code, 2, "{stderr}");
    let (code, _, stderr) = licit(&s.ci, &["model", "retire", "score@1", "--reason", "x"]);
    assert_eq!(code, 1, "{stderr}");
}

#[test]
fn a_whole_registration_is_told_what_of_it_is_retired() {
    let s = Scenario::registered();
    let mut body = registration("same");
    body["runs"][0]["id"] = json!("01939f00-0000-7000-8000-00000000000a");
    s.ana.post("/api/v1/registrations", &body).good();
    retire(&s.ana, "run:01939f00-0000-7000-8000-00000000000a", "It read another version.").good();
    let items = s.ana.post("/api/v1/registrations", &body).good()["items"].clone();
    let states: Vec<Option<&str>> = items.as_array().unwrap().iter().map(|i| i.get("state")?.as_str()).collect();
    assert_eq!(states, [None, None, None, None, Some("retired")]);
}
