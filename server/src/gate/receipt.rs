//! What the receipt of a decision says. Pure: the same decision, in the same world, gives the same statement, whenever it is asked for.

use std::collections::BTreeMap;

use chrono::Duration;
use licit_schemas::digest::Digest;
use licit_schemas::gate::{Decision, Level, Verdict};
use licit_schemas::proof::oms;
use licit_schemas::proof::origin::Origin;
use licit_schemas::proof::receipt::refused;
use licit_schemas::proof::receipt::status::DecisionStatus;
use licit_schemas::proof::statement::{
    Descriptor, LEVELS, PREDICATE, SLSA, STATEMENT, Statement, Subject, Terms, Verifier, Vsa,
};
use licit_schemas::registry::ReleaseState;
use licit_schemas::time::Timestamp;

use super::evidence::{Ask, Evidence, gather};
use super::policy::{Policy, Scope};
use super::rules::VERSION;
use super::{decide, expiry};
use crate::db::Projection;
use crate::error::{Error, Result};
use crate::facts::World;
use crate::resolve::parse;

/// A recorded decision, with the question it answered and the entry that holds it.
pub struct Recorded {
    /// What was decided.
    pub decision: Decision,
    /// What was asked.
    pub ask: Ask,
    /// Ledger position of its entry.
    pub entry: u64,
    /// Digest of that entry's data.
    pub data: Digest,
}

/// The statement of a decision, by the world it was judged in.
///
/// # Errors
/// It has no receipt, and why; or it would not be allowed by the rules of today, so that nobody can say for how long it stands.
pub fn statement(then: &World, recorded: &Recorded, origin: &Origin) -> Result<Statement> {
    let Recorded { decision, ask, entry, data } = recorded;
    if let Some(why) = refused(decision) {
        return Err(Error::conflict(format!("there is no receipt of `decision:{}`: {why}", decision.id.0)));
    }
    let policy = Policy::in_force(then, decision.valid_at);
    let evidence = gather(then, Ask { valid_at: decision.valid_at, ..ask.clone() });
    let (valid_until, valid_until_for) = until(&evidence, &policy, decision)?;
    let (uri, digest) = policy.named();
    Ok(Statement {
        r#type: STATEMENT.to_owned(),
        subject: subjects(&evidence),
        predicate_type: PREDICATE.to_owned(),
        predicate: Vsa {
            verifier: Verifier {
                id: format!("https://{origin}"),
                version: BTreeMap::from([("rules".to_owned(), decision.rules_version.clone())]),
            },
            time_verified: decision.valid_at,
            resource_uri: decision.deployment.clone(),
            policy: Descriptor { uri, digest: digest.into() },
            input_attestations: vec![Descriptor {
                uri: format!("decision:{}/evidence", decision.id.0),
                digest: decision.evidence_digest.into(),
            }],
            verification_result: "PASSED".to_owned(),
            verified_levels: levels(&evidence, &policy, decision),
            slsa_version: SLSA.to_owned(),
            terms: Terms {
                decision: format!("decision:{}", decision.id.0),
                release: decision.release.clone().unwrap_or_default(),
                intent: decision.intent,
                valid_until,
                valid_until_for,
                position: decision.position,
                entry: *entry,
                data: *data,
                vocabulary: decision.vocabulary_digest,
                actions_due: decision.actions_due.len() as u64,
            },
        },
    })
}

/// Every file of every model, and the roots of each model; of an endpoint its configuration. What has neither is known by the release.
pub(super) fn subjects(evidence: &Evidence<'_>) -> Vec<Subject> {
    let mut subjects = Vec::new();
    for model in &evidence.models {
        let Some(facts) = model.facts() else { continue };
        let files = || facts.files.iter().map(|(path, digest)| (path.as_str(), digest));
        let pinned = facts.endpoint.as_ref().map(|pinned| pinned.configuration_digest);
        let name = model.reference.to_string();
        let whole = oms::roots(files()).into_iter().chain(pinned);
        subjects.extend(whole.map(|digest| subject(&name, digest, BTreeMap::new())));
        let of = BTreeMap::from([("model".to_owned(), name)]);
        subjects.extend(files().map(|(path, digest)| subject(path, *digest, of.clone())));
    }
    if let (true, Some(release)) = (subjects.is_empty(), &evidence.release) {
        subjects.push(subject(&release.reference, release.digest, BTreeMap::new()));
    }
    subjects
}

fn subject(name: &str, digest: Digest, annotations: BTreeMap<String, String>) -> Subject {
    Subject { name: name.to_owned(), digest: digest.into(), annotations }
}

/// What was verified: only what no rule of it found anything against, and none of it was silenced.
fn levels(evidence: &Evidence<'_>, policy: &Policy, decision: &Decision) -> Vec<String> {
    let scope = Scope {
        environment: evidence.environment.as_ref().map(|e| e.spec.key.as_str()),
        risk_class: evidence.system.as_ref().map(|s| s.spec.risk_class),
    };
    let clean = |rule: &&str| {
        let mut found = decision.findings.iter().chain(&decision.actions_due);
        policy.level(rule, scope) != Level::Silent && !found.any(|finding| finding.rule == **rule)
    };
    LEVELS.iter().filter(|(_, rules)| rules.iter().all(clean)).map(|(level, _)| (*level).to_owned()).collect()
}

