//! Tests of the near cache against scripted nodes, in virtual time.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;
use rondache_protocol::resp::value::Value;
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

use super::{
    config::NearConfig,
    observer::TrackingObserver,
    reader::Near,
    source::{Fetched, Route, Source},
    store::NearStore,
};
use crate::{ConnectionObserver, LinkError, cache::BackendError};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const KEY: Bytes = Bytes::from_static(b"key");

/// Two nodes; keys that begin with `b` are the second one's.
#[derive(Default)]
struct Nodes {
    values: Mutex<HashMap<Bytes, (Bytes, Option<Duration>)>>,
    fetches: AtomicUsize,
    /// While set, replies have been read by the node but not arrived.
    gate: Mutex<Option<Arc<Notify>>>,
    silent: Mutex<Vec<&'static str>>,
    digest: AtomicU64,
}

impl Route for &'static str {
    fn node(&self) -> Arc<str> {
        Arc::from(*self)
    }
}

impl Source for Arc<Nodes> {
    type Route = &'static str;

    fn route(&self, key: &[u8]) -> Option<&'static str> {
        Some(if key.starts_with(b"b") { "b:1" } else { "a:1" })
    }

    async fn fetch(&self, route: &&'static str, key: &Bytes) -> Option<Fetched> {
        if self.silent.lock().contains(route) {
            return None;
        }
        self.fetches.fetch_add(1, Ordering::Relaxed);
        let found = self.values.lock().get(key).cloned();
        let gate = self.gate.lock().clone();
        if let Some(gate) = gate {
            gate.notified().await;
        }
        let (value, lives_for) = found.map_or((None, None), |(value, ttl)| (Some(value), ttl));
        Some(Fetched { value, lives_for })
    }

    async fn fetch_anywhere(&self, key: &Bytes) -> Result<Option<Bytes>, BackendError> {
        Ok(self.values.lock().get(key).map(|(value, _)| value.clone()))
    }

    async fn ping(&self, route: &&'static str, within: Duration) -> bool {
        let is_silent = self.silent.lock().contains(route);
        if is_silent {
            sleep(within).await;
        }
        !is_silent
    }

    fn routes(&self) -> Vec<(&'static str, u64)> {
        vec![("a:1", self.digest.load(Ordering::Relaxed)), ("b:1", 7)]
    }
}

struct Bench {
    nodes: Arc<Nodes>,
    near: Near<Arc<Nodes>>,
    observer: TrackingObserver,
}

impl Bench {
    fn new() -> Self {
        Self::with(NearConfig { ttl_jitter_percent: 0, ..NearConfig::default() })
    }

    fn with(config: NearConfig) -> Self {
        let nodes = Arc::new(Nodes::default());
        let store = Arc::new(NearStore::new(config));
        let observer = TrackingObserver::new(Arc::clone(&store));
        Self { near: Near::new(store, Arc::clone(&nodes)), nodes, observer }
    }

    fn set(&self, key: &'static str, value: &'static str) {
        self.nodes.values.lock().insert(Bytes::from(key), (Bytes::from(value), None));
    }

    async fn get(&self, key: &'static str) -> Option<Bytes> {
        self.near.get(&Bytes::from(key)).await.unwrap_or_default()
    }

    fn push(&self, node: &str, keys: Value) {
        self.observer.pushed(node, b"invalidate", &[keys]);
    }

    fn invalidate(&self, key: &'static str) {
        self.push("a:1", Value::Array(vec![Value::Bulk(Bytes::from(key))]));
    }

    fn fetches(&self) -> usize {
        self.nodes.fetches.load(Ordering::Relaxed)
    }

    fn is_cached(&self, key: &str) -> bool {
        self.near.get_cached(key.as_bytes()).is_some()
    }
}

