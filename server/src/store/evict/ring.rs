//! The small queue: newcomers in order of arrival, eight bytes each.

use std::collections::VecDeque;

/// Records in a chunk; a chunk's memory is given back when it is drained.
const CHUNK_LEN: usize = 512;

/// Which newcomer: its shard, and the bits of its hash that find it in whatever table the shard has by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record(u64);

const SHARD_BITS: u32 = super::super::SHARDS.trailing_zeros();
const TAG_BITS: u32 = 8;
const HIGH_BITS: u32 = 64 - SHARD_BITS - TAG_BITS;

impl Record {
    pub(super) fn new(shard: usize, hash: u64) -> Self {
        let high = hash >> (64 - HIGH_BITS);
        Self((shard as u64) << (64 - SHARD_BITS) | high << TAG_BITS | (hash & 0xff))
    }

    pub(super) fn shard(self) -> usize {
        (self.0 >> (64 - SHARD_BITS)) as usize
    }

    /// The hash with its middle bits zero: home bucket and tag are exact.
    pub(super) fn partial_hash(self) -> u64 {
        (self.0 << SHARD_BITS) >> (SHARD_BITS + TAG_BITS) << (64 - HIGH_BITS) | (self.0 & 0xff)
    }
}

/// A queue in chunks.
#[derive(Debug, Default)]
pub(super) struct Ring {
    chunks: VecDeque<Vec<Record>>,
    /// How many of the first chunk's records are gone.
    taken: usize,
    len: usize,
}

impl Ring {
    pub(super) fn push(&mut self, record: Record) {
        match self.chunks.back_mut() {
            Some(chunk) if chunk.len() < CHUNK_LEN => chunk.push(record),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK_LEN);
                chunk.push(record);
                self.chunks.push_back(chunk);
            }
        }
        self.len += 1;
    }

    pub(super) fn pop(&mut self) -> Option<Record> {
        let chunk = self.chunks.front()?;
        let record = chunk.get(self.taken).copied()?;
        self.taken += 1;
        self.len -= 1;
        if self.taken == chunk.len() {
            self.chunks.pop_front();
            self.taken = 0;
        }
        Some(record)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_leave_in_the_order_they_came_and_chunks_with_them() {
        let mut ring = Ring::default();
        (0..1300).for_each(|n| ring.push(Record::new(n % 1024, n as u64)));
        for n in 0..1300 {
            assert_eq!(ring.len(), 1300 - n);
            assert_eq!(ring.pop(), Some(Record::new(n % 1024, n as u64)));
        }
        assert_eq!((ring.pop(), ring.chunks.len()), (None, 0));
    }

    #[test]
    fn a_record_keeps_shard_home_and_tag() {
        let hash = 0xfedc_ba98_7654_3210;
        let record = Record::new(1023, hash);
        assert_eq!(record.shard(), 1023);
        assert_eq!(record.partial_hash() >> 32, hash >> 32);
        assert_eq!(record.partial_hash() & 0xff, hash & 0xff);
    }
}
