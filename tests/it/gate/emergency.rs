//! A denied release let through on a Friday evening, an environment that enforces less for a while, review environments by pattern.

use harness::Scenario;
use harness::client::{Answer, Client};
use serde_json::{Value, json};

use super::parts::{Parts, days, state, world};

fn id(client: &Client) -> Value {
    client.get("/api/v1/whoami").good()["actor"].clone()
}

/// The policy names one person for emergencies.
fn on_call(s: &Scenario, hours: u16) -> Client {
    let eve = s.server.person("Eve", &["viewer", "releaser"]);
    let policy = json!({
        "name": "With a roster", "review": {"quorum": 2, "approval_days": 365},
        "break_glass": {"roster": [id(&eve)], "hours": hours},
    });
    s.server.admin().post("/api/v1/policies", &policy).good();
    s.approve(&["policy:organisation@1"]);
    eve
}

/// The basis does not cover what is served: denied.
pub(crate) fn denied(p: &mut Parts) {
    p.bases[0]["covers"]["stages"] = json!(["training"]);
}

/// It is let through all the same.
pub(crate) fn emergency(s: &Scenario) {
    break_glass(s, &on_call(s, 12), "inc-1").good();
}

fn denied_on_call() -> (Scenario, Client) {
    let s = world(denied);
    let eve = on_call(&s, 12);
    (s, eve)
}

#[track_caller]
fn break_glass(s: &Scenario, who: &Client, incident: &str) -> Answer {
    let id = s.ana.resolve("release:score-prod@1")["id"].as_str().unwrap().to_owned();
    who.post(&format!("/api/v1/releases/{id}/break-glass"), &json!({"incident": incident, "reason": "It cannot wait."}))
}

