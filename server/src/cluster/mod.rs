//! Nodes that form one cache.
//!
//! | module | holds |
//! |---|---|
//! | [`awaited`] | slots whose writes wait for copies |
//! | [`bus`] | connections between nodes |
//! | [`coordinator`] | decides who owns and who copies which slot |
//! | [`desk`] | what operators ask of the control plane |
//! | [`forward`] | requests for slots that others own |
//! | [`grace`] | slots that the redirect port still answers for after they have moved |
//! | [`guard`] | keeps a node that was frozen from serving what it may have lost |
//! | [`live`] | the status, brought up to date with the routes |
//! | [`member`] | members and views: whom a node believes in |
//! | [`membership`] | who is a member, and how it is doing |
//! | [`plan`] | who should own and copy each slot |
//! | [`plane`] | rows of the slot table, and what coordinator and data plane know of each other |
//! | [`read_routes`] | which copies answer reads |
//! | [`replication`] | copies of slots, and slots that change hands |
//! | [`ring`] | in which order each slot prefers the nodes |
//! | [`routing`] | for each slot who executes it, as the data plane looks it up |
//! | [`runtime`] | the parts, put together on a running node |
//! | [`settings`] | settings that all nodes share |
//! | [`status`] | what users and operators are shown of the cluster |
//! | [`table`] | the slot table: rows, which of two wins, and how tables are compared |
//! | [`thread`] | the thread that gossips, serves the bus port and runs the control links |

pub mod awaited;
pub mod bus;
pub mod coordinator;
pub mod desk;
pub mod forward;
pub mod grace;
pub mod guard;
pub mod live;
pub mod member;
pub mod membership;
pub mod plan;
pub mod plane;
pub mod read_routes;
pub mod replication;
pub mod ring;
pub mod routing;
pub mod runtime;
pub mod settings;
#[cfg(test)]
mod simulation;
pub mod status;
pub mod table;
pub mod thread;

use std::{net::SocketAddr, sync::Arc};

use rondache_protocol::bus::identity::{Identity, NodeId};

use self::{
    awaited::AwaitedCopies, desk::Desk, forward::Forwarding, grace::Grace, guard::Guard, member::Addrs,
    read_routes::ReadRoutes, replication::ReplicationStats, routing::Routing, settings::SharedSettings,
    status::ClusterStatus, status::StatusCell, thread::net::GossipStats,
};
use crate::config::settings::Settings;

/// A node's part in its cluster, as all of its threads share it. A node that is alone is a cluster of one.
#[derive(Debug)]
pub struct Cluster {
    /// This life of this node.
    pub identity: Identity,
    /// Who executes which slot.
    pub routing: Routing,
    /// Who answers reads in an owner's place.
    pub read_routes: ReadRoutes,
    /// Whether this node may execute requests.
    pub guard: Guard,
    /// The latest snapshot for users and operators.
    pub status: StatusCell,
    /// What operators ask of the control plane.
    pub desk: Desk,
    /// Slots that the redirect port still answers for.
    pub grace: Grace,
    /// Requests for slots that others own.
    pub forwarding: Forwarding,
    /// Slots whose writes wait for copies.
    pub awaited: AwaitedCopies,
    /// What the cluster thread counts.
    pub gossip_stats: Arc<GossipStats>,
    /// What became of copies.
    pub replication_stats: Arc<ReplicationStats>,
}

impl Cluster {
    /// A cluster of this node alone, which owns every slot. `started_ms` is its generation.
    #[must_use]
    pub fn new(id: NodeId, started_ms: u64, settings: &Settings) -> Self {
        let desk = Desk::new(SharedSettings::new(id, settings));
        if settings.cluster.join.is_empty() {
            desk.found();
        }
        Self {
            identity: Identity { generation: started_ms, id },
            routing: Routing::default(),
            read_routes: ReadRoutes::default(),
            guard: Guard::default(),
            status: StatusCell::default(),
            desk,
            grace: Grace::default(),
            forwarding: Forwarding::default(),
            awaited: AwaitedCopies::default(),
            gossip_stats: Arc::default(),
            replication_stats: Arc::default(),
        }
    }

    /// What this node knows of its cluster.
    #[must_use]
    pub fn status(&self, settings: &Settings) -> Arc<ClusterStatus> {
        self.status.latest().unwrap_or_else(|| Arc::new(self.alone(settings)))
    }

    /// The status of this node as a cluster of one.
    pub(crate) fn alone(&self, settings: &Settings) -> ClusterStatus {
        let name = settings.cluster.name.clone();
        let mut status = ClusterStatus::alone(&self.identity, settings.node_name(), own_addrs(settings), name);
        status.replicas = settings.cluster.replicas;
        for me in &mut status.members {
            (me.weight, me.zone) = (settings.cluster.weight, settings.cluster.zone.clone());
        }
        status
    }

    /// Whether writes may be executed here: not without a majority, where `partition-policy` asks for one.
    #[inline]
    #[must_use]
    pub fn may_write(&self) -> bool {
        !self.routing.refuses()
    }
}

/// Where a node with these settings is reached: the first address of each kind, as it is advertised.
#[must_use]
pub fn own_addrs(settings: &Settings) -> Addrs {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let first = |addrs: Vec<SocketAddr>| settings.advertised(addrs.first().copied().unwrap_or(nowhere));
    Addrs {
        client: first(settings.listen.clone()),
        redirect: first(settings.redirect_addrs()),
        bus: first(settings.bus_addrs()),
        admin: first(settings.admin_addrs()),
    }
}
