//! Decisions: recorded with their evidence, or not at all; and what closed world means for odd questions.

use harness::scenario;
use harness::{Scenario, TestServer};
use licit_schemas::digest::Digest;
use serde_json::{Value, json};

use super::parts::{allowed, ask, basis, denied, facts, of_rule, only, retrain, rules, world};

#[test]
fn a_decision_is_recorded_with_the_evidence_it_was_made_on() {
    for (s, verdict) in [(Scenario::approved(), "allow"), (Scenario::registered(), "deny")] {
        let decision = ask(&s, json!({}));
        assert_eq!(decision["verdict"], verdict);
        let id = decision["id"].as_str().unwrap();
        let kept = s.audit.get(&format!("/api/v1/decisions/{id}")).good();
        assert_eq!(kept["spec"], decision);
        let evidence = s.audit.get(&format!("/api/v1/decisions/{id}/evidence"));
        assert_eq!(evidence.status, 200);
        assert_eq!(Digest::of(evidence.text.as_bytes()).to_string(), decision["evidence_digest"].as_str().unwrap());
        assert_eq!(facts(&s, "decision.made"), 1);
        let document = evidence.json();
        assert_eq!(document["sources"][0]["reach"], json!(["contained", "served"]));
        let source = &document["sources"][0];
        match verdict {
            "allow" => assert_eq!(
                (&source["deployment"], &source["training"]),
                (&json!({"governed": [0]}), &json!([{"governed": [0]}]))
            ),
            _ => assert_eq!(
                (&source["deployment"], &document["bases"][0]["stands"]),
                (&json!({"proposed": 0}), &json!("proposed"))
            ),
        }
    }
}

#[test]
fn a_dry_run_writes_nothing_and_answers_the_same() {
    let s = Scenario::approved();
    let head = s.audit.get("/api/v1/ledger/head").text;
    let dry = s.dry("start");
    assert_eq!(s.audit.get("/api/v1/ledger/head").text, head);
    assert_eq!(dry["id"], "00000000-0000-0000-0000-000000000000");
    let again = ask(&s, json!({"dry_run": true, "valid_at": dry["valid_at"]}));
    assert_eq!(again, dry, "the same question at the same position has the same answer, byte for byte");
}

#[test]
fn only_a_dry_run_may_ask_for_another_moment() {
    let s = Scenario::approved();
    s.ci.post("/api/v1/gate", &json!({"deployment": "deployment:score-prod", "valid_at": "2030-01-01"})).problem(422);
    assert_eq!(facts(&s, "decision.made"), 0);
}

#[test]
fn what_does_not_exist_is_refused_as_unknown() {
    let s = Scenario::approved();
    for question in [
        json!({"deployment": "deployment:nowhere"}),
        json!({"deployment": "deployment:nowhere", "intent": "continue"}),
        json!({"release": "release:score-prod@9"}),
        json!({"release": "release:nowhere@1"}),
    ] {
        let decision = s.ci.post("/api/v1/gate", &question).good();
        denied(&decision);
        assert_eq!(decision["passes"], false);
        assert_eq!(rules(&decision), ["release.approved"], "{question}");
        let finding = only(&decision, "release.approved");
        assert_eq!(finding["status"], "unknown");
        assert!(!finding["remedy"]["text"].as_str().unwrap().is_empty());
    }
    assert_eq!(facts(&s, "decision.made"), 4);
}

