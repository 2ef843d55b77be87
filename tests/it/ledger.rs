//! The signed ledger: checkpoints, keys and their rotation, tiles, exports, monitors.

mod commands;
mod flips;
mod keys;
mod signing;
mod tiles;

use harness::{Client, TestDatabase};
use licit_schemas::proof::checkpoint::SignedCheckpoint;
use licit_schemas::proof::ring::KeyRing;

/// The signed checkpoint of a server.
#[track_caller]
pub(crate) fn checkpoint(client: &Client) -> SignedCheckpoint {
    let answer = client.get("/log/checkpoint");
    answer_is(&answer, "text/plain; charset=utf-8");
    SignedCheckpoint::parse(answer.text.as_bytes()).unwrap_or_else(|e| panic!("{e}: {}", answer.text))
}

/// Name and keys of a ledger.
#[track_caller]
pub(crate) fn ring(client: &Client) -> KeyRing {
    serde_json::from_value(client.get("/api/v1/ledger/keys").good()).unwrap()
}

#[track_caller]
fn answer_is(answer: &harness::Answer, content_type: &str) {
    assert_eq!((answer.status, answer.header("content-type")), (200, Some(content_type)), "{}", answer.text);
}

/// The triggers out of the way, as the owner of a database can.
fn unlock(db: &TestDatabase) {
    for table in ["ledger_entry", "ledger_hash", "ledger_checkpoint"] {
        if db.is_postgres() {
            db.sql(&format!("DROP TRIGGER {table}_append_only ON {table}"));
        } else {
            for what in ["update", "delete", "replace"] {
                db.sql(&format!("DROP TRIGGER {table}_no_{what}"));
            }
        }
    }
}
