//! The doors through which pipelines come, in one run: requests of MLflow's protocol beside a real MLflow server, and events of OpenLineage
//! in a graph that grows by them. Figures and ratios; nothing is asserted of them.
//!
//! `cargo bench --workspace --bench doors [-- [SECONDS [MODELS]] [mlflow | openlineage]]`: how long each is measured (5), how many models
//! stand in both registries (10000), one part alone. The MLflow server is that of `MLFLOW_VENV`; without it, one is installed once into
//! `target/mlflow-server-3.17.2`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a bench fails loudly"
)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use harness::client::encode;
use harness::load::{Figure, Wire, measure};
use harness::{Client, TestServer};
use serde_json::{Value, json};
use tempfile::TempDir;

const MLFLOW: &str = "3.17.2";
/// Until the peer answers: it migrates its database first, on a machine that may have other things to do.
const PATIENCE: Duration = Duration::from_secs(300);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn run(command: &mut Command) {
    let out = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// A Python with the server of MLflow. The tests have only its client.
fn python() -> PathBuf {
    if let Some(folder) = std::env::var_os("MLFLOW_VENV") {
        let python = PathBuf::from(folder).join("bin/python");
        assert!(python.exists(), "{} is missing: python3 -m venv, then pip install mlflow=={MLFLOW}", python.display());
        return python;
    }
    let folder = root().join(format!("target/mlflow-server-{MLFLOW}"));
    let (python, done) = (folder.join("bin/python"), folder.join("installed"));
    if !done.exists() {
        println!("installing mlflow {MLFLOW} into {}", folder.display());
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        let package = format!("mlflow=={MLFLOW}");
        run(Command::new(&python).args(["-m", "pip", "install", "-q", "--disable-pip-version-check", &package]));
        File::create(&done).unwrap();
    }
    python
}

/// A running MLflow server. It ends with this process, too.
struct Peer {
    url: String,
    child: Child,
    folder: TempDir,
}

impl Peer {
    fn start(models: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = File::create(folder.path().join("log")).unwrap();
        let child = Command::new(python())
            .arg(root().join("benches/peer.py"))
            .arg(folder.path())
            .args([port.to_string(), models.to_string()])
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let mut peer = Self { url: format!("http://127.0.0.1:{port}"), child, folder };
        let started = Instant::now();
        while !peer.answers(port) {
            let ended = peer.child.try_wait().unwrap();
            if ended.is_some() || started.elapsed() > PATIENCE {
                panic!("the MLflow server does not answer:\n{}", peer.log());
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        peer
    }

    fn answers(&self, port: u16) -> bool {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
            && Client::new(&self.url, None).try_send("GET", "/health", &[], None).is_some_and(|a| a.status == 200)
    }

    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It ends when nobody holds the other end.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// One of the two servers, as clients see it.
struct Side {
    name: &'static str,
    url: String,
    token: String,
}

impl Side {
    fn client(&self) -> Client {
        Client::new(&self.url, Some(self.token.as_str()).filter(|token| !token.is_empty()))
    }
}

const BASE: &str = "/api/2.0/mlflow";

/// A request to both, the peer first, each alone and warm; what ours does of the peer's.
fn beside(
    what: &str,
    goal: u32,
    clients: usize,
    seconds: f64,
    sides: &[Side; 2],
    job: impl Fn(&mut Wire, u64) -> u16 + Sync,
) {
    let [theirs, ours] = sides.each_ref().map(|side| {
        // Numbers go on after the warm-up, so that nothing is asked for twice that can be had once.
        let warm = AtomicU64::new(0);
        measure(&side.url, &side.token, clients, seconds.min(2.0), |wire, n| {
            warm.fetch_max(n + 1, Ordering::Relaxed);
            job(wire, n)
        });
        let warm = warm.into_inner();
        let figure = measure(&side.url, &side.token, clients, seconds, |wire, n| job(wire, warm + n));
        figure.print(&format!("{what}, {}", side.name), clients, 1);
        figure
    });
    println!("ratio {:.1}; goal {goal}", ours.rate / theirs.rate);
}

/// What stands in both registries: models of one version each.
fn model(n: u64) -> String {
    format!("model-{n:05}")
}

fn new_version(name: &str, n: u64) -> String {
    json!({"name": name, "source": format!("s3://models/{name}/{n}")}).to_string()
}

/// Over HTTP, as a pipeline would.
fn fill(side: &Side, models: u64) {
    let started = Instant::now();
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                let mut wire = Wire::new(&side.url, &side.token);
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= models {
                        break;
                    }
                    let (name, body) = (model(n), json!({"name": model(n)}).to_string());
                    assert_eq!(wire.send("POST", &format!("{BASE}/registered-models/create"), &body), 200);
                    assert_eq!(
                        wire.send("POST", &format!("{BASE}/model-versions/create"), &new_version(&name, 1)),
                        200
                    );
                }
            });
        }
    });
    println!("{models} models of one version each, {}: {:.1} s", side.name, started.elapsed().as_secs_f64());
}

