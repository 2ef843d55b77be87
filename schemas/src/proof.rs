//! What is signed, and what an auditor holds in hand: keys, signed notes, checkpoints, tiles, attestations, the export of a ledger.
//!
//! Everything here reads foreign bytes: each parser takes any, is bounded, and never panics.

pub mod checkpoint;
pub mod dsse;
pub mod export;
pub mod key;
pub mod levels;
pub mod note;
pub mod origin;
pub mod ring;
pub mod tile;
pub mod ustar;
