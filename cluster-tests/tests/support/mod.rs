//! Load by the Rust client, and what it saw.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rondache_client::{Client, ClientError};
use rondache_cluster_tests::process::SETTLE_TIMEOUT;
use tokio::{task::JoinSet, time::MissedTickBehavior};

const TASKS: u32 = 16;
/// Every task makes a call so often: calls that only wait for a processor would hide what they wait for besides.
const PACE: Duration = Duration::from_millis(8);
const KEYS: u32 = 500;
/// As many calls are made before and after something happens, at least.
const CALLS: u64 = 20 * TASKS as u64;

/// Tasks that write and read until they are stopped.
pub(crate) struct Load {
    tasks: JoinSet<Seen>,
    done: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

/// What they saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) calls: u64,
    pub(crate) slowest: Duration,
    pub(crate) errors: Vec<ClientError>,
}

impl Load {
    pub(crate) fn start(client: &Client) -> Self {
        let (done, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let mut tasks = JoinSet::new();
        for task in 0..TASKS {
            tasks.spawn(work(client.clone(), task, done.clone(), stop.clone()));
        }
        Self { tasks, done, stop }
    }

    /// Waits until every task has made some more calls.
    pub(crate) async fn some_calls(&self) {
        let before = self.done.load(Ordering::Relaxed);
        until("calls", || self.done.load(Ordering::Relaxed) > before + CALLS).await;
    }

    pub(crate) async fn stop(mut self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Seen::default();
        while let Some(seen) = self.tasks.join_next().await {
            let seen = seen.expect("a task ended well");
            all.calls += seen.calls;
            all.slowest = all.slowest.max(seen.slowest);
            all.errors.extend(seen.errors);
        }
        eprintln!("{all}");
        all
    }
}

impl Seen {
    pub(crate) fn assert_no_errors(&self) {
        assert!(self.errors.is_empty(), "{self}, the first: {:?}", self.errors.first());
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calls, the slowest {:?}, {} errors", self.calls, self.slowest, self.errors.len())
    }
}

/// Writes and reads keys of its own until told to stop.
async fn work(client: Client, task: u32, done: Arc<AtomicU64>, stop: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    let mut step = 0;
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !stop.load(Ordering::Relaxed) {
        pace.tick().await;
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
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    while !holds() {
        assert!(began.elapsed() < SETTLE_TIMEOUT, "waited in vain for {what}");
        looks.tick().await;
    }
}
