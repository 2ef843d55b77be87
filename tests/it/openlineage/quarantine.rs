//! The quarantine, seen and emptied.

use std::path::Path;

use harness::{Scenario, TestDatabase};
use licit_schemas::digest::Digest;
use licit_server::adapters::openlineage::operations::{self, Incoming};
use licit_server::db::Manager;
use licit_server::error::Error;
use licit_server::facts::Db;
use serde_json::{Value, json};
use uuid::Uuid;

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
    // The bodies are much alike, the salts are not.
    let salt = || needle(&s.server.db, "SELECT hex(salt) FROM lineage_event ORDER BY seq");
    let kept = (!s.server.db.is_postgres()).then(salt);
    let (ana, dpo) = (s.ana.token.clone(), s.server.person("Dora", &["dpo"]).token.clone());
    let db = s.server.kill();
    let again = harness::TestServer::with(db, &["--lineage-events-most", "1", "--lineage-quarantine-most", "2"]);
    harness::receiver::wait(|| (erased(&again.url) == [true, true, true, false]).then_some(()));
    if let Some(kept) = kept {
        harness::receiver::wait(|| (!stands(&again.db, &kept)).then_some(()));
    }

    // What waits is evidence: no later event drives it out, whoever sends how many. These are to be sent again.
    let client = |token: &Option<String>| harness::Client::new(&again.url, token.as_deref());
    let (ana, audit, dpo) = (client(&ana), client(&token), client(&dpo));
    let waits =
        || -> Vec<Value> { audit.get("/api/v1/lineage/quarantine").good()["items"].as_array().unwrap().clone() };
    assert_eq!(waits().len(), 4, "four came while as many were to wait");
    let bad = |n: &str| json!({"eventTime": "2026-11-01T10:00:00Z", "run": {"runId": n}});
    let full = ana.post("/api/v1/lineage", &bad("new")).problem(503);
    assert!(full["detail"].as_str().unwrap().contains("2 events wait in quarantine"), "{full}");
    assert_eq!(ana.post("/api/v1/lineage", &bad("3")).good()["outcome"], "quarantined", "it waits already");
    let good = event("COMPLETE", RUN, json!([set("a", "more")]), json!([]));
    let batch = ana.post("/api/v1/lineage/batch", &json!([bad("new"), good])).good();
    assert_eq!(
        (&batch["summary"]["successful"], &batch["summary"]["retriable"], &batch["failed_events"][0]["retriable"]),
        (&json!(1), &json!(1), &json!(true)),
        "{batch}"
    );
    for one in &waits()[..3] {
        let path = format!("/api/v1/lineage/quarantine/{}", one["id"].as_str().unwrap());
        assert_eq!(dpo.send("DELETE", &path, &[], None).status, 204);
    }
    assert_eq!(ana.post("/api/v1/lineage", &bad("new")).good()["outcome"], "quarantined");
    assert_eq!(waits().len(), 2);
    crate::support::rebuilds(&again.db);
}

