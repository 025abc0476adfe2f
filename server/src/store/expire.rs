//! The active expiry sweep: keys and hash fields that nobody asks for any more give their memory back.
//!
//! Each table knows a bound below all of its deadlines, so a table with nothing due costs a look at one number. A table
//! with something due is walked in chunks; between two chunks its shard is free for commands. The walk computes the next
//! bound on its way, and shrinks the table once at its end.
//!
//! Keys of slots that another node owns are left to that node's effects. When it is this node that owns them, the bounds
//! are forgotten and found anew.

use super::{
    SHARDS,
    key::Key,
    keyspace::{ExpiryRole, Keyspace},
    object::{Object, Typed},
    observer::EventClass,
    shard::Sweep,
};
use crate::types::hash::Hash;

/// Buckets that one chunk looks at: well below 50 µs, even where all of their keys have expired.
const CHUNK_BUCKETS: usize = 16;
/// Hashes whose fields one chunk expires.
const CHUNK_HASHES: usize = 4;
/// Fields of one hash that one chunk expires.
const CHUNK_FIELDS: usize = 32;

/// What a chunk of the sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Keys looked at.
    pub visited: usize,
    /// Keys and fields that had expired.
    pub expired: usize,
    /// Whether more is due in this shard.
    pub has_more: bool,
    /// Whether this was the last shard of a round, and is done.
    pub ends_round: bool,
}

/// Walks through all shards, over and over.
#[derive(Debug, Default)]
pub struct Sweeper {
    shard: usize,
    /// The expired keys of a chunk, one behind the other, and their lengths.
    due: (Vec<u8>, Vec<usize>),
}

impl Sweeper {
    /// Sweeps one chunk. `ks` holds no shard, before and after.
    pub fn step(&mut self, ks: &mut Keyspace<'_>) -> Swept {
        ks.hold_one(self.shard);
        let mut swept = self.sweep_shard(ks);
        ks.release();
        // Nobody waits for a key to disappear.
        drop(ks.take_ready());
        if !swept.has_more {
            self.shard = (self.shard + 1) % SHARDS;
            swept.ends_round = self.shard == 0;
        }
        swept
    }

    fn sweep_shard(&mut self, ks: &mut Keyspace<'_>) -> Swept {
        let now_ms = ks.now_ms();
        let mut swept = Swept::default();
        if ks.expiry_role == ExpiryRole::Copy || ks.shard(self.shard).owned_slots().is_empty() {
            return swept;
        }
        for db in 0..ks.shard(self.shard).db_count() {
            if !ks.shard(self.shard).db(db).is_some_and(|db| db.has_due(now_ms)) {
                continue;
            }
            if swept.visited > 0 {
                swept.has_more = true;
                break;
            }
            ks.circumstances.db = db;
            self.sweep_keys(ks, db, &mut swept);
            self.sweep_fields(ks, db, &mut swept);
            swept.has_more = ks.shard(self.shard).db(db).is_some_and(|db| db.has_due(now_ms));
        }
        swept
    }

