//! What was observed of endpoints: a pin is words, and somebody must see that what answers is still what was pinned.

use std::sync::Arc;

use licit_schemas::digest::Digest;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::{AttestationSpec, Endpoint, ModelKind};
use licit_schemas::resource::Registered;
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::What;
use crate::catalogue::Stated;
use crate::db::{At, NewRow, Rows};
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, digest, text};
use crate::maps::HashMap;
use crate::resolve::{created, expect, pin, unchanged};

/// An attestation in memory.
#[derive(Clone, Debug)]
pub struct Attestation {
    /// Opaque id.
    pub id: Uuid,
    /// What was observed.
    pub spec: AttestationSpec,
    /// When it was observed.
    pub at: Timestamp,
    /// Digest of what was stated.
    pub digest: Digest,
    /// Ledger position.
    pub seq: u64,
}

impl Attestation {
    /// What was observed otherwise than pinned, as pairs of what is pinned and what was seen.
    pub fn differs(&self, pinned: &Endpoint) -> Vec<(&'static str, String, String)> {
        let seen = &self.spec;
        let all = [
            ("snapshot", pinned.snapshot.to_string(), seen.snapshot.to_string()),
            ("region", pinned.region.to_string(), seen.region.to_string()),
            ("configuration", pinned.configuration_digest.to_string(), seen.configuration_digest.to_string()),
        ];
        all.into_iter().filter(|(_, pinned, seen)| pinned != seen).collect()
    }
}

/// Attestations by model version, in the order in which they were recorded.
#[derive(Clone, Default)]
pub struct Attestations(HashMap<Arc<str>, Arc<Vec<Arc<Attestation>>>>);

impl Attestations {
    fn of(&self, model: &str) -> &[Arc<Attestation>] {
        self.0.get(model).map_or(&[], |list| list.as_slice())
    }

    /// What was observed last by a moment.
    pub fn latest(&self, model: &str, moment: Timestamp) -> Option<&Arc<Attestation>> {
        self.of(model).iter().filter(|seen| seen.at <= moment).max_by_key(|seen| (seen.at, seen.seq))
    }

    /// Fold an attestation in.
    pub fn attested(&mut self, fact: &Stated<AttestationSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let model = spec.model.to_string();
        let observed = spec.at.unwrap_or(at.time);
        let seen = Attestation { id: fact.id, spec: spec.clone(), at: observed, digest, seq: at.seq };
        Arc::make_mut(self.0.entry(model.as_str().into()).or_default()).push(Arc::new(seen));
        rows.put(at, || NewRow {
            kind: "attestation",
            id: fact.id.to_string(),
            reference: Ref::attestation(fact.id).to_string(),
            state: "attested".to_owned(),
            name: spec.snapshot.to_string(),
            parent: model,
            digest: Some(digest),
            doc: text(spec),
            valid_from: Some(observed),
            ..NewRow::default()
        });
    }
}

/// Record what was observed when an endpoint was called. The same observation again is the same attestation.
///
/// # Errors
/// A model version that is not registered or no endpoint; a moment that has not come.
pub fn attest(tx: &mut Tx<'_>, mut spec: AttestationSpec) -> Result<Registered> {
    let now = tx.now();
    expect(&spec.model, &[Kind::Model], "/model")?;
    spec.model = pin(tx.world(), &spec.model, now, "/model")?;
    let model = spec.model.to_string();
    match tx.world().registry.held(&model).map(|held| &held.what) {
        Some(What::Model(facts)) if facts.kind == ModelKind::Endpoint => {}
        Some(_) => return Err(Error::invalid("/model", format!("`{model}` is no endpoint: its files are compared"))),
        None => {
            return Err(Error::invalid("/model", format!("there is no `{model}`: register the model version first")));
        }
    }
    if spec.at.is_some_and(|at| at > now) {
        return Err(Error::invalid("/at", "has not come yet: an attestation says what was observed"));
    }
    spec.at = spec.at.or(Some(now));
    let sum = digest(&spec);
    if let Some(known) = tx.world().registry.attestations.of(&model).iter().find(|seen| seen.digest == sum) {
        return Ok(unchanged(known.id, Ref::attestation(known.id), sum, known.seq));
    }
    let id = tx.new_id();
    let seq = tx.record(Fact::EndpointAttested(Stated { id, rev: 1, spec }))?;
    Ok(created(id, Ref::attestation(id), sum, seq))
}
