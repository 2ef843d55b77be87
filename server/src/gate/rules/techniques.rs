//! Techniques and origins that a dated law forbids for a purpose (rule `purpose.forbids`).

use licit_schemas::gate::{Finding, Status};
use licit_schemas::lawfulness::PurposeSpec;
use licit_schemas::registry::Operation;

use super::finding;
use super::purpose::hit;
use crate::catalogue::Revision;
use crate::facts::word;
use crate::gate::evidence::{Evidence, Source};
use crate::lawfulness::law::Forbidden;
use crate::lineage::exposure::{MODES, VALIDATION};
use crate::registry::What;
use crate::registry::vocabulary::vocabulary;

/// Data that came from elsewhere than the law allows.
pub(super) fn origins(
    evidence: &Evidence<'_>,
    purpose: &Revision<PurposeSpec>,
    law: &Forbidden,
    cohorts: &[usize],
    training: Option<usize>,
) -> Option<Finding> {
    if law.origins.is_empty() {
        return None;
    }
    let origin =
        |source: &Source| match evidence.world.lineage.record(source.node).held.as_deref().map(|held| &held.what) {
            Some(What::Dataset(facts)) => facts.origin.filter(|origin| law.origins.contains(origin)),
            _ => None,
        };
    let out = |s: &&Source| cohorts.contains(&s.cohort) && !evidence.cohort(s).derived && origin(s).is_some();
    let reached: Vec<&Source> = evidence.sources.iter().filter(out).collect();
    let first = reached.first()?;
    let stated = origin(first).map(|origin| word(&origin)).unwrap_or_default();
    let says = format!("{} `{}` is stated `{stated}`.", law.sentence_en, evidence.name(first.node));
    Some(hit(evidence, purpose, &reached, training, &format!("{} {}", law.law, law.article), Some(&law.fine), says))
}

/// Operations the law forbids at all, and what the deployment itself infers about people of the categories it names. What an
/// operation reads of them reaches the release anyway.
pub(super) fn techniques(evidence: &Evidence<'_>, purpose: &Revision<PurposeSpec>, law: &Forbidden) -> Vec<Finding> {
    let mut findings = Vec::new();
    if law.operations.is_empty() {
        return findings;
    }
    let article = format!("{} {}", law.law, law.article);
    let begin = |node: &str, path| finding("purpose.forbids", Status::Unmet, &article, node).fine(&law.fine).path(path);
    let lineage = &evidence.world.lineage;
    if law.categories().is_empty() {
        for &(node, label) in &evidence.closure {
            let operation = lineage.class(node).traits.operation.filter(|own| law.operations.contains(own));
            let Some(operation) = operation.filter(|_| label & MODES & !VALIDATION != 0) else { continue };
            let name = evidence.name(node);
            findings.push(
                begin(&name, evidence.any_path(node))
                    .says(format!("{} `{name}` does `{}`.", law.sentence_en, word(&operation)))
                    .to(evidence.deployment_owner())
                    .remedy(
                        format!(
                            "do without that technique: no approval and no basis can allow it for `{}`",
                            purpose.reference
                        ),
                        None,
                    ),
            );
        }
        return findings;
    }
    if !law.operations.contains(&Operation::Infer) {
        return findings;
    }
    let v = vocabulary();
    for node in evidence.written() {
        let named = |term: &&_| law.categories().iter().any(|broad| v.is_a(**term, *broad));
        let Some(category) = lineage.class(node).categories.iter().find(named) else { continue };
        let name = evidence.name(node);
        findings.push(
            begin(&name, vec![evidence.ask.deployment.clone(), name.clone()])
                .says(format!(
                    "{} `{}` writes \"{}\" about people into `{name}`.",
                    law.sentence_en,
                    evidence.ask.deployment,
                    v.term(*category).label
                ))
                .to(evidence.deployment_owner())
                .remedy(
                    format!(
                        "infer and write nothing of the kind: no approval and no basis can allow it for `{}`",
                        purpose.reference
                    ),
                    None,
                ),
        );
    }
    findings
}
