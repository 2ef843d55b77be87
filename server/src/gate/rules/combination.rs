//! Joins that may make people identifiable.

use std::collections::{BTreeMap, HashSet};

use licit_schemas::gate::{Finding, Status};
use licit_schemas::lawfulness::AssessmentKind;
use licit_schemas::registry::Identifiability;

use super::{BOARD, GDPR_UPPER, ask_board, finding};
use crate::gate::coverage::base;
use crate::gate::evidence::{Evidence, Missing, Risk, bringing_together, measured, outputs};
use crate::gate::policy::Policy;
use crate::lineage::graph::NodeId;

const RULE: &str = "combination";
const ARTICLE: &str = "GDPR Art. 4(1), Rec. 26, Art. 35";

/// `combination`: a join links scopes or controllers, or brings together what identifies people, or too few share what it
/// brings together, and nobody assessed it (GDPR Art. 4(1), Rec. 26, 35).
pub(super) fn combination(evidence: &Evidence<'_>, policy: &Policy) -> Vec<Finding> {
    let rare = rare(evidence, policy);
    let risky: BTreeMap<NodeId, Risk> = evidence.joins.iter().map(|join| (join.run, join.risk)).collect();
    let others = rare.keys().filter(|run| !risky.contains_key(run)).map(|run| (*run, None));
    let known = evidence.joins.iter().map(|join| (join.run, Some(join.risk)));
    known
        .chain(others)
        .filter_map(|(run, risk)| judge(evidence, run, risk, rare.get(&run).map(Vec::as_slice)))
        .collect()
}

/// Runs that bring tables together, with the tables they wrote in which fewer people than policy asks for share a combination of
/// quasi-identifiers, or nobody counted.
fn rare(evidence: &Evidence<'_>, policy: &Policy) -> BTreeMap<NodeId, Vec<Rare>> {
    let Some(least) = policy.min_k() else { return BTreeMap::new() };
    let reached: HashSet<NodeId> = evidence.closure.iter().map(|(node, _)| *node).collect();
    let each = bringing_together(evidence).map(|run| {
        let written = measured(evidence, run)
            .into_iter()
            .filter(|(node, k)| reached.contains(node) && k.is_none_or(|k| k < least))
            .filter(|(node, _)| !(evidence.assessed.contains(node) && evidence.cuts(*node)));
        (run, written.map(|(table, k)| Rare { table, k, least }).collect::<Vec<_>>())
    });
    each.filter(|(_, tables)| !tables.is_empty()).collect()
}

/// A table in which too few people share a combination of quasi-identifiers.
struct Rare {
    table: NodeId,
    /// How many do; absent, nobody counted.
    k: Option<u32>,
    least: u32,
}

impl Rare {
    fn says(&self, evidence: &Evidence<'_>) -> String {
        let (table, least) = (evidence.name(self.table), self.least);
        match self.k {
            Some(k) => format!(
                "in `{table}` as few as k = {k} people share what identifies them together, and policy asks for {least}"
            ),
            None => format!("nobody measured k of `{table}`, and policy asks for {least}"),
        }
    }
}

fn judge(evidence: &Evidence<'_>, run_id: NodeId, why: Option<Risk>, rare: Option<&[Rare]>) -> Option<Finding> {
    let rare = rare.unwrap_or_default();
    let run = evidence.name(run_id);
    let written: Vec<String> = outputs(&evidence.world.lineage, run_id).map(|node| evidence.name(node)).collect();
    let result = written.first().map_or(&*run, String::as_str);
    let begin =
        |status| finding(RULE, status, ARTICLE, &run).fine(GDPR_UPPER).path(evidence.any_path(run_id)).to(BOARD);
    if let Some(Risk::Unclear(input)) = why {
        let input = evidence.name(input);
        return Some(
            begin(Status::Unknown)
                .since(Some(evidence.world.lineage.record(run_id).at))
                .says(format!("`{run}` combines `{input}` with others, and nobody said what that holds: whom they identify together is unknown"))
                .to(evidence.owner(&input))
                .remedy("register a version with every field classified, and combine that", Some("licit register".to_owned())),
        );
    }
    let names: Vec<&str> = written.iter().flat_map(|name| [base(name), name.as_str()]).chain([run.as_str()]).collect();
    let missing = evidence.assessed_any(&names, AssessmentKind::Combination)?;
    let assess = || Some("licit assessment create -f combination.yaml".to_owned());
    let risk = why.map(|why| format!("`{result}` {}", risk(evidence, why)));
    let said: Vec<String> = risk.into_iter().chain(rare.iter().map(|rare| rare.says(evidence))).collect();
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
        why @ Missing::Figure(..) => begin(Status::Unmet)
            .to("dpo")
            .says(format!("`{result}` is not covered by its recipe: {}", why.says().unwrap_or_default()))
            .remedy(
                "measure the figure and make a version that meets it, or have this one assessed by itself, and ask the board",
                assess(),
            ),
        _ => begin(Status::Unmet)
            .to("dpo")
            .says(format!("{}, and nobody assessed it", said.join("; ")))
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
            "joins the pseudonymised `{}` with `{}`, which {}: they are identified again",
            evidence.name(pseudonymised),
            evidence.name(named),
            match evidence.raised(named) {
                Identifiability::Direct => "was made of what names people",
                _ => "names people",
            }
        ),
        Risk::Scopes(one, other) => format!(
            "puts together the people of `{}` and `{}`, whose pseudonyms were kept apart",
            evidence.name(one),
            evidence.name(other)
        ),
        Risk::Controllers(one, other) => {
            format!("links `{}` and `{}`, which no controller has in common", evidence.name(one), evidence.name(other))
        }
        Risk::Unclear(_) => String::new(),
    }
}
