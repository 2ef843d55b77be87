//! Passports that follow others: the next of the same model, and what is passed on to a third company.

use harness::Scenario;
use harness::scenario::{AGE, finding, findings};
use licit_schemas::notices::Commitment;
use licit_schemas::proof::dsse::Envelope;
use licit_schemas::proof::key::SecretKey;
use licit_schemas::proof::statement::PAYLOAD;
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::{FOUR, held, hospital, passport, passport_of, put_to_use, taking, vendor};
use crate::support::rebuilds;

const SERVICE: &str = "https://w3id.org/dpv#ServiceProvision";

/// What a registry would sign if its lineage said otherwise, by its own key.
fn saying(s: &Scenario, passport: &Value, change: impl FnOnce(&mut Value)) -> Value {
    let signed = Envelope::parse(passport["envelope"].to_string().as_bytes()).unwrap();
    let key: SecretKey = std::fs::read_to_string(s.server.db.key()).unwrap().parse().unwrap();
    let payload = signed.verify(&[key.public()], 1, &[PAYLOAD]).unwrap();
    let mut statement: Value = serde_json::from_slice(payload).unwrap();
    change(&mut statement["predicate"]);
    let made = Envelope::unsigned(PAYLOAD, statement.to_string().into_bytes());
    let signature = key.sign(&made.pae());
    let mut changed = passport.clone();
    changed["envelope"] = made.signed(&key.public(), None, &signature).unwrap().to_json();
    changed
}

fn later() {
    std::thread::sleep(std::time::Duration::from_millis(3));
}

#[test]
fn the_next_one_says_nothing_before_the_board_agreed() {
    let from = vendor(&[]);
    let s = hospital();
    let first = s.ana.post("/api/v1/passports", &taking(&from, &passport(&from).good())).good();
    put_to_use(&s, SERVICE);
    s.approve(&[&FOUR[..], &[first["assessment"].as_str().unwrap()]].concat());
    assert_eq!(s.dry("start")["verdict"], "allow");
    // Its maker learned that they were promised what this deployment breaks.
    later();
    let words = json!({"en": "We never sell.", "fr": "Nous ne vendons jamais."});
    let next = saying(&from, &passport(&from).good(), |says| {
        says["exposure"][0]["promises"] = json!([
            {"commitment": "not_for:scoring", "purposes": {"scoring": SERVICE}, "words": words}
        ]);
    });
    let second = s.ana.post("/api/v1/passports", &taking(&from, &next)).good();
    assert_ne!(second["assessment"], first["assessment"]);
    assert_eq!(second["datasets"], first["datasets"], "the people are the same");
    let decision = s.dry("start");
    assert_eq!((&decision["verdict"], findings(&decision)), (&json!("allow"), vec![]), "{decision:#}");
    s.approve(&[second["assessment"].as_str().unwrap()]);
    let broken = finding(&s.dry("start"), "promise").unwrap();
    assert_eq!(broken["status"], "unmet", "{broken:#}");
    rebuilds(&s.server.db);
}

#[test]
fn what_its_maker_corrects_stands_beside_what_it_said() {
    let from = vendor(&[]);
    let s = hospital();
    let first = s.ana.post("/api/v1/passports", &taking(&from, &passport(&from).good())).good();
    later();
    let health = "https://w3id.org/dpv/pd#MedicalHealth";
    let next = saying(&from, &passport(&from).good(), |says| {
        assert!(says["exposure"][0]["categories"].to_string().contains(AGE), "{says:#}");
        says["exposure"][0]["categories"] = json!([health]);
    });
    let second = s.ana.post("/api/v1/passports", &taking(&from, &next)).good();
    assert_eq!(
        (&first["datasets"], &second["datasets"]),
        (&json!(["dataset:passport/score-1@1"]), &json!(["dataset:passport/score-2@1"]))
    );
    let exposure = s.audit.get("/api/v1/exposure?ref=model:score@1").good();
    let behind: Vec<&str> =
        exposure["contained"].as_array().unwrap().iter().map(|one| one["ref"].as_str().unwrap()).collect();
    assert_eq!(behind, ["dataset:passport/score-1@1", "dataset:passport/score-2@1"], "{exposure:#}");
    assert!(exposure.to_string().contains(health), "{exposure:#}");
    // Said again, they are the same two.
    later();
    let third = saying(&from, &passport(&from).good(), |says| says["exposure"][0]["categories"] = json!([health]));
    let third = s.ana.post("/api/v1/passports", &taking(&from, &third)).good();
    assert_eq!(third["datasets"], second["datasets"]);
    rebuilds(&s.server.db);
}

#[test]
fn no_registry_on_the_way_begins_to_count_anew() {
    let from = vendor(&["deleted_after:P90Y", "never_sold"]);
    let said = passport(&from).good();
    let promises = held(&from, &said).statement.unwrap().predicate.exposure[0].promises.clone();
    let version = from.audit.get("/api/v1/dataset-versions").good()["items"][0].clone();
    let registered: Timestamp = version["recorded_at"].as_str().unwrap().parse().unwrap();
    let until = promises[0].until.unwrap();
    let Ok(Commitment::DeletedAfter(period)) = promises[0].commitment.parse() else { panic!("{promises:#?}") };
    assert_eq!((until, promises[1].until), (period.after(registered), None));
    let s = hospital();
    let taken = s.ana.post("/api/v1/passports", &taking(&from, &said)).good();
    put_to_use(&s, SERVICE);
    s.approve(&[&FOUR[..], &[taken["assessment"].as_str().unwrap()]].concat());
    s.activate("release:score-prod@1").good();
    // What was promised is passed on, with the end that it had.
    let on = passport_of(&s, "model:score@1").good();
    let passed = held(&s, &on).statement.unwrap().predicate;
    assert_eq!(passed.exposure[0].promises, promises, "{passed:#?}");
    assert!(period.after(passed.issued) > until);
    // Where it is over, it is over at every hop.
    let over = s.dry_at("start", Some(&until.plus(chrono::Duration::seconds(1)).to_string()));
    let kept = finding(&over, "promise").unwrap();
    assert_eq!((&kept["status"], &kept["since"]), (&json!("expired"), &json!(until.to_string())), "{kept:#}");
}
