//! The ledger's Merkle tree (RFC 9162 §2.1 = RFC 6962 §2.1, SHA-256): growing it, proving from stored hashes, and
//! verifying what someone else proved.
//!
//! Finished nodes are stored under one number each, `tlog_tiles::stored_hash_index(level, n)`, which is also the order
//! they are finished in. Proofs come from `tlog_tiles`; verification is our own, because it reads foreign input.

use std::cell::RefCell;

use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tlog_tiles::{Error as TlogError, Hash, HashReader, stored_hash_index};

use crate::digest::Digest;

/// Leaves in a tree, at most (2^53 - 1, what a JSON number carries): above it, stored indexes would overflow.
pub const MAX_SIZE: u64 = crate::json::MAX_INTEGER;

/// The hash of an entry as a leaf: `SHA-256(0x00 ‖ entry)`, RFC 9162 §2.1.1.
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::new_with_prefix([0]).chain_update(entry).finalize().into())
}

/// The hash of an inner node: `SHA-256(0x01 ‖ left ‖ right)`, RFC 9162 §2.1.1.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let hasher = Sha256::new_with_prefix([1]).chain_update(left.as_bytes()).chain_update(right.as_bytes());
    Digest::from_bytes(hasher.finalize().into())
}

/// The root of the tree without entries: `SHA-256("")`, RFC 9162 §2.1.1.
pub fn empty_root() -> Digest {
    Digest::of(b"")
}

/// The right edge of a tree: one hash per set bit of its size, enough to append to it and to know its root.
///
/// `Clone`, because a group of writes keeps the edge of before and puts it back when its commit fails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    // INVARIANT: one root per set bit of `size`, of complete subtrees, largest (leftmost) first.
    nodes: Vec<Digest>,
}

impl Edge {
    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root hash of the tree, RFC 9162 §2.1.1.
    pub fn root(&self) -> Digest {
        self.nodes.iter().rev().copied().reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
    }

    /// An edge by its parts: a hash for each set bit of the size, largest first. None where they are not as many, or the size is
    /// beyond [`MAX_SIZE`]. Whether they are the right ones shows in the root.
    pub fn of(size: u64, nodes: Vec<Digest>) -> Option<Self> {
        let fits = size <= MAX_SIZE && usize::try_from(size.count_ones()).ok() == Some(nodes.len());
        fits.then_some(Self { size, nodes })
    }

    /// Its hashes: one for each set bit of the size, largest first.
    pub fn nodes(&self) -> &[Digest] {
        &self.nodes
    }

    /// Appends a leaf (a [`leaf_hash`]). `store` sees each node finished by it once, under its stored index; the
    /// indexes of a whole tree are 0, 1, 2, … in the order of the calls.
    pub fn push(&mut self, leaf: Digest, mut store: impl FnMut(u64, &Digest)) {
        let (mut hash, mut level, mut n) = (leaf, 0, self.size);
        store(stored_hash_index(level, n), &hash);
        while n & 1 == 1
            && let Some(left) = self.nodes.pop()
        {
            hash = node_hash(&left, &hash);
            level += 1;
            n >>= 1;
            store(stored_hash_index(level, n), &hash);
        }
        self.nodes.push(hash);
        self.size += 1;
    }

    /// The edge of a stored tree, from at most 53 reads by stored index; none when a hash is missing or the size is
    /// beyond [`MAX_SIZE`]. Whether the root is the right one is for the caller to compare.
    pub fn restore(size: u64, mut read: impl FnMut(u64) -> Option<Digest>) -> Option<Self> {
        if size > MAX_SIZE {
            return None;
        }
        let bits = (0..53_u8).rev().filter(|level| size >> level & 1 == 1);
        // Left of the complete subtree of a set bit stand the leaves of all higher bits.
        let nodes = bits.map(|level| read(stored_hash_index(level, (size >> level) - 1))).collect::<Option<_>>()?;
        Some(Self { size, nodes })
    }
}

