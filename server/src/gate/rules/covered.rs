//! Which basis governs each source, and whether one does.

use licit_schemas::gate::{Finding, Status};
use licit_schemas::lawfulness::LegalBasis;

use super::asked::{Grouped, unsettled};
use super::{BOARD, GDPR_UPPER, ask_board, finding};
use crate::gate::coverage::{Answer, base};
use crate::gate::evidence::Evidence;
use crate::gate::policy::Policy;

/// `basis.governing`: two claim to govern, or one would silently take the place of another that fell
/// (GDPR Art. 6(1), 13(1)(c), EDPB Guidelines 05/2020 §121-123).
pub(super) fn governing(evidence: &Evidence<'_>, policy: &Policy) -> Vec<Finding> {
    let mut list = Grouped::new();
    for (ask, source) in unsettled(evidence) {
        let name = evidence.name(source.node);
        let begin = |status| {
            finding("basis.governing", status, "GDPR Art. 6(1), 13(1)(c)", &name)
                .fine(GDPR_UPPER)
                .path(ask.path(evidence, source))
        };
        match ask.answer {
            Answer::Ambiguous(places) => {
                let names: Vec<String> =
                    places.iter().map(|p| format!("`{}`", ask.candidate(*p).revision.reference)).collect();
                let consent =
                    places.iter().find(|p| ask.candidate(**p).revision.spec.legal_basis == LegalBasis::Art6_1A);
                let keep = match consent {
                    Some(p) => {
                        format!("all but `{}` (consent once relied on governs)", ask.candidate(*p).revision.reference)
                    }
                    None => "all but one of them".to_owned(),
                };
                list.add(names.clone(), &name, || {
                    begin(Status::Unmet)
                        .says(format!("{} all claim to govern `{name}` {}", names.join(" and "), ask.stage(evidence)))
                        .to(BOARD)
                        .remedy(
                            format!("narrow {keep} by a new revision, and ask the board, so that exactly one governs"),
                            Some("licit basis create -f basis.yaml".to_owned()),
                        )
                });
            }
            Answer::Replaced(place, next) => {
                let (since, due) = ask.ended(*place);
                let (fell, next) = (&ask.candidate(*place).revision, &ask.candidate(*next).revision);
                let remedy = if fell.spec.legal_basis == LegalBasis::Art6_1A {
                    "stop using these data, or collect them anew: what people agreed to is not swapped for another basis".to_owned()
                } else {
                    format!(
                        "state `replaces: [basis:{}]` in a revision of `{}` and ask the board",
                        fell.spec.key, next.reference
                    )
                };
                // What runs may go on as long as it could, did the other not exist.
                let due = due.or_else(|| since.map(|s| s.plus(policy.grace("basis.governing", Status::Expired))));
                list.add(vec![fell.reference.to_string(), next.reference.to_string()], &name, || {
                    begin(Status::Unmet)
                        .because(&fell.reference)
                        .since(since)
                        .due(due)
                        .says(format!(
                            "`{}` governed `{name}` and does no more; `{}` may not silently take its place",
                            fell.reference, next.reference
                        ))
                        .to(BOARD)
                        .remedy(remedy, None)
                });
            }
            Answer::NoSubjects => list.add(vec![String::new()], &name, || {
                begin(Status::Unknown)
                    .since(Some(evidence.world.lineage.record(source.node).at))
                    .says(format!("nobody said whom the data of `{name}` are about, so no basis can govern them"))
                    .to(evidence.owner(&name))
                    .remedy("register a version that states its `subjects`", Some("licit register".to_owned()))
            }),
            _ => {}
        }
    }
    list.findings()
}

