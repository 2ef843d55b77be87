//! Artifacts: whole or not there, hashed as they come, bounded, and nowhere but in their folder.

use std::io::{Read, Write};

use licit_schemas::digest::Digest;
use serde_json::json;

use super::{FILES, Place, refused};

/// Files below the place where the bytes are.
fn kept(place: &Place) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
    }
    count(place.folder.path())
}

/// Registers a logged model, and holds the version's first file against the large one that was sent.
#[track_caller]
pub(super) fn registered(place: &Place, model: &str, large: &[u8]) {
    let made = place.post("model-versions/create", &json!({"name": "score", "source": format!("models:/{model}")}));
    assert_eq!(made["model_version"]["version"], "1");
    let files = place.s.ana.resolve("model:score@1")["spec"]["files"].clone();
    assert_eq!(
        files[0],
        json!({"path": "data/large.bin", "digest": Digest::of(large).to_string(), "size": 20_000_000})
    );
}

#[test]
fn bytes_come_back_as_they_were_and_their_digests_are_those_of_the_version() {
    let place = Place::new();
    place.post("registered-models/create", &json!({"name": "score"}));
    let (_, model) = place.trained(9);
    let folder = format!("0/models/{model}/artifacts");
    // More than is sent on at once, so that it goes in parts.
    let large: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 251) as u8).collect();
    assert_eq!(place.put(&format!("{folder}/data/large.bin"), &large).status, 200);
    let back = place.trainer.get(&format!("{FILES}/{folder}/data/large.bin"));
    assert_eq!((back.status, back.header("content-length")), (200, Some("20000000")));
    assert_eq!(back.header("content-disposition"), Some("attachment"));
    let listed = place.trainer.get(&format!("{FILES}?path={folder}")).good();
    assert_eq!(
        listed["files"],
        json!([{"path": "data", "is_dir": true}, {"path": "model.bin", "is_dir": false, "file_size": 2000}])
    );
    registered(&place, &model, &large);
    assert_eq!(kept(&place), 2);
}

#[test]
fn a_path_leads_nowhere_else() {
    let place = Place::new();
    let (_, model) = place.trained(1);
    let folder = format!("0/models/{model}/artifacts");
    for path in [
        format!("{folder}/../../../etc/passwd"),
        format!("{folder}/%2e%2e/%2e%2e/x"),
        format!("{folder}/..%2F..%2Fx"),
        format!("{folder}//x"),
        "0/nobody/artifacts/x".to_owned(),
        "etc/passwd".to_owned(),
        format!("{folder}/a%00b"),
        format!("{folder}/./x"),
        folder.replace("artifacts", "x"),
    ] {
        let put = place.put(&path, b"x");
        assert!(matches!(put.status, 400 | 404) || path.contains("%2F"), "{path}: {} {}", put.status, put.text);
        let got = place.trainer.get(&format!("{FILES}/{path}"));
        assert!(
            got.status != 500 && (got.status >= 400 || path.contains("%2F")),
            "{path}: {} {}",
            got.status,
            got.text
        );
    }
    assert!(!std::path::Path::new("/etc/x").exists());
}

#[test]
fn too_much_is_refused_and_nothing_is_kept() {
    let place = Place::with(&["--artifact-bytes", "3000"]);
    let (_, model) = place.trained(1);
    let path = format!("0/models/{model}/artifacts/big.bin");
    let before = kept(&place);
    let (code, _) = refused(&place.put(&path, &[0; 3001]), 413);
    assert_eq!(code, "INVALID_PARAMETER_VALUE");
    assert_eq!(place.trainer.get(&format!("{FILES}/{path}")).status, 404);
    assert_eq!(kept(&place), before);
    assert_eq!(place.put(&path, &[0; 3000]).status, 200);
}

#[test]
fn what_breaks_off_was_never_there() {
    let place = Place::new();
    let (_, model) = place.trained(1);
    let before = kept(&place);
    let path = format!("{FILES}/0/models/{model}/artifacts/cut.bin");
    let token = place.trainer.token.as_ref().unwrap();
    let mut stream = std::net::TcpStream::connect(place.s.server.url.trim_start_matches("http://")).unwrap();
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/octet-stream\r\nContent-Length: 30000000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&vec![1; 12_000_000]).unwrap();
    drop(stream);
    assert_eq!(place.trainer.get(&path).status, 404);
    for _ in 0..100 {
        if kept(&place) == before {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(kept(&place), before, "parts were left");
}

#[test]
fn bytes_that_changed_where_they_lie_are_not_given_out() {
    let place = Place::new();
    let (_, model) = place.trained(1);
    let path = format!("{FILES}/0/models/{model}/artifacts/model.bin");
    let find = |folder: &std::path::Path| std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let file = find(&find(place.folder.path()));
    std::fs::write(&file, [2; 2000]).unwrap();
    let token = place.trainer.token.as_ref().unwrap();
    let mut stream = std::net::TcpStream::connect(place.s.server.url.trim_start_matches("http://")).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let body = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| answer.len() - at - 4);
    assert!(body < 2000, "all {body} bytes were sent");
}

#[test]
fn bytes_that_are_gone_are_said_to_be_gone() {
    let place = Place::new();
    let (_, model) = place.trained(1);
    let path = format!("{FILES}/0/models/{model}/artifacts/model.bin");
    let find = |folder: &std::path::Path| std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_file(find(&find(place.folder.path()))).unwrap();
    let (code, said) = refused(&place.trainer.get(&path), 404);
    assert!(code == "RESOURCE_DOES_NOT_EXIST" && said.contains("restore them from the backup"), "{code} {said}");
}
