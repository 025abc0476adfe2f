//! The owner's work: what its slots lack against the plan.
//!
//! Only a slot's owner acts on it. A planned copy is started at once, within what its node takes; copies that the plan
//! does not want stay until those that it wants are in sync. A slot that another is to own is copied there first and
//! handed off then; the rest is the new owner's work.

use std::collections::BTreeMap;

use rondache_protocol::bus::identity::Identity;

use super::{Coordinator, Io, agenda::Agenda, orphans::OwnerState};
use crate::cluster::{plane::Row, table::COPIES_MAX};

/// The share of the slots that may be parked at once is looked at this often.
const HANDOFFS_SHARED_MS: u64 = 200;
/// Slots that an owner may hand off at once, however many owners there are.
const HANDOFFS_MIN: usize = 4;

/// What the owner has under way.
#[derive(Debug, Default)]
pub(super) struct Reconcile {
    /// Own slots to compare with the plan. One that waits for an event is not among them.
    todo: Agenda,
    cursor: u16,
    /// Copies under way, by slot.
    copying: BTreeMap<u16, Vec<Identity>>,
    /// How many are under way to each node.
    per_peer: BTreeMap<Identity, usize>,
    /// Copies that this node has not heard of yet, and since when it has not.
    strangers: BTreeMap<Identity, u64>,
    /// Until when nothing new is begun with a node that lost a copy, or that gives away what the plan wants there.
    paused_until_ms: BTreeMap<Identity, u64>,
    /// How many slots may be parked at once, and until when that holds.
    handoffs_max: usize,
    handoffs_due_ms: u64,
}

impl Reconcile {
    /// The slot is to be compared with the plan.
    pub(super) fn consider(&mut self, slot: u16) {
        self.todo.insert(slot);
    }

    /// The slot is no longer this node's.
    pub(super) fn forget(&mut self, slot: u16) {
        self.todo.remove(slot);
        for to in self.copying.remove(&slot).unwrap_or_default() {
            self.count_down(to);
        }
    }

    /// How many copies are under way.
    pub(super) fn copying(&self) -> usize {
        self.per_peer.values().sum()
    }

    pub(super) fn pause(&mut self, peer: Identity, until_ms: u64) {
        self.paused_until_ms.insert(peer, until_ms);
    }

    fn is_paused(&self, peer: &Identity, now_ms: u64) -> bool {
        self.paused_until_ms.get(peer).is_some_and(|until_ms| now_ms < *until_ms)
    }

    fn is_copying(&self, slot: u16, to: &Identity) -> bool {
        self.copying.get(&slot).is_some_and(|peers| peers.contains(to))
    }

    fn begun(&mut self, slot: u16, to: Identity) {
        self.copying.entry(slot).or_default().push(to);
        *self.per_peer.entry(to).or_default() += 1;
    }

    /// Whether the copy was under way.
    fn ended(&mut self, slot: u16, to: Identity) -> bool {
        let Some(peers) = self.copying.get_mut(&slot) else { return false };
        let Some(at) = peers.iter().position(|peer| *peer == to) else { return false };
        peers.swap_remove(at);
        if peers.is_empty() {
            self.copying.remove(&slot);
        }
        self.count_down(to);
        true
    }

    fn count_down(&mut self, to: Identity) {
        if let Some(count) = self.per_peer.get_mut(&to) {
            *count -= 1;
            if *count == 0 {
                self.per_peer.remove(&to);
            }
        }
    }
}

impl Coordinator {
    /// Lets all own slots be compared with the plan.
    pub(super) fn reconsider_all(&mut self) {
        for slot in 0..self.settings.slots {
            if self.owns(slot) {
                self.reconcile.consider(slot);
            }
        }
    }

    pub(super) fn tick_reconcile(&mut self, io: &mut Io<'_>) {
        self.reconcile.paused_until_ms.retain(|_, until_ms| io.now_ms < *until_ms);
        if self.reconcile.todo.is_empty() {
            self.reconcile.strangers.clear();
        }
        if self.reconcile.todo.is_empty() || (self.awaits_plan(io.now_ms) && !self.is_leaving) {
            return;
        }
        if io.now_ms >= self.reconcile.handoffs_due_ms {
            self.reconcile.handoffs_max = self.handoffs_max();
            self.reconcile.handoffs_due_ms = io.now_ms + HANDOFFS_SHARED_MS;
        }
        let slots = self.reconcile.todo.some_from(self.reconcile.cursor, self.settings.steps_per_tick_max);
        for slot in slots {
            self.reconcile.cursor = slot.wrapping_add(1);
            self.step_todo(io, slot);
        }
    }

