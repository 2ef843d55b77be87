//! What people say, at size: recorded in batches, counted by the gate, asked of a past moment, read at start. Ratios taken in one
//! run; nothing is asserted.
//!
//! `cargo bench --workspace --bench people [-- SUBJECTS [ROUNDS]]`. One purpose to which all subjects agreed; three hundred datasets
//! of log-normal sizes behind one model on consent, and the same behind another on a contract.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_possible_truncation, reason = "a bench fails loudly")]

use std::time::{Duration, Instant};

use diesel::prelude::*;
use licit_schemas::digest::Digest;
use licit_schemas::gate::Intent;
use licit_schemas::reference::Ref;
use licit_schemas::subjects::Pseudonym;
use licit_schemas::time::Timestamp;
use licit_server::catalogue::Stated;
use licit_server::consent::upkeep::Keeper;
use licit_server::consent::{batch, records};
use licit_server::db::people::Form;
use licit_server::db::{Conn, Manager};
use licit_server::facts::{Db, Fact, Tx};
use licit_server::gate::consented::Will;
use licit_server::gate::decide;
use licit_server::gate::evidence::{Ask, gather};
use licit_server::gate::policy::Policy;
use roaring::RoaringBitmap;
use serde_json::{Value, json};
use uuid::Uuid;

const DATASETS: usize = 300;
const ZEROS: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.below(1 << 20) as f64 / f64::from(1 << 20)).sum::<f64>() - 6.0
    }
}

fn add<T: serde::de::DeserializeOwned>(tx: &mut Tx<'_>, fact: fn(Stated<T>) -> Fact, spec: Value) -> u64 {
    let id = tx.new_id();
    tx.record(fact(Stated { id, rev: 1, spec: serde_json::from_value(spec).unwrap() })).unwrap()
}

fn approve(tx: &mut Tx<'_>, reference: &str, envelope: Option<Value>) {
    let mut subject = json!({"ref": reference, "digest": ZEROS});
    if let Some(envelope) = envelope {
        subject["envelope"] = envelope;
    }
    let spec = json!({"review": Uuid::nil(), "subject": subject, "valid_from": "2020-01-01", "valid_to": "2030-01-01", "voters": []});
    add(tx, Fact::ApprovalGranted, spec);
}

