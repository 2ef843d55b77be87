//! Whom a deployment leaves out: one person's will excludes that person, and never stops the service (GDPR Art. 7(3), 18, 21).
//!
//! On the list stand those who refused or withdrew consent that the deployment rests on, members of what it is served on who never
//! gave it, those who object where that counts, and those whose data are restricted, as far as they can be in what it uses.

use std::sync::Arc;

use licit_schemas::consent::{Channel, Family};
use licit_schemas::lawfulness::{BasisSpec, Exception, LegalBasis};
use licit_schemas::time::Timestamp;
use roaring::RoaringBitmap;

use super::children;
use super::consented::Will;
use super::coverage::Answer;
use super::evidence::{Evidence, Source};
use crate::consent::Lane;
use crate::consent::suppression::Acknowledgement;
use crate::db::people::{Form, How, LaneAt, Members, Standing, Wanted};
use crate::error::Result;
use crate::facts::World;
use crate::lawfulness::{above, is_marketing};
use crate::lineage::exposure::{CONTAINED, SERVED};
use crate::lineage::graph::NodeId;

/// Hours within which a list is to be acknowledged.
pub const FRESH_HOURS: i64 = 24;

/// Whom a deployment leaves out, and why: how many, never who.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Suppression {
    /// They refused or withdrew consent.
    pub refused: u64,
    /// They are in what is served, and their consent does not hold; somebody in two tables counts twice.
    pub lacking: u64,
    /// They object.
    pub objecting: u64,
    /// Their data are restricted.
    pub restricted: u64,
    /// The last entry that speaks of objections.
    pub objections: u64,
    /// Whether any objection counts, whatever the basis: direct marketing (GDPR Art. 21(2), (3)).
    pub marketing: bool,
    /// The newest list that serving systems have.
    pub acknowledged: Option<Acknowledgement>,
    /// Where they never had one: since when it is known that the first of them is to be left out.
    pub since: Option<Timestamp>,
}

impl Suppression {
    /// Whether there is anybody to leave out.
    pub fn is_empty(&self) -> bool {
        self.refused == 0 && self.lacking == 0 && self.objecting == 0 && self.restricted == 0
    }
}

/// What a deployment rests on, as far as people may speak against it.
struct Rests {
    consent: Option<Will>,
    /// The same where whoever holds parental responsibility must have given it.
    parental: Option<Will>,
    /// Objections count: marketing, public interest, legitimate interests, research (GDPR Art. 21(1), (2), (6)).
    objections: Option<Vec<LaneAt>>,
    marketing: bool,
}

