//! Changing a packed sequence in place, and the room it does that in.

use super::codec::{self, entry_size, write_entry};
use super::{HEADER, Packed, Position, size_class};

impl Packed {
    /// Inserts an element before the one at `at`.
    pub fn insert_at(&mut self, at: Position, value: &[u8]) {
        let size = entry_size(value.len());
        self.resize_hole(at, 0, size);
        let offset = self.start() + at.0;
        write_entry(&mut self.buf[offset..offset + size], value);
        self.add_count(1);
    }

    /// Replaces the element at `at`; nothing happens if there is none.
    pub fn replace_at(&mut self, at: Position, value: &[u8]) {
        let Some((old, _)) = self.entry_at(at) else {
            return;
        };
        let (old_size, size) = (entry_size(old.len()), entry_size(value.len()));
        self.resize_hole(at, old_size, size);
        let offset = self.start() + at.0;
        write_entry(&mut self.buf[offset..offset + size], value);
    }

    /// Removes up to `count` elements from the one at `at` on.
    pub fn remove_at(&mut self, at: Position, count: usize) {
        let rest = self.data().get(at.0..).unwrap_or_default();
        let (mut after, mut removed) = (rest, 0);
        while removed < count
            && let Some((_, next)) = codec::split_first(after)
        {
            after = next;
            removed += 1;
        }
        let removed_bytes = rest.len() - after.len();
        let left = self.len() - removed;
        if at.0 == 0 {
            self.set_start(self.start() + removed_bytes);
        } else {
            self.resize_hole(at, removed_bytes, 0);
        }
        self.set_header(4, left);
        self.shrink_if_sparse();
    }

    /// Removes the first `count` elements.
    pub fn drop_front(&mut self, count: usize) {
        self.remove_at(Position(0), count);
    }

    /// Removes the last `count` elements.
    pub fn drop_back(&mut self, count: usize) {
        let left = self.len().saturating_sub(count);
        let at = self.skip(left);
        self.buf.truncate(self.start() + at);
        self.set_header(4, left);
        self.shrink_if_sparse();
    }

    /// Moves the elements from `index` on into a sequence of their own.
    #[must_use]
    pub fn split_off(&mut self, index: usize) -> Self {
        let count = self.len().saturating_sub(index);
        let at = self.skip(index);
        let tail = Self::from_data(&self.data()[at..], count);
        self.drop_back(count);
        tail
    }

    /// Appends all elements of `other`.
    pub fn append(&mut self, other: &Self) {
        self.reserve_behind(other.data().len());
        self.buf.extend_from_slice(other.data());
        self.add_count(other.len());
    }

    /// Removes elements equal to `value`: those from the `skip`-th match on, at most `limit` of them. Returns how many.
    pub fn remove_matches(&mut self, value: &[u8], skip: usize, limit: usize) -> usize {
        let start = self.start();
        let (mut read, mut write, mut seen, mut removed) = (start, start, 0, 0);
        while let Some((bytes, after)) = codec::split_first(&self.buf[read..]) {
            let next = self.buf.len() - after.len();
            let matches = bytes == value;
            seen += usize::from(matches);
            if matches && seen > skip && removed < limit {
                removed += 1;
            } else {
                if read != write {
                    self.buf.copy_within(read..next, write);
                }
                write += next - read;
            }
            read = next;
        }
        self.buf.truncate(write);
        self.set_header(4, self.len() - removed);
        if removed > 0 {
            self.shrink_if_sparse();
        }
        removed
    }

    /// A sequence from elements that are encoded already.
    fn from_data(data: &[u8], count: usize) -> Self {
        let mut packed = Self::with_room_behind(HEADER + data.len());
        packed.buf.extend_from_slice(data);
        packed.set_header(4, count);
        packed
    }

    /// Makes `old` bytes at a position `new` bytes long, moving what is behind them.
    fn resize_hole(&mut self, at: Position, old: usize, new: usize) {
        if new > old {
            self.reserve_behind(new - old);
        }
        let hole = self.start() + at.0;
        let end = self.buf.len();
        if new > old {
            self.buf.resize(end + new - old, 0);
        }
        self.buf.copy_within(hole + old..end, hole + new);
        self.buf.truncate(end + new - old);
    }

    /// Makes room for `added` bytes at the end: by growing, or by closing a front gap that is larger than the data
    /// (which keeps a queue that is filled behind and drained in front from growing for ever).
    #[inline]
    pub(super) fn reserve_behind(&mut self, added: usize) {
        if self.buf.capacity() - self.buf.len() < added || self.buf.is_empty() {
            self.grow_behind(added);
        }
    }

    #[cold]
    fn grow_behind(&mut self, added: usize) {
        if self.buf.is_empty() {
            *self = Self::with_room_behind(size_class(HEADER + added));
            return;
        }
        let (start, used) = (self.start(), self.used_bytes());
        if start - HEADER >= used + added {
            self.buf.copy_within(start.., HEADER);
            self.buf.truncate(used);
            self.set_start(HEADER);
            return;
        }
        let wanted = size_class(self.buf.len() + added);
        self.buf.reserve_exact(wanted - self.buf.len());
    }

    /// Makes room for at least `added` bytes in front of the data, and as many as the data has, so that pushes at the
    /// front are amortised.
    #[cold]
    pub(super) fn reserve_before(&mut self, added: usize) {
        let (count, data) = (self.len(), self.data());
        let room = added.max(data.len().min(MAX_FRONT_ROOM));
        let total = size_class(HEADER + room + data.len());
        let start = total - data.len();
        let mut buf = Vec::with_capacity(total);
        buf.resize(start, 0);
        buf.extend_from_slice(data);
        self.buf = buf;
        self.set_start(start);
        self.set_header(4, count);
    }

    /// Gives memory back when less than a quarter of a large buffer is in use.
    fn shrink_if_sparse(&mut self) {
        if self.buf.capacity() > SPARSE_MIN_BYTES && self.used_bytes() < self.buf.capacity() / 4 {
            *self = Self::from_data(self.data(), self.len());
        }
    }

    /// Cuts unused room, for a sequence that is not expected to grow soon.
    pub fn shrink_to_fit(&mut self) {
        if size_class(self.used_bytes()) < self.buf.capacity() {
            *self = Self::from_data(self.data(), self.len());
        }
    }
}

/// Front gaps stop doubling here (64 KiB): start offsets stay small however large the elements are.
const MAX_FRONT_ROOM: usize = 64 * 1024;

/// Buffers below this size are not worth shrinking.
const SPARSE_MIN_BYTES: usize = 512;
