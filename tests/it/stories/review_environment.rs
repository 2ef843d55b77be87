//! 17:45: a review environment `pr-4812` comes up by its pattern, with made-up data, for two days, without a vote.

use harness::Scenario;
use harness::scenario::people;
use serde_json::{Value, json};

use crate::gate::parts::{allowed, days, denied, only, path, rules, world};

fn made_up() -> Scenario {
    world(|p| p.versions[0]["origin"] = json!("synthetic"))
}

/// What the board decides once, for all of them.
fn decide(s: &Scenario, spared: bool) {
    let policy =
        json!({"name": "Ours", "review": {"quorum": 2, "approval_days": 365, "synthetic_without_vote": spared}});
    let revision = s.server.admin().post("/api/v1/policies", &policy).good()["ref"].as_str().unwrap().to_owned();
    s.approve(&[&revision]);
}

fn environment(s: &Scenario, class: &str, hours: Option<u32>) {
    let mut body = json!({"key": "review", "mode": "enforce", "class": class, "patterns": ["pr-*"]});
    if let Some(hours) = hours {
        body["time_to_live_hours"] = json!(hours);
    }
    s.add("environments", body);
}

/// A branch's deployment, as its pipeline states it.
fn branch(s: &Scenario) {
    let mut deployment: Value = s.ana.resolve("deployment:score-prod")["spec"].clone();
    deployment["name"] = json!("score-pr-4812");
    deployment["environment"] = json!("environment:pr-4812");
    s.add("deployments", deployment);
    let composition = json!([{"part": "base", "model": "model:score"}]);
    s.add("releases", json!({"deployment": "deployment:score-pr-4812", "composition": composition}));
}

fn ask(s: &Scenario, at: Option<&str>) -> Value {
    let mut body = json!({"deployment": "deployment:score-pr-4812", "dry_run": true});
    if let Some(at) = at {
        body["valid_at"] = json!(at);
    }
    s.ci.post("/api/v1/gate", &body).good()
}

#[test]
fn made_up_data_in_a_review_environment_need_no_vote() {
    let s = made_up();
    decide(&s, true);
    environment(&s, "synthetic", Some(48));
    branch(&s);
    let decision = s.activate("release:score-pr-4812@1").good();
    allowed(&decision);
    assert_eq!((&decision["mode"], &decision["passes"]), (&json!("enforce"), &json!(true)));
    // It ends by itself.
    let over = ask(&s, Some(&days(3)));
    assert_eq!((&over["passes"], over["ended"].is_string()), (&json!(false), true), "{over:#}");

    // Somebody puts the real people in: refused, with the way, and a vote is asked for again.
    s.add("dataset-versions", people("2"));
    let decision = ask(&s, None);
    denied(&decision);
    assert_eq!(rules(&decision), ["environment.class", "release.approved"]);
    let finding = only(&decision, "environment.class");
    assert_eq!(path(finding), ["deployment:score-pr-4812", "dataset:crm/people@2"]);
    assert!(finding["sentence"].as_str().unwrap().contains("`environment:review` is for made-up and anonymous data"));
    let vote = only(&decision, "release.approved")["sentence"].as_str().unwrap();
    assert!(vote.contains("without a vote only made-up or anonymous data run in `environment:review`"), "{vote}");
}

#[test]
fn without_the_boards_word_the_class_or_an_end_a_vote_is_needed() {
    for (spared, class, hours, fits) in [
        (false, "synthetic", Some(48), false),
        (true, "test", Some(48), false),
        (true, "synthetic", None, false),
        (true, "synthetic", Some(1), true),
    ] {
        let s = made_up();
        decide(&s, spared);
        environment(&s, class, hours);
        branch(&s);
        let decision = ask(&s, None);
        assert_eq!(rules(&decision).is_empty(), fits, "{spared} {class} {hours:?}: {decision:#}");
        if !fits {
            assert_eq!(rules(&decision), ["release.approved"]);
        }
    }
    // What nobody knows may be people.
    let s = world(|p| _ = p.versions[0].as_object_mut().unwrap().remove("origin"));
    decide(&s, true);
    environment(&s, "synthetic", Some(48));
    branch(&s);
    let decision = ask(&s, None);
    assert_eq!(only(&decision, "environment.class")["status"], "unknown");
    assert!(rules(&decision).contains(&"release.approved".to_owned()));
}
