//! How long to wait before the next attempt: exponential, with jitter.

use std::time::Duration;

/// Exponential back-off with full jitter.
///
/// The wait before retry *n* is drawn evenly between nothing and `first × 2ⁿ`, at most `longest`. Drawing from the whole
/// range spreads clients that failed in the same moment best; a fixed part would send them back in waves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The upper end of the wait before the first retry.
    pub first: Duration,
    /// What no wait exceeds.
    pub longest: Duration,
}

impl Default for Backoff {
    /// 10 ms, doubling, at most 1 s: a takeover takes about a second, and a client should be there when it is done.
    fn default() -> Self {
        Self { first: Duration::from_millis(10), longest: Duration::from_secs(1) }
    }
}

impl Backoff {
    /// The upper end of the wait before a retry; 0 is the first one.
    #[must_use]
    pub fn ceiling(&self, retry: u32) -> Duration {
        let factor = 1u32.checked_shl(retry).unwrap_or(u32::MAX);
        self.first.checked_mul(factor).unwrap_or(Duration::MAX).min(self.longest)
    }

    /// The wait before a retry; 0 is the first one.
    #[must_use]
    pub fn delay(&self, retry: u32, rng: &mut fastrand::Rng) -> Duration {
        self.ceiling(retry).mul_f64(rng.f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ceiling_doubles_until_the_longest_wait() {
        let backoff = Backoff { first: Duration::from_millis(10), longest: Duration::from_millis(50) };
        let ceilings: Vec<u128> = (0..5).map(|retry| backoff.ceiling(retry).as_millis()).collect();
        assert_eq!(ceilings, [10, 20, 40, 50, 50]);
    }

    #[test]
    fn clients_that_failed_together_come_back_apart() {
        let mut rng = fastrand::Rng::with_seed(1);
        let delays: Vec<Duration> = (0..1000).map(|_| Backoff::default().delay(3, &mut rng)).collect();
        let early = delays.iter().filter(|delay| **delay < Duration::from_millis(40)).count();
        assert!((400..600).contains(&early), "{early} of 1000 in the first half");
    }

    proptest! {
        #[test]
        fn no_wait_exceeds_the_ceiling(retry: u32, seed: u64, first_ms in 0u64..10_000, longest_ms in 0u64..100_000) {
            let backoff =
                Backoff { first: Duration::from_millis(first_ms), longest: Duration::from_millis(longest_ms) };
            let delay = backoff.delay(retry, &mut fastrand::Rng::with_seed(seed));
            prop_assert!(delay <= backoff.ceiling(retry));
            prop_assert!(delay <= backoff.longest);
        }
    }
}
