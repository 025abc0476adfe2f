//! Telling others of changes: watching and blocked clients, copies, and whoever listens.

use super::*;
use crate::store::waiters;

impl<'s> Keyspace<'s> {
    /// Says that `key` was changed: transactions that watch it abort, blocked clients are served after the command,
    /// copies that clients hold are invalidated, and the event is published. Every handler that changed a key calls it,
    /// once per event.
    #[inline]
    pub fn changed(&mut self, key: &Key<'_>, class: EventClass, event: &str) {
        self.touched(key);
        self.event(key, class, event);
    }

    /// [`Keyspace::changed`] for what befalls a key in the course of a client's command without being its doing: even a
    /// client that asked not to hear of its own changes hears of it.
    pub(in crate::store) fn changed_by_nobody(&mut self, key: &Key<'_>, class: EventClass, event: &str) {
        let met_by = std::mem::take(&mut self.circumstances.client_id);
        self.changed(key, class, event);
        self.circumstances.client_id = met_by;
    }

    /// [`Keyspace::changed`] without an event.
    #[inline]
    pub fn touched(&mut self, key: &Key<'_>) {
        self.counts.changes += 1;
        let db = self.circumstances.db;
        let shard = self.shard_mut(key.shard());
        let observed = shard.watchers.is_some() || shard.waiters.is_some();
        if observed {
            if let Some(watchers) = &mut shard.watchers
                && let Some(flags) = watchers.remove(&waiters::KeyOf(db, key.bytes))
            {
                flags.iter().for_each(waiters::WatchFlag::raise);
            }
            if shard.waiters.as_ref().is_some_and(|waiters| waiters.has_line(db, key.bytes)) {
                self.ready.push((db, key.bytes.into()));
            }
        }
        if self.interest.tracking() {
            self.observer.invalidated(self.circumstances.client_id, db, key.bytes);
        }
    }

    /// Publishes a keyspace event.
    #[inline]
    pub fn event(&self, key: &Key<'_>, class: EventClass, event: &str) {
        if self.interest.events().intersects(class) {
            self.observer.event(class, event, self.circumstances.db, key.bytes);
        }
    }

    /// After a command: deletes those of its keys that a read found expired, and answers whether there were any.
    pub fn expire_met(&mut self, keys: &[Key<'_>]) -> bool {
        if !self.met_expired.replace(false) || self.expiry_role == ExpiryRole::Copy {
            return false;
        }
        for key in keys {
            if self.decides_on(key) {
                self.locate(key);
            }
        }
        true
    }

    /// Whether a read met an expired key since the last [`Keyspace::expire_met`].
    #[must_use]
    pub fn has_met_expired(&self) -> bool {
        self.met_expired.get()
    }

    /// Whether clients wait for `key`; then they are served after the command, as if the key had changed.
    pub fn mark_ready_if_awaited(&mut self, key: &Key<'_>) -> bool {
        let db = self.circumstances.db;
        let waiters = self.shard(key.shard()).waiters.as_ref();
        let is_awaited = waiters.is_some_and(|waiters| waiters.has_line(db, key.bytes));
        if is_awaited {
            self.ready.push((db, key.bytes.into()));
        }
        is_awaited
    }

    /// The keys that changed while clients were blocked on them.
    pub fn take_ready(&mut self) -> Vec<(usize, Box<[u8]>)> {
        std::mem::take(&mut self.ready)
    }

    /// Whether [`Keyspace::take_ready`] has something.
    #[must_use]
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Hands over what was counted since the last call.
    pub fn take_counts(&mut self) -> KeyspaceCounts {
        let mut counts = std::mem::take(&mut self.counts);
        counts.hits += self.hits.take();
        counts.misses += self.misses.take();
        counts
    }
}
