//! Recording that a remedy was taken for those who withdrew or object: what the registry shows is checked, what it cannot show is
//! vouched for by the data protection officer with evidence.

use std::collections::BTreeSet;
use std::sync::Arc;

use licit_schemas::consent::{ModelRemedy, RemedyCreate, RemedySpec};
use licit_schemas::gate::Intent;
use licit_schemas::lawfulness::AssessmentKind;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::PartKind;
use licit_schemas::resource::Registered;
use licit_schemas::time::Timestamp;

use super::acted::{Parts, withdrawn};
use super::consented::known_purpose;
use super::coverage::base;
use super::evidence::{Ask, Consented, Evidence, anonymous, assessments_of, consents_of, gather};
use crate::catalogue::Stated;
use crate::db::Projection;
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, World, digest};
use crate::lineage::exposure;
use crate::registry::{Release, What};
use crate::resolve::{created, expect, pin, stands};
use crate::review::Standing;

/// Up to where people had withdrawn or objected.
type Until = (u64, Timestamp);

/// Record a remedy. `officer`: whether the data protection officer says so.
///
/// # Errors
/// What the purpose does not allow; what is not so; a claim without evidence, without a reason, or of somebody else than the
/// officer.
pub fn take(tx: &mut Tx<'_>, create: &RemedyCreate, officer: bool) -> Result<Registered> {
    known_purpose(tx.world(), &create.purpose)?;
    let purpose = allowed(tx.world(), create, tx.now())?;
    let of = thing(tx.world(), create, tx.now())?;
    claim(create, officer)?;
    let running = running(tx.world(), &create.purpose);
    let until = until(tx, create, &of, &running)?;
    let asked = Asked { world: tx.world(), of: &of, purpose: create.purpose.base().to_owned(), until, now: tx.now() };
    let assessment = asked.founded(create.remedy, &running)?;
    let reason_digest = create.reason.as_ref().map(|reason| tx.note(reason.as_str())).transpose()?;
    let spec = RemedySpec {
        of,
        purpose,
        remedy: create.remedy,
        position: until.0,
        as_of: until.1,
        evidence: create.evidence.clone(),
        assessment,
        reason_digest,
    };
    let (id, sum) = (tx.new_id(), digest(&spec));
    let seq = tx.record(Fact::RemedyTaken(Stated { id, rev: 1, spec }))?;
    Ok(created(id, Ref::remedy(id), sum, seq))
}

/// The approved revision of the purpose, if it lets this remedy suffice.
fn allowed(world: &World, create: &RemedyCreate, now: Timestamp) -> Result<Ref> {
    let purpose = pin(world, &create.purpose.unpinned(), now, "/purpose")?;
    if !matches!(world.review.standing(&purpose.to_string(), now), Standing::Holds(_)) {
        return Err(Error::invalid("/purpose", format!("`{purpose}` is not approved: nobody decided what suffices")));
    }
    let rev = purpose.rev().unwrap_or_default();
    let revision = world.lawfulness.purposes.revision(purpose.base(), rev);
    let policy = revision.and_then(|revision| revision.spec.withdrawal.as_ref());
    if policy.map_or(create.remedy == ModelRemedy::Retrain, |policy| policy.allows(create.remedy)) {
        return Ok(purpose);
    }
    let allowed = policy.map_or(&[][..], |policy| &policy.remedies);
    let words = allowed.iter().map(|remedy| format!(", `{remedy}`")).collect::<String>();
    let sentence = format!(
        "`{purpose}` lets `retrain`{words} suffice: put a revision before the board that names `{}` in `withdrawal.remedies`",
        create.remedy
    );
    Err(Error::invalid("/remedy", sentence))
}

