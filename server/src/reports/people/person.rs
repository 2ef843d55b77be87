//! What the registry knows of one person's data (GDPR Art. 15): which datasets, models, deployments, purposes, bases, recipients.

use std::collections::BTreeMap;

use licit_schemas::consent::{OwnDataset, OwnDeployment, OwnRecipient, OwnUse, OwnWord, PersonView, SubjectRecords};
use licit_schemas::reference::Kind;
use licit_schemas::time::Timestamp;

use super::suppressed;
use crate::db::Projection;
use crate::db::dictionary::Subject;
use crate::error::Result;
use crate::facts::{World, word};
use crate::registry::vocabulary::vocabulary;
use crate::registry::{What, deployment_of};
use crate::reports::impact::people_in;
use crate::reports::recipients::recipients;
use crate::resolve::parse;

/// Everything the registry knows, but what it keeps from everybody: who it is.
///
/// # Errors
/// What people said cannot be read.
pub fn view(world: &World, who: &Subject, said: SubjectRecords, at: Timestamp) -> Result<PersonView> {
    let (mut datasets, mut models) = (Vec::new(), BTreeMap::<String, OwnUse>::new());
    let (mut reached, mut received) = (BTreeMap::<String, Vec<String>>::new(), BTreeMap::new());
    for name in world.people.sets_with(who.n) {
        let Ok(reference) = parse(&name) else { continue };
        if reference.kind() != Kind::Dataset {
            continue; // A corrected set is one of a dataset they are in anyway.
        }
        datasets.extend(dataset(world, &name));
        for item in people_in(world, &reference, at) {
            let add = |known: &mut Vec<String>| {
                known.extend(item.how.iter().filter(|how| !known.contains(how)).cloned().collect::<Vec<_>>())
            };
            match (item.kind.as_str(), item.state.as_str()) {
                ("model_version", _) => {
                    let own = models
                        .entry(item.r#ref.clone())
                        .or_insert_with(|| OwnUse { r#ref: item.r#ref.clone(), how: Vec::new() });
                    add(&mut own.how);
                }
                ("release", "active") => {
                    let deployment = parse(&item.r#ref).map(|release| deployment_of(&release))?;
                    add(reached.entry(deployment).or_default());
                }
                ("deployment", "running") => add(reached.entry(item.r#ref.clone()).or_default()),
                _ => {}
            }
        }
        for one in recipients(world, &reference).map(|found| found.items).unwrap_or_default() {
            let purpose = one.purpose.to_string();
            let key = (one.party.clone(), purpose.clone());
            let own = OwnRecipient { party: one.party, name: one.name, purpose, since: one.since };
            received.entry(key).or_insert(own);
        }
    }
    let mut deployments = Vec::new();
    for (name, how) in reached {
        deployments.extend(deployment(world, &name, how, who.n, at)?);
    }
    Ok(PersonView {
        subject: said.subject.clone(),
        position: world.position(),
        at,
        datasets,
        models: models.into_values().collect(),
        deployments,
        recipients: received.into_values().collect(),
        said: last(said, at),
    })
}

fn dataset(world: &World, name: &str) -> Option<OwnDataset> {
    let members = world.consent.members(name)?;
    let held = world.registry.held(name);
    let facts = held.and_then(|held| match &held.what {
        What::Dataset(facts) => Some(facts),
        _ => None,
    });
    let label = |term: &crate::registry::vocabulary::TermId| vocabulary().term(*term).label.clone();
    Some(OwnDataset {
        r#ref: name.to_owned(),
        since: members.at.time,
        categories: facts.map(|facts| facts.categories.iter().map(label).collect()).unwrap_or_default(),
        origin: facts.and_then(|facts| facts.origin.as_ref().map(word)),
        kept_until: facts.and_then(|facts| facts.retention),
    })
}

fn deployment(world: &World, name: &str, how: Vec<String>, n: u32, at: Timestamp) -> Result<Option<OwnDeployment>> {
    let Some(found) = world.registry.deployments.latest(name) else { return Ok(None) };
    let spec = &found.spec;
    let purpose = spec.purpose.unpinned().to_string();
    let revision = spec.purpose.rev().and_then(|rev| world.lawfulness.purposes.revision(&purpose, rev));
    let Some(stated) = revision.or_else(|| world.lawfulness.purposes.latest(&purpose)) else { return Ok(None) };
    Ok(Some(OwnDeployment {
        r#ref: name.to_owned(),
        how,
        purpose,
        sentences: stated.spec.sentences.clone(),
        bases: spec.bases.iter().map(ToString::to_string).collect(),
        since: world.registry.active(name).and_then(|release| release.activated_at),
        left_out: suppressed(world, name, at)?.contains(n),
    }))
}

/// What was said last of each thing, by when it was said.
fn last(said: SubjectRecords, at: Timestamp) -> Vec<OwnWord> {
    let mut words: BTreeMap<(String, String), OwnWord> = BTreeMap::new();
    for record in said.records.into_iter().map(|one| one.record).filter(|record| record.at <= at) {
        let about = record.purpose.as_ref().map(ToString::to_string).unwrap_or_default();
        let key = (about, format!("{:?} {:?}", record.said.family(), record.channel));
        let own = OwnWord {
            purpose: record.purpose,
            channel: record.channel,
            said: record.said,
            at: record.at,
            until: record.until,
        };
        match words.get(&key) {
            Some(known) if known.at > own.at => {}
            _ => _ = words.insert(key, own),
        }
    }
    words.into_values().collect()
}