/// What the client sends of a search: it leaves prompts out.
fn search(filter: &str) -> String {
    let both = format!("{filter}tag.`mlflow.prompt.is_prompt` != 'true'");
    format!("{BASE}/registered-models/search?max_results=100&filter={}", encode(&both))
}

/// Names in an answer.
fn names(answer: &Value) -> Vec<&str> {
    answer["registered_models"].as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap()).collect()
}

fn mlflow(seconds: f64, models: u64) {
    let server = TestServer::start();
    let ana = server.person("Ana", &["registrar"]);
    let started = Instant::now();
    let peer = Peer::start(models);
    println!("{models} models of one version each, and started, MLflow: {:.1} s", started.elapsed().as_secs_f64());
    let sides = [
        Side { name: "MLflow", url: peer.url.clone(), token: String::new() },
        Side { name: "Licit", url: server.url.clone(), token: ana.token.clone().unwrap() },
    ];
    fill(&sides[1], models);

    // A hundred models have a prefix of their own.
    let prefixes = models.div_ceil(100).max(1);
    let like = |n: u64| search(&format!("name LIKE 'model-{:03}%' AND ", n % prefixes));
    let get = |n: u64| format!("{BASE}/model-versions/get?name={}&version=1", model(n * 7919 % models));
    // Both say the same before it is said how fast.
    for path in [search(""), like(0)] {
        let [theirs, ours] = sides.each_ref().map(|side| side.client().get(&path).good());
        assert_eq!(names(&theirs), names(&ours), "{path}");
        assert_eq!(names(&ours).len() as u64, models.min(100), "{path}");
        assert_eq!(theirs["registered_models"][0]["latest_versions"][0]["version"], "1");
        assert_eq!(ours["registered_models"][0]["latest_versions"][0]["version"], "1");
    }
    for side in &sides {
        assert_eq!(side.client().get(&get(1)).good()["model_version"]["status"], "READY");
    }

    beside("get version", 60, 8, seconds, &sides, |wire, n| wire.send("GET", &get(n), ""));
    let page = search("");
    beside("search, first 100 of all", 40, 8, seconds, &sides, |wire, _| wire.send("GET", &page, ""));
    beside("search, 100 by their prefix", 40, 8, seconds, &sides, |wire, n| wire.send("GET", &like(n), ""));
    let create = format!("{BASE}/model-versions/create");
    beside("create version, durable", 40, 32, seconds, &sides, |wire, n| {
        wire.send("POST", &create, &new_version(&model(n % models), n))
    });
}

// --- OpenLineage -----------------------------------------------------------------------------------------------------------------

const JOBS: u64 = 200;
const SETS: u64 = 500;
/// After so many events it is measured again.
const LATER: u64 = 20_000;
/// Events of greater ones are of whole files of facets that nobody reads.
const MOST_BYTES: u64 = 16 << 10;
/// Runs that one run began.
const FAMILY: u64 = 16;

/// What a job sends when it begins and when it is done, with places for what each run has of its own.
struct Job {
    start: String,
    complete: String,
}

/// Recorded events of runs that read and wrote, of engines of all kinds, with the facets they sent.
fn recorded() -> Vec<Value> {
    let folder = root().join("tests/fixtures/openlineage/events");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.metadata().unwrap().len() < MOST_BYTES);
    paths.sort();
    let named = |event: &Value, side: &str| event[side].as_array().is_some_and(|list| !list.is_empty());
    let events = paths.iter().map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap());
    let fitting = |event: &Value| event["eventType"] == "COMPLETE" && named(event, "inputs") && named(event, "outputs");
    events.filter(fitting).collect()
}

/// The recorded events, as jobs of one warehouse: each reads what jobs before it wrote, and some that nobody did.
fn jobs() -> Vec<Job> {
    let recorded = recorded();
    assert!(recorded.len() > 20, "the recorded events are missing");
    let sources = SETS - 2 * JOBS;
    let make = |job: u64| {
        let mut event = recorded[job as usize % recorded.len()].clone();
        let mut known = BTreeMap::new();
        for (side, count) in [("inputs", sources + 2 * job), ("outputs", 2)] {
            for (n, set) in event[side].as_array_mut().unwrap().iter_mut().enumerate() {
                let n = n as u64;
                let id = if side == "inputs" { (job * 31 + n * 97) % count } else { sources + 2 * job + n % count };
                known.insert((set["namespace"].to_string(), set["name"].to_string()), id);
                for other in
                    set.pointer_mut("/facets/symlinks/identifiers").and_then(Value::as_array_mut).into_iter().flatten()
                {
                    other["name"] = json!(format!("warehouse.set_{id}"));
                }
            }
        }
        rename(&mut event, &known);
        event["job"] = json!({"namespace": "warehouse", "name": format!("job-{job}")});
        event["run"]["runId"] = json!("@run");
        if event.pointer("/run/facets/parent/run/runId").is_some() {
            event["run"]["facets"]["parent"]["run"]["runId"] = json!("@parent");
        }
        event["eventTime"] = json!("@time");
        let complete = event.to_string();
        event["eventType"] = json!("START");
        Job { start: event.to_string(), complete }
    };
    (0..JOBS).map(make).collect()
}