    /// Walks some buckets of a table in which keys are due.
    fn sweep_keys(&mut self, ks: &mut Keyspace<'_>, db: usize, swept: &mut Swept) {
        let now_ms = ks.now_ms();
        let (due, due_lens) = &mut self.due;
        due.clear();
        due_lens.clear();
        let owned = ks.shard(self.shard).owned_slots();
        let database = ks.shard_mut(self.shard).db_mut(db);
        if database.sweep.is_none() && database.deadline_min_ms > now_ms {
            return;
        }
        // Deadlines that are set while the walk goes on lower the new bound.
        let mut sweep = database.sweep.take().unwrap_or_else(|| {
            database.deadline_min_ms = u64::MAX;
            Sweep { position: 0, rest_min_ms: u64::MAX }
        });
        let mut next = Some(sweep.position);
        for _ in 0..CHUNK_BUCKETS {
            let Some(position) = next else { break };
            next = database.table.scan(position, |entry| {
                swept.visited += 1;
                if !owned.has_key(entry.key()) {
                    return;
                }
                match entry.deadline_ms() {
                    Some(deadline_ms) if deadline_ms <= now_ms => {
                        due.extend_from_slice(entry.key());
                        due_lens.push(entry.key().len());
                    }
                    Some(deadline_ms) => sweep.rest_min_ms = sweep.rest_min_ms.min(deadline_ms),
                    None => {}
                }
            });
        }
        let mut rest = due.as_slice();
        for len in due_lens.iter() {
            let (bytes, behind) = rest.split_at(*len);
            rest = behind;
            let key = ks.key(bytes);
            let place = ks.db_mut(&key).table.find(key.hash, bytes);
            if let Some(place) = place {
                ks.expire_at(&key, place);
            }
        }
        swept.expired += due_lens.len();
        let database = ks.shard_mut(self.shard).db_mut(db);
        match next {
            Some(position) => {
                sweep.position = position;
                database.sweep = Some(sweep);
            }
            None => {
                database.deadline_min_ms = database.deadline_min_ms.min(sweep.rest_min_ms);
                database.table.shrink_if_sparse();
            }
        }
    }

    /// Expires fields of some hashes.
    fn sweep_fields(&mut self, ks: &mut Keyspace<'_>, db: usize, swept: &mut Swept) {
        let now_ms = ks.now_ms();
        let owned = ks.shard(self.shard).owned_slots();
        let Some(noted) = &mut ks.shard_mut(self.shard).db_mut(db).field_deadlines else { return };
        if noted.min_ms > now_ms {
            return;
        }
        let due = noted.by_key.iter().filter(|(key, deadline_ms)| **deadline_ms <= now_ms && owned.has_key(key));
        let due: Vec<Box<[u8]>> = due.map(|(key, _)| key.clone()).take(CHUNK_HASHES).collect();
        if due.len() < CHUNK_HASHES {
            noted.min_ms =
                noted.by_key.values().copied().filter(|deadline_ms| *deadline_ms > now_ms).min().unwrap_or(u64::MAX);
        }
        for bytes in due {
            swept.visited += 1;
            let key = ks.key(&bytes);
            swept.expired += ks.expire_fields(&key, CHUNK_FIELDS);
        }
    }
}

