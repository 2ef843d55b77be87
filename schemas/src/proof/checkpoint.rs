//! Checkpoints (C2SP tlog-checkpoint v1.0.0): a ledger's size and root, signed.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use thiserror::Error;
use tlog_tiles::Checkpoint as Tlog;

use super::key::Vkey;
use super::note::{NoteFault, SignedNote, Signers};
use super::origin::Origin;
use crate::digest::Digest;
use crate::json::MAX_INTEGER;
use crate::ledger::TreeHead;
use crate::merkle::{self, ProofError};

/// What a checkpoint says: this ledger had this root at this size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which ledger.
    pub origin: Origin,
    /// Size and root of its tree.
    pub head: TreeHead,
}

/// Why a checkpoint is not to be relied on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CheckpointFault {
    /// It is no note, or its signatures do not hold.
    #[error(transparent)]
    Note(#[from] NoteFault),
    /// The note holds something else.
    #[error("it is not a checkpoint: origin, size and root hash, each on a line of its own")]
    Form,
    /// It is of another ledger.
    #[error("it is a checkpoint of `{found}`, not of `{wanted}`")]
    Origin {
        /// The ledger expected.
        wanted: Origin,
        /// The ledger named.
        found: Origin,
    },
    /// It contradicts the other one.
    #[error("the checkpoint of {new} entries contradicts that of {old}: {why}")]
    Contradiction {
        /// Size of the older.
        old: u64,
        /// Size of the newer.
        new: u64,
        /// How.
        why: String,
    },
}

impl Checkpoint {
    /// The three lines that are signed.
    pub fn text(&self) -> String {
        self.to_string()
    }

    /// Read the text of a note. Extension lines are refused: this ledger writes none, and nobody would look at them.
    ///
    /// # Errors
    /// Anything but origin, size and root in the one spelling there is.
    pub fn parse(text: &str) -> Result<Self, CheckpointFault> {
        let read = Tlog::from_bytes(text.as_bytes()).map_err(|_| CheckpointFault::Form)?;
        let origin = read.origin().parse().map_err(|_| CheckpointFault::Form)?;
        let head = TreeHead { size: read.size(), root: Digest::from_bytes(read.hash().0) };
        let checkpoint = Self { origin, head };
        let sound = head.size <= MAX_INTEGER && checkpoint.text() == text;
        if sound { Ok(checkpoint) } else { Err(CheckpointFault::Form) }
    }

    /// That this one continues an older one, by a proof (RFC 9162 section 2.1.4.2).
    ///
    /// # Errors
    /// Another ledger, a smaller size, another root at the same size, or a proof that does not lead from the one to the other.
    pub fn continues(&self, older: &Self, proof: &[Digest]) -> Result<(), CheckpointFault> {
        if self.origin != older.origin {
            return Err(CheckpointFault::Origin { wanted: older.origin.clone(), found: self.origin.clone() });
        }
        let contradiction =
            |why: String| Err(CheckpointFault::Contradiction { old: older.head.size, new: self.head.size, why });
        if self.head.size < older.head.size {
            return contradiction("entries are gone".to_owned());
        }
        if self.head.size == older.head.size && self.head.root != older.head.root {
            return contradiction("one size has two roots".to_owned());
        }
        // Every ledger begins with the empty one: nothing to prove, but its root.
        if older.head.size == 0 {
            return if older.head.root == merkle::empty_root() {
                Ok(())
            } else {
                contradiction("the empty ledger has another root".to_owned())
            };
        }
        let proved =
            merkle::verify_consistency(older.head.size, &older.head.root, self.head.size, &self.head.root, proof);
        proved.or_else(|e: ProofError| contradiction(e.to_string()))
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = BASE64_STANDARD.encode(self.head.root.as_bytes());
        writeln!(f, "{}\n{}\n{root}", self.origin, self.head.size)
    }
}

/// A checkpoint with its note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The note, with its signatures.
    pub note: SignedNote,
}

impl SignedCheckpoint {
    /// Read a signed checkpoint. Nothing is verified by that.
    ///
    /// # Errors
    /// No note, or one of something else.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointFault> {
        let note = SignedNote::parse(bytes)?;
        Ok(Self { checkpoint: Checkpoint::parse(note.text())?, note })
    }

    /// Which of the known keys signed it.
    ///
    /// # Errors
    /// As [`SignedNote::verify`].
    pub fn verify<'a>(&self, known: impl IntoIterator<Item = &'a Vkey>) -> Result<Signers<'a>, NoteFault> {
        self.note.verify(known)
    }
}
