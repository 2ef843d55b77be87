//! The server's side.

use chrono::Duration;
use harness::scenario::model_version;
use harness::{Scenario, TestServer};
use licit_schemas::digest::Digest;
use licit_schemas::proof::bundle;
use licit_schemas::proof::oms;
use licit_schemas::proof::receipt::verify::Outcome;
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::{decide, held, path, receipt};
use crate::gate::baseline::{before, take_over};
use crate::gate::emergency::{denied, emergency};
use crate::gate::parts::world;
use crate::support::head;

fn moment(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn in_minutes(minutes: i64) -> Timestamp {
    licit_server::clock::now().plus(Duration::minutes(minutes))
}

#[test]
fn an_allowed_decision_has_a_receipt_that_says_what_was_decided() {
    let s = Scenario::running();
    let decision = decide(&s, "continue");
    let (given, said) = receipt(&s, &s.ci, &decision);
    let vsa = &said.predicate;
    let origin = crate::ledger::ring(&s.audit).origin.unwrap();
    assert_eq!(vsa.verifier.id, format!("https://{origin}"));
    assert_eq!((vsa.resource_uri.as_str(), vsa.verification_result.as_str()), ("deployment:score-prod", "PASSED"));
    assert_eq!(json!(vsa.time_verified), decision["valid_at"]);
    assert_eq!(json!(format!("sha256:{}", vsa.input_attestations[0].digest.sha256)), decision["evidence_digest"]);
    assert_eq!(vsa.policy.uri, "policy:default@1");
    assert_eq!(vsa.terms.valid_until, vsa.time_verified.plus(Duration::hours(24)), "{}", vsa.terms.valid_until_for);
    let levels = ["PURPOSE_APPROVED", "BASIS_HOLDS", "CONSENT_COVERED", "LINEAGE_COMPLETE"];
    assert_eq!(vsa.verified_levels, levels.map(|level| format!("LICIT_{level}")));
    // The model's root, and its file.
    let file: Digest = format!("sha256:{}", "1".repeat(64)).parse().unwrap();
    let root = oms::root([("model.json", &file)]).unwrap();
    let subjects: Vec<(&str, &str)> =
        said.subject.iter().map(|s| (s.name.as_str(), s.digest.sha256.as_str())).collect();
    assert_eq!(subjects, [("model:score@1", root.hex().as_str()), ("model.json", file.hex().as_str())]);
    // Asked again, whatever came since: the same statement, signed the same.
    s.add("parties", harness::scenario::party("other"));
    let later = s.audit.get(&path(&decision, "receipt")).good();
    assert_eq!(later["envelope"], given["envelope"]);
    assert_eq!(held(&s, &given, None).outcome(), Outcome::Holds);
    assert_eq!(held(&s, &given, Some(vsa.terms.valid_until)).outcome(), Outcome::NotValid);
    let bundled = s.ci.get(&path(&decision, "bundle")).good();
    assert_eq!(bundled["dsseEnvelope"], given["envelope"]);
    bundle::envelope(bundled.to_string().as_bytes()).unwrap();
    s.nobody_reads(&path(&decision, "receipt"));
    s.ci.get(&format!("/api/v1/decisions/{}/receipt", uuid::Uuid::nil())).problem(404);
}

trait Closed {
    fn nobody_reads(&self, path: &str);
}

impl Closed for Scenario {
    fn nobody_reads(&self, path: &str) {
        self.server.nobody().get(path).problem(401);
    }
}

#[test]
fn asking_for_a_receipt_writes_nothing_but_a_checkpoint() {
    let s = Scenario::running();
    let decision = decide(&s, "continue");
    let notes = || s.audit.get("/api/v1/ledger/checkpoints").good()["items"].as_array().unwrap().len();
    let before = head(&s.audit);
    receipt(&s, &s.ci, &decision);
    let one = notes();
    receipt(&s, &s.ci, &decision);
    assert_eq!((head(&s.audit), notes()), (before, one), "one checkpoint does for both");
}

#[test]
fn the_gate_answers_with_the_receipt_where_that_is_asked() {
    let s = Scenario::running();
    let ask = |more: Value| {
        let mut body = json!({"deployment": "deployment:score-prod", "intent": "start", "receipt": true});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        s.ci.post("/api/v1/gate", &body).good()
    };
    let answer = ask(json!({}));
    assert_eq!((&answer["verdict"], answer.get("no_receipt")), (&json!("allow"), None));
    assert_eq!(held(&s, &answer["receipt"], None).outcome(), Outcome::Holds, "{answer:#}");
    assert_eq!(decide(&s, "start").get("receipt"), None, "not asked for");
    let dry = ask(json!({"dry_run": true}));
    assert_eq!(
        (dry.get("receipt"), &dry["no_receipt"]),
        (None, &json!("a dry run is not recorded: there is nothing to prove"))
    );
    s.revoke("basis:scoring-contract", 0);
    let refused = ask(json!({}));
    assert_eq!((&refused["verdict"], &refused["no_receipt"]), (&json!("deny"), &json!("the gate denied it")));
}

#[test]
fn what_was_denied_has_none_however_it_passes() {
    let refused = |s: &Scenario, decision: &Value, words: &str| {
        assert_eq!((&decision["verdict"], &decision["passes"]), (&json!("deny"), &json!(true)), "{decision:#}");
        let problem = s.ci.get(&path(decision, "receipt")).problem(409);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
        s.ci.get(&path(decision, "bundle")).problem(409);
        let status = s.ci.get(&path(decision, "status")).good();
        assert_eq!(status["stands"], false);
        assert!(status["no_receipt"].as_str().unwrap().contains(words), "{status:#}");
    };
    let s = world(|p| {
        p.environment["mode"] = json!("observe");
        denied(p);
    });
    refused(&s, &decide(&s, "start"), "by the mode of its environment only");
    let s = before();
    take_over(&s);
    s.approve(&["baseline:before-licit"]);
    refused(&s, &decide(&s, "continue"), "`baseline:before-licit@1` only");
    let s = world(denied);
    emergency(&s);
    refused(&s, &decide(&s, "continue"), "`break-glass:inc-1@1` only");
}

#[test]
fn it_ends_with_the_first_of_what_is_behind_it() {
    // Each alone ends within the day for which a receipt stands.
    let ends = |s: &Scenario, words: &str, at: Timestamp| {
        let decision = decide(s, "start");
        assert_eq!(decision["verdict"], "allow", "{decision:#}");
        let (_, said) = receipt(s, &s.ci, &decision);
        let terms = said.predicate.terms;
        assert_eq!(terms.valid_until, at, "{words}: {}", terms.valid_until_for);
        assert!(terms.valid_until_for.contains(words), "{words}: {}", terms.valid_until_for);
    };
    let end = in_minutes(90);
    let s = Scenario::registered();
    let four = ["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"];
    for (place, reference) in four.iter().enumerate() {
        s.approve_until(&[reference], (place == 1).then(|| end.to_string()).as_deref());
    }
    ends(&s, "the approval of `basis:scoring-contract@1` ends", end);
    let valid = end.to_string();
    let s = world(|p| p.bases[0]["valid_to"] = json!(valid));
    ends(&s, "`basis:scoring-contract@1` ends", end);
    let s = world(|p| p.versions[0]["retention"]["until"] = json!(valid));
    ends(&s, "the retention of `dataset:crm/people@1` ends", end);
    let s = world(|p| p.system["documents"][0]["valid_to"] = json!(valid));
    ends(&s, "the document `dpia` of `system:scorer@1` ends", end);
    let s = world(|p| p.purposes[0]["valid_to"] = json!(valid));
    ends(&s, "`purpose:scoring@1` ends", end);
    let s = world(|p| p.environment["time_to_live_hours"] = json!(2));
    let proposed = moment(&s.ana.resolve("release:score-prod@1")["recorded_at"]);
    ends(&s, "time to live", proposed.plus(Duration::hours(2)));
}

/// What begins later ends it, too, though nothing that it rests on has that end.
#[test]
fn it_ends_before_the_same_question_would_be_refused() {
    let s = Scenario::approved();
    let begins = in_minutes(90);
    let mut narrower = harness::scenario::basis("scoring-contract", "scoring");
    narrower["covers"]["stages"] = json!(["training"]);
    narrower["valid_from"] = json!(begins.to_string());
    s.add("bases", narrower);
    s.approve(&["basis:scoring-contract@2"]);
    let decision = decide(&s, "start");
    assert_eq!(decision["verdict"], "allow", "{decision:#}");
    let (_, said) = receipt(&s, &s.ci, &decision);
    let terms = said.predicate.terms;
    let early = begins.micros() - terms.valid_until.micros();
    assert!((0..=1_000_000).contains(&early), "{early}: {}", terms.valid_until_for);
    assert!(terms.valid_until_for.ends_with("refuses from then on"), "{}", terms.valid_until_for);
}

#[test]
fn policy_says_how_long_one_stands() {
    let s = Scenario::running();
    let stands = |s: &Scenario| {
        let (_, said) = receipt(s, &s.ci, &decide(s, "continue"));
        said.predicate.terms.valid_until.micros() - said.predicate.time_verified.micros()
    };
    let policy =
        |hours: u16| json!({"name": "P", "review": {"quorum": 2, "approval_days": 365}, "receipt_hours": hours});
    s.server.admin().post("/api/v1/policies", &policy(169)).problem(422);
    s.server.admin().post("/api/v1/policies", &policy(72)).good();
    assert_eq!(stands(&s), Duration::hours(24).num_microseconds().unwrap(), "not approved yet");
    let first = s.ci.get("/api/v1/decisions?limit=1").good()["items"][0]["spec"].clone();
    let (before, _) = receipt(&s, &s.ci, &first);
    s.approve(&["policy:organisation@1"]);
    assert_eq!(stands(&s), Duration::hours(72).num_microseconds().unwrap());
    // What was given stays as it was given.
    assert_eq!(receipt(&s, &s.ci, &first).0["envelope"], before["envelope"]);
}

/// With actions due, what is due is not verified, and the first of it ends the receipt.
#[test]
fn what_goes_on_with_actions_due_says_so() {
    let s = Scenario::running();
    let revoked = s.revoke("basis:scoring-contract", 30);
    let decision = decide(&s, "continue");
    assert_eq!(decision["verdict"], "allow", "{decision:#} {revoked:#}");
    let (_, said) = receipt(&s, &s.ci, &decision);
    assert!(said.predicate.terms.actions_due > 0);
    let levels = &said.predicate.verified_levels;
    assert!(!levels.iter().any(|level| level == "LICIT_BASIS_HOLDS"), "{levels:?}");
    assert!(levels.iter().any(|level| level == "LICIT_LINEAGE_COMPLETE"), "{levels:?}");
}

#[test]
fn a_status_says_what_became_of_it() {
    let s = Scenario::running();
    let decision = decide(&s, "start");
    let status = |s: &Scenario| {
        let answer = s.ci.get(&path(&decision, "status"));
        assert_eq!(answer.header("cache-control"), Some("private, max-age=5"));
        answer.good()
    };
    let now = status(&s);
    assert_eq!(
        (&now["stands"], &now["release_state"], now.get("why")),
        (&json!(true), &json!("active"), None),
        "{now:#}"
    );
    // Another release takes its place.
    s.add("model-versions", model_version("2", "2"));
    s.add("runs", harness::scenario::training("2", "1"));
    s.release("2");
    s.activate("release:score-prod@2").good();
    let now = status(&s);
    assert_eq!((&now["stands"], &now["superseded_by"]), (&json!(false), &json!("release:score-prod@2")), "{now:#}");
    // What it rests on is taken back.
    s.revoke("basis:scoring-contract", 0);
    s.audit.get("/api/v1/gaps").good();
    let now = status(&s);
    assert!(now["why"].as_array().unwrap().len() > 1, "{now:#}");
    assert!(now["findings"].as_array().unwrap().iter().any(|f| f["rule"] == "source.covered"), "{now:#}");
    let id = s.ana.resolve("release:score-prod@1")["id"].as_str().unwrap().to_owned();
    s.ci.post(&format!("/api/v1/releases/{id}/withdraw"), &json!({})).good();
    let now = status(&s);
    assert_eq!(now["release_state"], "withdrawn");
    assert!(now["why"].to_string().contains("was withdrawn"), "{now:#}");
    // The receipt holds all the same: it is of then.
    let (given, _) = receipt(&s, &s.ci, &decision);
    assert_eq!(held(&s, &given, None).outcome(), Outcome::Holds);
    let other = decide(&s, "continue");
    let gaps = s.ci.get(&path(&other, "status")).good();
    assert!(!gaps["gaps"].as_array().unwrap().is_empty(), "{gaps:#}");
}

#[test]
fn a_rotated_key_signs_what_is_asked_for_from_then_on() {
    let s = Scenario::running();
    let decision = decide(&s, "continue");
    let (before, said) = receipt(&s, &s.ci, &decision);
    assert_eq!(TestServer::run(&s.server.db, &["key", "rotate"]).0, 0);
    let after = s.ci.get(&path(&decision, "receipt")).good();
    assert_eq!(after["envelope"]["payload"], before["envelope"]["payload"]);
    assert_ne!(after["envelope"]["signatures"], before["envelope"]["signatures"]);
    let keys = super::keys(&s);
    assert_eq!(keys.len(), 2);
    let by = |receipt: &Value, key: usize| {
        let at = said.predicate.time_verified;
        let asked = licit_schemas::proof::receipt::verify::Asked {
            keys: &keys[key..=key],
            at,
            max_age: None,
            deployment: None,
            release: None,
            intent: None,
            files: None,
        };
        licit_schemas::proof::receipt::verify::verify(receipt.to_string().as_bytes(), &asked).outcome()
    };
    assert_eq!((by(&before, 0), by(&after, 1)), (Outcome::Holds, Outcome::Holds));
    assert_eq!((by(&before, 1), by(&after, 0)), (Outcome::Broken, Outcome::Broken));
}
