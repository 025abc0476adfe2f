//! A slot goes from a living owner to one of its copies.
//!
//! The giver parks the slot's commands, waits until its copies have applied every effect, and appends the grant to the
//! taker's stream. Until then either side's death only aborts; from then on the giver is a copy and comes back by takeover
//! alone. The granted row has version 0, which the taker's announcement supersedes: so the giver sees that it arrived.

use std::collections::{BTreeMap, BTreeSet};

use rondache_protocol::bus::identity::Identity;

use super::{Coordinator, Io, Role, message::CoordinatorMessage};
use crate::cluster::{
    plane::{Claim, Follow, Row, Start},
    table::order::supersedes,
};

/// Handoffs by this node.
#[derive(Debug, Default)]
pub(super) struct Handoffs {
    parked: BTreeMap<u16, Handoff>,
    /// Slots whose taker has not announced itself yet.
    granted: BTreeMap<u16, Granted>,
}

/// A slot whose commands wait.
#[derive(Debug)]
struct Handoff {
    to: Identity,
    since_ms: u64,
    /// Copies that have not applied all effects yet.
    waiting: BTreeSet<Identity>,
}

#[derive(Debug)]
struct Granted {
    to: Identity,
    tell_again_ms: u64,
}

impl Handoffs {
    /// How many slots are parked.
    pub(super) fn len(&self) -> usize {
        self.parked.len()
    }

    pub(super) fn is_parked(&self, slot: u16) -> bool {
        self.parked.contains_key(&slot)
    }

    /// Whether nothing is parked and every taker has announced itself.
    pub(super) fn is_idle(&self) -> bool {
        self.parked.is_empty() && self.granted.is_empty()
    }

    /// Somebody announced to own the slot.
    pub(super) fn confirmed(&mut self, slot: u16) {
        self.granted.remove(&slot);
    }

    pub(super) fn forget(&mut self, slot: u16) {
        self.parked.remove(&slot);
    }
}

impl Coordinator {
    pub(super) fn begin_handoff(&mut self, io: &mut Io<'_>, row: &Row, to: Identity) {
        let waiting = row.copies.iter().copied().collect();
        self.handoffs.parked.insert(row.slot, Handoff { to, since_ms: io.now_ms, waiting });
        io.plane.park(row.slot);
    }

    /// A copy of a parked slot has applied everything.
    pub(super) fn caught_up(&mut self, io: &mut Io<'_>, slot: u16, epoch: u64, copy: Identity) {
        if self.table.epoch(slot) != epoch {
            return;
        }
        if let Some(handoff) = self.handoffs.parked.get_mut(&slot) {
            handoff.waiting.remove(&copy);
            if handoff.waiting.is_empty() {
                self.grant(io, slot);
            }
        }
    }

    /// A copy of a slot was lost; if the slot is parked, it need not be waited for.
    pub(super) fn lost_while_parked(&mut self, io: &mut Io<'_>, slot: u16, copy: Identity) {
        let Some(handoff) = self.handoffs.parked.get_mut(&slot) else { return };
        handoff.waiting.remove(&copy);
        if handoff.to == copy {
            self.abort_handoff(io, slot);
        } else if handoff.waiting.is_empty() {
            self.grant(io, slot);
        }
    }

    /// Executes the slot's commands here again.
    pub(super) fn abort_handoff(&mut self, io: &mut Io<'_>, slot: u16) {
        if self.handoffs.parked.remove(&slot).is_some() {
            io.plane.unpark(slot);
            self.reconcile.consider(slot);
        }
    }

    pub(super) fn tick_handoffs(&mut self, io: &mut Io<'_>) {
        let slots: Vec<u16> = self.handoffs.parked.keys().copied().collect();
        for slot in slots {
            self.tick_handoff(io, slot);
        }
        let (now_ms, again_ms) = (io.now_ms, io.now_ms + self.settings.grant_ms);
        self.handoffs.granted.retain(|_, granted| self.view.is_alive(&granted.to));
        let mut late: BTreeMap<Identity, Vec<u16>> = BTreeMap::new();
        for (slot, granted) in &mut self.handoffs.granted {
            if now_ms >= granted.tell_again_ms {
                granted.tell_again_ms = again_ms;
                late.entry(granted.to).or_default().push(*slot);
            }
        }
        for (taker, slots) in late {
            for rows in self.table.batches(slots) {
                io.send(taker, CoordinatorMessage::Rows(rows));
            }
        }
    }

    fn tick_handoff(&mut self, io: &mut Io<'_>, slot: u16) {
        let Some(handoff) = self.handoffs.parked.get_mut(&slot) else { return };
        handoff.waiting.retain(|copy| self.view.is_alive(copy));
        let (to, is_late) = (handoff.to, io.now_ms >= handoff.since_ms + self.settings.park_ms);
        let (is_taker_late, is_ready) = (handoff.waiting.contains(&to), handoff.waiting.is_empty());
        let may_move = self.is_leaving || self.has_majority;
        if !self.may_receive(&to) || !may_move {
            self.abort_handoff(io, slot);
        } else if is_ready || (is_late && !is_taker_late) {
            self.grant(io, slot);
        } else if is_late {
            self.reconcile.pause(to, io.now_ms + self.settings.lost_copy_pause_ms);
            self.abort_handoff(io, slot);
        }
    }

