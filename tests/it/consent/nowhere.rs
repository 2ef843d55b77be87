//! The identifiers of people are nowhere: not in the database, the ledger, the log, the metrics, nor in any answer.

use std::sync::Arc;

use harness::TestDatabase;
use harness::client::encode;
use harness::scenario::{ZEROS, party, people, purpose};
use harness::server::ADMIN;
use licit_schemas::digest::Digest;
use serde_json::json;

use super::{begin, key, put, put_bytes, wanted};
use crate::support::{Program, licit, person};

/// Who must not be found, in any spelling.
const PEOPLE: [&str; 6] = [
    "jane.doe@example.com",
    "Rene.Privat@EXAMPLE.org",
    "+353 (0)1 555 0142",
    "+35315550142",
    "patient-7731-kappa",
    "no-address-omega-88",
];

/// Every byte that the database keeps: on SQLite its files, on PostgreSQL every row of every table, where bytes stand as hex.
fn kept(db: &TestDatabase) -> Vec<u8> {
    if !db.is_postgres() {
        let path = db.url.trim_start_matches("sqlite://");
        return ["", "-wal", "-shm"]
            .iter()
            .filter_map(|end| std::fs::read(format!("{path}{end}")).ok())
            .flatten()
            .collect();
    }
    let tables = db.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()");
    let rows = tables.lines().map(|table| db.sql(&format!("SELECT t::text FROM \"{table}\" t")));
    rows.collect::<String>().into_bytes()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn holds(bytes: &[u8], word: &str) -> bool {
    let (bytes, lower) = (bytes.to_ascii_lowercase(), word.to_ascii_lowercase());
    let found = |word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    found(&lower) || found(&hex(word.as_bytes())) || found(&hex(lower.as_bytes()))
}

#[test]
fn no_identifier_is_found_anywhere() {
    let db = Arc::new(TestDatabase::new());
    let server = Program::start(&db, &["--log", "trace"], &[("LICIT_BOOTSTRAP_TOKEN", ADMIN)]);
    let admin = server.client(ADMIN);
    let (ana, audit) = (person(&admin, "Ana", &["registrar"]), person(&admin, "Aude", &["auditor", "dpo"]));
    for (collection, body) in [
        ("parties", party("acme")),
        ("purposes", purpose("scoring")),
        ("datasets", json!({"namespace": "crm", "name": "people", "owner": "crm-team"})),
        ("dataset-versions", people("1")),
        ("subject-keys", key("k1", "crm", ZEROS)),
    ] {
        ana.post(&format!("/api/v1/{collection}"), &body).good();
    }
    let mut answers = String::new();

    // The way it should be: hashed by the command line.
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let lines: String = PEOPLE.iter().map(|one| format!("\"{one}\",1\n")).collect();
    std::fs::write(at("people.csv"), format!("who,n\n{lines}")).unwrap();
    let (file, crm) = (at("people.csv"), at("crm.key"));
    let commands: [&[&str]; 6] = [
        &["subjects", "keygen", "--scope", "crm", "--kid", "crm-1", "-o", &crm],
        &["subjects", "register-key", &crm],
        &["subjects", "hash", "--key", &crm, "--from", &file, "--column", "who"],
        &["subjects", "add", "crm/people@1", "--key", &crm, "--from", &file, "--column", "who"],
        &["subjects", "add", "crm/people@1", "--key", &crm, "--from", &file, "--column", "who", "--skip-unreadable"],
        &["subjects", "add", "crm/people@1", "--key", &crm, "--from", &file, "--column", "1", "--json"],
    ];
    for command in commands {
        let (_, out, said) = licit(&ana, command);
        answers.push_str(&format!("{out}{said}"));
    }
    assert!(answers.contains("2 members of"), "{answers}");

    // Every way it should not be.
    ana.post("/api/v1/dataset-versions", &people("2")).good();
    let load = begin(&ana, "2");
    for one in PEOPLE {
        for body in [
            format!("\"{one}\"\n"),
            format!("{one}\n"),
            format!("{{\"email\": \"{one}\"}}\n"),
            format!("\"p1.k1.{one}\"\n"),
        ] {
            let answer = put(&ana, &load, 1, &body);
            assert_eq!(answer.status, 422, "{}", answer.text);
            answers.push_str(&answer.text);
        }
        let answer = put_bytes(&ana, &load, 1, &[&b"\xff"[..], one.as_bytes()].concat());
        answers.push_str(&answer.text);
        let digest = encode(&Digest::of(one.as_bytes()).to_string());
        let path = format!("/api/v1/{load}/batches/1?digest={digest}");
        answers.push_str(&ana.send("PUT", &path, &[], Some(one.as_bytes())).text);
        for field in ["kid", "fingerprint"] {
            let mut body = wanted("2");
            body[field] = json!(one);
            let refused = ana.post("/api/v1/member-loads", &body);
            assert_eq!(refused.status, 422, "{}", refused.text);
            // A digest is no place for people: who writes one there is told what was read, and nobody else is.
            if field == "kid" {
                answers.push_str(&refused.text);
            }
        }
        let mut body = key("k2", "crm", ZEROS);
        body["kid"] = json!(one);
        answers.push_str(&ana.post("/api/v1/subject-keys", &body).text);
        ana.get(&format!("/api/v1/member-loads/{}", encode(one))).problem(404);
        ana.get(&format!("/api/v1/subject-keys?who={}", encode(one))).problem(422);
    }

    let version = ana.resolve("dataset:crm/people@1")["id"].as_str().unwrap().to_owned();
    let sample = format!("dataset-versions/{version}/coverage/sample");
    // Where people speak, and are asked about: a pseudonym belongs there, and nothing else is taken or repeated.
    let lines = [("content-type", "application/x-ndjson")];
    for one in PEOPLE {
        let record = super::said(1, 1, "given", "2026-01-05T10:00:00Z");
        let mut bodies = vec![json!(one), json!([one]), json!({one: 1}), json!({"subject": {"email": one}})];
        for member in ["record_id", "subject", "channel", "said", "at", "notice", "method", "indicated_by", one] {
            for value in [json!(one), json!([one]), json!({one: one})] {
                let mut body = record.clone();
                body[member] = value;
                bodies.push(body);
            }
        }
        for (member, value) in [("subject", json!(format!("p1.k1.{one}"))), ("said", json!(format!("given {one}")))] {
            let mut body = record.clone();
            body[member] = value;
            bodies.push(body);
        }
        for body in &bodies {
            let refused = ana.post("/api/v1/consent-records", body);
            assert_eq!(refused.status, 422, "{}", refused.text);
            let line = format!("{body}\n");
            let batch = ana.send("POST", "/api/v1/consent-batches", &lines, Some(line.as_bytes()));
            assert_eq!(batch.good()["created"], 0, "{}", batch.text);
            answers.push_str(&format!("{}{}", refused.text, batch.text));
            for path in ["records", "receipts", "view", "erasures", "proofs"] {
                let refused = audit.post(&format!("/api/v1/subjects/{path}"), body);
                assert_eq!(refused.status, 422, "{path}: {}", refused.text);
                answers.push_str(&refused.text);
            }
            for path in ["impact/subjects", "whatif", &sample] {
                let refused = audit.post(&format!("/api/v1/{path}"), body);
                assert_eq!(refused.status, 422, "{path}: {}", refused.text);
                answers.push_str(&refused.text);
            }
        }
        // Deeper, too, and in what everybody may choose.
        for body in [json!({"subjects": [one], "purpose": "purpose:scoring"}), json!({"subjects": [{one: 1}]})] {
            answers.push_str(&audit.post("/api/v1/impact/subjects", &body).text);
        }
        for withdrawal in [json!({"purpose": "purpose:scoring", "subjects": [one]}), json!({one: [one]}), json!(one)] {
            let refused = audit.post("/api/v1/whatif", &json!({"withdraw_consent": [withdrawal]}));
            assert_eq!(refused.status, 422, "{}", refused.text);
            answers.push_str(&refused.text);
        }
        let run = json!({"operation": "copy", "purpose": "purpose:scoring", "started_at": "2026-01-01T00:00:00Z"});
        ana.post_once("/api/v1/runs", one, &run).good();
        // No JSON at all, twice the same member, a number, another coding.
        let twice = format!("{{\"{one}\": 1, \"{one}\": 2}}");
        let number = format!(
            "{{\"subject\": {}}}",
            one.bytes().filter(u8::is_ascii_digit).fold(0u64, |n, b| n % 1_000_000_007 * 10 + u64::from(b - b'0'))
        );
        let other = [b"{\"subject\": \"\xff", one.as_bytes(), b"\"}"].concat();
        for body in [one.as_bytes(), twice.as_bytes(), number.as_bytes(), &other, &[b"\"", one.as_bytes()].concat()] {
            for (client, path) in [
                (&ana, "consent-records"),
                (&ana, "consent-batches"),
                (&audit, "subjects/records"),
                (&audit, "subjects/view"),
                (&audit, "subjects/erasures"),
                (&audit, "subjects/proofs"),
                (&audit, "impact/subjects"),
                (&audit, "whatif"),
                (&audit, &sample),
            ] {
                let kind = if path == "consent-batches" { lines[0].1 } else { "application/json" };
                let path = format!("/api/v1/{path}");
                let refused = client.send("POST", &path, &[("content-type", kind)], Some(body));
                assert!(refused.status < 500 && !refused.text.contains("\"created\":1"), "{}", refused.text);
                answers.push_str(&refused.text);
            }
        }
        answers.push_str(&audit.get(&format!("/api/v1/subjects/{}", encode(one))).text);
        let (_, out, said) = licit(&ana, &["consent", "withdraw", "--subject", one, "--purpose", "scoring"]);
        answers.push_str(&format!("{out}{said}"));
    }
    // The right way, too: what a person said is in no place but the tables of what people said.
    ana.post("/api/v1/consent-records", &super::said(1, 1, "given", "2026-01-05T10:00:00Z")).good();
    let spoken = super::pseudonym("k1", 1).rsplit('.').next().unwrap().to_owned();

    let metrics = audit.get("/metrics").text;
    let ledger = audit.get("/api/v1/ledger/entries?from=1&limit=1000").text;
    assert!(
        metrics.contains("/batches/{seq}") && ledger.contains("members.loaded"),
        "the places looked at are the right ones"
    );
    let database = kept(&db);
    assert!(holds(&database, "members.loaded"), "the database was read");
    let known = Digest::of(&1u32.to_le_bytes());
    assert!(!db.is_postgres() || holds(&database, &hex(known.as_bytes())), "bytes would be found if they were there");
    let log = server.said();
    assert!(log.contains("/batches/{seq}"), "the log was read");
    assert!(log.contains("/consent-records") && metrics.contains("/subjects/erasures"), "the new places, too");
    for (place, text) in [("ledger", &ledger), ("metrics", &metrics), ("log", &log)] {
        assert!(!text.contains(&spoken), "who spoke is in the {place}");
    }
    // Pseudonyms are personal data, too: they stand in erasable tables and nowhere else.
    let pseudonyms: Vec<&str> = answers.lines().filter(|line| line.starts_with("p1.crm-1.")).collect();
    assert_eq!(pseudonyms.len(), 2, "{answers}");
    for pseudonym in pseudonyms {
        let hash = pseudonym.rsplit('.').next().unwrap();
        for (place, text) in [("ledger", &ledger), ("metrics", &metrics), ("log", &log)] {
            assert!(!text.contains(hash), "a pseudonym is in the {place}");
        }
    }
    for one in PEOPLE {
        let local = one.split('@').next().unwrap();
        for (place, bytes) in [
            ("database", &database[..]),
            ("ledger", ledger.as_bytes()),
            ("metrics", metrics.as_bytes()),
            ("log", log.as_bytes()),
            ("answers", answers.as_bytes()),
        ] {
            assert!(!holds(bytes, local), "`{one}` is in the {place}");
        }
    }
}
