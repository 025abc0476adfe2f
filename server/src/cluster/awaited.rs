//! Slots whose writes wait for copies (`write-acks`): those are copied first.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use rondache_protocol::slot::SLOTS;

const WORD_BITS: usize = u64::BITS as usize;

/// What workers want of the control plane, and what that can promise them. Without locks: workers hold shards.
#[derive(Debug)]
pub struct AwaitedCopies {
    /// One bit per slot.
    words: Box<[AtomicU64]>,
    /// Whether any bit may be set, so that nobody looks at all words for nothing.
    has_any: AtomicBool,
    /// How many copies every slot will have, as far as there are members to hold them.
    possible: AtomicUsize,
}

impl Default for AwaitedCopies {
    fn default() -> Self {
        Self {
            words: (0..usize::from(SLOTS).div_ceil(WORD_BITS)).map(|_| AtomicU64::new(0)).collect(),
            has_any: AtomicBool::new(false),
            possible: AtomicUsize::new(0),
        }
    }
}

impl AwaitedCopies {
    /// How many copies a slot can come to have with the members that are there; 0 where none are made (no majority).
    #[must_use]
    pub fn possible(&self) -> usize {
        self.possible.load(Relaxed)
    }

    /// Members came or went, or are to hold more copies or fewer.
    pub(crate) fn set_possible(&self, copies: usize) {
        self.possible.store(copies, Relaxed);
    }

    /// A write waits for the slot's copies.
    pub(crate) fn insert(&self, slot: u16) {
        if let Some(word) = self.words.get(usize::from(slot) / WORD_BITS) {
            word.fetch_or(bit(slot), Relaxed);
            self.has_any.store(true, Relaxed);
        }
    }

    /// The slot has another copy, or is another node's to copy.
    pub(crate) fn remove(&self, slot: u16) {
        if let Some(word) = self.words.get(usize::from(slot) / WORD_BITS) {
            word.fetch_and(!bit(slot), Relaxed);
        }
    }

    /// Whether writes wait for the slot's copies.
    #[must_use]
    pub fn contains(&self, slot: u16) -> bool {
        self.words.get(usize::from(slot) / WORD_BITS).is_some_and(|word| word.load(Relaxed) & bit(slot) != 0)
    }

    /// Whether no write waits, as far as is known without a look at every slot.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.has_any.load(Relaxed)
    }

    /// The slots whose writes wait.
    #[must_use]
    pub fn slots(&self) -> Vec<u16> {
        // A bit that is set while this looks is seen here, or with the next look.
        if !self.has_any.swap(false, Relaxed) {
            return Vec::new();
        }
        let slots: Vec<u16> = (0..SLOTS).filter(|slot| self.contains(*slot)).collect();
        if !slots.is_empty() {
            self.has_any.store(true, Relaxed);
        }
        slots
    }
}

const fn bit(slot: u16) -> u64 {
    1 << (slot as usize % WORD_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_awaited_until_it_has_its_copy() {
        let awaited = AwaitedCopies::default();
        assert!(awaited.is_empty());
        [0, 63, 64, SLOTS - 1, u16::MAX].into_iter().for_each(|slot| awaited.insert(slot));
        assert!(!awaited.is_empty());
        assert_eq!(awaited.slots(), [0, 63, 64, SLOTS - 1]);
        awaited.remove(63);
        assert!(!awaited.contains(63) && awaited.contains(64));
        assert_eq!(awaited.slots(), [0, 64, SLOTS - 1]);
        awaited.slots().into_iter().for_each(|slot| awaited.remove(slot));
        assert!(awaited.slots().is_empty() && awaited.is_empty() && !awaited.contains(0));
    }
}
