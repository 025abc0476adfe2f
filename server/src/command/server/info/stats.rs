//! `# Stats`: counters and rates.

use std::sync::atomic::Ordering::Relaxed;

use super::Report;
use crate::{command::ctx::Ctx, node::hub::channels::Kind, node::stats::WorkerStats};

/// Bytes in a kilobyte, as Redis's rates have it.
const KIB: f64 = 1024.0;

pub(super) fn stats(report: &mut Report, ctx: &mut Ctx<'_, '_>) {
    let node = ctx.node;
    let sum = |of: &dyn Fn(&WorkerStats) -> u64| node.stats.sum(of);
    // What this batch has met so far is not yet among the worker's counters.
    let batch = ctx.ks.counts;
    report.field("total_connections_received", node.stats.connections.load(Relaxed));
    report.field("total_commands_processed", sum(&|worker| worker.executed.get()));
    report.field("instantaneous_ops_per_sec", node.rates.commands.load(Relaxed));
    report.field("total_net_input_bytes", sum(&|worker| worker.bytes_in.get()));
    report.field("total_net_output_bytes", sum(&|worker| worker.bytes_out.get()));
    report.field("instantaneous_input_kbps", format_args!("{:.2}", node.rates.bytes_in.load(Relaxed) as f64 / KIB));
    report.field("instantaneous_output_kbps", format_args!("{:.2}", node.rates.bytes_out.load(Relaxed) as f64 / KIB));
    report.field("rejected_connections", node.stats.connections_refused.load(Relaxed));
    report.field("sync_full", 0);
    report.field("sync_partial_ok", 0);
    report.field("sync_partial_err", 0);
    report.field("expired_keys", sum(&|worker| worker.expired.get()) + batch.expired);
    let stale_permille = node.housekeeping.stale_permille.load(Relaxed);
    report.field("expired_stale_perc", format_args!("{:.2}", stale_permille as f64 / 10.0));
    report.field("expired_time_cap_reached_count", node.housekeeping.long_rounds.load(Relaxed));
    report.field("evicted_keys", sum(&|worker| worker.evicted.get()) + batch.evicted);
    report.field("ttls_jittered", sum(&|worker| worker.ttls_jittered.get()) + batch.ttls_jittered);
    report.field("keyspace_hits", sum(&|worker| worker.hits.get()) + batch.hits);
    report.field("keyspace_misses", sum(&|worker| worker.misses.get()) + batch.misses);
    report.field("pubsub_channels", node.hub.channels.len(Kind::Channel));
    report.field("pubsub_patterns", node.hub.channels.len(Kind::Pattern));
    report.field("pubsubshard_channels", node.hub.channels.len(Kind::Shard));
    report.field("latest_fork_usec", 0);
    report.field("total_forks", 0);
    report.field("tracking_total_keys", node.hub.tracking.keys());
    report.field("tracking_total_items", node.hub.tracking.items());
    report.field("tracking_total_prefixes", node.hub.tracking.prefixes());
    report.field("unexpected_error_replies", 0);
    report.field("total_error_replies", errors(ctx));
    report.field("total_reads_processed", sum(&|worker| worker.reads.get()));
    report.field("total_writes_processed", sum(&|worker| worker.writes.get()));
    for (event, count) in node.stats.events.iter().map(|entry| (*entry.key(), *entry.value())) {
        report.field(event, count);
    }
}

fn errors(ctx: &Ctx<'_, '_>) -> u64 {
    ctx.node.stats.workers().iter().flat_map(|worker| worker.errors()).map(|(_, count)| count).sum()
}
