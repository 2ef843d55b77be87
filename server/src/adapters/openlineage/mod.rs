//! OpenLineage: engines report what they read and wrote, and it stands in the lineage.
//!
//! An event is read ([`wire`]), translated into our words ([`translate`], a pure function of the event), and recorded as one fact
//! ([`event`]). The fold ([`state`]) joins what is known of a run and of a name: it takes minima, maxima and unions only, so that
//! order, repetition and late arrival change nothing. What came of it is put into the registry and the graph ([`project`]) by the
//! functions that native facts go through. What cannot be read waits in quarantine.

pub mod api;
pub mod event;
pub mod names;
pub mod operations;
pub mod project;
pub mod retention;
pub mod state;
pub mod store;
pub mod translate;
mod wire;

pub use state::State;
