//! Which basis governs: exactly one per (source, subject category, purpose, stage, controller), at a moment.

mod answer;

use std::collections::BTreeSet;
use std::sync::Arc;

use licit_schemas::lawfulness::{BasisSpec, Exception, LegalBasis, PurposeSpec, Stage};
use licit_schemas::reference::Ref;
use licit_schemas::registry::ArrangementKind;
use licit_schemas::time::Timestamp;
use serde::Serialize;

pub use self::answer::{Answer, Lack, Question};
use crate::catalogue::Revision;
use crate::facts::World;
use crate::lawfulness::Covered;
use crate::lineage::Class;
use crate::registry::vocabulary::{TermId, vocabulary};
use crate::review::{Approval, Standing};

/// A revision of a basis that names the purpose, as it stood at the moment asked.
#[derive(Debug)]
pub struct Candidate {
    /// The revision.
    pub revision: Arc<Revision<BasisSpec>>,
    /// Its approval, if it ever had one.
    pub approval: Option<Arc<Approval>>,
    /// Where it stands.
    pub stands: Stands,
    /// What it covers.
    pub covers: Arc<Covered>,
    stage: bool,
    controller: bool,
}

/// Where a basis stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// In force.
    InForce,
    /// It held before and ended then.
    Fell(Timestamp),
    /// Approved, but its validity begins later.
    Later(Timestamp),
    /// Never approved.
    Proposed,
    /// Consent that was relied on before a later revision took its place: it governs nothing, but no other kind of basis may
    /// follow it.
    Superseded,
}

impl Candidate {
    /// What this basis lacks to cover data of the class in a dataset; the controller is judged apart.
    fn lacks(&self, class: &Class, dataset: u32, subject: TermId) -> Option<Lack> {
        if !self.stage {
            return Some(Lack::Stage);
        }
        if !self.covers.names(dataset) {
            return Some(Lack::Dataset);
        }
        if let Some(term) = class.categories.iter().find(|t| !within(**t, &self.covers.categories)) {
            return Some(Lack::Category(*term));
        }
        (!within(subject, &self.covers.subjects)).then_some(Lack::Subject(subject))
    }

    /// Whether an exception of Art. 9(2) stands in it: consent is one only where it is explicit (Art. 9(2)(a)).
    pub fn is_exception(&self) -> bool {
        let spec = &self.revision.spec;
        spec.exception.is_some_and(|named| named != Exception::Art9_2A || spec.letter.explicit)
    }

    /// Whether an exception of Art. 9(2) stands in it, and it covers every special category of the class.
    pub fn excepts(&self, class: &Class) -> bool {
        let special = |t: &&TermId| vocabulary().is_special(**t);
        self.is_exception() && class.categories.iter().filter(special).all(|t| within(*t, &self.covers.categories))
    }
}

/// A broader term covers narrower ones.
fn within(term: TermId, by: &[TermId]) -> bool {
    by.iter().any(|broad| vocabulary().is_a(term, *broad))
}

/// The reference without its revision.
pub fn base(reference: &str) -> &str {
    reference.rsplit_once('@').map_or(reference, |(base, _)| base)
}

/// Of all revisions, the one that decides at a moment: what the board approved last, among what is valid by then. An earlier
/// revision does not come back to life when a later one falls; it must be approved again.
pub fn deciding<'a, T>(
    world: &World,
    all: &'a [Arc<Revision<T>>],
    valid_from: impl Fn(&T) -> Timestamp,
    at: Timestamp,
) -> Option<&'a Arc<Revision<T>>> {
    all.iter()
        .filter(|r| valid_from(&r.spec) <= at)
        .filter_map(|r| Some((world.review.approvals(&r.reference).last()?.seq, r)))
        .max_by_key(|(granted, _)| *granted)
        .map(|(_, revision)| revision)
}

/// A purpose and the broader ones whose approval includes it at a moment, nearest first. Broader is what the pinned revision
/// says, not a later proposal.
pub fn broader(world: &World, purpose: &Ref, at: Timestamp) -> Vec<Arc<Revision<PurposeSpec>>> {
    let all = |reference: &Ref| world.lawfulness.purposes.all(reference.base());
    let own = match purpose.rev() {
        Some(rev) => world.lawfulness.purposes.revision(purpose.base(), rev).cloned(),
        None => all(purpose).last().cloned(),
    };
    let mut chain: Vec<_> = own.into_iter().collect();
    while let Some(parent) = chain.last().and_then(|p| p.spec.parent.clone()) {
        let Some(next) = deciding(world, all(&parent), |p| p.valid_from, at) else { break };
        let named = parent.rev().is_none_or(|rev| rev == next.rev);
        let ended = next.spec.valid_to.is_some_and(|end| end <= at);
        let includes = match world.review.standing(&next.reference, at) {
            Standing::Holds(approval) => approval.spec.subject.include_narrower,
            _ => false,
        };
        if !named || ended || !includes || chain.iter().any(|c| base(&c.reference) == base(&next.reference)) {
            break;
        }
        chain.push(next.clone());
    }
    chain
}

