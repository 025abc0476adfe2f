//! Routes, roles and what a node counts, as slots change hands.

use super::*;
use crate::cluster::routing::Route;

const SLOT_KEY: &str = "{t}k";

fn slot() -> u16 {
    slot_of(SLOT_KEY.as_bytes())
}

#[test]
fn routes_follow_the_orders() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    let route = |world: &World, at: usize| world.0[at].node.cluster.routing.route(slot());
    let peer = |world: &World, at: usize, of: usize| {
        Route::Peer(world.0[at].node.cluster.routing.index_of(&world.id(of)).expect("a peer"))
    };
    assert_eq!((route(&world, 0), route(&world, 1)), (Route::Mine, peer(&world, 1, 0)));
    world.copy(slot(), 0, 1);
    assert!(world.0[1].node.cluster.routing.is_copy(slot()));
    world.0[0].plane.park(slot());
    assert_eq!(route(&world, 0), Route::Parked);
    world.0[0].plane.unpark(slot());
    assert_eq!(route(&world, 0), Route::Mine);
    world.hand_off(slot(), 0, 1, &[]);
    assert_eq!((route(&world, 0), route(&world, 1)), (peer(&world, 0, 1), Route::Mine));
    assert!(world.0[0].node.cluster.routing.is_copy(slot()) && !world.0[1].node.cluster.routing.is_copy(slot()));
}

#[test]
fn only_owned_keys_are_counted_and_listed() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    world.0[0].run(&format!("SET {SLOT_KEY} v"));
    world.copy(slot(), 0, 1);
    assert_eq!(world.0[1].content(slot()).len(), 1);
    for (at, count, keys) in [(0, ":1|", "*1|$4|{t}k|"), (1, ":0|", "*0|")] {
        assert_eq!((world.0[at].run("DBSIZE"), world.0[at].run("KEYS *")), (count.to_owned(), keys.to_owned()));
    }
    assert_eq!(world.0[1].run("RANDOMKEY"), "$-1|");
    world.hand_off(slot(), 0, 1, &[]);
    assert_eq!((world.0[0].run("DBSIZE"), world.0[1].run("DBSIZE")), (":0|".to_owned(), ":1|".to_owned()));
}

#[test]
fn copies_leave_expiry_to_their_owner_and_take_it_over_with_the_slot() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    world.0[0].run(&format!("SET {SLOT_KEY} v PX 1000"));
    world.copy(slot(), 0, 1);
    let sweep = |node: &TestNode| {
        let circumstances = Circumstances { db: 0, now_ms: NOW_MS + 2000, client_id: 0, touch: false };
        let mut keyspace = Keyspace::new(&node.node.store, &NoObserver, circumstances);
        let mut sweeper = crate::store::expire::Sweeper::default();
        let mut expired = 0;
        loop {
            let swept = sweeper.step(&mut keyspace);
            expired += swept.expired;
            if swept.ends_round {
                return expired;
            }
        }
    };
    assert_eq!((sweep(&world.0[1]), world.0[1].content(slot()).len()), (0, 1));
    world.hand_off(slot(), 0, 1, &[]);
    assert_eq!((sweep(&world.0[0]), sweep(&world.0[1])), (0, 1));
    world.pump_all();
    assert!(world.0[0].content(slot()).is_empty(), "the new owner's deletion reaches the giver");
}

#[test]
fn a_giver_that_is_told_to_forward_drops_what_it_held() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    world.0[0].run(&format!("SET {SLOT_KEY} v"));
    world.copy(slot(), 0, 1);
    world.hand_off(slot(), 0, 1, &[]);
    let (owner, giver) = (world.id(1), world.id(0));
    world.0[1].plane.stop_copy(slot(), giver);
    world.0[0].plane.follow(slot(), 2, Some(owner), Follow::Forward);
    assert!(world.0[0].content(slot()).is_empty());
    assert_eq!(world.0[1].content(slot()).len(), 1);
}

#[test]
fn a_copy_that_is_not_listed_yet_survives_news_of_an_older_row() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    world.0[0].run(&format!("SET {SLOT_KEY} v"));
    let (owner, copy) = (world.id(0), world.id(1));
    world.0[0].plane.start_copy(slot(), copy);
    world.0[0].move_all();
    world.pump_all();
    world.0[1].plane.follow(slot(), 1, Some(owner), Follow::Forward);
    assert_eq!(world.0[1].content(slot()).len(), 1);
    world.0[0].plane.stop_copy(slot(), copy);
    world.pump_all();
    assert!(world.0[1].content(slot()).is_empty(), "its owner says when it goes");
}

#[test]
fn a_slot_is_down_where_its_owner_is_dead_and_nothing_is_taken_over() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    let routing = |world: &World| world.0[1].node.cluster.routing.route(slot());
    world.0[1].node.cluster.routing.set_refuses(true);
    assert!(matches!(routing(&world), Route::Peer(_)));
    world.0[1].plane.follow(slot(), 1, None, Follow::Forward);
    assert_eq!(routing(&world), Route::Down);
    world.0[1].plane.follow(slot(), 0, None, Follow::Forward);
    assert_eq!(routing(&world), Route::Parked, "of a slot that it knows no owner of, none is dead");
}

#[test]
fn a_takeover_goes_on_where_the_copy_stands() {
    let mut world = World::new(3, 1);
    world.begin(slot());
    world.copy(slot(), 0, 1);
    world.copy(slot(), 0, 2);
    for _ in 0..5 {
        world.0[0].run(&format!("INCR {SLOT_KEY}"));
    }
    world.pump_all();
    world.0[0].run(&format!("INCR {SLOT_KEY}"));
    // The last one reaches only one copy before the owner dies.
    world.pump(0, 1);
    let (taker, behind) = (world.id(1), world.id(2));
    let dead = world.id(0);
    assert!(world.0[1].plane.position(slot()) > world.0[2].plane.position(slot()));
    world.0[1].plane.own(slot(), 2, Start::Warm, &[behind]);
    world.0[2].plane.follow(slot(), 2, Some(taker), Follow::Copy);
    world.0[1].replication.close_peer(&dead);
    assert_eq!(world.0[1].run(&format!("INCR {SLOT_KEY}")), ":7|");
    world.pump(1, 2);
    assert_eq!(world.0[1].events(), [PlaneEvent::CopyLost { slot: slot(), epoch: 2, to: behind }]);
    assert!(world.0[2].content(slot()).is_empty(), "a copy that stands elsewhere is none");
    world.copy(slot(), 1, 2);
    world.assert_same(slot(), 1, 2, "after it was made anew");
}

#[test]
fn a_cold_start_drops_what_was_there() {
    let mut world = World::new(1, 1);
    world.begin(slot());
    world.0[0].run(&format!("SET {SLOT_KEY} v"));
    world.0[0].plane.own(slot(), 5, Start::Cold, &[]);
    assert!(world.0[0].content(slot()).is_empty());
    assert_eq!(world.0[0].plane.position(slot()).epoch, 5);
}

#[test]
fn routes_that_changed_together_are_published_once() {
    let mut world = World::new(1, 1);
    let node = world.0[0].node.clone();
    let routing = &node.cluster.routing;
    let before = routing.changes();
    world.0[0].plane.own(slot(), 1, Start::Warm, &[]);
    world.0[0].plane.own(slot() + 1, 1, Start::Warm, &[]);
    assert_eq!(routing.changes(), before);
    world.0[0].plane.publish_routes();
    world.0[0].plane.publish_routes();
    assert_eq!(routing.changes(), before + 1);
}
