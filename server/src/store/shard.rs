//! A shard: the slots that share one lock.

use hashbrown::HashMap;
use parking_lot::{Mutex, MutexGuard};

use super::{
    SLOTS_PER_SHARD,
    key::Key,
    replicate::ShardSlots,
    replicate::{Slots, SlotsHint},
    table::{Place, Table, TableHint},
    waiters::{Waiters, WatchFlag},
};

/// One database's keys in one shard.
#[repr(C)]
pub(crate) struct Db {
    pub(crate) table: Table,
    /// Keys with a deadline.
    pub(crate) volatile: usize,
    /// No deadline in this table is earlier (unix ms): lets the expiry sweep pass by. `u64::MAX` where there is none.
    pub(crate) deadline_min_ms: u64,
    /// How far the expiry sweep is through this table; `None`: no sweep is under way.
    pub(crate) sweep: Option<Sweep>,
    /// The hashes whose fields expire, where there are any.
    pub(crate) field_deadlines: Option<Box<FieldDeadlines>>,
    /// Keys of each of the shard's slots.
    pub(crate) slot_keys: [u32; SLOTS_PER_SHARD],
}

/// The state of a sweep between two of its chunks. It lives with the table, so that it follows it in a SWAPDB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sweep {
    /// The next position to look at.
    pub(crate) position: u32,
    /// The earliest deadline among the keys that were passed and stay.
    pub(crate) rest_min_ms: u64,
}

/// The hashes of one table that have fields with a deadline.
///
/// Bound: one entry per such hash; an entry goes with its key.
#[derive(Debug)]
pub(crate) struct FieldDeadlines {
    /// For each hash a time (unix ms) before which none of its fields expires.
    pub(crate) by_key: HashMap<Box<[u8]>, u64>,
    /// No time in `by_key` is earlier.
    pub(crate) min_ms: u64,
}

impl Db {
    pub(crate) fn new(seed: u64, stagger: u32) -> Self {
        Self {
            table: Table::new(seed, stagger),
            volatile: 0,
            deadline_min_ms: u64::MAX,
            sweep: None,
            field_deadlines: None,
            slot_keys: [0; SLOTS_PER_SHARD],
        }
    }

