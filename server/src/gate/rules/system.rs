//! The system's file: what its risk, its role and its transparency duties ask for at the date.

use licit_schemas::gate::{Finding, Status};
use licit_schemas::registry::{RiskClass, SystemSpec};

use super::filed::{about, area, asked_for, in_force, lacking, revise, system};
use super::finding;
use crate::catalogue::Revision;
use crate::gate::evidence::{Cohort, Evidence};
use crate::gate::policy::Policy;
use crate::lawfulness::law::duties::{Duty, duties_at};
use crate::lineage::exposure::{SERVED, Want};

const RISK: &str = "risk.documents";
const WORKERS: &str = "workers";
const TRANSPARENCY: &str = "transparency.ai";
const WORKERS_ARTICLE: &str = "AI Act Art. 26(7)";

/// `risk.documents`: the impact assessments and the technical documentation that risk class, area and role ask for at this date
/// (GDPR Art. 35; AI Act Art. 11, 27, Annex IV).
pub(super) fn documents(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let Some(system) = system(evidence) else { return Vec::new() };
    if system.spec.risk_class == RiskClass::Prohibited {
        return Vec::new(); // No document helps: `prohibited.practice` says so.
    }
    let mut findings = lacking(evidence, system, RISK);
    findings.extend(unclear(evidence, system));
    findings
}

/// High risk without its area; or an area without high risk, and no assessment why (AI Act Art. 6(4)).
fn unclear(evidence: &Evidence<'_>, system: &Revision<SystemSpec>) -> Option<Finding> {
    let (spec, reference) = (&system.spec, &system.reference);
    let begin = |article: &str| about(evidence, system, RISK, Status::Unknown, article).since(Some(system.at));
    match (spec.risk_class == RiskClass::High, area(spec)) {
        (true, None) => Some(revise(
            begin("AI Act Art. 6").says(format!(
                "`{reference}` is of high risk and does not say in which area: what it must file from when on is unknown"
            )),
            "state its `high_risk_area`",
        )),
        (false, Some(area)) if !in_force(spec, "art6-4", evidence.ask.valid_at) => Some(revise(
            begin("AI Act Art. 6(3), (4)").says(format!(
                "`{reference}` is used in an area of high risk ({}) and not classed so: which of the two holds is unknown",
                area.article
            )),
            "class it as high risk, or file the assessment why it is not as `art6-4` under `documents`,",
        )),
        _ => None,
    }
}

/// `workers`: a high-risk system is used on employees, or for what Annex III(4) names, and neither they nor their representatives
/// were informed (AI Act Art. 26(7)).
pub(super) fn workers(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let Some(system) = system(evidence) else { return Vec::new() };
    let (spec, now) = (&system.spec, evidence.ask.valid_at);
    if spec.risk_class != RiskClass::High {
        return Vec::new();
    }
    if !asked_for(evidence, system, WORKERS).is_empty() {
        return lacking(evidence, system, WORKERS);
    }
    // What nobody said may yet ask for it.
    let may = |duty: &Duty| {
        duty.binds(spec.role)
            && (area(spec).is_none() || duty.covers(area(spec), now))
            && !in_force(spec, &duty.document, now)
    };
    if !duties_at(WORKERS, now).any(may) {
        return Vec::new();
    }
    if area(spec).is_none() {
        let begin = about(evidence, system, WORKERS, Status::Unknown, WORKERS_ARTICLE).since(Some(system.at));
        let says = format!(
            "`{}` is of high risk and does not say in which area: whether workers must be informed is unknown",
            system.reference
        );
        return vec![revise(begin.says(says), "state its `high_risk_area`")];
    }
    unknown_people(evidence).into_iter().collect()
}

/// Nobody said on whom it is used: employees may be among them.
fn unknown_people(evidence: &Evidence<'_>) -> Option<Finding> {
    let begin = |node: &str| finding(WORKERS, Status::Unknown, WORKERS_ARTICLE, node);
    let nameless = |c: &Cohort<'_>| !c.derived && c.modes & SERVED != 0 && c.class.subjects.is_empty();
    let mut sources = (0..evidence.cohorts.len())
        .filter(|place| nameless(&evidence.cohorts[*place]))
        .flat_map(|place| evidence.sources_of(place));
    if let Some(first) = sources.next() {
        let node = evidence.name(first.node);
        return Some(
            begin(&node)
                .path(evidence.path(first.node, Want::Mode(SERVED)))
                .also(sources.map(|s| evidence.name(s.node)).collect())
                .since(Some(evidence.world.lineage.record(first.node).at))
                .says(format!("nobody said whom `{node}` is about: whether workers must be informed is unknown"))
                .to(evidence.owner(&node))
                .remedy("register a version that states its `subjects`", Some("licit register".to_owned())),
        );
    }
    let deployment = evidence.deployment.as_ref()?;
    let own = &evidence.ask.deployment;
    let on_deployment = |says: String| begin(own).path(vec![own.clone()]).since(Some(deployment.at)).says(says);
    if deployment.spec.reads.is_none() {
        let says = format!("`{own}` does not say on whom it is used: whether workers must be informed is unknown");
        return Some(on_deployment(says).to(evidence.deployment_owner()).remedy(
            "name the datasets in `reads` in a revision of the deployment, or state why it is nobody",
            Some("licit deployment create -f deployment.yaml".to_owned()),
        ));
    }
    let dataset = evidence.unversioned.first()?;
    let says = format!("nobody said whom `{dataset}` is about: whether workers must be informed is unknown");
    let remedy = "register a version of it that states its `subjects`";
    Some(on_deployment(says).to(evidence.owner(&dataset.to_string())).remedy(remedy, Some("licit register".to_owned())))
}

/// `transparency.ai`: a system that must tell people says whether it does what Art. 50 names, and its file shows how they are told
/// (AI Act Art. 50).
pub(super) fn transparency(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let Some(system) = system(evidence) else { return Vec::new() };
    let spec = &system.spec;
    let silent = spec.transparency.is_none() && matches!(spec.risk_class, RiskClass::High | RiskClass::Transparency);
    let since = duties_at(TRANSPARENCY, evidence.ask.valid_at).map(|d| d.applies_from).min();
    let (true, Some(since)) = (silent, since) else { return lacking(evidence, system, TRANSPARENCY) };
    let begin =
        about(evidence, system, TRANSPARENCY, Status::Unknown, "AI Act Art. 50").since(Some(since.max(system.at)));
    let says = format!("`{}` does not say whether it does what people must be told of", system.reference);
    vec![revise(begin.says(says), "state `transparency`")]
}
