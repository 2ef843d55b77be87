//! Who may: tokens, their ends, their revocation, and names that stay out of the ledger.

use harness::{Client, Scenario, TestServer};
use serde_json::json;

use crate::support::{entries, faults, head, pages};

fn token(server: &TestServer, body: &serde_json::Value) -> harness::Answer {
    server.admin().post("/api/v1/tokens", body)
}

#[test]
fn a_token_says_who_holds_it() {
    let s = Scenario::empty();
    let me = s.bea.get("/api/v1/whoami").good();
    assert_eq!(
        (me["name"].as_str(), me["kind"].as_str(), &me["roles"]),
        (Some("Bea"), Some("person"), &json!(["reviewer"]))
    );
    assert_eq!(s.ci.get("/api/v1/whoami").good()["kind"], "service");
}

#[test]
fn a_secret_is_random_shown_once_and_kept_as_a_hash() {
    let s = Scenario::empty();
    let actor = s.ana.get("/api/v1/whoami").good()["actor"].clone();
    let mut secrets = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let made = token(&s.server, &json!({"actor": actor, "roles": ["viewer"], "label": "t"})).good();
        let secret = made["token"].as_str().unwrap().to_owned();
        assert_eq!(secret.len(), "licit_".len() + 64);
        assert!(secrets.insert(secret));
    }
    let listed = s.server.admin().get("/api/v1/tokens").text;
    let ledger = serde_json::to_string(&entries(&s.audit)).unwrap();
    let database = s.server.db.sql("SELECT doc FROM resource") + &s.server.db.sql("SELECT answer FROM idempotency");
    for secret in &secrets {
        let digits = secret.trim_start_matches("licit_");
        for text in [&listed, &ledger, &database] {
            assert!(!text.contains(digits));
        }
    }
    assert!(!listed.contains("secret"), "{listed}");
}

#[test]
fn a_revoked_token_opens_nothing_and_others_of_the_actor_go_on() {
    let s = Scenario::empty();
    let actor = s.ana.get("/api/v1/whoami").good()["actor"].clone();
    let made = token(&s.server, &json!({"actor": actor, "roles": ["viewer"], "label": "t"})).good();
    let other = Client::new(&s.server.url, made["token"].as_str());
    other.get("/api/v1/models").good();
    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(s.server.admin().send("DELETE", &path, &[], None).status, 204);
    other.get("/api/v1/models").problem(401);
    s.ana.get("/api/v1/models").good();
    let size = head(&s.audit).size;
    assert_eq!(s.server.admin().send("DELETE", &path, &[], None).status, 204);
    assert_eq!(head(&s.audit).size, size, "revoking again records nothing");
}

#[test]
fn an_end_lies_in_the_future_and_within_two_years() {
    let s = Scenario::empty();
    let actor = s.ana.get("/api/v1/whoami").good()["actor"].clone();
    for end in ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"] {
        let problem = token(&s.server, &json!({"actor": actor, "roles": ["viewer"], "label": "t", "expires_at": end}))
            .problem(422);
        assert!(faults(&problem).contains_key("#/expires_at"), "{problem}");
    }
}

