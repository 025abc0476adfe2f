//! A fork ends: two nodes that own one slot meet again, and one gives up.
//!
//! A node that was cut off may have taken slots provisionally from owners that were alive. Such an owner, seeing the claim,
//! holds its commands back and asks for the slot. It gets it, unless only the other side has written since: then nothing
//! is lost if it is the one who gives up. A firm claim of a later epoch needs no contest: it wins.

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
        if self.owner_state(&theirs.owner) == OwnerState::Gone {
            self.handoffs.forget(slot);
            self.take_back(io, mine, &theirs);
            return;
        }
        if self.handoffs.is_parked(slot) {
            self.handoffs.forget(slot);
        } else {
            io.plane.park(slot);
        }
        self.contests.insert(slot, Contest { theirs, since_ms: io.now_ms, is_sent: false });
    }

    /// Asks for contested slots, those of one node in as few messages as possible.
    pub(super) fn send_reclaims(&mut self, io: &mut Io<'_>) {
        let mut claims: BTreeMap<Identity, Vec<Reclaimed>> = BTreeMap::new();
        for (slot, contest) in self.contests.iter_mut().filter(|(_, contest)| !contest.is_sent) {
            contest.is_sent = true;
            let Some(claim) = self.table.claim(*slot) else { continue };
            let mut position = io.plane.position(*slot);
            position.epoch = self.table.epoch(*slot);
            claims.entry(contest.theirs.owner).or_default().push(Reclaimed { slot: *slot, claim, position });
        }
        for (owner, claims) in claims {
            for claims in claims.chunks(SLOTS_PER_MESSAGE_MAX) {
                io.send(owner, CoordinatorMessage::Reclaim(claims.to_vec()));
            }
        }
    }

    /// Contests that got no answer: the slots are served again, until the other's rows are seen again.
    pub(super) fn tick_contests(&mut self, io: &mut Io<'_>) {
        let is_over = |contest: &Contest| {
            io.now_ms >= contest.since_ms + self.settings.contest_ms
                || self.owner_state(&contest.theirs.owner) == OwnerState::Gone
        };
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
            // The others believe it of nobody else.
            self.changed.insert(slot);
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
            settings::Settings,
            sticky::StickyPlanner,
            testing::{Obedient, see},
        },
        member::Health,
        membership::simulation::info,
        plane::{Position, Start},
    };

    const SLOT: u16 = 3;

    /// A heal of which each side hears before its view has the other alive again: both go on owning the slot by ever later rows.
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
        let mine = taker.table.row(SLOT).expect("it has taken it");
        assert!(taker.owns(SLOT) && mine.claim.provisional > claim.provisional, "{mine:?}");
        let theirs = |seq| Reclaimed { slot: SLOT, claim, position: Position { epoch: 3, seq } };
        assert!(taker.gives_way(&io, &mine, owner.identity, &theirs(8)));
    }
}
