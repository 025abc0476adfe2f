//! INFO, MYID, MYSHARDID, LINKS, STATUS: the cluster's state.

use std::{fmt::Write as _, sync::atomic::Ordering::Relaxed};

use rondache_protocol::slot::SLOTS;

use super::super::{CommandError, CommandResult, ctx::Ctx};
use crate::cluster::{
    status::{ClusterStatus, MemberState},
    thread::net::GossipStats,
};

/// `CLUSTER INFO`
pub(super) fn info(ctx: &mut Ctx<'_, '_>) -> CommandResult {
    let status = ctx.node.cluster_status();
    let mut text = String::new();
    for (name, value) in fields(&status, &ctx.node.cluster.gossip_stats) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{name}:{value}\r\n");
    }
    ctx.reply.verbatim(*b"txt", text.as_bytes());
    Ok(())
}

/// Redis's fields, then this system's own.
fn fields(status: &ClusterStatus, gossip: &GossipStats) -> Vec<(&'static str, String)> {
    let owned_in = |state: MemberState| -> u32 {
        status.members.iter().filter(|member| member.state == state).map(|member| member.slots_owned).sum()
    };
    let (served, suspect, dead) = (status.slots_served(), owned_in(MemberState::Suspect), owned_in(MemberState::Dead));
    let state = if served == u32::from(SLOTS) { "ok" } else { "fail" };
    let size = status.members.iter().filter(|member| member.slots_owned > 0).count();
    let moving = &status.rebalancing;
    vec![
        ("cluster_state", state.to_owned()),
        ("cluster_slots_assigned", (served + dead).to_string()),
        ("cluster_slots_ok", served.saturating_sub(suspect).to_string()),
        ("cluster_slots_pfail", suspect.to_string()),
        ("cluster_slots_fail", dead.to_string()),
        ("cluster_known_nodes", status.known_members().count().to_string()),
        ("cluster_size", size.to_string()),
        ("cluster_current_epoch", status.epoch.to_string()),
        ("cluster_my_epoch", status.epoch.to_string()),
        ("cluster_stats_messages_sent", gossip.datagrams_sent.load(Relaxed).to_string()),
        ("cluster_stats_messages_received", gossip.datagrams_received.load(Relaxed).to_string()),
        ("total_cluster_links_buffer_limit_exceeded", "0".to_owned()),
        ("cluster_id", status.cluster_id.clone()),
        ("cluster_name", status.cluster_name.clone()),
        ("cluster_has_majority", u8::from(status.has_majority).to_string()),
        ("cluster_view_version", status.view_version.to_string()),
        ("cluster_plan_version", status.plan_version.to_string()),
        ("cluster_replicas", status.replicas.to_string()),
        ("cluster_slots_moving", moving.slots_moving.to_string()),
        ("cluster_slots_to_move", moving.slots_left.to_string()),
        ("cluster_takeovers_firm", status.takeovers.firm.to_string()),
        ("cluster_takeovers_provisional", status.takeovers.provisional.to_string()),
        ("cluster_takeovers_cold", status.takeovers.cold.to_string()),
    ]
}

/// `CLUSTER MYID`
pub(super) fn my_id(ctx: &mut Ctx<'_, '_>) -> CommandResult {
    ctx.reply.bulk(ctx.node.cluster.identity.id.to_string().as_bytes());
    Ok(())
}

/// `CLUSTER MYSHARDID`: the node's id, with an end of its own so that nobody takes one for the other.
pub(super) fn my_shard_id(ctx: &mut Ctx<'_, '_>) -> CommandResult {
    ctx.reply.bulk(format!("{:032x}00000001", ctx.node.cluster.identity.id.0).as_bytes());
    Ok(())
}

/// `CLUSTER LINKS`
pub(super) fn links(ctx: &mut Ctx<'_, '_>) -> CommandResult {
    let status = ctx.node.cluster_status();
    let reply = &mut ctx.reply;
    reply.array(status.links.len());
    for link in &status.links {
        let waiting_bytes = i64::try_from(link.waiting_bytes).unwrap_or(i64::MAX);
        reply.map(6);
        reply.bulk(b"direction");
        reply.bulk(if link.is_outgoing { b"to" } else { b"from" });
        reply.bulk(b"node");
        reply.bulk(link.node.as_bytes());
        reply.bulk(b"create-time");
        reply.integer(i64::try_from(link.since_ms).unwrap_or(i64::MAX));
        reply.bulk(b"events");
        reply.bulk(if waiting_bytes > 0 { b"rw" } else { b"r" });
        reply.bulk(b"send-buffer-allocated");
        reply.integer(waiting_bytes);
        reply.bulk(b"send-buffer-used");
        reply.integer(waiting_bytes);
    }
    Ok(())
}

/// `CLUSTER STATUS`
pub(super) fn status(ctx: &mut Ctx<'_, '_>) -> CommandResult {
    let keys = ctx.ks.db_sizes().iter().map(|size| size.keys as u64).sum();
    let status = ctx.node.cluster_status_with(keys);
    let json = serde_json::to_string(&status).map_err(CommandError::err)?;
    ctx.reply.verbatim(*b"txt", json.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cluster::status::tests::three, session::harness::Harness};

    #[test]
    fn a_node_that_is_alone_is_a_cluster_in_order() {
        let info = Harness::unjittered().run("CLUSTER INFO");
        for line in ["cluster_state:ok|", "cluster_slots_ok:16384|", "cluster_known_nodes:1|", "cluster_size:1|"] {
            assert!(info.contains(line), "{line} in {info}");
        }
    }

    #[test]
    fn slots_of_the_dead_make_the_state_fail() {
        let mut status = three();
        status.members[0].state = MemberState::Suspect;
        status.members[2].state = MemberState::Dead;
        let gossip = GossipStats::default();
        let value = |name| {
            fields(&status, &gossip).into_iter().find(|(known, _)| *known == name).map(|(_, value)| value).unwrap()
        };
        assert_eq!(value("cluster_state"), "fail");
        assert_eq!(value("cluster_slots_fail"), "5460");
        assert_eq!(value("cluster_slots_pfail"), "5462");
        assert_eq!(value("cluster_slots_ok"), "5462");
    }

    #[test]
    fn its_ids_are_of_40_digits() {
        let mut harness = Harness::unjittered();
        let (id, shard) = (harness.run("CLUSTER MYID"), harness.run("CLUSTER MYSHARDID"));
        assert!(id.starts_with("$40|") && shard.starts_with("$40|") && id != shard, "{id} {shard}");
    }

    #[test]
    fn the_status_counts_the_nodes_own_keys() {
        let mut harness = Harness::unjittered();
        harness.run("SET k v");
        let reply = harness.call("CLUSTER STATUS");
        let status: ClusterStatus = serde_json::from_str(&reply).unwrap();
        assert_eq!(status.me().unwrap().keys, Some(1));
    }

    #[test]
    fn links_are_listed_with_what_waits_on_them() {
        let mut harness = Harness::unjittered();
        assert_eq!(harness.run("CLUSTER LINKS"), "*0|");
        let mut status = three();
        status.links.push(crate::cluster::status::LinkStatus {
            node: "x".to_owned(),
            is_outgoing: true,
            since_ms: 5,
            waiting_bytes: 7,
        });
        harness.node().cluster.status.publish(status);
        assert_eq!(
            harness.call("CLUSTER LINKS"),
            "direction to node x create-time :5 events rw send-buffer-allocated :7 send-buffer-used :7"
        );
    }
}
