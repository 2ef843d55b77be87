//! What ends when.

use harness::{Scenario, scenario};
use serde_json::{Value, json};

use super::{fits, items};
use crate::gate::parts::{days, world};
use crate::support::licit;

fn calendar(s: &Scenario, until: &str) -> Vec<Value> {
    items(&s.audit.get(&format!("/api/v1/calendar?until={until}")).good())
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
