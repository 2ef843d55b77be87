//! Reads as of a position or a time.

use harness::{Scenario, scenario};
use serde_json::{Value, json};

use super::{id, items, size};
use crate::gate::parts::redeploy;
use crate::support::licit;

fn dry(s: &Scenario, body: &Value) -> Value {
    let mut question = json!({"deployment": "deployment:score-prod", "dry_run": true});
    question.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    s.ci.post("/api/v1/gate", &question).good()
}

#[test]
fn a_dry_run_knows_what_was_known() {
    let s = Scenario::registered();
    let before = size(&s);
    let refused = dry(&s, &json!({}));
    s.approve(&["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"]);
    let approved = size(&s);
    s.revoke("purpose:scoring", 0);
    let then = dry(&s, &json!({"known_at": before.to_string(), "valid_at": refused["valid_at"]}));
    assert_eq!(then, refused, "the same knowledge about the same moment gives the same answer");
    let between = dry(&s, &json!({"known_at": approved.to_string()}));
    assert_eq!((&between["verdict"], &between["position"]), (&json!("allow"), &json!(approved)));
    let entry = s.audit.get(&format!("/api/v1/ledger/entries/{approved}")).good();
    let by_time = dry(&s, &json!({"known_at": entry["entry"]["at"]}));
    assert_eq!((&by_time["verdict"], &by_time["position"]), (&json!("allow"), &json!(approved)), "{by_time:#}");
    assert_eq!(dry(&s, &json!({"known_at": "now"}))["verdict"], "deny");
    assert_eq!(dry(&s, &json!({"known_at": "2000-01-01"}))["position"], 0);
}

#[test]
fn only_a_dry_run_may_know_less() {
    let s = Scenario::approved();
    let body = json!({"deployment": "deployment:score-prod", "known_at": "3"});
    let problem = s.ci.post("/api/v1/gate", &body).problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "#/known_at", "{problem}");
    for wrong in ["999999", "soon", ""] {
        let body = json!({"deployment": "deployment:score-prod", "dry_run": true, "known_at": wrong});
        let problem = s.ci.post("/api/v1/gate", &body).problem(422);
        assert_eq!(problem["errors"][0]["pointer"], "#/known_at", "{problem}");
    }
}

#[test]
fn lists_and_things_are_read_as_they_were() {
    let s = Scenario::running();
    let before = size(&s);
    redeploy(&s, |d| d["owner"] = json!("others"));
    s.add("dataset-versions", scenario::people("2"));
    s.revoke("purpose:scoring", 0);
    let deployment = id(&s.audit, "deployment:score-prod");
    let owner = |query: &str| {
        let read = s.audit.get(&format!("/api/v1/deployments/{deployment}{query}")).good();
        let listed = items(&s.audit.get(&format!("/api/v1/deployments{query}")).good());
        let resolved =
            s.audit.get(&format!("/api/v1/resolve?ref=deployment:score-prod{}", query.replacen('?', "&", 1)));
        assert_eq!((listed.len(), &listed[0]["spec"], &resolved.good()["spec"]), (1, &read["spec"], &read["spec"]));
        read["spec"]["owner"].as_str().unwrap().to_owned()
    };
    assert_eq!((owner("").as_str(), owner(&format!("?known_at={before}")).as_str()), ("others", "ml-team"));
    let state = |query: &str| {
        let listed = items(&s.audit.get(&format!("/api/v1/purposes{query}")).good());
        assert_eq!(listed.len(), 1, "one state is in force at a time: {listed:#?}");
        listed[0]["state"].clone()
    };
    assert_eq!((state(""), state(&format!("?known_at={before}"))), (json!("revoked"), json!("approved")));
    let versions = |query: &str| items(&s.audit.get(&format!("/api/v1/dataset-versions{query}")).good()).len();
    assert_eq!((versions(""), versions(&format!("?known_at={before}"))), (2, 1));
    assert_eq!((versions("?known_at=0"), versions("?known_at=2001-01-01")), (0, 0));
    s.audit.get(&format!("/api/v1/deployments/{deployment}?known_at=1")).problem(404);
    for wrong in ["999999", "soon"] {
        assert_eq!(s.audit.get(&format!("/api/v1/deployments?known_at={wrong}")).status, 422);
        assert_eq!(s.audit.get(&format!("/api/v1/deployments/{deployment}?known_at={wrong}")).status, 422);
    }
    let (code, out, _) = licit(&s.audit, &["deployment", "show", "score-prod", "--known-at", &before.to_string()]);
    assert!(code == 0 && out.contains("ml-team") && !out.contains("others"), "{out}");
    let (code, out, _) = licit(&s.audit, &["dataset", "versions", "crm/people", "--known-at", &before.to_string()]);
    assert!(code == 0 && !out.contains("people@2"), "{out}");
}

#[test]
fn lineage_is_walked_as_it_was() {
    let s = Scenario::running();
    let before = size(&s);
    let panel = json!({"namespace": "crm", "name": "panel"});
    s.add("datasets", panel);
    let mut version = scenario::people("1");
    version["dataset"] = json!("dataset:crm/panel");
    s.add("dataset-versions", version);
    let run = s.audit.get("/api/v1/runs").good()["items"][0]["ref"].clone();
    let edge = json!({"kind": "used", "from": run, "to": "dataset:crm/panel@1", "role": "training"});
    s.ana.post("/api/v1/edges", &edge).good();
    let known = |path: &str| {
        let now = s.audit.get(path).text.contains("crm/panel@1");
        let then = s.audit.get(&format!("{path}&known_at={before}"));
        assert_eq!(then.status, 200, "{}", then.text);
        (now, then.text.contains("crm/panel@1"))
    };
    assert_eq!(known("/api/v1/lineage?ref=model:score@1"), (true, false));
    assert_eq!(known("/api/v1/exposure?ref=model:score@1"), (true, false));
    let path = "/api/v1/lineage/path?from=release:score-prod@1&to=dataset:crm/panel@1";
    assert!(s.audit.get(path).text.contains("crm/panel@1"));
    s.audit.get(&format!("{path}&known_at={before}")).problem(404);
    for command in [["lineage", "model:score@1"], ["exposure", "model:score@1"]] {
        let (code, out, _) = licit(&s.audit, &[&command[..], &["--known-at", &before.to_string()]].concat());
        assert!(code == 0 && !out.contains("panel"), "{out}");
    }
    let asked = ["gate", "score-prod", "--dry-run", "--known-at", "2000-01-01"];
    assert_eq!(licit(&s.ci, &asked).0, 3, "nothing was known");
    assert_eq!(licit(&s.ci, &["gate", "score-prod", "--known-at", "3"]).0, 2);
}
