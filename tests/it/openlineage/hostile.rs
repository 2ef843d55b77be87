//! What producers should not send: a client error or quarantine, and nothing else.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use harness::{Answer, Scenario};
use serde_json::{Value, json};

use super::{RUN, event, set, with};

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn send(s: &Scenario, encoding: &str, body: &[u8]) -> Answer {
    s.ana.send("POST", "/api/v1/lineage", &[("content-encoding", encoding)], Some(body))
}

#[test]
fn compressed_events_are_read_and_bombs_are_not() {
    let s = Scenario::empty();
    let done = event("COMPLETE", RUN, json!([set("a", "a")]), json!([set("a", "b")])).to_string();
    assert_eq!(send(&s, "gzip", &packed(done.as_bytes())).good()["outcome"], "accepted");
    assert_eq!(send(&s, "identity", done.as_bytes()).good()["outcome"], "unchanged", "the same event, spelled plainly");
    let before = s.audit.get("/api/v1/ledger/head").good();
    send(&s, "gzip", &packed(&vec![b' '; 17 << 20])).problem(413);
    send(&s, "gzip", b"no gzip").problem(400);
    send(&s, "gzip", &packed(done.as_bytes())[..40]).problem(400);
    send(&s, "br", done.as_bytes()).problem(415);
    send(&s, "gzip, gzip", &packed(&packed(done.as_bytes()))).problem(415);
    // Elsewhere nothing is unfolded.
    let body = packed(b"{}");
    s.ana.send("POST", "/api/v1/runs", &[("content-encoding", "gzip")], Some(&body)).problem(415);
    assert_eq!(s.audit.get("/api/v1/ledger/head").good(), before);
}

#[test]
fn only_what_is_no_json_or_too_large_is_an_error() {
    let s = Scenario::empty();
    for body in ["", "{", "no", "{\"a\":}", "[1,]"] {
        s.ana.send("POST", "/api/v1/lineage", &[], Some(body.as_bytes())).problem(400);
        s.ana.send("POST", "/api/v1/lineage/batch", &[], Some(body.as_bytes())).problem(400);
    }
    s.ana.send("POST", "/api/v1/lineage", &[], Some(b"\"\xff\"")).problem(400);
    s.ana.post("/api/v1/lineage/batch", &json!({})).problem(400);
    s.ana.send("POST", "/api/v1/lineage", &[("content-type", "text/plain")], Some(b"{}")).problem(415);
    let large = format!("\"{}\"", "x".repeat(16 << 20));
    s.ana.send("POST", "/api/v1/lineage", &[], Some(large.as_bytes())).problem(413);
    s.server.nobody().post("/api/v1/lineage", &json!({})).problem(401);
    s.bea.post("/api/v1/lineage", &json!({})).problem(403);
    assert_eq!(s.audit.get("/api/v1/lineage/quarantine").good()["items"], json!([]), "errors leave nothing");
}

