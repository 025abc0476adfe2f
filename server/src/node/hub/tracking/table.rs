//! Which clients may hold copies of which keys.

use std::{
    hash::BuildHasher,
    sync::atomic::{AtomicUsize, Ordering},
};

use crossbeam_utils::CachePadded;
use hashbrown::{DefaultHashBuilder, HashMap};
use parking_lot::Mutex;

/// Parts of the table: a power of two. More than there are threads by far, so that they seldom meet at a lock, and
/// enough that walking one of them is short.
const PARTS: usize = 256;

type Part = HashMap<Box<[u8]>, Vec<u64>, DefaultHashBuilder>;

/// Remembered keys with the ids of the clients that read them.
///
/// In parts of its own instead of a concurrent map, because a full table must give up keys here and there.
/// Bound: `tracking-table-max-keys`, which [`super::Tracking`] keeps it to.
#[derive(Debug)]
pub(super) struct Table {
    hasher: DefaultHashBuilder,
    parts: Box<[CachePadded<Mutex<Part>>]>,
    keys: AtomicUsize,
    items: AtomicUsize,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            hasher: DefaultHashBuilder::default(),
            parts: (0..PARTS).map(|_| CachePadded::default()).collect(),
            keys: AtomicUsize::new(0),
            items: AtomicUsize::new(0),
        }
    }
}

impl Table {
    fn part(&self, key: &[u8]) -> &Mutex<Part> {
        &self.parts[self.hasher.hash_one(key) as usize % PARTS]
    }

    /// Remembers that a client read a key.
    pub(super) fn insert(&self, key: &[u8], client_id: u64) {
        let mut part = self.part(key).lock();
        match part.get_mut(key) {
            Some(ids) if ids.contains(&client_id) => return,
            Some(ids) => ids.push(client_id),
            None => {
                part.insert(key.into(), vec![client_id]);
                self.keys.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.items.fetch_add(1, Ordering::Relaxed);
    }

    /// Forgets a key and answers who read it.
    pub(super) fn remove(&self, key: &[u8]) -> Option<Vec<u64>> {
        if self.keys.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let ids = self.part(key).lock().remove(key)?;
        self.count_removed(1, ids.len());
        Some(ids)
    }

    /// Forgets some key, from the part at or behind `from`.
    pub(super) fn remove_any(&self, from: usize) -> Option<(Box<[u8]>, Vec<u64>)> {
        for offset in 0..PARTS {
            let mut part = self.parts[(from + offset) % PARTS].lock();
            let Some(key) = part.keys().next().cloned() else { continue };
            let ids = part.remove(&key)?;
            self.count_removed(1, ids.len());
            return Some((key, ids));
        }
        None
    }

    /// Forgets the clients that `is_live` does not know, part by part.
    pub(super) fn retain_clients(&self, is_live: impl Fn(u64) -> bool) {
        for part in &self.parts {
            let mut part = part.lock();
            part.retain(|_, ids| {
                let before = ids.len();
                ids.retain(|&id| is_live(id));
                self.count_removed(usize::from(ids.is_empty()), before - ids.len());
                !ids.is_empty()
            });
            part.shrink_to_fit();
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        for part in &self.parts {
            let part = std::mem::take(&mut *part.lock());
            self.count_removed(part.len(), part.values().map(Vec::len).sum());
        }
    }

    fn count_removed(&self, keys: usize, items: usize) {
        self.keys.fetch_sub(keys, Ordering::Relaxed);
        self.items.fetch_sub(items, Ordering::Relaxed);
    }

    /// How many keys are remembered.
    pub(super) fn keys(&self) -> usize {
        self.keys.load(Ordering::Relaxed)
    }

    /// How many pairs of a key and a client are remembered.
    pub(super) fn items(&self) -> usize {
        self.items.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_remembered_once_per_client_until_it_is_removed() {
        let table = Table::default();
        table.insert(b"k", 1);
        table.insert(b"k", 1);
        table.insert(b"k", 2);
        assert_eq!((table.keys(), table.items()), (1, 2));
        assert_eq!(table.remove(b"k"), Some(vec![1, 2]));
        assert_eq!(table.remove(b"k"), None);
        assert_eq!((table.keys(), table.items()), (0, 0));
    }

    #[test]
    fn clients_that_are_gone_leave_no_key_behind() {
        let table = Table::default();
        table.insert(b"a", 1);
        table.insert(b"b", 1);
        table.insert(b"b", 2);
        table.retain_clients(|id| id == 2);
        assert_eq!((table.keys(), table.items()), (1, 1));
        assert_eq!(table.remove(b"b"), Some(vec![2]));
    }

    #[test]
    fn a_victim_is_found_wherever_the_search_begins() {
        let table = Table::default();
        table.insert(b"only", 7);
        assert_eq!(table.remove_any(123), Some((Box::from(&b"only"[..]), vec![7])));
        assert_eq!(table.remove_any(123), None);
    }
}
