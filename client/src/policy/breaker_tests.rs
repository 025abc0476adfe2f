//! The breaker's tests, in virtual time.

use super::*;
use proptest::prelude::*;

const MS: Duration = Duration::from_millis(1);

struct Bench {
    breaker: CircuitBreaker,
    now: Instant,
    rng: fastrand::Rng,
}

impl Bench {
    fn new() -> Self {
        let now = Instant::now();
        let breaker = CircuitBreaker::new(BreakerConfig::default(), now);
        Self { breaker, now, rng: fastrand::Rng::with_seed(7) }
    }

    fn fail(&mut self, times: u32) {
        (0..times).for_each(|_| self.breaker.record_failure(self.now, &mut self.rng));
    }

    fn succeed(&mut self, times: u32) {
        (0..times).for_each(|_| self.breaker.record_success(self.now));
    }

    fn admit(&self) -> Admission {
        self.breaker.admit(self.now)
    }

    fn state(&self) -> BreakerState {
        self.breaker.state(self.now)
    }
}

#[test]
fn five_failures_in_a_row_open_it() {
    let mut bench = Bench::new();
    bench.fail(4);
    assert_eq!(bench.admit(), Admission::Pass);
    bench.fail(1);
    assert!(matches!(bench.admit(), Admission::Refuse { .. }));
}

#[test]
fn a_success_between_failures_keeps_it_closed_while_the_rate_is_low() {
    let mut bench = Bench::new();
    for _ in 0..30 {
        bench.succeed(9);
        bench.fail(4);
    }
    assert_eq!(bench.state(), BreakerState::Closed);
}

#[test]
fn half_of_the_requests_failing_opens_it() {
    let mut bench = Bench::new();
    for _ in 0..10 {
        bench.succeed(1);
        bench.fail(1);
    }
    assert_eq!(bench.state(), BreakerState::Open);
}

#[test]
fn failures_older_than_the_window_do_not_count() {
    let mut bench = Bench::new();
    bench.succeed(1);
    bench.fail(4);
    bench.succeed(1);
    bench.fail(4);
    bench.now += 11_000 * MS;
    bench.succeed(10);
    bench.fail(4);
    bench.succeed(2);
    bench.fail(4);
    assert_eq!(bench.state(), BreakerState::Closed);
}

#[test]
fn when_its_time_is_over_it_lets_three_probes_through() {
    let mut bench = Bench::new();
    bench.fail(5);
    bench.now += 250 * MS;
    for _ in 0..3 {
        assert_eq!(bench.admit(), Admission::Probe);
    }
    assert!(matches!(bench.admit(), Admission::Refuse { .. }));
    bench.succeed(3);
    assert_eq!(bench.admit(), Admission::Pass);
}

#[test]
fn a_failed_probe_opens_it_for_longer() {
    let mut bench = Bench::new();
    bench.fail(5);
    bench.now += 250 * MS;
    assert_eq!(bench.admit(), Admission::Probe);
    bench.fail(1);
    bench.now += 374 * MS;
    assert_eq!(bench.state(), BreakerState::Open);
    bench.now += 126 * MS;
    assert_eq!(bench.state(), BreakerState::HalfOpen);
}

#[test]
fn a_probe_that_was_cancelled_does_not_keep_it_half_open() {
    let mut bench = Bench::new();
    bench.fail(5);
    bench.now += 250 * MS;
    (0..3).for_each(|_| assert_eq!(bench.admit(), Admission::Probe));
    bench.now += 1000 * MS;
    assert_eq!(bench.admit(), Admission::Probe);
}

#[test]
fn late_failures_do_not_prolong_the_time_that_it_is_open() {
    let mut bench = Bench::new();
    bench.fail(5);
    bench.now += 249 * MS;
    bench.fail(100);
    bench.now += MS;
    assert_eq!(bench.admit(), Admission::Probe);
}

proptest! {
    #[test]
    fn it_never_refuses_for_longer_than_the_longest_time(steps in prop::collection::vec((0u8..3, 0u32..2000), 1..300)) {
        let mut bench = Bench::new();
        for (step, wait_ms) in steps {
            bench.now += wait_ms * MS;
            match step {
                0 => bench.fail(1),
                1 => bench.succeed(1),
                _ => if let Admission::Refuse { retry_after } = bench.admit() {
                    prop_assert!(retry_after <= BreakerConfig::default().open_longest);
                    let then = bench.breaker.admit(bench.now + retry_after);
                    prop_assert!(matches!(then, Admission::Pass | Admission::Probe));
                    bench.now += retry_after;
                }
            }
        }
    }
}
