//! Endpoints: somebody must have seen, not long ago, that what answers is what is pinned.

use harness::Scenario;
use harness::scenario::ZEROS;
use serde_json::{Value, json};

use crate::support::licit;

use super::parts::{allowed, ask, assessment, attest, days, denied, endpoint, only, rules, world};

fn called() -> Scenario {
    world(|p| {
        p.model_versions[0] = endpoint("1");
        p.runs.clear();
        p.assessments.push(assessment("bought", "provider", "model:score@1"));
    })
}

fn seen(edit: impl FnOnce(&mut Value)) -> Value {
    let mut seen =
        json!({"model": "model:score@1", "snapshot": "2026-01-01", "region": "FR", "configuration_digest": ZEROS});
    edit(&mut seen);
    seen
}

#[test]
fn an_endpoint_runs_only_while_what_answers_is_what_is_pinned() {
    let s = called();
    let decision = s.dry("start");
    assert_eq!(rules(&decision), ["artifact.digest"], "{decision:#}");
    let finding = only(&decision, "artifact.digest");
    assert_eq!(finding["status"], "unknown");
    let command = finding["remedy"]["command"].as_str().unwrap();
    assert!(command.starts_with("licit model attest score@1 --snapshot '2026-01-01' --region FR"), "{command}");
    attest(&s, None);
    allowed(&s.activate("release:score-prod@1").good());
    let calendar = s.audit.get("/api/v1/calendar").good();
    let ends = calendar["items"].as_array().unwrap().iter().find(|item| item["what"] == "attestation").unwrap();
    assert_eq!((&ends["ref"], &ends["deployments"]), (&json!("model:score@1"), &json!(["deployment:score-prod"])));
    // What runs has no grace for other bytes, nor for another endpoint.
    s.add("attestations", seen(|a| a["snapshot"] = json!("2026-05-05")));
    let decision = ask(&s, json!({"intent": "continue", "dry_run": true}));
    denied(&decision);
    let finding = only(&decision, "artifact.digest");
    assert_eq!(finding["status"], "unmet");
    assert!(
        finding["sentence"].as_str().unwrap().contains("snapshot `2026-05-05` instead of `2026-01-01`"),
        "{finding:#}"
    );
    // The latest observation counts, not the latest record.
    attest(&s, Some(days(-1)));
    denied(&s.dry("start"));
    attest(&s, None);
    allowed(&s.dry("start"));
    let end = ask(&s, json!({"dry_run": true, "valid_at": days(31)}));
    assert_eq!(only(&end, "artifact.digest")["status"], "expired");
    allowed(&ask(&s, json!({"dry_run": true, "valid_at": days(29)})));
}

#[test]
fn a_policy_may_ask_for_it_more_often_and_never_less() {
    let s = called();
    attest(&s, Some(days(-10)));
    allowed(&s.dry("start"));
    let policy =
        |days: u16| json!({"name": "Often", "review": {"quorum": 2, "approval_days": 365}, "attestation_days": days});
    s.server.admin().post("/api/v1/policies", &policy(31)).problem(422);
    s.server.admin().post("/api/v1/policies", &policy(7)).good();
    s.approve(&["policy:organisation"]);
    assert_eq!(only(&s.dry("start"), "artifact.digest")["status"], "expired");
}

#[test]
fn an_attestation_is_of_an_endpoint_that_is_registered_and_of_what_was() {
    let s = called();
    for (edit, pointer) in [
        ((|a| a["model"] = json!("model:score@9")) as fn(&mut Value), "#/model"),
        (|a| a["model"] = json!("dataset:crm/people@1"), "#/model"),
        (|a| a["at"] = json!(days(2)), "#/at"),
        (|a| a["region"] = json!("nowhere"), "#/region"),
    ] {
        let problem = s.ci.post("/api/v1/attestations", &seen(edit)).problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem:#}");
    }
    let first = s.add("attestations", seen(|a| a["at"] = json!("2026-02-02")));
    let again = s.ci.post("/api/v1/attestations", &seen(|a| a["at"] = json!("2026-02-02"))).good();
    assert_eq!((&again["id"], &again["outcome"]), (&first["id"], &json!("unchanged")));
    let listed = s.audit.get("/api/v1/attestations?parent=model:score@1").good();
    assert_eq!(listed["items"][0]["ref"], first["ref"]);
    let files = world(|_| {});
    let problem = files.ci.post("/api/v1/attestations", &seen(|_| {})).problem(422);
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("no endpoint"), "{problem:#}");
}

#[test]
fn decisions_keep_the_attestation_they_rested_on() {
    let s = called();
    attest(&s, Some(days(-2)));
    let decision = ask(&s, json!({}));
    allowed(&decision);
    let id = decision["id"].as_str().unwrap();
    let shown = s.audit.get(&format!("/api/v1/decisions/{id}/evidence")).good();
    assert!(shown["models"][0]["attested"]["id"].is_string(), "{:#}", shown["models"]);
    s.add(
        "attestations",
        seen(|a| {
            a["region"] = json!("US");
            a["at"] = json!(days(-1));
        }),
    );
    assert_eq!(s.audit.get(&format!("/api/v1/decisions/{id}/replay")).good()["same"], true);
    let now = s.audit.get(&format!("/api/v1/decisions/{id}/replay?known_at=now")).good();
    assert!(now.to_string().contains("artifact.digest"), "{now:#}");
}

#[test]
fn the_remedy_is_a_command_that_clears_the_finding() {
    let s = called();
    let decision = s.dry("start");
    let command = only(&decision, "artifact.digest")["remedy"]["command"].as_str().unwrap().replace('\'', "");
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let (code, stdout, stderr) = licit(&s.ci, &words);
    assert_eq!(code, 0, "{stdout}{stderr}");
    allowed(&s.dry("start"));
    let (code, stdout, _) = licit(&s.ci, &["model", "attestations", "--json"]);
    assert!(code == 0 && stdout.contains("2026-01-01"), "{stdout}");
    let (code, _, stderr) = licit(
        &s.ci,
        &["model", "attest", "score@1", "--snapshot", "x", "--region", "FR", "--configuration-digest", "md5:1"],
    );
    assert!(code != 0 && stderr.contains("configuration_digest"), "{stderr}");
}
