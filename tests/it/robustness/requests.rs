//! Requests that are wrong around the body: paths, queries, headers.

use super::Victim;
use crate::support::{faults, raw};

const NOBODY: &str = "01939f00-0000-7000-8000-000000000000";

#[test]
fn page_sizes_out_of_range_are_named() {
    let v = Victim::new();
    for limit in ["0", "501", "65535", "65536", "1000000000", "-1", "1.5", "abc", "%00", ""] {
        let problem = v.ana.get(&format!("/api/v1/datasets?limit={limit}")).problem(422);
        assert!(!faults(&problem).is_empty(), "{limit}: {problem}");
        let problem = v.ana.get(&format!("/api/v1/ledger/entries?limit={}", limit.replace("501", "1001"))).problem(422);
        assert!(!faults(&problem).is_empty(), "{limit}: {problem}");
    }
    for from in ["-1", "18446744073709551616", "x"] {
        v.ana.get(&format!("/api/v1/ledger/entries?from={from}")).problem(422);
    }
    assert_eq!(v.ana.get("/api/v1/ledger/entries?from=18446744073709551615").good()["items"], serde_json::json!([]));
}

#[test]
fn cursors_of_other_lists_and_made_up_ones_are_named() {
    let v = Victim::new();
    let cursor = v.admin.get("/api/v1/actors?limit=1").good()["next"].as_str().unwrap().to_owned();
    let mine = |query: &str| v.ana.get(&format!("/api/v1/actors?limit=1{query}&cursor={cursor}"));
    mine("").good();
    for query in ["&sort=name", "&q=x", "&state=person"] {
        assert!(faults(&mine(query).problem(422)).contains_key("#/cursor"), "{query}");
    }
    let forged = hex(br#"{"of":0,"name":"'; DROP TABLE resource; --","seq":-1,"id":""}"#);
    let huge = hex(br#"{"of":1,"name":"","seq":99999999999999999999,"id":""}"#);
    for bad in [cursor.as_str(), "x", "%00", "..", "00", "7b7d", &cursor[2..], &forged, &huge, &"a".repeat(20_000)] {
        let problem = v.ana.get(&format!("/api/v1/datasets?limit=1&cursor={bad}")).problem(422);
        assert!(faults(&problem).contains_key("#/cursor"), "{bad}: {problem}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn unknown_and_doubled_parameters_are_refused() {
    let v = Victim::new();
    for query in ["nick=1", "limit=1&limit=2", "sort=name;drop", "sort=", "Limit=1", "a=1&b=2&c=3"] {
        let problem = v.ana.get(&format!("/api/v1/datasets?{query}")).problem(422);
        assert!(!faults(&problem).is_empty(), "{query}: {problem}");
    }
    let many: String = (0..3000).map(|n| format!("p{n}={n}&")).collect();
    v.ana.get(&format!("/api/v1/datasets?{many}")).problem(422);
    v.ana.get("/api/v1/resolve").problem(422);
    v.ana.get("/api/v1/lineage?ref=model:score@1&depth=3").problem(422);
    v.ana.get("/api/v1/ledger/proofs/inclusion?seq=x").problem(422);
}

#[test]
fn a_nul_in_a_query_reaches_no_database() {
    let v = Victim::new();
    for field in ["q", "name", "owner", "tag", "state", "parent", "ref"] {
        let answer = v.ana.get(&format!("/api/v1/datasets?{field}=a%00b"));
        assert!(faults(&answer.problem(422)).keys().any(|p| p.starts_with("#/")), "{field}: {}", answer.text);
    }
    v.ana.get("/api/v1/resolve?ref=model:a%00").problem(422);
    v.ana.get("/api/v1/datasets?q=%ff%fe").problem(422);
}

#[test]
fn ids_nobody_has_are_not_found() {
    let v = Victim::new();
    for collection in [
        "parties",
        "datasets",
        "dataset-versions",
        "runs",
        "models",
        "model-versions",
        "systems",
        "environments",
        "deployments",
        "releases",
        "purposes",
        "bases",
        "assessments",
        "policies",
        "reviews",
        "decisions",
        "baselines",
        "loosenings",
        "break-glass",
        "delegations",
        "contests",
    ] {
        for id in [
            NOBODY,
            "0",
            "x",
            "-1",
            "%27%3B%20DROP%20TABLE%20resource%3B%20--",
            "..%2f..%2fetc%2fpasswd",
            "%00",
            "%ff",
            "%F0%9F%98%80",
        ] {
            v.ana.get(&format!("/api/v1/{collection}/{id}")).problem(404);
        }
    }
    for seq in ["0", "999999", "x", "-1", "18446744073709551616", "1.5"] {
        v.ana.get(&format!("/api/v1/ledger/entries/{seq}")).problem(404);
    }
    v.ana
        .send("POST", &format!("/api/v1/dataset-versions/{NOBODY}/life"), &[], Some(br#"{"life":"erased"}"#))
        .problem(404);
    v.ana.send("POST", &format!("/api/v1/releases/{NOBODY}/activate"), &[], Some(b"{}")).problem(404);
    v.ana.send("POST", &format!("/api/v1/releases/{NOBODY}/withdraw"), &[], None).problem(404);
    v.ana.send("POST", &format!("/api/v1/deployments/{NOBODY}/rollback"), &[], Some(b"{}")).problem(404);
    v.admin.send("DELETE", &format!("/api/v1/tokens/{NOBODY}"), &[], None).problem(404);
    let post = |path: &str, body: &str| v.ana.send("POST", path, &[], Some(body.as_bytes())).problem(404);
    post(&format!("/api/v1/releases/{NOBODY}/break-glass"), r#"{"incident":"inc-1","reason":"x"}"#);
    post(&format!("/api/v1/contests/{NOBODY}/settlement"), r#"{"outcome":"upheld","reason":"x"}"#);
    post(&format!("/api/v1/reviews/{NOBODY}/opinions"), r#"{"role":"dpo","outcome":"reserved"}"#);
    v.ana.send("DELETE", &format!("/api/v1/delegations/{NOBODY}"), &[], None).problem(404);
    v.ana.get(&format!("/api/v1/baselines/{NOBODY}/progress")).problem(404);
    v.ana.get(&format!("/api/v1/decisions/{NOBODY}/replay")).problem(404);
    v.ana.get(&format!("/api/v1/decisions/{NOBODY}/evidence")).problem(404);
    v.ana.get("/api/v1/lineage?ref=model:nobody@1").problem(404);
    v.ana.get("/api/v1/exposure?ref=model:nobody").problem(404);
    v.ana.get("/api/v1/resolve?ref=model:nobody").problem(404);
}

#[test]
fn junk_paths_are_not_found() {
    let v = Victim::new();
    for path in [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/api/v1/models/../../../etc/passwd",
        "/api/v1/%00",
        "/api/v1/models%00",
        "/api/v1/models/a/b/c/d",
        "/%ff%fe",
        "/api/v1;x=1/models",
        "/.git/config",
        "/api/v1/{id}",
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            v.ana.token.as_ref().unwrap()
        );
        let answer = raw(&v.program.url, request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 404") || answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
        assert!(!answer.contains("root:"), "{answer}");
    }
}

#[test]
fn broken_requests_are_client_errors() {
    let v = Victim::new();
    let auth = format!("Host: x\r\nAuthorization: Bearer {}\r\n", v.ana.token.as_ref().unwrap());
    for request in [
        "NONSENSE\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        format!("GET /health HTTP/1.1\r\nHost: x\r\nX-Huge: {}\r\n\r\n", "x".repeat(1 << 20)),
        format!("GET /api/v1/models?q={} HTTP/1.1\r\n{auth}\r\n", "x".repeat(1 << 20)),
        format!("POST /api/v1/models HTTP/1.1\r\n{auth}Content-Length: x\r\n\r\n"),
        format!("POST /api/v1/models HTTP/1.1\r\n{auth}Content-Length: -1\r\n\r\n"),
        format!(
            "POST /api/v1/models HTTP/1.1\r\n{auth}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        format!(
            "POST /api/v1/models HTTP/1.1\r\n{auth}Content-Type: application/json\r\nConnection: close\r\n\
             Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n"
        ),
    ] {
        let answer = raw(&v.program.url, request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 4"), "{}: {answer}", &request[..request.len().min(200)]);
    }
    // Many headers, each small.
    let many: String = (0..200).map(|n| format!("X-H{n}: 1\r\n")).collect();
    let answer =
        raw(&v.program.url, format!("GET /health HTTP/1.1\r\nHost: x\r\n{many}Connection: close\r\n\r\n").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[test]
fn header_values_that_are_none_are_refused() {
    let v = Victim::new();
    let body = br#"{"namespace":"crm","name":"x"}"#;
    for key in ["", "   ", "\"\"", &"k".repeat(256)] {
        v.ana.send("POST", "/api/v1/datasets", &[("idempotency-key", key)], Some(body)).problem(400);
    }
    let id = v.ana.resolve("model:score")["id"].as_str().unwrap().to_owned();
    let change = br#"{"name":"score","description":"x"}"#;
    v.ana.send("PUT", &format!("/api/v1/models/{id}"), &[], Some(change)).problem(428);
    for etag in ["x", "\"\"", "-1", "*", "W/\"4\"", "\"99999999999999999999\"", "\"0\""] {
        v.ana.send("PUT", &format!("/api/v1/models/{id}"), &[("if-match", etag)], Some(change)).problem(412);
    }
}

#[test]
fn only_a_uuid_of_the_caller_gets_into_log_and_answer() {
    let v = Victim::new();
    let mine = "11111111-2222-4333-8444-555555555555";
    let answer = v.ana.send("GET", "/api/v1/models/x", &[("x-request-id", mine)], None);
    assert_eq!(answer.header("x-request-id"), Some(mine));
    assert_eq!(answer.problem(404)["instance"], format!("urn:uuid:{mine}"));
    let answer = v.ana.send("GET", "/api/v1/models/x", &[("x-request-id", "x {} injected")], None);
    assert!(!answer.text.contains("injected") && !answer.header("x-request-id").unwrap().contains("injected"));
}
