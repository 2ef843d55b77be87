//! What people say is recorded once, committed to, and answered for.

use harness::{Answer, Client, Scenario};
use licit_schemas::consent::SubjectRecords;
use licit_schemas::digest::Digest;
use licit_schemas::{json as canonical, merkle};
use serde_json::{Value, json};

use super::{pseudonym, said, with_key};
use crate::support::{entries, rebuilds, verified};

/// Send records, one a line.
#[track_caller]
pub(crate) fn batch(client: &Client, records: &[Value]) -> Answer {
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    raw(client, lines.as_bytes())
}

#[track_caller]
fn raw(client: &Client, body: &[u8]) -> Answer {
    client.send("POST", "/api/v1/consent-batches", &[("content-type", "application/x-ndjson")], Some(body))
}

/// What one person said, as the data protection officer is told.
fn told(s: &Scenario, person: u32) -> SubjectRecords {
    let answer = s.dora.post("/api/v1/subjects/records", &json!({"subject": pseudonym("k1", person)}));
    serde_json::from_value(answer.good()).unwrap()
}

#[test]
fn a_record_is_taken_once_and_its_proof_leads_to_the_ledger() {
    let s = with_key();
    let given = said(1, 1, "given", "2026-01-05T10:00:00Z");
    let first = s.ana.post("/api/v1/consent-records", &given);
    assert_eq!((first.status, first.good()["outcome"].clone()), (201, json!("created")));
    let again = s.ana.post("/api/v1/consent-records", &given);
    assert_eq!(
        (again.status, again.good()["outcome"].clone(), again.good()["seq"].clone()),
        (200, json!("unchanged"), first.good()["seq"].clone())
    );
    // To withdraw takes no more than to give: who, what for, when.
    s.ana.post("/api/v1/consent-records", &said(1, 2, "withdrawn", "2026-02-05T10:00:00Z")).good();
    let many: Vec<Value> = (0..9).map(|n| said(n, 10 + n, "given", "2026-03-05T10:00:00Z")).collect();
    let taken = batch(&s.dora, &many).good();
    assert_eq!((&taken["created"], &taken["unchanged"], &taken["refused"]), (&json!(9), &json!(0), &json!([])));
    let other = said(2, 1, "given", "2026-01-05T10:00:00Z");
    let refused = s.ana.post("/api/v1/consent-records", &other).problem(409);
    assert!(refused["detail"].as_str().unwrap().contains("another record has this id"), "{refused}");

    let records = told(&s, 1).records;
    assert_eq!(records.iter().map(|one| (one.index, one.size)).collect::<Vec<_>>(), [(0, 1), (0, 1), (1, 9)]);
    let all = verified(&s.audit);
    for one in &records {
        let leaf = merkle::leaf_hash(
            &[one.salt.as_bytes().as_slice(), canonical::canonical(&one.record).unwrap().as_bytes()].concat(),
        );
        merkle::verify_inclusion(&leaf, one.index, one.size, &one.path, &one.root).unwrap();
        let entry = all.iter().find(|entry| entry.entry.seq == one.seq).unwrap();
        assert_eq!((entry.entry.kind.as_str(), &entry.data["root"]), ("consent.recorded", &json!(one.root)));
        let forged = Digest::of(b"another record");
        merkle::verify_inclusion(&forged, one.index, one.size, &one.path, &one.root).unwrap_err();
    }
    // The ledger says of what people spoke, on which day, and nothing of who.
    let about = all.iter().find(|entry| entry.entry.kind == "consent.recorded").unwrap();
    assert_eq!(
        about.data["about"],
        json!([{"family": "consent", "purpose": "purpose:scoring", "since": "2026-01-05T00:00:00.000000Z", "count": 1}])
    );
    rebuilds(&s.server.db);
}

