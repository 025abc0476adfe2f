//! Learning the topology, at the start and ever after.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rondache_protocol::resp::value::Value;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{Link, ListedNode, SlotRange, Topology, parse::slot_ranges};
use crate::{
    Cmd,
    client::Inner,
    config::seed::Seed,
    conn::{ConnectionObserver, Outcome, Payload, refusal_error, request_error},
    error::{ClientError, LinkError, ServerError},
};

/// Between two refreshes, at least: a storm of redirections asks once.
const INTERVAL_MIN: Duration = Duration::from_millis(100);
/// After so long without an answer the next node is asked too.
const IMPATIENCE: Duration = Duration::from_millis(150);

/// The push message that says that slots have other owners. A connection asks for it with `CLIENT CAPA`.
const TOPOLOGY: &[u8] = b"topology";

/// What a node said of its cluster.
enum Learnt {
    Cluster(Vec<SlotRange>),
    NoCluster,
}

/// Asks for refreshes. One task does them, one at a time.
#[derive(Default)]
pub(crate) struct Refresher {
    wanted: Notify,
    is_wanted: AtomicBool,
}

/// Nodes push news of the topology, and a connection that ends may be news of it: neither waits for a call to fail.
impl ConnectionObserver for Refresher {
    fn pushed(&self, _: &str, kind: &[u8], _: &[Value]) {
        if kind == TOPOLOGY {
            self.request();
        }
    }

    fn disconnected(&self, _: &str, _: &LinkError) {
        self.request();
    }
}

impl Refresher {
    /// Something is out of date: look soon.
    pub(crate) fn request(&self) {
        // One cache line read is all that a storm costs.
        if !self.is_wanted.load(Ordering::Relaxed) && !self.is_wanted.swap(true, Ordering::Relaxed) {
            self.wanted.notify_one();
        }
    }

    /// Keeps the topology up to date until the client is gone or closed.
    pub(crate) async fn run(inner: Weak<Inner>, refresher: Arc<Self>, interval: Duration) {
        loop {
            // A quarter of jitter, so that clients that started together don't ask together.
            let pause = interval.mul_f64(0.75 + fastrand::f64() / 2.0);
            let _ = timeout(pause, refresher.wanted.notified()).await;
            refresher.is_wanted.store(false, Ordering::Relaxed);
            let Some(inner) = inner.upgrade().filter(|inner| !inner.is_closed()) else {
                return;
            };
            match learn(&inner).await {
                Ok(topology) => inner.set_topology(topology),
                Err(error) => {
                    tracing::warn!(%error, "no node tells the topology");
                    refresher.request();
                }
            }
            drop(inner);
            sleep(INTERVAL_MIN).await;
        }
    }
}

/// Asks nodes until one answers: those of the current topology first, then the seeds, then all others ever met.
pub(crate) async fn learn(inner: &Arc<Inner>) -> Result<Topology, ClientError> {
    let candidates = candidates(inner);
    let mut asked = JoinSet::new();
    let mut last = ClientError::Closed;
    let mut remaining = candidates.into_iter();
    loop {
        let Some(next) = remaining.next() else {
            break;
        };
        let limit = inner.config.link.connect_timeout * 2;
        asked.spawn(async move { (ask(&next, limit).await, next) });
        while let Ok(Some(answer)) = timeout(IMPATIENCE, asked.join_next()).await {
            match answer {
                Ok((Ok(learnt), node)) => return Ok(assemble(inner, learnt, node)),
                Ok((Err(error), _)) => last = error,
                Err(_) => {}
            }
        }
    }
    while let Some(answer) = asked.join_next().await {
        match answer {
            Ok((Ok(learnt), node)) => return Ok(assemble(inner, learnt, node)),
            Ok((Err(error), _)) => last = error,
            Err(_) => {}
        }
    }
    Err(last)
}

fn candidates(inner: &Inner) -> Vec<Arc<Link>> {
    let mut candidates: Vec<Arc<Link>> = Vec::new();
    let topology = inner.topology();
    let mut named: Vec<Arc<Link>> = topology.entries.iter().chain(&topology.nodes).cloned().collect();
    fastrand::shuffle(&mut named);
    named.sort_by_key(|link| !link.is_up());
    let seeds = inner.config.seeds.iter().map(|seed| inner.registry.link(seed));
    for link in named.into_iter().chain(seeds).chain(inner.registry.all()) {
        if !candidates.iter().any(|known| Arc::ptr_eq(known, &link)) {
            candidates.push(link);
        }
    }
    // Those that refused a connection a moment ago come last.
    candidates.sort_by_key(|link| link.is_down());
    candidates
}

async fn ask(link: &Link, limit: Duration) -> Result<Learnt, ClientError> {
    let cmd = Cmd::new("CLUSTER").arg("SLOTS");
    let conn = link.conn().ok_or(ClientError::Closed)?;
    let reply = match conn.request(Payload::One(&cmd), Instant::now() + limit).await {
        Ok(Outcome::One(reply)) => reply,
        Ok(Outcome::Failed(failure)) => return Err(request_error(conn.name(), &failure, limit)),
        Ok(Outcome::Many(_)) => Value::Null,
        Err(refusal) => return Err(refusal_error(conn.name(), refusal)),
    };
    if let Some(text) = reply.as_error() {
        let error = ServerError::parse(text);
        // Unknown command, or no cluster: one node that owns everything.
        return if error.is_retry_safe() || error.is_credentials() {
            Err(ClientError::Server(error))
        } else {
            Ok(Learnt::NoCluster)
        };
    }
    let unreadable = || ClientError::NotSent { node: conn.name().clone(), reason: LinkError::Unexpected };
    slot_ranges(&reply, &link.addr).map(Learnt::Cluster).ok_or_else(unreadable)
}

fn assemble(inner: &Inner, learnt: Learnt, node: Arc<Link>) -> Topology {
    let ranges = match learnt {
        Learnt::Cluster(ranges) => ranges,
        Learnt::NoCluster => return Topology::single(node),
    };
    let seeds = || inner.config.seeds.iter();
    let listed = || ranges.iter().flat_map(|range| [&range.owner].into_iter().chain(&range.copies));
    let entries_forward = inner.saw_main_ports(listed().any(|node| node.main_port.is_some()));
    let mut entries: Vec<Arc<Link>> = Vec::new();
    let mut add = |seed: Seed| {
        if !entries.iter().any(|known| known.addr == seed) {
            entries.push(inner.registry.link(&seed));
        }
    };
    if entries_forward {
        let is_listed = |seed: &Seed| ranges.iter().any(|range| range.owner.addr.port == seed.port);
        seeds().filter(|seed| !is_listed(seed)).cloned().for_each(&mut add);
        listed().filter_map(ListedNode::main).for_each(&mut add);
    } else {
        seeds().cloned().for_each(&mut add);
        if ranges.is_empty() {
            add(node.addr.clone());
        }
    }
    Topology::cluster(&ranges, entries, entries_forward, |seed| inner.registry.link(seed))
}