/// The words of a kind about a purpose, the broader ones it stands under, its channel, and everything.
pub(super) fn spoken(
    world: &World,
    family: Family,
    purpose: &str,
    channel: Option<Channel>,
    at: Timestamp,
) -> Vec<LaneAt> {
    let mut purposes: Vec<Option<Arc<str>>> = vec![None, Some(purpose.into())];
    purposes.extend(above(world, purpose).into_iter().map(Some));
    let channels = [None].into_iter().chain(channel.map(Some));
    let lanes = channels
        .flat_map(|channel| purposes.iter().map(move |purpose| Lane { family, purpose: purpose.clone(), channel }));
    let mut found: Vec<LaneAt> = lanes.filter_map(|lane| world.consent.lanes.at(&lane, at.micros())).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether people may object to what rests on a basis (GDPR Art. 21(1), (6)).
pub(super) fn may_object(basis: &BasisSpec) -> bool {
    matches!(basis.legal_basis, LegalBasis::Art6_1E | LegalBasis::Art6_1F)
        || basis.exception == Some(Exception::Art9_2J)
}

/// Whether the list of whom a deployment leaves out names those who object to its purpose.
pub(super) fn names_objections(evidence: &Evidence<'_>) -> bool {
    rests(evidence).is_some_and(|rests| rests.objections.is_some())
}

fn rests(evidence: &Evidence<'_>) -> Option<Rests> {
    let spec = &evidence.deployment.as_ref()?.spec;
    let (world, at) = (evidence.world, evidence.ask.valid_at);
    let question = evidence.question.as_ref()?;
    let reach = |modes| modes & (SERVED | CONTAINED) != 0;
    let mut governing = Vec::new();
    for cohort in evidence.cohorts.iter().filter(|cohort| reach(cohort.modes)) {
        if let Some(Answer::Governed(places)) = &cohort.deployment {
            governing.extend(places.iter().map(|place| &question.candidates[*place].revision.spec));
        }
    }
    // What it says it rests on counts also while the board has not approved it: whoever said no is left out all the same.
    governing.extend(evidence.bases.iter().map(|named| &named.revision.spec));
    let purpose = spec.purpose.base().to_owned();
    let marketing = is_marketing(world, &purpose);
    let explicit = governing.iter().any(|basis| basis.exception == Some(Exception::Art9_2A));
    let consent = explicit || governing.iter().any(|basis| basis.legal_basis == LegalBasis::Art6_1A);
    let may_object = governing.iter().any(|basis| may_object(basis));
    let children = served(evidence).any(|source| source.parental);
    let will = |parental| Will::new(world, &spec.purpose, spec.channel, Form { explicit, parental }, at);
    Some(Rests {
        consent: consent.then(|| will(false)),
        parental: (consent && children).then(|| will(true)),
        objections: (may_object || marketing).then(|| spoken(world, Family::Objection, &purpose, spec.channel, at)),
        marketing,
    })
}

/// Everything said that counts for a deployment, at the moment judged.
struct Heard {
    refused: Option<Arc<Standing>>,
    allowed: Option<Arc<Standing>>,
    /// The same where whoever holds parental responsibility gave it.
    parental: Option<Arc<Standing>>,
    objecting: Option<Arc<Standing>>,
    restricted: Arc<Standing>,
    /// Those of them who can be in what it uses.
    within: RoaringBitmap,
    /// The last entry that speaks of objections.
    objections: u64,
    marketing: bool,
}

impl Heard {
    /// Whose consent holds, of members for whom their parents must have given it or not.
    fn allowed(&self, parental: bool) -> Option<&Arc<Standing>> {
        if parental { self.parental.as_ref().or(self.allowed.as_ref()) } else { self.allowed.as_ref() }
    }
}

fn hear(evidence: &Evidence<'_>) -> Result<Option<Heard>> {
    let (world, at) = (evidence.world, evidence.ask.valid_at);
    let (Some(deployment), Some(rests)) = (&evidence.deployment, rests(evidence)) else { return Ok(None) };
    let standing = |wanted: &Wanted| world.people.standing(wanted, at.micros());
    let any = |lanes: Vec<LaneAt>| standing(&Wanted { chains: vec![lanes], how: How::Any });
    // To direct marketing an objection holds whatever grounds were held against it (GDPR Art. 21(3)).
    let objecting = |lanes: Vec<LaneAt>, marketing: bool| {
        let how = if marketing { How::Whatever } else { How::Any };
        standing(&Wanted { chains: vec![lanes], how })
    };
    let wanted = rests.consent.as_ref().map(|will| will.wanted(world, at));
    let purpose = deployment.spec.purpose.base().to_owned();
    let restricted = any(spoken(world, Family::Restriction, &purpose, None, at))?;
    Ok(Some(Heard {
        refused: wanted.as_ref().map(|w| standing(&Wanted { how: How::Refused, ..w.clone() })).transpose()?,
        allowed: wanted.as_ref().map(standing).transpose()?,
        parental: rests.parental.map(|will| standing(&will.wanted(world, at))).transpose()?,
        objections: rests.objections.iter().flatten().map(|lane| lane.version).max().unwrap_or(0),
        objecting: rests.objections.map(|lanes| objecting(lanes, rests.marketing)).transpose()?,
        within: within(evidence, restricted.who()),
        restricted,
        marketing: rests.marketing,
    }))
}

/// Those of some people who can be in what a deployment uses. All of them, where it is not known who or what is in it; nobody where
/// nothing personal is.
fn within(evidence: &Evidence<'_>, who: &RoaringBitmap) -> RoaringBitmap {
    let mut found = RoaringBitmap::new();
    if who.is_empty() {
        return found;
    }
    let silent = evidence.deployment.as_ref().is_none_or(|deployment| deployment.spec.reads.is_none());
    if silent || !(evidence.gaps.is_empty() && evidence.unversioned.is_empty() && evidence.undeclared.is_empty()) {
        return who.clone();
    }
    let uses = |source: &&Source| {
        let cohort = evidence.cohort(source);
        cohort.modes & (SERVED | CONTAINED) != 0 && !cohort.derived
    };
    for source in evidence.sources.iter().filter(uses) {
        match evidence.world.people.by_id(evidence.world.lineage.record(source.node).members) {
            Some(members) => found |= who & &*members,
            None => return who.clone(),
        }
        if found.len() == who.len() {
            break;
        }
    }
    found
}

/// Since when it has been known that the first of those whom a deployment leaves out is to be left out.
fn since(evidence: &Evidence<'_>, heard: &Heard) -> Result<Option<Timestamp>> {
    let (world, at) = (evidence.world, evidence.ask.valid_at.micros());
    let against = heard.refused.iter().chain(&heard.objecting).map(|standing| (standing, standing.who()));
    let mut first: Option<i64> = None;
    let mut earlier = |found: Option<i64>| first = [first, found].into_iter().flatten().min();
    for (standing, who) in against.chain([(&heard.restricted, &heard.within)]) {
        earlier(world.people.against(standing, who, at)?);
    }
    // Whoever never said anything is to be left out since it is known that they are in it.
    let none = RoaringBitmap::new();
    let spoken = heard.refused.as_ref().map_or(&none, |standing| standing.who());
    for source in served(evidence) {
        let (Served { members, .. }, Some(allowed)) = (&source, heard.allowed(source.parental)) else { continue };
        if allowed.missing(members.id, &members.who) > 0 && !(&*members.who - allowed.who()).is_subset(spoken) {
            let loaded = world.consent.members(&evidence.name(source.node)).map(|loaded| loaded.at.time.micros());
            earlier(loaded);
        }
    }
    Ok(first.and_then(Timestamp::from_micros))
}

/// How many a deployment leaves out at the moment judged.
///
/// # Errors
/// What people said cannot be read.
pub fn counted(evidence: &Evidence<'_>) -> Result<Suppression> {
    let acknowledged = evidence.world.consent.acknowledged.last(&evidence.ask.deployment, evidence.ask.valid_at);
    let Some(heard) = hear(evidence)? else { return Ok(Suppression { acknowledged, ..Suppression::default() }) };
    let count = |standing: &Option<Arc<Standing>>| standing.as_ref().map_or(0, |standing| standing.who().len());
    let lacking = served(evidence).filter_map(|Served { members, parental, .. }| {
        let allowed = heard.allowed(parental)?;
        Some(allowed.missing(members.id, &members.who))
    });
    let lacking = lacking.sum();
    let list = Suppression {
        refused: count(&heard.refused),
        lacking,
        objecting: count(&heard.objecting),
        restricted: heard.within.len(),
        objections: heard.objections,
        marketing: heard.marketing,
        acknowledged,
        since: None,
    };
    let since = if acknowledged.is_none() && !list.is_empty() { since(evidence, &heard)? } else { None };
    Ok(Suppression { since, ..list })
}

/// Whom a deployment leaves out at the moment judged, by number.
///
/// # Errors
/// What people said cannot be read.
pub fn who(evidence: &Evidence<'_>) -> Result<RoaringBitmap> {
    let mut all = RoaringBitmap::new();
    let Some(heard) = hear(evidence)? else { return Ok(all) };
    all |= &heard.within;
    for standing in heard.refused.iter().chain(&heard.objecting) {
        all |= standing.who();
    }
    for Served { members, parental, .. } in served(evidence) {
        if let Some(allowed) = heard.allowed(parental).filter(|allowed| allowed.missing(members.id, &members.who) > 0) {
            all |= &*members.who - allowed.who();
        }
    }
    Ok(all)
}

/// Collected data that a deployment is served on.
struct Served<'e> {
    node: NodeId,
    members: &'e Members,
    /// Whether only consent given by whoever holds parental responsibility counts for them.
    parental: bool,
}

/// Those of which it is known who is in them.
fn served<'e>(evidence: &'e Evidence<'_>) -> impl Iterator<Item = Served<'e>> {
    let served = evidence.sources.iter().filter(|source| {
        let cohort = evidence.cohort(source);
        cohort.modes & SERVED != 0 && !cohort.derived
    });
    served.filter_map(|source| {
        let members = evidence.world.people.members(&evidence.name(source.node))?;
        let cohort = evidence.cohort(source);
        let parental = match (&evidence.question, &cohort.deployment) {
            (Some(question), Some(Answer::Governed(places))) => {
                let governing = places.iter().map(|place| &question.candidates[*place].revision.spec);
                children::parents_give(&cohort.class, governing, question.at)
            }
            _ => false,
        };
        Some(Served { node: source.node, members, parental })
    })
}
