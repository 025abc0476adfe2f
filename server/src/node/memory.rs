//! What memory is used, and what to do when it is short.
//!
//! Every thread of the node has a meter: jemalloc counts each thread's allocated and freed bytes, so the sum over the
//! threads is what the process really holds (entries, tables, buffers, everything), exact at every moment, without a
//! shared counter on the hot path. Threads of a service that embeds the node have one while they run its commands, so that
//! what the service allocates besides is not taken for the node's. Fragmentation is not in that sum: [`Memory::tick`] compares it with what the allocator
//! keeps resident, and lowers the effective limit where the difference grows too large.

use std::{
    cell::Cell,
    sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use crossbeam_utils::CachePadded;
use tikv_jemalloc_ctl::{epoch, stats, thread};

use crate::{
    config::settings::{EvictionPolicy, Settings},
    store::{
        Store,
        evict::{Scope, sampled::Criterion},
        keyspace::Keyspace,
    },
};

/// Threads that may have a meter.
const METERS_MAX: usize = 256;

/// Keys that a sampled policy looks at, per eviction.
const SAMPLES: usize = 16;

/// Resident bytes above this share of the limit, in percent, lower the effective limit.
const RESIDENT_PERCENT_MAX: u64 = 106;

/// Resident bytes that fragmentation may add whatever the limit.
const RESIDENT_SLACK_BYTES: u64 = 8 * 1024 * 1024;

/// The effective limit never falls below this share of `maxmemory`, in percent.
const EFFECTIVE_PERCENT_MIN: u64 = 60;

/// The node's memory as the allocator sees it.
#[derive(Debug)]
pub struct Memory {
    /// Bytes that each metered thread has allocated beyond what it has freed.
    meters: Box<[CachePadded<AtomicI64>]>,
    metered: AtomicUsize,
    /// The same of all visiting threads together, of the time of their visits.
    visitors: CachePadded<AtomicI64>,
    /// `maxmemory`; 0: none.
    limit_bytes: AtomicU64,
    /// The limit after fragmentation was taken into account.
    effective_bytes: AtomicU64,
    /// The highest use seen, for INFO.
    peak_bytes: AtomicU64,
}

/// The allocator's counters of one thread.
#[derive(Clone, Copy)]
struct Counters {
    allocated: thread::ThreadLocal<u64>,
    deallocated: thread::ThreadLocal<u64>,
}

#[derive(Clone, Copy)]
enum Meter {
    /// A thread of the node, with a place of its own for what it has allocated.
    Own { slot: usize, counters: Counters },
    /// A thread of somebody else's that runs the node's commands for a moment.
    Visitor { counters: Counters },
}

thread_local! {
    static METER: Cell<Option<Meter>> = const { Cell::new(None) };
    /// What a visitor has allocated, in all its life, up to what is in the visitors' sum.
    static VISITOR_SEEN: Cell<i64> = const { Cell::new(0) };
    /// Found by name, which takes longer than a command: kept from one visit to the next.
    static VISITOR_COUNTERS: Cell<Option<Counters>> = const { Cell::new(None) };
}

impl Counters {
    fn of_this_thread() -> Option<Self> {
        let counters = thread::allocatedp::read().and_then(|of| Ok((of, thread::deallocatedp::read()?)));
        counters.ok().map(|(allocated, deallocated)| Self { allocated, deallocated })
    }

    #[inline]
    fn net(self) -> i64 {
        self.allocated.get().wrapping_sub(self.deallocated.get()) as i64
    }
}

/// While it lives, what its thread allocates counts as the node's.
pub(crate) struct Visit<'a> {
    memory: &'a Memory,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.memory.publish();
        METER.set(None);
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            meters: (0..METERS_MAX).map(|_| CachePadded::default()).collect(),
            metered: AtomicUsize::new(0),
            visitors: CachePadded::default(),
            limit_bytes: AtomicU64::new(0),
            effective_bytes: AtomicU64::new(0),
            peak_bytes: AtomicU64::new(0),
        }
    }
}

impl Memory {
    /// Gives the calling thread a meter. Every thread of the node calls it once, at its start. Without jemalloc as the
    /// global allocator (a service that embeds the node with another one) the meters stay at zero.
    pub fn meter_this_thread(&self) {
        let Some(counters) = Counters::of_this_thread() else { return };
        let slot = self.metered.fetch_add(1, Relaxed);
        if slot < METERS_MAX {
            METER.set(Some(Meter::Own { slot, counters }));
            self.publish();
        }
    }

