//! Sections about what a node does not do alone, or not at all: persistence, replication, modules, cluster.

use super::Report;
use crate::command::{cluster::copiers, ctx::Ctx};

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

/// The node's part as owner: who copies what it owns.
pub(super) fn replication(report: &mut Report, ctx: &mut Ctx<'_, '_>) {
    let status = ctx.node.cluster_status();
    let copiers = copiers(&status);
    report.field("role", "master");
    report.field("connected_slaves", copiers.len());
    for (index, member) in copiers.iter().enumerate() {
        let addr = member.addrs.client;
        let lag_s = member.lag_ms.unwrap_or(0) / 1000;
        report.line(format_args!(
            "slave{index}:ip={},port={},state=online,offset=0,lag={lag_s},type=replica",
            addr.ip(),
            addr.port()
        ));
    }
    report.field("master_failover_state", "no-failover");
    report.field("master_replid", &ctx.node.run_id);
    report.field("master_replid2", "0".repeat(40));
    report.field("master_repl_offset", 0);
    report.field("second_repl_offset", -1);
    report.field("repl_backlog_active", 0);
    report.field("repl_backlog_size", 0);
    report.field("repl_backlog_first_byte_offset", 0);
    report.field("repl_backlog_histlen", 0);
    let lag_ms = copiers.iter().filter_map(|member| member.lag_ms).max();
    report.field("replication_lag_ms", lag_ms.unwrap_or(0));
}

pub(super) fn modules(_: &mut Report, _: &mut Ctx<'_, '_>) {}

/// Every node is a cluster, if only of one: cluster clients may begin at any port.
pub(super) fn cluster(report: &mut Report, ctx: &mut Ctx<'_, '_>) {
    let status = ctx.node.cluster_status();
    let alive = status.members.iter().filter(|member| !member.state.is_gone()).count();
    let moving = &status.rebalancing;
    report.field("cluster_enabled", 1);
    report.field("cluster_name", &status.cluster_name);
    report.field("cluster_members", status.known_members().count());
    report.field("cluster_members_alive", alive);
    report.field("cluster_has_majority", u8::from(status.has_majority));
    if let Some(me) = status.me() {
        report.field("cluster_slots_owned", me.slots_owned);
        report.field("cluster_slots_copied", me.slots_copied);
    }
    report.field("cluster_slots_moving", moving.slots_moving);
    report.field("cluster_slots_to_move", moving.slots_left);
    report.field("cluster_settled", u8::from(status.is_settled));
    report.field("cluster_is_warm", u8::from(status.is_warm));
    report.field("cluster_takeovers_cold", status.takeovers.cold);
}
