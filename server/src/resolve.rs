//! Names to things: references are resolved when something is recorded, and stored pinned.

use licit_schemas::digest::Digest;
use licit_schemas::problem::Fault;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::uuid_text;
use licit_schemas::resource::{Outcome, Registered};
use licit_schemas::text::VersionId;
use licit_schemas::time::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::catalogue::Catalogue;
use crate::error::{Error, Result};
use crate::facts::{Tx, World};
use crate::lineage::graph::NodeId;
use crate::registry::{Held, RETIRED};
use crate::review::Standing;

/// Differences named at most.
const MAX_DIFFERENCES: usize = 20;

/// Pin a reference: a dataset or model to the latest registered version, a purpose, basis, system, assessment or policy to the last
/// approved revision (the latest registered while none is approved: the gate refuses it until then).
///
/// # Errors
/// A fault at the pointer, when the thing or the version is not there. Versions of datasets, models and runs may be named before
/// they are registered: they are kept as dangling nodes, and the gate says *unknown*.
pub fn pin(world: &World, reference: &Ref, now: Timestamp, pointer: &str) -> Result<Ref> {
    match reference.kind() {
        Kind::Dataset | Kind::Model if reference.is_pinned() => Ok(reference.clone()),
        // Behind a retired version nobody knows what is there now: an earlier one does not come back by itself.
        Kind::Dataset | Kind::Model => match world.registry.latest(&reference.to_string()) {
            Some(pinned) if world.registry.is_retired(pinned) => Err(Error::invalid(
                pointer,
                format!(
                    "`{pinned}`, the latest version, is retired: register another, or name one as `{reference}@VERSION`"
                ),
            )),
            Some(pinned) => parse(pinned),
            None => Err(Error::invalid(
                pointer,
                format!("no version of `{reference}` is registered: register one, or name it as `{reference}@VERSION`"),
            )),
        },
        Kind::System => revision(world, &world.registry.systems, reference, now, pointer),
        Kind::Purpose => revision(world, &world.lawfulness.purposes, reference, now, pointer),
        Kind::Basis => revision(world, &world.lawfulness.bases, reference, now, pointer),
        Kind::Assessment => revision(world, &world.lawfulness.assessments, reference, now, pointer),
        Kind::Baseline => revision(world, &world.review.baselines, reference, now, pointer),
        Kind::BreakGlass => revision(world, &world.review.broken, reference, now, pointer),
        Kind::Loosening => revision(world, &world.review.loosenings, reference, now, pointer),
        Kind::Class => revision(world, &world.registry.classes.catalogue, reference, now, pointer),
        Kind::Policy => revision(world, &world.lawfulness.policies, reference, now, pointer),
        Kind::Notice => notice(world, reference, now, pointer),
        Kind::Party => exists(world.registry.parties.latest(&reference.to_string()).is_some(), reference, pointer),
        Kind::Environment => exists(world.registry.environment_of(reference.name()).is_some(), reference, pointer),
        Kind::Deployment => {
            exists(world.registry.deployments.latest(&reference.to_string()).is_some(), reference, pointer)
        }
        Kind::Release => exists(world.registry.release(reference).is_some(), reference, pointer),
        Kind::Run
        | Kind::Decision
        | Kind::Review
        | Kind::Delegation
        | Kind::Contest
        | Kind::Attestation
        | Kind::Remedy
        | Kind::Use => Ok(reference.clone()),
    }
}

fn exists(found: bool, reference: &Ref, pointer: &str) -> Result<Ref> {
    if found { Ok(reference.clone()) } else { Err(Error::invalid(pointer, format!("there is no `{reference}`"))) }
}

/// A notice is not approved but shown: without revision it is the one in force, else the latest.
fn notice(world: &World, reference: &Ref, now: Timestamp, pointer: &str) -> Result<Ref> {
    let base = reference.base().to_owned();
    if let Some(rev) = reference.rev() {
        return exists(world.notices.catalogue.revision(&base, rev).is_some(), reference, pointer);
    }
    let in_force = world.notices.in_force(&base, now).map(|notice| &notice.revision);
    match in_force.or(world.notices.catalogue.latest(&base)) {
        Some(revision) => parse(&revision.reference),
        None => Err(Error::invalid(pointer, format!("there is no `{reference}`"))),
    }
}

fn revision<T>(world: &World, catalogue: &Catalogue<T>, reference: &Ref, now: Timestamp, pointer: &str) -> Result<Ref> {
    let base = reference.base().to_owned();
    if let Some(rev) = reference.rev() {
        return exists(catalogue.revision(&base, rev).is_some(), reference, pointer);
    }
    let all = catalogue.all(&base);
    let approved = all.iter().rev().find(|r| matches!(world.review.standing(&r.reference, now), Standing::Holds(_)));
    match approved.or(all.last()) {
        Some(revision) => parse(&revision.reference),
        None => Err(Error::invalid(pointer, format!("there is no `{reference}`"))),
    }
}

