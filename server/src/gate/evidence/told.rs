//! What the people behind the sources were told: the notices in force for the purpose, and those their data were collected under.

use std::sync::Arc;

use licit_schemas::notices::WithdrawalTestSpec;
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::{Cohort, Evidence};
use crate::gate::coverage::{base, broader, joint};
use crate::lineage::Class;
use crate::notices::{Notice, Test};

/// What people were told.
#[derive(Debug, Default)]
pub struct Told {
    /// Notices of the controller, or of one that controls jointly, which are in force and name the purpose.
    pub in_force: Vec<Arc<Notice>>,
    /// Where there is none: one that did, and until when.
    pub ended: Option<(Arc<Notice>, Timestamp)>,
    /// Where there is none: one that will, and from when on.
    pub later: Option<(Arc<Notice>, Timestamp)>,
    /// By the place of a cohort, the notices its data were collected under.
    pub bound: Vec<Vec<Arc<Notice>>>,
}

/// Look the notices up: by references and numbers, a few for each cohort.
pub(super) fn told(evidence: &Evidence<'_>) -> Told {
    let mut told = Told::default();
    if evidence.cohorts.iter().all(|cohort| cohort.derived) {
        return told;
    }
    for_the_purpose(evidence, &mut told);
    let at = evidence.ask.valid_at;
    told.bound = evidence.cohorts.iter().map(|cohort| bound(evidence, cohort, at)).collect();
    told
}

fn for_the_purpose(evidence: &Evidence<'_>, told: &mut Told) {
    let (Some(deployment), Some(purpose)) = (&evidence.deployment, &evidence.purpose) else { return };
    let (world, at) = (evidence.world, evidence.ask.valid_at);
    let controller = deployment.spec.controller.as_str();
    name(evidence, told, controller, (base(&purpose.reference), purpose.rev));
    if told.in_force.is_empty() {
        // A broader purpose whose approval includes this one.
        for broad in broader(world, &deployment.spec.purpose, at).iter().skip(1) {
            name(evidence, told, controller, (base(&broad.reference), broad.rev));
        }
    }
}

/// Notices that name one purpose.
fn name(evidence: &Evidence<'_>, told: &mut Told, controller: &str, (purpose, rev): (&str, u32)) {
    let (world, at) = (evidence.world, evidence.ask.valid_at);
    for notice in world.notices.naming(purpose) {
        let own = *notice.controller == *controller || joint(world, &notice.controller, controller, at);
        if !own || !notice.names(purpose, rev) {
            continue;
        }
        let spec = &notice.revision.spec;
        let decides = world.notices.deciding(&notice.base, at);
        let is_decided = decides.is_some_and(|decides| Arc::ptr_eq(decides, notice));
        if spec.valid_from > at {
            told.later.get_or_insert((notice.clone(), spec.valid_from));
        } else if is_decided && spec.valid_to.is_none_or(|end| at < end) {
            told.in_force.push(notice.clone());
        } else {
            // It ended, or a later revision that speaks of other purposes took its place.
            let replaced = decides.filter(|_| !is_decided).map(|decides| decides.revision.spec.valid_from);
            let end = [spec.valid_to.filter(|end| *end <= at), replaced].into_iter().flatten().min();
            if let Some(end) = end.filter(|end| told.ended.as_ref().is_none_or(|(_, known)| known < end)) {
                told.ended = Some((notice.clone(), end));
            }
        }
    }
}

/// The notices that the data of a cohort were collected under: those the versions state; else those in the letter of the bases they
/// were collected on, by digest; else whatever names a purpose they were collected for. What people may have read binds.
fn bound(evidence: &Evidence<'_>, cohort: &Cohort<'_>, at: Timestamp) -> Vec<Arc<Notice>> {
    if cohort.derived {
        return Vec::new();
    }
    let (world, class): (_, &Class) = (evidence.world, &cohort.class);
    let rev = |pinned: &str| pinned.rsplit_once('@').and_then(|(_, rev)| rev.parse().ok()).unwrap_or(0);
    let stated = class.notices.iter().filter_map(|stated| world.notices.revision(stated));
    let list = each_once(stated, at);
    if !class.notices.is_empty() {
        return list;
    }
    let letters = class.collected_under.iter().filter_map(|basis| {
        let basis = world.lawfulness.bases.revision(base(basis), rev(basis))?;
        world.notices.by_digest(basis.spec.letter.notice.as_ref()?.digest)
    });
    let list = each_once(letters, at);
    if !list.is_empty() {
        return list;
    }
    // Data may be collected for hundreds of purposes that one notice names: whether it does is asked until it is known.
    let mut list: Vec<Arc<Notice>> = Vec::new();
    for purpose in &class.collected_for {
        for notice in world.notices.naming(base(purpose)) {
            let known = list.iter().any(|known| Arc::ptr_eq(known, notice));
            let shown = notice.revision.spec.valid_from <= at;
            if !known && shown && notice.names(base(purpose), rev(purpose)) {
                list.push(notice.clone());
            }
        }
    }
    list
}

/// Those that were shown by a moment, each once.
fn each_once<'n>(notices: impl Iterator<Item = &'n Arc<Notice>>, at: Timestamp) -> Vec<Arc<Notice>> {
    let mut list: Vec<Arc<Notice>> = Vec::new();
    for notice in notices.filter(|notice| notice.revision.spec.valid_from <= at) {
        if !list.iter().any(|known| Arc::ptr_eq(known, notice)) {
            list.push(notice.clone());
        }
    }
    list
}

impl Evidence<'_> {
    /// The last test of the way out that a notice names.
    pub fn tested(&self, notice: &Notice) -> Option<&Arc<Test>> {
        self.world.notices.tested_last(notice, self.ask.valid_at)
    }

    /// Notices looked at, with the tests of those in force, for the canonical evidence.
    pub(super) fn told_document(&self) -> Value {
        let one = |notice: &Arc<Notice>| json!({"ref": notice.reference(), "digest": notice.revision.digest});
        let tested = |notice: &Arc<Notice>| {
            let mut document = one(notice);
            if let Some(test) = self.tested(notice) {
                let WithdrawalTestSpec { outcome, .. } = &test.spec;
                document["tested"] =
                    json!({"id": test.id.to_string(), "digest": test.digest, "at": test.at, "outcome": outcome});
            }
            document
        };
        let over = |found: &Option<(Arc<Notice>, Timestamp)>| {
            found
                .as_ref()
                .map(|(notice, at)| json!({"ref": notice.reference(), "digest": notice.revision.digest, "at": at}))
        };
        // What the notice of one says today is what an approval asks of its promises.
        let binds = |notice: &Arc<Notice>| {
            let mut document = one(notice);
            let today = self.world.notices.deciding(&notice.base, self.ask.valid_at);
            if let Some(today) = today.filter(|today| !Arc::ptr_eq(today, notice)) {
                document["today"] = one(today);
            }
            document
        };
        let mut bound: Vec<&Arc<Notice>> = self.told.bound.iter().flatten().collect();
        bound.sort_by(|one, other| one.reference().cmp(other.reference()));
        bound.dedup_by(|one, other| one.reference() == other.reference());
        json!({
            "in_force": self.told.in_force.iter().map(tested).collect::<Vec<_>>(),
            "ended": over(&self.told.ended),
            "later": over(&self.told.later),
            "bound": bound.into_iter().map(binds).collect::<Vec<_>>(),
        })
    }

    /// The notices that a source was collected under, by reference.
    pub(super) fn bound_to(&self, cohort: usize) -> Vec<&str> {
        self.told.bound.get(cohort).into_iter().flatten().map(|notice| notice.reference()).collect()
    }
}
