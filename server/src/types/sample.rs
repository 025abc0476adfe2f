//! Random choices without repetition.

use std::collections::HashSet;

/// `count` distinct numbers below `len`, every subset equally likely, in ascending order; all of them if `count` is at
/// least `len`.
///
/// Floyd's algorithm: as many random numbers as results, however large `len` is.
pub(crate) fn distinct_indexes(rng: &mut fastrand::Rng, len: usize, count: usize) -> Vec<usize> {
    if count >= len {
        return (0..len).collect();
    }
    let mut chosen = HashSet::with_capacity(count);
    for top in len - count..len {
        let pick = rng.usize(..=top);
        if !chosen.insert(pick) {
            chosen.insert(top);
        }
    }
    let mut chosen: Vec<usize> = chosen.into_iter().collect();
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_chosen_about_equally_often() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut hits = [0_u32; 10];
        for _ in 0..10_000 {
            for index in distinct_indexes(&mut rng, 10, 3) {
                hits[index] += 1;
            }
        }
        assert!(hits.iter().all(|hits| (2700..3300).contains(hits)), "{hits:?}");
    }

    #[test]
    fn asking_for_more_than_there_is_gives_all() {
        assert_eq!(distinct_indexes(&mut fastrand::Rng::with_seed(1), 3, 9), [0, 1, 2]);
    }
}
