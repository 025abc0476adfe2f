//! What the near cache keeps of a key, and how it is found at the cost of a look-up alone.
//!
//! moka keeps account of each `get`: it clones a pointer to the entry into a queue, and from there moves the entry to the
//! end of its list of recently used ones, which are more cache lines than the look-up itself touches. Its `contains_key`
//! does none of that, but answers no value. So the key that moka holds leads to its entry, and the key that is looked
//! for takes it along when the two are compared. Of an entry that is asked for again and again, moka is told of some
//! reads only.

use std::{
    borrow::Borrow,
    cell::Cell,
    hash::{Hash, Hasher},
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use bytes::Bytes;
use moka::Equivalent;
use tokio::time::Instant;

use super::node::NearNode;

/// So many reads of an entry are told to moka, and from then on one in so many: TinyLFU counts to 15, so more would tell
/// it nothing about the entry's popularity, and too few would let it take a popular entry for a forgotten one.
const READS_TOLD: u32 = 16;

/// A value that was read from a node; nothing if the node holds none.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) value: Option<Bytes>,
    pub(super) node: Arc<NearNode>,
    pub(super) epoch: u64,
    pub(super) until: Instant,
    /// How often it was read, about: reads at the same time may count as one.
    reads: AtomicU32,
}

impl Entry {
    pub(super) fn new(value: Option<Bytes>, node: Arc<NearNode>, epoch: u64, until: Instant) -> Self {
        Self { value, node, epoch, until, reads: AtomicU32::new(0) }
    }

    /// Counts a read; whether moka is to be told of it.
    #[inline]
    pub(super) fn is_read_told(&self) -> bool {
        let reads = self.reads.load(Ordering::Relaxed);
        self.reads.store(reads.wrapping_add(1), Ordering::Relaxed);
        reads < READS_TOLD || reads.is_multiple_of(READS_TOLD)
    }
}

/// A key that moka holds, and the way to its entry.
#[derive(Debug)]
pub(super) struct StoredKey {
    pub(super) key: Bytes,
    /// moka keeps keys for a while after their entries are gone: only the entry may hold the value.
    entry: Weak<Entry>,
}

impl StoredKey {
    pub(super) fn new(key: Bytes, entry: &Arc<Entry>) -> Self {
        Self { key, entry: Arc::downgrade(entry) }
    }
}

impl PartialEq for StoredKey {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for StoredKey {}

impl Hash for StoredKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl Borrow<[u8]> for StoredKey {
    fn borrow(&self) -> &[u8] {
        &self.key
    }
}

/// A key that is looked for; it takes along the entry of the key that it is found to equal.
pub(super) struct SoughtKey<'a> {
    key: &'a [u8],
    found: Cell<Option<Arc<Entry>>>,
}

impl<'a> SoughtKey<'a> {
    #[inline]
    pub(super) fn new(key: &'a [u8]) -> Self {
        Self { key, found: Cell::new(None) }
    }

    /// The entry of the key that it was last found to equal.
    #[inline]
    pub(super) fn into_entry(self) -> Option<Arc<Entry>> {
        self.found.into_inner()
    }
}

impl Hash for SoughtKey<'_> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl Equivalent<StoredKey> for SoughtKey<'_> {
    #[inline]
    fn equivalent(&self, stored: &StoredKey) -> bool {
        let is_equal = self.key == &stored.key[..];
        if is_equal {
            self.found.set(stored.entry.upgrade());
        }
        is_equal
    }
}
