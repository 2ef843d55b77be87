//! Proof of consent of erased people: kept where policy says so, apart from everything, read with a reason, and gone in time.

use std::fs;

use harness::{Scenario, TestDatabase, TestServer};
use licit_schemas::digest::Digest;
use licit_schemas::time::Timestamp;
use licit_server::consent::upkeep::shred;
use licit_server::db::Manager;
use licit_server::facts::Db;
use serde_json::{Value, json};

use super::covered::{consenting, coverage};
use super::said::batch;
use super::{pseudonym, said};
use crate::support::{licit, rebuilds, verified};

/// The board lets proof be kept for so long.
fn keeping(s: &Scenario, keep: &str) {
    let policy = json!({
        "name": "Ours", "review": {"quorum": 2, "approval_days": 365}, "proof_of_consent": {"keep": keep},
    });
    let made = s.server.admin().post("/api/v1/policies", &policy).good();
    s.approve(&[made["ref"].as_str().unwrap()]);
}

fn erase(s: &Scenario, person: u32) -> Value {
    s.dora.post("/api/v1/subjects/erasures", &json!({"subject": pseudonym("k1", person)})).good()
}

fn query(person: u32) -> Value {
    json!({"subject": pseudonym("k1", person), "reason": "Claim 12 K 34/29."})
}

fn kinds(s: &Scenario, kind: &str) -> usize {
    verified(&s.audit).iter().filter(|entry| entry.entry.kind == kind).count()
}

/// What time does by itself, at a moment ahead.
pub(crate) fn later(db: &TestDatabase, moment: &str) -> u32 {
    let db = Db::open(Manager::new(&db.url).unwrap(), 2).unwrap();
    let shredded = shred(&db, moment.parse::<Timestamp>().unwrap()).unwrap();
    db.close();
    shredded
}

#[test]
fn without_a_policy_nothing_is_kept() {
    let s = consenting();
    assert_eq!(erase(&s, 3)["proof_until"], Value::Null);
    s.dora.post("/api/v1/subjects/proofs", &query(3)).problem(404);
    assert_eq!(s.server.db.sql("SELECT count(*) FROM consent_proof").trim(), "0");
    assert_eq!(kinds(&s, "consent_proof.kept"), 0);
}

#[test]
fn no_policy_keeps_it_for_longer_than_claims_last() {
    let s = consenting();
    let policy = |keep: &str| json!({"name": "Ours", "review": {"quorum": 2, "approval_days": 365}, "proof_of_consent": {"keep": keep}});
    for keep in ["P11Y", "P121M", "P3654D", "3Y", "P0D", ""] {
        let refused = s.server.admin().post("/api/v1/policies", &policy(keep)).problem(422);
        assert!(refused.to_string().contains("#/proof_of_consent/keep"), "{refused}");
    }
    s.server.admin().post("/api/v1/policies", &policy("P10Y")).good();
}

