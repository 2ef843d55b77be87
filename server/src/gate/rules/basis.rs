//! Legal bases: approved, governing, holding, covering; controllers; special categories.

use std::collections::BTreeMap;

use licit_schemas::gate::{Finding, Status};
use licit_schemas::lawfulness::{BasisSpec, Exception, LegalBasis};
use licit_schemas::reference::Ref;
use licit_schemas::registry::ArrangementKind;
use licit_schemas::time::Timestamp;

use super::{BOARD, GDPR_LOWER, GDPR_UPPER, ask_board, finding, revocation_due};
use crate::gate::coverage::{Answer, Candidate, Question, Stands};
use crate::gate::evidence::{Evidence, Missing, Source};
use crate::gate::policy::Policy;
use crate::lineage::exposure::{CONTAINED, SERVED, VALIDATION, Want};
use crate::registry::What;
use crate::registry::vocabulary::vocabulary;

/// One question about one source: at which stage, and what the answer was.
struct Asked<'a> {
    source: &'a Source,
    question: &'a Question,
    answer: &'a Answer,
    /// Place of the training run; none for the deployment stage.
    training: Option<usize>,
}

impl Asked<'_> {
    fn candidate(&self, place: usize) -> &Candidate {
        &self.question.candidates[place]
    }

    fn path(&self, evidence: &Evidence<'_>) -> Vec<String> {
        let want = match self.training {
            Some(training) => Want::Run(evidence.trainings[training].node),
            None if self.source.modes & CONTAINED != 0 => Want::Mode(CONTAINED),
            None => Want::Mode(SERVED),
        };
        evidence.path(self.source.node, want)
    }

    /// Who processes, at which stage, for which purpose: the words of a sentence.
    fn stage(&self, evidence: &Evidence<'_>) -> String {
        match self.training.map(|t| &evidence.trainings[t]) {
            None => {
                let purpose = evidence.purpose.as_ref().map_or_else(String::new, |p| p.reference.to_string());
                format!("to be used in this deployment for `{purpose}`")
            }
            Some(training) => match training.held.as_deref().map(|h| &h.what) {
                Some(What::Run(run)) => format!("to train for `{}` on {}", run.purpose, run.started_at),
                _ => "to train".to_owned(),
            },
        }
    }
}

/// Every question asked in this evidence.
fn asked<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = Asked<'a>> {
    evidence.sources.iter().flat_map(move |source| {
        let deployment = match (&source.deployment, &evidence.question) {
            (Some(answer), Some(question)) => Some(Asked { source, question, answer, training: None }),
            _ => None,
        };
        let trainings = source.trainings.iter().zip(&source.training).filter_map(move |(&place, answer)| {
            let question = evidence.trainings[place].question.as_ref()?;
            Some(Asked { source, question, answer, training: Some(place) })
        });
        deployment.into_iter().chain(trainings)
    })
}

/// Findings with the same cause are one: the first shows its path, the others stand beside it.
fn grouped<K: Ord>(list: Vec<(K, Finding)>) -> Vec<Finding> {
    let mut groups: BTreeMap<K, Finding> = BTreeMap::new();
    for (key, finding) in list {
        match groups.get_mut(&key) {
            None => {
                groups.insert(key, finding);
            }
            Some(first) if first.node != finding.node && !first.also.contains(&finding.node) => first.also.push(finding.node),
            Some(_) => {}
        }
    }
    groups.into_values().collect()
}

