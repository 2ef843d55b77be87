//! A ledger in one file: entries, their data, tiles, checkpoints and keys, in a tar that anybody opens, and that is checked without us.
//!
//! Every member has one place and one spelling, so that each byte of the file is either what it must be or a fault:
//!
//! 1. `README.txt`, `checkpoint`: the checkpoint of the whole;
//! 2. for each 256 entries: `tile/entries/<N>`, `data/<N>.ndjson`, then tiles of hashes that are full by them (at the end, those that
//!    are not), then `checkpoints/<size>` of the sizes among them that were signed;
//! 3. `keys.json`: name and keys, as the entries tell them.

use std::io;

use thiserror::Error;

use super::ring::KeyRing;

pub mod read;

/// What the file says of itself.
pub const README: &str = include_str!("export/README.txt");

/// Bytes that the data of one entry may have.
const MOST_DATA: usize = 64 << 20;

/// Path of the data of a bundle.
pub fn data_path(n: u64) -> String {
    let tile = super::tile::Tile { content: super::tile::Content::Entries, n, width: super::tile::WIDTH };
    format!("data/{}.ndjson", tile.path().trim_start_matches("entries/"))
}

/// Name and keys as they were when the ledger had this size, as `keys.json` has them.
pub fn keys_text(ring: &KeyRing, size: u64) -> String {
    let mut then = ring.clone();
    then.keys.retain(|known| known.introduced <= size);
    for known in &mut then.keys {
        known.retired = known.retired.filter(|retired| *retired <= size);
    }
    crate::json::canonical(&then).unwrap_or_default()
}

/// Why an export does not hold.
#[derive(Debug, Error)]
pub enum ExportFault {
    /// An entry is not what it should be: the first that is not.
    #[error("entry {0}: {1}")]
    Entry(u64, String),
    /// A member of the file is not what it should be.
    #[error("`{0}`: {1}")]
    Member(String, String),
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl ExportFault {
    fn member(name: &str, why: impl Into<String>) -> Self {
        Self::Member(name.to_owned(), why.into())
    }
}
