//! A long list: a queue of packed chunks.

use std::collections::VecDeque;

use super::{ListIter, ListIterBack, remove_from};
use crate::types::limits::ChunkLimit;
use crate::types::packed::{HEADER, Packed};

/// Chunks in order; none is empty.
#[derive(Clone, Debug)]
pub(super) struct Quick {
    chunks: VecDeque<Packed>,
    len: usize,
}

/// Whether a chunk may take an element of `bytes`.
#[inline]
fn admits(chunk: &Packed, bytes: usize, limit: ChunkLimit) -> bool {
    limit.admits(chunk.used_bytes().saturating_add(Packed::entry_bytes(bytes)), chunk.len() + 1)
}

/// Bytes to reserve for a chunk that starts with an element of `bytes`: all that it may ever hold if that is known, so
/// that it fills without being moved.
fn first_room(bytes: usize, limit: ChunkLimit) -> usize {
    let needed = HEADER + Packed::entry_bytes(bytes);
    if limit.max_count == usize::MAX { needed.max(limit.max_bytes) } else { needed }
}

/// A chunk of exactly one element.
fn single(value: &[u8]) -> Packed {
    let mut chunk = Packed::with_room_behind(HEADER + Packed::entry_bytes(value.len()));
    chunk.push_back(value);
    chunk
}

impl Quick {
    pub(super) fn from_packed(packed: Packed) -> Self {
        let len = packed.len();
        let mut chunks = VecDeque::new();
        if len > 0 {
            chunks.push_back(packed);
        }
        Self { chunks, len }
    }

    /// Takes the only chunk out if it is within the limit; an empty list gives an empty chunk.
    #[inline]
    pub(super) fn take_single(&mut self, limit: ChunkLimit) -> Option<Packed> {
        if self.chunks.len() > 1 {
            return None;
        }
        match self.chunks.front() {
            Some(chunk) if !limit.admits(chunk.used_bytes(), chunk.len()) => None,
            Some(_) => self.chunks.pop_front().map(|mut chunk| {
                chunk.shrink_to_fit();
                chunk
            }),
            None => Some(Packed::new()),
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn push_front(&mut self, value: &[u8], limit: ChunkLimit) {
        self.len += 1;
        match self.chunks.front_mut() {
            Some(chunk) if admits(chunk, value.len(), limit) => chunk.push_front(value),
            _ => self.start_front_chunk(value, limit),
        }
    }

    #[cold]
    fn start_front_chunk(&mut self, value: &[u8], limit: ChunkLimit) {
        if let Some(full) = self.chunks.front_mut() {
            full.shrink_to_fit();
        }
        let room = first_room(value.len(), limit);
        let chunk = if room > limit.max_bytes {
            single(value)
        } else {
            let mut chunk = Packed::with_room_before(room);
            chunk.push_front(value);
            chunk
        };
        self.chunks.push_front(chunk);
    }

    #[inline]
    pub(super) fn push_back(&mut self, value: &[u8], limit: ChunkLimit) {
        self.len += 1;
        match self.chunks.back_mut() {
            Some(chunk) if admits(chunk, value.len(), limit) => chunk.push_back(value),
            _ => self.start_back_chunk(value, limit),
        }
    }

    #[cold]
    fn start_back_chunk(&mut self, value: &[u8], limit: ChunkLimit) {
        if let Some(full) = self.chunks.back_mut() {
            full.shrink_to_fit();
        }
        let mut chunk = Packed::with_room_behind(first_room(value.len(), limit));
        chunk.push_back(value);
        self.chunks.push_back(chunk);
    }

    pub(super) fn drop_front(&mut self, count: usize) {
        let mut left = count.min(self.len);
        self.len -= left;
        while let Some(chunk) = self.chunks.front_mut() {
            if left < chunk.len() {
                if left > 0 {
                    chunk.drop_front(left);
                }
                return;
            }
            left -= chunk.len();
            self.chunks.pop_front();
        }
    }

    pub(super) fn drop_back(&mut self, count: usize) {
        let mut left = count.min(self.len);
        self.len -= left;
        while let Some(chunk) = self.chunks.back_mut() {
            if left < chunk.len() {
                if left > 0 {
                    chunk.drop_back(left);
                }
                return;
            }
            left -= chunk.len();
            self.chunks.pop_back();
        }
    }

    /// Chunk of the element at `index`, and its index there; searched from the nearer end.
    fn locate(&self, index: usize) -> Option<(usize, usize)> {
        if index >= self.len {
            return None;
        }
        if index <= self.len / 2 {
            let mut within = index;
            for (at, chunk) in self.chunks.iter().enumerate() {
                if within < chunk.len() {
                    return Some((at, within));
                }
                within -= chunk.len();
            }
            return None;
        }
        let mut before = self.len;
        for (at, chunk) in self.chunks.iter().enumerate().rev() {
            before -= chunk.len();
            if before <= index {
                return Some((at, index - before));
            }
        }
        None
    }

    pub(super) fn iter_from(&self, index: usize) -> ListIter<'_> {
        let found = self.locate(index).and_then(|(at, within)| Some((at, self.chunks.get(at)?.iter_from(within))));
        let (at, current) = found.unwrap_or((self.chunks.len(), Default::default()));
        ListIter::chunked(&self.chunks, at + 1, current)
    }

    pub(super) fn iter_back_from(&self, index: usize) -> ListIterBack<'_> {
        let found = self.locate(index.min(self.len.saturating_sub(1)));
        let found = found.and_then(|(at, within)| Some((at, self.chunks.get(at)?.iter_until(within + 1))));
        let (at, current) = found.unwrap_or_default();
        ListIterBack::chunked(&self.chunks, at, current)
    }

