//! Writes whose fate others ask for: retries, WAIT.

use std::time::Duration;

use rondache_protocol::bus::identity::WriteId;

use super::*;
use crate::{
    cluster::replication::withheld::{self, Withheld},
    store::replicate::recent::Retried,
};

const KEY: &str = "{t}k";
const PATIENCE: Duration = Duration::from_secs(1);

fn slot() -> u16 {
    slot_of(KEY.as_bytes())
}

impl TestNode {
    /// Runs a forwarded write, and remembers where its slot stands.
    fn forwarded(&mut self, number: u64, line: &str) {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        run_on(&self.node, &mut self.session, &mut self.tools, &words, |ks| {
            ks.forwarded = Some(WriteId { origin: 9, number });
        });
    }

    fn retried(&self, number: u64) -> Retried {
        let circumstances = Circumstances { db: 0, now_ms: NOW_MS, client_id: 0, touch: false };
        let mut keyspace = Keyspace::new(&self.node.store, &NoObserver, circumstances);
        keyspace.hold_one(usize::from(slot()) % crate::store::SHARDS);
        keyspace.retried(slot(), WriteId { origin: 9, number }, NOW_MS)
    }

    /// How many copies have what was written.
    fn confirmed(&self, written: &[Written]) -> usize {
        let of =
            |written: &Written| self.node.store.control(written.slot, |control| control.confirmed(Some(written.at)));
        written.iter().map(of).min().unwrap_or(0)
    }

    fn note_position(&mut self) {
        let at = self.node.store.control(slot(), |control| control.position());
        self.written = vec![Written { slot: slot(), at }];
    }
}

/// A write that waits for one copy, of which there is none.
fn withheld_of(written: Written) -> Withheld {
    Withheld { written, others: vec![], copies: vec![], wanted: 1, reply: 0..0, nth: None, is_lost: false }
}

#[test]
fn a_retry_is_answered_by_the_owner_and_by_every_copy_however_it_was_made() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    world.0[0].forwarded(1, &format!("INCR {KEY}"));
    let copy = world.id(1);
    world.0[0].plane.start_copy(slot(), copy);
    // While the copy is made: a key that it has not got yet.
    world.0[0].mover.step(0, NOW_MS);
    world.0[0].forwarded(2, &format!("INCR {KEY}"));
    world.0[0].move_all();
    world.pump_all();
    world.0[0].forwarded(3, &format!("INCR {KEY}"));
    world.0[0].forwarded(4, &format!("LPUSH {KEY} wrongtype"));
    world.pump_all();
    for node in &world.0 {
        let reply = |number: u64| Retried::Done(format!(":{number}\r\n").into_bytes());
        for number in 1..4 {
            assert_eq!(node.retried(number), reply(number));
        }
        assert_eq!(node.retried(4), Retried::NotExecuted, "what failed may be tried again");
    }
}

#[test]
fn a_transaction_is_remembered_with_its_whole_reply() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    world.copy(slot(), 0, 1);
    world.0[0].run("MULTI");
    world.0[0].run(&format!("INCR {KEY}"));
    world.0[0].run(&format!("INCR {KEY}"));
    world.0[0].forwarded(1, "EXEC");
    world.pump_all();
    for node in &world.0 {
        assert_eq!(node.retried(1), Retried::Done(b"*2\r\n:1\r\n:2\r\n".to_vec()));
    }
}

#[test]
fn acknowledged_copies_are_counted() {
    let mut world = World::new(3, 1);
    world.begin(slot());
    world.copy(slot(), 0, 1);
    world.copy(slot(), 0, 2);
    world.0[0].run(&format!("INCR {KEY}"));
    world.0[0].note_position();
    let acked = |world: &World| world.0[0].confirmed(&world.0[0].written);
    assert_eq!(acked(&world), 0);
    world.pump(0, 2);
    assert_eq!(acked(&world), 1);
    world.pump(0, 1);
    assert_eq!(acked(&world), 2);
}

#[test]
fn copies_count_for_nothing_while_their_owners_claim_is_in_doubt() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    world.copy(slot(), 0, 1);
    world.0[0].run(&format!("INCR {KEY}"));
    world.0[0].note_position();
    world.pump_all();
    let counted = |world: &World| {
        let waited_for = world.0[0].node.store.control(slot(), |control| control.acks().len());
        (waited_for, world.0[0].confirmed(&world.0[0].written))
    };
    assert_eq!(counted(&world), (1, 1));
    world.0[0].plane.set_in_doubt(slot(), true);
    assert_eq!(counted(&world), (0, 0));
    world.0[0].plane.set_in_doubt(slot(), false);
    assert_eq!(counted(&world), (1, 1));
}

