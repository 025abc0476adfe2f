//! The index of a table: one run, or many once it is large, so that growing never stops a request for long.

use super::run::Run;

/// Members at which one run is split: rebuilding it takes about a tenth of a millisecond.
const SPLIT_LEN: usize = 32 * 1024;

/// Runs of a large index, each for one value of the top byte of the fragments. They grow one by one.
const RUNS: u32 = 256;
const RUN_BITS: u32 = RUNS.ilog2();

/// From hash fragments to slots.
#[derive(Clone, Debug)]
pub(super) enum HashIndex {
    One(Run),
    Many(Vec<Run>),
}

/// Where a large index keeps a fragment, and what its run knows it by.
#[inline]
fn place(fragment: u32) -> (usize, u32) {
    ((fragment >> (u32::BITS - RUN_BITS)) as usize, fragment << RUN_BITS)
}

impl HashIndex {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self::One(Run::with_capacity(capacity.min(SPLIT_LEN)))
    }

    /// The slot with this fragment that `is_it` accepts.
    #[inline]
    pub(super) fn find(&self, fragment: u32, is_it: impl FnMut(usize) -> bool) -> Option<usize> {
        match self {
            Self::One(run) => run.find(fragment, is_it),
            Self::Many(runs) => {
                let (run, fragment) = place(fragment);
                runs.get(run)?.find(fragment, is_it)
            }
        }
    }

    #[inline]
    fn run_mut(&mut self, fragment: u32) -> Option<(&mut Run, u32)> {
        match self {
            Self::One(run) => Some((run, fragment)),
            Self::Many(runs) => {
                let (run, fragment) = place(fragment);
                Some((runs.get_mut(run)?, fragment))
            }
        }
    }

    pub(super) fn insert(&mut self, fragment: u32, slot: u32) {
        if let Self::One(run) = self
            && run.len() >= SPLIT_LEN
        {
            *self = Self::Many(run.split(RUNS));
        }
        if let Some((run, fragment)) = self.run_mut(fragment) {
            run.insert(fragment, slot);
        }
    }

    pub(super) fn remove(&mut self, fragment: u32, slot: u32) {
        if let Some((run, fragment)) = self.run_mut(fragment) {
            run.remove(fragment, slot);
        }
    }

    /// Says that the entry with this fragment moved to another slot.
    pub(super) fn renumber(&mut self, fragment: u32, from: u32, to: u32) {
        if let Some((run, fragment)) = self.run_mut(fragment) {
            run.renumber(fragment, from, to);
        }
    }

    pub(super) fn memory_usage(&self) -> usize {
        match self {
            Self::One(run) => run.memory_usage(),
            Self::Many(runs) => {
                let inside: usize = runs.iter().map(Run::memory_usage).sum();
                runs.capacity() * size_of::<Run>() + inside
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_survive_the_split_and_their_removal_after_it() {
        let mut index = HashIndex::with_capacity(0);
        let fragment = |slot: u32| slot.wrapping_mul(2_654_435_761).min(u32::MAX - 1);
        let total = 3 * SPLIT_LEN as u32;
        for slot in 0..total {
            index.insert(fragment(slot), slot);
        }
        assert!(matches!(index, HashIndex::Many(_)));
        let find = |index: &HashIndex, slot: u32| index.find(fragment(slot), |found| found == slot as usize);
        assert!((0..total).all(|slot| find(&index, slot) == Some(slot as usize)));
        for slot in (0..total).filter(|slot| slot % 10 != 0) {
            index.remove(fragment(slot), slot);
        }
        assert!((0..total).all(|slot| find(&index, slot).is_some() == (slot % 10 == 0)));
    }

    #[test]
    fn equal_fragments_are_told_apart() {
        let mut index = HashIndex::with_capacity(4);
        for slot in 0..100 {
            index.insert(7, slot);
        }
        index.remove(7, 50);
        index.renumber(7, 99, 50);
        assert_eq!(index.find(7, |slot| slot == 50), Some(50));
        assert_eq!(index.find(7, |slot| slot == 99), None);
    }
}
