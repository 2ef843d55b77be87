//! Lines of the rules on what people say.

use harness::Scenario;
use harness::scenario::{in_days, model_version, training};
use serde_json::json;

use super::State::{self, Expired, Unknown, Unmet};
use super::{Case, Cell, Line, holds, none, other_basis};
use crate::consent::said;
use crate::gate::parts::{Parts, agreed, release_of};

#[rustfmt::skip]
pub(super) const LINES: &[Line] = &[
    holds("consent.coverage", consented),
    then("consent.coverage", Unmet, None, consented, |s| says(s, "withdrawn", "2025-12-01T00:00:00Z"), |c| left_out(&c.s)),
    then("consent.coverage", Unknown, None, |p| { consented(p); p.silent = true; }, |_| {}, |c| agreed(&c.s, &["dataset:crm/people@1"], &["purpose:scoring"])),
    none("consent.coverage", Expired, "consent whose time is over is consent that does not hold: unmet"),

    holds("suppression.fresh", consented),
    then("suppression.fresh", Unmet, None, consented, |s| says(s, "withdrawn", &in_days(0)), |c| acknowledge(&c.s)),
    none("suppression.fresh", Unknown, "what was said stands in the database; where that cannot be read, nothing is answered"),
    then("suppression.fresh", Expired, Some(2), consented, |s| { says(s, "withdrawn", &in_days(0)); acknowledge(s) }, |c| { acknowledge(&c.s); c.in_days = Some(0) }),

    holds("objection", marketing),
    then("objection", Unmet, None, marketing, |s| says(s, "objected", &in_days(0)), |c| acknowledge(&c.s)),
    none("objection", Unknown, "somebody objects or does not"),
    none("objection", Expired, "an objection stands until the person withdraws it"),
];

const fn then(
    rule: &'static str,
    state: State,
    in_days: Option<i64>,
    edit: fn(&mut Parts),
    then: fn(&Scenario),
    remedy: fn(&mut Case),
) -> Line {
    Line { rule, state, exists: Ok(Cell { in_days, edit, then, remedy, artifacts: Vec::new }) }
}

/// On consent, which everybody gave.
fn consented(p: &mut Parts) {
    p.bases[0] = other_basis("scoring-contract", "art6_1_a");
}

/// Direct marketing, on whatever basis.
fn marketing(p: &mut Parts) {
    p.purposes[0]["iri"] = json!("https://w3id.org/dpv#DirectMarketing");
    consented(p);
}

/// One of the two in it says something.
fn says(s: &Scenario, what: &str, at: &str) {
    s.dora.post("/api/v1/consent-records", &said(0, 77, what, at)).good();
}

fn acknowledge(s: &Scenario) {
    let id = s.ci.resolve("deployment:score-prod")["id"].as_str().unwrap().to_owned();
    let list = s.ci.get(&format!("/api/v1/deployments/{id}/suppressions")).good();
    let position = json!({"position": list["position"]});
    s.ci.post(&format!("/api/v1/deployments/{id}/suppressions/acknowledgements"), &position).good();
}

/// Leave out who does not agree, and train again.
fn left_out(s: &Scenario) {
    let set = s.add("member-sets", json!({"dataset_version": "dataset:crm/people@1", "purpose": "purpose:scoring"}));
    s.add("model-versions", model_version("2", "2"));
    let mut again = training("2", "1");
    (again["started_at"], again["member_sets"]) = (json!(in_days(0)), json!([set["id"]]));
    s.add("runs", again);
    s.add("releases", release_of("model:score@2"));
}