#[test]
fn an_expired_token_opens_nothing() {
    let s = Scenario::empty();
    let actor = s.ana.get("/api/v1/whoami").good()["actor"].clone();
    let now: licit_schemas::time::Timestamp =
        serde_json::from_value(s.server.admin().get("/api/v1/actors").good()["items"][0]["at"].clone())
            .unwrap_or_else(|_| entries(&s.audit).last().unwrap().entry.at);
    let soon = licit_schemas::time::Timestamp::from_micros(now.micros() + 3_000_000).unwrap();
    let made = token(&s.server, &json!({"actor": actor, "roles": ["viewer"], "label": "t", "expires_at": soon})).good();
    let client = Client::new(&s.server.url, made["token"].as_str());
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while client.get("/api/v1/whoami").status != 401 {
        assert!(std::time::Instant::now() < end, "it is still in force");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

#[test]
fn a_service_has_a_person_and_casts_no_votes() {
    let s = Scenario::empty();
    let admin = s.server.admin();
    let person = s.ana.get("/api/v1/whoami").good()["actor"].clone();
    let service = s.ci.get("/api/v1/whoami").good()["actor"].clone();
    for (body, pointer) in [
        (json!({"kind": "service", "name": "x"}), "#/responsible"),
        (
            json!({"kind": "service", "name": "x", "responsible": "01939f00-0000-7000-8000-000000000000"}),
            "#/responsible",
        ),
        (json!({"kind": "service", "name": "x", "responsible": service}), "#/responsible"),
        (json!({"kind": "person", "name": "x", "responsible": person}), "#/responsible"),
        (json!({"kind": "robot", "name": "x"}), "#/kind"),
    ] {
        assert!(faults(&admin.post("/api/v1/actors", &body).problem(422)).contains_key(pointer), "{body}");
    }
    for role in ["reviewer", "dpo", "works_council"] {
        let problem =
            token(&s.server, &json!({"actor": service, "roles": ["viewer", role], "label": "t"})).problem(422);
        assert!(faults(&problem).contains_key("#/roles/1"), "{problem}");
    }
    for (body, pointer) in [
        (json!({"actor": person, "roles": [], "label": "t"}), "#/roles"),
        (json!({"actor": person, "roles": ["god"], "label": "t"}), "#/roles/0"),
        (json!({"actor": "01939f00-0000-7000-8000-000000000000", "roles": ["viewer"], "label": "t"}), "#/actor"),
    ] {
        assert!(faults(&token(&s.server, &body).problem(422)).contains_key(pointer), "{body}");
    }
}

#[test]
fn names_are_listed_and_in_no_entry() {
    let s = Scenario::empty();
    s.server.person("Zoé Undiscoverable", &["viewer"]);
    let listed = pages(&s.ana, "/api/v1/actors", 2);
    assert_eq!(listed.iter().filter(|a| a["name"] == "Zoé Undiscoverable").count(), 1);
    let ledger = serde_json::to_string(&entries(&s.audit)).unwrap();
    let rows = s.server.db.sql("SELECT doc, search, name FROM resource");
    for name in ["Zoé", "Undiscoverable", "Bea", "Carl", "Dora", "Aude"] {
        assert!(!ledger.contains(name), "{name} is in the ledger");
        assert!(!rows.contains(name), "{name} is in the projection");
    }
}

#[test]
fn an_erased_name_and_comment_leave_everything_else() {
    let s = Scenario::running();
    let comment = "Ana asked me on the phone.";
    let review = json!({"title": "Again", "subjects": [{"ref": "purpose:scoring"}], "comment": comment});
    let id = s.bea.post("/api/v1/reviews", &review).good()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/reviews/{id}");
    let view = s.audit.get(&path).good();
    assert!(view.to_string().contains(comment), "{view:#}");
    let digest = view["review"]["spec"]["comment_digest"].as_str().unwrap().to_owned();
    let before = head(&s.audit);
    let me = s.bea.get("/api/v1/whoami").good()["actor"].as_str().unwrap().to_owned();

    let (name, note) = (format!("/api/v1/actors/{me}/name"), format!("/api/v1/comments/{digest}"));
    s.bea.send("DELETE", &name, &[], None).problem(403);
    s.server.admin().send("DELETE", "/api/v1/actors/01939f00-0000-7000-8000-000000000000/name", &[], None).problem(404);
    s.server.admin().send("DELETE", "/api/v1/comments/nonsense", &[], None).problem(404);
    // Said twice, done once.
    for _ in 0..2 {
        s.server.admin().send("DELETE", &name, &[], None).good();
        s.dora.send("DELETE", &note, &[], None).good();
    }
    assert_eq!(s.bea.get("/api/v1/whoami").good()["name"], json!(null));
    assert!(!s.audit.get(&path).good().to_string().contains(comment));
    assert_eq!(head(&s.audit), before, "no proof is touched");
    crate::support::verified(&s.audit);
    assert_eq!(s.dry("continue")["verdict"], "allow");
    let db = s.server.kill();
    crate::support::rebuilds(&db);
    if let Some(file) = db.url.strip_prefix("sqlite://") {
        for suffix in ["", "-wal"] {
            let bytes = std::fs::read(format!("{file}{suffix}")).unwrap_or_default();
            let left = bytes.windows(comment.len()).any(|w| w == comment.as_bytes());
            // The log of writes is gone once the database was opened and closed by the check.
            assert!(!left, "the comment is still in {file}{suffix}");
        }
    }
}
