//! What a connection has written, for WAIT.

use hashbrown::HashMap;
use rondache_protocol::{bus::replicate::SlotPosition, slot::SLOTS};

use crate::command::generic::wait::COUNTED_SLOTS;

/// Slots whose positions are remembered; with more, only the slots are.
const POSITIONS_MAX: usize = 1024;

/// The slots that a connection wrote to, and where each stood with its last write.
///
/// Bound: [`POSITIONS_MAX`] positions, then one bit per slot: what a takeover has lost of so many is not noticed any more,
/// but WAIT still counts only copies that have all of these slots' writes.
#[derive(Debug, Default)]
pub(crate) struct WrittenSlots {
    positions: HashMap<u16, SlotPosition>,
    /// All of them, once there are too many.
    slots: Option<Box<Bits>>,
}

const WORD_BITS: usize = u64::BITS as usize;

/// One bit per slot. Every write of a busy connection sets one, somewhere: without a look at what was there, nothing has to
/// wait for the memory.
#[derive(Debug)]
struct Bits([u64; SLOTS as usize / WORD_BITS]);

impl Default for Bits {
    fn default() -> Self {
        Self([0; SLOTS as usize / WORD_BITS])
    }
}

impl Bits {
    #[inline]
    fn insert(&mut self, slot: u16) {
        let slot = usize::from(slot % SLOTS);
        self.0[slot / WORD_BITS] |= 1 << (slot % WORD_BITS);
    }

    fn iter(&self) -> impl Iterator<Item = u16> {
        (0..SLOTS).filter(|slot| self.0[usize::from(*slot) / WORD_BITS] & 1 << (usize::from(*slot) % WORD_BITS) != 0)
    }
}

impl WrittenSlots {
    /// The connection wrote to a slot, which stands there now.
    #[inline]
    pub(crate) fn note(&mut self, slot: u16, at: SlotPosition) {
        match &mut self.slots {
            Some(slots) => slots.insert(slot),
            None if self.positions.len() < POSITIONS_MAX => _ = self.positions.insert(slot, at),
            None => self.note_beyond(slot, at),
        }
    }

    #[cold]
    fn note_beyond(&mut self, slot: u16, at: SlotPosition) {
        match self.positions.get_mut(&slot) {
            Some(known) => *known = at,
            None => {
                let slots = self.slots.get_or_insert_default();
                self.positions.drain().for_each(|(slot, _)| slots.insert(slot));
                slots.insert(slot);
            }
        }
    }

    /// The connection wrote to every slot.
    pub(crate) fn note_all(&mut self) {
        self.positions.clear();
        self.slots.get_or_insert_default().0.fill(u64::MAX);
    }

    /// All slots, each with its position where that is remembered.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u16, Option<SlotPosition>)> {
        let known = self.positions.iter().map(|(slot, at)| (*slot, Some(*at)));
        known.chain(self.slots.iter().flat_map(|slots| slots.iter()).map(|slot| (slot, None)))
    }
}

/// Slots to be counted, in words that [`parse`] reads.
pub(crate) fn describe(slots: impl Iterator<Item = (u16, Option<SlotPosition>)>) -> String {
    use std::fmt::Write;
    let mut words = COUNTED_SLOTS.to_owned();
    for (slot, at) in slots {
        // Writing to a string can't fail.
        let _ = match at {
            Some(SlotPosition { epoch, seq }) => write!(words, "{slot}@{epoch}.{seq},"),
            None => write!(words, "{slot},"),
        };
    }
    words
}

/// Reads what stands behind [`COUNTED_SLOTS`]; `None`: it is something else.
pub(crate) fn parse(words: &[u8]) -> Option<Vec<(u16, Option<SlotPosition>)>> {
    let words = std::str::from_utf8(words).ok()?;
    let entry = |word: &str| {
        let Some((slot, at)) = word.split_once('@') else { return Some((word.parse().ok()?, None)) };
        let (epoch, seq) = at.split_once('.')?;
        Some((slot.parse().ok()?, Some(SlotPosition { epoch: epoch.parse().ok()?, seq: seq.parse().ok()? })))
    };
    words.split(',').filter(|word| !word.is_empty()).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seq: u64) -> SlotPosition {
        SlotPosition { epoch: 1, seq }
    }

    #[test]
    fn the_last_position_of_each_slot_is_remembered() {
        let mut written = WrittenSlots::default();
        [(1, 5), (2, 6), (1, 7)].into_iter().for_each(|(slot, seq)| written.note(slot, at(seq)));
        let mut all: Vec<_> = written.iter().collect();
        all.sort_unstable_by_key(|(slot, _)| *slot);
        assert_eq!(all, [(1, Some(at(7))), (2, Some(at(6)))]);
        assert_eq!(parse(&describe(all.iter().copied()).as_bytes()[COUNTED_SLOTS.len()..]), Some(all));
    }

    #[test]
    fn of_too_many_slots_only_the_numbers_are_remembered() {
        let mut written = WrittenSlots::default();
        (0..POSITIONS_MAX as u16).for_each(|slot| written.note(slot, at(1)));
        written.note(3, at(2));
        assert!(written.iter().all(|(_, at)| at.is_some()));
        written.note(9_999, at(1));
        assert_eq!(written.iter().filter(|(_, at)| at.is_none()).count(), POSITIONS_MAX + 1);
        assert!(written.positions.is_empty());
    }

    #[test]
    fn words_that_name_no_slots_are_refused() {
        for words in ["x", "1@", "1@2", "1@2.x", "70000", "1,,@"] {
            assert_eq!(parse(words.as_bytes()), None, "{words}");
        }
        assert_eq!(parse(b""), Some(Vec::new()));
    }
}
