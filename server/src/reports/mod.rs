//! Drawn from the stations: what would be, what lies downstream, what ends when, what changed and why.

pub mod affected;
pub mod api;
pub mod calendar;
pub mod debt;
pub mod diff;
pub mod drift;
pub mod exports;
pub mod impact;
pub mod notices;
pub mod operations;
pub mod people;
pub mod recipients;
pub mod renewals;
pub mod store;
pub mod suggest;

use licit_schemas::gate::{Finding, Intent, Verdict};
use licit_schemas::reference::Ref;
use licit_schemas::time::Timestamp;

use crate::facts::World;
use crate::gate::decide;
use crate::gate::evidence::{Ask, gather};
use crate::gate::policy::Policy;

/// How a deployment stands in a world at a moment: whether what runs there might begin today.
pub struct Stand {
    /// The release judged: the active one, else the latest proposed.
    pub release: Option<String>,
    /// Whether it runs.
    pub runs: bool,
    /// Whether it might begin.
    pub verdict: Verdict,
    /// What does not hold, due when what runs must have cleared it.
    pub findings: Vec<Finding>,
}

/// The question whether a deployment's release might begin.
pub fn question(world: &World, deployment: &str, at: Timestamp) -> Ask {
    let active = world.registry.active(deployment);
    Ask {
        deployment: deployment.to_owned(),
        release: active.and_then(|release| release.reference.parse::<Ref>().ok()),
        intent: Intent::Start,
        artifacts: Vec::new(),
        valid_at: at,
    }
}

/// Judge a deployment as a gap would be: as if what runs began then.
pub fn stand(world: &World, deployment: &str, at: Timestamp) -> Stand {
    let policy = Policy::in_force(world, at);
    let evidence = gather(world, question(world, deployment, at));
    let mut findings = decide::findings(&evidence, &policy);
    let verdict = if findings.iter().any(|f| f.blocking) { Verdict::Deny } else { Verdict::Allow };
    for finding in &mut findings {
        finding.due = decide::due(finding, &policy);
    }
    Stand {
        release: evidence.release.as_ref().map(|release| release.reference.to_string()),
        runs: world.registry.active(deployment).is_some(),
        verdict,
        findings,
    }
}

/// The team that answers for a deployment.
pub fn owner(world: &World, deployment: &str) -> String {
    world.registry.deployments.latest(deployment).map(|d| d.spec.owner.to_string()).unwrap_or_default()
}