    /// Compares some slots with the plan before the others.
    pub(super) fn reconcile_first(&mut self, io: &mut Io<'_>, slots: &[u16]) {
        for slot in slots.iter().take(self.settings.steps_per_tick_max) {
            if self.reconcile.todo.contains(*slot) {
                self.step_todo(io, *slot);
            }
        }
    }

    fn step_todo(&mut self, io: &mut Io<'_>, slot: u16) {
        if self.must_wait(io.now_ms, slot) {
            return;
        }
        self.reconcile.todo.remove(slot);
        if !self.step(io, slot) {
            self.reconcile.todo.insert(slot);
        }
    }

    /// Whether a slot lacks nothing but what there is no room for: while slots move, most wait so, and are looked at in every
    /// tick.
    fn must_wait(&self, now_ms: u64, slot: u16) -> bool {
        let Some(plan) = self.plan.as_ref().filter(|_| !self.is_leaving && self.owns(slot)) else { return false };
        let mut planned = plan.nodes(slot);
        let Some(owner) = planned.next() else { return false };
        let is_copy = |node: &Identity| self.table.copies(slot).any(|copy| copy == *node);
        let has_lost_copies = || self.table.copies(slot).any(|copy| !self.view.is_alive(&copy));
        let must_wait = if owner == self.me {
            let mut missing = planned.filter(|node| !is_copy(node)).peekable();
            missing.peek().is_some() && missing.all(|node| self.must_wait_to_copy(now_ms, slot, &node))
        } else if is_copy(&owner) {
            self.handoffs.len() >= self.reconcile.handoffs_max || self.reconcile.is_paused(&owner, now_ms)
        } else {
            self.must_wait_to_copy(now_ms, slot, &owner)
        };
        must_wait && !has_lost_copies()
    }

    /// Whether a copy is not under way and can't be begun now.
    fn must_wait_to_copy(&self, now_ms: u64, slot: u16, to: &Identity) -> bool {
        !self.reconcile.is_copying(slot, to) && !self.has_room(now_ms, to)
    }

    /// Whether a copy may be begun to a node now.
    fn has_room(&self, now_ms: u64, to: &Identity) -> bool {
        let under_way = self.reconcile.per_peer.get(to).copied().unwrap_or_default();
        under_way < self.settings.copying_per_peer_max && !self.reconcile.is_paused(to, now_ms)
    }

    /// This node's part of the slots that may be parked at once: it shares them with all who have something to give.
    fn handoffs_max(&self) -> usize {
        let givers = if self.is_leaving { 1 } else { self.survey().givers().max(1) };
        (self.settings.handoffs_max / givers).max(HANDOFFS_MIN)
    }

    /// Ends what is under way to nodes that are gone.
    pub(super) fn stop_copying_to_the_dead(&mut self, io: &mut Io<'_>) {
        let is_gone = |to: &Identity| !self.view.is_alive(to);
        let peers = self.reconcile.copying.iter().flat_map(|(slot, peers)| peers.iter().map(|to| (*slot, *to)));
        let gone: Vec<(u16, Identity)> = peers.filter(|(_, to)| is_gone(to)).collect();
        for (slot, to) in gone {
            self.reconcile.ended(slot, to);
            io.plane.stop_copy(slot, to);
        }
    }

    /// Ends what is under way of a slot.
    pub(super) fn stop_copying(&mut self, io: &mut Io<'_>, slot: u16) {
        for to in self.reconcile.copying.get(&slot).cloned().unwrap_or_default() {
            self.reconcile.ended(slot, to);
            io.plane.stop_copy(slot, to);
        }
    }

    /// A copy is in sync from now on.
    pub(super) fn copy_synced(&mut self, io: &mut Io<'_>, slot: u16, epoch: u64, to: Identity) {
        let Some(row) = self.own_row(slot, epoch) else { return };
        let was_awaited = self.reconcile.ended(slot, to);
        match (was_awaited, row.copies.contains(&to)) {
            (true, false) if self.view.is_alive(&to) => {}
            (false, true) => return,
            // One that nobody awaits any more was begun before this node's claim was in doubt.
            _ => return io.plane.stop_copy(slot, to),
        }
        let copies = row.copies.iter().copied().chain([to]).collect();
        self.change_copies(row, copies);
        io.plane.list_copy(slot, to);
    }

    /// A copy, under way or in sync, is none any more.
    pub(super) fn copy_lost(&mut self, io: &mut Io<'_>, slot: u16, epoch: u64, to: Identity) {
        let Some(row) = self.own_row(slot, epoch) else { return };
        self.reconcile.pause(to, io.now_ms + self.settings.lost_copy_pause_ms);
        let was_copying = self.reconcile.ended(slot, to);
        let was_copy = row.copies.contains(&to);
        if was_copying || was_copy {
            io.plane.stop_copy(slot, to);
        }
        if was_copy {
            let copies = row.copies.iter().copied().filter(|copy| *copy != to).collect();
            self.change_copies(row, copies);
            self.lost_while_parked(io, slot, to);
        }
        self.reconcile.consider(slot);
    }

