//! The lines of the table: how each state is made, and what clears it.

mod conditions;
mod people;
mod system;
mod told;

use harness::Scenario;
use harness::scenario::{self, POLITICS, evidence};
use serde_json::{Value, json};

use super::anonymity::{anonymity, anonymous};
use super::combination::{combination, joined, rejoin};
use super::compatibility::{compatible, elsewhere};
use super::emergency::{denied, emergency};
use super::parts::{
    self, Parts, acquired, assessment, basis, days, endpoint, explicitly, other_basis, people_with, redeploy,
    release_of, retrain, revise_basis, wide_basis,
};
use super::table::Case;
use super::table::State::{self, Expired, Satisfied, Unknown, Unmet};

/// One cell.
pub(crate) struct Line {
    pub(crate) rule: &'static str,
    pub(crate) state: State,
    /// The cell, or why the law or the construction leaves none.
    pub(crate) exists: Result<Cell, &'static str>,
}

pub(crate) struct Cell {
    /// Days from now to the moment judged.
    pub(crate) in_days: Option<i64>,
    /// What is made different.
    pub(crate) edit: fn(&mut Parts),
    /// What happens in it then.
    pub(crate) then: fn(&Scenario),
    /// What clears it.
    pub(crate) remedy: fn(&mut Case),
    /// Files found where it will run.
    pub(crate) artifacts: fn() -> Vec<Value>,
}

const fn holds(rule: &'static str, edit: fn(&mut Parts)) -> Line {
    cell(rule, Satisfied, None, edit, |_| {})
}

const fn now(rule: &'static str, state: State, edit: fn(&mut Parts), remedy: fn(&mut Case)) -> Line {
    cell(rule, state, None, edit, remedy)
}

const fn later(rule: &'static str, in_days: i64, edit: fn(&mut Parts), remedy: fn(&mut Case)) -> Line {
    cell(rule, Expired, Some(in_days), edit, remedy)
}

const fn none(rule: &'static str, state: State, reason: &'static str) -> Line {
    Line { rule, state, exists: Err(reason) }
}

const fn cell(
    rule: &'static str,
    state: State,
    in_days: Option<i64>,
    edit: fn(&mut Parts),
    remedy: fn(&mut Case),
) -> Line {
    Line { rule, state, exists: Ok(Cell { in_days, edit, then: |_| {}, remedy, artifacts: Vec::new }) }
}

const fn found(rule: &'static str, state: State, artifacts: fn() -> Vec<Value>, remedy: fn(&mut Case)) -> Line {
    Line { rule, state, exists: Ok(Cell { in_days: None, edit: |_| {}, then: |_| {}, remedy, artifacts }) }
}

/// A denied release that somebody let through, judged some days later.
const fn let_through(state: State, in_days: i64, remedy: fn(&mut Case)) -> Line {
    let cell = Cell { in_days: Some(in_days), edit: denied, then: emergency, remedy, artifacts: Vec::new };
    Line { rule: "break.glass", state, exists: Ok(cell) }
}

/// An endpoint that was last seen to be what is pinned longer ago than policy lets count.
const fn attested_long_ago() -> Line {
    let cell = Cell {
        in_days: None,
        edit: |p| {
            p.model_versions[0] = endpoint("1");
            p.runs.clear();
            p.assessments.push(assessment("bought", "provider", "model:score@1"));
        },
        then: |s| parts::attest(s, Some(days(-40))),
        remedy: |c| parts::attest(&c.s, None),
        artifacts: Vec::new,
    };
    Line { rule: "artifact.digest", state: Expired, exists: Ok(cell) }
}

/// A year's approvals are over by then.
const AFTER: i64 = 400;
const RUN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// All lines.
pub(crate) fn all() -> impl Iterator<Item = &'static Line> {
    [LINES, conditions::LINES, people::LINES, system::LINES, told::LINES].into_iter().flatten()
}

