//! Walking a set.

use super::{Repr, Set};
use crate::types::item::Item;
use crate::types::packed;

/// The members of a set in its own order.
#[derive(Clone, Debug)]
pub struct SetIter<'a> {
    set: &'a Set,
    packed: Option<packed::Iter<'a>>,
    next: usize,
}

impl<'a> SetIter<'a> {
    pub(super) fn new(set: &'a Set) -> Self {
        let packed = match &set.0 {
            Repr::Packed(packed) => Some(packed.iter()),
            _ => None,
        };
        Self { set, packed, next: 0 }
    }
}

impl<'a> Iterator for SetIter<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        let item = match &mut self.packed {
            Some(packed) => Item::Bytes(packed.next()?),
            None => self.set.at(self.next)?,
        };
        self.next += 1;
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.set.len().saturating_sub(self.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for SetIter<'_> {}

impl<'a> IntoIterator for &'a Set {
    type Item = Item<'a>;
    type IntoIter = SetIter<'a>;

    fn into_iter(self) -> SetIter<'a> {
        self.iter()
    }
}
