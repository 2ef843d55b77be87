//! To start and to continue: grace, rollback, modes.

use harness::Scenario;
use harness::scenario::findings;
use serde_json::{Value, json};

use super::parts::{
    allowed, ask, days, denied, facts, of_rule, only, people_with, retrain, roll_back, rules, state, world,
};

fn at(intent: &str, in_days: i64) -> Value {
    json!({"intent": intent, "dry_run": true, "valid_at": days(in_days)})
}

#[test]
fn a_revoked_basis_lets_what_runs_go_on_as_long_as_the_revocation_says() {
    let s = Scenario::running();
    s.revoke("basis:scoring-contract", 10);
    denied(&s.dry("start"));
    let going_on = s.dry("continue");
    allowed(&going_on);
    let due = going_on["actions_due"].as_array().unwrap();
    assert!(!due.is_empty());
    for action in due {
        let until = action["due"].as_str().unwrap();
        assert!(until < &*days(10) && until > &*days(9), "{action:#}");
        assert!(!action["remedy"]["text"].as_str().unwrap().is_empty());
    }
    assert!(findings(&going_on).is_empty());
    allowed(&ask(&s, at("continue", 9)));
    let after = ask(&s, at("continue", 11));
    denied(&after);
    assert!(after.get("actions_due").is_none(), "{after:#}");
    assert!(rules(&after).contains(&"source.covered".to_owned()));
}

#[test]
fn a_revocation_without_grace_stops_at_once() {
    let s = Scenario::running();
    s.revoke("basis:scoring-contract", 0);
    denied(&s.dry("continue"));
}

#[test]
fn an_expired_approval_stops_starts_and_passes_thirty_days_of_going_on() {
    let s = Scenario::running();
    let soon = ask(&s, at("continue", 370));
    allowed(&soon);
    assert!(soon["actions_due"].as_array().unwrap().iter().all(|a| a["status"] == "expired"), "{soon:#}");
    denied(&ask(&s, at("start", 370)));
    allowed(&ask(&s, at("continue", 394)));
    denied(&ask(&s, at("continue", 396)));
}

#[test]
fn an_unknown_upstream_has_fourteen_days() {
    const RUN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
    let s = world(|p| p.runs[0]["id"] = json!(RUN));
    allowed(&s.activate("release:score-prod@1").good());
    s.add(
        "edges",
        json!({"kind": "used", "from": format!("run:{RUN}"), "to": "dataset:crm/late@1", "origin": "observed"}),
    );
    denied(&s.dry("start"));
    allowed(&s.dry("continue"));
    allowed(&ask(&s, at("continue", 13)));
    denied(&ask(&s, at("continue", 15)));
}

#[test]
fn wrong_bytes_have_no_grace() {
    let s = Scenario::running();
    let wrong = json!([{"path": "model.json", "digest": format!("sha256:{}", "7".repeat(64))}]);
    let decision = ask(&s, json!({"intent": "continue", "dry_run": true, "artifacts": wrong}));
    denied(&decision);
    assert_eq!(rules(&decision), ["artifact.digest"]);
}

#[test]
fn grace_is_no_way_in() {
    let s = Scenario::approved();
    // Never decided on, never active: nothing to go on with.
    let decision = s.dry("continue");
    denied(&decision);
    let finding = only(&decision, "release.approved");
    assert_eq!(finding["status"], "unknown");
    assert!(finding["sentence"].as_str().unwrap().contains("no active release"), "{finding:#}");
    let named = ask(
        &s,
        json!({"release": "release:score-prod@1", "intent": "continue", "dry_run": true, "valid_at": days(370)}),
    );
    denied(&named);
    assert!(named.get("actions_due").is_none(), "{named:#}");
}

#[test]
fn rollback_is_one_call_and_needs_no_vote() {
    let s = Scenario::running();
    retrain(&s, "2", harness::scenario::people("2"));
    allowed(&s.activate("release:score-prod@2").good());
    assert_eq!(
        (state(&s, "release:score-prod@1").as_str(), state(&s, "release:score-prod@2").as_str()),
        ("standby", "active")
    );
    let votes = facts(&s, "vote.cast");
    let decision = roll_back(&s).good();
    allowed(&decision);
    assert_eq!((&decision["intent"], &decision["release"]), (&json!("continue"), &json!("release:score-prod@1")));
    assert_eq!(
        (state(&s, "release:score-prod@1").as_str(), state(&s, "release:score-prod@2").as_str()),
        ("active", "standby")
    );
    assert_eq!(facts(&s, "vote.cast"), votes);
    // Nothing ran before the first: what is newer is named.
    let problem = roll_back(&s).problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("ran before `release:score-prod@1`"), "{problem:#}");
    // Also when the approval is over: what was allowed goes on, with something to do.
    s.revoke("deployment:score-prod", 5);
    let decision = roll_back_to(&s, "release:score-prod@2").good();
    allowed(&decision);
    assert_eq!(decision["release"], "release:score-prod@2");
    assert_eq!(decision["actions_due"][0]["rule"], "release.approved");
    let expired =
        json!({"release": "release:score-prod@1", "intent": "continue", "dry_run": true, "valid_at": days(4)});
    allowed(&ask(&s, expired));
}

