//! Things with revisions, in memory: what an operation resolves names against and the gate reads.

use std::sync::Arc;

use licit_schemas::digest::Digest;
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::At;
use crate::maps::HashMap;

/// The data of a fact that states something: the id, the revision, and what was said, verbatim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stated<T> {
    /// Opaque id.
    pub id: Uuid,
    /// Revision, from 1.
    pub rev: u32,
    /// What was said; references pinned.
    pub spec: T,
}

/// One revision of something.
#[derive(Clone, Debug)]
pub struct Revision<T> {
    /// Opaque id.
    pub id: Uuid,
    /// Revision, from 1.
    pub rev: u32,
    /// Reference, pinned where its kind is.
    pub reference: Arc<str>,
    /// What was said.
    pub spec: T,
    /// Digest of the canonical form of `spec`.
    pub digest: Digest,
    /// Ledger position.
    pub seq: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// Who recorded it.
    pub author: Uuid,
}

/// Revisions by unversioned reference, oldest first. A copy costs one reference count.
#[derive(Clone, Debug)]
pub struct Catalogue<T>(HashMap<Arc<str>, Arc<Vec<Arc<Revision<T>>>>>);

impl<T> Default for Catalogue<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T> Catalogue<T> {
    /// All revisions of a reference without version.
    pub fn all(&self, reference: &str) -> &[Arc<Revision<T>>] {
        self.0.get(reference).map_or(&[], |list| list.as_slice())
    }

    /// The latest revision.
    pub fn latest(&self, reference: &str) -> Option<&Arc<Revision<T>>> {
        self.all(reference).last()
    }

    /// One revision.
    pub fn revision(&self, reference: &str, rev: u32) -> Option<&Arc<Revision<T>>> {
        let place = usize::try_from(rev).ok()?.checked_sub(1)?;
        self.all(reference).get(place)
    }

    /// Fold a statement in.
    pub fn put(&mut self, base: &str, reference: String, stated: &Stated<T>, digest: Digest, at: &At)
    where
        T: Clone,
    {
        let revision = Arc::new(Revision {
            id: stated.id,
            rev: stated.rev,
            reference: reference.into(),
            spec: stated.spec.clone(),
            digest,
            seq: at.seq,
            at: at.time,
            author: at.actor,
        });
        let list = self.0.entry(Arc::from(base)).or_default();
        Arc::make_mut(list).push(revision);
    }

    /// Latest revisions, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Revision<T>>> {
        self.0.values().filter_map(|list| list.last())
    }

    /// Every revision ever, in no order.
    pub fn every(&self) -> impl Iterator<Item = &Arc<Revision<T>>> {
        self.0.values().flat_map(|list| list.iter())
    }
}
