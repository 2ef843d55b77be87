//! Whose data it is: keys of subjects, loads of members, and what is never seen of them.

mod bad_input;
mod checkpoints;
mod children;
mod command;
mod commands;
pub(crate) mod covered;
mod erased;
mod histories;
mod keys;
mod loads;
mod nowhere;
mod objected;
mod person;
pub(crate) mod proofs;
mod remedies;
mod said;
mod supposed;
mod suppressed;

use harness::scenario::{ZEROS, party, people, purpose};
use harness::{Answer, Client, Scenario};
use licit_schemas::digest::Digest;
use licit_schemas::subjects::Pseudonym;
use serde_json::{Value, json};

/// Pseudonyms of people by number, as a batch.
pub(crate) fn lines(kid: &str, people: std::ops::Range<u32>) -> String {
    let hash = |n: u32| *Digest::of(&n.to_le_bytes()).as_bytes();
    people.map(|n| format!("\"{}\"\n", Pseudonym::new(kid.parse().unwrap(), hash(n)))).collect()
}

/// The pseudonym of a person by number.
pub(crate) fn pseudonym(kid: &str, person: u32) -> String {
    Pseudonym::new(kid.parse().unwrap(), *Digest::of(&person.to_le_bytes()).as_bytes()).to_string()
}

/// Something that somebody says of scoring, under a record id of its own.
pub(crate) fn said(person: u32, record: u32, what: &str, at: &str) -> Value {
    let mut body = json!({
        "record_id": format!("00000000-0000-4000-8000-{record:012}"), "subject": pseudonym("k1", person),
        "purpose": "purpose:scoring", "said": what, "at": at,
    });
    if ["given", "renewed"].contains(&what) {
        body["notice"] = json!(ZEROS);
    }
    if what == "invalidated" {
        body["indicated_by"] = json!("authority");
    }
    body
}

/// Send a batch, with the digest of what is sent.
#[track_caller]
pub(crate) fn put(client: &Client, load: &str, number: u32, body: &str) -> Answer {
    put_bytes(client, load, number, body.as_bytes())
}

/// [`put`] of any bytes.
#[track_caller]
pub(crate) fn put_bytes(client: &Client, load: &str, number: u32, body: &[u8]) -> Answer {
    let path =
        format!("/api/v1/{load}/batches/{number}?digest={}", harness::client::encode(&Digest::of(body).to_string()));
    client.send("PUT", &path, &[("content-type", "application/x-ndjson")], Some(body))
}

/// A registry with one version of people and one key of subjects.
pub(crate) fn with_key() -> Scenario {
    let s = Scenario::empty();
    s.add("parties", party("acme"));
    s.add("purposes", purpose("scoring"));
    s.add("datasets", json!({"namespace": "crm", "name": "people", "owner": "crm-team"}));
    s.add("dataset-versions", people("1"));
    s.add("subject-keys", key("k1", "crm", ZEROS));
    s
}

/// A key of subjects, as registered.
pub(crate) fn key(kid: &str, scope: &str, fingerprint: &str) -> Value {
    json!({"scope": scope, "kid": kid, "normalisation": "n1", "fingerprint": fingerprint})
}

/// The body that begins a load.
pub(crate) fn wanted(version: &str) -> Value {
    json!({"dataset_version": format!("dataset:crm/people@{version}"), "kid": "k1", "fingerprint": ZEROS})
}

/// Begin a load, or go on with it: its path.
#[track_caller]
pub(crate) fn begin(client: &Client, version: &str) -> String {
    let begun = client.post("/api/v1/member-loads", &wanted(version)).good();
    format!("member-loads/{}", begun["id"].as_str().unwrap())
}

/// [`begin`] under a key as listed.
#[track_caller]
pub(crate) fn begin_with(client: &Client, version: &str, key: &Value) -> String {
    let mut body = wanted(version);
    (body["kid"], body["fingerprint"]) = (key["kid"].clone(), key["fingerprint"].clone());
    format!("member-loads/{}", client.post("/api/v1/member-loads", &body).good()["id"].as_str().unwrap())
}

/// State that all was sent.
#[track_caller]
pub(crate) fn finish(client: &Client, load: &str, batches: u32, records: u32) -> Answer {
    client.post(&format!("/api/v1/{load}/finish"), &json!({"batches": batches, "records": records}))
}

/// The members of a version, as somebody is told.
pub(crate) fn members(s: &Scenario, client: &Client, version: &str) -> Answer {
    let id = s.ana.resolve(&format!("dataset:crm/people@{version}"))["id"].as_str().unwrap().to_owned();
    client.get(&format!("/api/v1/dataset-versions/{id}/members"))
}
