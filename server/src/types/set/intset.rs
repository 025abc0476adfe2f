//! A sorted array of integers that are all as wide as the widest needs: two, four or eight bytes.

/// Sorted integers in one exact allocation: a byte for the width, then the little-endian numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct IntSet {
    bytes: Box<[u8]>,
}

/// Bytes that a number needs.
fn width_of(number: i64) -> usize {
    if i16::try_from(number).is_ok() {
        2
    } else if i32::try_from(number).is_ok() {
        4
    } else {
        8
    }
}

fn write(out: &mut [u8], number: i64) {
    let width = out.len();
    out.copy_from_slice(&number.to_le_bytes()[..width]);
}

impl IntSet {
    #[inline]
    fn width(&self) -> usize {
        self.bytes.first().map_or(2, |&width| usize::from(width))
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(1) / self.width()
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<i64> {
        let width = self.width();
        let at = 1 + index * width;
        match *self.bytes.get(at..at + width)? {
            [a, b] => Some(i64::from(i16::from_le_bytes([a, b]))),
            [a, b, c, d] => Some(i64::from(i32::from_le_bytes([a, b, c, d]))),
            [a, b, c, d, e, f, g, h] => Some(i64::from_le_bytes([a, b, c, d, e, f, g, h])),
            _ => None,
        }
    }

    /// Index of a number, or where it would be inserted.
    fn search(&self, number: i64) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.get(middle) {
                Some(found) if found == number => return Ok(middle),
                Some(found) if found < number => low = middle + 1,
                _ => high = middle,
            }
        }
        Err(low)
    }

    pub(super) fn contains(&self, number: i64) -> bool {
        width_of(number) <= self.width() && self.search(number).is_ok()
    }

    /// Adds a number; whether it is new.
    pub(super) fn insert(&mut self, number: i64) -> bool {
        let Err(index) = self.search(number) else {
            return false;
        };
        let width = self.width();
        if width_of(number) > width || self.bytes.is_empty() {
            self.widen(index, number);
            return true;
        }
        let mut bytes = std::mem::take(&mut self.bytes).into_vec();
        let (at, end) = (1 + index * width, bytes.len());
        bytes.reserve_exact(width);
        bytes.resize(end + width, 0);
        bytes.copy_within(at..end, at + width);
        write(&mut bytes[at..at + width], number);
        self.bytes = bytes.into_boxed_slice();
        true
    }

    /// Writes all numbers anew in the width of `number`, which is inserted at `index`.
    fn widen(&mut self, index: usize, number: i64) {
        let width = width_of(number);
        let mut bytes = vec![0; 1 + (self.len() + 1) * width];
        bytes[0] = width as u8;
        let before = self.iter().take(index);
        let numbers = before.chain([number]).chain(self.iter().skip(index));
        for (out, number) in bytes[1..].chunks_exact_mut(width).zip(numbers) {
            write(out, number);
        }
        self.bytes = bytes.into_boxed_slice();
    }

    /// Removes a number; whether it was there. The width stays.
    pub(super) fn remove(&mut self, number: i64) -> bool {
        let Ok(index) = self.search(number) else {
            return false;
        };
        let width = self.width();
        let mut bytes = std::mem::take(&mut self.bytes).into_vec();
        let at = 1 + index * width;
        bytes.drain(at..at + width);
        self.bytes = bytes.into_boxed_slice();
        true
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = i64> {
        (0..self.len()).map_while(|index| self.get(index))
    }

    pub(super) fn memory_usage(&self) -> usize {
        self.bytes.len()
    }
}

/// The integer whose canonical decimal text this is: no sign but `-`, no leading zeros, within 64 bits.
pub(super) fn parse_canonical(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] if digits.len() <= 19 => {}
        _ => return None,
    }
    let mut number = 0_i64;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        // Counting downwards reaches the smallest number, which has no positive counterpart.
        number = number.checked_mul(10)?.checked_sub(i64::from(digit - b'0'))?;
    }
    if negative { Some(number) } else { number.checked_neg() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = i64> {
        prop_oneof![4 => -50..50_i64, 1 => any::<i32>().prop_map(i64::from), 1 => any::<i64>()]
    }

    proptest! {
        #[test]
        fn any_sequence_of_edits_matches_a_sorted_set(
            ops in proptest::collection::vec((any::<bool>(), number()), 0..200),
        ) {
            let (mut set, mut model) = (IntSet::default(), BTreeSet::new());
            for (adds, number) in ops {
                if adds {
                    prop_assert_eq!(set.insert(number), model.insert(number));
                } else {
                    prop_assert_eq!(set.remove(number), model.remove(&number));
                }
                prop_assert_eq!(set.contains(number), adds);
                prop_assert_eq!(set.len(), model.len());
            }
            prop_assert!(set.iter().eq(model.iter().copied()));
        }

        #[test]
        fn only_canonical_texts_are_integers(text in "-?[0-9]{0,21}") {
            let canonical = text.parse::<i64>().ok().filter(|number| number.to_string() == text);
            prop_assert_eq!(parse_canonical(text.as_bytes()), canonical);
        }
    }

    #[test]
    fn the_bounds_of_64_bits_parse() {
        for number in [i64::MIN, i64::MAX, 0, -1] {
            assert_eq!(parse_canonical(number.to_string().as_bytes()), Some(number));
        }
        assert_eq!(parse_canonical(b"9223372036854775808"), None);
        assert_eq!(parse_canonical(b"+1"), None);
    }
}
