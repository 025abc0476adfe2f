//! What a run measured.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Longest latency that is told apart, in nanoseconds.
const LATENCY_NS_MAX: u64 = 120_000_000_000;
/// Decimal digits that are kept of every latency.
const SIGNIFICANT_DIGITS: u8 = 3;

/// Latencies in nanoseconds.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

impl Latencies {
    /// An empty histogram.
    pub fn new() -> Self {
        Self(
            Histogram::new_with_bounds(1, LATENCY_NS_MAX, SIGNIFICANT_DIGITS)
                .unwrap_or_else(|_| unreachable!("the bounds are constants that the histogram accepts")),
        )
    }

    /// Records `count` requests that took `latency_ns`.
    pub fn record(&mut self, latency_ns: u64, count: u64) {
        self.0.saturating_record_n(latency_ns, count);
    }

    /// Adds what `other` recorded.
    pub fn merge(&mut self, other: &Latencies) {
        // Both have the same bounds, so nothing can fall outside.
        let _ = self.0.add(&other.0);
    }

    /// The latency that `quantile` (0 to 1) of the requests did not exceed, in microseconds.
    pub fn quantile_us(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64 / 1000.0
    }

    /// The largest latency, in microseconds.
    pub fn max_us(&self) -> f64 {
        self.0.max() as f64 / 1000.0
    }

    /// The mean, in microseconds.
    pub fn mean_us(&self) -> f64 {
        self.0.mean() / 1000.0
    }
}

/// The figures of one run.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Replies received.
    pub requests: u64,
    /// From the first request to the last reply.
    pub elapsed: Duration,
    /// Send (or, in an open loop, intended send) to reply.
    pub latencies: Latencies,
    /// Null replies among them.
    pub nulls: u64,
    /// Error replies among them, by their first word.
    pub errors: BTreeMap<String, u64>,
    /// Bytes written to the sockets.
    pub bytes_out: u64,
    /// Bytes read from the sockets.
    pub bytes_in: u64,
}

impl Outcome {
    /// Replies per second.
    pub fn throughput(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// All error replies.
    pub fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Error kinds and counts for display, or `none`.
    pub fn errors_text(&self) -> String {
        if self.errors.is_empty() {
            return "none".to_owned();
        }
        let parts: Vec<String> = self.errors.iter().map(|(word, n)| format!("{word} × {n}")).collect();
        parts.join(", ")
    }

    /// Counts an error reply.
    pub(crate) fn count_error(&mut self, line: &[u8]) {
        let word = line.split(|&b| b == b' ').next().unwrap_or_default();
        *self.errors.entry(String::from_utf8_lossy(word).into_owned()).or_default() += 1;
    }
}
