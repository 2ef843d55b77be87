//! Remedies taken for those who withdrew or object, as far as they count for what runs. Pure, but for words that are read on demand
//! like all that people said.
//!
//! A source may be in a release by several of its parts. For a person it is dealt with once a remedy counts in each part that holds
//! the source: what one part forgot, another still knows.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use licit_schemas::consent::{ModelRemedy, RemedySpec};
use licit_schemas::lawfulness::WithdrawalPolicy;
use licit_schemas::time::Timestamp;
use roaring::RoaringBitmap;

use super::consented::Will;
use super::evidence::Evidence;
use super::suppression;
use crate::consent::Recorded;
use crate::db::At;
use crate::db::people::How;
use crate::error::Result;
use crate::facts::World;
use crate::lineage::exposure::{CONTAINED, Exposure, expose_into};
use crate::lineage::graph::NodeId;

/// A remedy that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Closing {
    /// Its entry.
    seq: u64,
    remedy: ModelRemedy,
    position: u64,
    as_of: Timestamp,
    /// The entry that brought the members of the index, where it is one.
    index: Option<u64>,
    /// Whether it reaches whoever objects: a list of those to leave out names them only where people may object.
    objections: bool,
}

/// By part that holds a source, the remedies that count. Empty where a part has none: then nothing is dealt with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Acted(Vec<Vec<Closing>>);

impl Acted {
    /// What is counted with it is remembered under this number.
    pub fn mark(&self) -> u64 {
        if self.0.is_empty() {
            return 0;
        }
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish().max(1)
    }

    /// Members for whom remedies were taken, and who agreed to nothing since: whoever agreed again and withdrew later is not
    /// among them.
    ///
    /// # Errors
    /// What people said cannot be read.
    pub fn who(&self, world: &World, will: &Will, members: &RoaringBitmap, now: Timestamp) -> Result<RoaringBitmap> {
        let mut all: Option<RoaringBitmap> = None;
        for part in &self.0 {
            let among = all.as_ref().unwrap_or(members);
            let mut reached = RoaringBitmap::new();
            for closing in part {
                reached |= closing.who(world, will, among, now)?;
            }
            if reached.is_empty() {
                return Ok(reached);
            }
            all = Some(reached);
        }
        Ok(all.unwrap_or_default())
    }

    /// Whether somebody who was erased is dealt with in every part.
    pub fn reaches_erased(&self, erased: &At) -> bool {
        let reaches = |closing: &Closing| closing.remedy.reaches_erased() && erased.seq <= closing.position;
        !self.0.is_empty() && self.0.iter().all(|part| part.iter().any(reaches))
    }

    /// The entries of the remedies, each once.
    pub fn entries(&self) -> Vec<u64> {
        let mut entries: Vec<u64> = self.0.iter().flatten().map(|closing| closing.seq).collect();
        entries.sort_unstable();
        entries.dedup();
        entries
    }
}

impl Closing {
    /// A remedy as it counts in a part of a release; none where it does not, or where lineage shows what it did.
    fn new(
        evidence: &Evidence<'_>,
        policy: &WithdrawalPolicy,
        purpose: &str,
        taken: &Recorded<RemedySpec>,
    ) -> Option<Self> {
        let (world, at, spec) = (evidence.world, evidence.ask.valid_at, &taken.spec);
        if spec.purpose.base() != purpose || !policy.allows(spec.remedy) || spec.as_of > at {
            return None;
        }
        let index = world.people.members(spec.of.as_str()).map(|members| members.id);
        let counts = match spec.remedy {
            ModelRemedy::UnlearnCertified | ModelRemedy::OutputFilter | ModelRemedy::NoAction => true,
            // The list of a deployment names who spoke against its own purpose, or one above it.
            ModelRemedy::Suppress if !is_own(evidence, purpose) => false,
            ModelRemedy::Suppress => {
                let last = world.consent.acknowledged.last(&evidence.ask.deployment, at);
                last.is_some_and(|last| last.position >= spec.position)
            }
            ModelRemedy::RemoveFromIndex => index.is_some(),
            ModelRemedy::Retrain | ModelRemedy::AdapterRemoval | ModelRemedy::AnonymisedExempt => false,
        };
        counts.then_some(Self {
            seq: taken.at.seq,
            remedy: spec.remedy,
            position: spec.position,
            as_of: spec.as_of,
            index: index.filter(|_| spec.remedy == ModelRemedy::RemoveFromIndex),
            objections: spec.remedy != ModelRemedy::Suppress || suppression::names_objections(evidence),
        })
    }

