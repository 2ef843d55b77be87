//! Techniques, origins and bases that a dated law forbids for a purpose (rule `purpose.forbids`).

use std::collections::HashSet;

use licit_schemas::gate::{Finding, Status};
use licit_schemas::lawfulness::{LegalBasis, PurposeSpec};
use licit_schemas::registry::Operation;

use super::asked::{Asked, each};
use super::purpose::hit;
use super::{BOARD, finding};
use crate::catalogue::Revision;
use crate::facts::word;
use crate::gate::coverage::Answer;
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

/// Data that the law lets be used on explicit consent only, and that stand on something else; but for those refused already. What
/// no basis governs is refused anyway.
pub(super) fn consent(
    evidence: &Evidence<'_>,
    purpose: &Revision<PurposeSpec>,
    law: &Forbidden,
    (cohorts, refused): (&[usize], &HashSet<String>),
    training: Option<usize>,
) -> Option<Finding> {
    let other = |ask: &Asked<'_>, place: &usize| {
        let basis = &ask.candidate(*place).revision.spec;
        basis.legal_basis != LegalBasis::Art6_1A || !basis.letter.explicit
    };
    let bare = |ask: &Asked<'_>| {
        ask.training == training
            && cohorts.contains(&ask.place)
            && matches!(ask.answer, Answer::Governed(places) if places.iter().any(|place| other(ask, place)))
    };
    let reached: Vec<(Asked<'_>, &Source)> =
        each(evidence, bare).filter(|(_, source)| !refused.contains(&evidence.name(source.node))).collect();
    let (ask, source) = reached.first()?;
    let Answer::Governed(places) = ask.answer else { return None };
    let basis =
        places.iter().find(|place| other(ask, place)).map(|place| ask.candidate(*place).revision.reference.clone());
    let name = evidence.name(source.node);
    let also = reached.iter().map(|(_, s)| evidence.name(s.node)).filter(|n| *n != name).collect();
    Some(
        finding("purpose.forbids", Status::Unmet, &format!("{} {}", law.law, law.article), &name)
            .fine(&law.fine)
            .path(ask.path(evidence, source))
            .also(also)
            .says(format!("{} `{name}` stands on `{}`.", law.sentence_en, basis.unwrap_or_default()))
            .to(BOARD)
            .remedy(
                format!(
                    "ask these people for explicit consent to `{}` alone, record that basis, and take out whoever does not give it",
                    purpose.reference
                ),
                Some("licit basis create -f basis.yaml".to_owned()),
            ),
    )
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