#[test]
fn one_person_lets_it_through_for_hours_and_the_board_ratifies_or_it_is_a_gap() {
    let (s, eve) = denied_on_call();
    assert_eq!(s.dry("start")["passes"], false);
    break_glass(&s, &s.bea, "inc-1").problem(403);
    let decision = break_glass(&s, &eve, "inc-1").good();
    assert_eq!(
        (&decision["verdict"], &decision["passes"], &decision["break_glass"]),
        (&json!("deny"), &json!(true), &json!("break-glass:inc-1@1")),
        "{decision:#}"
    );
    assert_eq!(state(&s, "release:score-prod@1"), "active");
    assert_eq!(s.dry("continue")["passes"], true, "tonight's batch runs");
    let used = s.ana.resolve("break-glass:inc-1@1");
    let licit = |args: &[&str]| {
        let (code, out, said) = crate::support::licit(&s.audit, args);
        assert_eq!(code, 0, "{said}");
        out
    };
    let deadline = |name: &str| used["spec"][name].as_str().unwrap()[..10].to_owned();
    for shown in [licit(&["break-glass", "list"]), licit(&["break-glass", "show", "inc-1"])] {
        for part in ["break-glass:inc-1@1", "release:score-prod@1", &deadline("valid_to"), &deadline("ratify_by")] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }
    assert!(licit(&["break-glass", "show", "inc-1"]).contains("waits for the board"));
    assert_eq!(used["spec"]["findings"][0]["rule"], "source.covered", "{used:#}");
    assert!(!used.to_string().contains("cannot wait"), "the reason is not in the ledger");
    assert_eq!(s.dry_at("continue", Some(&days(1)))["passes"], false, "twelve hours are over");
    break_glass(&s, &eve, "inc-2").problem(409);
    // Three working days without a word: a gap of its own, which nobody clears by waiting.
    let late = s.dry_at("start", Some(&days(8)));
    let finding = late["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "break.glass");
    let finding = finding.unwrap_or_else(|| panic!("{late:#}"));
    assert_eq!((&finding["status"], &finding["node"]), (&json!("unmet"), &json!("break-glass:inc-1@1")));
    assert_eq!(
        finding["remedy"]["command"],
        "licit review create --title \"Ratify what was let through\" break-glass:inc-1@1"
    );
    s.approve(&["break-glass:inc-1@1"]);
    let ratified = s.dry_at("start", Some(&days(8)));
    assert!(!ratified.to_string().contains("break.glass"), "the remedy is true: {ratified:#}");
}

#[test]
fn it_is_an_alert_at_once_until_the_board_ratifies() {
    let (s, eve) = denied_on_call();
    let gaps = |at: Option<&str>| -> Vec<Value> {
        let query = at.map(|at| format!("?valid_at={}", harness::client::encode(at))).unwrap_or_default();
        let all = s.audit.get(&format!("/api/v1/gaps{query}")).good()["items"].as_array().unwrap().clone();
        all.into_iter().filter(|gap| gap["cause"] == "break-glass:inc-1@1").collect()
    };
    break_glass(&s, &eve, "inc-1").good();
    let [gap] = &gaps(None)[..] else { panic!("loud") };
    let used = s.ana.resolve("break-glass:inc-1@1");
    assert_eq!((&gap["owner"], &gap["due"]), (&json!("governance board"), &used["spec"]["ratify_by"]), "{gap:#}");
    assert_eq!(gap["affected"][0]["findings"][0]["blocking"], false, "the rule has its days");
    assert_eq!(gaps(Some(&days(8)))[0]["affected"][0]["findings"][0]["blocking"], true);
    // Taking the release out does not make it as if nothing had been let through.
    let id = s.ci.resolve("release:score-prod@1")["id"].as_str().unwrap().to_owned();
    s.ci.post(&format!("/api/v1/releases/{id}/withdraw"), &json!({"reason": "It ended."})).good();
    assert_eq!((gaps(None).len(), gaps(Some(&days(8))).len()), (1, 1));
    s.approve(&["break-glass:inc-1@1"]);
    assert_eq!(gaps(None).len(), 0);
    assert_eq!(super::parts::facts(&s, "gap.closed"), 2, "the cause of the denial runs no more, and this is ratified");
}

#[test]
fn who_broke_the_glass_does_not_ratify_it_and_a_refusal_ends_it() {
    let (s, eve) = denied_on_call();
    break_glass(&s, &eve, "inc-1").good();
    let review = json!({"title": "Ratify", "subjects": [{"ref": "break-glass:inc-1@1"}]});
    let opened = s.ana.post("/api/v1/reviews", &review).good();
    let view = s.ana.get(&format!("/api/v1/reviews/{}", opened["id"].as_str().unwrap())).good();
    assert!(view["review"]["spec"]["excluded"].as_array().unwrap().contains(&id(&eve)), "{view:#}");
    let vote = json!({"choice": "reject", "digest": opened["digest"]});
    for member in [&s.bea, &s.carl] {
        member.post(&format!("/api/v1/reviews/{}/votes", opened["id"].as_str().unwrap()), &vote).good();
    }
    let decision = s.dry("continue");
    assert_eq!((&decision["passes"], decision.get("break_glass")), (&json!(false), None), "{decision:#}");
    let finding = decision["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "break.glass");
    assert_eq!(finding.unwrap()["remedy"]["command"], "licit release withdraw release:score-prod@1");
}

#[test]
fn wrong_bytes_are_never_let_through_and_what_is_allowed_needs_no_emergency() {
    let (s, eve) = denied_on_call();
    let id = s.ana.resolve("release:score-prod@1")["id"].as_str().unwrap().to_owned();
    let wrong = json!({
        "incident": "inc-1", "reason": "It cannot wait.",
        "artifacts": [{"path": "model.bin", "digest": format!("sha256:{}", "0".repeat(64))}],
    });
    let refused = eve.post(&format!("/api/v1/releases/{id}/break-glass"), &wrong).problem(409);
    assert!(refused.to_string().contains("artifact.digest"), "{refused:#}");
    assert_eq!(s.audit.get("/api/v1/break-glass").good()["items"], json!([]));

    let fine = Scenario::approved();
    let eve = on_call(&fine, 24);
    break_glass(&fine, &eve, "inc-1").problem(409);
}

#[test]
fn an_environment_enforces_less_only_while_the_board_says_so() {
    let s = world(|p| p.bases[0]["covers"]["stages"] = json!(["training"]));
    let body = |mode: &str, end: &str| json!({"environment": "environment:production", "mode": mode, "valid_to": end, "reason": "Migration."});
    s.ana.post("/api/v1/loosenings", &body("enforce", &days(10))).problem(422);
    s.ana.post("/api/v1/loosenings", &body("warn", &days(400))).problem(422);
    s.add("loosenings", body("warn", &days(10)));
    assert_eq!(s.dry("start")["passes"], false, "nobody voted");
    s.approve(&["loosening:production"]);
    let decision = s.dry("start");
    assert_eq!(
        (&decision["verdict"], &decision["passes"], &decision["mode"]),
        (&json!("deny"), &json!(true), &json!("warn"))
    );
    assert_eq!(s.dry_at("start", Some(&days(11)))["passes"], false, "it ends by itself");
    s.revoke("loosening:production", 0);
    assert_eq!(s.dry("start")["mode"], "enforce");
}

#[test]
fn a_review_environment_needs_no_registration_and_ends() {
    let s = world(|p| p.bases[0]["covers"]["stages"] = json!(["training"]));
    let environment =
        json!({"key": "review", "mode": "warn", "class": "test", "patterns": ["pr-*"], "time_to_live_hours": 48});
    s.add("environments", environment.clone());
    let mut deployment: Value = s.ana.resolve("deployment:score-prod")["spec"].clone();
    deployment["name"] = json!("score-pr-7");
    deployment["environment"] = json!("environment:pr-7");
    s.add("deployments", deployment.clone());
    s.add(
        "releases",
        json!({"deployment": "deployment:score-pr-7", "composition": [{"part": "base", "model": "model:score@1"}]}),
    );
    let ask = |at: &str| {
        let body = json!({"deployment": "deployment:score-pr-7", "dry_run": true, "valid_at": at});
        s.ana.post("/api/v1/gate", &body).good()
    };
    let decision = ask(&days(1));
    assert_eq!((&decision["mode"], &decision["passes"]), (&json!("warn"), &json!(true)), "{decision:#}");
    let over = ask(&days(3));
    assert_eq!((&over["passes"], over["ended"].is_string()), (&json!(false), true), "{over:#}");
    deployment["name"] = json!("score-x");
    deployment["environment"] = json!("environment:staging-7");
    s.ana.post("/api/v1/deployments", &deployment).problem(422);
    let mut wrong = environment;
    wrong["key"] = json!("broken");
    wrong["patterns"] = json!(["pr-[a"]);
    s.ana.post("/api/v1/environments", &wrong).problem(422);
}

#[test]
fn a_plan_ends_as_the_doors_would() {
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    std::fs::write(file.path(), "plan: [score-prod]\n").unwrap();
    let args = ["plan", "-f", file.path().to_str().unwrap()];
    for (mode, ends) in [("enforce", 3), ("warn", 0), ("observe", 0)] {
        let s = world(|p| {
            denied(p);
            p.environment["mode"] = json!(mode);
        });
        let (code, out, err) = crate::support::licit(&s.ana, &args);
        assert_eq!(code, ends, "{mode}: {out}{err}");
        assert!(out.contains("REFUSED"), "the verdict stays what it is: {out}");
    }
}
