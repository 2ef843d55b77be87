//! The program as it is started, stopped, killed, and run twice on one database.

mod kill;
mod lost;
mod tokens;
mod twins;
mod writer;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use harness::server::ADMIN;
use harness::{TestDatabase, TestServer};
use serde_json::json;

use crate::support::{Program, head, program, rebuilds, refused};

#[test]
fn the_first_line_says_where_it_listens_and_nothing_else_is_said() {
    let db = TestDatabase::new();
    let mut child = program()
        .args(["--database-url", &db.url, "--listen", "127.0.0.1:0"])
        .env("LICIT_BOOTSTRAP_TOKEN", ADMIN)
        .envs(harness::server::key(&db))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    let url = line.trim_end().strip_prefix("listening on http://127.0.0.1:").unwrap_or_else(|| panic!("{line}"));
    assert!(url.parse::<u16>().unwrap() > 0);
    let kill = program_kill(child.id());
    assert!(kill);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let (mut rest, mut said) = (String::new(), String::new());
    out.read_to_string(&mut rest).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((rest.as_str(), said.as_str()), ("", ""));
}

#[test]
fn a_failure_is_logged_once_under_the_id_of_its_request() {
    let db = TestDatabase::new();
    let server = Program::start(&db, &["--look-seconds", "0"], &[("LICIT_BOOTSTRAP_TOKEN", ADMIN)]);
    db.sql("ALTER TABLE resource RENAME TO elsewhere");
    let id = "0198c0de-0000-7000-8000-00000000c0de";
    server.client(ADMIN).send("GET", "/api/v1/datasets", &[("x-request-id", id)], None).problem(500);
    let said = server.said();
    let failed: Vec<&str> = said.lines().filter(|line| line.contains("request failed")).collect();
    assert!(failed.len() == 1 && failed[0].contains(id) && failed[0].contains("ERROR"), "{said}");
}

#[test]
fn a_stream_too_many_is_a_warning() {
    let db = TestDatabase::new();
    let server = Program::start(&db, &["--look-seconds", "0"], &[("LICIT_BOOTSTRAP_TOKEN", ADMIN)]);
    let listen = || {
        let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
        let head =
            format!("GET /api/v1/events?follow=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut begun = [0u8; 12];
        stream.read_exact(&mut begun).unwrap();
        (stream, String::from_utf8_lossy(&begun).into_owned())
    };
    let streams: Vec<_> = (0..64).map(|_| listen()).collect();
    assert!(streams.iter().all(|(_, begun)| begun == "HTTP/1.1 200"));
    assert_eq!(listen().1, "HTTP/1.1 503");
    let said = server.said();
    assert!(said.contains("WARN") && !said.contains("ERROR"), "{said}");
    assert_eq!(said.lines().filter(|line| line.contains("streams are open")).count(), 1, "{said}");
}

#[cfg(unix)]
#[test]
fn the_file_of_the_database_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("licit.db");
    let url = format!("sqlite://{}", path.display());
    let migrate = || assert!(program().args(["migrate", "--database-url", &url]).status().unwrap().success());
    let mode = |name: &str| folder.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
    migrate();
    assert_eq!(mode("licit.db"), 0o600);
    // A mode its owner gave it later is theirs.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    migrate();
    assert_eq!(mode("licit.db"), 0o640);
    std::fs::remove_file(&path).unwrap();
    let open = ["--database-url", &url, "--listen", "127.0.0.1:0"];
    let mut server =
        program().args(open).env("LICIT_BOOTSTRAP_TOKEN", ADMIN).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(server.stdout.take().unwrap()), &mut line).unwrap();
    let modes = ["licit.db", "licit.db-wal", "licit.db-shm"].map(mode);
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(modes, [0o600; 3], "{line}");
}

fn program_kill(pid: u32) -> bool {
    std::process::Command::new("kill").arg(pid.to_string()).status().unwrap().success()
}

