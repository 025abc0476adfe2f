//! Nodes that form one cache.
//!
//! | module | holds |
//! |---|---|
//! | [`coordinator`] | decides who owns and who copies which slot |
//! | [`member`] | members and views: whom a node believes in |
//! | [`plane`] | rows of the slot table, and what coordinator and data plane know of each other |
//! | [`routing`] | for each slot who executes it, as the data plane looks it up |
//! | [`table`] | the slot table: rows, which of two wins, and how tables are compared |

pub mod coordinator;
pub mod member;
pub mod plane;
pub mod routing;
pub mod table;

use rondache_protocol::bus::identity::{Identity, NodeId};

use self::routing::Routing;

/// A node's part in its cluster, as all of its threads share it. A node that is alone is a cluster of one.
#[derive(Debug)]
pub struct Cluster {
    /// This life of this node.
    pub identity: Identity,
    /// Who executes which slot.
    pub routing: Routing,
}

impl Cluster {
    /// A cluster of this node alone, which owns every slot. `started_ms` is its generation.
    #[must_use]
    pub fn new(id: NodeId, started_ms: u64) -> Self {
        Self { identity: Identity { generation: started_ms, id }, routing: Routing::default() }
    }
}
