//! Systems and deployments state since when a revision holds: a moment is judged by the revision of then.

use harness::{Scenario, scenario};
use serde_json::{Value, json};

use super::{items, size};
use crate::gate::parts::{change, days, redeploy, rules};
use crate::support::rebuilds;

#[track_caller]
fn at(s: &Scenario, days_off: i64) -> Value {
    s.dry_at("start", Some(&days(days_off)))
}

/// A panel of people that no basis covers.
fn panel(s: &Scenario) {
    s.add("datasets", json!({"namespace": "crm", "name": "panel"}));
    let mut panel = scenario::people("1");
    panel["dataset"] = json!("dataset:crm/panel");
    s.add("dataset-versions", panel);
}

fn reads_panel(valid_from: &str) -> impl FnOnce(&mut Value) {
    let from = json!(valid_from);
    move |deployment| {
        deployment["reads"] = json!({"datasets": ["dataset:crm/panel"]});
        deployment["valid_from"] = from;
    }
}

#[test]
fn a_revision_counts_from_when_it_was_valid_whenever_it_was_recorded() {
    let s = Scenario::running();
    panel(&s);
    let before = size(&s);
    let from = days(-3);
    redeploy(&s, reads_panel(&from));
    assert_eq!(at(&s, -5)["verdict"], "allow", "{:#}", at(&s, -5));
    let then = at(&s, -1);
    assert_eq!(then["verdict"], "deny");
    assert!(then.to_string().contains("dataset:crm/panel@1"), "{then:#}");
    let mut body = json!({"deployment": "deployment:score-prod", "dry_run": true, "valid_at": days(-1)});
    body["known_at"] = json!(before.to_string());
    assert_eq!(s.ci.post("/api/v1/gate", &body).good()["verdict"], "allow", "nobody knew");
    let shown = s.audit.resolve("deployment:score-prod");
    assert_eq!((&shown["valid_from"], &shown["spec"]["valid_from"]), (&json!(from), &json!(from)), "{shown:#}");
    // One that states no beginning takes the place of all before it.
    redeploy(&s, |d| {
        d.as_object_mut().unwrap().remove("valid_from");
        d["reads"] = json!({"datasets": ["dataset:crm/people"]});
    });
    assert_eq!(at(&s, -1)["verdict"], "allow", "{:#}", at(&s, -1));
    rebuilds(&s.server.db);
}

#[test]
fn a_revision_dated_ahead_does_not_act_before() {
    let s = Scenario::running();
    panel(&s);
    redeploy(&s, reads_panel(&days(5)));
    for intent in ["start", "continue"] {
        assert_eq!(s.dry(intent)["verdict"], "allow", "{:#}", s.dry(intent));
    }
    assert_eq!(s.audit.get("/api/v1/gaps").good()["items"], json!([]));
    assert!(rules(&at(&s, 6)).contains(&"source.covered".to_owned()), "{:#}", at(&s, 6));
    // What it reads until then is followed as before.
    s.add("dataset-versions", scenario::people("2"));
    let id = s.ana.resolve("dataset:crm/people@2")["id"].as_str().unwrap().to_owned();
    s.ana.post(&format!("/api/v1/dataset-versions/{id}/life"), &json!({"life": "restricted"})).good();
    assert_eq!(rules(&s.dry("start")), ["source.covered"]);
    let lineage = s.audit.get("/api/v1/lineage?ref=deployment:score-prod").good();
    let edges = lineage["edges"].as_array().unwrap();
    assert!(edges.iter().any(|e| e["kind"] == "serves_on" && e["to"] == "dataset:crm/people@2"), "{edges:#?}");
    rebuilds(&s.server.db);
}

#[test]
fn what_begins_later_is_approved_as_it_will_be_and_the_present_stays_approved() {
    let s = Scenario::running();
    panel(&s);
    let mut wider = scenario::basis("scoring-contract", "scoring");
    wider["covers"]["datasets"] = json!(["dataset:crm/people", "dataset:crm/panel"]);
    let wider = s.add("bases", wider)["ref"].as_str().unwrap().to_owned();
    s.approve(&[&wider]);
    redeploy(&s, |d| {
        reads_panel(&days(5))(d);
        d["bases"] = json!([wider]);
    });
    assert_eq!(s.dry("start")["verdict"], "allow", "{:#}", s.dry("start"));
    assert_eq!(rules(&at(&s, 6)), ["release.approved"], "{:#}", at(&s, 6));
    s.approve(&["deployment:score-prod"]);
    for day in [0, 6] {
        assert_eq!(at(&s, day)["verdict"], "allow", "day {day}: {:#}", at(&s, day));
    }
}