impl Keyspace<'_> {
    /// Removes up to `limit` expired fields of a hash and then, if nothing is left in it, the hash. Answers how many.
    pub fn expire_fields(&mut self, key: &Key<'_>, limit: usize) -> usize {
        let now_ms = self.now_ms();
        self.db_mut(key).forget_field_deadlines(key.bytes);
        let Some(place) = self.locate(key) else { return 0 };
        let object = self.db_mut(key).table.entry_mut(place).into_object_mut();
        let Some(Object::Hash(hash)) = object else { return 0 };
        let fields = hash.take_expired(now_ms, limit);
        if let Some(deadline_ms) = hash.earliest_deadline() {
            self.note_field_deadline(key, deadline_ms);
        }
        if fields.is_empty() {
            return 0;
        }
        let mut effect: Vec<&[u8]> = vec![b"HDEL", key.bytes];
        effect.extend(fields.iter().map(|field| field.as_bytes()));
        self.queue_effect(key, &effect);
        self.changed(key, EventClass::HASH, "hexpired");
        let is_empty = self.peek(key).is_some_and(|entry| match entry.value() {
            super::entry::Value::Object(object) => Hash::from_object(object).is_some_and(Typed::is_empty),
            _ => false,
        });
        if is_empty && self.remove(key) {
            self.changed(key, EventClass::GENERIC, "del");
        }
        fields.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        store::{
            Store,
            keyspace::{Circumstances, Ttl},
            observer::NoObserver,
        },
        types::limits::EncodingLimits,
    };

    fn keyspace(store: &Store, now_ms: u64) -> Keyspace<'_> {
        Keyspace::new(store, &NoObserver, Circumstances { db: 0, now_ms, client_id: 0, touch: true })
    }

    fn put(ks: &mut Keyspace<'_>, name: &str, deadline_ms: u64) {
        let key = ks.key(name.as_bytes());
        ks.hold_one(key.shard());
        ks.put_string(&key, b"v", Ttl::At(deadline_ms));
        ks.release();
    }

    /// One round over all shards.
    fn round(sweeper: &mut Sweeper, ks: &mut Keyspace<'_>) -> (usize, usize) {
        let mut sum = (0, 0);
        loop {
            let swept = sweeper.step(ks);
            sum = (sum.0 + swept.visited, sum.1 + swept.expired);
            if swept.ends_round {
                return sum;
            }
        }
    }

    #[test]
    fn a_round_removes_what_is_due_and_leaves_the_rest() {
        let store = Store::new(3);
        let mut ks = keyspace(&store, 1000);
        for index in 0..5000_u64 {
            put(&mut ks, &format!("{{tag}}{index}"), 2000 + index % 2);
            put(&mut ks, &format!("key{index}"), 2000 + index % 2);
        }
        let mut sweeper = Sweeper::default();
        assert_eq!(round(&mut sweeper, &mut ks), (0, 0));
        ks.circumstances.now_ms = 2000;
        assert_eq!(round(&mut sweeper, &mut ks).1, 5000);
        assert_eq!(round(&mut sweeper, &mut ks), (0, 0), "the bounds are exact again");
        ks.circumstances.now_ms = 2001;
        assert_eq!(round(&mut sweeper, &mut ks).1, 5000);
        assert!(ks.is_empty());
        let shard = ks.key(b"{tag}").shard();
        assert_eq!(ks.with_shard(shard, |shard| shard.db(0).unwrap().table.bucket_count()), 1);
    }

    #[test]
    fn a_deadline_that_is_set_during_a_walk_is_not_forgotten() {
        let store = Store::new(3);
        let mut ks = keyspace(&store, 1000);
        (0..3000).for_each(|index| put(&mut ks, &format!("{{tag}}{index}"), 2000));
        ks.circumstances.now_ms = 2000;
        let mut sweeper = Sweeper { shard: ks.key(b"{tag}").shard(), ..Sweeper::default() };
        assert!(sweeper.step(&mut ks).has_more);
        (0..50).for_each(|index| put(&mut ks, &format!("{{tag}}late{index}"), 2500));
        round(&mut sweeper, &mut ks);
        assert_eq!(ks.len(), 50);
        ks.circumstances.now_ms = 2500;
        round(&mut sweeper, &mut ks);
        assert!(ks.is_empty());
    }

    #[test]
    fn expired_fields_go_and_an_empty_hash_with_them() {
        let store = Store::new(3);
        let mut ks = keyspace(&store, 1000);
        let key = ks.key(b"h");
        let mut hash = Hash::default();
        let limits = EncodingLimits::default();
        for (field, deadline_ms) in [(b"a", 1500), (b"b", 1600)] {
            hash.insert(field, b"v", 1000, &limits);
            hash.set_deadline(field, deadline_ms, 1000);
        }
        ks.hold_one(key.shard());
        ks.put_object(&key, hash.into_object(), Ttl::Clear);
        ks.release();
        let mut sweeper = Sweeper::default();
        ks.circumstances.now_ms = 1500;
        assert_eq!(round(&mut sweeper, &mut ks).1, 1);
        assert_eq!(ks.len(), 1);
        ks.circumstances.now_ms = 1600;
        assert_eq!(round(&mut sweeper, &mut ks).1, 1);
        assert!(ks.is_empty());
    }

    #[test]
    fn a_copy_leaves_expiry_to_the_owner() {
        let store = Store::new(3);
        let mut ks = keyspace(&store, 1000);
        put(&mut ks, "a", 1001);
        ks.circumstances.now_ms = 2000;
        ks.expiry_role = ExpiryRole::Copy;
        round(&mut Sweeper::default(), &mut ks);
        assert_eq!(ks.len(), 1);
    }
}
