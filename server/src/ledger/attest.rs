//! What leaves the registry signed: statements in envelopes, and entries with the proof that a signed tree holds them. Off the path of
//! writes: made when somebody asks, of what the ledger holds.

use licit_schemas::digest::Digest;
use licit_schemas::ledger::TreeHead;
use licit_schemas::merkle::Edge;
use licit_schemas::proof::checkpoint::SignedCheckpoint;
use licit_schemas::proof::dsse::Envelope;
use licit_schemas::proof::in_force::{Between, Proven};
use licit_schemas::proof::key::Vkey;
use licit_schemas::proof::receipt::Sealed;
use licit_schemas::proof::statement::{PAYLOAD, Statement};
use serde::Serialize;

use super::signing::{Signing, Trouble};
use super::store;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::facts::{Db, World};

/// A statement that was signed.
pub struct Attested {
    /// Its envelope.
    pub envelope: Sealed,
    /// Who signed, under the name of the ledger.
    pub by: Vkey,
}

impl Attested {
    /// Name and id of the key, as envelopes and bundles hint at it.
    pub fn hint(&self) -> String {
        hint(&self.by)
    }
}

fn hint(key: &Vkey) -> String {
    format!("{}+{:08x}", key.name(), key.id())
}

fn internal(what: &dyn std::fmt::Display) -> Error {
    Error::Internal(format!("attestation: {what}"))
}

/// Refuse to sign anything of a ledger that contradicts what was signed.
///
/// # Errors
/// It does.
pub fn undisputed(signing: &Signing) -> Result<()> {
    match signing.trouble() {
        Some(Trouble::Contradiction(why)) => Err(Error::Unavailable(why)),
        _ => Ok(()),
    }
}

/// Sign a statement by the key in force.
///
/// # Errors
/// Nobody may sign.
pub async fn seal<P: Serialize>(signing: &Signing, world: &World, statement: &Statement<P>) -> Result<Attested> {
    let payload = statement.bytes().map_err(|e| internal(&e))?;
    let envelope = Envelope::unsigned(PAYLOAD, payload);
    let (by, public, signature) = signing.sign(world, envelope.pae()).await?;
    let envelope = envelope.signed(&public, Some(hint(&by)), &signature).map_err(|e| internal(&e))?;
    Ok(Attested { envelope: Sealed::of(&envelope).map_err(|e| internal(&e))?, by })
}

/// A signed checkpoint that has an entry, and that who trusts this key can check.
///
/// # Errors
/// Nobody may sign one.
pub async fn covering(db: &Db, signing: &Signing, by: &Vkey, seq: u64) -> Result<SignedCheckpoint> {
    let covers = |signed: &SignedCheckpoint| signed.checkpoint.head.size >= seq && signed.verify([by]).is_ok();
    let signed = match db.read(store::newest_signed).await?.filter(covers) {
        Some(signed) => signed,
        None => signing.checkpoint(db).await?,
    };
    match covers(&signed) {
        true => Ok(signed),
        false => Err(Error::Unavailable("no signed checkpoint has the entry yet: ask again".to_owned())),
    }
}

/// An entry with the proof that a signed tree holds it, with or without its data.
///
/// # Errors
/// No such entry; nodes that contradict what was signed are no proof, and nobody is handed one.
pub fn proven(conn: &mut Conn, seq: u64, head: &TreeHead, with_data: bool) -> Result<Proven> {
    let view = store::entry(conn, seq)?;
    let inclusion = store::inclusion(conn, seq, Some(head.size))?;
    if inclusion.root != head.root {
        return Err(internal(&"the stored tree is not the one that was signed"));
    }
    Ok(Proven { entry: view.entry, data: with_data.then_some(view.data), inclusion })
}

/// An entry by its position, and what it commits to.
///
/// # Errors
/// No such entry.
pub fn committed(conn: &mut Conn, seq: u64) -> Result<(u64, Digest)> {
    let entry = store::entry(conn, seq)?.entry;
    Ok((entry.seq, entry.data))
}

/// What an entry commits to, and the id in its data.
///
/// # Errors
/// No such entry.
pub fn recorded(conn: &mut Conn, seq: u64) -> Result<(Digest, String)> {
    let view = store::entry(conn, seq)?;
    let id = view.data.get("id").and_then(serde_json::Value::as_str).unwrap_or_default();
    Ok((view.entry.data, id.to_owned()))
}

/// Every entry from one position to another, with the proof that a signed tree holds them and no other in between.
///
/// # Errors
/// Positions that are not in the tree.
pub fn between(conn: &mut Conn, first: u64, last: u64, head: &TreeHead) -> Result<Between> {
    let edge: Edge = store::edge(conn, first.saturating_sub(1))?;
    let entries = store::leaves(conn, first, last)?;
    let consistency = store::consistency(conn, last, Some(head.size))?;
    if consistency.to_root != head.root {
        return Err(internal(&"the stored tree is not the one that was signed"));
    }
    Ok(Between { edge: edge.nodes().to_vec(), entries, consistency: consistency.path })
}