    /// The slot's row, if this node owns it in that epoch.
    pub(super) fn own_row(&self, slot: u16, epoch: u64) -> Option<Row> {
        self.table.row(slot).filter(|row| self.owns(slot) && row.epoch == epoch)
    }

    /// Whether slots may be moved and copied now: never without a majority, and not on claims that may be lost.
    fn may_rebalance(&self, row: &Row) -> bool {
        self.has_majority && row.claim.provisional == 0
    }

    /// Does what one slot lacks. False: there is no room for it now.
    fn step(&mut self, io: &mut Io<'_>, slot: u16) -> bool {
        if !self.owns(slot) || self.contests.contains_key(&slot) || self.handoffs.is_parked(slot) {
            return true;
        }
        let Some(row) = self.table.row(slot) else { return true };
        let (gone, copies): (Vec<Identity>, Vec<Identity>) =
            row.copies.iter().partition(|copy| self.is_copy_gone(io.now_ms, copy));
        if !gone.is_empty() {
            gone.iter().for_each(|copy| io.plane.stop_copy(slot, *copy));
            self.change_copies(row, copies);
            return false;
        }
        let has_strangers = copies.iter().any(|copy| self.reconcile.strangers.contains_key(copy));
        self.step_towards_plan(io, row) && !has_strangers
    }

    fn step_towards_plan(&mut self, io: &mut Io<'_>, row: Row) -> bool {
        let nodes: Vec<Identity> = self.plan.as_ref().map(|plan| plan.nodes(row.slot).collect()).unwrap_or_default();
        if self.is_leaving {
            return self.step_leaving(io, &row, &nodes);
        }
        match nodes.split_first() {
            Some((owner, copies)) if self.may_rebalance(&row) => {
                if *owner == self.me {
                    self.step_keeping(io, row, copies)
                } else {
                    !self.may_receive(owner) || self.give(io, &row, *owner)
                }
            }
            _ => true,
        }
    }

    /// Whether a copy is not to be counted on any more. Of one that this node has not heard of yet, whoever handed the slot
    /// over knew better; it may have all that there is of the slot beside this node.
    fn is_copy_gone(&mut self, now_ms: u64, copy: &Identity) -> bool {
        let state = self.owner_state(copy);
        if state != OwnerState::Stranger {
            self.reconcile.strangers.remove(copy);
            return state == OwnerState::Gone;
        }
        let since_ms = *self.reconcile.strangers.entry(*copy).or_insert(now_ms);
        now_ms >= since_ms + self.settings.stranger_ms
    }

    /// A slot that stays: it gets the planned copies, then loses the others.
    fn step_keeping(&mut self, io: &mut Io<'_>, row: Row, wanted: &[Identity]) -> bool {
        let missing: Vec<Identity> = wanted.iter().copied().filter(|node| !row.copies.contains(node)).collect();
        if !missing.is_empty() {
            let mut is_done = true;
            for to in missing.into_iter().filter(|to| self.may_receive(to)).collect::<Vec<_>>() {
                is_done &= self.start_copy(io, &row, to);
            }
            return is_done;
        }
        self.stop_copying(io, row.slot);
        if row.copies != wanted {
            for copy in row.copies.iter().filter(|copy| !wanted.contains(copy)) {
                io.plane.stop_copy(row.slot, *copy);
            }
            self.change_copies(row, wanted.to_vec());
        }
        true
    }

    /// A slot of a node that leaves: any copy in sync takes it, the planned owner rather than others.
    fn step_leaving(&mut self, io: &mut Io<'_>, row: &Row, nodes: &[Identity]) -> bool {
        let planned = nodes.iter().find(|node| **node != self.me && self.may_receive(node)).copied();
        let in_sync = row.copies.iter().find(|copy| self.may_receive(copy)).copied();
        let anyone = || {
            let live: Vec<Identity> = self.view.live().map(super::identity_of).collect();
            let others: Vec<Identity> =
                live.into_iter().filter(|node| *node != self.me && self.may_receive(node)).collect();
            others.get(usize::from(row.slot) % others.len().max(1)).copied()
        };
        let taker = planned.filter(|node| row.copies.contains(node)).or(in_sync).or(planned).or_else(anyone);
        taker.is_some_and(|taker| self.give(io, row, taker))
    }

