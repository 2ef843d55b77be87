//! What data may be where: environments of a class in which nobody real is.

use std::collections::HashSet;

use licit_schemas::gate::{Finding, Intent, Status};
use licit_schemas::lawfulness::AssessmentKind;

use super::asked::Grouped;
use super::finding;
use crate::gate::evidence::{Evidence, Missing};
use crate::gate::policy::Policy;
use crate::lineage::exposure::{self, CONTAINED, SERVED};
use crate::lineage::graph::NodeId;

const RULE: &str = "environment.class";
const ARTICLE: &str = "GDPR Art. 25, 32";

/// The class of environments for made-up and anonymous data only. Any other word is the organisation's own.
pub const SYNTHETIC: &str = "synthetic";

/// Key of the environment, where it is of that class.
pub(super) fn synthetic<'e>(evidence: &'e Evidence<'_>) -> Option<&'e str> {
    let environment = evidence.environment.as_ref().filter(|e| e.spec.class.as_str() == SYNTHETIC)?;
    Some(environment.spec.key.as_str())
}

/// Whether only made-up or anonymous data reach a release in an environment of class `synthetic` whose time is limited.
pub(super) fn only_synthetic(evidence: &Evidence<'_>, policy: &Policy) -> bool {
    evidence.ends.is_some() && synthetic(evidence).is_some() && class(evidence, policy).is_empty()
}

/// `environment.class`: data of people are contained or served in an environment of class `synthetic`; only what states to be made
/// up or reference data, with nobody upstream, or is assessed anonymous, may be there (GDPR Art. 25, 32).
pub(super) fn class(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let Some(key) = synthetic(evidence) else { return Vec::new() };
    let own = format!("environment:{key}");
    let begin =
        |status, node: &str, path| finding(RULE, status, ARTICLE, node).path(path).to(evidence.deployment_owner());
    let mut findings = Vec::new();
    // Behind an assessment that ended: to renew it is enough.
    let ended: Vec<_> = evidence
        .assessed
        .iter()
        .filter_map(|node| match evidence.assessed(&evidence.name(*node), AssessmentKind::Anonymity)? {
            Missing::AssessmentEnded(assessment, end, due) => Some((*node, assessment, end, due)),
            _ => None,
        })
        .collect();
    let nodes: Vec<NodeId> = ended.iter().map(|(node, ..)| *node).collect();
    let mut behind: HashSet<NodeId> = nodes.iter().copied().collect();
    for some in nodes.chunks(exposure::HOLDERS) {
        let held = exposure::held_by(evidence.world.lineage.graph(), some, exposure::NO_CUTS);
        behind.extend(held.iter().map(|(node, _)| *node));
    }
    let present = |source: &&crate::gate::evidence::Source| evidence.cohort(source).modes & (CONTAINED | SERVED) != 0;
    let of_people = || evidence.sources.iter().filter(present);
    if evidence.ask.intent == Intent::Continue || of_people().any(|source| behind.contains(&source.node)) {
        for (node, assessment, end, due) in &ended {
            let name = evidence.name(*node);
            findings.push(
                begin(Status::Expired, &name, evidence.any_path(*node))
                    .since(Some(*end))
                    .due(*due)
                    .says(format!("`{own}` is for made-up and anonymous data; `{assessment}` found nobody identifiable in `{name}` until {end}"))
                    .remedy("renew the assessment and ask the board", Some("licit assessment create -f anonymity.yaml".to_owned())),
            );
        }
    }
    let mut list = Grouped::new();
    // Of whom nobody said where they come from may be made up: that is not known.
    let unstated = |node: NodeId| evidence.gaps.iter().any(|gap| gap.node == node && gap.missing == Missing::Origin);
    for source in of_people().filter(|source| !behind.contains(&source.node) && !unstated(source.node)) {
        let name = evidence.name(source.node);
        list.add(0, &name, || {
            begin(Status::Unmet, &name, evidence.any_path(source.node))
                .says(format!("`{own}` is for made-up and anonymous data, and people are in `{name}`"))
                .remedy(
                    "use data of origin `synthetic` or `reference` with nobody upstream, or data that an approved assessment finds anonymous; or deploy where people's data may be",
                    None,
                )
        });
    }
    for gap in evidence.gaps.iter().filter(|gap| !matches!(gap.missing, Missing::Retired(_))) {
        let name = evidence.name(gap.node);
        list.add(1, &name, || {
            begin(Status::Unknown, &name, evidence.any_path(gap.node))
                .since(Some(evidence.world.lineage.record(gap.node).at))
                .says(format!("`{own}` is for made-up and anonymous data, and what is behind `{name}` is not known"))
                .remedy(
                    "register what is missing: where it comes from, what it was made of, what its fields hold",
                    Some("licit register".to_owned()),
                )
        });
    }
    findings.extend(list.findings());
    findings
}
