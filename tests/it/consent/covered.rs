//! Whom consent covers: at any moment, as known then or now; and what the gate makes of it.

use harness::scenario::{basis, deployment, finding, findings, in_days, model_version, people, training};
use harness::{Client, Scenario, TestServer};
use serde_json::{Value, json};

use super::said::batch;
use super::{begin, finish, lines, pseudonym, put, said};
use crate::support::rebuilds;

/// Coverage of a version of the people, as answered.
#[track_caller]
pub(crate) fn coverage(client: &Client, version: &str, more: &str) -> Value {
    let id = client.resolve(&format!("dataset:crm/people@{version}"))["id"].as_str().unwrap().to_owned();
    client.get(&format!("/api/v1/dataset-versions/{id}/coverage?purpose=purpose:scoring{more}")).good()
}

/// How many lack consent.
#[track_caller]
fn missing(s: &Scenario, more: &str) -> u64 {
    coverage(&s.dora, "1", more)["missing"].as_u64().unwrap()
}

/// Load members of a version.
#[track_caller]
pub(crate) fn load(s: &Scenario, version: &str, who: std::ops::Range<u32>) {
    let count = u32::try_from(who.len()).unwrap();
    let load = begin(&s.ana, version);
    put(&s.ana, &load, 1, &lines("k1", who)).good();
    finish(&s.ana, &load, 1, count).good();
}

/// The scenario on consent instead of a contract; ten people, all of whom agreed before the training.
pub(crate) fn consenting() -> Scenario {
    let s = on_consent();
    load(&s, "1", 0..10);
    agree(&s, 0..10);
    s
}

/// The same before anybody was loaded or said anything.
fn on_consent() -> Scenario {
    let s = Scenario::registered();
    s.add("subject-keys", super::key("k1", "crm", harness::scenario::ZEROS));
    let mut consent = basis("scoring-consent", "scoring");
    consent["legal_basis"] = json!("art6_1_a");
    consent["letter"] = json!({"notice": harness::scenario::evidence(), "withdrawal_means": "https://acme.example/no"});
    s.add("bases", consent);
    let mut own = deployment();
    own["bases"] = json!(["basis:scoring-consent"]);
    s.add("deployments", own);
    s.approve(&["purpose:scoring", "basis:scoring-consent", "system:scorer", "deployment:score-prod"]);
    s
}

pub(crate) fn agree(s: &Scenario, who: std::ops::Range<u32>) {
    let records: Vec<Value> = who.map(|n| said(n, 1000 + n, "given", "2025-06-01T00:00:00Z")).collect();
    batch(&s.ana, &records).good();
}

