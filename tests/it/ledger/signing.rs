//! When the ledger is signed, by whom, and when never.

use harness::scenario::party;
use harness::{Client, Scenario, TestServer};

use super::{checkpoint, ring, unlock};
use crate::support::{head, rebuilds};

#[test]
fn the_ledger_is_signed_as_it_stands_when_somebody_asks() {
    let s = Scenario::empty();
    let first = checkpoint(&s.audit);
    assert_eq!(first.checkpoint.head, head(&s.audit));
    assert_eq!(ring(&s.audit).verify(&first), Ok(vec![]));
    assert_eq!(checkpoint(&s.audit), first, "the same tree has the same signature");
    s.add("parties", party("acme"));
    let second = checkpoint(&s.audit);
    assert_eq!(second.checkpoint.head.size, first.checkpoint.head.size + 1);
    let from = first.checkpoint.head.size;
    let proof = s.audit.get(&format!("/api/v1/ledger/proofs/consistency?from={from}")).good();
    let path: Vec<licit_schemas::digest::Digest> = serde_json::from_value(proof["path"].clone()).unwrap();
    second.checkpoint.continues(&first.checkpoint, &path).unwrap();
    let kept = s.audit.get("/api/v1/ledger/checkpoints").good();
    let sizes: Vec<u64> = kept["items"].as_array().unwrap().iter().map(|c| c["size"].as_u64().unwrap()).collect();
    assert!(sizes.ends_with(&[from, from + 1]) && sizes.is_sorted(), "{sizes:?}");
    // Nothing of it is a fact: the ledger is as long as before.
    assert_eq!(head(&s.audit).size, from + 1);
    rebuilds(&s.server.db);
}

#[test]
fn a_ledger_that_grows_is_signed_every_so_often() {
    let s = Scenario::empty_with(&["--checkpoint-seconds", "1"]);
    s.add("parties", party("acme"));
    let size = head(&s.audit).size;
    harness::receiver::wait(|| {
        let kept = s.audit.get("/api/v1/ledger/checkpoints").good();
        kept["items"].as_array().unwrap().last().filter(|c| c["size"] == size).map(|_| ())
    });
}

#[test]
fn a_key_and_a_name_stay_over_a_restart() {
    let s = Scenario::empty();
    let (before, audit) = (ring(&s.audit), s.audit.clone());
    let db = s.server.kill();
    let server = TestServer::on(db.clone());
    let audit = Client::new(&server.url, audit.token.as_deref());
    assert_eq!(ring(&audit), before);
    assert_eq!(before.keys.len(), 1);
    assert!(before.origin.as_ref().unwrap().as_str().starts_with("licit.invalid/"), "{before:?}");
    let other = Scenario::empty();
    assert_ne!(ring(&other.audit).origin, before.origin, "two registries never share a name");
    // It is for good.
    drop(server);
    let (code, said) = crate::support::refused(
        &["--database-url", &db.url, "--ledger-origin", "elsewhere.example"],
        &[("LICIT_SIGNING_KEY_FILE", db.key().to_str().unwrap())],
    );
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("is named `licit.invalid/") && said.contains("for good"), "{said}");
}

#[test]
fn a_name_may_be_chosen_at_the_first_start() {
    let s = Scenario::empty_with(&["--ledger-origin", "registry.example/ledger"]);
    assert_eq!(checkpoint(&s.audit).checkpoint.origin.as_str(), "registry.example/ledger");
}

#[test]
fn a_server_that_does_not_have_the_key_signs_nothing_and_says_why() {
    let s = Scenario::empty();
    let signed = checkpoint(&s.audit);
    let audit = s.audit.clone();
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.key");
    // Another key, as a server with a place of its own for it would have.
    drop(Scenario::empty_with(&["--signing-key", other.to_str().unwrap()]));
    let second = TestServer::with(s.server.db.clone(), &["--signing-key", other.to_str().unwrap()]);
    let there = Client::new(&second.url, audit.token.as_deref());
    let ready = there.get("/ready").good();
    assert!(ready["unsigned"].as_str().unwrap().contains("licit-server key rotate"), "{ready}");
    assert_eq!(checkpoint(&there), signed, "what was signed stays true");
    s.add("parties", party("acme"));
    assert_eq!(checkpoint(&there), signed);
    // The server that has it signs on.
    let ready = s.audit.get("/ready").good();
    assert!(ready.get("unsigned").is_none(), "{ready}");
    let next = checkpoint(&s.audit);
    assert_eq!(next.checkpoint.head, head(&s.audit));
    assert_eq!(checkpoint(&there), next, "and the other one finds it");
    assert_eq!(ring(&there).keys.len(), 1);
}

/// Anybody may ask for the checkpoint of a public log: where nobody may sign, asking changes nothing and waits for nobody.
#[test]
fn where_nobody_may_sign_asking_promises_nothing() {
    let s = Scenario::empty();
    let signed = checkpoint(&s.audit);
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.key");
    drop(Scenario::empty_with(&["--signing-key", other.to_str().unwrap()]));
    let args = ["--public-log", "--signing-key", other.to_str().unwrap()];
    let second = TestServer::with(s.server.db.clone(), &args);
    let promised = || s.server.db.sql("SELECT count(*) FROM ledger_checkpoint");
    let before = promised();
    for n in 0..3 {
        s.add("parties", party(&format!("acme-{n}")));
        assert_eq!(checkpoint(&second.nobody()), signed);
    }
    assert_eq!(promised(), before);
}

