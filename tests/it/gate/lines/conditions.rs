//! Lines of the rules on what particular data and people ask of their basis.

use harness::Scenario;
use harness::scenario::{AGE, evidence, party, people};
use serde_json::{Value, json};

use super::State::{Expired, Satisfied, Unknown, Unmet};
use super::{
    Line, anonymity, anonymous, assess, basis, days, holds, later, let_through, none, now, other_basis, redeploy,
    retrain, revise_basis, wide_basis,
};
use crate::gate::parts::{Parts, change, people_with, train_on_columns};

const CONVICTION: &str = "https://w3id.org/dpv/pd#CriminalConviction";
const CHILD: &str = "https://w3id.org/dpv#Child";

#[rustfmt::skip]
pub(super) const LINES: &[Line] = &[
    now("criminal", Satisfied, |p| { convicted(p); p.bases[0] = authorised() }, |_| {}),
    now("criminal", Unmet, convicted, |c| revise_basis(&c.s, authorised())),
    none("criminal", Unknown, "what a field may hold that nobody classified is a finding of lineage.complete and special.category"),
    none("criminal", Expired, "the basis names a law or not; the end of the basis itself is a finding of basis.approved"),

    now("minors", Satisfied, |p| { children(p); p.bases[0] = parents() }, |_| {}),
    now("minors", Unmet, children, |c| revise_basis(&c.s, parents())),
    now("minors", Unknown, |p| { children(p); p.bases[0] = from_age("US", 16) }, |c| revise_basis(&c.s, from_age("FR", 15))),
    none("minors", Expired, "the basis shows who consents or not; the end of the basis itself is a finding of basis.approved"),

    holds("transfer", |p| abroad(p, Some(400))),
    now("transfer", Unmet, |p| abroad(p, None), |c| clauses(&c.s, 400)),
    now("transfer", Unknown, |p| { p.deployment.as_object_mut().unwrap().remove("region"); }, |c| redeploy(&c.s, |d| d["region"] = json!("FR"))),
    later("transfer", 60, |p| abroad(p, Some(30)), |c| clauses(&c.s, 400)),

    now("environment.class", Satisfied, |p| { synthetic(p); p.versions[0] = made_up("1") }, |_| {}),
    now("environment.class", Unmet, synthetic, |c| retrain(&c.s, "2", made_up("2"))),
    now("environment.class", Unknown, |p| { synthetic(p); p.versions[0].as_object_mut().unwrap().remove("origin"); }, |c| retrain(&c.s, "2", made_up("2"))),
    later("environment.class", 200, |p| { anonymous(p); synthetic(p) }, |c| { let mut again = anonymity("model:score@1"); again["valid_to"] = json!(days(300)); assess(c, again) }),

    let_through(Satisfied, 1, |_| {}),
    let_through(Unmet, 8, |c| { c.s.approve(&["break-glass:inc-1@1"]); }),
    none("break.glass", Unknown, "what was let through is recorded here or was not let through"),
    none("break.glass", Expired, "what the board never ratified has not held and ended: it is unmet"),

    holds("retention", |_| {}),
    now("retention", Unmet, |p| p.versions[0]["retention"] = json!({"until": "2025-12-31"}), |c| retrain(&c.s, "2", people("2"))),
    now("retention", Unknown, |p| { p.versions[0].as_object_mut().unwrap().remove("retention"); }, |c| retrain(&c.s, "2", people("2"))),
    later("retention", 60, |p| p.versions[0]["retention"] = json!({"until": days(30)}), |c| retrain(&c.s, "2", people("2"))),

    holds("minimisation", |p| p.purposes[0]["needs"] = json!([AGE, "https://w3id.org/dpv/pd#Contact"])),
    now("minimisation", Unmet, more_than_age, |c| train_on_columns(&c.s, "2", "dataset:crm/people@1", &["age"])),
    none("minimisation", Unknown, "a purpose says which data it needs or does not; what is in a field nobody classified is a finding of lineage.complete"),
    none("minimisation", Expired, "data are needed or not; that the purpose ended is a finding of purpose.approved"),
];

