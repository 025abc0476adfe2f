//! The hash of the near cache's keys: xxh3 in one go, seeded so that nobody can choose keys that collide.

use std::hash::{BuildHasher, Hasher};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Makes hashers with one seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyHash {
    seed: u64,
}

impl KeyHash {
    pub(super) fn new() -> Self {
        Self { seed: fastrand::u64(..) }
    }
}

impl BuildHasher for KeyHash {
    type Hasher = KeyHasher;

    fn build_hasher(&self) -> KeyHasher {
        KeyHasher(self.seed)
    }
}

/// Hashes a key that comes in one piece, as byte strings do.
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    /// The length that precedes a slice: the hash of the bytes depends on it anyway.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
