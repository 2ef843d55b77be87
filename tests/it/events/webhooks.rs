//! Receivers: signed, in order, tried again, given up, told on request, and never from within a write.

use std::collections::BTreeSet;
use std::sync::Arc;

use harness::receiver::{Receiver, wait};
use harness::scenario::party;
use harness::{Client, Scenario, TestDatabase, TestServer};
use licit_server::events::sign::signature;
use serde_json::{Value, json};

use super::{shown, subscribe, told};
use crate::support::{faults, licit, rebuilds};

fn parties(s: &Scenario, names: &[&str]) {
    for name in names {
        s.add("parties", party(name));
    }
}

#[test]
fn a_receiver_is_told_in_order_and_can_tell_who_speaks() {
    let s = told("0");
    parties(&s, &["before"]);
    let receiver = Receiver::start();
    let (id, secret) = subscribe(&s, &receiver.url, &["party.*"]);
    s.add("models", json!({"name": "not-wanted"}));
    parties(&s, &["one", "two", "three"]);
    let posted = receiver.wait(3);
    let subjects: Vec<Value> = posted.iter().map(|p| p.json()["subject"].clone()).collect();
    assert_eq!(subjects, ["party:one", "party:two", "party:three"]);
    let mut before = 0;
    for one in &posted {
        assert!(one.seq() > before);
        before = one.seq();
        assert_eq!(one.header("content-type"), "application/cloudevents+json; charset=utf-8");
        assert_eq!(one.header("webhook-id"), format!("evt_{}", one.seq()));
        let time = one.header("webhook-timestamp").parse().unwrap();
        let own = signature(&secret, one.header("webhook-id"), time, one.body.as_bytes()).unwrap();
        assert_eq!(one.header("webhook-signature"), own);
        let event = one.json();
        assert_eq!((&event["specversion"], &event["source"]), (&json!("1.0"), &json!("urn:licit")));
        let entry = s.audit.get(&format!("/api/v1/ledger/entries/{}", one.seq())).good();
        assert_eq!((&event["data"], &event["time"]), (&entry["data"], &entry["entry"]["at"]));
    }
    wait(|| (shown(&s, &id)["position"] == before).then_some(()));
    // Nobody sees the secret again, and the ledger has neither it nor the address.
    let digits = secret.trim_start_matches("whsec_");
    let seen = s.server.admin().get("/api/v1/webhooks").text
        + &s.audit.get("/api/v1/ledger/entries?limit=1000").text
        + &shown(&s, &id).to_string();
    assert!(!seen.contains(digits), "{seen}");
    assert!(!s.audit.get("/api/v1/ledger/entries?limit=1000").text.contains("/hook"));
    rebuilds(&s.server.db);
    // Deleted, it is told no more, and nothing of it is kept.
    s.server.admin().send("DELETE", &format!("/api/v1/webhooks/{id}"), &[], None).good();
    s.server.admin().get(&format!("/api/v1/webhooks/{id}")).problem(404);
    assert_eq!(s.server.db.sql("SELECT count(*) FROM webhook").trim(), "0");
    rebuilds(&s.server.db);
}

#[test]
fn what_fails_is_tried_again_then_given_up_then_delivered_on_request() {
    let s = told("0,0");
    let receiver = Receiver::start();
    let (id, _) = subscribe(&s, &receiver.url, &["party.registered"]);
    receiver.answers(500);
    parties(&s, &["one"]);
    wait(|| (shown(&s, &id)["dead"] == 1).then_some(()));
    let posted = receiver.posted();
    assert_eq!(posted.len(), 3, "once, and again after each pause");
    assert_eq!(posted.iter().map(|p| p.header("webhook-id").to_owned()).collect::<BTreeSet<_>>().len(), 1);
    let path = format!("/api/v1/webhooks/{id}/deliveries");
    let dead = s.server.admin().get(&format!("{path}?state=dead")).good()["items"][0].clone();
    assert_eq!(
        (&dead["seq"], &dead["attempts"], &dead["status"], &dead["error"]),
        (&json!(posted[0].seq()), &json!(3), &json!(500), &json!("answered 500"))
    );
    assert_eq!(s.server.admin().get(&format!("{path}?state=waiting")).good()["items"], json!([]));
    // A redirect is not followed, and later events go on past one that fails.
    receiver.answers(302);
    parties(&s, &["two"]);
    wait(|| (shown(&s, &id)["dead"] == 2).then_some(()));
    receiver.answers(200);
    parties(&s, &["three"]);
    wait(|| receiver.posted().iter().find(|p| p.json()["subject"] == "party:three").cloned());
    assert_eq!(shown(&s, &id)["dead"], 2);
    let before = receiver.posted().len();
    s.server.admin().post(&format!("/api/v1/webhooks/{id}/redeliveries"), &json!({})).good();
    wait(|| (shown(&s, &id)["dead"] == 0 && shown(&s, &id)["waiting"] == 0).then_some(()));
    let again: Vec<Value> = receiver.wait(before + 2)[before..].iter().map(|p| p.json()["subject"].clone()).collect();
    assert_eq!(again, ["party:one", "party:two"]);
    // What arrived can be asked for, too; what is not there yet cannot.
    let seq = receiver.posted()[0].seq();
    s.server.admin().post(&format!("/api/v1/webhooks/{id}/redeliveries"), &json!({"seq": seq})).good();
    assert_eq!(receiver.wait(before + 3)[before + 2].seq(), seq);
    let problem =
        s.server.admin().post(&format!("/api/v1/webhooks/{id}/redeliveries"), &json!({"seq": 99999})).problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "#/seq");
}

