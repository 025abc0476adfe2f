//! Garbage in the cache, a cache that is down, and invalidations that meet a load.

use super::*;
use bytes::Bytes;

#[tokio::test(start_paused = true)]
async fn garbage_counts_as_a_miss_and_is_replaced() {
    let bench = Bench::new();
    bench.backend.plant("key", "not an envelope");
    assert!(matches!(bench.get("key", &exact()).await, Ok(1)));
    settle().await;
    assert!(matches!(bench.get("key", &exact()).await, Ok(1)));
    let counts = bench.cache.metrics().counts;
    assert_eq!((counts.undecodable, counts.loads), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_value_of_another_type_counts_as_a_miss() {
    let bench = Bench::new();
    let options = exact();
    let text = || async { Ok::<_, io::Error>(String::from("a text, not a number")) };
    assert!(bench.cache.get_or_load("key", &options, text).await.is_ok());
    settle().await;
    assert!(matches!(bench.get("key", &options).await, Ok(1)));
    assert_eq!(bench.cache.metrics().counts.undecodable, 1);
}

#[tokio::test(start_paused = true)]
async fn a_value_of_another_schema_counts_as_a_miss() {
    let bench = Bench::new();
    assert!(matches!(bench.get("key", &exact().with_schema(1)).await, Ok(1)));
    settle().await;
    assert!(matches!(bench.get("key", &exact().with_schema(2)).await, Ok(2)));
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_is_down_is_passed_by() {
    let bench = Bench::new();
    bench.backend.set_down(true);
    assert!(matches!(bench.get("key", &exact()).await, Ok(1)));
    settle().await;
    assert_eq!(bench.cache.metrics().counts.backend_errors, 2);
    assert!(matches!(bench.cache.get::<usize>("key", &exact()).await, Err(CacheError::Backend(_))));
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_hangs_costs_the_read_timeout_and_no_more() {
    let bench = Bench::new();
    bench.backend.set_latency(3600 * SECOND);
    let asked_at = Instant::now();
    assert!(matches!(bench.get("key", &exact()).await, Ok(1)));
    assert!(asked_at.elapsed() <= 560 * MS, "{:?}", asked_at.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_value_that_was_loading_during_an_invalidation_is_not_stored() {
    let bench = Arc::new(Bench::new());
    let loading = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { bench.get("key", &exact()).await }
    });
    sleep(25 * MS).await;
    assert!(bench.cache.invalidate("key").await.is_ok());
    assert!(matches!(loading.await, Ok(Ok(1))));
    settle().await;
    assert_eq!(bench.backend.peek(b"key"), None);
    assert!(matches!(bench.get("key", &exact()).await, Ok(2)));
}

#[tokio::test(start_paused = true)]
async fn a_value_on_its_way_to_the_cache_is_removed_by_an_invalidation() {
    let bench = Arc::new(Bench::new());
    let loading = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { bench.get("key", &exact()).await }
    });
    sleep(49 * MS).await;
    bench.backend.set_latency(10 * MS);
    sleep(4 * MS).await;
    // The SET is under way now; the DEL overtakes it.
    bench.backend.set_latency(MS);
    assert!(bench.cache.invalidate("key").await.is_ok());
    assert!(matches!(loading.await, Ok(Ok(1))));
    settle().await;
    assert_eq!(bench.backend.peek(b"key"), None);
}

#[tokio::test(start_paused = true)]
async fn keys_carry_the_prefix_of_their_cache() {
    let backend = FakeBackend::default();
    let cache = Cache::builder().prefix("app:").build(backend.clone());
    assert!(cache.put("key", &1u8, &exact()).await.is_ok());
    assert!(backend.peek(b"app:key").is_some());
    assert!(cache.invalidate(Bytes::from_static(b"key")).await.is_ok());
    assert!(backend.peek(b"app:key").is_none());
}
