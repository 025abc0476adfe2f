//! Which shards a command holds.

use super::*;

impl<'s> Keyspace<'s> {
    /// Holds exactly one shard, keeping it where it is held already.
    #[inline]
    pub fn hold_one(&mut self, shard: usize) {
        if let Held::One(held, _) = self.held
            && held == shard
        {
            return;
        }
        self.release();
        self.held = Held::One(shard, self.store.lock(shard));
    }

    /// Holds the given shards, which need not be sorted or distinct.
    pub fn hold_many(&mut self, shards: &mut Vec<usize>) {
        shards.sort_unstable();
        shards.dedup();
        match shards.as_slice() {
            [one] => self.hold_one(*one),
            _ => {
                self.release();
                let mut guards = std::mem::take(&mut self.spare);
                guards.extend(shards.iter().map(|&shard| (shard, self.store.lock(shard))));
                self.held = Held::Many(guards);
            }
        }
    }

    /// Holds every shard.
    pub fn hold_all(&mut self) {
        if !matches!(&self.held, Held::Many(guards) if guards.len() == SHARDS) {
            self.release();
            self.held = Held::Many((0..SHARDS).map(|shard| (shard, self.store.lock(shard))).collect());
        }
    }

    /// Lets go of all shards, then frees what was costly to free.
    #[inline]
    pub fn release(&mut self) {
        // Whatever changed keys without being a command: eviction, expiry.
        self.flush_effects(&[]);
        if let Held::Many(mut guards) = std::mem::replace(&mut self.held, Held::None) {
            guards.clear();
            self.spare = guards;
        }
        if !self.garbage.is_empty() {
            self.garbage.clear();
        }
    }

    /// Whether the shard is held.
    #[must_use]
    pub fn holds(&self, shard: usize) -> bool {
        match &self.held {
            Held::None => false,
            Held::One(held, _) => *held == shard,
            Held::Many(guards) => guards.binary_search_by_key(&shard, |(held, _)| *held).is_ok(),
        }
    }

    /// Calls `visit` with every shard in turn. Shards that are not held are locked one at a time, so a walk over a node
    /// that serves traffic never stops it; inside a transaction, which holds all, the walk is atomic.
    pub(crate) fn for_each_shard(&mut self, mut visit: impl FnMut(usize, &mut Shard)) {
        for shard in 0..SHARDS {
            self.with_shard(shard, |guarded| visit(shard, guarded));
        }
    }

    /// Calls `visit` with every slot that this node owns, and its shard.
    pub(crate) fn for_each_slot(&mut self, mut visit: impl FnMut(&Shard, u16)) {
        self.for_each_shard(|index, shard| {
            let slots = shard.served_slots();
            slots.indexes().for_each(|at| visit(shard, (at * SHARDS + index) as u16));
        });
    }

    /// Calls `visit` with one shard, locking it for the call where it is not held.
    pub(crate) fn with_shard<R>(&mut self, shard: usize, visit: impl FnOnce(&mut Shard) -> R) -> R {
        if self.holds(shard) {
            let guard = self.guard_mut(shard);
            let result = visit(guard);
            guard.publish();
            return result;
        }
        assert!(matches!(self.held, Held::None), "a shard is locked while others are held: locks would cross");
        visit(&mut self.store.lock(shard))
    }

    #[inline]
    pub(in crate::store) fn shard(&self, shard: usize) -> &Shard {
        match &self.held {
            Held::One(held, guard) if *held == shard => guard,
            Held::Many(guards) => match guards.binary_search_by_key(&shard, |(held, _)| *held) {
                Ok(at) => &guards[at].1,
                Err(_) => unreachable!("a command touched a key that its table entry does not name"),
            },
            _ => unreachable!("a command touched a key that its table entry does not name"),
        }
    }

    #[inline]
    pub(crate) fn shard_mut(&mut self, shard: usize) -> &mut Shard {
        self.guard_mut(shard)
    }

    #[inline]
    pub(in crate::store) fn guard_mut(&mut self, shard: usize) -> &mut ShardGuard<'s> {
        match &mut self.held {
            Held::One(held, guard) if *held == shard => guard,
            Held::Many(guards) => match guards.binary_search_by_key(&shard, |(held, _)| *held) {
                Ok(at) => &mut guards[at].1,
                Err(_) => unreachable!("a command touched a key that its table entry does not name"),
            },
            _ => unreachable!("a command touched a key that its table entry does not name"),
        }
    }

    #[inline]
    pub(in crate::store) fn db(&self, key: &Key<'_>) -> Option<&Db> {
        self.shard(key.shard()).db(self.circumstances.db)
    }

    #[inline]
    pub(in crate::store) fn db_mut(&mut self, key: &Key<'_>) -> &mut Db {
        let db = self.circumstances.db;
        self.shard_mut(key.shard()).db_mut(db)
    }
}
