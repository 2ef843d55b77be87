//! When the passing of time alone may turn a verdict next.

use licit_schemas::time::Timestamp;

use crate::facts::World;

/// The earliest moment after `now` at which something known begins or ends: approvals, validity, baselines, notices, emergencies, looser
/// modes, documents, contracts. Tables of law and retention count in days; who looks again within a minute sees them in time.
pub fn next(world: &World, now: Timestamp) -> Option<Timestamp> {
    let (review, law, registry) = (&world.review, &world.lawfulness, &world.registry);
    let approvals = review.every().flat_map(|(_, list)| list.iter()).flat_map(|a| [a.spec.valid_from, a.end()]);
    let purposes = law.purposes.every().flat_map(|p| [Some(p.spec.valid_from), p.spec.valid_to]);
    let bases = law.bases.every().flat_map(|b| [Some(b.spec.valid_from), b.spec.valid_to]);
    let assessments = law.assessments.every().flat_map(|a| [a.spec.valid_from, a.spec.valid_to]);
    let baselines = review.baselines.every().map(|b| b.spec.valid_to);
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
    approvals
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
                .flatten(),
        )
        .filter(|moment| *moment > now)
        .min()
}
