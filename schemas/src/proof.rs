//! What is signed, and what an auditor holds in hand: keys, signed notes, checkpoints, tiles, attestations, the export of a ledger.
//!
//! Everything here reads foreign bytes: each parser takes any, is bounded, and never panics.

pub mod bundle;
pub mod checkpoint;
pub mod dsse;
pub mod export;
pub mod in_force;
pub mod key;
pub mod levels;
pub mod note;
pub mod oms;
pub mod origin;
pub mod passport;
pub mod receipt;
pub mod ring;
pub mod statement;
pub mod tile;
pub mod trust;
pub mod ustar;
