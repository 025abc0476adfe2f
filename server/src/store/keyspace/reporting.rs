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

    /// Records what copies must apply for this command, in place of the command as it came. Several calls append.
    ///
    /// A handler needs it where the command is not deterministic (relative TTLs, random choices) or names keys of
    /// several slots (then one effect per key).
    pub fn effect(&mut self, key: &Key<'_>, args: &[&[u8]]) {
        if self.store.records_effects() {
            let args = args.iter().map(|&arg| Box::from(arg)).collect();
            self.effects.get_or_insert_default().push((key.slot, args));
        }
    }

    /// Says that the command changed nothing that copies must know.
    pub fn no_effect(&mut self) {
        if self.store.records_effects() {
            self.effects.get_or_insert_default();
        }
    }

    /// Whether effects are wanted, for handlers that would work to build them.
    #[must_use]
    pub fn records_effects(&self) -> bool {
        self.store.records_effects()
    }

    /// Moves the command's effects to their shards' outboxes: those that the handler recorded, else the command itself,
    /// where it changed anything.
    pub fn commit_effects<'a>(&mut self, changed: bool, verbatim: impl FnOnce() -> Option<(u16, Vec<&'a [u8]>)>) {
        if !self.store.records_effects() {
            return;
        }
        let effects = match self.effects.take() {
            Some(effects) => effects,
            None if changed => verbatim()
                .map(|(slot, args)| vec![(slot, args.into_iter().map(Box::from).collect())])
                .unwrap_or_default(),
            None => return,
        };
        let db = self.circumstances.db;
        for (slot, args) in effects {
            let shard = slot as usize % SHARDS;
            if self.holds(shard) {
                self.shard_mut(shard).outbox.get_or_insert_default().push(slot, db, args);
            }
        }
    }

    /// After a command: deletes those of its keys that a read found expired, and answers whether there were any.
    pub fn expire_met(&mut self, keys: &[Key<'_>]) -> bool {
        if !self.met_expired.replace(false) || self.expiry_role == ExpiryRole::Copy {
            return false;
        }
        for key in keys {
            self.locate(key);
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
