//! Uses are recorded, whether there was a right to them or not, and that there was one at a moment is proven.

mod proofs;

use chrono::Duration;
use harness::Scenario;
use harness::scenario::in_days;
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

use crate::support::licit;

/// Now, and some seconds.
pub(crate) fn seconds(seconds: i64) -> Timestamp {
    licit_server::clock::now().plus(Duration::seconds(seconds))
}

/// A batch over a time around now, in seconds.
pub(crate) fn batch(count: u64, from: i64, to: i64) -> Value {
    json!({"deployment": "deployment:score-prod", "count": count, "from": seconds(from).to_string(), "to": seconds(to).to_string()})
}

/// When the release was made active.
pub(crate) fn activated(s: &Scenario) -> Timestamp {
    let row = s.ana.resolve("release:score-prod@1");
    assert_eq!(row["state"], "active");
    row["recorded_at"].as_str().unwrap().parse().unwrap()
}

fn codes(answer: &Value) -> Vec<&str> {
    answer["without"].as_array().into_iter().flatten().map(|why| why["code"].as_str().unwrap()).collect()
}

pub(crate) fn since(begin: Timestamp, count: u64) -> Value {
    let end = licit_server::clock::now();
    json!({"deployment": "deployment:score-prod", "count": count, "from": begin.to_string(), "to": end.to_string()})
}

#[test]
fn the_registry_finds_the_decision_in_force() {
    let s = Scenario::running();
    let begin = activated(&s);
    let answer = s.ci.post("/api/v1/uses", &since(begin, 7));
    assert_eq!(answer.status, 201);
    let answer = answer.good();
    assert_eq!((&answer["right"], codes(&answer)), (&json!(true), vec![]), "{answer:#}");
    let part = &answer["under"][0];
    let decision = s.ci.get("/api/v1/decisions?limit=1").good()["items"][0].clone();
    assert_eq!((&part["decision"], &part["entry"]), (&decision["ref"], &decision["seq"]), "{answer:#}");
    assert_eq!((&part["release"], &part["verdict"]), (&json!("release:score-prod@1"), &json!("allow")));
    // What it goes on by is in force from then on; that it may not begin is none of its business.
    let on = crate::receipts::decide(&s, "continue");
    let end = licit_server::clock::now();
    std::thread::sleep(std::time::Duration::from_millis(2));
    let after = s.ci.post("/api/v1/uses", &since(end, 1)).good();
    assert_eq!(after["under"][0]["decision"], json!(format!("decision:{}", on["id"].as_str().unwrap())), "{after:#}");
    let both = s.ci.post("/api/v1/uses", &since(begin, 1)).good();
    assert_eq!((&both["under"][0]["renewed"], both["under"].as_array().unwrap().len()), (&json!(1), 1), "{both:#}");
}

