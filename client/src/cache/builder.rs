//! Building a cache.

use std::{
    marker::PhantomData,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;

use super::{Backend, Bincode, Cache, Shared, flight::Flights, limit::LoadLimit};
use crate::metrics::cache::CacheMetrics;

/// Tells the time in milliseconds of Unix time.
pub(super) type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Settings of a cache to be built. [`Cache::builder`] begins one.
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct CacheBuilder {
    prefix: Bytes,
    loads_max: usize,
    load_queue_max: usize,
    read_timeout: Duration,
    now_ms: Clock,
}

impl Default for CacheBuilder {
    fn default() -> Self {
        Self {
            prefix: Bytes::new(),
            loads_max: 64,
            load_queue_max: 1024,
            read_timeout: Duration::from_millis(500),
            now_ms: Arc::new(unix_time_ms),
        }
    }
}

impl CacheBuilder {
    /// What all keys of this cache begin with. Default: nothing.
    pub fn prefix(mut self, prefix: impl AsRef<[u8]>) -> Self {
        self.prefix = Bytes::copy_from_slice(prefix.as_ref());
        self
    }

    /// How many loaders run at once, at least 1. Default 64: choose what the origin can bear.
    pub fn loads_max(mut self, loads: usize) -> Self {
        self.loads_max = loads;
        self
    }

    /// How many loads wait for one of these to end; what exceeds that is shed. Default 1,024.
    pub fn load_queue_max(mut self, loads: usize) -> Self {
        self.load_queue_max = loads;
        self
    }

    /// After how long a read of the cache is given up and the value taken for missing. Default 500 ms.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// Replaces the clock that values' ages are measured with.
    #[cfg(test)]
    pub(super) fn clock(mut self, now_ms: Clock) -> Self {
        self.now_ms = now_ms;
        self
    }

    /// The cache, in front of this backend.
    pub fn build<B: Backend>(self, backend: B) -> Cache<B, Bincode> {
        let shared = Shared {
            backend,
            prefix: self.prefix,
            read_timeout: self.read_timeout,
            flights: Arc::new(Flights::new()),
            limit: LoadLimit::new(self.loads_max, self.load_queue_max),
            metrics: CacheMetrics::default(),
            now_ms: self.now_ms,
        };
        Cache { shared: Arc::new(shared), codec: PhantomData }
    }
}

fn unix_time_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}
