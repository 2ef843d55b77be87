//! What somebody let through in an emergency, and the board did not ratify.

use licit_schemas::gate::{Finding, Status};
use licit_schemas::time::Timestamp;

use super::{BOARD, GDPR_UPPER, ask_board, finding};
use crate::facts::World;
use crate::gate::emergency::{Ratification, Use, ratification, uses};
use crate::gate::evidence::Evidence;
use crate::gate::policy::Policy;

const ARTICLE: &str = "GDPR Art. 5(2), Art. 24(1)";

/// `break.glass`: the board ratified within three working days what was let through (GDPR Art. 5(2), 24(1)); what it refused runs
/// no more.
pub(super) fn ratified(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let now = evidence.ask.valid_at;
    let deployment = &evidence.ask.deployment;
    let mut findings = Vec::new();
    for used in uses(evidence.world, deployment, now) {
        let reference = &*used.reference;
        let begin = || {
            finding("break.glass", Status::Unmet, ARTICLE, reference).because(reference).fine(GDPR_UPPER).path(vec![
                deployment.clone(),
                used.spec.release.clone(),
                reference.to_owned(),
            ])
        };
        match ratification(evidence.world, reference) {
            Ratification::Ratified => {}
            Ratification::Pending if now < used.spec.ratify_by => {}
            Ratification::Pending => findings.push(
                begin()
                    .since(Some(used.spec.ratify_by))
                    .to(BOARD)
                    .says(format!(
                        "`{}` was let through on {} though denied, and the board did not ratify it by {}",
                        used.spec.release, used.spec.valid_from, used.spec.ratify_by
                    ))
                    .remedy("ask the board to ratify it", ask_board("Ratify what was let through", &[reference])),
            ),
            Ratification::Refused => {
                let judged = evidence.release.as_ref().is_some_and(|r| *r.reference == *used.spec.release);
                if judged {
                    findings.push(
                        begin()
                            .to(evidence.deployment_owner())
                            .says(format!(
                                "`{}` was let through on {} though denied, and the board refused to ratify it",
                                used.spec.release, used.spec.valid_from
                            ))
                            .remedy(
                                "withdraw it, and propose a release that the gate allows",
                                Some(format!("licit release withdraw {}", used.spec.release)),
                            ),
                    );
                }
            }
        }
    }
    findings
}

/// What was let through and waits for the board: nothing refuses for it yet, and everybody sees it. Past its days the rule says so
/// of what runs; here, of what does not.
pub(in crate::gate) fn awaiting(world: &World, now: Timestamp) -> Vec<(&Use, Finding)> {
    let mut uses: Vec<&Use> = world.review.broken.every().filter(|used| used.spec.valid_from <= now).collect();
    uses.sort_by_key(|used| used.seq);
    let open = uses.into_iter().filter(|used| {
        ratification(world, &used.reference) == Ratification::Pending
            && (now < used.spec.ratify_by || world.registry.active(&used.spec.deployment).is_none())
    });
    open.map(|used| {
        let (reference, spec) = (&*used.reference, &used.spec);
        let mut found = finding("break.glass", Status::Unmet, ARTICLE, reference)
            .because(reference)
            .path(vec![spec.deployment.clone(), spec.release.clone(), reference.to_owned()])
            .since(Some(spec.valid_from))
            .due(Some(spec.ratify_by))
            .to(BOARD)
            .says(format!(
                "`{}` was let through on {} though denied; the board ratifies it",
                spec.release, spec.valid_from
            ))
            .remedy("ask the board to ratify it", ask_board("Ratify what was let through", &[reference]));
        found.blocking = false;
        (used, found)
    })
    .collect()
}
