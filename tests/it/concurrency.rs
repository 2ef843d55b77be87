//! Many writers at once: nothing lost, nothing doubled, one order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use std::thread;

use harness::scenario::{ZEROS, party, purpose};
use harness::{Answer, Client, Scenario};
use serde_json::{Value, json};

use crate::support::{faults, head, pages, rebuilds, registration, verified};

const CLIENTS: usize = 16;

fn prepared() -> Scenario {
    let s = Scenario::empty();
    s.add("parties", party("acme"));
    s.add("purposes", purpose("scoring"));
    s
}

/// The same moment for everybody: what each got, in order of their numbers.
fn at_once<T: Send>(count: usize, client: &Client, work: impl Fn(usize, Client) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(count);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|n| {
                let (barrier, work) = (&barrier, &work);
                // Each its own connections.
                let own = Client::new(&client.url, client.token.as_deref());
                scope.spawn(move || {
                    barrier.wait();
                    work(n, own)
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    })
}

fn references(client: &Client, collection: &str) -> BTreeSet<String> {
    let items = pages(client, &format!("/api/v1/{collection}"), 500);
    let list: Vec<String> = items.iter().map(|i| i["ref"].as_str().unwrap().to_owned()).collect();
    let set: BTreeSet<String> = list.iter().cloned().collect();
    assert_eq!(set.len(), list.len(), "{collection}: something stands twice");
    set
}

#[test]
fn sixteen_clients_registering_at_once_lose_nothing() {
    let s = prepared();
    let before = head(&s.audit).size;
    let each = 20;
    let answers = at_once(CLIENTS, &s.ana, |n, client| {
        (0..each)
            .map(|k| client.post("/api/v1/registrations", &registration(&format!("m{n}-{k}"))))
            .collect::<Vec<Answer>>()
    });
    let mut acknowledged: BTreeMap<u64, String> = BTreeMap::new();
    for answer in answers.iter().flatten() {
        for item in answer.good()["items"].as_array().unwrap() {
            assert_eq!(item["outcome"], "created");
            let again = acknowledged.insert(item["seq"].as_u64().unwrap(), item["ref"].as_str().unwrap().to_owned());
            assert_eq!(again, None, "two facts at one position");
        }
    }
    assert_eq!(acknowledged.len(), CLIENTS * each * 5);
    let kept: BTreeSet<String> = ["datasets", "dataset-versions", "models", "model-versions", "runs"]
        .iter()
        .flat_map(|collection| references(&s.ana, collection))
        .collect();
    assert_eq!(kept, acknowledged.values().cloned().collect());
    let entries = verified(&s.audit);
    assert_eq!(entries.len() as u64, before + acknowledged.len() as u64);
    assert_eq!(
        acknowledged.keys().copied().collect::<Vec<_>>(),
        (before + 1..=entries.len() as u64).collect::<Vec<_>>()
    );
    rebuilds(&s.server.db);
}

#[test]
fn the_check_holds_while_others_write() {
    let s = prepared();
    let (writers, each) = (4, 25);
    thread::scope(|scope| {
        let writing: Vec<_> = (0..writers)
            .map(|n| {
                let client = Client::new(&s.ana.url, s.ana.token.as_deref());
                scope.spawn(move || {
                    for k in 0..each {
                        client.post("/api/v1/registrations", &registration(&format!("m{n}-{k}"))).good();
                    }
                })
            })
            .collect();
        while !writing.iter().all(thread::ScopedJoinHandle::is_finished) {
            rebuilds(&s.server.db);
        }
    });
    assert_eq!(references(&s.ana, "model-versions").len(), writers * each);
    rebuilds(&s.server.db);
}

#[test]
fn the_same_registration_by_all_is_registered_once() {
    let s = prepared();
    let mut body = registration("same");
    body["runs"][0]["id"] = json!("01939f00-0000-7000-8000-00000000000a");
    let answers = at_once(CLIENTS, &s.ana, |_, client| client.post("/api/v1/registrations", &body).good());
    for place in 0..5 {
        let created = answers.iter().filter(|a| a["items"][place]["outcome"] == "created").count();
        let unchanged = answers.iter().filter(|a| a["items"][place]["outcome"] == "unchanged").count();
        assert_eq!((created, unchanged), (1, CLIENTS - 1), "item {place}");
        let ids: BTreeSet<String> = answers.iter().map(|a| a["items"][place]["id"].to_string()).collect();
        assert_eq!(ids.len(), 1, "item {place} has several ids");
    }
    verified(&s.audit);
    rebuilds(&s.server.db);
}

#[test]
fn of_different_contents_under_one_version_one_wins_and_the_others_learn_what_differs() {
    let s = prepared();
    s.add("models", json!({"name": "race"}));
    let body = |n: usize| {
        json!({
            "model": "model:race", "version": "1", "kind": "built",
            "files": [{"path": "m", "digest": format!("sha256:{}", format!("{n:02x}").repeat(32))}],
        })
    };
    let answers = at_once(CLIENTS, &s.ana, |n, client| client.post("/api/v1/model-versions", &body(n)));
    let winner: Vec<usize> = (0..CLIENTS).filter(|n| answers[*n].status == 201).collect();
    assert_eq!(winner.len(), 1);
    for answer in answers.iter().filter(|a| a.status != 201) {
        let found = faults(&answer.problem(409));
        assert_eq!(found.keys().collect::<Vec<_>>(), ["#/files/0/digest"], "{}", answer.text);
    }
    let kept = s.ana.resolve("model:race@1");
    assert_eq!(kept["spec"], body(winner[0]));
    rebuilds(&s.server.db);
}

#[test]
fn one_that_fails_in_a_burst_falls_alone() {
    let s = prepared();
    for round in 0..8 {
        let bad = round % CLIENTS;
        let before = head(&s.audit).size;
        let answers = at_once(CLIENTS, &s.ana, |n, client| {
            let mut body = registration(&format!("burst{round}-{n}"));
            if n == bad {
                // The last item: everything before it was recorded in memory already.
                body["runs"][0]["purpose"] = json!("purpose:nobody");
            }
            client.post("/api/v1/registrations", &body)
        });
        for (n, answer) in answers.iter().enumerate() {
            let model = s.ana.get(&format!("/api/v1/resolve?ref=model:burst{round}-{n}"));
            if n == bad {
                let found = faults(&answer.problem(422));
                assert_eq!(found.keys().collect::<Vec<_>>(), ["#/runs/0/purpose"]);
                model.problem(404);
            } else {
                answer.good();
                model.good();
            }
        }
        assert_eq!(head(&s.audit).size, before + 5 * (CLIENTS as u64 - 1));
    }
    verified(&s.audit);
    rebuilds(&s.server.db);
}

#[test]
fn a_key_with_the_same_request_gets_the_same_answer() {
    let s = prepared();
    let body = json!({"operation": "copy", "purpose": "purpose:scoring", "started_at": "2026-01-01T00:00:00Z"});
    let first = s.ana.post_once("/api/v1/runs", "k1", &body).good();
    let size = head(&s.audit).size;
    for _ in 0..3 {
        assert_eq!(s.ana.post_once("/api/v1/runs", "k1", &body).good(), first);
    }
    assert_eq!(head(&s.audit).size, size);
    let other: Value = s.ana.post("/api/v1/runs", &body).good();
    assert_ne!(other["id"], first["id"], "without a key it is another run");
    assert_ne!(s.ana.post_once("/api/v1/runs", "k2", &body).good()["id"], first["id"]);
}

#[test]
fn keys_are_not_kept_in_clear() {
    let s = prepared();
    let body = json!({"namespace": "crm", "name": "b"});
    let first = s.ana.post_once("/api/v1/datasets", "jane.doe@example.com", &body).good();
    assert_eq!(s.ana.post_once("/api/v1/datasets", "jane.doe@example.com", &body).good(), first);
    let kept = s.server.db.sql("SELECT * FROM idempotency");
    assert!(kept.contains("POST /api/v1/datasets") && !kept.contains("jane.doe"), "{kept}");
}

#[test]
fn a_key_with_another_request_is_refused() {
    let s = prepared();
    s.ana.post_once("/api/v1/models", "k", &json!({"name": "a"})).good();
    let size = head(&s.audit).size;
    let problem = s.ana.post_once("/api/v1/models", "k", &json!({"name": "b"})).problem(422);
    assert_eq!(problem["type"], "urn:licit:problem:idempotency-key-reused");
    assert_eq!(head(&s.audit).size, size);
    // A key belongs to one actor and one route.
    s.ana.post_once("/api/v1/datasets", "k", &json!({"namespace": "crm", "name": "b"})).good();
    let other = s.server.person("Other", &["registrar"]);
    other.post_once("/api/v1/models", "k", &json!({"name": "b"})).good();
}

#[test]
fn a_key_of_a_request_that_failed_may_be_used_again() {
    let s = prepared();
    let body =
        json!({"model": "model:late", "version": "1", "kind": "built", "files": [{"path": "m", "digest": ZEROS}]});
    s.ana.post_once("/api/v1/model-versions", "k", &body).problem(422);
    s.add("models", json!({"name": "late"}));
    s.ana.post_once("/api/v1/model-versions", "k", &body).good();
}

#[test]
fn a_key_used_by_all_at_once_makes_one_run() {
    let s = prepared();
    let before = head(&s.audit).size;
    let body = json!({"operation": "copy", "purpose": "purpose:scoring", "started_at": "2026-01-01T00:00:00Z"});
    let answers = at_once(CLIENTS, &s.ana, |_, client| client.post_once("/api/v1/runs", "same", &body).good());
    let ids: BTreeSet<String> = answers.iter().map(|a| a["id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(head(&s.audit).size, before + 1);

    let before = head(&s.audit).size;
    let answers = at_once(CLIENTS, &s.ana, |n, client| {
        client.post_once("/api/v1/models", "race", &json!({"name": format!("n{n}")}))
    });
    assert_eq!(answers.iter().filter(|a| a.status == 201).count(), 1);
    assert_eq!(answers.iter().filter(|a| a.status == 422).count(), CLIENTS - 1);
    assert_eq!(head(&s.audit).size, before + 1);
    rebuilds(&s.server.db);
}
