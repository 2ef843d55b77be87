//! What every file of a registry that leaves it is asked first: whether a key somebody trusts signed it, and the tree that holds what it
//! rests on. Signatures come first, and nothing that nobody trusted signed is read further.

use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::checkpoint::SignedCheckpoint;
use super::key::{PublicKey, Vkey};
use super::origin::Origin;
use super::receipt::Sealed;
use super::statement::{PAYLOAD, Statement};
use crate::digest::Digest;
use crate::json;
use crate::ledger::{Entry, InclusionProof, TreeHead};
use crate::merkle::{leaf_hash, verify_inclusion};

/// A key somebody trusts: under the name of its ledger, or bare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trusted {
    /// Signs for this ledger only.
    Named(Vkey),
    /// Signs under whatever name.
    Bare(PublicKey),
}

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "expected the key of a ledger, as `licit ledger keys` writes it, or an Ed25519 public key in PEM or 32 bytes of base64"
)]
pub struct TrustedFault;

impl FromStr for Trusted {
    type Err = TrustedFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let named = text.parse().map(Self::Named);
        named.or_else(|_| text.parse().map(Self::Bare)).map_err(|_| TrustedFault)
    }
}

impl Trusted {
    /// The key itself.
    pub fn public(&self) -> PublicKey {
        match self {
            Self::Named(vkey) => *vkey.key(),
            Self::Bare(key) => *key,
        }
    }

    /// The key under the name of a ledger, where it is trusted for that.
    pub fn of(&self, origin: &Origin) -> Option<Vkey> {
        match self {
            Self::Named(vkey) => (vkey.name() == origin).then(|| vkey.clone()),
            Self::Bare(key) => Some(key.named(origin)),
        }
    }
}

/// What one question found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It is sound, and not for this: another moment, deployment or file.
    NotValid,
    /// Signature, proof or form do not hold.
    Broken,
}

/// One question, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which, in a word.
    pub check: &'static str,
    /// What was found.
    pub outcome: Outcome,
    /// In words.
    pub says: String,
}

/// What was found of a file that somebody signed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verified<S = Statement> {
    /// Every question, in order. After one that is broken, none is asked that would rest on it.
    pub checks: Vec<Check>,
    /// What it says, where a trusted key signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<S>,
}

impl<S> Default for Verified<S> {
    fn default() -> Self {
        Self { checks: Vec::new(), statement: None }
    }
}

impl<S> Verified<S> {
    /// The worst that was found; broken where nothing was asked.
    pub fn outcome(&self) -> Outcome {
        self.checks.iter().map(|check| check.outcome).max().unwrap_or(Outcome::Broken)
    }

    pub(super) fn say(&mut self, check: &'static str, found: Result<String, String>, worst: Outcome) -> bool {
        let (outcome, says) = match found {
            Ok(says) => (Outcome::Holds, says),
            Err(says) => (worst, says),
        };
        self.checks.push(Check { check, outcome, says });
        outcome == Outcome::Holds
    }
}

/// Read a file of this form, nothing of it verified.
///
/// # Errors
/// It is none, in words.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8], (form, most): (&str, usize), what: &str) -> Result<T, String> {
    if bytes.len() > most {
        return Err(format!("it is no {what}: it has more than {most} bytes"));
    }
    let value = json::parse(bytes).map_err(|e| format!("it is no {what}: {e}"))?;
    if value.get("form").and_then(serde_json::Value::as_str) != Some(form) {
        return Err(format!("it is no {what} of the form `{form}`"));
    }
    serde_json::from_value(value).map_err(|e| format!("it is no {what}: {e}"))
}

/// The form that a file says it has, nothing of it verified.
pub fn form(bytes: &[u8]) -> Option<String> {
    json::parse(bytes).ok()?.get("form")?.as_str().map(str::to_owned)
}

/// The statement of an envelope, once a trusted key signed it; with the checkpoint beside it, which says of what ledger it is.
///
/// # Errors
/// Nobody trusted signed it, or it cannot be read.
pub(super) fn open<P: DeserializeOwned>(
    envelope: &Sealed,
    checkpoint: &str,
    keys: &[Trusted],
) -> Result<Statement<P>, String> {
    let envelope = envelope.open().map_err(|e| e.to_string())?;
    // A key that is trusted for one ledger says nothing of another: who signs the checkpoint's may sign the statement.
    let signed = SignedCheckpoint::parse(checkpoint.as_bytes()).map_err(|e| e.to_string())?;
    let trusted: Vec<PublicKey> =
        keys.iter().filter(|key| key.of(&signed.checkpoint.origin).is_some()).map(Trusted::public).collect();
    let payload = envelope.verify(&trusted, 1, &[PAYLOAD]).map_err(|e| e.to_string())?;
    // Who reads it otherwise than it was signed reads another statement.
    let value = json::parse(payload).map_err(|e| format!("its statement cannot be read: {e}"))?;
    serde_json::from_value(value).map_err(|e| format!("its statement cannot be read: {e}"))
}

/// The tree that was signed, of the ledger of this registry, `https://` and its name; and what to say of it.
///
/// # Errors
/// Nobody trusted signed it, or it is of another ledger.
pub(super) fn checkpoint(note: &str, registry: &str, keys: &[Trusted]) -> Result<(TreeHead, String), String> {
    let signed = SignedCheckpoint::parse(note.as_bytes()).map_err(|e| e.to_string())?;
    let origin = &signed.checkpoint.origin;
    if registry != format!("https://{origin}") {
        return Err(format!("`{registry}` judged, and the checkpoint is of `{origin}`"));
    }
    let known: Vec<Vkey> = keys.iter().filter_map(|key| key.of(origin)).collect();
    signed.verify(known.iter()).map_err(|e| e.to_string())?;
    let head = signed.checkpoint.head;
    Ok((head, format!("a key you trust signed the ledger `{origin}` at {} entries", head.size)))
}

/// That an entry is in the tree that was signed. What the file says of root and leaf is not believed.
///
/// # Errors
/// It is not, in words.
pub(super) fn included(entry: &Entry, proof: &InclusionProof, head: &TreeHead) -> Result<String, String> {
    let leaf = json::canonical(entry).map_err(|e| e.to_string())?;
    let index = entry.seq.checked_sub(1).ok_or("its entry has no position")?;
    if (proof.seq, proof.size) != (entry.seq, head.size) {
        return Err(format!("the proof of entry {} is of another entry, or of another tree", entry.seq));
    }
    verify_inclusion(&leaf_hash(leaf.as_bytes()), index, head.size, &proof.path, &head.root)
        .map_err(|e| format!("entry {}: {e}", entry.seq))?;
    Ok(format!("entry {} is in that ledger", entry.seq))
}

/// That an entry commits to these data, which are returned as they were hashed.
///
/// # Errors
/// It commits to others.
pub(super) fn committed(entry: &Entry, data: &serde_json::Value) -> Result<String, String> {
    let text = json::canonical(data).map_err(|e| e.to_string())?;
    match Digest::of(text.as_bytes()) == entry.data {
        true => Ok(text),
        false => Err(format!("the data of entry {} are not those it commits to", entry.seq)),
    }
}
