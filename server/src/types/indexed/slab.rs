//! An array in pieces of bounded size: growing never copies more than one piece, and wastes less than one.

/// Entries of a piece, as a power of two.
const PIECE_BITS: usize = 10;
const PIECE_LEN: usize = 1 << PIECE_BITS;

#[derive(Clone, Debug)]
pub(super) struct Slab<T> {
    /// All but the last are full; none is empty.
    pieces: Vec<Vec<T>>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self { pieces: Vec::new() }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.pieces.last().map_or(0, |last| ((self.pieces.len() - 1) << PIECE_BITS) + last.len())
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&T> {
        self.pieces.get(index >> PIECE_BITS)?.get(index % PIECE_LEN)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.pieces.get_mut(index >> PIECE_BITS)?.get_mut(index % PIECE_LEN)
    }

    #[inline]
    pub(super) fn push(&mut self, value: T) {
        match self.pieces.last_mut() {
            Some(last) if last.len() < PIECE_LEN => {
                if last.len() == last.capacity() {
                    last.reserve_exact((last.len() / 2).clamp(8, PIECE_LEN - last.len()));
                }
                last.push(value);
            }
            _ => {
                let first_room = if self.pieces.is_empty() { 16 } else { PIECE_LEN / 8 };
                let mut piece = Vec::with_capacity(first_room);
                piece.push(value);
                self.pieces.push(piece);
            }
        }
    }

    fn pop(&mut self) -> Option<T> {
        let last = self.pieces.last_mut()?;
        let value = last.pop();
        if last.is_empty() {
            self.pieces.pop();
        }
        value
    }

    /// Removes the entry at `index` and moves the last one there.
    pub(super) fn swap_remove(&mut self, index: usize) -> Option<T> {
        if index >= self.len() {
            return None;
        }
        let last = self.pop()?;
        match self.get_mut(index) {
            Some(place) => Some(std::mem::replace(place, last)),
            None => Some(last),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pieces.iter().flatten()
    }

    pub(super) fn memory_usage(&self) -> usize {
        let pieces: usize = self.pieces.iter().map(|piece| piece.capacity() * size_of::<T>()).sum();
        pieces + self.pieces.capacity() * size_of::<Vec<T>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_index_over_many_pieces() {
        let mut slab = Slab::new();
        for number in 0..3 * PIECE_LEN + 5 {
            slab.push(number);
        }
        assert_eq!(slab.len(), 3 * PIECE_LEN + 5);
        assert!((0..slab.len()).all(|index| slab.get(index) == Some(&index)));
        assert_eq!(slab.swap_remove(7), Some(7));
        assert_eq!(slab.get(7), Some(&(3 * PIECE_LEN + 4)));
        while slab.swap_remove(0).is_some() {}
        assert_eq!(slab.len(), 0);
    }
}
