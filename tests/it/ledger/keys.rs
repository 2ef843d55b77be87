//! The key that signs: made at the first start, of its owner alone, from elsewhere, and exchanged.

use std::os::unix::fs::PermissionsExt;

use harness::server::ADMIN;
use harness::{Client, Scenario, TestDatabase, TestServer};
use licit_schemas::proof::key::SecretKey;

use super::{checkpoint, ring};
use crate::support::{Program, head, licit, person, rebuilds, refused};

const BOOTSTRAP: (&str, &str) = ("LICIT_BOOTSTRAP_TOKEN", ADMIN);

#[test]
fn a_key_is_made_at_the_first_start_for_its_owner_alone() {
    let s = Scenario::empty();
    let path = s.server.db.key();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let key: SecretKey = std::fs::read_to_string(&path).unwrap().parse().unwrap();
    assert_eq!(ring(&s.audit).keys[0].key.key(), &key.public());
    let db = s.server.kill();
    let file = [("LICIT_SIGNING_KEY_FILE", path.to_str().unwrap())];
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, said) = refused(&["--database-url", &db.url], &file);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("can be read or written by others") && said.contains("chmod 600"), "{said}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&path, "no key").unwrap();
    let (code, said) = refused(&["--database-url", &db.url], &file);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("holds no signing key") && !said.contains("no key\n"), "{said}");
}