fn write(db: &Db, work: impl Fn(&mut Tx<'_>) + Send + 'static) {
    let now = licit_server::clock::now();
    db.write_blocking(Uuid::nil(), now, move |tx| {
        work(tx);
        Ok(())
    })
    .unwrap();
}

/// Everything but what people say. Sizes of the datasets come back.
fn register(db: &Db, sets: Vec<RoaringBitmap>) {
    write(db, move |tx| {
        let three = json!({"what_we_do": "x", "what_you_get": "x", "what_we_never_do": "x"});
        add(tx, Fact::PartyRegistered, json!({"key": "acme", "name": "ACME", "region": "FR"}));
        add(tx, Fact::EnvironmentRevised, json!({"key": "production", "mode": "enforce", "class": "production"}));
        let letters = ["a", "b", "ba", "bb", "c", "d", "e", "f", "g", "h"];
        let answers: serde_json::Map<String, Value> =
            letters.iter().map(|k| ((*k).to_owned(), json!({"applies": false}))).collect();
        add(
            tx,
            Fact::SystemRevised,
            json!({"key": "scorer", "name": "S", "intended_purpose": "x", "risk_class": "minimal", "risk_reason": "x",
            "role": "deployer", "effect": "minor", "reliance": "weak", "owner": "ml", "practices": {"version": "2026-12-02", "answers": answers}}),
        );
        approve(tx, "system:scorer@1", None);
        add(
            tx,
            Fact::SubjectKeyRegistered,
            json!({"scope": "crm", "kid": "k1", "normalisation": "n1", "fingerprint": ZEROS}),
        );
        add(tx, Fact::ModelRegistered, json!({"name": "m"}));
        for key in ["consent", "contract"] {
            add(
                tx,
                Fact::PurposeRevised,
                json!({"key": key, "name": "S", "iri": "https://w3id.org/dpv#ServiceProvision", "regulated_as": [],
                "sentences": {"en": three, "fr": three}, "valid_from": "2020-01-01"}),
            );
            approve(tx, &format!("purpose:{key}@1"), None);
        }
        let both = |text: &str| json!({"en": text, "fr": text});
        add(
            tx,
            Fact::NoticeRevised,
            json!({"key": "everybody", "controller": "party:acme", "purposes": ["purpose:consent", "purpose:contract"],
                "valid_from": "2020-01-01", "wording": {"en": {"title": "x", "text": "x"}, "fr": {"title": "x", "text": "x"}},
                "categories": [{"iri": "https://w3id.org/dpv#PersonalData"}],
                "refusal": {"url": "https://x.example/no", "words": both("Say no here.")},
                "promises": [{"commitment": "never_sold", "words": both("We promise.")}]}),
        );
        add(tx, Fact::WithdrawalTested, json!({"notice": "notice:everybody@1", "at": tx.now(), "outcome": "passed"}));
        let names: Vec<String> = (0..sets.len()).map(|n| format!("dataset:crm/d{n}")).collect();
        for (name, members) in names.iter().zip(&sets) {
            add(
                tx,
                Fact::DatasetVersionRegistered,
                json!({"dataset": name, "version": "1", "origin": "collected", "controllers": ["party:acme"],
                "retention": {"until": "2099-12-31"}, "collected_for": ["purpose:consent@1", "purpose:contract@1"],
                "notices": ["notice:everybody@1"],
                "subjects": ["https://w3id.org/dpv#Adult"],
                "fields": [{"name": "age", "categories": ["https://w3id.org/dpv/pd#Age"], "identifiability": "quasi"}]}),
            );
            let seq = add(
                tx,
                Fact::MembersLoaded,
                json!({"dataset_version": format!("{name}@1"), "scope": "crm", "kid": "k1",
                "count": members.len(), "root": ZEROS}),
            );
            tx.keep_set(&format!("{name}@1"), seq, members.clone()).unwrap();
        }
        let evidence = json!({"uri": "https://x.example/e", "digest": ZEROS});
        for (key, basis, letter) in [
            ("consent", "art6_1_a", json!({"notice": evidence, "withdrawal_means": "https://x.example/no"})),
            ("contract", "art6_1_b", json!({"contract": evidence, "necessity": "x"})),
        ] {
            add(
                tx,
                Fact::BasisRevised,
                json!({"key": key, "name": "B", "legal_basis": basis, "valid_from": "2020-01-01", "evidence": [evidence],
                "letter": letter, "covers": {"purposes": [format!("purpose:{key}")], "datasets": names,
                "categories": ["https://w3id.org/dpv#PersonalData"], "subjects": ["https://w3id.org/dpv#HumanSubject"],
                "controllers": ["party:acme"], "stages": ["training", "deployment"]}}),
            );
            approve(tx, &format!("basis:{key}@1"), None);
            add(
                tx,
                Fact::ModelVersionRegistered,
                json!({"model": "model:m", "version": key, "kind": "built",
                "files": [{"path": "m", "digest": Digest::of(key.as_bytes())}]}),
            );
            let inputs: Vec<Value> =
                names.iter().map(|n| json!({"ref": format!("{n}@1"), "role": "training"})).collect();
            add(
                tx,
                Fact::RunRecorded,
                json!({"operation": "train", "purpose": format!("purpose:{key}@1"), "inputs": inputs,
                "outputs": [format!("model:m@{key}")], "started_at": "2026-06-01", "controller": "party:acme"}),
            );
            add(
                tx,
                Fact::DeploymentRevised,
                json!({"name": key, "system": "system:scorer@1", "environment": "environment:production",
                "purpose": format!("purpose:{key}@1"), "bases": [format!("basis:{key}@1")], "controller": "party:acme", "owner": "ml",
                "region": "FR", "reads": {"nobody": "x"}, "writes": {"nobody": "x"}}),
            );
            add(
                tx,
                Fact::ReleaseProposed,
                json!({"deployment": format!("deployment:{key}"),
                "composition": [{"part": "base", "model": format!("model:m@{key}")}]}),
            );
            let asked = ask(&format!("deployment:{key}"), tx.now());
            let envelope = serde_json::to_value(licit_server::gate::envelope::of(&gather(tx.world(), asked))).unwrap();
            approve(tx, &format!("deployment:{key}"), Some(envelope));
        }
    });
}

fn ask(deployment: &str, at: Timestamp) -> Ask {
    Ask { deployment: deployment.to_owned(), release: None, intent: Intent::Start, artifacts: Vec::new(), valid_at: at }
}

/// Records as they come over the wire.
fn lines(people: std::ops::Range<u32>, said: &str, at: &str, notice: bool) -> Vec<u8> {
    let mut all = String::new();
    for n in people {
        let subject = Pseudonym::new("k1".parse().unwrap(), *Digest::of(&n.to_le_bytes()).as_bytes());
        let kind = u128::from(said.len() as u64) << 64;
        let mut record = json!({"record_id": Uuid::from_u128(kind | u128::from(n)), "subject": subject, "purpose": "purpose:consent", "said": said, "at": at});
        if notice {
            record["notice"] = json!(ZEROS);
        }
        all.push_str(&record.to_string());
        all.push('\n');
    }
    all.into_bytes()
}

fn take(db: &Db, bytes: &[u8]) {
    let now = licit_server::clock::now();
    let read = batch::read(bytes, now, false).unwrap();
    assert!(read.refused.is_empty());
    db.write_blocking(Uuid::nil(), now, move |tx| records::record_all(tx, &read.lines)).unwrap();
}

fn quantile(times: &mut [Duration], q: f64) -> f64 {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * q) as usize].as_secs_f64() * 1e6
}

