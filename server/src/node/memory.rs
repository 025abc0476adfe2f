//! What memory is used, and what to do when it is short.

use crate::{config::settings::Settings, node::Node};

/// The node's memory as the allocator sees it.
#[derive(Debug, Default)]
pub struct Memory {}

impl Memory {
    /// Whether `maxmemory` is set.
    #[inline]
    #[must_use]
    pub fn is_limited(&self) -> bool {
        false
    }

    /// Whether a write may use more memory.
    #[inline]
    #[must_use]
    pub fn has_room(&self) -> bool {
        true
    }

    /// Evicts until there is room; `false`: the policy has nothing to give. The caller holds no shard.
    pub fn make_room(&self, _node: &Node, _settings: &Settings, _now_ms: u64) -> bool {
        true
    }
}
