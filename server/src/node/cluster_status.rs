//! The cluster's status with what only the node itself knows at this moment.

use std::sync::Arc;

use super::Node;
use crate::{
    cluster::{
        live,
        status::{ClusterStatus, MemberState},
    },
    store::SHARDS,
};

/// How many keys a node has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyCounts {
    /// Of slots that it owns.
    pub owned: u64,
    /// Of slots that it copies.
    pub copied: u64,
}

impl Node {
    /// What this node knows of its cluster.
    #[must_use]
    pub fn cluster_status(&self) -> Arc<ClusterStatus> {
        live::live(self.cluster.status(&self.settings.load()), &self.cluster.routing)
    }

    /// The same with the node's own keys and memory. `keys` is how many keys it owns.
    #[must_use]
    pub fn cluster_status_with(&self, keys: u64) -> ClusterStatus {
        let mut status = ClusterStatus::clone(&self.cluster_status());
        let (myself, is_leaving) = (usize::from(status.myself), self.cluster.desk.is_leaving());
        if let Some(me) = status.members.get_mut(myself) {
            me.keys = Some(keys);
            me.memory_bytes = Some(self.memory.used_bytes());
            me.memory_bytes_max = Some(self.settings.load().maxmemory_bytes);
            if is_leaving {
                me.state = MemberState::Leaving;
            }
        }
        status
    }

    /// How many keys the node has, in all databases. Locks one shard after the other: the caller holds none.
    #[must_use]
    pub fn count_keys(&self) -> KeyCounts {
        let mut counts = KeyCounts::default();
        for shard in 0..SHARDS {
            let shard = self.store.lock(shard);
            for db in (0..shard.db_count()).filter_map(|db| shard.db(db)) {
                let owned = db.len_of(shard.served_slots());
                counts.owned += owned as u64;
                counts.copied += (db.table.len() - owned) as u64;
            }
        }
        counts
    }

    /// Whether the node is to be sent requests: its share is warm, and it is not about to end.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.shutdown.is_cancelled()
            && !self.cluster.desk.is_leaving()
            && self.cluster.status.latest().is_none_or(|status| status.is_warm)
    }
}
