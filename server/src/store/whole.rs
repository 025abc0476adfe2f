//! Whole databases at once: their sizes, FLUSHALL, SWAPDB.

use super::{
    DATABASES, SHARDS,
    entry::EntryBox,
    keyspace::Keyspace,
    replicate::{ShardSlots, append_flush, content::Dropped},
    shard::{Db, Shard},
    waiters::WatchFlag,
};

/// The databases that a flush took out of the store. Dropping it frees them, which takes long where there were many keys:
/// do it where nobody waits.
#[must_use = "dropping the keys takes time"]
pub struct Flushed {
    databases: Vec<Db>,
    entries: Vec<EntryBox>,
    /// Of which slots: see [`Flushed::slots`].
    slots: Vec<u8>,
}

impl Flushed {
    /// Of which slots the keys were removed: a bit per slot, 16 bits per shard in the shards' order.
    #[must_use]
    pub fn slots(&self) -> &[u8] {
        &self.slots
    }

    /// How many keys there are to free.
    #[must_use]
    pub fn len(&self) -> usize {
        self.databases.iter().map(|db| db.table.len()).sum::<usize>() + self.entries.len()
    }

    /// Whether there was nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How much a database holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DbSize {
    /// Its keys, expired ones that are still in memory included.
    pub keys: usize,
    /// Those of them with a deadline.
    pub volatile: usize,
    /// Its hashes that have fields with a deadline.
    pub hashes_with_field_deadlines: usize,
    /// Bytes of its tables, without keys and values.
    pub table_bytes: usize,
}

impl DbSize {
    fn add(&mut self, db: &Db, served: ShardSlots) {
        self.table_bytes += db.table.memory_usage();
        let len = db.table.len();
        let keys = db.len_of(served);
        if keys == 0 {
            return;
        }
        self.keys += keys;
        // Of a shard that also holds copies these two are estimates.
        let share = |count: usize| if keys == len { count } else { count * keys / len };
        self.volatile += share(db.volatile);
        self.hashes_with_field_deadlines += share(db.field_deadlines.as_ref().map_or(0, |noted| noted.by_key.len()));
    }
}

impl Keyspace<'_> {
    /// How many keys the selected database holds, expired ones that are still in memory included.
    pub fn len(&mut self) -> usize {
        self.db_size(self.circumstances.db).keys
    }

    /// Whether the selected database holds nothing.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }

    /// How much a database holds of the slots that this node owns.
    pub fn db_size(&mut self, db: usize) -> DbSize {
        let mut size = DbSize::default();
        self.for_each_shard(|_, shard| {
            if let Some(db) = shard.db(db) {
                size.add(db, shard.served_slots());
            }
        });
        size
    }

    /// How much each database holds, in one pass.
    pub fn db_sizes(&mut self) -> [DbSize; DATABASES] {
        let mut sizes = [DbSize::default(); DATABASES];
        self.for_each_shard(|_, shard| {
            for (db, size) in sizes.iter_mut().enumerate() {
                if let Some(db) = shard.db(db) {
                    size.add(db, shard.served_slots());
                }
            }
        });
        sizes
    }

    /// Empties one database, or all, of the slots that this node owns: transactions that watch a key in it abort, and
    /// clients' copies are stale.
    pub fn flush(&mut self, db: Option<usize>) -> Flushed {
        let mut dropped = Dropped::default();
        let now_ms = self.now_ms();
        let evictor = &self.store().evictor;
        let mut wakes = std::mem::take(&mut self.wakes);
        let mut flushed_slots = Vec::with_capacity(SHARDS * size_of::<u16>());
        self.for_each_shard(|shard_index, shard| {
            let slots = shard.served_slots();
            flushed_slots.extend_from_slice(&slots.bits().to_le_bytes());
            if slots.is_empty() {
                return;
            }
            for index in db.map_or(0..shard.db_count(), |db| db..db + 1) {
                raise_watchers(shard, |shard, of, key| {
                    of == index && slots.has_key(key) && has_entry(shard, index, key)
                });
            }
            let before = dropped.len;
            shard.drop_slots(slots, db, &mut dropped);
            evictor.forget(shard_index, dropped.len - before);
            append_flush(shard, shard_index, db, now_ms, &mut wakes);
        });
        self.wakes = wakes;
        if self.interest.tracking() {
            self.observer.invalidated_all(self.circumstances.client_id, db);
        }
        self.counts.changes += dropped.len as u64;
        let (databases, entries) = dropped.into_databases();
        Flushed { databases, entries, slots: flushed_slots }
    }

    /// Lets two databases change places. Watched keys count as changed where they are in either of the two; clients that
    /// wait for a key of one find what was in the other.
    pub fn swap_databases(&mut self, a: usize, b: usize) {
        if a == b {
            return;
        }
        let now_ms = self.now_ms();
        for index in 0..SHARDS {
            let mut ready = Vec::new();
            self.with_shard(index, |shard| {
                for (of, other) in [(a, b), (b, a)] {
                    raise_watchers(shard, |shard, watched, key| {
                        watched == of && (has_entry(shard, of, key) || has_live(shard, other, key, now_ms))
                    });
                }
                shard.swap(a, b);
                for db in [a, b] {
                    let waited_for = shard.waiters.as_ref().map(|waiters| waiters.keys(db)).unwrap_or_default();
                    ready.extend(
                        waited_for.into_iter().filter(|key| has_live(shard, db, key, now_ms)).map(|key| (db, key)),
                    );
                }
            });
            self.ready.append(&mut ready);
        }
        self.counts.changes += 1;
        if self.interest.tracking() {
            self.observer.invalidated_all(self.circumstances.client_id, None);
        }
    }
}

