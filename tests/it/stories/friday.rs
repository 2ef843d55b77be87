//! A Friday evening, and the Monday after: the tool is there, and is in nobody's way.

use harness::Scenario;
use harness::client::Client;
use harness::scenario::{self, people};
use serde_json::{Value, json};

use crate::gate::parts::{allowed, days, denied, facts, roll_back, rules, state};

fn gaps(s: &Scenario) -> Vec<Value> {
    s.audit.get("/api/v1/gaps").good()["items"].as_array().unwrap().clone()
}

/// A policy with who may break the glass, and a name.
fn policy(s: &Scenario, eve: &Client, name: &str) {
    let person = eve.get("/api/v1/whoami").good()["actor"].clone();
    let policy = json!({
        "name": name, "review": {"quorum": 2, "approval_days": 365, "synthetic_without_vote": true},
        "break_glass": {"roster": [person], "hours": 24},
    });
    let proposed = s.server.admin().post("/api/v1/policies", &policy).good();
    s.approve(&[proposed["ref"].as_str().unwrap()]);
}

/// What a branch brings up for a day: its own model of made-up people.
fn branch(s: &Scenario) -> Value {
    s.add(
        "environments",
        json!({
            "key": "review", "mode": "enforce", "class": "synthetic", "patterns": ["pr-*"], "time_to_live_hours": 24,
        }),
    );
    s.add("datasets", json!({"namespace": "crm", "name": "made-up"}));
    let mut made_up = people("1");
    made_up["dataset"] = json!("dataset:crm/made-up");
    made_up["origin"] = json!("synthetic");
    s.add("dataset-versions", made_up);
    s.add("models", json!({"name": "toy"}));
    let mut toy = scenario::model_version("1", "7");
    toy["model"] = json!("model:toy");
    s.add("model-versions", toy);
    let mut run = scenario::training("1", "1");
    run["inputs"][0]["ref"] = json!("dataset:crm/made-up@1");
    run["outputs"] = json!(["model:toy@1"]);
    s.add("runs", run);
    let mut deployment = scenario::deployment();
    deployment["name"] = json!("score-pr-4812");
    deployment["environment"] = json!("environment:pr-4812");
    deployment["reads"] = json!({"datasets": ["dataset:crm/made-up"]});
    s.add("deployments", deployment);
    let composition = json!([{"part": "base", "model": "model:toy@1"}]);
    s.add("releases", json!({"deployment": "deployment:score-pr-4812", "composition": composition}));
    s.activate("release:score-pr-4812@1").good()
}