#[test]
fn told_to_stop_it_finishes_what_is_under_way() {
    let db = TestDatabase::new();
    let server = Program::start(&db, &[], &[("LICIT_BOOTSTRAP_TOKEN", ADMIN)]);
    let body = json!({"kind": "person", "name": "Under way"}).to_string();
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    let start = format!(
        "POST /api/v1/actors HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(start.as_bytes()).unwrap();
    // The server asks for the body: the request is under way.
    let mut go = [0u8; 25];
    stream.read_exact(&mut go).unwrap();
    assert_eq!(String::from_utf8_lossy(&go), "HTTP/1.1 100 Continue\r\n\r\n");
    server.term();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let mut server = server;
    assert_eq!(server.child.wait().unwrap().code(), Some(0), "{}", server.said());
    assert!(TcpStream::connect(server.url.trim_start_matches("http://")).is_err(), "nobody listens any more");
    drop(server);
    let again = Program::start(&db, &[], &[]);
    let names = again.client(ADMIN).get("/api/v1/actors").text;
    assert!(names.contains("Under way"), "{names}");
}

#[test]
fn a_restart_keeps_everything() {
    let s = harness::Scenario::running();
    let (audit, ci) = (s.audit.clone(), s.ci.clone());
    let lists = ["models", "deployments", "releases", "approvals", "decisions", "actors", "dataset-versions"];
    let see = |url: &str| -> Vec<String> {
        let client = harness::Client::new(url, audit.token.as_deref());
        let lineage = client.get("/api/v1/lineage?ref=release:score-prod@1").good();
        let mut all: Vec<String> = lists.iter().map(|l| client.get(&format!("/api/v1/{l}?limit=500")).text).collect();
        all.extend([lineage.to_string(), format!("{:?}", head(&client))]);
        all
    };
    let before = see(&s.server.url);
    let db = s.server.db.clone();
    assert_eq!(s.server.stop(), 0);
    rebuilds(&db);
    let again = TestServer::on(db);
    assert_eq!(see(&again.url), before);
    let ci = harness::Client::new(&again.url, ci.token.as_deref());
    let ask = json!({"deployment": "deployment:score-prod", "intent": "continue"});
    assert_eq!(ci.post("/api/v1/gate", &ask).good()["verdict"], "allow");
}

#[test]
fn a_start_that_cannot_be_is_refused_with_a_sentence() {
    let db = TestDatabase::new();
    let at = ["--database-url", &db.url];
    // None of them lets an administrator in: each would be the first start.
    for (args, envs, sentence) in [
        (vec!["--database-url", "mysql://root:secret@h/d"], vec![], "use sqlite://PATH or postgres://"),
        (vec!["--database-url", "licit.db"], vec![], "use sqlite://PATH or postgres://"),
        (vec!["--database-url", "sqlite:///nowhere/at/all.db"], vec![], "cannot open"),
        (vec!["--database-url", "postgres://u:secret@127.0.0.1:1/d"], vec![], "cannot open"),
        ([&at[..], &["--listen", "0.0.0.0:0"]].concat(), vec![], "--behind-proxy"),
        ([&at[..], &["--listen", "[::]:0"]].concat(), vec![], "--behind-proxy"),
        (at.to_vec(), vec![("LICIT_BOOTSTRAP_TOKEN", "secret")], "64 hexadecimal digits"),
        (at.to_vec(), vec![("LICIT_BOOTSTRAP_TOKEN", &ADMIN[1..])], "64 hexadecimal digits"),
        (at.to_vec(), vec![("LICIT_BOOTSTRAP_TOKEN", "")], "64 hexadecimal digits"),
        (at.to_vec(), vec![("LICIT_BOOTSTRAP_TOKEN_FILE", "/nowhere/token")], "cannot read /nowhere/token"),
    ] {
        let (code, said) = refused(&args, &envs);
        assert_eq!(code, 1, "{args:?}: {said}");
        assert!(said.contains(sentence), "{args:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("secret"), "{said}");
    }
    for args in [vec!["--listen", "nowhere"], vec!["--readers", "0"], vec!["frobnicate"], vec!["rebuild", "--now"]] {
        let (code, said) = refused(&[&at[..], &args].concat(), &[]);
        assert_eq!(code, 2, "{args:?}: {said}");
    }
}

#[test]
fn a_database_that_answers_nothing_is_given_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://u:secret@{}/d", silent.local_addr().unwrap());
    let start = std::time::Instant::now();
    let (code, said) = refused(&["--database-url", &url], &[]);
    assert_eq!(code, 1);
    assert!(said.contains("cannot open postgres://u:***@") && !said.contains("secret"), "{said}");
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn a_port_that_is_taken_is_refused() {
    let server = TestServer::start();
    let other = TestDatabase::new();
    let port = server.url.trim_start_matches("http://");
    let (code, said) = refused(&["--database-url", &other.url, "--listen", port], &[("LICIT_BOOTSTRAP_TOKEN", ADMIN)]);
    assert_eq!(code, 1);
    assert!(said.contains("cannot listen on"), "{said}");
}

#[test]
fn behind_a_proxy_it_may_listen_everywhere() {
    let db = TestDatabase::new();
    let server = Program::start(&db, &["--listen", "0.0.0.0:0", "--behind-proxy"], &[("LICIT_BOOTSTRAP_TOKEN", ADMIN)]);
    let port = server.url.rsplit(':').next().unwrap();
    harness::Client::new(&format!("http://127.0.0.1:{port}"), None).get("/health").good();
}

#[test]
fn migrating_twice_is_migrating_once() {
    let db = TestDatabase::new();
    let (code, stdout, _) = TestServer::run(&db, &["migrate"]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with("migrated: "), "{stdout}");
    assert_eq!(TestServer::run(&db, &["migrate"]), (0, "nothing to migrate\n".to_owned(), String::new()));
    let server = TestServer::on(Arc::new(db));
    server.admin().get("/ready").good();
    assert_eq!(TestServer::run(&server.db, &["migrate"]).1, "nothing to migrate\n");
}

#[test]
fn health_asks_the_server_on_this_machine() {
    let server = TestServer::start();
    let address = server.url.trim_start_matches("http://").to_owned();
    let (code, stdout, stderr) = TestServer::run(&server.db, &["health", "--listen", &address]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "", ""));
    server.kill();
    let (code, said) = refused(&["health", "--listen", &address], &[]);
    assert_eq!(code, 1);
    assert!(said.contains("nothing answers on port"), "{said}");
}

#[test]
fn it_prints_its_description_without_a_database() {
    let (code, stdout, stderr) = {
        let out = program().args(["openapi", "--database-url", "sqlite:///nowhere/at/all.db"]).output().unwrap();
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        (out.status.code(), text(&out.stdout), text(&out.stderr))
    };
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(stdout, licit_server::app::openapi_text());
}

#[test]
fn a_database_of_a_newer_program_is_refused() {
    let server = TestServer::start();
    let db = server.kill();
    let trigger = if db.is_postgres() {
        "DROP TRIGGER ledger_entry_append_only ON ledger_entry"
    } else {
        "DROP TRIGGER ledger_entry_no_update"
    };
    db.sql(trigger);
    db.sql("UPDATE ledger_entry SET version = 99 WHERE seq = 1");
    let (code, said) = refused(&["--database-url", &db.url], &[]);
    assert_eq!(code, 1);
    assert!(said.contains("v99 is unknown to this version of the program"), "{said}");
}
