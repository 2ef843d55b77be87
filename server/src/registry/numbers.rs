//! Dense numbers for names: what the gate compares on every decision it compares as numbers.

use std::collections::{HashMap as Map, HashSet as Set};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use imbl::HashMap;

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

/// A set of numbers, asked for each table that reaches a release.
pub type NumberSet = Set<u32, BuildHasherDefault<NumberHasher>>;
/// Something per number.
pub type NumberMap<T> = Map<u32, T, BuildHasherDefault<NumberHasher>>;

/// Spreads dense numbers. The program gives them out itself, so nobody can choose ones that collide.
#[derive(Clone, Copy, Debug, Default)]
pub struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(u32::from(byte));
        }
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        // 2^64 divided by the golden ratio: neighbours land far apart, in the high bits too.
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}
