//! Walking a packed sequence.

use super::{Position, codec};

/// The elements of a packed sequence, from either end.
#[derive(Clone, Debug, Default)]
pub struct Iter<'a> {
    rest: &'a [u8],
}

impl<'a> Iter<'a> {
    #[inline]
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { rest: data }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (bytes, after) = codec::split_first(self.rest)?;
        self.rest = after;
        Some(bytes)
    }
}

impl<'a> DoubleEndedIterator for Iter<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<&'a [u8]> {
        let (bytes, before) = codec::split_last(self.rest)?;
        self.rest = before;
        Some(bytes)
    }
}

/// The elements of a packed sequence with their positions.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: &'a [u8],
    total: usize,
}

impl<'a> Entries<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { rest: data, total: data.len() }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (Position, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let at = Position(self.total - self.rest.len());
        let (bytes, after) = codec::split_first(self.rest)?;
        self.rest = after;
        Some((at, bytes))
    }
}
