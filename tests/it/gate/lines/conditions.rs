//! Lines of the rules on what particular data and people ask of their basis.

use harness::scenario::{AGE, evidence, people};
use serde_json::json;

use super::State::{Expired, Satisfied, Unknown, Unmet};
use super::{Line, basis, days, holds, later, let_through, none, now, other_basis, retrain, revise_basis, wide_basis};
use crate::gate::parts::{Parts, people_with, train_on_columns};

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
    none("minors", Unknown, "whom the data are about, where nobody said it, is a finding of basis.governing"),
    none("minors", Expired, "the basis shows who consents or not; the end of the basis itself is a finding of basis.approved"),

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

/// The purpose needs their age; the model learned of their e-mail address, too.
fn more_than_age(p: &mut Parts) {
    p.purposes[0]["needs"] = json!([AGE]);
    p.deployment["reads"] = json!({"nobody": "It is asked about no person."});
}

fn convicted(p: &mut Parts) {
    p.versions[0] = people_with("1", &[CONVICTION]);
    p.bases[0] = wide_basis(&[CONVICTION], false);
}

fn authorised() -> serde_json::Value {
    let mut basis = wide_basis(&[CONVICTION], false);
    basis["letter"]["law"] = json!("Law on registers, Article 7");
    basis
}

/// Children who consent themselves.
fn children(p: &mut Parts) {
    p.versions[0]["subjects"] = json!([CHILD]);
    p.bases[0] = consent();
}

fn consent() -> serde_json::Value {
    let mut consent = other_basis("scoring-contract", "art6_1_a");
    consent["covers"]["subjects"] = json!([CHILD]);
    consent
}

fn parents() -> serde_json::Value {
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
