//! "At the moment of use, we had the right": one file, believed without the server, and refused where anything of it is changed.

use chrono::Duration;
use harness::Scenario;
use harness::scenario::model_version;
use licit_schemas::digest::Digest;
use licit_schemas::proof::in_force::InForce;
use licit_schemas::proof::in_force::verify::{Asked, verify};
use licit_schemas::proof::statement::Statement;
use licit_schemas::proof::trust::{Outcome, Verified};
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::{activated, since};
use crate::ledger::ring;
use crate::receipts::keys;
use crate::support::licit;

fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(3));
}

/// A moment, once it is over.
fn moment() -> Timestamp {
    pause();
    let at = licit_server::clock::now();
    pause();
    at
}

fn ask(s: &Scenario, at: Timestamp) -> harness::Answer {
    let id = s.ana.resolve("deployment:score-prod")["id"].as_str().unwrap().to_owned();
    s.audit.get(&format!("/api/v1/deployments/{id}/proof?at={at}"))
}

fn held(s: &Scenario, proof: &Value, at: Option<Timestamp>) -> Verified<Statement<InForce>> {
    let keys = keys(s);
    let now = licit_server::clock::now();
    let asked = Asked { keys: &keys, now, moment: at, max_age: None, deployment: None, release: None, files: None };
    verify(proof.to_string().as_bytes(), &asked)
}

#[track_caller]
fn says(verified: &Verified<Statement<InForce>>, check: &str) -> String {
    let found = verified.checks.iter().find(|one| one.check == check);
    found.unwrap_or_else(|| panic!("{check}: {verified:#?}")).says.clone()
}

#[test]
fn a_proof_holds_without_the_server() {
    let s = Scenario::running();
    let at = moment();
    s.ci.post("/api/v1/uses", &since(activated(&s), 41)).good();
    let proof = ask(&s, at).good();
    let verified = held(&s, &proof, Some(at));
    assert_eq!(verified.outcome(), Outcome::Holds, "{verified:#?}");
    assert!(says(&verified, "unbroken").starts_with("proven: of all"), "{verified:#?}");
    assert!(says(&verified, "uses").starts_with("41 uses in 1 batch"), "{verified:#?}");
    assert!(says(&verified, "receipt").starts_with("the receipt of that decision stood until"), "{verified:#?}");
    let said = &verified.statement.as_ref().unwrap().predicate;
    assert_eq!((said.at, said.deployment.as_str()), (at, "deployment:score-prod"));
    assert_eq!(held(&s, &proof, Some(at.plus(Duration::microseconds(1)))).outcome(), Outcome::NotValid);
    s.server.nobody().get(&format!("/api/v1/deployments/{}/proof?at={at}", uuid::Uuid::nil())).problem(401);
    s.audit.get(&format!("/api/v1/deployments/{}/proof?at={at}", uuid::Uuid::nil())).problem(404);
    // Nothing was recorded since: the tree that was signed ends with the moment.
    let now = moment();
    let last = ask(&s, now).good();
    assert_eq!(last.get("next"), None);
    assert!(says(&held(&s, &last, None), "moment").contains("no later one is in the tree signed"));
}

#[test]
fn where_there_was_no_right_there_is_nothing_to_prove() {
    let s = Scenario::running();
    let refused = |at: Timestamp, words: &str| {
        let problem = ask(&s, at).problem(409);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with("there is nothing to prove: ") && detail.contains(words), "{detail}");
    };
    refused(activated(&s).plus(-Duration::seconds(1)), "no release of `deployment:score-prod` was active");
    let good = moment();
    s.revoke("basis:scoring-contract", 0);
    let fallen = moment();
    refused(fallen, "the gate would have refused: `basis.approved`");
    crate::receipts::decide(&s, "continue");
    refused(moment(), "says `deny`");
    // What is approved again later does not mend that moment: what was known then counts.
    s.approve(&["basis:scoring-contract"]);
    refused(fallen, "the gate would have refused");
    // And what fell later leaves the moment before as it was.
    let proof = ask(&s, good).good();
    assert_eq!(held(&s, &proof, Some(good)).outcome(), Outcome::Holds);
    let problem = ask(&s, licit_server::clock::now().plus(Duration::hours(1))).problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "#/at");
}

/// Another release takes its place: before, the first ran; after, the second; and a proof of the one is none of the other.
#[test]
fn it_follows_what_ran() {
    let s = Scenario::running();
    let first = moment();
    s.add("model-versions", model_version("2", "2"));
    s.add("runs", harness::scenario::training("2", "1"));
    s.release("2");
    s.activate("release:score-prod@2").good();
    let second = moment();
    let of = |at| {
        let proof = ask(&s, at).good();
        let verified = held(&s, &proof, Some(at));
        assert_eq!(verified.outcome(), Outcome::Holds, "{verified:#?}");
        verified.statement.unwrap().predicate.release
    };
    assert_eq!((of(first), of(second)), ("release:score-prod@1".to_owned(), "release:score-prod@2".to_owned()));
    // Rolled back, the first runs again, by a decision of its own.
    let id = s.ana.resolve("deployment:score-prod")["id"].as_str().unwrap().to_owned();
    s.ci.post(&format!("/api/v1/deployments/{id}/rollback"), &json!({})).good();
    assert_eq!(of(moment()), "release:score-prod@1");
    // A proof of the second, in which the moves that follow are shown for those before, does not hold.
    let mut proof = ask(&s, second).good();
    let other = ask(&s, first).good();
    proof["moves"] = other["moves"].clone();
    let verified = held(&s, &proof, None);
    assert_eq!(verified.outcome(), Outcome::Broken);
    assert!(says(&verified, "unbroken").contains("was not active"), "{verified:#?}");
}

