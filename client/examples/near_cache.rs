//! The near cache: how fast a hit is, and how soon a change elsewhere is seen.
//!
//! ```text
//! cargo run --release -p rondache-client --example near_cache [-- --nodes host:port,…]
//! ```
#![allow(clippy::print_stdout, reason = "an example prints its figures")]

mod support;

use std::{
    hint::black_box,
    process::ExitCode,
    time::{Duration, Instant},
};

use rondache_client::{
    Client,
    near::{NearCache, NearConfig},
};
use support::{Error, Nodes, quantiles};

const KEYS: usize = 10_000;
const VALUE: [u8; 64] = [b'v'; 64];
const READS: u32 = 4_000_000;
const WRITES: u32 = 2_000;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    support::run(&["--nodes"], measure()).await
}

async fn measure() -> Result<(), Error> {
    let nodes = Nodes::find()?;
    println!("nodes: {}", nodes.describe());
    let near = NearCache::connect(nodes.client(), NearConfig::default()).await?;
    let writer = nodes.client().build().await?;
    let keys: Vec<String> = (0..KEYS).map(|number| format!("near:user:{number:06}")).collect();
    for key in &keys {
        writer.set(key.as_str(), &VALUE[..]).await?;
        near.get(key).await?;
    }
    // The reading loops never yield; a thread of its own leaves the connections theirs.
    let reader = near.clone();
    tokio::task::spawn_blocking(move || measure_hits(&reader, &keys)).await?;
    measure_staleness(&near, &writer).await?;
    let seen = near.metrics();
    println!("{} entries, {} KiB, {:?}", seen.entries, seen.bytes / 1024, seen.counts);
    Ok(())
}

fn measure_hits(near: &NearCache, keys: &[String]) {
    let mut rng = fastrand::Rng::with_seed(1);
    let (started, mut hits) = (Instant::now(), 0u32);
    for _ in 0..READS {
        hits += u32::from(near.get_cached(&keys[rng.usize(..keys.len())]).is_some());
    }
    let took = started.elapsed();
    println!(
        "hits: {:.2} M/s on one core, {} ns each on average ({:.1} % of the reads hit)",
        f64::from(READS) / took.as_secs_f64() / 1e6,
        (took / READS).as_nanos(),
        100.0 * f64::from(hits) / f64::from(READS),
    );
    let mut single: Vec<Duration> = (0..500_000)
        .map(|_| {
            let key = &keys[rng.usize(..keys.len())];
            let asked_at = Instant::now();
            black_box(near.get_cached(key));
            asked_at.elapsed()
        })
        .collect();
    let [median, p99, p999] = quantiles(&mut single, [0.5, 0.99, 0.999]);
    println!("one hit: median {median:?}, p99 {p99:?}, p99.9 {p999:?} (with the two clock readings around it)");
}

/// From the moment that a write elsewhere is acknowledged until it is seen here.
async fn measure_staleness(near: &NearCache, writer: &Client) -> Result<(), Error> {
    let mut delays = Vec::new();
    for number in 0..WRITES {
        let value = number.to_string();
        near.get("near:changing").await?;
        writer.set("near:changing", value.as_str()).await?;
        let acknowledged_at = Instant::now();
        while near.get("near:changing").await?.as_deref() != Some(value.as_bytes()) {
            tokio::task::yield_now().await;
        }
        delays.push(acknowledged_at.elapsed());
    }
    let [median, p99, longest] = quantiles(&mut delays, [0.5, 0.99, 1.0]);
    println!("a change elsewhere is seen after: median {median:?}, p99 {p99:?}, at most {longest:?}");
    Ok(())
}
