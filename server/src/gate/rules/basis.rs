//! Legal bases: approved, and holding what their letter requires.

use licit_schemas::gate::{Finding, Status};
use licit_schemas::lawfulness::{BasisSpec, Exception, LegalBasis};

use super::asked::{Asked, Grouped, asked, each};
use super::{BOARD, GDPR_UPPER, ask_board, finding, revocation_due};
use crate::gate::coverage::{Answer, Stands, base};
use crate::gate::evidence::{Evidence, Missing};
use crate::gate::policy::Policy;
use crate::lineage::exposure::VALIDATION;
use crate::registry::vocabulary::vocabulary;

/// `basis.approved`: a basis in force; without personal data, the statement that there are none, void when exposure appears
/// (GDPR Art. 6(1), 2(1)).
pub(super) fn approved(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let Some(deployment) = &evidence.deployment else { return Vec::new() };
    let mut findings = Vec::new();
    let rule = "basis.approved";
    let exposed = evidence.sources.iter().find(|s| evidence.cohort(s).modes & !VALIDATION != 0);
    let own = || vec![evidence.ask.deployment.clone()];
    for named in &evidence.bases {
        let (reference, spec) = (&*named.revision.reference, &named.revision.spec);
        let begin = |status| {
            finding(rule, status, "GDPR Art. 6(1)", reference)
                .because(reference)
                .fine(GDPR_UPPER)
                .path(vec![evidence.ask.deployment.clone(), reference.to_owned()])
                .to(BOARD)
        };
        let ask = || ask_board(&format!("Approve {reference}"), &[reference]);
        match named.stands {
            Stands::InForce | Stands::Superseded => {}
            Stands::Proposed => findings.push(
                begin(Status::Unmet)
                    .says(format!("the board has not approved `{reference}`"))
                    .remedy("ask the board to approve the basis", ask()),
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
                        .remedy("ask the board to approve the basis again, or stop", ask()),
                );
            }
        }
        if let (LegalBasis::NoPersonalData, Some(source)) = (spec.legal_basis, exposed) {
            findings.push(
                finding(rule, Status::Unmet, "GDPR Art. 2(1)", evidence.name(source.node))
                    .fine(GDPR_UPPER)
                    .path(evidence.any_path(source.node))
                    .says(format!(
                        "`{reference}` states that no personal data are touched, but those of `{}` are",
                        evidence.name(source.node)
                    ))
                    .to(evidence.deployment_owner())
                    .remedy(
                        "name a basis of GDPR Art. 6(1) instead",
                        Some("licit basis create -f basis.yaml".to_owned()),
                    ),
            );
        }
    }
    if evidence.bases.is_empty() {
        let what = if exposed.is_some() {
            "a basis of GDPR Art. 6(1)"
        } else {
            "a basis, or the statement `no_personal_data`"
        };
        findings.push(
            finding(rule, Status::Unmet, "GDPR Art. 6(1)", &evidence.ask.deployment)
                .fine(GDPR_UPPER)
                .path(own())
                .says(format!("`{}` names no basis", evidence.ask.deployment))
                .to(deployment.spec.owner.to_string())
                .remedy(
                    format!("name {what} in a revision of the deployment"),
                    Some("licit deployment create -f deployment.yaml".to_owned()),
                ),
        );
    }
    findings.extend(unnamed(evidence));
    let only_statement = !evidence.bases.is_empty()
        && evidence.bases.iter().all(|b| b.revision.spec.legal_basis == LegalBasis::NoPersonalData);
    let unclear =
        evidence.gaps.iter().find(|g| matches!(g.missing, Missing::Dangling | Missing::Classes(_) | Missing::Origin));
    if let (true, None, Some(gap)) = (only_statement, exposed, unclear) {
        let node = evidence.name(gap.node);
        findings.push(
            finding(rule, Status::Unknown, "GDPR Art. 2(1)", &node)
                .path(evidence.any_path(gap.node))
                .since(Some(evidence.world.lineage.record(gap.node).at))
                .says(format!(
                    "the statement that no personal data are touched cannot be checked: nobody said what `{node}` holds"
                ))
                .to(evidence.owner(&node))
                .remedy("register it with origin and every field classified", Some("licit register".to_owned())),
        );
    }
    findings
}

/// A basis governs what is served or contained, and the deployment does not rely on it: what it does not name, nobody voted on.
fn unnamed(evidence: &Evidence<'_>) -> Vec<Finding> {
    let named = |reference: &str| evidence.bases.iter().any(|b| base(&b.revision.reference) == base(reference));
    let mut list = Grouped::new();
    for (ask, source) in each(evidence, |a| a.training.is_none() && !all_named(a, named)) {
        let Answer::Governed(places) = ask.answer else { continue };
        for reference in places.iter().map(|p| ask.candidate(*p).revision.reference.to_string()) {
            if evidence.bases.is_empty() || named(&reference) {
                continue;
            }
            list.add(reference.clone(), &reference, || {
                let mut path = ask.path(evidence, source);
                path.push(reference.clone());
                let own = &evidence.ask.deployment;
                finding("basis.approved", Status::Unmet, "GDPR Art. 6(1)", &*reference)
                    .fine(GDPR_UPPER)
                    .path(path)
                    .says(format!(
                        "`{reference}` governs `{}` here, and `{own}` does not rely on it",
                        evidence.name(source.node)
                    ))
                    .to(evidence.deployment_owner())
                    .remedy(
                        "name it in `bases` in a revision of the deployment, and ask the board",
                        Some("licit deployment create -f deployment.yaml".to_owned()),
                    )
            });
        }
    }
    list.findings()
}

