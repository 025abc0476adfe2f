//! Rates: commands and bytes a second, sampled ten times a second and averaged over the last samples, as Redis does.

use std::{
    sync::{Arc, atomic::AtomicU64, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior};

use super::Node;

/// How often a sample is taken.
const TICK: Duration = Duration::from_millis(100);
/// How many samples are averaged.
const SAMPLES: usize = 16;

/// Rates over the last 1.6 s.
#[derive(Debug, Default)]
pub struct Rates {
    /// Commands a second.
    pub commands: AtomicU64,
    /// Bytes received a second.
    pub bytes_in: AtomicU64,
    /// Bytes sent a second.
    pub bytes_out: AtomicU64,
}

/// Samples until the node shuts down.
pub(super) async fn run(node: Arc<Node>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = (Instant::now(), [0; 3]);
    let mut samples = [[0; 3]; SAMPLES];
    let mut turn = 0;
    loop {
        tokio::select! {
            biased;
            () = node.shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        node.memory.tick();
        let now = Instant::now();
        let totals = [
            node.stats.sum(|worker| worker.executed.get()),
            node.stats.sum(|worker| worker.bytes_in.get()),
            node.stats.sum(|worker| worker.bytes_out.get()),
        ];
        let elapsed_us = now.duration_since(before.0).as_micros().max(1) as u64;
        // A reset of the counters makes a total smaller; the rate is then unknown and counts as none.
        samples[turn % SAMPLES] =
            std::array::from_fn(|index| totals[index].saturating_sub(before.1[index]) * 1_000_000 / elapsed_us);
        before = (now, totals);
        turn += 1;
        for (index, rate) in [&node.rates.commands, &node.rates.bytes_in, &node.rates.bytes_out].iter().enumerate() {
            rate.store(samples.iter().map(|sample| sample[index]).sum::<u64>() / SAMPLES as u64, Relaxed);
        }
    }
}
