//! What the tests stand on: a database of their own, the real server program on a free port, a client per role.
//!
//! With `TEST_DATABASE_URL=postgres://…` every test runs on PostgreSQL, in a schema of its own; else on SQLite in a temporary file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    missing_docs,
    reason = "a test harness fails loudly"
)]

pub mod client;
pub mod database;
pub mod load;
pub mod receiver;
pub mod scenario;
pub mod server;

pub use client::{Answer, Client};
pub use database::TestDatabase;
pub use scenario::Scenario;
pub use server::TestServer;
