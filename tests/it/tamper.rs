//! Somebody with access to the database changes a row by hand: the check names it.

mod proofs;

use harness::{Scenario, TestDatabase, TestServer};
use serde_json::json;

use crate::support::rebuilds;

/// A registry at work, its server gone.
fn left_behind() -> std::sync::Arc<TestDatabase> {
    let s = Scenario::running();
    s.revoke("basis:scoring-contract", 0);
    s.audit.get("/api/v1/gaps").good();
    let db = s.server.kill();
    rebuilds(&db);
    db
}

/// After the statements, the check refuses and names the place.
#[track_caller]
fn named(statements: &[&str], words: &[&str]) {
    let db = left_behind();
    for statement in statements {
        db.sql(statement);
    }
    check(&db, words);
}

#[track_caller]
fn check(db: &TestDatabase, words: &[&str]) {
    let (code, stdout, said) = TestServer::run(db, &["rebuild", "--check"]);
    assert_eq!(code, 4, "{stdout}{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_head_that_is_gone() {
    named(&["DELETE FROM ledger_head"], &["the head is missing", "ledger_head"]);
}

#[test]
fn a_changed_document() {
    named(
        &["UPDATE resource SET doc = replace(doc, 'enforce', 'observe') WHERE kind = 'environment'"],
        &["environment:production", "doc"],
    );
}

#[test]
fn a_changed_state() {
    named(
        &["UPDATE resource SET state = 'granted' WHERE kind = 'approval' AND state = 'revoked' AND until_seq IS NULL"],
        &["approval", "state"],
    );
}

#[test]
fn a_changed_digest_name_owner_and_time() {
    named(
        &[
            "UPDATE resource SET digest = replace(digest, 'a', 'b'), owner = 'eve', name = 'x' WHERE kind = 'model'",
            "UPDATE resource SET valid_to = '2099-01-01 00:00:00' WHERE kind = 'approval'",
        ],
        &["model:score", "name", "owner", "digest", "approval", "valid_to"],
    );
}

#[test]
fn a_row_that_is_gone() {
    named(&["DELETE FROM resource WHERE kind = 'revocation'"], &["table resource", "revocation", "is missing"]);
}

#[test]
fn the_last_row_that_is_gone() {
    named(&["DELETE FROM resource WHERE kind = 'vote'"], &["table resource", "vote", "is missing"]);
}

#[test]
fn a_row_too_many() {
    named(
        &[
            "INSERT INTO resource SELECT 'approval', '00000000-0000-7000-8000-000000000001', reference, 'granted', name, owner, parent, \
           tags, search, digest, doc, actor, recorded_at, since_seq, NULL, valid_from, valid_to FROM resource WHERE kind = 'approval' \
           AND parent = 'basis:scoring-contract@1' AND until_seq IS NULL",
        ],
        &["table resource", "approval"],
    );
}

#[test]
fn history_made_undone() {
    named(&["UPDATE resource SET until_seq = NULL WHERE kind = 'release'"], &["release:score-prod@1", "until_seq"]);
}

#[test]
fn a_changed_edge() {
    named(
        &[
            "UPDATE lineage_edge SET cause = 'dataset:crm/harmless@1' WHERE cause = 'dataset:crm/people@1' AND kind = 'used'",
        ],
        &["table lineage_edge", "dataset:crm/harmless@1"],
    );
}

#[test]
fn an_edge_that_is_gone() {
    named(&["DELETE FROM lineage_edge WHERE kind = 'generated'"], &["table lineage_edge"]);
}

#[test]
fn changed_evidence() {
    let db = left_behind();
    db.sql(if db.is_postgres() { "UPDATE evidence SET body = '\\x00'" } else { "UPDATE evidence SET body = X'00'" });
    check(&db, &["table evidence", "is not what its digest says"]);
}

#[test]
fn evidence_that_is_gone() {
    named(&["DELETE FROM evidence"], &["table evidence", "of decision", "is missing"]);
}

#[test]
fn a_changed_comment() {
    let s = Scenario::running();
    let review = json!({"title": "Again", "subjects": [{"ref": "purpose:scoring"}], "comment": "Quite right."});
    s.bea.post("/api/v1/reviews", &review).good();
    let db = s.server.kill();
    rebuilds(&db);
    db.sql("UPDATE note SET text = 'Quite wrong.'");
    check(&db, &["table note", "is not what its digest says"]);
}

#[test]
fn a_changed_name_of_an_actor() {
    let s = Scenario::running();
    // An erased name is no fault.
    let carl = s.carl.get("/api/v1/whoami").good()["actor"].as_str().unwrap().to_owned();
    let erased = s.server.admin().send("DELETE", &format!("/api/v1/actors/{carl}/name"), &[], None);
    assert_eq!(erased.status, 204, "{}", erased.text);
    let bea = s.bea.get("/api/v1/whoami").good()["actor"].as_str().unwrap().to_owned();
    let db = s.server.kill();
    rebuilds(&db);
    db.sql("UPDATE actor_name SET name = 'Eve' WHERE name = 'Bea'");
    check(&db, &["table actor_name", &bea, "is not what its digest says"]);
    db.sql("UPDATE actor_name SET name = 'Bea' WHERE name = 'Eve'");
    rebuilds(&db);
    // Nor does a name of somebody pass whom the ledger does not know, or one without its salt.
    let empty = if db.is_postgres() { "''" } else { "x''" };
    db.sql(&format!("UPDATE actor_name SET salt = {empty} WHERE name = 'Bea'"));
    db.sql(&format!("INSERT INTO actor_name (actor, name, salt) VALUES ('{carl}0', 'Nobody', {empty})"));
    check(&db, &[&format!("the name of {bea} is not"), &format!("{carl}0 is in no entry")]);
}

#[test]
fn tables_that_are_not_what_the_ledger_says_are_made_anew_from_it() {
    let db = left_behind();
    db.sql("UPDATE resource SET doc = replace(doc, 'enforce', 'observe') WHERE kind = 'environment'");
    db.sql("DELETE FROM resource WHERE kind = 'revocation'");
    db.sql("DELETE FROM lineage_edge");
    check(&db, &["environment:production"]);
    let (code, stdout, said) = TestServer::run(&db, &["rebuild"]);
    assert_eq!(code, 0, "{stdout}{said}");
    rebuilds(&db);
    let server = TestServer::on(db);
    server.admin().get("/api/v1/lineage?ref=release:score-prod@1").good();
}

/// What a migration of the projection leaves behind.
#[test]
fn a_server_fills_tables_that_were_emptied() {
    let db = left_behind();
    db.sql("DELETE FROM resource");
    db.sql("DELETE FROM lineage_edge");
    TestServer::on(std::sync::Arc::clone(&db)).kill();
    rebuilds(&db);
}

#[test]
fn nothing_is_made_anew_from_a_ledger_that_does_not_hold() {
    let db = unlocked();
    db.sql("DELETE FROM ledger_entry WHERE seq = 7");
    let before = db.sql("SELECT count(*) FROM resource");
    let (code, stdout, said) = TestServer::run(&db, &["rebuild"]);
    assert_eq!(code, 4, "{stdout}{said}");
    assert!(said.contains("entry 7 is missing"), "{said}");
    assert_eq!(db.sql("SELECT count(*) FROM resource"), before);
}

/// The triggers out of the way, as the owner of a database can.
fn unlocked() -> std::sync::Arc<TestDatabase> {
    let db = left_behind();
    for table in ["ledger_entry", "ledger_hash"] {
        if db.is_postgres() {
            db.sql(&format!("DROP TRIGGER {table}_append_only ON {table}"));
        } else {
            db.sql(&format!("DROP TRIGGER {table}_no_update"));
            db.sql(&format!("DROP TRIGGER {table}_no_delete"));
        }
    }
    db
}

#[test]
fn changed_data_of_an_entry() {
    let db = unlocked();
    db.sql("UPDATE ledger_entry SET data = replace(data, 'approve', 'abstain') WHERE kind = 'vote.cast'");
    let seq = db.sql("SELECT min(seq) FROM ledger_entry WHERE kind = 'vote.cast'");
    check(&db, &[&format!("entry {}: its data are not those it commits to", seq.trim())]);
}

#[test]
fn a_changed_entry() {
    let db = unlocked();
    db.sql("UPDATE ledger_entry SET entry = replace(entry, 'vote.cast', 'vote.lost'), kind = 'vote.lost' WHERE kind = 'vote.cast'");
    check(&db, &["Merkle node", "the entries do not add up to the head's root"]);
}

#[test]
fn a_changed_column_of_an_entry() {
    let db = unlocked();
    db.sql("UPDATE ledger_entry SET actor = '00000000-0000-0000-0000-000000000000' WHERE seq = 5");
    check(&db, &["entry 5: its columns differ from what was hashed"]);
}

#[test]
fn an_entry_that_is_gone() {
    let db = unlocked();
    db.sql("DELETE FROM ledger_entry WHERE seq = 7");
    check(&db, &["entry 7 is missing"]);
}

#[test]
fn the_last_entry_that_is_gone() {
    let db = unlocked();
    db.sql("DELETE FROM ledger_entry WHERE seq = (SELECT max(seq) FROM ledger_entry)");
    check(&db, &["the head says"]);
}

#[test]
fn a_changed_merkle_node() {
    let db = unlocked();
    db.sql("UPDATE ledger_hash SET hash = (SELECT hash FROM ledger_hash WHERE idx = 0) WHERE idx = 4");
    check(&db, &["Merkle node 4 is not what the entries make"]);
}

#[test]
fn a_merkle_node_that_is_gone() {
    let db = unlocked();
    db.sql("DELETE FROM ledger_hash WHERE idx = 3");
    check(&db, &["Merkle node 3"]);
}

#[test]
fn a_changed_head() {
    named(&["UPDATE ledger_head SET size = size - 1"], &["the head says"]);
    named(&["UPDATE ledger_head SET root = (SELECT hash FROM ledger_hash WHERE idx = 0)"], &["head's root"]);
}

#[test]
fn a_server_does_not_start_on_a_broken_tree() {
    let db = left_behind();
    db.sql("UPDATE ledger_head SET root = (SELECT hash FROM ledger_hash WHERE idx = 0)");
    let (code, said) = crate::support::refused(&["--database-url", &db.url], &[]);
    assert_eq!(code, 1);
    assert!(said.contains("rebuild --check"), "{said}");
}

#[test]
fn the_ledger_takes_no_update_and_no_delete() {
    let db = left_behind();
    let before = db.sql("SELECT count(*), min(kind), max(data) FROM ledger_entry");
    let mut statements = vec![
        "UPDATE ledger_entry SET data = '{}'",
        "UPDATE ledger_entry SET kind = kind WHERE seq = 1",
        "DELETE FROM ledger_entry",
        "DELETE FROM ledger_entry WHERE seq = 1",
        "UPDATE ledger_hash SET idx = idx + 1000000",
        "DELETE FROM ledger_hash WHERE idx = 0",
        "INSERT INTO ledger_entry SELECT * FROM ledger_entry WHERE seq = 1 ON CONFLICT (seq) DO UPDATE SET data = '{}'",
    ];
    if db.is_postgres() {
        statements.extend(["TRUNCATE ledger_entry", "TRUNCATE ledger_hash"]);
    } else {
        statements.extend([
            "INSERT OR REPLACE INTO ledger_entry SELECT seq, kind, version, at, actor, entry, '{}' FROM ledger_entry WHERE seq = 1",
            "INSERT OR REPLACE INTO ledger_hash SELECT idx, zeroblob(32) FROM ledger_hash WHERE idx = 0",
        ]);
    }
    for statement in statements {
        let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| db.sql(statement)));
        let said = refused.err().unwrap_or_else(|| panic!("taken: {statement}"));
        let said = said.downcast_ref::<String>().unwrap();
        assert!(said.contains("append-only"), "{statement}: {said}");
    }
    assert_eq!(db.sql("SELECT count(*), min(kind), max(data) FROM ledger_entry"), before);
    rebuilds(&db);
}
