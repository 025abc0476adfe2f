//! How a value is loaded and kept.

use std::time::Duration;

/// The options of a load. Only the TTL has no default.
///
/// ```text
/// loaded                  fresh_until                                        dropped
///   │  ttl (less jitter)       │   stale_while_revalidate / stale_if_error     │
///   ├──────────────────────────┼───────────────────────────────────────────────┤
///   │  hit          … early    │  stale: answered, refreshed behind the scenes  │  miss
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LoadOptions {
    /// How long a value is fresh.
    pub ttl: Duration,
    /// How much of the TTL jitter may take away, from 0 to 1, so that values loaded together don't expire together.
    /// Default 0.1.
    pub jitter: f64,
    /// How eagerly values are refreshed before they expire: the beta of XFetch. Default 1; 0 turns it off.
    pub early_refresh: f64,
    /// For how long after its TTL a value is still answered while it is loaded anew in the background. Default: a tenth
    /// of the TTL.
    pub stale_while_revalidate: Duration,
    /// For how long after its TTL a value is still answered when loading it anew fails, or is shed. Default: the TTL
    /// once more.
    pub stale_if_error: Duration,
    /// For how long "there is no such value" is remembered. Default: a tenth of the TTL; zero turns it off.
    pub negative_ttl: Duration,
    /// After how long a load counts as failed. Default 10 s.
    pub load_timeout: Duration,
    /// Lets one process load while the others wait, besides the single flight inside each. Default: off.
    pub lease: Option<LeaseOptions>,
    /// The version of the value's type. Raise it when the type changes: what was written under another number counts as
    /// a miss. Default 0.
    pub schema: u16,
}

/// How processes agree on who loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseOptions {
    /// After how long the lease of a process that died ends by itself. Choose it above the usual load time.
    pub ttl: Duration,
    /// How long the others wait for the value before they load it themselves.
    pub wait: Duration,
    /// How often they look.
    pub poll: Duration,
}

impl Default for LeaseOptions {
    fn default() -> Self {
        Self { ttl: Duration::from_secs(5), wait: Duration::from_secs(2), poll: Duration::from_millis(20) }
    }
}

impl LoadOptions {
    /// The defaults for a TTL.
    #[must_use]
    pub fn new(ttl: Duration) -> Self {
        Self {
            ttl,
            jitter: 0.1,
            early_refresh: 1.0,
            stale_while_revalidate: ttl / 10,
            stale_if_error: ttl,
            negative_ttl: ttl / 10,
            load_timeout: Duration::from_secs(10),
            lease: None,
            schema: 0,
        }
    }

    /// As the naive look-aside does it: no jitter, no early refresh, nothing stale, nothing negative. For comparisons,
    /// and as a base for those who want few of the protections.
    #[must_use]
    pub fn plain(ttl: Duration) -> Self {
        Self {
            jitter: 0.0,
            early_refresh: 0.0,
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            negative_ttl: Duration::ZERO,
            ..Self::new(ttl)
        }
    }

    /// Sets [`jitter`](Self::jitter).
    #[must_use]
    pub fn with_jitter(mut self, share: f64) -> Self {
        self.jitter = share;
        self
    }

    /// Sets [`early_refresh`](Self::early_refresh).
    #[must_use]
    pub fn with_early_refresh(mut self, beta: f64) -> Self {
        self.early_refresh = beta;
        self
    }

    /// Sets [`stale_while_revalidate`](Self::stale_while_revalidate).
    #[must_use]
    pub fn with_stale_while_revalidate(mut self, window: Duration) -> Self {
        self.stale_while_revalidate = window;
        self
    }

    /// Sets [`stale_if_error`](Self::stale_if_error).
    #[must_use]
    pub fn with_stale_if_error(mut self, window: Duration) -> Self {
        self.stale_if_error = window;
        self
    }

    /// Sets [`negative_ttl`](Self::negative_ttl).
    #[must_use]
    pub fn with_negative_ttl(mut self, ttl: Duration) -> Self {
        self.negative_ttl = ttl;
        self
    }

    /// Sets [`load_timeout`](Self::load_timeout).
    #[must_use]
    pub fn with_load_timeout(mut self, timeout: Duration) -> Self {
        self.load_timeout = timeout;
        self
    }

    /// Sets [`lease`](Self::lease).
    #[must_use]
    pub fn with_lease(mut self, lease: LeaseOptions) -> Self {
        self.lease = Some(lease);
        self
    }

    /// Sets [`schema`](Self::schema).
    #[must_use]
    pub fn with_schema(mut self, schema: u16) -> Self {
        self.schema = schema;
        self
    }

    /// The TTL of a value that is loaded now, for a `draw` from 0 to 1: shortened by jitter, never longer.
    pub(crate) fn fresh_for(&self, is_absent: bool, draw: f64) -> Duration {
        let ttl = if is_absent { self.negative_ttl } else { self.ttl };
        let jitter = if self.jitter.is_nan() { 0.0 } else { self.jitter.clamp(0.0, 1.0) };
        ttl.mul_f64(1.0 - jitter * draw.clamp(0.0, 1.0))
    }

    /// How long a value is kept after it is no longer fresh.
    pub(crate) fn kept_stale_for(&self, is_absent: bool) -> Duration {
        // "There is none" is a guess that ages badly: it is never served stale.
        if is_absent { Duration::ZERO } else { self.stale_while_revalidate.max(self.stale_if_error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn jitter_spreads_deadlines_over_a_tenth() {
        let options = LoadOptions::new(Duration::from_secs(100));
        assert_eq!(options.fresh_for(false, 0.0), Duration::from_secs(100));
        assert_eq!(options.fresh_for(false, 1.0), Duration::from_secs(90));
    }

    #[test]
    fn an_absent_value_is_never_kept_stale() {
        assert_eq!(LoadOptions::new(Duration::from_secs(100)).kept_stale_for(true), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn jitter_never_lengthens_a_ttl(ttl_ms in 0u64..1 << 40, jitter: f64, draw: f64) {
            let options = LoadOptions::new(Duration::from_millis(ttl_ms)).with_jitter(jitter);
            prop_assume!(!draw.is_nan());
            prop_assert!(options.fresh_for(false, draw) <= options.ttl + Duration::from_micros(1));
        }
    }
}
