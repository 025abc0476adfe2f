//! When to refresh a value before it expires: probabilistic early expiration.
//!
//! From A. Vattani, F. Chierichetti, K. Lowenstein: *Optimal Probabilistic Cache Stampede Prevention*, PVLDB 8(8), 2015
//! (the algorithm XFetch). Each reader draws how early it takes the value for expired; the draw is exponential, with the
//! time that loading takes as its scale. Readers everywhere thereby elect, without talking to each other, about one who
//! refreshes a hot value just before the others would find it gone.

/// Whether a reader should refresh now: `now + load_time × beta × −ln(draw) ≥ deadline`, for a `draw` evenly
/// distributed in (0, 1].
///
/// `beta` is 1 in the paper's optimum; more refreshes earlier, 0 never early.
pub(crate) fn is_due(now_ms: u64, deadline_ms: u64, load_time_us: u32, beta: f64, draw: f64) -> bool {
    if now_ms >= deadline_ms {
        return true;
    }
    let lead_ms = f64::from(load_time_us) / 1000.0 * beta * -draw.max(f64::MIN_POSITIVE).ln();
    // False for a beta that is no number.
    lead_ms >= (deadline_ms - now_ms) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn readers_refresh_earlier_the_longer_loading_takes() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut share =
            |load_time_us| (0..10_000).filter(|_| is_due(900, 1000, load_time_us, 1.0, 1.0 - rng.f64())).count();
        // P(−ln(u) × 50 ms ≥ 100 ms) = e⁻² = 13.5 %; with 100 ms it is e⁻¹ = 36.8 %.
        let (quick, slow) = (share(50_000), share(100_000));
        assert!((1250..1460).contains(&quick), "{quick}");
        assert!((3530..3830).contains(&slow), "{slow}");
    }

    #[test]
    fn about_one_of_many_readers_refreshes_before_the_deadline_of_a_hot_key() {
        // A reader each millisecond, loads of 20 ms. After the first draw that is due, a refresh takes 20 ms: count the
        // runs in which the deadline passes before the refresh is done.
        let (mut rng, mut late) = (fastrand::Rng::with_seed(2), 0);
        for _ in 0..1000 {
            let first = (0..1000u64).find(|now| is_due(*now, 1000, 20_000, 1.0, 1.0 - rng.f64()));
            late += u32::from(first.is_none_or(|at| at + 20 > 1000));
        }
        assert!(late < 20, "{late} of 1000 refreshes came late");
    }

    #[test]
    fn a_beta_of_zero_never_refreshes_early() {
        assert!(!is_due(999, 1000, u32::MAX, 0.0, 1e-300));
        assert!(is_due(1000, 1000, 0, 0.0, 1.0));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(now: u64, deadline: u64, load: u32, beta: f64, draw: f64) {
            let _ = is_due(now, deadline, load, beta, draw);
        }
    }
}
