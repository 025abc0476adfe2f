//! Clients that wait for a key to change.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use hashbrown::{Equivalent, HashMap};

/// Set when a key that a transaction WATCHes changes; shared by all keys of one client's watch.
#[derive(Clone, Debug, Default)]
pub struct WatchFlag(Arc<AtomicBool>);

impl WatchFlag {
    /// Marks the transaction as one to abort.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether a watched key has changed.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Whether only the shard still holds the flag: its client has stopped watching.
    pub(crate) fn is_abandoned(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

/// A key with its database, for looking one up in a map without copying it.
#[derive(Clone, Copy, Hash)]
pub(crate) struct KeyOf<'k>(pub(crate) usize, pub(crate) &'k [u8]);

impl Equivalent<(usize, Box<[u8]>)> for KeyOf<'_> {
    fn equivalent(&self, (db, key): &(usize, Box<[u8]>)) -> bool {
        self.0 == *db && *self.1 == **key
    }
}

/// A blocked client's place in line: tickets are handed out in rising order.
pub type Ticket = u64;

/// The clients blocked on keys of one shard, first come first served.
///
/// Bound: one ticket per blocked client and key, and clients are bounded by `maxclients`.
#[derive(Debug, Default)]
pub struct Waiters {
    lines: HashMap<(usize, Box<[u8]>), VecDeque<Ticket>>,
}

impl Waiters {
    /// Joins the line for a key.
    pub fn join(&mut self, db: usize, key: &[u8], ticket: Ticket) {
        let line = self.lines.entry((db, key.into())).or_default();
        if !line.contains(&ticket) {
            line.push_back(ticket);
        }
    }

    /// Leaves the line for a key.
    pub fn leave(&mut self, db: usize, key: &[u8], ticket: Ticket) {
        if let Some(line) = self.lines.get_mut(&KeyOf(db, key)) {
            line.retain(|&other| other != ticket);
            if line.is_empty() {
                self.lines.remove(&KeyOf(db, key));
            }
        }
    }

    /// Who waits for a key, in order.
    #[must_use]
    pub fn line(&self, db: usize, key: &[u8]) -> Vec<Ticket> {
        self.lines.get(&KeyOf(db, key)).map(|line| line.iter().copied().collect()).unwrap_or_default()
    }

    /// Whether anyone waits for a key.
    #[must_use]
    pub fn has_line(&self, db: usize, key: &[u8]) -> bool {
        self.lines.contains_key(&KeyOf(db, key))
    }

    /// Keys of a database that are waited for.
    #[must_use]
    pub fn keys(&self, db: usize) -> Vec<Box<[u8]>> {
        self.lines.keys().filter(|(of, _)| *of == db).map(|(_, key)| key.clone()).collect()
    }

    /// How many keys are waited for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_left_by_those_who_stand_in_it_and_keeps_its_order() {
        let mut waiters = Waiters::default();
        for ticket in [5, 3, 9, 3] {
            waiters.join(0, b"k", ticket);
        }
        waiters.join(1, b"k", 7);
        assert_eq!(waiters.line(0, b"k"), [5, 3, 9]);
        waiters.leave(0, b"k", 3);
        waiters.leave(0, b"k", 4);
        assert_eq!(waiters.line(0, b"k"), [5, 9]);
        assert!(waiters.has_line(1, b"k") && !waiters.has_line(2, b"k"));
        [5, 9].into_iter().for_each(|ticket| waiters.leave(0, b"k", ticket));
        waiters.leave(1, b"k", 7);
        assert!(waiters.is_empty());
    }
}
