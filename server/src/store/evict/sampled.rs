//! The policies with Redis's names: the worst key of a sample goes. See <https://valkey.io/topics/lru-cache/>.

use super::{
    super::{SHARDS, entry::ACCESS_MAX, entry::EntryRef, keyspace::Keyspace, lfu, table::Place},
    Scope,
};

/// What makes a key the worst of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// The longest time since its last access.
    Idle,
    /// The lowest access frequency; the field is `lfu-decay-time` in minutes.
    Rare(u32),
    /// The nearest deadline.
    Deadline,
    /// None: the first that comes.
    Random,
}

/// Shards tried for a candidate before the keyspace is walked for one.
const TRIES_MAX: usize = 64;

impl Keyspace<'_> {
    /// Evicts the worst of about `samples` keys; `false`: there is none to evict. No shard is held before or after.
    pub fn evict_sampled(
        &mut self,
        scope: Scope,
        criterion: Criterion,
        samples: usize,
        rng: &mut fastrand::Rng,
    ) -> bool {
        self.release();
        let first = rng.usize(..SHARDS);
        for step in 0..TRIES_MAX + SHARDS {
            // Random shards first; where keys are so few that those are empty, all of them in turn.
            let shard = if step < TRIES_MAX { rng.usize(..SHARDS) } else { (first + step) % SHARDS };
            self.hold_one(shard);
            let victim = self.worst_in(shard, scope, criterion, samples, rng);
            if let Some((db, place)) = victim {
                self.evict_at(shard, db, place);
            }
            self.release();
            if victim.is_some() {
                return true;
            }
        }
        false
    }

    fn worst_in(
        &mut self,
        shard: usize,
        scope: Scope,
        criterion: Criterion,
        samples: usize,
        rng: &mut fastrand::Rng,
    ) -> Option<(usize, Place)> {
        let now_ms = self.now_ms();
        let guarded = self.shard_mut(shard);
        let owned = guarded.owned_slots();
        if owned.is_empty() {
            return None;
        }
        let mut worst: Option<(u64, usize, Place)> = None;
        for db in 0..guarded.db_count() {
            let Some(content) = guarded.db(db) else { continue };
            if scope == Scope::Volatile && content.volatile == 0 {
                continue;
            }
            let mut left = samples;
            let start = rng.usize(..content.table.bucket_count());
            for step in 0..content.table.bucket_count() {
                let at = (start + step) % content.table.bucket_count();
                for lane in content.table.bucket(at).occupied() {
                    let place = Place { bucket: at, lane };
                    let entry = content.table.entry(place);
                    if scope == Scope::Volatile && entry.deadline_ms().is_none() || !owned.has_key(entry.key()) {
                        continue;
                    }
                    let badness = badness(entry, criterion, now_ms);
                    if worst.is_none_or(|(most, ..)| badness > most) {
                        worst = Some((badness, db, place));
                    }
                    left = left.saturating_sub(1);
                }
                if left == 0 {
                    break;
                }
            }
        }
        worst.map(|(_, db, place)| (db, place))
    }
}

fn badness(entry: EntryRef<'_>, criterion: Criterion, now_ms: u64) -> u64 {
    match criterion {
        Criterion::Idle => u64::from(((now_ms / 1000) as u32).wrapping_sub(entry.access()) & ACCESS_MAX),
        Criterion::Rare(decay_minutes) => {
            u64::from(255 - lfu::count(entry.access(), (now_ms / 60_000) as u32, decay_minutes))
        }
        Criterion::Deadline => u64::MAX - entry.deadline_ms().unwrap_or(u64::MAX),
        Criterion::Random => 0,
    }
}
