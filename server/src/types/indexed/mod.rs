//! A hash table that is also an array: members keep an index, so that one can be picked at random in constant time
//! and a scan needs no state but a number.
//!
//! ```text
//! index:  sorted words of (hash fragment, slot)    8 bytes a member, ~0.55–0.8 full
//! slots:  entry entry entry …                      in order of insertion; removal moves the last one into the hole
//! ```

mod index;
mod run;
mod slab;

use std::sync::OnceLock;

use index::HashIndex;
use slab::Slab;

use super::bytestr::ByteStr;

static HASH_SEED: OnceLock<u64> = OnceLock::new();

/// Sets the seed of every table's hash, once, before the first table is used; returns whether it was accepted.
///
/// An unpredictable seed keeps clients from choosing members that collide. Without a call it is zero.
pub fn set_hash_seed(seed: u64) -> bool {
    HASH_SEED.set(seed).is_ok()
}

/// The hash of a member under the seed.
#[inline]
pub(super) fn hash_of(key: &[u8]) -> u64 {
    let seed = *HASH_SEED.get_or_init(|| 0);
    xxhash_rust::xxh3::xxh3_64_with_seed(key, seed)
}

#[inline]
fn fragment_of(key: &[u8]) -> u32 {
    // The largest fragment is the index's mark of a free place.
    ((hash_of(key) >> 32) as u32).min(u32::MAX - 1)
}

/// What a table stores: something that is found by a byte string of its own.
pub trait Entry {
    /// The key, which must not change while the entry is in a table.
    fn key(&self) -> &[u8];

    /// Bytes that the entry owns on the heap.
    fn heap_bytes(&self) -> usize;
}

impl Entry for ByteStr {
    #[inline]
    fn key(&self) -> &[u8] {
        self.as_bytes()
    }

    fn heap_bytes(&self) -> usize {
        Self::heap_bytes(self)
    }
}

/// Entries that are found by their key, and that also have an index from 0 to `len() - 1`.
#[derive(Clone, Debug)]
pub struct IndexedTable<E> {
    slots: Slab<E>,
    index: HashIndex,
}

/// What a removal took out, and what it moved.
#[derive(Debug)]
pub struct Removed<E> {
    /// The entry that was removed.
    pub entry: E,
    /// Index it had.
    pub index: usize,
    /// Index from which the last entry was moved to `index`, unless it was the removed one itself.
    pub moved_from: Option<usize>,
}

impl<E: Entry> Default for IndexedTable<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Entry> IndexedTable<E> {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self { slots: Slab::new(), index: HashIndex::with_capacity(0) }
    }

    /// An empty table that takes `capacity` entries without growing its index.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { slots: Slab::new(), index: HashIndex::with_capacity(capacity) }
    }

    /// Number of entries.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.len() == 0
    }

    /// Index of `key`.
    #[must_use]
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<usize> {
        self.find_hashed(fragment_of(key), key)
    }

    #[inline]
    fn find_hashed(&self, fragment: u32, key: &[u8]) -> Option<usize> {
        self.index.find(fragment, |slot| self.slots.get(slot).is_some_and(|entry| entry.key() == key))
    }

    /// Whether `key` is present.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        self.find(key).is_some()
    }

    /// The entry of `key`.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<&E> {
        self.at(self.find(key)?)
    }

    /// The entry at `index`.
    #[must_use]
    #[inline]
    pub fn at(&self, index: usize) -> Option<&E> {
        self.slots.get(index)
    }

    /// The entry at `index`, of which anything but the key may be changed.
    #[inline]
    pub fn at_mut(&mut self, index: usize) -> Option<&mut E> {
        self.slots.get_mut(index)
    }

    /// Index of `key`, for which the entry that `make` returns is inserted if there is none; and whether it was.
    ///
    /// # Panics
    /// When the table already holds 2³² − 1 entries.
    #[inline]
    pub fn find_or_insert_with(&mut self, key: &[u8], make: impl FnOnce() -> E) -> (usize, bool) {
        let fragment = fragment_of(key);
        if let Some(index) = self.find_hashed(fragment, key) {
            return (index, false);
        }
        let index = self.slots.len();
        assert!(index < u32::MAX as usize, "a collection holds at most 2^32 - 1 members");
        let entry = make();
        debug_assert_eq!(entry.key(), key);
        self.index.insert(fragment, index as u32);
        self.slots.push(entry);
        (index, true)
    }

    /// Removes `key`. The last entry takes its index.
    pub fn swap_remove(&mut self, key: &[u8]) -> Option<Removed<E>> {
        self.swap_remove_at(self.find(key)?)
    }

    /// Removes the entry at `index`. The last entry takes its place.
    pub fn swap_remove_at(&mut self, index: usize) -> Option<Removed<E>> {
        let fragment = fragment_of(self.slots.get(index)?.key());
        self.index.remove(fragment, index as u32);
        let last = self.slots.len() - 1;
        if index != last
            && let Some(moved) = self.slots.get(last)
        {
            self.index.renumber(fragment_of(moved.key()), last as u32, index as u32);
        }
        let entry = self.slots.swap_remove(index)?;
        Some(Removed { entry, index, moved_from: (index != last).then_some(last) })
    }

    /// All entries in order of their index. A table built again by inserting them in this order has the same indexes,
    /// so that a scan's cursor stays valid on a copy.
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.slots.iter()
    }

    /// Visits up to `count` entries (at least one) and returns the cursor to go on with, 0 at the end; 0 also starts.
    ///
    /// The cursor is the number of entries not visited yet, and entries are visited from the last to the first. A
    /// removal moves the last entry to a lower index, so an entry may be seen twice, but one that is present from the
    /// first call to the last is never missed.
    pub fn scan(&self, cursor: u64, count: usize, mut visit: impl FnMut(usize, &E)) -> u64 {
        let len = self.len();
        let from = if cursor == 0 { len } else { usize::try_from(cursor).unwrap_or(len).min(len) };
        let to = from.saturating_sub(count.max(1));
        for index in (to..from).rev() {
            if let Some(entry) = self.at(index) {
                visit(index, entry);
            }
        }
        to as u64
    }

    /// Heap bytes owned: exact for small tables, and with what the entries own estimated from a sample for large ones.
    pub fn memory_usage(&self) -> usize {
        let stride = (self.len() / MEMORY_SAMPLE_LEN).max(1);
        let sample = (0..self.len()).step_by(stride).filter_map(|index| self.at(index));
        let (count, bytes) = sample.fold((0, 0), |(count, bytes), entry| (count + 1, bytes + entry.heap_bytes()));
        let inside = bytes * self.len() / count.max(1);
        self.slots.memory_usage() + self.index.memory_usage() + inside
    }
}

/// Entries of a large table that are asked for their memory: enough for a good mean, few enough for a short pause.
const MEMORY_SAMPLE_LEN: usize = 512;

#[cfg(test)]
mod tests;
