//! A fork ends: two nodes that own one slot meet again, and one gives up.
//!
//! A node that was cut off may have taken slots provisionally from owners that were alive. Such an owner, seeing the claim,
//! holds its commands back and asks for the slot. It gets it, unless only the other side has written since: then nothing
//! is lost if it is the one who gives up. A firm claim of a later epoch needs no contest: it wins.
//!
//! Who was cut off takes the others for dead, and meets them one by one: it may hear of a claim from a third before it has
//! met the one who made it. So it waits for that one, too, and takes the slot back by itself only from one who stays away.

use std::collections::BTreeMap;

use rondache_protocol::bus::identity::Identity;

use super::{
    Coordinator, Io, Role,
    message::{CoordinatorMessage, Reclaimed, SLOTS_PER_MESSAGE_MAX},
    orphans::OwnerState,
};
use crate::cluster::{
    plane::{Claim, Follow, Row},
    table::order::supersedes,
};

/// Where a provisional takeover began.
#[derive(Debug)]
pub(super) struct Fork {
    /// From whom the slot was taken.
    pub(super) from: Identity,
    /// How far it had come then; `None`: it was taken empty.
    pub(super) base_seq: Option<u64>,
}

/// An own slot that another took.
#[derive(Debug)]
pub(super) struct Contest {
    theirs: Row,
    since_ms: u64,
    is_sent: bool,
}

impl Coordinator {
    /// Another's claim to an own slot wins by the table's order alone; it is asked to give the slot back.
    pub(super) fn contest(&mut self, io: &mut Io<'_>, mine: &Row, theirs: Row) {
        let slot = mine.slot;
        if let Some(contest) = self.contests.get_mut(&slot) {
            if supersedes(&theirs, &contest.theirs) {
                contest.is_sent &= contest.theirs.owner == theirs.owner;
                contest.theirs = theirs;
            }
            return;
        }
        self.stop_copying(io, slot);
        if self.handoffs.is_parked(slot) {
            self.handoffs.forget(slot);
        } else {
            io.plane.park(slot);
        }
        self.contests.insert(slot, Contest { theirs, since_ms: io.now_ms, is_sent: false });
    }

    /// Asks for contested slots, those of one node in as few messages as possible, once that node is seen alive.
    pub(super) fn send_reclaims(&mut self, io: &mut Io<'_>) {
        let is_askable =
            |contest: &Contest| !contest.is_sent && self.owner_state(&contest.theirs.owner) != OwnerState::Gone;
        let slots = self.contests.iter().filter(|(_, contest)| is_askable(contest)).map(|(slot, _)| *slot);
        let mut claims: BTreeMap<Identity, Vec<Reclaimed>> = BTreeMap::new();
        for slot in slots.collect::<Vec<_>>() {
            let Some((contest, claim)) = self.contests.get_mut(&slot).zip(self.table.claim(slot)) else { continue };
            (contest.is_sent, contest.since_ms) = (true, io.now_ms);
            let mut position = io.plane.position(slot);
            position.epoch = self.table.epoch(slot);
            claims.entry(contest.theirs.owner).or_default().push(Reclaimed { slot, claim, position });
        }
        for (owner, claims) in claims {
            for claims in claims.chunks(SLOTS_PER_MESSAGE_MAX) {
                io.send(owner, CoordinatorMessage::Reclaim(claims.to_vec()));
            }
        }
    }

    /// Contests that got no answer: the slots are served again, until the other's rows are seen again, or for good where he
    /// is dead.
    pub(super) fn tick_contests(&mut self, io: &mut Io<'_>) {
        self.send_reclaims(io);
        let is_over = |contest: &Contest| io.now_ms >= contest.since_ms + self.settings.contest_ms;
        let over: Vec<u16> =
            self.contests.iter().filter(|(_, contest)| is_over(contest)).map(|(slot, _)| *slot).collect();
        for slot in over {
            let Some((contest, mine)) = self.contests.remove(&slot).zip(self.table.row(slot)) else { continue };
            if self.owner_state(&contest.theirs.owner) == OwnerState::Gone {
                self.take_back(io, &mine, &contest.theirs);
            } else {
                io.plane.unpark(slot);
                self.reconcile.consider(slot);
            }
        }
    }