/// Why a proof could not be made; `E` is the reader's own error.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProveError<E> {
    /// The leaf or the tree asked for is not in the tree.
    #[error("{0}")]
    NoSuch(String),
    /// The reader failed.
    #[error("{0}")]
    Read(E),
    /// The reader gave another number of hashes than it was asked for.
    #[error("the stored hashes are incomplete: asked for {wanted}, got {got}")]
    Incomplete {
        /// How many stored indexes were asked for.
        wanted: usize,
        /// How many hashes came back.
        got: usize,
    },
}

/// The inclusion proof (RFC 9162 §2.1.3.1) of leaf `index`, from 0, in the tree of the first `size` leaves.
/// `read` is called at most once, with a batch of stored indexes, and answers in their order.
///
/// # Errors
/// `index` not below `size`, `size` beyond [`MAX_SIZE`], or what the reader says.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    read: impl FnMut(&[u64]) -> Result<Vec<Digest>, E>,
) -> Result<Vec<Digest>, ProveError<E>> {
    if index >= size || size > MAX_SIZE {
        return Err(ProveError::NoSuch(format!("no entry `{index}` in a tree of `{size}`")));
    }
    prove(read, |reader| tlog_tiles::prove_record(size, index, reader))
}

/// The consistency proof (RFC 9162 §2.1.4.1) from the tree of the first `old` leaves to that of the first `new`; empty
/// when they are the same. `read` as for [`inclusion_proof`].
///
/// # Errors
/// `old` zero (nothing to prove) or above `new`, `new` beyond [`MAX_SIZE`], or what the reader says.
pub fn consistency_proof<E>(
    old: u64,
    new: u64,
    read: impl FnMut(&[u64]) -> Result<Vec<Digest>, E>,
) -> Result<Vec<Digest>, ProveError<E>> {
    if old == 0 || old > new || new > MAX_SIZE {
        return Err(ProveError::NoSuch(format!("no consistency proof from size `{old}` to size `{new}`")));
    }
    prove(read, |reader| tlog_tiles::prove_tree(new, old, reader))
}

/// `tlog_tiles` reads through `&self`, has its own error type, and asserts on the number of hashes: all three end here.
struct Batch<F, E> {
    read: RefCell<F>,
    fault: RefCell<Option<ProveError<E>>>,
}

impl<E, F: FnMut(&[u64]) -> Result<Vec<Digest>, E>> HashReader for Batch<F, E> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, TlogError> {
        let fault = match (self.read.borrow_mut())(indexes) {
            Ok(hashes) if hashes.len() == indexes.len() => {
                return Ok(hashes.iter().map(|hash| Hash(*hash.as_bytes())).collect());
            }
            Ok(hashes) => ProveError::Incomplete { wanted: indexes.len(), got: hashes.len() },
            Err(e) => ProveError::Read(e),
        };
        self.fault.replace(Some(fault));
        Err(TlogError::IndexesNotInTree)
    }
}

fn prove<E, F: FnMut(&[u64]) -> Result<Vec<Digest>, E>>(
    read: F,
    proof: impl FnOnce(&Batch<F, E>) -> Result<Vec<Hash>, TlogError>,
) -> Result<Vec<Digest>, ProveError<E>> {
    let batch = Batch { read: RefCell::new(read), fault: RefCell::new(None) };
    let made = proof(&batch);
    let fault = batch.fault.into_inner();
    made.map(|hashes| hashes.into_iter().map(|hash| Digest::from_bytes(hash.0)).collect())
        .map_err(|e| fault.unwrap_or_else(|| ProveError::NoSuch(e.to_string())))
}

/// Why a proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProofError {
    /// The leaf cannot be in a tree of that size.
    #[error("no entry `{index}` in a tree of `{size}`")]
    NoSuchLeaf {
        /// The leaf's index, from 0.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// Trees only grow, and from the empty tree there is nothing to prove.
    #[error("no consistency proof from size `{old}` to size `{new}`")]
    NoSuchSizes {
        /// The older size.
        old: u64,
        /// The newer size.
        new: u64,
    },
    /// The proof has another number of hashes than these sizes need.
    #[error("the proof has the wrong number of hashes, {0}")]
    Length(usize),
    /// The proof leads to another root than the one given.
    #[error("the proof leads to another root")]
    Root,
    /// A consistency proof leads to another old root than the one given.
    #[error("the proof leads to another old root")]
    OldRoot,
}

