//! The one integration-test binary: scenarios over HTTP against the real programs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

mod access;
mod cli;
mod clocks;
mod concurrency;
mod consent;
mod contract;
mod events;
mod exports;
mod gate;
mod ledger;
mod lineage;
mod mlflow;
mod notices;
mod once;
mod openlineage;
mod passports;
mod process;
mod receipts;
mod registry;
mod review;
mod robustness;
mod scan;
mod stories;
mod support;
mod tamper;
mod uses;