#[test]
fn without_a_right_it_is_recorded_and_said() {
    let s = Scenario::running();
    let begin = activated(&s);
    // Before anything ran.
    let early = json!({"deployment": "deployment:score-prod", "count": 5, "from": "2026-11-01T00:00:00Z", "to": "2026-11-01T01:00:00Z"});
    let answer = s.ci.post("/api/v1/uses", &early).good();
    assert_eq!((&answer["right"], codes(&answer)), (&json!(false), vec!["no_decision"]), "{answer:#}");
    assert_eq!(answer["under"][0].get("decision"), None);
    // Partly before.
    let half = json!({"deployment": "deployment:score-prod", "count": 5, "from": begin.plus(-Duration::seconds(5)).to_string(), "to": licit_server::clock::now().to_string()});
    let answer = s.ci.post("/api/v1/uses", &half).good();
    assert_eq!((codes(&answer), answer["under"].as_array().unwrap().len()), (vec!["no_decision"], 2), "{answer:#}");
    // What it rests on is taken back: no decision says so yet, and there is no right all the same.
    s.revoke("basis:scoring-contract", 0);
    std::thread::sleep(std::time::Duration::from_millis(2));
    let answer = s.ci.post("/api/v1/uses", &since(begin, 3)).good();
    assert!(codes(&answer).contains(&"basis.approved"), "{answer:#}");
    let denied = crate::receipts::decide(&s, "continue");
    assert_eq!(denied["verdict"], "deny");
    let at = licit_server::clock::now();
    std::thread::sleep(std::time::Duration::from_millis(2));
    let answer = s.ci.post("/api/v1/uses", &since(at, 3)).good();
    assert_eq!((codes(&answer), &answer["under"][0]["verdict"]), (vec!["denied"], &json!("deny")), "{answer:#}");
    // Withdrawn, nothing is in force.
    let id = s.ana.resolve("release:score-prod@1")["id"].as_str().unwrap().to_owned();
    s.ci.post(&format!("/api/v1/releases/{id}/withdraw"), &json!({})).good();
    let at = licit_server::clock::now();
    std::thread::sleep(std::time::Duration::from_millis(2));
    assert_eq!(codes(&s.ci.post("/api/v1/uses", &since(at, 3)).good()), ["no_decision"]);
    // The query says it, too.
    let without = s.audit.get("/api/v1/uses?deployment=score-prod&right=false").good();
    assert_eq!(without["items"].as_array().unwrap().len(), 5, "{without:#}");
    let all = s.audit.get("/api/v1/reports/uses?deployment=score-prod").good();
    let figures = &all["items"][0];
    assert_eq!(
        (&figures["batches"], &figures["count"], &figures["without_right"]),
        (&json!(5), &json!(19), &json!(19))
    );
    assert_eq!(figures["last_without"], without["items"][0]["id"]);
    crate::support::rebuilds(&s.server.db);
}

/// What begins later than a time does not reach back: a basis that ended is seen at the moment it ended.
#[test]
fn a_right_that_ended_in_the_time_is_said_with_the_moment() {
    let s = Scenario::registered();
    let end = seconds(3);
    let four = ["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"];
    for (place, reference) in four.iter().enumerate() {
        s.approve_until(&[reference], (place == 1).then(|| end.to_string()).as_deref());
    }
    s.activate("release:score-prod@1").good();
    let begin = activated(&s);
    let wait = end.micros() - licit_server::clock::now().micros() + 50_000;
    std::thread::sleep(std::time::Duration::from_micros(wait.max(0).unsigned_abs()));
    // What runs may go on for a grace, with actions due: that is a right.
    let answer = s.ci.post("/api/v1/uses", &since(begin, 3)).good();
    assert_eq!(answer["right"], true, "{answer:#}");
    s.revoke("purpose:scoring", 0);
    std::thread::sleep(std::time::Duration::from_millis(2));
    let answer = s.ci.post("/api/v1/uses", &since(begin, 3)).good();
    assert!(codes(&answer).contains(&"purpose.approved"), "{answer:#}");
    let at: Timestamp = answer["without"][0]["at"].as_str().unwrap().parse().unwrap();
    assert!(at > end, "{answer:#}");
}

#[test]
fn a_batch_is_recorded_once() {
    let s = Scenario::running();
    let mut body = since(activated(&s), 7);
    body["batch"] = json!("node-1");
    let first = s.ci.post("/api/v1/uses", &body);
    assert_eq!(first.status, 201);
    let first = first.good();
    let again = s.ci.post("/api/v1/uses", &body);
    assert_eq!(again.status, 200);
    let again = again.good();
    assert_eq!((&again["id"], &again["outcome"], &again["right"]), (&first["id"], &json!("unchanged"), &json!(true)));
    body["count"] = json!(8);
    let problem = s.ci.post("/api/v1/uses", &body).problem(409);
    assert_eq!(problem["errors"][0]["pointer"], "#/count", "{problem:#}");
    let figures = s.audit.get("/api/v1/reports/uses").good();
    assert_eq!(figures["items"][0]["count"], 7, "{figures:#}");
}

