//! Changing what may change: `ETag`, `If-Match`, history.

use harness::Scenario;
use serde_json::json;

use crate::support::{faults, head, rebuilds};

#[test]
fn a_change_names_the_state_it_changes() {
    let s = Scenario::registered();
    let id = s.ana.resolve("model:score")["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/models/{id}");
    let first = s.ana.get(&path);
    let etag = first.header("etag").unwrap().to_owned();
    assert_eq!(etag, format!("\"{}\"", first.good()["seq"]));

    let change = json!({"name": "score", "owner": "ml-team", "description": "Scores."});
    s.ana.send("PUT", &path, &[], Some(change.to_string().as_bytes())).problem(428);
    let size = head(&s.audit).size;
    let done = s.ana.put(&path, &etag, &change);
    assert_eq!(done.good()["id"], id.as_str(), "the same thing in another state");
    assert_eq!(head(&s.audit).size, size + 1);
    let after = s.ana.get(&path);
    assert_eq!(after.good()["spec"], change);
    assert_eq!(after.header("etag"), done.header("etag"));
    assert_ne!(after.header("etag"), Some(etag.as_str()));

    // Who read the state before is told, and nothing is overwritten.
    s.ana.put(&path, &etag, &json!({"name": "score", "owner": "late"})).problem(412);
    assert_eq!(s.ana.get(&path).good()["spec"], change);
    assert_eq!(head(&s.audit).size, size + 1);
}

#[test]
fn a_state_the_client_has_is_not_sent_again() {
    let s = Scenario::registered();
    for reference in ["model:score", "model:score@1", "deployment:score-prod", "party:acme"] {
        let found = s.ana.get(&format!("/api/v1/resolve?ref={reference}"));
        let collection = match found.good()["kind"].as_str().unwrap() {
            "model" => "models",
            "model_version" => "model-versions",
            "deployment" => "deployments",
            _ => "parties",
        };
        let path = format!("/api/v1/{collection}/{}", found.good()["id"].as_str().unwrap());
        let etag = s.ana.get(&path).header("etag").unwrap().to_owned();
        let again = s.ana.send("GET", &path, &[("if-none-match", &etag)], None);
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{reference}");
        assert_eq!(again.header("etag"), Some(etag.as_str()));
        assert_eq!(s.ana.send("GET", &path, &[("if-none-match", &format!("\"1\", {etag}"))], None).status, 304);
        assert_eq!(s.ana.send("GET", &path, &[("if-none-match", "\"1\"")], None).status, 200);
    }
}

#[test]
fn a_name_cannot_change() {
    let s = Scenario::registered();
    s.add("models", json!({"name": "other"}));
    let id = s.ana.resolve("model:score")["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/models/{id}");
    let etag = s.ana.get(&path).header("etag").unwrap().to_owned();
    let before = head(&s.audit);
    for name in ["other", "new"] {
        let answer = s.ana.put(&path, &etag, &json!({"name": name}));
        assert!((400..500).contains(&answer.status), "{}", answer.text);
    }
    assert_eq!(head(&s.audit), before);
    assert_eq!(s.ana.get(&path).good()["spec"]["name"], "score");
}

#[test]
fn the_same_content_is_no_change() {
    let s = Scenario::registered();
    let id = s.ana.resolve("party:acme")["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/parties/{id}");
    let read = s.ana.get(&path);
    let etag = read.header("etag").unwrap().to_owned();
    let before = head(&s.audit);
    let answer = s.ana.put(&path, &etag, &read.good()["spec"]);
    assert_eq!(answer.good()["outcome"], "unchanged");
    assert_eq!(head(&s.audit), before);
}

#[test]
fn every_state_ever_is_in_the_history() {
    let s = Scenario::empty();
    let state = |mode: &str| json!({"key": "staging", "mode": mode, "class": "test"});
    let id = s.add("environments", state("observe"))["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/environments/{id}");
    for mode in ["warn", "enforce"] {
        let etag = s.ana.get(&path).header("etag").unwrap().to_owned();
        s.ana.put(&path, &etag, &state(mode)).good();
    }
    let history = s.ana.get(&format!("{path}/history")).good()["items"].clone();
    let states: Vec<&str> = history.as_array().unwrap().iter().map(|i| i["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["observe", "warn", "enforce"]);
    let positions: Vec<u64> = history.as_array().unwrap().iter().map(|i| i["seq"].as_u64().unwrap()).collect();
    assert!(positions.is_sorted(), "{positions:?}");
    assert_eq!(s.ana.get("/api/v1/environments").good()["items"].as_array().unwrap().len(), 1, "one is in force");
    rebuilds(&s.server.db);
}

#[test]
fn an_environment_is_tightened_freely_and_not_loosened() {
    let s = Scenario::registered();
    let found = s.ana.resolve("environment:production");
    let path = format!("/api/v1/environments/{}", found["id"].as_str().unwrap());
    let etag = s.ana.get(&path).header("etag").unwrap().to_owned();
    for mode in ["warn", "observe"] {
        let body = json!({"key": "production", "mode": mode, "class": "production"});
        for answer in [s.ana.put(&path, &etag, &body), s.ana.post("/api/v1/environments", &body)] {
            assert!(faults(&answer.problem(409)).contains_key("#/mode"), "{}", answer.text);
        }
    }
    assert_eq!(s.ana.resolve("environment:production")["state"], "enforce");
}

#[test]
fn of_two_changes_from_one_state_one_is_told() {
    let s = Scenario::registered();
    let id = s.ana.resolve("model:score")["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/models/{id}");
    let etag = s.ana.get(&path).header("etag").unwrap().to_owned();
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let (client, path, etag) = (s.ana.clone(), &path, &etag);
                scope.spawn(move || {
                    client.put(path, etag, &json!({"name": "score", "description": format!("by {n}")})).status
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 412, 412, 412, 412, 412, 412, 412]);
}