#[test]
fn two_servers_with_one_key_sign_one_order() {
    let s = Scenario::empty();
    let second = TestServer::with(s.server.db.clone(), &["--signing-key", s.server.db.key().to_str().unwrap()]);
    let ring = ring(&s.audit);
    let clients = [s.audit.clone(), Client::new(&second.url, s.audit.token.as_deref())];
    let writers = [s.ana.clone(), Client::new(&second.url, s.ana.token.as_deref())];
    let seen = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let (client, writer) = (&clients[n % 2], &writers[n % 2]);
                scope.spawn(move || {
                    let signed = |k| {
                        writer.post("/api/v1/parties", &party(&format!("p{n}-{k}"))).good();
                        checkpoint(client)
                    };
                    (0..15).map(signed).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let mut roots = std::collections::BTreeMap::new();
    for signed in seen {
        assert_eq!(ring.verify(&signed), Ok(vec![]));
        let head = signed.checkpoint.head;
        assert_eq!(*roots.entry(head.size).or_insert(head.root), head.root, "two roots of one size");
    }
    rebuilds(&s.server.db);
}

/// The owner of the database takes entries out, or others in, and puts head and nodes right.
#[test]
fn a_ledger_that_contradicts_what_was_signed_is_never_signed_again() {
    for forked in [false, true] {
        let s = Scenario::empty();
        s.add("parties", party("acme"));
        let before = checkpoint(&s.audit);
        let audit = s.audit.clone();
        let db = s.server.kill();
        unlock(&db);
        let size = before.checkpoint.head.size;
        shorten(&db, size - 1);
        if forked {
            // Another entry in its place, made by the program itself, which finds all in order but for what was signed.
            let (code, _, said) = TestServer::run(&db, &["token", "create"]);
            assert_eq!(code, 0, "{said}");
        }
        let server = TestServer::on(db.clone());
        let audit = Client::new(&server.url, audit.token.as_deref());
        let problem = harness::receiver::wait(|| {
            let ready = audit.get("/ready");
            (ready.status == 503).then(|| ready.problem(503))
        });
        let why = problem["detail"].as_str().unwrap();
        assert!(why.contains(&format!("contradicts its checkpoint of {size}")), "{why}");
        audit.get("/log/checkpoint").problem(503);
        let signed = db.sql("SELECT max(size) FROM ledger_checkpoint");
        assert_eq!(signed.trim(), size.to_string(), "nothing was promised beside it");
        let (code, _, said) = TestServer::run(&db, &["rebuild", "--check"]);
        assert_eq!(code, 4);
        assert!(said.contains(&format!("the checkpoint of {size} entries does not hold")), "{said}");
        // Growing beyond it changes nothing.
        server.person("Max", &["viewer"]);
        audit.get("/log/checkpoint").problem(503);
        assert_eq!(db.sql("SELECT max(size) FROM ledger_checkpoint").trim(), size.to_string());
    }
}

/// Cut the ledger off after so many entries, as if the others had never been.
fn shorten(db: &harness::TestDatabase, size: u64) {
    let texts = db.sql(&format!("SELECT entry FROM ledger_entry WHERE seq <= {size} ORDER BY seq"));
    let (mut edge, mut nodes) = (licit_schemas::merkle::Edge::default(), 0);
    for text in texts.lines().filter(|line| !line.is_empty()) {
        edge.push(licit_schemas::merkle::leaf_hash(text.as_bytes()), |_, _| nodes += 1);
    }
    assert_eq!(edge.size(), size);
    let root = edge.root().hex();
    let bytes = if db.is_postgres() { format!("'\\x{root}'") } else { format!("X'{root}'") };
    db.sql(&format!("DELETE FROM ledger_entry WHERE seq > {size}"));
    db.sql(&format!("DELETE FROM ledger_hash WHERE idx >= {nodes}"));
    db.sql(&format!("UPDATE ledger_head SET size = {size}, root = {bytes}"));
    // What is projected is made anew.
    db.sql("DELETE FROM resource");
    db.sql("DELETE FROM lineage_edge");
}

#[test]
fn what_was_signed_takes_no_change() {
    let s = Scenario::empty();
    checkpoint(&s.audit);
    let db = &s.server.db;
    let before = db.sql("SELECT count(*), max(size) FROM ledger_checkpoint");
    for statement in [
        "UPDATE ledger_checkpoint SET size = size + 1",
        "UPDATE ledger_checkpoint SET root = root",
        "DELETE FROM ledger_checkpoint",
    ] {
        let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| db.sql(statement)));
        let said = refused.err().unwrap_or_else(|| panic!("taken: {statement}"));
        assert!(said.downcast_ref::<String>().unwrap().contains("append-only"), "{statement}");
    }
    assert_eq!(db.sql("SELECT count(*), max(size) FROM ledger_checkpoint"), before);
}
