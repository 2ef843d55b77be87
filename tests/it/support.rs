//! What several files of tests need: the tree's root, the programs, a verifier of the ledger over HTTP.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use harness::{Answer, Client, TestDatabase, TestServer};
use licit_schemas::digest::Digest;
use licit_schemas::ledger::{EntryView, TreeHead};
use licit_schemas::{json, merkle};
use serde_json::{Value, json};

/// The top of the source tree.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Whether generated files are to be written anew.
pub(crate) fn update() -> bool {
    std::env::var("UPDATE").is_ok_and(|v| v == "1")
}

/// A committed file is what it is generated from, or the test says how to repair it.
#[track_caller]
pub(crate) fn same_as_committed(path: &str, wanted: &str) {
    let file = root().join(path);
    if update() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == wanted,
        "{path} is not what the code says (first difference in line {}): run `UPDATE=1 cargo test --workspace --test it contract`, \
         look at the difference, commit it",
        found.lines().zip(wanted.lines()).take_while(|(a, b)| a == b).count() + 1
    );
}

/// The tree as it stands.
#[track_caller]
pub(crate) fn head(client: &Client) -> TreeHead {
    serde_json::from_value(client.get("/api/v1/ledger/head").good()).unwrap()
}

/// Every entry, oldest first.
#[track_caller]
pub(crate) fn entries(client: &Client) -> Vec<EntryView> {
    let mut all: Vec<EntryView> = Vec::new();
    let mut from = "1".to_owned();
    loop {
        let page = client.get(&format!("/api/v1/ledger/entries?from={from}&limit=1000")).good();
        all.extend(serde_json::from_value::<Vec<EntryView>>(page["items"].clone()).unwrap());
        match page["next"].as_str() {
            Some(next) => from = next.to_owned(),
            None => return all,
        }
    }
}

/// Whether entries are without gap, commit to their data, and make the root. Returns them.
#[track_caller]
pub(crate) fn verified(client: &Client) -> Vec<EntryView> {
    let head = head(client);
    let mut all = entries(client);
    assert!(all.len() as u64 >= head.size, "{} entries, the head said {}", all.len(), head.size);
    // Somebody may have written between the two questions.
    all.truncate(usize::try_from(head.size).unwrap());
    let mut edge = merkle::Edge::default();
    let mut before = None;
    for (place, item) in all.iter().enumerate() {
        assert_eq!(item.entry.seq, place as u64 + 1, "a gap");
        assert!(before <= Some(item.entry.at), "time runs backwards at {}", item.entry.seq);
        before = Some(item.entry.at);
        let data = json::canonical(&item.data).unwrap();
        assert_eq!(Digest::of(data.as_bytes()), item.entry.data, "data of {}", item.entry.seq);
        let leaf = merkle::leaf_hash(json::canonical(&item.entry).unwrap().as_bytes());
        assert_eq!(leaf, item.leaf_hash, "leaf of {}", item.entry.seq);
        edge.push(leaf, |_, _| {});
    }
    assert_eq!((edge.size(), edge.root()), (head.size, head.root), "the entries do not make the root");
    all
}

/// `rebuild --check` finds nothing.
#[track_caller]
pub(crate) fn rebuilds(db: &TestDatabase) {
    let (code, stdout, stderr) = TestServer::run(db, &["rebuild", "--check"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
}

/// Every item of a list, page by page.
#[track_caller]
pub(crate) fn pages(client: &Client, path: &str, limit: u16) -> Vec<Value> {
    let joint = if path.contains('?') { '&' } else { '?' };
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("{path}{joint}limit={limit}{cursor}")).good();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= usize::from(limit));
        all.extend(items.iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// Pointers of a problem's faults with their sentences.
pub(crate) fn faults(problem: &Value) -> BTreeMap<String, String> {
    let list = problem["errors"].as_array().cloned().unwrap_or_default();
    list.iter().map(|f| (f["pointer"].as_str().unwrap().to_owned(), f["detail"].as_str().unwrap().to_owned())).collect()
}

/// A registration of one pipeline: dataset, version, model, version and run, named after it.
pub(crate) fn registration(name: &str) -> Value {
    json!({
        "datasets": [{"namespace": "load", "name": name}],
        "dataset_versions": [{"dataset": format!("dataset:load/{name}"), "version": "1", "origin": "synthetic"}],
        "models": [{"name": name}],
        "model_versions": [{
            "model": format!("model:{name}"), "version": "1", "kind": "built",
            "files": [{"path": "m.bin", "digest": Digest::of(name.as_bytes()).to_string()}],
        }],
        "runs": [{
            "operation": "train", "purpose": "purpose:scoring", "started_at": "2026-01-01T00:00:00Z",
            "inputs": [{"ref": format!("dataset:load/{name}@1"), "role": "training"}], "outputs": [format!("model:{name}@1")],
        }],
    })
}

/// The server's program under arguments and environment of the test's choice; stderr goes to a file.
pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) url: String,
    stderr: tempfile::NamedTempFile,
}

