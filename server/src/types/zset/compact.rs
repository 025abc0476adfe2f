//! The compact form: all entries of a small sorted set in one allocation, in order.
//!
//! Layout: the number of entries (u32), then per entry its score (f64), its member's length (u32) and the member. Numbers
//! are little endian. At the sizes this form is meant for, a walk costs less than any index would.

use std::cmp::Ordering;

const HEADER_BYTES: usize = 4;
/// Score and length in front of each member.
const PREFIX_BYTES: usize = 12;

/// Entries of a small sorted set, flat.
#[derive(Clone, Debug, Default)]
pub(super) struct Compact(Vec<u8>);

/// Where an entry stands and what it holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    offset: usize,
    /// Bytes of the entry, prefix included.
    size: usize,
    pub(super) rank: usize,
    pub(super) score: f64,
}

impl Compact {
    pub(super) fn len(&self) -> usize {
        self.0.first_chunk::<HEADER_BYTES>().map_or(0, |header| u32::from_le_bytes(*header) as usize)
    }

    fn set_len(&mut self, len: usize) {
        if let Some(header) = self.0.first_chunk_mut::<HEADER_BYTES>() {
            *header = (len as u32).to_le_bytes();
        }
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        self.0.capacity()
    }

    pub(super) fn iter(&self) -> CompactIter<'_> {
        CompactIter { rest: self.0.get(HEADER_BYTES..).unwrap_or_default() }
    }

    pub(super) fn find(&self, member: &[u8]) -> Option<Found> {
        let mut offset = HEADER_BYTES;
        for (rank, (candidate, score)) in self.iter().enumerate() {
            let size = PREFIX_BYTES + candidate.len();
            if candidate == member {
                return Some(Found { offset, size, rank, score });
            }
            offset += size;
        }
        None
    }

    /// Adds a member that is not present.
    pub(super) fn insert(&mut self, member: &[u8], score: f64) {
        if self.0.is_empty() {
            self.0.reserve_exact(HEADER_BYTES + PREFIX_BYTES + member.len());
            self.0.resize(HEADER_BYTES, 0);
        }
        let mut offset = HEADER_BYTES;
        for (candidate, other) in self.iter() {
            if compare((other, candidate), (score, member)) == Ordering::Greater {
                break;
            }
            offset += PREFIX_BYTES + candidate.len();
        }
        self.open_gap(offset, PREFIX_BYTES + member.len());
        let entry = &mut self.0[offset..];
        entry[..8].copy_from_slice(&score.to_le_bytes());
        entry[8..PREFIX_BYTES].copy_from_slice(&(member.len() as u32).to_le_bytes());
        entry[PREFIX_BYTES..PREFIX_BYTES + member.len()].copy_from_slice(member);
        self.set_len(self.len() + 1);
    }

    fn open_gap(&mut self, offset: usize, size: usize) {
        let old_end = self.0.len();
        // Doubling would leave a small set with much air; an eighth keeps growth amortised.
        if self.0.capacity() < old_end + size {
            self.0.reserve_exact(size + old_end / 8);
        }
        self.0.resize(old_end + size, 0);
        self.0.copy_within(offset..old_end, offset + size);
    }

    pub(super) fn remove(&mut self, found: Found) {
        self.0.drain(found.offset..found.offset + found.size);
        self.set_len(self.len() - 1);
    }

    /// Gives every member of `ranks` to `removed`, then drops them.
    pub(super) fn remove_ranks(&mut self, ranks: std::ops::Range<usize>, mut removed: impl FnMut(&[u8], f64)) -> usize {
        let (mut start, mut end) = (HEADER_BYTES, HEADER_BYTES);
        let mut count = 0;
        for (rank, (member, score)) in self.iter().enumerate() {
            let size = PREFIX_BYTES + member.len();
            if rank < ranks.start {
                start += size;
                end = start;
            } else if rank < ranks.end {
                removed(member, score);
                end += size;
                count += 1;
            } else {
                break;
            }
        }
        if count > 0 {
            self.0.drain(start..end);
            self.set_len(self.len() - count);
        }
        count
    }

    /// How many entries from the start satisfy `before`, which must hold for a prefix.
    pub(super) fn partition_point(&self, mut before: impl FnMut(&[u8], f64) -> bool) -> usize {
        self.iter().take_while(|(member, score)| before(member, *score)).count()
    }

    pub(super) fn max_member_bytes(&self) -> usize {
        self.iter().map(|(member, _)| member.len()).max().unwrap_or(0)
    }
}

/// The order of a sorted set: by score, then by member. Scores are never NaN; both zeros are equal.
pub(super) fn compare(a: (f64, &[u8]), b: (f64, &[u8])) -> Ordering {
    a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal).then_with(|| a.1.cmp(b.1))
}

/// Entries in ascending order.
#[derive(Clone, Debug)]
pub(super) struct CompactIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for CompactIter<'a> {
    type Item = (&'a [u8], f64);

    fn next(&mut self) -> Option<Self::Item> {
        let (score, rest) = self.rest.split_first_chunk::<8>()?;
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let (member, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        self.rest = rest;
        Some((member, f64::from_le_bytes(*score)))
    }
}
