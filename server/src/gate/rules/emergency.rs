//! What somebody let through in an emergency, and the board did not ratify.

use licit_schemas::gate::{Finding, Status};

use super::{BOARD, GDPR_UPPER, ask_board, finding};
use crate::gate::emergency::{Ratification, ratification, uses};
use crate::gate::evidence::Evidence;
use crate::gate::policy::Policy;

/// `break.glass`: the board ratified within three working days what was let through (GDPR Art. 5(2), 24(1)); what it refused runs
/// no more.
pub(super) fn ratified(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let now = evidence.ask.valid_at;
    let deployment = &evidence.ask.deployment;
    let mut findings = Vec::new();
    for used in uses(evidence.world, deployment, now) {
        let reference = &*used.reference;
        let begin =
            || {
                finding("break.glass", Status::Unmet, "GDPR Art. 5(2), Art. 24(1)", reference)
                    .fine(GDPR_UPPER)
                    .path(vec![deployment.clone(), used.spec.release.clone(), reference.to_owned()])
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
