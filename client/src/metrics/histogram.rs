//! A latency histogram that many threads write and anyone may read.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Upper ends of the buckets in microseconds; what is longer than the last falls into one more bucket. About three to a
/// power of ten: fine enough for dashboards, and few enough to export.
pub const BUCKET_ENDS_US: [u64; 21] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
    1_000_000, 2_000_000, 5_000_000,
];
const BUCKETS: usize = BUCKET_ENDS_US.len() + 1;

/// Counts of latencies, by bucket.
#[derive(Debug, Default)]
pub struct Histogram {
    counts: [AtomicU64; BUCKETS],
    sum_ns: AtomicU64,
}

impl Histogram {
    /// Adds a latency.
    pub fn record(&self, latency: Duration) {
        let latency_ns = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BUCKET_ENDS_US.partition_point(|end_us| end_us.saturating_mul(1000) < latency_ns);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(latency_ns, Ordering::Relaxed);
    }

    /// The counts at this moment. Latencies recorded meanwhile may be in some of them only.
    #[must_use]
    pub fn snapshot(&self) -> HistogramSnapshot {
        HistogramSnapshot {
            counts: std::array::from_fn(|bucket| self.counts[bucket].load(Ordering::Relaxed)),
            sum: Duration::from_nanos(self.sum_ns.load(Ordering::Relaxed)),
        }
    }
}

/// A histogram's counts at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistogramSnapshot {
    counts: [u64; BUCKETS],
    sum: Duration,
}

impl HistogramSnapshot {
    /// How many latencies were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All latencies together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// The mean; nothing without latencies.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        let mean_ns = self.sum.as_nanos().checked_div(u128::from(self.count()))?;
        Some(Duration::from_nanos(u64::try_from(mean_ns).unwrap_or(u64::MAX)))
    }

    /// Each bucket's upper end in microseconds, none for the last, and its count.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        BUCKET_ENDS_US.into_iter().map(Some).chain([None]).zip(self.counts)
    }

    /// What the share `quantile` of the latencies stayed below, in even steps within the bucket that it falls into;
    /// nothing without latencies.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        let rank = (self.count() as f64 * quantile.clamp(0.0, 1.0)).max(1.0);
        let (mut seen, mut start_us) = (0.0, 0);
        for (end_us, count) in self.buckets() {
            let end_us = end_us.unwrap_or(2 * start_us);
            if count > 0 && seen + count as f64 >= rank {
                let within = (rank - seen) / count as f64;
                return Some(
                    Duration::from_micros(start_us) + Duration::from_micros(end_us - start_us).mul_f64(within),
                );
            }
            seen += count as f64;
            start_us = end_us;
        }
        None
    }

    /// Adds another histogram's counts.
    pub fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, other)| *count += other);
        self.sum += other.sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_empty_histogram_has_no_quantile_and_no_mean() {
        let empty = Histogram::default().snapshot();
        assert_eq!((empty.count(), empty.mean(), empty.quantile(0.5)), (0, None, None));
    }

    #[test]
    fn the_mean_is_exact_and_the_median_is_within_its_bucket() {
        let histogram = Histogram::default();
        (1..=99).for_each(|us| histogram.record(Duration::from_micros(us)));
        let snapshot = histogram.snapshot();
        assert_eq!(snapshot.mean(), Some(Duration::from_micros(50)));
        assert!(snapshot.quantile(0.5).is_some_and(|median| median.as_micros().abs_diff(50) <= 1));
    }

    proptest! {
        #[test]
        fn quantiles_rise(latencies_us in prop::collection::vec(0u64..20_000_000, 1..100)) {
            let histogram = Histogram::default();
            latencies_us.iter().for_each(|us| histogram.record(Duration::from_micros(*us)));
            let snapshot = histogram.snapshot();
            let quantiles: Vec<_> = (0..=10).map(|tenth| snapshot.quantile(f64::from(tenth) / 10.0)).collect();
            prop_assert!(quantiles.is_sorted());
            prop_assert_eq!(snapshot.count(), latencies_us.len() as u64);
        }
    }
}
