//! Credit scoring at a bank over the years: retrained each January, expired at midnight, older than the registry, learned from by
//! others, and trained on what is erased in the end.

use harness::Scenario;
use harness::scenario;
use serde_json::{Value, json};

use super::credit::{FILED, applicants, approved, bank, interest, law, pre_contract};
use crate::gate::parts::{allowed, ask, assessment, days, denied, facts, field, made, of_rule, only, redeploy, rules};

/// Another year of applications.
fn year(s: &Scenario, version: &str, retention: &str) {
    let mut applications = applicants("applications", version, &[]);
    applications["retention"] = json!({"until": retention});
    s.add("dataset-versions", applications);
}

/// The same recipe over another year, and its release.
fn train(s: &Scenario, model: &str, applications: &str, started_at: &str) {
    s.add("model-versions", scenario::model_version(model, model));
    let mut training = scenario::training(model, "1");
    training["purpose"] = json!("purpose:credit-scoring");
    training["started_at"] = json!(started_at);
    training["inputs"] = json!([{"ref": format!("dataset:loans/applications@{applications}"), "role": "training"}]);
    s.add("runs", training);
    s.release(model);
}

#[test]
fn a_new_year_of_the_same_data_needs_a_decision_and_no_vote() {
    let s = bank([pre_contract(), law()], FILED);
    allowed(&s.activate("release:score-prod@1").good());
    let granted = facts(&s, "approval.granted");
    year(&s, "2020", "2099-12-31");
    train(&s, "2", "2020", "2026-01-02T00:00:00Z");
    let decision = s.activate("release:score-prod@2").good();
    allowed(&decision);
    assert!(!decision["id"].as_str().unwrap().is_empty());
    assert_eq!(facts(&s, "approval.granted"), granted, "nobody was asked again");
}

#[test]
fn what_ended_at_midnight_does_not_stop_the_batch_at_two() {
    let s = bank([pre_contract(), law()], FILED);
    // Approved for a shorter time than all the rest.
    let mut soon = pre_contract();
    soon["name"] = json!("Steps applicants ask for");
    let reference = s.add("bases", soon)["ref"].as_str().unwrap().to_owned();
    s.approve_until(&[&reference], Some(&days(100)));
    redeploy(&s, |d| d["bases"][0] = json!(reference));
    s.approve_until(&["deployment:score-prod"], Some(&days(800)));
    allowed(&s.activate("release:score-prod@1").good());
    let coming = s.bea.get(&format!("/api/v1/calendar?until={}", days(120))).good().to_string();
    assert!(coming.contains(&reference), "it is told before it falls: {coming}");

    let going_on = |day: i64| ask(&s, json!({"intent": "continue", "dry_run": true, "valid_at": days(day)}));
    let night = going_on(101);
    allowed(&night);
    let due = night["actions_due"].as_array().unwrap();
    assert!(due.iter().any(|action| action["path"].to_string().contains(&reference)), "{night:#}");
    for action in due {
        let until = action["due"].as_str().unwrap();
        assert!(until > &*days(129) && until < &*days(131), "thirty days: {action:#}");
    }
    denied(&going_on(131));
    year(&s, "2020", "2099-12-31");
    train(&s, "2", "2020", "2026-01-02T00:00:00Z");
    denied(&ask(&s, json!({"intent": "start", "dry_run": true, "valid_at": days(101)})));
}

#[test]
fn a_model_older_than_the_registry_is_taken_over_by_the_board() {
    let s = bank([pre_contract(), law()], FILED);
    // Version 6 was trained in 2024, and nobody recorded how.
    s.add("model-versions", scenario::model_version("6", "6"));
    s.release("6");
    let decision = s.dry("start");
    denied(&decision);
    assert_eq!(only(&decision, "lineage.complete")["node"], "model:score@6");
    let mut then = assessment("model-of-2024", "regularisation", "model:score@6");
    then["bases_then"] = json!(["basis:development"]);
    s.add("assessments", then);
    denied(&s.dry("start"));
    s.approve(&["assessment:model-of-2024"]);
    allowed(&s.dry("start"));
}

