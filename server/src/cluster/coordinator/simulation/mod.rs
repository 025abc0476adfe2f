//! Whole clusters of coordinators in one thread, with a model of the data plane and of the network, driven by a seed.
//!
//! | module | holds |
//! |---|---|
//! | `plane` | a data plane that keeps of each slot the list of its writes |
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
mod plane;
mod world;

use std::collections::BTreeSet;

use rondache_protocol::slot::SLOTS;

use self::{
    faults::Scenario,
    world::{Options, World},
};
use crate::cluster::simulation::seeds;

/// Seeds that found a bug once, of the coordinator or of the model.
const REGRESSIONS: [u64; 23] = [
    42, 89, 127, 152, 160, 181, 263, 267, 304, 353, 355, 375, 380, 874, 1_000_017, 1_000_080, 1_000_186, 1_000_725,
    1_000_847, 1_000_908, 1_001_912, 2_000_019, 2_000_058,
];
/// How many seeds of each scenario run where nobody asks for more.
const SEEDS: u64 = 12;

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

fn run_all(number: u64, scenario: Scenario) {
    seeds::run_all(number, &REGRESSIONS, SEEDS, |seed| _ = run(seed, scenario));
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
fn a_node_that_was_cut_off_costs_the_majority_nothing_when_it_comes_back() {
    run_all(2, Scenario::Isolation);
}

#[test]
fn all_slots_of_a_real_table_move_within_seconds_by_real_plans() {
    let options = Options { slots: SLOTS, starts_max: 1_000, is_sticky: true, ..Options::default() };
    let mut world = World::new(1, options);
    world.is_strict = true;
    world.start(3);
    world.settle(10_000);
    world.join();
    world.settle(10_000);
    world.crash(1);
    world.settle(10_000);
    world.leave(0);
    world.settle(10_000);
}

/// How long after the end of a cut everything is where it is to be: a second passes before provisional claims are made
/// firm, the rest is moving a third of the slots.
const AGREED_AFTER_HEAL_MS: u64 = 4_000;

#[test]
fn a_node_that_comes_back_is_agreed_upon_within_seconds_and_costs_the_others_no_copy() {
    let mut world = World::new(1, Options { slots: 1_024, starts_max: 64, ..Options::default() });
    world.start(3);
    world.settle(10_000);
    world.cut_off(&BTreeSet::from([2]), false);
    world.run(10_000);
    let lost = world.copies_lost(&[0, 1]);
    world.heal();
    world.settle(AGREED_AFTER_HEAL_MS);
    assert_eq!(world.copies_lost(&[0, 1]), lost, "copies that two nodes made of each other's slots");
}

#[test]
fn a_node_that_leaves_hands_each_slot_over_once() {
    for seed in 0..8 {
        let mut world = World::new(seed, Options::default());
        world.start(4);
        world.settle(10_000);
        let (before, owned) = (world.handovers(0), world.owned(2));
        world.leave(2);
        world.settle(10_000);
        assert_eq!(world.handovers(0) - before, owned, "seed {seed}: slots that were handed back");
    }
}

#[test]
fn one_seed_gives_one_trace() {
    assert_eq!(run(7, Scenario::Rough), run(7, Scenario::Rough));
    assert_ne!(run(7, Scenario::Rough), run(8, Scenario::Rough));
}
