//! Migrations, and the few questions about the ledger's tables that every program asks.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use licit_schemas::digest::Digest;

use super::conn::Conn;
use super::schema::{ledger_hash, ledger_head};
use crate::error::{Error, Result};

/// For SQLite.
pub const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
/// For PostgreSQL: the same names, tables and columns.
pub const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// Any number: servers that start together on one PostgreSQL migrate one after the other.
const MIGRATION_LOCK: i64 = 0x6c69_6369_7400;

/// How often, and after which pause, a migration of SQLite is tried again.
const ATTEMPTS: u32 = 100;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// Bring the database to the present shape. Returns the migrations that ran.
///
/// # Errors
/// What the database said.
pub fn run(conn: &mut Conn) -> std::result::Result<Vec<String>, String> {
    match conn {
        Conn::Sqlite(lite) => {
            // Two programs may start together: a reader that upgrades does not wait for the other, and one that looked before
            // the other was done finds its tables there. Either asks again.
            let late = |e: &String| e.contains("locked") || e.contains("already exists");
            let mut outcome = sqlite(lite);
            for _ in 0..ATTEMPTS {
                if !outcome.as_ref().is_err_and(late) {
                    break;
                }
                std::thread::sleep(PAUSE);
                outcome = sqlite(lite);
            }
            outcome
        }
        Conn::Postgres(pg) => {
            pg.batch_execute(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})")).map_err(|e| e.to_string())?;
            let done = names(pg.run_pending_migrations(POSTGRES));
            pg.batch_execute(&format!("SELECT pg_advisory_unlock({MIGRATION_LOCK})")).map_err(|e| e.to_string())?;
            done
        }
    }
}

fn sqlite(lite: &mut SqliteConnection) -> std::result::Result<Vec<String>, String> {
    lite.batch_execute("PRAGMA journal_mode = WAL").map_err(|e| e.to_string())?;
    names(lite.run_pending_migrations(SQLITE))
}

fn names(
    result: diesel::migration::Result<Vec<diesel::migration::MigrationVersion<'_>>>,
) -> std::result::Result<Vec<String>, String> {
    result.map(|list| list.iter().map(ToString::to_string).collect()).map_err(|e| e.to_string())
}

/// Number of entries in the ledger.
///
/// # Errors
/// What the database said.
pub fn ledger_size(conn: &mut Conn) -> Result<u64> {
    let size: i64 = ledger_head::table.find(1).select(ledger_head::size).first(conn)?;
    Ok(u64::try_from(size).unwrap_or(0))
}

/// The Merkle node at a stored index.
///
/// # Errors
/// No such node, or one that is not 32 bytes.
pub fn hash_at(conn: &mut Conn, index: u64) -> Result<Digest> {
    let index = i64::try_from(index).unwrap_or(i64::MAX);
    let hash: Vec<u8> = ledger_hash::table.find(index).select(ledger_hash::hash).first(conn)?;
    digest(&hash).ok_or_else(|| Error::Internal(format!("Merkle node {index} is not 32 bytes")))
}

/// A stored hash.
pub fn digest(bytes: &[u8]) -> Option<Digest> {
    bytes.try_into().ok().map(Digest::from_bytes)
}
