//! The server notices by itself what opened and closed: one alert each, and nobody asked.

use harness::receiver::{Receiver, wait};
use harness::scenario::in_days;
use harness::{Scenario, TestServer};
use licit_schemas::time::Timestamp;
use serde_json::Value;

use super::subscribe;
use crate::support::{entries, rebuilds};

fn facts(s: &Scenario, kind: &str) -> Vec<Value> {
    entries(&s.audit).into_iter().filter(|e| e.entry.kind == kind).map(|e| e.data).collect()
}

#[test]
fn an_approval_that_ends_opens_a_gap_though_nothing_is_asked_or_written() {
    let s = Scenario::empty_with(&["--look-seconds", "1"]);
    s.register();
    s.approve(&["purpose:scoring", "system:scorer", "deployment:score-prod"]);
    let end = licit_server::clock::now().plus(chrono::Duration::seconds(20)).to_string();
    s.approve_until(&["basis:scoring-contract"], Some(&end));
    s.activate("release:score-prod@1").good();
    assert!(facts(&s, "gap.opened").is_empty(), "it holds");
    let opened = wait(|| facts(&s, "gap.opened").pop());
    assert_eq!(opened["spec"]["cause"], "basis:scoring-contract@1", "{opened:#}");
    let noticed: Timestamp = opened["spec"]["opened_at"].as_str().unwrap().parse().unwrap();
    assert!(noticed >= end.parse().unwrap());
    s.approve(&["basis:scoring-contract@1"]);
    wait(|| facts(&s, "gap.closed").pop());
    assert_eq!((facts(&s, "gap.opened").len(), facts(&s, "gap.closed").len()), (1, 1));
    rebuilds(&s.server.db);
}

#[test]
fn one_cause_is_one_alert_on_opening_and_one_on_closing() {
    let s = Scenario::empty_with(&["--look-seconds", "1", "--webhooks-allow-private"]);
    s.register();
    s.approve(&["purpose:scoring", "system:scorer", "deployment:score-prod", "basis:scoring-contract"]);
    s.activate("release:score-prod@1").good();
    let receiver = Receiver::start();
    subscribe(&s, &receiver.url, &["gap.*"]);
    s.revoke("basis:scoring-contract", 10);
    let opened = receiver.wait(1).remove(0).json();
    assert_eq!(
        (opened["type"].as_str(), opened["subject"].as_str()),
        (Some("eu.licit.gap.opened"), Some("basis:scoring-contract@1"))
    );
    let spec = &opened["data"]["spec"];
    assert_eq!(spec["owner"], "governance board");
    assert!(spec["due"].as_str().unwrap() < &*in_days(10), "{spec:#}");
    assert_eq!(spec["affected"].as_array().unwrap().len(), 2, "two rules, one alert: {spec:#}");
    s.approve(&["basis:scoring-contract@1"]);
    let types: Vec<String> =
        receiver.wait(2).iter().map(|posted| posted.json()["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(types, ["eu.licit.gap.opened", "eu.licit.gap.closed"]);
}

#[test]
fn of_two_servers_that_notice_one_records() {
    let looks = ["--look-seconds", "1"];
    let s = Scenario::empty_with(&looks);
    s.register();
    s.approve(&["purpose:scoring", "system:scorer", "deployment:score-prod", "basis:scoring-contract"]);
    s.activate("release:score-prod@1").good();
    let _two = TestServer::with(s.server.db.clone(), &looks);
    for round in 1..=3 {
        s.revoke("basis:scoring-contract@1", 10);
        wait(|| (facts(&s, "gap.opened").len() == round).then_some(()));
        s.approve(&["basis:scoring-contract@1"]);
        wait(|| (facts(&s, "gap.closed").len() == round).then_some(()));
    }
    assert_eq!((facts(&s, "gap.opened").len(), facts(&s, "gap.changed").len()), (3, 0));
    rebuilds(&s.server.db);
}
