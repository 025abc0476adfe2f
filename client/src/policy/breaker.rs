//! A circuit breaker per node: whom to leave alone for a while.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// The window of the error rate is kept in this many parts, so that it slides rather than jumps.
const PARTS: usize = 10;

/// When a breaker opens, and how it closes again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerConfig {
    /// So many failures in a row open it.
    pub consecutive_failures: u32,
    /// So large a share of failures in the window opens it …
    pub error_rate: f64,
    /// … if the window holds at least this many requests.
    pub requests_min: u32,
    /// How far back the error rate looks.
    pub window: Duration,
    /// How long it stays open at first. Each time that the probes fail it doubles, up to `open_longest`.
    pub open_first: Duration,
    /// The longest that it stays open.
    pub open_longest: Duration,
    /// Requests that are let through at once when it is half open, and that must succeed to close it.
    pub probes: u32,
    /// After this long without an outcome a probe counts as lost and another is let through.
    pub probe_patience: Duration,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            consecutive_failures: 5,
            error_rate: 0.5,
            requests_min: 20,
            window: Duration::from_secs(10),
            open_first: Duration::from_millis(250),
            open_longest: Duration::from_secs(10),
            probes: 3,
            probe_patience: Duration::from_secs(1),
        }
    }
}

/// What a breaker says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Send it.
    Pass,
    /// Send it: its outcome decides whether the node is well again. Prefer an idempotent request.
    Probe,
    /// Do not send it; ask again after this long.
    Refuse {
        /// How long the breaker stays open.
        retry_after: Duration,
    },
}

/// The three states of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Requests pass.
    Closed,
    /// Requests are refused.
    Open,
    /// A few requests pass, as probes.
    HalfOpen,
}

/// A breaker for one node. It sends no probes of its own: real traffic is the probe.
#[derive(Debug)]
pub struct CircuitBreaker {
    config: BreakerConfig,
    /// Whether the state is closed, so that the usual case takes no lock to be admitted.
    is_closed: AtomicBool,
    /// Whether it is closed and no failure was recorded since it was, so that the usual success takes no lock either.
    is_well: AtomicBool,
    /// Guards the state and its counts; held for nanoseconds, taken alone.
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    consecutive_failures: u32,
    /// How often it opened since it was last closed; decides how long it stays open.
    times_opened: u32,
    window: Window,
}

#[derive(Debug)]
enum Phase {
    Closed,
    Open { until: Instant },
    HalfOpen { in_flight: u32, succeeded: u32, last_sent: Instant },
}

