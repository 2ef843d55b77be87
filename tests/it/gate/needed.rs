//! Data are read while they may be kept, and no more of them than is needed.

use harness::scenario::{self, AGE};
use serde_json::json;

use super::parts::{field, made, of_rule, only, path, run, world};

#[test]
fn whatever_run_read_data_after_their_end_refuses() {
    let s = world(|p| {
        p.datasets.push("young");
        // The training of January 2026 read them in time.
        p.versions[0]["retention"] = json!({"until": "2026-02-01"});
        p.versions.push(made("young", "1", vec![field("age", AGE)]));
        let mut late = run("filter", "purpose:scoring", &["dataset:crm/people@1"], &["dataset:crm/young@1"]);
        late["started_at"] = json!("2026-03-01T00:00:00Z");
        p.runs.push(late);
        p.deployment["reads"] = json!({"datasets": ["dataset:crm/young"]});
    });
    let id = s.ana.resolve("dataset:crm/people@1")["id"].as_str().unwrap().to_owned();
    s.add(&format!("dataset-versions/{id}/life"), json!({"life": "erased"}));
    let decision = s.dry("start");
    let found = only(&decision, "retention");
    assert_eq!((&found["status"], &found["node"]), (&json!("unmet"), &json!("dataset:crm/people@1")));
    let sentence = found["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("`run:") && sentence.contains("was to be kept until 2026-02-01"), "{found:#}");
    let path = path(found);
    assert_eq!(path.last().unwrap(), "dataset:crm/people@1");
    assert!(
        path[path.len() - 2].starts_with("run:") && found["remedy"]["text"] == "make it again without it",
        "{found:#}"
    );
}

#[test]
fn a_training_reads_no_more_than_its_own_purpose_needs() {
    let s = world(|p| {
        p.purposes.push(scenario::purpose("study"));
        p.purposes[1]["needs"] = json!([AGE]);
        p.runs[0]["purpose"] = json!("purpose:study");
        p.bases[0]["covers"]["purposes"] = json!(["purpose:scoring", "purpose:study"]);
    });
    let decision = s.dry("start");
    let found = only(&decision, "minimisation");
    let sentence = found["sentence"].as_str().unwrap();
    assert!(sentence.contains("which `purpose:study@1` does not need"), "{found:#}");
    assert!(path(found).iter().any(|name| name.starts_with("run:")), "{found:#}");
    // Trained on the age alone, it read what it needs.
    s.add("model-versions", scenario::model_version("2", "2"));
    let mut again = super::parts::training_on("2", "dataset:crm/people@1", &["age"]);
    again["purpose"] = json!("purpose:study");
    s.add("runs", again);
    s.release("2");
    assert!(of_rule(&s.dry("start"), "minimisation").is_empty());
}
