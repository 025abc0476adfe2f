//! The look-aside cache on a real node.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rondache_client::{
    Client, Cmd,
    cache::{Cache, Json, LeaseOptions, LoadOptions},
    near::{NearCache, NearConfig},
};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::{TestNode, until};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    id: u64,
    name: String,
    tags: Vec<String>,
}

fn user() -> User {
    User { id: 7, name: "Ada".to_owned(), tags: vec!["first".to_owned()] }
}

fn options() -> LoadOptions {
    LoadOptions::new(Duration::from_secs(60))
}

async fn is_stored(client: &Client, key: &str) -> bool {
    client.query(Cmd::new("EXISTS").arg(key)).await.is_ok_and(|count: i64| count == 1)
}

#[tokio::test]
async fn a_thousand_tasks_on_two_processes_make_one_load() {
    let node = TestNode::start();
    let caches = [Cache::new(node.connect().await), Cache::new(node.connect().await)];
    let loads = Arc::new(AtomicUsize::new(0));
    let options = options().with_lease(LeaseOptions::default());
    let mut tasks = JoinSet::new();
    for number in 0..1000 {
        let (cache, options, loads) = (caches[number % 2].clone(), options.clone(), Arc::clone(&loads));
        tasks.spawn(async move {
            let load = move || async move {
                loads.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Ok::<_, io::Error>(user())
            };
            cache.get_or_load("user:7", &options, load).await
        });
    }
    for loaded in tasks.join_all().await {
        assert!(matches!(&loaded, Ok(loaded) if *loaded == user()), "{loaded:?}");
    }
    assert_eq!(loads.load(Ordering::Relaxed), 1);
    let client = caches[0].backend();
    until("the lease is given back", async || !is_stored(client, "rondache:lease:user:7").await).await;
}

#[tokio::test]
async fn a_value_lives_in_the_node_with_a_ttl_until_it_is_invalidated() {
    let node = TestNode::start();
    let cache = Cache::new(node.connect().await).with_codec::<Json>();
    assert!(cache.put("user:7", &user(), &options()).await.is_ok());
    let ttl_ms: i64 = cache.backend().query(Cmd::new("PTTL").arg("user:7")).await.unwrap_or_default();
    assert!(ttl_ms > 90_000 && ttl_ms <= 120_000, "{ttl_ms} ms");
    assert_eq!(cache.get("user:7", &options()).await.ok(), Some(Some(user())));
    assert!(cache.invalidate("user:7").await.is_ok());
    assert_eq!(cache.get::<User>("user:7", &options()).await.ok(), Some(None));
}

#[tokio::test]
async fn a_batch_is_stored_and_read_over_all_slots() {
    let node = TestNode::start();
    let cache = Cache::new(node.connect().await);
    let keys: Vec<String> = (0..50).map(|number| format!("number:{number}")).collect();
    let load = |places: Vec<usize>| async move { Ok::<_, io::Error>(places.into_iter().map(Some).collect()) };
    let expected: Vec<Option<usize>> = (0..50).map(Some).collect();
    assert_eq!(cache.get_many_or_load(&keys, &options(), load).await.ok(), Some(expected.clone()));
    until("all are stored", async || is_stored(cache.backend(), "number:49").await).await;
    assert_eq!(cache.get_many_or_load(&keys, &options(), load).await.ok(), Some(expected));
    assert_eq!(cache.metrics().counts.loads, 50);
}

#[tokio::test]
async fn the_cache_stands_on_the_near_cache_too() {
    let node = TestNode::start();
    let near = NearCache::connect(node.client(), NearConfig::default()).await.expect("the node tracks keys");
    let cache = Cache::new(near);
    assert!(cache.put("user:7", &user(), &options()).await.is_ok());
    until("the value is near", async || {
        let read: Option<User> = cache.get("user:7", &options()).await.unwrap_or_default();
        read == Some(user()) && cache.backend().metrics().counts.hits > 0
    })
    .await;
    let elsewhere = Cache::new(node.connect().await);
    assert!(elsewhere.invalidate("user:7").await.is_ok());
    until("the invalidation has arrived", async || {
        cache.get::<User>("user:7", &options()).await.is_ok_and(|read| read.is_none())
    })
    .await;
}