    pub(super) fn set(&mut self, index: usize, value: &[u8], limit: ChunkLimit) {
        let Some((at, within)) = self.locate(index) else {
            return;
        };
        let Some(chunk) = self.chunks.get_mut(at) else {
            return;
        };
        let position = chunk.position(within);
        let old_bytes = chunk.entry_at(position).map_or(0, |(old, _)| Packed::entry_bytes(old.len()));
        let bytes = chunk.used_bytes() - old_bytes + Packed::entry_bytes(value.len());
        if chunk.len() == 1 {
            *chunk = single(value);
        } else if limit.admits(bytes, chunk.len()) {
            chunk.replace_at(position, value);
        } else {
            let behind = chunk.split_off(within + 1);
            chunk.drop_back(1);
            let mut next = at + 1;
            if chunk.is_empty() {
                *chunk = single(value);
            } else {
                self.chunks.insert(next, single(value));
                next += 1;
            }
            if !behind.is_empty() {
                self.chunks.insert(next, behind);
            }
        }
    }

    pub(super) fn insert(&mut self, index: usize, value: &[u8], limit: ChunkLimit) {
        let Some((at, within)) = self.locate(index) else {
            self.push_back(value, limit);
            return;
        };
        if at == 0 && within == 0 {
            self.push_front(value, limit);
            return;
        }
        let Some(chunk) = self.chunks.get_mut(at) else {
            return;
        };
        self.len += 1;
        if admits(chunk, value.len(), limit) {
            chunk.insert_at(chunk.position(within), value);
            return;
        }
        if within > 0 {
            let behind = chunk.split_off(within);
            self.chunks.insert(at + 1, behind);
            self.insert_between(at, value, limit);
        } else {
            self.insert_between(at - 1, value, limit);
        }
    }

    /// Inserts between the chunk at `at` and the next one: into either, if it has room.
    fn insert_between(&mut self, at: usize, value: &[u8], limit: ChunkLimit) {
        if let Some(before) = self.chunks.get_mut(at)
            && admits(before, value.len(), limit)
        {
            before.push_back(value);
        } else if let Some(after) = self.chunks.get_mut(at + 1)
            && admits(after, value.len(), limit)
        {
            after.push_front(value);
        } else {
            self.chunks.insert(at + 1, single(value));
        }
    }

    pub(super) fn remove(&mut self, value: &[u8], most: usize, from_tail: bool, limit: ChunkLimit) -> usize {
        let mut removed = 0;
        let chunks = self.chunks.len();
        for step in 0..chunks {
            if removed == most {
                break;
            }
            let at = if from_tail { chunks - 1 - step } else { step };
            if let Some(chunk) = self.chunks.get_mut(at) {
                removed += remove_from(chunk, value, most - removed, from_tail);
            }
        }
        if removed > 0 {
            self.len -= removed;
            self.chunks.retain(|chunk| !chunk.is_empty());
            self.merge_sparse(limit.halved());
        }
        removed
    }

    /// Joins neighbours that fit into one chunk of the limit, in one pass.
    fn merge_sparse(&mut self, limit: ChunkLimit) {
        let mut merged: VecDeque<Packed> = VecDeque::with_capacity(self.chunks.len());
        for chunk in self.chunks.drain(..) {
            match merged.back_mut() {
                Some(last) if limit.admits(last.used_bytes() + chunk.used_bytes(), last.len() + chunk.len()) => {
                    last.append(&chunk);
                }
                _ => merged.push_back(chunk),
            }
        }
        self.chunks = merged;
    }

    pub(super) fn memory_usage(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(Packed::memory_usage).sum();
        size_of::<Self>() + self.chunks.capacity() * size_of::<Packed>() + chunks
    }
}
