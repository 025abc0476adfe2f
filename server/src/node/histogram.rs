//! How run times are distributed: counts in buckets whose width grows with the value, at most an eighth of it.

use super::stats::Counter;

/// Buckets per doubling, as a power of two.
const SUB_BITS: u32 = 3;
const SUB: u64 = 1 << SUB_BITS;
/// Values from 2³⁸ ns (4.6 minutes) on share the last bucket.
const EXPONENT_MAX: u32 = 38;
const BUCKETS: usize = ((EXPONENT_MAX - SUB_BITS + 1) as usize) << SUB_BITS;

/// A distribution of times in ns. One thread writes it, others may read.
#[derive(Debug)]
pub struct Histogram {
    buckets: Box<[Counter]>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| Counter::default()).collect() }
    }
}

impl Histogram {
    /// Counts `times` runs of `ns` each.
    #[inline]
    pub fn record(&self, ns: u64, times: u64) {
        self.buckets[bucket_of(ns)].add(times);
    }

    /// Empties it.
    pub fn reset(&self) {
        self.buckets.iter().for_each(Counter::reset);
    }

    /// Adds its counts to `sum`.
    pub fn add_to(&self, sum: &mut Distribution) {
        for (total, bucket) in sum.counts.iter_mut().zip(&self.buckets) {
            *total += bucket.get();
        }
    }
}

/// The sum of several histograms.
#[derive(Clone, Debug)]
pub struct Distribution {
    counts: Vec<u64>,
}

impl Default for Distribution {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS] }
    }
}

impl Distribution {
    /// How many values there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The value in µs that `percentile` percent do not exceed.
    #[must_use]
    pub fn percentile_us(&self, percentile: f64) -> f64 {
        let total = self.count();
        let rank = ((percentile / 100.0 * total as f64).ceil() as u64).clamp(1, total.max(1));
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return highest_of(bucket) as f64 / 1000.0;
            }
        }
        0.0
    }

    /// How many values lie between each of the rising `bounds_us` (µs) and the one before; behind them, how many are above all.
    #[must_use]
    pub fn counts_up_to_us(&self, bounds_us: &[u64]) -> Vec<u64> {
        let mut counts = vec![0; bounds_us.len() + 1];
        for (bucket, count) in self.counts.iter().enumerate() {
            let within = bounds_us.partition_point(|us| *us * 1000 < highest_of(bucket));
            counts[within] += count;
        }
        counts
    }

    /// Pairs of a power of two in µs and how many values do not exceed it, as `LATENCY HISTOGRAM` shows them: from the
    /// first that has any to the first that has all.
    #[must_use]
    pub fn powers_of_two_us(&self) -> Vec<(u64, u64)> {
        let total = self.count();
        let mut pairs: Vec<(u64, u64)> = Vec::new();
        let (mut bucket, mut seen) = (0, 0);
        for exponent in 0..64 {
            let us = 1_u64 << exponent;
            while bucket < BUCKETS && highest_of(bucket) <= us * 1000 + us * 1000 / SUB {
                seen += self.counts[bucket];
                bucket += 1;
            }
            if seen > pairs.last().map_or(0, |(_, seen)| *seen) {
                pairs.push((us, seen));
            }
            if seen == total || bucket == BUCKETS {
                break;
            }
        }
        pairs
    }
}

fn bucket_of(ns: u64) -> usize {
    let ns = ns.min((1 << EXPONENT_MAX) - 1);
    if ns < SUB {
        return ns as usize;
    }
    let exponent = ns.ilog2();
    let sub = (ns >> (exponent - SUB_BITS)) & (SUB - 1);
    (((exponent - SUB_BITS + 1) as usize) << SUB_BITS) + sub as usize
}

/// The greatest value of a bucket.
fn highest_of(bucket: usize) -> u64 {
    let (group, sub) = (bucket as u64 >> SUB_BITS, bucket as u64 & (SUB - 1));
    if group == 0 {
        return sub;
    }
    ((SUB + sub + 1) << (group - 1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_within_its_bucket() {
        for ns in (0..5000).chain((0..38).map(|bit| 1 << bit)).chain([u64::MAX]) {
            let bucket = bucket_of(ns);
            let ns = ns.min((1 << EXPONENT_MAX) - 1);
            assert!(ns <= highest_of(bucket), "{ns}");
            assert!(bucket == 0 || ns > highest_of(bucket - 1), "{ns}");
        }
    }

    #[test]
    fn percentiles_are_within_an_eighth() {
        let histogram = Histogram::default();
        for us in 1..=1000 {
            histogram.record(us * 1000, 1);
        }
        let mut sum = Distribution::default();
        histogram.add_to(&mut sum);
        assert_eq!(sum.count(), 1000);
        for percentile in [50.0, 99.0, 99.9] {
            let expected = percentile * 10.0;
            let value = sum.percentile_us(percentile);
            assert!((expected..expected * 1.13).contains(&value), "{percentile}: {value}");
        }
    }

    #[test]
    fn counts_between_bounds_are_those_of_the_values() {
        let histogram = Histogram::default();
        for us in [1, 3, 3, 50, 5000] {
            histogram.record(us * 1000 - 100, 1);
        }
        let mut sum = Distribution::default();
        histogram.add_to(&mut sum);
        assert_eq!(sum.counts_up_to_us(&[1, 4, 100]), [1, 2, 1, 1]);
    }

    #[test]
    fn powers_of_two_end_with_all() {
        let histogram = Histogram::default();
        histogram.record(1500, 2);
        histogram.record(900_000, 1);
        let mut sum = Distribution::default();
        histogram.add_to(&mut sum);
        assert_eq!(sum.powers_of_two_us(), [(2, 2), (1024, 3)]);
        assert_eq!(Distribution::default().powers_of_two_us(), []);
    }
}