#[test]
fn a_write_that_was_lost_with_its_owner_counts_no_copies() {
    let mut world = World::new(3, 1);
    world.begin(slot());
    world.copy(slot(), 0, 1);
    world.0[0].run(&format!("INCR {KEY}"));
    world.pump_all();
    world.0[0].note_position();
    let survived = world.0[0].written.clone();
    world.0[0].run(&format!("INCR {KEY}"));
    world.0[0].note_position();
    let lost = world.0[0].written.clone();
    world.0[1].plane.own(slot(), 2, Start::Warm, &[]);
    world.copy(slot(), 1, 2);
    for _ in 0..3 {
        world.0[1].run(&format!("INCR {KEY}"));
    }
    world.pump(1, 2);
    assert_eq!((world.0[1].confirmed(&survived), world.0[1].confirmed(&lost)), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_waits_for_a_copy_is_confirmed_once_its_slot_is_handed_over() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    world.0[0].run(&format!("INCR {KEY}"));
    world.0[0].note_position();
    let written = world.0[0].written[0];
    let withheld = || vec![withheld_of(written)];
    let mut before = withheld();
    withheld::wait(&world.0[0].node, &mut before, PATIENCE).await;
    assert_eq!(before.len(), 1, "there is no copy");
    // Between two looks a copy is made and owns the slot: this node never sees that it was a copy.
    world.copy(slot(), 0, 1);
    world.hand_off(slot(), 0, 1, &[]);
    let mut after = withheld();
    withheld::wait(&world.0[0].node, &mut after, PATIENCE).await;
    assert!(after.is_empty(), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_waits_for_a_copy_waits_no_more_once_its_slot_was_taken_away() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    world.0[0].run(&format!("INCR {KEY}"));
    world.0[0].note_position();
    let mut withheld = vec![withheld_of(world.0[0].written[0])];
    let other = world.id(1);
    world.0[0].plane.follow(slot(), 2, Some(other), Follow::Forward);
    let began = tokio::time::Instant::now();
    withheld::wait(&world.0[0].node, &mut withheld, PATIENCE).await;
    assert!(matches!(withheld.as_slice(), [Withheld { is_lost: true, .. }]), "{withheld:?}");
    assert!(began.elapsed() < PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_waits_beside_one_whose_slot_was_taken_away_is_still_confirmed() {
    const KEPT_KEY: &str = "{kept}k";
    let mut world = World::new(2, 1);
    let kept = slot_of(KEPT_KEY.as_bytes());
    world.begin(slot());
    world.begin(kept);
    world.0[0].run(&format!("INCR {KEY}"));
    world.0[0].note_position();
    let lost = world.0[0].written[0];
    world.0[0].run(&format!("INCR {KEPT_KEY}"));
    let at = world.0[0].node.store.control(kept, |control| control.position());
    let mut withheld = vec![withheld_of(lost), withheld_of(Written { slot: kept, at })];
    let other = world.id(1);
    world.0[0].plane.follow(slot(), 2, Some(other), Follow::Forward);
    let node = world.0[0].node.clone();
    let (mut waits, began) = (Box::pin(withheld::wait(&node, &mut withheld, PATIENCE)), tokio::time::Instant::now());
    let early = tokio::time::timeout(PATIENCE / 2, &mut waits).await;
    assert!(early.is_err(), "one may still be confirmed");
    world.copy(kept, 0, 1);
    waits.await;
    assert!(matches!(withheld.as_slice(), [Withheld { is_lost: true, .. }]), "{withheld:?}");
    assert!(began.elapsed() < PATIENCE);
}

#[test]
fn whoever_lost_a_slot_has_executed_nothing_of_it_when_it_is_made_a_copy_again() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    world.0[0].forwarded(1, &format!("INCR {KEY}"));
    let other = world.id(1);
    world.0[0].plane.follow(slot(), 2, Some(other), Follow::Forward);
    world.0[1].plane.own(slot(), 2, Start::Cold, &[]);
    world.0[1].forwarded(2, &format!("INCR {KEY}"));
    world.copy(slot(), 1, 0);
    assert_eq!(world.0[0].retried(1), Retried::NotExecuted);
    assert_eq!(world.0[0].retried(2), Retried::Done(b":1\r\n".to_vec()));
}

#[test]
fn a_copy_is_counted_though_its_slot_is_written_to_all_the_time() {
    let mut world = World::new(2, 1);
    world.begin(slot());
    world.copy(slot(), 0, 1);
    world.0[0].run(&format!("INCR {KEY}"));
    world.0[0].note_position();
    let written = world.0[0].written.clone();
    // The first look finds out which acknowledgement to wait for.
    world.0[0].run(&format!("INCR {KEY}"));
    assert_eq!(world.0[0].confirmed(&written), 0);
    world.pump_all();
    world.0[0].run(&format!("INCR {KEY}"));
    assert_eq!(world.0[0].confirmed(&written), 1);
}

#[test]
fn a_read_that_finds_a_key_expired_deletes_it_in_the_copy_and_is_no_effect_itself() {
    let slot = slot();
    let mut world = World::new(2, 1);
    world.begin(slot);
    world.0[0].run("SET {t}stays v");
    world.0[0].run("SET {t}goes v PX 1000");
    world.copy(slot, 0, 1);
    for read in ["GET {t}goes", "EXISTS {t}goes", "TTL {t}goes"] {
        world.0[0].run_at(NOW_MS + 1001, read);
        world.0[0].run("SET {t}goes v PX 1000");
    }
    world.0[0].run_at(NOW_MS + 1001, "EXISTS {t}goes");
    world.pump_all();
    assert_eq!(world.0[0].events(), [], "the copy is whole");
    world.assert_same(slot, 0, 1, "after the reads");
    assert_eq!(world.0[1].content(slot).len(), 1);
}
