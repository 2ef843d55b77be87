//! What the gate answers: the table of rules, and the stories.

mod affected;
mod anonymity;
mod assessments;
mod attestations;
pub(crate) mod baseline;
mod behind;
mod classes;
mod cohorts;
mod columns;
mod combination;
pub(crate) mod compatibility;
mod confirm;
mod controllers;
mod decisions;
pub(crate) mod emergency;
mod envelope;
mod fields;
mod forbidden;
mod forming;
mod gaps;
mod going_on;
mod governing;
mod life;
mod lines;
mod needed;
pub(crate) mod parts;
pub(crate) mod policy;
pub(crate) mod purposes;
mod recipes;
mod renewals;
mod retired;
mod retries;
mod rules;
mod scores;
mod serving;
mod special;
mod strictness;
mod systems;
mod table;
mod twins;
mod understated;

use harness::Scenario;
use harness::scenario::findings;

#[test]
fn everything_holds() {
    let s = Scenario::running();
    let decision = s.dry("start");
    assert_eq!(decision["verdict"], "allow", "{decision:#}");
    assert!(findings(&decision).is_empty());
}

#[test]
fn nothing_is_approved() {
    let s = Scenario::registered();
    let decision = s.dry("start");
    assert_eq!(decision["verdict"], "deny");
    let rules: Vec<String> = findings(&decision).into_iter().map(|(rule, _)| rule).collect();
    for rule in ["purpose.approved", "basis.approved", "source.covered", "release.approved"] {
        assert!(rules.iter().any(|r| r == rule), "{rule} in {decision:#}");
    }
}
