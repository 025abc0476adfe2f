//! Which seeds a simulation runs: a few, those that found a bug once, or those that the environment names.

use std::{env, panic};

/// Seeds of one scenario; the next one's begin behind them.
const PER_SCENARIO: u64 = 1_000_000;

/// The seeds of the scenario of that number: `RONDACHE_SIM_SEED` alone, else the `regressions` of it, and
/// `RONDACHE_SIM_SEEDS` others (`usual`, where nobody asks for more).
fn seeds(scenario: u64, regressions: &[u64], usual: u64) -> Vec<u64> {
    let number = |name: &str| env::var(name).ok().and_then(|value| value.parse().ok());
    if let Some(seed) = number("RONDACHE_SIM_SEED") {
        return if seed / PER_SCENARIO == scenario { vec![seed] } else { Vec::new() };
    }
    let first = scenario * PER_SCENARIO;
    let count = number("RONDACHE_SIM_SEEDS").unwrap_or(usual);
    let known = regressions.iter().copied().filter(|seed| seed / PER_SCENARIO == scenario);
    known.chain(first..first + count).collect()
}

/// Runs all seeds of a scenario, so that one failure does not hide others.
pub(in crate::cluster) fn run_all(
    scenario: u64,
    regressions: &[u64],
    usual: u64,
    run: impl Fn(u64) + panic::RefUnwindSafe,
) {
    let fails = |seed: &u64| panic::catch_unwind(|| run(*seed)).is_err();
    let failed: Vec<u64> = seeds(scenario, regressions, usual).into_iter().filter(fails).collect();
    assert!(failed.is_empty(), "seeds that failed: {failed:?}");
}

/// Whether the steps of a run are to be shown.
pub(in crate::cluster) fn shows_steps() -> bool {
    env::var_os("RONDACHE_SIM_TRACE").is_some()
}
