//! The life of what is registered: data are held, restricted or erased; what was registered by mistake is retired.

use licit_schemas::access::Role;
use licit_schemas::registry::{Life, LifeChange, Retirement};
use licit_schemas::resource::Registered;
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::{LifeChanged, Retired, What};
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx};
use crate::resolve::{about, created, parse, unchanged};

/// Refuse to date something ahead.
///
/// # Errors
/// A moment to come.
pub fn ahead(tx: &Tx<'_>, valid_from: Option<Timestamp>) -> Result<()> {
    match valid_from.filter(|from| *from > tx.now()) {
        Some(_) => Err(Error::invalid("/valid_from", "lies ahead: what is to come is recorded when it has happened")),
        None => Ok(()),
    }
}

/// Change the life of a dataset version, for a token of these roles.
///
/// Anybody who may call this restricts. A restriction protects the person who asked for it (GDPR Art. 18): who lifts it has the
/// office to, says why, and cannot say that it never was. There is no way back from erased, so only who registers erases.
///
/// # Errors
/// An unknown version; a way back from erased; a moment to come; roles that may not; a restriction lifted without reason or before
/// now.
pub fn change_life(tx: &mut Tx<'_>, id: Uuid, change: &LifeChange, roles: &[Role]) -> Result<Registered> {
    let row =
        tx.row("dataset_version", id)?.ok_or_else(|| Error::NotFound(format!("there is no dataset version `{id}`")))?;
    let reference = parse(&row.reference)?;
    let Some(held) = tx.world().registry.held(&row.reference).cloned() else {
        return Err(Error::NotFound(format!("there is no `{reference}`")));
    };
    let What::Dataset(facts) = &held.what else {
        return Err(Error::NotFound(format!("`{reference}` is not a dataset version")));
    };
    ahead(tx, change.valid_from)?;
    if change.life == Life::Erased && !roles.contains(&Role::Registrar) {
        return Err(Error::Forbidden("to say that data are erased needs the role registrar".to_owned()));
    }
    let at = change.valid_from.unwrap_or(tx.now());
    let then = facts.life_at(at).map_or(Life::Held, |(life, _)| life);
    if facts.life() == change.life && then == change.life {
        return Ok(unchanged(id, reference, held.digest, held.seq));
    }
    if facts.life() == Life::Erased && change.life != Life::Erased {
        return Err(Error::conflict(format!("`{reference}` is erased: there is no way back")));
    }
    if change.life == Life::Held {
        lifted(change, roles)?;
    }
    let reason_digest = change.reason.as_ref().map(|reason| tx.note(reason.as_str())).transpose()?;
    let seq = tx.record(Fact::DatasetVersionLifeChanged(LifeChanged {
        id,
        reference: reference.clone(),
        life: change.life,
        valid_from: change.valid_from,
        reason_digest,
    }))?;
    Ok(created(id, reference, held.digest, seq))
}

/// Whether a restriction may be lifted like this, now or in what was said of the past.
fn lifted(change: &LifeChange, roles: &[Role]) -> Result<()> {
    if !roles.iter().any(|role| matches!(role, Role::Dpo | Role::Reviewer)) {
        return Err(Error::Forbidden("to lift a restriction needs one of the roles dpo, reviewer".to_owned()));
    }
    if change.valid_from.is_some() {
        return Err(Error::invalid("/valid_from", "a restriction is lifted from now on: that it held until now stays"));
    }
    if change.reason.is_none() {
        return Err(Error::invalid("/reason", "say why the restriction is lifted"));
    }
    Ok(())
}

/// Retire what was registered by mistake: it stays, marked, and nothing may rest on it. There is no way back.
///
/// # Errors
/// No such thing of this kind; a moment to come.
pub fn retire(tx: &mut Tx<'_>, kind: &str, id: Uuid, retirement: &Retirement) -> Result<Registered> {
    let nothing = || Error::NotFound(format!("there is no {} `{id}`", kind.replace('_', " ")));
    let row = tx.row(kind, id)?.ok_or_else(nothing)?;
    let held = tx.world().registry.held(&row.reference).cloned().ok_or_else(nothing)?;
    let reference = parse(&row.reference)?;
    if held.retired.is_some() {
        return Ok(about(&held, unchanged(id, reference, held.digest, held.seq)));
    }
    ahead(tx, retirement.valid_from)?;
    let reason_digest = tx.note(retirement.reason.as_str())?;
    let valid_from = retirement.valid_from;
    let seq =
        tx.record(Fact::ResourceRetired(Retired { id, reference: reference.clone(), reason_digest, valid_from }))?;
    let held = tx.world().registry.held(&row.reference).cloned().unwrap_or(held);
    Ok(about(&held, created(id, reference, held.digest, seq)))
}
