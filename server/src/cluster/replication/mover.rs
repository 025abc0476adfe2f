//! Slots that are being copied to other nodes: one after the other, in chunks between commands, at the pace that
//! `rebalance-bandwidth` and the copies' streams allow.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use rondache_protocol::bus::identity::Identity;

use super::{Replication, pace::Pace};
use crate::{node::clock, store::replicate::filling::FillStep};

/// A copy waits while this many bytes of its stream are without acknowledgement: live effects come first.
const BACKLOG_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The mover works for so long at a time, and then rests for a multiple of what that took: requests come first. Where
/// threads compete for the processors or for a shard, a step takes longer, and the rest with it.
const WORK_MAX: Duration = Duration::from_micros(500);
/// The multiple on a node that has nothing else to do …
const REST_FACTOR_MIN: u32 = 2;
/// … how many commands a second raise it by one …
const COMMANDS_PER_FACTOR: u64 = 500;
/// … and where that ends.
const REST_FACTOR_MAX: u32 = 20;
/// No rest is longer: the time may have gone by while the process was frozen, or one value was huge.
const REST_MAX: Duration = Duration::from_millis(50);

/// How long to rest where every stream has a backlog, in ms.
const BACKLOG_REST_MS: u64 = 5;

/// What a step of the mover came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is nothing to copy.
    Idle,
    /// Something was sent.
    Sent,
    /// Nothing may be sent for so many ms.
    Wait(u64),
}

/// Copies slots; see the [module](self).
pub struct Mover {
    replication: Arc<Replication>,
    pace: Pace,
    /// The copy under way.
    current: Option<(u16, Identity)>,
}

impl Mover {
    /// A mover with nothing under way.
    #[must_use]
    pub const fn new(replication: Arc<Replication>, now_ms: u64) -> Self {
        Self { replication, pace: Pace::new(now_ms), current: None }
    }

    /// Sends chunks for a while, and answers what the last step came to.
    fn work_from(&mut self, began: Instant) -> Step {
        let bytes_per_s = self.replication.node.settings.load().cluster.rebalance_bytes_per_s;
        loop {
            let step = self.step(bytes_per_s, clock::unix_ms());
            if step != Step::Sent || began.elapsed() >= WORK_MAX {
                return step;
            }
        }
    }

    /// Sends one chunk, where it may.
    pub fn step(&mut self, bytes_per_s: u64, now_ms: u64) -> Step {
        let Some((slot, to)) = self.current.take().or_else(|| self.next_fill(now_ms)) else { return Step::Idle };
        let wait_ms = self.pace.wait_ms(bytes_per_s, now_ms);
        if wait_ms > 0 {
            self.current = Some((slot, to));
            return Step::Wait(wait_ms);
        }
        if self.replication.outgoing(to, slot).lag(now_ms).bytes > BACKLOG_BYTES_MAX {
            // Another stream may have room: this one's turn comes again.
            let mut fills = self.replication.fills.lock();
            let others = fills.len();
            fills.push_back((slot, to));
            return if others > 0 { Step::Wait(1) } else { Step::Wait(BACKLOG_REST_MS) };
        }
        let step = self.replication.node.store.control(slot, |control| control.fill(to, now_ms));
        let bytes = match step {
            FillStep::More(bytes) => {
                self.current = Some((slot, to));
                bytes
            }
            FillStep::Done(bytes) => bytes,
            FillStep::Gone => 0,
        };
        self.pace.spend(bytes);
        self.replication.stats.copied_bytes.fetch_add(bytes as u64, Relaxed);
        Step::Sent
    }

    /// The next copy in line; one that is new is begun.
    fn next_fill(&self, now_ms: u64) -> Option<(u16, Identity)> {
        loop {
            let (slot, to) = self.pop_fill()?;
            let outgoing = self.replication.outgoing(to, slot);
            let began = self.replication.node.store.control(slot, |control| control.begin_fill(&outgoing, now_ms));
            match began {
                Some(true) => {
                    self.replication.stats.copies_begun.fetch_add(1, Relaxed);
                    return Some((slot, to));
                }
                // It was under way, and had to let others pass.
                Some(false) => return Some((slot, to)),
                None => self.replication.lost_before_it_began(slot, to),
            }
        }
    }

    /// The first in line whose slot's writes wait for it, else the first.
    fn pop_fill(&self) -> Option<(u16, Identity)> {
        let awaited = &self.replication.node.cluster.awaited;
        let mut fills = self.replication.fills.lock();
        if awaited.is_empty() {
            return fills.pop_front();
        }
        let first = fills.iter().position(|(slot, _)| awaited.contains(*slot)).unwrap_or(0);
        fills.remove(first)
    }

    /// Starts the mover's thread, which ends with the node.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn spawn(replication: Arc<Replication>) -> std::io::Result<thread::JoinHandle<()>> {
        thread::Builder::new().name("mover".to_owned()).spawn(move || {
            replication.node.memory.meter_this_thread();
            let mut mover = Self::new(replication.clone(), clock::unix_ms());
            while !replication.node.shutdown.is_cancelled() {
                let began = Instant::now();
                let step = mover.work_from(began);
                replication.node.memory.publish();
                match step {
                    Step::Sent => {
                        let commands_per_s = replication.node.rates.commands.load(Relaxed);
                        thread::sleep(rest_after(began.elapsed(), commands_per_s));
                    }
                    Step::Wait(ms) => thread::sleep(Duration::from_millis(ms)),
                    Step::Idle => replication.await_fills(Duration::from_millis(200)),
                }
            }
        })
    }
}

/// How long to rest after so much work, on a node that is so busy.
fn rest_after(worked: Duration, commands_per_s: u64) -> Duration {
    let busy = u32::try_from(commands_per_s / COMMANDS_PER_FACTOR).unwrap_or(u32::MAX);
    let factor = busy.saturating_add(REST_FACTOR_MIN).min(REST_FACTOR_MAX);
    worked.saturating_mul(factor).min(REST_MAX)
}

impl Replication {
    /// Puts a copy in line.
    pub(super) fn enqueue_fill(&self, slot: u16, to: Identity) {
        let mut fills = self.fills.lock();
        if !fills.contains(&(slot, to)) {
            fills.push_back((slot, to));
            self.fills_changed.notify_one();
        }
    }

    /// Takes a copy out of the line.
    pub(super) fn cancel_fill(&self, slot: u16, to: &Identity) {
        self.fills.lock().retain(|(of, node)| *of != slot || node != to);
    }

    /// How many copies wait to be made.
    #[must_use]
    pub fn fills_waiting(&self) -> usize {
        self.fills.lock().len()
    }

    fn await_fills(&self, timeout: Duration) {
        let mut fills = self.fills.lock();
        if fills.is_empty() {
            self.fills_changed.wait_for(&mut fills, timeout);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_grows_with_the_work_and_the_load_but_not_without_end() {
        assert_eq!(rest_after(Duration::from_millis(1), 0), Duration::from_millis(2));
        assert_eq!(rest_after(Duration::from_millis(1), 1_000), Duration::from_millis(4));
        assert_eq!(rest_after(Duration::from_millis(1), u64::MAX), Duration::from_millis(20));
        assert_eq!(rest_after(Duration::from_secs(3600), 0), REST_MAX);
    }
}
