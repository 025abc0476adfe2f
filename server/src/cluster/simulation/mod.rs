//! Whole nodes in one thread, under virtual time, with clients whose histories are judged: one seed gives one trace.
//!
//! | module | holds |
//! |---|---|
//! | `clients` | clients, and what they saw |
//! | `favourites` | a planner for few slots |
//! | `faults` | what goes wrong in a run |
//! | `network` | links: delay, order, loss, cuts |
//! | `node` | the parts of one node, put together |
//! | `partition` | a cluster that is cut in two, and what its minority may say |
//! | `seeds` | which seeds run |
//! | `wires` | connections, which are whole and in order, or broken |
//! | `world` | the hosts, what happens in which order, and what must hold |
//!
//! *Real*: `membership::core`, the coordinator with its settings, routes, the guard, replication with its streams, mover and
//! appliers, the store, sessions and batches (`net::entry`, `net::running`), waves and links, `forward::owner`'s `Serving`, and
//! withheld replies, whose timers run in a paused tokio runtime. All clocks of the node are the simulation's:
//! `node::clock::simulated`.
//!
//! *Modelled*: the network, with connections that are whole and in order or broken; what `runtime/`, `thread/` and
//! `replication::link` do between these parts and sockets, their timers included (no reports, no settings that spread, no
//! seeds that found a cluster: the first host does); the bus port's gate; threads, which here have their turns one after the
//! other; the planner, since real plans are for 16384 slots. Clients send GET, SET, INCR and DEL; where a scenario says so,
//! MGET, MSET and DEL of several slots, transactions on a pair of keys, and pipelines. Nothing blocks.
//!
//! `RONDACHE_SIM_SEEDS=500 cargo test -p rondache-server --lib cluster::simulation` runs many seeds; `RONDACHE_SIM_SEED=123`
//! runs one again, and `RONDACHE_SIM_TRACE=1` shows its steps.

mod clients;
mod faults;
pub(super) mod favourites;
pub(super) mod network;
mod node;
mod partition;
pub(super) mod seeds;
mod wires;
mod world;

use self::{faults::Scenario, world::World};

/// Seeds that found a bug once.
const REGRESSIONS: [u64; 21] = [
    25, 39, 41, 420, 578, 1196, 1225, 1_000_030, 1_000_034, 1_000_561, 1_000_692, 1_000_695, 2_000_006, 2_000_040,
    2_000_331, 2_000_347, 2_000_414, 2_000_419, 3_000_060, 3_000_067, 3_000_084,
];
/// How many seeds of each scenario run where nobody asks for more.
const SEEDS: u64 = 4;

/// Runs one cluster through its faults, and answers its trace.
fn run(seed: u64, scenario: Scenario) -> u64 {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::new(seed, scenario.options(&mut random));
    world.start(random.usize(3..6));
    scenario.play(&mut world);
    world.trace()
}

fn run_all(number: u64, scenario: Scenario) {
    seeds::run_all(number, &REGRESSIONS, SEEDS, |seed| _ = run(seed, scenario));
}

#[test]
fn clients_see_one_value_per_key_and_no_error_while_one_thing_goes_wrong_at_a_time() {
    run_all(0, Scenario::Calm);
}

#[test]
fn nodes_come_together_and_copies_hold_what_owners_hold_after_anything() {
    run_all(1, Scenario::Rough);
}

#[test]
fn clients_of_the_majority_see_nothing_of_a_node_that_was_cut_off() {
    run_all(2, Scenario::Isolation);
}

#[test]
fn nothing_that_anybody_was_told_is_lost_in_a_cluster_cut_in_two_whose_minority_refuses_writes() {
    run_all(3, Scenario::Majority);
}

#[test]
fn what_clients_ask_of_several_keys_or_at_once_is_done_as_if_nothing_went_wrong() {
    run_all(4, Scenario::Several);
}

#[test]
fn copies_answer_reads_with_what_was_there_a_moment_ago() {
    run_all(5, Scenario::Copies);
}

#[test]
fn one_seed_gives_one_trace() {
    assert_eq!(run(1_000_007, Scenario::Rough), run(1_000_007, Scenario::Rough));
    assert_ne!(run(1_000_007, Scenario::Rough), run(1_000_008, Scenario::Rough));
}
