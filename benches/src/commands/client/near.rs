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
/// Hits are timed in blocks: reading the clock takes as long as a hit.
const BLOCK: u32 = 1_000;
const BLOCKS: u32 = 2_000;
const WRITES: u32 = 2_000;

pub(super) fn measure(args: &ClientArgs) -> Result<Table> {
    let cluster = Cluster::start(&args.rondache)?;
    let (hit_ns, delays) = super::block_on(1, async {
        let wrong = |error: &dyn std::fmt::Display| failed("near cache", error);
        let near = NearCache::connect(cluster.builder(), NearConfig::default()).await.map_err(|error| wrong(&error))?;
        let writer = cluster.builder().build().await.map_err(|error| wrong(&error))?;
        let keys: Vec<String> = (0..KEYS).map(|number| format!("near:{number}")).collect();
        for key in &keys {
            writer.set(key, "some value of some length").await.map_err(|error| wrong(&error))?;
            near.get(key).await.map_err(|error| wrong(&error))?;
        }
        let hit_ns = time_hits(&near, &keys).await.map_err(|error| wrong(&error))?;
        let delays = time_changes(&near, &writer).await.map_err(|error| wrong(&error))?;
        Ok((hit_ns, delays))
    })?;
    let mut table = Table::new("near cache, one core", &["what", "figure"]);
    table.row(vec!["hit, median ns".into(), Cell::Number(hit_ns, 0)]);
    table.row(vec!["hits a second, millions".into(), Cell::Number(1e3 / hit_ns, 2)]);
    for (name, share) in [("median", 0.5), ("p99", 0.99), ("longest", 1.0)] {
        let name = format!("write elsewhere acknowledged until seen, {name}, ms");
        table.row(vec![name.into(), Cell::Number(quantile(&delays, share).as_secs_f64() * 1e3, 3)]);
    }
    Ok(table)
}

/// Nanoseconds of a hit, misses (of which there should be none) included.
async fn time_hits(
    near: &NearCache,
    keys: &[String],
) -> std::result::Result<f64, rondache_client::cache::BackendError> {
    let mut blocks = Vec::new();
    for block in 0..BLOCKS {
        let began = Instant::now();
        for step in 0..BLOCK {
            // A stride without a common divisor, so that neighbours in time are none in memory.
            let at = (block * BLOCK + step).wrapping_mul(7919) as usize % keys.len();
            black_box(near.get(&keys[at]).await?);
        }
        blocks.push(began.elapsed().as_nanos() as f64 / f64::from(BLOCK));
        // The connections have their turn.
        tokio::task::yield_now().await;
    }
    Ok(median(&blocks))
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