/// `basis.approved`: a basis in force; without personal data, the statement that there are none, void when exposure appears
/// (GDPR Art. 6(1), 2(1)).
pub(super) fn approved(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let Some(deployment) = &evidence.deployment else { return Vec::new() };
    let mut findings = Vec::new();
    let rule = "basis.approved";
    let exposed = evidence.sources.iter().find(|s| s.modes & !VALIDATION != 0);
    let own = || vec![evidence.ask.deployment.clone()];
    for named in &evidence.bases {
        let (reference, spec) = (&*named.revision.reference, &named.revision.spec);
        let path = vec![evidence.ask.deployment.clone(), reference.to_owned()];
        let begin = |status| finding(rule, status, "GDPR Art. 6(1)", reference).fine(GDPR_UPPER).path(path.clone()).to(BOARD);
        let ask = ask_board(&format!("Approve {reference}"), &[reference]);
        match named.stands {
            Stands::InForce => {}
            Stands::Proposed => findings.push(
                begin(Status::Unmet)
                    .says(format!("the board has not approved `{reference}`"))
                    .remedy("ask the board to approve the basis", ask),
            ),
            Stands::Later(from) => findings.push(
                begin(Status::Unmet)
                    .says(format!("`{reference}` holds from {from} on, not before"))
                    .remedy("wait, or record a basis that holds now", None),
            ),
            Stands::Fell(end) => {
                let approvals = evidence.world.review.approvals(reference);
                let due = approvals.last().and_then(|a| revocation_due(a));
                findings.push(
                    begin(Status::Expired)
                        .since(Some(end))
                        .due(due)
                        .says(format!("`{reference}` held until {end}"))
                        .remedy("ask the board to approve the basis again, or stop", ask),
                );
            }
        }
        if let (LegalBasis::NoPersonalData, Some(source)) = (spec.legal_basis, exposed) {
            findings.push(
                finding(rule, Status::Unmet, "GDPR Art. 2(1)", reference)
                    .fine(GDPR_UPPER)
                    .path(evidence.any_path(source.node))
                    .says(format!("`{reference}` states that no personal data are touched, but those of `{}` are", evidence.name(source.node)))
                    .to(evidence.deployment_owner())
                    .remedy("name a basis of GDPR Art. 6(1) instead", Some("licit basis create -f basis.yaml".to_owned())),
            );
        }
    }
    if evidence.bases.is_empty() {
        let what = if exposed.is_some() { "a basis of GDPR Art. 6(1)" } else { "a basis, or the statement `no_personal_data`" };
        findings.push(
            finding(rule, Status::Unmet, "GDPR Art. 6(1)", &evidence.ask.deployment)
                .fine(GDPR_UPPER)
                .path(own())
                .says(format!("`{}` names no basis", evidence.ask.deployment))
                .to(deployment.spec.owner.to_string())
                .remedy(format!("name {what} in a revision of the deployment"), Some("licit deployment create -f deployment.yaml".to_owned())),
        );
    }
    let only_statement = !evidence.bases.is_empty() && evidence.bases.iter().all(|b| b.revision.spec.legal_basis == LegalBasis::NoPersonalData);
    let unclear = evidence.gaps.iter().find(|g| matches!(g.missing, Missing::Dangling | Missing::Classes(_) | Missing::Origin));
    if let (true, None, Some(gap)) = (only_statement, exposed, unclear) {
        let node = evidence.name(gap.node);
        findings.push(
            finding(rule, Status::Unknown, "GDPR Art. 2(1)", &node)
                .path(evidence.any_path(gap.node))
                .since(Some(evidence.world.lineage.record(gap.node).at))
                .says(format!("the statement that no personal data are touched cannot be checked: nobody said what `{node}` holds"))
                .to(evidence.owner(&node))
                .remedy("register it with origin and every field classified", Some("licit register".to_owned())),
        );
    }
    findings
}

/// `basis.governing`: two claim to govern, or one would silently take the place of another that fell
/// (GDPR Art. 6(1), 13(1)(c), EDPB Guidelines 05/2020 §121-123).
pub(super) fn governing(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let mut list = Vec::new();
    for ask in asked(evidence) {
        let name = evidence.name(ask.source.node);
        let begin = |status| {
            finding("basis.governing", status, "GDPR Art. 6(1), 13(1)(c)", &name).fine(GDPR_UPPER).path(ask.path(evidence))
        };
        match ask.answer {
            Answer::Ambiguous(places) => {
                let names: Vec<String> = places.iter().map(|p| format!("`{}`", ask.candidate(*p).revision.reference)).collect();
                list.push((
                    names.clone(),
                    begin(Status::Unmet)
                        .says(format!("{} all claim to govern `{name}` {}", names.join(" and "), ask.stage(evidence)))
                        .to(BOARD)
                        .remedy("narrow all but one of them by a new revision, so that exactly one governs", None),
                ));
            }
            Answer::Replaced(fell, next) => {
                let (fell, next) = (&ask.candidate(*fell).revision, &ask.candidate(*next).revision);
                let consent = fell.spec.legal_basis == LegalBasis::Art6_1A;
                let remedy = if consent {
                    "consent once relied on governs: stop using these data, or collect them anew".to_owned()
                } else {
                    format!("state `replaces: [basis:{}]` in a revision of `{}` and ask the board", fell.spec.key, next.reference)
                };
                list.push((
                    vec![fell.reference.to_string(), next.reference.to_string()],
                    begin(Status::Unmet)
                        .says(format!(
                            "`{}` governed `{name}` and fell; `{}` may not silently take its place",
                            fell.reference, next.reference
                        ))
                        .to(BOARD)
                        .remedy(remedy, None),
                ));
            }
            Answer::NoSubjects => list.push((
                vec![String::new()],
                begin(Status::Unknown)
                    .since(Some(evidence.world.lineage.record(ask.source.node).at))
                    .says(format!("nobody said whom the data of `{name}` are about, so no basis can govern them"))
                    .to(evidence.owner(&name))
                    .remedy("register a version that states its `subjects`", Some("licit register".to_owned())),
            )),
            _ => {}
        }
    }
    grouped(list)
}

