//! What ends when.

use harness::{Scenario, scenario};
use serde_json::{Value, json};

use super::{fits, items};
use crate::gate::emergency;
use crate::gate::parts::{days, world};
use crate::support::licit;

fn calendar(s: &Scenario, until: &str) -> Vec<Value> {
    asked(s, &format!("until={until}"))
}

/// Without the laws that begin to apply, which are the same for everybody, and without everybody's tokens.
fn asked(s: &Scenario, query: &str) -> Vec<Value> {
    let mut found = items(&s.audit.get(&format!("/api/v1/calendar?{query}")).good());
    found.retain(|item| item["what"] != "law" && item["what"] != "token");
    found
}

fn of<'a>(found: &'a [Value], what: &str) -> &'a Value {
    found.iter().find(|item| item["what"] == what).unwrap_or_else(|| panic!("{what}: {found:#?}"))
}

#[test]
fn warnings_are_due_at_sixty_thirty_and_seven_days() {
    let s = world(|p| {
        p.deferred.push("system:scorer");
        p.versions[0]["retention"]["until"] = json!(days(29));
        p.bases[0]["valid_to"] = json!(days(59));
        p.purposes[0]["valid_to"] = json!(days(61));
    });
    s.approve_until(&["system:scorer"], Some(&days(6)));
    s.activate("release:score-prod@1").good();
    let found = calendar(&s, &days(90));
    let warned: Vec<(&str, &Value)> = found.iter().map(|i| (i["ref"].as_str().unwrap(), &i["warn"])).collect();
    assert_eq!(
        warned,
        [
            ("system:scorer@1", &json!(7)),
            ("dataset:crm/people@1", &json!(30)),
            ("basis:scoring-contract@1", &json!(60)),
            ("purpose:scoring@1", &Value::Null),
        ]
    );
    // The same day, looked at from nearer.
    let nearer = asked(&s, &format!("valid_at={}&until={}", days(55), days(90)));
    assert_eq!(nearer[0]["warn"], 7, "{nearer:#?}");
    let (code, out, _) = licit(&s.audit, &["calendar"]);
    assert!(code == 0 && out.contains("7 d") && out.contains("60 d"), "{out}");
}

#[test]
fn data_kept_too_long_and_time_to_live_end_too() {
    let s = world(|p| {
        p.versions[0]["retention"]["until"] = json!(days(20));
        p.environment["time_to_live_hours"] = json!(48);
    });
    s.activate("release:score-prod@1").good();
    let found = calendar(&s, &days(90));
    for (what, reference) in [("retention", "dataset:crm/people@1"), ("time_to_live", "release:score-prod@1")] {
        let item = of(&found, what);
        assert_eq!(
            (&item["ref"], &item["deployments"]),
            (&json!(reference), &json!(["deployment:score-prod"])),
            "{item:#}"
        );
    }
    let id = super::id(&s.ana, "dataset:crm/people@1");
    s.ana.post(&format!("/api/v1/dataset-versions/{id}/life"), &json!({"life": "erased"})).good();
    assert!(!calendar(&s, &days(90)).iter().any(|i| i["what"] == "retention"), "what is gone is kept no longer");
}

#[test]
fn what_runs_although_it_is_refused_ends() {
    let s = world(emergency::denied);
    emergency::emergency(&s);
    let found = calendar(&s, &days(20));
    for what in ["break_glass", "ratification"] {
        let item = of(&found, what);
        assert_eq!(
            (&item["ref"], &item["deployments"]),
            (&json!("break-glass:inc-1@1"), &json!(["deployment:score-prod"]))
        );
    }
    assert_eq!(of(&found, "break_glass")["warn"], 7);
    s.approve(&["break-glass:inc-1@1"]);
    s.add("baselines", json!({"key": "old", "owner": "ml-team", "reason": "It ran before.", "valid_to": days(30)}));
    let looser =
        json!({"environment": "environment:production", "mode": "warn", "valid_to": days(9), "reason": "A move."});
    s.add("loosenings", looser);
    assert!(
        !calendar(&s, &days(40)).iter().any(|i| i["what"] == "baseline" || i["what"] == "loosening"),
        "only proposed"
    );
    s.approve(&["baseline:old", "loosening:production"]);
    let eve = s.server.person("Eve", &["viewer"]).get("/api/v1/whoami").good()["actor"].clone();
    s.bea.post("/api/v1/delegations", &json!({"to": eve, "valid_to": days(12)})).good();
    let found = calendar(&s, &days(40));
    assert!(!found.iter().any(|i| i["what"] == "ratification"), "{found:#?}");
    for what in ["baseline", "loosening"] {
        assert_eq!(of(&found, what)["deployments"], json!(["deployment:score-prod"]), "{found:#?}");
    }
    assert_eq!(of(&found, "delegation")["deployments"], json!([]));
}

#[test]
fn a_law_that_begins_to_apply_names_what_it_finds_wanting() {
    let s = world(|p| {
        p.environment["mode"] = json!("observe");
        p.system["risk_class"] = json!("high");
        p.system["role"] = json!("provider");
        p.system["high_risk_area"] = json!("annex-iii-5b");
    });
    s.activate("release:score-prod@1");
    let query = "valid_at=2027-12-01&until=2027-12-03";
    let found = items(&s.audit.get(&format!("/api/v1/calendar?{query}")).good());
    let law = found.iter().find(|i| i["what"] == "law").unwrap_or_else(|| panic!("{found:#?}"));
    assert_eq!((&law["on"], &law["warn"]), (&json!("2027-12-02T00:00:00.000000Z"), &json!(7)));
    assert_eq!(law["deployments"], json!(["deployment:score-prod"]), "the technical documentation is missing: {law:#}");
    let s = Scenario::running();
    let found = items(&s.audit.get(&format!("/api/v1/calendar?{query}")).good());
    let laws: Vec<_> = found.iter().filter(|i| i["what"] == "law").collect();
    assert!(!laws.is_empty() && laws.iter().all(|i| i["deployments"] == json!([])), "{found:#?}");
}

