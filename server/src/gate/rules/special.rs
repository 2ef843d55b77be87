//! Special categories of personal data.

use licit_schemas::gate::{Finding, Status};

use super::asked::{asked, grouped};
use super::{BOARD, GDPR_UPPER, ask_board, finding};
use crate::gate::coverage::Answer;
use crate::gate::evidence::{Evidence, Missing, Source};
use crate::gate::policy::Policy;
use crate::lineage::exposure::{CONTAINED, SERVED, Want};
use crate::registry::vocabulary::vocabulary;

/// `special.category`: an exception of Art. 9(2) in force besides the Art. 6 basis.
pub(super) fn special(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let mut list = Vec::new();
    for ask in asked(evidence).filter(|a| a.source.class.special) {
        let name = evidence.name(ask.source.node);
        let category = category(ask.source);
        let begin = |status| {
            finding("special.category", status, "GDPR Art. 9(1)", &name)
                .fine(GDPR_UPPER)
                .path(ask.path(evidence))
                .to(BOARD)
        };
        let command = || Some("licit basis create -f basis.yaml".to_owned());
        match ask.answer {
            Answer::Governed(places) => {
                let Some(&bare) = places.iter().find(|p| ask.candidate(**p).revision.spec.exception.is_none()) else {
                    continue;
                };
                let reference = ask.candidate(bare).revision.reference.to_string();
                list.push((
                    (ask.training, reference.clone()),
                    begin(Status::Unmet)
                        .says(format!(
                            "`{name}` holds \"{category}\", and `{reference}` names no exception of Art. 9(2)"
                        ))
                        .remedy(
                            "record a revision that names the exception that does apply, and ask the board",
                            command(),
                        ),
                ));
            }
            Answer::Fell(place) if ask.candidate(*place).revision.spec.exception.is_some() => {
                let (end, due) = ask.ended(*place);
                let reference = ask.candidate(*place).revision.reference.to_string();
                list.push((
                    (ask.training, reference.clone()),
                    begin(Status::Expired)
                        .since(end)
                        .due(due)
                        .says(format!("`{name}` holds \"{category}\"; the exception went with `{reference}`"))
                        .remedy(
                            "ask the board to approve the basis again, or take these data out",
                            ask_board(&format!("Renew {reference}"), &[&reference]),
                        ),
                ));
            }
            _ => {}
        }
    }
    inferred(evidence, &mut list);
    // Unclassified fields may hide special categories: where the law must be strictest, that is said here too.
    let mut findings = grouped(list);
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

fn category(source: &Source) -> &'static str {
    let v = vocabulary();
    source.class.categories.iter().find(|c| v.is_special(**c)).map_or("", |c| &v.term(*c).label)
}

/// Special categories that derived data bring (inferred, or classified later than their sources): one of the bases that govern
/// what stands behind must except them (CJEU C-184/20).
fn inferred(evidence: &Evidence<'_>, list: &mut Vec<((Option<usize>, String), Finding)>) {
    for derived in evidence.sources.iter().filter(|s| s.derived && s.class.special) {
        let behind = evidence.sources_behind(derived.node);
        let mut stages: Vec<Option<usize>> = derived.trainings.iter().copied().map(Some).collect();
        if derived.modes & (CONTAINED | SERVED) != 0 {
            stages.push(None);
        }
        for stage in stages {
            let asks: Vec<_> = asked(evidence)
                .filter(|a| a.training == stage && behind.iter().any(|s| s.node == a.source.node))
                .filter(|a| matches!(a.answer, Answer::Governed(_)))
                .collect();
            let excepted = asks.iter().any(|a| match a.answer {
                Answer::Governed(places) => places.iter().any(|p| a.candidate(*p).excepts(&derived.class)),
                _ => false,
            });
            if asks.is_empty() || excepted {
                continue; // Not governed at all is another rule's finding.
            }
            let (name, category) = (evidence.name(derived.node), category(derived));
            let want = match stage {
                Some(training) => Want::Run(evidence.trainings[training].node),
                None if derived.modes & CONTAINED != 0 => Want::Mode(CONTAINED),
                None => Want::Mode(SERVED),
            };
            list.push((
                (stage, name.clone()),
                finding("special.category", Status::Unmet, "GDPR Art. 9(1)", &name)
                    .fine(GDPR_UPPER)
                    .path(evidence.path(derived.node, want))
                    .says(format!("`{name}` brings \"{category}\" about people, and no basis behind it covers that with an exception of Art. 9(2)"))
                    .to(BOARD)
                    .remedy(
                        "make it without that category, or record a revision of a basis behind it that covers it with the exception that does apply, and ask the board",
                        Some("licit basis create -f basis.yaml".to_owned()),
                    ),
            ));
        }
    }
}
