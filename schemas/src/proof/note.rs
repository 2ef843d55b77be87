//! Signed notes (C2SP signed-note v1.0.0): a text, and who signed it.

use std::str::FromStr;

use thiserror::Error;

use super::key::{SIGNATURE, Vkey, short};
use crate::text::quoted;

/// Bytes a note may have: a checkpoint with many witnesses has a few thousand.
pub const MOST: usize = 64 * 1024;

/// A signature line of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// Id of the key: a hint.
    pub id: u32,
    /// The signature, 64 bytes where it is one of Ed25519.
    pub signature: Vec<u8>,
}

/// A note with its signatures, none of them verified by being here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// Why bytes are not a note, or a note is not to be relied on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoteFault {
    /// The form is broken.
    #[error("it is not a signed note: a text, an empty line, and signature lines that begin with `— `")]
    Form,
    /// A known key did not make the signature that bears its name.
    #[error("the signature of {0} does not fit the text")]
    Signature(String),
    /// A key signed twice.
    #[error("{0} signed twice")]
    Twice(String),
    /// None of the keys signed it.
    #[error("none of the known keys signed it, only {0}")]
    Unknown(String),
}

impl SignedNote {
    /// A note that nobody signed yet: it has no form of its own until somebody does.
    ///
    /// # Errors
    /// Text that does not end with a newline, holds control characters, or is too long.
    pub fn unsigned(text: &str) -> Result<Self, NoteFault> {
        // A blank line at its end would be taken for the one before the signatures.
        let sound =
            text.len() <= MOST && signed_note::Note::new(text.as_bytes(), &[]).is_ok() && !text.ends_with("\n\n");
        if sound { Ok(Self { text: text.to_owned(), signatures: Vec::new() }) } else { Err(NoteFault::Form) }
    }

    /// Read a note. One spelling only: what is read is written again byte by byte.
    ///
    /// # Errors
    /// Not a note, or longer than [`MOST`] bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteFault> {
        if bytes.len() > MOST {
            return Err(NoteFault::Form);
        }
        let note = signed_note::Note::from_bytes(bytes).map_err(|_| NoteFault::Form)?;
        let text = std::str::from_utf8(note.text()).map_err(|_| NoteFault::Form)?.to_owned();
        // The crate checked all lines, and keeps them to itself.
        let lines = bytes.get(text.len() + 1..).ok_or(NoteFault::Form)?;
        let mut signatures = Vec::new();
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let read = signed_note::Signature::from_bytes(line).map_err(|_| NoteFault::Form)?;
            signatures.push(NoteSignature {
                name: read.name().to_owned(),
                id: read.id(),
                signature: read.signature().to_vec(),
            });
        }
        let read = Self { text, signatures };
        if read.to_string().as_bytes() == bytes { Ok(read) } else { Err(NoteFault::Form) }
    }

    /// The text that is signed, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Add a key's signature of the text, in place of an earlier one.
    ///
    /// # Errors
    /// The signature is not that key's: what is wrong must not be handed out.
    pub fn signed(mut self, by: &Vkey, signature: &[u8; SIGNATURE]) -> Result<Self, NoteFault> {
        if !by.key().signed(self.text.as_bytes(), signature) {
            return Err(NoteFault::Signature(short(by)));
        }
        let (name, id) = (by.name().as_str(), by.id());
        self.signatures.retain(|line| (line.name.as_str(), line.id) != (name, id));
        self.signatures.push(NoteSignature { name: name.to_owned(), id, signature: signature.to_vec() });
        Ok(self)
    }

    /// Which of the known keys signed it; and the names of those nobody knows, such as witnesses. A known key that did not make
    /// the signature under its name spoils the note, whoever else signed.
    ///
    /// # Errors
    /// A known key's signature does not fit, a key signed twice, or no known key signed.
    pub fn verify<'a>(&self, known: impl IntoIterator<Item = &'a Vkey>) -> Result<Signers<'a>, NoteFault> {
        let known: Vec<&Vkey> = known.into_iter().collect();
        let mut signers = Signers { known: Vec::new(), unknown: Vec::new() };
        for line in &self.signatures {
            let of_line = |key: &&Vkey| key.name().as_str() == line.name && key.id() == line.id;
            let named: Vec<&Vkey> = known.iter().copied().filter(of_line).collect();
            let words = quoted(&format!("{}+{:08x}", line.name, line.id));
            match named.iter().find(|key| key.key().signed(self.text.as_bytes(), &line.signature)) {
                Some(key) if signers.known.contains(key) => return Err(NoteFault::Twice(words)),
                Some(key) => signers.known.push(key),
                None if !named.is_empty() => return Err(NoteFault::Signature(words)),
                None => signers.unknown.push(words),
            }
        }
        if signers.known.is_empty() { Err(NoteFault::Unknown(signers.unknown.join(", "))) } else { Ok(signers) }
    }
}

/// Who signed a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signers<'a> {
    /// Known keys whose signature fits.
    pub known: Vec<&'a Vkey>,
    /// Names and ids of others, whose signatures nobody can judge.
    pub unknown: Vec<String>,
}

impl std::fmt::Display for SignedNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        for line in &self.signatures {
            // The name was checked where it was read, or is an origin.
            let written = signed_note::Signature::new(line.name.clone(), line.id, line.signature.clone());
            let bytes = written.map_err(|_| std::fmt::Error)?.to_bytes();
            f.write_str(std::str::from_utf8(&bytes).map_err(|_| std::fmt::Error)?)?;
        }
        Ok(())
    }
}

impl FromStr for SignedNote {
    type Err = NoteFault;

    fn from_str(text: &str) -> Result<Self, NoteFault> {
        Self::parse(text.as_bytes())
    }
}
