//! Gaps: a cause for which active releases would not be allowed today, with all it affects. Their state is computed when somebody
//! looks; who notices first that one opened, changed or closed records it, once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use chrono::Duration;
use licit_schemas::adoption::BaselineItem;
use licit_schemas::gate::{Affected, Finding, Gap, GapSpec, Intent, Status};
use licit_schemas::registry::uuid_text;
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::evidence::{Ask, gather};
use super::policy::Policy;
use super::{baseline, decide, instants, rules};
use crate::catalogue::Stated;
use crate::db::Projection;
use crate::error::Result;
use crate::facts::{Fact, Tx, World};
use crate::resolve::parse;

/// Seconds after which what was judged is judged again though nothing was recorded and no end is known: tables of law have dates,
/// and conditions of the organisation's own may read the moment.
const STALE: i64 = 60;

/// A gap affects other releases than it did, or another clears it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GapChanged {
    /// The gap.
    pub id: Uuid,
    /// Its key.
    pub key: String,
    /// Who can clear it now.
    pub owner: String,
    /// Until when the first of what runs may go on with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// All it affects now.
    pub affected: Vec<BaselineItem>,
}

/// A gap closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GapClosed {
    /// The gap.
    pub id: Uuid,
    /// Its key.
    pub key: String,
}

/// A gap as version 1 recorded it: one deployment, one finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GapV1 {
    deployment: String,
    release: String,
    finding: Finding,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    baseline: Option<String>,
    opened_at: Timestamp,
}

impl GapV1 {
    /// The same gap in the present form. Its key stays what `gap.closed` names.
    pub fn lift(self) -> GapSpec {
        let Self { deployment, release, finding, opened_at, .. } = self;
        GapSpec {
            cause: finding.node.clone(),
            key: format!("{deployment} {} {}", finding.rule, finding.node),
            owner: finding.addressee.clone(),
            due: finding.due,
            sentence: finding.sentence.clone(),
            remedy: finding.remedy.clone(),
            opened_at,
            affected: vec![baseline::item_of(&deployment, &release, &finding)],
        }
    }
}

/// A finding of what runs.
pub struct Found {
    /// Deployment.
    pub deployment: String,
    /// Active release.
    pub release: String,
    /// What does not hold; due where that follows from the world alone.
    pub finding: Finding,
    /// The baseline in force that took it over.
    pub baseline: Option<String>,
}

/// Every finding that would refuse what runs, if it began now; and what was let through in an emergency, until it is ratified.
pub fn standing(world: &World, only: Option<&BTreeSet<String>>, policy: &Policy, now: Timestamp) -> Vec<Found> {
    let wanted = |deployment: &str| only.is_none_or(|only| only.contains(deployment));
    let mut all = Vec::new();
    for deployment in world.registry.running().iter().filter(|d| wanted(d)) {
        let release = world.registry.active(deployment).and_then(|r| parse(&r.reference).ok());
        let name = release.as_ref().map(ToString::to_string).unwrap_or_default();
        let ask = Ask {
            deployment: deployment.to_string(),
            release,
            intent: Intent::Start,
            artifacts: Vec::new(),
            valid_at: now,
        };
        for mut finding in decide::findings(&gather(world, ask), policy).into_iter().filter(|f| f.blocking) {
            let taken_over = baseline::covering(world, &name, &finding, now);
            finding.due = match &taken_over {
                Some(baseline) => Some(baseline::end(&baseline.spec, &name, &finding)),
                None => decide::due(&finding, policy),
            };
            let baseline = taken_over.map(|baseline| baseline.reference.to_string());
            all.push(Found { deployment: deployment.to_string(), release: name.clone(), finding, baseline });
        }
    }
    let pending = rules::awaiting(world, now).into_iter().filter(|(used, _)| wanted(&used.spec.deployment));
    all.extend(pending.map(|(used, finding)| Found {
        deployment: used.spec.deployment.clone(),
        release: used.spec.release.clone(),
        finding,
        baseline: None,
    }));
    all
}