#[test]
fn bad_input_is_refused_and_nothing_else() {
    let s = Scenario::running();
    let refused = |change: Value, pointer: &str| {
        let mut body = batch(1, -10, -5);
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let problem = s.ci.post("/api/v1/uses", &body).problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem:#}");
    };
    refused(json!({"count": 0}), "#/count");
    refused(json!({"deployment": "deployment:nowhere"}), "#/deployment");
    refused(json!({"deployment": "model:score@1"}), "#/deployment");
    refused(json!({"to": in_days(1)}), "#/to");
    refused(json!({"from": seconds(-5).to_string(), "to": seconds(-10).to_string()}), "#/to");
    refused(json!({"from": in_days(-32)}), "#/from");
    refused(json!({"right": true}), "#/right");
    refused(json!({"decision": "decision:01939f00-0000-7000-8000-000000000000"}), "#/decision");
    assert_eq!(s.audit.get("/api/v1/uses").good()["items"], json!([]));
    s.audit.post("/api/v1/uses", &batch(1, -10, -5)).problem(403);
}

#[test]
fn lists_page_and_look_at_a_moment() {
    let s = Scenario::running();
    for n in 1..=5 {
        s.ci.post("/api/v1/uses", &batch(1, -100 + 10 * n, -100 + 10 * (n + 1))).good();
    }
    let page = s.audit.get("/api/v1/uses?deployment=deployment:score-prod&limit=2").good();
    let next = page["next"].as_str().unwrap();
    let second = s.audit.get(&format!("/api/v1/uses?deployment=deployment:score-prod&limit=2&cursor={next}")).good();
    assert_eq!((page["items"].as_array().unwrap().len(), second["items"].as_array().unwrap().len()), (2, 2));
    assert_ne!(page["items"][0]["id"], second["items"][0]["id"]);
    s.audit.get(&format!("/api/v1/uses?deployment=other&limit=2&cursor={next}")).problem(422);
    let moment = page["items"][1]["spec"]["from"].as_str().unwrap();
    let then = s.audit.get(&format!("/api/v1/uses?valid_at={moment}")).good();
    assert!(then["items"].as_array().unwrap().iter().any(|item| item["id"] == page["items"][1]["id"]), "{then:#}");
    assert!(then["items"].as_array().unwrap().len() < 3, "{then:#}");
    s.audit.get("/api/v1/uses?limit=0").problem(422);
    s.audit.get("/api/v1/uses?purpose=x").problem(422);
    let id = page["items"][0]["id"].as_str().unwrap();
    assert_eq!(s.audit.get(&format!("/api/v1/uses/{id}")).good()["spec"], page["items"][0]["spec"]);
}

#[test]
fn the_command_records_and_lists() {
    let s = Scenario::running();
    let begin = activated(&s).to_string();
    let (code, out, said) =
        licit(&s.ci, &["use", "record", "score-prod", "--count", "3", "--from", &begin, "--batch", "b1"]);
    assert_eq!(code, 0, "{out}{said}");
    assert!(out.contains("with a right over the whole time") && out.contains("release:score-prod@1"), "{out}");
    let early = [
        "use",
        "record",
        "score-prod",
        "--count",
        "2",
        "--from",
        "2026-11-01T00:00:00Z",
        "--to",
        "2026-11-01T01:00:00Z",
    ];
    let (code, out, _) = licit(&s.ci, &early);
    assert_eq!(code, 0, "a use is never refused: {out}");
    assert!(out.contains("no right no_decision"), "{out}");
    assert_eq!(licit(&s.ci, &[&early[..], &["--strict"]].concat()).0, 3);
    let (code, out, _) = licit(&s.audit, &["use", "list", "score-prod", "--without-right", "--all"]);
    assert_eq!((code, out.matches("no_decision").count()), (0, 2), "{out}");
    let (code, out, _) = licit(&s.audit, &["use", "figures"]);
    assert!(code == 0 && out.contains("deployment:score-prod"), "{out}");
}
