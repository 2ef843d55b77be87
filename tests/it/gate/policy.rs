//! What the organisation decided about reviews and the gate, and what it cannot.

use harness::scenario::finding;
use harness::{Client, Scenario};
use serde_json::{Value, json};

use super::parts::{allowed, ask, basis, days, denied, facts, of_rule, only, state, world};
use crate::support::{faults, licit, rebuilds};

/// The default in words, with levels of rules.
pub(crate) fn policy(levels: Value) -> Value {
    let mut policy = json!({"name": "What we decided", "review": {"quorum": 2, "approval_days": 365}});
    policy["levels"] = levels;
    policy
}

/// Propose as the administrator.
#[track_caller]
pub(crate) fn propose(s: &Scenario, policy: &Value) -> String {
    s.server.admin().post("/api/v1/policies", policy).good()["ref"].as_str().unwrap().to_owned()
}

/// Propose and approve.
#[track_caller]
pub(crate) fn decide(s: &Scenario, policy: &Value) -> String {
    let reference = propose(s, policy);
    s.approve(&[&reference]);
    reference
}

#[track_caller]
fn refused(s: &Scenario, policy: &Value) -> Value {
    s.server.admin().post("/api/v1/policies", policy).problem(422)
}

/// A basis that lacks what its letter asks: `basis.holds`, outside the hard core.
fn lacking() -> Scenario {
    world(|p| p.bases[0] = basis(|b| _ = b["letter"].as_object_mut().unwrap().remove("necessity")))
}

fn level(level: &str) -> Value {
    policy(json!([{"rule": "basis.holds", "level": level}]))
}

#[track_caller]
fn quorum(s: &Scenario, references: &[&str]) -> (Value, Value) {
    let subjects: Vec<Value> = references.iter().map(|r| json!({"ref": r})).collect();
    let opened = s.ana.post("/api/v1/reviews", &json!({"title": "Dossier", "subjects": subjects})).good();
    let view = s.audit.get(&format!("/api/v1/reviews/{}", opened["id"].as_str().unwrap())).good();
    (view["review"]["spec"]["quorum"].clone(), opened)
}

fn vote(client: &Client, review: &Value) {
    let path = format!("/api/v1/reviews/{}/votes", review["id"].as_str().unwrap());
    client.post(&path, &json!({"choice": "approve", "digest": review["digest"]})).good();
}

#[test]
fn a_rule_warns_or_is_silent_once_the_board_said_so_and_the_decision_names_the_policy() {
    let s = lacking();
    let before = s.dry("start");
    denied(&before);
    assert_eq!(
        (&only(&before, "basis.holds")["blocking"], &before["policy"]),
        (&json!(true), &json!("policy:default@1"))
    );

    let warns = propose(&s, &level("warn"));
    assert_eq!((warns.as_str(), state(&s, &warns).as_str()), ("policy:organisation@1", "proposed"));
    denied(&s.dry("start"));
    s.approve(&["policy:organisation"]);
    assert_eq!(state(&s, &warns), "approved");
    let said = ask(&s, json!({"intent": "start"}));
    allowed(&said);
    assert_eq!(
        (&only(&said, "basis.holds")["blocking"], &said["policy"]),
        (&json!(false), &json!("policy:organisation@1"))
    );
    let evidence = s.audit.get(&format!("/api/v1/decisions/{}/evidence", said["id"].as_str().unwrap())).good();
    let digest = s.ana.resolve(&warns)["digest"].clone();
    assert_eq!((&evidence["policy"][0]["ref"], &evidence["policy"][0]["digest"]), (&json!(warns), &digest));

    decide(&s, &level("silent"));
    let silent = s.dry("start");
    allowed(&silent);
    assert!(of_rule(&silent, "basis.holds").is_empty(), "{silent:#}");
    rebuilds(&s.server.db);
}

#[test]
fn a_level_may_depend_on_environment_and_risk() {
    let overrides = |o: Value| policy(json!([{"rule": "basis.holds", "level": "warn", "overrides": o}]));
    let s = lacking();
    decide(&s, &overrides(json!([{"environments": ["production"], "level": "block"}])));
    denied(&s.dry("start"));
    s.add("environments", json!({"key": "staging", "mode": "enforce", "class": "test"}));
    decide(&s, &overrides(json!([{"environments": ["staging"], "level": "block"}])));
    allowed(&s.dry("start"));
    decide(&s, &overrides(json!([{"risk_classes": ["high"], "level": "block"}])));
    allowed(&s.dry("start"));
    // Two apply: the stricter counts, in whichever order they stand.
    let both =
        json!([{"environments": ["production"], "level": "silent"}, {"risk_classes": ["minimal"], "level": "block"}]);
    decide(&s, &overrides(both));
    denied(&s.dry("start"));
}