fn ms(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1e3
}

/// How long the gate takes, asked again and again.
fn judged(db: &Db, deployment: &str, rounds: usize) -> (f64, usize) {
    let (world, policy) = (db.world(), Policy::default());
    let (mut times, mut found) = (Vec::new(), 0);
    for _ in 0..rounds {
        let begin = Instant::now();
        let evidence = gather(&world, ask(deployment, licit_server::clock::now()));
        found = decide::judge(&evidence, &policy).findings.len();
        times.push(begin.elapsed());
    }
    (quantile(&mut times, 0.5), found)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    lacking: i64,
}

/// How many members of six datasets lack consent, asked of tables by somebody who has no bitmaps: how many milliseconds that takes,
/// and the answer. A macro, because a connection of each database is of another type.
macro_rules! of_tables {
    ($conn:expr, $sets:expr, $said:literal) => {{
        let conn = $conn;
        let mut run = |sql: &str| diesel::sql_query(sql).execute(conn).unwrap();
        run("CREATE TABLE bench_member (dataset INTEGER, n INTEGER, PRIMARY KEY (dataset, n))");
        run("BEGIN");
        for (dataset, members) in $sets.iter().enumerate() {
            let all: Vec<u32> = members.iter().collect();
            for chunk in all.chunks(10_000) {
                let rows: Vec<String> = chunk.iter().map(|n| format!("({dataset},{n})")).collect();
                run(&format!("INSERT INTO bench_member VALUES {}", rows.join(",")));
            }
        }
        run("COMMIT");
        run("ANALYZE");
        let begin = Instant::now();
        let told: Count = diesel::sql_query(concat!(
            "SELECT count(*) AS lacking FROM (SELECT DISTINCT n FROM bench_member) m WHERE NOT EXISTS (SELECT 1 FROM ",
            $said,
            " c WHERE c.n = m.n AND c.said = 0 AND NOT EXISTS (SELECT 1 FROM ",
            $said,
            " l WHERE l.n = m.n AND l.said_at > c.said_at))"
        ))
        .get_result(conn)
        .unwrap();
        (ms(begin), told.lacking)
    }};
}

