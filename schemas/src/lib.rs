//! The words Licit's server and clients share.
//!
//! Wire types by station ([`registry`], [`lineage`], [`lawfulness`], [`notices`], [`review`], [`policy`], [`gate`], [`ledger`], [`access`],
//! [`subjects`]), the references between them ([`reference`]), their JSON Schemas ([`document`]), and what makes the ledger checkable by anybody: canonical JSON
//! ([`json`]), digests ([`digest`]), Merkle proofs ([`merkle`]) and what is signed ([`proof`]). Pure: no HTTP, no SQL, no clock.
#![warn(missing_docs)]

pub mod access;
pub mod admitted;
pub mod adoption;
pub mod classes;
#[cfg(feature = "conditions")]
pub mod condition;
pub mod consent;
pub mod digest;
pub mod document;
pub mod events;
pub mod exports;
pub mod gate;
pub mod json;
pub mod known;
pub mod lawfulness;
pub mod ledger;
pub mod lineage;
pub mod merkle;
pub mod notices;
pub mod openlineage;
pub mod policy;
pub mod problem;
pub mod proof;
pub mod reference;
pub mod registration;
pub mod registry;
pub mod reports;
pub mod resource;
pub mod review;
pub mod subjects;
pub mod text;
pub mod time;
pub mod uses;
