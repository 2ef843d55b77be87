//! Bodies that are no documents, and documents that are wrong.

use serde_json::{Value, json};

use super::Victim;
use crate::support::{faults, raw};

#[test]
fn what_is_no_json_is_malformed_and_the_place_is_named() {
    let v = Victim::new();
    for (body, pointer) in [
        (&b" "[..], "#"),
        (b"{", "#"),
        (b"{} {}", "#"),
        (b"{\"namespace\":\"crm\",}", "#"),
        (b"<xml/>", "#"),
        (b"\xef\xbb\xbf{\"namespace\":\"crm\",\"name\":\"x\"}", "#"),
        (b"{\"namespace\":\"crm\",\"name\":NaN}", "#/name"),
        (b"{\"namespace\":\"crm\",\"name\":-Infinity}", "#/name"),
        (b"{\"namespace\":\"crm\",\"name\":1e400}", "#/name"),
        (b"{\"namespace\":\"crm\",\"name\":01}", "#/name"),
        (b"{'namespace':'crm'}", "#"),
    ] {
        v.malformed("datasets", body, pointer);
    }
}

#[test]
fn broken_utf8_nul_and_lone_surrogates_are_malformed() {
    let v = Victim::new();
    v.malformed("datasets", b"{\"namespace\":\"crm\",\"name\":\"a\xff\"}", "#");
    v.malformed("datasets", b"{\"namespace\":\"crm\",\"name\":\"\xed\xa0\x80\"}", "#");
    v.malformed("datasets", b"{\"namespace\":\"crm\",\"name\":\"a\0b\"}", "#/name");
    v.malformed("datasets", b"\0", "#");
    v.malformed("datasets", br#"{"namespace":"crm","name":"a\u0000b"}"#, "#/name");
    v.malformed("datasets", br#"{"namespace":"crm","name":"x","tags":{"a\u0000":"b"}}"#, "#/tags/a\0");
    v.malformed("datasets", br#"{"namespace":"crm","name":"\ud800"}"#, "#/name");
}

#[test]
fn a_member_named_twice_is_malformed() {
    let v = Victim::new();
    let problem = v.malformed("datasets", br#"{"namespace":"crm","name":"a","name":"b"}"#, "#/name");
    assert!(problem["detail"].as_str().unwrap().contains("stands twice"), "{problem}");
    v.malformed("datasets", br#"{"namespace":"crm","name":"a","tags":{"k":"1","\u006b":"2"}}"#, "#/tags/k");
}

#[test]
fn nesting_of_200_levels_is_malformed() {
    let v = Victim::new();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let body = format!("{{\"name\":{}1{}}}", open.repeat(200), close.repeat(200));
        let problem = v.send("datasets", body.as_bytes()).problem(400);
        assert!(faults(&problem).keys().all(|p| p.starts_with("#/name/")), "{problem:#}");
    }
    // Far deeper than any stack.
    v.send("datasets", "[".repeat(900_000).as_bytes()).problem(400);
}

#[test]
fn ten_megabytes_are_too_large_everywhere() {
    let v = Victim::new();
    let big = format!("{{\"namespace\":\"{}\"}}", "x".repeat(10 << 20));
    for collection in ["datasets", "registrations", "plans", "dataset-versions", "model-versions", "gate"] {
        v.send(collection, big.as_bytes()).problem(413);
    }
    // Without saying so before.
    let head = format!(
        "POST /api/v1/datasets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        v.ana.token.as_ref().unwrap()
    );
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "x".repeat(1 << 20));
    let answer = raw(&v.program.url, format!("{head}{}0\r\n\r\n", chunk.repeat(3)).as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[test]
fn a_large_body_may_come_where_lists_are_long() {
    let v = Victim::new();
    // Two megabytes of fields that are all wrong: read, and refused for what is in them.
    let fields: Vec<Value> = (0..5000).map(|n| json!({"name": format!("{n}{}", "x".repeat(400))})).collect();
    let body = json!({"dataset": "dataset:crm/people", "version": "1", "fields": fields});
    let problem = v.send("dataset-versions", body.to_string().as_bytes()).problem(422);
    assert_eq!(faults(&problem).len(), 50, "a flood of faults is bounded");
    assert!(problem.to_string().len() < 100_000);
}

#[test]
fn only_json_is_read() {
    let v = Victim::new();
    let body = br#"{"namespace":"crm","name":"x"}"#;
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data", "json", ""]
    {
        v.ana.send("POST", "/api/v1/datasets", &[("content-type", kind)], Some(body)).problem(415);
    }
}

#[test]
fn an_empty_body_is_no_document() {
    let v = Victim::new();
    // Also where an empty document would do: a body that was lost on the way registers nothing.
    for collection in ["datasets", "registrations", "plans"] {
        let problem = v.malformed(collection, b"", "#");
        assert!(problem["detail"].as_str().unwrap().contains("the body is empty"), "{problem}");
    }
    v.send("registrations", b"{}").good();
}

#[test]
fn a_compressed_body_is_refused_and_not_taken_for_json() {
    let v = Victim::new();
    let send = |encoding: &str| {
        let headers = [("content-type", "application/json"), ("content-encoding", encoding)];
        v.ana.send("POST", "/api/v1/datasets", &headers, Some(b"{}"))
    };
    for encoding in ["gzip", "br", "identity, gzip", ""] {
        let problem = send(encoding).problem(415);
        assert!(problem["detail"].as_str().unwrap().contains("Content-Encoding"), "{problem}");
    }
    // What is no encoding is read, and refused for what it lacks.
    send("Identity").problem(422);
}

#[test]
fn wrong_shapes_are_named() {
    let v = Victim::new();
    for body in [json!([]), json!("x"), json!(null), json!(7), json!(true)] {
        v.refuses("datasets", &body, &["#"]);
    }
    v.refuses("datasets", &json!({"namespace": 7, "name": ["x"]}), &["#/name", "#/namespace"]);
    v.refuses("datasets", &json!({"namespace": "crm", "name": "x", "nick": 1}), &["#/nick"]);
    v.refuses("datasets", &json!({"namespace": "crm", "name": "x", "a/b~c": 1}), &["#/a~1b~0c"]);
    v.refuses("datasets", &json!({"namespace": "crm", "name": "x", "tags": {"k": 1}}), &["#/tags/k"]);
    v.refuses("datasets", &json!({"namespace": "crm", "name": "x", "tags": ["k"]}), &["#/tags"]);
    v.refuses("datasets", &json!({"namespace": "crm", "name": "x".repeat(201)}), &["#/name"]);
    v.refuses("datasets", &json!({"namespace": "crm", "name": ""}), &["#/name"]);
    v.refuses(
        "registrations",
        &json!({"datasets": [{"namespace": "crm", "name": "x"}, {"namespace": "crm"}]}),
        &["#/datasets/1/name"],
    );
}

#[test]
fn a_fault_in_an_optional_member_is_told_where_it_stands() {
    let v = Victim::new();
    let dataset = json!({"namespace": "crm", "name": "x", "owner": 7});
    let problem = v.refuses("datasets", &dataset, &["#/owner"]);
    assert_eq!(faults(&problem)["#/owner"], "expected a string, got `7`");
    let version = json!({"dataset": "dataset:crm/people", "version": "1", "origin": "stolen"});
    let problem = v.refuses("dataset-versions", &version, &["#/origin"]);
    assert_eq!(
        faults(&problem)["#/origin"],
        "expected one of `collected`, `received`, `acquired`, `public`, `synthetic`, `reference`, got `stolen`"
    );
    let run =
        json!({"operation": "copy", "purpose": "purpose:scoring", "started_at": "2026-01-01", "code": {"colour": 1}});
    let problem = v.refuses("registrations", &json!({ "runs": [run] }), &["#/runs/0/code/colour", "#/runs/0/code/uri"]);
    assert_eq!(faults(&problem)["#/runs/0/code/colour"], "unknown field `colour`");
    // Nothing said is still nothing said.
    v.refuses("datasets", &json!({"namespace": "crm", "name": " ", "owner": null}), &["#/name"]);
}

#[test]
fn an_e_mail_is_no_key() {
    let v = Victim::new();
    let mail = "ana@acme.example";
    v.refuses("datasets", &json!({"namespace": "crm", "name": "x", "owner": mail}), &["#/owner"]);
    v.refuses("models", &json!({"name": "x", "owner": mail}), &["#/owner"]);
    v.refuses("parties", &json!({"key": mail, "name": "x"}), &["#/key"]);
    let token = json!({"actor": "01939f00-0000-7000-8000-000000000000", "roles": ["viewer"], "label": mail});
    let problem = v.admin.post("/api/v1/tokens", &token).problem(422);
    assert!(faults(&problem).contains_key("#/label"), "{problem}");
}

#[test]
fn digests_of_the_wrong_length_or_case_are_named() {
    let v = Victim::new();
    let good = "ab".repeat(32);
    for bad in [
        format!("sha256:{}", &good[1..]),
        format!("sha256:{good}0"),
        format!("sha256:{}", good.to_uppercase()),
        good.clone(),
        format!("SHA256:{good}"),
        format!("md5:{}", &good[..32]),
        format!("sha256:{}g", &good[1..]),
        format!("sha256:{good}\n"),
        String::new(),
    ] {
        v.refuses(
            "dataset-versions",
            &json!({"dataset": "dataset:crm/people", "version": "1", "digest": bad}),
            &["#/digest"],
        );
        let files = json!([{"path": "m", "digest": bad}]);
        v.refuses(
            "model-versions",
            &json!({"model": "model:score", "version": "1", "kind": "built", "files": files}),
            &["#/files/0/digest"],
        );
    }
}

#[test]
fn numbers_that_cannot_be_kept_are_named() {
    let v = Victim::new();
    for rows in ["-1", "1.5", "4294967296", "9007199254740993", "18446744073709551616", "1e30", "-0.5", "\"7\"", "true"]
    {
        let body = format!(r#"{{"dataset":"dataset:crm/people","version":"1","rows":{rows}}}"#);
        let problem = v.send("dataset-versions", body.as_bytes()).problem(422);
        assert_eq!(faults(&problem).into_keys().collect::<Vec<_>>(), ["#/rows"], "{rows}");
    }
    for size in ["-1", "0.5", "9007199254740992", "1e300"] {
        let file = format!(r#"{{"path":"m","digest":"sha256:{}","size":{size}}}"#, "ab".repeat(32));
        let body = format!(r#"{{"model":"model:score","version":"1","kind":"built","files":[{file}]}}"#);
        let problem = v.send("model-versions", body.as_bytes()).problem(422);
        assert_eq!(faults(&problem).into_keys().collect::<Vec<_>>(), ["#/files/0/size"], "{size}");
    }
}

#[test]
fn times_that_are_none_are_named() {
    let v = Victim::new();
    for at in [
        "yesterday",
        "2026-02-30",
        "2026-13-01T00:00:00Z",
        "2026-01-01T25:00:00Z",
        "0000-00-00",
        "99999-01-01",
        "1e9",
        "",
    ] {
        v.refuses(
            "runs",
            &json!({"operation": "copy", "purpose": "purpose:scoring", "started_at": at}),
            &["#/started_at"],
        );
    }
}

#[test]
fn references_that_are_none_or_of_another_kind_are_named() {
    let v = Victim::new();
    for bad in [
        "",
        "people",
        "dataset:",
        "dataset:crm",
        "dataset:crm/people@",
        "table:x",
        "dataset:a b/c",
        "dataset:%zz/x",
        "dataset:%00/x",
        "../../etc",
    ] {
        v.refuses("dataset-versions", &json!({"dataset": bad, "version": "1"}), &["#/dataset"]);
    }
    for other in ["model:score", "party:acme", "dataset:crm/nobody", "dataset:crm/people@1"] {
        v.refuses("dataset-versions", &json!({"dataset": other, "version": "1"}), &["#/dataset"]);
    }
    let run = |input: &str, output: &str| json!({"operation": "copy", "purpose": "purpose:scoring", "started_at": "2026-01-01T00:00:00Z", "inputs": [{"ref": input}], "outputs": [output]});
    v.refuses("runs", &run("party:acme", "dataset:crm/people@1"), &["#/inputs/0/ref"]);
    v.refuses("runs", &run("dataset:crm/people@1", "purpose:scoring"), &["#/outputs/0"]);
    v.refuses("runs", &run("dataset:crm/people", "dataset:crm/people@1"), &["#/inputs/0/ref"]);
}
