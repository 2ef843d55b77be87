//! Data that leave the European Economic Area: who has them there, what carries them, and until when.

use harness::Scenario;
use harness::scenario::{self, evidence};
use serde_json::{Value, json};

use crate::gate::parts::{self, Parts, allowed, change, days, denied, of_rule, only, path, redeploy, rules, world};
use crate::support::licit;

const PEOPLE: &str = "dataset:crm/people@1";

fn in_region(key: &str, region: Option<&str>, ties: &[Value]) -> Value {
    let mut party = scenario::party(key);
    party["region"] = json!(region);
    if region.is_none() {
        party.as_object_mut().unwrap().remove("region");
    }
    party["arrangements"] = json!(ties);
    party
}

fn tie(kind: &str, with: &str) -> Value {
    json!({"kind": kind, "with": with, "evidence": evidence(), "valid_from": "2020-01-01"})
}

fn contract() -> Value {
    tie("processing_contract", "party:acme")
}

/// A processor of the deployment in a region.
fn host(p: &mut Parts, region: Option<&str>) {
    p.parties.push(in_region("host", region, &[contract()]));
    p.deployment["processors"] = json!(["party:host"]);
}

fn sentence(finding: &Value) -> &str {
    finding["sentence"].as_str().unwrap()
}

#[test]
fn a_host_abroad_needs_a_decision_or_a_tool() {
    let s = world(|p| host(p, Some("IN")));
    let decision = s.dry("start");
    denied(&decision);
    assert_eq!(rules(&decision), ["transfer"]);
    let finding = only(&decision, "transfer");
    assert_eq!((&finding["status"], &finding["addressee"]), (&json!("unmet"), &json!("dpo")));
    // It is contained in the model and read tonight: shown by the way it is contained.
    let run = path(finding)[2].clone();
    assert_eq!(path(finding), ["release:score-prod@1", "model:score@1", &run, PEOPLE, "party:host"]);
    assert!(sentence(finding).contains("goes to `party:host` in IN"), "{finding:#}");

    // Any of the tools does, recorded on either side.
    for kind in ["standard_clauses", "binding_rules", "derogation"] {
        let with = |with: &str| json!([tie(kind, with)]);
        change(&s, "parties", "party:acme", |acme| acme["arrangements"] = with("party:host"));
        allowed(&s.dry("start"));
        change(&s, "parties", "party:acme", |acme| acme["arrangements"] = json!([]));
        change(&s, "parties", "party:host", |host| host["arrangements"] = json!([contract(), tie(kind, "party:acme")]));
        allowed(&s.dry("start"));
        change(&s, "parties", "party:host", |host| host["arrangements"] = json!([contract()]));
        denied(&s.dry("start"));
    }
    // A tool with somebody else carries nothing.
    s.add("parties", scenario::party("other"));
    change(&s, "parties", "party:host", |host| {
        host["arrangements"] = json!([contract(), tie("standard_clauses", "party:other")])
    });
    denied(&s.dry("start"));
}

