//! Dense numbers for names: what the gate compares on every decision it compares as numbers.

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
