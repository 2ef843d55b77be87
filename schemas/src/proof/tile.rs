//! Tiles (C2SP tlog-tiles v1.0.0): the tree and its entries cut into files that never change, for monitors and witnesses.

use std::fmt;

use crate::json::MAX_INTEGER;
use tlog_tiles::{split_stored_hash_index, stored_hash_index};

/// Hashes of a full tile, and entries of a full bundle.
pub const WIDTH: u64 = 256;
/// Levels a tree of at most 2^53 - 1 leaves can have.
const LEVELS: u8 = 7;
/// Bytes of one hash.
pub const HASH: usize = 32;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Hashes of complete subtrees of 256^level leaves.
    Hashes(u8),
    /// Entries, each behind its length.
    Entries,
}

/// A tile: which, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Hashes or entries.
    pub content: Content,
    /// Place along its level, from 0.
    pub n: u64,
    /// How many, 1 to 256.
    pub width: u64,
}

impl Tile {
    /// Read the path behind `tile/`: `<L>/<N>[.p/<W>]` or `entries/<N>[.p/<W>]`. `None` for anything else, leading zeros and paths
    /// no tree has among it: one tile has one path.
    pub fn parse(path: &str) -> Option<Self> {
        let (first, rest) = path.split_once('/')?;
        let content = match first {
            "entries" => Content::Entries,
            _ => Content::Hashes(decimal(first).filter(|level| *level < u64::from(LEVELS))?.try_into().ok()?),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, decimal(width).filter(|w| (1..WIDTH).contains(w))?),
            None => (rest, WIDTH),
        };
        let tile = Self { content, n: number(index)?, width };
        (tile.end()? <= MAX_INTEGER && tile.path() == path).then_some(tile)
    }

    /// The path behind `tile/`.
    pub fn path(&self) -> String {
        let content = match self.content {
            Content::Hashes(level) => level.to_string(),
            Content::Entries => "entries".to_owned(),
        };
        let mut groups = vec![format!("{:03}", self.n % 1000)];
        let mut rest = self.n / 1000;
        while rest > 0 {
            groups.push(format!("x{:03}", rest % 1000));
            rest /= 1000;
        }
        groups.reverse();
        let part = if self.width == WIDTH { String::new() } else { format!(".p/{}", self.width) };
        format!("{content}/{}{part}", groups.join("/"))
    }

    /// Leaves below one item.
    fn span(&self) -> Option<u64> {
        match self.content {
            Content::Hashes(level) => WIDTH.checked_pow(u32::from(level)),
            Content::Entries => Some(1),
        }
    }

    /// The size a tree must have for the tile to be whole.
    pub fn end(&self) -> Option<u64> {
        self.n.checked_mul(WIDTH)?.checked_add(self.width)?.checked_mul(self.span()?)
    }

    /// Stored indexes of its hashes ([`crate::merkle`]); for entries, of their leaves.
    pub fn indexes(&self) -> Vec<u64> {
        let level = match self.content {
            Content::Hashes(level) => level * 8,
            Content::Entries => 0,
        };
        let first = self.n * WIDTH;
        (first..first + self.width).map(|n| stored_hash_index(level, n)).collect()
    }

    /// Tiles of hashes that are finished by a bundle of entries in a tree of this size, lowest level first: full ones, then, behind
    /// the last bundle, those that are not full.
    pub fn finished_by(bundle: u64, size: u64) -> Vec<Self> {
        let end = bundle.saturating_add(1).saturating_mul(WIDTH).min(size);
        let level = |level: u8| (Content::Hashes(level), WIDTH.pow(u32::from(level)));
        let full = (0..LEVELS).map(level).map_while(|(content, span)| {
            end.is_multiple_of(span * WIDTH).then(|| Self { content, n: end / (span * WIDTH) - 1, width: WIDTH })
        });
        let open = (0..LEVELS).map(level).filter(|_| end == size).filter_map(|(content, span)| {
            let count = size / span;
            (!count.is_multiple_of(WIDTH)).then_some(Self { content, n: count / WIDTH, width: count % WIDTH })
        });
        if end == 0 { Vec::new() } else { full.chain(open).collect() }
    }

    /// The tile that holds a stored hash of a tree of this size, and which of its hashes are below it.
    pub fn around(index: u64, size: u64) -> (Self, std::ops::Range<usize>) {
        let (level, n) = split_stored_hash_index(index);
        let (above, below) = (level / 8, level % 8);
        let first = n << below;
        let count = size >> (8 * above);
        let tile = Self {
            content: Content::Hashes(above),
            n: first / WIDTH,
            width: (count.saturating_sub(first / WIDTH * WIDTH)).min(WIDTH),
        };
        let start = usize::try_from(first % WIDTH).unwrap_or(0);
        (tile, start..start + (1 << below))
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}", self.path())
    }
}

