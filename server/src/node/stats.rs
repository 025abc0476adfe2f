//! Counters. Each worker writes its own, on its own cache lines, and a reader adds them up: nothing that several threads
//! write is touched per command.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use crossbeam_utils::CachePadded;
use dashmap::DashMap;
use parking_lot::Mutex;

use super::histogram::{Distribution, Histogram};
use crate::{
    command::{CommandError, registry},
    store::keyspace::KeyspaceCounts,
};

/// A counter with a single writer: a plain load and store, no locked instruction.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts `by` more. Only the owning thread calls it.
    #[inline]
    pub fn add(&self, by: u64) {
        self.0.store(self.0.load(Relaxed) + by, Relaxed);
    }

    /// The count.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Back to zero; a count that its writer adds at the same moment may be lost.
    pub fn reset(&self) {
        self.0.store(0, Relaxed);
    }
}

/// One command's counters.
#[derive(Debug, Default)]
pub struct CommandCounters {
    /// Times it ran.
    pub calls: Counter,
    /// Time it took, in ns.
    pub ns: Counter,
    /// Times it was refused before it ran.
    pub rejected: Counter,
    /// Times it ran and failed.
    pub failed: Counter,
    /// How its run times are distributed; made at its first run.
    pub times: OnceLock<Histogram>,
}

/// A worker's counters.
#[derive(Debug)]
pub struct WorkerStats {
    /// By index in the command table; behind them, those of subcommands: see `registry::subcommand_slot`.
    pub commands: Box<[CommandCounters]>,
    /// Commands run.
    pub executed: Counter,
    /// Lookups that found their key.
    pub hits: Counter,
    /// Lookups that did not.
    pub misses: Counter,
    /// Changes to keys.
    pub changes: Counter,
    /// Keys met after they had expired.
    pub expired: Counter,
    /// Keys evicted for memory.
    pub evicted: Counter,
    /// Relative TTLs that jitter shortened.
    pub ttls_jittered: Counter,
    /// Bytes received.
    pub bytes_in: Counter,
    /// Bytes sent.
    pub bytes_out: Counter,
    /// Reads that brought something.
    pub reads: Counter,
    /// Writes.
    pub writes: Counter,
    /// Errors by code.
    errors: Mutex<hashbrown::HashMap<String, u64>>,
}

impl Default for WorkerStats {
    fn default() -> Self {
        Self {
            commands: (0..registry::slots()).map(|_| CommandCounters::default()).collect(),
            executed: Counter::default(),
            hits: Counter::default(),
            misses: Counter::default(),
            changes: Counter::default(),
            expired: Counter::default(),
            evicted: Counter::default(),
            ttls_jittered: Counter::default(),
            bytes_in: Counter::default(),
            bytes_out: Counter::default(),
            reads: Counter::default(),
            writes: Counter::default(),
            errors: Mutex::default(),
        }
    }
}

impl WorkerStats {
    /// Counts a command that ran.
    #[inline]
    pub fn count_call(&self, index: u16) {
        self.executed.add(1);
        if let Some(counters) = self.commands.get(usize::from(index)) {
            counters.calls.add(1);
        }
    }

    /// Adds `times` runs of `ns` each to a command's time.
    #[inline]
    pub fn add_time(&self, slot: u16, ns: u64, times: u64, to_histogram: bool) {
        let Some(counters) = self.commands.get(usize::from(slot)) else { return };
        counters.ns.add(ns * times);
        if to_histogram {
            counters.times.get_or_init(Histogram::default).record(ns, times);
        }
    }

    /// Counts a command that ran and failed.
    pub fn count_failure(&self, index: u16, error: &CommandError) {
        if let Some(counters) = self.commands.get(usize::from(index)) {
            counters.failed.add(1);
        }
        self.count_error(error);
    }

    /// Counts a command that was refused before it ran.
    pub fn count_rejection(&self, index: Option<u16>, error: &CommandError) {
        if let Some(counters) = index.and_then(|index| self.commands.get(usize::from(index))) {
            counters.rejected.add(1);
        }
        self.count_error(error);
    }

    fn count_error(&self, error: &CommandError) {
        /// As many codes are told apart as Redis does, lest a client invent them without end.
        const CODES_MAX: usize = 128;
        let mut errors = self.errors.lock();
        let code = error.code();
        if errors.len() < CODES_MAX || errors.contains_key(code.as_ref()) {
            *errors.entry_ref(code.as_ref()).or_insert(0) += 1;
        }
    }

    /// Adds what a keyspace counted.
    #[inline]
    pub fn add_keyspace(&self, counts: &KeyspaceCounts) {
        self.hits.add(counts.hits);
        self.misses.add(counts.misses);
        self.changes.add(counts.changes);
        self.expired.add(counts.expired);
        self.evicted.add(counts.evicted);
        self.ttls_jittered.add(counts.ttls_jittered);
    }

    fn reset(&self) {
        for command in &self.commands {
            for counter in [&command.calls, &command.ns, &command.rejected, &command.failed] {
                counter.reset();
            }
            if let Some(times) = command.times.get() {
                times.reset();
            }
        }
        let plain = [
            &self.executed,
            &self.hits,
            &self.misses,
            &self.changes,
            &self.expired,
            &self.evicted,
            &self.ttls_jittered,
            &self.bytes_in,
            &self.bytes_out,
            &self.reads,
            &self.writes,
        ];
        for counter in plain {
            counter.reset();
        }
        self.errors.lock().clear();
    }

    /// Errors by code.
    #[must_use]
    pub fn errors(&self) -> Vec<(String, u64)> {
        self.errors.lock().iter().map(|(code, count)| (code.clone(), *count)).collect()
    }
}

/// The counters of all workers.
#[derive(Debug, Default)]
pub struct Stats {
    workers: Mutex<Vec<Arc<CachePadded<WorkerStats>>>>,
    /// Connections accepted.
    pub connections: AtomicU64,
    /// Connections refused.
    pub connections_refused: AtomicU64,
    /// Rare events by name.
    pub events: DashMap<&'static str, u64>,
}

impl Stats {
    /// Counters for one more worker.
    pub fn register(&self) -> Arc<CachePadded<WorkerStats>> {
        let stats = Arc::new(CachePadded::new(WorkerStats::default()));
        self.workers.lock().push(stats.clone());
        stats
    }

    /// The sum over all workers.
    pub fn sum(&self, of: impl Fn(&WorkerStats) -> u64) -> u64 {
        self.workers.lock().iter().map(|worker| of(worker)).sum()
    }

    /// How the run times of the command with these counters are distributed, over all workers; `None`: it never ran.
    #[must_use]
    pub fn times_of(&self, slot: usize) -> Option<Distribution> {
        let mut sum = None;
        for worker in self.workers() {
            if let Some(times) = worker.commands.get(slot).and_then(|counters| counters.times.get()) {
                times.add_to(sum.get_or_insert_default());
            }
        }
        sum.filter(|sum| sum.count() > 0)
    }

    /// Back to zero, as `CONFIG RESETSTAT` wants it. What is counted at the same moment may be lost.
    pub fn reset(&self) {
        for worker in self.workers() {
            worker.reset();
        }
        self.connections.store(0, Relaxed);
        self.connections_refused.store(0, Relaxed);
        self.events.clear();
    }

    /// Every worker's counters.
    #[must_use]
    pub fn workers(&self) -> Vec<Arc<CachePadded<WorkerStats>>> {
        self.workers.lock().clone()
    }
}
