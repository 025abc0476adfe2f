//! One load however many ask, and nobody wedged by whoever loads.

use super::*;
use tokio::task::JoinSet;

#[tokio::test(start_paused = true)]
async fn a_thousand_tasks_on_one_missing_key_make_one_load() {
    let bench = Arc::new(Bench::new());
    bench.backend.set_latency(3 * MS);
    let mut tasks = JoinSet::new();
    for _ in 0..1000 {
        let bench = Arc::clone(&bench);
        tasks.spawn(async move { bench.get("key", &exact()).await });
    }
    while let Some(value) = tasks.join_next().await {
        assert!(matches!(value, Ok(Ok(1))), "{value:?}");
    }
    let counts = bench.cache.metrics().counts;
    assert_eq!((bench.origin.queries(), counts.loads, counts.coalesced), (1, 1, 999));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_read_before_the_load_ended_does_not_load_again() {
    let bench = Arc::new(Bench::new());
    let first = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { bench.get("key", &exact()).await }
    });
    sleep(40 * MS).await;
    // This read takes until after the first load has ended, and finds what there was before.
    bench.backend.plant("other", "value");
    bench.backend.set_latency(60 * MS);
    let second = bench.get("key", &exact()).await;
    assert!(matches!(first.await, Ok(Ok(1))));
    assert!(matches!(second, Ok(1)), "{second:?}");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_does_not_take_the_load_with_it() {
    let bench = Bench::new();
    let given_up = tokio::time::timeout(10 * MS, bench.get("key", &exact())).await;
    assert!(given_up.is_err());
    assert!(matches!(bench.get("key", &exact()).await, Ok(1)));
    assert_eq!(bench.origin.queries(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_loader_reaches_all_who_wait_and_the_next_call_loads() {
    let bench = Arc::new(Bench::new());
    let panicking = async |bench: Arc<Bench>| {
        let loader = || async {
            sleep(10 * MS).await;
            assert_ne!(MS, MS, "a panic on purpose");
            Ok::<usize, io::Error>(0)
        };
        bench.cache.get_or_load("key", &exact(), loader).await
    };
    let (one, other) = tokio::join!(panicking(Arc::clone(&bench)), panicking(Arc::clone(&bench)));
    assert!(matches!(one, Err(CacheError::Panicked)), "{one:?}");
    assert!(matches!(other, Err(CacheError::Panicked)), "{other:?}");
    assert!(matches!(bench.get("key", &exact()).await, Ok(1)));
}

#[tokio::test(start_paused = true)]
async fn loads_beyond_limit_and_queue_are_shed() {
    let bench = Arc::new(Bench::with_limits(2, 3));
    let mut tasks = JoinSet::new();
    for number in 0..10 {
        let bench = Arc::clone(&bench);
        tasks.spawn(async move { bench.get(&format!("key:{number}"), &exact()).await });
    }
    let results = tasks.join_all().await;
    let shed = |result: &Result<usize, CacheError>| matches!(result, Err(CacheError::Shed { running: 2, queued: 3 }));
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 5);
    assert_eq!(results.iter().filter(|result| shed(result)).count(), 5);
    assert_eq!(bench.cache.metrics().counts.shed, 5);
}

#[tokio::test(start_paused = true)]
async fn a_loader_that_takes_too_long_is_an_error() {
    let bench = Bench::new();
    let result = bench.get("key", &exact().with_load_timeout(20 * MS)).await;
    assert!(matches!(result, Err(CacheError::TimedOut(_))), "{result:?}");
}

#[tokio::test(start_paused = true)]
async fn who_joins_a_flight_with_another_type_gets_an_error_and_no_garbage() {
    let bench = Arc::new(Bench::new());
    let json = bench.cache.with_codec::<super::super::Json>();
    let options = exact();
    let other = json.get_or_load("key", &options, || async { Ok::<_, io::Error>(String::from("text")) });
    let (number, text) = tokio::join!(bench.get("key", &options), other);
    assert!(matches!(number, Ok(1)));
    assert!(matches!(text, Err(CacheError::Encode(_))), "{text:?}");
}
