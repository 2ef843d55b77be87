//! Which assessments hold, of what, for whom.

use std::collections::HashSet;
use std::sync::Arc;

use licit_schemas::lawfulness::{AssessmentKind, AssessmentSpec};
use licit_schemas::reference::Ref;
use licit_schemas::time::Timestamp;

use super::Missing;
use crate::catalogue::Revision;
use crate::facts::World;
use crate::gate::coverage::{base, deciding};
use crate::review::Standing;

/// `None` when an assessment of the kind holds of `name` for the holder (and, for those of one, for the purpose); else why not.
pub(super) fn assessed(
    world: &World,
    name: &str,
    kind: AssessmentKind,
    purpose: Option<&str>,
    holder: &Ref,
    now: Timestamp,
) -> Option<Missing> {
    let holder = holder.to_string();
    let fits = |r: &&Arc<Revision<AssessmentSpec>>| {
        r.spec.kind == kind
            && r.spec.holder.to_string() == holder
            && r.spec.of.to_string() == name
            && purpose.is_none_or(|p| r.spec.purpose.as_ref().is_some_and(|own| base(&own.to_string()) == p))
    };
    let mut why = Missing::Assessment(None);
    let mut seen: HashSet<&str> = HashSet::new();
    for named in world.lawfulness.assessments_of(name).iter().filter(fits) {
        let key = base(&named.reference);
        if !seen.insert(key) {
            continue;
        }
        let all = world.lawfulness.assessments.all(key);
        let found = match deciding(world, all, |a| a.valid_from, now) {
            Some(decides) if fits(&decides) => match world.review.standing(&decides.reference, now) {
                Standing::Holds(_) if now < decides.spec.valid_to => return None,
                Standing::Ended(approval) if approval.end() <= decides.spec.valid_to => Missing::AssessmentEnded(
                    decides.reference.clone(),
                    approval.end(),
                    crate::gate::rules::revocation_due(approval),
                ),
                _ => Missing::AssessmentEnded(decides.reference.clone(), decides.spec.valid_to, None),
            },
            _ => match all.iter().rev().find(fits) {
                Some(later) if !world.review.approvals(&later.reference).is_empty() && later.spec.valid_from > now => {
                    Missing::AssessmentLater(later.reference.clone(), later.spec.valid_from)
                }
                Some(proposed) => Missing::Assessment(Some(proposed.reference.clone())),
                None => Missing::Assessment(None),
            },
        };
        if rank(&found) > rank(&why) {
            why = found;
        }
    }
    Some(why)
}

/// Of several reasons, the one nearest to being closed is said.
pub(super) fn rank(missing: &Missing) -> u8 {
    match missing {
        Missing::AssessmentEnded(..) => 3,
        Missing::AssessmentLater(..) => 2,
        Missing::Assessment(Some(_)) => 1,
        _ => 0,
    }
}
