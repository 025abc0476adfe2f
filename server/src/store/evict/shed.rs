//! Eviction on behalf of a copy: the node that holds it is short of memory, and only the owner may let keys go.

use super::super::{SHARDS, keyspace::Keyspace, replicate::ShardSlots, table::Place};

/// Keys that one call evicts at most, so that the shard's lock is held for some 100 µs.
const KEYS_MAX: usize = 256;
/// What an entry takes besides its key and value, roughly.
const OVERHEAD_BYTES: usize = 48;

impl Keyspace<'_> {
    /// Evicts about `bytes_wanted` bytes of a slot, where this node owns it. Answers how many keys went.
    pub fn shed(&mut self, slot: u16, bytes_wanted: u64, rng: &mut fastrand::Rng) -> usize {
        let shard = usize::from(slot) % SHARDS;
        self.hold_one(shard);
        let mut evicted = 0;
        if self.shard(shard).owned_slots().has(slot) {
            let mut bytes = 0_usize;
            while evicted < KEYS_MAX && (bytes as u64) < bytes_wanted {
                let Some((db, place, len)) = self.any_of(shard, slot, rng) else { break };
                self.evict_at(shard, db, place);
                bytes += len;
                evicted += 1;
            }
        }
        self.release();
        evicted
    }

    /// Some key of a slot, from a random bucket on, and about how much memory it takes.
    fn any_of(&self, shard: usize, slot: u16, rng: &mut fastrand::Rng) -> Option<(usize, Place, usize)> {
        let wanted = ShardSlots::of(slot);
        let guarded = self.shard(shard);
        for db in 0..guarded.db_count() {
            let Some(content) = guarded.db(db).filter(|content| content.slot_keys[usize::from(slot) / SHARDS] > 0)
            else {
                continue;
            };
            let buckets = content.table.bucket_count();
            let from = rng.usize(..buckets);
            for bucket in (from..buckets).chain(0..from) {
                for lane in content.table.bucket(bucket).occupied() {
                    let place = Place { bucket, lane };
                    let entry = content.table.entry(place);
                    if wanted.has_key(entry.key()) {
                        let value_len = entry.value().as_bytes().map_or(0, <[u8]>::len);
                        return Some((db, place, entry.key().len() + value_len + OVERHEAD_BYTES));
                    }
                }
            }
        }
        None
    }
}
