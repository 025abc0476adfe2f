//! The large form of a hash: an indexed table, and the deadlines of its fields if any has one.

use super::deadlines::Deadlines;
use super::pair::Pair;
use crate::types::indexed::IndexedTable;

/// Fields by name. Only a hash with field deadlines pays for them.
#[derive(Clone, Debug)]
pub(super) struct FieldTable {
    table: IndexedTable<Pair>,
    deadlines: Option<Box<Deadlines>>,
}

impl FieldTable {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self { table: IndexedTable::with_capacity(capacity), deadlines: None }
    }

    /// Number of fields, expired ones included.
    #[inline]
    pub(super) fn total_len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn expired_len(&self, now_ms: u64) -> usize {
        self.deadlines.as_ref().map_or(0, |deadlines| deadlines.passed_count(now_ms))
    }

    #[inline]
    fn is_expired(&self, index: usize, now_ms: u64) -> bool {
        self.deadlines.as_ref().is_some_and(|deadlines| deadlines.has_passed(index, now_ms))
    }

    /// Index of a field that has not expired.
    #[inline]
    pub(super) fn find(&self, field: &[u8], now_ms: u64) -> Option<usize> {
        self.table.find(field).filter(|&index| !self.is_expired(index, now_ms))
    }

    /// The field at `index`, unless it expired.
    #[inline]
    pub(super) fn at(&self, index: usize, now_ms: u64) -> Option<(&[u8], &[u8])> {
        self.table.at(index).filter(|_| !self.is_expired(index, now_ms)).map(Pair::parts)
    }

    /// The field at `index`, expired or not, with its deadline.
    pub(super) fn at_with_deadline(&self, index: usize) -> Option<(&[u8], &[u8], Option<u64>)> {
        let (field, value) = self.table.at(index)?.parts();
        Some((field, value, self.deadline(index)))
    }

    #[inline]
    pub(super) fn get(&self, field: &[u8], now_ms: u64) -> Option<&[u8]> {
        let index = self.find(field, now_ms)?;
        self.table.at(index).map(Pair::value)
    }

    /// Sets a field's value; whether it is new. A deadline is kept only if asked for and not passed.
    #[inline]
    pub(super) fn insert(&mut self, field: &[u8], value: &[u8], keeps_deadline: bool, now_ms: u64) -> bool {
        let (index, is_new) = self.table.find_or_insert_with(field, || Pair::new(field, value));
        if is_new {
            return true;
        }
        if let Some(pair) = self.table.at_mut(index) {
            pair.set_value(value);
        }
        let was_expired = self.is_expired(index, now_ms);
        if was_expired || !keeps_deadline {
            self.clear_deadline(index);
        }
        was_expired
    }

    /// Removes a field; whether it was there and had not expired.
    pub(super) fn remove(&mut self, field: &[u8], now_ms: u64) -> bool {
        let Some(index) = self.table.find(field) else {
            return false;
        };
        let was_live = !self.is_expired(index, now_ms);
        self.remove_at(index);
        was_live
    }

    fn remove_at(&mut self, index: usize) -> Option<Pair> {
        let removed = self.table.swap_remove_at(index)?;
        if let Some(deadlines) = &mut self.deadlines {
            deadlines.forget(removed.index, removed.moved_from);
        }
        self.drop_unused_deadlines();
        Some(removed.entry)
    }

    pub(super) fn deadline(&self, index: usize) -> Option<u64> {
        self.deadlines.as_ref()?.get(index)
    }

    pub(super) fn set_deadline(&mut self, index: usize, deadline_ms: u64) {
        self.deadlines.get_or_insert_default().set(index, deadline_ms);
    }

    /// Takes a field's deadline away; returns it.
    pub(super) fn clear_deadline(&mut self, index: usize) -> Option<u64> {
        let cleared = self.deadlines.as_mut()?.clear(index);
        self.drop_unused_deadlines();
        cleared
    }

    fn drop_unused_deadlines(&mut self) {
        if self.deadlines.as_ref().is_some_and(|deadlines| deadlines.len() == 0) {
            self.deadlines = None;
        }
    }

    pub(super) fn earliest_deadline(&self) -> Option<u64> {
        self.deadlines.as_ref()?.earliest()
    }

    pub(super) fn deadline_count(&self) -> usize {
        self.deadlines.as_ref().map_or(0, |deadlines| deadlines.len())
    }

    /// Removes up to `limit` expired fields, the earliest deadline first.
    pub(super) fn take_expired(&mut self, now_ms: u64, limit: usize, mut taken: impl FnMut(&[u8])) {
        for _ in 0..limit {
            let Some(index) = self.deadlines.as_ref().and_then(|deadlines| deadlines.first_passed(now_ms)) else {
                return;
            };
            if let Some(pair) = self.remove_at(index) {
                taken(pair.parts().0);
            }
        }
    }

    pub(super) fn scan(&self, cursor: u64, count: usize, now_ms: u64, mut visit: impl FnMut(&[u8], &[u8])) -> u64 {
        self.table.scan(cursor, count, |index, pair| {
            if !self.is_expired(index, now_ms) {
                let (field, value) = pair.parts();
                visit(field, value);
            }
        })
    }

    pub(super) fn memory_usage(&self) -> usize {
        let deadlines = self.deadlines.as_ref().map_or(0, |deadlines| deadlines.memory_usage());
        size_of::<Self>() + self.table.memory_usage() + deadlines
    }
}
