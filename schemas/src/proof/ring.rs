//! Keys that signed a ledger, as the ledger itself tells it: who was introduced when, and who retired. Both sides fold the same
//! facts: the server to know whether it may sign, an auditor to know whom to believe.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::checkpoint::SignedCheckpoint;
use super::key::{Vkey, short};
use super::note::NoteFault;
use super::origin::Origin;
use crate::ledger::{KeyIntroduced, KeyRetired, LedgerNamed};

/// Fact: the ledger has its name.
pub const NAMED: &str = "ledger.named";
/// Fact: a key may sign.
pub const INTRODUCED: &str = "signing_key.introduced";
/// Fact: a key may sign no more.
pub const RETIRED: &str = "signing_key.retired";

/// A key with the entries between which it may sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownKey {
    /// The key.
    pub key: Vkey,
    /// Entry that introduced it: it signs trees of that size and larger.
    pub introduced: u64,
    /// Entry that retired it: it signs trees smaller than that; absent while it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<u64>,
}

impl KnownKey {
    /// Whether it may sign a tree of this size.
    pub fn signs(&self, size: u64) -> bool {
        self.introduced <= size && self.retired.is_none_or(|retired| size < retired)
    }
}

/// Name and keys of a ledger, current and earlier ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRing {
    /// The ledger's name; none before the entry that states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Keys, in the order they were introduced.
    pub keys: Vec<KnownKey>,
}

/// Why a checkpoint is not one of this ledger.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RingFault {
    /// Of another ledger, or of one without a name.
    #[error("it is of `{0}`, which is not this ledger")]
    Origin(Origin),
    /// Its signatures do not hold.
    #[error(transparent)]
    Note(#[from] NoteFault),
    /// A key signed what it may not.
    #[error("{0} may not sign a tree of {1} entries: it was not in force there")]
    NotInForce(String, u64),
}

impl KeyRing {
    /// Fold a fact in, as the ledger holds it; others than the three it knows change nothing.
    ///
    /// # Errors
    /// The data are not those of such a fact, in a version this program knows.
    pub fn fold(&mut self, seq: u64, kind: &str, version: u16, data: &str) -> Result<(), String> {
        if ![NAMED, INTRODUCED, RETIRED].contains(&kind) {
            return Ok(());
        }
        let broken = |why: &dyn std::fmt::Display| format!("its data are not those of `{kind}`: {why}");
        if version != 1 {
            return Err(broken(&format_args!("version {version} is unknown to this program")));
        }
        match kind {
            NAMED => serde_json::from_str(data).map(|fact: LedgerNamed| self.named(&fact)),
            INTRODUCED => serde_json::from_str(data).map(|fact: KeyIntroduced| self.introduced(seq, &fact)),
            _ => serde_json::from_str(data).map(|fact: KeyRetired| self.retired(seq, &fact)),
        }
        .map_err(|e| broken(&e))
    }

    /// Fold [`LedgerNamed`] in. A name is for good: a second one changes nothing.
    pub fn named(&mut self, fact: &LedgerNamed) {
        self.origin.get_or_insert_with(|| fact.origin.clone());
    }

    /// Fold [`KeyIntroduced`] in. A key that was there once does not come back.
    pub fn introduced(&mut self, seq: u64, fact: &KeyIntroduced) {
        if self.find(&fact.key).is_none() {
            self.keys.push(KnownKey { key: fact.key.clone(), introduced: seq, retired: None });
        }
    }

    /// Fold [`KeyRetired`] in.
    pub fn retired(&mut self, seq: u64, fact: &KeyRetired) {
        if let Some(known) = self.keys.iter_mut().find(|known| known.key == fact.key) {
            known.retired.get_or_insert(seq);
        }
    }

    /// A key that the ledger knows or knew.
    pub fn find(&self, key: &Vkey) -> Option<&KnownKey> {
        self.keys.iter().find(|known| known.key == *key)
    }

    /// Keys that may sign a tree of this size.
    pub fn in_force(&self, size: u64) -> impl Iterator<Item = &KnownKey> {
        self.keys.iter().filter(move |known| known.signs(size))
    }

