//! Counting and finding bits.

use std::ops::RangeInclusive;

/// Whether a bit is set.
pub(super) fn get(bytes: &[u8], offset: usize) -> bool {
    bytes.get(offset / 8).is_some_and(|byte| byte & mask(offset) != 0)
}

/// The bit's place in its byte.
pub(super) const fn mask(offset: usize) -> u8 {
    0x80 >> (offset % 8)
}

/// How many bits of the range are set. The range lies within `bytes`.
pub(super) fn count(bytes: &[u8], range: RangeInclusive<usize>) -> u64 {
    let (first, last) = (*range.start() / 8, *range.end() / 8);
    let Some(covered) = bytes.get(first..=last) else { return 0 };
    let outside = |byte: u8, outside: u8| u64::from((byte & outside).count_ones());
    let before = outside(bytes[first], !from_bit(*range.start()));
    let behind = outside(bytes[last], !up_to_bit(*range.end()));
    count_all(covered) - before - behind
}

fn count_all(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let in_words: u64 = words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum();
    in_words + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}

/// The offset of the first bit in the range that is as wanted. The range lies within `bytes`.
pub(super) fn find(bytes: &[u8], wanted: bool, range: RangeInclusive<usize>) -> Option<usize> {
    let (first, last) = (*range.start() / 8, *range.end() / 8);
    // Bits that are as wanted become ones.
    let flip = if wanted { 0 } else { 0xff };
    let first_one = |at: usize, byte: u8| (byte != 0).then(|| at * 8 + byte.leading_zeros() as usize);
    let head = (bytes.get(first)? ^ flip) & from_bit(*range.start());
    if first == last {
        return first_one(first, head & up_to_bit(*range.end()));
    }
    first_one(first, head)
        .or_else(|| {
            let middle = bytes.get(first + 1..last)?;
            let at = first_other_than(middle, flip)?;
            first_one(first + 1 + at, middle[at] ^ flip)
        })
        .or_else(|| first_one(last, (bytes.get(last)? ^ flip) & up_to_bit(*range.end())))
}

/// The index of the first byte that is not `byte`.
fn first_other_than(bytes: &[u8], byte: u8) -> Option<usize> {
    let (words, _) = bytes.as_chunks::<8>();
    let skipped = words.iter().take_while(|word| **word == [byte; 8]).count() * 8;
    bytes[skipped..].iter().position(|&other| other != byte).map(|at| skipped + at)
}

/// The bits of a byte from the offset's one on.
const fn from_bit(offset: usize) -> u8 {
    0xff >> (offset % 8)
}

/// The bits of a byte up to the offset's one.
const fn up_to_bit(offset: usize) -> u8 {
    !(0x7f >> (offset % 8))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_bit_is_the_highest() {
        assert!(get(&[0x80], 0) && !get(&[0x80], 1) && !get(&[0x80], 8));
        assert!(get(&[0, 0x01], 15));
    }

    proptest! {
        #[test]
        fn counting_and_finding_agree_with_looking_at_every_bit(
            bytes in prop_oneof![
                proptest::collection::vec(any::<u8>(), 1..40),
                proptest::collection::vec(prop_oneof![Just(0u8), Just(0xff), Just(0x10)], 1..40),
            ],
            ends: (usize, usize),
        ) {
            let (a, b) = (ends.0 % (bytes.len() * 8), ends.1 % (bytes.len() * 8));
            let range = a.min(b)..=a.max(b);
            let ones = range.clone().filter(|&offset| get(&bytes, offset)).count() as u64;
            prop_assert_eq!(count(&bytes, range.clone()), ones);
            for wanted in [false, true] {
                let first = range.clone().find(|&offset| get(&bytes, offset) == wanted);
                prop_assert_eq!(find(&bytes, wanted, range.clone()), first);
            }
        }
    }
}
