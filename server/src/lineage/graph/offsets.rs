//! Edges of one direction: compressed offsets that never change, and the edges since in persistent maps.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use imbl::shared_ptr::DefaultSharedPtr;
use imbl::{GenericHashMap, Vector};

use super::super::pages::Pages;
use super::types::{Half, half};

/// One edge as this direction keeps it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// The end under which it is kept.
    pub(super) at: u32,
    /// The other end.
    pub(super) other: u32,
    /// Kind, role and origin, packed.
    pub(super) label: u8,
    /// The sequence of its fact.
    pub(super) seq: u64,
}

/// Offsets and, per edge, parallel arrays: a walk reads only those it needs.
#[derive(Debug, Default)]
struct Base {
    /// Where the edges of each node begin, and one more.
    off: Vec<u32>,
    to: Vec<u32>,
    label: Vec<u8>,
    /// The lower half of each sequence.
    seq: Vec<u32>,
    /// The upper half; empty while every sequence is below 2^32.
    seq_high: Vec<u32>,
}

impl Base {
    /// Where the edges of a node stand; nothing for nodes younger than the base.
    #[inline]
    fn range(&self, node: usize) -> (usize, usize) {
        match self.off.get(node..).and_then(<[u32]>::first_chunk::<2>) {
            Some(&[start, end]) => (start as usize, end as usize),
            None => (0, 0),
        }
    }

