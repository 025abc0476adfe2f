//! Nodes that form one cache.
//!
//! | module | holds |
//! |---|---|
//! | [`guard`] | keeps a node that was frozen from serving what it may have lost |
//! | [`member`] | members and views: whom a node believes in |
//! | [`plan`] | who should own and copy each slot |
//! | [`plane`] | rows of the slot table, and what coordinator and data plane know of each other |
//! | [`ring`] | in which order each slot prefers the nodes |
//! | [`routing`] | for each slot who executes it, as the data plane looks it up |

pub mod guard;
pub mod member;
pub mod plan;
pub mod plane;
pub mod ring;
pub mod routing;

use rondache_protocol::bus::identity::{Identity, NodeId};

use self::{guard::Guard, routing::Routing};

/// A node's part in its cluster, as all of its threads share it. A node that is alone is a cluster of one.
#[derive(Debug)]
pub struct Cluster {
    /// This life of this node.
    pub identity: Identity,
    /// Who executes which slot.
    pub routing: Routing,
    /// Whether this node may execute requests.
    pub guard: Guard,
}

impl Cluster {
    /// A cluster of this node alone, which owns every slot. `started_ms` is its generation.
    #[must_use]
    pub fn new(id: NodeId, started_ms: u64) -> Self {
        Self { identity: Identity { generation: started_ms, id }, routing: Routing::default(), guard: Guard::default() }
    }
}
