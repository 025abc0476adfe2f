//! Who a node is, apart from where it is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A node's random 128-bit name, made at its first start. Never an address: a node may move.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u128);

/// One life of a node: its name and when this life began.
///
/// Rows, claims and sessions name both, so that a node that was restarted, and has lost its data, is never taken for the
/// one that died.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// When this life began (unix ms), and always later than the node's earlier lives. First, so that identities sort by
    /// age.
    pub generation: u64,
    /// The node.
    pub id: NodeId,
}

impl fmt::Display for NodeId {
    /// 40 hex digits, as `CLUSTER NODES` has them: 32 of the id, padded with zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}00000000", self.0)
    }
}

impl fmt::Debug for NodeId {
    /// The first eight digits: enough to tell nodes apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0 >> 96)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}.{}", self.id, self.generation)
    }
}

/// Names one forwarded write, so that a retry of it is answered and not executed twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WriteId {
    /// Who numbers: a random word that each worker of an entry node draws at its start.
    pub origin: u64,
    /// The origin's count of forwarded writes, from 1.
    pub number: u64,
}

/// Names a cluster: random, minted once by the node that began it. Clusters of different ids never merge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClusterId(pub u128);

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for ClusterId {
    /// The first eight digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0 >> 96)
    }
}