#[test]
fn decisions_on_adequacy_hold_by_their_dates_and_for_whom_they_cover() {
    for (region, public, fits) in [
        ("CH", false, true),
        ("GB", false, true),
        ("JP", false, true),
        ("JP", true, false),
        ("US", false, false),
        ("DE", true, true),
    ] {
        let s = world(|p| {
            host(p, Some(region));
            p.parties[1]["public_authority"] = json!(public);
        });
        let found = of_rule(&s.dry("start"), "transfer").len();
        assert_eq!(found == 0, fits, "{region} {public}");
    }
    // Who stands on the list of the framework is covered, while the entry holds.
    let end = days(30);
    let listed = |to: Option<&str>| {
        let mut entry = json!({"scheme": "us-dpf", "evidence": evidence(), "valid_from": "2025-01-01"});
        if let Some(to) = to {
            entry["valid_to"] = json!(to);
        }
        let mut party = in_region("host", Some("US"), &[contract()]);
        party["certifications"] = json!([entry]);
        party
    };
    let s = world(|p| {
        host(p, Some("US"));
        p.parties[1] = listed(Some(&end));
    });
    allowed(&s.dry("start"));
    let later = s.dry_at("start", Some(&days(40)));
    let finding = only(&later, "transfer");
    assert_eq!((&finding["status"], &finding["since"]), (&json!("expired"), &json!(end)));
    change(&s, "parties", "party:host", |host| *host = listed(None));
    assert!(of_rule(&s.dry_at("start", Some(&days(40))), "transfer").is_empty());
    // The decision on the United Kingdom ends one day.
    let s = world(|p| host(p, Some("GB")));
    let decision = s.dry_at("start", Some("2032-01-01"));
    let finding = only(&decision, "transfer");
    assert_eq!((&finding["status"], &finding["since"]), (&json!("expired"), &json!("2031-12-28T00:00:00.000000Z")));
}

#[test]
fn lists_nobody_keeps_are_refused() {
    let s = Scenario::empty();
    let mut acme = scenario::party("acme");
    acme["certifications"] = json!([{"scheme": "gold", "evidence": evidence(), "valid_from": "2025-01-01"}]);
    let problem = s.ana.post("/api/v1/parties", &acme).problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "#/certifications/0/scheme");
}

#[test]
fn what_is_not_stated_is_unknown_where_it_matters() {
    // The host states no region.
    let s = world(|p| host(p, None));
    let decision = s.dry("start");
    let finding = only(&decision, "transfer");
    assert_eq!((&finding["status"], &finding["node"]), (&json!("unknown"), &json!("party:host")));
    assert!(sentence(finding).contains("nobody said where `party:host` is established"), "{finding:#}");
    change(&s, "parties", "party:host", |host| host["region"] = json!("IE"));
    allowed(&s.dry("start"));
    // Wherever it is, standard clauses carry.
    change(&s, "parties", "party:host", |host| {
        *host = in_region("host", None, &[contract(), tie("standard_clauses", "party:acme")])
    });
    allowed(&s.dry("start"));

    // Neither the data nor their controller do: of no matter while all stays here, unknown once it goes abroad.
    let nowhere = |p: &mut Parts| {
        p.parties[0] = in_region("acme", None, &[]);
        p.versions[0].as_object_mut().unwrap().remove("region");
    };
    let s = world(nowhere);
    allowed(&s.dry("start"));
    let s = world(|p| {
        nowhere(p);
        host(p, Some("IN"));
    });
    let finding = s.dry("start");
    let finding = only(&finding, "transfer");
    assert_eq!(finding["status"], "unknown");
    assert!(sentence(finding).contains("nobody said where it comes from"), "{finding:#}");
    // Where the controller is established is enough.
    change(&s, "parties", "party:acme", |acme| acme["region"] = json!("FR"));
    assert_eq!(only(&s.dry("start"), "transfer")["status"], "unmet");

    // Data of a controller abroad, that lie abroad, are not exported from here.
    let s = world(|p| {
        host(p, Some("IN"));
        p.parties[0]["region"] = json!("IN");
        p.versions[0]["region"] = json!("IN");
        p.deployment["region"] = json!("IN");
    });
    allowed(&s.dry("start"));
}