    /// Hands the slot to a node that copies it, or makes it copy the slot first.
    fn give(&mut self, io: &mut Io<'_>, row: &Row, taker: Identity) -> bool {
        if !row.copies.contains(&taker) {
            return self.start_copy(io, row, taker);
        }
        if self.handoffs.len() >= self.reconcile.handoffs_max || self.reconcile.is_paused(&taker, io.now_ms) {
            return false;
        }
        self.stop_copying(io, row.slot);
        self.begin_handoff(io, row, taker);
        true
    }

    /// Begins a copy where there is room for it. True: it is under way.
    fn start_copy(&mut self, io: &mut Io<'_>, row: &Row, to: Identity) -> bool {
        let slot = row.slot;
        if self.reconcile.is_copying(slot, &to) {
            return true;
        }
        let under_way = self.reconcile.copying.get(&slot).map_or(0, Vec::len);
        if row.copies.len() + under_way >= COPIES_MAX {
            self.drop_unplanned_copy(io, row);
            return false;
        }
        if !self.has_room(io.now_ms, &to) {
            return false;
        }
        self.reconcile.begun(slot, to);
        io.plane.start_copy(slot, to);
        true
    }

    /// Makes room in a row that names as many copies as it can.
    fn drop_unplanned_copy(&mut self, io: &mut Io<'_>, row: &Row) {
        let planned: Vec<Identity> = self.plan.as_ref().map(|plan| plan.nodes(row.slot).collect()).unwrap_or_default();
        if let Some(copy) = row.copies.iter().rfind(|copy| !planned.contains(copy)) {
            io.plane.stop_copy(row.slot, *copy);
            let copies = row.copies.iter().filter(|other| *other != copy).copied().collect();
            self.change_copies(row.clone(), copies);
        } else {
            self.stop_copying(io, row.slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{
        coordinator::{
            plan::Plan,
            settings::Settings,
            sticky::StickyPlanner,
            testing::{Obedient, see},
        },
        member::Health::{Alive, Dead},
        membership::simulation::info,
    };

    const SLOT: u16 = 3;

    /// The first member, who owns all slots.
    struct Owner {
        coordinator: Coordinator,
        plane: Obedient,
    }

    impl Owner {
        fn new() -> Self {
            let settings = Settings { slots: 8, ..Settings::default() };
            let coordinator = Coordinator::new(info(1, 1).identity, settings, Box::new(StickyPlanner), 1);
            let mut owner = Self { coordinator, plane: Obedient::default() };
            owner.at(1, |coordinator, io| coordinator.found(io));
            owner
        }

        fn at(&mut self, now_ms: u64, act: impl FnOnce(&mut Coordinator, &mut Io<'_>)) {
            let out = &mut Vec::new();
            act(&mut self.coordinator, &mut Io { now_ms, plane: &mut self.plane, out });
        }
    }

    #[test]
    fn a_copy_that_is_not_heard_of_yet_stays_until_it_should_have_been() {
        let (mut owner, stranger) = (Owner::new(), info(2, 1).identity);
        owner.coordinator.see(see([(&info(1, 1), Alive)]));
        let row = owner.coordinator.table.row(SLOT).expect("the founder owns every slot");
        owner.coordinator.change_copies(row, vec![stranger]);
        let stranger_ms = owner.coordinator.settings.stranger_ms;
        owner.at(2, Coordinator::tick);
        owner.at(1 + stranger_ms, Coordinator::tick);
        assert!(owner.coordinator.table.copies(SLOT).eq([stranger]));
        owner.at(2 + stranger_ms, Coordinator::tick);
        assert_eq!(owner.coordinator.table.copies(SLOT).count(), 0);
    }

    #[test]
    fn copies_are_made_once_it_is_heard_that_one_of_too_many_dead_had_left() {
        let [me, other, third, mut fourth] = [1, 2, 3, 4].map(|id| info(id, 1));
        let mut owner = Owner::new();
        let planned = vec![vec![me.identity, other.identity]; 8];
        owner.coordinator.plan = Some(Plan::new(1, me.identity, &planned));
        let view = see([(&me, Alive), (&other, Alive), (&third, Dead), (&fourth, Dead)]);
        owner.at(2, |coordinator, io| coordinator.view_changed(io, view));
        owner.at(3, Coordinator::tick);
        assert_eq!(owner.plane.copying, [], "two of four are no majority");
        fourth.is_leaving = true;
        let view = see([(&me, Alive), (&other, Alive), (&third, Dead), (&fourth, Dead)]);
        owner.at(4, |coordinator, io| coordinator.view_changed(io, view));
        owner.at(5, Coordinator::tick);
        assert!(owner.plane.copying.contains(&(SLOT, other.identity)));
    }
}
