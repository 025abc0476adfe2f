//! Access to keys: what a command's handler is written against.
//!
//! A [`Keyspace`] holds the locks of the shards that the running command names, and offers lookups, typed access and
//! changes on them. It hides expired keys, counts accesses for eviction, and reports changes to watching, blocked and
//! tracking clients, so that handlers cannot forget to.

mod changing;
mod effects;
mod locks;
mod reading;
mod reporting;
mod string;

use std::{cell::Cell, sync::Arc};

use rondache_protocol::bus::{identity::WriteId, replicate::SlotPosition};

use super::{
    SHARDS, Store,
    entry::{EMBEDDED_LEN_MAX, EntryBox, EntryRef, Payload, SharedBytes, Value},
    key::Key,
    object::{Kind, Object, Typed, WrongType},
    observer::{EventClass, Interest, Observer},
    replicate::{append::Wakes, outgoing::Outgoing, pending::PendingEffects, recent::Retried},
    shard::{Db, Shard, ShardGuard},
    table::Place,
};

/// What becomes of a key's TTL when its value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ttl {
    /// The key does not expire.
    Clear,
    /// The key keeps the deadline it has.
    Keep,
    /// The key expires at this unix time in ms.
    At(u64),
}

/// Who decides that a key has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryRole {
    /// This node: an expired key is deleted when it is met.
    Owner,
    /// The slot's owner: an expired key is hidden here, and deleted by its owner's effect.
    Copy,
}

/// How accesses are noted for eviction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessPolicy {
    /// The 24-bit clock holds the second of the last access.
    Clock,
    /// The 24-bit clock holds minutes and a logarithmic counter, as Redis's LFU.
    Lfu {
        /// Accesses needed to count one more grow with this factor.
        log_factor: u32,
        /// Minutes after which an unused key counts one less.
        decay_minutes: u32,
    },
}

/// The circumstances of the running command.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    /// The database that the client selected.
    pub db: usize,
    /// The unix time in ms at which the command happens.
    pub now_ms: u64,
    /// The client, for tracking's NOLOOP; 0 for none.
    pub client_id: u64,
    /// Whether reads count as accesses (CLIENT NO-TOUCH turns it off).
    pub touch: bool,
}

/// Counters of a keyspace, collected by its worker after each batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyspaceCounts {
    /// Lookups for reading that found their key.
    pub hits: u64,
    /// Lookups for reading that did not.
    pub misses: u64,
    /// Changes to keys.
    pub changes: u64,
    /// Keys that had expired when they were met.
    pub expired: u64,
    /// Keys evicted for memory.
    pub evicted: u64,
    /// Relative TTLs that jitter shortened.
    pub ttls_jittered: u64,
}

/// A write that was executed: where its slot stands with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The slot.
    pub slot: u16,
    /// The slot's position.
    pub at: SlotPosition,
}

