//! Longest common subsequence.

use thiserror::Error;

/// Why no subsequence was computed; the texts are those that clients know.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum LcsError {
    /// A string is longer than the table's 32-bit cells can count.
    #[error("String too long for LCS")]
    TooLong,
    /// The table would take more memory than a client may send in one argument.
    #[error("Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")]
    TooMuchMemory,
}

/// A run of bytes that both strings have in common, as inclusive index ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// First and last index in the first string.
    pub a: (usize, usize),
    /// First and last index in the second string.
    pub b: (usize, usize),
}

impl Match {
    /// Bytes in the run.
    pub fn length(&self) -> usize {
        self.a.1 - self.a.0 + 1
    }
}

/// A longest common subsequence and where it lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lcs {
    /// The subsequence itself.
    pub bytes: Vec<u8>,
    /// The runs it consists of, last first.
    pub matches: Vec<Match>,
}

/// The length of a longest common subsequence, computed in two rows of memory.
///
/// # Errors
/// The same as [`solve`], so that a client sees one limit whatever it asks for.
pub fn length(a: &[u8], b: &[u8], max_table_bytes: u64) -> Result<usize, LcsError> {
    check_size(a, b, max_table_bytes)?;
    let mut above = vec![0u32; b.len() + 1];
    let mut row = above.clone();
    for &byte in a {
        fill_row(byte, b, &above, &mut row);
        std::mem::swap(&mut above, &mut row);
    }
    Ok(above[b.len()] as usize)
}

/// A longest common subsequence with its runs; of several, the one that Redis picks.
///
/// # Errors
/// When a string is too long, or when the table of `(a.len() + 1) × (b.len() + 1)` 32-bit cells exceeds `max_table_bytes`.
pub fn solve(a: &[u8], b: &[u8], max_table_bytes: u64) -> Result<Lcs, LcsError> {
    check_size(a, b, max_table_bytes)?;
    let width = b.len() + 1;
    let mut table = vec![0u32; width * (a.len() + 1)];
    for (index, &byte) in a.iter().enumerate() {
        let (above, below) = table.split_at_mut((index + 1) * width);
        fill_row(byte, b, &above[index * width..], &mut below[..width]);
    }
    Ok(trace_back(a, b, &table))
}

fn check_size(a: &[u8], b: &[u8], max_table_bytes: u64) -> Result<(), LcsError> {
    const LONGEST: usize = u32::MAX as usize - 1;
    if a.len() >= LONGEST || b.len() >= LONGEST {
        return Err(LcsError::TooLong);
    }
    let cells = (a.len() as u128 + 1) * (b.len() as u128 + 1);
    if cells * size_of::<u32>() as u128 > u128::from(max_table_bytes) {
        return Err(LcsError::TooMuchMemory);
    }
    Ok(())
}

/// Computes the table's row for one byte of `a` from the row above it.
fn fill_row(byte: u8, b: &[u8], above: &[u32], row: &mut [u32]) {
    let mut left = 0;
    for ((&other, pair), cell) in b.iter().zip(above.windows(2)).zip(&mut row[1..]) {
        left = if byte == other { pair[0] + 1 } else { left.max(pair[1]) };
        *cell = left;
    }
}

/// Walks the finished table from its end and gathers the subsequence.
fn trace_back(a: &[u8], b: &[u8], table: &[u32]) -> Lcs {
    let width = b.len() + 1;
    let mut lcs = Lcs::default();
    let mut run: Option<Match> = None;
    let (mut i, mut j) = (a.len(), b.len());
    while i > 0 && j > 0 {
        if a[i - 1] == b[j - 1] {
            i -= 1;
            j -= 1;
            lcs.bytes.push(a[i]);
            match &mut run {
                Some(current) => (current.a.0, current.b.0) = (i, j),
                None => run = Some(Match { a: (i, i), b: (j, j) }),
            }
        } else {
            lcs.matches.extend(run.take());
            if table[(i - 1) * width + j] > table[i * width + j - 1] {
                i -= 1;
            } else {
                j -= 1;
            }
        }
    }
    lcs.matches.extend(run);
    lcs.bytes.reverse();
    lcs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: u64 = 1 << 20;

    #[test]
    fn the_documented_example_gives_its_documented_matches() {
        let lcs = solve(b"ohmytext", b"mynewtext", LIMIT).expect("small");
        assert_eq!(lcs.bytes, b"mytext");
        assert_eq!(lcs.matches, [Match { a: (4, 7), b: (5, 8) }, Match { a: (2, 3), b: (0, 1) }]);
        assert_eq!(lcs.matches[0].length(), 4);
        assert_eq!(length(b"ohmytext", b"mynewtext", LIMIT), Ok(6));
    }

    #[test]
    fn an_empty_string_has_nothing_in_common() {
        assert_eq!(solve(b"", b"abc", LIMIT), Ok(Lcs::default()));
        assert_eq!(length(b"abc", b"", LIMIT), Ok(0));
    }

    #[test]
    fn a_table_beyond_the_limit_is_refused_before_it_is_built() {
        let long = vec![b'a'; 1 << 20];
        assert_eq!(solve(&long, &long, 512 << 20), Err(LcsError::TooMuchMemory));
        assert_eq!(length(&long, &long, 512 << 20), Err(LcsError::TooMuchMemory));
    }

    proptest! {
        #[test]
        fn the_runs_spell_the_subsequence_in_both_strings(a in "[abc]{0,30}", b in "[abc]{0,30}") {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let lcs = solve(a, b, LIMIT).expect("small");
            let spell = |text: &[u8], range: fn(&Match) -> (usize, usize)| -> Vec<u8> {
                lcs.matches.iter().rev().flat_map(|run| text[range(run).0..=range(run).1].to_vec()).collect()
            };
            prop_assert_eq!(&spell(a, |run| run.a), &lcs.bytes);
            prop_assert_eq!(&spell(b, |run| run.b), &lcs.bytes);
            prop_assert_eq!(length(a, b, LIMIT), Ok(lcs.bytes.len()));
        }
    }
}
