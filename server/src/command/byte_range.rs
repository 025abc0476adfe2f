//! Ranges of bytes or bits as clients name them: two inclusive indexes, negative ones counted from the end.

use std::ops::RangeInclusive;

/// The part of `0 .. len` between two indexes, or `None` where it is empty. Indexes behind either end stop there.
#[must_use]
pub fn resolve(start: i64, end: i64, len: usize) -> Option<RangeInclusive<usize>> {
    let from_start = |index: i64| {
        let back = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
        if index < 0 { len.saturating_sub(back) } else { back }
    };
    let (start, end) = (from_start(start), from_start(end).min(len.checked_sub(1)?));
    (start <= end).then_some(start..=end)
}

/// Whether both indexes count from the end, the first from nearer to it. GETRANGE and BITCOUNT find nothing then, however
/// short the string is; to [`resolve`] both may name its first byte.
#[must_use]
pub const fn is_backwards(start: i64, end: i64) -> bool {
    start < 0 && end < 0 && start > end
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn indexes_are_clamped_to_both_ends() {
        let cases = [
            ((0, 3), 4, Some(0..=3)),
            ((0, -1), 4, Some(0..=3)),
            ((-3, -2), 4, Some(1..=2)),
            ((2, 100), 4, Some(2..=3)),
            ((-100, 1), 4, Some(0..=1)),
            ((-100, -90), 4, Some(0..=0)),
            ((i64::MIN, i64::MAX), 4, Some(0..=3)),
            ((3, 2), 4, None),
            ((4, 9), 4, None),
            ((0, -1), 0, None),
        ];
        for ((start, end), len, range) in cases {
            assert_eq!(resolve(start, end, len), range, "{start} {end} of {len}");
        }
    }
}