/// The node of a reference: a dataset or model without version stands for the latest.
///
/// # Errors
/// No reference, or one that lineage does not know.
pub fn node(world: &World, text: &str, at: &str) -> Result<NodeId> {
    let reference: Ref =
        text.parse().map_err(|e: licit_schemas::reference::RefFault| Error::invalid(at, e.to_string()))?;
    let canonical = reference.to_string();
    let pinned = world.registry.latest(&canonical).map(ToString::to_string);
    world.lineage.find(&pinned.unwrap_or(canonical)).ok_or_else(|| {
        Error::NotFound(format!("`{reference}` has no place in the lineage: nothing registered names it"))
    })
}

/// A reference the registry itself wrote.
///
/// # Errors
/// Only if it were not one.
pub fn parse(text: &str) -> Result<Ref> {
    text.parse().map_err(|e| Error::Internal(format!("stored reference: {e}")))
}

/// Check the kind of a reference.
///
/// # Errors
/// A fault at the pointer.
pub fn expect(reference: &Ref, kinds: &[Kind], pointer: &str) -> Result<()> {
    if kinds.contains(&reference.kind()) {
        return Ok(());
    }
    let wanted: Vec<&str> = kinds.iter().map(|k| k.as_str()).collect();
    Err(Error::invalid(
        pointer,
        format!("`{reference}` is a {}: a {} belongs here", reference.kind(), wanted.join(" or ")),
    ))
}

/// Pin each of a list, all of one kind.
///
/// # Errors
/// As [`pin`] and [`expect`], under `pointer/<place>`.
pub fn pin_all(world: &World, list: &mut [Ref], kind: Kind, now: Timestamp, pointer: &str) -> Result<()> {
    for (place, reference) in list.iter_mut().enumerate() {
        let at = format!("{pointer}/{place}");
        expect(reference, &[kind], &at)?;
        *reference = pin(world, reference, now, &at)?;
    }
    Ok(())
}

/// Refuse what was registered by mistake.
///
/// # Errors
/// A fault at the pointer.
pub fn stands(world: &World, reference: &Ref, pointer: &str) -> Result<()> {
    if !world.registry.is_retired(&reference.to_string()) {
        return Ok(());
    }
    Err(Error::invalid(
        pointer,
        format!("`{reference}` is retired: name another version, or register it right under a new one"),
    ))
}

/// The answer for something new.
pub fn created(id: Uuid, reference: Ref, digest: Digest, seq: u64) -> Registered {
    let (id, outcome, warnings) = (uuid_text::Uuid(id), Outcome::Created, Vec::new());
    Registered { id, r#ref: reference, outcome, state: None, digest, seq, warnings }
}

/// The answer for something registered before.
pub fn unchanged(id: Uuid, reference: Ref, digest: Digest, seq: u64) -> Registered {
    Registered { outcome: Outcome::Unchanged, ..created(id, reference, digest, seq) }
}

/// An answer about something that is held: that it is retired is said.
pub fn about(held: &Held, answer: Registered) -> Registered {
    Registered { state: held.retired.map(|_| RETIRED.to_owned()), ..answer }
}

/// A version of something that has free versions.
///
/// # Errors
/// A fault at `/version`.
pub fn at_version(base: &Ref, version: &VersionId, pointer: &str) -> Result<Ref> {
    if base.is_pinned() {
        return Err(Error::invalid(pointer, format!("`{base}` carries a version: state it in `version`")));
    }
    base.clone().at(version).map_err(|e| Error::invalid("/version", e.to_string()))
}

/// A conflict that says what differs between what is stored and what was sent.
pub fn differs(tx: &mut Tx<'_>, kind: &str, id: Uuid, reference: &Ref, sent: &impl Serialize) -> Error {
    let stored = tx.row(kind, id).ok().flatten().and_then(|row| serde_json::from_str::<Value>(&row.doc).ok());
    let mut faults = Vec::new();
    if let (Some(stored), Ok(sent)) = (stored, serde_json::to_value(sent)) {
        differences("", &stored, &sent, &mut faults);
    }
    Error::Conflict(
        format!("`{reference}` is registered with other content, and versions are immutable: register another version"),
        faults,
    )
}

fn differences(at: &str, stored: &Value, sent: &Value, faults: &mut Vec<Fault>) {
    if stored == sent || faults.len() >= MAX_DIFFERENCES {
        return;
    }
    match (stored, sent) {
        (Value::Object(a), Value::Object(b)) => {
            let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let place = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                differences(&place, a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null), faults);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (place, (x, y)) in a.iter().zip(b).enumerate() {
                differences(&format!("{at}/{place}"), x, y, faults);
            }
        }
        _ => faults.push(Fault::new(at, format!("registered: {}; sent: {}", brief(stored), brief(sent)))),
    }
}

fn brief(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Array(list) => format!("{} item(s)", list.len()),
        other => other.to_string().chars().take(120).collect(),
    }
}