#[test]
fn it_is_kept_apart_and_read_with_a_reason_only() {
    let s = consenting();
    keeping(&s, "P3Y");
    let objection = said(3, 71, "objected", "2026-02-01T00:00:00Z");
    batch(&s.ana, &[said(3, 70, "withdrawn", "2026-03-01T00:00:00Z"), objection]).good();
    let before = s.dora.post("/api/v1/subjects/records", &json!({"subject": pseudonym("k1", 3)})).good();
    let erased = erase(&s, 3);
    assert!(erased["proof_until"].is_string(), "{erased}");
    assert_eq!(erased["records"], 3);
    // Nowhere but there: not counted, not listed, not told, not known.
    assert_eq!(coverage(&s.dora, "1", "")["members"], 9);
    for path in ["records", "view", "erasures"] {
        s.dora.post(&format!("/api/v1/subjects/{path}"), &json!({"subject": pseudonym("k1", 3)})).problem(404);
    }
    let hash = pseudonym("k1", 3).rsplit('.').next().unwrap().to_owned();
    let ledger = s.audit.get("/api/v1/ledger/entries?from=1&limit=1000").text;
    assert!(!ledger.contains(&hash) && ledger.contains("consent_proof.kept"));
    rebuilds(&s.server.db);
    // Only the officer reads it, and only with a reason; each reading is a fact.
    for client in [&s.ana, &s.bea, &s.audit, &s.ci, &s.server.admin()] {
        client.post("/api/v1/subjects/proofs", &query(3)).problem(403);
    }
    s.dora.post("/api/v1/subjects/proofs", &json!({"subject": pseudonym("k1", 3)})).problem(422);
    s.dora.post("/api/v1/subjects/proofs", &query(4)).problem(404);
    assert_eq!(kinds(&s, "consent_proof.read"), 0);
    let kept = s.dora.post("/api/v1/subjects/proofs", &query(3)).good();
    let told = kept["items"][0]["records"].as_array().unwrap();
    let consent: Vec<&Value> =
        before["records"].as_array().unwrap().iter().filter(|one| one["record"]["said"] != "objected").collect();
    assert_eq!(
        told.iter().collect::<Vec<_>>(),
        consent,
        "word for word, with its proof; an objection proves no consent"
    );
    let read = verified(&s.audit).pop().unwrap();
    let dora = s.dora.get("/api/v1/whoami").good()["actor"].clone();
    assert_eq!((read.entry.kind.as_str(), json!(read.entry.actor)), ("consent_proof.read", dora));
    assert_eq!(read.data["id"], kept["items"][0]["id"]);
    assert!(!read.data.to_string().contains("Claim"), "the reason is erasable");
    // The command line holds each record against its root.
    let (code, out, told) =
        licit(&s.dora, &["subjects", "proof", "--subject", &pseudonym("k1", 3), "--reason", "Claim 12 K 34/29."]);
    assert_eq!(code, 0, "{out}{told}");
    assert!(out.contains("every record holds") && out.contains("withdrawn"), "{out}");
    // Known and erased again, it is a second proof.
    batch(&s.ana, &[said(3, 900, "given", "2026-05-01T00:00:00Z")]).good();
    erase(&s, 3);
    let kept = s.dora.post("/api/v1/subjects/proofs", &query(3)).good();
    let counts: Vec<usize> =
        kept["items"].as_array().unwrap().iter().map(|one| one["records"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [2, 1]);
    rebuilds(&s.server.db);
}

#[test]
fn it_goes_by_itself_when_its_time_is_over() {
    let s = consenting();
    keeping(&s, "P3Y");
    let until: Timestamp = erase(&s, 4)["proof_until"].as_str().unwrap().parse().unwrap();
    let (db, audit) = (s.server.db.clone(), s.audit.token.clone());
    assert_eq!(s.server.stop(), 0);
    assert_eq!(later(&db, &until.plus(chrono::Duration::microseconds(-1)).to_string()), 0);
    assert_eq!(db.sql("SELECT count(*) FROM consent_proof").trim(), "1");
    assert_eq!(later(&db, &until.to_string()), 1);
    assert_eq!(later(&db, &until.to_string()), 0, "once");
    assert_eq!(db.sql("SELECT count(*) FROM consent_proof").trim(), "0");
    rebuilds(&db);
    if !db.is_postgres() {
        let bytes = fs::read(db.url.strip_prefix("sqlite://").unwrap()).unwrap();
        let holds = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
        let hash = |person: u32| *Digest::of(&person.to_le_bytes()).as_bytes();
        assert!(!holds(&hash(4)) && !holds(pseudonym("k1", 4).as_bytes()), "the file still holds the pseudonym");
        assert!(holds(&hash(5)), "it would be found if it were there");
    }
    let server = TestServer::on(db);
    let audit = harness::Client::new(&server.url, audit.as_deref());
    let last = verified(&audit).pop().unwrap();
    assert_eq!(last.entry.kind, "consent_proof.shredded");
    assert_eq!(last.entry.actor.0, uuid::Uuid::nil(), "nobody in particular");
}

#[test]
fn what_is_kept_is_what_the_ledger_commits_to() {
    let s = consenting();
    keeping(&s, "P3Y");
    erase(&s, 3);
    rebuilds(&s.server.db);
    let db = s.server.db.clone();
    let check = || TestServer::run(&db, &["rebuild", "--check"]);
    db.sql("UPDATE consent_proof SET doc = replace(doc, '2025-06-01', '2025-06-02')");
    let (code, _, said) = check();
    assert!(code == 4 && said.contains("is not what the ledger commits to"), "{said}");
    db.sql("DELETE FROM consent_proof");
    let (code, _, said) = check();
    assert!(code == 4 && said.contains("is missing"), "{said}");
}
