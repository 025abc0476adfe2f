//! A moving average that forgets by time.

use std::time::{Duration, Instant};

/// An exponentially weighted moving average whose weights halve with each half-life of age, however many samples come.
///
/// It follows a rise at once and a fall slowly ("peak" EWMA): a node that has begun to stall is left alone by the next
/// request, not after a dozen.
#[derive(Clone, Copy, Debug)]
pub struct Ewma {
    half_life_s: f64,
    state: Option<(f64, Instant)>,
}

impl Ewma {
    /// An average without samples. A half-life of zero makes it the last sample.
    #[must_use]
    pub fn new(half_life: Duration) -> Self {
        Self { half_life_s: half_life.as_secs_f64(), state: None }
    }

    /// Adds a sample. A time before the last sample's counts as the same moment.
    pub fn record(&mut self, sample: f64, now: Instant) {
        let Some((average, then)) = self.state else {
            self.state = Some((sample, now));
            return;
        };
        let age_s = now.saturating_duration_since(then).as_secs_f64();
        let kept = if self.half_life_s > 0.0 { (-age_s / self.half_life_s).exp2() } else { 0.0 };
        // Samples at one moment would have no weight at all: each counts for at least a twentieth.
        let kept = kept.min(0.95);
        let average = if sample > average { sample } else { average * kept + sample * (1.0 - kept) };
        self.state = Some((average, now.max(then)));
    }

    /// The average; nothing before the first sample.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.state.map(|(average, _)| average)
    }

    /// The average as it fades while no samples come, so that a node that was slow once gets another try.
    #[must_use]
    pub fn value_at(&self, now: Instant) -> Option<f64> {
        let (average, then) = self.state?;
        let age_s = now.saturating_duration_since(then).as_secs_f64();
        if self.half_life_s > 0.0 { Some(average * (-age_s / self.half_life_s).exp2()) } else { Some(average) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_rise_counts_at_once() {
        let start = Instant::now();
        let mut ewma = Ewma::new(SECOND);
        ewma.record(1.0, start);
        ewma.record(10.0, start);
        assert_eq!(ewma.value(), Some(10.0));
    }

    #[test]
    fn a_fall_counts_by_half_after_a_half_life() {
        let start = Instant::now();
        let mut ewma = Ewma::new(SECOND);
        ewma.record(10.0, start);
        ewma.record(2.0, start + SECOND);
        assert!((ewma.value().unwrap_or_default() - 6.0).abs() < 1e-9);
    }

    #[test]
    fn silence_lets_the_average_fade() {
        let start = Instant::now();
        let mut ewma = Ewma::new(SECOND);
        assert_eq!(ewma.value_at(start), None);
        ewma.record(8.0, start);
        assert!((ewma.value_at(start + 3 * SECOND).unwrap_or_default() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_clock_that_steps_back_does_no_harm() {
        let start = Instant::now() + SECOND;
        let mut ewma = Ewma::new(SECOND);
        ewma.record(4.0, start);
        ewma.record(2.0, start - SECOND);
        assert!(ewma.value().is_some_and(|average| (2.0..=4.0).contains(&average)));
    }
}