    /// One from whom this node took slots asks for them.
    pub(super) fn on_reclaim(&mut self, io: &mut Io<'_>, from: Identity, claims: &[Reclaimed]) {
        let (mut kept, mut told) = (Vec::new(), Vec::new());
        for theirs in claims.iter().take(SLOTS_PER_MESSAGE_MAX) {
            let Some(mine) = self.table.row(theirs.slot) else { continue };
            if mine.owner != self.me {
                told.push(theirs.slot);
            } else if self.gives_way(io, &mine, from, theirs) {
                self.give_back(io, &mine, from, theirs.position.epoch);
                told.push(theirs.slot);
            } else {
                kept.push(theirs.slot);
            }
        }
        for rows in self.table.batches(told) {
            io.send(from, CoordinatorMessage::Rows(rows));
        }
        for rows in self.table.batches(kept) {
            io.send(from, CoordinatorMessage::Kept(rows));
        }
    }

    /// The other owner goes on.
    pub(super) fn on_kept(&mut self, io: &mut Io<'_>, theirs: Row) {
        let slot = theirs.slot;
        let mine = self.table.row(slot);
        let wins = mine.as_ref().is_some_and(|mine| supersedes(&theirs, mine));
        if wins && self.owns(slot) && theirs.owner != self.me {
            self.adopt(io, mine.as_ref(), theirs);
        } else if self.contests.remove(&slot).is_some() {
            io.plane.unpark(slot);
            self.reconcile.consider(slot);
        }
    }

    fn gives_way(&self, io: &Io<'_>, mine: &Row, to: Identity, theirs: &Reclaimed) -> bool {
        if !self.owns(mine.slot) {
            return true;
        }
        if mine.claim.firm_epoch != theirs.claim.firm_epoch || mine.claim.provisional <= theirs.claim.provisional {
            return false;
        }
        // Who has taken the slot from nobody is the one from whom it was taken, and goes on.
        let Some(fork) = self.forks.get(&mine.slot) else { return false };
        let Some(base_seq) = fork.base_seq.filter(|_| fork.from == to) else { return true };
        let has_written = io.plane.position(mine.slot).seq > base_seq;
        let have_they = theirs.position.seq > base_seq;
        have_they || !has_written
    }

    fn give_back(&mut self, io: &mut Io<'_>, mine: &Row, to: Identity, their_epoch: u64) {
        let slot = mine.slot;
        let epoch = mine.epoch.max(their_epoch).saturating_add(1);
        let row = Row { slot, epoch, version: 0, claim: next_claim(mine), owner: to, copies: Vec::new() };
        if self.owns(slot) {
            self.takeovers.lost += 1;
        }
        self.forget_own(slot);
        self.set_role(slot, Role::Neither);
        self.table.merge(&row);
        self.orphans.remove(&slot);
        io.plane.follow(slot, epoch, Some(to), Follow::Forward);
        self.sort_out(io, slot);
    }

    /// Goes on owning a slot that another had taken and does not serve any more.
    fn take_back(&mut self, io: &mut Io<'_>, mine: &Row, theirs: &Row) {
        let epoch = mine.epoch.max(theirs.epoch).saturating_add(1);
        let row = Row { epoch, version: 1, claim: next_claim(theirs), ..mine.clone() };
        self.own_anew(io, row);
    }
}

