//! Special categories of personal data.

use licit_schemas::gate::{Finding, Status};

use super::asked::{Asked, Grouped, asked, each};
use super::{BOARD, GDPR_UPPER, ask_board, finding};
use crate::gate::coverage::Answer;
use crate::gate::evidence::{Cohort, Evidence, Missing};
use crate::gate::policy::Policy;
use crate::lineage::exposure::{CONTAINED, SERVED, Want};
use crate::registry::vocabulary::vocabulary;

/// `special.category`: an exception of Art. 9(2) in force besides the Art. 6 basis.
pub(super) fn special(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let mut list = Grouped::new();
    for (ask, source) in each(evidence, lacks_exception) {
        let name = evidence.name(source.node);
        let category = category(ask.cohort);
        let begin = |status| {
            finding("special.category", status, "GDPR Art. 9(1)", &name)
                .fine(GDPR_UPPER)
                .path(ask.path(evidence, source))
                .to(BOARD)
        };
        let command = || Some("licit basis create -f basis.yaml".to_owned());
        match ask.answer {
            Answer::Governed(places) => {
                let Some(&bare) = places.iter().find(|p| ask.candidate(**p).revision.spec.exception.is_none()) else {
                    continue;
                };
                let reference = ask.candidate(bare).revision.reference.to_string();
                list.add((ask.training, reference.clone()), &name, || {
                    begin(Status::Unmet)
                        .says(format!(
                            "`{name}` holds \"{category}\", and `{reference}` names no exception of Art. 9(2)"
                        ))
                        .remedy(
                            "record a revision that names the exception that does apply, and ask the board",
                            command(),
                        )
                });
            }
            Answer::Fell(place) if ask.candidate(*place).revision.spec.exception.is_some() => {
                let (end, due) = ask.ended(*place);
                let reference = ask.candidate(*place).revision.reference.to_string();
                list.add((ask.training, reference.clone()), &name, || {
                    begin(Status::Expired)
                        .because(&reference)
                        .since(end)
                        .due(due)
                        .says(format!("`{name}` holds \"{category}\"; the exception went with `{reference}`"))
                        .remedy(
                            "ask the board to approve the basis again, or take these data out",
                            ask_board(&format!("Renew {reference}"), &[&reference]),
                        )
                });
            }
            _ => {}
        }
    }
    inferred(evidence, &mut list);
    // Unclassified fields may hide special categories: where the law must be strictest, that is said here too.
    let mut findings = list.findings();
    if let Some(gap) = evidence.gaps.iter().find(|g| matches!(g.missing, Missing::Classes(_))) {
        let node = evidence.name(gap.node);
        findings.push(
            finding("special.category", Status::Unknown, "GDPR Art. 9(1)", &node)
                .path(evidence.any_path(gap.node))
                .since(Some(evidence.world.lineage.record(gap.node).at))
                .says(format!("`{node}` may hold special categories: nobody classified its fields"))
                .to(evidence.owner(&node))
                .remedy("register a version with every field classified", Some("licit register".to_owned())),
        );
    }
    findings
}

/// Whether special categories are governed without an exception, or their exception fell.
fn lacks_exception(ask: &Asked<'_>) -> bool {
    let excepts = |place: usize| ask.candidate(place).revision.spec.exception.is_some();
    ask.cohort.class.special
        && match ask.answer {
            Answer::Governed(places) => !places.iter().all(|&p| excepts(p)),
            Answer::Fell(place) => excepts(*place),
            _ => false,
        }
}

fn category(cohort: &Cohort<'_>) -> &'static str {
    let v = vocabulary();
    cohort.class.categories.iter().find(|c| v.is_special(**c)).map_or("", |c| &v.term(*c).label)
}

/// Special categories that derived data bring (inferred, or classified later than their sources): one of the bases that govern
/// what stands behind must except them (CJEU C-184/20).
fn inferred(evidence: &Evidence<'_>, list: &mut Grouped<(Option<usize>, String)>) {
    for (place, cohort) in evidence.cohorts.iter().enumerate().filter(|(_, c)| c.derived && c.class.special) {
        let nodes: Vec<_> = evidence.sources_of(place).map(|s| s.node).collect();
        for (derived, behind) in evidence.sources_of(place).zip(evidence.cohorts_in(&nodes)) {
            let mut stages: Vec<Option<usize>> = cohort.trainings.iter().copied().map(Some).collect();
            if cohort.modes & (CONTAINED | SERVED) != 0 {
                stages.push(None);
            }
            for stage in stages {
                let (mut governed, mut excepted) = (false, false);
                for ask in asked(evidence).filter(|a| a.training == stage && behind[a.place]) {
                    if let Answer::Governed(places) = ask.answer {
                        governed = true;
                        excepted |= places.iter().any(|p| ask.candidate(*p).excepts(cohort.class));
                    }
                }
                if !governed || excepted {
                    continue; // Not governed at all is another rule's finding.
                }
                let (name, category) = (evidence.name(derived.node), category(cohort));
                let want = match stage {
                    Some(training) => Want::Run(evidence.trainings[training].node),
                    None if cohort.modes & CONTAINED != 0 => Want::Mode(CONTAINED),
                    None => Want::Mode(SERVED),
                };
                list.add((stage, name.clone()), &name, || {
                    finding("special.category", Status::Unmet, "GDPR Art. 9(1)", &name)
                        .fine(GDPR_UPPER)
                        .path(evidence.path(derived.node, want))
                        .says(format!("`{name}` brings \"{category}\" about people, and no basis behind it covers that with an exception of Art. 9(2)"))
                        .to(BOARD)
                        .remedy(
                            "make it without that category, or record a revision of a basis behind it that covers it with the exception that does apply, and ask the board",
                            Some("licit basis create -f basis.yaml".to_owned()),
                        )
                });
            }
        }
    }
}
