//! `kill -9` under a load of writers: what was acknowledged is there, whole, and the ledger holds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use harness::scenario::{party, purpose};
use harness::{Client, Scenario, TestServer};

use crate::support::{rebuilds, registration, verified};

const WRITERS: usize = 8;

/// Eight writers until the server dies; the names of what it acknowledged.
fn load_until_killed(server: TestServer, token: &str, round: usize) -> Vec<String> {
    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let client = Client::new(&server.url, Some(token));
            let (stop, acknowledged) = (stop.clone(), acknowledged.clone());
            thread::spawn(move || {
                let mut kept = Vec::new();
                for n in 0.. {
                    let name = format!("k{round}-{writer}-{n}");
                    let body = registration(&name).to_string();
                    let answer = client.try_send("POST", "/api/v1/registrations", &[], Some(body.as_bytes()));
                    if answer.as_ref().is_some_and(|a| a.status == 200) {
                        acknowledged.fetch_add(1, Ordering::SeqCst);
                        kept.push(name);
                    } else if stop.load(Ordering::SeqCst) {
                        return kept;
                    } else if let Some(answer) = answer {
                        panic!("{} {}", answer.status, answer.text);
                    }
                }
                kept
            })
        })
        .collect();
    // A little later in each round, so that it dies in different places.
    while acknowledged.load(Ordering::SeqCst) < 10 + round * 7 % 60 {
        thread::yield_now();
    }
    stop.store(true, Ordering::SeqCst);
    server.kill();
    writers.into_iter().flat_map(|w| w.join().unwrap()).collect()
}

#[test]
fn every_acknowledged_write_outlives_kill_9() {
    let rounds: usize = std::env::var("LICIT_KILLS").map_or(10, |n| n.parse().unwrap());
    let s = Scenario::empty();
    s.add("parties", party("acme"));
    s.add("purposes", purpose("scoring"));
    let (ana, audit, db) = (s.ana.token.clone().unwrap(), s.audit.token.clone(), s.server.db.clone());
    let mut server = s.server;
    let mut acknowledged: BTreeSet<String> = BTreeSet::new();
    for round in 0..rounds {
        let names = load_until_killed(server, &ana, round);
        assert!(names.len() >= 10, "the load was none");
        acknowledged.extend(names);
        server = TestServer::on(db.clone());
        let entries = verified(&Client::new(&server.url, audit.as_deref()));
        let of = |kind: &str, field: &str, cut: fn(&str) -> &str| -> BTreeSet<String> {
            let wanted = entries.iter().filter(|e| e.entry.kind == kind);
            wanted.map(|e| cut(e.data["spec"][field].as_str().unwrap()).to_owned()).collect()
        };
        let models = of("model.registered", "name", |text| text);
        let lost: Vec<_> = acknowledged.difference(&models).collect();
        assert!(lost.is_empty(), "round {round}: acknowledged, and lost: {lost:?}");
        // What was under way is there whole or not at all.
        assert_eq!(models, of("dataset.registered", "name", |text| text));
        assert_eq!(models, of("model_version.registered", "model", |text| text.trim_start_matches("model:")));
        let runs = entries.iter().filter(|e| e.entry.kind == "run.recorded").count();
        assert_eq!(runs, models.len());
        rebuilds(&db);
    }
}
