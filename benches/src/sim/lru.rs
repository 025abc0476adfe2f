//! Exact least-recently-used.

use std::collections::{HashMap, VecDeque};

use super::Policy;

/// The cache. Its queue holds a place for every access; places that a later access overtook are skipped, and swept
/// away once they outnumber the entries.
#[derive(Debug)]
pub struct Lru {
    entries_max: usize,
    /// The time of each entry's last access.
    last: HashMap<u64, u64>,
    queue: VecDeque<(u64, u64)>,
    now: u64,
}

impl Lru {
    /// A cache of `entries_max` entries (at least one).
    pub fn new(entries_max: usize) -> Self {
        Self { entries_max: entries_max.max(1), last: HashMap::new(), queue: VecDeque::new(), now: 0 }
    }

    fn evict(&mut self) {
        while let Some((key, time)) = self.queue.pop_front() {
            if self.last.get(&key) == Some(&time) {
                self.last.remove(&key);
                return;
            }
        }
    }
}

impl Policy for Lru {
    fn access(&mut self, key: u64) -> bool {
        self.now += 1;
        let hit = self.last.contains_key(&key);
        if !hit && self.last.len() >= self.entries_max {
            self.evict();
        }
        self.last.insert(key, self.now);
        self.queue.push_back((key, self.now));
        if self.queue.len() > 4 * self.entries_max + 64 {
            let last = &self.last;
            self.queue.retain(|(key, time)| last.get(key) == Some(time));
        }
        hit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_entry_leaves() {
        let mut cache = Lru::new(2);
        assert!(!cache.access(1));
        assert!(!cache.access(2));
        assert!(cache.access(1));
        assert!(!cache.access(3));
        assert!(cache.access(1));
        assert!(!cache.access(2));
    }

    #[test]
    fn many_repeated_accesses_keep_the_queue_short() {
        let mut cache = Lru::new(3);
        for n in 0..100_000u64 {
            cache.access(n % 3);
        }
        assert!(cache.queue.len() <= 4 * 3 + 64);
        assert_eq!(cache.last.len(), 3);
    }
}
