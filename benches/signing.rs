//! What signing adds to a decision, in one run: a recorded decision over HTTP, durable, beside the signature of its receipt; the same of a
//! server that signs its ledger every second beside one that signs nothing; and a decision with its whole receipt, which judges twice more.
//! Nothing is asserted.
//!
//! `cargo bench --workspace --bench signing [-- ROUNDS]`
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench fails loudly")]

use std::time::{Duration, Instant};

use harness::{Client, Scenario, TestServer};
use licit_schemas::proof::dsse::Envelope;
use licit_schemas::proof::key::SecretKey;
use licit_schemas::proof::statement::PAYLOAD;
use serde_json::{Value, json};

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn timed(rounds: usize, mut work: impl FnMut()) -> Duration {
    let once = |_| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    median((0..rounds).map(once).collect())
}

fn ask(client: &Client, receipt: bool) -> Value {
    let body = json!({"deployment": "deployment:score-prod", "intent": "continue", "receipt": receipt});
    client.post("/api/v1/gate", &body).good()
}

fn percent(part: Duration, whole: Duration) -> f64 {
    100.0 * part.as_secs_f64() / whole.as_secs_f64()
}

fn main() {
    let rounds: usize = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(300);
    let s = Scenario::running();
    println!("database: {}", if s.server.db.is_postgres() { "PostgreSQL" } else { "SQLite, synchronous=FULL" });
    let answer = ask(&s.ci, true);
    let payload = answer["receipt"]["envelope"]["payload"].as_str().unwrap().len() * 3 / 4;
    // One after the other, so that what the machine does besides meets all of them.
    let (mut plain, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        plain.push(timed(1, || drop(ask(&s.ci, false))));
        whole.push(timed(1, || drop(ask(&s.ci, true))));
    }
    let (plain, whole) = (median(plain), median(whole));
    let key = SecretKey::from_seed(&[7; 32]);
    let bytes = vec![b'x'; payload];
    let signature = timed(rounds, || {
        let envelope = Envelope::unsigned(PAYLOAD, bytes.clone());
        let signature = key.sign(&envelope.pae());
        // Held against the public key before it is given away, as the server does.
        drop(envelope.signed(&key.public(), None, &signature).unwrap());
    });
    println!("decision, recorded, over HTTP: {plain:?}");
    println!(
        "signature of its receipt, {payload} bytes, checked: {signature:?}, {:.1} % of the decision",
        percent(signature, plain)
    );
    println!(
        "decision with its whole receipt: {whole:?}, {:.2} times the decision",
        whole.as_secs_f64() / plain.as_secs_f64()
    );
    // The same registry served twice: one signs every second, the other has a key the ledger does not know, and signs nothing.
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.key");
    std::fs::write(&other, SecretKey::from_seed(&[9; 32]).pem().as_str()).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let token = s.ci.token.clone().unwrap();
    let db = s.server.kill();
    let mut figures = Vec::new();
    for args in [
        vec!["--checkpoint-seconds", "86400", "--signing-key", other.to_str().unwrap()],
        vec!["--checkpoint-seconds", "1", "--signing-key", db.key().to_str().unwrap()],
    ] {
        let server = TestServer::with(db.clone(), &args);
        let client = Client::new(&server.url, Some(&token));
        ask(&client, false);
        figures.push(timed(rounds * 2, || drop(ask(&client, false))));
        server.kill();
    }
    println!(
        "decision where nothing is signed: {:?}; where the ledger is signed every second: {:?}, {:+.1} %",
        figures[0],
        figures[1],
        percent(figures[1], figures[0]) - 100.0
    );
}