#[test]
fn computing_storing_and_asking_abroad_are_transfers_too() {
    // The deployment computes in the United States; nobody is named who runs the machines.
    let s = world(|p| p.deployment["region"] = json!("US"));
    let decision = s.dry("start");
    let finding = only(&decision, "transfer");
    assert_eq!(finding["node"], PEOPLE);
    assert!(sentence(finding).contains("is used by `deployment:score-prod` in US"), "{finding:#}");
    assert!(finding["remedy"]["text"].as_str().unwrap().contains("named as processor"), "{finding:#}");
    s.add("parties", in_region("host", Some("US"), &[contract(), tie("standard_clauses", "party:acme")]));
    redeploy(&s, |d| d["processors"] = json!(["party:host"]));
    assert!(of_rule(&s.dry("start"), "transfer").is_empty());

    // The data of a controller here lie in India.
    let s = world(|p| p.versions[0]["region"] = json!("IN"));
    let decision = s.dry("start");
    assert!(sentence(only(&decision, "transfer")).contains("lies in IN"), "{decision:#}");

    // The model answers from an endpoint abroad.
    let s = world(|p| {
        let mut model = parts::endpoint("1");
        model["endpoint"]["region"] = json!("US");
        model["provider"] = json!("party:big");
        p.parties.push(in_region("big", Some("US"), &[]));
        p.model_versions[0] = model;
        p.runs.clear();
        p.assessments.push(parts::assessment("bought", "provider", "model:score@1"));
    });
    let mut seen = parts::endpoint("1")["endpoint"].clone();
    let pinned = json!({"model": "model:score@1", "snapshot": seen["snapshot"].take(), "region": "US", "configuration_digest": seen["configuration_digest"].take()});
    s.ci.post("/api/v1/attestations", &pinned).good();
    let decision = s.dry("start");
    assert_eq!(path(only(&decision, "transfer")), ["deployment:score-prod", PEOPLE, "model:score@1"]);
    change(&s, "parties", "party:big", |big| big["arrangements"] = json!([tie("standard_clauses", "party:acme")]));
    allowed(&s.dry("start"));

    // A cloud trained it, at a time when nothing carried that.
    let s = world(|p| {
        p.parties.push(in_region("cloud", Some("US"), &[contract()]));
        p.runs[0]["processors"] = json!(["party:cloud"]);
    });
    assert_eq!(only(&s.dry("start"), "transfer")["status"], "unmet");
    let mut late = tie("standard_clauses", "party:acme");
    late["valid_from"] = json!("2026-06-01");
    change(&s, "parties", "party:cloud", |cloud| cloud["arrangements"] = json!([contract(), late]));
    assert_eq!(only(&s.dry("start"), "transfer")["status"], "unmet", "the training was in January");
    change(&s, "parties", "party:cloud", |cloud| {
        cloud["arrangements"] = json!([contract(), tie("standard_clauses", "party:acme")])
    });
    allowed(&s.dry("start"));
}

#[test]
fn a_move_is_seen_before_anybody_moves() {
    let s = Scenario::running();
    let (code, out, _) = licit(&s.audit, &["whatif", "--move-region", "deployment:score-prod=US"]);
    assert_eq!(code, 3);
    assert!(out.contains("transfer"), "{out}");
    let (_, out, _) = licit(&s.audit, &["whatif", "--move-region", "deployment:score-prod=IE"]);
    assert!(!out.contains("transfer"), "{out}");
    // What carries it shows in the calendar before it ends.
    let mut host = in_region("host", Some("US"), &[contract(), tie("standard_clauses", "party:acme")]);
    host["arrangements"][1]["valid_to"] = json!(days(30));
    s.add("parties", host);
    redeploy(&s, |d| d["processors"] = json!(["party:host"]));
    let (_, out, _) = licit(&s.audit, &["calendar"]);
    assert!(out.contains("standard clauses"), "{out}");
    // Policy may say that it only warns.
    let policy = json!({"name": "Ours", "review": {"quorum": 2, "approval_days": 365}, "levels": [{"rule": "transfer", "level": "warn"}]});
    let revision = s.server.admin().post("/api/v1/policies", &policy).good()["ref"].as_str().unwrap().to_owned();
    s.approve(&[&revision]);
    redeploy(&s, |d| d["processors"] = json!([]));
    redeploy(&s, |d| d["region"] = json!("US"));
    assert_eq!(only(&s.dry("start"), "transfer")["blocking"], false);
}
