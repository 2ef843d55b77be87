//! No change of an environment and no move of a deployment loosens what the board alone may loosen.

use harness::Scenario;
use harness::client::{Answer, encode};
use serde_json::{Value, json};

use super::parts::{Parts, change, days, facts, world};

/// It ran by what the scenario approves, in `prod-1`, for which a pattern stands.
fn by_pattern(hours: Option<u32>) -> Scenario {
    let s = world(|p: &mut Parts| {
        p.environment = json!({"key": "prod", "mode": "enforce", "class": "production", "patterns": ["prod-*"]});
        if let Some(hours) = hours {
            p.environment["time_to_live_hours"] = json!(hours);
        }
        p.deployment["environment"] = json!("environment:prod-1");
    });
    s.activate("release:score-prod@1").good();
    s
}

#[track_caller]
fn put(s: &Scenario, collection: &str, reference: &str, edit: impl FnOnce(&mut Value)) -> Answer {
    let id = s.ana.get(&format!("/api/v1/resolve?ref={}", encode(reference))).good()["id"].clone();
    let path = format!("/api/v1/{collection}/{}", id.as_str().unwrap());
    let present = s.ana.get(&path);
    let mut spec = present.good()["spec"].clone();
    edit(&mut spec);
    s.ana.put(&path, present.header("etag").unwrap(), &spec)
}

#[track_caller]
fn refused(s: &Scenario, answer: &Answer, pointer: &str) {
    let problem = answer.problem(409);
    let said = problem["detail"].as_str().unwrap();
    assert!(said.contains("`deployment:score-prod`") && said.contains("`licit env loosen prod`"), "{problem:#}");
    assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem:#}");
    assert_eq!(s.dry("continue")["mode"], "enforce");
    assert_eq!(facts(s, "environment.revised") + facts(s, "deployment.revised"), 2, "nothing of it is recorded");
}

#[test]
fn an_exact_key_or_a_longer_pattern_does_not_loosen_what_a_pattern_holds() {
    let s = by_pattern(None);
    for loose in [
        json!({"key": "prod-1", "mode": "observe", "class": "production"}),
        json!({"key": "mine", "mode": "warn", "class": "production", "patterns": ["x", "prod-?", "prod-[1-9]"]}),
    ] {
        refused(&s, &s.ana.post("/api/v1/environments", &loose), "#/mode");
    }
    // What holds it as strictly, and what stands for others, may come.
    s.add("environments", json!({"key": "prod-1", "mode": "enforce", "class": "production"}));
    s.add("environments", json!({"key": "prod-2", "mode": "observe", "class": "production"}));
    s.add("environments", json!({"key": "review", "mode": "warn", "class": "test", "patterns": ["pr-*"]}));
}

#[test]
fn a_strict_pattern_is_not_dropped_nor_a_life_prolonged() {
    let s = by_pattern(Some(48));
    let longer = put(&s, "environments", "environment:prod", |e| e["time_to_live_hours"] = json!(49));
    longer.problem(409);
    let forever = put(&s, "environments", "environment:prod", |e| {
        e.as_object_mut().unwrap().remove("time_to_live_hours");
    });
    assert_eq!(forever.problem(409)["errors"][0]["pointer"], "#/time_to_live_hours");
    change(&s, "environments", "environment:prod", |e| e["time_to_live_hours"] = json!(24));

    let s = by_pattern(None);
    // Beneath it lies one that only observes.
    let loose = json!({"key": "all", "mode": "observe", "class": "test", "patterns": ["*"]});
    s.add("environments", loose);
    let dropped = put(&s, "environments", "environment:prod", |e| e["patterns"] = json!(["production-*"]));
    let problem = dropped.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("`licit env loosen prod`"), "{problem:#}");
    assert_eq!(s.dry("continue")["mode"], "enforce");
}

