//! What ran before the gate stood is taken over once, with an end; worse is not.

use harness::Scenario;
use harness::scenario::{self, POLITICS};
use serde_json::{Value, json};

use super::parts::{allowed, days, only, people_with, redeploy, state, world};

/// Let in while nothing was enforced: the basis does not cover what is served.
pub(crate) fn before() -> Scenario {
    let s = world(|p| {
        p.environment["mode"] = json!("observe");
        p.bases[0]["covers"]["stages"] = json!(["training"]);
    });
    let decision = s.activate("release:score-prod@1").good();
    assert_eq!((&decision["verdict"], &decision["passes"]), (&json!("deny"), &json!(true)), "{decision:#}");
    let id = s.ana.resolve("environment:production");
    let body = json!({"key": "production", "mode": "enforce", "class": "production"});
    let path = format!("/api/v1/environments/{}", id["id"].as_str().unwrap());
    s.ana.put(&path, &id["seq"].to_string(), &body).good();
    s
}

pub(crate) fn take_over(s: &Scenario) -> Value {
    let body =
        json!({"key": "before-licit", "owner": "ml-team", "reason": "It ran before.", "valid_to": &days(100)[..10]});
    s.add("baselines", body)
}

#[test]
fn what_ran_before_goes_on_while_the_board_says_so_and_the_verdict_stays_true() {
    let s = before();
    assert_eq!(s.dry("continue")["passes"], false);
    let taken = take_over(&s);
    assert_eq!(take_over(&s)["ref"], taken["ref"], "asked again: the same");
    assert_eq!(
        (state(&s, "baseline:before-licit@1"), s.dry("continue")["passes"].clone()),
        ("proposed".to_owned(), json!(false))
    );
    s.approve(&["baseline:before-licit"]);
    let decision = s.dry("continue");
    assert_eq!((&decision["verdict"], &decision["passes"]), (&json!("deny"), &json!(true)), "{decision:#}");
    assert_eq!(decision["baselines"], json!(["baseline:before-licit@1"]));
    assert_eq!(s.dry_at("continue", Some(&days(101)))["passes"], false, "it ends");
    let gap = &s.audit.get("/api/v1/gaps").good()["items"][0];
    assert_eq!(gap["affected"][0]["baseline"], "baseline:before-licit@1", "{gap:#}");
    s.revoke("baseline:before-licit", 0);
    assert_eq!(s.dry("continue")["passes"], false, "taken back");
}

#[test]
fn worse_is_not_covered() {
    let s = before();
    take_over(&s);
    s.approve(&["baseline:before-licit"]);
    assert_eq!(s.dry("continue")["passes"], true);
    // What is served brings political opinions now.
    s.add("dataset-versions", people_with("2", &[POLITICS]));
    let decision = s.dry("continue");
    assert_eq!((&decision["passes"], decision.get("baselines")), (&json!(false), None), "{decision:#}");
}

#[test]
fn another_release_is_not_covered() {
    let s = before();
    take_over(&s);
    s.approve(&["baseline:before-licit"]);
    s.add("model-versions", scenario::model_version("2", "2"));
    s.add("runs", scenario::training("2", "1"));
    s.release("2");
    let refused = s.activate("release:score-prod@2").problem(409);
    assert_eq!(refused["decision"]["passes"], false, "{refused:#}");
}

#[test]
fn prohibited_practices_are_taken_over_by_nobody() {
    let s = world(|p| {
        p.environment["mode"] = json!("observe");
        p.system.as_object_mut().unwrap().remove("practices");
        p.bases[0]["covers"]["stages"] = json!(["training"]);
    });
    s.activate("release:score-prod@1").good();
    take_over(&s);
    s.approve(&["baseline:before-licit"]);
    let baseline = s.ana.resolve("baseline:before-licit@1");
    assert_eq!(baseline["spec"]["refused"][0]["rule"], "prohibited.practice", "{baseline:#}");
    assert_eq!(s.dry("continue").get("baselines"), None);
}

