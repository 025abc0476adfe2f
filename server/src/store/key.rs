//! A key with what its place follows from.

use rondache_protocol::slot::slot_of;

use super::{SHARDS, table::hash_key};

/// A key, its hash under the store's seed, and its slot.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The key itself.
    pub bytes: &'a [u8],
    /// XXH3 under the store's seed: the place in the shard's table.
    pub hash: u64,
    /// CRC16 of the key or its hash tag, mod 16384: the unit of ownership.
    pub slot: u16,
}

impl<'a> Key<'a> {
    /// Computes hash and slot of `bytes`.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8], seed: u64) -> Self {
        Self { bytes, hash: hash_key(bytes, seed), slot: slot_of(bytes) }
    }

    /// The shard that holds the key's slot. Neighbouring slots go to different shards, because a node owns runs of slots.
    #[inline]
    #[must_use]
    pub const fn shard(&self) -> usize {
        self.slot as usize % SHARDS
    }
}
