//! Walking a list in either direction.

use std::collections::VecDeque;

use crate::types::packed::{self, Packed};

/// Where the chunks other than the current one are: a compact list has none.
#[derive(Clone, Copy, Debug)]
enum Chunks<'a> {
    One,
    Many(&'a VecDeque<Packed>),
}

impl<'a> Chunks<'a> {
    #[inline]
    fn get(self, index: usize) -> Option<&'a Packed> {
        match self {
            Chunks::One => None,
            Chunks::Many(chunks) => chunks.get(index),
        }
    }
}

/// Elements towards the tail.
#[derive(Clone, Debug)]
pub struct ListIter<'a> {
    chunks: Chunks<'a>,
    next_chunk: usize,
    current: packed::Iter<'a>,
}

impl<'a> ListIter<'a> {
    pub(super) fn packed(packed: &'a Packed, index: usize) -> Self {
        Self { chunks: Chunks::One, next_chunk: 0, current: packed.iter_from(index) }
    }

    /// From `current` on, which belongs to the chunk before `next_chunk`.
    pub(super) fn chunked(chunks: &'a VecDeque<Packed>, next_chunk: usize, current: packed::Iter<'a>) -> Self {
        Self { chunks: Chunks::Many(chunks), next_chunk, current }
    }
}

impl<'a> Iterator for ListIter<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            if let Some(element) = self.current.next() {
                return Some(element);
            }
            self.current = self.chunks.get(self.next_chunk)?.iter();
            self.next_chunk += 1;
        }
    }
}

/// Elements towards the head.
#[derive(Clone, Debug)]
pub struct ListIterBack<'a> {
    chunks: Chunks<'a>,
    /// Chunks in front of the current one.
    chunks_left: usize,
    current: packed::Iter<'a>,
}

impl<'a> ListIterBack<'a> {
    pub(super) fn packed(packed: &'a Packed, index: usize) -> Self {
        let current = packed.iter_until(index.saturating_add(1));
        Self { chunks: Chunks::One, chunks_left: 0, current }
    }

    pub(super) fn chunked(chunks: &'a VecDeque<Packed>, chunks_left: usize, current: packed::Iter<'a>) -> Self {
        Self { chunks: Chunks::Many(chunks), chunks_left, current }
    }
}

impl<'a> Iterator for ListIterBack<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            if let Some(element) = self.current.next_back() {
                return Some(element);
            }
            self.chunks_left = self.chunks_left.checked_sub(1)?;
            self.current = self.chunks.get(self.chunks_left)?.iter();
        }
    }
}