/// What one basis (all its revisions) has to say on a purpose: the revision that decides, the latest proposal after it, and
/// consent that was relied on before.
fn candidates(
    world: &World,
    key: &str,
    chain: &[Arc<Revision<PurposeSpec>>],
    stage: Stage,
    controller: &str,
    at: Timestamp,
) -> Vec<Candidate> {
    let all = world.lawfulness.bases.all(key);
    // A purpose named with its revision is that revision only.
    let names = |r: &Revision<BasisSpec>| {
        let is = |named: &Ref, of: &Revision<PurposeSpec>| {
            base(&of.reference) == named.base() && named.rev().is_none_or(|rev| rev == of.rev)
        };
        r.spec.covers.purposes.iter().any(|named| chain.iter().any(|of| is(named, of)))
    };
    // The statement that there are no personal data governs none.
    let counts = |r: &&Arc<Revision<BasisSpec>>| r.spec.legal_basis != LegalBasis::NoPersonalData && names(r);
    let build = |revision: &Arc<Revision<BasisSpec>>, stands: Stands, approval: Option<Arc<Approval>>| {
        let covers = world.lawfulness.covered(&revision.reference).clone();
        Candidate {
            stage: revision.spec.covers.stages.contains(&stage),
            controller: covers.controllers.iter().any(|c| joint(world, c, controller, at)),
            covers,
            revision: Arc::clone(revision),
            approval,
            stands,
        }
    };
    let mut list = Vec::new();
    let decides = deciding(world, all, |b| b.valid_from, at);
    if let Some(revision) = decides.filter(counts) {
        let (standing, approval) = stands(world, revision, at);
        list.push(build(revision, standing, approval));
    }
    let after = decides.map_or(0, |d| d.rev);
    // What the board voted on and does not decide is over; only what it has not voted on yet, or holds later, may still come.
    let to_come =
        |r: &&Arc<Revision<BasisSpec>>| world.review.approvals(&r.reference).is_empty() || r.spec.valid_from > at;
    if let Some(revision) = all.iter().rev().filter(|r| r.rev > after).filter(to_come).find(counts) {
        let (standing, approval) = stands(world, revision, at);
        list.push(build(revision, standing, approval));
    }
    for earlier in
        all.iter().filter(counts).filter(|r| r.spec.legal_basis == LegalBasis::Art6_1A && r.spec.valid_from <= at)
    {
        let relied_on = world.review.approvals(&earlier.reference).last();
        if let (Some(approval), true) = (relied_on, decides.is_some_and(|d| d.rev != earlier.rev)) {
            list.push(build(earlier, Stands::Superseded, Some(approval.clone())));
        }
    }
    list
}

/// Where one revision stands at a moment, with present knowledge: approved at all, and valid then.
pub fn stands(world: &World, revision: &Revision<BasisSpec>, at: Timestamp) -> (Stands, Option<Arc<Approval>>) {
    let (approval, ended) = match world.review.standing(&revision.reference, at) {
        Standing::Never => return (Stands::Proposed, None),
        Standing::Holds(approval) => (approval.clone(), None),
        Standing::Ended(approval) => (approval.clone(), Some(approval.end())),
    };
    let spec = &revision.spec;
    let end = [ended, spec.valid_to.filter(|end| *end <= at)].into_iter().flatten().min();
    let stands = match end {
        Some(end) if spec.valid_from < end => Stands::Fell(end),
        // Its approval ended before it began to hold: it never did.
        Some(_) => return (Stands::Proposed, None),
        None if at < spec.valid_from => Stands::Later(spec.valid_from),
        None => Stands::InForce,
    };
    (stands, Some(approval))
}

/// Whether two parties are one controller, or control jointly at a moment, whichever of them recorded it (GDPR Art. 26).
pub(super) fn joint(world: &World, one: &str, other: &str, at: Timestamp) -> bool {
    let arranged = |from: &str, with: &str| {
        world.registry.parties.latest(from).is_some_and(|party| {
            party.spec.arrangements.iter().any(|a| {
                a.kind == ArrangementKind::JointControllers
                    && a.with.as_str() == with
                    && a.valid_from <= at
                    && a.valid_to.is_none_or(|end| at < end)
            })
        })
    };
    one == other || arranged(one, other) || arranged(other, one)
}

impl Question {
    /// Gather the bases for a purpose, pinned, at a moment.
    pub fn new(world: &World, purpose: &Ref, stage: Stage, controller: &str, at: Timestamp) -> Self {
        let chain = broader(world, purpose, at);
        let keys: BTreeSet<&Arc<str>> =
            chain.iter().flat_map(|p| world.lawfulness.bases_for(base(&p.reference))).collect();
        let candidates = keys.iter().flat_map(|key| candidates(world, key, &chain, stage, controller, at)).collect();
        Self { candidates, at }
    }
}
