//! Joins that may make people identifiable.

use licit_schemas::gate::{Finding, Status};
use licit_schemas::lawfulness::AssessmentKind;

use super::{BOARD, GDPR_UPPER, ask_board, finding};
use crate::gate::coverage::base;
use crate::gate::evidence::{Evidence, Join, Missing, Risk, outputs};
use crate::gate::policy::Policy;

const RULE: &str = "combination";
const ARTICLE: &str = "GDPR Art. 4(1), Rec. 26, Art. 35";

/// `combination`: a join links scopes or controllers, or brings together what identifies people, and nobody assessed it
/// (GDPR Art. 4(1), Rec. 26, 35).
pub(super) fn combination(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    evidence.joins.iter().filter_map(|join| judge(evidence, join)).collect()
}

fn judge(evidence: &Evidence<'_>, join: &Join) -> Option<Finding> {
    let run = evidence.name(join.run);
    let written: Vec<String> = outputs(&evidence.world.lineage, join.run).map(|node| evidence.name(node)).collect();
    let result = written.first().map_or(&*run, String::as_str);
    let begin =
        |status| finding(RULE, status, ARTICLE, &run).fine(GDPR_UPPER).path(evidence.any_path(join.run)).to(BOARD);
    if let Risk::Unclear(input) = join.risk {
        let input = evidence.name(input);
        return Some(
            begin(Status::Unknown)
                .since(Some(evidence.world.lineage.record(join.run).at))
                .says(format!("`{run}` combines `{input}` with others, and nobody said what that holds: whom they identify together is unknown"))
                .to(evidence.owner(&input))
                .remedy("register a version with every field classified, and combine that", Some("licit register".to_owned())),
        );
    }
    let names: Vec<&str> = written.iter().flat_map(|name| [base(name), name.as_str()]).chain([run.as_str()]).collect();
    let missing = evidence.assessed_any(&names, AssessmentKind::Combination)?;
    let assess = || Some("licit assessment create -f combination.yaml".to_owned());
    Some(match missing {
        Missing::AssessmentEnded(assessment, end, due) => begin(Status::Expired)
            .because(&assessment)
            .since(Some(end))
            .due(due)
            .says(format!("`{assessment}` judged what is combined in `{result}` until {end}"))
            .remedy("renew the assessment and ask the board", assess()),
        Missing::AssessmentLater(assessment, from) => begin(Status::Unmet)
            .says(format!("`{assessment}` judges what is combined in `{result}` from {from} on, not before"))
            .remedy("wait, or record an assessment that holds now and ask the board", assess()),
        Missing::Assessment(Some(assessment)) => begin(Status::Unmet)
            .because(&assessment)
            .says(format!("`{assessment}` judges what is combined in `{result}`, but the board has not approved it"))
            .remedy(
                "ask the board to approve the assessment",
                ask_board(&format!("Approve {assessment}"), &[&assessment]),
            ),
        _ => begin(Status::Unmet)
            .to("dpo")
            .says(format!("`{result}` {}, and nobody assessed it", risk(evidence, join.risk)))
            .remedy(
                "assess whom it identifies (an assessment of kind `combination` of the dataset or the run) and ask the board, or combine less",
                assess(),
            ),
    })
}

fn risk(evidence: &Evidence<'_>, risk: Risk) -> String {
    match risk {
        Risk::Set(set) => format!("brings {} together, which none of its inputs holds alone: {}", set.name, set.figure),
        Risk::Reidentified(pseudonymised, named) => format!(
            "joins the pseudonymised `{}` with `{}`, which names people: they are identified again",
            evidence.name(pseudonymised),
            evidence.name(named)
        ),
        Risk::Controllers(one, other) => {
            format!("links `{}` and `{}`, which no controller has in common", evidence.name(one), evidence.name(other))
        }
        Risk::Unclear(_) => String::new(),
    }
}