#[rustfmt::skip]
const LINES: &[Line] = &[
    holds("purpose.approved", |_| {}),
    now("purpose.approved", Unmet, |p| p.deferred.push("purpose:scoring"), |c| approve(c, "purpose:scoring")),
    now("purpose.approved", Unknown, made_by_unknown_run, register_run),
    later("purpose.approved", AFTER, |_| {}, |c| renew(c, "purpose:scoring")),

    holds("purpose.forbids", targeting),
    now("purpose.forbids", Unmet, political, |c| retrain(&c.s, "2", scenario::people("2"))),
    now("purpose.forbids", Unknown, |p| { targeting(p); unclassified(p) }, |c| retrain(&c.s, "2", scenario::people("2"))),
    none("purpose.forbids", Expired, "what a law forbids is forbidden while the law applies; nothing that was granted can end"),

    holds("prohibited.practice", |p| p.system["practices"]["answers"]["d"] = json!({"applies": true, "exception": "It supports an assessment by people, on facts."})),
    now("prohibited.practice", Unmet, |p| p.system["practices"]["answers"]["a"] = json!({"applies": true}), |c| resystem(c, |_| {})),
    now("prohibited.practice", Unknown, |p| { p.system.as_object_mut().unwrap().remove("practices"); }, |c| resystem(c, |_| {})),
    later("prohibited.practice", 100, |p| p.system["practices"] = scenario::practices("2025-02-02", &["a", "b", "c", "d", "e", "f", "g", "h"]), |c| resystem(c, |_| {})),

    holds("basis.approved", |_| {}),
    now("basis.approved", Unmet, |p| p.deferred.push("basis:scoring-contract"), |c| approve(c, "basis:scoring-contract")),
    now("basis.approved", Unknown, statement_on_nobody_knows_what, |c| retrain(&c.s, "2", no_people("2"))),
    later("basis.approved", AFTER, |_| {}, |c| renew(c, "basis:scoring-contract")),

    holds("basis.governing", |p| p.bases.push(applicants_only())),
    now("basis.governing", Unmet, |p| p.bases.push(other_basis("solvency", "art6_1_c")), |c| revise_basis(&c.s, applicants_only())),
    now("basis.governing", Unknown, |p| p.versions[0]["subjects"] = json!([]), |c| retrain(&c.s, "2", scenario::people("2"))),
    none("basis.governing", Expired, "a basis that ended is a finding of basis.approved and source.covered; this rule judges claims that hold at the same time"),

    holds("basis.holds", |p| p.bases[0] = other_basis("scoring-contract", "art6_1_a")),
    now("basis.holds", Unmet, |p| p.bases[0] = basis(|b| b["letter"] = json!({"contract": evidence()})), |c| revise_basis(&c.s, basis(|_| {}))),
    now("basis.holds", Unknown, |p| p.bases[0] = basis(|b| b["evidence"] = json!([])), |c| revise_basis(&c.s, basis(|_| {}))),
    later("basis.holds", 200, weighed, |c| { let mut again = balancing(); again["valid_to"] = json!(days(300)); assess(c, again) }),

    holds("source.covered", |_| {}),
    now("source.covered", Unmet, |p| p.bases[0] = basis(|b| b["covers"]["stages"] = json!(["training"])), |c| revise_basis(&c.s, basis(|_| {}))),
    now("source.covered", Unknown, |p| p.versions[0]["fields"] = json!([{"name": "number", "identifiability": "direct"}]), |c| retrain(&c.s, "2", scenario::people("2"))),
    later("source.covered", AFTER, |_| {}, |c| renew(c, "basis:scoring-contract")),

    holds("assessment.in_force", anonymous),
    now("assessment.in_force", Unmet, |p| { anonymous(p); p.deferred.push("assessment:anonymous") }, |c| approve(c, "assessment:anonymous")),
    none("assessment.in_force", Unknown, "a version is assessed or it is not; what nobody assessed is judged by the other rules as holding its people"),
    later("assessment.in_force", 200, anonymous, |c| { let mut again = anonymity("model:score@1"); again["valid_to"] = json!(days(300)); assess(c, again) }),

    holds("combination", |p| { joined(p); p.assessments.push(combination("dataset:crm/joined")) }),
    now("combination", Unmet, joined, |c| assess(c, combination("dataset:crm/joined@1"))),
    now("combination", Unknown, |p| { joined(p); p.versions[1]["fields"].as_array_mut().unwrap().push(json!({"name": "remarks"})) }, rejoin),
    later("combination", 200, |p| { joined(p); p.assessments.push(combination("dataset:crm/joined")) }, |c| { let mut again = combination("dataset:crm/joined"); again["valid_to"] = json!(days(300)); assess(c, again) }),

    holds("compatibility", |p| { elsewhere(p); p.assessments.push(compatible("dataset:crm/people")) }),
    now("compatibility", Unmet, elsewhere, |c| assess(c, compatible("dataset:crm/people@1"))),
    now("compatibility", Unknown, |p| p.versions[0]["collected_for"] = json!([]), |c| retrain(&c.s, "2", scenario::people("2"))),
    later("compatibility", 200, |p| { elsewhere(p); p.assessments.push(compatible("dataset:crm/people")) }, |c| { let mut again = compatible("dataset:crm/people"); again["valid_to"] = json!(days(300)); assess(c, again) }),

    holds("serving.declared", |p| p.deployment["reads"] = json!({"nobody": "It is asked about no person."})),
    now("serving.declared", Unmet, seen_reading_calls, |c| redeploy(&c.s, |d| d["reads"]["datasets"] = json!(["dataset:crm/people", "dataset:crm/calls"]))),
    now("serving.declared", Unknown, |p| { p.deployment.as_object_mut().unwrap().remove("reads"); }, |c| redeploy(&c.s, |d| d["reads"] = json!({"datasets": ["dataset:crm/people"]}))),
    none("serving.declared", Expired, "a declaration holds until the next revision of the deployment; it has no end"),

    holds("controller", |p| processor(p, Some(400))),
    now("controller", Unmet, |p| processor(p, None), |c| contract(c, 400)),
    now("controller", Unknown, |p| p.versions[0]["controllers"] = json!([]), |c| retrain(&c.s, "2", scenario::people("2"))),
    later("controller", 60, |p| processor(p, Some(30)), |c| contract(c, 400)),

    holds("special.category", |p| { p.versions[0] = people_with("1", &[POLITICS]); p.bases[0] = wide_basis(&[POLITICS], true) }),
    now("special.category", Unmet, |p| { p.versions[0] = people_with("1", &[POLITICS]); p.bases[0] = wide_basis(&[POLITICS], false) }, |c| revise_basis(&c.s, wide_basis(&[POLITICS], true))),
    now("special.category", Unknown, unclassified, |c| retrain(&c.s, "2", scenario::people("2"))),
    later("special.category", AFTER, |p| { p.versions[0] = people_with("1", &[POLITICS]); p.bases[0] = wide_basis(&[POLITICS], true) }, |c| renew(c, "basis:scoring-contract")),

    holds("lineage.complete", |p| { p.model_versions[0] = acquired("1"); p.runs.clear(); p.assessments.push(assessment("bought", "provider", "model:score@1")) }),
    now("lineage.complete", Unmet, |p| p.runs.clear(), |c| { c.s.add("runs", scenario::training("1", "1")); }),
    now("lineage.complete", Unknown, |p| p.runs[0] = scenario::training("1", "7"), |c| { c.s.add("dataset-versions", scenario::people("7")); }),
    later("lineage.complete", 200, |p| { p.model_versions[0] = acquired("1"); p.runs.clear(); p.assessments.push(assessment("bought", "provider", "model:score@1")) }, assess_again),

    found("artifact.digest", Satisfied, || vec![file("model.json", '1')], |_| {}),
    found("artifact.digest", Unmet, || vec![file("model.json", '2')], |c| c.artifacts = vec![file("model.json", '1')]),
    now("artifact.digest", Unknown, |p| p.release = Some(release_of("model:score@7")), |c| { c.s.add("model-versions", scenario::model_version("7", "7")); }),
    attested_long_ago(),

    holds("release.approved", |_| {}),
    now("release.approved", Unmet, |p| p.deferred.push("deployment:score-prod"), |c| approve(c, "deployment:score-prod")),
    now("release.approved", Unknown, |p| p.release = None, |c| { c.s.release("1"); approve(c, "deployment:score-prod") }),
    later("release.approved", AFTER, |_| {}, |c| renew(c, "deployment:score-prod")),
];

