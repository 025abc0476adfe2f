//! What a node does besides serving requests, on the control runtime: the active expiry sweep.
//!
//! The sweep works in slices of a fraction of a millisecond and rests between them, so that even on a single core a
//! request waits no longer for it than for a neighbour's request. A million keys that expire in one second take some
//! hundred ms of work, hence a few seconds of slices; where a round takes much longer, the slices grow.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use crossbeam_utils::CachePadded;
use tokio::time::MissedTickBehavior;

use super::{Node, clock, stats::WorkerStats};
use crate::store::{
    expire::Sweeper,
    keyspace::{Circumstances, Keyspace},
};

/// A round over all shards begins this often.
const TICK: Duration = Duration::from_millis(100);
/// How long a slice of sweeping lasts at first.
const SLICE: Duration = Duration::from_micros(100);
/// How long a slice lasts at most.
const SLICE_MAX: Duration = Duration::from_millis(2);
/// A round that has lasted this long gets longer slices, time and again.
const ROUND_PATIENCE: Duration = Duration::from_secs(2);
/// The rest between two slices that find enough to expire.
const REST: Duration = Duration::from_millis(1);
/// The rest where most of the keys that are looked at stay: the sweep then takes 1 % of a core.
const LONG_REST: Duration = Duration::from_millis(10);

/// Switches and figures of the node's housekeeping.
#[derive(Debug)]
pub struct Housekeeping {
    /// Whether keys expire without being asked for (DEBUG SET-ACTIVE-EXPIRE).
    pub expires_actively: AtomicBool,
    /// Whether all housekeeping is suspended (DEBUG PAUSE-CRON).
    pub is_paused: AtomicBool,
    /// Rounds of the sweep that took longer than a tick.
    pub long_rounds: AtomicU64,
    /// The share of the keys looked at lately that had expired, in thousandths.
    pub stale_permille: AtomicU64,
}

impl Default for Housekeeping {
    fn default() -> Self {
        Self {
            expires_actively: AtomicBool::new(true),
            is_paused: AtomicBool::new(false),
            long_rounds: AtomicU64::new(0),
            stale_permille: AtomicU64::new(0),
        }
    }
}

/// Keeps house until the node shuts down.
pub async fn run(node: Arc<Node>) {
    let mut rounds = ExpiryRounds { sweeper: Sweeper::default(), stats: node.stats.register() };
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = node.shutdown.cancelled() => return,
            _ = ticks.tick() => {
                node.memory.tick();
                if !node.housekeeping.is_paused.load(Relaxed) {
                    rounds.run(&node).await;
                }
            },
        }
    }
}

struct ExpiryRounds {
    sweeper: Sweeper,
    stats: Arc<CachePadded<WorkerStats>>,
}

/// What a slice found.
struct Slice {
    visited: usize,
    expired: usize,
    ends_round: bool,
}

impl ExpiryRounds {
    /// Looks into every shard once.
    async fn run(&mut self, node: &Node) {
        let started = Instant::now();
        let mut slice_len = SLICE;
        let mut patience = ROUND_PATIENCE;
        while node.housekeeping.expires_actively.load(Relaxed)
            && !node.pause.holds_writes(clock::unix_ms())
            && !node.shutdown.is_cancelled()
        {
            let slice = self.slice(node, slice_len);
            if let Some(permille) = (slice.expired * 1000).checked_div(slice.visited) {
                // A moving average over about eight slices.
                let before = node.housekeeping.stale_permille.load(Relaxed);
                node.housekeeping.stale_permille.store((before * 7 + permille as u64) / 8, Relaxed);
            }
            if slice.ends_round {
                break;
            }
            let round = started.elapsed();
            if round > patience && slice_len < SLICE_MAX {
                patience += ROUND_PATIENCE;
                slice_len *= 2;
            }
            let is_worthwhile = slice.expired * 10 >= slice.visited;
            tokio::time::sleep(if is_worthwhile { REST } else { LONG_REST }).await;
        }
        if started.elapsed() > TICK {
            node.housekeeping.long_rounds.fetch_add(1, Relaxed);
        }
    }

    fn slice(&mut self, node: &Node, slice_len: Duration) -> Slice {
        let started = Instant::now();
        let circumstances = Circumstances { db: 0, now_ms: clock::unix_ms(), client_id: 0, touch: false };
        let mut ks = Keyspace::new(&node.store, &node.hub, circumstances);
        let mut slice = Slice { visited: 0, expired: 0, ends_round: false };
        loop {
            let swept = self.sweeper.step(&mut ks);
            slice.visited += swept.visited;
            slice.expired += swept.expired;
            slice.ends_round = swept.ends_round;
            // A look into a shard with nothing due takes less time than a look at the clock.
            if slice.ends_round || (swept.visited > 0 && started.elapsed() >= slice_len) {
                break;
            }
        }
        self.stats.add_keyspace(&ks.take_counts());
        slice
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::settings::Settings, store::keyspace::Ttl};

    fn keys(node: &Node) -> usize {
        let circumstances = Circumstances { db: 0, now_ms: 0, client_id: 0, touch: false };
        Keyspace::new(&node.store, &node.hub, circumstances).len()
    }

    fn node_with_expired_keys(count: u32) -> Arc<Node> {
        let node = Node::new(Settings::default());
        let circumstances = Circumstances { db: 0, now_ms: 0, client_id: 0, touch: false };
        let mut ks = Keyspace::new(&node.store, &node.hub, circumstances);
        for index in 0..count {
            let name = index.to_string();
            let key = ks.key(name.as_bytes());
            ks.hold_one(key.shard());
            ks.put_string(&key, b"v", Ttl::At(1));
        }
        ks.release();
        drop(ks);
        node
    }

    #[tokio::test]
    async fn a_round_removes_expired_keys_and_counts_them() {
        let node = node_with_expired_keys(3000);
        let mut rounds = ExpiryRounds { sweeper: Sweeper::default(), stats: node.stats.register() };
        rounds.run(&node).await;
        assert_eq!((keys(&node), node.stats.sum(|worker| worker.expired.get())), (0, 3000));
    }

    #[tokio::test]
    async fn a_switched_off_sweep_removes_nothing() {
        let node = node_with_expired_keys(10);
        node.housekeeping.expires_actively.store(false, Relaxed);
        let mut rounds = ExpiryRounds { sweeper: Sweeper::default(), stats: node.stats.register() };
        rounds.run(&node).await;
        assert_eq!(keys(&node), 10);
    }
}
