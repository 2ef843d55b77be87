//! The stream: from where one is, to what there is or on and on, until the token or the server ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use harness::scenario::party;
use harness::{Client, Scenario};
use serde_json::Value;

use crate::support::licit;

fn ids(text: &str) -> Vec<u64> {
    let events = text.split("\n\n").filter(|event| event.contains("data: "));
    events.map(|event| event.lines().find_map(|l| l.strip_prefix("id: ")).unwrap().parse().unwrap()).collect()
}

fn subjects(text: &str) -> Vec<String> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|json| serde_json::from_str::<Value>(json).unwrap()["subject"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn it_ends_with_what_there_is_and_goes_on_after_what_one_has() {
    let s = Scenario::empty();
    for name in ["one", "two", "three"] {
        s.add("parties", party(name));
    }
    s.add("models", serde_json::json!({"name": "m"}));
    let all = s.audit.get("/api/v1/events");
    assert_eq!((all.status, all.header("content-type")), (200, Some("text/event-stream")));
    assert!(ids(&all.text).into_iter().eq(1..=crate::support::head(&s.audit).size), "{}", all.text);
    assert!(!all.text.contains("secret_hash"));
    let parties = s.audit.get("/api/v1/events?kinds=party.*").text;
    assert_eq!(subjects(&parties), ["party:one", "party:two", "party:three"]);
    let first = ids(&parties)[0].to_string();
    let after = s.audit.get(&format!("/api/v1/events?kinds=party.*&after={first}&limit=1")).text;
    assert_eq!(subjects(&after), ["party:two"]);
    let resumed = s.audit.send("GET", "/api/v1/events?kinds=party.*", &[("last-event-id", &first)], None).text;
    assert_eq!(subjects(&resumed), ["party:two", "party:three"]);
    s.audit.get("/api/v1/events?kinds=parties.*").problem(422);
    s.audit.get("/api/v1/events?after=x").problem(422);
    s.audit.send("GET", "/api/v1/events", &[("last-event-id", "x")], None).problem(400);
    s.ci.get("/api/v1/events").problem(403);
}

/// A stream that goes on, line by line.
fn follow(client: &Client, query: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(client.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(harness::receiver::PATIENCE)).unwrap();
    let token = client.token.as_deref().unwrap();
    let request =
        format!("GET /api/v1/events?follow=true{query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    until(&mut reader, "retry: ");
    reader
}

fn until(reader: &mut BufReader<TcpStream>, wanted: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "it ended before `{wanted}`");
        if line.contains(wanted) {
            return line;
        }
    }
}

#[test]
fn it_goes_on_with_what_is_recorded_until_the_token_is_taken_back() {
    let s = Scenario::empty();
    s.add("parties", party("before"));
    let mut stream = follow(&s.audit, "&kinds=party.*");
    s.add("parties", party("after"));
    let line = until(&mut stream, "data: ");
    assert!(line.contains("party:after"), "from now on: {line}");
    let tokens = s.server.admin().get("/api/v1/tokens").good();
    let mine = s.audit.get("/api/v1/whoami").good()["actor"].clone();
    let token = tokens["items"].as_array().unwrap().iter().find(|t| t["actor"] == mine).unwrap()["id"].clone();
    s.server.admin().send("DELETE", &format!("/api/v1/tokens/{}", token.as_str().unwrap()), &[], None).good();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.trim_end().ends_with('0'), "the last chunk: {rest}");
}

#[test]
fn it_ends_when_the_server_is_told_to_stop() {
    let s = Scenario::empty();
    let mut streams: Vec<_> = (0..3).map(|_| follow(&s.audit, "")).collect();
    assert_eq!(s.server.stop(), 0);
    for stream in &mut streams {
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        assert!(rest.trim_end().ends_with('0'), "whole, not cut: {rest}");
    }
}

#[test]
fn there_are_not_more_streams_than_the_server_bears() {
    let s = Scenario::empty();
    let streams: Vec<_> = (0..64).map(|_| follow(&s.audit, "")).collect();
    s.audit.get("/api/v1/events?follow=true").problem(503);
    drop(streams);
    harness::receiver::wait(|| (s.audit.get("/api/v1/events?limit=1").status == 200).then_some(()));
}

#[test]
fn the_command_line_shows_events() {
    let s = Scenario::empty();
    s.add("parties", party("one"));
    let (code, out, err) = licit(&s.audit, &["events", "--kind", "party.*"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("party.registered") && out.contains("party:one"), "{out}");
    let (code, out, _) = licit(&s.audit, &["events", "--follow", "--after", "0", "--limit", "2", "--json"]);
    assert_eq!((code, out.lines().count()), (0, 2), "{out}");
    assert_eq!(serde_json::from_str::<Value>(out.lines().next().unwrap()).unwrap()["id"], "1");
    assert_eq!(licit(&s.ci, &["events"]).0, 1);
}
