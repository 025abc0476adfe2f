//! The slots that are to be looked at: cheap to fill whole, and to walk a part at a time.

/// A set of slots, with one bit per slot.
#[derive(Debug, Default)]
pub(super) struct Agenda(Vec<u64>);

impl Agenda {
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
        let at = usize::from(begin / 64).min(self.0.len());
        let from_begin = !0 << (begin % 64);
        let first = self.0.get(at).map(|word| slots_of(at, word & from_begin));
        let behind = self.0.iter().enumerate().skip(at + 1).map(|(at, word)| slots_of(at, *word));
        let before = self.0.iter().enumerate().take(at).map(|(at, word)| slots_of(at, *word));
        let last = self.0.get(at).map(|word| slots_of(at, word & !from_begin));
        first.into_iter().chain(behind).chain(before).chain(last).flatten().take(max).collect()
    }
}

/// The slots of the word at a place.
fn slots_of(at: usize, mut word: u64) -> impl Iterator<Item = u16> {
    std::iter::from_fn(move || {
        let bit = word.trailing_zeros();
        (bit < 64).then(|| {
            word &= word - 1;
            (at * 64) as u16 + bit as u16
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_on_where_the_last_one_ended_and_begins_anew_behind_the_last_slot() {
        let mut agenda = Agenda::default();
        [3, 64, 70, 16383].into_iter().for_each(|slot| agenda.insert(slot));
        agenda.remove(70);
        assert_eq!(agenda.some_from(0, 2), [3, 64]);
        assert_eq!(agenda.some_from(65, 2), [16383, 3]);
        assert_eq!(agenda.some_from(16383, 9), [16383, 3, 64]);
        assert_eq!(agenda.some_from(4, 9), [64, 16383, 3]);
        assert_eq!(agenda.some_from(3, 1), [3]);
    }
}