#[test]
fn the_hard_core_and_what_does_not_exist_cannot_be_spoken_of() {
    let s = Scenario::registered();
    let core = json!([{"rule": "basis.holds", "level": "warn"}, {"rule": "source.covered", "level": "warn"}]);
    let problem = faults(&refused(&s, &policy(core)));
    assert!(problem["#/levels/1/rule"].contains("hard core"), "{problem:?}");
    // Not even to say that it refuses: what cannot be changed is not for the board.
    let block = json!([{"rule": "lineage.complete", "level": "block"}]);
    assert!(faults(&refused(&s, &policy(block))).contains_key("#/levels/0/rule"));
    let unknown = json!([{"rule": "basis.hold", "level": "warn"}]);
    assert!(faults(&refused(&s, &policy(unknown)))["#/levels/0/rule"].contains("`basis.holds`"));
    let twice = json!([{"rule": "basis.holds", "level": "warn"}, {"rule": "basis.holds", "level": "block"}]);
    assert!(faults(&refused(&s, &policy(twice)))["#/levels/1/rule"].contains("twice"));
    let nowhere =
        json!([{"rule": "basis.holds", "level": "warn", "overrides": [{"environments": ["prod"], "level": "block"}]}]);
    let problem = faults(&refused(&s, &policy(nowhere)));
    assert!(problem["#/levels/0/overrides/0/environments/0"].contains("`environment:prod`"), "{problem:?}");
    let mut long = policy(json!([]));
    long["grace"] = json!({"expired_days": 91, "unknown_days": 0});
    assert!(faults(&refused(&s, &long)).contains_key("#/grace/expired_days"));
}

#[test]
fn without_anything_to_release_no_policy_lets_it_pass() {
    let s = Scenario::registered();
    decide(&s, &policy(json!([{"rule": "release.approved", "level": "silent"}])));
    for question in [json!({"deployment": "deployment:nothing"}), json!({"release": "release:score-prod@9"})] {
        let decision = ask(&s, question);
        denied(&decision);
        assert!(finding(&decision, "release.approved").is_some(), "{decision:#}");
    }
}

#[test]
fn the_quorum_is_what_the_policy_asks_of_this_kind_place_and_risk() {
    let s = world(|p| p.system["risk_class"] = json!("high"));
    let mut asked = policy(json!([]));
    asked["review"] = json!({"quorum": 1, "approval_days": 100, "overrides": [
        {"kinds": ["deployment"], "risk_classes": ["high", "prohibited"], "quorum": 3, "approval_days": 30},
        {"kinds": ["system"], "risk_classes": ["high"], "quorum": 2},
        {"kinds": ["basis"], "environments": ["production"], "quorum": 4},
    ]});
    decide(&s, &asked);
    assert_eq!(quorum(&s, &["purpose:scoring"]).0, 1);
    assert_eq!(quorum(&s, &["system:scorer"]).0, 2);
    assert_eq!(quorum(&s, &["basis:scoring-contract"]).0, 4, "a basis is in no environment: it may reach any");
    assert_eq!(quorum(&s, &["policy:organisation"]).0, 1);
    // A dossier asks the strictest of what each thing in it asks.
    let (needed, review) = quorum(&s, &["purpose:scoring", "deployment:score-prod"]);
    assert_eq!(needed, 3);
    let granted = facts(&s, "approval.granted");
    vote(&s.bea, &review);
    vote(&s.carl, &review);
    assert_eq!(facts(&s, "approval.granted"), granted, "two are not three");
    vote(&s.server.person("Dan", &["reviewer"]), &review);
    assert_eq!(facts(&s, "approval.granted"), granted + 2);
    let approvals = s.audit.get("/api/v1/approvals?parent=deployment:score-prod&limit=1").good();
    let end = approvals["items"][0]["spec"]["valid_to"].as_str().unwrap().to_owned();
    assert!(end > days(29) && end < days(31), "{end}");
}

