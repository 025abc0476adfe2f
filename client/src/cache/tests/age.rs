//! Fresh, early, stale, expired, absent.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_fresh_value_is_answered_without_the_origin() {
    let bench = Bench::new();
    assert!(matches!(bench.get("key", &exact()).await, Ok(1)));
    sleep(9 * SECOND).await;
    assert!(matches!(bench.get("key", &exact()).await, Ok(1)));
    sleep(2 * SECOND).await;
    assert!(matches!(bench.get("key", &exact()).await, Ok(2)));
}

#[tokio::test(start_paused = true)]
async fn jitter_shortens_what_is_stored_by_a_tenth_at_most() {
    let bench = Bench::new();
    for number in 0..50 {
        let key = format!("key:{number}");
        let _ = bench.get(&key, &exact().with_jitter(0.1)).await;
        let (_, ttl) = bench.backend.peek(key.as_bytes()).unwrap_or_default();
        assert!(ttl <= 10 * SECOND && ttl >= 9 * SECOND, "{ttl:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_value_is_answered_at_once_and_loaded_anew_by_one() {
    let bench = Bench::new();
    let options = exact().with_stale_while_revalidate(5 * SECOND);
    assert!(matches!(bench.get("key", &options).await, Ok(1)));
    sleep(11 * SECOND).await;
    let asked_at = Instant::now();
    for _ in 0..100 {
        assert!(matches!(bench.get("key", &options).await, Ok(1)));
    }
    assert_eq!(asked_at.elapsed(), Duration::ZERO);
    settle().await;
    assert!(matches!(bench.get("key", &options).await, Ok(2)));
    let counts = bench.cache.metrics().counts;
    assert_eq!((bench.origin.queries(), counts.stale), (2, 100));
}

#[tokio::test(start_paused = true)]
async fn a_hot_key_is_refreshed_early_and_nobody_waits() {
    let bench = Bench::new();
    let options = exact().with_early_refresh(1.0);
    assert!(matches!(bench.get("key", &options).await, Ok(1)));
    let mut longest = Duration::ZERO;
    for _ in 0..35_000 {
        let asked_at = Instant::now();
        assert!(bench.get("key", &options).await.is_ok());
        longest = longest.max(asked_at.elapsed());
        sleep(MS).await;
    }
    let counts = bench.cache.metrics().counts;
    assert_eq!(longest, Duration::ZERO, "somebody waited for a load");
    assert_eq!(counts.early, counts.loads - 1);
    assert!((4..=5).contains(&counts.loads), "{} loads in 35 s", counts.loads);
}

#[tokio::test(start_paused = true)]
async fn when_the_origin_fails_the_stale_value_is_answered_for_a_while() {
    let bench = Bench::new();
    let options = exact().with_stale_if_error(10 * SECOND);
    assert!(matches!(bench.get("key", &options).await, Ok(1)));
    sleep(15 * SECOND).await;
    assert!(matches!(bench.get_failing("key", &options).await, Ok(1)));
    assert_eq!(bench.cache.metrics().counts.stale_on_error, 1);
    sleep(6 * SECOND).await;
    assert!(matches!(bench.get_failing("key", &options).await, Err(CacheError::Load(_))));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_exist_is_remembered() {
    let bench = Bench::new();
    let options = exact().with_negative_ttl(SECOND);
    let none = || async { Ok::<Option<usize>, io::Error>(None) };
    assert!(matches!(bench.cache.get_or_load_optional("key", &options, none).await, Ok(None)));
    assert!(matches!(bench.get("key", &options).await, Err(CacheError::Missing)));
    assert_eq!(bench.cache.metrics().counts.negative_hits, 1);
    sleep(SECOND).await;
    assert!(matches!(bench.get("key", &options).await, Ok(1)));
}

#[tokio::test(start_paused = true)]
async fn without_a_negative_ttl_nothing_is_remembered() {
    let bench = Bench::new();
    let none = || async { Ok::<Option<usize>, io::Error>(None) };
    assert!(matches!(bench.cache.get_or_load_optional("key", &exact(), none).await, Ok(None)));
    assert_eq!(bench.backend.take_sets(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_was_put_is_answered() {
    let bench = Bench::new();
    assert!(bench.cache.put("key", &77usize, &exact()).await.is_ok());
    assert!(matches!(bench.get("key", &exact()).await, Ok(77)));
    assert!(matches!(bench.cache.get::<usize>("key", &exact()).await, Ok(Some(77))));
    assert_eq!(bench.origin.queries(), 0);
}
