//! Batches and warming.

use super::*;
use crate::cache::WarmProgress;

impl Bench {
    /// Asks for keys; the loader answers ten times each place.
    async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<usize>>, CacheError> {
        let queries = Arc::clone(&self.origin.queries);
        let loader = |places: Vec<usize>| async move {
            sleep(50 * MS).await;
            queries.fetch_add(1, Ordering::Relaxed);
            Ok::<_, io::Error>(places.into_iter().map(|place| Some(10 * place)).collect())
        };
        self.cache.get_many_or_load(keys, &exact(), loader).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_reads_once_and_loads_what_is_missing_in_one_call() {
    let bench = Bench::new();
    assert!(bench.cache.put("b", &5usize, &exact()).await.is_ok());
    let values = bench.get_many(&["a", "b", "c"]).await;
    assert!(matches!(values.as_deref(), Ok([Some(0), Some(5), Some(20)])), "{values:?}");
    assert_eq!((bench.backend.take_gets(), bench.origin.queries()), (1, 1));
    settle().await;
    let values = bench.get_many(&["c", "b"]).await;
    assert!(matches!(values.as_deref(), Ok([Some(20), Some(5)])), "{values:?}");
    assert_eq!(bench.origin.queries(), 1);
}

#[tokio::test(start_paused = true)]
async fn batches_that_overlap_load_each_key_once() {
    let bench = Bench::new();
    let (one, other) = tokio::join!(bench.get_many(&["a", "b"]), bench.get_many(&["b", "c"]));
    assert!(matches!(one.as_deref(), Ok([Some(0), Some(10)])), "{one:?}");
    assert!(matches!(other.as_deref(), Ok([Some(10), Some(10)])), "{other:?}");
    assert_eq!(bench.cache.metrics().counts.loads, 3);
}

#[tokio::test(start_paused = true)]
async fn a_key_twice_in_a_batch_is_loaded_once() {
    let bench = Bench::new();
    let values = bench.get_many(&["a", "a"]).await;
    assert!(matches!(values.as_deref(), Ok([Some(0), Some(0)])), "{values:?}");
    assert_eq!(bench.cache.metrics().counts.loads, 1);
}

#[tokio::test(start_paused = true)]
async fn a_loader_that_answers_too_few_values_is_an_error() {
    let bench = Bench::new();
    let loader = |_| async { Ok::<Vec<Option<usize>>, io::Error>(vec![Some(1)]) };
    let values = bench.cache.get_many_or_load(&["a", "b"], &exact(), loader).await;
    assert!(matches!(values, Err(CacheError::Load(_))), "{values:?}");
}

#[tokio::test(start_paused = true)]
async fn no_keys_are_no_load() {
    let bench = Bench::new();
    assert!(matches!(bench.get_many(&[]).await.as_deref(), Ok([])));
    assert_eq!(bench.origin.queries(), 0);
}

#[tokio::test(start_paused = true)]
async fn warming_loads_what_is_missing_and_tells_how_far_it_is() {
    let bench = Bench::new();
    assert!(bench.cache.put("key:3", &3usize, &exact()).await.is_ok());
    let keys: Vec<String> = (0..10).map(|number| format!("key:{number}")).collect();
    let loader = |key: String| async move {
        sleep(10 * MS).await;
        if key == "key:5" { Err(io::Error::other("the origin is down")) } else { Ok(Some(key.len())) }
    };
    let mut seen = Vec::new();
    let started = Instant::now();
    let end = bench.cache.warm(keys, &exact(), 4, loader, |progress| seen.push(progress.done)).await;
    assert_eq!(end, WarmProgress { total: 10, done: 10, loaded: 8, present: 1, failed: 1 });
    assert_eq!(seen, (1..=10).collect::<Vec<_>>());
    assert!(started.elapsed() <= 30 * MS, "{:?}", started.elapsed());
}
