//! The store: every key of the node, in shards under short locks.
//!
//! ```text
//! Store ── 1024 × ShardCell ── lock ── Shard ── Db 0 … 15 ── Table ── Bucket (one cache line) ── entry (one block)
//!              └ TableHint: read without the lock, for prefetching only
//! Keyspace: the shards that one command holds, and all access to keys
//! ```
//! The store knows no runtime, no clock and no source of entropy: time and random numbers are handed in. A slot lives
//! wholly in one shard, so that a shard's lock orders a slot's writes and their effects.

pub(crate) mod bucket;
pub mod entry;
pub mod evict;
pub mod expire;
pub mod jitter;
pub mod key;
pub mod keyspace;
pub mod lfu;
pub mod object;
pub mod observer;
pub(crate) mod prefetch;
pub mod replicate;
pub mod scan;
pub(crate) mod shard;
pub(crate) mod size_class;
pub mod slots;
pub(crate) mod table;
pub mod waiters;
pub mod whole;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use self::{
    key::Key,
    shard::{ShardCell, ShardGuard},
};

/// Shards of a store: a power of two that divides the number of slots.
pub const SHARDS: usize = 1024;
/// Slots that share a shard.
pub const SLOTS_PER_SHARD: usize = rondache_protocol::slot::SLOTS as usize / SHARDS;
/// Databases that SELECT may choose from.
pub const DATABASES: usize = 16;

/// All keys of a node.
pub struct Store {
    shards: Box<[ShardCell]>,
    /// Changes only while the store is empty and no command runs: see [`Store::reseed`].
    seed: AtomicU64,
    records_effects: AtomicBool,
    pub(crate) evictor: evict::Evictor,
}

impl Store {
    /// An empty store. `seed` keys the hash of every table; it must be unpredictable to clients, and equal on all nodes
    /// of a cluster, so that a SCAN cursor means the same everywhere.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let shards = (0..SHARDS as u32).map(|index| ShardCell::new(seed, index)).collect();
        Self {
            shards,
            seed: AtomicU64::new(seed),
            records_effects: AtomicBool::new(false),
            evictor: evict::Evictor::default(),
        }
    }

    /// Hash and slot of a key.
    #[inline]
    #[must_use]
    pub fn key<'a>(&self, bytes: &'a [u8]) -> Key<'a> {
        Key::new(bytes, self.seed())
    }

    /// What the tables' hash is keyed with.
    #[inline]
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed.load(Ordering::Relaxed)
    }

    /// Gives the store, which is empty, the hash seed of the cluster that it joins; `false`, and nothing happens: it is
    /// not empty.
    ///
    /// Keys that were hashed before must not be looked up afterwards: the caller sees to it that no command touches keys
    /// here meanwhile, by parking every slot first.
    pub fn reseed(&self, seed: u64) -> bool {
        let mut guards: Vec<ShardGuard<'_>> = self.shards.iter().map(ShardCell::lock).collect();
        let mut replaced = Vec::new();
        if guards.iter().any(|shard| shard.len() > 0) {
            return false;
        }
        self.seed.store(seed, Ordering::Relaxed);
        guards.iter_mut().for_each(|shard| shard.reseed(seed, &mut replaced));
        // A prefetch may look at the old tables until the locks are gone, which publishes the new ones.
        drop(guards);
        drop(replaced);
        true
    }

    /// Starts loading the bucket of `key`, which a command will soon look up.
    #[inline]
    pub fn prefetch_bucket(&self, key: &Key<'_>) {
        self.shards[key.shard()].prefetch_bucket(key);
    }

    /// Starts loading what replication keeps of a slot, on which a command will soon write.
    #[inline]
    pub(crate) fn prefetch_slot(&self, slot: u16) {
        self.shards[usize::from(slot) % SHARDS].prefetch_slot(slot);
    }

    /// Starts loading the entry of a key by its hash and shard; its bucket was prefetched before.
    #[inline]
    pub fn prefetch_entry(&self, hash: u64, shard: usize, pinned: &crossbeam_epoch::Guard) {
        self.shards[shard].prefetch_entry(hash, pinned);
    }

    /// Turns on (or off) the counting of effects, and their way to copies.
    pub fn record_effects(&self, on: bool) {
        self.records_effects.store(on, Ordering::Release);
    }

    pub(crate) fn records_effects(&self) -> bool {
        self.records_effects.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn lock(&self, shard: usize) -> ShardGuard<'_> {
        self.shards[shard].lock()
    }
}