#[test]
fn what_ever_ran_does_not_move_to_where_it_is_held_less_strictly() {
    let s = by_pattern(None);
    s.add("environments", json!({"key": "lab", "mode": "observe", "class": "test"}));
    s.add("environments", json!({"key": "stage", "mode": "enforce", "class": "test", "time_to_live_hours": 8}));
    let to =
        |name: &'static str| put(&s, "deployments", "deployment:score-prod", move |d| d["environment"] = json!(name));
    let problem = to("environment:lab").problem(409);
    assert_eq!(problem["errors"][0]["pointer"], "#/environment", "{problem:#}");
    let mut again = s.ana.resolve("deployment:score-prod")["spec"].clone();
    again["environment"] = json!("environment:lab");
    s.ana.post("/api/v1/deployments", &again).problem(409);
    assert_eq!(s.dry("continue")["mode"], "enforce");
    // It may go where it ends earlier, and then not back.
    to("environment:stage").good();
    to("environment:prod-1").problem(409);
    // What never ran may go anywhere: nothing was relied on.
    again["name"] = json!("score-new");
    again["environment"] = json!("environment:prod-1");
    s.add("deployments", again.clone());
    again["environment"] = json!("environment:lab");
    s.add("deployments", again);
}

#[test]
fn a_loosening_of_the_board_is_no_way_to_stay_loose_or_to_get_in() {
    let s = by_pattern(None);
    let body =
        json!({"environment": "environment:prod", "mode": "observe", "valid_to": days(10), "reason": "Migration."});
    s.add("loosenings", body);
    s.approve(&["loosening:prod"]);
    assert_eq!(s.dry("continue")["mode"], "observe");
    // While it lasts, the exact key would be no looser; afterwards it would.
    let exact = json!({"key": "prod-1", "mode": "observe", "class": "production"});
    s.ana.post("/api/v1/environments", &exact).problem(409);

    let s = by_pattern(None);
    s.add("environments", json!({"key": "other", "mode": "enforce", "class": "production"}));
    let body =
        json!({"environment": "environment:other", "mode": "warn", "valid_to": days(10), "reason": "Migration."});
    s.add("loosenings", body);
    s.approve(&["loosening:other"]);
    put(&s, "deployments", "deployment:score-prod", |d| d["environment"] = json!("environment:other")).problem(409);
}

#[test]
fn another_key_is_no_way_out_of_the_levels_of_the_policy() {
    let s = by_pattern(None);
    let policy = json!({
        "name": "Soft but in production", "review": {"quorum": 2, "approval_days": 365},
        "levels": [{"rule": "retention", "level": "warn", "overrides": [{"environments": ["prod"], "level": "block"}]}],
    });
    s.server.admin().post("/api/v1/policies", &policy).good();
    s.approve(&["policy:organisation@1"]);
    let exact = json!({"key": "prod-1", "mode": "enforce", "class": "production"});
    let problem = s.ana.post("/api/v1/environments", &exact).problem(409);
    assert_eq!(problem["errors"][0]["pointer"], "#/key", "{problem:#}");

    let s = by_pattern(None);
    let policy = json!({
        "name": "Three in production", "review": {"quorum": 2, "approval_days": 365, "overrides": [
            {"kinds": ["deployment"], "environments": ["prod"], "quorum": 3},
        ]},
    });
    s.server.admin().post("/api/v1/policies", &policy).good();
    s.approve(&["policy:organisation@1"]);
    let problem = s.ana.post("/api/v1/environments", &exact).problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("approved by fewer"), "{problem:#}");
}

#[test]
fn an_environment_does_not_become_one_for_made_up_data_while_that_spares_a_vote() {
    let s = by_pattern(Some(24));
    let synthetic = |e: &mut Value| e["class"] = json!("synthetic");
    let policy = json!({"name": "ours", "review": {"quorum": 2, "approval_days": 365, "synthetic_without_vote": true}});
    let proposed = s.server.admin().post("/api/v1/policies", &policy).good();
    s.approve(&[proposed["ref"].as_str().unwrap()]);
    refused(&s, &put(&s, "environments", "environment:prod", synthetic), "#/class");
}