#[test]
fn files_must_be_byte_for_byte_those_admitted() {
    let s = world(|p| {
        p.model_versions[0]["files"] = json!([file("weights.bin", '1'), file("config.json", '2')]);
    });
    let with = |files: Vec<Value>| ask(&s, json!({"dry_run": true, "artifacts": files}));
    let says = |decision: &Value| -> String {
        of_rule(decision, "artifact.digest")
            .iter()
            .map(|f| f["sentence"].as_str().unwrap())
            .collect::<Vec<_>>()
            .join("; ")
    };
    allowed(&with(vec![file("weights.bin", '1'), file("config.json", '2')]));
    let changed = with(vec![file("weights.bin", '7'), file("config.json", '2')]);
    assert!(
        says(&changed).contains("1 of 2 file(s) of `model:score@1` are not there as registered: `weights.bin`"),
        "{changed:#}"
    );
    assert!(says(&changed).contains("1 file(s) found belong to no model of the release: `weights.bin`"), "{changed:#}");
    let missing = with(vec![file("config.json", '2')]);
    assert!(says(&missing).contains("`weights.bin`") && !says(&missing).contains("belong to no model"), "{missing:#}");
    let extra = with(vec![file("weights.bin", '1'), file("config.json", '2'), file("loader.py", '8')]);
    assert!(says(&extra).contains("belong to no model of the release: `loader.py`"), "{extra:#}");
    // Two files that changed names are two other files; the whole model may lie in some folder.
    let swapped = with(vec![file("weights.bin", '2'), file("config.json", '1')]);
    assert!(says(&swapped).contains("2 of 2 file(s)"), "{swapped:#}");
    allowed(&with(vec![file("srv/m/weights.bin", '1'), file("srv/m/config.json", '2')]));
    let apart = with(vec![file("a/weights.bin", '1'), file("b/config.json", '2')]);
    assert!(says(&apart).contains("1 of 2 file(s)"), "{apart:#}");
    let inside = with(vec![file("my-weights.bin", '1'), file("config.json", '2')]);
    assert!(says(&inside).contains("`weights.bin`"), "{inside:#}");
    for decision in [changed, missing, extra, swapped, apart, inside] {
        denied(&decision);
        assert_eq!(rules(&decision), ["artifact.digest"]);
    }
}

fn file(path: &str, digit: char) -> Value {
    json!({"path": path, "digest": format!("sha256:{}", String::from(digit).repeat(64))})
}

#[test]
fn the_digests_admitted_stand_in_the_decision() {
    let s = Scenario::approved();
    let decision = s.dry("start");
    assert_eq!(decision["models"], json!({"model:score@1": [format!("sha256:{}", "1".repeat(64))]}));
}

#[test]
fn what_only_measures_must_be_covered_for_training_and_is_not_contained() {
    for role in ["test", "validation"] {
        let build = |covered: bool| {
            world(|p| {
                p.datasets.push("panel");
                let mut panel = scenario::people("1");
                panel["dataset"] = json!("dataset:crm/panel");
                p.versions.push(panel);
                p.runs[0]["inputs"].as_array_mut().unwrap().push(json!({"ref": "dataset:crm/panel@1", "role": role}));
                if covered {
                    // For training only: when the deployment runs, the panel is not in it.
                    let mut panel = basis(|b| b["covers"]["stages"] = json!(["training"]));
                    panel["key"] = json!("panel-contract");
                    panel["covers"]["datasets"] = json!(["dataset:crm/panel"]);
                    p.bases.push(panel);
                }
            })
        };
        let decision = build(false).dry("start");
        let finding = only(&decision, "source.covered");
        assert_eq!(finding["node"], "dataset:crm/panel@1");
        assert!(finding["sentence"].as_str().unwrap().contains("to train for"), "{finding:#}");
        let s = build(true);
        allowed(&s.dry("start"));
        let exposure = s.ana.get("/api/v1/exposure?ref=model:score@1").good();
        assert!(exposure["validation"].to_string().contains("dataset:crm/panel@1"), "{exposure:#}");
        assert!(!exposure["contained"].to_string().contains("dataset:crm/panel@1"), "{exposure:#}");
    }
}

#[test]
fn an_erased_version_refuses_nothing_by_itself() {
    let s = Scenario::running();
    // What is read from now on; erasing rows makes a new version, and marks the old one.
    s.add("dataset-versions", scenario::people("2"));
    let id = s.ana.resolve("dataset:crm/people@1")["id"].as_str().unwrap().to_owned();
    for life in ["restricted", "erased"] {
        s.ana.post(&format!("/api/v1/dataset-versions/{id}/life"), &json!({"life": life})).good();
    }
    allowed(&s.dry("continue"));
    allowed(&s.dry("start"));
    retrain(&s, "2", scenario::people("2"));
    allowed(&s.dry("start"));
}

#[test]
fn the_board_and_the_lists_agree_on_what_is_approved() {
    let s = Scenario::approved();
    for (collection, key) in
        [("purposes", "purpose:scoring@1"), ("bases", "basis:scoring-contract@1"), ("systems", "system:scorer@1")]
    {
        let list = s.audit.get(&format!("/api/v1/{collection}?state=approved")).good();
        assert_eq!(list["items"][0]["ref"], key, "{list:#}");
    }
    s.revoke("system:scorer", 0);
    let list = s.audit.get("/api/v1/systems?state=revoked").good();
    assert_eq!(list["items"][0]["ref"], "system:scorer@1");
    let (code, out, err) = TestServer::run(&s.server.db, &["rebuild", "--check"]);
    assert_eq!(code, 0, "the ledger says the same: {out} {err}");
}
