//! Walks over the whole keyspace: SCAN, KEYS, RANDOMKEY.

use rondache_protocol::slot::{SLOTS, slot_of};

use super::{
    SHARDS,
    entry::EntryRef,
    keyspace::{ExpiryRole, Keyspace},
};

/// Buckets that are looked at before a shard's lock is let go: some µs of work.
const CHUNK_BUCKETS: usize = 64;

/// A place in the order in which [`Keyspace::scan`] walks: shard by shard, and in each by the upper half of the hash.
///
/// As a number it is 0 at the start, and 0 again at the end, never between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    shard: usize,
    position: u32,
}

impl Cursor {
    fn unpack(number: u64) -> Option<Self> {
        let shard = usize::try_from(number >> 32).ok().filter(|&shard| shard < SHARDS)?;
        Some(Self { shard, position: number as u32 })
    }

    fn pack(self) -> u64 {
        if self.shard < SHARDS { (self.shard as u64) << 32 | u64::from(self.position) } else { 0 }
    }
}

/// A place in the order in which [`Keyspace::scan_slots`] walks a cluster: slot by slot, and in each by the upper half of
/// the hash, which is the same on every node.
///
/// As a number it has `FLAG`, so that it is never taken for a place in a single node's order; it is below
/// 2⁵³, which every client can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotCursor {
    /// The slot.
    pub slot: u16,
    /// Where in it.
    pub position: u32,
}

impl SlotCursor {
    const FLAG: u64 = 1 << 46;

    /// The place that a client's cursor stands for. One from the time when the node was alone stands for the start: better
    /// to visit keys twice than to miss any.
    #[must_use]
    pub fn parse(cursor: &[u8]) -> Self {
        Self::unpack(crate::util::number::parse_u64(cursor).unwrap_or(0))
    }

    fn unpack(number: u64) -> Self {
        if number & Self::FLAG == 0 || number >> 47 != 0 {
            return Self { slot: 0, position: 0 };
        }
        Self { slot: (number >> 32) as u16 & (SLOTS - 1), position: number as u32 }
    }

    fn pack(self) -> u64 {
        if self.slot < SLOTS { Self::FLAG | u64::from(self.slot) << 32 | u64::from(self.position) } else { 0 }
    }
}

/// What a walk over slots does at one that is not this node's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// It stops there: its owner goes on.
    Stop,
    /// It passes over it.
    Skip,
}

/// What a walk may still visit.
struct Budget {
    entries: usize,
    buckets: usize,
}

