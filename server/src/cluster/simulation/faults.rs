//! What goes wrong in a run.

use std::collections::BTreeSet;

use super::{
    partition::cut_in_two,
    world::{Asks, Options, World},
};
use crate::config::cluster::{PartitionPolicy, ReadFrom};

/// The kinds of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    /// One thing at a time, and the cluster settles before the next: nobody sees an error, and every key is linearizable.
    Calm,
    /// Anything at any time, but never a majority of crashes.
    Rough,
    /// A node is cut off from all others for a while, takes over what it can, and comes back: the others' clients see
    /// nothing of it.
    Isolation,
    /// The cluster is cut in two, and who has no majority refuses writes: nothing that anybody was told is done is lost.
    Majority,
    /// As `Calm`, with commands and transactions on several keys, and pipelines.
    Several,
    /// As `Calm`, with copies that answer reads.
    Copies,
}

/// How long a cluster may take to be as it should be.
pub(super) const SETTLE_MS: u64 = 60_000;
const HOUR_MS: i64 = 3_600_000;

impl Scenario {
    pub(super) fn options(self, random: &mut fastrand::Rng) -> Options {
        let write_acks = if self == Self::Rough { random.usize(..2) } else { 1 };
        let skew_ms_max = if random.bool() { random.i64(0..2_000) } else { 0 };
        let copies = 1 + usize::from(random.u8(..4) == 0);
        let options = Options { write_acks, skew_ms_max, copies, ..Options::default() };
        match self {
            Self::Majority => {
                let write_acks = random.usize(1..=copies);
                let asks = if random.bool() { Asks::Several } else { Asks::One };
                Options { write_acks, asks, policy: PartitionPolicy::Majority, ..options }
            }
            Self::Several => Options { asks: Asks::Several, ..options },
            Self::Copies => {
                let read_from = if random.bool() { ReadFrom::Replica } else { ReadFrom::Nearest };
                Options { read_from, ..options }
            }
            Self::Calm | Self::Rough | Self::Isolation => options,
        }
    }

    pub(super) fn play(self, world: &mut World) {
        world.settle(SETTLE_MS);
        world.be_strict(matches!(self, Self::Calm | Self::Several | Self::Copies));
        let faults = world.random.usize(2..4);
        for _ in 0..faults {
            match self {
                Self::Calm | Self::Several | Self::Copies => calm(world),
                Self::Rough => rough(world),
                Self::Isolation => isolation(world),
                Self::Majority => cut_in_two(world),
            }
        }
        world.heal();
        world.restart_all();
        world.settle(SETTLE_MS);
        world.let_clients(false);
        world.check_copies();
        if self != Self::Rough && !world.is_lossy {
            world.check_histories();
        }
        assert!(world.history.answered > 100, "too little was asked to show anything: {}", world.history.answered);
    }
}

fn calm(world: &mut World) {
    let host = world.some_host();
    match world.random.u8(..8) {
        0 | 1 => drop(world.crash(host)),
        2 => world.leave(host),
        3 => world.join(),
        4 => {
            if world.crash(host) {
                let ms = world.random.u64(100..4_000);
                world.run(ms);
                world.restart_all();
            }
        }
        5 if world.may_miss_one() => {
            let ms = world.random.u64(100..3_500);
            world.freeze(host, ms);
            world.run(ms);
        }
        5 | 6 => {
            world.spoil_links(5, 20);
            for _ in 0..world.random.usize(1..6) {
                world.break_some_wire();
                let ms = world.random.u64(0..400);
                world.run(ms);
            }
        }
        _ => {
            // Farther, and a retry may find its first try forgotten: its client is told so.
            let skew_ms = world.random.i64(-5_000..5_000);
            world.set_clock(host, skew_ms);
        }
    }
    let ms = world.random.u64(200..2_000);
    world.run(ms);
    world.settle(SETTLE_MS);
    world.heal();
}

fn rough(world: &mut World) {
    for _ in 0..world.random.usize(1..4) {
        let host = world.some_host();
        match world.random.u8(..11) {
            0 | 1 => drop(world.crash(host)),
            2 => world.restart_all(),
            3 => world.join(),
            4 => world.leave(host),
            5 => {
                let ms = world.random.u64(500..8_000);
                world.freeze(host, ms);
            }
            6 | 7 => {
                let (side, is_one_way) = (some_side(world), world.random.u8(..4) == 0);
                world.cut_off(&side, is_one_way);
            }
            8 => world.spoil_links(20, 400),
            9 => {
                let skew_ms = world.random.i64(-HOUR_MS..HOUR_MS);
                world.set_clock(host, skew_ms);
            }
            _ => world.heal(),
        }
        world.break_some_wire();
        let ms = world.random.u64(50..3_000);
        world.run(ms);
    }
}

fn isolation(world: &mut World) {
    if !world.may_miss_one() {
        return;
    }
    let host = world.some_host();
    world.avoided.insert(host);
    // What its clients have under way is answered.
    world.run(500);
    let side = BTreeSet::from([host]);
    world.cut_off(&side, false);
    // Shorter and longer than it takes the others to hold it for dead, to take its slots over and to agree on that.
    let ms = world.random.u64(500..12_000);
    world.run(ms);
    world.heal();
    let ms = world.random.u64(0..3_000);
    world.run(ms);
    world.settle(SETTLE_MS);
    world.avoided.clear();
}

fn some_side(world: &mut World) -> BTreeSet<usize> {
    let hosts = world.hosts.len();
    let count = world.random.usize(1..hosts.max(2));
    (0..count).map(|_| world.random.usize(..hosts)).collect()
}