impl CircuitBreaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(config: BreakerConfig, now: Instant) -> Self {
        let window = Window::new(config.window, now);
        let inner = Inner { phase: Phase::Closed, consecutive_failures: 0, times_opened: 0, window };
        Self { config, is_closed: AtomicBool::new(true), is_well: AtomicBool::new(true), inner: Mutex::new(inner) }
    }

    /// Whether it is closed, told without a lock; what it tells may be a moment old.
    #[inline]
    pub fn is_surely_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Whether a success would tell nothing new: no failure is remembered. Told without a lock.
    #[inline]
    pub fn is_surely_well(&self) -> bool {
        self.is_well.load(Ordering::Relaxed)
    }

    /// Whether a request may go to the node. After [`Admission::Pass`] and [`Admission::Probe`] its outcome should be
    /// recorded; a probe whose outcome never comes is replaced after [`BreakerConfig::probe_patience`].
    pub fn admit(&self, now: Instant) -> Admission {
        if self.is_closed.load(Ordering::Relaxed) {
            return Admission::Pass;
        }
        let mut inner = self.inner.lock();
        match &mut inner.phase {
            Phase::Closed => Admission::Pass,
            Phase::Open { until } if now < *until => Admission::Refuse { retry_after: *until - now },
            Phase::Open { .. } => {
                inner.phase = Phase::HalfOpen { in_flight: 1, succeeded: 0, last_sent: now };
                Admission::Probe
            }
            Phase::HalfOpen { in_flight, succeeded, last_sent } => {
                let lost_at = *last_sent + self.config.probe_patience;
                if now >= lost_at {
                    *in_flight = 0;
                }
                if *in_flight + *succeeded < self.config.probes.max(1) {
                    *in_flight += 1;
                    *last_sent = now;
                    return Admission::Probe;
                }
                Admission::Refuse { retry_after: lost_at.saturating_duration_since(now) }
            }
        }
    }

    /// Records that the node answered. An error reply of the command (wrong type, syntax) is an answer too.
    pub fn record_success(&self, now: Instant) {
        let mut inner = self.inner.lock();
        inner.consecutive_failures = 0;
        match &mut inner.phase {
            Phase::Closed => {
                inner.window.record(true, now);
                if inner.window.totals().1 == 0 {
                    self.is_well.store(true, Ordering::Relaxed);
                }
            }
            // An answer to a request that was sent before it opened: not a probe's.
            Phase::Open { .. } => {}
            Phase::HalfOpen { in_flight, succeeded, .. } => {
                *in_flight = in_flight.saturating_sub(1);
                *succeeded += 1;
                if *succeeded >= self.config.probes {
                    inner.phase = Phase::Closed;
                    inner.times_opened = 0;
                    inner.window = Window::new(self.config.window, now);
                    self.is_closed.store(true, Ordering::Relaxed);
                }
            }
        }
    }

    /// Records that the node did not answer: the connection failed, or the deadline passed.
    pub fn record_failure(&self, now: Instant, rng: &mut fastrand::Rng) {
        let mut inner = self.inner.lock();
        self.is_well.store(false, Ordering::Relaxed);
        match inner.phase {
            Phase::Closed => {
                inner.consecutive_failures += 1;
                inner.window.record(false, now);
                if self.should_open(&inner) {
                    self.open(&mut inner, now, rng);
                }
            }
            // Requests that were under way when it opened fail one after the other: they say nothing new.
            Phase::Open { .. } => {}
            Phase::HalfOpen { .. } => self.open(&mut inner, now, rng),
        }
    }

    /// The state at a time: an open breaker whose time is over counts as half open.
    #[must_use]
    pub fn state(&self, now: Instant) -> BreakerState {
        match self.inner.lock().phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { until } if now < until => BreakerState::Open,
            Phase::Open { .. } | Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    fn should_open(&self, inner: &Inner) -> bool {
        let (requests, failures) = inner.window.totals();
        let is_rate_high = requests >= self.config.requests_min.max(1)
            && f64::from(failures) >= self.config.error_rate * f64::from(requests);
        is_rate_high || inner.consecutive_failures >= self.config.consecutive_failures.max(1)
    }

    fn open(&self, inner: &mut Inner, now: Instant, rng: &mut fastrand::Rng) {
        let factor = 1u32.checked_shl(inner.times_opened).unwrap_or(u32::MAX);
        let open_for =
            self.config.open_first.checked_mul(factor).unwrap_or(Duration::MAX).min(self.config.open_longest);
        // Between three quarters and the whole: the clients of a node must not come back in the same moment.
        let open_for = open_for.mul_f64(0.75 + 0.25 * rng.f64());
        inner.times_opened = inner.times_opened.saturating_add(1);
        inner.consecutive_failures = 0;
        inner.phase = Phase::Open { until: now + open_for };
        self.is_closed.store(false, Ordering::Relaxed);
    }
}

/// Requests and failures of the last while, in [`PARTS`] parts that are reused in turn.
#[derive(Debug)]
struct Window {
    part_length: Duration,
    parts: [(u32, u32); PARTS],
    at: usize,
    at_began: Instant,
}

impl Window {
    fn new(length: Duration, now: Instant) -> Self {
        let part_length = (length / PARTS as u32).max(Duration::from_micros(1));
        Self { part_length, parts: [(0, 0); PARTS], at: 0, at_began: now }
    }

    fn record(&mut self, is_success: bool, now: Instant) {
        let passed = now.saturating_duration_since(self.at_began).as_nanos() / self.part_length.as_nanos();
        if passed >= PARTS as u128 {
            *self = Self { parts: [(0, 0); PARTS], at_began: now, ..*self };
        } else {
            for _ in 0..passed {
                self.at = (self.at + 1) % PARTS;
                self.parts[self.at] = (0, 0);
                self.at_began += self.part_length;
            }
        }
        let (requests, failures) = &mut self.parts[self.at];
        *requests = requests.saturating_add(1);
        *failures = failures.saturating_add(u32::from(!is_success));
    }

    fn totals(&self) -> (u32, u32) {
        self.parts.iter().fold((0, 0), |(requests, failures), part| {
            (requests.saturating_add(part.0), failures.saturating_add(part.1))
        })
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
