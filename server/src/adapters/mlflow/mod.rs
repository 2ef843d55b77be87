//! `MLflow`: training scripts nobody rewrote register what they make, and the act of promotion is the act that the gate refuses.
//!
//! A request is read ([`params`], [`filter`]) and answered ([`view`]) in the words of that protocol, with its errors ([`fault`]). What
//! it says is recorded as facts ([`fact`]) by [`operations`], folded ([`state`], [`registered`]) and put into the registry and the
//! graph ([`project`]) by the functions that native facts go through. Bytes pass through [`artifacts`]. Setting a governed alias
//! proposes a release and asks the gate ([`operations::promote`]).

pub mod artifacts;
pub mod fact;
pub mod fault;
pub mod filter;
pub mod handlers;
pub mod hooks;
pub mod names;
pub mod operations;
pub mod params;
pub mod pattern;
pub mod project;
pub mod registered;
pub mod search;
pub mod state;
pub mod store;
pub mod view;

use std::sync::Arc;

pub use state::State;

/// How the door is set.
#[derive(Clone)]
pub struct Settings {
    /// What promotion asks for.
    pub rules: Arc<Rules>,
    /// Where bytes are; none where the operator named no place.
    pub depot: Option<Arc<artifacts::depot::Depot>>,
}

/// What promotion asks for.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Aliases that stand for deployments, in lower case.
    pub governed: Vec<String>,
    /// The address of this registry, as people reach it.
    pub address: String,
}

impl Rules {
    /// Whether an alias is governed, however it is written.
    pub fn governs(&self, alias: &str) -> bool {
        let alias = alias.to_lowercase();
        self.governed.contains(&alias)
    }
}
