//! Lineage: complete, and what is served declared.

use licit_schemas::gate::{Finding, Status};
use licit_schemas::reference::Ref;

use super::{BOARD, GDPR_UPPER, ask_board, finding};
use crate::gate::evidence::{Evidence, Missing};
use crate::gate::policy::Policy;

/// `serving.declared`: the deployment says what it reads and writes about people, and was seen doing nothing else
/// (GDPR Art. 5(2), 30).
pub(super) fn serving(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let Some(deployment) = &evidence.deployment else { return Vec::new() };
    let own = &evidence.ask.deployment;
    let begin = |status, node: &str| {
        finding("serving.declared", status, "GDPR Art. 5(2), 30", node)
            .fine(super::GDPR_LOWER)
            .to(deployment.spec.owner.to_string())
    };
    let command = || Some("licit deployment create -f deployment.yaml".to_owned());
    let mut findings = Vec::new();
    for (declaration, what) in [(&deployment.spec.reads, "reads"), (&deployment.spec.writes, "writes")] {
        // What is only handed over reads and writes nothing by itself.
        if declaration.is_none() && !evidence.only_hands_over() {
            findings.push(
                begin(Status::Unknown, own)
                    .path(vec![own.clone()])
                    .since(Some(deployment.at))
                    .says(format!("`{own}` does not say what it {what} about people"))
                    .remedy(format!("name the datasets in `{what}`, or state why it is nobody"), command()),
            );
        }
    }
    let stated = |item: &Ref| {
        let mut what = deployment.spec.discloses.iter().flat_map(|disclosure| &disclosure.what);
        what.any(|r| r == item || *r == item.unpinned())
    };
    for item in evidence.release.iter().flat_map(|r| &r.spec.discloses).filter(|item| !stated(item)) {
        let release = evidence.release.as_ref().map(|r| r.reference.to_string()).unwrap_or_default();
        findings.push(
            begin(Status::Unmet, &item.to_string())
                .path(vec![release, item.to_string()])
                .says(format!("`{item}` is handed over, and `{own}` does not say so any more"))
                .remedy(
                    "propose a release that hands over what is declared, or declare it and ask the board",
                    command(),
                ),
        );
    }
    for node in &evidence.undeclared {
        let name = evidence.name(*node);
        findings.push(
            begin(Status::Unmet, &name)
                .path(vec![own.clone(), name.clone()])
                .says(format!("`{own}` was seen using `{name}`, which it does not declare"))
                .remedy("declare it in a revision of the deployment, and ask the board", command()),
        );
    }
    for dataset in &evidence.unversioned {
        findings.push(
            begin(Status::Unknown, &dataset.to_string())
                .path(vec![own.clone(), dataset.to_string()])
                .since(Some(deployment.at))
                .says(format!("`{own}` reads `{dataset}`, of which no version is registered"))
                .remedy("register the version that is read", Some("licit register".to_owned())),
        );
    }
    findings
}

