//! When the fields of a hash expire.

use std::collections::BTreeSet;

/// Says that a field has no deadline.
const NEVER: u64 = u64::MAX;

/// Whether a deadline has passed: it has from its own millisecond on.
#[inline]
pub(super) fn has_passed(deadline_ms: u64, now_ms: u64) -> bool {
    deadline_ms <= now_ms
}

/// Deadlines (unix, ms) by the index of their field, and the indexes in order of their deadlines.
#[derive(Clone, Debug, Default)]
pub(super) struct Deadlines {
    by_index: Vec<u64>,
    order: BTreeSet<(u64, u32)>,
}

impl Deadlines {
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<u64> {
        self.by_index.get(index).copied().filter(|&deadline_ms| deadline_ms != NEVER)
    }

    pub(super) fn has_passed(&self, index: usize, now_ms: u64) -> bool {
        self.get(index).is_some_and(|deadline_ms| has_passed(deadline_ms, now_ms))
    }

    /// Sets or moves a deadline. The last representable one counts as the one before it.
    pub(super) fn set(&mut self, index: usize, deadline_ms: u64) {
        self.clear(index);
        let deadline_ms = deadline_ms.min(NEVER - 1);
        if self.by_index.len() <= index {
            self.by_index.resize(index + 1, NEVER);
        }
        self.by_index[index] = deadline_ms;
        self.order.insert((deadline_ms, index as u32));
    }

    /// Takes a deadline away; returns it.
    pub(super) fn clear(&mut self, index: usize) -> Option<u64> {
        let deadline_ms = self.get(index)?;
        self.by_index[index] = NEVER;
        self.order.remove(&(deadline_ms, index as u32));
        Some(deadline_ms)
    }

    /// Follows a removal from the table: the field at `index` is gone, and the one at `moved_from` took its place.
    pub(super) fn forget(&mut self, index: usize, moved_from: Option<usize>) {
        self.clear(index);
        if let Some(last) = moved_from
            && let Some(deadline_ms) = self.clear(last)
        {
            self.set(index, deadline_ms);
        }
        self.by_index.truncate(moved_from.unwrap_or(index));
    }

    pub(super) fn earliest(&self) -> Option<u64> {
        self.order.first().map(|&(deadline_ms, _)| deadline_ms)
    }

    /// Index of the field that expired first, if any did.
    pub(super) fn first_passed(&self, now_ms: u64) -> Option<usize> {
        let &(deadline_ms, index) = self.order.first()?;
        has_passed(deadline_ms, now_ms).then_some(index as usize)
    }

    pub(super) fn passed_count(&self, now_ms: u64) -> usize {
        self.order.iter().take_while(|&&(deadline_ms, _)| has_passed(deadline_ms, now_ms)).count()
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn memory_usage(&self) -> usize {
        // A B-tree's nodes are about two thirds full.
        size_of::<Self>()
            + self.by_index.capacity() * size_of::<u64>()
            + self.order.len() * size_of::<(u64, u32)>() * 3 / 2
    }
}
