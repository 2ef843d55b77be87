//! Dense numbers for names: what the gate compares on every decision it compares as numbers.

use std::collections::HashMap as Map;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use crate::db::NumberHasher;
use crate::maps::HashMap;

/// Names and their numbers, from 1, in the order they were first mentioned. 0 is the number of no name.
#[derive(Clone, Debug, Default)]
pub struct Numbers(HashMap<Arc<str>, u32>);

impl Numbers {
    /// The number of a name; a new one for a name not met before.
    pub fn number(&mut self, name: &str) -> u32 {
        if let Some(&known) = self.0.get(name) {
            return known;
        }
        let number = u32::try_from(self.0.len() + 1).unwrap_or(u32::MAX);
        self.0.insert(name.into(), number);
        number
    }

    /// The number of a name; 0 if it was never mentioned.
    pub fn find(&self, name: &str) -> u32 {
        self.0.get(name).copied().unwrap_or(0)
    }
}

/// Something per number, asked for each table that reaches a release.
///
/// Names mentioned one after the other have neighbouring numbers, and what is said of one is mostly said of its neighbours, too: 64
/// of them share a chunk, so that the few chunks in question stay in the processor's cache whatever else goes through it.
#[derive(Clone, Debug)]
pub struct NumberMap<T> {
    chunks: Map<u32, Chunk<T>, BuildHasherDefault<NumberHasher>>,
    /// Of the numbers of chunks in which they differ.
    mixed: Map<u32, T, BuildHasherDefault<NumberHasher>>,
}

#[derive(Clone, Copy, Debug)]
struct Chunk<T> {
    /// Which of its numbers are there.
    held: u64,
    /// What is of all of them; none where they differ.
    all: Option<T>,
}

impl<T> Default for NumberMap<T> {
    fn default() -> Self {
        Self { chunks: Map::default(), mixed: Map::default() }
    }
}

impl<T: Copy + PartialEq> NumberMap<T> {
    /// What is of a number from now on.
    pub fn insert(&mut self, number: u32, value: T) {
        let bit = 1 << (number % 64);
        let chunk = self.chunks.entry(number / 64).or_insert(Chunk { held: 0, all: Some(value) });
        match chunk.all {
            Some(all) if all == value => {}
            Some(all) => {
                let held = chunk.held;
                let others = (0..64).filter(|place| held >> place & 1 == 1).map(|place| number / 64 * 64 + place);
                self.mixed.extend(others.map(|other| (other, all)));
                self.mixed.insert(number, value);
                chunk.all = None;
            }
            None => _ = self.mixed.insert(number, value),
        }
        chunk.held |= bit;
    }

    /// Has memory bring the chunks, one behind the other, before many numbers are asked for: waiting for each when it is asked for
    /// takes twice as long.
    pub fn touch(&self) {
        std::hint::black_box(self.chunks.values().fold(0, |all, chunk| all | chunk.held));
    }

    /// What is of a number.
    #[inline]
    pub fn get(&self, number: u32) -> Option<T> {
        let chunk = self.chunks.get(&(number / 64))?;
        match chunk.all {
            _ if chunk.held >> (number % 64) & 1 == 0 => None,
            Some(all) => Some(all),
            None => self.mixed.get(&number).copied(),
        }
    }
}

/// Some of 64 neighbouring numbers: which sixty-four, and a bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Some64 {
    /// Of which numbers: `64 * word ..`.
    pub word: u32,
    /// Which of them.
    pub bits: u64,
}

impl Some64 {
    /// One number.
    #[must_use]
    pub const fn one(number: u32) -> Self {
        Self { word: number / 64, bits: 1 << (number % 64) }
    }

    /// Whether a number is among them.
    #[must_use]
    pub const fn has(self, number: u32) -> bool {
        self.word == number / 64 && self.bits >> (number % 64) & 1 == 1
    }

    fn numbers(self) -> impl Iterator<Item = u32> {
        (0..64).filter(move |bit| self.bits >> bit & 1 == 1).map(move |bit| self.word * 64 + bit)
    }
}

impl<T: Copy + PartialEq> NumberMap<T> {
    /// Whether all of these are there, and `holds` of what is of each; asked once where that is the same.
    pub fn all(&self, some: Some64, mut holds: impl FnMut(T) -> bool) -> bool {
        if some.bits == 0 {
            return true;
        }
        let Some(chunk) = self.chunks.get(&some.word).filter(|chunk| some.bits & !chunk.held == 0) else {
            return false;
        };
        match chunk.all {
            Some(all) => holds(all),
            None => some.numbers().all(|number| self.mixed.get(&number).is_some_and(|&value| holds(value))),
        }
    }

    /// Which of sixty-four numbers are there.
    fn held(&self, word: u32) -> u64 {
        self.chunks.get(&word).map_or(0, |chunk| chunk.held)
    }
}

/// A set of numbers.
#[derive(Clone, Debug, Default)]
pub struct NumberSet(NumberMap<()>);

impl NumberSet {
    /// See [`NumberMap::touch`].
    pub fn touch(&self) {
        self.0.touch();
    }

    /// Whether a number is in it.
    #[inline]
    pub fn contains(&self, number: u32) -> bool {
        self.0.get(number).is_some()
    }

    /// Which of sixty-four numbers are in it.
    #[must_use]
    pub fn among(&self, word: u32) -> Some64 {
        Some64 { word, bits: self.0.held(word) }
    }
}

impl FromIterator<u32> for NumberSet {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut set = Self::default();
        numbers.into_iter().for_each(|number| set.0.insert(number, ()));
        set
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{NumberMap, NumberSet, Some64};

    proptest! {
        #[test]
        fn a_map_is_what_was_put_into_it(
            puts in proptest::collection::vec((0u32..300, 0u8..3), 0..200), among in any::<u64>(), most in 1u8..4,
        ) {
            let mut map = NumberMap::default();
            let mut plain = std::collections::HashMap::new();
            for (number, value) in &puts {
                map.insert(*number, *value);
                plain.insert(*number, *value);
            }
            let set: NumberSet = puts.iter().map(|(number, _)| *number).collect();
            for number in 0..300 {
                prop_assert_eq!(map.get(number), plain.get(&number).copied());
                prop_assert_eq!(set.contains(number), plain.contains_key(&number));
                prop_assert_eq!(set.among(number / 64).has(number), plain.contains_key(&number));
            }
            for word in 0..5 {
                for bits in [0, 1, among, among.rotate_left(word * 7), u64::MAX] {
                    let some = Some64 { word, bits };
                    let each = (word * 64..word * 64 + 64).filter(|&number| some.has(number));
                    let expected = each.clone().all(|number| plain.get(&number).is_some_and(|&value| value < most));
                    prop_assert_eq!(map.all(some, |value| value < most), expected);
                }
            }
        }
    }
}
