//! Many tasks that want one missing key at once: how often it is loaded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rondache_client::cache::{Cache, LoadOptions};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::cluster::Cluster;
use super::{ClientArgs, failed};
use crate::error::Result;
use crate::output::{Cell, Table};

const TASKS: usize = 1_000;
const LOAD_TIME: Duration = Duration::from_millis(50);

pub(super) fn measure(args: &ClientArgs) -> Result<Table> {
    let cluster = Cluster::start(&args.rondache)?;
    let mut table = Table::new(
        format!("{TASKS} tasks ask for one missing key at once; it takes {} ms to load", LOAD_TIME.as_millis()),
        &["round", "loads", "slowest ms"],
    );
    for round in 0..u64::from(args.rounds) {
        let (loads, slowest) = super::block_on(2, async {
            let client = cluster.builder().build().await.map_err(|error| failed("rondache", error))?;
            ask_at_once(&Cache::new(client), round).await
        })?;
        table.row(vec![(round + 1).into(), loads.into(), Cell::Number(slowest.as_secs_f64() * 1e3, 1)]);
    }
    Ok(table)
}

async fn ask_at_once(cache: &Cache, round: u64) -> Result<(u64, Duration)> {
    let (loads, barrier) = (Arc::new(AtomicU64::new(0)), Arc::new(Barrier::new(TASKS)));
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let (cache, loads, barrier) = (cache.clone(), loads.clone(), barrier.clone());
        tasks.spawn(async move {
            barrier.wait().await;
            let began = Instant::now();
            let load = move || async move {
                loads.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(LOAD_TIME).await;
                Ok::<_, std::io::Error>("value".to_owned())
            };
            let options = LoadOptions::new(Duration::from_secs(60));
            let value: String = cache
                .get_or_load(format!("missing:{round}"), &options, load)
                .await
                .map_err(|error| failed("cache", error))?;
            Ok::<_, crate::error::BenchError>((value, began.elapsed()))
        });
    }
    let mut slowest = Duration::ZERO;
    while let Some(done) = tasks.join_next().await {
        let (_, took) = done.map_err(|error| failed("cache", error))??;
        slowest = slowest.max(took);
    }
    Ok((loads.load(Ordering::Relaxed), slowest))
}
