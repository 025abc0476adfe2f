//! How many bytes a second may be copied.

/// A bucket of bytes that fills with time.
#[derive(Debug)]
pub struct Pace {
    tokens: i64,
    filled_ms: u64,
}

/// So much of a second's bytes may be sent at once.
const BURST_MS: u64 = 100;

impl Pace {
    /// A full bucket.
    #[must_use]
    pub const fn new(now_ms: u64) -> Self {
        Self { tokens: 0, filled_ms: now_ms }
    }

    /// How many ms to wait before more may be sent; 0: it may be now. A rate of 0 bytes a second means no limit.
    pub fn wait_ms(&mut self, bytes_per_s: u64, now_ms: u64) -> u64 {
        if bytes_per_s == 0 {
            return 0;
        }
        let rate = i64::try_from(bytes_per_s).unwrap_or(i64::MAX);
        let elapsed_ms = i64::try_from(now_ms.saturating_sub(self.filled_ms)).unwrap_or(i64::MAX);
        let burst = (rate / 1000).saturating_mul(BURST_MS as i64).max(1);
        self.tokens = self.tokens.saturating_add(rate.saturating_mul(elapsed_ms) / 1000).min(burst);
        self.filled_ms = now_ms;
        if self.tokens > 0 {
            return 0;
        }
        (self.tokens.unsigned_abs().saturating_mul(1000) / bytes_per_s).max(1)
    }

    /// So many bytes were sent.
    pub fn spend(&mut self, bytes: usize) {
        self.tokens = self.tokens.saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_sent_than_the_rate_allows() {
        let mut pace = Pace::new(0);
        let (mut now_ms, mut sent) = (1, 0_usize);
        while now_ms < 10_000 {
            match pace.wait_ms(1_000_000, now_ms) {
                0 => {
                    pace.spend(64_000);
                    sent += 64_000;
                }
                wait_ms => now_ms += wait_ms,
            }
        }
        assert!((9_900_000..10_200_000).contains(&sent), "{sent}");
    }

    #[test]
    fn without_a_limit_there_is_no_wait() {
        let mut pace = Pace::new(0);
        pace.spend(usize::MAX);
        assert_eq!(pace.wait_ms(0, 1), 0);
    }
}
