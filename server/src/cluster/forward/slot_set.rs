//! Sets of slots that are asked per request and emptied per batch.

use rondache_protocol::slot::SLOTS;

const WORD_BITS: usize = u64::BITS as usize;

/// A set of slots. Asking is one load; emptying costs only as much as was put in.
#[derive(Debug)]
pub(crate) struct SlotSet {
    words: Box<[u64]>,
    members: Vec<u16>,
}

impl Default for SlotSet {
    fn default() -> Self {
        Self { words: vec![0; usize::from(SLOTS).div_ceil(WORD_BITS)].into(), members: Vec::new() }
    }
}

impl SlotSet {
    /// Puts a slot in; numbers that are no slot are left out.
    pub(crate) fn insert(&mut self, slot: u16) {
        if let Some(word) = self.words.get_mut(usize::from(slot) / WORD_BITS) {
            let bit = 1 << (usize::from(slot) % WORD_BITS);
            if *word & bit == 0 {
                *word |= bit;
                self.members.push(slot);
            }
        }
    }

    /// Whether the slot is in.
    #[inline]
    pub(crate) fn contains(&self, slot: u16) -> bool {
        !self.members.is_empty()
            && self
                .words
                .get(usize::from(slot) / WORD_BITS)
                .is_some_and(|word| word & 1 << (usize::from(slot) % WORD_BITS) != 0)
    }

    /// Takes all out.
    pub(crate) fn clear(&mut self) {
        for slot in self.members.drain(..) {
            if let Some(word) = self.words.get_mut(usize::from(slot) / WORD_BITS) {
                *word = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_in_until_the_set_is_emptied() {
        let mut set = SlotSet::default();
        for slot in [0, 63, 64, SLOTS - 1] {
            set.insert(slot);
        }
        assert!(set.contains(63) && set.contains(SLOTS - 1) && !set.contains(62));
        set.clear();
        assert!((0..SLOTS).all(|slot| !set.contains(slot)));
    }

    #[test]
    fn a_number_that_is_no_slot_is_never_in() {
        let mut set = SlotSet::default();
        set.insert(u16::MAX);
        assert!(!set.contains(u16::MAX));
    }
}
