//! The cluster's metrics, as this node sees it.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use super::exposition::Out;
use crate::cluster::{
    Cluster,
    status::{ClusterStatus, MemberState},
};

pub(super) fn write(out: &mut Out<'_>, status: &ClusterStatus) -> fmt::Result {
    const STATES: [MemberState; 6] = [
        MemberState::Joining,
        MemberState::Active,
        MemberState::Leaving,
        MemberState::Suspect,
        MemberState::Dead,
        MemberState::Left,
    ];
    let members =
        STATES.map(|state| (state.name(), status.members.iter().filter(|member| member.state == state).count() as i64));
    out.gauges("cluster_members", "Members by how they are doing.", "state", members)?;
    out.gauge("cluster_majority", "Whether more than half of the members are seen.", i64::from(status.has_majority))?;
    out.gauge("cluster_warm", "Whether the node holds all that it is to hold.", i64::from(status.is_warm))?;
    out.gauge("cluster_epoch", "The highest epoch of any slot.", status.epoch as i64)?;
    out.gauge("cluster_slots_served", "Slots that a live node owns.", i64::from(status.slots_served()))?;
    share(out, status)?;
    rebalancing(out, status)?;
    let takeovers = status.takeovers;
    let kinds = [("firm", takeovers.firm), ("provisional", takeovers.provisional), ("cold", takeovers.cold)];
    out.counters("cluster_takeovers", "Slots of dead nodes that this node took over.", "kind", kinds)?;
    if let Some(headroom) = status.headroom_bytes {
        out.bytes("cluster_headroom", "Memory that would be left if the largest node died.", headroom)?;
    }
    Ok(())
}

/// What the node's part in its cluster counts.
pub(super) fn write_counts(out: &mut Out<'_>, cluster: &Cluster) -> fmt::Result {
    let (gossip, copies) = (&cluster.gossip_stats, &cluster.replication_stats);
    let datagrams = [
        ("sent", &gossip.datagrams_sent),
        ("received", &gossip.datagrams_received),
        ("refused", &gossip.datagrams_refused),
        ("senseless", &gossip.datagrams_senseless),
    ];
    out.counters("gossip_datagrams", "Datagrams of gossip.", "what", datagrams.map(loaded))?;
    out.counter("gossip_sent_bytes", "Bytes of datagrams sent.", gossip.bytes_sent.load(Relaxed))?;
    out.counter("gossip_refuted_deaths", "False news of this node's death.", gossip.refuted_deaths.load(Relaxed))?;
    let dropped = gossip.control_dropped.load(Relaxed);
    out.counter("cluster_messages_dropped", "Messages dropped because the control plane was behind.", dropped)?;
    let fates = [
        ("begun", &copies.copies_begun),
        ("synced", &copies.copies_synced),
        ("lost", &copies.copies_lost),
        ("diverged", &copies.diverged),
    ];
    out.counters("replication_copies", "Copies of slots, by what became of them.", "what", fates.map(loaded))?;
    out.counter("replication_copied_bytes", "Bytes of slots that were copied.", copies.copied_bytes.load(Relaxed))?;
    let effects = [("applied", &copies.applied), ("refused", &copies.refused)];
    out.counters("replication_effects", "Effects of other owners that came here.", "what", effects.map(loaded))
}

fn loaded<'a>((name, count): (&'a str, &AtomicU64)) -> (&'a str, u64) {
    (name, count.load(Relaxed))
}

fn share(out: &mut Out<'_>, status: &ClusterStatus) -> fmt::Result {
    let Some(me) = status.me() else { return Ok(()) };
    out.gauge("cluster_slots_owned", "Slots that the node owns.", i64::from(me.slots_owned))?;
    out.gauge("cluster_slots_planned", "Slots that the plan gives it.", i64::from(me.slots_planned))?;
    out.gauge("cluster_slots_copied", "Slots of others that it copies.", i64::from(me.slots_copied))?;
    let known = |of: fn(&crate::cluster::status::MemberStatus) -> Option<f64>| {
        status.members.iter().filter_map(move |member| Some((member.name.as_str(), of(member)?))).collect::<Vec<_>>()
    };
    let lag = known(|member| member.lag_ms.map(|ms| ms as f64 / 1000.0));
    out.gauges("replication_lag_seconds", "How far a member's copies are behind.", "member", lag)?;
    let skew = known(|member| member.clock_skew_ms.map(|ms| ms as f64 / 1000.0));
    out.gauges("clock_skew_seconds", "How far a member's clock is ahead of this node's.", "member", skew)
}

fn rebalancing(out: &mut Out<'_>, status: &ClusterStatus) -> fmt::Result {
    let moving = &status.rebalancing;
    out.gauge("rebalance_slots_left", "Slots that are not yet where the plan has them.", i64::from(moving.slots_left))?;
    out.gauge("rebalance_slots_moving", "Slots that are being copied.", i64::from(moving.slots_moving))?;
    out.bytes("rebalance_left", "Bytes estimated to be left.", moving.bytes_left as i64)?;
    out.gauge("rebalance_bytes_per_second", "Bytes moved lately, a second.", moving.bytes_per_s as i64)
}