    /// Gives a thread that is none of the node's a meter for as long as the visit lasts; nothing if it has one.
    pub(crate) fn visit(&self) -> Option<Visit<'_>> {
        if METER.get().is_some() {
            return None;
        }
        let counters = VISITOR_COUNTERS.get().or_else(Counters::of_this_thread)?;
        VISITOR_COUNTERS.set(Some(counters));
        VISITOR_SEEN.set(counters.net());
        METER.set(Some(Meter::Visitor { counters }));
        Some(Visit { memory: self })
    }

    /// Makes what the calling thread has allocated visible to the others; called after every batch.
    #[inline]
    pub fn publish(&self) {
        match METER.get() {
            Some(Meter::Own { slot, counters }) => self.meters[slot].store(counters.net(), Relaxed),
            Some(Meter::Visitor { counters }) => {
                let net = counters.net();
                self.visitors.fetch_add(net - VISITOR_SEEN.replace(net), Relaxed);
            }
            None => {}
        }
    }

    /// Bytes in use by the node, which is the whole process unless a service embeds it.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.publish();
        let metered = self.metered.load(Relaxed).min(METERS_MAX);
        let sum: i64 = self.meters[..metered].iter().map(|meter| meter.load(Relaxed)).sum();
        (sum + self.visitors.load(Relaxed)).max(0) as u64
    }

    /// The highest use that [`Memory::tick`] has seen.
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        self.peak_bytes.load(Relaxed).max(self.used_bytes())
    }

    /// Starts the search for the peak anew.
    pub fn reset_peak(&self) {
        self.peak_bytes.store(self.used_bytes(), Relaxed);
    }

    /// Applies `maxmemory` and its policy. Called at the start and after every change of the two.
    pub fn apply(&self, store: &Store, settings: &Settings) {
        self.limit_bytes.store(settings.maxmemory_bytes, Relaxed);
        self.effective_bytes.store(settings.maxmemory_bytes, Relaxed);
        let scope = match settings.maxmemory_policy {
            EvictionPolicy::AllKeysS3Fifo => Some(Scope::All),
            EvictionPolicy::VolatileS3Fifo => Some(Scope::Volatile),
            _ => None,
        };
        store.set_evicting(scope.is_some() && settings.maxmemory_bytes > 0, scope.unwrap_or(Scope::All));
    }

    /// Whether `maxmemory` is set.
    #[inline]
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.limit_bytes.load(Relaxed) != 0
    }

    /// Whether a write may use more memory.
    #[inline]
    #[must_use]
    pub fn has_room(&self) -> bool {
        let effective_bytes = self.effective_bytes.load(Relaxed);
        effective_bytes == 0 || self.used_bytes() <= effective_bytes
    }

    /// Evicts until there is room; `false`: the policy has nothing to give. The keyspace holds no shard.
    pub fn make_room(&self, ks: &mut Keyspace<'_>, settings: &Settings, rng: &mut fastrand::Rng) -> bool {
        while !self.has_room() {
            if !evict_one(ks, settings, rng) {
                return false;
            }
        }
        true
    }

    /// Compares what is resident with the limit, and lowers or raises the effective limit. Called every 100 ms.
    pub fn tick(&self) {
        self.peak_bytes.fetch_max(self.used_bytes(), Relaxed);
        let limit = self.limit_bytes.load(Relaxed);
        if limit == 0 || epoch::advance().is_err() {
            return;
        }
        let Ok(resident) = stats::resident::read() else { return };
        let effective = self.effective_bytes.load(Relaxed);
        let bearable = limit * RESIDENT_PERCENT_MAX / 100 + RESIDENT_SLACK_BYTES;
        let wanted = if resident as u64 > bearable {
            (effective - effective / 50).max(limit * EFFECTIVE_PERCENT_MIN / 100)
        } else {
            (effective + limit / 200).min(limit)
        };
        // A limit that was changed meanwhile wins.
        let _ = self.effective_bytes.compare_exchange(effective, wanted, Relaxed, Relaxed);
    }
}

fn evict_one(ks: &mut Keyspace<'_>, settings: &Settings, rng: &mut fastrand::Rng) -> bool {
    let decay_minutes = settings.lfu_decay_minutes;
    let (scope, criterion) = match settings.maxmemory_policy {
        EvictionPolicy::NoEviction => return false,
        EvictionPolicy::AllKeysS3Fifo => return ks.evict_s3fifo(Scope::All, rng),
        EvictionPolicy::VolatileS3Fifo => return ks.evict_s3fifo(Scope::Volatile, rng),
        EvictionPolicy::AllKeysLru => (Scope::All, Criterion::Idle),
        EvictionPolicy::VolatileLru => (Scope::Volatile, Criterion::Idle),
        EvictionPolicy::AllKeysLfu => (Scope::All, Criterion::Rare(decay_minutes)),
        EvictionPolicy::VolatileLfu => (Scope::Volatile, Criterion::Rare(decay_minutes)),
        EvictionPolicy::AllKeysRandom => (Scope::All, Criterion::Random),
        EvictionPolicy::VolatileRandom => (Scope::Volatile, Criterion::Random),
        EvictionPolicy::VolatileTtl => (Scope::Volatile, Criterion::Deadline),
    };
    let samples = if criterion == Criterion::Random { 1 } else { SAMPLES };
    ks.evict_sampled(scope, criterion, samples, rng)
}
