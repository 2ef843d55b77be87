//! Edges of one direction: compressed offsets that never change, and the edges since in persistent pages.

use std::sync::Arc;

use super::super::pages::Pages;
use super::types::{Half, Link};

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

/// Offsets and, per edge, what a walk needs in one place and the rest apart.
#[derive(Debug, Default)]
struct Base {
    /// Where the edges of each node begin, and one more.
    off: Vec<u32>,
    links: Vec<Link>,
    /// The lower half of each sequence.
    seq: Vec<u32>,
    /// The upper half; empty while every sequence is below 2^32.
    seq_high: Vec<u32>,
}

impl Base {
    /// Where the edges of a node stand; nothing for nodes younger than the base.
    #[inline(always)]
    fn range(&self, node: u32) -> (u32, u32) {
        match self.off.get(node as usize..).and_then(<[u32]>::first_chunk::<2>) {
            Some(&[start, end]) => (start, end),
            None => (0, 0),
        }
    }

    /// `get`, not indexing: a read that cannot fail disappears where the caller does not look at it.
    #[inline(always)]
    fn seq_at(&self, edge: usize) -> u64 {
        let low = self.seq.get(edge).copied().unwrap_or(0);
        let high = self.seq_high.get(edge).copied().unwrap_or(0);
        u64::from(high) << 32 | u64::from(low)
    }

    fn with_capacity(nodes: usize, edges: usize) -> Self {
        Self {
            off: Vec::with_capacity(nodes + 1),
            links: Vec::with_capacity(edges),
            seq: Vec::with_capacity(edges),
            seq_high: Vec::new(),
        }
    }

    fn copy(&mut self, from: &Self, edges: std::ops::Range<usize>) {
        self.links.extend_from_slice(&from.links[edges.clone()]);
        self.seq.extend_from_slice(&from.seq[edges.clone()]);
        if !from.seq_high.is_empty() {
            self.seq_high.resize(self.links.len() - edges.len(), 0);
            self.seq_high.extend_from_slice(&from.seq_high[edges]);
        } else if !self.seq_high.is_empty() {
            self.seq_high.resize(self.links.len(), 0);
        }
    }

    fn push(&mut self, late: Late) {
        let (low, high) = split(late.seq);
        self.links.push(late.link);
        self.seq.push(low);
        if high != 0 || !self.seq_high.is_empty() {
            self.seq_high.resize(self.links.len() - 1, 0);
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
#[derive(Clone, Copy, Debug, Default)]
struct Late {
    seq: u64,
    link: Link,
    /// The next late edge of the same node: its place, counted from one.
    next: u32,
}

/// The edges since. A persistent hash map in their place cost half a microsecond for each touched node of a walk.
#[derive(Clone, Debug, Default)]
struct Delta {
    edges: Pages<Late>,
    /// Per node the places of its first and its last late edge, counted from one.
    ends: Pages<(u32, u32)>,
    /// One bit per node with late edges: small enough to stay in the fastest cache, so that the other nodes cost nothing.
    touched: Pages<u64>,
}

impl Delta {
    /// The place of a node's first late edge, counted from one; 0 if it has none.
    #[inline(always)]
    fn first(&self, node: u32) -> u32 {
        if self.edges.is_empty() || self.touched.get(node as usize / 64) >> (node % 64) & 1 == 0 {
            return 0;
        }
        self.ends.get(node as usize).0
    }

    /// The edge at a place counted from one.
    fn at(&self, place: u32) -> Option<Late> {
        (place as usize).checked_sub(1).map(|index| self.edges.get(index))
    }

    fn of(&self, node: u32) -> impl Iterator<Item = Late> + '_ {
        std::iter::successors(self.at(self.first(node)), |late| self.at(late.next))
    }

    fn push(&mut self, Entry { at, other, label, seq }: Entry) {
        self.edges.push(Late { seq, link: Link::new(other, label), next: 0 });
        let place = offset(self.edges.len());
        let (node, word) = (at as usize, at as usize / 64);
        self.touched.grow(word + 1);
        self.touched.set(word, self.touched.get(word) | 1 << (at % 64));
        self.ends.grow(node + 1);
        let (first, last) = self.ends.get(node);
        match (last as usize).checked_sub(1) {
            Some(index) => {
                self.edges.set(index, Late { next: place, ..self.edges.get(index) });
                self.ends.set(node, (first, place));
            }
            None => _ = self.ends.set(node, (place, place)),
        }
    }
}

/// The edges of a node, oldest first. One `next` for both parts, so that the body of a walk's loop stands there once
/// and is compiled into it.
pub(super) struct Halves<'a> {
    links: std::slice::Iter<'a, Link>,
    edge: usize,
    late: u32,
    side: &'a Side,
}

impl Halves<'_> {
    #[cold]
    fn next_late(&mut self) -> Option<Half> {
        let late = self.side.delta.at(self.late)?;
        self.late = late.next;
        Some(late.link.half(late.seq))
    }
}

