//! One eviction after S3-FIFO; see the [module above](super).

use std::sync::atomic::Ordering::Relaxed;

use super::{
    super::{
        SHARDS,
        bucket::{META_FREQUENCY, META_SMALL},
        keyspace::Keyspace,
        replicate::ShardSlots,
        shard::Shard,
        table::Place,
    },
    DOMAINS, Evictor, SMALL_PERCENT, Scope,
};

/// Main entries that the hand looks at before it takes the least used it has seen.
const WALK_LEN_MAX: usize = 128;
/// Newcomers looked at in one call.
const POPS_MAX: usize = 4096;

/// What the hand has seen so far.
struct Walk {
    seen: usize,
    least: Option<(usize, Place, u8)>,
}

impl Keyspace<'_> {
    /// Evicts one key; `false`: there is none to evict. No shard is held before or after.
    pub fn evict_s3fifo(&mut self, scope: Scope, rng: &mut fastrand::Rng) -> bool {
        self.release();
        let evictor = &self.store().evictor;
        for _ in 0..POPS_MAX {
            let (ring_len, entries) = (evictor.ring_len(), evictor.entries());
            if entries == 0 {
                return false;
            }
            let small_is_due = ring_len > 0 && (ring_len * 100 > SMALL_PERCENT * entries || ring_len >= entries);
            if !small_is_due {
                if self.evict_main(evictor, scope, rng) {
                    return true;
                }
                if ring_len == 0 {
                    return false;
                }
            }
            if self.evict_small(evictor, scope, rng) {
                return true;
            }
        }
        self.evict_main(evictor, scope, rng)
    }

    /// Looks at the oldest newcomer: promotes it, or evicts it and answers `true`.
    fn evict_small(&mut self, evictor: &Evictor, scope: Scope, rng: &mut fastrand::Rng) -> bool {
        let fill = |domain: &super::Domain| domain.ring_len.load(Relaxed);
        let mut domain = evictor.fuller(rng.u64(..), fill);
        if fill(&evictor.domains[domain]) == 0 {
            domain = (0..DOMAINS).max_by_key(|&domain| fill(&evictor.domains[domain])).unwrap_or(domain);
        }
        let Some(record) = evictor.pop(domain) else { return false };
        let shard = record.shard();
        self.hold_one(shard);
        let owned = self.shard(shard).owned_slots();
        let found = self.shard_mut(shard).find_small(record.partial_hash());
        let evicted = found.and_then(|(db, place)| {
            let table = &self.shard_mut(shard).db_mut(db).table;
            let bucket = table.bucket(place.bucket);
            let is_used = bucket.meta(place.lane) & META_FREQUENCY > 0;
            let entry = table.entry(place);
            let may_go = owned.has_key(entry.key()) && (scope == Scope::All || entry.deadline_ms().is_some());
            if is_used || !may_go {
                bucket.set_meta(place.lane, 0);
                return None;
            }
            Some(self.evict_at(shard, db, place))
        });
        self.release();
        if let Some(hash) = evicted {
            evictor.remember(shard, hash);
        }
        evicted.is_some()
    }

    /// Lets the hand of a domain walk until it finds a victim.
    fn evict_main(&mut self, evictor: &Evictor, scope: Scope, rng: &mut fastrand::Rng) -> bool {
        let main_len =
            |domain: &super::Domain| domain.entries.load(Relaxed).saturating_sub(domain.ring_len.load(Relaxed));
        let first = evictor.fuller(rng.u64(..), main_len);
        let shards = SHARDS / DOMAINS;
        for domain in (0..DOMAINS).map(|step| (first + step) % DOMAINS) {
            let hand = &evictor.domains[domain].hand;
            let mut walk = Walk { seen: 0, least: None };
            // Twice round: the first may only count frequencies down.
            for _ in 0..=2 * shards * usize::from(META_FREQUENCY) {
                let at = hand.load(Relaxed);
                let shard = at as usize % shards * DOMAINS + domain;
                self.hold_one(shard);
                let victim = self.shard_mut(shard).walk(scope, &mut walk);
                if let Some((db, place)) = victim {
                    self.evict_at(shard, db, place);
                    self.release();
                    return true;
                }
                self.release();
                // Another thread may have moved the hand on meanwhile.
                let _ = hand.compare_exchange(at, at.wrapping_add(1), Relaxed, Relaxed);
            }
        }
        false
    }
}

impl Shard {
    /// Moves the shard's hand over its buckets to a victim. `None`: it came to the end, and stands at the start again.
    fn walk(&mut self, scope: Scope, walk: &mut Walk) -> Option<(usize, Place)> {
        walk.least = None;
        let owned = self.owned_slots();
        if owned.is_empty() {
            return None;
        }
        while self.hand.db < self.db_count() {
            let (db, from) = (self.hand.db, self.hand.bucket);
            let Some(table) = self.db(db).map(|db| &db.table) else {
                self.hand.db += 1;
                continue;
            };
            for at in from..table.bucket_count() {
                if let Some(victim) = visit_bucket(table, (db, at), scope, owned, walk) {
                    self.hand.bucket = at;
                    return Some(victim);
                }
            }
            (self.hand.db, self.hand.bucket) = (db + 1, 0);
        }
        self.hand = super::super::shard::Hand::default();
        None
    }
}

fn visit_bucket(
    table: &super::super::table::Table,
    (db, at): (usize, usize),
    scope: Scope,
    owned: ShardSlots,
    walk: &mut Walk,
) -> Option<(usize, Place)> {
    let bucket = table.bucket(at);
    for lane in bucket.occupied() {
        let meta = bucket.meta(lane);
        let place = Place { bucket: at, lane };
        if meta & META_SMALL != 0 || scope == Scope::Volatile && table.entry(place).deadline_ms().is_none() {
            continue;
        }
        if !owned.has_key(table.entry(place).key()) {
            continue;
        }
        let frequency = meta & META_FREQUENCY;
        if frequency == 0 {
            return Some((db, place));
        }
        bucket.set_meta(lane, frequency - 1);
        walk.seen += 1;
        if walk.least.is_none_or(|(_, _, least)| frequency - 1 < least) {
            walk.least = Some((db, place, frequency - 1));
        }
        if walk.seen >= WALK_LEN_MAX {
            walk.seen = 0;
            return walk.least.map(|(db, place, _)| (db, place));
        }
    }
    None
}