#[test]
fn a_deployment_that_holds_later_is_none_until_then() {
    let s = Scenario::approved();
    let mut later = scenario::deployment();
    later["name"] = json!("later");
    later["valid_from"] = json!(days(5));
    s.add("deployments", later);
    let parts = json!([{"part": "base", "model": "model:score@1"}]);
    s.add("releases", json!({"deployment": "deployment:later", "composition": parts}));
    let ask = |day: i64| {
        let body = json!({"deployment": "deployment:later", "dry_run": true, "valid_at": days(day)});
        s.ci.post("/api/v1/gate", &body).good()
    };
    let now = ask(0);
    assert_eq!(rules(&now), ["release.approved"]);
    assert!(now["findings"][0]["sentence"].as_str().unwrap().contains("not before"), "{now:#}");
    s.approve(&["deployment:later"]);
    assert_eq!((&ask(0)["verdict"], &ask(6)["verdict"]), (&json!("deny"), &json!("allow")), "{:#}", ask(6));
}

#[test]
fn where_it_runs_and_who_receives_it_is_not_stated_ahead() {
    let s = Scenario::running();
    s.add("parties", scenario::party("research"));
    s.add("environments", json!({"key": "stricter", "mode": "enforce", "class": "production"}));
    let path = format!("/api/v1/deployments/{}", s.ana.resolve("deployment:score-prod")["id"].as_str().unwrap());
    let present = s.ana.get(&path);
    let put = |edit: fn(&mut Value)| {
        let mut spec = present.good()["spec"].clone();
        spec["valid_from"] = json!(days(5));
        edit(&mut spec);
        s.ana.put(&path, present.header("etag").unwrap(), &spec).problem(422)["errors"][0]["pointer"].clone()
    };
    assert_eq!(put(|d| d["environment"] = json!("environment:stricter")), "#/environment");
    let hands_over = put(|d| d["discloses"] = json!({"what": ["model:score"], "to": ["party:research"]}));
    assert_eq!(hands_over, "#/valid_from");
    assert_eq!(s.dry("start")["verdict"], "allow");
}

#[test]
fn a_system_is_judged_as_it_was_or_will_be() {
    let s = Scenario::running();
    let mut high = scenario::system();
    high["risk_class"] = json!("high");
    high["valid_from"] = json!(days(5));
    let high = s.add("systems", high)["ref"].as_str().unwrap().to_owned();
    assert_eq!(high, "system:scorer@2");
    redeploy(&s, |d| d["system"] = json!(high));
    assert_eq!(s.dry("start")["verdict"], "allow", "{:#}", s.dry("start"));
    assert!(rules(&at(&s, 6)).contains(&"risk.documents".to_owned()), "{:#}", at(&s, 6));
    let listed = |day: i64| items(&s.audit.get(&format!("/api/v1/systems?valid_at={}", days(day))).good()).len();
    assert_eq!((listed(0), listed(6)), (1, 2));
    // The first revision may begin later, too: until then there is no system to speak of.
    let mut new = scenario::system();
    new["key"] = json!("new");
    new["valid_from"] = json!(days(5));
    s.add("systems", new);
    redeploy(&s, |d| d["system"] = json!("system:new@1"));
    let decision = s.dry("start");
    let all = decision["findings"].as_array().unwrap();
    let found: Vec<&Value> = all.iter().filter(|f| f["rule"] == "prohibited.practice").collect();
    assert_eq!(found.len(), 1, "{decision:#}");
    assert!(found[0]["sentence"].as_str().unwrap().contains("not before"), "{decision:#}");
    change(&s, "deployments", "deployment:score-prod", |d| d["system"] = json!("system:scorer@1"));
    assert_eq!(s.dry("start")["verdict"], "allow");
    rebuilds(&s.server.db);
}