    /// That a checkpoint is signed as it must be: by keys of this ledger that were in force at its size, at least by one. Names of
    /// others that signed, too, such as witnesses, come back.
    ///
    /// # Errors
    /// Another ledger, a signature that does not fit, a key that was not in force, or nobody known.
    pub fn verify(&self, signed: &SignedCheckpoint) -> Result<Vec<String>, RingFault> {
        let checkpoint = &signed.checkpoint;
        if self.origin.as_ref() != Some(&checkpoint.origin) {
            return Err(RingFault::Origin(checkpoint.origin.clone()));
        }
        let keys: Vec<&Vkey> = self.keys.iter().map(|known| &known.key).collect();
        let signers = signed.verify(keys.iter().copied())?;
        let size = checkpoint.head.size;
        match signers.known.iter().find(|key| !self.find(key).is_some_and(|known| known.signs(size))) {
            Some(key) => Err(RingFault::NotInForce(short(key), size)),
            None => Ok(signers.unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::TreeHead;
    use crate::merkle::empty_root;
    use crate::proof::checkpoint::Checkpoint;
    use crate::proof::key::SecretKey;
    use crate::proof::note::SignedNote;

    fn key(n: u8) -> SecretKey {
        SecretKey::from_seed(&[n; 32])
    }

    fn origin() -> Origin {
        "registry.example/audit".parse().unwrap()
    }

    fn checkpoint(size: u64, keys: &[u8]) -> SignedCheckpoint {
        let checkpoint = Checkpoint { origin: origin(), head: TreeHead { size, root: empty_root() } };
        let mut note = SignedNote::unsigned(&checkpoint.text()).unwrap();
        for n in keys {
            let key = key(*n);
            note = note.signed(&key.public().named(&origin()), &key.sign(checkpoint.text().as_bytes())).unwrap();
        }
        SignedCheckpoint::parse(note.to_string().as_bytes()).unwrap()
    }

    /// Key 1 from entry 2 on until entry 10, key 2 from entry 8 on.
    fn ring() -> KeyRing {
        let vkey = |n| key(n).public().named(&origin());
        let mut ring = KeyRing::default();
        let named = LedgerNamed { origin: origin() };
        ring.fold(1, NAMED, 1, &serde_json::to_string(&named).unwrap()).unwrap();
        for (seq, n) in [(2, 1), (8, 2)] {
            ring.fold(seq, INTRODUCED, 1, &serde_json::to_string(&KeyIntroduced { key: vkey(n) }).unwrap()).unwrap();
        }
        ring.fold(9, "vote.cast", 1, "not read").unwrap();
        ring.fold(10, RETIRED, 1, &serde_json::to_string(&KeyRetired { key: vkey(1) }).unwrap()).unwrap();
        ring
    }

    #[test]
    fn a_key_signs_between_its_entries_and_both_sign_over_the_transition() {
        let ring = ring();
        for (size, keys) in [(2, &[1][..]), (7, &[1]), (8, &[1, 2]), (9, &[1]), (9, &[2]), (10, &[2]), (99, &[2])] {
            assert_eq!(ring.verify(&checkpoint(size, keys)), Ok(vec![]), "{size} {keys:?}");
        }
        for (size, keys) in [(1, &[1][..]), (7, &[2]), (7, &[1, 2]), (10, &[1]), (10, &[1, 2])] {
            let refused = ring.verify(&checkpoint(size, keys));
            assert!(matches!(refused, Err(RingFault::NotInForce(_, at)) if at == size), "{size} {keys:?}: {refused:?}");
        }
        assert!(matches!(ring.verify(&checkpoint(9, &[3])), Err(RingFault::Note(NoteFault::Unknown(_)))));
        assert_eq!(ring.verify(&checkpoint(9, &[1, 3])).unwrap().len(), 1);
        assert!(matches!(KeyRing::default().verify(&checkpoint(9, &[1])), Err(RingFault::Origin(_))));
    }

    #[test]
    fn a_name_stays_and_a_retired_key_does_not_come_back() {
        let mut ring = ring();
        let before = ring.clone();
        ring.named(&LedgerNamed { origin: "elsewhere.example".parse().unwrap() });
        ring.introduced(11, &KeyIntroduced { key: key(1).public().named(&origin()) });
        ring.retired(12, &KeyRetired { key: key(1).public().named(&origin()) });
        assert_eq!(ring, before);
        assert!(ring.fold(13, NAMED, 2, "{}").is_err());
        assert!(ring.fold(13, INTRODUCED, 1, r#"{"key":"x"}"#).is_err());
    }
}
