//! What two tables compare, to exchange only the rows that differ.

use std::ops::Range;

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::super::plane::Row;

/// How many ranges of slots have a digest each: 512 bytes tell which 256 rows of 16384 to exchange.
pub const RANGES: usize = 64;

/// For each range the hashes of its rows, XORed: a row that changes costs two hashes, whatever the range holds.
#[derive(Clone, Debug)]
pub(super) struct Digests([u64; RANGES]);

impl Default for Digests {
    fn default() -> Self {
        Self([0; RANGES])
    }
}

impl Digests {
    /// Adds the row, or takes it away if it was added.
    pub(super) fn toggle(&mut self, slots: u16, row: &Row) {
        self.0[range_of(slots, row.slot)] ^= hash(row);
    }

    pub(super) fn ranges(&self) -> &[u64; RANGES] {
        &self.0
    }

    /// One digest of all ranges.
    pub(super) fn whole(&self) -> u64 {
        let mut bytes = [0; RANGES * 8];
        for (place, digest) in bytes.chunks_exact_mut(8).zip(self.0) {
            place.copy_from_slice(&digest.to_le_bytes());
        }
        xxh3_64(&bytes)
    }
}

/// The range of a slot.
fn range_of(slots: u16, slot: u16) -> usize {
    usize::from(slot) * RANGES / usize::from(slots)
}

/// The slots of a range of a table of `slots`.
pub(super) fn slots_of(slots: u16, range: usize) -> Range<u16> {
    let begin = |range: usize| (range.min(RANGES) * usize::from(slots)).div_ceil(RANGES) as u16;
    begin(range)..begin(range.saturating_add(1))
}

fn hash(row: &Row) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&row.slot.to_le_bytes());
    hash.update(&row.epoch.to_le_bytes());
    hash.update(&row.version.to_le_bytes());
    hash.update(&row.claim.firm_epoch.to_le_bytes());
    hash.update(&row.claim.provisional.to_le_bytes());
    for node in std::iter::once(&row.owner).chain(&row.copies) {
        hash.update(&node.generation.to_le_bytes());
        hash.update(&node.id.0.to_le_bytes());
    }
    hash.digest()
}