/// What it was taken for: a model version, or a version of an index.
fn thing(world: &World, create: &RemedyCreate, now: Timestamp) -> Result<Ref> {
    let kind = if create.remedy == ModelRemedy::RemoveFromIndex { Kind::Dataset } else { Kind::Model };
    expect(&create.of, &[kind], "/of")?;
    let of = pin(world, &create.of, now, "/of")?;
    match world.registry.held(&of.to_string()).map(|held| &held.what) {
        Some(What::Model(_) | What::Dataset(_)) => {}
        _ => return Err(Error::invalid("/of", format!("there is no `{of}`: register it first"))),
    }
    stands(world, &of, "/of")?;
    Ok(of)
}

/// What cannot be read off the registry, somebody answers for.
fn claim(create: &RemedyCreate, officer: bool) -> Result<()> {
    if !create.remedy.is_claim() {
        return Ok(());
    }
    let remedy = create.remedy;
    if !officer {
        let sentence = format!("`{remedy}` cannot be read off the registry: the data protection officer records it");
        return Err(Error::Forbidden(sentence));
    }
    if create.evidence.is_empty() {
        let sentence = format!("`{remedy}` cannot be read off the registry: name the document that shows it");
        return Err(Error::invalid("/evidence", sentence));
    }
    if create.reason.is_none() {
        return Err(Error::invalid("/reason", format!("say why `{remedy}` suffices for these people")));
    }
    Ok(())
}

/// Deployments that run for a purpose, by name, with what runs.
fn running(world: &World, purpose: &Ref) -> Vec<(Arc<str>, Release)> {
    let purpose = purpose.unpinned();
    let of = |name: &Arc<str>| {
        let deployment = world.registry.deployments.latest(name)?;
        let active = world.registry.active(name)?;
        (deployment.spec.purpose.unpinned() == purpose).then(|| (name.clone(), active.clone()))
    };
    world.registry.running().iter().filter_map(of).collect()
}

/// Whether a release is composed of something.
fn composed(release: &Release, of: &Ref) -> bool {
    release.spec.composition.iter().any(|part| part.model == *of) || release.spec.indexes.contains(of)
}

/// Up to where they had withdrawn.
fn until(tx: &mut Tx<'_>, create: &RemedyCreate, of: &Ref, running: &[(Arc<str>, Release)]) -> Result<Until> {
    let (last, now) = (tx.world().position(), tx.now());
    let position = match create.position {
        Some(position) if position > last => {
            let sentence = format!("`{position}` is no position of this ledger: it has {last} entries");
            return Err(Error::invalid("/position", sentence));
        }
        Some(position) => Some(position),
        None if create.remedy != ModelRemedy::Suppress => None,
        // Left out is who stands on the list that every deployment has.
        None => {
            let world = tx.world();
            let serves = running.iter().filter(|(_, release)| composed(release, of));
            let lists = serves.map(|(name, _)| world.consent.acknowledged.last(name, now).map(|last| last.position));
            lists.min().flatten()
        }
    };
    match position {
        None => Ok((last, now)),
        Some(position) => {
            let at =
                tx.time_of(position)?.ok_or_else(|| Error::invalid("/position", "is no position of this ledger"))?;
            Ok((position, at))
        }
    }
}

/// What is asked of the registry before a remedy is recorded.
struct Asked<'w> {
    world: &'w World,
    of: &'w Ref,
    purpose: String,
    until: Until,
    now: Timestamp,
}

fn unfounded(sentence: String) -> Error {
    Error::conflict(sentence)
}