#[test]
fn everything_that_ends_stands_in_order_with_what_relies_on_it() {
    let s = world(|p| {
        p.parties.push(scenario::party("cloud"));
        p.parties[1]["arrangements"] = json!([{
            "kind": "processing_contract", "with": "party:acme", "evidence": scenario::evidence(),
            "valid_from": "2020-01-01", "valid_to": days(20),
        }]);
        p.bases[0]["valid_to"] = json!(days(30));
        p.purposes[0]["valid_to"] = json!(days(50));
        p.system["documents"] = json!([{
            "kind": "dpia", "evidence": scenario::evidence(), "dated": "2025-01-01", "valid_to": days(10),
        }]);
        p.assessments.push(json!({
            "key": "origin", "kind": "regularisation", "of": "model:score@1", "holder": "party:acme", "statement": "seen",
            "evidence": [scenario::evidence()], "valid_from": "2020-01-01", "valid_to": days(40),
        }));
        p.deferred.push("system:scorer");
    });
    s.approve_until(&["system:scorer"], Some(&days(5)));
    s.activate("release:score-prod@1").good();
    let found = calendar(&s, &days(90));
    let told: Vec<(&str, &str)> =
        found.iter().map(|i| (i["what"].as_str().unwrap(), i["ref"].as_str().unwrap())).collect();
    assert_eq!(
        told,
        [
            ("approval", "system:scorer@1"),
            ("document", "system:scorer@1"),
            ("contract", "party:cloud"),
            ("validity", "basis:scoring-contract@1"),
            ("validity", "assessment:origin@1"),
            ("validity", "purpose:scoring@1"),
        ]
    );
    for item in &found {
        assert_eq!(item["deployments"], json!(["deployment:score-prod"]), "{item:#}");
    }
    assert_eq!(calendar(&s, &days(15)).len(), 2);
    // Within a year their approvals end, too: of purpose, basis, assessment and deployment.
    assert_eq!(calendar(&s, &days(400)).len(), 10);
    s.audit.get("/api/v1/calendar?until=2020-01-01").problem(422);
    s.revoke("system:scorer", 0);
    assert!(!calendar(&s, &days(90)).iter().any(|i| i["what"] == "approval"), "what was taken back ends no more");
    let (code, out, err) = licit(&s.audit, &["calendar", "--days", "45"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("basis:scoring-contract@1") && !out.contains("purpose:scoring@1"), "{out}");
    fits(&out);
}

#[test]
fn documents_are_those_of_the_revision_that_is_judged() {
    let s = world(|p| p.system["documents"][0]["valid_to"] = json!(days(10)));
    s.activate("release:score-prod@1").good();
    // The next revision of the system has a document that holds longer: what runs names the first one still.
    let mut renewed = scenario::system();
    renewed["documents"][0]["valid_to"] = json!(days(50));
    s.add("systems", renewed);
    let documents = |s: &Scenario| -> Vec<(String, Value)> {
        let found = calendar(s, &days(90)).into_iter().filter(|i| i["what"] == "document");
        found.map(|i| (i["ref"].as_str().unwrap().to_owned(), i["deployments"].clone())).collect()
    };
    assert_eq!(documents(&s), [("system:scorer@1".to_owned(), json!(["deployment:score-prod"]))]);
    // A revision of the deployment that begins later names the second one from then on.
    crate::gate::parts::redeploy(&s, |d| {
        d["system"] = json!("system:scorer@2");
        d["valid_from"] = json!(days(5));
    });
    assert_eq!(documents(&s), [("system:scorer@1".to_owned(), json!(["deployment:score-prod"]))]);
    let later = asked(&s, &format!("valid_at={}&until={}", days(6), days(90)));
    assert_eq!(of(&later, "document")["ref"], "system:scorer@2", "{later:#?}");
}

#[test]
fn tokens_end_until_they_are_taken_back() {
    let s = Scenario::running();
    let admin = s.server.admin();
    let actor = s.ci.get("/api/v1/whoami").good()["actor"].clone();
    let body = json!({"actor": actor, "roles": ["viewer"], "label": "nightly", "expires_at": days(12)});
    let id = admin.post("/api/v1/tokens", &body).good()["id"].as_str().unwrap().to_owned();
    let ending = || -> Vec<Value> {
        let found = items(&s.audit.get(&format!("/api/v1/calendar?until={}", days(20))).good());
        found.into_iter().filter(|item| item["what"] == "token").collect()
    };
    let found = ending();
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((&found[0]["ref"], &found[0]["warn"]), (&json!(format!("token:{id}")), &json!(30)));
    assert!(found[0]["says"].as_str().unwrap().contains(actor.as_str().unwrap()), "{found:#?}");
    assert!(!found[0].to_string().contains("nightly"), "what it is for stands in the list of tokens");
    assert_eq!(admin.send("DELETE", &format!("/api/v1/tokens/{id}"), &[], None).status, 204);
    assert!(ending().is_empty());
}
