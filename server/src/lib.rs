//! Licit's server: an AI-governance model registry with data lineage.
//!
//! Folders are the stations of the flow (register, lineage, lawfulness, review, gate, ledger), files their layers: `mod.rs` the
//! pure part, `operations.rs` the verbs, `store.rs` SQL, `api.rs` HTTP. All routes stand in [`routes`], all kinds of facts in
//! [`facts`]. See ARCHITECTURE.md.

pub mod access;
pub mod adapters;
pub mod api;
pub mod app;
pub mod catalogue;
pub mod cli;
pub mod clock;
pub mod config;
pub mod consent;
pub mod db;
pub mod error;
pub mod events;
pub mod facts;
pub mod gate;
pub mod http;
pub mod lawfulness;
pub mod ledger;
pub mod lineage;
mod maps;
pub mod metrics;
pub mod notices;
pub mod registry;
pub mod reports;
pub mod resolve;
pub mod resource;
pub mod review;
pub mod routes;
pub mod strictness;
