//! Marketing personalisation on consent: wills by channel, withdrawals every day, lists that must be fresh, one click of objection, a
//! model trained again at night, and somebody who wants to be forgotten.

use harness::scenario::{
    self, basis, deployment, evidence, finding, findings, in_days, model_version, purpose, training,
};
use harness::{Answer, Scenario};
use serde_json::{Value, json};

use crate::consent::covered::{coverage, load};
use crate::consent::{key, pseudonym, said};
use crate::gate::parts::facts;
use crate::support::rebuilds;

fn now() -> String {
    licit_server::clock::now().to_string()
}

/// Somebody says something, by a channel or of the purpose itself.
#[track_caller]
fn says(s: &Scenario, person: u32, record: u32, what: &str, channel: Option<&str>, at: &str) {
    let mut one = said(person, record, what, at);
    if let Some(channel) = channel {
        one["channel"] = json!(channel);
    }
    s.dora.post("/api/v1/consent-records", &one).good();
}

/// One model serves offers on a site, and letters by e-mail; all ten people agreed to both.
fn advertiser() -> Scenario {
    let s = Scenario::registered();
    let mut marketing = purpose("scoring");
    marketing["iri"] = json!("https://w3id.org/dpv#DirectMarketing");
    marketing["withdrawal"] = json!({"days": 90, "retraining_days": 80, "review_days": 5});
    s.add("purposes", marketing);
    s.add("subject-keys", key("k1", "crm", scenario::ZEROS));
    let mut consent = basis("marketing-consent", "scoring");
    consent["legal_basis"] = json!("art6_1_a");
    consent["letter"] = json!({"notice": evidence(), "withdrawal_means": "https://acme.example/no"});
    s.add("bases", consent);
    for (name, channel) in [("score-prod", None), ("mail-prod", Some("email"))] {
        let mut own = deployment();
        (own["name"], own["purpose"]) = (json!(name), json!("purpose:scoring@2"));
        own["bases"] = json!(["basis:marketing-consent"]);
        if let Some(channel) = channel {
            own["channel"] = json!(channel);
        }
        s.add("deployments", own);
    }
    s.add(
        "releases",
        json!({"deployment": "deployment:mail-prod", "composition": [{"part": "base", "model": "model:score@1"}]}),
    );
    s.approve(&["purpose:scoring@1"]);
    let dossier = [
        "purpose:scoring@2",
        "basis:marketing-consent",
        "system:scorer",
        "deployment:score-prod",
        "deployment:mail-prod",
    ];
    s.approve(&dossier);
    load(&s, "1", 0..10);
    for person in 0..10 {
        says(&s, person, 1000 + person, "given", None, "2025-06-01T00:00:00Z");
        says(&s, person, 2000 + person, "given", Some("email"), "2025-06-01T00:00:00Z");
    }
    for release in ["release:score-prod@1", "release:mail-prod@1"] {
        assert_eq!(s.activate(release).good()["verdict"], "allow");
    }
    s
}

fn list(s: &Scenario, deployment: &str) -> Value {
    let id = s.ci.resolve(&format!("deployment:{deployment}"))["id"].as_str().unwrap().to_owned();
    s.ci.get(&format!("/api/v1/deployments/{id}/suppressions")).good()
}

fn acknowledge(s: &Scenario, deployment: &str) -> Answer {
    let id = s.ci.resolve(&format!("deployment:{deployment}"))["id"].as_str().unwrap().to_owned();
    let position = list(s, deployment)["position"].clone();
    s.ci.post(&format!("/api/v1/deployments/{id}/suppressions/acknowledgements"), &json!({"position": position}))
}

fn left_out(s: &Scenario, deployment: &str) -> Vec<Value> {
    let mut who = list(s, deployment)["add"].as_array().unwrap().clone();
    who.sort_by_key(ToString::to_string);
    who
}

fn people(who: &[u32]) -> Vec<Value> {
    let mut who: Vec<Value> = who.iter().map(|n| json!(pseudonym("k1", *n))).collect();
    who.sort_by_key(ToString::to_string);
    who
}

fn asked(s: &Scenario, deployment: &str, intent: &str, valid_at: &str) -> Value {
    let body = json!({"deployment": format!("deployment:{deployment}"), "intent": intent, "dry_run": true, "valid_at": valid_at});
    s.ci.post("/api/v1/gate", &body).good()
}

#[test]
fn profiling_and_contact_are_two_wills() {
    let s = advertiser();
    says(&s, 1, 3001, "withdrawn", Some("email"), &now());
    assert_eq!((left_out(&s, "mail-prod"), left_out(&s, "score-prod")), (people(&[1]), people(&[])));
    says(&s, 2, 3002, "withdrawn", None, &now());
    assert_eq!(left_out(&s, "mail-prod"), people(&[1, 2]), "who is not profiled is not written to on a profile");
    assert_eq!(left_out(&s, "score-prod"), people(&[2]));
    says(&s, 1, 3003, "given", Some("email"), &now());
    assert_eq!(left_out(&s, "mail-prod"), people(&[2]));
}

