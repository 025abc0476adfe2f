//! Whole clusters of coordinators in one thread, with a model of the data plane and of the network, driven by a seed.
//!
//! | module | holds |
//! |---|---|
//! | `plane` | a data plane that keeps of each slot the list of its writes |
//! | `network` | links: delay, order, loss, cuts |
//! | `members` | what a membership protocol would make each node believe |
//! | `world` | the nodes, and what happens in which order |
//! | `faults` | what goes wrong in a run |
//! | `checks` | what must hold |
//!
//! `RONDACHE_SIM_SEEDS=500 cargo test -p rondache-server coordinator::simulation` runs many seeds; one seed gives one
//! trace, so `RONDACHE_SIM_SEED=123` runs that one again.

mod checks;
mod faults;
mod members;
mod network;
mod plane;
mod world;

use std::{env, panic};

use self::{
    faults::Scenario,
    world::{Options, World},
};

/// Seeds that found a bug once.
const REGRESSIONS: [u64; 0] = [];
const SEEDS: u64 = 12;

fn seeds(scenario: u64) -> Vec<u64> {
    let number = |name: &str| env::var(name).ok().and_then(|value| value.parse().ok());
    if let Some(seed) = number("RONDACHE_SIM_SEED") {
        return vec![seed];
    }
    let first = scenario * 1_000_000;
    let count = number("RONDACHE_SIM_SEEDS").unwrap_or(SEEDS);
    REGRESSIONS.into_iter().filter(|seed| seed / 1_000_000 == scenario).chain(first..first + count).collect()
}

/// Runs one cluster through its faults, and answers its trace.
fn run(seed: u64, scenario: Scenario) -> u64 {
    let mut world = World::new(seed, Options::default());
    world.start(3 + (seed % 3) as usize);
    scenario.play(&mut world);
    world.heal();
    world.settle(60_000);
    world.check_settled(scenario.loses_nothing());
    world.trace()
}

/// Runs all seeds, so that one failure does not hide others.
fn run_all(number: u64, scenario: Scenario) {
    let fails = |seed: &u64| panic::catch_unwind(|| run(*seed, scenario)).is_err();
    let failed: Vec<u64> = seeds(number).into_iter().filter(fails).collect();
    assert!(failed.is_empty(), "seeds that failed: {failed:?}");
}

#[test]
fn single_deaths_joins_and_leaves_lose_nothing_and_never_give_a_slot_two_owners() {
    run_all(0, Scenario::Calm);
}

#[test]
fn a_cluster_comes_together_after_crashes_freezes_and_partitions() {
    run_all(1, Scenario::Rough);
}

#[test]
fn one_seed_gives_one_trace() {
    assert_eq!(run(7, Scenario::Rough), run(7, Scenario::Rough));
    assert_ne!(run(7, Scenario::Rough), run(8, Scenario::Rough));
}
