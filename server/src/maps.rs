//! The persistent maps of the projection, hashed fast: a decision looks some fifty names up, most of them not in the processor's cache.
//!
//! Names come from whoever holds a token, and seeds are drawn when the process starts: nobody outside can tell which of them collide.

use foldhash::fast::RandomState;
use imbl::shared_ptr::DefaultSharedPtr;

/// A map whose copies share what they have in common.
pub(crate) type HashMap<K, V> = imbl::GenericHashMap<K, V, RandomState, DefaultSharedPtr>;

/// A set, likewise.
pub(crate) type HashSet<T> = imbl::GenericHashSet<T, RandomState, DefaultSharedPtr>;
