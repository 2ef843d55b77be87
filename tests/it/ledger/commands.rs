//! `licit ledger export`, `verify`, `monitor`, `checkpoint` and `keys`.

use harness::scenario::party;
use harness::{Client, Scenario, TestServer};
use serde_json::Value;

use super::{checkpoint, ring, unlock};
use crate::cli::bare;
use crate::support::{head, licit, registration};

/// A ledger of more than one bundle, with checkpoints on the way.
fn long() -> Scenario {
    let s = Scenario::empty();
    s.add("purposes", harness::scenario::purpose("scoring"));
    for n in 0..60 {
        s.add("registrations", registration(&format!("r{n}")));
        if n % 20 == 0 {
            checkpoint(&s.audit);
        }
    }
    s
}

#[track_caller]
fn good(client: &Client, args: &[&str]) -> String {
    let (code, out, said) = licit(client, args);
    assert_eq!(code, 0, "licit {args:?}: {out}{said}");
    out
}

/// What ends with 4 says this.
#[track_caller]
fn broken(client: &Client, args: &[&str], words: &str) {
    let (code, out, said) = licit(client, args);
    assert_eq!(code, 4, "licit {args:?}: {out}{said}");
    assert!(said.contains(words), "`{words}` in {said}");
}

#[test]
fn a_ledger_is_exported_into_one_file_and_checked_without_a_server() {
    let s = long();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (file, kept) = (path("ledger.tar"), path("kept.checkpoint"));
    good(&s.audit, &["ledger", "checkpoint", "-o", &kept]);
    s.add("parties", party("acme"));
    let out = good(&s.audit, &["ledger", "export", &file]);
    let size = head(&s.audit).size;
    assert!(size > 256 && out.contains(&format!("{size} entries are in")), "{out}");
    let key = ring(&s.audit).keys[0].key.to_string();
    let (audit, _db) = (s.audit.clone(), s.server.kill());
    let nowhere = Client::new("http://127.0.0.1:9", audit.token.as_deref());
    let out = good(&nowhere, &["ledger", "verify", &file]);
    assert!(out.contains("the ledger holds") && out.contains("the ledger's own word"), "{out}");
    let out = good(&nowhere, &["ledger", "verify", &file, "--key", &key, "--checkpoint", &kept, "--json"]);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&answer["verified"], &answer["size"], &answer["keys_named"]),
        (&true.into(), &size.into(), &true.into())
    );
    assert_eq!(answer["continues"], size - 1);
    // Any tar opens it.
    let list = std::process::Command::new("tar").args(["-tf", &file]).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    for name in
        ["README.txt", "checkpoint", "tile/entries/000", "data/000.ndjson", "tile/0/000", "tile/1/000.p/1", "keys.json"]
    {
        assert!(list.lines().any(|line| line == name), "{name} in {list}");
    }
    assert!(list.lines().filter(|line| line.starts_with("checkpoints/")).count() >= 4, "{list}");
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions()) & 0o777,
        0o600
    );
    // A bit of the data of a run is turned.
    let mut bytes = std::fs::read(&file).unwrap();
    let place = bytes.windows(8).rposition(|window| window == b"training").unwrap();
    bytes[place] ^= 1;
    let changed = path("changed.tar");
    std::fs::write(&changed, &bytes).unwrap();
    broken(&nowhere, &["ledger", "verify", &changed], "are not those it commits to");
    let other = Scenario::empty();
    let stranger = ring(&other.audit).keys[0].key.to_string();
    broken(&nowhere, &["ledger", "verify", &file, "--key", &stranger], "none of the keys you named");
    let theirs = path("theirs.checkpoint");
    good(&other.audit, &["ledger", "checkpoint", "-o", &theirs]);
    broken(&nowhere, &["ledger", "verify", &file, "--checkpoint", &theirs], "the checkpoint you kept");
    // What cannot be read is no verdict about a ledger.
    assert_eq!(licit(&nowhere, &["ledger", "verify", &path("absent.tar")]).0, 1);
    assert_eq!(licit(&nowhere, &["ledger", "verify", &file, "--checkpoint", &file]).0, 1);
    assert_eq!(licit(&nowhere, &["ledger", "verify"]).0, 5);
}

