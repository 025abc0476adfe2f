//! A set of slots that is cheap to fill whole, and to walk a part at a time.

/// One bit per slot.
#[derive(Debug, Default)]
pub(super) struct SlotSet(Vec<u64>);

impl SlotSet {
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn insert(&mut self, slot: u16) {
        let word = usize::from(slot / 64);
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (slot % 64);
    }

    pub(super) fn remove(&mut self, slot: u16) {
        if let Some(word) = self.0.get_mut(usize::from(slot / 64)) {
            *word &= !(1 << (slot % 64));
        }
    }

    pub(super) fn contains(&self, slot: u16) -> bool {
        self.0.get(usize::from(slot / 64)).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// Up to `max` of its slots from `begin` on, and on from 0 behind the last.
    pub(super) fn some_from(&self, begin: u16, max: usize) -> Vec<u16> {
        let (before, behind): (Vec<u16>, Vec<u16>) =
            if self.0.iter().all(|word| *word == 0) { Default::default() } else { self.split_at(begin) };
        behind.into_iter().chain(before).take(max).collect()
    }

    fn split_at(&self, begin: u16) -> (Vec<u16>, Vec<u16>) {
        let slots = (0u16..).step_by(64).zip(&self.0).flat_map(|(first, word)| {
            let word = *word;
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| first + bit)
        });
        slots.partition(|slot| *slot < begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_on_where_the_last_one_ended_and_begins_anew_behind_the_last_slot() {
        let mut set = SlotSet::default();
        [3, 64, 70, 16383].into_iter().for_each(|slot| set.insert(slot));
        set.remove(70);
        assert_eq!(set.some_from(0, 2), [3, 64]);
        assert_eq!(set.some_from(65, 2), [16383, 3]);
        assert_eq!(set.some_from(16383, 9), [16383, 3, 64]);
    }
}
