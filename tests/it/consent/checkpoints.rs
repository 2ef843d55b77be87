//! What stood at a moment is kept by the server itself: whoever starts anew begins there, and nobody erased is left in it.

use std::time::{Duration, Instant};

use harness::{Client, Scenario, TestDatabase, TestServer};
use roaring::RoaringBitmap;
use serde_json::Value;

use super::covered::{agree, coverage, load};
use super::said::batch;
use super::{pseudonym, said, with_key};
use crate::support::rebuilds;

/// Checkpoints there are, with the entry of the newest.
fn kept(db: &TestDatabase) -> (u64, u64) {
    let told = db.sql("SELECT count(*), coalesce(max(version), 0) FROM consent_checkpoint");
    let (count, newest) = told.trim().split_once('|').unwrap();
    (count.parse().unwrap(), newest.parse().unwrap())
}

#[track_caller]
fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: it never came");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Coverage as a server says that begins anew on the same database.
fn anew(s: &Scenario) -> (TestServer, Value) {
    let server = TestServer::on(s.server.db.clone());
    let told = coverage(&Client::new(&server.url, s.dora.token.as_deref()), "1", "");
    (server, told)
}

#[test]
fn after_enough_records_one_is_kept_and_a_server_that_starts_begins_there() {
    let s = with_key();
    load(&s, "1", 0..10);
    let few: Vec<Value> = (0..5).map(|n| said(n, n, "given", "2026-01-05T10:00:00Z")).collect();
    batch(&s.ana, &few).good();
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(kept(&s.server.db), (0, 0), "a few are read in no time");
    let many: Vec<Value> = (0..10_000).map(|n| said(n, 100 + n, "given", "2026-02-05T10:00:00Z")).collect();
    let taken = batch(&s.ana, &many).good();
    assert_eq!(taken["created"], 10_000, "{taken}");
    soon("a checkpoint", || kept(&s.server.db) == (1, taken["seq"].as_u64().unwrap()));
    batch(&s.ana, &[said(7, 1, "withdrawn", "2026-03-05T10:00:00Z")]).good();
    let told = coverage(&s.dora, "1", "");
    assert_eq!((&told["members"], &told["missing"]), (&10.into(), &0.into()), "the record of that id came before");
    batch(&s.ana, &[said(7, 50_000, "withdrawn", "2026-03-05T10:00:00Z")]).good();
    let told = coverage(&s.dora, "1", "");
    assert_eq!(told["missing"], 1);
    let (server, again) = anew(&s);
    assert_eq!((&again["members"], &again["missing"]), (&told["members"], &told["missing"]));
    rebuilds(&s.server.db);
    // It does begin there: where the checkpoint says otherwise, so does it.
    drop(server);
    s.server.db.sql("UPDATE consent_checkpoint SET stands = explicit");
    assert_eq!(anew(&s).1["missing"], 10);
}

#[test]
fn whoever_stops_keeps_what_changed_and_two_servers_keep_it_once() {
    let s = with_key();
    load(&s, "1", 0..10);
    agree(&s, 0..8);
    let other = TestServer::on(s.server.db.clone());
    let (db, dora, ana) = (s.server.db.clone(), s.dora.token.clone(), s.ana.token.clone());
    assert_eq!(s.server.stop(), 0);
    let (count, first) = kept(&db);
    assert_eq!(count, 1);
    assert_eq!(other.stop(), 0);
    assert_eq!(kept(&db), (1, first), "it was kept before");
    let server = TestServer::on(db.clone());
    assert_eq!(coverage(&Client::new(&server.url, dora.as_deref()), "1", "")["missing"], 2);
    batch(&Client::new(&server.url, ana.as_deref()), &[said(9, 1, "given", "2026-03-05T10:00:00Z")]).good();
    assert_eq!(server.stop(), 0);
    assert!(kept(&db).1 > first);
    let server = TestServer::on(db.clone());
    assert_eq!(coverage(&Client::new(&server.url, dora.as_deref()), "1", "")["missing"], 1);
    drop(server);
    rebuilds(&db);
}

/// People in a checkpoint.
fn people(db: &TestDatabase, column: &str) -> u64 {
    let hex = if db.is_postgres() { format!("encode({column}, 'hex')") } else { format!("hex({column})") };
    let text = db.sql(&format!("SELECT {hex} FROM consent_checkpoint ORDER BY version DESC LIMIT 1"));
    let text = text.trim();
    let bytes: Vec<u8> =
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect();
    RoaringBitmap::deserialize_from(&bytes[..]).unwrap().len()
}

#[test]
fn nobody_erased_is_left_in_one_and_the_others_stay() {
    let s = with_key();
    load(&s, "1", 0..10);
    agree(&s, 0..10);
    let (db, dora) = (s.server.db.clone(), s.dora.token.clone());
    assert_eq!(s.server.stop(), 0);
    assert_eq!((people(&db, "spoken"), people(&db, "stands")), (10, 10));
    let server = TestServer::on(db.clone());
    let client = Client::new(&server.url, dora.as_deref());
    client.post("/api/v1/subjects/erasures", &serde_json::json!({"subject": pseudonym("k1", 3)})).good();
    assert_eq!((people(&db, "spoken"), people(&db, "stands")), (9, 9));
    let server = TestServer::on(server.kill());
    let told = coverage(&Client::new(&server.url, dora.as_deref()), "1", "");
    assert_eq!((&told["members"], &told["missing"]), (&9.into(), &0.into()));
    rebuilds(&db);
}
