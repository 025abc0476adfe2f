//! A memory of keys that were evicted young: their fingerprints, first in first out.

/// Lanes of a bucket, and bits of a fingerprint: five times twelve bits in a word.
const LANES: u32 = 5;
const LANE_BITS: u32 = 12;
const LANE_MASK: u64 = (1 << LANE_BITS) - 1;
const BUCKET_MASK: u64 = (1 << (LANES * LANE_BITS)) - 1;

/// How many keys to remember for each entry that the cache holds.
const RATIO: f64 = 0.9;

/// Fingerprints of keys, in buckets of one word each.
#[derive(Debug, Default)]
pub(super) struct Ghost {
    buckets: Vec<u64>,
}

impl Ghost {
    /// Remembers a key. `entries` is how many entries the cache holds: the ghost follows its size.
    pub(super) fn put(&mut self, hash: u64, entries: usize) {
        self.fit(entries);
        let at = self.bucket_of(hash);
        self.buckets[at] = ((self.buckets[at] << LANE_BITS) | fingerprint(hash)) & BUCKET_MASK;
    }

    /// Forgets a key; `true` if it was remembered.
    pub(super) fn take(&mut self, hash: u64) -> bool {
        if self.buckets.is_empty() {
            return false;
        }
        let at = self.bucket_of(hash);
        let bucket = self.buckets[at];
        let wanted = fingerprint(hash);
        for lane in 0..LANES {
            let shift = lane * LANE_BITS;
            if (bucket >> shift) & LANE_MASK == wanted {
                let below = (1 << shift) - 1;
                self.buckets[at] = (bucket & below) | ((bucket >> LANE_BITS) & !below);
                return true;
            }
        }
        false
    }

    /// Follows the cache's size. Buckets stand in hash order, so a bucket's content belongs into the bucket at the same
    /// fraction of the new array; a few at the seams are forgotten.
    fn fit(&mut self, entries: usize) {
        let wanted = ((entries as f64 * RATIO) as usize).div_ceil(LANES as usize).max(1);
        let len = self.buckets.len();
        if len != 0 && wanted <= len + len / 8 && wanted * 2 >= len {
            return;
        }
        let new_len = wanted + wanted / 16;
        self.buckets = if len == 0 {
            vec![0; new_len]
        } else {
            (0..new_len).map(|at| self.buckets[(2 * at + 1) * len / (2 * new_len)]).collect()
        };
    }

    fn bucket_of(&self, hash: u64) -> usize {
        (((hash >> 32) * self.buckets.len() as u64) >> 32) as usize
    }
}

/// Twelve bits of the hash that neither tag nor bucket use; 0 marks an empty lane.
fn fingerprint(hash: u64) -> u64 {
    ((hash >> 12) & LANE_MASK).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_once() {
        let mut ghost = Ghost::default();
        let hash = 0x0123_4567_89ab_cdef;
        assert!(!ghost.take(hash));
        ghost.put(hash, 100);
        assert!(ghost.take(hash));
        assert!(!ghost.take(hash));
    }

    #[test]
    fn the_oldest_of_a_full_bucket_is_forgotten() {
        let mut ghost = Ghost::default();
        let hash = |n: u64| n << 12;
        (1..=6).for_each(|n| ghost.put(hash(n), 1));
        assert!(!ghost.take(hash(1)));
        assert!((2..=6).all(|n| ghost.take(hash(n))));
    }

    #[test]
    fn growing_keeps_nearly_all_that_is_remembered() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut ghost = Ghost::default();
        let hashes: Vec<u64> = (0..200).map(|_| rng.u64(..)).collect();
        hashes.iter().for_each(|&hash| ghost.put(hash, 10_000));
        ghost.fit(40_000);
        assert!(hashes.iter().filter(|&&hash| ghost.take(hash)).count() >= 180);
    }
}
