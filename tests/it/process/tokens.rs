//! The first administrator, and the one in place of a lost one.

use std::time::{Duration, Instant};

use harness::server::ADMIN;
use harness::{Client, TestDatabase, TestServer};

use serde_json::json;

use crate::support::{Program, entries, head, person};

fn shown(said: &str) -> Option<String> {
    let line = said.lines().find(|l| l.contains("administrator token"))?;
    Some(line.rsplit(' ').next().unwrap().to_owned())
}

#[test]
fn the_first_start_shows_one_token_once_and_no_later_start_does() {
    let db = TestDatabase::new();
    let first = Program::start(&db, &[], &[]);
    let token = shown(&first.said()).expect("the first start shows a token");
    assert_eq!(token.len(), "licit_".len() + 64);
    assert_eq!(first.client(&token).get("/api/v1/whoami").good()["roles"], serde_json::json!(["admin"]));
    assert_eq!(first.stop().0, 0);

    let second = Program::start(&db, &[], &[]);
    assert_eq!(shown(&second.said()), None);
    second.client(&token).get("/api/v1/whoami").good();
    second.stop();

    let third = Program::start(&db, &[], &[("LICIT_BOOTSTRAP_TOKEN", ADMIN)]);
    third.client(ADMIN).get("/api/v1/whoami").problem(401);
    let tokens = third.client(&token).get("/api/v1/tokens").good();
    assert_eq!(tokens["items"].as_array().unwrap().len(), 1);
}

#[test]
fn the_first_token_may_come_from_a_file_and_is_not_shown() {
    let db = TestDatabase::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("licit_{ADMIN}\n")).unwrap();
    let server = Program::start(&db, &[], &[("LICIT_BOOTSTRAP_TOKEN_FILE", file.path().to_str().unwrap())]);
    server.client(&format!("licit_{ADMIN}")).get("/api/v1/whoami").good();
    server.client(ADMIN).get("/api/v1/whoami").problem(401);
    assert!(!server.said().contains(ADMIN));
    assert_eq!(shown(&server.said()), None);
}

#[test]
fn a_revoked_first_token_does_not_bring_another() {
    let db = TestDatabase::new();
    let server = Program::start(&db, &[], &[("LICIT_BOOTSTRAP_TOKEN", ADMIN)]);
    let admin = server.client(ADMIN);
    let id = admin.get("/api/v1/tokens").good()["items"][0]["id"].as_str().unwrap().to_owned();
    admin.send("DELETE", &format!("/api/v1/tokens/{id}"), &[], None).good();
    admin.get("/api/v1/whoami").problem(401);
    server.stop();
    let again = Program::start(&db, &[], &[("LICIT_BOOTSTRAP_TOKEN", ADMIN)]);
    again.client(ADMIN).get("/api/v1/whoami").problem(401);
    assert_eq!(shown(&again.said()), None);
}

/// Until the server knows: other programs' facts reach it within its beat.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < end, "{what}: not within half a minute");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_lost_token_is_replaced_on_the_machine_while_the_server_runs() {
    let server = TestServer::start();
    let (code, stdout, stderr) = TestServer::run(&server.db, &["token", "create", "--label", "lost-admin"]);
    assert_eq!(code, 0, "{stderr}");
    let token = stdout.trim();
    assert!(token.starts_with("licit_") && !stderr.contains(token), "{stdout}{stderr}");
    let client = Client::new(&server.url, Some(token));
    eventually("the new token works", || client.get("/api/v1/whoami").status == 200);
    // It is a fact like any other, and the secret is in none.
    let auditor = person(&server.admin(), "Aude", &["auditor"]);
    let all = entries(&auditor);
    let issued =
        all.iter().filter(|e| e.entry.kind == "token.issued" && e.data["spec"]["label"] == "lost-admin").count();
    assert_eq!(issued, 1);
    assert!(!serde_json::to_string(&all).unwrap().contains(token.trim_start_matches("licit_")));
    let (code, _, stderr) = TestServer::run(&server.db, &["token", "create", "--label", "ana@acme.example"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("--label"), "{stderr}");
}

#[test]
fn a_token_revoked_on_one_server_is_refused_on_the_other() {
    let one = TestServer::start();
    let two = TestServer::on(one.db.clone());
    let eve = person(&one.admin(), "Eve", &["viewer"]);
    let elsewhere = Client::new(&two.url, eve.token.as_deref());
    eventually("the token works on the other", || elsewhere.get("/api/v1/whoami").status == 200);
    let mine = one.admin().get("/api/v1/tokens").good();
    let id = mine["items"][0]["id"].as_str().unwrap().to_owned();
    one.admin().send("DELETE", &format!("/api/v1/tokens/{id}"), &[], None).good();
    eve.get("/api/v1/whoami").problem(401);
    eventually("the token is refused on the other", || elsewhere.get("/api/v1/whoami").status == 401);
}

#[test]
fn a_token_revoked_on_one_server_changes_nothing_on_the_other_from_then_on() {
    let one = TestServer::start();
    let two = TestServer::on(one.db.clone());
    let mut taken = 0;
    // The other server hears of it within a second: asked at once, it must not go by what it heard.
    for n in 0..5 {
        let eve = person(&one.admin(), "Eve", &["registrar"]);
        let elsewhere = Client::new(&two.url, eve.token.as_deref());
        eventually("the token works on the other", || elsewhere.get("/api/v1/whoami").status == 200);
        let first = json!({"key": format!("kept{n}"), "name": "Kept", "region": "FR"});
        elsewhere.post_once("/api/v1/parties", "kept", &first).good();
        let mine = one.admin().get("/api/v1/tokens?limit=500").good();
        let id = mine["items"][0]["id"].as_str().unwrap().to_owned();
        one.admin().send("DELETE", &format!("/api/v1/tokens/{id}"), &[], None).good();
        let size = head(&one.admin()).size;
        let party = json!({"key": format!("lost{n}"), "name": "Lost", "region": "FR"});
        elsewhere.post("/api/v1/parties", &party).problem(401);
        // Nor is what it was answered before told again.
        elsewhere.post_once("/api/v1/parties", "kept", &first).problem(401);
        assert_eq!(head(&one.admin()).size, size);
        taken += usize::from(elsewhere.get("/api/v1/whoami").status == 401);
    }
    assert_eq!(taken, 5, "by taking the lock it learned of it");
}
