//! Leases: several processes on one backend.

use super::{super::lease, *};
use crate::cache::LeaseOptions;

fn leased() -> LoadOptions {
    exact().with_lease(LeaseOptions { ttl: SECOND, wait: 500 * MS, poll: 20 * MS })
}

async fn get(cache: &Cache<FakeBackend>, origin: &Origin) -> Result<usize, CacheError> {
    let origin = origin.clone();
    cache.get_or_load("key", &leased(), || async move { origin.query().await }).await
}

#[tokio::test(start_paused = true)]
async fn of_five_processes_one_loads() {
    let (backend, origin) = (FakeBackend::default(), Origin::default());
    backend.set_latency(MS);
    let caches: Vec<_> = (0..5).map(|_| process(&backend, 8, 8)).collect();
    let tasks: tokio::task::JoinSet<_> = caches
        .into_iter()
        .map(|cache| {
            let origin = origin.clone();
            async move { get(&cache, &origin).await }
        })
        .collect();
    for result in tasks.join_all().await {
        assert!(matches!(result, Ok(1)), "{result:?}");
    }
    assert_eq!(origin.queries(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_given_back() {
    let bench = Bench::new();
    assert!(matches!(get(&bench.cache, &bench.origin).await, Ok(1)));
    settle().await;
    assert_eq!(bench.backend.peek(&lease::key_of(b"key")), None);
}

#[tokio::test(start_paused = true)]
async fn when_the_holder_of_a_lease_died_the_others_load_after_their_wait() {
    let bench = Bench::new();
    bench.backend.plant("rondache:lease:key", "the token of a process that is gone");
    let asked_at = Instant::now();
    assert!(matches!(get(&bench.cache, &bench.origin).await, Ok(1)));
    assert!(asked_at.elapsed() >= 500 * MS && asked_at.elapsed() < 600 * MS, "{:?}", asked_at.elapsed());
    settle().await;
    assert!(bench.backend.peek(b"rondache:lease:key").is_some(), "a lease of another process was released");
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_elsewhere_keeps_what_was_loading_out_of_the_cache() {
    let bench = Arc::new(Bench::new());
    let elsewhere = process(&bench.backend, 8, 8);
    let loading = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { get(&bench.cache, &bench.origin).await }
    });
    sleep(25 * MS).await;
    assert!(elsewhere.invalidate("key").await.is_ok());
    assert!(matches!(loading.await, Ok(Ok(1))));
    settle().await;
    assert_eq!(bench.backend.peek(b"key"), None);
}

#[tokio::test(start_paused = true)]
async fn without_a_backend_there_is_no_lease_but_a_value() {
    let bench = Bench::new();
    bench.backend.set_down(true);
    assert!(matches!(get(&bench.cache, &bench.origin).await, Ok(1)));
}
