//! How long commands take, without reading the clock for each.
//!
//! A command that is not flagged FAST is timed by itself. FAST ones, and those on one string (SET is not flagged FAST), cost
//! less than reading the clock twice, so they share what is left of their batch's time evenly, unless someone wants to know precisely: the slow log below 1 ms, or the
//! latency monitor.

use std::time::Instant;

use rondache_protocol::command::{CommandSpec, Flags, Group};

use super::Session;
use crate::{
    command::{args::Args, registry},
    config::settings::Settings,
    node::{Node, clock, stats::WorkerStats},
};

/// Below this threshold of the slow log, in µs, every command is timed by itself.
const PRECISE_BELOW_US: i64 = 1000;

/// FAST commands of a batch: runs of equal counters, each with its length.
pub(crate) type SharedRuns = Vec<(u16, u32)>;

/// Times one batch.
pub(crate) struct BatchTimer<'w> {
    started: Instant,
    /// How much of the time since then `lap_ms` has told.
    told_ms: u64,
    is_precise: bool,
    is_tracking: bool,
    /// Time of commands that were timed by themselves, in ns.
    single_ns: u64,
    /// Room that the worker lends.
    shared: &'w mut SharedRuns,
}

impl<'w> BatchTimer<'w> {
    pub(crate) fn start(settings: &Settings, shared: &'w mut SharedRuns) -> Self {
        shared.clear();
        Self {
            started: Instant::now(),
            told_ms: 0,
            is_precise: (0..PRECISE_BELOW_US).contains(&settings.slowlog_threshold_us)
                || settings.latency_threshold_ms > 0,
            is_tracking: settings.latency_tracking,
            single_ns: 0,
            shared,
        }
    }

    /// The whole ms since the batch began or since this was last asked.
    pub(crate) fn lap_ms(&mut self) -> u64 {
        let elapsed_ms = self.started.elapsed().as_millis() as u64;
        elapsed_ms - std::mem::replace(&mut self.told_ms, elapsed_ms)
    }

    /// Before a command: the time, if it is timed by itself.
    #[inline]
    pub(crate) fn begin(&self, spec: &CommandSpec) -> Option<Instant> {
        let is_quick = spec.flags.contains(Flags::FAST) || spec.single_key && spec.group == Group::String;
        (self.is_precise || !is_quick).then(Instant::now)
    }

    /// Behind a FAST command that is not timed by itself.
    #[inline]
    pub(crate) fn share(&mut self, slot: u16) {
        match self.shared.last_mut() {
            Some((last, count)) if *last == slot => *count += 1,
            _ => self.shared.push((slot, 1)),
        }
    }

    /// Behind a command that is timed by itself; answers how long it took, in ns.
    pub(crate) fn end(&mut self, stats: &WorkerStats, slot: u16, began: Instant) -> u64 {
        let ns = began.elapsed().as_nanos() as u64;
        self.single_ns += ns;
        stats.add_time(slot, ns, 1, self.is_tracking);
        ns
    }

    /// Behind the batch: shares out its time.
    pub(crate) fn finish(self, stats: &WorkerStats) {
        let count: u64 = self.shared.iter().map(|(_, count)| u64::from(*count)).sum();
        if count == 0 {
            return;
        }
        let each_ns = (self.started.elapsed().as_nanos() as u64).saturating_sub(self.single_ns) / count;
        for (slot, count) in self.shared.iter() {
            stats.add_time(*slot, each_ns, u64::from(*count), self.is_tracking);
        }
    }
}

/// Tells the slow log and the latency monitor of a command that was timed by itself.
#[inline]
pub(crate) fn tell(
    node: &Node,
    settings: &Settings,
    session: &Session,
    spec: &'static CommandSpec,
    args: &Args<'_>,
    ns: u64,
) {
    let us = ns / 1000;
    let is_slow = settings.slowlog_threshold_us >= 0 && us >= settings.slowlog_threshold_us.unsigned_abs();
    let is_late = settings.latency_threshold_ms > 0 && us / 1000 >= settings.latency_threshold_ms;
    // What changes the thresholds is judged by the new ones.
    if is_slow || is_late || spec.name == "config" {
        tell_slow(node, session, spec, args, us);
    }
}

#[cold]
fn tell_slow(node: &Node, session: &Session, spec: &'static CommandSpec, args: &Args<'_>, us: u64) {
    let settings = node.settings.load();
    let time_s = clock::unix_ms() / 1000;
    let threshold_us = settings.slowlog_threshold_us;
    if threshold_us >= 0 && us >= threshold_us.unsigned_abs() && !spec.flags.contains(Flags::SKIP_SLOWLOG) {
        node.slowlog.push(spec, args, &session.client, time_s, us, settings.slowlog_len_max);
    }
    if settings.latency_threshold_ms > 0 && us / 1000 >= settings.latency_threshold_ms {
        let kind = if spec.flags.contains(Flags::FAST) { "fast-command" } else { "command" };
        node.latency.add(kind, time_s, us / 1000);
    }
}

/// The counters of a call: those of its subcommand where it has one.
#[inline]
pub(crate) fn slot_of(index: u16, spec: &CommandSpec, args: &Args<'_>) -> u16 {
    if spec.subcommands.is_empty() { index } else { registry::subcommand_slot(index, spec, args.get(1)) }
}
