//! When the passing of time alone may turn a verdict next.

use chrono::Duration;
use licit_schemas::time::Timestamp;

use super::policy::Policy;
use crate::facts::World;

/// The earliest moment after `now` at which something known begins or ends: approvals, validity, baselines and their shares, notices and
/// tests of the way out, emergencies, looser modes, documents, contracts, certifications, passports, default classes, retention; and of
/// what runs its time to live, and what was observed of its endpoints. Tables of law count in days; who looks again within a minute sees
/// them in time.
pub fn next(world: &World, now: Timestamp) -> Option<Timestamp> {
    let (review, law, registry) = (&world.review, &world.lawfulness, &world.registry);
    let approvals = review.every().flat_map(|(_, list)| list.iter()).flat_map(|a| [a.spec.valid_from, a.end()]);
    let purposes = law.purposes.every().flat_map(|p| [Some(p.spec.valid_from), p.spec.valid_to]);
    let bases = law.bases.every().flat_map(|b| [Some(b.spec.valid_from), b.spec.valid_to]);
    let assessments = law.assessments.every().flat_map(|a| [a.spec.valid_from, a.spec.valid_to]);
    let baselines = review.baselines.every().map(|b| b.spec.valid_to);
    let shares = review.baselines.every().flat_map(|b| b.spec.items.iter().map(|item| item.valid_to));
    let broken = review.broken.every().flat_map(|b| [b.spec.valid_to, b.spec.ratify_by]);
    let notices = world.notices.catalogue.every().flat_map(|n| [Some(n.spec.valid_from), n.spec.valid_to]);
    let loosenings = review.loosenings.every().map(|l| l.spec.valid_to);
    let documents = registry.systems.every().flat_map(|s| s.spec.documents.iter().map(|d| d.valid_to));
    let systems = registry.systems.every().map(|s| s.spec.valid_from);
    let deployments = registry.deployments.every().map(|d| d.spec.valid_from);
    let contracts = registry
        .parties
        .iter()
        .flat_map(|p| p.spec.arrangements.iter().flat_map(|tie| [Some(tie.valid_from), tie.valid_to]));
    let listed = registry
        .parties
        .iter()
        .flat_map(|p| p.spec.certifications.iter().flat_map(|entry| [Some(entry.valid_from), entry.valid_to]));
    let classes = registry.classes.catalogue.every().map(|class| class.spec.valid_to);
    let passports = &world.gate.passports;
    let passports =
        passports.models().into_iter().flat_map(|m| passports.all(m)).map(|taken| taken.spec.says.valid_until);
    let policy = Policy::in_force(world, now);
    let tested = world.notices.tests_last(now).map(|at| at.plus(policy.withdrawal_test()));
    approvals
        .chain(classes)
        .chain(passports)
        .chain(tested)
        .chain(world.lineage.ends())
        .chain(running(world, &policy, now))
        .chain(assessments)
        .chain(baselines)
        .chain(broken)
        .chain(loosenings)
        .chain(
            purposes
                .chain(bases)
                .chain(notices)
                .chain(documents)
                .chain(systems)
                .chain(deployments)
                .chain(contracts)
                .chain(listed)
                .chain(shares)
                .flatten(),
        )
        .filter(|moment| *moment > now)
        .min()
}

/// When the time of what runs is over, and what was observed of its endpoints counts no more.
fn running(world: &World, policy: &Policy, now: Timestamp) -> Vec<Timestamp> {
    let registry = &world.registry;
    let mut moments = Vec::new();
    for name in registry.running() {
        let Some(release) = registry.active(&name) else { continue };
        let stated = registry.deployment_at(&name, now).or_else(|| registry.deployments.latest(&name));
        let environment = stated.and_then(|d| registry.environment_of(d.spec.environment.name()));
        if let Some(hours) = environment.and_then(|e| e.spec.time_to_live_hours) {
            moments.push(release.proposed_at.plus(Duration::hours(i64::from(hours))));
        }
        let seen = release
            .spec
            .composition
            .iter()
            .filter_map(|part| registry.attestations.latest(&part.model.to_string(), now));
        moments.extend(seen.map(|seen| seen.at.plus(policy.attestation())));
    }
    moments
}
