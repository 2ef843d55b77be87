//! Pseudonyms of people, made here: identifiers are read, spelled one way, hashed under a key, and forgotten. What is sent, printed
//! and reported is never an identifier.

pub(crate) mod column;
pub(crate) mod file;
pub(crate) mod hashing;
pub(crate) mod key;
pub(crate) mod load;
pub(crate) mod normalise;
#[cfg(feature = "parquet")]
mod parquet;

/// A value that makes no pseudonym: where it stands and why, never what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Line of the file, from 1; of Parquet, the row.
    pub(crate) line: u64,
    /// Why.
    pub(crate) why: &'static str,
}