#[test]
fn a_season_of_withdrawals_one_action_one_list_and_a_model_trained_again_at_night() {
    let s = advertiser();
    // A few a day: one action of each model and purpose, due ninety days after the oldest.
    let first = in_days(-3);
    for (at, person) in [(first.clone(), 2), (in_days(-2), 3), (in_days(-1), 4)] {
        says(&s, person, 3000 + person, "withdrawn", None, &at);
    }
    let of = |deployment: &str| -> Vec<Value> {
        let all = s.audit.get("/api/v1/consent-actions").good()["items"].as_array().unwrap().clone();
        let of = format!("deployment:{deployment}");
        let runs = |action: &Value| action["sources"].as_array().unwrap().iter().any(|one| one["deployment"] == of);
        all.into_iter().filter(runs).collect()
    };
    let open = of("score-prod");
    assert_eq!((open.len(), &open[0]["people"], &open[0]["overdue"]), (1, &json!(3), &json!(0)), "{open:#?}");
    assert_eq!(open[0]["oldest"], first);
    assert_eq!(open[0]["due"].as_str().unwrap()[..10], in_days(87)[..10]);
    // Serving waits for nothing: the list is taken, and two days later it is not fresh any more.
    for deployment in ["score-prod", "mail-prod"] {
        assert!(finding(&asked(&s, deployment, "start", &now()), "suppression.fresh").is_some());
        acknowledge(&s, deployment).good();
        assert_eq!(findings(&asked(&s, deployment, "start", &now())), []);
    }
    let late = finding(&asked(&s, "score-prod", "start", &in_days(2)), "suppression.fresh").unwrap();
    assert_eq!(late["status"], "expired");
    assert_eq!(
        asked(&s, "score-prod", "continue", &in_days(2))["verdict"],
        "allow",
        "the job goes on, with an action due"
    );

    // The retraining job at two in the morning: without them, inside the envelope, nobody votes.
    let granted = facts(&s, "approval.granted");
    let set = s.add("member-sets", json!({"dataset_version": "dataset:crm/people@1", "purpose": "purpose:scoring"}));
    assert_eq!((&set["count"], &set["excluded"]), (&json!(7), &json!(3)));
    s.add("model-versions", model_version("2", "2"));
    let mut again = training("2", "1");
    (again["started_at"], again["member_sets"]) = (json!(now()), json!([set["id"]]));
    s.add("runs", again);
    for deployment in ["score-prod", "mail-prod"] {
        let body = json!({
            "deployment": format!("deployment:{deployment}"), "composition": [{"part": "base", "model": "model:score@2"}],
        });
        s.ci.post("/api/v1/releases", &body).good();
        let decision = s.activate(&format!("release:{deployment}@2")).good();
        assert_eq!(decision["verdict"], "allow", "{decision:#}");
    }
    assert_eq!(facts(&s, "approval.granted"), granted);
    assert_eq!((of("score-prod"), of("mail-prod")), (vec![], vec![]));
    assert_eq!(finding(&asked(&s, "score-prod", "start", &in_days(91)), "consent.coverage"), None);
    rebuilds(&s.server.db);
}

#[test]
fn one_click_of_objection_leaves_one_person_out_and_refuses_nothing_for_the_others() {
    let s = advertiser();
    says(&s, 5, 3005, "objected", None, &now());
    assert_eq!((left_out(&s, "score-prod"), left_out(&s, "mail-prod")), (people(&[5]), people(&[5])));
    assert!(finding(&asked(&s, "score-prod", "continue", &now()), "objection").is_some(), "the list is of before that");
    acknowledge(&s, "score-prod").good();
    let decision = asked(&s, "score-prod", "continue", &now());
    assert_eq!((&decision["verdict"], findings(&decision)), (&json!("allow"), vec![]), "{decision:#}");
    // What the model learned from that person is to be dealt with, too: in ninety days.
    let open = s.audit.get("/api/v1/consent-actions").good()["items"].clone();
    assert!(open.to_string().contains("\"objection\""), "{open:#}");
    let late = finding(&asked(&s, "score-prod", "start", &in_days(91)), "objection").unwrap();
    assert!(late["sentence"].as_str().unwrap().starts_with("1 of 10 people"), "{late}");
}

#[test]
fn somebody_is_forgotten_after_having_been_left_out() {
    let s = advertiser();
    says(&s, 6, 3006, "withdrawn", None, &now());
    assert_eq!(left_out(&s, "score-prod"), people(&[6]));
    acknowledge(&s, "score-prod").good();
    let who = json!({"subject": pseudonym("k1", 6)});
    let proofs = s.dora.post("/api/v1/subjects/records", &who).good();
    assert_eq!(proofs["records"].as_array().unwrap().len(), 3, "that consent was there can be shown until then");
    s.dora.post("/api/v1/subjects/erasures", &who).good();
    s.dora.post("/api/v1/subjects/records", &who).problem(404);
    assert_eq!(coverage(&s.dora, "1", "")["members"], 9);
    assert_eq!(left_out(&s, "score-prod"), people(&[]), "nobody knows who it was");
    let late = finding(&asked(&s, "score-prod", "start", &in_days(91)), "consent.coverage").unwrap();
    assert!(late["sentence"].as_str().unwrap().starts_with("1 of 10 people"), "the model still contains them: {late}");
    rebuilds(&s.server.db);
}
