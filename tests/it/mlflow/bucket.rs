//! Artifacts in a bucket that speaks S3: the same as in a directory, held by somebody else's server.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use harness::{Scenario, TestDatabase, TestServer};
use serde_json::json;

use super::{FILES, Place, refused};
use crate::support::installed;

/// A server of buckets with one of them, `models`. Gone when dropped.
struct Buckets {
    url: String,
    child: Child,
}

impl Buckets {
    fn start() -> Self {
        let python = installed("moto-5.2.5", &["moto[s3]==5.2.5", "flask", "flask-cors"]);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(python)
            .args(["-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let buckets = Self { url: format!("http://127.0.0.1:{port}"), child };
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                assert!(buckets.ask("PUT", "models").is_some(), "no bucket was made");
                return buckets;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server of buckets does not start");
    }

    /// What it answers to anybody; none is a refusal.
    fn ask(&self, method: &str, path: &str) -> Option<String> {
        let client = harness::Client::new(&self.url, None);
        let answer = client.send(method, &format!("/{path}"), &[], None);
        (answer.status == 200).then_some(answer.text)
    }

    /// Keys that are in the bucket.
    fn keys(&self) -> Vec<String> {
        inside(&self.ask("GET", "models?list-type=2").unwrap(), "Key")
    }

    /// Uploads that were begun and are neither complete nor given up.
    fn open(&self) -> Vec<String> {
        inside(&self.ask("GET", "models?uploads").unwrap(), "UploadId")
    }
}

impl Drop for Buckets {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What stands in the elements of this name.
fn inside(xml: &str, name: &str) -> Vec<String> {
    let (from, to) = (format!("<{name}>"), format!("</{name}>"));
    xml.split(&from).skip(1).map(|rest| rest.split(&to).next().unwrap_or_default().to_owned()).collect()
}

fn place(buckets: &Buckets, address: &str, args: &[&str]) -> Place {
    let environment = [
        ("AWS_ENDPOINT", buckets.url.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "secret-of-a-bucket"),
        ("AWS_REGION", "eu-west-3"),
    ];
    let args = [&["--artifacts", address], args].concat();
    let server = TestServer::within(Arc::new(TestDatabase::new()), &args, &environment);
    Place::of(Scenario::of(server), tempfile::tempdir().unwrap())
}

#[test]
fn bytes_go_into_a_bucket_in_parts_and_come_back() {
    let buckets = Buckets::start();
    let place = place(&buckets, "s3://models/licit/artifacts", &[]);
    place.post("registered-models/create", &json!({"name": "score"}));
    let (_, model) = place.trained(9);
    let folder = format!("0/models/{model}/artifacts");
    // Two whole parts and a rest.
    let large: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 251) as u8).collect();
    assert_eq!(place.put(&format!("{folder}/data/large.bin"), &large).status, 200);
    assert_eq!(place.put(&format!("{folder}/empty"), b"").status, 200);
    for (path, bytes) in [("data/large.bin", large.as_slice()), ("model.bin", &[9; 2000]), ("empty", b"")] {
        let back = place.trainer.get(&format!("{FILES}/{folder}/{path}"));
        assert_eq!((back.status, back.header("content-length")), (200, Some(bytes.len().to_string().as_str())));
    }
    super::artifacts::registered(&place, &model, &large);
    let keys = buckets.keys();
    assert_eq!(keys.len(), 3, "{keys:?}");
    assert!(keys.iter().all(|key| key.starts_with("licit/artifacts/")), "{keys:?}");
    assert!(!keys.concat().contains("model.bin"), "a name is nothing that a bucket needs: {keys:?}");
    assert!(buckets.open().is_empty());
}

#[test]
fn what_breaks_off_or_is_too_much_leaves_nothing_in_a_bucket() {
    let buckets = Buckets::start();
    let place = place(&buckets, "s3://models", &["--artifact-bytes", "25000000"]);
    let (_, model) = place.trained(1);
    let before = buckets.keys();
    assert_eq!(before.len(), 1, "a bucket without a prefix");
    let path = format!("0/models/{model}/artifacts/cut.bin");
    let (code, _) = refused(&place.put(&path, &vec![1; 25_000_001]), 413);
    assert_eq!(code, "INVALID_PARAMETER_VALUE");

    let token = place.trainer.token.as_ref().unwrap();
    let mut stream = TcpStream::connect(place.s.server.url.trim_start_matches("http://")).unwrap();
    let head = format!(
        "PUT {FILES}/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/octet-stream\r\nContent-Length: 24000000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&vec![1; 20_000_000]).unwrap();
    drop(stream);
    assert_eq!(place.trainer.get(&format!("{FILES}/{path}")).status, 404);
    for _ in 0..200 {
        if buckets.keys() == before && buckets.open().is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("left: {:?} and {:?}", buckets.keys(), buckets.open());
}

#[test]
fn a_bucket_that_is_not_there_is_said_and_nothing_is_recorded() {
    let buckets = Buckets::start();
    let place = place(&buckets, "s3://nowhere", &[]);
    let made = place.post("logged-models", &json!({"experiment_id": "0", "name": "model"}));
    let model = made["model"]["info"]["model_id"].as_str().unwrap();
    let path = format!("0/models/{model}/artifacts/model.bin");
    let (code, said) = refused(&place.put(&path, b"abc"), 503);
    assert_eq!(code, "TEMPORARILY_UNAVAILABLE");
    assert!(said.contains("where artifacts are kept") && !said.contains("secret"), "{said}");
    assert_eq!(place.trainer.get(&format!("{FILES}/{path}")).status, 404);
}