/// Where nobody real may be.
fn synthetic(p: &mut Parts) {
    p.environment["class"] = json!("synthetic");
}

fn made_up(version: &str) -> Value {
    let mut table = people(version);
    table["origin"] = json!("synthetic");
    table
}

/// A host in the United States, with the Commission's clauses until then.
fn overseas(until: Option<i64>) -> Value {
    let mut host = party("host");
    host["region"] = json!("US");
    let tie = |kind: &str, until: i64| json!({"kind": kind, "with": "party:acme", "evidence": evidence(), "valid_from": "2020-01-01", "valid_to": days(until)});
    host["arrangements"] = json!([tie("processing_contract", 900)]);
    if let Some(until) = until {
        host["arrangements"].as_array_mut().unwrap().push(tie("standard_clauses", until));
    }
    host
}

fn abroad(p: &mut Parts, until: Option<i64>) {
    p.parties.push(overseas(until));
    p.deployment["processors"] = json!(["party:host"]);
}

fn clauses(s: &Scenario, until: i64) {
    change(s, "parties", "party:host", |host| *host = overseas(Some(until)));
}

/// The purpose needs their age; the model learned of their e-mail address, too.
fn more_than_age(p: &mut Parts) {
    p.purposes[0]["needs"] = json!([AGE]);
    p.deployment["reads"] = json!({"nobody": "It is asked about no person."});
}

fn convicted(p: &mut Parts) {
    p.versions[0] = people_with("1", &[CONVICTION]);
    p.bases[0] = wide_basis(&[CONVICTION], false);
}

fn authorised() -> Value {
    let mut basis = wide_basis(&[CONVICTION], false);
    basis["letter"]["law"] = json!("Law on registers, Article 7");
    basis
}

/// Children who consent themselves.
fn children(p: &mut Parts) {
    p.versions[0]["subjects"] = json!([CHILD]);
    p.bases[0] = consent();
}

fn consent() -> Value {
    let mut consent = other_basis("scoring-contract", "art6_1_a");
    consent["covers"]["subjects"] = json!([CHILD]);
    consent
}

/// Children who consent themselves from an age on.
fn from_age(country: &str, age: u8) -> Value {
    let mut consent = consent();
    consent["letter"]["minimum_age"] = json!({"country": country, "age": age});
    consent
}

#[test]
fn children_consent_themselves_at_the_age_their_country_sets_then() {
    let asked = |country: &str, age: u8, day: Option<&str>| {
        let s = crate::gate::parts::world(|p| {
            children(p);
            p.bases[0] = from_age(country, age);
            p.runs[0]["started_at"] = json!("2023-06-01T00:00:00Z");
        });
        let decision = s.dry_at("start", day);
        let found = crate::gate::parts::of_rule(&decision, "minors");
        found.iter().map(|f| f["sentence"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(asked("FR", 15, None), [""; 0]);
    assert!(asked("FR-69", 14, None)[0].contains("from 15 on only by the law of FR-69"));
    assert!(asked("DE", 15, None)[0].contains("from 16 on only"));
    // Denmark raised it in 2024: the training of 2023 was lawful, the use of today is not.
    assert_eq!(asked("DK", 13, None).len(), 1);
    assert_eq!(asked("DK", 13, Some("2023-12-01")), [""; 0]);
}

fn parents() -> Value {
    let mut consent = consent();
    consent["letter"]["parental_consent"] = evidence();
    consent
}

#[test]
fn children_on_a_contract_are_not_asked_for_parental_consent() {
    let s = crate::gate::parts::world(|p| {
        p.versions[0]["subjects"] = json!([CHILD]);
        p.bases[0] = basis(|b| b["covers"]["subjects"] = json!([CHILD]));
    });
    crate::gate::parts::allowed(&s.dry("start"));
}