/// The middle of the first body that a statement finds: bytes that stand nowhere else.
fn needle(db: &TestDatabase, statement: &str) -> Vec<u8> {
    let hex = db.sql(&format!("{statement} LIMIT 1"));
    let bytes: Vec<u8> = hex
        .trim()
        .as_bytes()
        .chunks(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect();
    let middle = bytes.len() / 2;
    bytes[middle - 16..middle + 16].to_vec()
}

/// Whether any file of the database holds these bytes.
fn stands(db: &TestDatabase, needle: &[u8]) -> bool {
    let folder = Path::new(db.url.trim_start_matches("sqlite://")).parent().unwrap();
    let holds =
        |path: &Path| path.is_file() && std::fs::read(path).unwrap().windows(needle.len()).any(|bytes| bytes == needle);
    std::fs::read_dir(folder).unwrap().any(|entry| holds(&entry.unwrap().path()))
}

/// A database with its writer and nothing around it: what one operation does here, the operations of one group do.
fn bare() -> (TestDatabase, Db) {
    let database = TestDatabase::new();
    let db = Db::open(Manager::new(&database.url).unwrap(), 2).unwrap();
    (database, db)
}

/// An event whose time comes six minutes after ten, taken at ten.
fn early(name: &str) -> Value {
    let mut early = event("COMPLETE", RUN, json!([set("a", name)]), json!([]));
    early["eventTime"] = json!("2026-11-01T10:06:00Z");
    early["job"]["facets"] = json!({"sql": {"query": format!("SELECT * FROM {name} WHERE mail = 'jane@example.com'")}});
    early
}

/// Take an event; its id in quarantine, where it went there.
fn take(db: &Db, event: &Value, at: &str) -> Option<Uuid> {
    let (event, at) = (event.clone(), at.parse().unwrap());
    let taken = db.write_blocking(Uuid::nil(), at, move |tx| {
        let mut taken = operations::receive(tx, &[Incoming::of(&event)?], 0)?;
        Ok(taken.remove(0).unwrap().quarantine)
    });
    taken.unwrap().map(|id| id.parse().unwrap())
}

const TEN: &str = "2026-11-01T10:00:00Z";
const LATER: &str = "2026-11-01T11:00:00Z";

#[test]
fn what_was_erased_stands_in_no_file() {
    let (database, db) = bare();
    if database.is_postgres() {
        return;
    }
    let (kept, waited) = (early("kept"), early("waited"));
    let digest = |event: &Value| Digest::of(event.to_string().as_bytes());
    let (first, second) = (digest(&kept), digest(&waited));
    let id = take(&db, &waited, TEN).unwrap();
    let replayed = needle(&database, "SELECT hex(body) FROM lineage_quarantine");
    assert_eq!(take(&db, &kept, LATER), None);
    let told = needle(&database, "SELECT hex(body) FROM lineage_event");
    assert!(stands(&database, &told) && stands(&database, &replayed));

    // Recorded at last, it leaves the quarantine; what is erased then is all there is of it.
    db.write_blocking(Uuid::nil(), LATER.parse().unwrap(), move |tx| operations::replay(tx, id, 0)).unwrap().unwrap();
    assert!(stands(&database, &replayed), "it is kept with its fact");
    let erase = move |tx: &mut licit_server::facts::Tx<'_>| {
        tx.erase_event(first);
        tx.erase_event(second);
        Ok(())
    };
    db.write_blocking(Uuid::nil(), LATER.parse().unwrap(), erase).unwrap();
    assert!(!stands(&database, &told), "an event that was recorded");
    assert!(!stands(&database, &replayed), "an event that was read again");

    let waits = take(&db, &json!({"mail": "jane@example.com, of whom nobody is to know any more"}), LATER).unwrap();
    let waiting = needle(&database, "SELECT hex(body) FROM lineage_quarantine");
    assert!(stands(&database, &waiting));
    let erase = move |tx: &mut licit_server::facts::Tx<'_>| {
        tx.erase_quarantined(waits);
        Ok(())
    };
    db.write_blocking(Uuid::nil(), LATER.parse().unwrap(), erase).unwrap();
    assert!(!stands(&database, &waiting), "an event in quarantine");
    db.close();
}

#[test]
fn what_is_erased_is_gone_for_those_who_write_with_it() {
    let (database, db) = bare();
    let (one, other) = (early("one"), early("other"));
    let (first, second) = (take(&db, &one, TEN).unwrap(), take(&db, &other, TEN).unwrap());
    // Erased and read again in one group: there is nothing to read any more.
    db.write_blocking(Uuid::nil(), LATER.parse().unwrap(), move |tx| {
        tx.erase_quarantined(first);
        assert!(matches!(operations::replay(tx, first, 0), Err(Error::NotFound(_))));
        Ok(())
    })
    .unwrap();
    assert_eq!(database.sql("SELECT count(*) FROM lineage_event").trim(), "0");
    // Erased and sent again in one group: it waits anew, under an id that stays.
    let again = db.write_blocking(Uuid::nil(), TEN.parse().unwrap(), move |tx| {
        tx.erase_quarantined(second);
        let incoming = Incoming::unreadable(other.to_string().as_bytes(), "it lies ahead".to_owned())?;
        Ok(operations::receive(tx, &[incoming], 0)?.remove(0).unwrap().quarantine.unwrap())
    });
    let again = again.unwrap();
    assert_ne!(again, second.to_string());
    assert_eq!(database.sql("SELECT id FROM lineage_quarantine").trim(), again);
    db.close();
}

fn cli(s: &Scenario, args: &[&str]) -> (i32, String) {
    let mut command = crate::cli::bare();
    command.env("LICIT_URL", &s.server.url).env("LICIT_TOKEN", s.ana.token.as_deref().unwrap()).args(args);
    let (code, out, err) = crate::cli::typed(&mut command, "");
    (code, out + &err)
}