/// What a finding is grouped by: what fell; else the offending thing with the rule and who can clear it, where what nobody knows is
/// one cause whatever rule asks.
fn key(finding: &Finding) -> String {
    match &finding.cause {
        Some(cause) => cause.clone(),
        None => {
            let family = if finding.status == Status::Unknown { "unknown" } else { &finding.rule };
            format!("{} {family} {}", finding.node, finding.addressee)
        }
    }
}

/// Open gaps by key, as they are at a moment.
pub fn open(world: &World, only: Option<&BTreeSet<String>>, now: Timestamp) -> BTreeMap<String, Gap> {
    let policy = Policy::in_force(world, now);
    let mut open: BTreeMap<String, Gap> = BTreeMap::new();
    for Found { deployment, release, mut finding, baseline } in standing(world, only, &policy, now) {
        let key = key(&finding);
        let known = world.gate.gap(&key);
        let gap = open.entry(key).or_insert_with(|| Gap {
            id: known.map(|(id, _)| uuid_text::Uuid(*id)),
            cause: finding.cause.clone().unwrap_or_else(|| finding.node.clone()),
            owner: finding.addressee.clone(),
            due: None,
            opened_at: known.map_or(now, |(_, spec)| spec.opened_at),
            affected: Vec::new(),
        });
        // Where it is not known since when, grace runs from when it was noticed.
        let due = *finding.due.get_or_insert(gap.opened_at.plus(policy.grace(&finding.rule, finding.status)));
        gap.due = Some(gap.due.map_or(due, |earlier| earlier.min(due)));
        if finding.node == gap.cause {
            gap.owner.clone_from(&finding.addressee);
        }
        match gap.affected.iter_mut().find(|a| a.deployment == deployment && a.release == release) {
            Some(affected) => {
                affected.baseline = affected.baseline.take().filter(|_| baseline.is_some());
                affected.findings.push(finding);
            }
            None => gap.affected.push(Affected { deployment, release, baseline, findings: vec![finding] }),
        }
    }
    open
}

/// Each finding of a gap, by deployment and release.
fn items(gap: &Gap) -> Vec<BaselineItem> {
    let of = |a: &Affected| -> Vec<BaselineItem> {
        a.findings.iter().map(|f| baseline::item_of(&a.deployment, &a.release, f)).collect()
    };
    gap.affected.iter().flat_map(of).collect()
}

/// The finding that speaks for a gap: the one about the cause itself.
fn lead(gap: &Gap) -> Option<&Finding> {
    let mut all = gap.affected.iter().flat_map(|a| &a.findings);
    all.clone().find(|f| f.node == gap.cause).or_else(|| all.next())
}

/// Whether an open gap is no more what was recorded of it. More nodes behind the same finding are no news.
fn differs(gap: &Gap, known: &GapSpec) -> bool {
    let of = |items: Vec<BaselineItem>| -> BTreeSet<(String, String, String, Status)> {
        items.into_iter().map(|i| (i.deployment, i.release, i.rule, i.status)).collect()
    };
    gap.owner != known.owner || of(items(gap)) != of(known.affected.clone())
}

/// What is to be recorded: keys of gaps, and the deployments they concern.
#[derive(Clone, Default)]
pub struct News {
    keys: BTreeSet<String>,
    deployments: BTreeSet<String>,
}

impl News {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    fn of(&mut self, key: &str, now: Option<&Gap>, known: Option<&GapSpec>) {
        self.keys.insert(key.to_owned());
        self.deployments.extend(now.iter().flat_map(|gap| &gap.affected).map(|a| a.deployment.clone()));
        self.deployments.extend(known.iter().flat_map(|spec| &spec.affected).map(|i| i.deployment.clone()));
    }
}

/// What opened, changed or closed since it was last recorded.
pub fn news(world: &World, now_open: &BTreeMap<String, Gap>) -> News {
    let mut news = News::default();
    for (key, gap) in now_open {
        let known = world.gate.gap(key).map(|(_, spec)| &**spec);
        if known.is_none_or(|known| differs(gap, known)) {
            news.of(key, Some(gap), known);
        }
    }
    for (key, (_, spec)) in world.gate.gaps().filter(|(key, _)| !now_open.contains_key(&***key)) {
        news.of(key, None, Some(spec));
    }
    news
}

