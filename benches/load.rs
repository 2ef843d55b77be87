//! Load over HTTP, against the real server program: figures and ratios taken in one run. Nothing is asserted.
//!
//! `cargo bench --workspace --bench load [-- SECONDS]`. On SQLite by default; on PostgreSQL with `TEST_DATABASE_URL=postgres://…`,
//! where `pgbench`, if it is installed, runs the same number of statements beside it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a bench fails loudly"
)]

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use harness::load::load;
use harness::scenario::{ZEROS, model_version, party, purpose};
use harness::{Client, TestDatabase, TestServer};
use licit_schemas::digest::Digest;
use licit_schemas::subjects::Pseudonym;
use serde_json::json;
use uuid::Uuid;

fn memory_mb(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|l| l.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// A server without our layers: the same read, pool and Diesel, on the same actix.
fn bare_read(manager: licit_server::db::Manager, id: String) -> String {
    use actix_web::{App, HttpResponse, HttpServer, web};
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let pool = diesel::r2d2::Pool::builder().max_size(8).build(manager).unwrap();
            let server = HttpServer::new(move || {
                let (pool, id) = (pool.clone(), id.clone());
                App::new().route(
                    "/",
                    web::get().to(move || {
                        let (pool, id) = (pool.clone(), id.clone());
                        async move {
                            let row = web::block(move || {
                                let mut conn = pool.get().unwrap();
                                licit_server::db::listing::by_id(&mut conn, "model_version", &id).unwrap().unwrap()
                            })
                            .await
                            .unwrap();
                            HttpResponse::Ok().content_type("application/json").body(row.doc)
                        }
                    }),
                )
            })
            .workers(2)
            .disable_signals()
            .bind("127.0.0.1:0")
            .unwrap();
            send.send(format!("http://{}", server.addrs()[0])).unwrap();
            server.run().await.unwrap();
        });
    });
    receive.recv().unwrap()
}

/// A server that does nothing but insert the bare row of a consent on PostgreSQL: one for each request, in groups of as many as wait,
/// made in the database by the cheapest statement there is, in the table of [`pgbench_consent`]. What no registry on this machine can
/// pass that writes over one connection.
fn bare_write(url: &str) -> String {
    use actix_web::{App, HttpResponse, HttpServer, web};
    use diesel::prelude::*;
    use tokio::sync::oneshot;
    let (queue, jobs) = std::sync::mpsc::channel::<oneshot::Sender<()>>();
    let mut conn = diesel::PgConnection::establish(url).unwrap();
    std::thread::spawn(move || {
        let row = "INSERT INTO bench.consent SELECT gen_random_uuid(), repeat('s', 43) || nextval('bench.s'), \
            'purpose scoring', 0, repeat('n', 71), now() FROM generate_series(1, $1)";
        while let Ok(first) = jobs.recv() {
            let waiting: Vec<_> = std::iter::once(first).chain(jobs.try_iter()).collect();
            let count = waiting.len() as i32;
            diesel::sql_query(row).bind::<diesel::sql_types::Integer, _>(count).execute(&mut conn).unwrap();
            waiting.into_iter().for_each(|one| one.send(()).unwrap());
        }
    });
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || {
                let queue = queue.clone();
                App::new().route(
                    "/",
                    web::post().to(move |_: web::Bytes| {
                        let queue = queue.clone();
                        async move {
                            let (done, answer) = oneshot::channel();
                            queue.send(done).unwrap();
                            answer.await.unwrap();
                            HttpResponse::Created().content_type("application/json").body("{}")
                        }
                    }),
                )
            })
            .workers(2)
            .disable_signals()
            .bind("127.0.0.1:0")
            .unwrap();
            send.send(format!("http://{}", server.addrs()[0])).unwrap();
            server.run().await.unwrap();
        });
    });
    receive.recv().unwrap()
}

fn psql(base: &str, sql: &str) {
    Command::new("psql").args([base, "-qAt", "-c", sql]).status().unwrap();
}

