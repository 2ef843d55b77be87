//! Everything downstream, with its state and how it is in there.

use std::collections::BTreeMap;

use harness::{Scenario, scenario};
use serde_json::{Value, json};

use super::{fits, items, size};
use crate::gate::parts::{days, retrain, world};
use crate::support::licit;

fn impact(s: &Scenario, reference: &str) -> BTreeMap<String, Value> {
    let answer = s.audit.get(&format!("/api/v1/impact?ref={reference}")).good();
    items(&answer).into_iter().map(|item| (item["ref"].as_str().unwrap().to_owned(), item)).collect()
}

#[test]
fn of_data_it_says_whether_they_are_contained() {
    let s = Scenario::running();
    let before = size(&s);
    retrain(&s, "2", scenario::people("2"));
    s.activate("release:score-prod@2").good();
    let found = impact(&s, "dataset:crm/people@1");
    let of = |reference: &str| {
        let item = &found[reference];
        (item["kind"].as_str().unwrap(), item["state"].as_str().unwrap(), item["how"].to_string())
    };
    assert_eq!(of("model:score@1"), ("model_version", "built", "[\"contained\"]".to_owned()));
    // The old release is still there for a rollback; what runs now reads the newer table only.
    assert_eq!(of("release:score-prod@1"), ("release", "standby", "[\"contained\"]".to_owned()));
    assert_eq!(of("deployment:score-prod").1, "running");
    assert_eq!(found["release:score-prod@1"]["owner"], "ml-team");
    assert_eq!(found["release:score-prod@1"]["deployment"], "deployment:score-prod");
    let path = found["release:score-prod@1"]["path"].as_array().unwrap();
    assert_eq!((&path[0], path.last().unwrap()), (&json!("dataset:crm/people@1"), &json!("release:score-prod@1")));
    assert!(!found.contains_key("release:score-prod@2") && !found.contains_key("dataset:crm/people@1"));
    // Without a version: all of them.
    let all = impact(&s, "dataset:crm/people");
    assert_eq!(all["release:score-prod@2"]["state"], "active");
    assert_eq!(all["deployment:score-prod"]["how"], json!(["contained", "served"]));
    let then = impact(&s, &format!("dataset:crm/people&known_at={before}"));
    assert_eq!(then["release:score-prod@1"]["state"], "active");
    assert!(!then.contains_key("model:score@2"));
}

#[test]
fn who_only_measured_a_model_is_not_contained_in_it() {
    let s = world(|p| {
        p.datasets.push("panel");
        let mut panel = scenario::people("1");
        panel["dataset"] = json!("dataset:crm/panel");
        p.versions.push(panel);
        p.runs[0]["inputs"].as_array_mut().unwrap().push(json!({"ref": "dataset:crm/panel@1", "role": "test"}));
    });
    let found = impact(&s, "dataset:crm/panel@1");
    for name in ["model:score@1", "release:score-prod@1"] {
        assert_eq!(found[name]["how"], json!(["validation"]), "{found:#?}");
    }
}

#[test]
fn an_anonymous_model_is_shaped_only() {
    let s = world(|p| {
        p.assessments.push(json!({
            "key": "anonymous", "kind": "anonymity", "of": "model:score@1", "holder": "party:acme",
            "statement": "nobody can be got out", "attack_model": "membership inference", "evidence": [scenario::evidence()],
            "valid_from": "2020-01-01", "valid_to": days(300),
        }));
        p.deployment["reads"] = json!({"nobody": "It reads nobody."});
    });
    let found = impact(&s, "dataset:crm/people@1");
    assert_eq!(found["release:score-prod@1"]["how"], json!(["shaped"]), "{found:#?}");
}

#[test]
fn of_the_law_it_says_what_relies_on_it() {
    let s = Scenario::running();
    for reference in
        ["purpose:scoring", "basis:scoring-contract", "system:scorer", "party:acme", "environment:production"]
    {
        let found = impact(&s, reference);
        let deployment = found.get("deployment:score-prod").unwrap_or_else(|| panic!("{reference}: {found:#?}"));
        assert_eq!((&deployment["state"], &deployment["how"]), (&json!("running"), &json!(["relies"])));
    }
    assert!(impact(&s, "purpose:scoring").contains_key("model:score@1"), "what was trained for it");
    s.add("parties", scenario::party("nobody"));
    assert!(impact(&s, "party:nobody").is_empty());
    for missing in ["party:absent", "dataset:crm/nothing", "model:score@9", "purpose:absent"] {
        s.audit.get(&format!("/api/v1/impact?ref={missing}")).problem(404);
    }
    for wrong in ["nonsense", "decision:01939f00-0000-7000-8000-000000000000"] {
        s.audit.get(&format!("/api/v1/impact?ref={wrong}")).problem(422);
    }
}

