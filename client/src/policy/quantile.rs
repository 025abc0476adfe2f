//! A quantile of recent latencies, in constant memory.

use std::time::Duration;

/// Buckets per power of two: bounds the error of a quantile to an eighth.
const STEPS_LOG2: u32 = 3;
const STEPS: usize = 1 << STEPS_LOG2;
/// Powers of two of a microsecond that are told apart: up to 2²⁶ µs, about a minute.
const POWERS: usize = 26;
const BUCKETS: usize = STEPS * (POWERS - 1);
/// At this many samples all counts are halved, so that old ones fade.
const SAMPLES_MAX: u32 = 4096;
/// After this many samples the quantile is computed anew; in between the last answer holds.
const RECOMPUTE_EVERY: u32 = 32;

/// A histogram of latencies that halves its counts as it fills, and the one quantile of it that is asked for.
#[derive(Clone, Debug)]
pub struct DecayingQuantile {
    counts: Box<[u32; BUCKETS]>,
    samples: u32,
    quantile: f64,
    since_computed: u32,
    answer: Option<Duration>,
}

impl DecayingQuantile {
    /// An estimator of one quantile between 0 and 1, for example 0.95.
    #[must_use]
    pub fn new(quantile: f64) -> Self {
        let quantile = if quantile.is_nan() { 1.0 } else { quantile.clamp(0.0, 1.0) };
        Self { counts: Box::new([0; BUCKETS]), samples: 0, quantile, since_computed: 0, answer: None }
    }

    /// Adds a latency.
    pub fn record(&mut self, latency: Duration) {
        let bucket = bucket_of(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        self.counts[bucket] += 1;
        self.samples += 1;
        self.since_computed += 1;
        if self.samples >= SAMPLES_MAX {
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.samples = self.counts.iter().sum();
        }
        if self.since_computed >= RECOMPUTE_EVERY {
            self.since_computed = 0;
            self.answer = self.compute();
        }
    }

    /// The quantile; nothing before there are enough samples to say.
    #[must_use]
    pub fn value(&self) -> Option<Duration> {
        self.answer
    }

    fn compute(&self) -> Option<Duration> {
        let rank = (f64::from(self.samples) * self.quantile).ceil().max(1.0) as u32;
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(Duration::from_micros(upper_end_us(bucket)))
    }
}

/// Values below [`STEPS`] have a bucket each; above that each power of two has [`STEPS`] buckets.
fn bucket_of(us: u64) -> usize {
    let step = STEPS as u64;
    if us < step {
        return us as usize;
    }
    let power = us.ilog2();
    let within = (us >> (power - STEPS_LOG2)) & (step - 1);
    let bucket = (power - STEPS_LOG2 + 1) as usize * STEPS + within as usize;
    bucket.min(BUCKETS - 1)
}

/// The largest value of a bucket, so that a quantile errs upwards: a hedge a little late costs less than one too early.
fn upper_end_us(bucket: usize) -> u64 {
    let (power, within) = (bucket / STEPS, (bucket % STEPS) as u64);
    if power == 0 {
        return within;
    }
    ((STEPS as u64 + within + 1) << (power - 1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn too_few_samples_give_no_answer() {
        let mut quantile = DecayingQuantile::new(0.95);
        (1..RECOMPUTE_EVERY).for_each(|_| quantile.record(Duration::from_micros(100)));
        assert_eq!(quantile.value(), None);
        quantile.record(Duration::from_micros(100));
        assert!(quantile.value().is_some());
    }

    #[test]
    fn the_quantile_is_right_within_an_eighth() {
        let mut quantile = DecayingQuantile::new(0.9);
        (0..4000u64).for_each(|n| quantile.record(Duration::from_micros(1 + n % 1000)));
        let answer_us = quantile.value().unwrap_or_default().as_micros();
        assert!((900..=1013).contains(&answer_us), "{answer_us} µs");
    }

    #[test]
    fn old_latencies_fade() {
        let mut quantile = DecayingQuantile::new(0.5);
        (0..4000).for_each(|_| quantile.record(Duration::from_millis(50)));
        (0..8000).for_each(|_| quantile.record(Duration::from_micros(200)));
        assert!(quantile.value().unwrap_or_default() < Duration::from_millis(1));
    }

    #[test]
    fn the_longest_latencies_share_the_last_bucket() {
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
        let mut quantile = DecayingQuantile::new(1.0);
        (0..RECOMPUTE_EVERY).for_each(|_| quantile.record(Duration::MAX));
        assert!(quantile.value().is_some());
    }

    proptest! {
        #[test]
        fn a_bucket_holds_what_falls_into_it(us in 0u64..1 << 25) {
            let bucket = bucket_of(us);
            prop_assert!(us <= upper_end_us(bucket));
            prop_assert!(bucket == 0 || us > upper_end_us(bucket - 1));
        }
    }
}