#[test]
fn what_lets_a_denied_release_run_has_terms_of_its_own_and_asks_no_less_than_approving_it() {
    let s = world(|p| {
        super::emergency::denied(p);
        p.environment["mode"] = json!("observe");
        p.environment["patterns"] = json!(["prod*"]);
    });
    s.activate("release:score-prod@1").good();
    s.add("environments", json!({"key": "staging", "mode": "enforce", "class": "test"}));
    s.add("baselines", json!({"key": "then", "owner": "ml-team", "reason": "It ran before.", "valid_to": days(60)}));
    let body =
        json!({"environment": "environment:staging", "mode": "warn", "valid_to": days(9), "reason": "Migration."});
    s.add("loosenings", body);
    let mut asked = policy(json!([]));
    asked["review"] = json!({"quorum": 2, "approval_days": 100, "overrides": [
        {"kinds": ["deployment"], "quorum": 3},
        {"kinds": ["baseline"], "quorum": 4},
        {"kinds": ["loosening"], "environments": ["staging"], "quorum": 5},
        {"kinds": ["policy"], "quorum": 6},
    ]});
    decide(&s, &asked);
    assert_eq!(quorum(&s, &["baseline:then"]).0, 4);
    assert_eq!(quorum(&s, &["loosening:staging"]).0, 5);
    assert_eq!(quorum(&s, &["purpose:scoring"]).0, 2);
    asked["review"]["overrides"] =
        json!([{"kinds": ["deployment"], "quorum": 3}, {"kinds": ["baseline", "break_glass"], "quorum": 1}]);
    propose(&s, &asked);
    let reference = propose(&s, &asked);
    let dan: Vec<Client> = ["Dan", "Eli", "Fay", "Gus"].iter().map(|n| s.server.person(n, &["reviewer"])).collect();
    let (_, review) = quorum(&s, &[&reference]);
    [&s.bea, &s.carl].into_iter().chain(&dan).for_each(|member| vote(member, &review));
    assert_eq!(quorum(&s, &["baseline:then"]).0, 3, "not less than the deployment");
}

#[test]
fn a_deployment_of_high_risk_always_needs_two_votes() {
    let s = Scenario::registered();
    let mut one = policy(json!([]));
    one["review"]["quorum"] = json!(1);
    assert!(faults(&refused(&s, &one))["#/review/quorum"].contains("high risk"));
    let high = json!({"risk_classes": ["high", "prohibited"], "quorum": 2});
    one["review"]["overrides"] = json!([high]);
    propose(&s, &one);
    one["review"]["quorum"] = json!(2);
    one["review"]["overrides"] = json!([high, {"kinds": ["deployment"], "environments": ["production"], "quorum": 1}]);
    propose(&s, &one);
    one["review"]["overrides"] = json!([{"kinds": ["deployment"], "environments": ["production"], "quorum": 1}]);
    assert!(faults(&refused(&s, &one)).contains_key("#/review/overrides/0/quorum"));
}

#[test]
fn a_policy_is_approved_under_the_one_before_and_its_author_has_no_vote() {
    let s = Scenario::registered();
    let mut strict = policy(json!([]));
    strict["review"]["quorum"] = json!(3);
    decide(&s, &strict);
    // Bea asks for a looser one: three others must agree to it.
    let loose = s.bea.post("/api/v1/policies", &policy(json!([]))).good()["ref"].as_str().unwrap().to_owned();
    let (needed, review) = quorum(&s, &[&loose]);
    assert_eq!(needed, 3);
    let path = format!("/api/v1/reviews/{}/votes", review["id"].as_str().unwrap());
    s.bea.post(&path, &json!({"choice": "approve", "digest": review["digest"]})).problem(403);
    vote(&s.carl, &review);
    vote(&s.server.person("Dan", &["reviewer"]), &review);
    assert_eq!(quorum(&s, &["purpose:scoring"]).0, 3, "not yet in force");
    vote(&s.server.person("Eve", &["reviewer"]), &review);
    assert_eq!(quorum(&s, &["purpose:scoring"]).0, 2);
    s.ana.post("/api/v1/policies", &strict).problem(403);
}

