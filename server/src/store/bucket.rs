//! A cache line of the table: nine slots of one tag byte and a 48-bit word.
//!
//! The word holds an entry's address (8-byte aligned, so 45 bits) and three bits of eviction state, which lets sweep and
//! eviction leave most entries' lines alone. All fields are atomics with relaxed order: they are changed under the
//! shard's lock only, but a batch's prefetch pass reads them without it.

use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

/// Slots in a bucket.
pub(crate) const LANES: usize = 9;

const META_SHIFT: u32 = 45;
const ADDRESS_MASK: u64 = (1 << META_SHIFT) - 1;

/// Access frequency of a slot, 0 to 3, as S3-FIFO counts it.
pub(crate) const META_FREQUENCY: u8 = 0b011;
/// The slot's entry waits in the small queue.
pub(crate) const META_SMALL: u8 = 0b100;

#[derive(Default)]
#[repr(C, align(64))]
pub(crate) struct Bucket {
    /// Tags of lanes 0 to 7, a byte each; 0 is an empty lane.
    tags: AtomicU64,
    last_tag: AtomicU8,
    /// How many entries that belong to this bucket, or passed it on the way, stand further on; sticks at 255.
    overflow: AtomicU8,
    high: [AtomicU16; LANES],
    low: [AtomicU32; LANES],
}

const _: () = assert!(std::mem::size_of::<Bucket>() == 64);

impl Bucket {
    /// The tag of a hash: never 0.
    #[inline]
    pub(crate) fn tag_of(hash: u64) -> u8 {
        (hash as u8).max(1)
    }

    /// The lanes whose tag is `tag`, as a bit set.
    #[inline]
    pub(crate) fn matches(&self, tag: u8) -> LaneSet {
        const LOW_SEVEN: u64 = 0x7f7f_7f7f_7f7f_7f7f;
        let differing = self.tags.load(Relaxed) ^ (u64::from(tag) * 0x0101_0101_0101_0101);
        // Exactly the zero bytes get their top bit set (no carry crosses a byte, as the low seven bits are added alone).
        let zero_bytes = !(((differing & LOW_SEVEN) + LOW_SEVEN) | differing | LOW_SEVEN);
        LaneSet { packed: zero_bytes, last: self.last_tag.load(Relaxed) == tag }
    }

    /// The lanes that hold an entry.
    #[inline]
    pub(crate) fn occupied(&self) -> LaneSet {
        let empty = self.matches(0);
        LaneSet { packed: !empty.packed & 0x8080_8080_8080_8080, last: !empty.last }
    }

    /// The first empty lane.
    #[inline]
    pub(crate) fn empty_lane(&self) -> Option<usize> {
        self.matches(0).next()
    }

    #[inline]
    pub(crate) fn address(&self, lane: usize) -> usize {
        ((self.word(lane) & ADDRESS_MASK) << 3) as usize
    }

    #[inline]
    pub(crate) fn meta(&self, lane: usize) -> u8 {
        (self.word(lane) >> META_SHIFT) as u8
    }

    #[inline]
    pub(crate) fn set_meta(&self, lane: usize, meta: u8) {
        let high = self.high[lane].load(Relaxed);
        self.high[lane].store((high & 0x1fff) | u16::from(meta) << 13, Relaxed);
    }

    /// Counts an access, up to 3. A slot that is hot already is not written again.
    #[inline]
    pub(crate) fn touch(&self, lane: usize) {
        let meta = self.meta(lane);
        if meta & META_FREQUENCY < META_FREQUENCY {
            self.set_meta(lane, meta + 1);
        }
    }

    pub(crate) fn set(&self, lane: usize, tag: u8, address: usize, meta: u8) {
        self.set_tag(lane, tag);
        self.set_word(lane, (address as u64 >> 3) | u64::from(meta) << META_SHIFT);
    }

    /// Another entry in the same slot, with the same key: tag and eviction state stay.
    pub(crate) fn set_address(&self, lane: usize, address: usize) {
        let meta = self.word(lane) & !ADDRESS_MASK;
        self.set_word(lane, (address as u64 >> 3) | meta);
    }

    pub(crate) fn clear(&self, lane: usize) {
        self.set_tag(lane, 0);
        self.set_word(lane, 0);
    }

    pub(crate) fn tag(&self, lane: usize) -> u8 {
        if lane == LANES - 1 { self.last_tag.load(Relaxed) } else { (self.tags.load(Relaxed) >> (lane * 8)) as u8 }
    }

    #[inline]
    pub(crate) fn overflowed(&self) -> bool {
        self.overflow.load(Relaxed) != 0
    }

    pub(crate) fn count_overflow(&self) {
        let count = self.overflow.load(Relaxed);
        self.overflow.store(count.saturating_add(1), Relaxed);
    }

    /// Undoes [`Bucket::count_overflow`], unless the count has stuck: then only a rebuild clears it.
    pub(crate) fn uncount_overflow(&self) {
        let count = self.overflow.load(Relaxed);
        if count != u8::MAX {
            self.overflow.store(count.saturating_sub(1), Relaxed);
        }
    }

    fn set_tag(&self, lane: usize, tag: u8) {
        if lane == LANES - 1 {
            self.last_tag.store(tag, Relaxed);
        } else {
            let tags = self.tags.load(Relaxed) & !(0xff << (lane * 8));
            self.tags.store(tags | u64::from(tag) << (lane * 8), Relaxed);
        }
    }

    #[inline]
    fn word(&self, lane: usize) -> u64 {
        u64::from(self.low[lane].load(Relaxed)) | u64::from(self.high[lane].load(Relaxed)) << 32
    }

    fn set_word(&self, lane: usize, word: u64) {
        self.low[lane].store(word as u32, Relaxed);
        self.high[lane].store((word >> 32) as u16, Relaxed);
    }
}

/// A set of lanes, iterated from the lowest.
#[derive(Clone, Copy)]
pub(crate) struct LaneSet {
    /// The top bit of byte *i* stands for lane *i*.
    packed: u64,
    last: bool,
}

impl Iterator for LaneSet {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.packed != 0 {
            let lane = self.packed.trailing_zeros() as usize / 8;
            self.packed &= self.packed - 1;
            return Some(lane);
        }
        std::mem::take(&mut self.last).then_some(LANES - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_every_lane_and_nowhere_else() {
        for lane in 0..LANES {
            let bucket = Bucket::default();
            bucket.set(lane, 0x80, 0x7fff_1234_5678, 0b101);
            assert_eq!(bucket.matches(0x80).collect::<Vec<_>>(), [lane]);
            assert_eq!(bucket.matches(0x81).count(), 0);
            assert_eq!(bucket.occupied().collect::<Vec<_>>(), [lane]);
            assert_eq!((bucket.address(lane), bucket.meta(lane), bucket.tag(lane)), (0x7fff_1234_5678, 0b101, 0x80));
            bucket.clear(lane);
            assert_eq!(bucket.occupied().count(), 0);
        }
    }

    #[test]
    fn touching_saturates_at_three_and_keeps_the_queue_bit() {
        let bucket = Bucket::default();
        bucket.set(8, 1, 8, META_SMALL);
        for _ in 0..5 {
            bucket.touch(8);
        }
        assert_eq!(bucket.meta(8), META_SMALL | 3);
    }
}
