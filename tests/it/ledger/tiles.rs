//! The log as C2SP tlog-tiles has it.

use harness::{Client, Scenario, TestServer};
use licit_schemas::json;
use licit_schemas::proof::levels::Levels;
use licit_schemas::proof::tile::Tile;

use super::{checkpoint, ring, unlock};
use crate::support::{licit, registration, verified};

/// A ledger of more than two full tiles.
fn long() -> Scenario {
    let s = Scenario::empty_with(&["--public-log"]);
    s.add("purposes", harness::scenario::purpose("scoring"));
    for n in 0..110 {
        s.add("registrations", registration(&format!("r{n}")));
    }
    s
}

/// The bytes of a file under `/log`.
fn bytes(client: &Client, path: &str) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut request = ureq::http::Request::builder().uri(format!("{}/log/{path}", client.url));
    if let Some(token) = &client.token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let mut answer = agent.run(request.body(()).unwrap()).unwrap();
    let headers = answer.headers().iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
    (answer.status().as_u16(), headers, answer.body_mut().read_to_vec().unwrap())
}

#[test]
fn tiles_and_bundles_are_those_of_the_entries() {
    let s = long();
    let nobody = s.server.nobody();
    let entries = verified(&s.audit);
    let size = checkpoint(&nobody).checkpoint.head.size;
    assert_eq!(size, entries.len() as u64);
    assert!(size > 512, "{size}");
    let (mut levels, mut tiles) = (Levels::default(), Vec::new());
    for item in &entries {
        tiles.extend(levels.push(item.leaf_hash));
    }
    tiles.extend(levels.partial());
    assert!(tiles.len() >= 4, "{tiles:?}");
    for (tile, wanted) in tiles {
        let (status, headers, found) = bytes(&nobody, &tile.to_string());
        assert_eq!((status, found), (200, wanted), "{tile}");
        let header = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!(header("content-type"), Some("application/octet-stream"));
        assert_eq!(header("cache-control"), Some("public, max-age=31536000, immutable"));
    }
    let mut read = Vec::new();
    for n in 0..size.div_ceil(256) {
        let width = (size - n * 256).min(256);
        let part = if width == 256 { String::new() } else { format!(".p/{width}") };
        let (status, _, found) = bytes(&nobody, &format!("tile/entries/{n:03}{part}"));
        assert_eq!(status, 200);
        read.extend(licit_schemas::proof::tile::unbundle(&found).unwrap().into_iter().map(<[u8]>::to_vec));
    }
    let wanted: Vec<Vec<u8>> = entries.iter().map(|item| json::canonical(&item.entry).unwrap().into_bytes()).collect();
    assert_eq!(read, wanted);
    // Narrower ones of what is full, too: who read an earlier checkpoint asks for them.
    assert_eq!(bytes(&nobody, "tile/0/000.p/17").2, bytes(&nobody, "tile/0/000").2[..17 * 32]);
    for absent in [
        "tile/0/009",
        "tile/entries/009",
        "tile/3/000",
        "tile/0/000.p/256",
        "tile/0/0",
        "tile/",
        "tile/entries/",
        "tile/0/../0/000",
        "tile/x/000",
    ] {
        assert_eq!(bytes(&nobody, absent).0, 404, "{absent}");
    }
    assert_eq!(Tile::parse("0/000").unwrap().width, 256);
}

#[test]
fn the_log_is_read_with_a_token_unless_it_is_public() {
    let server = TestServer::start();
    for path in ["checkpoint", "tile/0/000.p/1", "tile/entries/000.p/1"] {
        assert_eq!(bytes(&server.nobody(), path).0, 401, "{path}");
    }
    let viewer = server.person("Max", &["viewer"]);
    assert_eq!(bytes(&viewer, "checkpoint").0, 200);
    let (status, headers, _) = bytes(&viewer, "tile/0/000.p/1");
    assert_eq!(status, 200);
    assert!(
        headers.contains(&("cache-control".to_owned(), "private, max-age=31536000, immutable".to_owned())),
        "{headers:?}"
    );
    assert_eq!(bytes(&viewer, "tile/entries/000.p/1").0, 403, "entries are for auditors");
    assert_eq!(bytes(&server.person("Aude", &["auditor"]), "tile/entries/000.p/1").0, 200);
    // Where it is public, nothing else is.
    let s = Scenario::empty_with(&["--public-log"]);
    for path in ["checkpoint", "tile/0/000.p/1", "tile/entries/000.p/1"] {
        assert_eq!(bytes(&s.server.nobody(), path).0, 200, "{path}");
    }
    s.server.nobody().get("/api/v1/ledger/entries").problem(401);
    s.server.nobody().get("/api/v1/ledger/keys").problem(401);
}

/// Whoever has no token verifies a public log by its entries and tiles, and finds what was changed.
#[test]
fn a_public_log_is_verified_without_a_token() {
    let s = long();
    let nobody = s.server.nobody();
    let key = ring(&s.audit).keys[0].key.to_string();
    let verify = |more: &[&str]| licit(&nobody, &[&["ledger", "verify", &nobody.url][..], more].concat());
    let (code, out, said) = verify(&["--key", &key]);
    assert!(code == 0 && out.contains("the log holds") && out.contains("not looked at"), "{code} {out}{said}");
    assert_eq!(verify(&[]).0, 2, "nothing in the log says who signs it");
    let other = Scenario::empty();
    assert_eq!(verify(&["--key", &ring(&other.audit).keys[0].key.to_string()]).0, 4);
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.checkpoint");
    std::fs::write(&kept, checkpoint(&nobody).note.to_string()).unwrap();
    s.add("registrations", registration("more"));
    let kept = kept.to_str().unwrap();
    let (code, out, said) = verify(&["--key", &key, "--checkpoint", kept]);
    assert!(code == 0 && out.contains("you kept"), "{code} {out}{said}");
    let other_checkpoint = folder.path().join("other.checkpoint");
    std::fs::write(&other_checkpoint, checkpoint(&other.audit).note.to_string()).unwrap();
    assert_eq!(verify(&["--key", &key, "--checkpoint", other_checkpoint.to_str().unwrap()]).0, 4);
    // A log that is not public is none of nobody's business.
    assert_eq!(licit(&other.server.nobody(), &["ledger", "verify", "--key", &key]).0, 1);
    unlock(&s.server.db);
    s.server.db.sql("UPDATE ledger_entry SET entry = replace(entry, 'registered', 'registreed') WHERE seq = 300");
    let (code, _, said) = verify(&["--key", &key]);
    assert!(code == 4 && said.contains("tile/"), "{code} {said}");
}
