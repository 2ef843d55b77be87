//! Any bit of a file that leaves the registry is turned: it does not hold any more, unless it was only a hint, or what a proof says of
//! itself, or it says the same in another spelling.

use harness::Scenario;
use licit_schemas::proof::trust::Outcome;
use licit_schemas::proof::{in_force, passport, receipt};
use licit_schemas::time::Timestamp;
use serde_json::Value;

use super::{decide, keys, path};

/// A cheap source of places (xorshift), the same in every run.
fn places() -> impl FnMut(usize) -> usize {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    }
}

/// Takes out what nothing is decided by: hints at keys, what a proof says of the leaf and the root, which are computed, and how ids and
/// moments are spelled (RFC 9562 §4 and RFC 3339 §5.6 leave the case of their letters free).
fn unread(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for name in ["keyid", "leaf_hash", "root"] {
                members.remove(name);
            }
            members.values_mut().for_each(unread);
        }
        Value::Array(items) => items.iter_mut().for_each(unread),
        Value::String(text) => {
            let id = text.parse::<uuid::Uuid>().map(|id| id.to_string());
            let moment = || text.parse::<Timestamp>().map(|moment| moment.to_string());
            if let Some(plain) = id.ok().or_else(|| moment().ok()) {
                *text = plain;
            }
        }
        _ => {}
    }
}

#[track_caller]
fn turned(what: &str, sound: &Value, outcome: impl Fn(&[u8]) -> Outcome) {
    let bytes = sound.to_string().into_bytes();
    assert_eq!(outcome(&bytes), Outcome::Holds, "{what}");
    let bare = |bytes: &[u8]| {
        let mut value: Value = serde_json::from_slice(bytes).ok()?;
        unread(&mut value);
        Some(value)
    };
    let (same, mut next, mut refused) = (bare(&bytes), places(), 0);
    for _ in 0..1500 {
        let mut other = bytes.clone();
        let place = next(other.len());
        other[place] ^= 1 << next(8);
        match outcome(&other) {
            Outcome::Broken => refused += 1,
            found => {
                let around = &other[place.saturating_sub(60)..(place + 40).min(other.len())];
                let around = String::from_utf8_lossy(around);
                assert!(found == Outcome::Holds && bare(&other) == same, "{what}: {found:?} at {place}, {around}");
            }
        }
    }
    assert!(refused > 1000, "{what}: {refused}");
    for cut in (0..bytes.len()).step_by(97) {
        assert_eq!(outcome(&bytes[..cut]), Outcome::Broken, "{what}: cut at {cut}");
    }
}

#[test]
fn any_bit_of_a_receipt_a_proof_or_a_passport_that_is_turned_is_found() {
    let s = Scenario::running();
    let decision = decide(&s, "continue");
    std::thread::sleep(std::time::Duration::from_millis(3));
    let at = licit_server::clock::now();
    std::thread::sleep(std::time::Duration::from_millis(3));
    s.ci.post("/api/v1/uses", &crate::uses::since(crate::uses::activated(&s), 7)).good();
    let keys = keys(&s);
    let (max_age, deployment, release, files) = (None, None, None, None);
    let now = licit_server::clock::now();
    let given = s.ci.get(&path(&decision, "receipt")).good();
    turned("receipt", &given, |bytes| {
        let asked = receipt::verify::Asked { keys: &keys, at: now, max_age, deployment, release, intent: None, files };
        receipt::verify::verify(bytes, &asked).outcome()
    });
    let id = |reference: &str| s.ana.resolve(reference)["id"].as_str().unwrap().to_owned();
    let proof = s.audit.get(&format!("/api/v1/deployments/{}/proof?at={at}", id("deployment:score-prod"))).good();
    turned("proof", &proof, |bytes| {
        let asked = in_force::verify::Asked { keys: &keys, now, moment: Some(at), max_age, deployment, release, files };
        in_force::verify::verify(bytes, &asked).outcome()
    });
    let passport = s.audit.get(&format!("/api/v1/model-versions/{}/passport", id("model:score@1"))).good();
    turned("passport", &passport, |bytes| {
        let asked = passport::verify::Asked { keys: &keys, at: licit_server::clock::now(), max_age, files };
        passport::verify::verify(bytes, &asked).outcome()
    });
}
