//! A cluster that is cut in two under `partition-policy majority`, with clients on both sides, and what its minority may say.

use std::collections::{BTreeMap, BTreeSet};

use rondache_linearizable::Action;

use super::{
    clients::{Subject, Told},
    faults::SETTLE_MS,
    world::World,
};

/// So long after a cut every member has noticed that it has no majority.
const NOTICED_MS: u64 = 6_000;

/// A part of the nodes, half of them at most, is cut off for a while.
pub(super) fn cut_in_two(world: &mut World) {
    let hosts = world.staying();
    let count = world.random.usize(1..=hosts.len() / 2);
    let side = BTreeSet::from_iter(world.random.choose_multiple(hosts.iter().copied(), count));
    let without_majority = if count * 2 < hosts.len() { side.clone() } else { BTreeSet::from_iter(hosts) };
    world.is_lossy |= count > world.options.write_acks;
    let owners = world.executors();
    world.history.cut_off.clone_from(&without_majority);
    let cut_ms = world.now_ms;
    let is_one_way = world.random.u8(..4) == 0;
    world.cut_off(&side, is_one_way);
    let ms = world.random.u64(500..4 * NOTICED_MS);
    world.run(ms);
    world.heal();
    let healed_ms = world.now_ms;
    check_told(world, cut_ms + NOTICED_MS..healed_ms, &owners);
    let ms = world.random.u64(0..3_000);
    world.run(ms);
    world.settle(SETTLE_MS);
    world.history.cut_off.clear();
    world.history.told.clear();
}

/// Checks what clients of nodes without a majority were told, of what they asked for while all of these knew it: writes are
/// refused, and reads are served of what the node owned before, as of then.
fn check_told(world: &World, while_ms: std::ops::Range<u64>, owners: &BTreeMap<u16, usize>) {
    let mut values: BTreeMap<(usize, Subject), Action> = BTreeMap::new();
    for Told { host, ask, called_ms, told_ms, outcome } in &world.history.told {
        if !while_ms.contains(called_ms) || !while_ms.contains(told_ms) {
            continue;
        }
        let is_owner = ask.slots().iter().all(|slot| owners.get(slot) == Some(host));
        let is_right = match outcome {
            Err(error) => error.starts_with("CLUSTERDOWN ") && (ask.is_write() || !is_owner),
            Ok(_) if ask.is_write() => false,
            Ok(reads) => reads.iter().all(|(of, read)| *values.entry((*host, *of)).or_insert(*read) == *read),
        };
        if !is_right {
            world.fail(&format!(
                "host {host}, without a majority, answered {ask:?} of {called_ms} ms with {outcome:?} at {told_ms} ms; owners \
                 were {owners:?}, and read was {values:?}"
            ));
        }
    }
}
