//! The near cache on a real node.

use std::time::{Duration, Instant};

use rondache_client::{
    Client, Cmd,
    near::{NearCache, NearConfig},
};

use super::{TestNode, until};

async fn near(node: &TestNode, config: NearConfig) -> NearCache {
    NearCache::connect(node.client(), config).await.expect("the node tracks keys")
}

async fn run(client: &Client, line: &str) {
    let mut words = line.split(' ');
    let cmd = Cmd::new(words.next().unwrap_or_default()).args(words);
    client.cmd(cmd).await.unwrap_or_else(|error| panic!("{line}: {error}"));
}

/// Reads until the value is answered from memory.
async fn keep(near: &NearCache, key: &str) {
    until("the value is near", async || {
        let _ = near.get(key).await;
        near.get_cached(key).is_some()
    })
    .await;
}

#[tokio::test]
async fn a_write_elsewhere_is_seen_at_once() {
    let node = TestNode::start();
    let (near, writer) = (near(&node, NearConfig::default()).await, node.connect().await);
    let mut delays = Vec::new();
    for number in 0..200 {
        run(&writer, &format!("SET key {number}")).await;
        let written_at = Instant::now();
        let expected = number.to_string();
        until("the write is seen", async || {
            near.get("key").await.is_ok_and(|value| value.is_some_and(|value| value == expected.as_bytes()))
        })
        .await;
        delays.push(written_at.elapsed());
        keep(&near, "key").await;
    }
    delays.sort_unstable();
    // The goal is 5 ms; a busy machine may stall a task for longer than any of this takes.
    assert!(delays[delays.len() / 2] < Duration::from_millis(50), "median {:?}", delays[delays.len() / 2]);
    assert!(near.metrics().counts.invalidations >= 199);
}

#[tokio::test]
async fn a_key_under_a_tracked_prefix_is_reported_though_nobody_read_it() {
    let node = TestNode::start();
    let config = NearConfig::default().with_prefixes(["user:"]);
    let (near, writer) = (near(&node, config).await, node.connect().await);
    let before = near.metrics().counts.invalidations;
    run(&writer, "SET user:7 Ada").await;
    run(&writer, "SET other:7 Ada").await;
    until("the change is reported", async || near.metrics().counts.invalidations > before).await;
    keep(&near, "user:7").await;
    run(&writer, "SET user:7 Grace").await;
    until("the change is seen", async || near.get_cached("user:7").is_none()).await;
}

#[tokio::test]
async fn a_flush_drops_everything() {
    let node = TestNode::start();
    let (near, writer) = (near(&node, NearConfig::default()).await, node.connect().await);
    run(&writer, "SET key value").await;
    keep(&near, "key").await;
    run(&writer, "FLUSHALL").await;
    until("the flush has arrived", async || near.get_cached("key").is_none()).await;
    assert!(near.get("key").await.is_ok_and(|value| value.is_none()));
}

#[tokio::test]
async fn a_lost_connection_drops_what_was_read_over_it_and_tracking_goes_on() {
    let node = TestNode::start();
    let (near, writer) = (near(&node, NearConfig::default()).await, node.connect().await);
    run(&writer, "SET key one").await;
    keep(&near, "key").await;
    run(&writer, "CLIENT KILL SKIPME yes").await;
    until("the loss is noticed", async || near.get_cached("key").is_none()).await;
    keep(&near, "key").await;
    run(&writer, "SET key two").await;
    until("the change is seen over the new connection", async || {
        near.get("key").await.is_ok_and(|value| value.is_some_and(|value| value == "two"))
    })
    .await;
}

#[tokio::test]
async fn an_entry_ends_with_its_key() {
    let node = TestNode::start();
    let (near, writer) = (near(&node, NearConfig::default()).await, node.connect().await);
    run(&writer, "SET key value PX 200").await;
    let written_at = Instant::now();
    until("the entry has ended", async || near.get("key").await.is_ok_and(|value| value.is_none())).await;
    assert!(written_at.elapsed() < Duration::from_secs(2), "{:?}", written_at.elapsed());
}