    #[inline]
    fn halves(&self, node: usize) -> impl Iterator<Item = Half> + '_ {
        let (start, end) = self.range(node);
        let ends = self.to.get(start..end).unwrap_or_default();
        let labels = self.label.get(start..end).unwrap_or_default();
        ends.iter().zip(labels).enumerate().map(move |(i, (&to, &label))| half(to, label, self.seq_at(start + i)))
    }

    /// `get`, not indexing: a read that cannot fail disappears where the caller does not look at it.
    #[inline]
    fn seq_at(&self, edge: usize) -> u64 {
        let low = self.seq.get(edge).copied().unwrap_or(0);
        let high = self.seq_high.get(edge).copied().unwrap_or(0);
        u64::from(high) << 32 | u64::from(low)
    }

    fn with_capacity(nodes: usize, edges: usize) -> Self {
        Self {
            off: Vec::with_capacity(nodes + 1),
            to: Vec::with_capacity(edges),
            label: Vec::with_capacity(edges),
            seq: Vec::with_capacity(edges),
            seq_high: Vec::new(),
        }
    }

    fn copy(&mut self, from: &Self, edges: std::ops::Range<usize>) {
        self.to.extend_from_slice(&from.to[edges.clone()]);
        self.label.extend_from_slice(&from.label[edges.clone()]);
        self.seq.extend_from_slice(&from.seq[edges.clone()]);
        if !from.seq_high.is_empty() {
            self.seq_high.resize(self.to.len() - edges.len(), 0);
            self.seq_high.extend_from_slice(&from.seq_high[edges]);
        } else if !self.seq_high.is_empty() {
            self.seq_high.resize(self.to.len(), 0);
        }
    }

    fn push(&mut self, late: Late) {
        let (low, high) = split(late.seq);
        self.to.push(late.to);
        self.label.push(late.label);
        self.seq.push(low);
        if high != 0 || !self.seq_high.is_empty() {
            self.seq_high.resize(self.to.len() - 1, 0);
            self.seq_high.push(high);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves of the number, on purpose")]
const fn split(seq: u64) -> (u32, u32) {
    (seq as u32, (seq >> 32) as u32)
}

/// Counts as an offset. Callers keep edges below 2^32 (`Graph::compact`), so nothing is lost.
fn offset(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// An edge that came after the base was made.
#[derive(Clone, Copy, Debug)]
struct Late {
    to: u32,
    label: u8,
    seq: u64,
}

/// Node numbers are ours and dense: one multiplication spreads them, and no run differs from another.
#[derive(Clone, Copy, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(u32::from(byte));
        }
    }
    fn write_u32(&mut self, value: u32) {
        self.0 = (self.0 ^ u64::from(value)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

type LateMap = GenericHashMap<u32, Vector<Late>, BuildHasherDefault<Spread>, DefaultSharedPtr>;

/// The edges of one direction.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    base: Arc<Base>,
    late: LateMap,
    late_count: usize,
    /// One bit per node with late edges, so that the other nodes of a walk never pay for a look into the map.
    touched: Pages<u64>,
}

impl Side {
    /// Offsets by counting sort: edges of one node keep the order they are given in.
    pub(super) fn build(nodes: usize, entries: impl Iterator<Item = Entry> + Clone) -> Self {
        let mut off = vec![0_u32; nodes + 1];
        let mut edges = 0;
        for entry in entries.clone() {
            off[entry.at as usize + 1] += 1;
            edges += 1;
        }
        for i in 1..off.len() {
            off[i] += off[i - 1];
        }
        let mut base = Base { to: vec![0; edges], label: vec![0; edges], seq: vec![0; edges], ..Base::default() };
        let mut next = off.clone();
        for Entry { at, other, label, seq } in entries {
            let place = next[at as usize] as usize;
            next[at as usize] += 1;
            let (low, high) = split(seq);
            (base.to[place], base.label[place], base.seq[place]) = (other, label, low);
            if high != 0 {
                base.seq_high.resize(edges, 0);
                base.seq_high[place] = high;
            }
        }
        base.off = off;
        Self { base: Arc::new(base), ..Self::default() }
    }

    #[inline]
    fn late_of(&self, node: u32) -> Option<&Vector<Late>> {
        if self.late_count == 0 || self.touched.get(node as usize / 64) >> (node % 64) & 1 == 0 {
            return None;
        }
        self.late.get(&node)
    }

    /// The edges of a node, oldest first.
    #[inline]
    pub(super) fn halves(&self, node: u32) -> impl Iterator<Item = Half> + '_ {
        let late = self.late_of(node).into_iter().flatten();
        self.base.halves(node as usize).chain(late.map(|late| half(late.to, late.label, late.seq)))
    }

    /// The same for walks: the loop over the base carries no state of the rest.
    #[inline]
    pub(super) fn each(&self, node: u32, mut visit: impl FnMut(Half)) {
        self.base.halves(node as usize).for_each(&mut visit);
        if let Some(late) = self.late_of(node) {
            late.iter().for_each(|late| visit(half(late.to, late.label, late.seq)));
        }
    }

    /// How many edges a node has.
    pub(super) fn degree(&self, node: u32) -> usize {
        let (start, end) = self.base.range(node as usize);
        end - start + self.late_of(node).map_or(0, Vector::len)
    }

    /// Whether an edge to `to` with this label is there.
    pub(super) fn contains(&self, node: u32, to: u32, label: u8) -> bool {
        let (start, end) = self.base.range(node as usize);
        self.base.to[start..end].iter().zip(&self.base.label[start..end]).any(|(&t, &l)| t == to && l == label)
            || self.late_of(node).is_some_and(|late| late.iter().any(|late| late.to == to && late.label == label))
    }

    pub(super) fn base_count(&self) -> usize {
        self.base.to.len()
    }

    pub(super) fn late_count(&self) -> usize {
        self.late_count
    }

    pub(super) fn push(&mut self, Entry { at, other, label, seq }: Entry) {
        let word = at as usize / 64;
        self.touched.grow(word + 1);
        self.touched.set(word, self.touched.get(word) | 1 << (at % 64));
        self.late.entry(at).or_default().push_back(Late { to: other, label, seq });
        self.late_count += 1;
    }

    /// Moves the late edges into new offsets; the order within each node stays, so no walk can tell.
    pub(super) fn compact(&mut self, nodes: usize) {
        let old = &self.base;
        let mut new = Base::with_capacity(nodes, self.base_count() + self.late_count);
        let mut copied = 0;
        let mut added = 0;
        new.off.push(0);
        let mut end = 0;
        for node in 0..nodes {
            end = old.off.get(node + 1).map_or(end, |&off| off as usize);
            if let Some(late) = u32::try_from(node).ok().and_then(|node| self.late_of(node)) {
                // Everything between two touched nodes moves in one copy.
                new.copy(old, copied..end);
                late.iter().for_each(|&late| new.push(late));
                copied = end;
                added += late.len();
            }
            new.off.push(offset(end + added));
        }
        new.copy(old, copied..old.to.len());
        *self = Self { base: Arc::new(new), ..Self::default() };
    }
}
