//! A server that loses PostgreSQL in the middle of writes: nothing acknowledged is lost, nothing is done twice, who asks meanwhile
//! gets 503, and it recovers by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use harness::scenario::{party, purpose};
use harness::server::ADMIN;
use harness::{Answer, Client, TestDatabase};
use serde_json::json;

use crate::support::{Program, person, rebuilds, registration, verified};

const WRITERS: usize = 6;
const SKIPPED: &str = "test process::lost::a_server_that_loses_postgresql_under_load_loses_no_write_and_recovers: skipped, because \
                       SQLite is a file and has no connection to lose; tests/run --postgres runs it";

/// What the load did so far.
#[derive(Default)]
struct Load {
    stop: AtomicBool,
    acknowledged: AtomicUsize,
    unavailable: AtomicUsize,
    over: AtomicBool,
}

/// A test that fails must not wait for a load that never ends.
struct End<'a>(&'a Load);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
        self.0.over.store(thread::panicking(), Ordering::SeqCst);
    }
}

impl Load {
    /// A success; `None` for 503, which must be a whole problem document. Nothing else may come.
    fn answered(&self, answer: &Answer) -> Option<serde_json::Value> {
        if answer.status == 503 {
            let problem = answer.problem(503);
            assert_eq!(problem["type"], "urn:licit:problem:unavailable");
            assert_eq!(answer.header("retry-after"), Some("1"), "{}", answer.text);
            for inner in ["server closed", "terminating", "SSL", "57P", "libpq"] {
                assert!(!answer.text.contains(inner), "{}", answer.text);
            }
            self.unavailable.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(5));
            return None;
        }
        Some(answer.good())
    }

    /// Send until it is acknowledged.
    fn persist(&self, send: impl Fn() -> Answer) -> serde_json::Value {
        loop {
            assert!(!self.over.load(Ordering::SeqCst), "the test failed elsewhere");
            if let Some(answer) = self.answered(&send()) {
                self.acknowledged.fetch_add(1, Ordering::SeqCst);
                return answer;
            }
        }
    }

    /// Runs without an id of their own, so that only their keys keep them from being done twice: position by id.
    fn runs(&self, client: &Client, writer: usize) -> Vec<(u64, String)> {
        let body = json!({"operation": "copy", "purpose": "purpose:scoring", "started_at": "2026-01-01T00:00:00Z"});
        let mut kept = Vec::new();
        for n in 0.. {
            if self.stop.load(Ordering::SeqCst) {
                break;
            }
            let key = format!("lost-{writer}-{n}");
            let answer = self.persist(|| client.post_once("/api/v1/runs", &key, &body));
            kept.push((answer["seq"].as_u64().unwrap(), answer["id"].as_str().unwrap().to_owned()));
        }
        kept
    }

    /// Whole registrations without a key: the same content again is the same thing.
    fn registrations(&self, client: &Client, writer: usize) -> Vec<String> {
        let mut kept = Vec::new();
        for n in 0.. {
            if self.stop.load(Ordering::SeqCst) {
                break;
            }
            let name = format!("lost-{writer}-{n}");
            let mut body = registration(&name);
            body["runs"] = json!([]);
            self.persist(|| client.post("/api/v1/registrations", &body));
            kept.push(name);
        }
        kept
    }

    fn reads(&self, client: &Client) {
        while !self.stop.load(Ordering::SeqCst) {
            for path in ["/api/v1/models?limit=5", "/api/v1/gaps", "/api/v1/ledger/head", "/ready"] {
                self.answered(&client.get(path));
            }
        }
    }
}

/// Until it holds.
fn within(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < limit, "{what}: not within {limit:?}");
        thread::sleep(Duration::from_millis(10));
    }
    start.elapsed()
}

