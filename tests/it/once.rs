//! Under one idempotency key nothing is made twice, and no secret is kept to be told again.

use harness::Scenario;
use harness::client::Client;
use harness::scenario::{ZEROS, in_days};
use licit_server::routes::ROUTES;
use serde_json::{Value, json};

use crate::consent::{key, pseudonym, said};

#[track_caller]
fn twice(client: &Client, path: &str, body: &Value) -> Value {
    let first = client.post_once(path, "step-7", body).good();
    assert_eq!(client.post_once(path, "step-7", body).good(), first, "{path}");
    first
}

#[test]
fn a_retry_gets_the_first_answer() {
    let s = Scenario::running();
    s.add("subject-keys", key("k1", "crm", ZEROS));
    let load = json!({"dataset_version": "dataset:crm/people@1", "kid": "k1", "fingerprint": ZEROS});
    let begun = twice(&s.ana, "/api/v1/member-loads", &load);
    s.ana.post_once("/api/v1/member-loads", "step-7", &json!({"dataset_version": "dataset:crm/people@1"})).problem(422);
    assert!(begun["id"].is_string(), "{begun}");
    let record = said(0, 1, "given", "2026-01-05T10:00:00Z");
    assert_eq!(twice(&s.ana, "/api/v1/consent-records", &record)["outcome"], "created");
    let deployment = s.ci.resolve("deployment:score-prod")["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/deployments/{deployment}/suppressions/acknowledgements");
    let position = s.audit.get("/api/v1/ledger/head").good()["size"].clone();
    twice(&s.ci, &path, &json!({"position": position}));
    let acknowledged = crate::gate::parts::facts(&s, "suppression.acknowledged");
    assert_eq!(acknowledged, 1);
    // Whoever is erased is in no request that is kept.
    let kept = || s.server.db.sql("SELECT count(*) FROM idempotency WHERE route LIKE '%consent-records'");
    assert_eq!(kept().trim(), "1");
    s.dora.post("/api/v1/subjects/erasures", &json!({"subject": pseudonym("k1", 0)})).good();
    assert_eq!(kept().trim(), "0");
}

#[test]
fn what_has_a_secret_is_made_once_and_named_to_who_asks_again() {
    let s = crate::events::told("0");
    let admin = s.server.admin();
    let actor = s.ci.get("/api/v1/whoami").good()["actor"].clone();
    let token = json!({"actor": actor, "roles": ["viewer"], "label": "nightly", "expires_at": in_days(12)});
    let receiver = harness::receiver::Receiver::start();
    let hook = json!({"url": receiver.url, "kinds": ["party.*"]});
    for (path, body, secret) in [("/api/v1/tokens", token, "token"), ("/api/v1/webhooks", hook, "secret")] {
        let before = list(&admin, path).len();
        let first = admin.post_once(path, "step-7", &body).good();
        let problem = admin.post_once(path, "step-7", &body).problem(409);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(first["id"].as_str().unwrap()) && detail.contains("shown once"), "{problem:#}");
        assert!(!problem.to_string().contains(first[secret].as_str().unwrap()), "{problem:#}");
        assert_eq!(list(&admin, path).len(), before + 1, "{path}");
        let kept = s.server.db.sql("SELECT answer FROM idempotency");
        assert!(!kept.contains(first[secret].as_str().unwrap()), "{kept}");
        // What was made can be taken back by that name, and another made under another key.
        let taken = admin.send("DELETE", &format!("{path}/{}", first["id"].as_str().unwrap()), &[], None);
        assert_eq!(taken.status, 204, "{}", taken.text);
        admin.post_once(path, "step-8", &body).good();
    }
}

fn list(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).good()["items"].as_array().unwrap().clone()
}

#[test]
fn every_route_that_makes_something_with_an_id_takes_a_key() {
    let unkeyed: Vec<&str> =
        ROUTES.iter().filter(|route| route.id.starts_with("create_") && !route.keyed).map(|route| route.id).collect();
    // Nothing is made by a plan; a line of a batch is known by its own id; to deliver again is no new thing.
    assert_eq!(unkeyed, ["create_plan", "create_webhook_redelivery", "create_consent_batch"]);
}