#[tokio::test(start_paused = true)]
async fn the_second_read_is_answered_from_memory() {
    let bench = Bench::new();
    bench.set("key", "one");
    for _ in 0..3 {
        assert_eq!(bench.get("key").await.as_deref(), Some(&b"one"[..]));
    }
    let counts = bench.near.store.counters.snapshot();
    assert_eq!((bench.fetches(), counts.hits, counts.misses), (1, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn that_there_is_no_value_is_kept_too() {
    let bench = Bench::new();
    assert_eq!(bench.get("key").await, None);
    assert_eq!(bench.get("key").await, None);
    assert_eq!(bench.fetches(), 1);
    bench.set("key", "one");
    bench.invalidate("key");
    assert_eq!(bench.get("key").await.as_deref(), Some(&b"one"[..]));
}

#[tokio::test(start_paused = true)]
async fn a_change_is_seen_as_soon_as_it_is_reported() {
    let bench = Bench::new();
    bench.set("key", "one");
    bench.get("key").await;
    bench.set("key", "two");
    bench.invalidate("key");
    assert_eq!(bench.get("key").await.as_deref(), Some(&b"two"[..]));
}

#[tokio::test(start_paused = true)]
async fn a_report_that_overtakes_the_value_keeps_it_out() {
    let bench = Arc::new(Bench::new());
    bench.set("key", "old");
    let gate = Arc::new(Notify::new());
    *bench.nodes.gate.lock() = Some(Arc::clone(&gate));
    let reading = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { bench.get("key").await }
    });
    sleep(MS).await;
    bench.set("key", "new");
    bench.invalidate("key");
    *bench.nodes.gate.lock() = None;
    gate.notify_one();
    assert!(matches!(reading.await, Ok(Some(value)) if value == "old"));
    assert_eq!(bench.get("key").await.as_deref(), Some(&b"new"[..]));
    assert_eq!(bench.near.store.counters.snapshot().races, 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_lost_while_a_value_is_on_its_way_keeps_it_out() {
    let bench = Arc::new(Bench::new());
    let gate = Arc::new(Notify::new());
    *bench.nodes.gate.lock() = Some(Arc::clone(&gate));
    let reading = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { bench.get("key").await }
    });
    sleep(MS).await;
    bench.observer.disconnected("a:1", &LinkError::ClosedByPeer);
    gate.notify_one();
    assert!(reading.await.is_ok());
    sleep(SECOND).await;
    assert!(!bench.is_cached("key"));
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_drops_what_was_read_from_its_node_only() {
    let bench = Bench::new();
    bench.get("a-key").await;
    bench.get("b-key").await;
    bench.observer.disconnected("a:1", &LinkError::ClosedByPeer);
    assert!(!bench.is_cached("a-key"));
    assert!(bench.is_cached("b-key"));
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_a_reconnect_never_counts_again() {
    let bench = Bench::new();
    bench.get("key").await;
    bench.observer.disconnected("a:1", &LinkError::ClosedByPeer);
    bench.observer.connected("a:1");
    sleep(SECOND).await;
    assert!(!bench.is_cached("key"));
    bench.get("key").await;
    assert!(bench.is_cached("key"));
}

#[tokio::test(start_paused = true)]
async fn a_report_without_keys_drops_all_of_its_node() {
    let bench = Bench::new();
    bench.get("a-key").await;
    bench.get("b-key").await;
    bench.push("a:1", Value::Null);
    assert!(!bench.is_cached("a-key") && bench.is_cached("b-key"));
}

#[tokio::test(start_paused = true)]
async fn over_a_connection_that_is_silently_dead_nothing_is_answered_beyond_the_bound() {
    let bench = Bench::new();
    bench.set("key", "one");
    bench.get("key").await;
    sleep(10 * SECOND).await;
    assert!(bench.is_cached("key"), "a connection that answers was doubted");
    bench.nodes.silent.lock().push("a:1");
    let silent_since = Instant::now();
    while bench.is_cached("key") {
        sleep(10 * MS).await;
    }
    let answered_for = silent_since.elapsed();
    assert!(answered_for <= SECOND + 10 * MS && answered_for >= 700 * MS, "{answered_for:?}");
    // It was only slow: all reports come before the reply that proves it alive.
    bench.nodes.silent.lock().clear();
    sleep(2 * SECOND).await;
    assert!(bench.is_cached("key"));
    assert_eq!(bench.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn slots_that_move_drop_what_was_read_from_their_nodes() {
    let bench = Bench::new();
    bench.get("a-key").await;
    bench.get("b-key").await;
    sleep(SECOND).await;
    bench.nodes.digest.store(1, Ordering::Relaxed);
    sleep(SECOND).await;
    assert!(!bench.is_cached("a-key") && bench.is_cached("b-key"));
}

#[tokio::test(start_paused = true)]
async fn an_entry_lives_no_longer_than_its_key() {
    let bench = Bench::new();
    bench.nodes.values.lock().insert(KEY, (Bytes::from("one"), Some(2 * SECOND)));
    bench.get("key").await;
    sleep(2 * SECOND - MS).await;
    assert!(bench.is_cached("key"));
    sleep(MS).await;
    assert!(!bench.is_cached("key"));
}

#[tokio::test(start_paused = true)]
async fn an_entry_lives_no_longer_than_the_near_caches_own_ttl() {
    let bench = Bench::with(NearConfig { ttl: 5 * SECOND, ttl_jitter_percent: 10, ..NearConfig::default() });
    bench.get("key").await;
    sleep(4400 * MS).await;
    assert!(bench.is_cached("key"));
    sleep(600 * MS).await;
    assert!(!bench.is_cached("key"));
}

#[tokio::test(start_paused = true)]
async fn keys_that_no_prefix_covers_are_read_but_not_kept() {
    let bench = Bench::with(NearConfig::default().with_prefixes(["a-"]));
    bench.set("other", "value");
    assert!(bench.get("other").await.is_some());
    assert!(!bench.is_cached("other"));
    bench.get("a-key").await;
    assert!(bench.is_cached("a-key"));
    let greeting = bench.observer.greeting();
    let words: Vec<&[u8]> = greeting.iter().flat_map(crate::Cmd::iter).collect();
    assert_eq!(words.join(&b' '), b"CLIENT TRACKING ON BCAST PREFIX a-");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_answer_is_passed_by_and_nothing_is_kept() {
    let bench = Bench::new();
    bench.set("key", "one");
    bench.nodes.silent.lock().push("a:1");
    assert!(bench.get("key").await.is_some());
    assert!(!bench.is_cached("key"));
}

#[tokio::test(start_paused = true)]
async fn values_that_are_too_long_are_not_kept() {
    let bench = Bench::with(NearConfig { value_len_max: 4, ..NearConfig::default() });
    bench.set("key", "longer");
    bench.get("key").await;
    assert!(!bench.is_cached("key"));
}

#[tokio::test(start_paused = true)]
async fn memory_stays_within_its_bound() {
    let bench = Bench::with(NearConfig::default().with_bytes_max(50_000));
    for number in 0..2000u32 {
        let _ = bench.near.get(&Bytes::from(format!("key:{number}"))).await;
    }
    bench.near.store.tidy();
    let (entries, bytes) = bench.near.store.size();
    assert!(bytes <= 50_000 && entries > 100, "{entries} entries of {bytes} bytes");
}

#[tokio::test(start_paused = true)]
async fn a_read_that_was_cancelled_leaves_nothing_behind() {
    let bench = Bench::new();
    *bench.nodes.gate.lock() = Some(Arc::new(Notify::new()));
    assert!(tokio::time::timeout(MS, bench.get("key")).await.is_err());
    *bench.nodes.gate.lock() = None;
    bench.get("key").await;
    assert!(bench.is_cached("key"));
}