enum Held<'s> {
    None,
    One(usize, ShardGuard<'s>),
    /// Sorted by shard.
    Many(Vec<(usize, ShardGuard<'s>)>),
}

/// The shards that a command holds, and access to the keys in them.
pub struct Keyspace<'s> {
    store: &'s Store,
    pub(super) observer: &'s dyn Observer,
    pub(super) interest: &'s Interest,
    held: Held<'s>,
    /// Room for the next [`Held::Many`].
    spare: Vec<(usize, ShardGuard<'s>)>,
    /// The running command's circumstances.
    pub circumstances: Circumstances,
    /// How accesses are noted.
    pub access_policy: AccessPolicy,
    /// Whether slots count accesses in their two frequency bits (S3-FIFO).
    pub counts_frequency: bool,
    /// Who decides on expiry.
    pub expiry_role: ExpiryRole,
    /// A random word for probabilistic counters; refreshed by the caller.
    pub random: Cell<u64>,
    /// What happened so far.
    pub counts: KeyspaceCounts,
    hits: Cell<u64>,
    misses: Cell<u64>,
    /// Set when a read met an expired key, which it may not delete.
    met_expired: Cell<bool>,
    /// Keys that were changed and that blocked clients wait for.
    pub(super) ready: Vec<(usize, Box<[u8]>)>,
    /// The running command's effects.
    pending: PendingEffects,
    /// Senders to be woken at the end of the batch.
    pub(super) wakes: Wakes,
    /// The name of the forwarded write that runs: its retries are answered from what is remembered of it.
    pub forwarded: Option<WriteId>,
    /// Whether a transaction runs, whose effects stay together.
    is_transaction: bool,
    /// Where the slots stand that were written to since this was last taken.
    written: Vec<Written>,
    /// Values that are costly to free, kept until the locks are gone.
    garbage: Vec<EntryBox>,
}

impl<'s> Keyspace<'s> {
    /// Access to `store` with no shard held yet.
    #[must_use]
    pub fn new(store: &'s Store, observer: &'s dyn Observer, circumstances: Circumstances) -> Self {
        Self {
            store,
            observer,
            interest: observer.interest(),
            held: Held::None,
            spare: Vec::new(),
            circumstances,
            access_policy: AccessPolicy::Clock,
            counts_frequency: store.evictor.is_on(),
            expiry_role: ExpiryRole::Owner,
            random: Cell::new(0),
            counts: KeyspaceCounts::default(),
            hits: Cell::new(0),
            misses: Cell::new(0),
            met_expired: Cell::new(false),
            ready: Vec::new(),
            pending: PendingEffects::default(),
            wakes: Wakes::default(),
            forwarded: None,
            is_transaction: false,
            written: Vec::new(),
            garbage: Vec::new(),
        }
    }

    /// The store behind.
    #[must_use]
    pub fn store(&self) -> &'s Store {
        self.store
    }

    /// Hash and slot of a key.
    #[inline]
    #[must_use]
    pub fn key<'k>(&self, bytes: &'k [u8]) -> Key<'k> {
        self.store.key(bytes)
    }

    /// The time of the running command, unix ms.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.circumstances.now_ms
    }

    #[inline]
    fn insert(&mut self, key: &Key<'_>, entry: EntryBox) {
        self.insert_at(key, entry);
    }

    fn insert_at(&mut self, key: &Key<'_>, entry: EntryBox) -> Place {
        let db = self.db_mut(key);
        db.count_deadline(None, entry.as_ref().deadline_ms());
        *db.slot_count_mut(key.slot) += 1;
        let is_volatile = entry.as_ref().deadline_ms().is_some();
        let evictor = &self.store.evictor;
        let meta = if evictor.is_on() { evictor.admit(key.shard(), key.hash, is_volatile) } else { 0 };
        let place = self.db_mut(key).table.insert(key.hash, entry, meta);
        self.event(key, EventClass::NEW, "new");
        place
    }

    fn take_at(&mut self, key: &Key<'_>, place: Place) -> EntryBox {
        let entry = self.unlink_at(key, place);
        self.db_mut(key).table.shrink_if_sparse();
        entry
    }

    fn unlink_at(&mut self, key: &Key<'_>, place: Place) -> EntryBox {
        let db = self.db_mut(key);
        let entry = db.table.remove(key.hash, place);
        db.count_deadline(entry.as_ref().deadline_ms(), None);
        db.forget_field_deadlines(key.bytes);
        *db.slot_count_mut(key.slot) -= 1;
        if self.store.evictor.is_on() {
            self.store.evictor.forget(key.shard(), 1);
        }
        entry
    }

    /// Evicts the entry at a place of a held shard, as a deletion that copies and clients hear of. Answers its hash.
    pub(crate) fn evict_at(&mut self, shard: usize, db: usize, place: Place) -> u64 {
        let bytes: Box<[u8]> = match self.shard(shard).db(db) {
            Some(content) => content.table.entry(place).key().into(),
            None => return 0,
        };
        let key = self.store.key(&bytes);
        let selected = std::mem::replace(&mut self.circumstances.db, db);
        let entry = self.take_at(&key, place);
        self.discard(entry);
        self.counts.evicted += 1;
        self.queue_effect(&key, &[b"DEL", &bytes]);
        self.changed_by_nobody(&key, EventClass::EVICTED, "evicted");
        self.circumstances.db = selected;
        key.hash
    }

    /// Deletes a key that has expired. The table keeps its size: a sweep shrinks it once, at its end.
    pub(super) fn expire_at(&mut self, key: &Key<'_>, place: Place) {
        let entry = self.unlink_at(key, place);
        self.discard(entry);
        self.counts.expired += 1;
        if self.expiry_role == ExpiryRole::Owner {
            self.queue_effect(key, &[b"DEL", key.bytes]);
        }
        self.changed_by_nobody(key, EventClass::EXPIRED, "expired");
    }

    fn discard(&mut self, entry: EntryBox) {
        if matches!(entry.as_ref().value(), Value::Bytes(_)) {
            drop(entry);
        } else {
            self.garbage.push(entry);
        }
    }

    #[inline]
    fn note_access(&self, entry: EntryRef<'_>) {
        let access = match self.access_policy {
            AccessPolicy::Clock => self.fresh_access(),
            AccessPolicy::Lfu { log_factor, decay_minutes } => {
                let random = self.random.get().wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
                self.random.set(random);
                super::lfu::accessed(entry.access(), self.minute(), log_factor, decay_minutes, random)
            }
        };
        entry.set_access(access);
    }

    /// The access clock of an entry that is new or was accessed just now.
    fn fresh_access(&self) -> u32 {
        match self.access_policy {
            AccessPolicy::Clock => (self.circumstances.now_ms / 1000) as u32 & super::entry::ACCESS_MAX,
            AccessPolicy::Lfu { .. } => super::lfu::fresh(self.minute()),
        }
    }

    fn minute(&self) -> u32 {
        (self.circumstances.now_ms / 60_000) as u32
    }
}

/// A value that was taken out of the store.
#[derive(Clone, Debug)]
pub enum Taken {
    /// A string.
    String(SharedBytes),
    /// A collection.
    Object(Object),
}