fn roll_back_to(s: &Scenario, release: &str) -> harness::client::Answer {
    let id = s.ci.resolve("deployment:score-prod")["id"].as_str().unwrap().to_owned();
    s.ci.post(&format!("/api/v1/deployments/{id}/rollback"), &json!({"release": release}))
}

#[test]
fn rolling_back_again_goes_further_back_and_a_release_is_reached_by_its_name() {
    let s = Scenario::running();
    for version in ["2", "3"] {
        retrain(&s, version, harness::scenario::people(version));
        allowed(&s.activate(&format!("release:score-prod@{version}")).good());
    }
    for wanted in ["release:score-prod@2", "release:score-prod@1"] {
        assert_eq!(roll_back(&s).good()["release"], wanted);
    }
    roll_back(&s).problem(409);
    // Forward only by name; and what ran in between is no longer than before the one that first ran after it.
    assert_eq!(roll_back_to(&s, "release:score-prod@3").good()["release"], "release:score-prod@3");
    assert_eq!(roll_back(&s).good()["release"], "release:score-prod@2");
    assert_eq!(roll_back_to(&s, "release:score-prod@1").good()["release"], "release:score-prod@1");
    // Only what stands by, and of this deployment.
    retrain(&s, "4", harness::scenario::people("4"));
    let says = |release: &str, status: u16, word: &str| {
        let problem = roll_back_to(&s, release).problem(status);
        assert!(problem.to_string().contains(word), "{problem:#}");
    };
    says("release:score-prod@4", 409, "never ran");
    says("release:score-prod@1", 409, "is what runs");
    says("release:score-prod@9", 422, "there is no");
    says("release:other@1", 422, "is not a release of");
    says("release:score-prod", 422, "with its number");
    says("deployment:score-prod", 422, "/release");
}

#[test]
fn a_standby_goes_on_after_the_approval_expired() {
    let s = Scenario::running();
    retrain(&s, "2", harness::scenario::people("2"));
    allowed(&s.activate("release:score-prod@2").good());
    let standby = |intent: &str| json!({"release": "release:score-prod@1", "intent": intent, "dry_run": true, "valid_at": days(370)});
    allowed(&ask(&s, standby("continue")));
    denied(&ask(&s, standby("start")));
}

#[test]
fn without_a_standby_there_is_nothing_to_roll_back_to() {
    let s = Scenario::running();
    roll_back(&s).problem(409);
}

#[test]
fn a_refused_activation_is_a_recorded_decision_and_changes_nothing() {
    let s = Scenario::registered();
    let problem = s.activate("release:score-prod@1").problem(409);
    assert_eq!(problem["type"], "urn:licit:problem:refused");
    assert!(!problem["decision"]["findings"].as_array().unwrap().is_empty());
    assert_eq!(state(&s, "release:score-prod@1"), "proposed");
    assert_eq!((facts(&s, "decision.made"), facts(&s, "release.moved")), (1, 0));
    let id = problem["decision"]["id"].as_str().unwrap();
    assert_eq!(s.audit.get(&format!("/api/v1/decisions/{id}")).good()["spec"]["verdict"], "deny");
}

#[test]
fn a_mode_changes_what_the_doors_do_and_never_the_verdict() {
    for mode in ["observe", "warn"] {
        let s = world(|p| {
            p.environment["mode"] = json!(mode);
            p.deferred.push("purpose:scoring");
        });
        let decision = s.activate("release:score-prod@1").good();
        denied(&decision);
        assert_eq!((&decision["passes"], &decision["mode"]), (&json!(true), &json!(mode)));
        assert_eq!(state(&s, "release:score-prod@1"), "active");
        let id = decision["id"].as_str().unwrap();
        let kept = s.audit.get(&format!("/api/v1/decisions/{id}")).good();
        assert_eq!(
            (&kept["spec"]["verdict"], &kept["spec"]["passes"], &kept["state"]),
            (&json!("deny"), &json!(true), &json!("deny"))
        );
        // It ran without being allowed: there is no grace to live on.
        let going_on = ask(&s, at("continue", 370));
        denied(&going_on);
        assert!(going_on.get("actions_due").is_none());
    }
}

#[test]
fn a_withdrawn_release_never_runs_again() {
    let s = Scenario::running();
    retrain(&s, "2", harness::scenario::people("2"));
    allowed(&s.activate("release:score-prod@2").good());
    let id = s.ci.resolve("release:score-prod@1")["id"].as_str().unwrap().to_owned();
    s.ci.post(&format!("/api/v1/releases/{id}/withdraw"), &json!({})).good();
    for intent in ["start", "continue"] {
        let decision = ask(&s, json!({"release": "release:score-prod@1", "intent": intent, "dry_run": true}));
        denied(&decision);
        assert!(only(&decision, "release.approved")["sentence"].as_str().unwrap().contains("taken out"));
    }
    roll_back(&s).problem(409);
}

#[test]
fn going_on_judges_what_is_served_now() {
    let s = Scenario::running();
    s.add("dataset-versions", people_with("2", &["https://w3id.org/dpv/pd#SocialNetwork"]));
    let decision = s.dry("continue");
    denied(&decision);
    assert_eq!(of_rule(&decision, "source.covered").len(), 1, "{decision:#}");
}