#[test]
fn a_server_that_loses_postgresql_under_load_loses_no_write_and_recovers() {
    let Some(db) = TestDatabase::apart() else {
        // Past the harness, which would keep it to itself.
        let _ = writeln!(std::io::stderr(), "{SKIPPED}");
        return;
    };
    let server = Program::start(&db, &[], &[("LICIT_BOOTSTRAP_TOKEN", ADMIN)]);
    let admin = server.client(ADMIN);
    let ana = person(&admin, "Ana", &["registrar"]);
    let audit = person(&admin, "Aude", &["auditor"]);
    ana.post("/api/v1/parties", &party("acme")).good();
    ana.post("/api/v1/purposes", &purpose("scoring")).good();
    let before = verified(&audit).len();

    let load = Load::default();
    let own = || Client::new(&server.url, ana.token.as_deref());
    let (runs, models) = thread::scope(|scope| {
        let (load, own) = (&load, &own);
        let _end = End(load);
        let runs: Vec<_> = (0..WRITERS).map(|w| scope.spawn(move || load.runs(&own(), w))).collect();
        let models: Vec<_> = (0..2).map(|w| scope.spawn(move || load.registrations(&own(), w))).collect();
        for _ in 0..2 {
            scope.spawn(move || load.reads(&own()));
        }
        // Every connection is ended, again and again, in the middle of whatever it did.
        for round in 0..30u64 {
            let seen = load.acknowledged.load(Ordering::SeqCst);
            db.cut(false);
            within("writes go on", Duration::from_secs(20), || load.acknowledged.load(Ordering::SeqCst) > seen + 20);
            thread::sleep(Duration::from_millis(round * 7 % 40));
        }
        let lost = load.unavailable.load(Ordering::SeqCst);
        // For a while nobody gets in at all.
        for _ in 0..2 {
            db.cut(true);
            let calm = load.unavailable.load(Ordering::SeqCst);
            within("writers are told", Duration::from_secs(20), || {
                load.unavailable.load(Ordering::SeqCst) > calm + 100
            });
            own().get("/health").good();
            own().get("/ready").problem(503);
            let seen = load.acknowledged.load(Ordering::SeqCst);
            db.admit();
            let back = within("writes go on", Duration::from_secs(20), || {
                load.acknowledged.load(Ordering::SeqCst) > seen + 20
            });
            let ready = within("it is ready", Duration::from_secs(20), || own().get("/ready").status == 200);
            println!("writes came back within {back:?}, reads within {ready:?} more");
        }
        load.stop.store(true, Ordering::SeqCst);
        println!(
            "{} acknowledged, {lost} answers of 503 while connections were cut",
            load.acknowledged.load(Ordering::SeqCst)
        );
        let runs: Vec<(u64, String)> = runs.into_iter().flat_map(|t| t.join().unwrap()).collect();
        let models: BTreeSet<String> = models.into_iter().flat_map(|t| t.join().unwrap()).collect();
        (runs, models)
    });

    let entries = verified(&audit);
    // Each run that was acknowledged stands where the answer said, once; no other was recorded.
    let acknowledged: BTreeMap<u64, String> = runs.iter().cloned().collect();
    assert_eq!(acknowledged.len(), runs.len(), "two answers name one position");
    let of = |kind: &str| entries[before..].iter().filter(|e| e.entry.kind == kind).collect::<Vec<_>>();
    let recorded: BTreeMap<u64, String> =
        of("run.recorded").iter().map(|e| (e.entry.seq, e.data["id"].as_str().unwrap().to_owned())).collect();
    assert_eq!(recorded, acknowledged);
    let registered: Vec<String> =
        of("model.registered").iter().map(|e| e.data["spec"]["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(registered.len(), models.len(), "registered once each");
    assert_eq!(registered.into_iter().collect::<BTreeSet<_>>(), models);
    assert_eq!(entries.len() - before, runs.len() + models.len() * 4);
    rebuilds(&db);
    let unknown = server.said().matches("is not known").count();
    println!("{unknown} groups were lost while they were committed");
    let (code, said) = server.stop();
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("panicked"), "{said}");
}
