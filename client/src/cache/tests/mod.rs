//! Tests of the cache against a backend in memory, in virtual time.

mod age;
mod faults;
mod many;
mod processes;
mod single_flight;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{Cache, CacheError, LoadOptions, fake::FakeBackend};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Caches on one backend, and an origin that counts what is asked of it.
struct Bench {
    backend: FakeBackend,
    cache: Cache<FakeBackend>,
    origin: Origin,
}

/// Answers the number of the query, after 50 ms.
#[derive(Clone, Default)]
struct Origin {
    queries: Arc<AtomicUsize>,
}

impl Bench {
    fn new() -> Self {
        Self::with_limits(64, 1024)
    }

    fn with_limits(loads_max: usize, load_queue_max: usize) -> Self {
        let backend = FakeBackend::default();
        let cache = process(&backend, loads_max, load_queue_max);
        Self { backend, cache, origin: Origin::default() }
    }

    /// Asks for a key; the origin's next number, or the cached one.
    async fn get(&self, key: &str, options: &LoadOptions) -> Result<usize, CacheError> {
        let origin = self.origin.clone();
        self.cache.get_or_load(key, options, || async move { origin.query().await }).await
    }

    /// Asks for a key while the origin is failing.
    async fn get_failing(&self, key: &str, options: &LoadOptions) -> Result<usize, CacheError> {
        self.cache.get_or_load(key, options, || async { Err(io::Error::other("the origin is down")) }).await
    }
}

impl Origin {
    async fn query(&self) -> Result<usize, io::Error> {
        sleep(50 * MS).await;
        Ok(self.queries.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn queries(&self) -> usize {
        self.queries.load(Ordering::Relaxed)
    }
}

/// A cache as another process would have it.
fn process(backend: &FakeBackend, loads_max: usize, load_queue_max: usize) -> Cache<FakeBackend> {
    let start = Instant::now();
    let now_ms = move || 1_700_000_000_000 + start.elapsed().as_millis() as u64;
    let builder = Cache::builder().loads_max(loads_max).load_queue_max(load_queue_max).clock(Arc::new(now_ms));
    builder.build(backend.clone())
}

/// Options without chance: no jitter, no early refresh; 10 s fresh, nothing stale.
fn exact() -> LoadOptions {
    LoadOptions::plain(10 * SECOND)
}

/// Lets tasks in the background end; virtual time makes this exact.
async fn settle() {
    tokio::time::advance(Duration::ZERO).await;
    for _ in 0..3 {
        tokio::time::timeout(100 * MS, std::future::pending::<()>()).await.unwrap_err();
    }
}
