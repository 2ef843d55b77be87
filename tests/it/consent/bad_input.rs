use harness::client::encode;
use harness::scenario::{ZEROS, people};
use serde_json::json;

use super::{begin, finish, lines, put, put_bytes, wanted, with_key};

#[test]
fn a_batch_of_anything_else_is_refused_by_line_and_not_repeated() {
    let s = with_key();
    let load = begin(&s.ana, "1");
    let good = lines("k1", 0..1);
    let line = |text: &[u8]| [good.as_bytes(), b"\"", text, b"\"\n"].concat();
    let long = "x".repeat(900_000);
    for (text, told) in [
        (&b"jane.doe@example.com"[..], "e-mail"),
        (b"+353 1 555 0142", "telephone"),
        (b"customer-42", "without a key"),
        (b"p1.k1.c2hvcnQ", "expected a pseudonym"),
        (b"jane\0doe", "expected a pseudonym"),
        (b"jane\xff\xfedoe", "UTF-8"),
        (long.as_bytes(), "expected a pseudonym"),
        (b"\\u006aane", "expected a pseudonym"),
    ] {
        let refused = put_bytes(&s.ana, &load, 1, &line(text)).problem(422);
        assert_eq!(refused["errors"][0]["pointer"], "#/2", "{refused}");
        assert!(refused["errors"][0]["detail"].as_str().unwrap().contains(told), "{refused}");
        let said = refused.to_string();
        let shown = String::from_utf8_lossy(text);
        assert!(!said.contains(&*shown) && said.len() < 2_000, "{said}");
    }
    let other = put(&s.ana, &load, 1, &lines("k2", 0..2)).problem(422);
    assert_eq!(other["errors"][0]["pointer"], "#/1", "another key made them: {other}");
    let mixed = put(&s.ana, &load, 1, &format!("{good}{}", lines("k2", 0..1))).problem(422);
    assert_eq!(mixed["errors"][0]["pointer"], "#/2", "{mixed}");
    for body in [&b""[..], b"\n", b"\n\n", b"[]", b"{}", b"null"] {
        put_bytes(&s.ana, &load, 1, body).problem(422);
    }
    // Nothing of all that is kept.
    assert_eq!(s.ana.get(&format!("/api/v1/{load}")).good()["batches"], json!([]));
    assert_eq!(s.server.db.sql("SELECT count(*) FROM subject").trim(), "0");
}

#[test]
fn a_batch_is_bounded_and_whole() {
    let s = with_key();
    let load = begin(&s.ana, "1");
    let ten_megabytes = vec![b'a'; 10 << 20];
    assert_eq!(put_bytes(&s.ana, &load, 1, &ten_megabytes).status, 413);
    put(&s.ana, &load, 1, &lines("k1", 0..10_001)).problem(422);
    let good = lines("k1", 0..3);
    let path = format!("/api/v1/{load}/batches/1");
    let kind = [("content-type", "application/x-ndjson")];
    let send = |query: &str, headers: &[(&str, &str)]| {
        s.ana.send("PUT", &format!("{path}{query}"), headers, Some(good.as_bytes()))
    };
    send("", &kind).problem(422);
    let cut_off = send(&format!("?digest={}", encode(ZEROS)), &kind).problem(422);
    assert_eq!(cut_off["errors"][0]["pointer"], "#/digest");
    send("?digest=x", &kind).problem(422);
    let digest = format!("?digest={}", encode(&licit_schemas::digest::Digest::of(good.as_bytes()).to_string()));
    send(&digest, &[]).problem(415);
    send(&digest, &[("content-type", "text/csv")]).problem(415);
    for number in [0, 50_001, u32::MAX] {
        put(&s.ana, &load, number, &good).problem(422);
    }
    for number in ["-1", "x", "1.5", "99999999999999999999999"] {
        let path = format!("/api/v1/{load}/batches/{number}{digest}");
        s.ana.send("PUT", &path, &kind, Some(good.as_bytes())).problem(404);
    }
    put(&s.ana, "member-loads/01939f00-0000-7000-8000-000000000000", 1, &good).problem(404);
    assert_eq!(put(&s.ana, &load, 1, &lines("k1", 0..10_000)).status, 201, "a full batch is taken");
    for stated in
        [json!({}), json!({"batches": 0, "records": 0}), json!({"batches": 1}), json!({"batches": 1, "records": -1})]
    {
        s.ana.post(&format!("/api/v1/{load}/finish"), &stated).problem(422);
    }
    assert_eq!(finish(&s.ana, &load, 1, 10_000).good()["members"]["count"], 10_000);
}

#[test]
fn only_a_version_that_is_there_has_members() {
    let s = with_key();
    let ask = |version: &str| {
        let mut body = wanted("1");
        body["dataset_version"] = json!(version);
        s.ana.post("/api/v1/member-loads", &body)
    };
    for version in ["dataset:crm/people@9", "dataset:crm/nobody", "model:score@1", "people", "dataset:crm/people@"] {
        let refused = ask(version).problem(422);
        assert_eq!(refused["errors"][0]["pointer"], "#/dataset_version", "{refused}");
    }
    assert_eq!(ask("dataset:crm/people").good()["dataset_version"], "dataset:crm/people@1", "the latest is meant");
    s.add("dataset-versions", people("2"));
    let id = s.ana.resolve("dataset:crm/people@2")["id"].as_str().unwrap().to_owned();
    let open = begin(&s.ana, "2");
    put(&s.ana, &open, 1, &lines("k1", 0..3)).good();
    s.add(&format!("dataset-versions/{id}/life"), json!({"life": "erased"}));
    ask("dataset:crm/people@2").problem(409);
    finish(&s.ana, &open, 1, 3).problem(409);
    let mut unknown = wanted("1");
    unknown["members"] = json!(["jane"]);
    s.ana.post("/api/v1/member-loads", &unknown).problem(422);
    s.ana.get("/api/v1/dataset-versions/01939f00-0000-7000-8000-000000000000/members").problem(404);
}