#[test]
fn each_line_of_a_batch_stands_for_itself() {
    let s = with_key();
    s.ana.post("/api/v1/consent-records", &said(1, 1, "given", "2026-01-05T10:00:00Z")).good();
    let mut nowhere = said(4, 4, "given", "2026-01-05T10:00:00Z");
    nowhere["purpose"] = json!("purpose:elsewhere");
    let mut unkeyed = said(5, 5, "given", "2026-01-05T10:00:00Z");
    unkeyed["subject"] = json!(pseudonym("k9", 5));
    let mut raw_address = said(6, 6, "given", "2026-01-05T10:00:00Z");
    raw_address["subject"] = json!("jane.doe@example.com");
    let mut uninformed = said(7, 7, "given", "2026-01-05T10:00:00Z");
    uninformed.as_object_mut().unwrap().remove("notice");
    let lines = [
        said(1, 1, "given", "2026-01-05T10:00:00Z"),
        said(2, 2, "given", "2026-01-05T10:00:00Z"),
        said(2, 2, "given", "2026-01-05T10:00:00Z"),
        said(3, 2, "given", "2026-01-05T10:00:00Z"),
        nowhere,
        unkeyed,
        raw_address,
        uninformed,
        said(8, 8, "renewed", "2026-01-05T10:00:00Z"),
        said(9, 9, "given", "2999-01-05T10:00:00Z"),
        said(2, 10, "renewed", "2026-01-06T10:00:00Z"),
        said(2, 11, "requested", "2026-01-07T10:00:00Z"),
        said(2, 12, "withdrawn", "2026-01-07T11:00:00Z"),
        said(2, 13, "requested", "2026-01-08T10:00:00Z"),
    ];
    let before = entries(&s.audit).len();
    let answer = batch(&s.ana, &lines);
    assert!(!answer.text.contains("jane"), "what was refused is not repeated: {}", answer.text);
    let taken = answer.good();
    assert_eq!((&taken["created"], &taken["unchanged"]), (&json!(4), &json!(2)), "{taken:#}");
    let refused: Vec<(u64, &str)> = taken["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["line"].as_u64().unwrap(), one["pointer"].as_str().unwrap()))
        .collect();
    assert_eq!(
        refused,
        [
            (4, "#/record_id"),
            (5, "#/purpose"),
            (6, "#/subject"),
            (7, "#/subject"),
            (8, "#/notice"),
            (9, "#/said"),
            (10, "#/at"),
            (12, "#/said"),
        ]
    );
    assert_eq!(entries(&s.audit).len(), before + 1, "what is new is one fact");
    // Sent again, nothing is new.
    let again = batch(&s.ana, &lines).good();
    assert_eq!((&again["created"], &again["unchanged"], again["seq"].as_u64()), (&json!(0), &json!(6), None));
    assert_eq!(entries(&s.audit).len(), before + 1);
    rebuilds(&s.server.db);
}

#[test]
fn bad_batches_are_refused_whole() {
    let s = with_key();
    for body in [&b""[..], b"\n"] {
        raw(&s.ana, body).problem(422);
    }
    let line = format!("{}\n", said(1, 1, "given", "2026-01-05T10:00:00Z"));
    raw(&s.ana, line.repeat(10_001).as_bytes()).problem(422);
    let taken = raw(&s.ana, b"{\"a\":\xff}\nnull\n\0\n[[[[\n").good();
    assert_eq!((taken["created"].as_u64(), taken["refused"].as_array().unwrap().len()), (Some(0), 4));
    s.ana.post("/api/v1/consent-batches", &json!({})).problem(415);
    // Who looks at what one person said is the data protection officer; others may not, and unknown people are unknown.
    for client in [&s.ana, &s.bea, &s.audit, &s.ci] {
        client.post("/api/v1/subjects/records", &json!({"subject": pseudonym("k1", 1)})).problem(403);
    }
    s.dora.post("/api/v1/subjects/records", &json!({"subject": pseudonym("k1", 1)})).problem(404);
}

#[test]
fn a_record_changed_by_hand_is_found() {
    let s = with_key();
    let many: Vec<Value> = (0..3).map(|n| said(n, n, "given", "2026-03-05T10:00:00Z")).collect();
    batch(&s.ana, &many).good();
    rebuilds(&s.server.db);
    let broken = |change: &str, back: &str, what: &str| {
        s.server.db.sql(change);
        let (code, _, out) = harness::TestServer::run(&s.server.db, &["rebuild", "--check"]);
        assert!(code == 4 && out.contains("consent_record") && out.contains(what), "{change}: {code} {out}");
        s.server.db.sql(back);
    };
    broken(
        "UPDATE consent_record SET said = 3 WHERE pos = 1",
        "UPDATE consent_record SET said = 0 WHERE pos = 1",
        "not what was committed",
    );
    broken(
        "UPDATE consent_record SET lane = 7 WHERE pos = 1",
        "UPDATE consent_record SET lane = 0 WHERE pos = 1",
        "not what was committed",
    );
    broken(
        "UPDATE consent_record SET said_at = said_at - 1 WHERE pos = 0",
        "UPDATE consent_record SET said_at = said_at + 1 WHERE pos = 0",
        "not what was committed",
    );
    broken(
        "UPDATE consent_record SET seq = 9999 WHERE pos = 2",
        "UPDATE consent_record SET seq = (SELECT max(seq) FROM consent_batch) WHERE pos = 2",
        "records are missing",
    );
    rebuilds(&s.server.db);
}

#[test]
fn two_at_once_record_each_once() {
    let s = with_key();
    let lines: Vec<Value> = (0..200).map(|n| said(n, n, "given", "2026-03-05T10:00:00Z")).collect();
    let taken: Vec<Value> = std::thread::scope(|scope| {
        let sent: Vec<_> = (0..4).map(|_| scope.spawn(|| batch(&s.ana, &lines).good())).collect();
        sent.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let created: u64 = taken.iter().map(|one| one["created"].as_u64().unwrap()).sum();
    let unchanged: u64 = taken.iter().map(|one| one["unchanged"].as_u64().unwrap()).sum();
    assert_eq!((created, unchanged), (200, 600));
    assert_eq!(s.server.db.sql("SELECT count(*) FROM consent_record").trim(), "200");
    rebuilds(&s.server.db);
}

#[test]
fn an_objection_or_a_restriction_is_taken_back_by_the_person_or_the_officer() {
    let s = with_key();
    for (number, (against, back)) in
        (0..).zip([("objected", "objection_withdrawn"), ("restricted", "restriction_lifted")])
    {
        let first = 10 * number;
        s.ana.post("/api/v1/consent-records", &said(1, first, against, "2026-01-05T10:00:00Z")).good();
        for (place, by) in [(1, "controller"), (2, "authority")] {
            let mut record = said(1, first + place, back, "2026-01-06T10:00:00Z");
            record["indicated_by"] = json!(by);
            let refused = s.ana.post("/api/v1/consent-records", &record);
            assert_eq!(refused.problem(422)["errors"][0]["pointer"], "#/indicated_by", "{}", refused.text);
            let taken = batch(&s.ana, &[record]).good();
            assert_eq!((&taken["created"], &taken["refused"][0]["pointer"]), (&json!(0), &json!("#/indicated_by")));
        }
        let mut by_officer = said(1, first + 3, back, "2026-01-06T10:00:00Z");
        by_officer["indicated_by"] = json!("controller");
        s.dora.post("/api/v1/consent-records", &by_officer).good();
        s.ana.post("/api/v1/consent-records", &said(1, first + 4, against, "2026-01-07T10:00:00Z")).good();
        let mut by_parent = said(1, first + 5, back, "2026-01-08T10:00:00Z");
        by_parent["indicated_by"] = json!("parental_holder");
        s.ana.post("/api/v1/consent-records", &by_parent).good();
    }
}
