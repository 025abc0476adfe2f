//! What goes wrong in a run.

use std::collections::BTreeSet;

use super::world::World;

/// The kinds of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    /// One thing at a time: a node dies, restarts, joins or leaves, and the cluster settles before the next.
    Calm,
    /// Anything at any time, but never a majority of crashes.
    Rough,
    /// A node is cut off from all others for a while, takes over what it can, and comes back.
    Isolation,
}

impl Scenario {
    /// Whether nothing that a copy had acknowledged may be lost.
    pub(super) fn loses_nothing(self) -> bool {
        self != Self::Rough
    }

    pub(super) fn play(self, world: &mut World) {
        world.is_strict = self == Self::Calm;
        world.settle(60_000);
        let faults = world.random.usize(4..9);
        for _ in 0..faults {
            match self {
                Self::Calm => calm(world),
                Self::Rough => rough(world),
                Self::Isolation => isolation(world),
            }
        }
    }
}

fn calm(world: &mut World) {
    let busy_ms = world.random.u64(0..3_000);
    match world.random.u8(..4) {
        0 => world.crash(world.some_host()),
        1 => world.leave(world.some_host()),
        2 => world.join(),
        _ => {
            let host = world.some_host();
            world.crash(host);
            world.run(world.random.clone().u64(100..4_000));
            world.restart(host);
        }
    }
    // A join may be under way when the next death comes: only deaths must not follow each other too soon.
    world.run(busy_ms);
    world.settle(60_000);
    if world.random.bool() {
        world.join();
        let while_moving_ms = world.random.u64(0..1_500);
        world.run(while_moving_ms);
    }
}

fn rough(world: &mut World) {
    match world.random.u8(..10) {
        0 | 1 => world.crash(world.some_host()),
        2 => world.restart_all(),
        3 => world.join(),
        4 => world.leave(world.some_host()),
        5 => {
            let ms = world.random.u64(500..8_000);
            world.freeze(world.some_host(), ms);
        }
        6 | 7 => {
            let (side, is_one_way) = (some_side(world), world.random.u8(..4) == 0);
            world.cut_off(&side, is_one_way);
        }
        8 => world.spoil_links(),
        _ => world.heal(),
    }
    let ms = world.random.u64(50..8_000);
    world.run(ms);
}

fn isolation(world: &mut World) {
    let side = BTreeSet::from([world.some_host()]);
    world.cut_off(&side, false);
    // Longer than it takes the others to hold it for dead, to take its slots over and to agree on that.
    let ms = world.random.u64(4_000..20_000);
    world.run(ms);
    world.heal();
    let ms = world.random.u64(0..3_000);
    world.run(ms);
    world.settle(60_000);
}

fn some_side(world: &mut World) -> BTreeSet<usize> {
    let hosts = world.hosts();
    let count = world.random.usize(1..hosts.max(2));
    let mut side = BTreeSet::new();
    for _ in 0..count {
        side.insert(world.random.usize(..hosts));
    }
    side
}