/// Decimal digits without a leading zero.
fn decimal(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
    (plain && (text == "0" || !text.starts_with('0'))).then(|| text.parse().ok()).flatten()
}

/// Groups of three digits, all but the last behind an `x`.
fn number(text: &str) -> Option<u64> {
    let mut groups = text.split('/').rev();
    let digits =
        |group: &str| (group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit())).then(|| group.parse().ok())?;
    let mut n: u64 = digits(groups.next()?)?;
    let mut weight: u64 = 1000;
    for group in groups {
        n = digits(group.strip_prefix('x')?).map(|d: u64| d.checked_mul(weight))??.checked_add(n)?;
        weight = weight.checked_mul(1000)?;
    }
    Some(n)
}

/// A bundle of entries: each behind its length in two bytes, most significant first.
///
/// `None` for an entry longer than 65,535 bytes, which no bundle can hold.
pub fn bundle<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend(u16::try_from(entry.len()).ok()?.to_be_bytes());
        bytes.extend(entry);
    }
    Some(bytes)
}

/// The entries of a bundle; `None` where it is cut, or holds more than 256.
pub fn unbundle(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        bytes = rest;
        if entries.len() > 256 {
            return None;
        }
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let tile = Tile { content: Content::Hashes(0), n: 1_234_067, width: 256 };
        assert_eq!(tile.path(), "0/x001/x234/067");
        assert_eq!(Tile::parse("0/x001/x234/067"), Some(tile));
        let part = Tile { content: Content::Entries, n: 273, width: 112 };
        assert_eq!((part.path().as_str(), part.end()), ("entries/273.p/112", Some(70_000)));
        for bad in [
            "",
            "0",
            "0/",
            "0/0",
            "0/0000",
            "00/000",
            "7/000",
            "63/000",
            "0/x000/000",
            "0/x01/000",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/01",
            "entries/000.p/",
            "0/001/000",
            "data/000",
            "0/999/x999",
            "-1/000",
            "0/+12",
            "6/x999/999",
            "0/x999/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(Tile::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_hashes_below_a_node_stand_in_one_tile() {
        // Leaf 0; the pair above leaves 256 and 257; the node over the second 256 leaves; the one over the first 512.
        let hashes = |level, n, width| Tile { content: Content::Hashes(level), n, width };
        for (level, n, tile, range) in [
            (0, 0, hashes(0, 0, 256), 0..1),
            (1, 128, hashes(0, 1, 256), 0..2),
            (8, 1, hashes(1, 0, 2), 1..2),
            (9, 0, hashes(1, 0, 2), 0..2),
            (2, 129, hashes(0, 2, 88), 4..8),
        ] {
            assert_eq!(Tile::around(stored_hash_index(level, n), 600), (tile, range), "level {level}, node {n}");
        }
    }

    proptest! {
        #[test]
        fn any_path_is_read_back_or_refused(path in "(entries|[0-9]{1,2})/[x0-9/]{0,40}(\\.p/[0-9]{1,3})?") {
            if let Some(tile) = Tile::parse(&path) {
                prop_assert_eq!(tile.path(), path);
                prop_assert_eq!(tile.indexes().len() as u64, tile.width);
            }
        }

        #[test]
        fn every_tile_of_a_tree_has_a_path_and_fits(size in 1..3_000_000_u64, back in 0..3_u64) {
            let bundle = ((size - 1) / WIDTH).saturating_sub(back);
            for tile in Tile::finished_by(bundle, size) {
                prop_assert_eq!(Tile::parse(&tile.path()), Some(tile));
                prop_assert!(tile.end().is_some_and(|end| end <= size));
            }
        }

        #[test]
        fn any_bytes_are_a_bundle_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Some(entries) = unbundle(&bytes) {
                prop_assert_eq!(bundle(entries), Some(bytes));
            }
        }
    }
}