/// The statements of one group, at a group of one: lock, entry, node, head, row.
fn pgbench_version(base: &str, clients: usize, seconds: f64) -> Option<f64> {
    psql(
        base,
        "DROP SCHEMA IF EXISTS bench CASCADE; CREATE SCHEMA bench; CREATE TABLE bench.head (id int primary key, size bigint, root bytea);
         INSERT INTO bench.head VALUES (1, 0, ''); CREATE SEQUENCE bench.s;
         CREATE TABLE bench.entry (seq bigint primary key, kind text, version int, at timestamp, actor text, entry text, data text);
         CREATE TABLE bench.hash (idx bigint primary key, hash bytea);
         CREATE TABLE bench.resource (kind text, id text, since_seq bigint, doc text, search text, primary key (kind, id, since_seq));",
    );
    let text = "SELECT nextval('bench.s') AS n \\gset\nBEGIN;\nUPDATE bench.head SET size = size WHERE id = 1;\n\
        INSERT INTO bench.entry VALUES (:n, 'model_version.registered', 1, now(), 'a', repeat('e', 250), repeat('d', 500));\n\
        INSERT INTO bench.hash VALUES (:n, '0123456789abcdef0123456789abcdef');\nUPDATE bench.head SET size = size + 1 WHERE id = 1;\n\
        INSERT INTO bench.resource VALUES ('model_version', :n::text, :n, repeat('d', 450), repeat('s', 60));\nCOMMIT;\n";
    pgbench(base, text, clients, seconds)
}

/// What a table of consents alone would cost: its row, and nothing else.
fn pgbench_consent(base: &str, clients: usize, seconds: f64) -> Option<f64> {
    psql(
        base,
        "DROP SCHEMA IF EXISTS bench CASCADE; CREATE SCHEMA bench; CREATE SEQUENCE bench.s;
         CREATE TABLE bench.consent (id uuid primary key, subject text, purpose text, said int, notice text, said_at timestamp);
         CREATE INDEX consent_subject ON bench.consent (subject, purpose, said_at);",
    );
    // pgbench takes a colon before a word for a variable.
    let text = "INSERT INTO bench.consent VALUES (gen_random_uuid(), repeat('s', 43) || nextval('bench.s'), \
        'purpose scoring', 0, repeat('n', 71), now());\n";
    pgbench(base, text, clients, seconds)
}

fn pgbench(base: &str, text: &str, clients: usize, seconds: f64) -> Option<f64> {
    let script = std::env::temp_dir().join("licit-pgbench.sql");
    std::fs::write(&script, text).unwrap();
    let clients = clients.to_string();
    let seconds = (seconds.ceil() as u64).to_string();
    let args =
        ["-n", "-M", "prepared", "-c", &clients, "-j", "2", "-T", &seconds, "-f", script.to_str().unwrap(), base];
    let out = Command::new("pgbench").args(args).output().ok()?;
    assert!(out.status.success(), "pgbench: {}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8_lossy(&out.stdout);
    text.lines().find_map(|l| l.strip_prefix("tps = ")?.split(' ').next()?.parse().ok())
}

/// The least that is durable: a bare group commit on SQLite FULL, one row of the size of a model version for each.
fn bare_inserts(seconds: f64) -> f64 {
    use diesel::prelude::*;
    use licit_server::db::schema::resource;
    use licit_server::db::{Conn, Manager, Row, migrate};
    let db = TestDatabase::new();
    let mut conn = Manager::new(&db.url).unwrap().open().unwrap();
    migrate::run(&mut conn).unwrap();
    let Conn::Sqlite(mut lite) = conn else { return f64::NAN };
    let moment = licit_server::clock::now().naive();
    let text = |length: usize| "d".repeat(length);
    let (started, mut done) = (Instant::now(), 0i64);
    while started.elapsed().as_secs_f64() < seconds {
        let row = |n: i64| Row {
            kind: "model_version".to_owned(),
            id: format!("{n:036}"),
            reference: format!("model:score@v{n}"),
            state: "built".to_owned(),
            name: format!("v{n}"),
            owner: String::new(),
            parent: "model:score".to_owned(),
            tags: String::new(),
            search: text(60),
            digest: text(71),
            doc: text(450),
            actor: text(36),
            recorded_at: moment,
            since_seq: n,
            until_seq: None,
            valid_from: None,
            valid_to: None,
        };
        // As many as wait at 32 clients.
        let rows: Vec<Row> = (done..done + 32).map(row).collect();
        lite.transaction(|lite| diesel::insert_into(resource::table).values(&rows).execute(lite)).unwrap();
        done += 32;
    }
    done as f64 / started.elapsed().as_secs_f64()
}

/// People give their consent, one request each, durable; beside the bare row in a table on PostgreSQL, where that is there.
fn consents(server: &TestServer, ana: &Client, token: &str, seconds: f64) {
    ana.post("/api/v1/purposes", &purpose("scoring")).good();
    ana.post(
        "/api/v1/subject-keys",
        &json!({"scope": "crm", "kid": "k1", "normalisation": "n1", "fingerprint": ZEROS}),
    )
    .good();
    let said = |n: u64| {
        let subject = Pseudonym::new("k1".parse().unwrap(), *Digest::of(&n.to_be_bytes()).as_bytes());
        json!({"record_id": Uuid::from_u128(u128::from(n) + 1), "subject": subject, "purpose": "purpose:scoring",
            "said": "given", "at": "2026-01-05T10:00:00Z", "notice": ZEROS})
        .to_string()
    };
    let rate = load("consent of one person, durable", &server.url, token, 32, seconds, |wire, n| {
        wire.send("POST", "/api/v1/consent-records", &said(n))
    });
    if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
        match pgbench_consent(&url, 32, seconds) {
            Some(tps) => {
                println!("pgbench, the bare row alone, c=32: {tps:.0}/s; ratio {:.2}", rate / tps);
                let bare = load("the bare row alone, over HTTP", &bare_write(&url), "", 32, seconds, |wire, n| {
                    wire.send("POST", "/", &said(n))
                });
                println!("ratio {:.2} of it; it is {:.2} of pgbench", rate / bare, bare / tps);
            }
            None => println!("pgbench is not installed: no comparison"),
        }
    }
}

