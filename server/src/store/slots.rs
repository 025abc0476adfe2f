//! The keys of single slots. A slot lives wholly in one shard, and shares it with fifteen others.

use rondache_protocol::slot::{SLOTS, slot_of};

use super::{
    SHARDS,
    keyspace::{ExpiryRole, Keyspace},
};

impl Keyspace<'_> {
    /// How many keys of the selected database are in a slot, expired ones left out.
    pub fn count_keys_in_slot(&mut self, slot: u16) -> usize {
        let mut count = 0;
        self.for_each_key_of_shard(usize::from(slot) % SHARDS, |key| count += usize::from(slot_of(key) == slot));
        count
    }

    /// Up to `count_max` keys of the selected database in a slot.
    pub fn keys_in_slot(&mut self, slot: u16, count_max: usize) -> Vec<Box<[u8]>> {
        let mut keys = Vec::new();
        self.for_each_key_of_shard(usize::from(slot) % SHARDS, |key| {
            if keys.len() < count_max && slot_of(key) == slot {
                keys.push(key.into());
            }
        });
        keys
    }

    /// How many keys of the selected database each slot holds. Looks at every key; one shard is locked at a time.
    pub fn count_keys_by_slot(&mut self) -> Vec<u32> {
        let mut counts = vec![0; usize::from(SLOTS)];
        for shard in 0..SHARDS {
            self.for_each_key_of_shard(shard, |key| counts[usize::from(slot_of(key))] += 1);
        }
        counts
    }

    /// Only looks: nothing is deleted that has expired, since this may be a copy.
    fn for_each_key_of_shard(&mut self, shard: usize, mut visit: impl FnMut(&[u8])) {
        let role = std::mem::replace(&mut self.expiry_role, ExpiryRole::Copy);
        self.for_each_entry_of_shard(shard, |entry| visit(entry.key()));
        self.expiry_role = role;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        Store,
        keyspace::{Circumstances, Ttl},
        observer::NoObserver,
    };

    #[test]
    fn keys_are_found_by_their_slot() {
        let store = Store::new(1);
        let mut ks =
            Keyspace::new(&store, &NoObserver, Circumstances { db: 0, now_ms: 1000, client_id: 0, touch: true });
        let deadlines = [Ttl::Clear, Ttl::Clear, Ttl::At(999)];
        for (name, ttl) in ["{a}1", "{a}2", "{a}3"].iter().zip(deadlines) {
            let key = ks.key(name.as_bytes());
            ks.hold_one(key.shard());
            ks.put_string(&key, b"v", ttl);
            ks.release();
        }
        let slot = slot_of(b"a");
        assert_eq!(ks.count_keys_in_slot(slot), 2);
        assert_eq!(ks.keys_in_slot(slot, 1).len(), 1);
        // A slot of the same shard.
        let neighbour = (usize::from(slot) + SHARDS) % usize::from(SLOTS);
        assert_eq!(ks.count_keys_in_slot(neighbour as u16), 0);
        let counts = ks.count_keys_by_slot();
        assert_eq!((counts[usize::from(slot)], counts.iter().sum::<u32>()), (2, 2));
    }
}
