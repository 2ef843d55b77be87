//! The real server program.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::client::Client;
use crate::database::TestDatabase;

/// The administrator's token of every test server.
pub const ADMIN: &str = "abababababababababababababababababababababababababababababababab";

/// A running server on a port of its own. Stopped hard when dropped.
pub struct TestServer {
    pub url: String,
    pub db: std::sync::Arc<TestDatabase>,
    child: Child,
}

/// The server's program as built for these tests. The caller passes `env!("CARGO_BIN_EXE_server-under-test")`, because only an
/// integration test knows it.
fn program() -> PathBuf {
    let given = std::env::var_os("LICIT_TEST_SERVER").map(PathBuf::from);
    given.unwrap_or_else(|| {
        let mut path = std::env::current_exe().unwrap();
        path.pop();
        if path.ends_with("deps") {
            path.pop();
        }
        path.join("server-under-test")
    })
}

/// On PostgreSQL no server chooses a place for its key.
pub fn key(db: &TestDatabase) -> Option<(&'static str, PathBuf)> {
    db.is_postgres().then(|| ("LICIT_SIGNING_KEY_FILE", db.key()))
}

/// Nor one for artifacts.
fn artifacts(db: &TestDatabase) -> Option<(&'static str, PathBuf)> {
    db.is_postgres().then(|| ("LICIT_ARTIFACTS", db.key().with_extension("artifacts")))
}

impl TestServer {
    /// On a fresh database.
    pub fn start() -> Self {
        Self::on(std::sync::Arc::new(TestDatabase::new()))
    }

    /// On a database that may have been used before.
    pub fn on(db: std::sync::Arc<TestDatabase>) -> Self {
        Self::with(db, &[])
    }

    /// With further arguments.
    pub fn with(db: std::sync::Arc<TestDatabase>, args: &[&str]) -> Self {
        Self::within(db, args, &[])
    }

    /// With further arguments, and what stands in its environment besides.
    pub fn within(db: std::sync::Arc<TestDatabase>, args: &[&str], environment: &[(&str, &str)]) -> Self {
        // What a test did not ask for would stand between its facts: gaps are noticed by who looks, unless it says otherwise.
        let looks = args.contains(&"--look-seconds");
        let mut child = Command::new(program())
            .args(["--database-url", &db.url, "--listen", "127.0.0.1:0", "--workers", "2"])
            .args(if looks { &[][..] } else { &["--look-seconds", "0"] })
            .args(args)
            .envs(key(&db))
            .envs(artifacts(&db))
            .envs(environment.iter().copied())
            .env("LICIT_BOOTSTRAP_TOKEN", ADMIN)
            .env("RUST_BACKTRACE", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the server's program was built");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url =
            line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("first line: `{line}`")).to_owned();
        Self { url, db, child }
    }

    /// Run the program with a subcommand on the same database; exit code, stdout, stderr.
    pub fn run(db: &TestDatabase, args: &[&str]) -> (i32, String, String) {
        let out = Command::new(program())
            .args(["--database-url", &db.url])
            .args(args)
            .envs(key(db))
            .env("RUST_BACKTRACE", "0")
            .output()
            .expect("the server's program was built");
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        (out.status.code().unwrap_or(-1), text(&out.stdout), text(&out.stderr))
    }

    /// A client with the administrator's token.
    pub fn admin(&self) -> Client {
        Client::new(&self.url, Some(ADMIN))
    }

    /// A client without a token.
    pub fn nobody(&self) -> Client {
        Client::new(&self.url, None)
    }

    /// A client for a new person with these roles.
    pub fn person(&self, name: &str, roles: &[&str]) -> Client {
        let id = self.admin().post("/api/v1/actors", &serde_json::json!({"kind": "person", "name": name})).good()["id"]
            .clone();
        self.token(&id, roles)
    }

    /// A client for a new service that a person answers for.
    pub fn service(&self, name: &str, responsible: &Client, roles: &[&str]) -> Client {
        let person = responsible.get("/api/v1/whoami").good()["actor"].clone();
        let body = serde_json::json!({"kind": "service", "name": name, "responsible": person});
        let id = self.admin().post("/api/v1/actors", &body).good()["id"].clone();
        self.token(&id, roles)
    }

    fn token(&self, actor: &serde_json::Value, roles: &[&str]) -> Client {
        let body = serde_json::json!({"actor": actor, "roles": roles, "label": "test"});
        let token = self.admin().post("/api/v1/tokens", &body).good()["token"].as_str().unwrap().to_owned();
        Client::new(&self.url, Some(&token))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(mut self) -> std::sync::Arc<TestDatabase> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.db.clone()
    }

    /// SIGTERM, and wait: exit code.
    pub fn stop(mut self) -> i32 {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
