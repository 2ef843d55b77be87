//! Lines of the rules on the system's file and on what it does to people.

use harness::scenario::{self, document};
use serde_json::{Value, json};

use super::State::{self, Expired, Satisfied, Unknown, Unmet};
use super::{Line, basis, cell, later, now, other_basis, resystem, retrain, revise_basis};
use crate::gate::parts::{Parts, days};
use crate::gate::table::Case;

/// By then all dates of the AI Act have come.
const LATER: i64 = 1000;

const fn then(rule: &'static str, state: State, edit: fn(&mut Parts), remedy: fn(&mut Case)) -> Line {
    cell(rule, state, Some(LATER), edit, remedy)
}

#[rustfmt::skip]
pub(super) const LINES: &[Line] = &[
    now("risk.documents", Satisfied, |p| high(&mut p.system, "annex-iii-5d", &["dpia"]), |_| {}),
    now("risk.documents", Unmet, |p| high(&mut p.system, "annex-iii-5d", &[]), |c| resystem(c, |s| high(s, "annex-iii-5d", &["dpia"]))),
    now("risk.documents", Unknown, |p| p.system["risk_class"] = json!("high"), |c| resystem(c, |s| high(s, "annex-iii-5d", &["dpia"]))),
    later("risk.documents", 60, |p| { high(&mut p.system, "annex-iii-5d", &["dpia"]); ending(&mut p.system, 30) }, |c| resystem(c, |s| high(s, "annex-iii-5d", &["dpia"]))),

    then("workers", Satisfied, |p| high(&mut p.system, "annex-iii-4b", &["workers-informed"]), |_| {}),
    then("workers", Unmet, |p| { employees(p); high(&mut p.system, "annex-iii-5d", &[]) }, |c| resystem(c, |s| high(s, "annex-iii-5d", &["workers-informed"]))),
    then("workers", Unknown, |p| { p.versions[0]["subjects"] = json!([]); high(&mut p.system, "annex-iii-5d", &[]) }, |c| retrain(&c.s, "2", scenario::people("2"))),
    cell("workers", Expired, Some(LATER), |p| { high(&mut p.system, "annex-iii-4a", &["workers-informed"]); ending(&mut p.system, 30) }, |c| resystem(c, |s| high(s, "annex-iii-4a", &["workers-informed"]))),

    then("transparency.ai", Satisfied, |p| talks(&mut p.system, &["notice-art50-1"]), |_| {}),
    then("transparency.ai", Unmet, |p| talks(&mut p.system, &[]), |c| resystem(c, |s| talks(s, &["notice-art50-1"]))),
    then("transparency.ai", Unknown, |p| p.system["risk_class"] = json!("transparency"), |c| resystem(c, |s| talks(s, &["notice-art50-1"]))),
    cell("transparency.ai", Expired, Some(LATER), |p| { talks(&mut p.system, &["notice-art50-1"]); ending(&mut p.system, 30) }, |c| resystem(c, |s| talks(s, &["notice-art50-1"]))),

    now("automated.decision", Satisfied, |p| decisive(&mut p.system), |_| {}),
    now("automated.decision", Unmet, |p| { decisive(&mut p.system); p.bases[0] = other_basis("scoring-contract", "art6_1_f") }, |c| revise_basis(&c.s, basis(|_| {}))),
    now("automated.decision", Unknown, |p| { decisive(&mut p.system); p.versions[0]["subjects"] = json!([]) }, |c| retrain(&c.s, "2", scenario::people("2"))),
    later("automated.decision", 60, |p| { decisive(&mut p.system); ending(&mut p.system, 30) }, |c| resystem(c, decisive)),
];

/// High risk in an area, with these documents and nobody to tell.
pub(crate) fn high(system: &mut Value, area: &str, documents: &[&str]) {
    system["risk_class"] = json!("high");
    system["high_risk_area"] = json!(area);
    file(system, documents);
}

/// A system that decides on people, with a way to have a person look again.
fn decisive(system: &mut Value) {
    system["effect"] = json!("decisive");
    file(system, &["dpia", "human-review"]);
}

fn talks(system: &mut Value, documents: &[&str]) {
    system["risk_class"] = json!("transparency");
    system["transparency"] = json!({
        "talks_to_people": true, "synthetic_content": false, "emotion_or_biometric": false, "deep_fake_or_public_text": false,
    });
    file(system, documents);
}

fn file(system: &mut Value, documents: &[&str]) {
    system["documents"] = documents.iter().map(|kind| document(kind)).collect();
}

/// The last document of the file ends in so many days.
fn ending(system: &mut Value, in_days: i64) {
    let last = system["documents"].as_array_mut().and_then(|list| list.last_mut()).unwrap();
    last["valid_to"] = json!(days(in_days));
}

fn employees(p: &mut Parts) {
    p.versions[0]["subjects"] = json!(["https://w3id.org/dpv#Employee"]);
    p.bases[0]["covers"]["subjects"] = json!(["https://w3id.org/dpv#Employee"]);
}