/// What a claim that ends a fork is worth: more than the others', and less than any firm one that was made meanwhile.
fn next_claim(row: &Row) -> Claim {
    Claim { provisional: row.claim.provisional.saturating_add(1), ..row.claim }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{
        coordinator::{
            message::Outgoing,
            settings::Settings,
            sticky::StickyPlanner,
            testing::{Obedient, see},
        },
        member::Health,
        membership::simulation::info,
        plane::{Position, Start},
    };

    const SLOT: u16 = 3;

    /// An owner that was cut off, has met the third member again, and hears from that one that the second has its slot.
    struct Owner {
        coordinator: Coordinator,
        plane: Obedient,
        now_ms: u64,
    }

    impl Owner {
        fn back() -> Self {
            let settings = Settings { slots: 8, ..Settings::default() };
            let coordinator = Coordinator::new(info(1, 1).identity, settings, Box::new(StickyPlanner), 1);
            let mut owner = Self { coordinator, plane: Obedient::default(), now_ms: 1 };
            owner.run(Coordinator::found);
            owner.plane.owned.clear();
            owner.see(Health::Dead);
            let (taker, other) = (info(2, 1).identity, info(3, 1).identity);
            let claim = Claim { firm_epoch: 1, provisional: 1 };
            let theirs = Row { slot: SLOT, epoch: 2, version: 1, claim, owner: taker, copies: vec![other] };
            owner.run(|coordinator, io| coordinator.learn(io, other, theirs));
            owner
        }

        fn run(&mut self, act: impl FnOnce(&mut Coordinator, &mut Io<'_>)) -> Vec<Outgoing> {
            let mut out = Vec::new();
            act(&mut self.coordinator, &mut Io { now_ms: self.now_ms, plane: &mut self.plane, out: &mut out });
            out
        }

        /// Believes that of who has taken the slot.
        fn see(&mut self, taker: Health) {
            let view = see([(&info(1, 1), Health::Alive), (&info(2, 1), taker), (&info(3, 1), Health::Alive)]);
            self.run(|coordinator, io| coordinator.view_changed(io, view));
        }

        fn tick_in(&mut self, ms: u64) -> Vec<Outgoing> {
            self.now_ms += ms;
            self.run(Coordinator::tick)
        }
    }

    fn asks(out: &[Outgoing]) -> bool {
        out.iter().any(|sent| matches!(sent.message, CoordinatorMessage::Reclaim(_)))
    }

    #[test]
    fn who_has_not_met_the_one_who_took_its_slot_waits_for_him_and_asks() {
        let mut owner = Owner::back();
        assert!(!asks(&owner.tick_in(400)));
        owner.see(Health::Alive);
        assert!(asks(&owner.tick_in(20)));
        owner.tick_in(400);
        assert_eq!(owner.plane.owned, [], "he has time to answer");
    }

    #[test]
    fn who_never_meets_the_one_who_took_its_slot_takes_it_back() {
        let mut owner = Owner::back();
        owner.tick_in(400);
        assert_eq!(owner.plane.owned, []);
        owner.tick_in(200);
        assert_eq!(owner.plane.owned, [(SLOT, 3)]);
    }

    /// A heal of which each side hears long before its view has the other alive again: both go on owning the slot by ever later rows.
    #[test]
    fn who_went_on_owning_a_slot_that_it_had_taken_still_gives_it_back_to_the_owner_who_has_written() {
        let (me, owner) = (info(1, 1), info(2, 1));
        let settings = Settings { slots: 8, ..Settings::default() };
        let mut taker = Coordinator::new(me.identity, settings, Box::new(StickyPlanner), 1);
        let (mut plane, mut out) = (Obedient::default(), Vec::new());
        plane.position.seq = 7;
        let mut io = Io { now_ms: 1, plane: &mut plane, out: &mut out };
        let firm = Claim { firm_epoch: 1, provisional: 0 };
        let before =
            Row { slot: SLOT, epoch: 1, version: 1, claim: firm, owner: owner.identity, copies: vec![me.identity] };
        taker.see(see([(&me, Health::Alive), (&owner, Health::Dead)]));
        taker.table.merge(&before);
        taker.take_over(&mut io, &before, Start::Warm, Vec::new());
        let claim = Claim { provisional: 2, ..firm };
        taker.learn(&mut io, owner.identity, Row { epoch: 3, claim, copies: Vec::new(), ..before });
        io.now_ms += taker.settings.contest_ms;
        taker.tick_contests(&mut io);
        let mine = taker.table.row(SLOT).expect("it has taken it");
        assert!(taker.owns(SLOT) && mine.claim.provisional > claim.provisional, "{mine:?}");
        let theirs = |seq| Reclaimed { slot: SLOT, claim, position: Position { epoch: 3, seq } };
        assert!(taker.gives_way(&io, &mine, owner.identity, &theirs(8)));
    }
}
