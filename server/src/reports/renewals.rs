//! Approvals that end soon: those that a review would bind to the same digests today, and those that changed. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use licit_schemas::digest::Digest;
use licit_schemas::gate::Intent;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::reports::{Renewal, Renewals};
use licit_schemas::time::Timestamp;

use crate::catalogue::Catalogue;
use crate::db::Projection;
use crate::facts::{World, digest};
use crate::gate::coverage::base;
use crate::gate::envelope;
use crate::gate::evidence::{Ask, gather};
use crate::review::Approval;

/// Things a review takes at once.
const AT_ONCE: usize = 100;

/// What would be bound today: the thing pinned, its digest, and the end of its own validity.
struct Today {
    reference: String,
    digest: Digest,
    valid_to: Option<Timestamp>,
}

/// Approvals that hold at `now` and end by `until`, the earliest first; of what has several, the one that holds longest.
pub fn renewals(world: &World, now: Timestamp, until: Timestamp) -> Renewals {
    let mut last: BTreeMap<&str, &Arc<Approval>> = BTreeMap::new();
    for (reference, approvals) in world.review.every() {
        for approval in approvals.iter().filter(|approval| approval.holds(now)) {
            let known = last.entry(base(reference)).or_insert(approval);
            if (known.end(), known.seq) < (approval.end(), approval.seq) {
                *known = approval;
            }
        }
    }
    let (mut unchanged, mut changed) = (Vec::new(), Vec::new());
    for (base, approval) in last {
        // A ratification is of what happened: it is not renewed.
        let once = approval.spec.subject.r#ref.kind() == Kind::BreakGlass;
        if once || approval.end() > until {
            continue;
        }
        let today = today(world, base, now);
        let why = match &today {
            None => Some("nothing is there to judge".to_owned()),
            Some(today) => why(today, approval),
        };
        let renewal = Renewal {
            r#ref: today.map_or_else(|| approval.spec.subject.r#ref.to_string(), |today| today.reference),
            approved: approval.spec.subject.r#ref.to_string(),
            digest: approval.spec.subject.digest,
            include_narrower: approval.spec.subject.include_narrower,
            end: approval.end(),
            conditions: approval.spec.conditions.clone(),
            changed: why,
        };
        if renewal.changed.is_none() { unchanged.push(renewal) } else { changed.push(renewal) }
    }
    for list in [&mut unchanged, &mut changed] {
        list.sort_by(|one, other| (one.end, &one.r#ref).cmp(&(other.end, &other.r#ref)));
    }
    let commands = commands(&unchanged);
    Renewals { position: world.position(), until, unchanged, changed, commands }
}

/// Why an approval of the same would not be what was approved; none when it would.
fn why(today: &Today, approval: &Approval) -> Option<String> {
    let approved = &approval.spec.subject;
    if today.digest != approved.digest {
        let now = &today.reference;
        return Some(match approved.r#ref.kind() {
            Kind::Deployment => format!("the envelope of `{now}` is another today"),
            _ => format!("`{now}` says something else than `{}`", approved.r#ref),
        });
    }
    let ends = today.valid_to.filter(|end| *end <= approval.end())?;
    Some(format!("`{}` is itself valid until {ends} only", today.reference))
}

fn today(world: &World, base: &str, now: Timestamp) -> Option<Today> {
    let reference: Ref = base.parse().ok()?;
    let (law, registry, review) = (&world.lawfulness, &world.registry, &world.review);
    match reference.kind() {
        Kind::Purpose => latest(&law.purposes, base, |spec| spec.valid_to),
        Kind::Basis => latest(&law.bases, base, |spec| spec.valid_to),
        Kind::Assessment => latest(&law.assessments, base, |spec| Some(spec.valid_to)),
        Kind::Policy => latest(&law.policies, base, |_| None),
        Kind::System => latest(&registry.systems, base, |_| None),
        Kind::Baseline => latest(&review.baselines, base, |spec| Some(spec.valid_to)),
        Kind::Loosening => latest(&review.loosenings, base, |spec| Some(spec.valid_to)),
        Kind::Deployment => {
            let (deployment, intent) = (base.to_owned(), Intent::Start);
            let ask = Ask { deployment, release: None, intent, artifacts: Vec::new(), valid_at: now };
            let evidence = gather(world, ask);
            evidence.release.as_ref()?;
            Some(Today { reference: base.to_owned(), digest: digest(&envelope::of(&evidence)), valid_to: None })
        }
        _ => None,
    }
}

fn latest<T>(catalogue: &Catalogue<T>, base: &str, valid_to: impl Fn(&T) -> Option<Timestamp>) -> Option<Today> {
    let latest = catalogue.latest(base)?;
    Some(Today { reference: latest.reference.to_string(), digest: latest.digest, valid_to: valid_to(&latest.spec) })
}

/// The commands that ask the board for all of them, each as large as a review may be.
fn commands(unchanged: &[Renewal]) -> Vec<String> {
    let mut commands = Vec::new();
    for (narrower, flag) in [(false, ""), (true, " --include-narrower")] {
        let same: Vec<&str> =
            unchanged.iter().filter(|r| r.include_narrower == narrower).map(|r| r.r#ref.as_str()).collect();
        for chunk in same.chunks(AT_ONCE) {
            commands.push(format!("licit review create --title \"Renew without change\"{flag} {}", chunk.join(" ")));
        }
    }
    commands
}