/// `source.covered`: a source read for training had no governing basis for the run's purpose at its start; a source served on,
/// or contained in what runs, has none for the deployment's purpose (GDPR Art. 5(1)(b), 6, EDPB Opinion 28/2024).
pub(super) fn covered(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let mut list = Vec::new();
    for ask in asked(evidence) {
        let name = evidence.name(ask.source.node);
        let key = |text: &str| (ask.training, text.to_owned());
        let begin = |status| {
            finding("source.covered", status, "GDPR Art. 5(1)(b), 6(1)", &name)
                .fine(GDPR_UPPER)
                .path(ask.path(evidence))
                .to(BOARD)
        };
        let stage = ask.stage(evidence);
        match ask.answer {
            Answer::Fell(place) => {
                let fell = ask.candidate(*place);
                let end = match fell.stands {
                    Stands::Fell(end) => Some(end),
                    _ => None,
                };
                let reference = fell.revision.reference.to_string();
                list.push((
                    key(&reference),
                    begin(Status::Expired)
                        .since(end)
                        .due(fell.approval.as_deref().and_then(revocation_due))
                        .says(format!("`{reference}` covered `{name}` {stage}, but no longer holds"))
                        .remedy(
                            "ask the board to approve the basis again, or take these data out",
                            ask_board(&format!("Renew {reference}"), &[&reference]),
                        ),
                ));
            }
            Answer::Proposed(place) => {
                let reference = ask.candidate(*place).revision.reference.to_string();
                list.push((
                    key(&reference),
                    begin(Status::Unmet)
                        .says(format!("`{reference}` would cover `{name}` {stage}, but the board has not approved it"))
                        .remedy("ask the board to approve the basis", ask_board(&format!("Approve {reference}"), &[&reference])),
                ));
            }
            Answer::None(nearest) => {
                let (lack, remedy) = match nearest {
                    Some((place, what)) => {
                        let reference = &ask.candidate(*place).revision.reference;
                        (
                            format!("; the nearest, `{reference}`, does not cover {what}"),
                            format!("record a revision of `{reference}` that covers {what}, where it does hold, and ask the board"),
                        )
                    }
                    None => (String::new(), "record a basis that covers these data for this purpose and ask the board, or take the data out".to_owned()),
                };
                list.push((
                    key(&lack),
                    begin(Status::Unmet)
                        .says(format!("no basis covers `{name}` {stage}{lack}"))
                        .remedy(remedy, Some("licit basis create -f basis.yaml".to_owned())),
                ));
            }
            _ => {}
        }
    }
    // A run that nobody registered: what it read, for which purpose and when, is unknown.
    for training in evidence.trainings.iter().filter(|t| t.held.is_none() && !t.regularised) {
        let name = evidence.name(training.node);
        list.push((
            (None, name.clone()),
            finding("source.covered", Status::Unknown, "GDPR Art. 5(1)(b), 6(1)", &name)
                .path(evidence.any_path(training.node))
                .since(Some(evidence.world.lineage.record(training.node).at))
                .says(format!("nobody registered `{name}`: whether its data were covered is unknown"))
                .to("registrar")
                .remedy("register the run", Some("licit register".to_owned())),
        ));
    }
    grouped(list)
}

/// `basis.holds`: a basis that governs lacks what its letter requires (GDPR Art. 6(3), 7, 9(2), 89).
pub(super) fn holds(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = Vec::new();
    for ask in asked(evidence) {
        let Answer::Governed(places) = ask.answer else { continue };
        for &place in places {
            let revision = &ask.candidate(place).revision;
            if seen.contains(&revision.reference) {
                continue;
            }
            seen.push(revision.reference.clone());
            let spec = &revision.spec;
            let path = vec![evidence.ask.deployment.clone(), revision.reference.to_string()];
            let begin = |status, article: &str| {
                finding("basis.holds", status, article, &*revision.reference).fine(GDPR_UPPER).path(path.clone()).to(BOARD)
            };
            let command = || Some("licit basis create -f basis.yaml".to_owned());
            for (article, lacks) in lacking(evidence, spec, ask.source) {
                findings.push(
                    begin(Status::Unmet, article)
                        .says(format!("`{}` lacks {lacks}", revision.reference))
                        .remedy(format!("record a revision with {lacks}, and ask the board"), command()),
                );
            }
            if spec.evidence.is_empty() {
                findings.push(
                    begin(Status::Unknown, "GDPR Art. 5(2)")
                        .since(Some(revision.at))
                        .says(format!("`{}` names no document that shows it", revision.reference))
                        .remedy("record a revision with its evidence, and ask the board", command()),
                );
            }
        }
    }
    findings
}