/// What people said, in a table of PostgreSQL: all gave, and fifty thousand had refused before.
fn said_in(pg: &mut diesel::PgConnection, subjects: u32) {
    let mut run = |sql: String| diesel::sql_query(sql).execute(pg).unwrap();
    run("DROP TABLE IF EXISTS bench_said, bench_member".to_owned());
    run("CREATE TABLE bench_said (n INTEGER, said INTEGER, said_at BIGINT)".to_owned());
    run(format!("INSERT INTO bench_said SELECT n, 0, 2 FROM generate_series(0, {}) n", subjects - 1));
    run("INSERT INTO bench_said SELECT n, 2, 1 FROM generate_series(0, 49999) n".to_owned());
    run("CREATE INDEX bench_said_of ON bench_said (n, said_at)".to_owned());
}

fn main() {
    let mut numbers = std::env::args().filter_map(|a| a.parse().ok());
    let subjects = numbers.next().unwrap_or(500_000usize) as u32;
    let rounds: usize = numbers.next().unwrap_or(300);
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("people.db");
    let url = format!("sqlite://{}", path.display());
    let manager = Manager::new(&url).unwrap();
    let db = Db::open(manager.clone(), 4).unwrap();

    // Members: log-normal sizes, as many memberships for each subject as measured for ten million.
    let mut draws = Draws(0x5eed);
    let sets: Vec<RoaringBitmap> = (0..DATASETS)
        .map(|_| {
            let size = (f64::from(subjects) * 0.0049 * (1.6 * draws.normal()).exp()).min(f64::from(subjects)) as u32;
            (0..size).map(|_| draws.below(u64::from(subjects)) as u32).collect()
        })
        .collect();
    let memberships: u64 = sets.iter().map(RoaringBitmap::len).sum();
    let bytes: usize = sets.iter().map(RoaringBitmap::serialized_size).sum();
    println!(
        "{subjects} subjects, {DATASETS} datasets, {memberships} memberships of {:.2} bytes",
        bytes as f64 / memberships as f64
    );
    let six: Vec<RoaringBitmap> = sets.iter().take(6).cloned().collect();
    register(&db, sets);

    let begin = Instant::now();
    for start in (0..subjects).step_by(10_000) {
        take(&db, &lines(start..(start + 10_000).min(subjects), "given", "2026-01-01T00:00:00Z", true));
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "records in batches of 10,000, read and durable, with making them: {:.0}/s",
        f64::from(subjects) / seconds
    );
    let batch_bytes: Vec<Vec<u8>> =
        (0..5u32).map(|n| lines(n * 10_000..(n + 1) * 10_000, "refused", "2025-01-01T00:00:00Z", false)).collect();
    let begin = Instant::now();
    batch_bytes.iter().for_each(|bytes| take(&db, bytes));
    println!("of known subjects, read and durable alone: {:.0}/s", 50_000.0 / begin.elapsed().as_secs_f64());
    // As a server takes them: while one batch is written, another is read. These people must be known, too.
    assert!(subjects >= 150_000, "name 150,000 subjects or more");
    let ahead: Vec<Vec<u8>> =
        (5..15u32).map(|n| lines(n * 10_000..(n + 1) * 10_000, "refused", "2025-01-01T00:00:00Z", false)).collect();
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for half in ahead.chunks(5) {
            scope.spawn(|| half.iter().for_each(|bytes| take(&db, bytes)));
        }
    });
    println!("of known subjects, from two who send at once: {:.0}/s", 100_000.0 / begin.elapsed().as_secs_f64());

    // The first answer reads everything once; then it is remembered.
    let purpose: Ref = "purpose:consent@1".parse().unwrap();
    let now = licit_server::clock::now();
    let world = db.world();
    let will = Will::new(&world, &purpose, None, Form::default(), now);
    let begin = Instant::now();
    let standing = world.people.standing(&will.wanted(&world, now), now.micros()).unwrap();
    println!(
        "first answer, from the table: {:.0} ms; {} stand, {:.3} bytes a subject and purpose",
        ms(begin),
        standing.who().len(),
        standing.who().serialized_size() as f64 / f64::from(subjects)
    );

    let (contract, on_contract) = judged(&db, "deployment:contract", rounds);
    let (consent, on_consent) = judged(&db, "deployment:consent", rounds);
    println!(
        "gate over {DATASETS} datasets: {contract:.1} us on a contract ({on_contract} findings), {consent:.1} us on consent that all gave ({on_consent} findings): {:.2}x",
        consent / contract
    );

    // Exactly who of six datasets lacks consent, beside the bare operation, and beside tables.
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let begin = Instant::now();
        let union = six.iter().fold(RoaringBitmap::new(), |all, one| all | one);
        let lacking = union.difference_len(standing.who());
        bare.push(begin.elapsed());
        let begin = Instant::now();
        let standing = world.people.standing(&will.wanted(&world, now), now.micros()).unwrap();
        let members = (0..6).filter_map(|n| world.people.members(&format!("dataset:crm/d{n}@1")));
        let union = members.fold(RoaringBitmap::new(), |all, one| all | &*one.who);
        assert_eq!(union.difference_len(standing.who()), lacking);
        ours.push(begin.elapsed());
    }
    let (ours, bare) = (quantile(&mut ours, 0.5), quantile(&mut bare, 0.5));
    println!("exact union of six: {ours:.0} us, bare {bare:.0} us: {:.2}x", ours / bare);
    let Conn::Sqlite(mut lite) = manager.open().unwrap() else { panic!("SQLite") };
    let (took, lacking) = of_tables!(&mut lite, &six, "consent_record");
    println!("the same of indexed tables (SQLite): {took:.0} ms for {lacking} lacking: {:.0}x", took * 1e3 / ours);
    if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
        let Conn::Postgres(mut pg) = Manager::new(&url).unwrap().open().unwrap() else { panic!("PostgreSQL") };
        said_in(&mut pg, subjects);
        let (took, lacking) = of_tables!(&mut pg, &six, "bench_said");
        println!(
            "the same of indexed tables (PostgreSQL): {took:.0} ms for {lacking} lacking: {:.0}x",
            took * 1e3 / ours
        );
    }

    // One withdraws: the numbers are brought forward.
    take(&db, &lines(0..1, "withdrawn", "2026-10-01T00:00:00Z", false));
    let world = db.world();
    let begin = Instant::now();
    let later = licit_server::clock::now();
    let standing = world.people.standing(&will.wanted(&world, later), later.micros()).unwrap();
    println!("brought forward by one withdrawal: {:.2} ms; {} stand", ms(begin), standing.who().len());
    let (after, _) = judged(&db, "deployment:consent", rounds);
    println!("gate after it: {after:.1} us");

    // A thousand more; then the moment before them, as known now.
    take(&db, &lines(1..1001, "withdrawn", "2026-10-02T00:00:00Z", false));
    let world = db.world();
    let mut times = Vec::new();
    for moment in ["2026-11-01T00:00:00Z", "2026-10-01T12:00:00Z"] {
        let at: Timestamp = moment.parse().unwrap();
        let begin = Instant::now();
        let standing = world.people.standing(&will.wanted(&world, at), at.micros()).unwrap();
        times.push(begin.elapsed().as_secs_f64() * 1e3);
        println!("as of {moment}: {:.1} ms, {} stand", ms(begin), standing.who().len());
    }
    println!("a past moment beside now: {:.1}x", times[1] / times[0]);

    Keeper::default().keep(&db, 1, None).unwrap();
    db.close();
    drop(db);
    let begin = Instant::now();
    let db = Db::open(manager, 4).unwrap();
    let opened = ms(begin);
    let world = db.world();
    let begin = Instant::now();
    let now = licit_server::clock::now();
    let standing = world.people.standing(&will.wanted(&world, now), now.micros()).unwrap();
    println!(
        "start: {opened:.0} ms with {subjects} subjects; first answer from a checkpoint {:.1} ms, {} stand",
        ms(begin),
        standing.who().len()
    );
    db.close();
}
