//! Lines of the rules on what people were told and promised.

use harness::scenario::{notice, people};
use serde_json::{Value, json};

use super::State::{Satisfied, Unknown, Unmet};
use super::{Line, days, explicitly, holds, later, now, retrain};
use crate::gate::parts::Parts;
use crate::notices::promising;

#[rustfmt::skip]
pub(super) const LINES: &[Line] = &[
    holds("notice", |_| {}),
    now("notice", Unmet, |p| p.notices = Some(vec![]), |c| { c.s.inform(notice("customers", &["scoring"])); }),
    now("notice", Unknown, |p| p.versions[0]["fields"] = json!([{"name": "code", "identifiability": "quasi"}]), |c| retrain(&c.s, "2", people("2"))),
    later("notice", 60, |p| p.notices = Some(vec![until(30)]), |c| { c.s.inform(notice("customers", &["scoring"])); }),

    now("withdrawal.means", Satisfied, |p| explicitly(&mut p.bases[0]), |_| {}),
    now("withdrawal.means", Unmet, |p| { explicitly(&mut p.bases[0]); p.notices = Some(vec![without_way()]) }, |c| { c.s.inform(notice("customers", &["scoring"])); }),
    now("withdrawal.means", Unknown, |p| { explicitly(&mut p.bases[0]); p.notices = Some(vec![notice("customers", &["scoring"])]) }, |c| tested(&c.s)),
    later("withdrawal.means", 360, |p| explicitly(&mut p.bases[0]), |c| tested(&c.s)),

    now("promise", Satisfied, |p| bound(p, &["never_sold", "no_third_party", "human_review", "no_training_beyond:scoring", "deleted_after:P90Y"]), |_| {}),
    now("promise", Unmet, |p| bound(p, &["not_for:scoring"]), |c| retrain(&c.s, "2", free("2"))),
    now("promise", Unknown, |p| p.versions[0]["collected_for"] = json!([]), |c| retrain(&c.s, "2", people("2"))),
    later("promise", 60, |p| bound(p, &["deleted_after:P30D"]), |c| retrain(&c.s, "2", free("2"))),
];

fn until(in_days: i64) -> Value {
    let mut ends = notice("customers", &["scoring"]);
    ends["valid_to"] = json!(days(in_days));
    ends
}

fn without_way() -> Value {
    let mut silent = notice("customers", &["scoring"]);
    silent.as_object_mut().unwrap().remove("refusal");
    silent
}

/// Today, in the revision in force.
fn tested(s: &harness::Scenario) {
    s.add("withdrawal-tests", json!({"notice": "notice:customers", "outcome": "passed"}));
}

/// One notice that promises, and one that does not: data that say nothing of notices are bound by both.
fn bound(p: &mut Parts, commitments: &[&str]) {
    p.notices = Some(vec![promising("customers", commitments), notice("free", &["scoring"])]);
}

/// Collected under the notice that promises nothing.
fn free(version: &str) -> Value {
    let mut free = people(version);
    free["notices"] = json!(["notice:free"]);
    free
}
