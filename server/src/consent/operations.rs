//! Registering and retiring keys of subjects; loading the members of dataset versions.

use licit_schemas::digest::Digest;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::{Life, uuid_text};
use licit_schemas::resource::Outcome;
use licit_schemas::subjects::{
    BatchTaken, BatchView, KeyId, LoadFinish, LoadState, MOST_BATCHES, MemberLoadCreate, MemberLoadView, MembersLoaded,
    MembersSpec, SubjectKeySpec, SubjectKeyState, SubjectKeyView,
};
use licit_schemas::text::Key;
use licit_schemas::time::Timestamp;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::lines::Lines;
use super::{KeyRetired, SubjectKey, key_view, members_view};
use crate::catalogue::Stated;
use crate::db::dictionary::{commitment, load_root};
use crate::db::people::{Batch, FINISHED, Load, OPEN, bitmap, bytes};
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx};
use crate::registry::What;
use crate::resolve::{expect, parse, pin, stands};

/// Loads that may be open at a time: each holds what came of it.
const MOST_OPEN: usize = 100;
/// Hours after which a load that nobody added to is given up: else whoever leaves loads open keeps everybody from loading.
const ABANDONED_HOURS: i64 = 24;

/// A key made known, or known before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyKnown {
    /// Whether it is new.
    pub outcome: Outcome,
    /// The key.
    pub view: SubjectKeyView,
}

/// Make a key known. Its id names one key for ever, and one key has one scope: else pseudonyms could be linked that scopes keep
/// apart (EDPB Guidelines 01/2025).
///
/// # Errors
/// The id or the key is known otherwise.
pub fn register_key(tx: &mut Tx<'_>, spec: &SubjectKeySpec) -> Result<KeyKnown> {
    let state = &tx.world().consent;
    if let Some(known) = state.kid(spec.kid.as_str()) {
        if known.said.spec == *spec {
            return Ok(KeyKnown { outcome: Outcome::Unchanged, view: key_view(known) });
        }
        let sentence = format!("`{}` is the id of another key: give every key an id of its own", spec.kid);
        return Err(Error::conflict(sentence));
    }
    if let Some(known) = state.keys().find(|key| key.said.spec.fingerprint == spec.fingerprint) {
        let sentence =
            format!("this key is known as `{}` of the scope `{}`", known.said.spec.kid, known.said.spec.scope);
        return Err(Error::conflict(sentence));
    }
    let id = tx.new_id();
    tx.record(Fact::SubjectKeyRegistered(Stated { id, rev: 1, spec: spec.clone() }))?;
    let known = tx.world().consent.key(id).ok_or_else(|| Error::Internal("a key is not folded in".to_owned()))?;
    Ok(KeyKnown { outcome: Outcome::Created, view: key_view(known) })
}

/// Load nothing under a key any more. What was loaded stays. Said again, it changes nothing.
///
/// # Errors
/// An unknown key.
pub fn retire_key(tx: &mut Tx<'_>, id: Uuid) -> Result<()> {
    let known = tx.world().consent.key(id).ok_or_else(|| Error::NotFound(format!("there is no subject key `{id}`")))?;
    if known.state == SubjectKeyState::Active {
        tx.record(Fact::SubjectKeyRetired(KeyRetired { id }))?;
    }
    Ok(())
}

/// A load begun, or found open.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Begun {
    /// Whether it is new.
    pub outcome: Outcome,
    /// The load.
    pub view: MemberLoadView,
}

/// Begin to load the members of a dataset version, or go on with the caller's load that broke off.
///
/// # Errors
/// No such version, or no such key; a version that is retired or erased, or whose members came under another key.
pub fn begin(tx: &mut Tx<'_>, create: &MemberLoadCreate) -> Result<Begun> {
    expect(&create.dataset_version, &[Kind::Dataset], "/dataset_version")?;
    let version = pin(tx.world(), &create.dataset_version, tx.now(), "/dataset_version")?;
    may_have_members(tx, &version)?;
    let key = active(tx, &create.kid)?;
    if key.said.spec.fingerprint != create.fingerprint {
        let sentence = format!(
            "the key known as `{}` has another fingerprint: its pseudonyms would be of other people",
            create.kid
        );
        return Err(Error::invalid("/fingerprint", sentence));
    }
    if let Some(members) = tx.world().consent.members(&version.to_string())
        && members.spec.kid != create.kid
    {
        return Err(closed(&version, &members.spec.kid));
    }
    let (actor, named) = (tx.actor().to_string(), version.to_string());
    let open = tx.open_loads()?;
    let own = |load: &&Load| load.actor == actor && load.dataset_version == named && load.kid == create.kid.as_str();
    if let Some(load) = open.iter().find(own) {
        let batches = tx.batches(&load.id)?;
        return Ok(Begun { outcome: Outcome::Unchanged, view: view(load, &batches)? });
    }
    let (stale, open): (Vec<Load>, Vec<Load>) = open.into_iter().partition(|load| is_abandoned(load, tx.now()));
    stale.iter().for_each(|load| tx.drop_load(&load.id));
    if open.len() >= MOST_OPEN {
        return Err(Error::conflict(format!("{MOST_OPEN} loads are open: finish or delete one first")));
    }
    let load = Load {
        id: tx.new_id().to_string(),
        dataset_version: named,
        scope: key.said.spec.scope.to_string(),
        kid: create.kid.to_string(),
        actor,
        created_at: tx.now().naive(),
        state: OPEN.to_owned(),
        batches: 0,
        records: 0,
        touched_at: None,
    };
    let begun = Begun { outcome: Outcome::Created, view: view(&load, &[])? };
    tx.begin_load(load);
    Ok(begun)
}

