//! How strictly a deployment is held, and that no change of an environment or a move loosens it: that is the board's to decide, for
//! a while. Whatever the change, all deployments are looked at before and after it.

use std::collections::BTreeMap;

use licit_schemas::problem::Fault;
use licit_schemas::registry::{EnvironmentSpec, Mode, RiskClass};
use licit_schemas::text::Key;
use licit_schemas::time::Timestamp;

use crate::error::{Error, Result};
use crate::facts::World;
use crate::gate::modes::loosened;
use crate::gate::policy::{Policy, Scope};
use crate::gate::rules::{RULES, SYNTHETIC};

/// How a named environment holds what runs there.
struct Held<'w> {
    /// What stands for its name.
    environment: Option<&'w EnvironmentSpec>,
    /// The mode it states; *enforce* while nothing stands for the name.
    stated: Mode,
    /// The mode now, by the board's word perhaps a looser one.
    now: Mode,
    /// Hours after which what runs there ends.
    hours: u32,
}

impl<'w> Held<'w> {
    fn of(world: &'w World, name: &str, now: Timestamp) -> Self {
        let environment = world.registry.environment_of(name).map(|found| &found.spec);
        let stated = environment.map_or(Mode::Enforce, |e| e.mode);
        Self {
            environment,
            stated,
            now: environment.and_then(|e| loosened(world, e, now)).map_or(stated, |l| l.spec.mode),
            hours: environment.and_then(|e| e.time_to_live_hours).unwrap_or(u32::MAX),
        }
    }

    fn key(&self) -> Option<&'w Key> {
        self.environment.map(|e| &e.key)
    }

    /// What is looser than before, if anything is: the place in the document of an environment, and in words.
    fn looser(&self, before: &Self, policy: &Policy, class: Option<RiskClass>) -> Option<(&'static str, &'static str)> {
        if self.stated < before.stated || self.now < before.now {
            return Some(("/mode", "would be held by a looser mode"));
        }
        let made_up = |held: &Self| held.environment.is_some_and(|e| e.class.as_str() == SYNTHETIC);
        if policy.synthetic_without_vote() && made_up(self) && !made_up(before) {
            return Some(("/class", "would run without a vote"));
        }
        if self.hours > before.hours {
            return Some(("/time_to_live_hours", "would live longer"));
        }
        // The policy names environments by their keys: another key is another scope.
        let scope = |held: &Self| Scope { environment: held.key().map(Key::as_str), risk_class: class };
        let (is, was) = (scope(self), scope(before));
        if is.environment == was.environment {
            return None;
        }
        if RULES.iter().any(|rule| policy.level(rule.code, is) > policy.level(rule.code, was)) {
            return Some(("/key", "would be judged by softer levels of the policy"));
        }
        let (is, was) = (policy.of_deployment(is), policy.of_deployment(was));
        (is.quorum < was.quorum || is.approval_days > was.approval_days)
            .then_some(("/key", "would be approved by fewer, or for longer, under the policy"))
    }
}

fn class(world: &World, deployment: &str) -> Option<RiskClass> {
    let system = &world.registry.deployments.latest(deployment)?.spec.system;
    Some(world.registry.systems.revision(system.base(), system.rev()?)?.spec.risk_class)
}

fn refusal(deployment: &str, (at, how): (&str, &str), before: &Held<'_>) -> Error {
    let key = before.key().map_or("<environment>", |key| key.as_str());
    Error::Conflict(
        format!(
            "`{deployment}` {how}: tightening is free, loosening is the board's to decide, for a while: `licit env loosen {key}`"
        ),
        vec![Fault::new(at, format!("`{deployment}` {how}"))],
    )
}

/// Whether every deployment is held at least as strictly as before a change of an environment, by whatever key or pattern it
/// comes to another one.
///
/// # Errors
/// One that is not, by name.
pub fn of_all(before: &World, after: &World, now: Timestamp) -> Result<()> {
    let policy = Policy::in_force(before, now);
    let mut known: BTreeMap<&str, (Held<'_>, Held<'_>)> = BTreeMap::new();
    let mut deployments: Vec<_> = before.registry.deployments_from(now).collect();
    deployments.sort_by(|one, other| (&one.reference, one.rev).cmp(&(&other.reference, other.rev)));
    for deployment in deployments {
        let name = deployment.spec.environment.name();
        let (was, is) = known.entry(name).or_insert_with(|| (Held::of(before, name, now), Held::of(after, name, now)));
        if let Some(how) = is.looser(was, &policy, class(before, &deployment.reference)) {
            return Err(refusal(&deployment.reference, how, was));
        }
    }
    Ok(())
}

/// Whether a deployment that ever ran is held at least as strictly as before it was changed.
///
/// # Errors
/// It is not.
pub fn of_one(before: &World, after: &World, deployment: &str, now: Timestamp) -> Result<()> {
    if !before.registry.releases(deployment).iter().any(|release| release.activated_at.is_some()) {
        return Ok(());
    }
    let environment = |world: &World| Some(world.registry.deployments.latest(deployment)?.spec.environment.clone());
    let (Some(was), Some(is)) = (environment(before), environment(after)) else { return Ok(()) };
    let (was, is) = (Held::of(before, was.name(), now), Held::of(after, is.name(), now));
    let policy = Policy::in_force(before, now);
    // Judged by the class it had: changing the system is another matter, and asks the board for its approval.
    match is.looser(&was, &policy, class(before, deployment)) {
        Some((_, how)) => Err(refusal(deployment, ("/environment", how), &was)),
        None => Ok(()),
    }
}
