//! The persistent maps of the projection, hashed fast: a decision looks dozens of names up.
//!
//! Only who holds a token gives names, and each map has a seed of its own. Whoever learned it from how long answers take could make
//! lookups slower, and no more than that: a risk that is taken.

use foldhash::fast::RandomState;
use imbl::shared_ptr::DefaultSharedPtr;

/// A map whose copies share what they have in common.
pub(crate) type HashMap<K, V> = imbl::GenericHashMap<K, V, RandomState, DefaultSharedPtr>;

/// A set, likewise.
pub(crate) type HashSet<T> = imbl::GenericHashSet<T, RandomState, DefaultSharedPtr>;