/// Record news. Only the deployments they concern are judged again, because this holds the writer: what another server recorded
/// meanwhile is not recorded twice, and what is no longer so is not recorded at all. Returns the number of facts.
///
/// # Errors
/// Only what recording gives.
pub fn notice(tx: &mut Tx<'_>, news: &News) -> Result<u64> {
    let now_open = open(tx.world(), Some(&news.deployments), tx.now());
    let before = tx.world().position();
    for key in &news.keys {
        let known = tx.world().gate.gap(key).cloned();
        match (now_open.get(key), known) {
            (Some(gap), None) => {
                let Some(lead) = lead(gap) else { continue };
                let spec = GapSpec {
                    cause: gap.cause.clone(),
                    key: key.clone(),
                    owner: gap.owner.clone(),
                    due: gap.due,
                    sentence: lead.sentence.clone(),
                    remedy: lead.remedy.clone(),
                    opened_at: gap.opened_at,
                    affected: items(gap),
                };
                let id = tx.new_id();
                tx.record(Fact::GapOpened(Stated { id, rev: 1, spec }))?;
            }
            (Some(gap), Some((id, known))) if differs(gap, &known) => {
                let (owner, due, affected) = (gap.owner.clone(), gap.due, items(gap));
                tx.record(Fact::GapChanged(GapChanged { id, key: key.clone(), owner, due, affected }))?;
            }
            (None, Some((id, _))) => {
                tx.record(Fact::GapClosed(GapClosed { id, key: key.clone() }))?;
            }
            _ => {}
        }
    }
    Ok(tx.world().position() - before)
}

/// What was judged last, for as long as nothing can have changed.
pub struct Judged {
    position: u64,
    until: Timestamp,
    /// Open gaps by key.
    pub open: BTreeMap<String, Gap>,
}

impl Judged {
    /// Judge everything that runs.
    pub fn now(world: &World, now: Timestamp) -> Self {
        let stale = now.plus(Duration::seconds(STALE));
        let until = instants::next(world, now).map_or(stale, |next| next.min(stale));
        Self { position: world.position(), until, open: open(world, None, now) }
    }

    /// Whether it still stands: nothing was recorded, and nothing began or ended.
    pub fn stands(&self, position: u64, now: Timestamp) -> bool {
        self.position == position && now < self.until
    }

    /// The same after its own news were recorded: those turn no verdict. What else was recorded may.
    pub fn recorded(mut self, world: &World, facts: u64) -> Self {
        for (key, gap) in &mut self.open {
            if let Some((id, spec)) = world.gate.gap(key) {
                (gap.id, gap.opened_at) = (Some(uuid_text::Uuid(*id)), spec.opened_at);
            }
        }
        if self.position + facts == world.position() {
            self.position = world.position();
        }
        self
    }
}

/// Remembers what was judged last.
#[derive(Default)]
pub struct Watch(ArcSwapOption<Judged>);

impl Watch {
    /// What was judged last, if it still stands.
    pub fn last(&self, position: u64, now: Timestamp) -> Option<Arc<Judged>> {
        self.0.load_full().filter(|judged| judged.stands(position, now))
    }

    /// Keep what was judged.
    pub fn keep(&self, judged: Judged) -> Arc<Judged> {
        let judged = Arc::new(judged);
        self.0.store(Some(judged.clone()));
        judged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_of_version_1_keeps_the_key_by_which_it_was_closed() {
        let old = r#"{"deployment":"deployment:d","release":"release:d@1","finding":{"rule":"basis.approved","status":"expired",
            "blocking":true,"article":"GDPR Art. 6(1)","node":"basis:b@1","path":[],"sentence":"it held","addressee":"governance board",
            "remedy":{"text":"renew"},"due":"2026-12-01T00:00:00Z"},"opened_at":"2026-11-01T00:00:00Z"}"#;
        let spec = serde_json::from_str::<GapV1>(old).unwrap().lift();
        assert_eq!(spec.key, "deployment:d basis.approved basis:b@1");
        assert_eq!((&*spec.cause, &*spec.owner, spec.affected.len()), ("basis:b@1", "governance board", 1));
        assert_eq!(spec.due, "2026-12-01T00:00:00Z".parse().ok());
    }
}
