//! Sections about what a node does not do alone, or not at all: persistence, replication, modules, cluster.

use super::Report;
use crate::command::ctx::Ctx;

/// Nothing is kept on disk: the fields that clients and dashboards look for say so.
pub(super) fn persistence(report: &mut Report, ctx: &mut Ctx<'_, '_>) {
    report.field("loading", 0);
    report.field("async_loading", 0);
    report.field("rdb_changes_since_last_save", ctx.node.stats.sum(|worker| worker.changes.get()));
    report.field("rdb_bgsave_in_progress", 0);
    report.field("rdb_last_save_time", ctx.node.started_ms / 1000);
    report.field("rdb_last_bgsave_status", "ok");
    report.field("rdb_saves", 0);
    report.field("aof_enabled", 0);
    report.field("aof_rewrite_in_progress", 0);
    report.field("aof_rewrite_scheduled", 0);
    report.field("aof_last_bgrewrite_status", "ok");
    report.field("aof_last_write_status", "ok");
}

pub(super) fn replication(report: &mut Report, ctx: &mut Ctx<'_, '_>) {
    report.field("role", "master");
    report.field("connected_slaves", 0);
    report.field("master_failover_state", "no-failover");
    report.field("master_replid", &ctx.node.run_id);
    report.field("master_replid2", "0".repeat(40));
    report.field("master_repl_offset", 0);
    report.field("second_repl_offset", -1);
    report.field("repl_backlog_active", 0);
    report.field("repl_backlog_size", 0);
    report.field("repl_backlog_first_byte_offset", 0);
    report.field("repl_backlog_histlen", 0);
}

pub(super) fn modules(_: &mut Report, _: &mut Ctx<'_, '_>) {}

pub(super) fn cluster(report: &mut Report, _: &mut Ctx<'_, '_>) {
    report.field("cluster_enabled", 0);
}