#[test]
fn when_its_approval_ends_a_policy_loosens_nothing_and_goes_on_asking() {
    let s = lacking();
    let loose = propose(&s, &level("warn"));
    let end = days(20);
    s.approve_until(&[&loose], Some(&end));
    let at = |n: i64| ask(&s, json!({"intent": "start", "dry_run": true, "valid_at": days(n)}));
    allowed(&at(19));
    let after = at(21);
    denied(&after);
    assert_eq!(after["policy"], "policy:organisation@1, policy:default@1");
    // What was stricter than the default stays so, whoever takes the approval back.
    let mut strict = level("warn");
    strict["review"]["quorum"] = json!(3);
    let strict = decide(&s, &strict);
    allowed(&s.dry("start"));
    s.revoke(&strict, 0);
    denied(&s.dry("start"));
    assert_eq!(quorum(&s, &["purpose:scoring"]).0, 3);
}

#[test]
fn loosening_with_an_end_falls_back_to_what_still_holds() {
    let s = lacking();
    let mut strict = level("block");
    strict["review"]["quorum"] = json!(3);
    let strict = propose(&s, &strict);
    s.approve_until(&[&strict], Some(&days(300)));
    let (_, review) = quorum(&s, &[&propose(&s, &level("warn"))]);
    for member in [&s.bea, &s.carl, &s.server.person("Dan", &["reviewer"])] {
        vote(member, &review);
    }
    allowed(&s.dry("start"));
    s.revoke("policy:organisation@2", 0);
    let after = s.dry("start");
    denied(&after);
    assert_eq!(after["policy"], "policy:organisation@2, policy:organisation@1, policy:default@1");
}

#[test]
fn a_policy_reaches_back_to_no_earlier_moment_and_voids_nothing() {
    let s = lacking();
    decide(&s, &level("warn"));
    allowed(&s.activate("release:score-prod@1").good());
    assert_eq!(s.audit.get("/api/v1/gaps").good()["items"], json!([]));
    denied(&ask(&s, json!({"intent": "start", "dry_run": true, "valid_at": days(-1)})));
    // Tightening is seen at once: the same release, the same approvals, a gap.
    decide(&s, &level("block"));
    let open = s.audit.get("/api/v1/gaps").good();
    assert_eq!(open["items"].as_array().unwrap().len(), 1, "{open:#}");
    assert_eq!(open["items"][0]["affected"][0]["findings"][0]["rule"], "basis.holds");
    assert_eq!((state(&s, "basis:scoring-contract@1"), facts(&s, "approval.revoked")), ("approved".to_owned(), 0));
}

#[test]
fn grace_is_what_the_policy_says_and_for_the_hard_core_no_longer_than_without() {
    let s = Scenario::running();
    let at = |n: i64| ask(&s, json!({"intent": "continue", "dry_run": true, "valid_at": days(n)}));
    let mut short = policy(json!([]));
    short["grace"] = json!({"expired_days": 5, "unknown_days": 0});
    let reference = propose(&s, &short);
    s.approve_until(&[&reference], Some(&days(500)));
    allowed(&at(369));
    denied(&at(371));
    let mut long = policy(
        json!([{"rule": "release.approved", "level": "block", "grace": {"expired_days": 3, "unknown_days": 0}}]),
    );
    long["grace"] = json!({"expired_days": 90, "unknown_days": 90});
    let reference = propose(&s, &long);
    s.approve_until(&[&reference], Some(&days(500)));
    allowed(&at(367));
    let after = at(369);
    assert_eq!(of_rule(&after, "release.approved").len(), 1, "its own grace is over: {after:#}");
    assert_eq!(of_rule(&after, "purpose.approved").len(), 0, "{after:#}");
    assert_eq!(of_rule(&at(396), "purpose.approved").len(), 1, "thirty days, not ninety");
}

#[test]
fn the_command_line_creates_lists_and_shows() {
    let s = Scenario::registered();
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    std::fs::write(file.path(), level("warn").to_string()).unwrap();
    let path = file.path().to_str().unwrap();
    let admin = s.server.admin();
    let (code, out, err) = licit(&admin, &["policy", "create", "-f", path]);
    assert!(code == 0 && out.contains("policy:organisation@1"), "{out}{err}");
    let (code, out, err) = licit(&admin, &["policy", "show", "organisation"]);
    assert!(code == 0 && out.contains("basis.holds"), "{out}{err}");
    let (code, out, err) = licit(&admin, &["policy", "list"]);
    assert!(code == 0 && out.contains("policy:organisation@1"), "{out}{err}");
}
