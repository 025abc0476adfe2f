//! The Rust client against a cluster of real processes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rondache_client::{Client, ClientError};
use rondache_cluster_tests::process::{ClusterProcess, SETTLE_TIMEOUT};
use tokio::task::JoinSet;

const TASKS: u32 = 32;
const KEYS: u32 = 500;
/// As many calls are made before and after something happens, at least.
const CALLS: u64 = 20 * TASKS as u64;

/// What a task saw.
#[derive(Default)]
struct Seen {
    calls: u64,
    slowest: Duration,
    errors: Vec<ClientError>,
}

/// Writes and reads keys of its own until told to stop.
async fn work(client: Client, task: u32, done: Arc<AtomicU64>, stop: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    let mut step = 0;
    while !stop.load(Ordering::Relaxed) {
        let key = format!("{task}:{}", step % KEYS);
        let begun = Instant::now();
        let outcome = if step.is_multiple_of(2) {
            client.set(&key, step).await
        } else {
            client.get::<Option<u32>>(&key).await.map(drop)
        };
        seen.slowest = seen.slowest.max(begun.elapsed());
        seen.calls += 1;
        seen.errors.extend(outcome.err());
        step += 1;
        done.fetch_add(1, Ordering::Relaxed);
    }
    seen
}

/// Waits until `holds`, looking again and again.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    while !holds() {
        assert!(began.elapsed() < SETTLE_TIMEOUT, "waited in vain for {what}");
        looks.tick().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_are_asked_directly_and_every_key_is_found() {
    let cluster = ClusterProcess::start(3, &[]);
    let seed = cluster.addrs(&[0])[0].to_string();
    let client = Client::builder().seed(seed).build().await.expect("a seed");
    assert!(client.is_cluster());
    assert_eq!(client.nodes().len(), 3, "{client:?}");
    client.mset((0..1000).map(|number| (format!("k{number}"), number))).await.expect("MSET");
    let values: Vec<Option<u32>> = client.mget((0..1000).map(|number| format!("k{number}"))).await.expect("MGET");
    assert_eq!(values, (0..1000).map(Some).collect::<Vec<_>>());
    assert_eq!(client.dbsize().await.expect("DBSIZE"), 1000);
    let mut found = 0;
    let mut walk = client.scan::<String>("*", 100);
    while let Some(key) = walk.next_item().await {
        key.expect("SCAN");
        found += 1;
    }
    assert_eq!(found, 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_death_of_the_only_seed_is_no_error() {
    let mut cluster = ClusterProcess::start(3, &[]);
    let seed = cluster.addrs(&[0])[0].to_string();
    let client = Client::builder().seed(seed).build().await.expect("a seed");
    let (done, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(work(client.clone(), task, done.clone(), stop.clone()));
    }
    until("calls before the death", || done.load(Ordering::Relaxed) > CALLS).await;
    cluster.nodes[0].kill();
    until("the client to know", || client.nodes().len() == 2).await;
    let before = done.load(Ordering::Relaxed);
    until("calls after the death", || done.load(Ordering::Relaxed) > before + CALLS).await;
    stop.store(true, Ordering::Relaxed);
    let (mut calls, mut slowest, mut errors) = (0, Duration::ZERO, Vec::new());
    while let Some(seen) = tasks.join_next().await {
        let seen = seen.expect("a task ended well");
        calls += seen.calls;
        slowest = slowest.max(seen.slowest);
        errors.extend(seen.errors);
    }
    eprintln!("{calls} calls, the slowest {slowest:?}, {} errors", errors.len());
    assert!(errors.is_empty(), "{} errors, the first: {:?}", errors.len(), errors.first());
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
    assert_eq!(client.nodes().len(), 2, "{client:?}");
}