/// What the letter of a basis and of its exception asks for and is not there.
fn lacking(evidence: &Evidence<'_>, spec: &BasisSpec, source: &Source) -> Vec<(&'static str, &'static str)> {
    let letter = &spec.letter;
    let mut list = Vec::new();
    let mut need = |there: bool, article, what| {
        if !there {
            list.push((article, what));
        }
    };
    match spec.legal_basis {
        LegalBasis::Art6_1A => {
            need(letter.notice.is_some(), "GDPR Art. 13", "the notice people were shown");
            need(letter.withdrawal_means.is_some(), "GDPR Art. 7(3)", "a way to withdraw as easy as giving");
            let employee = vocabulary().find("https://w3id.org/dpv#Employee");
            let employees = source.class.subjects.iter().any(|s| employee.is_some_and(|e| vocabulary().is_a(*s, e)));
            need(!employees || letter.freely_given.is_some(), "GDPR Art. 7(4)", "why employees' consent is free");
        }
        LegalBasis::Art6_1B => {
            need(letter.contract.is_some(), "GDPR Art. 6(1)(b)", "the contract");
            need(letter.necessity.is_some(), "GDPR Art. 6(1)(b)", "why the processing is necessary for it");
        }
        LegalBasis::Art6_1C => need(letter.law.is_some(), "GDPR Art. 6(3)", "the law that obliges"),
        LegalBasis::Art6_1D => need(letter.necessity.is_some(), "GDPR Art. 6(1)(d)", "whose vital interest needs it"),
        LegalBasis::Art6_1E => need(letter.law.is_some(), "GDPR Art. 6(3)", "the law that lays down the task"),
        LegalBasis::Art6_1F => {
            need(letter.balancing_test.is_some(), "GDPR Art. 6(1)(f)", "the balancing test");
            let controller = evidence.deployment.as_ref().map(|d| d.spec.controller.to_string()).unwrap_or_default();
            let authority = evidence.world.registry.parties.latest(&controller).is_some_and(|p| p.spec.public_authority);
            need(!authority, "GDPR Art. 6(1) second subparagraph", "another ground: a public authority may not rely on legitimate interests in its task");
        }
        LegalBasis::NoPersonalData => {}
    }
    match spec.exception {
        Some(Exception::Art9_2A) => need(letter.explicit, "GDPR Art. 9(2)(a)", "explicit consent"),
        Some(Exception::Art9_2B | Exception::Art9_2G | Exception::Art9_2H | Exception::Art9_2I) => {
            need(letter.law.is_some(), "GDPR Art. 9(2)", "the law its exception rests on");
        }
        Some(Exception::Art9_2J) => {
            need(letter.law.is_some(), "GDPR Art. 9(2)(j)", "the law its exception rests on");
            need(letter.safeguards.is_some(), "GDPR Art. 89(1)", "the safeguards for research");
        }
        _ => {}
    }
    list
}

