//! Purposes agreed, and purposes of use.

use harness::{Scenario, scenario};
use serde_json::{Value, json};

use super::{fits, items, size};
use crate::gate::parts::{days, field, made, run, world};
use crate::support::licit;

fn drift(s: &Scenario, query: &str) -> Value {
    let found = items(&s.audit.get(&format!("/api/v1/reports/drift{query}")).good());
    found.iter().find(|i| i["ref"] == "dataset:crm/people").unwrap_or_else(|| panic!("{found:#?}")).clone()
}

/// As collected, carried, outside; and the two shares.
fn figures(item: &Value) -> [u64; 5] {
    ["as_collected", "carried", "outside", "drift_per_mille", "outside_per_mille"].map(|f| item[f].as_u64().unwrap())
}

fn used<'a>(item: &'a Value, purpose: &str) -> &'a Value {
    item["uses"].as_array().unwrap().iter().find(|u| u["purpose"] == purpose).unwrap_or_else(|| panic!("{item:#}"))
}

#[test]
fn what_was_collected_for_one_purpose_is_used_for_another() {
    let s = Scenario::running();
    let item = drift(&s, "");
    assert_eq!(figures(&item), [2, 0, 0, 0, 0], "{item:#}");
    assert_eq!(used(&item, "purpose:scoring")["deployments"], json!(["deployment:score-prod"]));
    assert_eq!((&item["versions"], &item["owner"]), (&json!(1), &json!("crm-team")));
    let before = size(&s);
    s.add("purposes", scenario::purpose("research"));
    s.add("model-versions", scenario::model_version("2", "2"));
    let mut run = scenario::training("2", "1");
    run["purpose"] = json!("purpose:research");
    s.add("runs", run);
    let item = drift(&s, "?ref=dataset:crm/people");
    assert_eq!(figures(&item), [2, 0, 1, 333, 333], "{item:#}");
    let used_for = used(&item, "purpose:research");
    assert_eq!((&used_for["distance"], &used_for["since"]), (&json!("outside"), &json!("2026-01-01T00:00:00.000000Z")));
    assert_eq!(used_for["trainings"].as_array().unwrap().len(), 1);
    assert_eq!(figures(&drift(&s, &format!("?known_at={before}"))), [2, 0, 0, 0, 0]);
    // A basis the board approves carries it: still another purpose than that of collection.
    s.add("bases", scenario::basis("studies", "research"));
    assert_eq!(figures(&drift(&s, "")), [2, 0, 1, 333, 333], "a proposal agrees to nothing");
    s.approve(&["basis:studies"]);
    let item = drift(&s, "?ref=dataset:crm/people@1");
    assert_eq!(figures(&item), [2, 1, 0, 333, 0], "{item:#}");
    assert_eq!(
        figures(&drift(&s, &format!("?valid_at={}", days(400)))),
        [2, 0, 1, 333, 333],
        "its approval ended by then"
    );
    let agreed = item["agreed"].as_array().unwrap();
    assert!(agreed.contains(&json!({"purpose": "purpose:research", "by": "basis:studies@1"})), "{agreed:?}");
    assert!(agreed.contains(&json!({"purpose": "purpose:scoring", "by": "collected_for"})), "{agreed:?}");
    let (code, out, err) = licit(&s.audit, &["drift", "crm/people"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("33.3 %") && out.contains("by a basis") && out.contains("as collected"), "{out}");
    fits(&out);
}

#[test]
fn uses_are_followed_through_what_was_made_of_it_but_not_through_what_a_model_says_of_others() {
    let s = world(|p| {
        p.deployment["reads"] = json!({"nobody": "It reads no data when it runs."});
        p.datasets.extend(["table", "others", "scores"]);
        p.purposes.push(scenario::purpose("research"));
    });
    s.activate("release:score-prod@1").good();
    let item = drift(&s, "");
    assert_eq!(used(&item, "purpose:scoring")["deployments"], json!(["deployment:score-prod"]), "contained: {item:#}");
    let age = || vec![field("age", scenario::AGE)];
    s.add("dataset-versions", made("table", "1", age()));
    s.add("runs", run("derive", "purpose:scoring", &["dataset:crm/people@1"], &["dataset:crm/table@1"]));
    let train = |version: &str, on: &str| {
        s.add("model-versions", scenario::model_version(version, version));
        let mut run = scenario::training(version, version);
        run["inputs"][0]["ref"] = json!(on);
        run["purpose"] = json!("purpose:research");
        s.add("runs", run);
    };
    train("2", "dataset:crm/table@1");
    let item = drift(&s, "");
    assert_eq!(figures(&item), [2, 0, 1, 333, 333], "{item:#}");
    // The model tells something of others: those it learned from are not used again by who trains on that.
    let mut others = scenario::people("1");
    others["dataset"] = json!("dataset:crm/others");
    s.add("dataset-versions", others);
    s.add("dataset-versions", made("scores", "1", age()));
    s.add(
        "runs",
        run("infer", "purpose:scoring", &["model:score@1", "dataset:crm/others@1"], &["dataset:crm/scores@1"]),
    );
    train("3", "dataset:crm/scores@1");
    assert_eq!(figures(&drift(&s, "")), [2, 0, 1, 333, 333]);
    let all = items(&s.audit.get("/api/v1/reports/drift").good());
    let others = all.iter().find(|i| i["ref"] == "dataset:crm/others").unwrap();
    assert_eq!(figures(others), [0, 0, 1, 1000, 1000], "{others:#}");
    assert_eq!(all[0]["ref"], "dataset:crm/others", "what drifted most comes first");
}

#[test]
fn only_data_collected_from_people_drift() {
    let s = Scenario::running();
    s.audit.get("/api/v1/reports/drift?ref=model:score").problem(422);
    s.audit.get("/api/v1/reports/drift?ref=nothing").problem(422);
    s.audit.get("/api/v1/reports/drift?ref=dataset:crm/nothing").problem(404);
    let all = items(&s.audit.get("/api/v1/reports/drift").good());
    assert_eq!(all.len(), 1);
    // What nobody runs any more is no use.
    let id = super::id(&s.ci, "release:score-prod@1");
    s.ci.post(&format!("/api/v1/releases/{id}/withdraw"), &json!({})).good();
    let item = drift(&s, "");
    assert_eq!(figures(&item)[0], 1, "{item:#}");
    assert_eq!(used(&item, "purpose:scoring")["deployments"], json!([]));
}