impl Keyspace<'_> {
    /// Visits about `count` entries of the selected database, of the slots that this node owns, from `cursor` on (0: from the start) and answers the cursor
    /// to go on from (0: all were visited). Expired keys are left out, and deleted where this node decides on expiry.
    ///
    /// A key that is there from the first call of a walk to its last is visited, whatever is written meanwhile; one
    /// that comes or goes may be. Shards that are not held are locked one at a time and for a few µs.
    pub fn scan(&mut self, cursor: u64, count: usize, mut visit: impl FnMut(EntryRef<'_>)) -> u64 {
        // A cursor that no call has given stands behind the end.
        let Some(mut at) = Cursor::unpack(cursor) else { return 0 };
        // Sparse tables must not make one call walk without end; with few keys, one call is a whole walk.
        let mut budget = Budget { entries: count, buckets: count.saturating_mul(10).max(2 * SHARDS) };
        while at.shard < SHARDS && budget.entries > 0 && budget.buckets > 0 {
            at = self.scan_chunk(at, &mut budget, &mut visit);
        }
        at.pack()
    }

    /// As [`Keyspace::scan`], slot by slot, of the slots for which `owns` says that they are this node's.
    pub fn scan_slots(
        &mut self,
        from: SlotCursor,
        count: usize,
        foreign: Foreign,
        owns: impl Fn(u16) -> bool,
        mut visit: impl FnMut(EntryRef<'_>),
    ) -> u64 {
        let db = self.circumstances.db;
        let mut at = from;
        let mut budget = Budget { entries: count, buckets: count.saturating_mul(10).max(2 * SHARDS) };
        while at.slot < SLOTS && budget.entries > 0 && budget.buckets > 0 {
            let (slot, shard) = (at.slot, usize::from(at.slot) % SHARDS);
            let after = SlotCursor { slot: slot + 1, position: 0 };
            if !owns(slot) {
                match foreign {
                    Foreign::Stop => break,
                    Foreign::Skip => at = after,
                }
                continue;
            }
            if self.with_shard(shard, |shard| shard.db(db).is_none_or(|db| db.slot_count(slot) == 0)) {
                budget.buckets = budget.buckets.saturating_sub(1);
                at = after;
                continue;
            }
            // The slot's neighbours in the shard are no part of what was asked for.
            let mut wanted = 0;
            let mut chunk = Budget { entries: usize::MAX, buckets: budget.buckets };
            let next = self.scan_chunk(Cursor { shard, position: at.position }, &mut chunk, &mut |entry| {
                if slot_of(entry.key()) == slot {
                    wanted += 1;
                    visit(entry);
                }
            });
            budget.buckets = chunk.buckets;
            budget.entries = budget.entries.saturating_sub(wanted);
            at = if next.shard == shard { SlotCursor { slot, position: next.position } } else { after };
        }
        at.pack()
    }

    /// Visits every entry of the selected database that has not expired.
    pub fn for_each_entry(&mut self, mut visit: impl FnMut(EntryRef<'_>)) {
        let mut at = Cursor { shard: 0, position: 0 };
        while at.shard < SHARDS {
            at = self.scan_chunk(at, &mut Budget { entries: usize::MAX, buckets: usize::MAX }, &mut visit);
        }
    }

    /// Visits every entry of one shard's part of the selected database that has not expired.
    pub(super) fn for_each_entry_of_shard(&mut self, shard: usize, mut visit: impl FnMut(EntryRef<'_>)) {
        let mut at = Cursor { shard, position: 0 };
        while at.shard == shard {
            at = self.scan_chunk(at, &mut Budget { entries: usize::MAX, buckets: usize::MAX }, &mut visit);
        }
    }

    /// Visits entries of one shard: of so many buckets that its lock is held for a few µs, and no more than the budget.
    fn scan_chunk(&mut self, at: Cursor, budget: &mut Budget, visit: &mut impl FnMut(EntryRef<'_>)) -> Cursor {
        let now_ms = self.now_ms();
        let mut due: Vec<Box<[u8]>> = Vec::new();
        let is_held = self.holds(at.shard);
        if !is_held {
            self.hold_one(at.shard);
        }
        let mut next = Some(at.position);
        // A look into an empty shard counts too.
        budget.buckets = budget.buckets.saturating_sub(1);
        let served = self.shard(at.shard).served_slots();
        match self.shard(at.shard).db(self.circumstances.db) {
            Some(db) if db.table.len() > 0 && !served.is_empty() => {
                for _ in 0..CHUNK_BUCKETS {
                    let Some(position) = next else { break };
                    next = db.table.scan(position, |entry| {
                        if !served.has_key(entry.key()) {
                            return;
                        }
                        if entry.deadline_ms().is_some_and(|deadline_ms| deadline_ms <= now_ms) {
                            due.push(entry.key().into());
                        } else {
                            budget.entries = budget.entries.saturating_sub(1);
                            visit(entry);
                        }
                    });
                    budget.buckets = budget.buckets.saturating_sub(1);
                    if budget.entries == 0 || budget.buckets == 0 {
                        break;
                    }
                }
            }
            _ => next = None,
        }
        self.expire_keys(&due);
        if !is_held {
            self.release();
        }
        match next {
            Some(position) => Cursor { shard: at.shard, position },
            None => Cursor { shard: at.shard + 1, position: 0 },
        }
    }

    /// Deletes keys that were found expired, in a shard that is held.
    fn expire_keys(&mut self, due: &[Box<[u8]>]) {
        if self.expiry_role == ExpiryRole::Owner {
            for bytes in due {
                let key = self.key(bytes);
                if self.decides_on(&key) {
                    self.locate(&key);
                }
            }
        }
    }

    /// A key of the selected database, nearly all being equally likely; `None`: there is none.
    pub fn random_key(&mut self, rng: &mut fastrand::Rng) -> Option<Vec<u8>> {
        /// Tries before the keyspace is walked instead: it is nearly empty, or nearly all has expired.
        const TRIES: usize = 64;
        for _ in 0..TRIES {
            if let Some(key) = self.sample(rng.usize(..SHARDS), rng.u64(..)) {
                return Some(key);
            }
        }
        let first = rng.usize(..SHARDS);
        for shard in (first..SHARDS).chain(0..first) {
            let mut found = None;
            let mut at = Cursor { shard, position: 0 };
            while at.shard == shard && found.is_none() {
                let mut budget = Budget { entries: 1, buckets: usize::MAX };
                at = self.scan_chunk(at, &mut budget, &mut |entry| found = Some(entry.key().to_vec()));
            }
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// A random key of one shard; none where the drawn one has expired.
    fn sample(&mut self, shard: usize, random: u64) -> Option<Vec<u8>> {
        let now_ms = self.now_ms();
        let is_held = self.holds(shard);
        if !is_held {
            self.hold_one(shard);
        }
        let served = self.shard(shard).served_slots();
        let drawn = self.shard(shard).db(self.circumstances.db).and_then(|db| {
            let entry = db.table.entry(db.table.sample(random)?);
            if !served.has_key(entry.key()) {
                return None;
            }
            Some((entry.key().to_vec(), entry.deadline_ms().is_some_and(|deadline_ms| deadline_ms <= now_ms)))
        });
        let key = match drawn {
            Some((key, true)) => {
                self.expire_keys(&[key.into()]);
                None
            }
            Some((key, false)) => Some(key),
            None => None,
        };
        if !is_held {
            self.release();
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::store::{
        Store,
        keyspace::{Circumstances, Ttl},
        observer::NoObserver,
    };

    fn keyspace(store: &Store) -> Keyspace<'_> {
        Keyspace::new(store, &NoObserver, Circumstances { db: 0, now_ms: 1000, client_id: 0, touch: true })
    }

    fn put(ks: &mut Keyspace<'_>, name: &str, ttl: Ttl) {
        let key = ks.key(name.as_bytes());
        ks.hold_one(key.shard());
        ks.put_string(&key, b"v", ttl);
        ks.release();
    }

    fn delete(ks: &mut Keyspace<'_>, name: &str) {
        let key = ks.key(name.as_bytes());
        ks.hold_one(key.shard());
        ks.remove(&key);
        ks.release();
    }

    /// All keys with one hash tag share a shard, so that its table grows and shrinks.
    fn name(index: u16) -> String {
        if index.is_multiple_of(2) { format!("{{tag}}{index}") } else { format!("key{index}") }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn a_key_that_stays_is_returned_whatever_comes_and_goes(
            stays in prop::collection::btree_set(0_u16..800, 1..300),
            steps in prop::collection::vec((1_usize..60, prop::collection::vec((any::<bool>(), 800_u16..4000), 0..400)), 1..6),
            seed: u64,
        ) {
            let store = Store::new(seed);
            let mut ks = keyspace(&store);
            stays.iter().for_each(|&index| put(&mut ks, &name(index), Ttl::Clear));
            let mut seen = BTreeSet::new();
            let mut cursor = 0;
            let mut steps = steps.iter().cycle();
            loop {
                let (count, changes) = steps.next().unwrap();
                cursor = ks.scan(cursor, *count, |entry| {
                    seen.insert(entry.key().to_vec());
                });
                if cursor == 0 {
                    break;
                }
                for &(comes, index) in changes {
                    if comes { put(&mut ks, &name(index), Ttl::Clear) } else { delete(&mut ks, &name(index)) }
                }
            }
            for index in stays {
                prop_assert!(seen.contains(name(index).as_bytes()), "{} is missing", name(index));
            }
        }
    }

    #[test]
    fn without_writes_every_key_is_returned_once() {
        let store = Store::new(7);
        let mut ks = keyspace(&store);
        (0..2000).for_each(|index| put(&mut ks, &name(index), Ttl::Clear));
        let mut seen = Vec::new();
        let mut cursor = 0;
        loop {
            cursor = ks.scan(cursor, 10, |entry| seen.push(entry.key().to_vec()));
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(seen.len(), 2000);
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 2000);
    }

    #[test]
    fn a_walk_over_few_keys_is_one_call() {
        let store = Store::new(7);
        let mut ks = keyspace(&store);
        (0..9).for_each(|index| put(&mut ks, &name(index), Ttl::Clear));
        let mut seen = 0;
        assert_eq!(ks.scan(0, 10, |_| seen += 1), 0);
        assert_eq!(seen, 9);
    }

    #[test]
    fn expired_keys_are_left_out_and_deleted() {
        let store = Store::new(7);
        let mut ks = keyspace(&store);
        put(&mut ks, "stays", Ttl::At(1001));
        ks.circumstances.now_ms = 10;
        put(&mut ks, "goes", Ttl::At(1000));
        ks.circumstances.now_ms = 1000;
        let mut seen = Vec::new();
        ks.for_each_entry(|entry| seen.push(entry.key().to_vec()));
        assert_eq!((seen, ks.len()), (vec![b"stays".to_vec()], 1));
    }

    #[test]
    fn a_random_key_is_found_among_few_and_among_expired_ones() {
        let store = Store::new(7);
        let mut ks = keyspace(&store);
        let mut rng = fastrand::Rng::with_seed(1);
        assert_eq!(ks.random_key(&mut rng), None);
        ks.circumstances.now_ms = 10;
        (0..500).for_each(|index| put(&mut ks, &name(index), Ttl::At(1000)));
        put(&mut ks, "one", Ttl::Clear);
        ks.circumstances.now_ms = 1000;
        assert_eq!(ks.random_key(&mut rng), Some(b"one".to_vec()));
    }

    #[test]
    fn a_cursor_that_was_never_given_ends_the_walk() {
        let store = Store::new(7);
        let mut ks = keyspace(&store);
        assert_eq!(ks.scan(u64::MAX, 10, |_| ()), 0);
        assert_eq!(ks.scan((SHARDS as u64) << 32, 10, |_| ()), 0);
    }
}
