//! Bad input: each a problem that names the fault by pointer; nothing written, nothing broken.

mod bodies;
mod names;
mod requests;

use harness::scenario::{party, purpose};
use harness::{Answer, Client, TestDatabase};
use licit_schemas::ledger::TreeHead;
use serde_json::{Value, json};

use crate::support::{Program, faults, head, person};

const ADMIN: &str = "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd";

/// A server that is given rubbish, watched for what it writes and says.
struct Victim {
    program: Program,
    admin: Client,
    ana: Client,
    before: TreeHead,
    // Last: the schema on PostgreSQL can only be dropped when the server is gone.
    _db: TestDatabase,
}

impl Victim {
    fn new() -> Self {
        let db = TestDatabase::new();
        let program = Program::start(&db, &[], &[("LICIT_BOOTSTRAP_TOKEN", ADMIN)]);
        let admin = program.client(ADMIN);
        let ana = person(&admin, "Ana", &["registrar", "reviewer", "dpo", "releaser", "auditor"]);
        for (collection, body) in [
            ("parties", party("acme")),
            ("purposes", purpose("scoring")),
            ("datasets", json!({"namespace": "crm", "name": "people"})),
            ("models", json!({"name": "score"})),
        ] {
            ana.post(&format!("/api/v1/{collection}"), &body).good();
        }
        let before = head(&ana);
        Self { program, admin, ana, before, _db: db }
    }

    /// A body as bytes.
    #[track_caller]
    fn send(&self, collection: &str, body: &[u8]) -> Answer {
        let answer = self.ana.send("POST", &format!("/api/v1/{collection}"), &[], Some(body));
        self.untouched();
        answer
    }

    /// A document is refused with faults at these pointers and no other.
    #[track_caller]
    fn refuses(&self, collection: &str, body: &Value, pointers: &[&str]) -> Value {
        let problem = self.send(collection, body.to_string().as_bytes()).problem(422);
        let found = faults(&problem);
        assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), pointers, "{problem:#}");
        problem
    }

    /// Bytes are no document: the problem names the place.
    #[track_caller]
    fn malformed(&self, collection: &str, body: &[u8], pointer: &str) -> Value {
        let problem = self.send(collection, body).problem(400);
        assert!(faults(&problem).contains_key(pointer), "{pointer} in {problem:#}");
        problem
    }

    #[track_caller]
    fn untouched(&self) {
        assert_eq!(head(&self.ana), self.before, "something was written");
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.untouched();
        self.admin.get("/ready").good();
        let said = self.program.said();
        assert!(!said.contains("panicked") && !said.contains("request failed"), "{said}");
    }
}