/// `source.covered`: a source read for training had no governing basis for the run's purpose at its start; a source served on,
/// or contained in what runs, has none for the deployment's purpose (GDPR Art. 5(1)(b), 6, EDPB Opinion 28/2024); or no basis
/// carries it, because it is restricted or erased (GDPR Art. 17, 18).
pub(super) fn covered(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let mut list = Grouped::new();
    for (ask, source) in unsettled(evidence) {
        let name = evidence.name(source.node);
        let key = |text: &str| (ask.training, text.to_owned());
        let begin = |status| {
            finding("source.covered", status, "GDPR Art. 5(1)(b), 6(1)", &name)
                .fine(GDPR_UPPER)
                .path(ask.path(evidence, source))
                .to(BOARD)
        };
        let stage = ask.stage(evidence);
        match ask.answer {
            Answer::Fell(place) => {
                let (end, due) = ask.ended(*place);
                let reference = ask.candidate(*place).revision.reference.to_string();
                list.add(key(&reference), &name, || begin(Status::Expired)
                        .because(&reference)
                        .since(end)
                        .due(due)
                        .says(format!("`{reference}` covered `{name}` {stage}, but no longer holds"))
                        .remedy(
                            "ask the board to approve the basis again, or take these data out",
                            ask_board(&format!("Renew {reference}"), &[&reference]),
                        ));
            }
            Answer::Proposed(place) => {
                let reference = ask.candidate(*place).revision.reference.to_string();
                list.add(key(&reference), &name, || begin(Status::Unmet)
                        .because(&reference)
                        .says(format!("`{reference}` would cover `{name}` {stage}, but the board has not approved it"))
                        .remedy("ask the board to approve the basis", ask_board(&format!("Approve {reference}"), &[&reference])));
            }
            Answer::Later(place) => {
                let revision = &ask.candidate(*place).revision;
                let (reference, from) = (revision.reference.to_string(), revision.spec.valid_from);
                let (remedy, command) = match ask.training {
                    Some(_) => ("train again now that it holds, or have the board regularise the training", "licit assessment create -f assessment.yaml"),
                    None => ("wait until it holds, or record a basis that holds now and ask the board", "licit basis create -f basis.yaml"),
                };
                list.add(key(&reference), &name, || begin(Status::Unmet)
                        .says(format!("`{reference}` covers `{name}` from {from} on only, too late {stage}"))
                        .remedy(remedy, Some(command.to_owned())));
            }
            Answer::NoCategories => list.add(key(""), &name, || begin(Status::Unknown)
                    .since(Some(evidence.world.lineage.record(source.node).at))
                    .says(format!("`{name}` identifies people, and nobody said what kind of data it holds: whether a basis covers them is unknown"))
                    .to(evidence.owner(&name))
                    .remedy("register a version whose fields state their `categories`", Some("licit register".to_owned()))),
            Answer::None(nearest) => {
                let (lack, remedy) = match nearest {
                    Some((place, what)) => {
                        let what = what.says(base(&name));
                        let reference = &ask.candidate(*place).revision.reference;
                        (
                            format!("; the nearest, `{reference}`, does not cover {what}"),
                            format!("record a revision of `{reference}` that covers {what}, where it does hold, and ask the board"),
                        )
                    }
                    None => (String::new(), "record a basis that covers these data for this purpose and ask the board, or take the data out".to_owned()),
                };
                list.add(key(&lack), &name, || begin(Status::Unmet)
                        .says(format!("no basis covers `{name}` {stage}{lack}"))
                        .remedy(remedy, Some("licit basis create -f basis.yaml".to_owned())));
            }
            _ => {}
        }
    }
    // A run that nobody registered: what it read, for which purpose and when, is unknown.
    for run in evidence.unregistered_runs() {
        let name = evidence.name(run);
        list.add((None, name.clone()), &name, || {
            finding("source.covered", Status::Unknown, "GDPR Art. 5(1)(b), 6(1)", &name)
                .fine(GDPR_UPPER)
                .path(evidence.any_path(run))
                .since(Some(evidence.world.lineage.record(run).at))
                .says(format!("nobody registered `{name}`: what it read, and whether a basis covered it, is unknown"))
                .to("registrar")
                .remedy("register the run with what it read", Some("licit register".to_owned()))
        });
    }
    let mut findings = list.findings();
    findings.extend(super::life::barred(evidence));
    findings.extend(super::consent::restricted(evidence));
    findings
}
