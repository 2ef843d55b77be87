//! Break-glass: one person lets a denied release through, for hours, loudly; the board ratifies it afterwards.

use std::sync::Arc;

use chrono::{Datelike, Duration, Weekday};
use licit_schemas::adoption::{BaselineItem, BreakGlassCreate, BreakGlassSpec};
use licit_schemas::gate::{Activation, Decision, Finding, Intent, Verdict};
use licit_schemas::reference::Ref;
use licit_schemas::registry::{ReleaseState, uuid_text};
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::baseline::{NEVER, item_of};
use super::evidence::Ask;
use super::operations::{activate, decide, dry};
use super::policy::Policy;
use crate::catalogue::{Revision, Stated};
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, World};
use crate::registry::deployment_of;
use crate::resolve::parse;

/// Working days within which the board ratifies.
const RATIFY_DAYS: u8 = 3;

/// One use, as it is recorded.
pub type Use = Arc<Revision<BreakGlassSpec>>;

/// The uses known for a deployment at a moment, in order of their recording.
pub fn uses<'w>(world: &'w World, deployment: &str, now: Timestamp) -> Vec<&'w Use> {
    let of = |used: &&Use| used.spec.deployment == deployment && used.spec.valid_from <= now;
    let mut uses: Vec<&Use> = world.review.broken.every().filter(of).collect();
    uses.sort_by_key(|used| used.seq);
    uses
}

/// What the board said of a use. What it ratified it may take back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ratification {
    /// Nothing yet.
    Pending,
    /// The quorum ratified.
    Ratified,
    /// The quorum refused.
    Refused,
}

/// What the board said of a use.
pub fn ratification(world: &World, reference: &str) -> Ratification {
    if world.review.approvals(reference).iter().any(|approval| approval.revoked.is_none()) {
        Ratification::Ratified
    } else if world.review.refused(reference) {
        Ratification::Refused
    } else {
        Ratification::Pending
    }
}

/// The use under which a denied release runs at a moment. What nobody can let through stays denied; what the board refused ends.
pub fn running(world: &World, deployment: &str, release: &str, findings: &[Finding], now: Timestamp) -> Option<String> {
    if findings.iter().any(never) {
        return None;
    }
    let holds = |used: &&&Use| used.spec.release == release && now < used.spec.valid_to;
    let uses = uses(world, deployment, now);
    let used = uses.iter().rev().find(holds)?;
    (ratification(world, &used.reference) != Ratification::Refused).then(|| used.reference.to_string())
}

fn never(finding: &Finding) -> bool {
    finding.blocking && NEVER.contains(&finding.rule.as_str())
}

/// The end of the third working day after a moment (Regulation (EEC, Euratom) 1182/71 Art. 3(1), (4)). Which days are public holidays
/// differs by place: none is left out, so that the end is never too late.
fn ratify_by(from: Timestamp) -> Timestamp {
    let mut day = from.chrono().date_naive();
    let mut left = RATIFY_DAYS;
    let mut ahead = 0;
    while left > 0 {
        day = day.succ_opt().unwrap_or(day);
        ahead += 1;
        if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
            left -= 1;
        }
    }
    let midnight = from.chrono().date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    Timestamp::from_chrono(midnight + Duration::days(ahead + 1))
}

/// Let a denied release through. What nobody can let through is decided and stays refused: that is an answer, and recorded.
///
/// # Errors
/// A service, or a person who is not on the roster; a release the gate lets run anyway; an earlier use that the board has not ratified.
pub fn break_glass(tx: &mut Tx<'_>, id: Uuid, create: &BreakGlassCreate) -> Result<Decision> {
    let row = tx.row("release", id)?.ok_or_else(|| Error::NotFound(format!("there is no release `{id}`")))?;
    let release = parse(&row.reference)?;
    if tx.world().registry.release(&release).is_none_or(|r| r.state == ReleaseState::Withdrawn) {
        return Err(Error::conflict(format!("`{release}` was withdrawn: propose it anew")));
    }
    let (now, person, deployment) = (tx.now(), tx.actor(), deployment_of(&release));
    let hours = Policy::in_force(tx.world(), now).emergency(person);
    let Some(hours) = hours.filter(|_| tx.world().access.person(person) == person) else {
        return Err(Error::Forbidden(
            "only a person whom the policy names may let a denied release through (`break_glass.roster`)".to_owned(),
        ));
    };
    unratified(tx.world(), &deployment, &release.to_string(), now)?;
    let ask = Ask {
        deployment: deployment.clone(),
        release: Some(release.clone()),
        intent: Intent::Start,
        artifacts: create.artifacts.clone(),
        valid_at: now,
    };
    let denied = dry(tx.world(), ask.clone())?;
    if denied.passes || denied.verdict == Verdict::Allow {
        return Err(Error::conflict(format!("the gate lets `{release}` run: activate it, no emergency is needed")));
    }
    if denied.findings.iter().any(never) {
        return decide(tx, ask);
    }
    let base = Ref::break_glass(&create.incident).to_string();
    let rev = tx.world().review.broken.latest(&base).map_or(1, |known| known.rev + 1);
    let reason_digest = tx.note(create.reason.as_str())?;
    let findings: Vec<BaselineItem> =
        denied.findings.iter().filter(|f| f.blocking).map(|f| item_of(&deployment, &release.to_string(), f)).collect();
    let spec = BreakGlassSpec {
        incident: create.incident.clone(),
        deployment,
        release: release.to_string(),
        person: uuid_text::Uuid(person),
        reason_digest,
        valid_from: now,
        valid_to: now.plus(Duration::hours(i64::from(hours))),
        ratify_by: ratify_by(now),
        findings,
    };
    let used = tx.new_id();
    tx.record(Fact::BreakGlassUsed(Stated { id: used, rev, spec }))?;
    activate(tx, id, &Activation { artifacts: create.artifacts.clone(), reason: None }, Intent::Start)
}

/// No second time before the board has spoken: neither for the same release, nor past the days it has.
fn unratified(world: &World, deployment: &str, release: &str, now: Timestamp) -> Result<()> {
    let blocks = |used: &&&Use| {
        ratification(world, &used.reference) != Ratification::Ratified
            && (used.spec.release == release
                || (ratification(world, &used.reference) == Ratification::Pending && now >= used.spec.ratify_by))
    };
    match uses(world, deployment, now).iter().find(blocks) {
        None => Ok(()),
        Some(used) => Err(Error::conflict(format!(
            "`{}` let `{}` through on {} and the board has not ratified it: it goes first",
            used.reference, used.spec.release, used.spec.valid_from
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_working_days_end_with_the_third() {
        for (from, end) in [
            ("2026-11-24T15:00:00Z", "2026-11-28T00:00:00.000000Z"),
            ("2026-11-27T18:30:00Z", "2026-12-03T00:00:00.000000Z"),
            ("2026-11-28T00:00:00Z", "2026-12-03T00:00:00.000000Z"),
            ("2026-11-30T23:59:59Z", "2026-12-04T00:00:00.000000Z"),
        ] {
            let from: Timestamp = from.parse().unwrap();
            assert_eq!(ratify_by(from).to_string(), end, "{from}");
        }
    }
}
