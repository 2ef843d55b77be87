//! Erasing somebody leaves every proof as it is, and nothing by which they could be found.

use std::fs;

use licit_schemas::digest::Digest;
use serde_json::{Value, json};

use harness::scenario::{finding, in_days};

use super::covered::{consenting, coverage};
use super::said::batch;
use super::{begin, lines, pseudonym, put, said};
use crate::support::{rebuilds, verified};

#[test]
fn nothing_is_left_by_which_somebody_could_be_found() {
    let s = consenting();
    let decision = s.activate("release:score-prod@1").good();
    // In members, in a corrected set on either side, in an open load, in records.
    batch(&s.ana, &[said(3, 1, "withdrawn", "2026-03-01T00:00:00Z")]).good();
    let exclude = json!({"dataset_version": "dataset:crm/people@1", "purpose": "purpose:scoring"});
    s.ana.post("/api/v1/member-sets", &exclude).good();
    s.add("dataset-versions", harness::scenario::people("2"));
    let open = begin(&s.ana, "2");
    put(&s.ana, &open, 1, &lines("k1", 2..6)).good();
    let before = coverage(&s.dora, "1", "");
    rebuilds(&s.server.db);
    let entries = verified(&s.audit).len();

    for client in [&s.ana, &s.bea, &s.audit] {
        client.post("/api/v1/subjects/erasures", &json!({"subject": pseudonym("k1", 3)})).problem(403);
    }
    s.dora.post("/api/v1/subjects/erasures", &json!({"subject": pseudonym("k1", 77)})).problem(404);
    for (person, records) in [(3, 2), (4, 1)] {
        let ask = json!({"subject": pseudonym("k1", person)});
        let erased = s.dora.post("/api/v1/subjects/erasures", &ask).good();
        assert_eq!((&erased["records"], &erased["datasets"]), (&json!(records), &json!(["dataset:crm/people@1"])));
        s.dora.post("/api/v1/subjects/erasures", &ask).problem(404);
        s.dora.post("/api/v1/subjects/records", &ask).problem(404);
    }
    // The proofs of all others, and the ledger, are what they were.
    let all = verified(&s.audit);
    assert_eq!(all.len(), entries + 2);
    let fact = all.last().unwrap();
    assert_eq!(fact.entry.kind, "subject.erased");
    let told: Vec<&str> = fact.data.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(told, ["id", "member_sets", "records"]);
    rebuilds(&s.server.db);
    let told = s.dora.post("/api/v1/subjects/records", &json!({"subject": pseudonym("k1", 5)})).good();
    assert_eq!(told["records"][0]["size"], 10, "the batch is proved as a batch of ten");
    // Nobody counts them, and a decision of before says why it cannot be made again to the byte.
    let after = coverage(&s.dora, "1", "");
    assert_eq!((&before["members"], &after["members"], &after["missing"]), (&json!(10), &json!(8), &json!(0)));
    let replayed = s.audit.get(&format!("/api/v1/decisions/{}/replay", decision["id"].as_str().unwrap())).good();
    assert_eq!(replayed["same_evidence"], false);
    assert!(replayed["otherwise"].as_str().unwrap().contains("people were erased since"), "{replayed:#}");
    // Known again under the same pseudonym, it is somebody else.
    batch(&s.ana, &[said(3, 900, "given", "2026-05-01T00:00:00Z")]).good();
    let again = s.dora.post("/api/v1/subjects/records", &json!({"subject": pseudonym("k1", 3)})).good();
    assert_eq!(again["records"].as_array().map(Vec::len), Some(1));
    rebuilds(&s.server.db);

    // What the files hold of the other, once the server is gone.
    let postgres = s.server.db.is_postgres();
    let url = s.server.db.url.clone();
    let left = s.server.db.sql("SELECT count(*) FROM subject WHERE kid = ''");
    assert_eq!(left.trim(), "2");
    let (hash, text) = (*Digest::of(&4u32.to_le_bytes()).as_bytes(), pseudonym("k1", 4));
    let db = s.server.db.clone();
    assert_eq!(s.server.stop(), 0);
    if !postgres {
        let file = url.strip_prefix("sqlite://").unwrap();
        let bytes = fs::read(file).unwrap();
        let holds = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
        assert!(!holds(&hash) && !holds(text.as_bytes()), "the file still holds the pseudonym");
        let known = *Digest::of(&5u32.to_le_bytes()).as_bytes();
        assert!(holds(&known), "it would be found if it were there");
    }
    drop(db);
}

#[test]
fn many_are_erased_at_once_and_each_once() {
    let s = consenting();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = |person: u32| json!({"subject": pseudonym("k1", person)});
        let dora = &s.dora;
        let sent: Vec<_> = (0..24u32)
            .map(|n| scope.spawn(move || dora.post("/api/v1/subjects/erasures", &ask(n % 6)).status))
            .collect();
        // Somebody else speaks in the same groups.
        let ana = &s.ana;
        let other: Vec<_> = (0..12u32)
            .map(|n| {
                scope.spawn(move || {
                    ana.post("/api/v1/consent-records", &said(8, 500 + n, "withdrawn", "2026-04-01T00:00:00Z")).status
                })
            })
            .collect();
        assert!(other.into_iter().all(|one| one.join().unwrap() == 201));
        sent.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 6, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 404).count(), 18, "{statuses:?}");
    assert_eq!(coverage(&s.dora, "1", "")["members"], 4);
    rebuilds(&s.server.db);
}