fn approve(c: &mut Case, reference: &str) {
    c.s.approve(&[reference]);
}

fn renew(c: &mut Case, reference: &str) {
    c.s.approve_until(&[reference], Some(&days(800)));
}

fn made_by_unknown_run(p: &mut Parts) {
    p.edges
        .push(json!({"kind": "generated", "from": "model:score@1", "to": format!("run:{RUN}"), "origin": "observed"}));
}

fn register_run(c: &mut Case) {
    let mut run = scenario::training("1", "1");
    run["id"] = json!(RUN);
    c.s.add("runs", run);
}

fn targeting(p: &mut Parts) {
    p.purposes[0]["regulated_as"] = json!(["political_targeting"]);
    explicitly(&mut p.bases[0]);
}

fn political(p: &mut Parts) {
    p.versions[0] = people_with("1", &[POLITICS]);
    p.bases[0] = wide_basis(&[POLITICS], true);
    targeting(p);
}

fn unclassified(p: &mut Parts) {
    p.versions[0]["fields"].as_array_mut().unwrap().push(json!({"name": "remarks"}));
}

fn resystem(c: &mut Case, edit: impl FnOnce(&mut Value)) {
    let mut system = scenario::system();
    edit(&mut system);
    let reference = c.s.add("systems", system)["ref"].as_str().unwrap().to_owned();
    c.s.approve(&[&reference]);
    redeploy(&c.s, |d| d["system"] = json!(reference));
}