#[test]
fn progress_counts_what_is_cleared() {
    let s = before();
    let taken = take_over(&s);
    let path = format!("/api/v1/baselines/{}/progress", taken["id"].as_str().unwrap());
    let progress = s.audit.get(&path).good();
    assert_eq!((&progress["total"], &progress["cleared"]), (&json!(1), &json!(0)), "{progress:#}");
    let mut whole = scenario::basis("scoring-contract", "scoring");
    whole["name"] = json!("Contract, both stages");
    s.add("bases", whole);
    s.approve(&["basis:scoring-contract@2"]);
    let progress = s.audit.get(&path).good();
    assert_eq!((&progress["open"], &progress["cleared"]), (&json!([]), &json!(1)), "{progress:#}");
}

#[test]
fn a_finding_may_have_an_owner_and_an_end_of_its_own_and_the_burn_down_tells_who_is_late() {
    let s = before();
    let body = |shares: Value| json!({"key": "shared", "owner": "ml-team", "reason": "It ran before.", "valid_to": days(100), "shares": shares});
    for (wrong, pointer) in [
        (json!({"rule": "source.covered"}), "#/shares/0/owner"),
        (json!({"rule": "source.covered", "valid_to": days(101)}), "#/shares/0/valid_to"),
        (json!({"deployment": "deployment:none", "owner": "crm-team"}), "#/shares/0/deployment"),
    ] {
        let problem = s.ana.post("/api/v1/baselines", &body(json!([wrong]))).problem(422);
        assert!(crate::support::faults(&problem).contains_key(pointer), "{problem:#}");
    }
    let share = json!({"deployment": "deployment:score-prod", "rule": "source.covered", "owner": "crm-team", "valid_to": days(20)});
    let taken = s.add("baselines", body(json!([{"node": "dataset:crm/none@1", "owner": "x"}, share])));
    s.approve(&["baseline:shared"]);
    assert_eq!(s.dry("continue")["passes"], true);
    assert_eq!(s.dry_at("continue", Some(&days(21)))["passes"], false, "its own end, not the baseline's");
    let due = s.audit.get("/api/v1/gaps").good()["items"][0]["due"].clone();
    assert!(due.as_str().unwrap() < days(21).as_str(), "{due}");
    let path = format!("/api/v1/baselines/{}/progress", taken["id"].as_str().unwrap());
    let progress = s.audit.get(&path).good();
    assert_eq!(progress["owners"], json!([{"owner": "crm-team", "total": 1, "open": 1, "past_due": 0}]));
    assert_eq!((&progress["burn_down"][0]["open"], &progress["done"]), (&json!(1), &json!([])), "{progress:#}");
    let mut whole = scenario::basis("scoring-contract", "scoring");
    whole["name"] = json!("Contract, both stages");
    s.add("bases", whole);
    s.approve(&["basis:scoring-contract@2"]);
    assert_eq!(s.audit.get("/api/v1/gaps").good()["items"], json!([]));
    let progress = s.audit.get(&path).good();
    let last = progress["burn_down"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["open"], progress["done"][0]["at"].is_string()), (&json!(0), true), "{progress:#}");
    let (code, out, err) = crate::support::licit(&s.audit, &["baseline", "progress", "shared"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("1 of 1 cleared"), "{out}");
}

#[test]
fn a_baseline_needs_something_to_take_over_and_an_end() {
    let s = Scenario::running();
    let body = |end: &str| json!({"key": "none", "owner": "ml-team", "reason": "It ran before.", "valid_to": end});
    s.ana.post("/api/v1/baselines", &body(&days(100))).problem(409);
    let problem = s.ana.post("/api/v1/baselines", &body(&days(1000))).problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "#/valid_to");
    allowed(&s.dry("start"));
    redeploy(&s, |d| d["bases"] = json!([]));
    only(&s.dry("start"), "basis.approved");
}
