//! A budget for extra requests, as a share of the regular ones.
//!
//! Retries and hedges help against single failures and make an overload worse: when every request fails, three retries
//! each make four times the load. A budget that the regular traffic fills, and each extra request spends from, keeps the
//! sum at `1 + share` times the traffic however much fails. The idea is that of Finagle's retry budget.

use std::sync::atomic::{AtomicU64, Ordering};

/// Thousandths of a request: what the bucket counts in, so that a share of 0.1 % is still exact.
const MILLI: u64 = 1000;

/// The limits of a [`ShareBudget`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BudgetConfig {
    /// Extra requests allowed per regular request, from 0 to 1: 0.1 allows one in ten.
    pub share: f64,
    /// The most extra requests that quiet times can save up. The bucket starts full, so that a client's first requests
    /// may be retried too.
    pub burst: u32,
}

impl BudgetConfig {
    /// What retries get: a fifth of the traffic, bursts of 100.
    pub const RETRY: Self = Self { share: 0.2, burst: 100 };
    /// What hedged reads get: 5 % of the reads, bursts of 20.
    pub const HEDGE: Self = Self { share: 0.05, burst: 20 };
}

/// A token bucket that regular requests fill and extra requests spend from.
///
/// While it is full, which is the usual state, a regular request only reads it: no cache line is written.
#[derive(Debug)]
pub struct ShareBudget {
    balance_milli: AtomicU64,
    deposit_milli: u64,
    limit_milli: u64,
}

impl ShareBudget {
    /// A full bucket. A share outside 0 to 1 is taken to the nearer end; one that is no number means 0.
    #[must_use]
    pub fn new(config: BudgetConfig) -> Self {
        let limit_milli = u64::from(config.burst) * MILLI;
        let share = if config.share.is_nan() { 0.0 } else { config.share.clamp(0.0, 1.0) };
        Self { balance_milli: AtomicU64::new(limit_milli), deposit_milli: (share * MILLI as f64) as u64, limit_milli }
    }

    /// Counts a regular request: it earns its share of an extra one.
    pub fn deposit(&self) {
        let balance_milli = self.balance_milli.load(Ordering::Relaxed);
        if balance_milli < self.limit_milli {
            let add = |balance: u64| Some((balance + self.deposit_milli).min(self.limit_milli));
            let _ = self.balance_milli.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        }
    }

    /// Takes one extra request out of the bucket; `false` if there is none, and then it must not be sent.
    #[must_use]
    pub fn try_spend(&self) -> bool {
        let take = |balance: u64| balance.checked_sub(MILLI);
        self.balance_milli.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    /// How many extra requests may be sent right now.
    #[must_use]
    pub fn available(&self) -> u64 {
        self.balance_milli.load(Ordering::Relaxed) / MILLI
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_new_budget_allows_its_burst_and_no_more() {
        let budget = ShareBudget::new(BudgetConfig { share: 0.1, burst: 3 });
        assert_eq!((0..5).filter(|_| budget.try_spend()).count(), 3);
    }

    #[test]
    fn ten_requests_earn_one_retry_at_a_tenth() {
        let budget = ShareBudget::new(BudgetConfig { share: 0.1, burst: 1 });
        assert!(budget.try_spend());
        (0..9).for_each(|_| budget.deposit());
        assert!(!budget.try_spend());
        budget.deposit();
        assert!(budget.try_spend());
    }

    #[test]
    fn a_share_that_is_no_number_earns_nothing() {
        let budget = ShareBudget::new(BudgetConfig { share: f64::NAN, burst: 0 });
        (0..1000).for_each(|_| budget.deposit());
        assert!(!budget.try_spend());
    }

    proptest! {
        #[test]
        fn extra_requests_never_exceed_the_share_and_the_burst(
            share in 0.0..1.0f64, burst in 0u32..50, is_regular in prop::collection::vec(any::<bool>(), 0..2000)
        ) {
            let budget = ShareBudget::new(BudgetConfig { share, burst });
            let (mut regular, mut extra) = (0u32, 0u32);
            for is_regular in is_regular {
                if is_regular {
                    budget.deposit();
                    regular += 1;
                } else if budget.try_spend() {
                    extra += 1;
                }
                prop_assert!(f64::from(extra) <= f64::from(burst) + share * f64::from(regular) + 1e-9);
            }
        }
    }
}