/// Until when it stands, and what ends then: never later than policy allows, than anything behind it ends, than an action is due, nor
/// than the same question would be refused with the same knowledge.
fn until(evidence: &Evidence<'_>, policy: &Policy, decision: &Decision) -> Result<(Timestamp, String)> {
    let (world, begin) = (evidence.world, decision.valid_at);
    let judged = |at: Timestamp| {
        let policy = Policy::in_force(world, at);
        let evidence = gather(world, Ask { valid_at: at, ..evidence.ask.clone() });
        let over = evidence.ends.is_some_and(|ends| ends <= at);
        let judgement = decide::judge(&evidence, &policy);
        let refuses = judgement.findings.iter().find(|finding| finding.blocking).map(|finding| finding.rule.clone());
        match judgement.verdict == Verdict::Allow && !over {
            true => None,
            false => Some(refuses.unwrap_or_else(|| "its time to live".to_owned())),
        }
    };
    if let Some(rule) = judged(begin) {
        return Err(Error::conflict(format!(
            "`decision:{}` was judged by rules {}, and by rules {VERSION} `{rule}` refuses: ask the gate anew",
            decision.id.0, decision.rules_version
        )));
    }
    let allowed = policy.receipt();
    let mut end = (begin.plus(allowed), format!("policy lets a receipt stand for {} hours", allowed.num_hours()));
    let due = decision.actions_due.iter().filter_map(|f| Some((f.due?, format!("an action on `{}` is due", f.rule))));
    for (at, why) in expiry::earliest(evidence, policy).into_iter().chain(due) {
        if at < end.0 {
            end = (at, why);
        }
    }
    let Some(mut rule) = judged(end.0.plus(-Duration::microseconds(1))) else { return Ok(end) };
    // Something ends that is no date in the registry, such as a law that begins: it is looked for, to the second.
    let (mut low, mut high) = (begin, end.0);
    while high.micros() - low.micros() > 1_000_000 {
        let middle = low.plus(Duration::microseconds((high.micros() - low.micros()) / 2));
        match judged(middle) {
            None => low = middle,
            Some(refuses) => (high, rule) = (middle, refuses),
        }
    }
    if low == begin {
        return Err(Error::conflict(format!("there is no receipt: `{rule}` refuses within a second")));
    }
    Ok((low, format!("`{rule}` refuses from then on")))
}

/// What became of a decision: where its release stands, and what the gate would say to the same question now.
pub fn status(world: &World, recorded: &Recorded, now: Timestamp) -> Result<DecisionStatus> {
    let Recorded { decision, ask, .. } = recorded;
    let mut why = Vec::new();
    let release = match &decision.release {
        Some(reference) => world.registry.release(&parse(reference)?),
        None => None,
    };
    if decision.verdict != Verdict::Allow {
        why.push("the gate denied it".to_owned());
    }
    let state = release.map(|release| release.state);
    let reference = decision.release.clone().unwrap_or_default();
    if state == Some(ReleaseState::Withdrawn) {
        why.push(format!("`{reference}` was withdrawn"));
    }
    let active = world.registry.active(&decision.deployment).map(|active| active.reference.to_string());
    let superseded_by = active.filter(|active| state == Some(ReleaseState::Standby) && *active != reference);
    if let Some(other) = &superseded_by {
        why.push(format!("`{other}` was made active in its place"));
    }
    let asked = Ask { release: decision.release.as_deref().map(parse).transpose()?, valid_at: now, ..ask.clone() };
    let policy = Policy::in_force(world, now);
    let evidence = gather(world, asked);
    let mut findings = decide::judge(&evidence, &policy).findings;
    findings.retain(|finding| finding.blocking);
    why.extend(findings.iter().map(|finding| format!("`{}`: {}", finding.rule, finding.sentence)));
    if evidence.ends.is_some_and(|ends| ends <= now) {
        why.push("the time to live of its environment is over".to_owned());
    }
    let affects = |gap: &licit_schemas::gate::GapSpec| gap.affected.iter().any(|item| item.release == reference);
    let gaps = world.gate.gaps().filter(|(_, (_, gap))| affects(gap));
    Ok(DecisionStatus {
        id: decision.id,
        verdict: decision.verdict,
        intent: decision.intent,
        deployment: decision.deployment.clone(),
        release: decision.release.clone(),
        stands: why.is_empty(),
        why,
        release_state: state,
        superseded_by,
        findings,
        gaps: gaps.map(|(_, (id, _))| licit_schemas::registry::uuid_text::Uuid(*id)).collect(),
        no_receipt: refused(decision),
        position: world.position(),
        at: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::rules::RULES;

    #[test]
    fn every_level_stands_for_rules_there_are() {
        for rule in LEVELS.iter().flat_map(|(_, rules)| *rules) {
            assert!(RULES.iter().any(|known| known.code == *rule), "{rule}");
        }
    }
}
