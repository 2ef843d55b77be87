//! Seats of the board in which another person sits for a while: named, dated, not passed on.

use std::sync::Arc;

use licit_schemas::digest::Digest;
use licit_schemas::review::DelegationSpec;
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::State;
use crate::catalogue::Stated;
use crate::db::{At, NewRow, Rows};
use crate::facts::text;

/// A delegation was ended before its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelegationEnded {
    /// The delegation.
    pub id: Uuid,
}

/// A delegation in memory.
#[derive(Clone, Debug)]
pub struct Delegation {
    /// What was recorded.
    pub spec: DelegationSpec,
    /// Ended before its time.
    pub ended: bool,
}

impl Delegation {
    /// Whether it holds at a moment.
    pub fn holds(&self, now: Timestamp) -> bool {
        !self.ended && self.spec.valid_from <= now && now < self.spec.valid_to
    }
}

impl State {
    /// A delegation by id.
    pub fn delegation(&self, id: Uuid) -> Option<&Arc<Delegation>> {
        self.delegations.get(&id)
    }

    /// Every delegation by its id, in no order.
    pub fn delegations(&self) -> impl Iterator<Item = (&Uuid, &Arc<Delegation>)> {
        self.delegations.iter()
    }

    /// Whether a person may sit in another's seat at a moment.
    pub fn sits_for(&self, person: Uuid, member: Uuid, now: Timestamp) -> bool {
        self.delegations.values().any(|d| d.spec.to.0 == person && d.spec.from.0 == member && d.holds(now))
    }

    /// Fold a delegation in.
    pub fn delegated(&mut self, fact: &Stated<DelegationSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        self.delegations.insert(fact.id, Arc::new(Delegation { spec: fact.spec.clone(), ended: false }));
        rows.put(at, || NewRow {
            kind: "delegation",
            id: fact.id.to_string(),
            reference: format!("delegation:{}", fact.id),
            state: "made".to_owned(),
            parent: format!("actor:{}", fact.spec.from.0),
            digest: Some(digest),
            doc: text(&fact.spec),
            valid_from: Some(fact.spec.valid_from),
            valid_to: Some(fact.spec.valid_to),
            ..NewRow::default()
        });
    }

    /// Fold the end of a delegation in.
    pub fn undelegated(&mut self, fact: &DelegationEnded, at: &At, rows: &mut Rows) {
        if let Some(delegation) = self.delegations.get_mut(&fact.id) {
            Arc::make_mut(delegation).ended = true;
            rows.ended(at, "delegation", fact.id, "ended", Some(at.time));
        }
    }
}
