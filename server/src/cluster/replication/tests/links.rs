//! Streams over connections.

use std::{
    future,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{
    io::{self, AsyncReadExt},
    time::sleep,
};

use super::*;
use crate::cluster::replication::{inbound::FORSAKEN_LOOKS, link};

/// How many bytes more each connection carries than the one before it, so that any frame comes through in the end.
const MORE_BYTES: u64 = 1500;

/// Has the first node's streams carried to the second, over connections that break after as many bytes as `len_max` says of
/// each, by its number. Answers how many there were.
fn connect(world: &World, len_max: fn(u64) -> u64) -> Arc<AtomicU64> {
    let (owner, receiver) = (world.id(0), world.0[1].replication.clone());
    let connections = Arc::new(AtomicU64::new(0));
    for stream in world.0[0].replication.streams() {
        let (receiver, connections) = (receiver.clone(), connections.clone());
        let named = (stream.stream, stream.session);
        let dial = move |_| {
            let (near, far) = io::duplex(4096);
            let (receiver, len_max) = (receiver.clone(), len_max(connections.fetch_add(1, Ordering::Relaxed)));
            tokio::spawn(async move {
                let (reader, writer) = io::split(far);
                link::receive(&receiver, owner, named, io::join(reader.take(len_max), writer)).await
            });
            future::ready(Ok::<_, io::Error>(near))
        };
        tokio::spawn(link::keep_sending(world.0[0].replication.clone(), stream, dial));
    }
    connections
}

#[tokio::test(start_paused = true)]
async fn a_stream_survives_connections_that_break() {
    let slot = slot_of(b"{t}");
    let mut world = World::new(2, 1);
    world.begin(slot);
    world.0[0].run("SET {t}a 1");
    let copy = world.id(1);
    world.0[0].plane.start_copy(slot, copy);
    world.0[0].move_all();
    let connections = connect(&world, |before| MORE_BYTES * (1 + before));
    // In virtual time, which passes only when nobody has anything to do.
    for number in 0..50 {
        world.0[0].run(&format!("SET {{t}}{number} {}", "v".repeat(3000)));
        sleep(Duration::from_millis(17)).await;
    }
    sleep(Duration::from_secs(60)).await;
    assert!(connections.load(Ordering::Relaxed) > 5, "{connections:?}");
    world.assert_same(slot, 0, 1, "after many connections");
    assert_eq!(world.0[0].events(), [PlaneEvent::CopySynced { slot, epoch: 1, to: copy }]);
}

/// Two keys of slots whose effects travel in one stream.
const KEYS: [&str; 2] = ["{b}k", "{f}k"];

fn slots() -> [u16; 2] {
    KEYS.map(|key| slot_of(key.as_bytes()))
}

/// Has the first node begin copies of these slots on the second, over connections that last. No row names them.
fn begin_copies(world: &mut World, slots: &[u16]) {
    let copy = world.id(1);
    slots.iter().for_each(|slot| world.0[0].plane.start_copy(*slot, copy));
    world.0[0].move_all();
    connect(world, |_| u64::MAX);
}

/// Two nodes of which the second has copies that no row names.
async fn with_unlisted_copies() -> World {
    let mut world = World::new(2, 1);
    slots().iter().for_each(|slot| world.begin(*slot));
    KEYS.iter().for_each(|key| drop(world.0[0].run(&format!("SET {key} 1"))));
    begin_copies(&mut world, &slots());
    seconds(&world, 1).await;
    slots().iter().for_each(|slot| world.assert_same(*slot, 0, 1, "once begun"));
    world
}

/// Lets so many seconds pass, with what the nodes do once in each.
async fn seconds(world: &World, count: u8) {
    for _ in 0..count {
        world.0.iter().for_each(|node| node.replication.beat(NOW_MS));
        sleep(Duration::from_secs(1)).await;
    }
}

/// The first node takes the second for dead, which hears nothing of that.
async fn lose_sight(world: &World) {
    let copy = world.id(1);
    world.0[0].replication.close_peer(&copy);
    sleep(Duration::from_secs(1)).await;
}

/// How many keys the second node holds of each slot.
fn held(world: &World) -> [usize; 2] {
    slots().map(|slot| world.0[1].content(slot).len())
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_no_row_names_stays_while_its_owner_feeds_it() {
    let mut world = with_unlisted_copies().await;
    for _ in 0..3 {
        seconds(&world, FORSAKEN_LOOKS).await;
        KEYS.iter().for_each(|key| drop(world.0[0].run(&format!("INCR {key}"))));
    }
    seconds(&world, 1).await;
    slots().iter().for_each(|slot| world.assert_same(*slot, 0, 1, "much later"));
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_no_row_names_is_dropped_a_while_after_its_owner_lost_sight_of_it() {
    let world = with_unlisted_copies().await;
    lose_sight(&world).await;
    seconds(&world, FORSAKEN_LOOKS - 1).await;
    assert_eq!(held(&world), [1, 1], "its owner may come back");
    seconds(&world, 1).await;
    assert_eq!(held(&world), [0, 0]);
    for slot in slots() {
        assert!(!world.0[1].node.cluster.routing.is_copy(slot));
        assert_eq!(world.0[1].plane.position(slot), Default::default());
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_a_row_names_stays_without_its_owner() {
    let mut world = with_unlisted_copies().await;
    let owner = world.id(0);
    world.0[1].plane.follow(slots()[0], 1, Some(owner), Follow::Copy);
    lose_sight(&world).await;
    seconds(&world, 3 * FORSAKEN_LOOKS).await;
    assert_eq!(held(&world), [1, 0]);
    world.0[1].plane.own(slots()[0], 2, Start::Warm, &[]);
    assert_eq!(world.0[1].run(&format!("GET {}", KEYS[0])), "$1|1|");
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_comes_back_keeps_only_the_copies_that_it_begins_anew() {
    let mut world = with_unlisted_copies().await;
    lose_sight(&world).await;
    begin_copies(&mut world, &slots()[..1]);
    seconds(&world, 2 * FORSAKEN_LOOKS).await;
    assert_eq!(held(&world), [1, 0]);
    world.0[0].run(&format!("INCR {}", KEYS[0]));
    seconds(&world, 1).await;
    world.assert_same(slots()[0], 0, 1, "begun anew");
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_no_row_names_is_dropped_a_while_after_its_stream_overflowed() {
    let mut world = with_unlisted_copies().await;
    world.0[0].replication.streams().iter().for_each(|stream| stream.break_off());
    assert_eq!(world.0[0].events().iter().filter(|event| matches!(event, PlaneEvent::CopyLost { .. })).count(), 2);
    let copy = world.id(1);
    world.0[0].plane.start_copy(slots()[0], copy);
    world.0[0].move_all();
    seconds(&world, FORSAKEN_LOOKS - 1).await;
    assert_eq!(held(&world), [1, 1]);
    seconds(&world, FORSAKEN_LOOKS).await;
    assert_eq!(held(&world), [1, 0]);
}
