//! What does not fit is refused, and the copy is made anew.

use rondache_protocol::bus::replicate::SlotPosition;

use super::*;
use crate::{
    cluster::plane::Position,
    store::replicate::outgoing::{Outgoing, UNACKED_BYTES_MAX},
};

const KEY: &str = "{t}k";

fn slot() -> u16 {
    slot_of(KEY.as_bytes())
}

fn with_copy() -> World {
    let mut world = World::new(2, 1);
    world.begin(slot());
    world.0[0].run(&format!("SET {KEY} 1"));
    world.copy(slot(), 0, 1);
    world
}

fn lost(world: &World) -> PlaneEvent {
    PlaneEvent::CopyLost { slot: slot(), epoch: 1, to: world.id(1) }
}

#[test]
fn only_a_whole_copy_has_a_position() {
    let mut world = with_copy();
    let at = world.0[0].plane.position(slot());
    assert_eq!(world.0[1].plane.position(slot()), at);
    let owner = world.id(0);
    world.0[1].plane.follow(slot(), 1, Some(owner), Follow::Forward);
    assert_eq!(world.0[1].plane.position(slot()), Position::default(), "it was dropped");
    world.0[1].node.store.control(slot(), |control| control.fill_begins(control_at(at))).expect("a new copy");
    assert_eq!(world.0[1].plane.position(slot()), Position::default(), "it has only begun");
}

fn control_at(at: Position) -> SlotPosition {
    SlotPosition { epoch: at.epoch, seq: at.seq }
}

#[test]
fn a_refusal_whose_connection_broke_is_told_over_the_next_one() {
    let mut world = with_copy();
    let owner = world.id(0);
    world.0[1].plane.follow(slot(), 1, Some(owner), Follow::Forward);
    world.0[0].run(&format!("SET {KEY} 2"));
    world.carry(0, 1, false);
    assert_eq!(world.0[0].events(), []);
    world.reconnect(0, 1);
    assert_eq!(world.0[0].events(), [lost(&world)]);
    let is_confirmed = |stream: &Arc<Outgoing>| stream.acked() > 0 && stream.is_applied(slot(), stream.acked());
    assert!(!world.0[0].replication.streams().iter().any(is_confirmed), "what was refused is confirmed");
    world.copy(slot(), 0, 1);
    world.reconnect(0, 1);
    assert_eq!(world.0[0].events(), [], "the refusal of the copy before is told no more");
    world.assert_same(slot(), 0, 1, "made anew");
}

#[test]
fn an_overflow_loses_the_copy_and_it_is_made_anew() {
    let mut world = with_copy();
    let big = "x".repeat(64 * 1024 * 1024);
    for _ in 0..=UNACKED_BYTES_MAX / big.len() + 1 {
        world.0[0].run(&format!("SET {KEY} {big}"));
    }
    assert_eq!(world.0[0].events(), [lost(&world)]);
    world.0[0].run(&format!("SET {KEY} 2"));
    world.copy(slot(), 0, 1);
    world.assert_same(slot(), 0, 1, "after the overflow");
}

#[test]
fn an_idle_slot_s_copy_is_lost_with_its_stream() {
    let mut world = with_copy();
    world.0[0].replication.streams().iter().for_each(|stream| stream.break_off());
    assert_eq!(world.0[0].events(), [lost(&world)]);
    world.copy(slot(), 0, 1);
    world.assert_same(slot(), 0, 1, "after the stream broke");
}

#[test]
fn a_copy_that_its_owner_takes_for_the_one_that_was_refused_before_it_is_dropped() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    world.0[0].run(&format!("SET {KEY} 1"));
    let (owner, copy) = (world.id(0), world.id(1));
    world.0[1].plane.follow(slot(), 3, Some(owner), Follow::Forward);
    for epoch in [2, 3] {
        world.0[0].plane.own(slot(), epoch, Start::Warm, &[]);
        world.0[0].plane.start_copy(slot(), copy);
        world.0[0].move_all();
    }
    world.0[0].events();
    world.pump_all();
    assert_eq!(world.0[0].events(), [PlaneEvent::CopyLost { slot: slot(), epoch: 3, to: copy }]);
    assert!(world.0[1].content(slot()).is_empty(), "one frame held both: the second stays, and nobody knows of it");
}

