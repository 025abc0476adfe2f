//! The parts of a node's cluster, put together: what gossip finds goes to the coordinator, what the coordinator orders to
//! the store, and streams and links to their sockets.
//!
//! ```text
//! cluster thread ── views, control messages ──► coordinator thread ── orders ──► store, routes, streams
//!       ▲ beats the guard                         │      ▲
//!       └──────────── control messages ◄──────────┘      └── plane events ◄── streams on the workers
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`coordination`] | the coordinator's thread |
//! | `departure` | the node leaves: slots first, then the farewell |
//! | `guarding` | the frozen-node guard's beats and questions |
//! | [`reports`] | what members tell each other of keys, memory, lag and clocks |
//! | `snapshot` | the status for users and operators |
//! | `streams` | replication streams and forward links on the workers |

pub mod coordination;
mod departure;
mod guarding;
pub mod reports;
mod snapshot;
mod streams;

use std::{io, sync::Arc, thread, time::Duration};

use rondache_protocol::bus::hello::VERSIONS;

use self::coordination::Coordination;
use super::{
    bus::listener::Accepts,
    forward::dial::BusDial,
    member::MemberInfo,
    membership::tuning::Tuning,
    own_addrs,
    replication::{Replication, mover::Mover},
    thread::{self as cluster_thread, Options, Sockets, seeds::Seed},
};
use crate::{config::cluster::ClusterSettings, net::worker::Workers, node::Node};

/// What a node says of itself.
fn member_info(node: &Node) -> MemberInfo {
    let settings = node.settings.load();
    MemberInfo {
        identity: node.cluster.identity,
        version: 0,
        name: settings.node_name(),
        addrs: own_addrs(&settings),
        weight: settings.cluster.weight,
        zone: settings.cluster.zone.clone(),
        is_leaving: false,
        protocol: VERSIONS,
    }
}

/// Protected mode, as the settings have it at that moment.
fn accepts(node: &Arc<Node>) -> Accepts {
    let node = node.clone();
    Arc::new(move |from| node.settings.load().bus_accepts(from))
}

fn tuning(settings: &ClusterSettings) -> Tuning {
    let forget_after = match settings.forget_after_ms {
        // For ever, as far as a node is concerned.
        0 => Duration::from_secs(365 * 24 * 3600),
        ms => Duration::from_millis(ms),
    };
    let ms = Duration::from_millis;
    Tuning { forget_after, probe_period: ms(settings.probe_interval_ms), suspicion: ms(settings.suspicion_ms) }
}

/// Starts the node's part in its cluster: threads that end when the node shuts down. When this returns, a node without
/// seeds owns every slot; one with seeds owns none, and requests wait until it has found its cluster.
///
/// # Errors
/// The system refuses a thread or a runtime.
pub(crate) fn start(
    node: &Arc<Node>,
    workers: &Workers,
    sockets: Sockets,
    seeds: Vec<Seed>,
) -> io::Result<Vec<thread::JoinHandle<()>>> {
    let settings = node.settings.load();
    let stream_count = u16::try_from(settings.threads).unwrap_or(u16::MAX);
    let (replication, outlets) = Replication::new(node.clone(), stream_count);
    let started = cluster_thread::start(Options {
        me: member_info(node),
        cluster_name: settings.cluster.name.clone(),
        secret: settings.cluster.secret.clone(),
        seeds,
        tuning: tuning(&settings.cluster),
        sockets,
        accepts: accepts(node),
        on_stream: streams::on_stream(&replication, workers),
        stats: node.cluster.gossip_stats.clone(),
        shutdown: node.shutdown.clone(),
    })?;
    node.cluster.forwarding.set_dialler(Arc::new(BusDial { credentials: started.net.credentials.clone() }));
    let (fences, fences_asked) = tokio::sync::mpsc::channel(1);
    started.runtime.spawn(guarding::run(node.clone(), started.net.clone(), fences));
    let coordination = Coordination::new(node.clone(), started.net.clone(), replication.clone());
    let ends = coordination::Ends { control: started.control, events: outlets.events, fences: fences_asked };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.spawn(streams::carry(
        replication.clone(),
        started.net.credentials.clone(),
        workers.clone(),
        outlets.opened,
    ));
    let meter = node.clone();
    let coordinator = thread::Builder::new().name("coordinator".to_owned()).spawn(move || {
        meter.memory.meter_this_thread();
        runtime.block_on(coordination.run(ends));
    })?;
    Ok(vec![started.thread, coordinator, Mover::spawn(replication)?])
}
