//! A shard: the slots that share one lock.

use hashbrown::HashMap;
use parking_lot::{Mutex, MutexGuard};

use super::{
    SLOTS_PER_SHARD,
    effect::Outbox,
    key::Key,
    table::{Place, Table, TableHint},
    waiters::{Waiters, WatchFlag},
};

/// One database's keys in one shard.
pub(crate) struct Db {
    pub(crate) table: Table,
    /// Keys with a deadline.
    pub(crate) volatile: usize,
    /// No deadline in this table is earlier (unix ms): lets the expiry sweep pass by. `u64::MAX` where there is none.
    pub(crate) deadline_min_ms: u64,
    /// Keys of each of the shard's slots.
    pub(crate) slot_keys: [u32; SLOTS_PER_SHARD],
}

impl Db {
    pub(crate) fn new(seed: u64, stagger: u32) -> Self {
        Self {
            table: Table::new(seed, stagger),
            volatile: 0,
            deadline_min_ms: u64::MAX,
            slot_keys: [0; SLOTS_PER_SHARD],
        }
    }

    pub(crate) fn count_deadline(&mut self, old: Option<u64>, new: Option<u64>) {
        if old.is_some() {
            self.volatile -= 1;
        }
        if let Some(deadline_ms) = new {
            self.volatile += 1;
            self.deadline_min_ms = self.deadline_min_ms.min(deadline_ms);
        }
    }

    pub(crate) fn slot_count_mut(&mut self, slot: u16) -> &mut u32 {
        &mut self.slot_keys[slot as usize / super::SHARDS]
    }
}

/// A bucket of one of a shard's databases.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hand {
    pub(crate) db: usize,
    pub(crate) bucket: usize,
}

/// What a shard's lock guards.
pub(crate) struct Shard {
    main: Db,
    /// Databases 1 and up, made when first written to.
    others: Vec<Option<Box<Db>>>,
    seed: u64,
    stagger: u32,
    /// Where eviction's hand stands.
    pub(crate) hand: Hand,
    /// Clients that WATCH a key: told when it changes.
    pub(crate) watchers: Option<Box<HashMap<(usize, Box<[u8]>), Vec<WatchFlag>>>>,
    /// Clients blocked on a key.
    pub(crate) waiters: Option<Box<Waiters>>,
    /// Effects for the copies, where there are any.
    pub(crate) outbox: Option<Box<Outbox>>,
}

impl Shard {
    pub(crate) fn db(&self, db: usize) -> Option<&Db> {
        if db == 0 { Some(&self.main) } else { self.others.get(db - 1)?.as_deref() }
    }

    /// The database for changing, made where it does not exist.
    pub(crate) fn db_mut(&mut self, db: usize) -> &mut Db {
        if db == 0 {
            return &mut self.main;
        }
        if self.others.len() < db {
            self.others.resize_with(db, || None);
        }
        self.others[db - 1].get_or_insert_with(|| Box::new(Db::new(self.seed, self.stagger)))
    }

    /// One more than the highest database that was ever written to.
    pub(crate) fn db_count(&self) -> usize {
        1 + self.others.len()
    }

    /// Keys in all databases, expired ones included.
    pub(crate) fn len(&self) -> usize {
        (0..self.db_count()).filter_map(|db| self.db(db)).map(|db| db.table.len()).sum()
    }

    /// Resets the eviction state of every slot.
    pub(crate) fn clear_marks(&mut self) {
        for table in (0..self.db_count()).filter_map(|db| self.db(db)).map(|db| &db.table) {
            for bucket in (0..table.bucket_count()).map(|at| table.bucket(at)) {
                bucket.occupied().for_each(|lane| bucket.set_meta(lane, 0));
            }
        }
    }

    /// A newcomer of eviction's small queue by the parts of its hash that a queue's record keeps.
    pub(crate) fn find_small(&self, partial_hash: u64) -> Option<(usize, Place)> {
        (0..self.db_count())
            .find_map(|db| Some((db, self.db(db)?.table.find_marked(partial_hash, super::bucket::META_SMALL)?)))
    }

    /// Exchanges two databases.
    pub(crate) fn swap(&mut self, a: usize, b: usize) {
        let fresh = Db::new(self.seed, self.stagger);
        let of_a = std::mem::replace(self.db_mut(a), fresh);
        let of_b = std::mem::replace(self.db_mut(b), of_a);
        *self.db_mut(a) = of_b;
    }

    /// Empties a database and returns what it held, to be freed without the lock.
    pub(crate) fn take(&mut self, db: usize) -> Option<Db> {
        self.db(db)?;
        let fresh = Db::new(self.seed, self.stagger);
        Some(std::mem::replace(self.db_mut(db), fresh))
    }
}

/// A shard behind its lock, alone on its cache lines.
#[repr(align(128))]
pub(crate) struct ShardCell {
    hint: TableHint,
    /// Guards everything in the shard. Order: shards by rising index; then the observer's own locks.
    shard: Mutex<Shard>,
}

impl ShardCell {
    pub(crate) fn new(seed: u64, stagger: u32) -> Self {
        let cell = Self {
            hint: TableHint::default(),
            shard: Mutex::new(Shard {
                main: Db::new(seed, stagger),
                others: Vec::new(),
                seed,
                stagger,
                hand: Hand::default(),
                watchers: None,
                waiters: None,
                outbox: None,
            }),
        };
        drop(cell.lock());
        cell
    }

    #[inline]
    pub(crate) fn lock(&self) -> ShardGuard<'_> {
        ShardGuard { hint: &self.hint, shard: self.shard.lock() }
    }

    #[inline]
    pub(crate) fn prefetch_bucket(&self, key: &Key<'_>) {
        self.hint.prefetch_bucket(key.hash);
    }

    #[inline]
    pub(crate) fn prefetch_entry(&self, hash: u64, pinned: &crossbeam_epoch::Guard) {
        self.hint.prefetch_entry(hash, pinned);
    }
}

/// A locked shard. Letting go publishes where the main table now stands.
pub(crate) struct ShardGuard<'s> {
    hint: &'s TableHint,
    shard: MutexGuard<'s, Shard>,
}

impl std::ops::Deref for ShardGuard<'_> {
    type Target = Shard;
    #[inline]
    fn deref(&self) -> &Shard {
        &self.shard
    }
}

impl std::ops::DerefMut for ShardGuard<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Shard {
        &mut self.shard
    }
}

impl Drop for ShardGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.hint.publish(&mut self.shard.main.table);
    }
}