#[test]
fn what_was_committed_before_a_kill_is_delivered_after_it() {
    let s = told("0");
    let receiver = Receiver::start();
    let (id, _) = subscribe(&s, &receiver.url, &["party.registered"]);
    for n in 0..20 {
        s.add("parties", party(&format!("p{n}")));
    }
    let db = s.server.kill();
    let again = TestServer::with(db.clone(), &["--webhooks-allow-private", "--webhooks-retry", "0"]);
    let wanted: BTreeSet<String> = (0..20).map(|n| format!("party:p{n}")).collect();
    wait(|| {
        let told: BTreeSet<String> =
            receiver.posted().iter().map(|p| p.json()["subject"].as_str().unwrap().to_owned()).collect();
        (told == wanted).then_some(())
    });
    assert_eq!(again.admin().get(&format!("/api/v1/webhooks/{id}")).good()["dead"], 0);
    rebuilds(&db);
}

#[test]
fn two_servers_tell_each_event_once() {
    let s = told("0");
    let two = TestServer::with(s.server.db.clone(), &["--webhooks-allow-private", "--webhooks-retry", "0"]);
    let receiver = Receiver::start();
    let (id, _) = subscribe(&s, &receiver.url, &["party.registered"]);
    let ana = Client::new(&two.url, s.ana.token.as_deref());
    for n in 0..10 {
        s.add("parties", party(&format!("a{n}")));
        ana.post("/api/v1/parties", &party(&format!("b{n}"))).good();
    }
    let last = crate::support::head(&s.audit).size;
    wait(|| (shown(&s, &id)["position"] == last).then_some(()));
    let seqs: Vec<u64> = receiver.posted().iter().map(harness::receiver::Posted::seq).collect();
    assert_eq!((seqs.len(), seqs.iter().collect::<BTreeSet<_>>().len()), (20, 20), "{seqs:?}");
    assert!(seqs.is_sorted(), "{seqs:?}");
}

#[test]
fn nothing_is_posted_into_the_network_the_server_stands_in() {
    let server = TestServer::on(Arc::new(TestDatabase::new()));
    let refused = |body: Value| faults(&server.admin().post("/api/v1/webhooks", &body).problem(422));
    for url in [
        "http://127.0.0.1:9/",
        "http://localhost/",
        "http://[::1]/",
        "http://10.1.2.3/",
        "http://169.254.169.254/latest",
    ] {
        let said = refused(json!({ "url": url }));
        assert!(said["#/url"].contains("--webhooks-allow-private"), "{url}: {said:?}");
    }
    for url in ["ftp://192.0.2.1/", "https://a:b@192.0.2.1/", "urn:x:y"] {
        assert!(refused(json!({ "url": url })).contains_key("#/url"), "{url}");
    }
    let good = "https://192.0.2.1/";
    assert!(refused(json!({"url": good, "kinds": ["gap.*", "gaps.*"]}))["#/kinds/1"].contains("means no kind"));
    assert!(refused(json!({"url": good, "kinds": ["Gap"]})).contains_key("#/kinds/0"));
    assert!(refused(json!({"url": good, "secret": format!("whsec_{}", "A".repeat(33))})).contains_key("#/secret"));
    assert_eq!(server.admin().get("/api/v1/webhooks").good()["items"], json!([]));
}

#[test]
fn the_command_line_manages_receivers() {
    let s = told("0");
    let (admin, receiver) = (s.server.admin(), Receiver::start());
    let run = |args: &[&str]| {
        let (code, out, err) = licit(&admin, args);
        assert_eq!(code, 0, "{args:?}: {out}{err}");
        out
    };
    let out = run(&["webhook", "create", &receiver.url, "--kind", "party.*", "--description", "Tests.", "--json"]);
    let created: Value = serde_json::from_str(&out).unwrap();
    let id = created["id"].as_str().unwrap();
    receiver.answers(500);
    parties(&s, &["one"]);
    wait(|| (shown(&s, id)["dead"] == 1).then_some(()));
    assert!(run(&["webhook", "list"]).contains("party.*"));
    assert!(run(&["webhook", "show", id]).contains("Tests."));
    assert!(run(&["webhook", "deliveries", id, "--state", "dead"]).contains("answered 500"));
    receiver.answers(200);
    run(&["webhook", "redeliver", id]);
    wait(|| (shown(&s, id)["dead"] == 0 && shown(&s, id)["waiting"] == 0).then_some(()));
    run(&["webhook", "delete", id]);
    assert!(run(&["webhook", "list"]).contains("nothing found"));
}