/// The server's program with nothing of the caller's settings.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server-under-test"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LICIT_")) {
        command.env_remove(name);
    }
    command.env("RUST_BACKTRACE", "0");
    command
}

/// The exit code and stderr of a start that is refused.
pub(crate) fn refused(args: &[&str], envs: &[(&str, &str)]) -> (i32, String) {
    let mut child =
        program().args(args).envs(envs.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
            panic!("{args:?} {envs:?}: it runs, and should not");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let out = child.wait_with_output().unwrap();
    assert!(out.stdout.is_empty(), "{}", String::from_utf8_lossy(&out.stdout));
    (out.status.code().unwrap_or(-1), String::from_utf8_lossy(&out.stderr).into_owned())
}

impl Program {
    pub(crate) fn start(db: &TestDatabase, args: &[&str], envs: &[(&str, &str)]) -> Self {
        let stderr = tempfile::NamedTempFile::new().unwrap();
        // What the test says of the key holds.
        let signs = args.iter().any(|arg| arg.starts_with("--signing"))
            || envs.iter().any(|(name, _)| name.starts_with("LICIT_SIGNING"));
        let mut child = program()
            .args(["--database-url", &db.url, "--workers", "2"])
            .args(args)
            .args(if args.contains(&"--listen") { &[][..] } else { &["--listen", "127.0.0.1:0"] })
            .envs(harness::server::key(db).filter(|_| !signs))
            .envs(envs.iter().copied())
            .stdout(Stdio::piped())
            .stderr(stderr.reopen().unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.strip_prefix("listening on ").map(|u| u.trim_end_matches('\n').to_owned());
        let url =
            url.unwrap_or_else(|| panic!("first line `{line}`, {}", std::fs::read_to_string(stderr.path()).unwrap()));
        Self { child, url, stderr }
    }

    pub(crate) fn client(&self, token: &str) -> Client {
        Client::new(&self.url, Some(token))
    }

    /// What it said on standard error so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.stderr.path()).unwrap()
    }

    /// SIGTERM.
    pub(crate) fn term(&self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
    }

    /// SIGTERM, and wait: exit code and standard error.
    pub(crate) fn stop(mut self) -> (i32, String) {
        self.term();
        (self.child.wait().unwrap().code().unwrap_or(-1), self.said())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client for a new person with these roles.
#[track_caller]
pub(crate) fn person(admin: &Client, name: &str, roles: &[&str]) -> Client {
    let id = admin.post("/api/v1/actors", &json!({"kind": "person", "name": name})).good()["id"].clone();
    let token = admin.post("/api/v1/tokens", &json!({"actor": id, "roles": roles, "label": "test"})).good();
    Client::new(&admin.url, token["token"].as_str())
}

/// One request written by hand: what came back, as text, until the server closed or fell silent.
pub(crate) fn raw(url: &str, request: &[u8]) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    // The server may refuse and close before all is written.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Retire what a pinned reference names.
#[track_caller]
pub(crate) fn retire(client: &Client, reference: &str, reason: &str) -> Answer {
    let found = client.resolve(reference);
    let collection = format!("{}s", found["kind"].as_str().unwrap().replace('_', "-"));
    let path = format!("/api/v1/{collection}/{}/retire", found["id"].as_str().unwrap());
    client.post(&path, &json!({"reason": reason}))
}

/// What the command line says: exit code, stdout and stderr.
pub(crate) fn licit(client: &Client, args: &[&str]) -> (i32, String, String) {
    licit_in(client, None, args)
}

/// [`licit`], run in a folder.
pub(crate) fn licit_in(client: &Client, folder: Option<&Path>, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cli-under-test"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LICIT_")) {
        command.env_remove(name);
    }
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    command.env("LICIT_URL", &client.url).env("LICIT_TOKEN", client.token.as_deref().unwrap_or_default());
    let out = command.args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code().unwrap_or(-1), text(&out.stdout), text(&out.stderr))
}

/// A Python of its own with these packages, below `target` under this name: made once for a source tree.
pub(crate) fn installed(name: &str, packages: &[&str]) -> PathBuf {
    static MAKING: Mutex<()> = Mutex::new(());
    let _one = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = root().join("target").join(name);
    let (python, done, wanted) = (folder.join("bin/python"), folder.join("packages.txt"), packages.join("\n"));
    if std::fs::read_to_string(&done).unwrap_or_default() != wanted {
        let run = |command: &mut Command| {
            let out = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
            assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
        };
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        run(Command::new(&python).args(["-m", "pip", "install", "-q", "--disable-pip-version-check"]).args(packages));
        std::fs::write(&done, &wanted).unwrap();
    }
    python
}
