use harness::Scenario;
use harness::scenario::ZEROS;
use serde_json::json;

use super::{key, wanted, with_key};

const ONES: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

#[test]
fn a_key_is_known_by_its_fingerprint_until_it_is_retired() {
    let s = Scenario::empty();
    let first = s.ana.post("/api/v1/subject-keys", &key("k1", "crm", ZEROS));
    assert_eq!(first.status, 201);
    let first = first.good();
    assert_eq!((&first["state"], &first["scope"], &first["kid"]), (&json!("active"), &json!("crm"), &json!("k1")));
    let again = s.ana.post("/api/v1/subject-keys", &key("k1", "crm", ZEROS));
    assert_eq!((again.status, &again.good()["id"]), (200, &first["id"]), "the same key is the same");
    s.add("subject-keys", key("k2", "crm", ONES));

    // Before the key is retired somebody noted the position.
    let before = s.audit.get("/api/v1/ledger/head").good()["size"].as_u64().unwrap();
    let path = format!("/api/v1/subject-keys/{}", first["id"].as_str().unwrap());
    assert_eq!(s.ana.send("DELETE", &path, &[], None).status, 204);
    let size = s.audit.get("/api/v1/ledger/head").good()["size"].clone();
    assert_eq!(s.ana.send("DELETE", &path, &[], None).status, 204, "said again");
    assert_eq!(s.audit.get("/api/v1/ledger/head").good()["size"], size, "and recorded once");
    let states = |query: &str| -> Vec<String> {
        let page = s.dora.get(&format!("/api/v1/subject-keys{query}")).good();
        page["items"].as_array().unwrap().iter().map(|k| k["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(""), ["retired", "active"]);
    assert_eq!(states(&format!("?known_at={before}")), ["active", "active"], "as it was known then");
    crate::support::rebuilds(&s.server.db);
}

#[test]
fn an_id_names_one_key_and_a_key_has_one_scope() {
    let s = with_key();
    // The same id in another scope, or for another key; the same key under another id.
    for other in [key("k1", "web", ZEROS), key("k1", "crm", ONES), key("k9", "web", ZEROS)] {
        s.ana.post("/api/v1/subject-keys", &other).problem(409);
    }
    let mut another = wanted("1");
    another["fingerprint"] = json!(ONES);
    let refused = s.ana.post("/api/v1/member-loads", &another).problem(422);
    assert_eq!(refused["errors"][0]["pointer"], "#/fingerprint", "another key under the same id makes other people");
    another["kid"] = json!("k7");
    assert_eq!(s.ana.post("/api/v1/member-loads", &another).problem(422)["errors"][0]["pointer"], "#/kid");
}

#[test]
fn nothing_is_loaded_under_a_retired_key() {
    let s = with_key();
    let load = super::begin(&s.ana, "1");
    super::put(&s.ana, &load, 1, &super::lines("k1", 0..3)).good();
    let id = s.ana.get("/api/v1/subject-keys").good()["items"][0]["id"].as_str().unwrap().to_owned();
    s.ana.send("DELETE", &format!("/api/v1/subject-keys/{id}"), &[], None);
    s.ana.post("/api/v1/member-loads", &wanted("1")).problem(409);
    super::put(&s.ana, &load, 2, &super::lines("k1", 3..6)).problem(409);
    super::finish(&s.ana, &load, 1, 3).problem(409);
    super::members(&s, &s.ana, "1").problem(404);
    s.ana.post("/api/v1/subject-keys", &key("k1", "crm", ONES)).problem(409);
}