/// Whether a key is in a database of this shard, be it expired. Of a watched key it means that there was something when
/// the watch began, or has been since: what had expired before was deleted then.
fn has_entry(shard: &Shard, db: usize, key: &[u8]) -> bool {
    shard.db(db).is_some_and(|db| db.table.find(db.table.hash(key), key).is_some())
}

/// Whether a key is in a database of this shard and has not expired.
fn has_live(shard: &Shard, db: usize, key: &[u8], now_ms: u64) -> bool {
    shard.db(db).is_some_and(|db| {
        let place = db.table.find(db.table.hash(key), key);
        place.is_some_and(|place| db.table.entry(place).deadline_ms().is_none_or(|deadline_ms| deadline_ms > now_ms))
    })
}

impl Shard {
    /// Aborts the transactions that watch a key of these slots.
    pub(crate) fn raise_watchers_of(&mut self, slots: ShardSlots) {
        raise_watchers(self, |_, _, key| slots.has_key(key));
    }
}

/// Aborts the transactions that watch keys of this shard for which `changes` says so.
fn raise_watchers(shard: &mut Shard, changes: impl Fn(&Shard, usize, &[u8]) -> bool) {
    let Some(mut watchers) = shard.watchers.take() else { return };
    watchers.retain(|(db, key), flags| {
        let changes = changes(shard, *db, key);
        if changes {
            flags.iter().for_each(WatchFlag::raise);
        }
        !changes
    });
    if !watchers.is_empty() {
        shard.watchers = Some(watchers);
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

    fn keyspace(store: &Store) -> Keyspace<'_> {
        Keyspace::new(store, &NoObserver, Circumstances { db: 0, now_ms: 1000, client_id: 0, touch: true })
    }

    fn put(ks: &mut Keyspace<'_>, db: usize, name: &str) {
        ks.circumstances.db = db;
        let key = ks.key(name.as_bytes());
        ks.hold_one(key.shard());
        ks.put_string(&key, name.as_bytes(), Ttl::At(5000));
        ks.release();
    }

    #[test]
    fn a_flush_empties_one_database_or_all() {
        let store = Store::new(1);
        let mut ks = keyspace(&store);
        (0..100).for_each(|index| put(&mut ks, index % 3, &index.to_string()));
        assert_eq!(ks.flush(Some(1)).len(), 33);
        assert_eq!((ks.db_size(0).keys, ks.db_size(1).keys, ks.db_size(2).volatile), (34, 0, 33));
        assert_eq!(ks.flush(None).len(), 67);
        // Its empty tables stay.
        let nothing = |size: DbSize| DbSize { table_bytes: 0, ..size } == DbSize::default();
        assert!(nothing(ks.db_size(0)) && nothing(ks.db_size(2)));
    }

    #[test]
    fn swapped_databases_keep_their_keys_also_while_all_shards_are_held() {
        let store = Store::new(1);
        let mut ks = keyspace(&store);
        put(&mut ks, 0, "a");
        put(&mut ks, 3, "b");
        put(&mut ks, 3, "c");
        ks.hold_all();
        ks.swap_databases(0, 3);
        ks.release();
        assert_eq!((ks.db_size(0).keys, ks.db_size(3).keys), (2, 1));
    }

    #[test]
    fn a_watched_key_is_changed_by_a_flush_only_if_it_was_there() {
        let store = Store::new(1);
        let mut ks = keyspace(&store);
        put(&mut ks, 0, "there");
        let (there, missing) = (WatchFlag::default(), WatchFlag::default());
        for (name, flag) in [("there", &there), ("missing", &missing)] {
            let shard = ks.key(name.as_bytes()).shard();
            ks.with_shard(shard, |shard| {
                shard.watchers.get_or_insert_default().insert((0, name.as_bytes().into()), vec![flag.clone()]);
            });
        }
        drop(ks.flush(None));
        assert_eq!((there.is_raised(), missing.is_raised()), (true, false));
    }
}
