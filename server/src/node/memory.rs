//! What memory is used, and what to do when it is short.
//!
//! Every thread of the node has a meter: jemalloc counts each thread's allocated and freed bytes, so the sum over the
//! threads is what the process really holds (entries, tables, buffers, everything), exact at every moment, without a
//! shared counter on the hot path. Fragmentation is not in that sum: [`Memory::tick`] compares it with what the allocator
//! keeps resident, and lowers the effective limit where the difference grows too large.

use std::{
    cell::RefCell,
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
    /// `maxmemory`; 0: none.
    limit_bytes: AtomicU64,
    /// The limit after fragmentation was taken into account.
    effective_bytes: AtomicU64,
    /// The highest use seen, for INFO.
    peak_bytes: AtomicU64,
}

struct Meter {
    slot: usize,
    allocated: thread::ThreadLocal<u64>,
    deallocated: thread::ThreadLocal<u64>,
}

thread_local! {
    static METER: RefCell<Option<Meter>> = const { RefCell::new(None) };
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            meters: (0..METERS_MAX).map(|_| CachePadded::default()).collect(),
            metered: AtomicUsize::new(0),
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
        let counters = thread::allocatedp::read().and_then(|of| Ok((of, thread::deallocatedp::read()?)));
        let Ok((allocated, deallocated)) = counters else { return };
        let slot = self.metered.fetch_add(1, Relaxed);
        if slot < METERS_MAX {
            METER.set(Some(Meter { slot, allocated, deallocated }));
            self.publish();
        }
    }

    /// Makes what the calling thread has allocated visible to the others; called after every batch.
    #[inline]
    pub fn publish(&self) {
        METER.with_borrow(|meter| {
            if let Some(meter) = meter {
                let net = meter.allocated.get().wrapping_sub(meter.deallocated.get()) as i64;
                self.meters[meter.slot].store(net, Relaxed);
            }
        });
    }

    /// Bytes in use by the whole process.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.publish();
        let metered = self.metered.load(Relaxed).min(METERS_MAX);
        let sum: i64 = self.meters[..metered].iter().map(|meter| meter.load(Relaxed)).sum();
        sum.max(0) as u64
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
