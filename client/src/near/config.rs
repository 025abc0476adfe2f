//! The near cache's settings.

use std::time::Duration;

use bytes::Bytes;

/// How a near cache learns of changes, what it keeps and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NearConfig {
    /// The most memory for entries, keys and an estimate of the bookkeeping included. Default 64 MiB.
    pub bytes_max: u64,
    /// Values longer than this are not kept. Default 1 MiB.
    pub value_len_max: usize,
    /// The longest that an entry is kept; never longer than the key lives. Default 60 s.
    pub ttl: Duration,
    /// By how many percent of it the TTL of each entry is shortened at most, by chance. Default 10.
    pub ttl_jitter_percent: u8,
    /// The bound on staleness when a connection fails silently. Each connection proves several times in this interval
    /// that nothing is missing; what was read over one that does not is not answered. Default 1 s.
    pub max_staleness: Duration,
    /// Which keys the nodes report.
    pub tracking: Tracking,
}

/// Which changes the nodes report: the modes of `CLIENT TRACKING`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tracking {
    /// The keys that this client has read; nodes remember them.
    #[default]
    Reads,
    /// All keys with these prefixes, whoever reads them; nodes remember nothing, and other keys are not kept here. An
    /// empty prefix stands for all keys. No prefix may be the beginning of another.
    Prefixes(Vec<Bytes>),
}

impl Default for NearConfig {
    fn default() -> Self {
        Self {
            bytes_max: 64 << 20,
            value_len_max: 1 << 20,
            ttl: Duration::from_secs(60),
            ttl_jitter_percent: 10,
            max_staleness: Duration::from_secs(1),
            tracking: Tracking::Reads,
        }
    }
}

impl NearConfig {
    /// Sets [`bytes_max`](Self::bytes_max).
    #[must_use]
    pub fn with_bytes_max(mut self, bytes: u64) -> Self {
        self.bytes_max = bytes;
        self
    }

    /// Sets [`ttl`](Self::ttl).
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Sets [`max_staleness`](Self::max_staleness).
    #[must_use]
    pub fn with_max_staleness(mut self, bound: Duration) -> Self {
        self.max_staleness = bound;
        self
    }

    /// Sets [`tracking`](Self::tracking) to these prefixes.
    #[must_use]
    pub fn with_prefixes<P: AsRef<[u8]>>(mut self, prefixes: impl IntoIterator<Item = P>) -> Self {
        let prefixes = prefixes.into_iter().map(|prefix| Bytes::copy_from_slice(prefix.as_ref())).collect();
        self.tracking = Tracking::Prefixes(prefixes);
        self
    }

    /// The TTL of an entry, for a draw from 0 to 1.
    pub(super) fn entry_ttl(&self, draw: f64) -> Duration {
        let share = f64::from(self.ttl_jitter_percent.min(100)) / 100.0;
        self.ttl.mul_f64(1.0 - share * draw.clamp(0.0, 1.0))
    }
}

impl Tracking {
    /// Whether nodes report changes of this key.
    pub(super) fn covers(&self, key: &[u8]) -> bool {
        match self {
            Self::Reads => true,
            Self::Prefixes(prefixes) => prefixes.iter().any(|prefix| key.starts_with(prefix)),
        }
    }
}
