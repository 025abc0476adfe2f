//! TTL jitter: spreads the deadlines of keys that were written together.
//!
//! A fleet that fills its cache at once with one TTL sees all of it expire at once, and the database behind takes the
//! whole load again: an avalanche. Shortening each TTL by a random share spreads the reloads over a span of time. A TTL
//! is never lengthened, because no one may read a value for longer than its writer allowed.

/// How relative TTLs are shortened: the settings `ttl-jitter`, `ttl-jitter-min` and `ttl-jitter-rules`.
#[derive(Clone, Copy, Debug)]
pub struct Jitter<'a> {
    /// The largest share, in percent, by which a TTL is shortened; 0 turns jitter off. More than 100 counts as 100.
    pub percent: u8,
    /// Shorter TTLs are left alone (ms): they are locks and rate limits rather than cached values.
    pub ttl_ms_min: u64,
    /// Percent for keys with a prefix, in place of `percent`; of several that match, the longest rules.
    pub rules: &'a [(Box<[u8]>, u8)],
}

impl Jitter<'_> {
    /// The largest share, in percent, that applies to a key.
    #[must_use]
    pub fn percent_of(&self, key: &[u8]) -> u8 {
        self.rules
            .iter()
            .filter(|(prefix, _)| key.starts_with(prefix))
            .max_by_key(|(prefix, _)| prefix.len())
            .map_or(self.percent, |&(_, percent)| percent)
            .min(100)
    }

    /// `ttl_ms` less a share of up to [`percent_of`](Self::percent_of) the key, uniform in `random`, which has to be
    /// uniform over all 64-bit words. At least 1 ms is left of a TTL.
    #[must_use]
    pub fn shorten(&self, key: &[u8], ttl_ms: u64, random: u64) -> u64 {
        if ttl_ms < self.ttl_ms_min || ttl_ms <= 1 {
            return ttl_ms;
        }
        let cut_ms_max = u128::from(ttl_ms) * u128::from(self.percent_of(key)) / 100;
        // The high half of the product maps the word to 0 ..= cut_ms_max without a division.
        let cut_ms = (u128::from(random) * (cut_ms_max + 1)) >> 64;
        // The cut is at most the TTL, which fits.
        (ttl_ms - cut_ms as u64).max(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND_MS: u64 = 1000;

    fn jitter(percent: u8) -> Jitter<'static> {
        Jitter { percent, ttl_ms_min: 10 * SECOND_MS, rules: &[] }
    }

    #[test]
    fn the_extremes_of_the_random_word_give_the_whole_span() {
        assert_eq!(jitter(10).shorten(b"k", 100 * SECOND_MS, 0), 100 * SECOND_MS);
        assert_eq!(jitter(10).shorten(b"k", 100 * SECOND_MS, u64::MAX), 90 * SECOND_MS);
    }

    #[test]
    fn the_cut_is_uniform_over_its_span() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut tenths = [0u32; 10];
        for _ in 0..100_000 {
            let cut_ms = 100_000 - jitter(10).shorten(b"k", 100_000, rng.u64(..));
            tenths[(cut_ms as usize / 1000).min(9)] += 1;
        }
        assert!(tenths.iter().all(|&count| (9_600..10_400).contains(&count)), "{tenths:?}");
    }

    #[test]
    fn ttls_below_the_minimum_are_left_alone() {
        assert_eq!(jitter(50).shorten(b"k", 10 * SECOND_MS - 1, u64::MAX), 10 * SECOND_MS - 1);
        assert_eq!(jitter(50).shorten(b"k", 10 * SECOND_MS, u64::MAX), 5 * SECOND_MS);
    }

    #[test]
    fn zero_percent_turns_it_off() {
        assert_eq!(jitter(0).shorten(b"k", u64::MAX, u64::MAX), u64::MAX);
    }

    #[test]
    fn the_longest_matching_prefix_rules() {
        let rules: [(Box<[u8]>, u8); 3] =
            [(Box::from(*b"user:"), 20), (Box::from(*b"user:session:"), 0), (Box::from(*b"hot:"), 200)];
        let jitter = Jitter { rules: &rules, ..jitter(10) };
        let percents = [&b"page:1"[..], b"user:1", b"user:session:1", b"hot:1"].map(|key| jitter.percent_of(key));
        assert_eq!(percents, [10, 20, 0, 100]);
    }

    proptest! {
        #[test]
        fn a_ttl_is_never_lengthened_nor_cut_below_its_share(percent: u8, ttl_ms in 1u64.., random: u64) {
            let jitter = Jitter { percent, ttl_ms_min: 0, rules: &[] };
            let left_ms = jitter.shorten(b"k", ttl_ms, random);
            let kept = u128::from(100 - percent.min(100));
            prop_assert!(left_ms >= 1 && left_ms <= ttl_ms);
            prop_assert!(u128::from(left_ms) * 100 >= u128::from(ttl_ms) * kept);
        }
    }
}