impl Asked<'_> {
    /// Whether it is as stated, as far as the registry shows; the assessment it rests on.
    fn founded(&self, remedy: ModelRemedy, running: &[(Arc<str>, Release)]) -> Result<Option<Ref>> {
        let serves: Vec<&(Arc<str>, Release)> = running.iter().filter(|(_, r)| composed(r, self.of)).collect();
        match remedy {
            ModelRemedy::Suppress => self.left_out(&serves)?,
            ModelRemedy::Retrain => self.gone(running, |_| true)?,
            ModelRemedy::AdapterRemoval => self.gone(running, |kind| kind == PartKind::Adapter)?,
            ModelRemedy::RemoveFromIndex => self.out_of_index(running, &serves)?,
            ModelRemedy::AnonymisedExempt => return self.assessed().map(Some),
            ModelRemedy::UnlearnCertified | ModelRemedy::OutputFilter | ModelRemedy::NoAction => {}
        }
        Ok(None)
    }

    /// Every deployment of the model acknowledged a list of that position or a later one.
    fn left_out(&self, serves: &[&(Arc<str>, Release)]) -> Result<()> {
        if serves.is_empty() {
            let sentence = format!(
                "`{}` runs in no deployment for `{}`: there is nowhere to leave anybody out",
                self.of, self.purpose
            );
            return Err(unfounded(sentence));
        }
        for (name, _) in serves {
            let last = self.world.consent.acknowledged.last(name, self.now).map(|last| last.position);
            if last.is_none_or(|last| last < self.until.0) {
                let has = last.map_or_else(|| "no list".to_owned(), |last| format!("the list of position {last}"));
                let sentence = format!(
                    "`{name}` acknowledged {has}, and people are left out up to {}: `licit suppression pull {name} --acknowledge` first",
                    self.until.0
                );
                return Err(unfounded(sentence));
            }
        }
        Ok(())
    }

    /// It ran, runs no more, and nothing that runs in its place contains who had withdrawn.
    fn gone(&self, running: &[(Arc<str>, Release)], kind: impl Fn(PartKind) -> bool) -> Result<()> {
        let was_part =
            |release: &Release| release.spec.composition.iter().any(|part| part.model == *self.of && kind(part.part));
        let mut ran = false;
        for (name, active) in running {
            if composed(active, self.of) {
                let sentence = format!(
                    "`{}` is still part of `{}`: release a composition without it first",
                    self.of, active.reference
                );
                return Err(unfounded(sentence));
            }
            if self.world.registry.releases(name).iter().any(was_part) {
                ran = true;
                self.nobody_left(name)?;
            }
        }
        if ran {
            return Ok(());
        }
        let sentence = format!("`{}` never was such a part of what runs for `{}`", self.of, self.purpose);
        Err(unfounded(sentence))
    }

    /// Nobody who had withdrawn is left in what runs, as far as the thing held them.
    fn nobody_left(&self, deployment: &str) -> Result<()> {
        let evidence = self.gather(deployment);
        let held = self.held();
        for consent in consents_of(&evidence).iter().filter(|consent| *consent.purpose == *self.purpose) {
            if !matches!(consent.asked, Consented::Overdue(_) | Consented::Objected(_))
                || !held.contains(&consent.source)
            {
                continue;
            }
            let Some((id, _)) = consent.members else { continue };
            let Some(members) = self.world.people.by_id(id) else { continue };
            let had = withdrawn(self.world, &consent.will, self.until, ModelRemedy::Retrain, &members)?;
            let done = consent.acted.who(self.world, &consent.will, &had, self.now)?;
            let left = had.len() - done.len();
            if left > 0 {
                let parts = Parts::of(&evidence, &self.purpose).names(consent.source).join("`, `");
                let sentence = format!(
                    "{left} people of `{}` who had withdrawn or objected are still in what `{deployment}` runs: in `{parts}`",
                    evidence.name(consent.source)
                );
                return Err(unfounded(sentence));
            }
        }
        Ok(())
    }

    /// What is contained in the thing.
    fn held(&self) -> BTreeSet<crate::lineage::graph::NodeId> {
        let node = self.world.lineage.find(&self.of.to_string());
        let graph = self.world.lineage.graph();
        let nodes = exposure::held_by(graph, &node.into_iter().collect::<Vec<_>>(), exposure::NO_CUTS);
        nodes.into_iter().filter(|(_, by)| *by != 0).map(|(node, _)| node).collect()
    }

    /// The index that runs is this version, its members are known, and none of them had withdrawn.
    fn out_of_index(&self, running: &[(Arc<str>, Release)], serves: &[&(Arc<str>, Release)]) -> Result<()> {
        let of = self.of.to_string();
        let Some(members) = self.world.people.members(&of) else {
            let sentence = format!("nobody said who is in `{of}`: `licit subjects add {of}` loads its members");
            return Err(unfounded(sentence));
        };
        for (name, release) in running {
            let other = |index: &&Ref| base(&index.to_string()) == base(&of) && **index != *self.of;
            if let Some(other) = release.spec.indexes.iter().find(other) {
                let sentence = format!("`{name}` still runs `{other}`: release a composition with `{of}` first");
                return Err(unfounded(sentence));
            }
        }
        let reads = |name: &Arc<str>| {
            let evidence = self.gather(name);
            let node = self.world.lineage.find(&of);
            node.is_some_and(|node| evidence.seeds.iter().any(|(seed, _)| *seed == node))
        };
        let reading: Vec<&Arc<str>> = running.iter().map(|(name, _)| name).filter(|name| reads(name)).collect();
        let served: BTreeSet<&Arc<str>> = serves.iter().map(|(name, _)| name).chain(reading).collect();
        if served.is_empty() {
            let sentence =
                format!("`{of}` is in nothing that runs for `{}`, and nothing that runs reads it", self.purpose);
            return Err(unfounded(sentence));
        }
        for name in served {
            for consent in consents_of(&self.gather(name)).iter().filter(|consent| *consent.purpose == *self.purpose) {
                let Some((id, _)) = consent.members else { continue };
                let Some(behind) = self.world.people.by_id(id) else { continue };
                let had = withdrawn(self.world, &consent.will, self.until, ModelRemedy::RemoveFromIndex, &behind)?;
                let left = had.intersection_len(&members.who);
                if left > 0 {
                    let sentence = format!("{left} people who had withdrawn or objected are still in `{of}`");
                    return Err(unfounded(sentence));
                }
            }
        }
        Ok(())
    }

    /// The assessment of anonymity in force, for everybody for whom the model runs or ran for this purpose.
    fn assessed(&self) -> Result<Ref> {
        let name = self.of.to_string();
        let deployments = self.world.registry.deployments.iter();
        let meant = deployments.filter(|d| d.spec.purpose.base() == self.purpose);
        let proposed = |d: &str| self.world.registry.releases(d).iter().any(|release| composed(release, self.of));
        let holders: Vec<&Ref> = meant.filter(|d| proposed(&d.reference)).map(|d| &d.spec.controller).collect();
        if holders.is_empty() {
            return Err(unfounded(format!("`{name}` was proposed for no deployment for `{}`", self.purpose)));
        }
        if let Some(holder) = holders.iter().find(|holder| !anonymous(self.world, &name, holder, self.now)) {
            let sentence = format!("no approved assessment in force finds `{name}` anonymous for `{holder}`");
            return Err(unfounded(sentence));
        }
        let found = assessments_of(self.world, &name).find(|assessment| {
            let holds = matches!(self.world.review.standing(&assessment.reference, self.now), Standing::Holds(_));
            assessment.spec.kind == AssessmentKind::Anonymity && holds && holders.contains(&&assessment.spec.holder)
        });
        let found = found.ok_or_else(|| Error::Internal(format!("`{name}` is anonymous by no assessment")))?;
        crate::resolve::parse(&found.reference)
    }

    fn gather(&self, deployment: &str) -> Evidence<'_> {
        let active = self.world.registry.active(deployment);
        let ask = Ask {
            deployment: deployment.to_owned(),
            release: active.and_then(|release| release.reference.parse().ok()),
            intent: Intent::Start,
            artifacts: Vec::new(),
            valid_at: self.now,
        };
        gather(self.world, ask)
    }
}
