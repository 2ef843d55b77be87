//! The tiles of a tree, made from its leaves one by one: memory for one tile a level.

use super::tile::{Content, Tile, WIDTH};
use crate::digest::Digest;
use crate::merkle::node_hash;

/// One level under construction.
#[derive(Clone, Debug, Default)]
struct Level {
    n: u64,
    hashes: Vec<Digest>,
}

/// Tiles under construction, level by level.
#[derive(Clone, Debug, Default)]
pub struct Levels(Vec<Level>);

impl Levels {
    /// Append a leaf hash. Tiles that are full by it are given away, lowest level first.
    pub fn push(&mut self, leaf: Digest) -> Vec<(Tile, Vec<u8>)> {
        let (mut full, mut hash, mut at) = (Vec::new(), leaf, 0u8);
        loop {
            if self.0.len() == usize::from(at) {
                self.0.push(Level::default());
            }
            let Some(level) = self.0.get_mut(usize::from(at)) else { return full };
            level.hashes.push(hash);
            if (level.hashes.len() as u64) < WIDTH {
                return full;
            }
            let hashes = std::mem::take(&mut level.hashes);
            full.push((Tile { content: Content::Hashes(at), n: level.n, width: WIDTH }, bytes(&hashes)));
            level.n += 1;
            hash = root(hashes);
            at += 1;
        }
    }

    /// Tiles that are not full, lowest level first.
    pub fn partial(&self) -> Vec<(Tile, Vec<u8>)> {
        let open = self.0.iter().zip(0u8..).filter(|(level, _)| !level.hashes.is_empty());
        open.map(|(level, at)| {
            let tile = Tile { content: Content::Hashes(at), n: level.n, width: level.hashes.len() as u64 };
            (tile, bytes(&level.hashes))
        })
        .collect()
    }
}

fn bytes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// The root over complete, evenly many hashes.
fn root(mut hashes: Vec<Digest>) -> Digest {
    while hashes.len() > 1 {
        hashes = hashes.chunks(2).map(|pair| node_hash(&pair[0], pair.get(1).unwrap_or(&pair[0]))).collect();
    }
    hashes.pop().unwrap_or_else(crate::merkle::empty_root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{Edge, leaf_hash};

    /// The example of C2SP tlog-tiles: a tree of 70,000 leaves.
    #[test]
    fn tiles_hold_the_nodes_that_are_stored_and_come_in_their_order() {
        let (mut edge, mut stored, mut levels, mut found) =
            (Edge::default(), Vec::new(), Levels::default(), Vec::new());
        let size = 70_000u64;
        for n in 0..size {
            let leaf = leaf_hash(&n.to_be_bytes());
            edge.push(leaf, |_, hash| stored.push(*hash));
            found.extend(levels.push(leaf));
        }
        found.extend(levels.partial());
        for (tile, bytes) in &found {
            let wanted: Vec<u8> =
                tile.indexes().iter().flat_map(|i| *stored[usize::try_from(*i).unwrap()].as_bytes()).collect();
            assert_eq!(*bytes, wanted, "{tile}");
        }
        let tiles: Vec<Tile> = found.iter().map(|(tile, _)| *tile).collect();
        let wanted: Vec<Tile> = (0..size.div_ceil(WIDTH)).flat_map(|bundle| Tile::finished_by(bundle, size)).collect();
        assert_eq!(tiles, wanted);
        let of =
            |level| tiles.iter().filter(|t| t.content == Content::Hashes(level)).map(|t| t.width).collect::<Vec<_>>();
        assert_eq!((of(0).len(), of(0).last(), of(1), of(2), of(3)), (274, Some(&112), vec![256, 17], vec![1], vec![]));
    }
}
