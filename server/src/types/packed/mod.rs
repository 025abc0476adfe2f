//! Flat, compact encoding shared by small collections.
//!
//! One allocation holds a header and then the elements, each as its length, its bytes and its length again, so that
//! it can be walked from both ends:
//!
//! ```text
//! | start: u32 | count: u32 | gap … | len bytes len | len bytes len | … |
//! 0            4            8       start                              buf.len()
//! ```
//!
//! The gap makes a push at the front as cheap as one at the back. Start and count live in the buffer so that the
//! whole type is as small as a `Vec`, and a collection that embeds it stays within 24 bytes.

mod codec;
mod edit;
mod iter;

pub use iter::{Entries, Iter};

use codec::{entry_size, write_entry};

/// Bytes of the header inside the buffer.
pub(crate) const HEADER: usize = 8;

/// A packed collection stays below this size (1 GiB), far from where its offsets would overflow.
const SAFE_BYTES_MAX: usize = 1 << 30;

/// A sequence of byte strings in one allocation; none at all while it was never used.
#[derive(Clone, Default)]
pub struct Packed {
    buf: Vec<u8>,
}

impl Packed {
    /// An empty sequence, without an allocation.
    #[must_use]
    pub const fn new() -> Self {
        Self { buf: Vec::new() }
    }

    /// An empty sequence with room for `bytes` (header included) that grows at its back.
    #[must_use]
    pub fn with_room_behind(bytes: usize) -> Self {
        let mut buf = Vec::with_capacity(bytes.max(HEADER));
        buf.resize(HEADER, 0);
        let mut packed = Self { buf };
        packed.set_start(HEADER);
        packed
    }

    /// An empty sequence with room for `bytes` (header included) that grows at its front.
    #[must_use]
    pub fn with_room_before(bytes: usize) -> Self {
        let buf = vec![0; bytes.clamp(HEADER, SAFE_BYTES_MAX)];
        let start = buf.len();
        let mut packed = Self { buf };
        packed.set_start(start);
        packed
    }

