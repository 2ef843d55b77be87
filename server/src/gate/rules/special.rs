//! Special categories of personal data.

use std::collections::BTreeMap;

use licit_schemas::gate::{Finding, Status};

use super::asked::{Asked, Grouped, asked, each};
use super::{BOARD, GDPR_UPPER, ask_board, finding};
use crate::gate::coverage::Answer;
use crate::gate::evidence::{Cohort, Evidence, Missing, Source};
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
                let Some(&bare) = places.iter().find(|p| !ask.candidate(**p).is_exception()) else { continue };
                let revision = &ask.candidate(bare).revision;
                let reference = revision.reference.to_string();
                let (lacks, remedy) = match revision.spec.exception {
                    None => (
                        "names no exception of Art. 9(2)",
                        "record a revision that names the exception that does apply, and ask the board",
                    ),
                    Some(_) => (
                        "excepts it by a consent that is not stated to be explicit (Art. 9(2)(a))",
                        "record a revision that states `explicit` where the consent is, or names the exception that does apply, and ask the board",
                    ),
                };
                list.add((ask.training, reference.clone()), &name, || {
                    begin(Status::Unmet)
                        .says(format!("`{name}` holds \"{category}\", and `{reference}` {lacks}"))
                        .remedy(remedy, command())
                });
            }
            Answer::Fell(place) if ask.candidate(*place).is_exception() => {
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
    findings.extend(free_text(evidence));
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

/// Free text may hold special categories that nobody asked for. Something was done against that, or every basis that governs it,
/// or what it was made of, names an exception for what may be in it.
fn free_text(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut list = Grouped::new();
    let excepted = |ask: &Asked<'_>, places: &[usize]| places.iter().all(|p| ask.candidate(*p).is_exception());
    let mut add = |source: &Source, path: &dyn Fn() -> Vec<String>| {
        let name = evidence.name(source.node);
        list.add(name.clone(), &name, || {
            finding("special.category", Status::Unmet, "GDPR Art. 9(1)", &name)
                .fine(GDPR_UPPER)
                .path(path())
                .says(format!("people wrote what they liked into `{name}`: special categories may be in it, and nothing was done against that"))
                .to(evidence.owner(&name))
                .remedy(
                    "take out or mask what is special, and register a version that states the `measures` of its free text; or have the basis name the exception that covers it",
                    Some("licit register".to_owned()),
                )
        });
    };
    let bare = |ask: &Asked<'_>| match ask.answer {
        Answer::Governed(places) => ask.cohort.class.free_text && !excepted(ask, places),
        _ => false,
    };
    for (ask, source) in each(evidence, bare) {
        add(source, &|| ask.path(evidence, source));
    }
    evidence.behind(
        |cohort| cohort.derived && cohort.class.free_text,
        |behind| {
            let bare = asked(evidence).filter(|ask| match ask.answer {
                Answer::Governed(places) => !excepted(ask, places),
                _ => false,
            });
            let holders = bare.fold(0, |holders, ask| holders | behind.holders(ask.place));
            for derived in behind.among(holders) {
                add(derived, &|| evidence.any_path(derived.node));
            }
        },
    );
    list.findings()
}

/// Whether special categories are governed without an exception, or their exception fell.
fn lacks_exception(ask: &Asked<'_>) -> bool {
    let excepts = |place: usize| ask.candidate(place).is_exception();
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
    let mut stages: BTreeMap<Option<usize>, Vec<(Asked<'_>, &[usize])>> = BTreeMap::new();
    evidence.behind(
        |cohort| cohort.derived && cohort.class.special,
        |behind| {
            if stages.is_empty() {
                for ask in asked(evidence) {
                    if let Answer::Governed(places) = ask.answer {
                        stages.entry(ask.training).or_default().push((ask, places));
                    }
                }
            }
            let cohort = &evidence.cohorts[behind.cohort];
            let own = (cohort.modes & (CONTAINED | SERVED) != 0).then_some(None);
            for stage in cohort.trainings.iter().copied().map(Some).chain(own) {
                let (mut governed, mut excepted) = (0, 0);
                for (ask, places) in stages.get(&stage).into_iter().flatten() {
                    let holders = behind.holders(ask.place);
                    governed |= holders;
                    if holders & !excepted != 0 && places.iter().any(|p| ask.candidate(*p).excepts(&cohort.class)) {
                        excepted |= holders;
                    }
                }
                // Not governed at all is another rule's finding.
                for derived in behind.among(governed & !excepted) {
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
        },
    );
}
