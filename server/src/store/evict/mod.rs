//! Eviction: which key goes when memory is short.
//!
//! The default follows S3-FIFO (Yang et al., *FIFO queues are all you need for cache eviction*, SOSP 2023), fitted to a
//! table with three spare bits per slot:
//! - a newcomer enters the *small queue* (a `ring` of eight-byte records, about 12 % of the entries); at its head a key
//!   that was used again joins *main*, any other is evicted and remembered as a `ghost`;
//! - *main* has no queue: a hand walks the table's buckets like a clock, counting frequencies down, and evicts at zero;
//! - a newcomer that the ghost remembers joins main at once.
//!
//! Hits touch only the bucket that the lookup has loaded anyway. Few domains judge better than many small ones, so there
//! are four, and each decision takes the fuller of two random ones. The parameters come from replays of real traces; see
//! ARCHITECTURE.md, "Eviction".
//!
//! The policies with Redis's names ([`sampled`]) take the worst of a sample, as Redis does.

mod ghost;
mod ring;
mod s3fifo;
pub mod sampled;
mod shed;

use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use crossbeam_utils::CachePadded;
use parking_lot::Mutex;

use self::{
    ghost::Ghost,
    ring::{Record, Ring},
};
use super::{
    SHARDS, Store,
    bucket::{META_FREQUENCY, META_SMALL},
};

/// Independent parts of the eviction state.
const DOMAINS: usize = 4;
/// The small queue's share of the entries, in percent.
const SMALL_PERCENT: usize = 12;
/// While there is no need to evict, the small queue may hold this share of the entries, in percent.
const SMALL_PERCENT_MAX: usize = 50;
/// Below this length the small queue is left alone.
const SMALL_LEN_MIN: usize = 64;
/// Newcomers moved from the small queue to main per batch at most, so that no batch pays for others.
const AGED_PER_BATCH_MAX: usize = 256;
/// The frequency that a newcomer which the ghost remembers starts with.
const FREQUENCY_GHOST_HIT: u8 = 1;

/// Which keys may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Any key.
    All,
    /// Keys with a TTL.
    Volatile,
}

/// Eviction state that belongs to some of the shards: shard *s* to domain *s* mod [`DOMAINS`].
#[derive(Debug, Default)]
struct Domain {
    /// Guards the queues. A leaf: it may be taken while a shard is held, and nothing is taken while it is held.
    queues: Mutex<Queues>,
    /// How many records the ring holds.
    ring_len: AtomicUsize,
    /// How many entries the domain's shards hold.
    entries: AtomicUsize,
    /// The shard at which the hand stands, counted within the domain.
    hand: AtomicU32,
}

#[derive(Debug, Default)]
struct Queues {
    ring: Ring,
    ghost: Ghost,
}

/// The store's eviction state. It exists, and costs, only while `maxmemory` is set.
#[derive(Debug, Default)]
pub(crate) struct Evictor {
    is_on: AtomicBool,
    volatile_only: AtomicBool,
    domains: [CachePadded<Domain>; DOMAINS],
}

impl Evictor {
    /// Whether newcomers are recorded and hits counted.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Relaxed)
    }

    /// A key was inserted: the eviction state of its slot. Called with its shard held.
    pub(super) fn admit(&self, shard: usize, hash: u64, is_volatile: bool) -> u8 {
        let domain = &self.domains[shard % DOMAINS];
        domain.entries.fetch_add(1, Relaxed);
        if !is_volatile && self.volatile_only.load(Relaxed) {
            return 0;
        }
        let mut queues = domain.queues.lock();
        if queues.ghost.take(hash) {
            return FREQUENCY_GHOST_HIT;
        }
        queues.ring.push(Record::new(shard, hash));
        domain.ring_len.store(queues.ring.len(), Relaxed);
        META_SMALL
    }

    /// A key is gone, for whatever reason. Its record, if any, falls out when it reaches the ring's head.
    pub(super) fn forget(&self, shard: usize, count: usize) {
        let entries = &self.domains[shard % DOMAINS].entries;
        // Saturating: keys that were there before the evictor was turned on may be counted a moment late.
        let _ = entries.fetch_update(Relaxed, Relaxed, |len| Some(len.saturating_sub(count)));
    }

    fn ring_len(&self) -> usize {
        self.domains.iter().map(|domain| domain.ring_len.load(Relaxed)).sum()
    }

    fn entries(&self) -> usize {
        self.domains.iter().map(|domain| domain.entries.load(Relaxed)).sum()
    }

    fn pop(&self, domain: usize) -> Option<Record> {
        let domain = &self.domains[domain];
        let mut queues = domain.queues.lock();
        let record = queues.ring.pop();
        domain.ring_len.store(queues.ring.len(), Relaxed);
        record
    }

    fn remember(&self, shard: usize, hash: u64) {
        let domain = &self.domains[shard % DOMAINS];
        domain.queues.lock().ghost.put(hash, domain.entries.load(Relaxed));
    }

    /// The fuller of two random domains.
    fn fuller(&self, random: u64, fill: impl Fn(&Domain) -> usize) -> usize {
        let (a, b) = (random as usize % DOMAINS, (random >> 32) as usize % DOMAINS);
        if fill(&self.domains[a]) >= fill(&self.domains[b]) { a } else { b }
    }
}

impl Store {
    /// Turns the eviction state on or off, as `maxmemory` is set or cleared. What is in the store already counts as main.
    pub fn set_evicting(&self, on: bool, scope: Scope) {
        self.evictor.volatile_only.store(scope == Scope::Volatile, Relaxed);
        if self.evictor.is_on.swap(on, Release) == on {
            return;
        }
        for domain in &self.evictor.domains {
            *domain.queues.lock() = Queues::default();
            domain.ring_len.store(0, Relaxed);
            domain.entries.store(0, Relaxed);
        }
        if on {
            for shard in 0..SHARDS {
                let mut guard = self.lock(shard);
                guard.clear_marks();
                self.evictor.domains[shard % DOMAINS].entries.fetch_add(guard.len(), Relaxed);
            }
        }
    }

    /// Moves the oldest newcomers to main while the small queue is longer than it needs to be, which it becomes while
    /// memory fills. The caller holds no shard.
    pub fn age_newcomers(&self) {
        let evictor = &self.evictor;
        if !evictor.is_on.load(Acquire) {
            return;
        }
        for _ in 0..AGED_PER_BATCH_MAX {
            let len_max = (evictor.entries() * SMALL_PERCENT_MAX / 100).max(SMALL_LEN_MIN);
            if evictor.ring_len() <= len_max {
                return;
            }
            let fullest = (0..DOMAINS).max_by_key(|&domain| evictor.domains[domain].ring_len.load(Relaxed));
            let Some(record) = fullest.and_then(|domain| evictor.pop(domain)) else { return };
            let mut shard = self.lock(record.shard());
            if let Some((db, place)) = shard.find_small(record.partial_hash()) {
                let bucket = shard.db_mut(db).table.bucket(place.bucket);
                bucket.set_meta(place.lane, bucket.meta(place.lane) & META_FREQUENCY);
            }
        }
    }
}