#[test]
fn json_that_nobody_can_read_waits_and_takes_no_other_event_with_it() {
    let s = Scenario::empty();
    let good = event("COMPLETE", RUN, json!([set("a", "a")]), json!([set("a", "b")])).to_string();
    for strange in [r#"{"eventTime": "2026-01-01T00:00:00Z", "x": "\ud800"}"#, r#"{"x": 1e999}"#] {
        let answer = s.ana.send("POST", "/api/v1/lineage", &[], Some(strange.as_bytes())).good();
        assert_eq!(answer["outcome"], "quarantined", "{answer}");
    }
    let batch = format!(r#"[{good}, {{"x": "\ud800", "y": 1}}, {{"x": 1e999, "y": 1}}]"#);
    let answer = s.ana.send("POST", "/api/v1/lineage/batch", &[], Some(batch.as_bytes())).good();
    assert_eq!((&answer["summary"]["successful"], &answer["summary"]["failed"]), (&json!(1), &json!(2)), "{answer}");
    s.ana.resolve(&format!("run:{RUN}"));
    for waiting in s.audit.get("/api/v1/lineage/quarantine").good()["items"].as_array().unwrap() {
        let id = waiting["id"].as_str().unwrap();
        s.audit.get(&format!("/api/v1/lineage/quarantine/{id}")).good();
    }
}

#[test]
fn a_batch_of_millions_is_refused_and_not_held() {
    let s = Scenario::empty();
    let many = format!("[{}1]", "1,".repeat(8_000_000));
    let answer =
        s.ana.send("POST", "/api/v1/lineage/batch", &[("content-encoding", "gzip")], Some(&packed(many.as_bytes())));
    assert!(answer.problem(413)["detail"].to_string().contains("10000 events"), "{}", answer.text);
    let peak = std::fs::read_to_string(format!("/proc/{}/status", s.server.pid())).unwrap();
    let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().trim_end_matches(" kB");
    // Eight million events, each for itself, were some four hundred megabytes.
    assert!(peak.parse::<u64>().unwrap() < 250_000, "{peak} kB");
}

#[test]
fn what_cannot_be_read_waits_with_its_reason() {
    let s = Scenario::empty();
    let good = || event("COMPLETE", RUN, json!([set("a", "a")]), json!([set("a", "b")]));
    let but = |pointer: &str, value: Value| {
        let mut event = good();
        let (above, last) = pointer.rsplit_once('/').unwrap();
        event.pointer_mut(above).unwrap()[last] = value;
        event.to_string()
    };
    let facet = |name: &str, value: Value| {
        event("COMPLETE", RUN, json!([with("a", "a", json!({name: value}))]), json!([])).to_string()
    };
    let licit = |value: Value| but("/run/facets", json!({"licit": value}));
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let deeper = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let many: Vec<Value> = (0..1001).map(|n| set("a", &n.to_string())).collect();
    let wide: Vec<Value> = (0..5001).map(|n| json!({"name": n.to_string()})).collect();
    for (body, reason) in [
        ("{}".to_owned(), "states no `eventTime`"),
        (json!({"eventTime": "2026-11-01T10:00:00Z"}).to_string(), "names neither a run"),
        ("[]".to_owned(), "is no event"),
        ("3".to_owned(), "is no event"),
        (deep, "inside one another"),
        (deeper, "inside one another"),
        (good().to_string().replacen('{', r#"{"eventType":"START","#, 1), "twice"),
        (but("/job/name", json!("\0")), "U+0000"),
        (but("/eventTime", json!("yesterday")), "`eventTime` is no time"),
        (but("/eventTime", json!("2096-01-01T00:00:00Z")), "lies ahead"),
        (but("/eventTime", json!(7)), "is no event"),
        (but("/eventType", json!("DONE")), "none of START"),
        (but("/run/runId", json!("7")), "no UUID"),
        (but("/inputs", json!({})), "is no event"),
        (but("/inputs/0/name", json!(["x"])), "is no event"),
        (but("/inputs", json!(many)), "more than 1000"),
        (facet("schema", json!({"fields": wide})), "more than 5000"),
        (facet("schema", json!([])), "is no event"),
        (facet("licit", json!({"subjects": ["https://acme.example/people"]})), "no DPV category"),
        (facet("licit", json!({"controller": "purpose:x"})), "where `party:…` belongs"),
        (licit(json!({"purpose": "scoring"})), "is no event"),
        (licit(json!({"purpose": "basis:x"})), "where `purpose:…` belongs"),
        (licit(json!({"operation": "steal"})), "is no event"),
    ] {
        let answer = s.ana.send("POST", "/api/v1/lineage", &[], Some(body.as_bytes()));
        let said = answer.good();
        let shown: String = body.chars().take(200).collect();
        assert_eq!(said["outcome"], "quarantined", "{shown}: {said}");
        assert!(said["reason"].as_str().unwrap().contains(reason), "{shown}: {said}");
    }
    assert!(!s.server.db.sql("SELECT kind FROM ledger_entry").contains("lineage_event"), "nothing of it is recorded");
    let page = s.audit.get("/api/v1/lineage/quarantine").good();
    assert_eq!(page["items"].as_array().unwrap().len(), 23);
    for item in page["items"].as_array().unwrap() {
        s.audit.get(&format!("/api/v1/lineage/quarantine/{}", item["id"].as_str().unwrap())).good();
    }
}

#[test]
fn names_of_any_size_are_taken() {
    let s = Scenario::empty();
    let huge = "n".repeat(100_000);
    let odd = [
        huge.as_str(),
        "",
        " ",
        "a\nb",
        "\u{2028}",
        "sha256:00",
        "é/@%",
        "🦀",
        "../../etc/passwd",
        "'; DROP TABLE run; --",
    ];
    let sets: Vec<Value> = odd.iter().flat_map(|a| odd.iter().map(|b| set(a, b))).collect();
    let done = event("COMPLETE", RUN, json!(sets), json!([set("a", "b")]));
    assert_eq!(s.ana.post("/api/v1/lineage", &done).good()["outcome"], "accepted");
    let read = s.server.db.sql("SELECT cause FROM lineage_edge WHERE kind = 'used'");
    assert_eq!(read.lines().filter(|line| !line.is_empty()).count(), 100, "no two names became one");
    crate::support::rebuilds(&s.server.db);
}

#[test]
fn facets_nobody_knows_are_kept_with_the_event() {
    let s = Scenario::empty();
    let mut done = event("COMPLETE", RUN, json!([]), json!([set("a", "b")]));
    done["run"]["facets"] = json!({"acme_mood": {"value": 0.25}, "spark.logicalPlan": {"plan": [1, 2, 1e300]}});
    assert_eq!(s.ana.post("/api/v1/lineage", &done).good()["outcome"], "accepted");
    let kept = s.server.db.sql("SELECT count(*) FROM lineage_event");
    assert_eq!(kept.trim(), "1");
    // Another value is another event.
    done["run"]["facets"]["acme_mood"]["value"] = json!(0.5);
    assert_eq!(s.ana.post("/api/v1/lineage", &done).good()["outcome"], "accepted");
    assert_eq!(s.ana.post("/api/v1/lineage", &done).good()["outcome"], "unchanged");
}

#[test]
fn a_run_reads_and_writes_only_so_much() {
    let s = Scenario::empty();
    let many =
        |from: usize, count: usize| -> Vec<Value> { (from..from + count).map(|n| set("a", &n.to_string())).collect() };
    let send = |event: &Value| s.ana.post("/api/v1/lineage", event).good();
    for from in [0, 1000] {
        assert_eq!(send(&event("RUNNING", RUN, json!(many(from, 1000)), json!([])))["outcome"], "accepted");
    }
    let over = send(&event("RUNNING", RUN, json!(many(1999, 2)), json!([set("b", "x")])));
    assert_eq!(over["outcome"], "quarantined");
    assert!(over["reason"].as_str().unwrap().contains("beyond 2000 datasets that it read"), "{over}");
    // Nothing of it is taken, and what adds nothing beyond still is.
    s.ana.get("/api/v1/resolve?ref=dataset:b/x@reported").problem(404);
    assert_eq!(send(&event("COMPLETE", RUN, json!(many(5, 3)), json!([set("b", "y")])))["outcome"], "accepted");

    let other = RUN.replace("01", "02");
    let mapped = |from: usize| {
        let fields: serde_json::Map<String, Value> = (from..from + 2400)
            .map(|n| {
                (format!("c{n}"), json!({"inputFields": [{"namespace": "a", "name": "t", "field": format!("f{n}")}]}))
            })
            .collect();
        let output = with("b", "t", json!({"columnLineage": {"fields": fields}}));
        event("RUNNING", &other, json!([set("a", "t")]), json!([output]))
    };
    let told: Vec<Value> = (0..9).map(|n| send(&mapped(n * 2400))).collect();
    assert!(told[..8].iter().all(|one| one["outcome"] == "accepted"), "{told:?}");
    assert!(told[8]["reason"].as_str().unwrap().contains("beyond 20000 columns"), "{told:?}");
    crate::support::rebuilds(&s.server.db);
}

#[test]
fn what_is_too_much_is_told_before_it_is_worked_through() {
    let began = std::time::Instant::now();
    let wide: Vec<Value> = (0..5000).map(|n| json!({"name": format!("c{n}")})).collect();
    let told = |facets: Value| {
        let event = event("COMPLETE", RUN, json!([with("a", "a", facets)]), json!([]));
        licit_server::adapters::openlineage::translate::translate(&event)
    };
    let email = "https://w3id.org/dpv/pd#EmailAddress";
    let tags = |count: usize| json!({"tags": vec![json!({"key": email}); count]});
    let read = told(json!({"schema": {"fields": wide.clone()}, "tags": tags(200_000)}));
    assert!(read.unwrap_err().contains("more than 20000 tags"));
    let read = told(json!({"schema": {"fields": wide.clone()}, "tags": tags(51)}));
    assert!(read.unwrap_err().contains("more than 50 tags that classify all"));
    assert!(told(json!({"schema": {"fields": wide}, "tags": tags(50)})).is_ok());
    let of =
        |count: usize| -> Vec<Value> { (0..count).map(|n| json!({"key": email, "field": format!("f{n}")})).collect() };
    assert!(told(json!({"tags": {"tags": of(5001)}})).unwrap_err().contains("more than 5000 columns"));
    assert!(told(json!({"tags": {"tags": of(5000)}})).is_ok());
    let targets: Vec<Value> =
        (0..50_000).map(|n| json!({"namespace": "b", "name": n.to_string(), "inputs": []})).collect();
    let mut explicit = event("COMPLETE", RUN, json!([]), json!([]));
    explicit["run"]["facets"] = json!({"lineage": {"lineage": targets}});
    let read = licit_server::adapters::openlineage::translate::translate(&explicit);
    assert!(read.unwrap_err().contains("more than 1000 datasets"));
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn an_event_that_adds_nothing_states_nothing_anew() {
    use licit_server::adapters::openlineage::State;
    use licit_server::adapters::openlineage::translate::translate;

    let child = RUN.replace("01", "03");
    let mut first = event(
        "RUNNING",
        RUN,
        json!([with("a", "a", json!({"schema": {"fields": [{"name": "c", "type": "int"}]}}))]),
        json!([set("a", "b")]),
    );
    first["run"]["facets"] = json!({"licit": {"purpose": "purpose:scoring"}});
    let mut below = event("RUNNING", &child, json!([set("a", "a")]), json!([set("a", "c")]));
    below["run"]["facets"] = json!({"parent": {"run": {"runId": RUN}}});
    let mut state = State::default();
    let mut fold = |event: &Value| {
        let touched = state.fold(&translate(event).unwrap());
        (touched.runs.len(), touched.versions.len())
    };
    assert_eq!(fold(&first), (1, 3));
    assert_eq!(fold(&below), (1, 2));
    // Later, and the same.
    first["eventTime"] = json!("2026-11-02T10:00:00Z");
    assert_eq!(fold(&first), (0, 0));
    // It states another purpose: that counts for what it began.
    first["eventTime"] = json!("2026-11-03T10:00:00Z");
    first["run"]["facets"] = json!({"licit": {"purpose": "purpose:other"}});
    assert_eq!(fold(&first), (2, 0));
    // One column more.
    first["inputs"][0]["facets"]["schema"]["fields"] = json!([{"name": "d"}]);
    assert_eq!(fold(&first), (0, 1));
}