#[test]
fn a_lost_key_is_not_made_anew_in_silence() {
    let s = Scenario::empty();
    let (signed, audit) = (checkpoint(&s.audit), s.audit.clone());
    let db = s.server.kill();
    std::fs::remove_file(db.key()).unwrap();
    let server = TestServer::on(db.clone());
    let audit = Client::new(&server.url, audit.token.as_deref());
    let ready = audit.get("/ready").good();
    assert!(ready["unsigned"].as_str().unwrap().contains("there is no signing key"), "{ready}");
    assert!(!db.key().exists());
    assert_eq!(checkpoint(&audit), signed);
    // A human says that it is lost: a new one signs, and nobody vouches for it.
    let (code, _, said) = TestServer::run(&db, &["key", "rotate"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("--old-key-lost"), "{said}");
    let (code, out, said) = TestServer::run(&db, &["key", "rotate", "--old-key-lost"]);
    assert_eq!(code, 0, "{said}");
    let now = harness::receiver::wait(|| Some(checkpoint(&audit)).filter(|now| now.checkpoint.head == head(&audit)));
    let ring = ring(&audit);
    assert_eq!(ring.verify(&now), Ok(vec![]));
    assert_eq!(ring.keys[1].key.to_string(), out.trim());
    assert!(ring.keys[0].retired.is_some());
    rebuilds(&db);
}

#[test]
fn a_key_is_rotated_and_both_sign_over_the_transition() {
    let s = Scenario::empty();
    let folder = tempfile::tempdir().unwrap();
    let old = ring(&s.audit).keys[0].key.to_string();
    let kept = folder.path().join("kept.checkpoint");
    let kept = kept.to_str().unwrap();
    assert_eq!(licit(&s.audit, &["ledger", "checkpoint", "-o", kept]).0, 0);
    let (code, out, said) = TestServer::run(&s.server.db, &["key", "rotate"]);
    assert_eq!(code, 0, "{said}");
    let new = out.trim().to_owned();
    assert_ne!(new, old);
    // The running server takes the new one up by itself.
    s.add("parties", harness::scenario::party("acme"));
    let now =
        harness::receiver::wait(|| Some(checkpoint(&s.audit)).filter(|now| now.checkpoint.head == head(&s.audit)));
    let ring = ring(&s.audit);
    assert_eq!(ring.verify(&now), Ok(vec![]));
    let signers: Vec<String> = ring.keys.iter().map(|known| known.key.to_string()).collect();
    assert_eq!(signers, [old.clone(), new.clone()]);
    assert_eq!(now.note.signatures().len(), 1);
    let both = s.audit.get("/api/v1/ledger/checkpoints").good();
    let both = both["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["note"].as_str().unwrap().matches('—').count() == 2)
        .count();
    assert_eq!(both, 1, "one checkpoint is signed by both");
    assert_eq!(std::fs::metadata(s.server.db.key()).unwrap().permissions().mode() & 0o777, 0o600);
    // Who trusts the old one, or kept what it signed, follows.
    for args in [
        &["ledger", "verify", "--key", &old][..],
        &["ledger", "verify", "--key", &new],
        &["ledger", "verify", "--checkpoint", kept],
        &["ledger", "monitor", "--since", kept, "--write"],
        &["ledger", "monitor", "--since", kept],
    ] {
        let (code, out, said) = licit(&s.audit, args);
        assert_eq!(code, 0, "{args:?}: {out}{said}");
    }
    // Rotated once more: what stood in between is known, too.
    assert_eq!(TestServer::run(&s.server.db, &["key", "rotate"]).0, 0);
    let (code, out, said) = TestServer::run(&s.server.db, &["key", "list"]);
    assert_eq!((code, out.lines().count()), (0, 3), "{out}{said}");
    let (code, _, said) = licit(&s.audit, &["ledger", "verify", "--key", &old]);
    assert_eq!(code, 0, "{said}");
    rebuilds(&s.server.db);
}

#[test]
fn an_interrupted_rotation_goes_on() {
    let s = Scenario::empty();
    let db = s.server.db.clone();
    // As far as the introduction, and the file of the new key.
    let key = db.key();
    let next = key.with_file_name("licit.db.key.next");
    assert_eq!(TestServer::run(&db, &["key", "rotate", "--to", next.to_str().unwrap()]).0, 0);
    // The old one is retired, and the new one does not lie in its place yet.
    let (code, out, said) = TestServer::run(&db, &["key", "rotate"]);
    assert_eq!(code, 0, "{said}");
    assert!(!next.exists());
    let ring = ring(&s.audit);
    assert_eq!(ring.keys.len(), 2);
    assert_eq!(ring.keys[1].key.to_string(), out.trim());
    s.add("parties", harness::scenario::party("acme"));
    let now = checkpoint(&s.audit);
    assert_eq!(now.checkpoint.head, head(&s.audit));
    assert_eq!(ring.verify(&now), Ok(vec![]));
}

#[test]
fn a_key_comes_from_the_environment() {
    let db = TestDatabase::new();
    let key = SecretKey::from_seed(&[5; 32]);
    let bare = format!("{}BQU=", "BQUF".repeat(10));
    let pem = key.pem();
    for text in [&bare, &pem] {
        let server = Program::start(&db, &["--log", "trace"], &[BOOTSTRAP, ("LICIT_SIGNING_KEY", text)]);
        let admin = server.client(ADMIN);
        let audit = person(&admin, "Aude", &["auditor"]);
        let signed = checkpoint(&audit);
        assert_eq!(ring(&audit).keys[0].key.key(), &key.public());
        assert_eq!(ring(&audit).verify(&signed), Ok(vec![]));
        let (_, said) = server.stop();
        assert!(!said.contains(&bare), "the key stands in the log");
    }
    assert!(!db.key().exists());
    let (code, said) = refused(&["--database-url", &db.url, "--signing-key", "x"], &[("LICIT_SIGNING_KEY", &bare)]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("one place") && !said.contains(&bare), "{said}");
}

#[test]
fn a_command_signs() {
    let db = TestDatabase::new();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    let secret = SecretKey::from_seed(&[6; 32]);
    std::fs::write(&key, secret.pem()).unwrap();
    // OpenSSL reads the bytes to sign from a file only.
    let script = folder.path().join("sign");
    let text = format!(
        "#!/bin/sh\nset -e\ntest -z \"$LICIT_BOOTSTRAP_TOKEN\"\nf=$(mktemp)\ncat > $f\nopenssl pkeyutl -sign -rawin -inkey {} -in $f | base64 -w 0\nrm $f\n",
        key.display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let public = secret.public().to_string();
    let args = ["--signing-command", script.to_str().unwrap(), "--signing-public-key", &public];
    let server = Program::start(&db, &args, &[BOOTSTRAP]);
    let audit = person(&server.client(ADMIN), "Aude", &["auditor"]);
    let signed = checkpoint(&audit);
    assert_eq!(signed.checkpoint.head, head(&audit));
    assert_eq!(ring(&audit).verify(&signed), Ok(vec![]));
    // The device is away: what was signed stays, and the server lives.
    std::fs::remove_file(&script).unwrap();
    let admin = server.client(ADMIN);
    person(&admin, "Max", &["viewer"]);
    assert_eq!(checkpoint(&audit), signed);
    audit.get("/ready").good();
}