    /// Gives a parked slot away. Copies that have not caught up are dropped. A taker that has died in this moment gets nothing:
    /// nobody would look after its slots any more, whose death has been seen to.
    fn grant(&mut self, io: &mut Io<'_>, slot: u16) {
        if self.handoffs.parked.get(&slot).is_some_and(|handoff| !self.may_receive(&handoff.to)) {
            return self.abort_handoff(io, slot);
        }
        let Some((handoff, before)) = self.handoffs.parked.remove(&slot).zip(self.table.row(slot)) else { return };
        let Handoff { to, waiting, .. } = handoff;
        let stays = |copy: &&Identity| **copy != to && !waiting.contains(copy) && self.view.is_alive(copy);
        // The giver comes first: by that the taker knows it.
        let copies = [self.me].iter().chain(before.copies.iter().filter(stays)).copied().collect();
        waiting.iter().for_each(|copy| io.plane.stop_copy(slot, *copy));
        let epoch = before.epoch + 1;
        // Without a majority there may be a firm owner elsewhere by now, whom this handoff must not outrank.
        let is_firm = before.claim.provisional == 0 && self.has_majority;
        let claim = if is_firm { Claim { firm_epoch: epoch, provisional: 0 } } else { before.claim };
        let row = Row { slot, epoch, version: 0, claim, owner: to, copies };
        io.plane.grant(&row);
        self.forget_own(slot);
        self.set_role(slot, Role::Copy);
        io.plane.follow(slot, epoch, Some(to), Follow::Copy);
        self.table.merge(&row);
        let tell_again_ms = io.now_ms + self.settings.grant_ms;
        self.handoffs.granted.insert(slot, Granted { to, tell_again_ms });
    }

    /// Who gives away what the plan wants there leaves, or follows a later plan: this node is yet to hear of it, and would hand
    /// the slot back at once.
    fn spare_giver(&mut self, now_ms: u64, granted: &Row) {
        let giver = self.plan.as_ref().and_then(|plan| plan.owner(granted.slot));
        if let Some(giver) = giver.filter(|giver| granted.copies.first() == Some(giver)) {
            self.reconcile.pause(giver, now_ms + self.settings.giver_pause_ms);
        }
    }

    /// The grant of a slot has come through its giver's stream.
    pub(super) fn granted(&mut self, io: &mut Io<'_>, row: Row) {
        let slot = row.slot;
        if self.has_departed || row.owner != self.me || slot >= self.settings.slots || self.owns(slot) {
            return;
        }
        let is_best = self.table.row(slot).is_none_or(|known| known == row || supersedes(&row, &known));
        if is_best {
            self.spare_giver(io.now_ms, &row);
            self.begin_to_own(io, Row { version: row.version + 1, ..row }, Start::Warm);
        }
    }
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
    };

    const SLOT: u16 = 3;

    /// A node that hands a slot to a copy, whose health is as given by the time at which it has caught up.
    fn hand_over(health: Health) -> (Coordinator, Identity) {
        let (me, taker) = (info(1, 1), info(2, 1));
        let settings = Settings { slots: 8, ..Settings::default() };
        let mut giver = Coordinator::new(me.identity, settings, Box::new(StickyPlanner), 1);
        let (mut plane, mut out) = (Obedient::default(), Vec::new());
        let mut io = Io { now_ms: 1, plane: &mut plane, out: &mut out };
        giver.found(&mut io);
        let row = giver.table.row(SLOT).expect("the founder owns every slot");
        giver.change_copies(row, vec![taker.identity]);
        giver.see(see([(&me, Health::Alive), (&taker, Health::Alive)]));
        let row = giver.table.row(SLOT).expect("it still does");
        giver.begin_handoff(&mut io, &row, taker.identity);
        giver.see(see([(&me, Health::Alive), (&taker, health)]));
        giver.caught_up(&mut io, SLOT, row.epoch, taker.identity);
        (giver, taker.identity)
    }

    #[test]
    fn a_copy_that_has_caught_up_is_granted_the_slot() {
        let (giver, taker) = hand_over(Health::Alive);
        assert_eq!(giver.table.owner(SLOT), Some(taker));
    }

    #[test]
    fn who_has_said_farewell_accepts_no_grant() {
        let (mut giver, taker) = hand_over(Health::Alive);
        let claim = Claim { firm_epoch: 9, provisional: 0 };
        let back = Row { slot: SLOT, epoch: 9, version: 0, claim, owner: giver.me, copies: vec![taker] };
        let (mut plane, mut out) = (Obedient::default(), Vec::new());
        let mut io = Io { now_ms: 2, plane: &mut plane, out: &mut out };
        giver.depart();
        giver.granted(&mut io, back.clone());
        assert!(!giver.owns(SLOT));
        giver.has_departed = false;
        giver.granted(&mut io, back);
        assert!(giver.owns(SLOT), "but for the farewell it would have");
    }

    #[test]
    fn a_copy_that_has_caught_up_and_died_is_granted_nothing() {
        let (giver, _) = hand_over(Health::Dead);
        assert_eq!(giver.table.owner(SLOT), Some(giver.me));
        assert!(giver.owns(SLOT) && !giver.handoffs.is_parked(SLOT));
    }
}
