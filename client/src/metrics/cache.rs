//! What the look-aside cache and the near cache count.

use super::{HistogramSnapshot, counters::counters, histogram::Histogram};

counters! {
    /// What became of the keys that were asked for.
    CacheCounters => CacheCounts {
        /// Keys answered with a fresh value.
        hits,
        /// Keys answered, from a fresh entry, with "there is no such value".
        negative_hits,
        /// Keys that were not in the cache, or not usable.
        misses,
        /// Keys that were given to a loader.
        loads,
        /// Keys whose loader failed, panicked or took too long.
        load_failures,
        /// Keys that waited for a load of the same process.
        coalesced,
        /// Keys that were refreshed before they expired.
        early,
        /// Keys answered with a stale value while it is loaded anew.
        stale,
        /// Keys answered with a stale value because loading it anew failed or was shed.
        stale_on_error,
        /// Keys that were not loaded because too many loads ran and waited.
        shed,
        /// Values that could not be understood: written by another version, another codec, or something else.
        undecodable,
        /// Keys that waited for a load of another process.
        lease_waits,
        /// Keys that were invalidated.
        invalidations,
        /// Calls to the cache that failed; their keys were taken for missing, or not stored.
        backend_errors,
    }
}

counters! {
    /// What became of the keys that the near cache was asked for.
    NearCounters => NearCounts {
        /// Keys answered from this process's memory.
        hits,
        /// Keys that had to be fetched.
        misses,
        /// Keys that nodes said have changed.
        invalidations,
        /// Times that everything read over a connection was dropped: connection lost, everything flushed.
        drops,
        /// Entries not answered because their connection had been silent for longer than the bound on staleness.
        doubts,
        /// Values not kept because they changed while they were fetched.
        races,
        /// Fetches that failed.
        fetch_errors,
    }
}

/// Counters of a cache, and how long its loads take.
#[derive(Debug, Default)]
pub(crate) struct CacheMetrics {
    pub(crate) counters: CacheCounters,
    pub(crate) load_time: Histogram,
}

/// A cache's counters at one moment, and how long its loads took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheSnapshot {
    /// The counters.
    pub counts: CacheCounts,
    /// How long loaders took.
    pub load_time: HistogramSnapshot,
}

impl CacheMetrics {
    pub(crate) fn snapshot(&self) -> CacheSnapshot {
        CacheSnapshot { counts: self.counters.snapshot(), load_time: self.load_time.snapshot() }
    }
}

impl CacheCounts {
    /// The share of keys that were answered without waiting for a load, from 0 to 1; nothing before the first key.
    #[must_use]
    pub fn hit_ratio(&self) -> Option<f64> {
        let answered = self.hits + self.negative_hits + self.stale;
        let asked = answered + self.misses;
        (asked > 0).then(|| answered as f64 / asked as f64)
    }
}