    /// How many keys some of the slots hold.
    pub(crate) fn len_of(&self, slots: ShardSlots) -> usize {
        if slots.is_all() {
            return self.table.len();
        }
        slots.indexes().map(|slot| self.slot_keys[slot] as usize).sum()
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

    /// Remembers that a field of the hash at `key` expires at `deadline_ms`.
    pub(crate) fn note_field_deadline(&mut self, key: &[u8], deadline_ms: u64) {
        let noted = self
            .field_deadlines
            .get_or_insert_with(|| Box::new(FieldDeadlines { by_key: HashMap::new(), min_ms: u64::MAX }));
        noted.min_ms = noted.min_ms.min(deadline_ms);
        match noted.by_key.get_mut(key) {
            Some(earliest_ms) => *earliest_ms = deadline_ms.min(*earliest_ms),
            None => drop(noted.by_key.insert(key.into(), deadline_ms)),
        }
    }

    /// Forgets the field deadlines of a key that has gone or been replaced.
    #[inline]
    pub(crate) fn forget_field_deadlines(&mut self, key: &[u8]) {
        if let Some(noted) = &mut self.field_deadlines {
            noted.by_key.remove(key);
            if noted.by_key.is_empty() {
                self.field_deadlines = None;
            }
        }
    }

    /// Whether something in here may have expired by `now_ms`.
    pub(crate) fn has_due(&self, now_ms: u64) -> bool {
        self.sweep.is_some()
            || (self.volatile > 0 && self.deadline_min_ms <= now_ms)
            || self.field_deadlines.as_ref().is_some_and(|noted| noted.min_ms <= now_ms)
    }

    /// How many keys a slot of this shard has.
    pub(crate) fn slot_count(&self, slot: u16) -> u32 {
        self.slot_keys[slot as usize / super::SHARDS]
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

/// Flags of the clients that watch a key, by database and key.
pub(crate) type Watchers = HashMap<(usize, Box<[u8]>), Vec<WatchFlag>>;

/// What a shard's lock guards. In this order, so that what every command reads (down to the main table's array) shares
/// a cache line with the lock.
#[repr(C)]
pub(crate) struct Shard {
    /// Clients that WATCH a key: told when it changes.
    pub(crate) watchers: Option<Box<Watchers>>,
    /// Clients blocked on a key.
    pub(crate) waiters: Option<Box<Waiters>>,
    main: Db,
    /// What this node is to the slots, where it was ever part of a cluster.
    pub(crate) slots: Option<Box<Slots>>,
    /// Databases 1 and up, made when first written to.
    others: Vec<Option<Box<Db>>>,
    seed: u64,
    stagger: u32,
    /// Where eviction's hand stands.
    pub(crate) hand: Hand,
}

impl Shard {
    pub(crate) fn db(&self, db: usize) -> Option<&Db> {
        if db == 0 { Some(&self.main) } else { self.others.get(db - 1)?.as_deref() }
    }

    /// What the tables' hash is keyed with.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Lets the next sweep find out anew what is due: keys that nobody decided on here may be.
    pub(crate) fn forget_deadline_bounds(&mut self) {
        for db in std::iter::once(&mut self.main).chain(self.others.iter_mut().flatten().map(|db| &mut **db)) {
            if db.volatile > 0 {
                db.deadline_min_ms = 0;
            }
            if let Some(noted) = &mut db.field_deadlines {
                noted.min_ms = 0;
            }
        }
    }

    /// Gives the tables, which are empty, another key for their hash. The old ones go to `replaced`.
    pub(crate) fn reseed(&mut self, seed: u64, replaced: &mut Vec<Db>) {
        self.seed = seed;
        replaced.push(std::mem::replace(&mut self.main, Db::new(seed, self.stagger)));
        replaced.extend(self.others.drain(..).flatten().map(|db| *db));
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

    /// How many databases have been made: all indexes below may hold keys.
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
#[repr(C, align(128))]
pub(crate) struct ShardCell {
    hint: TableHint,
    slots_hint: SlotsHint,
    /// Guards everything in the shard. Order: shards by rising index; then the observer's own locks.
    shard: Mutex<Shard>,
}

impl ShardCell {
    pub(crate) fn new(seed: u64, stagger: u32) -> Self {
        let cell = Self {
            hint: TableHint::default(),
            slots_hint: SlotsHint::default(),
            shard: Mutex::new(Shard {
                main: Db::new(seed, stagger),
                others: Vec::new(),
                seed,
                stagger,
                hand: Hand::default(),
                watchers: None,
                waiters: None,
                slots: None,
            }),
        };
        drop(cell.lock());
        cell
    }

    #[inline]
    pub(crate) fn lock(&self) -> ShardGuard<'_> {
        ShardGuard { hint: &self.hint, slots_hint: &self.slots_hint, shard: self.shard.lock() }
    }

    #[inline]
    pub(crate) fn prefetch_bucket(&self, key: &Key<'_>) {
        self.hint.prefetch_bucket(key.hash);
    }

    #[inline]
    pub(crate) fn prefetch_slot(&self, slot: u16) {
        self.slots_hint.prefetch(slot);
    }

    #[inline]
    pub(crate) fn prefetch_entry(&self, hash: u64, pinned: &crossbeam_epoch::Guard) {
        self.hint.prefetch_entry(hash, pinned);
    }
}

/// A locked shard. Letting go publishes where the main table and the slots' state now stand.
pub(crate) struct ShardGuard<'s> {
    hint: &'s TableHint,
    slots_hint: &'s SlotsHint,
    shard: MutexGuard<'s, Shard>,
}

impl ShardGuard<'_> {
    /// Publishes where the main table now stands. Owed before a table that was the main one changes or goes away while
    /// the shard stays locked.
    pub(crate) fn publish(&mut self) {
        self.hint.publish(&mut self.shard.main.table);
    }
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
        self.publish();
        self.slots_hint.publish(self.shard.slots.as_deref());
    }
}