#[test]
fn every_moment_has_its_own_answer() {
    let s = super::with_key();
    load(&s, "1", 0..10);
    assert_eq!(missing(&s, ""), 10, "nobody said anything");
    let mut with_end = said(3, 3, "given", "2026-01-01T00:00:00Z");
    with_end["until"] = json!("2026-03-01T00:00:00Z");
    let mut explicit = said(4, 4, "given", "2026-01-01T00:00:00Z");
    explicit["expression"] = json!("explicit");
    let records = [
        said(0, 0, "given", "2026-01-01T00:00:00Z"),
        said(1, 1, "given", "2026-01-01T00:00:00Z"),
        said(2, 2, "refused", "2026-01-01T00:00:00Z"),
        with_end,
        explicit,
        said(99, 99, "given", "2026-01-01T00:00:00Z"),
    ];
    let first = batch(&s.ana, &records).good()["seq"].as_u64().unwrap();
    batch(&s.ana, &[said(1, 11, "withdrawn", "2026-02-01T00:00:00Z")]).good();
    let at = |moment: &str| missing(&s, &format!("&valid_at={moment}"));
    assert_eq!(at("2025-12-31T23:59:59Z"), 10);
    assert_eq!(at("2026-01-01T00:00:00Z"), 6);
    assert_eq!(at("2026-01-31T23:59:59.999999Z"), 6);
    assert_eq!(at("2026-02-01T00:00:00Z"), 7, "withdrawn from that instant on");
    assert_eq!(at("2026-02-28T23:59:59.999999Z"), 7);
    assert_eq!(at("2026-03-01T00:00:00Z"), 8, "over at the instant it says");
    assert_eq!(missing(&s, ""), 8);
    assert_eq!(missing(&s, "&explicit=true"), 9);
    assert_eq!(missing(&s, &format!("&known_at={first}&valid_at=2026-02-15T00:00:00Z")), 6, "nobody knew it then");
    assert_eq!(missing(&s, &format!("&known_at={}", first - 1)), 10);
    // A late record changes the past it belongs to.
    batch(&s.ana, &[said(5, 5, "given", "2026-01-15T00:00:00Z"), said(0, 12, "withdrawn", "2026-01-10T00:00:00Z")])
        .good();
    assert_eq!((at("2026-01-05T00:00:00Z"), at("2026-01-12T00:00:00Z"), at("2026-01-20T00:00:00Z")), (6, 7, 6));
    // What was found invalid never was valid, from where it says.
    let mut invalid = said(4, 14, "invalidated", "2026-04-01T00:00:00Z");
    invalid["invalid_from"] = json!("2026-01-20T00:00:00Z");
    let before = at("2026-01-21T00:00:00Z");
    assert_eq!(batch(&s.ana, &[invalid.clone()]).good()["refused"][0]["pointer"], "#/said", "the officer records that");
    batch(&s.dora, &[invalid]).good();
    assert_eq!((at("2026-01-19T00:00:00Z"), at("2026-01-21T00:00:00Z")), (6, before + 1));
    rebuilds(&s.server.db);
    // Who they are is told to the data protection officer only.
    let id = s.ana.resolve("dataset:crm/people@1")["id"].as_str().unwrap().to_owned();
    let ask = json!({"purpose": "purpose:scoring", "limit": 7});
    let sample = s.dora.post(&format!("/api/v1/dataset-versions/{id}/coverage/sample"), &ask).good();
    let named: Vec<&str> = sample["subjects"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
    assert_eq!((sample["missing"].as_u64(), named.len()), (Some(missing(&s, "")), 7));
    let covered: Vec<String> = [5].map(|n| pseudonym("k1", n)).to_vec();
    assert!(!named.iter().any(|one| covered.iter().any(|known| known == one)), "{named:?}");
    s.ana.post(&format!("/api/v1/dataset-versions/{id}/coverage/sample"), &ask).problem(403);
    s.bea.get(&format!("/api/v1/dataset-versions/{id}/coverage?purpose=purpose:scoring")).problem(403);
    // The same after the server began anew, from the tables alone.
    let (dora, now) = (s.dora.token.clone(), missing(&s, ""));
    let server = TestServer::on(s.server.kill());
    assert_eq!(coverage(&Client::new(&server.url, dora.as_deref()), "1", "")["missing"], now);
}

#[test]
fn a_channel_is_a_will_of_its_own() {
    let s = super::with_key();
    load(&s, "1", 0..4);
    let contact = |person: u32, record: u32, what: &str| {
        let mut one = said(person, record, what, "2026-01-01T00:00:00Z");
        one["channel"] = json!("email");
        one
    };
    batch(
        &s.ana,
        &[
            said(0, 0, "given", "2026-01-01T00:00:00Z"),
            contact(0, 10, "given"),
            said(1, 1, "given", "2026-01-01T00:00:00Z"),
            contact(1, 11, "refused"),
            contact(2, 12, "given"),
        ],
    )
    .good();
    assert_eq!((missing(&s, ""), missing(&s, "&channel=email"), missing(&s, "&channel=sms")), (2, 3, 4));
}

#[test]
fn members_are_to_be_known_where_consent_governs() {
    let s = on_consent();
    let refused = finding(&s.dry("start"), "consent.coverage").expect("whether they agreed is unknown");
    assert_eq!((&refused["status"], &refused["node"]), (&json!("unknown"), &json!("dataset:crm/people@1")));
    assert!(refused["remedy"]["command"].as_str().unwrap().starts_with("licit subjects add dataset:crm/people@1"));
    load(&s, "1", 0..10);
    let refused = finding(&s.dry("start"), "consent.coverage").expect("nobody agreed");
    assert_eq!(refused["status"], "unmet");
    assert!(refused["sentence"].as_str().unwrap().contains("10 of 10 people"), "{refused}");
    agree(&s, 0..10);
    assert_eq!(findings(&s.dry("start")), []);
    assert_eq!(s.activate("release:score-prod@1").good()["verdict"], "allow");
}

#[test]
fn who_had_not_agreed_when_training_began_is_left_out_and_it_is_trained_again() {
    let s = consenting();
    // A late record: two had withdrawn before the training, one after it.
    batch(
        &s.ana,
        &[
            said(0, 1, "withdrawn", "2025-12-01T00:00:00Z"),
            said(1, 2, "withdrawn", "2025-12-31T23:59:59Z"),
            said(2, 3, "withdrawn", "2026-01-01T00:00:01Z"),
        ],
    )
    .good();
    let refused = finding(&s.dry("start"), "consent.coverage").unwrap();
    let sentence = refused["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("2 of 10 people in `dataset:crm/people@1` had no valid consent"), "{sentence}");
    assert_eq!(refused["remedy"]["command"], "licit subjects exclude dataset:crm/people@1 --purpose purpose:scoring");
    assert_eq!(refused["path"].as_array().unwrap().last().unwrap(), "dataset:crm/people@1");
    // The remedy: a corrected member set, and a training that names it.
    let create = json!({"dataset_version": "dataset:crm/people@1", "purpose": "purpose:scoring"});
    let made = s.ana.post("/api/v1/member-sets", &create).good();
    assert_eq!((&made["count"], &made["excluded"]), (&json!(7), &json!(3)));
    let out = s.ana.get(&format!("/api/v1/member-sets/{}/excluded", made["id"].as_str().unwrap())).good();
    let mut out: Vec<&str> = out["subjects"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
    let mut wanted: Vec<String> = (0..3).map(|n| pseudonym("k1", n)).collect();
    out.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(out, wanted);
    s.add("model-versions", model_version("2", "2"));
    let mut again = training("2", "1");
    again["started_at"] = json!(in_days(0));
    s.add("runs", again.clone());
    s.release("2");
    let refused = finding(&s.dry("start"), "consent.coverage").expect("it does not say that they were left out");
    assert!(refused["sentence"].as_str().unwrap().starts_with("3 of 10 people"), "{refused}");
    s.add("model-versions", model_version("3", "3"));
    again["outputs"] = json!(["model:score@3"]);
    again["member_sets"] = json!([made["id"]]);
    s.add("runs", again);
    s.release("3");
    let decision = s.dry("start");
    assert_eq!(finding(&decision, "consent.coverage"), None, "{decision:#}");
    rebuilds(&s.server.db);
}

#[test]
fn a_withdrawal_is_acted_on_within_the_days_of_the_purpose() {
    let s = consenting();
    assert_eq!(s.activate("release:score-prod@1").good()["verdict"], "allow");
    let now = licit_server::clock::now().to_string();
    batch(&s.ana, &[said(4, 4, "withdrawn", &now), said(5, 5, "withdrawn", &now)]).good();
    let acknowledged = |s: &Scenario| {
        let id = s.ci.resolve("deployment:score-prod")["id"].as_str().unwrap().to_owned();
        let list = s.ci.get(&format!("/api/v1/deployments/{id}/suppressions")).good();
        s.ci.post(
            &format!("/api/v1/deployments/{id}/suppressions/acknowledgements"),
            &json!({"position": list["position"]}),
        )
        .good();
    };
    acknowledged(&s);
    assert_eq!(findings(&s.dry("continue")), [], "past decisions stand, and there is time");
    let late = s.dry_at("continue", Some(&in_days(31)));
    let refused = finding(&late, "consent.coverage").expect("thirty days are over");
    let sentence = refused["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("2 of 10 people") && sentence.contains("more than 30 days"), "{sentence}");
    assert_eq!(finding(&s.dry_at("start", Some(&in_days(29))), "consent.coverage"), None);
    // A purpose may state more.
    let mut longer = harness::scenario::purpose("scoring");
    longer["withdrawal"] = json!({"days": 90, "retraining_days": 60, "review_days": 5});
    s.add("purposes", longer);
    let mut own = deployment();
    (own["bases"], own["purpose"]) = (json!(["basis:scoring-consent"]), json!("purpose:scoring@2"));
    s.add("deployments", own);
    assert_eq!(finding(&s.dry_at("continue", Some(&in_days(31))), "consent.coverage"), None);
    assert!(finding(&s.dry_at("continue", Some(&in_days(91))), "consent.coverage").is_some());
}

#[test]
fn whoever_agreed_lately_and_withdraws_stops_nothing() {
    let s = on_consent();
    load(&s, "1", 0..10);
    let lately: Vec<Value> = (0..10).map(|n| said(n, n, "given", &in_days(-5))).collect();
    batch(&s.ana, &lately).good();
    s.add("model-versions", model_version("2", "2"));
    let mut run = training("2", "1");
    run["started_at"] = json!(in_days(-2));
    s.add("runs", run);
    s.release("2");
    assert_eq!(s.activate("release:score-prod@2").good()["verdict"], "allow");
    batch(&s.ana, &[said(4, 40, "withdrawn", &licit_server::clock::now().to_string())]).good();
    assert_eq!(finding(&s.dry("continue"), "consent.coverage"), None);
    assert_eq!(finding(&s.dry_at("continue", Some(&in_days(24))), "consent.coverage"), None);
    assert!(finding(&s.dry_at("continue", Some(&in_days(31))), "consent.coverage").is_some());
}

#[test]
fn what_becomes_known_late_stops_nothing_at_once() {
    let s = consenting();
    s.activate("release:score-prod@1").good();
    let mut invalid = said(4, 40, "invalidated", &licit_server::clock::now().to_string());
    batch(&s.ana, &[invalid.clone()]).good();
    invalid["indicated_by"] = json!("data_subject");
    assert_eq!(batch(&s.dora, &[invalid.clone()]).good()["refused"][0]["pointer"], "#/indicated_by");
    invalid["indicated_by"] = json!("authority");
    assert_eq!(batch(&s.dora, &[invalid]).good()["created"], 1);
    assert!(finding(&s.dry("start"), "consent.coverage").is_some(), "nothing begins on it");
    let goes_on = s.dry("continue");
    let due =
        |decision: &Value| decision["actions_due"].as_array().unwrap().iter().any(|f| f["rule"] == "consent.coverage");
    assert!(finding(&goes_on, "consent.coverage").is_none() && due(&goes_on), "{goes_on:#}");
    assert!(finding(&s.dry_at("continue", Some(&in_days(31))), "consent.coverage").is_some());
}

#[test]
fn a_corrected_set_is_of_before_the_training_and_for_its_purpose() {
    let s = consenting();
    batch(&s.ana, &[said(0, 1, "withdrawn", "2025-12-01T00:00:00Z")]).good();
    let made = s
        .ana
        .post("/api/v1/member-sets", &json!({"dataset_version": "dataset:crm/people@1", "purpose": "purpose:scoring"}))
        .good();
    s.add("purposes", harness::scenario::purpose("other"));
    let other = s
        .ana
        .post("/api/v1/member-sets", &json!({"dataset_version": "dataset:crm/people@1", "purpose": "purpose:other"}))
        .good();
    assert_eq!(other["count"], 0);
    for (version, set, began) in
        [("2", &made["id"], "2026-01-01T00:00:00Z".to_owned()), ("3", &other["id"], in_days(0))]
    {
        s.add("model-versions", model_version(version, version));
        let mut run = training(version, "1");
        (run["started_at"], run["member_sets"]) = (json!(began), json!([set]));
        s.add("runs", run);
        s.release(version);
        assert!(finding(&s.dry("start"), "consent.coverage").is_some(), "{version}");
    }
}

#[test]
fn a_decision_on_consent_is_replayed_byte_by_byte() {
    let s = consenting();
    let decision = s.activate("release:score-prod@1").good();
    batch(&s.ana, &[said(0, 1, "withdrawn", "2025-12-01T00:00:00Z")]).good();
    let id = decision["id"].as_str().unwrap();
    let replayed = s.audit.get(&format!("/api/v1/decisions/{id}/replay?known_at=now")).good();
    assert_eq!((&replayed["same"], &replayed["same_evidence"]), (&json!(true), &json!(true)), "{replayed:#}");
    let came = &replayed["known"]["came"];
    assert!(came.as_array().unwrap().iter().any(|f| f["rule"] == "consent.coverage"), "{came:#}");
    let evidence = s.audit.get(&format!("/api/v1/decisions/{id}/evidence")).good();
    let consents = evidence["consents"].as_array().unwrap();
    assert!(consents.iter().all(|one| one["members"]["count"] == 10 && one["missing"] == 0), "{consents:#?}");
}

#[test]
fn policy_may_tolerate_some_of_a_million() {
    let s = consenting();
    batch(&s.ana, &[said(0, 1, "withdrawn", "2025-12-01T00:00:00Z")]).good();
    assert!(finding(&s.dry("start"), "consent.coverage").is_some());
    let policy =
        |per_million: u32| {
            s.server.admin().post("/api/v1/policies", &json!({
            "name": "Ours", "review": {"quorum": 2, "approval_days": 365}, "unconsented_per_million": per_million,
        }))
        };
    policy(1001).problem(422);
    policy(1000).good();
    s.approve(&["policy:organisation"]);
    assert!(finding(&s.dry("start"), "consent.coverage").is_some(), "one of ten is a hundred thousand of a million");
    // A version of the people large enough: one of two thousand.
    s.add("dataset-versions", people("2"));
    load(&s, "2", 1..2001);
    agree(&s, 10..2001);
    batch(&s.ana, &[said(1, 2, "withdrawn", &in_days(-6))]).good();
    s.add("model-versions", model_version("2", "2"));
    let mut lately = training("2", "2");
    lately["started_at"] = json!(in_days(-5));
    s.add("runs", lately);
    s.release("2");
    assert_eq!(finding(&s.dry("start"), "consent.coverage"), None);
    // Tolerated, not forgotten: it is acted on like any withdrawal.
    assert!(finding(&s.dry_at("start", Some(&in_days(25))), "consent.coverage").is_some());
}

#[test]
fn what_was_learned_on_consent_is_asked_for_it_whatever_it_runs_on() {
    let s = Scenario::registered();
    s.add("subject-keys", super::key("k1", "crm", harness::scenario::ZEROS));
    let mut consent = basis("scoring-consent", "scoring");
    consent["legal_basis"] = json!("art6_1_a");
    consent["letter"] = json!({"notice": harness::scenario::evidence(), "withdrawal_means": "https://acme.example/no"});
    consent["covers"]["stages"] = json!(["training"]);
    let mut contract = basis("scoring-contract", "scoring");
    contract["covers"]["stages"] = json!(["deployment"]);
    for basis in [consent, contract] {
        s.add("bases", basis);
    }
    s.add("deployments", deployment());
    s.approve(&[
        "purpose:scoring",
        "basis:scoring-consent",
        "basis:scoring-contract",
        "system:scorer",
        "deployment:score-prod",
    ]);
    load(&s, "1", 0..10);
    agree(&s, 0..10);
    batch(&s.ana, &[said(3, 1, "withdrawn", &licit_server::clock::now().to_string())]).good();
    assert_eq!(s.activate("release:score-prod@1").good()["verdict"], "allow");
    let open = s.audit.get("/api/v1/consent-actions").good()["items"].clone();
    assert_eq!((&open[0]["about"], &open[0]["people"], &open[1]), (&json!("consent"), &json!(1), &Value::Null));
    let found = finding(&s.dry_at("start", Some(&in_days(31))), "consent.coverage").expect("it contains their data");
    assert!(found["sentence"].as_str().unwrap().starts_with("1 of 10 people"), "{found}");
}
