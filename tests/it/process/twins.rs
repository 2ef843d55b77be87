//! Two servers on one database.

use harness::scenario::{party, purpose};
use harness::{Client, Scenario, TestServer};
use serde_json::json;

use crate::support::{head, rebuilds, registration, verified};

#[test]
fn each_sees_what_the_other_wrote() {
    let s = Scenario::running();
    let two = TestServer::on(s.server.db.clone());
    let ana = Client::new(&two.url, s.ana.token.as_deref());
    s.add("models", json!({"name": "here"}));
    // Operations and walks stand on what is in the ledger, whoever wrote it.
    let version = json!({"model": "model:here", "version": "1", "kind": "built", "files": [{"path": "m", "digest": harness::scenario::ZEROS}]});
    ana.post("/api/v1/model-versions", &version).good();
    assert_eq!(s.ana.resolve("model:here@1")["spec"], version);
    let walk = |client: &Client| client.get("/api/v1/lineage?ref=release:score-prod@1").good();
    assert_eq!(walk(&s.ana), walk(&ana));
    assert_eq!(s.add("model-versions", version)["outcome"], "unchanged");
    // The gate, too: a revocation on the one refuses on the other.
    let bea = Client::new(&two.url, s.bea.token.as_deref());
    bea.post("/api/v1/revocations", &json!({"ref": "basis:scoring-contract", "reason": "it ended"})).good();
    assert_eq!(s.dry("start")["verdict"], "deny");
    assert_eq!(head(&s.ana), head(&ana));
}

#[test]
fn both_write_at_once_into_one_order() {
    let s = Scenario::empty();
    s.add("parties", party("acme"));
    s.add("purposes", purpose("scoring"));
    let two = TestServer::on(s.server.db.clone());
    let before = head(&s.audit).size;
    let each = 15;
    std::thread::scope(|scope| {
        for (name, url) in [("a", &s.server.url), ("b", &s.server.url), ("c", &two.url), ("d", &two.url)] {
            let client = Client::new(url, s.ana.token.as_deref());
            scope.spawn(move || {
                for n in 0..each {
                    client.post("/api/v1/registrations", &registration(&format!("{name}{n}"))).good();
                }
            });
        }
    });
    let entries = verified(&s.audit);
    assert_eq!(entries.len() as u64, before + 4 * each * 5);
    rebuilds(&s.server.db);
}

#[test]
fn two_that_start_together_on_an_empty_database_make_one_administrator() {
    let db = std::sync::Arc::new(harness::TestDatabase::new());
    let servers = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..2).map(|_| scope.spawn(|| TestServer::on(db.clone()))).collect();
        starts.into_iter().map(|s| s.join().unwrap()).collect::<Vec<_>>()
    });
    for server in &servers {
        server.admin().get("/ready").good();
    }
    let tokens = servers[0].admin().get("/api/v1/tokens").good();
    assert_eq!(tokens["items"].as_array().unwrap().len(), 1, "{tokens:#}");
    rebuilds(&db);
}
