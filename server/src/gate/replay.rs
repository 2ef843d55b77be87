//! Old decisions judged again, and what differs between two judgements. Pure: the worlds are given.

use std::collections::BTreeMap;

use licit_schemas::digest::Digest;
use licit_schemas::gate::{Decision, Finding, Status};
use licit_schemas::reference::Ref;
use licit_schemas::registry::ModelFile;
use licit_schemas::reports::{Known, Replay};
use serde::Deserialize;

use super::decide;
use super::evidence::{Ask, gather};
use super::policy::Policy;
use crate::error::{Error, Result};
use crate::facts::{World, canonical};

/// What of a question stands in the evidence alone.
#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    asked: Option<Ref>,
    artifacts: Vec<ModelFile>,
}

/// The question a decision answered: its own words, and from the kept evidence the release named and the files found.
///
/// # Errors
/// Evidence that is not of our form.
pub fn question(decision: &Decision, evidence: &str) -> Result<Ask> {
    let asked: Asked = serde_json::from_str(evidence)
        .map_err(|e| Error::Internal(format!("evidence of decision {}: {e}", decision.id.0)))?;
    Ok(Ask {
        deployment: decision.deployment.clone(),
        release: asked.asked,
        intent: decision.intent,
        artifacts: asked.artifacts,
        valid_at: decision.valid_at,
    })
}

/// A decision with its canonical evidence, under the id of the one it repeats.
fn judged(world: &World, ask: Ask, id: uuid::Uuid) -> Result<(Decision, String)> {
    let policy = Policy::in_force(world, ask.valid_at);
    let evidence = gather(world, ask);
    let text = canonical(&evidence.document(&policy))?;
    Ok((decide::decision(&evidence, &policy, id, Digest::of(text.as_bytes())), text))
}

/// The decision once more: `text` is its canonical form as the ledger holds it; `then` is the world at its position;
/// `now` that of today, and `known` another one to judge the same question in, about the release it was then.
///
/// # Errors
/// Evidence that is not of our form.
pub fn replay(
    recorded: Decision,
    text: &str,
    evidence: &str,
    (then, now): (&World, &World),
    known: Option<&World>,
) -> Result<Replay> {
    let ask = question(&recorded, evidence)?;
    let (replayed, seen) = judged(then, ask.clone(), recorded.id.0)?;
    let same = canonical(&replayed)? == text;
    let known = known
        .map(|world| {
            let release = recorded.release.as_ref().and_then(|r| r.parse().ok()).or(ask.release);
            let (decision, _) = judged(world, Ask { release, ..ask }, uuid::Uuid::nil())?;
            let (came, went) = changed(&said(&replayed), &said(&decision));
            Ok::<_, Error>(Known { decision, came, went })
        })
        .transpose()?;
    Ok(Replay {
        same,
        same_evidence: seen == evidence,
        otherwise: otherwise(&recorded, &replayed, (then, now)),
        known,
        replayed,
        recorded,
    })
}

fn otherwise(recorded: &Decision, replayed: &Decision, (then, now): (&World, &World)) -> Option<String> {
    let mut why = Vec::new();
    if recorded.rules_version != replayed.rules_version {
        why.push(format!(
            "it was judged by rules {}, these are rules {}",
            recorded.rules_version, replayed.rules_version
        ));
    }
    if recorded.vocabulary_digest != replayed.vocabulary_digest {
        why.push("vocabularies or tables of law changed since".to_owned());
    }
    if then.consent.erased < now.consent.erased {
        why.push("people were erased since, who are counted no more".to_owned());
    }
    (!why.is_empty()).then(|| why.join("; "))
}

/// Everything a decision says does not hold, due later or refused now.
pub fn said(decision: &Decision) -> Vec<Finding> {
    decision.findings.iter().chain(&decision.actions_due).cloned().collect()
}

/// Findings that came and that went from one judgement to the next: the same rule, for the same cause, at the same thing is the
/// same finding, however it is worded; but what only warned and now refuses is another.
pub fn changed(before: &[Finding], after: &[Finding]) -> (Vec<Finding>, Vec<Finding>) {
    (without(after, before), without(before, after))
}

fn without(all: &[Finding], known: &[Finding]) -> Vec<Finding> {
    let mut count: BTreeMap<Key<'_>, usize> = BTreeMap::new();
    for finding in known {
        *count.entry(key(finding)).or_default() += 1;
    }
    let mut new = Vec::new();
    for finding in all {
        match count.get_mut(&key(finding)) {
            Some(left) if *left > 0 => *left -= 1,
            _ => new.push(finding.clone()),
        }
    }
    new
}

type Key<'a> = (&'a str, Status, &'a str, bool);

fn key(finding: &Finding) -> Key<'_> {
    (&finding.rule, finding.status, &finding.node, finding.blocking)
}