fn no_people(version: &str) -> Value {
    let mut table = scenario::people(version);
    table["fields"] = json!([{"name": "postcode", "identifiability": "none"}]);
    table
}

fn statement_on_nobody_knows_what(p: &mut Parts) {
    p.versions[0]["fields"] = json!([]);
    p.bases[0] = basis(|b| {
        b["legal_basis"] = json!("no_personal_data");
        b["covers"] = json!({"purposes": ["purpose:scoring"]});
        b["letter"] = json!({});
    });
}

/// Covers the same data for people it is not asked about.
fn applicants_only() -> Value {
    let mut narrow = other_basis("solvency", "art6_1_c");
    narrow["covers"]["subjects"] = json!(["https://w3id.org/dpv#Applicant"]);
    narrow
}

fn seen_reading_calls(p: &mut Parts) {
    p.datasets.push("calls");
    p.versions.push(parts::made("calls", "1", vec![json!({"name": "minute", "identifiability": "none"})]));
    p.versions[1]["origin"] = json!("reference");
    p.edges.push(json!({"kind": "serves_on", "from": "deployment:score-prod", "to": "dataset:crm/calls@1", "origin": "observed"}));
}

fn hosted(until: Option<i64>) -> Value {
    let mut host = scenario::party("host");
    if let Some(n) = until {
        host["arrangements"] = json!([{
            "kind": "processing_contract", "with": "party:acme", "evidence": evidence(), "valid_from": "2020-01-01", "valid_to": days(n),
        }]);
    }
    host
}

fn processor(p: &mut Parts, until: Option<i64>) {
    p.parties.push(hosted(until));
    p.deployment["processors"] = json!(["party:host"]);
}

fn contract(c: &mut Case, until: i64) {
    parts::change(&c.s, "parties", "party:host", |party| *party = hosted(Some(until)));
}

fn balancing() -> Value {
    assessment("weighed", "balancing", "basis:scoring-contract")
}

/// Legitimate interests, weighed in an assessment and not in the letter of the basis.
fn weighed(p: &mut Parts) {
    p.bases[0] = basis(|b| {
        b["legal_basis"] = json!("art6_1_f");
        b["letter"] = json!({});
    });
    p.assessments.push(balancing());
}

fn assess_again(c: &mut Case) {
    let mut again = assessment("bought", "provider", "model:score@1");
    again["valid_to"] = json!(days(300));
    assess(c, again);
}

fn assess(c: &mut Case, assessment: Value) {
    let reference = c.s.add("assessments", assessment)["ref"].as_str().unwrap().to_owned();
    c.s.approve(&[&reference]);
}

fn file(path: &str, digit: char) -> Value {
    json!({"path": path, "digest": format!("sha256:{}", String::from(digit).repeat(64))})
}
