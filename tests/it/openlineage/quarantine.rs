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

fn cli(s: &Scenario, args: &[&str]) -> (i32, String) {
    let mut command = crate::cli::bare();
    command.env("LICIT_URL", &s.server.url).env("LICIT_TOKEN", s.ana.token.as_deref().unwrap()).args(args);
    let (code, out, err) = crate::cli::typed(&mut command, "");
    (code, out + &err)
}