fn main() {
    let seconds: f64 = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(5.0);
    let server = TestServer::start();
    println!("database: {}", if server.db.is_postgres() { "PostgreSQL" } else { "SQLite, synchronous=FULL" });
    println!("idle memory, empty: {:.1} MB", memory_mb(server.pid()));
    let ana = server.person("Ana", &["registrar"]);
    let token = ana.token.clone().unwrap();
    ana.post("/api/v1/parties", &party("acme")).good();
    ana.post("/api/v1/models", &json!({"name": "score"})).good();
    let body = |n: u64| {
        let mut body = model_version(&format!("v{n}"), "1");
        body["files"][0]["digest"] = json!(Digest::of(&n.to_be_bytes()));
        body.to_string()
    };
    let base = AtomicU64::new(0);
    let mut at_32 = 0.0;
    for clients in [1, 8, 32] {
        let offset = base.fetch_add(10_000_000, Ordering::Relaxed);
        at_32 = load("register model version, durable", &server.url, &token, clients, seconds, |wire, n| {
            wire.send("POST", "/api/v1/model-versions", &body(offset + n))
        });
    }
    if !server.db.is_postgres() {
        let bare = bare_inserts(seconds);
        println!("bare group commit of 32 rows: {bare:.0} rows/s; ratio {:.2}", at_32 / bare);
    }
    if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
        match pgbench_version(&url, 32, seconds) {
            Some(tps) => println!("pgbench, the same statements, c=32: {tps:.0}/s; ratio {:.2}", at_32 / tps),
            None => println!("pgbench is not installed: no comparison"),
        }
    }
    consents(&server, &ana, &token, seconds);
    let id = ana.post("/api/v1/model-versions", &model_version("read", "2")).good()["id"].as_str().unwrap().to_owned();
    let bare = bare_read(licit_server::db::Manager::new(&server.db.url).unwrap(), id.clone());
    for clients in [1, 8, 32] {
        let ours = load("read model version", &server.url, &token, clients, seconds / 2.0, |wire, _| {
            wire.send("GET", &format!("/api/v1/model-versions/{id}"), "")
        });
        let theirs = load("the same read without our layers", &bare, &token, clients, seconds / 2.0, |wire, _| {
            wire.send("GET", "/", "")
        });
        println!("ratio {:.2}", ours / theirs);
    }
    println!("memory after load: {:.1} MB", memory_mb(server.pid()));
    drop(server);

    // Ten thousand models, a version each: how long until the first answer, and how much memory when idle.
    let server = TestServer::start();
    let ana = server.person("Ana", &["registrar"]);
    for block in 0..20 {
        let models: Vec<_> = (0..500).map(|n| json!({"name": format!("model-{block}-{n}")})).collect();
        let versions: Vec<_> = (0..500)
            .map(|n| {
                let mut version = model_version("1", "1");
                version["model"] = json!(format!("model:model-{block}-{n}"));
                version
            })
            .collect();
        ana.post("/api/v1/registrations", &json!({"models": models, "model_versions": versions})).good();
    }
    let db = server.kill();
    let started = Instant::now();
    let server = TestServer::on(db);
    server.nobody().get("/ready").good();
    println!("start to first answer with 10,000 models: {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
    println!("idle memory with 10,000 models: {:.1} MB", memory_mb(server.pid()));
}