impl Iterator for Halves<'_> {
    type Item = Half;

    #[inline(always)]
    fn next(&mut self) -> Option<Half> {
        if let Some(&link) = self.links.next() {
            let seq = self.side.base.seq_at(self.edge);
            self.edge += 1;
            return Some(link.half(seq));
        }
        if self.late == 0 { None } else { self.next_late() }
    }
}

/// Where the edges of a node stand.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Spot {
    start: u32,
    end: u32,
    /// The first late edge, counted from one.
    late: u32,
}

impl Spot {
    /// Whether a node has no edge there.
    #[inline(always)]
    pub(in super::super) const fn is_bare(self) -> bool {
        self.start == self.end && self.late == 0
    }

    /// Whether some came after the base was made.
    #[inline(always)]
    pub(in super::super) const fn has_late(self) -> bool {
        self.late != 0
    }
}

/// The edges of one direction.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    base: Arc<Base>,
    delta: Delta,
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
        let mut base = Base { links: vec![Link::default(); edges], seq: vec![0; edges], ..Base::default() };
        let mut next = off.clone();
        for Entry { at, other, label, seq } in entries {
            let place = next[at as usize] as usize;
            next[at as usize] += 1;
            let (low, high) = split(seq);
            (base.links[place], base.seq[place]) = (Link::new(other, label), low);
            if high != 0 {
                base.seq_high.resize(edges, 0);
                base.seq_high[place] = high;
            }
        }
        base.off = off;
        Self { base: Arc::new(base), ..Self::default() }
    }

    /// The edges of a node, oldest first.
    #[inline(always)]
    pub(super) fn halves(&self, node: u32) -> Halves<'_> {
        let spot = self.spot(node);
        Halves { links: self.links(spot).iter(), edge: spot.start as usize, late: spot.late, side: self }
    }

    /// Where the edges of a node stand: [`Self::links`] reads them.
    #[inline(always)]
    pub(super) fn spot(&self, node: u32) -> Spot {
        let (start, end) = self.base.range(node);
        Spot { start, end, late: self.delta.first(node) }
    }

    /// The edges at a spot that the base holds, oldest first; [`Self::late_links`] came after them.
    #[inline(always)]
    pub(super) fn links(&self, spot: Spot) -> &[Link] {
        self.base.links.get(spot.start as usize..spot.end as usize).unwrap_or_default()
    }

    /// The edges at a spot since, oldest first.
    #[inline(always)]
    pub(super) fn late_links(&self, spot: Spot) -> impl Iterator<Item = Link> + '_ {
        std::iter::successors(self.delta.at(spot.late), |late| self.delta.at(late.next)).map(|late| late.link)
    }

    /// How many edges a node has.
    pub(super) fn degree(&self, node: u32) -> usize {
        let spot = self.spot(node);
        self.links(spot).len() + self.late_links(spot).count()
    }

    /// Whether a node has no edge.
    pub(super) fn is_bare(&self, node: u32) -> bool {
        self.spot(node).is_bare()
    }

    /// Whether an edge to `to` with this label is there.
    pub(super) fn contains(&self, node: u32, to: u32, label: u8) -> bool {
        let (spot, link) = (self.spot(node), Link::new(to, label));
        self.links(spot).contains(&link) || self.late_links(spot).any(|late| late == link)
    }

    pub(super) fn base_count(&self) -> usize {
        self.base.links.len()
    }

    pub(super) fn late_count(&self) -> usize {
        self.delta.edges.len()
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.delta.push(entry);
    }

    /// Moves the late edges into new offsets; the order within each node stays, so no walk can tell.
    pub(super) fn compact(&mut self, nodes: usize) {
        let old = &self.base;
        let mut new = Base::with_capacity(nodes, self.base_count() + self.late_count());
        let (mut copied, mut end) = (0, 0);
        new.off.push(0);
        for node in 0..nodes {
            end = old.off.get(node + 1).map_or(end, |&off| off as usize);
            if let Some(node) = u32::try_from(node).ok().filter(|&node| self.delta.first(node) != 0) {
                // Everything between two touched nodes moves in one copy.
                new.copy(old, copied..end);
                self.delta.of(node).for_each(|late| new.push(late));
                copied = end;
            }
            new.off.push(offset(new.links.len() + end - copied));
        }
        new.copy(old, copied..old.links.len());
        *self = Self { base: Arc::new(new), ..Self::default() };
    }
}
