//! What the registry knows of one person's data (GDPR Art. 15): which datasets, models, deployments, purposes, bases, recipients.

use std::collections::BTreeMap;

use licit_schemas::consent::{
    Erased, OwnDataset, OwnDeployment, OwnRecipient, OwnUse, OwnWord, PersonView, SubjectRecords,
};
use licit_schemas::reference::{Kind, Ref};
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

/// What came of some datasets.
#[derive(Default)]
struct Reached {
    derived: BTreeMap<String, Vec<String>>,
    models: BTreeMap<String, Vec<String>>,
    deployments: BTreeMap<String, Vec<String>>,
    recipients: BTreeMap<(String, String), OwnRecipient>,
}

impl Reached {
    fn of<'r>(world: &World, datasets: impl IntoIterator<Item = &'r Ref>, at: Timestamp) -> Self {
        let mut reached = Self::default();
        for reference in datasets {
            for item in people_in(world, reference, at) {
                let (known, name) = match (item.kind.as_str(), item.state.as_str()) {
                    ("dataset_version", state) if state != "erased" => (&mut reached.derived, item.r#ref),
                    ("model_version", _) => (&mut reached.models, item.r#ref),
                    ("release", "active") => match parse(&item.r#ref) {
                        Ok(release) => (&mut reached.deployments, deployment_of(&release)),
                        Err(_) => continue,
                    },
                    ("deployment", "running") => (&mut reached.deployments, item.r#ref),
                    _ => continue,
                };
                let known = known.entry(name).or_default();
                for how in item.how {
                    if !known.contains(&how) {
                        known.push(how);
                    }
                }
            }
            for one in recipients(world, reference).map(|found| found.items).unwrap_or_default() {
                let purpose = one.purpose.to_string();
                let key = (one.party.clone(), purpose.clone());
                let own = OwnRecipient { party: one.party, name: one.name, purpose, since: one.since };
                reached.recipients.entry(key).or_insert(own);
            }
        }
        reached
    }
}

fn uses(of: BTreeMap<String, Vec<String>>) -> Vec<OwnUse> {
    of.into_iter().map(|(r#ref, how)| OwnUse { r#ref, how }).collect()
}

/// Everything the registry knows, but what it keeps from everybody: who it is.
///
/// # Errors
/// What people said cannot be read.
pub fn view(world: &World, who: &Subject, said: SubjectRecords, at: Timestamp) -> Result<PersonView> {
    // A corrected set is one of a dataset they are in anyway.
    let names = world.people.sets_with(who.n).into_iter();
    let own: Vec<Ref> =
        names.filter_map(|name| parse(&name).ok()).filter(|reference| reference.kind() == Kind::Dataset).collect();
    let reached = Reached::of(world, &own, at);
    let mut deployments = Vec::new();
    for (name, how) in reached.deployments {
        deployments.extend(deployment(world, &name, how, who.n, at)?);
    }
    Ok(PersonView {
        subject: said.subject.clone(),
        position: world.position(),
        at,
        datasets: own.iter().filter_map(|reference| dataset(world, &reference.to_string())).collect(),
        models: uses(reached.models),
        deployments,
        recipients: reached.recipients.into_values().collect(),
        said: last(said, at),
    })
}

/// What is next once somebody was erased: where what was theirs may still be, and whom to tell (GDPR Art. 19).
pub fn left(world: &World, erased: Erased, at: Timestamp) -> Erased {
    let mut reached = Reached::of(world, &erased.datasets, at);
    // Where they were themselves is told as such.
    for own in &erased.datasets {
        reached.derived.remove(&own.to_string());
    }
    Erased {
        derived: uses(reached.derived),
        models: uses(reached.models),
        deployments: uses(reached.deployments),
        recipients: reached.recipients.into_values().collect(),
        ..erased
    }
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
    let purpose = spec.purpose.base().to_owned();
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
