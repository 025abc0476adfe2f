//! The near cache: what a hit costs, and how long an acknowledged write elsewhere stays unseen.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rondache_client::near::{NearCache, NearConfig};

use super::cluster::Cluster;
use super::{ClientArgs, failed};
use crate::error::Result;
use crate::output::{Cell, Table};
use crate::stats::median;

/// Keys in memory: more than the first levels of the processor's caches hold.
const KEYS: u32 = 10_000;
/// For the rate, the clock is read once in so many hits: reading it takes as long as a good part of a hit.
const BLOCK: u32 = 1_000;
/// 300 hits a key. The first sixteen of each, of which moka is told, cost three times as much as the others.
const BLOCKS: u32 = 3_000;
const WRITES: u32 = 2_000;

/// A key. All lie in one piece of memory, so that to look up which comes next costs nothing beside the hit.
type Key = [u8; 10];

pub(super) fn measure(args: &ClientArgs) -> Result<Table> {
    let cluster = Cluster::start(&args.rondache)?;
    let (rate_ns, alone, delays) = super::block_on(1, async {
        let wrong = |error: &dyn std::fmt::Display| failed("near cache", error);
        let near = NearCache::connect(cluster.builder(), NearConfig::default()).await.map_err(|error| wrong(&error))?;
        let writer = cluster.builder().build().await.map_err(|error| wrong(&error))?;
        let keys: Vec<Key> = (0..KEYS).map(key).collect();
        for key in &keys {
            writer.set(&key[..], "some value of some length").await.map_err(|error| wrong(&error))?;
            near.get(key).await.map_err(|error| wrong(&error))?;
        }
        let rate_ns = time_blocks(&near, &keys).await.map_err(|error| wrong(&error))?;
        let alone = time_single_hits(&near, &keys).await.map_err(|error| wrong(&error))?;
        let delays = time_changes(&near, &writer).await.map_err(|error| wrong(&error))?;
        Ok((rate_ns, alone, delays))
    })?;
    let mut table = Table::new("near cache, one core", &["what", "figure"]);
    table.row(vec!["hits a second, millions".into(), Cell::Number(1e3 / rate_ns, 2)]);
    for (name, share) in [("median", 0.5), ("p99", 0.99)] {
        let name = format!("one hit and the reading of the clock, {name}, ns");
        table.row(vec![name.into(), Cell::Number(quantile(&alone, share).as_nanos() as f64, 0)]);
    }
    for (name, share) in [("median", 0.5), ("p99", 0.99), ("longest", 1.0)] {
        let name = format!("write elsewhere acknowledged until seen, {name}, ms");
        table.row(vec![name.into(), Cell::Number(quantile(&delays, share).as_secs_f64() * 1e3, 3)]);
    }
    Ok(table)
}

fn key(number: u32) -> Key {
    let mut key = *b"near:00000";
    let mut rest = number;
    for digit in key.iter_mut().rev().take(5) {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    key
}

/// The key of a step: a stride without a common divisor, so that neighbours in time are none in memory.
fn key_of(keys: &[Key], step: u32) -> &Key {
    &keys[step.wrapping_mul(7919) as usize % keys.len()]
}

/// Nanoseconds a hit in the median block of hits that follow each other at once.
async fn time_blocks(near: &NearCache, keys: &[Key]) -> std::result::Result<f64, rondache_client::cache::BackendError> {
    let mut means = Vec::new();
    for block in 0..BLOCKS {
        let began = Instant::now();
        for step in 0..BLOCK {
            black_box(near.get(key_of(keys, block * BLOCK + step)).await?);
        }
        means.push(began.elapsed().as_nanos() as f64 / f64::from(BLOCK));
        // The connections have their turn.
        tokio::task::yield_now().await;
    }
    Ok(median(&means))
}

/// How long each hit took by itself, sorted.
async fn time_single_hits(
    near: &NearCache,
    keys: &[Key],
) -> std::result::Result<Vec<Duration>, rondache_client::cache::BackendError> {
    let mut hits = Vec::new();
    for block in 0..BLOCKS {
        for step in 0..BLOCK {
            let key = key_of(keys, block * BLOCK + step);
            let began = Instant::now();
            black_box(near.get(key).await?);
            hits.push(began.elapsed());
        }
        tokio::task::yield_now().await;
    }
    hits.sort_unstable();
    Ok(hits)
}

/// Writes through another client; the time from its acknowledgement until the near cache answers the new value.
async fn time_changes(
    near: &NearCache,
    writer: &rondache_client::Client,
) -> std::result::Result<Vec<Duration>, Box<dyn std::error::Error>> {
    let mut delays = Vec::new();
    for number in 0..WRITES {
        let (key, value) = (format!("near:changing:{}", number % 100), number.to_string());
        near.get(&key).await?;
        writer.set(&key, value.as_str()).await?;
        let acknowledged_at = Instant::now();
        while near.get(&key).await?.as_deref() != Some(value.as_bytes()) {
            tokio::task::yield_now().await;
        }
        delays.push(acknowledged_at.elapsed());
    }
    delays.sort_unstable();
    Ok(delays)
}

/// The duration that this share of sorted ones stays below.
pub(super) fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share) as usize).copied().unwrap_or_default()
}
