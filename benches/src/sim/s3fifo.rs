//! S3-FIFO as published: J. Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023.
//!
//! New keys enter a small queue of a tenth of the entries. Those asked for again before they reach its end move to the
//! main queue; the others leave, and a ghost queue remembers their names, as many as the main queue has entries. A key
//! whose ghost is met again enters the main queue directly. The main queue gives an entry another turn for every access
//! that its two-bit counter remembers.

use std::collections::{HashMap, VecDeque};

use super::Policy;

/// Two bits.
const FREQUENCY_MAX: u8 = 3;
/// Accesses in the small queue beyond which a key moves to main: "more than once", counted after its insertion.
const PROMOTE_ABOVE: u8 = 1;

/// The cache.
#[derive(Debug)]
pub struct S3Fifo {
    entries_max: usize,
    small_max: usize,
    ghosts_max: usize,
    /// Accesses since insertion or promotion, saturating, of every entry.
    entries: HashMap<u64, u8>,
    small: VecDeque<u64>,
    main: VecDeque<u64>,
    /// Remembered names in order, each with the number of its turn; a name that was met again leaves its place stale.
    ghosts: VecDeque<(u64, u64)>,
    ghost_turns: HashMap<u64, u64>,
    next_turn: u64,
}

impl S3Fifo {
    /// A cache of `entries_max` entries (at least one).
    pub fn new(entries_max: usize) -> Self {
        let entries_max = entries_max.max(1);
        let small_max = (entries_max / 10).max(1);
        Self {
            entries_max,
            small_max,
            ghosts_max: (entries_max - small_max).max(1),
            entries: HashMap::with_capacity(entries_max + 1),
            small: VecDeque::new(),
            main: VecDeque::new(),
            ghosts: VecDeque::new(),
            ghost_turns: HashMap::new(),
            next_turn: 0,
        }
    }

    fn admit(&mut self, key: u64) {
        while self.entries.len() >= self.entries_max {
            self.evict();
        }
        let seen_lately = self.ghost_turns.remove(&key).is_some();
        self.entries.insert(key, 0);
        if seen_lately {
            self.main.push_back(key);
        } else {
            self.small.push_back(key);
        }
    }

    fn evict(&mut self) {
        if self.small.len() >= self.small_max || self.main.is_empty() {
            self.evict_small();
        } else {
            self.evict_main();
        }
    }

    fn evict_small(&mut self) {
        while let Some(key) = self.small.pop_front() {
            match self.entries.get_mut(&key) {
                Some(frequency) if *frequency > PROMOTE_ABOVE => {
                    *frequency = 0;
                    self.main.push_back(key);
                    if self.main.len() > self.entries_max - self.small_max {
                        return self.evict_main();
                    }
                }
                _ => {
                    self.entries.remove(&key);
                    return self.remember(key);
                }
            }
        }
    }

    fn evict_main(&mut self) {
        while let Some(key) = self.main.pop_front() {
            match self.entries.get_mut(&key) {
                Some(frequency) if *frequency > 0 => {
                    *frequency -= 1;
                    self.main.push_back(key);
                }
                _ => {
                    self.entries.remove(&key);
                    return;
                }
            }
        }
    }

    fn remember(&mut self, key: u64) {
        self.ghost_turns.insert(key, self.next_turn);
        self.ghosts.push_back((key, self.next_turn));
        self.next_turn += 1;
        while self.ghost_turns.len() > self.ghosts_max {
            let Some((old, turn)) = self.ghosts.pop_front() else {
                return;
            };
            if self.ghost_turns.get(&old) == Some(&turn) {
                self.ghost_turns.remove(&old);
            }
        }
    }
}

impl Policy for S3Fifo {
    fn access(&mut self, key: u64) -> bool {
        if let Some(frequency) = self.entries.get_mut(&key) {
            *frequency = (*frequency + 1).min(FREQUENCY_MAX);
            return true;
        }
        self.admit(key);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(cache: &mut S3Fifo, keys: impl IntoIterator<Item = u64>) -> usize {
        keys.into_iter().filter(|&key| cache.access(key)).count()
    }

    #[test]
    fn a_scan_passes_without_displacing_the_hot_keys() {
        let mut cache = S3Fifo::new(100);
        for _ in 0..4 {
            hits(&mut cache, 0..50);
        }
        hits(&mut cache, 1000..3000);
        assert_eq!(hits(&mut cache, 0..50), 50);
    }

    #[test]
    fn a_key_met_again_while_its_ghost_lives_goes_to_main() {
        let mut cache = S3Fifo::new(10);
        hits(&mut cache, 0..11);
        assert!(!cache.access(0), "the first key was evicted");
        assert!(cache.main.contains(&0));
    }

    #[test]
    fn entries_and_ghosts_never_exceed_their_bounds() {
        const SEED: u64 = 9;
        let mut rng = fastrand::Rng::with_seed(SEED);
        for size in [1usize, 2, 9, 10, 100] {
            let mut cache = S3Fifo::new(size);
            for _ in 0..20_000 {
                cache.access(rng.u64(..300));
                assert!(cache.entries.len() <= size, "seed {SEED}, size {size}");
                assert_eq!(cache.entries.len(), cache.small.len() + cache.main.len(), "seed {SEED}, size {size}");
                assert!(cache.ghost_turns.len() <= cache.ghosts_max, "seed {SEED}, size {size}");
            }
        }
    }

    #[test]
    fn everything_fits_means_only_cold_misses() {
        let mut cache = S3Fifo::new(100);
        assert_eq!(hits(&mut cache, (0..100).chain(0..100)), 100);
    }
}
