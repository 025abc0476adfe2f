//! One client's turn, in a process of its own, so that its CPU time is nobody else's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use clap::Args;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use super::drivers::{Contender, Driver};
use super::{block_on, failed};
use crate::error::Result;
use crate::proc::usage;

/// Arguments of `client-worker`.
#[derive(Debug, Clone, Args)]
pub struct WorkerArgs {
    /// The client
    #[arg(long, value_enum)]
    pub(super) contender: Contender,
    /// Where it begins
    #[arg(long, value_delimiter = ',')]
    pub(super) nodes: Vec<String>,
    /// Tasks that share it
    #[arg(long)]
    pub(super) tasks: u32,
    /// Threads of its runtime
    #[arg(long)]
    pub(super) threads: usize,
    /// Requests in all
    #[arg(long)]
    pub(super) requests: u64,
    /// Keys
    #[arg(long)]
    pub(super) keys: u64,
    /// Bytes of a value
    #[arg(long)]
    pub(super) value_size: usize,
}

/// What a turn came to.
pub(super) struct Turn {
    pub(super) errors: u64,
    pub(super) elapsed_ns: u64,
    pub(super) cpu_ns: u64,
    pub(super) p50_ns: u64,
    pub(super) p99_ns: u64,
}

/// Runs the turn and prints what it came to, for the process that asked for it.
///
/// # Errors
/// The client cannot connect.
pub fn run(args: &WorkerArgs) -> Result<()> {
    let turn = block_on(args.threads, turn(args))?;
    let line = [turn.errors, turn.elapsed_ns, turn.cpu_ns, turn.p50_ns, turn.p99_ns].map(|figure| figure.to_string());
    crate::output::line(&line.join(" "))
}

impl Turn {
    /// Reads what [`run`] printed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let figures: Vec<u64> = text.split_whitespace().map(|word| word.parse().ok()).collect::<Option<_>>()?;
        let [errors, elapsed_ns, cpu_ns, p50_ns, p99_ns] = figures[..] else { return None };
        Some(Self { errors, elapsed_ns, cpu_ns, p50_ns, p99_ns })
    }
}

async fn turn(args: &WorkerArgs) -> Result<Turn> {
    let driver = Driver::connect(args.contender, &args.nodes).await?;
    // Connections to all nodes, and memory in use, before anything counts.
    work(&driver, args, args.requests / 20 + 1).await?;
    let pid = std::process::id();
    let (cpu_before, began) = (usage::cpu_ns(pid)?, Instant::now());
    let (errors, latencies) = work(&driver, args, args.requests).await?;
    let (elapsed, cpu_after) = (began.elapsed(), usage::cpu_ns(pid)?);
    Ok(Turn {
        errors,
        elapsed_ns: elapsed.as_nanos() as u64,
        cpu_ns: cpu_after.saturating_sub(cpu_before),
        p50_ns: latencies.value_at_quantile(0.5),
        p99_ns: latencies.value_at_quantile(0.99),
    })
}

/// Lets all tasks make so many requests together; answers errors and latencies.
async fn work(driver: &Driver, args: &WorkerArgs, requests: u64) -> Result<(u64, Histogram<u64>)> {
    let left = Arc::new(AtomicU64::new(requests));
    let value = Bytes::from(vec![b'v'; args.value_size]);
    let mut tasks = JoinSet::new();
    for seed in 0..args.tasks {
        let (driver, value) = (driver.clone(), value.clone());
        tasks.spawn(task(driver, left.clone(), fastrand::Rng::with_seed(u64::from(seed)), args.keys, value));
    }
    let (mut errors, mut latencies) = (0, new_histogram()?);
    while let Some(done) = tasks.join_next().await {
        let (failures, seen) = done.map_err(|error| failed(args.contender.name(), error))??;
        errors += failures;
        latencies.add(seen).map_err(|error| failed("histogram", error))?;
    }
    Ok((errors, latencies))
}

async fn task(
    mut driver: Driver,
    left: Arc<AtomicU64>,
    mut rng: fastrand::Rng,
    keys: u64,
    value: Bytes,
) -> Result<(u64, Histogram<u64>)> {
    let (mut errors, mut latencies) = (0, new_histogram()?);
    let take_one = |left: u64| left.checked_sub(1);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take_one).is_ok() {
        let key = format!("key:{:012}", rng.u64(..keys));
        let began = Instant::now();
        let is_ok = if rng.bool() { driver.get(&key).await } else { driver.set(&key, &value).await };
        latencies.saturating_record(began.elapsed().as_nanos() as u64);
        errors += u64::from(!is_ok);
    }
    Ok((errors, latencies))
}

fn new_histogram() -> Result<Histogram<u64>> {
    Histogram::new_with_bounds(100, 60_000_000_000, 3).map_err(|error| failed("histogram", error))
}

#[cfg(test)]
mod tests {
    use super::Turn;

    #[test]
    fn a_turn_is_five_figures_and_nothing_else() {
        assert_eq!(Turn::parse("0 10 20 30 40\n").map(|turn| (turn.cpu_ns, turn.p99_ns)), Some((20, 40)));
        assert!(Turn::parse("0 10 20 30").is_none());
        assert!(Turn::parse("error").is_none());
    }
}