#[test]
fn what_covers_narrower_purposes_is_relied_on_for_them() {
    let s = world(|p| {
        p.purposes.insert(0, scenario::purpose("services"));
        p.purposes[1]["parent"] = json!("purpose:services");
        p.bases[0]["covers"]["purposes"] = json!(["purpose:services"]);
        p.deferred.push("purpose:services");
    });
    let relies = |reference: &str| {
        let found = impact(&s, reference);
        (found.contains_key("deployment:score-prod"), found.contains_key("model:score@1"))
    };
    // The deployment names the basis; its training does not, and the broader purpose is not approved for narrower ones.
    assert_eq!((relies("purpose:services"), relies("basis:scoring-contract")), ((false, false), (true, false)));
    let body = json!({"title": "All services", "subjects": [{"ref": "purpose:services", "include_narrower": true}]});
    let opened = s.ana.post("/api/v1/reviews", &body).good();
    for member in [&s.bea, &s.carl] {
        let vote = json!({"choice": "approve", "digest": opened["digest"]});
        member.post(&format!("/api/v1/reviews/{}/votes", opened["id"].as_str().unwrap()), &vote).good();
    }
    assert_eq!((relies("purpose:services"), relies("basis:scoring-contract")), ((true, true), (true, true)));
    assert_eq!(relies("purpose:services@1"), (true, true));
}

#[test]
fn whatever_the_organisation_states_has_an_impact() {
    let s = world(|p| p.versions[0]["notices"] = json!(["notice:customers"]));
    s.activate("release:score-prod@1").good();
    let looser =
        json!({"environment": "environment:production", "mode": "warn", "valid_to": days(9), "reason": "A move."});
    s.add("loosenings", looser);
    s.revoke("basis:scoring-contract", 30);
    s.add("baselines", json!({"key": "old", "owner": "ml-team", "reason": "It ran before.", "valid_to": days(30)}));
    let policy = crate::gate::policy::propose(&s, &crate::gate::policy::policy(json!([])));
    for reference in ["notice:customers", "notice:customers@1", "loosening:production", "baseline:old", &policy] {
        let found = impact(&s, reference);
        assert!(found.contains_key("deployment:score-prod"), "{reference}: {found:#?}");
        assert_eq!(found.contains_key("dataset:crm/people@1"), reference.starts_with("notice:"), "{reference}");
    }
    for missing in ["notice:absent", "loosening:absent", "baseline:absent", "policy:absent", "break-glass:absent"] {
        s.audit.get(&format!("/api/v1/impact?ref={missing}")).problem(404);
    }
}

#[test]
fn deployments_are_as_they_are_stated_for_the_moment() {
    let s = Scenario::running();
    let mut other = scenario::system();
    other["key"] = json!("ranker");
    s.add("systems", other);
    crate::gate::parts::redeploy(&s, |d| {
        d["system"] = json!("system:ranker");
        d["valid_from"] = json!(days(5));
    });
    let relies = |reference: &str, at: i64| {
        let found = impact(&s, &format!("{reference}&valid_at={}", days(at)));
        found.contains_key("deployment:score-prod")
    };
    assert_eq!((relies("system:scorer", 1), relies("system:ranker", 1)), (true, false));
    assert_eq!((relies("system:scorer", 6), relies("system:ranker", 6)), (false, true));
}

#[test]
fn the_command_line_shows_a_table() {
    let s = Scenario::running();
    let (code, out, err) = licit(&s.audit, &["impact", "dataset:crm/people"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("release:score-prod@1") && out.contains("active") && out.contains("contained"), "{out}");
    fits(&out);
}

#[test]
fn what_no_column_carries_is_not_downstream() {
    use crate::gate::parts::{from, made, run, training_on};
    let s = world(|p| {
        p.deployment["reads"] = json!({"nobody": "It reads nobody."});
        p.datasets.extend(["polls", "joined"]);
        let mut polls = scenario::people("1");
        polls["dataset"] = json!("dataset:crm/polls");
        polls["fields"].as_array_mut().unwrap().push(json!({"name": "key", "identifiability": "none"}));
        p.versions.push(polls);
        let age = json!({"name": "age", "categories": [scenario::AGE], "identifiability": "quasi"});
        let key = json!({"name": "key", "identifiability": "none"});
        p.versions.push(made("joined", "1", vec![age, key]));
        let inputs = ["dataset:crm/people@1", "dataset:crm/polls@1"];
        let mut join = run("combine", "purpose:scoring", &inputs, &["dataset:crm/joined@1"]);
        join["columns"] = json!([
            {"output": "dataset:crm/joined@1", "field": "age", "from": from(inputs[0], &["age"])},
            {"output": "dataset:crm/joined@1", "field": "key", "from": from(inputs[1], &["key"])},
        ]);
        p.runs.push(join);
        p.runs[0] = training_on("1", "dataset:crm/joined@1", &["age"]);
    });
    let people = impact(&s, "dataset:crm/people@1");
    assert_eq!(people["release:score-prod@1"]["how"], json!(["contained"]), "{people:#?}");
    assert_eq!(people["model:score@1"]["how"], json!(["contained"]));
    let polls = impact(&s, "dataset:crm/polls@1");
    // Its key is in the join, which is about nobody of the polls; the model read nothing of it at all.
    assert_eq!(polls["dataset:crm/joined@1"]["how"], json!(["relies"]), "{polls:#?}");
    assert!(!polls.contains_key("model:score@1") && !polls.contains_key("release:score-prod@1"), "{polls:#?}");
}
