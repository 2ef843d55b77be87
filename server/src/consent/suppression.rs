//! Whom a deployment leaves out: what serving systems acknowledged to have.

use imbl::Vector;
use licit_schemas::reference::Ref;
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::db::At;
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx};
use crate::maps::HashMap;

/// A serving system has the list of a position, and leaves out whom it names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuppressionAcknowledged {
    /// `deployment:<name>`.
    pub deployment: Ref,
    /// Ledger position of the list.
    pub position: u64,
    /// Until when that was the newest list: no later entry was there before.
    pub as_of: Timestamp,
}

/// A list that was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Ledger position of the list.
    pub position: u64,
    /// When it was acknowledged.
    pub at: Timestamp,
    /// Until when it was the newest: whoever acknowledges an old list has an old list.
    pub as_of: Timestamp,
}

/// What was acknowledged, by deployment, oldest first.
#[derive(Clone, Default)]
pub struct Acknowledged(HashMap<String, Vector<Acknowledgement>>);

impl Acknowledged {
    /// The newest list a deployment had at a moment.
    pub fn last(&self, deployment: &str, at: Timestamp) -> Option<Acknowledgement> {
        self.0.get(deployment)?.iter().rev().find(|one| one.at <= at).copied()
    }

    /// Fold an acknowledgement in.
    pub fn acknowledged(&mut self, fact: &SuppressionAcknowledged, at: &At) {
        let one = Acknowledgement { position: fact.position, at: at.time, as_of: fact.as_of };
        self.0.entry(fact.deployment.to_string()).or_default().push_back(one);
    }
}

/// Say that a deployment has the list of a position. An older one than it has is no news and changes nothing.
///
/// # Errors
/// An unknown deployment; a position that the ledger has not reached.
pub fn acknowledge(tx: &mut Tx<'_>, deployment: Ref, position: u64) -> Result<Acknowledgement> {
    use crate::db::Projection as _;
    let name = deployment.to_string();
    let (world, now) = (tx.world(), tx.now());
    if world.registry.deployments.latest(&name).is_none() {
        return Err(Error::invalid("/deployment", format!("there is no `{name}`")));
    }
    if position > world.position() {
        let sentence = format!("`{position}` is no position of this ledger: it has {} entries", world.position());
        return Err(Error::invalid("/position", sentence));
    }
    if let Some(newer) = world.consent.acknowledged.last(&name, now).filter(|last| last.position > position) {
        return Ok(newer);
    }
    let as_of = tx.time_of(position + 1)?.unwrap_or(now).min(now);
    tx.record(Fact::SuppressionAcknowledged(SuppressionAcknowledged { deployment, position, as_of }))?;
    Ok(Acknowledgement { position, at: now, as_of })
}