    fn who(&self, world: &World, will: &Will, members: &RoaringBitmap, now: Timestamp) -> Result<RoaringBitmap> {
        if !self.objections && matches!(will, Will::NoObjection { .. }) {
            return Ok(RoaringBitmap::new());
        }
        let mut who = withdrawn(world, will, (self.position, self.as_of), self.remedy, members)?;
        if let Some(index) = self.index.and_then(|id| world.people.by_id(id)) {
            who -= &*index;
        }
        if !who.is_empty() {
            who -= world.people.allowed_between(&will.wanted(world, now), self.as_of.micros(), now.micros())?;
        }
        Ok(who)
    }
}

/// Whether a purpose is that of the deployment, or one above it.
fn is_own(evidence: &Evidence<'_>, purpose: &str) -> bool {
    let own = evidence.deployment.as_ref().map(|deployment| deployment.spec.purpose.base().to_owned());
    own.is_some_and(|own| evidence.world.lawfulness.broader(&own).iter().any(|broad| **broad == *purpose))
}

/// Members who had withdrawn, or objected, by a position of the ledger, as far as a remedy reaches them.
///
/// # Errors
/// What people said cannot be read.
pub fn withdrawn(
    world: &World,
    will: &Will,
    (position, as_of): (u64, Timestamp),
    remedy: ModelRemedy,
    members: &RoaringBitmap,
) -> Result<RoaringBitmap> {
    let mut wanted = will.wanted(world, as_of);
    for lane in wanted.chains.iter_mut().flatten() {
        lane.version = lane.version.min(position);
    }
    // Whoever never said anything stands on no list of those to leave out.
    if remedy == ModelRemedy::Suppress && matches!(wanted.how, How::Consent(_)) {
        wanted.how = How::Refused;
    }
    Ok(world.people.standing(&wanted, as_of.micros())?.lacking(members))
}

/// The parts of a release, and what is contained in each.
#[derive(Debug)]
pub struct Parts(Vec<Part>);

#[derive(Debug)]
struct Part {
    name: Arc<str>,
    holds: HashSet<NodeId>,
    closings: Vec<Closing>,
}

impl Parts {
    /// Those of the release judged, with the remedies that count for a purpose.
    pub fn of(evidence: &Evidence<'_>, purpose: &str) -> Self {
        let (lineage, remedies) = (&evidence.world.lineage, &evidence.world.consent.remedies);
        let release = evidence.release.as_ref().and_then(|release| lineage.find(&release.reference));
        let stated = evidence.purpose.as_ref().and_then(|purpose| purpose.spec.withdrawal.as_ref());
        let mut exposure = Exposure::default();
        let mut part = |node: NodeId| {
            expose_into(lineage.graph(), &[(node, CONTAINED)], &|node| evidence.cuts(node), &mut exposure);
            let name = lineage.name(node);
            let counts = |taken: &Arc<Recorded<RemedySpec>>| Closing::new(evidence, stated?, purpose, taken);
            let closings = remedies.of(&name).filter_map(counts).collect();
            let contained = exposure.nodes.iter().filter(|(_, label)| label & CONTAINED != 0);
            Part { holds: contained.map(|(node, _)| *node).collect(), name, closings }
        };
        Self(
            release
                .into_iter()
                .flat_map(|release| lineage.graph().upstream(release))
                .map(|half| part(half.node))
                .collect(),
        )
    }

    fn holding(&self, source: NodeId) -> impl Iterator<Item = &Part> {
        self.0.iter().filter(move |part| part.holds.contains(&source))
    }

    /// Names of the parts that hold a source.
    pub fn names(&self, source: NodeId) -> Vec<String> {
        self.holding(source).map(|part| part.name.to_string()).collect()
    }

    /// The remedies that count for a source.
    pub fn acted(&self, source: NodeId) -> Acted {
        if self.holding(source).any(|part| part.closings.is_empty()) {
            return Acted::default();
        }
        Acted(self.holding(source).map(|part| part.closings.clone()).collect())
    }
}

/// What counts for sources of one evidence, looked up once for each purpose, and only where anybody ever took a remedy.
pub struct Remedied<'e, 'w> {
    evidence: &'e Evidence<'w>,
    known: RefCell<HashMap<Arc<str>, Rc<Parts>>>,
}

impl<'e, 'w> Remedied<'e, 'w> {
    /// Nothing is looked up yet.
    pub fn new(evidence: &'e Evidence<'w>) -> Self {
        Self { evidence, known: RefCell::default() }
    }

    /// Of which evidence.
    pub fn evidence(&self) -> &'e Evidence<'w> {
        self.evidence
    }

    /// The remedies that count for a source and a purpose.
    pub fn acted(&self, source: NodeId, purpose: &Arc<str>) -> Acted {
        if self.evidence.world.consent.remedies.is_empty() {
            return Acted::default();
        }
        let known = self.known.borrow().get(purpose).cloned();
        let parts = known.unwrap_or_else(|| {
            let parts = Rc::new(Parts::of(self.evidence, purpose));
            self.known.borrow_mut().insert(purpose.clone(), parts.clone());
            parts
        });
        parts.acted(source)
    }
}
