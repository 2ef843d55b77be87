//! Subjects by pseudonym, in memory: sorted runs that are merged as they grow. A copy costs a few reference counts, like
//! everything of the projection, so that a failed operation is undone by keeping the copy; a subject costs its 52 bytes and no
//! pointer, where ten million of them are held.

use std::sync::Arc;

use imbl::OrdMap;
use licit_schemas::digest::Digest;
use licit_schemas::merkle::{Edge, leaf_hash};

/// What a key made of an identifier.
pub type Hash = [u8; 32];
/// What keeps the ledger's commitment to a person from being guessed, until it is erased.
pub type Salt = [u8; 16];

/// A subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// What the key made of the identifier.
    pub hash: Hash,
    /// Salt of every commitment to this person.
    pub salt: Salt,
    /// The dense number that bitmaps hold.
    pub n: u32,
}

impl Subject {
    /// The commitment to being somewhere.
    pub fn leaf(&self) -> Digest {
        leaf_hash(&[&self.salt[..], &self.hash[..]].concat())
    }
}

/// The subjects of one key.
#[derive(Clone, Default)]
struct Runs(Vec<Arc<Vec<Subject>>>);

impl Runs {
    fn find(&self, hash: &Hash) -> Option<Subject> {
        self.0.iter().find_map(|run| {
            let place = run.binary_search_by(|one| one.hash.cmp(hash)).ok()?;
            run.get(place).copied()
        })
    }

    /// Take one out, if it is there.
    fn remove(&mut self, hash: &Hash) {
        for run in &mut self.0 {
            if let Ok(place) = run.binary_search_by(|one| one.hash.cmp(hash)) {
                Arc::make_mut(run).remove(place);
            }
        }
    }

    /// Add subjects that are not there, sorted by hash. Each is moved a logarithm of times.
    fn add(&mut self, mut run: Vec<Subject>) {
        while let Some(last) = self.0.pop_if(|last| last.len() < 2 * run.len()) {
            run = merged(&last, &run);
        }
        self.0.push(Arc::new(run));
    }
}

fn merged(a: &[Subject], b: &[Subject]) -> Vec<Subject> {
    let mut all = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        let next = if x.hash <= y.hash { a.next() } else { b.next() };
        all.extend(next);
    }
    all.extend(a);
    all.extend(b);
    all
}

/// All subjects.
#[derive(Clone, Default)]
pub struct Dictionary {
    keys: OrdMap<Arc<str>, Runs>,
    next: u64,
}

impl Dictionary {
    /// The number that the next subject gets.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// A subject by key and hash.
    pub fn find(&self, kid: &str, hash: &Hash) -> Option<Subject> {
        self.keys.get(kid)?.find(hash)
    }

    /// Forget somebody: what the key made of the identifier, and the salt. The number is not given again.
    pub fn remove(&mut self, kid: &str, hash: &Hash) {
        if let Some(runs) = self.keys.get_mut(kid) {
            runs.remove(hash);
        }
    }

    /// A number that was somebody's.
    pub fn taken(&mut self, n: u32) {
        self.next = self.next.max(u64::from(n) + 1);
    }

    /// Add subjects of one key that are not there yet.
    pub fn add(&mut self, kid: &str, mut subjects: Vec<Subject>) {
        if subjects.is_empty() {
            return;
        }
        // The first eight bytes nearly always tell two apart, as one number.
        let front = |one: &Subject| u64::from_be_bytes(std::array::from_fn(|byte| one.hash[byte]));
        subjects.sort_unstable_by(|one, other| front(one).cmp(&front(other)).then_with(|| one.hash.cmp(&other.hash)));
        self.next = subjects.iter().map(|one| u64::from(one.n) + 1).fold(self.next, u64::max);
        self.keys.entry(Arc::from(kid)).or_default().add(subjects);
    }
}

/// Merkle root of the salted commitments to some people, in the order of the commitments: no order of the source shows.
pub fn commitment(subjects: &[Subject]) -> Digest {
    commitment_with(subjects, Vec::new())
}

/// [`commitment`] where some were erased since: of them only the commitments are left.
pub fn commitment_with(subjects: &[Subject], mut leaves: Vec<Digest>) -> Digest {
    leaves.extend(subjects.iter().map(Subject::leaf));
    leaves.sort_unstable();
    root(leaves)
}

/// Merkle root of a load: over the roots of its batches, by number.
pub fn load_root<'a>(batches: impl IntoIterator<Item = &'a [u8]>) -> Digest {
    root(batches.into_iter().map(leaf_hash))
}

/// The salt of the commitment to one record: erased with that of the person, and telling nothing of it.
pub fn record_salt(salt: &Salt, record: &[u8; 16]) -> Digest {
    Digest::of(&[&salt[..], &record[..]].concat())
}

/// The commitment to one record in canonical JSON.
pub fn commitment_of(salt: &Digest, record: &str) -> Digest {
    leaf_hash(&[salt.as_bytes(), record.as_bytes()].concat())
}

/// Merkle root over commitments, in their order (RFC 9162 §2.1.1).
pub fn root(leaves: impl IntoIterator<Item = Digest>) -> Digest {
    let mut edge = Edge::default();
    leaves.into_iter().for_each(|leaf| edge.push(leaf, |_, _| {}));
    edge.root()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn hash(seed: u16) -> Hash {
        *licit_schemas::digest::Digest::of(&seed.to_le_bytes()).as_bytes()
    }

    proptest! {
        #[test]
        fn it_answers_as_a_map_would(batches in prop::collection::vec((0u8..2, prop::collection::btree_set(any::<u16>(), 0..40)), 0..30)) {
            let (mut dictionary, mut model) = (Dictionary::default(), HashMap::new());
            for (key, seeds) in batches {
                let kid = format!("k{key}");
                let mut fresh = Vec::new();
                for seed in seeds {
                    let n = u32::try_from(model.len()).unwrap();
                    model.entry((kid.clone(), seed)).or_insert_with(|| {
                        fresh.push(Subject { hash: hash(seed), salt: [0; 16], n });
                        n
                    });
                }
                dictionary.add(&kid, fresh);
                prop_assert_eq!(dictionary.next(), model.len() as u64);
            }
            for ((kid, seed), n) in &model {
                prop_assert_eq!(dictionary.find(kid, &hash(*seed)).map(|one| one.n), Some(*n));
            }
            prop_assert_eq!(dictionary.find("k2", &hash(0)), None);
            let runs = dictionary.keys.values().map(|runs| runs.0.len()).max().unwrap_or(0);
            prop_assert!(runs <= 12, "{runs} runs are looked through");
        }
    }

    #[test]
    fn a_copy_keeps_what_it_knew() {
        let mut dictionary = Dictionary::default();
        dictionary.add("k", vec![Subject { hash: hash(1), salt: [0; 16], n: 0 }]);
        let before = dictionary.clone();
        dictionary.add("k", vec![Subject { hash: hash(2), salt: [0; 16], n: 1 }]);
        assert_eq!((before.next(), before.find("k", &hash(2)).is_some()), (1, false));
        assert_eq!((dictionary.next(), dictionary.find("k", &hash(1)).is_some()), (2, true));
    }
}