#[test]
fn what_an_earlier_owner_had_still_to_say_leaves_the_copy_of_a_later_one_alone() {
    let mut world = World::new(3, 1);
    world.begin(slot());
    world.copy(slot(), 0, 2);
    world.copy(slot(), 0, 1);
    world.0[0].run(&format!("SET {KEY} lost"));
    let (later, copy) = (world.id(2), world.id(1));
    world.0[1].plane.follow(slot(), 2, Some(later), Follow::Forward);
    world.0[2].plane.own(slot(), 2, Start::Warm, &[]);
    world.0[2].run(&format!("SET {KEY} kept"));
    world.0[2].plane.start_copy(slot(), copy);
    world.0[2].move_all();
    world.pump(2, 1);
    world.pump_all();
    assert!(world.0[0].events().contains(&lost(&world)), "the earlier owner is told");
    world.assert_same(slot(), 2, 1, "after the late effect");
    assert!(!world.0[1].content(slot()).is_empty());
}

#[test]
fn a_gap_is_refused() {
    let mut world = with_copy();
    // Somebody else's hands in the copy's state: it believes to be further back.
    world.0[1].node.store.control(slot(), |control| control.set_seq_for_test(0));
    world.0[0].run(&format!("INCR {KEY}"));
    world.pump_all();
    assert_eq!(world.0[0].events(), [lost(&world)]);
    assert!(world.0[1].content(slot()).is_empty());
    world.copy(slot(), 0, 1);
    world.assert_same(slot(), 0, 1, "after the gap");
}

#[test]
fn a_copy_that_differs_is_found_and_made_anew() {
    let mut world = with_copy();
    world.0[0].replication.compare([slot()], NOW_MS);
    world.pump_all();
    assert_eq!(world.0[0].events(), []);
    let copy = &mut world.0[1];
    let node = copy.node.clone();
    let circumstances = Circumstances { db: 0, now_ms: NOW_MS, client_id: 0, touch: false };
    let mut keyspace = Keyspace::new(&node.store, &NoObserver, circumstances);
    let key = keyspace.key(KEY.as_bytes());
    keyspace.hold_one(key.shard());
    keyspace.put_string(&key, b"wrong", crate::store::keyspace::Ttl::Clear);
    keyspace.release();
    world.0[0].replication.compare([slot()], NOW_MS);
    world.pump_all();
    assert_eq!(world.0[0].events(), [lost(&world)]);
    assert_eq!(world.0[1].replication.stats.diverged.load(std::sync::atomic::Ordering::Relaxed), 1);
    world.copy(slot(), 0, 1);
    world.assert_same(slot(), 0, 1, "after the comparison");
}

#[test]
fn a_node_that_owns_the_slot_refuses_to_be_its_copy() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    world.0[1].plane.own(slot(), 7, Start::Warm, &[]);
    world.0[1].run(&format!("SET {KEY} mine"));
    let copy = world.id(1);
    world.0[0].plane.start_copy(slot(), copy);
    world.0[0].move_all();
    world.pump_all();
    assert_eq!(world.0[0].events(), [lost(&world)]);
    assert_eq!(world.0[1].content(slot()).len(), 1);
}

#[test]
fn a_large_value_is_copied_in_parts() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    let big = "y".repeat(3_000_000);
    world.0[0].run(&format!("SET {KEY} {big}"));
    world.copy(slot(), 0, 1);
    world.0[0].run(&format!("APPEND {KEY} {big}"));
    world.pump_all();
    world.assert_same(slot(), 0, 1, "a large value");
}

#[test]
fn frames_that_come_twice_are_applied_once() {
    let mut world = with_copy();
    for _ in 0..10 {
        world.0[0].run(&format!("INCR {KEY}"));
        world.reconnect(0, 1);
    }
    world.pump_all();
    world.reconnect(0, 1);
    world.pump_all();
    world.assert_same(slot(), 0, 1, "after many connections");
    assert_eq!(world.0[0].events(), []);
}

#[test]
fn the_pace_of_copies_is_bounded() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    for index in 0..100 {
        world.0[0].run(&format!("SET {{t}}{index} {}", "z".repeat(10_000)));
    }
    let copy = world.id(1);
    world.0[0].plane.start_copy(slot(), copy);
    let mut now_ms = NOW_MS;
    let mut waited_ms = 0;
    loop {
        match world.0[0].mover.step(1_000_000, now_ms) {
            Step::Idle => break,
            Step::Sent => drop(world.pump(0, 1)),
            Step::Wait(ms) => {
                now_ms += ms;
                waited_ms += ms;
            }
        }
    }
    assert!((700..1300).contains(&waited_ms), "{waited_ms} ms for 1 MB at 1 MB/s");
}
