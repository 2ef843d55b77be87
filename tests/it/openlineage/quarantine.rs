//! The quarantine, seen and emptied.

use harness::Scenario;
use serde_json::{Value, json};

use super::{RUN, event, set};

#[test]
fn what_can_be_read_later_is_read_again() {
    let s = Scenario::empty();
    // A producer whose clock is ahead: what lies ahead today is past tomorrow.
    let soon = licit_server::clock::now().plus(chrono::Duration::milliseconds(301_500)).to_string();
    let mut early = event("COMPLETE", RUN, json!([set("a", "a")]), json!([set("a", "b")]));
    early["eventTime"] = json!(soon);
    let never = json!({"eventTime": "2026-11-01T10:00:00Z", "run": {"runId": "x"}});
    let batch = s.ana.post("/api/v1/lineage/batch", &json!([early, never])).good();
    assert_eq!((&batch["status"], &batch["summary"]["failed"]), (&json!("partial_success"), &json!(2)), "{batch}");
    assert_eq!(batch["failed_events"][1], json!({"index": 1, "reason": "`run.runId` is no UUID", "retriable": false}));
    // Sent again they wait once.
    s.ana.post("/api/v1/lineage", &never).good();

    let list =
        || -> Vec<Value> { s.audit.get("/api/v1/lineage/quarantine").good()["items"].as_array().unwrap().clone() };
    assert_eq!(list().len(), 2);
    let (code, out) = cli(&s, &["lineage", "quarantine"]);
    assert!(code == 0 && out.contains("lies ahead") && out.contains("no UUID"), "{code} {out}");
    let waiting = list().into_iter().find(|one| one["reason"] == "`run.runId` is no UUID").unwrap();
    let id = waiting["id"].as_str().unwrap().to_owned();
    let (code, out) = cli(&s, &["lineage", "quarantine", "show", &id]);
    assert!(code == 0 && out.contains("\"runId\": \"x\""), "{code} {out}");
    std::thread::sleep(std::time::Duration::from_millis(2000));
    let (code, out) = cli(&s, &["lineage", "quarantine", "replay"]);
    assert!(code == 1 && out.contains("recorded") && out.contains("no UUID"), "{code} {out}");
    assert_eq!(list().len(), 1);
    s.ana.resolve(&format!("run:{RUN}"));

    s.audit.post(&format!("/api/v1/lineage/quarantine/{id}/replay"), &json!({})).problem(403);
    s.ana.get(&format!("/api/v1/lineage/quarantine/{RUN}")).problem(404);
    s.ana.post(&format!("/api/v1/lineage/quarantine/{RUN}/replay"), &json!({})).problem(404);
}

#[test]
fn what_came_can_be_erased_and_what_was_derived_stays() {
    let s = Scenario::empty();
    let named = |job: &str| {
        let mut one = event("COMPLETE", RUN, json!([set("a", "a")]), json!([set("a", "b")]));
        one["job"]["facets"] = json!({"sql": {"query": "SELECT * FROM t WHERE mail = 'jane@example.com'"}});
        one["job"]["name"] = json!(job);
        one
    };
    assert_eq!(s.ana.post("/api/v1/lineage", &named("one")).good()["outcome"], "accepted");
    s.ana
        .post("/api/v1/lineage", &json!({"eventTime": "2026-11-01T10:00:00Z", "run": {"runId": "jane@example.com"}}))
        .good();
    let dpo = s.server.person("Dora", &["dpo"]);
    let kept = dpo.get("/api/v1/lineage/events").good()["items"].clone();
    assert_eq!((kept.as_array().unwrap().len(), &kept[0]["erased"]), (1, &json!(false)), "{kept}");
    let path = format!("/api/v1/lineage/events/{}", harness::client::encode(kept[0]["digest"].as_str().unwrap()));
    assert!(dpo.get(&path).good()["event"].to_string().contains("jane@example.com"));
    s.ana.get(&path).problem(403);
    s.audit.send("DELETE", &path, &[], None).problem(403);

    let before = s.audit.get("/api/v1/ledger/head").good();
    assert_eq!(dpo.send("DELETE", &path, &[], None).status, 204);
    assert_eq!(dpo.send("DELETE", &path, &[], None).status, 204, "again, and it changes nothing");
    let gone = dpo.get(&path).good();
    assert_eq!((&gone["erased"], &gone["event"]), (&json!(true), &Value::Null), "{gone}");
    // Derived edges and the ledger are as they were; sent again, it is known, and does not come back.
    s.ana.resolve(&format!("run:{RUN}"));
    assert_eq!(s.ana.post("/api/v1/lineage", &named("one")).good()["outcome"], "unchanged");
    assert_eq!(dpo.get(&path).good()["event"], Value::Null);
    assert_eq!(s.audit.get("/api/v1/ledger/head").good(), before);

    let waiting = dpo.get("/api/v1/lineage/quarantine").good()["items"][0]["id"].as_str().unwrap().to_owned();
    let waits = format!("/api/v1/lineage/quarantine/{waiting}");
    s.ana.send("DELETE", &waits, &[], None).problem(403);
    assert_eq!(dpo.send("DELETE", &waits, &[], None).status, 204);
    dpo.get(&waits).problem(404);
    dpo.get("/api/v1/lineage/events?after=x").problem(422);
    crate::support::rebuilds(&s.server.db);
    if !s.server.db.is_postgres() {
        let left = s.server.db.sql("SELECT count(*) FROM lineage_event WHERE length(body) > 0 OR length(salt) > 0");
        assert_eq!(left.trim(), "0");
    }
}

#[test]
fn what_came_is_kept_only_so_long_and_so_many() {
    let s = Scenario::empty();
    for n in 0..4 {
        let named = set("a", &n.to_string());
        assert_eq!(
            s.ana.post("/api/v1/lineage", &event("COMPLETE", RUN, json!([named]), json!([]))).good()["outcome"],
            "accepted"
        );
        s.ana
            .post("/api/v1/lineage", &json!({"eventTime": "2026-11-01T10:00:00Z", "run": {"runId": n.to_string()}}))
            .good();
    }
    let (url, token) = (s.server.url.clone(), s.audit.token.clone());
    let erased = |url: &str| -> Vec<bool> {
        let client = harness::Client::new(url, token.as_deref());
        let kept = client.get("/api/v1/lineage/events").good();
        kept["items"].as_array().unwrap().iter().map(|one| one["erased"].as_bool().unwrap()).collect()
    };
    assert_eq!(erased(&url), [false; 4], "a year is not over");
    let db = s.server.kill();
    let again = harness::TestServer::with(db, &["--lineage-events-most", "1", "--lineage-quarantine-most", "2"]);
    let done = || {
        let client = harness::Client::new(&again.url, token.as_deref());
        let waits = client.get("/api/v1/lineage/quarantine").good()["items"].as_array().unwrap().len();
        (erased(&again.url) == [true, true, true, false] && waits == 2).then_some(())
    };
    harness::receiver::wait(done);
    crate::support::rebuilds(&again.db);
}

fn cli(s: &Scenario, args: &[&str]) -> (i32, String) {
    let mut command = crate::cli::bare();
    command.env("LICIT_URL", &s.server.url).env("LICIT_TOKEN", s.ana.token.as_deref().unwrap()).args(args);
    let (code, out, err) = crate::cli::typed(&mut command, "");
    (code, out + &err)
}