    /// Number of elements.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.header(4) as usize
    }

    /// Whether there are no elements.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes in use: the header and the elements, without gaps.
    #[must_use]
    #[inline]
    pub fn used_bytes(&self) -> usize {
        HEADER + self.data().len()
    }

    /// Heap bytes owned.
    #[must_use]
    pub fn memory_usage(&self) -> usize {
        self.buf.capacity()
    }

    /// Bytes that one more element of `len` bytes would use.
    #[must_use]
    #[inline]
    pub fn entry_bytes(len: usize) -> usize {
        entry_size(len)
    }

    /// Whether another `added_bytes` keep the sequence within what its header can describe.
    #[must_use]
    pub fn is_safe_to_add(&self, added_bytes: usize) -> bool {
        self.used_bytes().saturating_add(added_bytes) < SAFE_BYTES_MAX
    }

    /// Appends an element.
    pub fn push_back(&mut self, value: &[u8]) {
        let size = entry_size(value.len());
        self.reserve_behind(size);
        let at = self.buf.len();
        codec::append_entry(&mut self.buf, value);
        debug_assert_eq!(self.buf.len(), at + size);
        self.add_count(1);
    }

    /// Prepends an element.
    pub fn push_front(&mut self, value: &[u8]) {
        let size = entry_size(value.len());
        if self.start() - self.buf.len().min(HEADER) < size {
            self.reserve_before(size);
        }
        let start = self.start() - size;
        write_entry(&mut self.buf[start..start + size], value);
        self.set_start(start);
        self.add_count(1);
    }

    /// The first element.
    #[must_use]
    pub fn front(&self) -> Option<&[u8]> {
        self.iter().next()
    }

    /// The last element.
    #[must_use]
    pub fn back(&self) -> Option<&[u8]> {
        self.iter().next_back()
    }

    /// The element at `index`, searched from the nearer end.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        self.iter_from(index).next()
    }

    /// All elements in order.
    #[must_use]
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        Iter::new(self.data())
    }

    /// The elements from `index` on.
    #[must_use]
    pub fn iter_from(&self, index: usize) -> Iter<'_> {
        Iter::new(&self.data()[self.skip(index)..])
    }

    /// The elements before `index`, to be walked backwards from there.
    #[must_use]
    pub fn iter_until(&self, index: usize) -> Iter<'_> {
        Iter::new(&self.data()[..self.skip(index)])
    }

    /// All elements with their positions, which stay valid until the next change.
    #[must_use]
    pub fn entries(&self) -> Entries<'_> {
        Entries::new(self.data())
    }

    /// Position of the first element equal to `value` among every `stride`-th (1 = all, 2 = the fields of pairs).
    #[must_use]
    pub fn find(&self, value: &[u8], stride: usize) -> Option<Position> {
        let data = self.data();
        let mut rest = data;
        while let Some((bytes, after)) = codec::split_first(rest) {
            if bytes == value {
                return Some(Position(data.len() - rest.len()));
            }
            rest = after;
            for _ in 1..stride {
                rest = codec::split_first(rest)?.1;
            }
        }
        None
    }

    /// The element at a position, and the position behind it.
    #[must_use]
    pub fn entry_at(&self, at: Position) -> Option<(&[u8], Position)> {
        let rest = self.data().get(at.0..)?;
        let (bytes, after) = codec::split_first(rest)?;
        Some((bytes, Position(at.0 + rest.len() - after.len())))
    }

    /// Position of the element at `index`; the end for an index beyond it.
    #[must_use]
    pub fn position(&self, index: usize) -> Position {
        Position(self.skip(index))
    }

    /// Offset in the data of the element at `index`, walked to from the nearer end.
    fn skip(&self, index: usize) -> usize {
        let (count, data) = (self.len(), self.data());
        if index >= count {
            return data.len();
        }
        let mut rest = data;
        if index <= count / 2 {
            for _ in 0..index {
                rest = codec::split_first(rest).map_or(&[][..], |(_, after)| after);
            }
            data.len() - rest.len()
        } else {
            for _ in index..count {
                rest = codec::split_last(rest).map_or(&[][..], |(_, before)| before);
            }
            rest.len()
        }
    }

    #[inline]
    fn data(&self) -> &[u8] {
        self.buf.get(self.start()..).unwrap_or_default()
    }

    #[inline]
    fn start(&self) -> usize {
        self.header(0) as usize
    }

    #[inline]
    fn header(&self, at: usize) -> u32 {
        match self.buf.get(at..at + 4) {
            Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
            _ => 0,
        }
    }

    #[inline]
    fn set_header(&mut self, at: usize, number: usize) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        if let Some(field) = self.buf.get_mut(at..at + 4) {
            field.copy_from_slice(&number.to_le_bytes());
        }
    }

    #[inline]
    fn set_start(&mut self, start: usize) {
        self.set_header(0, start);
    }

    #[inline]
    fn add_count(&mut self, added: usize) {
        self.set_header(4, self.len() + added);
    }
}

/// Where an element starts, until the next change of its sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(usize);

impl PartialEq for Packed {
    fn eq(&self, other: &Self) -> bool {
        self.data() == other.data()
    }
}

impl Eq for Packed {}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(|bytes| bytes.escape_ascii().to_string())).finish()
    }
}

/// The allocator's size class for `bytes`: growing to it costs nothing, since the allocator would round up anyway.
///
/// Four classes per doubling, so that repeated growth stays amortised.
pub(crate) fn size_class(bytes: usize) -> usize {
    if bytes <= 128 {
        return bytes.next_multiple_of(16);
    }
    let step = 1_usize << ((bytes - 1).ilog2() - 2);
    bytes.checked_next_multiple_of(step).unwrap_or(bytes)
}

#[cfg(test)]
mod tests;