#[test]
fn a_load_goes_on_without_who_was_erased_from_it() {
    let s = consenting();
    s.add("dataset-versions", harness::scenario::people("2"));
    let open = begin(&s.ana, "2");
    put(&s.ana, &open, 1, &lines("k1", 2..6)).good();
    s.dora.post("/api/v1/subjects/erasures", &json!({"subject": pseudonym("k1", 3)})).good();
    let loaded = super::finish(&s.ana, &open, 1, 4).good();
    assert_eq!(loaded["members"]["count"], 4, "what came is what is committed to");
    assert_eq!(coverage(&s.dora, "2", "")["members"], 3);
    rebuilds(&s.server.db);
}

#[test]
fn what_was_trained_on_the_erased_is_made_anew_within_the_days() {
    let s = consenting();
    s.activate("release:score-prod@1").good();
    s.dora.post("/api/v1/subjects/erasures", &json!({"subject": pseudonym("k1", 3)})).good();
    assert_eq!(finding(&s.dry("continue"), "consent.coverage"), None);
    let late =
        finding(&s.dry_at("continue", Some(&in_days(31))), "consent.coverage").expect("their data are still in it");
    assert!(late["sentence"].as_str().unwrap().starts_with("1 of 10 people"), "{late}");
}

#[test]
fn erasing_repairs_no_training() {
    let s = consenting();
    // One refused before the training began on the first of January.
    batch(&s.ana, &[said(3, 1, "refused", "2025-12-01T00:00:00Z")]).good();
    let found = || finding(&s.dry("start"), "consent.coverage");
    assert!(found().unwrap()["sentence"].as_str().unwrap().starts_with("1 of 10 people"));
    for person in [3, 4] {
        s.dora.post("/api/v1/subjects/erasures", &json!({"subject": pseudonym("k1", person)})).good();
    }
    let fact = verified(&s.audit).into_iter().rev().find(|entry| entry.data.get("lacked").is_some()).unwrap();
    assert_eq!(fact.data["lacked"].as_array().unwrap().len(), 1, "{}", fact.data);
    let kept = found().expect("the training is what it was");
    let sentence = kept["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("1 of 9 people") && sentence.contains("1 of them erased since"), "{sentence}");
    assert!(!kept.to_string().contains("p1.k1."));
    s.activate("release:score-prod@1").problem(409);
    // Whoever had agreed counts no more; both are in no other count.
    assert_eq!(coverage(&s.dora, "1", "")["members"], 8);
    rebuilds(&s.server.db);
    let other = harness::TestServer::on(s.server.db.clone());
    let ci = harness::Client::new(&other.url, s.ci.token.as_deref());
    let ask = json!({"deployment": "deployment:score-prod", "intent": "start", "dry_run": true});
    assert!(finding(&ci.post("/api/v1/gate", &ask).good(), "consent.coverage").is_some(), "a server that starts anew");
    // Trained anew, without them, nothing is left of it.
    s.add("model-versions", harness::scenario::model_version("2", "2"));
    let mut again = harness::scenario::training("2", "1");
    again["started_at"] = json!(in_days(0));
    s.add("runs", again);
    s.release("2");
    assert_eq!(finding(&s.dry("start"), "consent.coverage"), None);
}

#[test]
fn a_second_server_forgets_too() {
    let s = consenting();
    let other = harness::TestServer::on(s.server.db.clone());
    let dora = harness::Client::new(&other.url, s.dora.token.as_deref());
    assert_eq!(coverage(&dora, "1", "")["members"], 10);
    s.dora.post("/api/v1/subjects/erasures", &json!({"subject": pseudonym("k1", 3)})).good();
    let told: Value = coverage(&dora, "1", "");
    assert_eq!((&told["members"], &told["missing"]), (&json!(9), &json!(0)));
    dora.post("/api/v1/subjects/records", &json!({"subject": pseudonym("k1", 3)})).problem(404);
}

#[test]
fn what_the_erased_said_is_not_recorded_again() {
    let s = consenting();
    let of = |person: u32, record: u32| said(person, record, "given", "2026-02-01T00:00:00Z");
    let lines = [of(3, 31), of(4, 41), of(3, 32)];
    batch(&s.ana, &lines).good();
    let ask = json!({"subject": pseudonym("k1", 3)});
    s.dora.post("/api/v1/subjects/erasures", &ask).good();
    let taken = batch(&s.ana, &lines).good();
    assert_eq!(
        (&taken["created"], &taken["unchanged"], &taken["erased"]),
        (&json!(0), &json!(1), &json!(2)),
        "{taken}"
    );
    let refused = s.ana.post("/api/v1/consent-records", &lines[0]);
    assert!(refused.problem(409)["detail"].as_str().unwrap().contains("erased"), "{}", refused.text);
    s.dora.post("/api/v1/subjects/records", &ask).problem(404);
    // Nobody else's record takes such an id either.
    assert_eq!(batch(&s.ana, &[of(5, 31)]).good()["erased"], 1);
    assert_eq!(s.server.db.sql("SELECT count(*) FROM erased_record").trim(), "3");
    rebuilds(&s.server.db);
    // A server that starts anew knows it from the table.
    let other = harness::TestServer::on(s.server.db.clone());
    let ana = harness::Client::new(&other.url, s.ana.token.as_deref());
    assert_eq!(batch(&ana, &lines).good()["erased"], 2);
}