/// Give the datasets of an event, wherever they are named, the names of ours.
fn rename(value: &mut Value, known: &BTreeMap<(String, String), u64>) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|one| rename(one, known)),
        Value::Object(map) => {
            let pair = map.get("namespace").zip(map.get("name")).map(|(a, b)| (a.to_string(), b.to_string()));
            if let Some(id) = pair.and_then(|pair| known.get(&pair)) {
                map.insert("namespace".to_owned(), json!("postgres://warehouse:5432"));
                map.insert("name".to_owned(), json!(format!("warehouse.public.set_{id}")));
            }
            map.values_mut().for_each(|one| rename(one, known));
        }
        _ => {}
    }
}

/// The n-th event: the beginning and the end of a run, one after the other. Every run is another.
fn event(jobs: &[Job], n: u64) -> String {
    let run = n / 2;
    let job = &jobs[(run * 61 % JOBS) as usize];
    let text = if n.is_multiple_of(2) { &job.start } else { &job.complete };
    let id =
        |of: u64, n: u64| uuid::Uuid::from_u64_pair(0x0193_9f00_0000_7000 | of, 0x8000_0000_0000_0000 | n).to_string();
    let time = chrono::DateTime::from_timestamp(1_767_225_600 + n as i64, 0).unwrap().to_rfc3339();
    text.replace("@run", &id(1, run)).replace("@parent", &id(2, run / FAMILY)).replace("@time", &time)
}

fn batch(jobs: &[Job], n: u64) -> String {
    let mut text = String::from("[");
    for of in 100 * n..100 * (n + 1) {
        let comma = if text.len() > 1 { "," } else { "" };
        write!(text, "{comma}{}", event(jobs, of)).unwrap();
    }
    text + "]"
}

fn openlineage(seconds: f64) {
    let jobs = jobs();
    let bytes: usize = jobs.iter().map(|job| job.complete.len()).sum::<usize>() / jobs.len();
    let server = TestServer::start();
    let engine = server.person("Ana", &["registrar"]).token.unwrap();
    let admin = server.admin();
    println!("{JOBS} jobs over {SETS} datasets, {bytes} bytes an event, each run a START and a COMPLETE");
    // Of hundreds, so that batches and single events never send the same.
    let hundreds = AtomicU64::new(0);
    let single = |what: &str| -> Figure {
        let first = hundreds.load(Ordering::Relaxed) * 100;
        let most = AtomicU64::new(0);
        let figure = measure(&server.url, &engine, 32, seconds, |wire, n| {
            most.fetch_max(n + 1, Ordering::Relaxed);
            wire.send("POST", "/api/v1/lineage", &event(&jobs, first + n))
        });
        hundreds.fetch_add(most.into_inner().div_ceil(100), Ordering::Relaxed);
        figure.print(&format!("event by event, durable, {what}"), 32, 1);
        figure
    };
    let batches = |what: &str| -> Figure {
        let figure = measure(&server.url, &engine, 4, seconds, |wire, _| {
            let n = hundreds.fetch_add(1, Ordering::Relaxed);
            wire.send("POST", "/api/v1/lineage/batch", &batch(&jobs, n))
        });
        figure.print(&format!("events in batches of 100, {what}"), 4, 100);
        figure
    };
    let (one, many) = (single("at first"), batches("at first"));
    let mut wire = Wire::new(&server.url, &engine);
    while hundreds.load(Ordering::Relaxed) * 100 < LATER {
        let n = hundreds.fetch_add(1, Ordering::Relaxed);
        assert_eq!(wire.send("POST", "/api/v1/lineage/batch", &batch(&jobs, n)), 200);
    }
    let stand = |events: u64| format!("after {events}");
    let (one_later, many_later) = (
        single(&stand(hundreds.load(Ordering::Relaxed) * 100)),
        batches(&stand(hundreds.load(Ordering::Relaxed) * 100)),
    );
    println!(
        "goal 1000/s: event by event {:.1} times that, then {:.1}; in batches {:.1}, then {:.1}",
        one.rate / 1e3,
        one_later.rate / 1e3,
        many.rate / 10.0,
        many_later.rate / 10.0
    );
    let waits = admin.get("/api/v1/lineage/quarantine").good();
    assert_eq!(waits["items"], json!([]), "events that could not be read were measured");
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let figures: Vec<f64> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let (seconds, models) = (figures.first().copied().unwrap_or(5.0), figures.get(1).map_or(10_000, |n| *n as u64));
    let wanted = |part: &str| {
        !["mlflow", "openlineage"].iter().any(|p| words.iter().any(|w| w == p)) || words.iter().any(|w| w == part)
    };
    if wanted("mlflow") {
        mlflow(seconds, models);
    }
    if wanted("openlineage") {
        openlineage(seconds);
    }
}
