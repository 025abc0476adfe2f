//! When requests are sent and when a run ends.

use std::time::Duration;

/// What ends a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stop {
    /// After so many requests.
    Requests(u64),
    /// After so long.
    After(Duration),
}

/// Hands out the requests of a run: as fast as replies come (closed loop), or at fixed times (open loop).
#[derive(Debug, Clone)]
pub struct Schedule {
    stop: Stop,
    /// Nanoseconds between requests in an open loop.
    interval_ns: Option<f64>,
    issued: u64,
}

impl Schedule {
    /// A schedule; `rate` is in requests per second and makes the loop open.
    pub fn new(stop: Stop, rate: Option<f64>) -> Self {
        Self { stop, interval_ns: rate.map(|rate| 1e9 / rate.max(1e-3)), issued: 0 }
    }

    /// Whether requests have times of their own.
    pub fn is_open(&self) -> bool {
        self.interval_ns.is_some()
    }

    /// How many of `wanted` requests may be issued now in a closed loop; counts them as issued.
    pub fn take(&mut self, wanted: u64, now_ns: u64) -> u64 {
        let allowed = match self.stop {
            Stop::Requests(total) => wanted.min(total - self.issued.min(total)),
            Stop::After(limit) if now_ns < limit.as_nanos() as u64 => wanted,
            Stop::After(_) => 0,
        };
        self.issued += allowed;
        allowed
    }

    /// The intended time of the next request in an open loop, if there is one left.
    pub fn next_due_ns(&self) -> Option<u64> {
        let due_ns = (self.issued as f64 * self.interval_ns?) as u64;
        let left = match self.stop {
            Stop::Requests(total) => self.issued < total,
            Stop::After(limit) => due_ns < limit.as_nanos() as u64,
        };
        left.then_some(due_ns)
    }

    /// Counts the request whose time [`Schedule::next_due_ns`] told as issued.
    pub fn advance(&mut self) {
        self.issued += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_loop_hands_out_exactly_its_requests() {
        let mut schedule = Schedule::new(Stop::Requests(10), None);
        assert_eq!(schedule.take(6, 0), 6);
        assert_eq!(schedule.take(6, 0), 4);
        assert_eq!(schedule.take(6, 0), 0);
    }

    #[test]
    fn a_timed_loop_stops_at_its_time() {
        let mut schedule = Schedule::new(Stop::After(Duration::from_secs(1)), None);
        assert_eq!(schedule.take(5, 999_999_999), 5);
        assert_eq!(schedule.take(5, 1_000_000_000), 0);
    }

    #[test]
    fn an_open_loop_has_fixed_times_however_late_it_runs() {
        let mut schedule = Schedule::new(Stop::After(Duration::from_secs(1)), Some(4.0));
        let mut times = Vec::new();
        while let Some(due_ns) = schedule.next_due_ns() {
            times.push(due_ns / 1_000_000);
            schedule.advance();
        }
        assert_eq!(times, [0, 250, 500, 750]);
    }
}
