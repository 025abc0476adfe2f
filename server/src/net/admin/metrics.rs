//! The node's own metrics: commands, keys, memory, connections.

use std::{fmt, sync::atomic::Ordering::Relaxed};

use super::exposition::Out;
use crate::{
    command::registry,
    node::{Node, clock, stats::WorkerStats},
};

/// Upper bounds of the buckets of run times, in µs: powers of four, from a µs to a second.
const BOUNDS_US: [u64; 11] = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576];
const US_PER_S: f64 = 1e6;
const NS_PER_S: f64 = 1e9;

/// Writes them all, and answers how many keys there are.
pub(super) fn write(out: &mut Out<'_>, node: &Node) -> Result<u64, fmt::Error> {
    commands(out, node)?;
    traffic(out, node)?;
    memory(out, node)?;
    let keys = keyspace(out, node)?;
    out.gauge("ready", "Whether the node is to be sent requests.", i64::from(node.is_ready()))?;
    let uptime_ms = clock::unix_ms().saturating_sub(node.started_ms);
    out.gauge("uptime_seconds", "Time since the node started.", uptime_ms as f64 / 1000.0)?;
    Ok(keys)
}

fn commands(out: &mut Out<'_>, node: &Node) -> fmt::Result {
    let names: Vec<(usize, String)> = registry::slot_names().collect();
    let workers = node.stats.workers();
    let sum = |slot: usize, of: fn(&crate::node::stats::CommandCounters) -> u64| -> u64 {
        workers.iter().filter_map(|worker| worker.commands.get(slot)).map(of).sum()
    };
    type Of = fn(&crate::node::stats::CommandCounters) -> u64;
    let families: [(&str, &str, Of); 3] = [
        ("commands", "Commands that ran.", |counters| counters.calls.get()),
        ("commands_failed", "Commands that ran and failed.", |counters| counters.failed.get()),
        ("commands_rejected", "Commands that were refused before they ran.", |counters| counters.rejected.get()),
    ];
    for (name, help, of) in families {
        let counts = names.iter().map(|(slot, command)| (command.as_str(), sum(*slot, of)));
        out.counters(name, help, "command", counts.filter(|(_, count)| *count > 0))?;
    }
    let mut errors: hashbrown::HashMap<String, u64> = hashbrown::HashMap::new();
    for (code, count) in workers.iter().flat_map(|worker| worker.errors()) {
        *errors.entry(code).or_insert(0) += count;
    }
    out.counters("errors", "Error replies.", "code", errors.iter().map(|(code, count)| (code.as_str(), *count)))?;
    let times = names.iter().filter_map(|(slot, command)| {
        let times = node.stats.times_of(*slot)?;
        let sum_s = sum(*slot, |counters| counters.ns.get()) as f64 / NS_PER_S;
        let counts = times.counts_up_to_us(&BOUNDS_US);
        let bounds = BOUNDS_US.iter().map(|us| *us as f64 / US_PER_S).chain([f64::INFINITY]);
        Some((command.as_str(), sum_s, times.count(), bounds.zip(counts).collect()))
    });
    out.histograms("command_duration", "How long commands ran.", "command", times)
}

fn traffic(out: &mut Out<'_>, node: &Node) -> fmt::Result {
    let sum = |of: fn(&WorkerStats) -> u64| node.stats.sum(of);
    out.counter("received_bytes", "Bytes received from clients.", sum(|worker| worker.bytes_in.get()))?;
    out.counter("sent_bytes", "Bytes sent to clients.", sum(|worker| worker.bytes_out.get()))?;
    out.counter("connections", "Connections accepted.", node.stats.connections.load(Relaxed))?;
    let refused = node.stats.connections_refused.load(Relaxed);
    out.counter("connections_refused", "Connections refused.", refused)?;
    out.gauge("clients", "Connections open.", node.clients.len() as i64)?;
    out.gauge("clients_blocked", "Clients that wait for keys.", node.blocked_clients() as i64)
}

fn memory(out: &mut Out<'_>, node: &Node) -> fmt::Result {
    let settings = node.settings.load();
    out.bytes(
        "memory_used",
        "What maxmemory bounds: all that the process has allocated.",
        node.memory.used_bytes() as i64,
    )?;
    out.bytes("memory_peak", "The most that was used.", node.memory.peak_bytes() as i64)?;
    out.bytes("memory_max", "maxmemory; 0: no limit.", settings.maxmemory_bytes as i64)
}

fn keyspace(out: &mut Out<'_>, node: &Node) -> Result<u64, fmt::Error> {
    let sum = |of: fn(&WorkerStats) -> u64| node.stats.sum(of);
    out.counter("keyspace_hits", "Lookups that found their key.", sum(|worker| worker.hits.get()))?;
    out.counter("keyspace_misses", "Lookups that did not.", sum(|worker| worker.misses.get()))?;
    out.counter("keys_expired", "Keys that expired.", sum(|worker| worker.expired.get()))?;
    out.counter("keys_evicted", "Keys evicted for memory.", sum(|worker| worker.evicted.get()))?;
    out.counter("ttls_jittered", "TTLs that jitter shortened.", sum(|worker| worker.ttls_jittered.get()))?;
    out.counter("changes", "Changes of keys.", sum(|worker| worker.changes.get()))?;
    let keys = node.count_keys();
    out.gauge("keys", "Keys that the node owns, in all databases.", keys.owned as i64)?;
    out.gauge("keys_copied", "Keys of other nodes that it holds copies of.", keys.copied as i64)?;
    let events: Vec<(&str, u64)> = node.stats.events.iter().map(|event| (*event.key(), *event.value())).collect();
    out.counters("events", "Rare events.", "event", events)?;
    Ok(keys.owned)
}
