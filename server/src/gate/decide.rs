//! All rules over one evidence: the decision. Pure: the same evidence gives the same bytes.

use licit_schemas::digest::Digest;
use licit_schemas::gate::{Decision, Finding, Intent, Level, Verdict};
use licit_schemas::registry::{Mode, ReleaseState, uuid_text};
use licit_schemas::time::Timestamp;

use super::evidence::Evidence;
use super::policy::{Policy, Scope};
use super::rules::{RULES, VERSION, own};
use super::{baseline, emergency};
use crate::db::Projection;
use crate::registry::vocabulary::vocabulary;

/// Verdict and findings, without the form of a decision.
pub struct Judgement {
    /// The answer.
    pub verdict: Verdict,
    /// What does not hold.
    pub findings: Vec<Finding>,
    /// For *continue*: what must be done, with dates.
    pub actions_due: Vec<Finding>,
}

/// Run all rules, then those of the organisation's own; never stop at the first finding. Policy says whether those outside the hard core refuse, warn or stay silent.
/// Where a revocation says how long what runs may go on, it is *due* then.
pub fn findings(evidence: &Evidence<'_>, policy: &Policy) -> Vec<Finding> {
    let mut all = Vec::new();
    let scope = Scope {
        environment: evidence.environment.as_ref().map(|e| e.spec.key.as_str()),
        risk_class: evidence.system.as_ref().map(|s| s.spec.risk_class),
    };
    // Where there is nothing to release, no policy makes an approval of it dispensable.
    let nothing = evidence.release.as_ref().is_none_or(|r| r.state == ReleaseState::Withdrawn);
    for rule in RULES {
        let level = if rule.core || nothing { Level::Block } else { policy.level_of_optional(rule.code, scope) };
        if level == Level::Silent {
            continue;
        }
        let first = all.len();
        all.append(&mut (rule.check)(evidence, policy));
        all[first..].iter_mut().for_each(|finding: &mut Finding| finding.blocking &= level == Level::Block);
    }
    if policy.has_rules() {
        all.extend(own::findings(evidence, policy));
    }
    all
}

/// Until when what runs may go on with a finding: as its revocation says, else as policy does.
pub fn due(finding: &Finding, policy: &Policy) -> Option<Timestamp> {
    finding.due.or_else(|| finding.since.map(|since| since.plus(policy.grace(&finding.rule, finding.status))))
}

/// The answer.
pub fn judge(evidence: &Evidence<'_>, policy: &Policy) -> Judgement {
    let mut findings = findings(evidence, policy);
    let mut actions_due = Vec::new();
    if evidence.ask.intent == Intent::Continue && was_allowed(evidence) {
        let now = evidence.ask.valid_at;
        let (within, over): (Vec<Finding>, Vec<Finding>) = findings
            .into_iter()
            .map(|mut finding| {
                finding.due = due(&finding, policy);
                finding
            })
            .partition(|f| f.blocking && f.due.is_some_and(|due| now < due));
        actions_due = within;
        findings = over;
    } else {
        for finding in &mut findings {
            finding.due = None;
        }
    }
    let verdict = if findings.iter().any(|f| f.blocking) { Verdict::Deny } else { Verdict::Allow };
    Judgement { verdict, findings, actions_due }
}

/// Only what was allowed once may go on: grace is not a way in.
fn was_allowed(evidence: &Evidence<'_>) -> bool {
    evidence.release.as_ref().is_some_and(|r| evidence.world.gate.allowed(&r.reference).is_some())
}

/// The decision as recorded; `id` is nil for a dry run.
pub fn decision(evidence: &Evidence<'_>, policy: &Policy, id: uuid::Uuid, evidence_digest: Digest) -> Decision {
    let judgement = judge(evidence, policy);
    let baselines = match (&evidence.release, judgement.verdict) {
        (Some(release), Verdict::Deny) => {
            baseline::covering_all(evidence.world, &release.reference, &judgement.findings, evidence.ask.valid_at)
        }
        _ => Vec::new(),
    };
    let now = evidence.ask.valid_at;
    let break_glass = match (&evidence.release, judgement.verdict) {
        (Some(release), Verdict::Deny) => {
            let deployment = &evidence.ask.deployment;
            emergency::running(evidence.world, deployment, &release.reference, &judgement.findings, now)
        }
        _ => None,
    };
    let ended = evidence.ends.filter(|ends| *ends <= now);
    let lets = judgement.verdict == Verdict::Allow
        || evidence.mode != Mode::Enforce
        || !baselines.is_empty()
        || break_glass.is_some();
    Decision {
        id: uuid_text::Uuid(id),
        deployment: evidence.ask.deployment.clone(),
        release: evidence.release.as_ref().map(|r| r.reference.to_string()),
        intent: evidence.ask.intent,
        verdict: judgement.verdict,
        passes: lets && ended.is_none(),
        baselines,
        break_glass,
        ended,
        mode: evidence.mode,
        position: evidence.world.position(),
        valid_at: evidence.ask.valid_at,
        rules_version: VERSION.to_owned(),
        policy: policy.revision.clone(),
        vocabulary_digest: vocabulary().digest(),
        evidence_digest,
        models: evidence.admitted(),
        findings: judgement.findings,
        actions_due: judgement.actions_due,
    }
}
