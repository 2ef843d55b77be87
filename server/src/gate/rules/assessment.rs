//! Assessments of anonymity that do not hold, or do no more.

use licit_schemas::gate::{Finding, Intent, Status};
use licit_schemas::lawfulness::AssessmentKind;

use super::{BOARD, GDPR_UPPER, ask_board, finding};
use crate::gate::evidence::{Evidence, Missing};
use crate::gate::policy::Policy;

const RULE: &str = "assessment.in_force";
const ARTICLE: &str = "GDPR Rec. 26, Art. 5(2)";

/// `assessment.in_force`: a cut rests on an assessment that ended (GDPR Rec. 26). Beginning, nothing is cut by it: other rules
/// judge the people behind, and this finding only says why they are seen. Going on rests on it, and may for the grace.
pub(super) fn in_force(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let missing = evidence.assessed.iter().filter_map(|node| {
        let name = evidence.name(*node);
        let missing = evidence.assessed(&name, AssessmentKind::Anonymity)?;
        Some((*node, name, missing))
    });
    missing
        .map(|(node, name, missing)| {
            let begin = |status| {
                finding(RULE, status, ARTICLE, &name).fine(GDPR_UPPER).path(evidence.any_path(node)).to(BOARD)
            };
            let assess = || Some("licit assessment create -f anonymity.yaml".to_owned());
            let mut found = match missing {
                Missing::AssessmentEnded(assessment, end, due) => begin(Status::Expired)
                    .because(&assessment)
                    .since(Some(end))
                    .due(due)
                    .says(format!("`{assessment}` found nobody identifiable in `{name}` until {end}"))
                    .remedy("renew the assessment and ask the board", assess()),
                Missing::AssessmentLater(assessment, from) => begin(Status::Unmet)
                    .says(format!("`{assessment}` finds nobody identifiable in `{name}` from {from} on only: until then its people count"))
                    .remedy("wait, or record an assessment that holds now and ask the board", assess()),
                Missing::Assessment(Some(assessment)) => begin(Status::Unmet)
                    .because(&assessment)
                    .says(format!("`{assessment}` would find nobody identifiable in `{name}`, but the board has not approved it: its people count"))
                    .remedy(
                        "ask the board to approve the assessment",
                        ask_board(&format!("Approve {assessment}"), &[&assessment]),
                    ),
                why @ Missing::Figure(..) => begin(Status::Unmet)
                    .to(evidence.owner(&name))
                    .says(format!("`{name}` is not anonymous by its recipe: {}; its people count", why.says().unwrap_or_default()))
                    .remedy(
                        "measure the figure and make a version that meets it, or have this one assessed by itself, and ask the board",
                        assess(),
                    ),
                _ => begin(Status::Unmet)
                    .to("dpo")
                    .says(format!("`{name}` was assessed for another holder than this deployment's controller: its people count"))
                    .remedy("have it assessed for this controller, and ask the board", assess()),
            };
            found.blocking = found.status == Status::Expired && evidence.ask.intent == Intent::Continue;
            found
        })
        .collect()
}