#[test]
fn a_ledger_is_exported_as_it_was() {
    let s = long();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("then.tar").to_str().unwrap().to_owned();
    let sizes = s.audit.get("/api/v1/ledger/checkpoints").good();
    let sizes: Vec<u64> = sizes["items"].as_array().unwrap().iter().map(|c| c["size"].as_u64().unwrap()).collect();
    let then = sizes[sizes.len() - 2];
    assert_eq!(TestServer::run(&s.server.db, &["key", "rotate"]).0, 0);
    let until = (then + 3).to_string();
    let out = good(&s.audit, &["ledger", "export", &file, "--until", &until]);
    assert!(out.contains(&format!("{then} entries are in")), "{out}");
    good(&s.audit, &["ledger", "verify", &file]);
    let (code, _, said) = licit(&s.audit, &["ledger", "export", &file, "--until", "1"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("was ever signed"), "{said}");
    assert_eq!(licit(&s.ana, &["ledger", "export", &file]).0, 1, "a registrar reads no entries");
}

#[test]
fn a_server_is_verified_with_its_tiles_and_signatures() {
    let s = long();
    let out = good(&s.audit, &["ledger", "verify"]);
    assert!(out.contains("the ledger holds") && out.contains(&ring(&s.audit).keys[0].key.to_string()), "{out}");
    let url = s.server.url.clone();
    good(&s.audit, &["ledger", "verify", &url]);
    // Elsewhere the token is not sent.
    let mut command = bare();
    let out = command
        .args(["ledger", "verify", &url])
        .env("LICIT_URL", "http://127.0.0.1:9")
        .env("LICIT_TOKEN", s.audit.token.as_deref().unwrap())
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(1), "{}", String::from_utf8_lossy(&out.stderr));
    let out = good(&s.ci, &["ledger", "keys"]);
    assert!(out.contains(ring(&s.audit).origin.unwrap().as_str()), "{out}");
    let out = good(&s.ci, &["ledger", "checkpoint"]);
    assert_eq!(out.trim_end(), checkpoint(&s.audit).note.to_string().trim_end());

    let audit = s.audit.clone();
    let db = s.server.kill();
    unlock(&db);
    // A node that proofs and tiles are made of, not the right edge that a server reads when it starts.
    let other = if db.is_postgres() {
        "'\\x00000000000000000000000000000000000000000000000000000000000000aa'"
    } else {
        "X'00000000000000000000000000000000000000000000000000000000000000aa'"
    };
    db.sql(&format!("UPDATE ledger_hash SET hash = {other} WHERE idx = 3"));
    let server = TestServer::on(db);
    let audit = Client::new(&server.url, audit.token.as_deref());
    broken(&audit, &["ledger", "verify"], "hash 2 is not the leaf of entry 3");
}

#[test]
fn a_monitor_tells_what_came_and_finds_what_went() {
    let s = long();
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.checkpoint").to_str().unwrap().to_owned();
    good(&s.audit, &["ledger", "checkpoint", "-o", &kept]);
    let first = std::fs::read(&kept).unwrap();
    good(&s.audit, &["ledger", "monitor", "--since", &kept]);
    for n in 0..5 {
        s.add("parties", party(&format!("p{n}")));
    }
    s.add("registrations", registration("more"));
    let out = good(&s.audit, &["ledger", "monitor", "--since", &kept, "--json"]);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&answer["kinds"]["party.registered"], &answer["kinds"]["run.recorded"]),
        (&5.into(), &1.into()),
        "{answer}"
    );
    assert_eq!(std::fs::read(&kept).unwrap(), first, "kept as it was without --write");
    let out = good(&s.audit, &["ledger", "monitor", "--since", &kept, "--write"]);
    assert!(out.contains("party.registered"), "{out}");
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), checkpoint(&s.audit).note.to_string());
    let out = good(&s.audit, &["ledger", "monitor", "--since", &kept]);
    assert!(out.contains("new entries"), "{out}");
    let key = ring(&s.audit).keys[0].key.to_string();
    good(&s.audit, &["ledger", "monitor", "--since", &kept, "--key", &key]);

    // Another registry in its place.
    let other = Scenario::empty();
    broken(&other.audit, &["ledger", "monitor", "--since", &kept], "it is a checkpoint of");
    let stranger = ring(&other.audit).keys[0].key.to_string();
    broken(&s.audit, &["ledger", "monitor", "--since", &kept, "--key", &stranger], "the checkpoint you kept");
    let nowhere = Client::new("http://127.0.0.1:9", s.audit.token.as_deref());
    assert_eq!(licit(&nowhere, &["ledger", "monitor", "--since", &kept]).0, 5);
    std::fs::write(&kept, "no checkpoint").unwrap();
    assert_eq!(licit(&s.audit, &["ledger", "monitor", "--since", &kept]).0, 1);
}

/// The database is put back to a copy of before, and goes on from there: each checkpoint by itself holds.
#[test]
fn a_ledger_put_back_and_gone_on_is_a_fork() {
    let s = Scenario::empty();
    if s.server.db.is_postgres() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.checkpoint").to_str().unwrap().to_owned();
    let copy = folder.path().join("copy.db");
    let (audit, ana) = (s.audit.clone(), s.ana.clone());
    let db = s.server.db.clone();
    let path = db.url.trim_start_matches("sqlite://").to_owned();
    db.sql(&format!("VACUUM INTO '{}'", copy.display()));
    s.add("parties", party("acme"));
    good(&audit, &["ledger", "checkpoint", "-o", &kept]);
    let file = folder.path().join("ledger.tar").to_str().unwrap().to_owned();
    drop(s.server.kill());
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{path}{suffix}"));
    }
    std::fs::copy(&copy, &path).unwrap();
    let server = TestServer::on(db);
    let (audit, ana) =
        (Client::new(&server.url, audit.token.as_deref()), Client::new(&server.url, ana.token.as_deref()));
    broken(&audit, &["ledger", "monitor", "--since", &kept], "entries are gone");
    for n in 0..3 {
        ana.post("/api/v1/parties", &party(&format!("p{n}"))).good();
    }
    good(&audit, &["ledger", "verify"]);
    broken(&audit, &["ledger", "monitor", "--since", &kept], "contradicts");
    broken(&audit, &["ledger", "verify", "--checkpoint", &kept], "the ledger was exchanged");
    good(&audit, &["ledger", "export", &file]);
    broken(&audit, &["ledger", "verify", &file, "--checkpoint", &kept], "the ledger was exchanged");
}