/// Verifies that `leaf` (a [`leaf_hash`]) stands at `index` in the tree of `size` leaves with `root`.
/// RFC 9162 §2.1.3.2. Takes any input.
///
/// # Errors
/// The proof does not hold.
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::NoSuchLeaf { index, size });
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length(proof.len()));
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            climb(&mut node, &mut last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length(proof.len()));
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Verifies that the tree of `new_size` leaves with `new_root` begins with the one of `old_size` leaves and `old_root`.
/// RFC 9162 §2.1.4.2. Takes any input. An old size of 0 is refused: every tree begins with the empty one, so that such
/// a "proof" says nothing about `new_root`.
///
/// # Errors
/// The proof does not hold.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Digest,
    new_size: u64,
    new_root: &Digest,
    proof: &[Digest],
) -> Result<(), ProofError> {
    if old_size == 0 || old_size > new_size {
        return Err(ProofError::NoSuchSizes { old: old_size, new: new_size });
    }
    let wrong_length = Err(ProofError::Length(proof.len()));
    if old_size == new_size {
        return match proof {
            [] if old_root == new_root => Ok(()),
            [] => Err(ProofError::Root),
            _ => wrong_length,
        };
    }
    // A complete old tree is itself the first node, and is not sent.
    let (first, rest) = match proof {
        [] => return wrong_length,
        rest if old_size.is_power_of_two() => (*old_root, rest),
        [first, rest @ ..] => (*first, rest),
    };
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old, mut new) = (first, first);
    for sibling in rest {
        if last == 0 {
            return wrong_length;
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            climb(&mut node, &mut last);
        } else {
            new = node_hash(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return wrong_length;
    }
    if old != *old_root {
        return Err(ProofError::OldRoot);
    }
    if new == *new_root { Ok(()) } else { Err(ProofError::Root) }
}

/// Past the levels where the node has no right sibling: RFC 9162 §2.1.3.2 step 4.2.2.
fn climb(node: &mut u64, last: &mut u64) {
    while *node & 1 == 0 && *node != 0 {
        *node >>= 1;
        *last >>= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree(size: u64) -> (Edge, Vec<Digest>) {
        let (mut edge, mut stored) = (Edge::default(), Vec::new());
        for n in 0..size {
            edge.push(leaf_hash(&n.to_be_bytes()), |index, hash| {
                assert_eq!(index, stored.len() as u64, "stored indexes are dense and in order");
                stored.push(*hash);
            });
        }
        (edge, stored)
    }

    fn reader(stored: &[Digest]) -> impl Fn(&[u64]) -> Result<Vec<Digest>, String> + '_ {
        let get = |i: &u64| usize::try_from(*i).ok().and_then(|i| stored.get(i)).copied();
        move |indexes| indexes.iter().map(|i| get(i).ok_or_else(|| format!("no hash {i}"))).collect()
    }

    #[test]
    fn every_proof_in_small_trees_holds_and_only_for_its_leaf() {
        for size in 1..=20 {
            let (edge, stored) = tree(size);
            let root = edge.root();
            for index in 0..size {
                let leaf = leaf_hash(&index.to_be_bytes());
                let proof = inclusion_proof(index, size, reader(&stored)).unwrap();
                assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root), Ok(()));
                assert_ne!(verify_inclusion(&leaf_hash(b"x"), index, size, &proof, &root), Ok(()));
                assert!((0..=size).all(|i| i == index || verify_inclusion(&leaf, i, size, &proof, &root).is_err()));
            }
            for old in 1..=size {
                let old_root = tree(old).0.root();
                let proof = consistency_proof(old, size, reader(&stored)).unwrap();
                assert_eq!(verify_consistency(old, &old_root, size, &root, &proof), Ok(()));
                if old < size {
                    // A complete old tree begins the proof, so that another old root leads to another new one.
                    let expected = if old.is_power_of_two() { ProofError::Root } else { ProofError::OldRoot };
                    let forged = verify_consistency(old, &leaf_hash(b"x"), size, &root, &proof);
                    assert_eq!(forged, Err(expected));
                }
                assert!(verify_consistency(old, &old_root, size, &leaf_hash(b"x"), &proof).is_err());
            }
        }
    }

    #[test]
    fn what_cannot_be_proved_is_refused() {
        let (edge, stored) = tree(5);
        let root = edge.root();
        for (index, size) in [(0, 0), (5, 5), (u64::MAX, 5), (0, u64::MAX), (MAX_SIZE, MAX_SIZE + 1)] {
            assert!(matches!(inclusion_proof(index, size, reader(&stored)), Err(ProveError::NoSuch(_))));
        }
        for (old, new) in [(0, 5), (0, 0), (6, 5), (1, u64::MAX)] {
            assert!(matches!(consistency_proof(old, new, reader(&stored)), Err(ProveError::NoSuch(_))));
        }
        assert!(
            matches!(inclusion_proof(0, 99, reader(&stored)), Err(ProveError::Read(e)) if e.starts_with("no hash "))
        );
        assert!(inclusion_proof(0, MAX_SIZE, reader(&stored)).is_err());
        let short = |_: &[u64]| Ok::<_, String>(vec![]);
        assert_eq!(inclusion_proof(0, 5, short), Err(ProveError::Incomplete { wanted: 3, got: 0 }));
        // With true roots, not only with malformed ones: the refusal must be of the size.
        let refused = Err(ProofError::NoSuchSizes { old: 0, new: 5 });
        assert_eq!(verify_consistency(0, &empty_root(), 5, &root, &[]), refused);
        assert_eq!(verify_consistency(5, &root, 5, &root, &[]), Ok(()));
        assert_eq!(verify_consistency(5, &root, 5, &root, &[root]), Err(ProofError::Length(1)));
        assert_eq!(verify_consistency(5, &empty_root(), 5, &root, &[]), Err(ProofError::Root));
    }

    #[test]
    fn a_proof_longer_than_the_tree_is_high_is_refused_whatever_it_leads_to() {
        let (one, two, three) = (leaf_hash(b"1"), leaf_hash(b"2"), leaf_hash(b"3"));
        let (pair, above) = (node_hash(&one, &two), node_hash(&three, &node_hash(&one, &two)));
        assert_eq!(verify_inclusion(&one, 0, 1, &[two], &node_hash(&two, &one)), Err(ProofError::Length(1)));
        assert_eq!(verify_inclusion(&one, 0, 2, &[two, three], &above), Err(ProofError::Length(2)));
        assert_eq!(verify_consistency(1, &one, 2, &pair, &[two]), Ok(()));
        assert_eq!(verify_consistency(1, &one, 2, &above, &[two, three]), Err(ProofError::Length(2)));
    }

    #[test]
    fn an_edge_is_restored_from_what_it_stored() {
        let (edge, stored) = tree(300);
        for size in 0..=300 {
            let restored = Edge::restore(size, |i| stored.get(usize::try_from(i).unwrap()).copied()).unwrap();
            assert_eq!(restored, tree(size).0);
        }
        assert_eq!(Edge::restore(300, |_| None), None);
        assert_eq!(Edge::restore(u64::MAX, |_| Some(empty_root())), None);
        assert_eq!(Edge::restore(MAX_SIZE, |_| Some(edge.root())).unwrap().size(), MAX_SIZE);
    }

    proptest! {
        #[test]
        fn foreign_proofs_never_panic_or_pass(
            index: u64, size: u64, hashes in prop::collection::vec(any::<[u8; 32]>(), 0..70), small in 0..9_u64,
        ) {
            let proof: Vec<_> = hashes.into_iter().map(Digest::from_bytes).collect();
            let (leaf, root) = (leaf_hash(b"a"), leaf_hash(b"b"));
            for (a, b) in [(index, size), (small, size), (small, index & 15), (size - (size & 1), size)] {
                prop_assert!(verify_inclusion(&leaf, a, b, &proof, &root).is_err());
                prop_assert!(verify_consistency(a, &leaf, b, &root, &proof).is_err());
            }
        }
    }
}