/// Whatever is changed is named.
#[test]
fn a_changed_proof_is_refused_and_what_is_wrong_named() {
    let s = Scenario::running();
    let at = moment();
    s.ci.post("/api/v1/uses", &since(activated(&s), 41)).good();
    let proof = ask(&s, at).good();
    let changed = |pointer: &str, value: Value, check: &str| {
        let mut other = proof.clone();
        *other.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}: {proof:#}")) = value;
        let verified = held(&s, &other, None);
        let broken: Vec<&str> =
            verified.checks.iter().filter(|c| c.outcome == Outcome::Broken).map(|c| c.check).collect();
        assert!(broken.contains(&check), "{pointer}: {broken:?}");
    };
    changed("/form", json!("licit.proof.v2"), "form");
    changed("/envelope/payload", json!("e30="), "signature");
    changed("/envelope/signatures/0/sig", json!("AAAA"), "signature");
    changed("/decision/entry/at", json!("2026-01-01T00:00:00Z"), "inclusion");
    changed("/decision/data/spec/verdict", json!("deny"), "inclusion");
    changed("/moves/0/data/state", json!("standby"), "inclusion");
    changed("/last/entry/kind", json!("party.registered"), "inclusion");
    changed("/next/entry/at", json!("2030-01-01T00:00:00Z"), "inclusion");
    changed("/between/entries/1/kind", json!("party.registered"), "unbroken");
    changed("/between/edge", json!([]), "unbroken");
    changed("/between/consistency", json!([]), "unbroken");
    changed("/uses/0/data/spec/count", json!(1), "inclusion");
    changed("/uses", json!([]), "uses");
    changed("/checkpoint", json!(proof["checkpoint"].as_str().unwrap().replace("\n\n", "\nx\n\n")), "signature");
    // Left out is not gone.
    let without = |name: &str, check: &str| {
        let mut other = proof.clone();
        other.as_object_mut().unwrap().remove(name);
        let verified = held(&s, &other, None);
        let broken = verified.checks.iter().any(|one| one.check == check && one.outcome == Outcome::Broken);
        assert!(broken, "{name}: {verified:#?}");
    };
    without("next", "moment");
    without("uses", "uses");
    let mut fewer = proof.clone();
    fewer["between"]["entries"].as_array_mut().unwrap().remove(1);
    let verified = held(&s, &fewer, None);
    assert_eq!(verified.outcome(), Outcome::Broken);
    assert!(says(&verified, "unbroken").contains("should be shown"), "{verified:#?}");
    // Without what lies between it is the registry's word, and says so.
    let mut word = proof.clone();
    word.as_object_mut().unwrap().remove("between");
    let verified = held(&s, &word, None);
    assert_eq!(verified.outcome(), Outcome::Holds, "{verified:#?}");
    assert!(says(&verified, "unbroken").ends_with("is the registry's signed word"), "{verified:#?}");
}

#[test]
fn the_command_proves_and_verifies() {
    let s = Scenario::empty();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(at("model")).unwrap();
    std::fs::write(at("model/model.json"), "weights").unwrap();
    s.register();
    s.add("model-versions", {
        let mut version = model_version("2", "2");
        version["files"][0]["digest"] = json!(Digest::of(b"weights").to_string());
        version["files"][0]["size"] = json!(7);
        version
    });
    s.add("runs", harness::scenario::training("2", "1"));
    s.release("2");
    s.approve(&["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"]);
    s.activate("release:score-prod@2").good();
    let time = moment().to_string();
    let file = at("score.proof");
    let (code, out, said) = licit(&s.audit, &["prove", "--deployment", "score-prod", "--at", &time, "-o", &file]);
    assert_eq!(code, 0, "{out}{said}");
    std::fs::write(at("licit.pub"), ring(&s.audit).keys[0].key.to_string()).unwrap();
    let nobody = s.server.nobody();
    let verified = |more: &[&str]| {
        let key = at("licit.pub");
        licit(&nobody, &[&["verify", &file, "--key", &key][..], more].concat())
    };
    let model = at("model");
    let (code, out, said) =
        verified(&["--at", &time, "--deployment", "score-prod", "--release", "score-prod@2", "--artifact", &model]);
    assert_eq!(code, 0, "{out}{said}");
    assert!(out.contains("VALID") && out.contains("proven: of all"), "{out}");
    assert_eq!(verified(&["--at", "2026-11-30T00:00:00Z"]).0, 3);
    assert_eq!(verified(&["--deployment", "other"]).0, 3);
    std::fs::write(at("model/more.bin"), "x").unwrap();
    assert_eq!(verified(&["--artifact", &model]).0, 3);
    let other = licit_schemas::proof::key::SecretKey::from_seed(&[9; 32]).public().to_string();
    assert_eq!(licit(&nobody, &["verify", &file, "--key", &other]).0, 4);
    // What answers for a moment is no receipt of the gate.
    let key = at("licit.pub");
    let (code, out, _) =
        licit(&nobody, &["gate", "score-prod", "--offline", "--receipt", &file, "--key", &key, "--max-age", "1h"]);
    assert_eq!(code, 4, "{out}");
    let early = ["prove", "--deployment", "score-prod", "--at", "2026-11-01T00:00:00Z"];
    let (code, _, said) = licit(&s.audit, &early);
    assert!(code == 1 && said.contains("there is nothing to prove"), "{code} {said}");
}