fn is_abandoned(load: &Load, now: Timestamp) -> bool {
    let last = Timestamp::from_naive(load.touched_at.unwrap_or(load.created_at));
    last.plus(chrono::Duration::hours(ABANDONED_HOURS)) <= now
}

fn may_have_members(tx: &Tx<'_>, version: &Ref) -> Result<()> {
    let held = tx.world().registry.held(&version.to_string());
    let Some(What::Dataset(facts)) = held.map(|held| &held.what) else {
        return Err(Error::invalid("/dataset_version", format!("there is no `{version}`: register it first")));
    };
    stands(tx.world(), version, "/dataset_version")?;
    if facts.life() == Life::Erased {
        return Err(Error::conflict(format!("`{version}` is erased: nobody is in it")));
    }
    Ok(())
}

fn active(tx: &Tx<'_>, kid: &KeyId) -> Result<std::sync::Arc<SubjectKey>> {
    match tx.world().consent.kid(kid.as_str()) {
        None => Err(Error::invalid("/kid", format!("there is no subject key `{kid}`: register it first"))),
        Some(key) if key.state == SubjectKeyState::Retired => {
            Err(Error::conflict(format!("the subject key `{kid}` is retired: hash under another")))
        }
        Some(key) => Ok(key.clone()),
    }
}

fn closed(version: &Ref, kid: &KeyId) -> Error {
    Error::conflict(format!(
        "the members of `{version}` are loaded, under the key `{kid}`, and versions are immutable: register another version"
    ))
}

fn any(tx: &mut Tx<'_>, id: Uuid) -> Result<Load> {
    tx.load(id)?.ok_or_else(|| Error::NotFound(format!("there is no load `{id}`")))
}

/// A load of the caller.
fn own(tx: &mut Tx<'_>, id: Uuid) -> Result<Load> {
    let load = any(tx, id)?;
    if load.actor == tx.actor().to_string() {
        return Ok(load);
    }
    Err(Error::Forbidden("the load is another's: begin one of your own".to_owned()))
}

/// Take a batch. One that came before is not taken twice.
///
/// # Errors
/// A finished load; another batch under the same number; pseudonyms of another key.
pub fn append(tx: &mut Tx<'_>, id: Uuid, number: u32, digest: Digest, lines: &Lines) -> Result<BatchTaken> {
    if !(1..=MOST_BATCHES).contains(&number) {
        return Err(Error::invalid("", format!("batches are numbered from 1 to {MOST_BATCHES}")));
    }
    let load = own(tx, id)?;
    let taken = |outcome| BatchTaken { outcome, number, records: lines.records };
    if let Some(known) = tx.batch(&load.id, number)? {
        if known.digest == digest.to_string() {
            return Ok(taken(Outcome::Unchanged));
        }
        return Err(Error::conflict(format!(
            "batch {number} came before with other content: the source changed, delete the load and begin anew"
        )));
    }
    if load.state != OPEN {
        return Err(Error::conflict("the load is finished: its members stay as they are".to_owned()));
    }
    let kid: KeyId = kept(&load.kid)?;
    if lines.kid != kid {
        return Err(Error::invalid("/1", format!("made under the key `{}`, the load is of `{kid}`", lines.kid)));
    }
    active(tx, &kid)?;
    let subjects = tx.intern(kid.as_str(), &lines.hashes)?;
    let members: RoaringBitmap = subjects.iter().map(|one| one.n).collect();
    let batch = Batch {
        member_load: load.id.clone(),
        number: i64::from(number),
        digest: digest.to_string(),
        records: i64::from(lines.records),
        root: commitment(&subjects).as_bytes().to_vec(),
        members: bytes(&members)?,
    };
    tx.keep_batch(load, batch);
    Ok(taken(Outcome::Created))
}

