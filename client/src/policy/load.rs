//! What is known of a node from the requests sent to it: how many are in flight, and how fast it answers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{DecayingQuantile, Ewma};

/// After this long without a sample, a node's average latency counts half.
const LATENCY_HALF_LIFE: Duration = Duration::from_secs(2);
/// What [`NodeLoad::latency`] holds before the first sample.
const UNKNOWN: u64 = u64::MAX;

/// The load and latency of one node, shared by all who send to it.
#[derive(Debug)]
pub struct NodeLoad {
    outstanding: AtomicU32,
    /// The average in nanoseconds, copied out of `estimators` so that choosing a copy takes no lock.
    average_ns: AtomicU64,
    /// Likewise the quantile after which a read is hedged.
    quantile_ns: AtomicU64,
    /// Guards both estimators; held for nanoseconds, taken alone.
    estimators: Mutex<Estimators>,
}

#[derive(Debug)]
struct Estimators {
    average_ns: Ewma,
    quantile: DecayingQuantile,
}

impl NodeLoad {
    /// A node of which nothing is known, and the quantile that hedging asks for.
    #[must_use]
    pub fn new(hedge_quantile: f64) -> Self {
        let estimators =
            Estimators { average_ns: Ewma::new(LATENCY_HALF_LIFE), quantile: DecayingQuantile::new(hedge_quantile) };
        Self {
            outstanding: AtomicU32::new(0),
            average_ns: AtomicU64::new(UNKNOWN),
            quantile_ns: AtomicU64::new(UNKNOWN),
            estimators: Mutex::new(estimators),
        }
    }

    /// Counts a request as in flight until the guard is dropped, also when the request is cancelled.
    #[must_use]
    pub fn begin(self: &Arc<Self>) -> InFlight {
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        InFlight { load: Arc::clone(self) }
    }

    /// Records how long an answer took.
    pub fn record(&self, latency: Duration, now: Instant) {
        let latency_ns = u64::try_from(latency.as_nanos()).unwrap_or(UNKNOWN - 1);
        let mut estimators = self.estimators.lock();
        estimators.average_ns.record(latency_ns as f64, now);
        estimators.quantile.record(latency);
        let average_ns = estimators.average_ns.value().map_or(UNKNOWN, |average| average as u64);
        self.average_ns.store(average_ns, Ordering::Relaxed);
        if let Some(quantile) = estimators.quantile.value() {
            self.quantile_ns.store(u64::try_from(quantile.as_nanos()).unwrap_or(UNKNOWN - 1), Ordering::Relaxed);
        }
    }

    /// Requests in flight.
    #[must_use]
    pub fn outstanding(&self) -> u32 {
        self.outstanding.load(Ordering::Relaxed)
    }

    /// The average latency; nothing before the first answer.
    #[must_use]
    pub fn latency(&self) -> Option<Duration> {
        known(self.average_ns.load(Ordering::Relaxed))
    }

    /// The average latency, faded by the time since the last answer, so that a node that was slow is tried again.
    #[must_use]
    pub fn latency_at(&self, now: Instant) -> Option<Duration> {
        let average_ns = self.estimators.lock().average_ns.value_at(now)?;
        Some(Duration::from_nanos(average_ns as u64))
    }

    /// The latency that the chosen quantile of answers stayed below; nothing before there are enough answers.
    #[must_use]
    pub fn quantile(&self) -> Option<Duration> {
        known(self.quantile_ns.load(Ordering::Relaxed))
    }
}

fn known(ns: u64) -> Option<Duration> {
    (ns != UNKNOWN).then(|| Duration::from_nanos(ns))
}

/// A request in flight; dropping it ends it.
#[derive(Debug)]
pub struct InFlight {
    load: Arc<NodeLoad>,
}

impl InFlight {
    /// Ends the request with an answer that took this long.
    pub fn answered(self, latency: Duration, now: Instant) {
        self.load.record(latency, now);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.load.outstanding.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_request_is_no_longer_in_flight() {
        let load = Arc::new(NodeLoad::new(0.95));
        let first = load.begin();
        let second = load.begin();
        assert_eq!(load.outstanding(), 2);
        drop(first);
        second.answered(Duration::from_micros(80), Instant::now());
        assert_eq!(load.outstanding(), 0);
    }

    #[test]
    fn latency_is_unknown_until_the_first_answer() {
        let load = Arc::new(NodeLoad::new(0.95));
        assert_eq!((load.latency(), load.quantile()), (None, None));
        load.begin().answered(Duration::from_micros(80), Instant::now());
        assert_eq!(load.latency(), Some(Duration::from_micros(80)));
    }

    #[test]
    fn a_node_that_was_slow_looks_better_with_time() {
        let (load, now) = (NodeLoad::new(0.95), Instant::now());
        load.record(Duration::from_millis(100), now);
        let later = load.latency_at(now + 4 * LATENCY_HALF_LIFE).unwrap_or_default();
        assert!(later < Duration::from_millis(7), "{later:?}");
    }
}