#[test]
fn a_friday_evening() {
    let s = Scenario::running();
    let eve = s.server.person("Eve", &["viewer", "releaser"]);
    policy(&s, &eve, "What we decided");
    let reviews = facts(&s, "review.opened");

    // 16:05 A table of postcodes appears upstream, about nobody: inside the envelope, no vote, no alert.
    s.add("datasets", json!({"namespace": "geo", "name": "postcodes"}));
    s.add(
        "dataset-versions",
        json!({
            "dataset": "dataset:geo/postcodes", "version": "1", "origin": "reference",
            "fields": [{"name": "postcode", "identifiability": "none"}],
        }),
    );
    s.add("model-versions", scenario::model_version("2", "2"));
    let mut run = scenario::training("2", "1");
    run["inputs"].as_array_mut().unwrap().push(json!({"ref": "dataset:geo/postcodes@1", "role": "reference"}));
    s.add("runs", run);
    s.release("2");
    allowed(&s.activate("release:score-prod@2").good());
    assert_eq!(gaps(&s), Vec::<Value>::new());

    // 17:40 What a merge touched reaches one deployment of those there are.
    let reached = s.ana.post("/api/v1/affected", &json!({"refs": ["dataset:geo/postcodes"]})).good();
    assert_eq!(reached["items"].as_array().unwrap().len(), 1, "{reached:#}");
    assert_eq!(reached["items"][0]["deployment"], "deployment:score-prod");

    // 17:45 A review environment comes up by its pattern, with made-up data, for a day.
    allowed(&branch(&s));
    assert_eq!(facts(&s, "review.opened"), reviews, "nobody was asked for a vote");

    // 17:50 Would a training on the new export pass? No, and who can clear it; nothing is written.
    let head = s.audit.get("/api/v1/ledger/head").good();
    let mut export = people("9");
    export["fields"][0].as_object_mut().unwrap().remove("identifiability");
    let mut run = scenario::training("9", "9");
    run["inputs"][0]["ref"] = json!("dataset:crm/people@9");
    let plan = json!({
        "registration": {
            "dataset_versions": [export], "model_versions": [scenario::model_version("9", "9")], "runs": [run],
        },
        "deployments": [{"deployment": "deployment:score-prod", "models": ["model:score@9"]}],
    });
    let plan = s.ana.post("/api/v1/plans", &plan).good();
    let decision = &plan["decisions"][0];
    denied(decision);
    let finding = scenario::finding(decision, "lineage.complete").unwrap();
    assert_eq!((&finding["status"], &finding["addressee"]), (&json!("unknown"), &json!("crm-team")), "{finding:#}");
    assert_eq!(s.audit.get("/api/v1/ledger/head").good(), head);

    // 19:10 A revision of the policy is approved: all is judged anew, nothing is void, nobody is alerted.
    policy(&s, &eve, "What we decided, with a typing error less");
    let after = s.dry("start");
    allowed(&after);
    assert_eq!(after["policy"], "policy:organisation@2");
    assert_eq!(gaps(&s), Vec::<Value>::new());

    // 20:00 An approval expires; 22:00 a node dies: what runs goes on, warned; what is new does not start.
    let night = days(370);
    denied(&s.dry_at("start", Some(&night)));
    let going_on = s.dry_at("continue", Some(&night));
    assert_eq!(going_on["passes"], true, "{going_on:#}");
    assert!(!going_on["actions_due"].as_array().unwrap().is_empty());

    // 21:10 Version 2 returns nonsense: back to version 1 in one call, recorded, without a vote.
    let decided = facts(&s, "decision.made");
    allowed(&roll_back(&s).good());
    assert_eq!((state(&s, "release:score-prod@1").as_str(), facts(&s, "decision.made")), ("active", decided + 1));
    assert_eq!(facts(&s, "review.opened"), reviews + 1, "the policy's, and no other");

    // 21:30 The basis falls, what runs must stop, and there is nothing to go back to: one person of the roster breaks the glass.
    s.revoke("basis:scoring-contract", 0);
    denied(&s.dry("continue"));
    let id = s.ana.resolve("release:score-prod@2")["id"].as_str().unwrap().to_owned();
    let incident = json!({"incident": "inc-7", "reason": "People cannot pay their rent otherwise."});
    s.ci.post(&format!("/api/v1/releases/{id}/break-glass"), &incident).problem(403);
    let let_through = eve.post(&format!("/api/v1/releases/{id}/break-glass"), &incident).good();
    assert_eq!((&let_through["verdict"], &let_through["passes"]), (&json!("deny"), &json!(true)));
    let loud = gaps(&s);
    assert!(loud.iter().any(|gap| gap["cause"] == "break-glass:inc-7@1"), "{loud:#?}");
    assert!(loud.iter().any(|gap| gap["cause"] == "basis:scoring-contract@1"), "{loud:#?}");
    // By Wednesday the board ratifies it, or that is a gap that refuses.
    let late = s.dry_at("start", Some(&days(8)));
    assert!(rules(&late).contains(&"break.glass".to_owned()), "{late:#}");
    s.approve(&["break-glass:inc-7@1", "basis:scoring-contract"]);
    assert_eq!(gaps(&s), Vec::<Value>::new(), "ratified, and the basis approved again");

    // Monday: what waits for the board without change is one list and one command.
    let renewals = s.audit.get(&format!("/api/v1/reports/renewals?until={}", days(400))).good();
    assert_eq!(renewals["changed"], json!([]), "{renewals:#}");
    assert_eq!(renewals["commands"].as_array().unwrap().len(), 1);
}