/// `lineage.complete`: every node has its run, an approved provider assessment, or a regularisation; nothing dangles, nothing is
/// unclassified (GDPR Art. 5(2), AI Act Art. 10).
pub(super) fn complete(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let mut findings: Vec<Finding> = evidence
        .gaps
        .iter()
        .map(|gap| {
            let name = evidence.name(gap.node);
            let record = evidence.world.lineage.record(gap.node);
            let begin = |status| {
                finding("lineage.complete", status, "GDPR Art. 5(2), AI Act Art. 10", &name)
                    .fine(GDPR_UPPER)
                    .path(evidence.any_path(gap.node))
                    .to(evidence.owner(&name))
                    .since(Some(record.at))
            };
            let register = || Some("licit register".to_owned());
            let assess = || Some("licit assessment create -f assessment.yaml".to_owned());
            match &gap.missing {
                Missing::Dangling => {
                    let by = record.named_by.as_deref().unwrap_or("lineage");
                    begin(Status::Unknown)
                        .says(format!("`{by}` names `{name}`, which nobody registered"))
                        .remedy("register it", register())
                }
                Missing::Origin => begin(Status::Unknown)
                    .says(format!("nobody said where the data of `{name}` come from: neither what it was made of nor an origin says it"))
                    .remedy("record the run that made it, or register a version that states its origin", register()),
                Missing::Classes(fields) if fields.iter().any(|f| f == "*") => begin(Status::Unknown)
                    .says(format!("nobody said which fields `{name}` has"))
                    .remedy("register a version with its fields classified", register()),
                Missing::Classes(fields) => begin(Status::Unknown)
                    .says(format!("nobody classified {} of `{name}`", quoted(fields)))
                    .remedy("classify them with `licit dataset confirm`, or register a version with every field classified", register()),
                Missing::DefaultEnded(class, until) => begin(Status::Expired)
                    .to(evidence.world.registry.classes.owner(class).map_or_else(|| evidence.owner(&name), ToString::to_string))
                    .since(Some(*until))
                    .says(format!("`{class}` answered for what nobody classified in `{name}` until {until}"))
                    .remedy("classify its fields with `licit dataset confirm`, or state the default anew", Some("licit class create -f class.yaml".to_owned())),
                Missing::Inputs => begin(Status::Unknown)
                    .says(format!("nobody said what `{name}` read, or, as it formed a model, what it learned from"))
                    .remedy("record what it read, as edges `used`", register()),
                Missing::Partial => begin(Status::Unknown)
                    .says(format!("engines reported more of `{name}` than is kept of one run or version: what is known of it is not all"))
                    .remedy(
                        "report what was done as runs of fewer tables and release what these made, or register it natively; for a run that is over, an approved regularisation",
                        register(),
                    ),
                Missing::Contradicted(other, source) => begin(Status::Unknown)
                    .says(format!("the same bytes as those of `{name}` are registered as `{other}`, made of `{source}`, which is not behind this release"))
                    .remedy(
                        "record for both what they were made of, or retire the one that was registered by mistake",
                        Some(format!("licit model retire {} --reason 'registered by mistake'", other.trim_start_matches("model:"))),
                    ),
                Missing::Shared(other, source, file) => begin(Status::Unknown)
                    .says(format!("`{file}` of `{name}` is a file of `{other}`, too, which was made of `{source}`, which is not behind this release"))
                    .remedy(
                        "register the model both have the file from, with what it learned from, as an input of both; or retire the one registered by mistake",
                        register(),
                    ),
                Missing::Run => begin(Status::Unmet)
                    .says(format!("`{name}` was built here, but no run says from what"))
                    .remedy("record the run; for what ran before the registry, an approved regularisation", register()),
                Missing::Retired(since) => begin(Status::Unmet)
                    .to(evidence.owner(evidence.any_path(gap.node).iter().rev().find(|n| !n.starts_with("run:")).unwrap_or(&name)))
                    .since(Some(*since))
                    .says(format!("`{name}` was registered by mistake and is retired: nothing may rest on it"))
                    .remedy("take it out: register a run or version without it, or register it right under a new version", register()),
                Missing::Assessment(None) => begin(Status::Unmet)
                    .says(format!("`{name}` was made elsewhere, and nobody assessed how"))
                    .remedy("record a provider assessment and ask the board", assess()),
                Missing::Assessment(Some(assessment)) => begin(Status::Unmet)
                    .because(assessment)
                    .to(BOARD)
                    .says(format!("`{assessment}` would close the lineage of `{name}`, but the board has not approved it"))
                    .remedy("ask the board to approve the assessment", ask_board(&format!("Approve {assessment}"), &[assessment])),
                why @ (Missing::Figure(..) | Missing::BasesThen(..)) => begin(Status::Unmet)
                    .to(BOARD)
                    .says(format!("the lineage of `{name}` is not closed: {}", why.says().unwrap_or_default()))
                    .remedy("name in a revision of the assessment the bases that held then, and ask the board to approve them and it", assess()),
                Missing::AssessmentLater(assessment, from) => begin(Status::Unmet)
                    .to(BOARD)
                    .says(format!("`{assessment}` closes the lineage of `{name}` from {from} on, not before"))
                    .remedy("wait, or record an assessment that holds now and ask the board", assess()),
                Missing::AssessmentEnded(assessment, end, due) => begin(Status::Expired)
                    .because(assessment)
                    .to(BOARD)
                    .since(Some(*end))
                    .due(*due)
                    .says(format!("`{assessment}` closed the lineage of `{name}` until {end}"))
                    .remedy("renew the assessment and ask the board", assess()),
            }
        })
        .collect();
    let discloses = evidence.release.as_ref().is_some_and(|release| !release.spec.discloses.is_empty());
    if evidence.deployment.is_some() && evidence.release.is_some() && evidence.models.is_empty() && !discloses {
        findings.push(
            finding("lineage.complete", Status::Unknown, "GDPR Art. 5(2)", &evidence.ask.deployment)
                .path(vec![evidence.ask.deployment.clone()])
                .says("the release names no model")
                .to(evidence.deployment_owner())
                .remedy("propose a release with its models", Some("licit release create".to_owned())),
        );
    }
    findings
}

fn quoted(fields: &[String]) -> String {
    fields.iter().map(|f| format!("`{f}`")).collect::<Vec<_>>().join(", ")
}
