//! What happened, for good: reading the ledger, proving from it, signing it, checking it, folding it anew.

pub mod api;
pub mod attest;
pub mod operations;
pub mod rebuild;
pub mod rotation;
pub mod signer;
pub mod signing;
pub mod store;
pub mod verify;

use std::sync::Arc;

use licit_schemas::ledger::{KeyIntroduced, KeyRetired, LedgerNamed};
use licit_schemas::proof::ring::KeyRing;

use crate::db::At;

/// What the ledger says of itself: its name, and who signs it.
#[derive(Clone, Debug, Default)]
pub struct State {
    ring: Arc<KeyRing>,
}

impl State {
    /// Name and keys.
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// Fold [`LedgerNamed`] in.
    pub fn named(&mut self, fact: &LedgerNamed) {
        Arc::make_mut(&mut self.ring).named(fact);
    }

    /// Fold [`KeyIntroduced`] in.
    pub fn introduced(&mut self, fact: &KeyIntroduced, at: &At) {
        Arc::make_mut(&mut self.ring).introduced(at.seq, fact);
    }

    /// Fold [`KeyRetired`] in.
    pub fn retired(&mut self, fact: &KeyRetired, at: &At) {
        Arc::make_mut(&mut self.ring).retired(at.seq, fact);
    }
}