/// All was sent: from here on its members count. The same members as were loaded before are the same load.
///
/// # Errors
/// What came is not what is stated; other members were loaded before.
pub fn finish(tx: &mut Tx<'_>, id: Uuid, stated: &LoadFinish) -> Result<MembersLoaded> {
    let mut load = own(tx, id)?;
    let version = parse(&load.dataset_version)?;
    let known = tx.world().consent.members(&load.dataset_version).cloned();
    if load.state == FINISHED {
        let same = load.batches == i64::from(stated.batches) && u64::try_from(load.records) == Ok(stated.records);
        return match known.filter(|_| same) {
            Some(known) => Ok(MembersLoaded { outcome: Outcome::Unchanged, members: members_view(&known) }),
            None => Err(Error::conflict("the load was finished with other figures".to_owned())),
        };
    }
    let batches = tx.batches(&load.id)?;
    complete(&batches, stated)?;
    let mut members = RoaringBitmap::new();
    for batch in &batches {
        members |= bitmap(&batch.members)?;
    }
    load.state = FINISHED.to_owned();
    (load.batches, load.records) = (i64::from(stated.batches), i64::try_from(stated.records).unwrap_or(i64::MAX));
    if let Some(known) = known {
        let same = known.spec.kid.as_str() == load.kid
            && tx.world().people.members(&load.dataset_version).is_some_and(|before| *before.who == members);
        if !same {
            return Err(closed(&version, &known.spec.kid));
        }
        tx.finish_load(load, None)?;
        return Ok(MembersLoaded { outcome: Outcome::Unchanged, members: members_view(&known) });
    }
    may_have_members(tx, &version)?;
    let kid = kept(&load.kid)?;
    active(tx, &kid)?;
    let scope: Key = load.scope.parse().map_err(|e| Error::Internal(format!("stored scope: {e}")))?;
    let root = load_root(batches.iter().map(|batch| batch.root.as_slice()));
    // The batches commit to whoever was erased since they came, too.
    let count = members.len() + tx.erased_of(&load.id)?;
    let spec = MembersSpec { dataset_version: version, scope, kid, count, root };
    let fact = Stated { id: tx.new_id(), rev: 1, spec };
    let seq = tx.record(Fact::MembersLoaded(fact))?;
    let named = load.dataset_version.clone();
    tx.finish_load(load, Some((seq, members)))?;
    let known =
        tx.world().consent.members(&named).ok_or_else(|| Error::Internal("members are not folded in".to_owned()))?;
    Ok(MembersLoaded { outcome: Outcome::Created, members: members_view(known) })
}

/// Whether what came is what was sent.
fn complete(batches: &[Batch], stated: &LoadFinish) -> Result<()> {
    let gap = batches.iter().zip(1..).find(|(batch, number)| batch.number != *number).map(|(_, number)| number);
    let records: i64 = batches.iter().map(|batch| batch.records).sum();
    if gap.is_none()
        && u32::try_from(batches.len()) == Ok(stated.batches)
        && u64::try_from(records) == Ok(stated.records)
    {
        return Ok(());
    }
    let missing = gap.map(|number| format!("; batch {number} is missing")).unwrap_or_default();
    Err(Error::conflict(format!(
        "{} batches with {} lines are stated, {} with {records} came{missing}: send what is missing first",
        stated.batches,
        stated.records,
        batches.len()
    )))
}

/// Give an open load up, with its batches: one's own, or as an officer anybody's. Pseudonyms that it made known stay known: other
/// loads may have named them since.
///
/// # Errors
/// A finished load; another's.
pub fn abandon(tx: &mut Tx<'_>, id: Uuid, officer: bool) -> Result<()> {
    let load = if officer { any(tx, id)? } else { own(tx, id)? };
    if load.state != OPEN {
        return Err(Error::conflict("the load is finished: its members stay as they are".to_owned()));
    }
    tx.drop_load(&load.id);
    Ok(())
}

/// A load as shown.
///
/// # Errors
/// Only a row that is not ours.
pub fn view(load: &Load, batches: &[Batch]) -> Result<MemberLoadView> {
    let broken = |what: &str| Error::Internal(format!("table member_load: {what} is none"));
    let batch = |batch: &Batch| {
        Ok(BatchView {
            number: u32::try_from(batch.number).map_err(|_| broken("a number"))?,
            records: u32::try_from(batch.records).map_err(|_| broken("a number"))?,
            digest: batch.digest.parse().map_err(|_| broken("a digest"))?,
        })
    };
    Ok(MemberLoadView {
        id: uuid_text::Uuid(load.id.parse().map_err(|_| broken("an id"))?),
        dataset_version: parse(&load.dataset_version)?,
        scope: load.scope.parse().map_err(|_| broken("a scope"))?,
        kid: kept(&load.kid)?,
        state: if load.state == OPEN { LoadState::Open } else { LoadState::Finished },
        batches: batches.iter().map(batch).collect::<Result<_>>()?,
    })
}

fn kept(kid: &str) -> Result<KeyId> {
    kid.parse().map_err(|_| Error::Internal("table member_load: a key is none".to_owned()))
}