/// `special.category`: an exception of Art. 9(2) in force besides the Art. 6 basis.
pub(super) fn special(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let v = vocabulary();
    let mut list = Vec::new();
    for ask in asked(evidence).filter(|a| a.source.class.special) {
        let name = evidence.name(ask.source.node);
        let category = ask.source.class.categories.iter().find(|c| v.is_special(**c)).map_or("", |c| &v.term(*c).label);
        let begin = |status| {
            finding("special.category", status, "GDPR Art. 9(1)", &name).fine(GDPR_UPPER).path(ask.path(evidence)).to(BOARD)
        };
        let command = || Some("licit basis create -f basis.yaml".to_owned());
        match ask.answer {
            Answer::Governed(places) => {
                let Some(&bare) = places.iter().find(|p| ask.candidate(**p).revision.spec.exception.is_none()) else { continue };
                let reference = ask.candidate(bare).revision.reference.to_string();
                list.push((
                    (ask.training, reference.clone()),
                    begin(Status::Unmet)
                        .says(format!("`{name}` holds \"{category}\", and `{reference}` names no exception of Art. 9(2)"))
                        .remedy("record a revision that names the exception that does apply, and ask the board", command()),
                ));
            }
            Answer::Fell(place) if ask.candidate(*place).revision.spec.exception.is_some() => {
                let fell = ask.candidate(*place);
                let end = match fell.stands {
                    Stands::Fell(end) => Some(end),
                    _ => None,
                };
                let reference = fell.revision.reference.to_string();
                list.push((
                    (ask.training, reference.clone()),
                    begin(Status::Expired)
                        .since(end)
                        .due(fell.approval.as_deref().and_then(revocation_due))
                        .says(format!("`{name}` holds \"{category}\"; the exception went with `{reference}`"))
                        .remedy("ask the board to approve the basis again, or take these data out", ask_board(&format!("Renew {reference}"), &[&reference])),
                ));
            }
            _ => {}
        }
    }
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

/// `controller`: one the basis does not name and that controls jointly with none it names; a processor without contract
/// (GDPR Art. 4(7), 26, 28).
pub(super) fn controller(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let Some(deployment) = &evidence.deployment else { return Vec::new() };
    let mut list = Vec::new();
    for ask in asked(evidence) {
        let name = evidence.name(ask.source.node);
        if let Answer::OtherController(place) = ask.answer {
            let basis = &ask.candidate(*place).revision;
            let acting = ask.training.map_or_else(|| deployment.spec.controller.to_string(), |t| evidence.trainings[t].controller.clone());
            list.push((
                (ask.training, basis.reference.to_string()),
                finding("controller", Status::Unmet, "GDPR Art. 4(7), 26", &acting)
                    .fine(GDPR_LOWER)
                    .path(ask.path(evidence))
                    .says(format!("`{}` would cover `{name}`, but does not name `{acting}` as controller, nor a joint controller of it", basis.reference))
                    .to("dpo")
                    .remedy(
                        format!("record the joint arrangement of `{acting}`, or a revision of the basis that names it"),
                        Some(format!("licit party create -f {}.yaml", acting.trim_start_matches("party:"))),
                    ),
            ));
        }
        if ask.source.class.controllers.is_empty() {
            list.push((
                (None, String::new()),
                finding("controller", Status::Unknown, "GDPR Art. 4(7)", &name)
                    .fine(GDPR_LOWER)
                    .path(ask.path(evidence))
                    .since(Some(evidence.world.lineage.record(ask.source.node).at))
                    .says(format!("nobody said who controls `{name}`"))
                    .to(evidence.owner(&name))
                    .remedy("register a version that states its `controllers`", Some("licit register".to_owned())),
            ));
        }
    }
    let mut findings = grouped(list);
    let now = evidence.ask.valid_at;
    for processor in &deployment.spec.processors {
        let path = vec![evidence.ask.deployment.clone(), processor.to_string()];
        findings.extend(contract(evidence, processor, &deployment.spec.controller.to_string(), now, path));
    }
    for training in &evidence.trainings {
        let Some(What::Run(run)) = training.held.as_deref().map(|h| &h.what) else { continue };
        for processor in &run.processors {
            let mut path = evidence.any_path(training.node);
            path.push(processor.to_string());
            findings.extend(contract(evidence, processor, &training.controller, run.started_at, path));
        }
    }
    findings
}

/// A processor acts under a contract with the controller (GDPR Art. 28(3)).
fn contract(evidence: &Evidence<'_>, processor: &Ref, controller: &str, at: Timestamp, path: Vec<String>) -> Option<Finding> {
    let name = processor.to_string();
    let begin = |status| finding("controller", status, "GDPR Art. 28(3)", &name).fine(GDPR_LOWER).path(path.clone()).to("dpo");
    let command = || Some(format!("licit party create -f {}.yaml", name.trim_start_matches("party:")));
    let contracts: Vec<_> = evidence
        .world
        .registry
        .parties
        .latest(&name)
        .map(|party| {
            let ours = |a: &&licit_schemas::registry::Arrangement| {
                a.kind == ArrangementKind::ProcessingContract && a.with.to_string() == controller
            };
            party.spec.arrangements.iter().filter(ours).cloned().collect()
        })
        .unwrap_or_default();
    if contracts.iter().any(|c: &licit_schemas::registry::Arrangement| c.valid_from <= at && c.valid_to.is_none_or(|end| at < end)) {
        return None;
    }
    Some(match contracts.iter().filter_map(|c| c.valid_to).filter(|end| *end <= at).max() {
        Some(end) => begin(Status::Expired)
            .since(Some(end))
            .says(format!("the contract of `{name}` with `{controller}` ended on {end}"))
            .remedy("record the renewed contract on the party", command()),
        None => begin(Status::Unmet)
            .says(format!("`{name}` processes for `{controller}` without a contract on record"))
            .remedy("record the contract on the party", command()),
    })
}
