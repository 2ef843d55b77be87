//! What happened, for good: reading the ledger, proving from it, checking it, folding it anew.

pub mod api;
pub mod rebuild;
pub mod store;
pub mod verify;
