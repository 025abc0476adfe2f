//! A node is killed while tasks call: what they notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rondache_client::Client;
use tokio::task::JoinSet;

use super::cluster::Cluster;
use super::{ClientArgs, failed};
use crate::error::Result;
use crate::output::{Cell, Table};

const BEFORE: Duration = Duration::from_secs(2);
const AFTER: Duration = Duration::from_secs(5);

/// What tasks saw.
#[derive(Default)]
struct Seen {
    calls: u64,
    errors: u64,
    slowest: Duration,
    first_error: Option<String>,
}

pub(super) fn measure(args: &ClientArgs) -> Result<Table> {
    let title = format!("kill -9 of the first seed while {} tasks call GET and SET", args.tasks);
    let mut table = Table::new(&title, &["round", "calls", "errors", "slowest ms", "the first error"]);
    for round in 0..u64::from(args.rounds) {
        let cluster = Cluster::start(&args.rondache)?;
        let seen = super::block_on(args.threads, watch(args, &cluster))?;
        table.row(vec![
            (round + 1).into(),
            seen.calls.into(),
            seen.errors.into(),
            Cell::Number(seen.slowest.as_secs_f64() * 1e3, 0),
            seen.first_error.map_or(Cell::Empty, Cell::Text),
        ]);
    }
    Ok(table)
}

async fn watch(args: &ClientArgs, cluster: &Cluster) -> Result<Seen> {
    let client = cluster.builder().build().await.map_err(|error| failed("rondache", error))?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for seed in 0..args.tasks {
        let rng = fastrand::Rng::with_seed(u64::from(seed));
        tasks.spawn(call_until(client.clone(), rng, args.keys, stop.clone()));
    }
    tokio::time::sleep(BEFORE).await;
    cluster.kill_first();
    tokio::time::sleep(AFTER).await;
    stop.store(true, Ordering::Relaxed);
    let mut all = Seen::default();
    while let Some(seen) = tasks.join_next().await {
        let seen = seen.map_err(|error| failed("rondache", error))?;
        all.calls += seen.calls;
        all.errors += seen.errors;
        all.slowest = all.slowest.max(seen.slowest);
        all.first_error = all.first_error.or(seen.first_error);
    }
    Ok(all)
}

/// Both commands may be repeated without harm.
async fn call_until(client: Client, mut rng: fastrand::Rng, keys: u64, stop: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    while !stop.load(Ordering::Relaxed) {
        let key = format!("key:{:012}", rng.u64(..keys));
        let began = Instant::now();
        let outcome = match rng.bool() {
            true => client.get::<Option<bytes::Bytes>>(&key).await.map(drop),
            false => client.set(&key, "value").await,
        };
        seen.slowest = seen.slowest.max(began.elapsed());
        seen.calls += 1;
        if let Err(error) = outcome {
            seen.errors += 1;
            seen.first_error.get_or_insert_with(|| error.to_string());
        }
    }
    seen
}