/// The bank writes its scores, and another team learns from them.
fn offers() -> Scenario {
    let s = bank([pre_contract(), law()], FILED);
    s.add("datasets", json!({"namespace": "loans", "name": "scores", "owner": "loans-team"}));
    redeploy(&s, |d| d["writes"] = json!({"datasets": ["dataset:loans/scores"]}));
    s.approve_until(&["deployment:score-prod"], Some(&days(800)));
    allowed(&s.activate("release:score-prod@1").good());
    let mut scores = made("scores", "1", vec![field("score", "https://w3id.org/dpv/pd#CreditScore")]);
    scores["dataset"] = json!("dataset:loans/scores");
    s.add("dataset-versions", scores);
    approved(&s, "purposes", scenario::purpose("preapproved-offers"));
    s.inform(scenario::notice("offers", &["preapproved-offers"]));
    s.add("models", json!({"name": "offers", "owner": "ml-team"}));
    let mut model = scenario::model_version("1", "4");
    model["model"] = json!("model:offers");
    s.add("model-versions", model);
    let mut run = scenario::training("1", "1");
    run["purpose"] = json!("purpose:preapproved-offers");
    run["inputs"] = json!([{"ref": "dataset:loans/scores@1", "role": "training"}]);
    run["outputs"] = json!(["model:offers@1"]);
    s.add("runs", run);
    let sources = ["dataset:loans/applications", "dataset:loans/tonight", "dataset:loans/register"];
    let mut basis = interest("offers", &sources);
    basis["covers"]["purposes"] = json!(["purpose:preapproved-offers"]);
    approved(&s, "bases", basis);
    let mut deployment = scenario::deployment();
    deployment["name"] = json!("offers-prod");
    deployment["system"] = approved(&s, "systems", {
        let mut system = scenario::system();
        system["key"] = json!("offers");
        system
    })
    .into();
    deployment["purpose"] = json!("purpose:preapproved-offers");
    deployment["bases"] = json!(["basis:offers"]);
    deployment["reads"] = json!({"nobody": "Offers are printed once a year."});
    s.add("deployments", deployment);
    let composition = json!([{"part": "base", "model": "model:offers@1"}]);
    s.add("releases", json!({"deployment": "deployment:offers-prod", "composition": composition}));
    s.approve(&["deployment:offers-prod"]);
    s
}

#[test]
fn who_learns_from_the_scores_uses_the_people_behind_them_for_something_else() {
    let s = offers();
    let decide = || ask(&s, json!({"deployment": "deployment:offers-prod", "dry_run": true}));
    let decision = decide();
    denied(&decision);
    assert_eq!(rules(&decision), ["compatibility"], "{decision:#}");
    let behind =
        |decision: &Value| of_rule(decision, "compatibility").iter().map(|f| f.to_string()).collect::<String>();
    for source in ["applications@2019", "tonight@1", "register@1"] {
        assert!(behind(&decision).contains(source), "{source}: {decision:#}");
    }
    // Looked at for each of them: what was asked of one says nothing on the next.
    for (done, source) in ["applications", "tonight", "register"].into_iter().enumerate() {
        let mut further = crate::gate::compatibility::compatible(&format!("dataset:loans/{source}"));
        further["key"] = json!(format!("offers-{source}"));
        further["purpose"] = json!("purpose:preapproved-offers");
        approved(&s, "assessments", further);
        assert_eq!(behind(&decide()).is_empty(), done == 2, "{source}");
    }
    allowed(&decide());
}

#[test]
fn what_is_erased_in_time_refuses_nothing_and_what_was_read_too_late_does() {
    let s = bank([pre_contract(), law()], FILED);
    year(&s, "2018", "2026-02-01");
    train(&s, "3", "2018", "2026-01-15T00:00:00Z");
    // Its time is over, and nobody said that it is gone.
    let decision = s.dry("start");
    assert_eq!(only(&decision, "retention")["status"], "expired");
    let id = s.ana.resolve("dataset:loans/applications@2018")["id"].as_str().unwrap().to_owned();
    s.add(&format!("dataset-versions/{id}/life"), json!({"life": "erased"}));
    allowed(&s.activate("release:score-prod@2").good());
    allowed(&s.dry("continue"));

    train(&s, "4", "2018", "2026-03-01T00:00:00Z");
    let decision = s.dry("start");
    denied(&decision);
    let finding = only(&decision, "retention");
    assert_eq!((&finding["status"], &finding["node"]), (&json!("unmet"), &json!("dataset:loans/applications@2018")));
    // The model trained in time goes on.
    allowed(&s.dry("continue"));
}