/// Whether the deployment relies on every basis that governs here.
fn all_named(ask: &Asked<'_>, named: impl Fn(&str) -> bool) -> bool {
    match ask.answer {
        Answer::Governed(places) => places.iter().all(|p| named(&ask.candidate(*p).revision.reference)),
        _ => true,
    }
}

/// `basis.holds`: a basis that governs lacks what its letter requires (GDPR Art. 6(3), 7, 9(2), 89).
pub(super) fn holds(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for ask in asked(evidence) {
        let Answer::Governed(places) = ask.answer else { continue };
        for &place in places {
            let revision = &ask.candidate(place).revision;
            let reference = &*revision.reference;
            let path = vec![evidence.ask.deployment.clone(), reference.to_owned()];
            let begin = |status, article: &str| {
                finding("basis.holds", status, article, reference).fine(GDPR_UPPER).path(path.clone()).to(BOARD)
            };
            let command = || Some("licit basis create -f basis.yaml".to_owned());
            let balancing = || Some("licit assessment create -f balancing.yaml".to_owned());
            let balanced = balanced(evidence, &ask, &revision.reference, &revision.spec);
            let mut found: Vec<Finding> = lacking(evidence, &revision.spec, &ask)
                .into_iter()
                .map(|(article, lacks)| {
                    begin(Status::Unmet, article)
                        .says(format!("`{reference}` lacks {lacks}"))
                        .remedy(format!("record a revision with {lacks}, and ask the board"), command())
                })
                .collect();
            found.extend(balanced.map(|missing| match missing {
                Missing::AssessmentEnded(assessment, end, due) => begin(Status::Expired, "GDPR Art. 6(1)(f)")
                    .since(Some(end))
                    .due(due)
                    .says(format!("`{assessment}` weighed the interests behind `{reference}` until {end}"))
                    .remedy("renew the assessment and ask the board", balancing()),
                Missing::Assessment(Some(assessment)) => begin(Status::Unmet, "GDPR Art. 6(1)(f)")
                    .says(format!("`{assessment}` weighs the interests behind `{reference}`, but the board has not approved it"))
                    .remedy(
                        "ask the board to approve the assessment",
                        ask_board(&format!("Approve {assessment}"), &[&assessment]),
                    ),
                _ => begin(Status::Unmet, "GDPR Art. 6(1)(f)")
                    .says(format!("`{reference}` lacks the balancing test"))
                    .remedy(
                        "record a revision with the balancing test, or a `balancing` assessment of the basis, and ask the board",
                        balancing(),
                    ),
            }));
            if revision.spec.evidence.is_empty() {
                found.push(
                    begin(Status::Unknown, "GDPR Art. 5(2)")
                        .since(Some(revision.at))
                        .says(format!("`{reference}` names no document that shows it"))
                        .remedy("record a revision with its evidence, and ask the board", command()),
                );
            }
            // What it lacks may depend on the source: each lack is said once.
            found.retain(|f| !findings.iter().any(|known| known.sentence == f.sentence));
            findings.extend(found);
        }
    }
    findings
}

/// Why nothing shows that interests were weighed where a basis rests on them: neither its letter nor an assessment.
fn balanced(evidence: &Evidence<'_>, ask: &Asked<'_>, reference: &str, spec: &BasisSpec) -> Option<Missing> {
    if spec.legal_basis != LegalBasis::Art6_1F || spec.letter.balancing_test.is_some() {
        return None;
    }
    let (_, at) = ask.purpose(evidence)?;
    evidence.balanced(reference, &ask.controller(evidence), at)
}

/// What the letter of a basis and of its exception asks for and is not there.
fn lacking(evidence: &Evidence<'_>, spec: &BasisSpec, ask: &Asked<'_>) -> Vec<(&'static str, &'static str)> {
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
            let employees =
                ask.cohort.class.subjects.iter().any(|s| employee.is_some_and(|e| vocabulary().is_a(*s, e)));
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
            let controller = ask.controller(evidence);
            let authority =
                evidence.world.registry.parties.latest(&controller).is_some_and(|p| p.spec.public_authority);
            need(
                !authority,
                "GDPR Art. 6(1) second subparagraph",
                "another ground: a public authority may not rely on legitimate interests in its task",
            );
        }
        LegalBasis::NoPersonalData => {}
    }
    match spec.exception {
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
