//! Changes of a slot's role, under its shard's lock.

use std::sync::Arc;

use rondache_protocol::bus::{
    identity::Identity,
    replicate::{Row, SlotPosition, put_caught_up, put_digest, put_drop, put_fill_begin, put_grant, put_lead},
};

use super::{
    CopyLink, CopyLinks, Role, ShardSlots, SlotState, Slots, Stage,
    append::Wakes,
    content::Dropped,
    filling::{FillCursor, FillStep},
    outgoing::{Outgoing, StreamEvent},
};
use crate::store::{SHARDS, Store, evict::Evictor, shard::Shard};

/// A slot whose shard is locked.
pub(crate) struct SlotControl<'a> {
    pub(super) slot: u16,
    pub(super) shard: &'a mut Shard,
    evictor: &'a Evictor,
    dropped: &'a mut Dropped,
    wakes: &'a mut Wakes,
}

/// A copy that was lost: its slot's epoch, and the node.
pub(crate) type LostCopy = (u64, Identity);

impl Store {
    /// Locks a slot's shard and lets `change` change what this node is to the slot.
    pub(crate) fn control<R>(&self, slot: u16, change: impl FnOnce(&mut SlotControl<'_>) -> R) -> R {
        let (mut dropped, mut wakes) = (Dropped::default(), Wakes::default());
        let mut guard = self.lock(usize::from(slot) % SHARDS);
        let evictor = &self.evictor;
        let shard = &mut *guard;
        let result = change(&mut SlotControl { slot, shard, evictor, dropped: &mut dropped, wakes: &mut wakes });
        drop(guard);
        result
    }
}

impl SlotControl<'_> {
    pub(super) fn slots(&mut self) -> &mut Slots {
        self.shard.slots.get_or_insert_default()
    }

    pub(super) fn state(&mut self) -> &mut SlotState {
        let slot = self.slot;
        self.slots().state_mut(slot)
    }

    pub(super) fn set_role(&mut self, role: Role) {
        let slot = self.slot;
        self.slots().set_role(slot, role);
    }

    /// Whether the slot has state: where it has none the node was always alone.
    pub(crate) fn role(&mut self) -> Role {
        self.state().role
    }

    /// How far the slot has come here.
    pub(crate) fn position(&mut self) -> SlotPosition {
        self.state().at
    }

    /// Drops the slot's keys with the memory of the writes that made them, and aborts the transactions that watch one.
    pub(super) fn drop_content(&mut self) {
        let slot = self.slot;
        self.slots().recent.forget_slot(slot);
        self.drop_databases(None);
    }

    /// Drops the slot's keys of one database, or of all.
    pub(super) fn drop_databases(&mut self, db: Option<usize>) {
        let before = self.dropped.len;
        let set = ShardSlots::of(self.slot);
        self.shard.raise_watchers_of(set);
        self.shard.drop_slots(set, db, self.dropped);
        self.evictor.forget(usize::from(self.slot) % SHARDS, self.dropped.len - before);
    }

    /// From now on its copies count for nothing, or they count again.
    pub(crate) fn set_in_doubt(&mut self, is_in_doubt: bool) {
        self.state().is_in_doubt = is_in_doubt;
    }

    /// Owns the slot from now on, with what is here or with nothing. `copies` stand where this node stands.
    pub(crate) fn own(&mut self, epoch: u64, is_warm: bool, copies: &[Arc<Outgoing>], now_ms: u64) {
        let (slot, state) = (self.slot, self.state());
        let is_same = matches!(state.role, Role::Owner | Role::Parked) && state.at.epoch == epoch;
        if is_same && is_warm {
            state.copies.iter().for_each(|link| link.outgoing.unmark_caught_up(slot));
            let wanted = |link: &CopyLink| copies.iter().any(|outgoing| outgoing.to == link.to());
            let (kept, unwanted) = std::mem::take(&mut state.copies)
                .into_iter()
                .partition(|link| link.stage != Stage::Complete || wanted(link));
            state.copies = kept;
            state.copies.iter_mut().for_each(|link| link.is_listed = wanted(link));
            self.set_role(Role::Owner);
            self.let_go(unwanted, epoch, now_ms);
            return;
        }
        if !is_warm {
            self.drop_content();
        }
        let state = self.state();
        let before = state.at;
        state.at = SlotPosition { epoch, seq: if is_warm { before.seq } else { 0 } };
        state.epoch_min = epoch;
        state.note_start();
        let mut unwanted = std::mem::take(&mut state.copies);
        let under_way = unwanted.iter().filter(|link| link.stage != Stage::Complete);
        under_way.for_each(|link| link.outgoing.tell(StreamEvent::Lost { slot, epoch }));
        unwanted.retain(|link| copies.iter().all(|outgoing| outgoing.to != link.to()));
        self.let_go(unwanted, before.epoch, now_ms);
        self.set_role(Role::Owner);
        self.shard.forget_deadline_bounds();
        for outgoing in copies {
            let mut link = new_link(outgoing, Stage::Complete);
            if link.append(now_ms, self.wakes, |buf| put_lead(buf, slot, epoch, before)) {
                (link.began, link.is_listed) = (link.last, true);
                self.state().copies.push(link);
            } else {
                outgoing.tell(StreamEvent::Lost { slot, epoch });
            }
        }
    }

    /// Leaves the slot to another, and keeps a copy of it or not. Answers whether there is a copy.
    pub(crate) fn follow(&mut self, epoch: u64, keeps_copy: bool, now_ms: u64) -> bool {
        self.shard.raise_watchers_of(ShardSlots::of(self.slot));
        let state = self.state();
        let own_epoch = state.at.epoch;
        let mut unlisted = std::mem::take(&mut state.copies);
        unlisted.retain(|link| !link.is_listed);
        self.let_go(unlisted, own_epoch, now_ms);
        let state = self.state();
        state.epoch_min = state.epoch_min.max(epoch);
        let role = match (state.role, keeps_copy) {
            (Role::Owner | Role::Parked | Role::Copy, true) => Role::Copy,
            (Role::Filling, true) => Role::Filling,
            // A copy that was made in this epoch and is not in the slot table yet: its owner says when it goes.
            (role @ (Role::Copy | Role::Filling), false) if !state.is_listed && state.at.epoch >= epoch => role,
            _ => Role::Nothing,
        };
        state.is_listed |= keeps_copy;
        if role == Role::Nothing && state.role != Role::Nothing {
            self.drop_content();
        }
        self.set_role(role);
        role == Role::Copy
    }

    /// Begins a copy: what the slot holds follows in chunks. Answers whether it is new, or is under way already; `None`:
    /// it can't be made.
    pub(crate) fn begin_fill(&mut self, outgoing: &Arc<Outgoing>, now_ms: u64) -> Option<bool> {
        let (slot, state) = (self.slot, self.state());
        if !matches!(state.role, Role::Owner | Role::Parked) {
            return None;
        }
        let at = state.at;
        let is_under_way =
            |link: &CopyLink| link.to() == outgoing.to && link.stage != Stage::Complete && !link.is_lost();
        if state.copies.iter().any(is_under_way) {
            return Some(false);
        }
        state.copies.retain(|link| link.to() != outgoing.to);
        let mut link = new_link(outgoing, Stage::Filling(FillCursor::default()));
        if !link.append(now_ms, self.wakes, |buf| put_fill_begin(buf, slot, at)) {
            return None;
        }
        link.began = link.last;
        self.state().copies.push(link);
        Some(true)
    }

    /// Sends the next part of the slot to a copy that was begun.
    pub(crate) fn fill(&mut self, to: Identity, now_ms: u64) -> FillStep {
        self.shard.fill_chunk(self.slot, to, now_ms, self.wakes)
    }

    /// Sends nothing more to a copy, which drops what it holds.
    pub(crate) fn stop_copy(&mut self, to: Identity, now_ms: u64) {
        let state = self.state();
        let epoch = state.at.epoch;
        let (stopped, kept) = std::mem::take(&mut state.copies).into_iter().partition(|link| link.to() == to);
        state.copies = kept;
        self.let_go(stopped, epoch, now_ms);
    }

    /// Tells copies, begun or complete in that epoch, that they get nothing more. No row tells that to one that none has named.
    fn let_go(&mut self, links: CopyLinks, epoch: u64, now_ms: u64) {
        let slot = self.slot;
        for link in links {
            link.outgoing.unmark(slot);
            new_link(&link.outgoing, Stage::Complete).append(now_ms, self.wakes, |buf| put_drop(buf, slot, epoch));
        }
    }

    /// The slot table names a copy from now on.
    pub(crate) fn list_copy(&mut self, to: Identity) {
        self.state().copies.iter_mut().filter(|link| link.to() == to).for_each(|link| link.is_listed = true);
    }

    /// The copy has refused a record of the frame at `position`. Answers what was lost by that; `None`: it speaks of an
    /// earlier copy.
    pub(crate) fn refused(&mut self, to: Identity, position: u64) -> Option<LostCopy> {
        let (slot, state) = (self.slot, self.state());
        let at = state.copies.iter().position(|link| link.to() == to && link.began <= position)?;
        state.copies.swap_remove(at).outgoing.unmark(slot);
        Some((state.at.epoch, to))
    }

    /// Forgets copies whose streams have overflowed, or whose nodes are `gone`.
    pub(crate) fn forget_lost(&mut self, gone: impl Fn(&Identity) -> bool, lost: &mut Vec<LostCopy>) {
        let Some(slots) = self.shard.slots.as_deref_mut() else { return };
        let state = slots.state_mut(self.slot);
        let epoch = state.at.epoch;
        state.copies.retain(|link| {
            let is_lost = link.is_lost() || gone(&link.to());
            if is_lost {
                lost.push((epoch, link.to()));
            }
            !is_lost
        });
    }

    /// Lets the slot's commands wait. Each copy tells when it has applied all.
    pub(crate) fn park(&mut self, now_ms: u64) {
        if self.role() != Role::Owner {
            return;
        }
        self.set_role(Role::Parked);
        let slot = self.slot;
        let epoch = self.state().at.epoch;
        let mut copies = std::mem::take(&mut self.state().copies);
        for link in copies.iter_mut().filter(|link| link.stage == Stage::Complete) {
            if link.append(now_ms, self.wakes, |buf| put_caught_up(buf, slot)) {
                link.outgoing.mark(link.last, StreamEvent::CaughtUp { slot, epoch });
            }
        }
        self.state().copies = copies;
    }

    /// Executes a parked slot's commands again; `false`: it was not parked.
    pub(crate) fn unpark(&mut self) -> bool {
        let (slot, state) = (self.slot, self.state());
        if state.role != Role::Parked {
            return false;
        }
        state.copies.iter().for_each(|link| link.outgoing.unmark_caught_up(slot));
        self.set_role(Role::Owner);
        true
    }

    /// Gives a parked slot to the row's owner, behind all effects; this node keeps a copy. `false`: that node has none.
    pub(crate) fn grant(&mut self, row: &Row, now_ms: u64) -> bool {
        let state = self.state();
        if state.role != Role::Parked {
            return false;
        }
        let taker = state.copies.iter().position(|link| link.to() == row.owner && link.stage == Stage::Complete);
        let Some(taker) = taker else { return false };
        let mut copies = std::mem::take(&mut state.copies);
        if !copies[taker].append(now_ms, self.wakes, |buf| put_grant(buf, row)) {
            self.state().copies = copies;
            return false;
        }
        let state = self.state();
        state.epoch_min = row.epoch;
        state.is_listed = true;
        state.granted = state.at;
        let epoch = state.at.epoch;
        self.set_role(Role::Copy);
        copies.retain(|link| !link.is_listed && link.to() != row.owner);
        self.let_go(copies, epoch, now_ms);
        true
    }

    /// Whether this node wrote that as the slot's owner, and then gave the slot away: the taker had it by then.
    pub(crate) fn has_granted(&mut self, written: SlotPosition) -> bool {
        let granted = self.state().granted;
        granted.epoch == written.epoch && granted.seq >= written.seq
    }

    /// Lets the copies compare what they hold with what this node holds.
    pub(crate) fn compare(&mut self, now_ms: u64) {
        let (slot, state) = (self.slot, self.state());
        if state.role != Role::Owner || state.complete().next().is_none() {
            return;
        }
        let at = state.at;
        let digest = self.shard.digest_slot(slot);
        let mut copies = std::mem::take(&mut self.state().copies);
        for link in copies.iter_mut().filter(|link| link.stage == Stage::Complete) {
            // Where the stream has overflowed, the copy is lost anyway.
            link.append(now_ms, self.wakes, |buf| put_digest(buf, slot, at, digest));
        }
        self.state().copies = copies;
    }

    /// Whether what was written at a position is part of what the slot holds.
    pub(crate) fn holds(&mut self, written: SlotPosition) -> bool {
        let state = self.state();
        matches!(state.role, Role::Owner | Role::Parked) && state.holds(written)
    }

    /// How many copies that may take the slot over have what was written at a position; without one: have everything.
    pub(crate) fn confirmed(&mut self, written: Option<SlotPosition>) -> usize {
        if written.is_some_and(|at| !self.holds(at)) {
            return 0;
        }
        let state = self.state();
        let (seq, slot_seq) = (written.map(|at| at.seq), state.at.seq);
        if state.is_in_doubt {
            return 0;
        }
        let listed = state.copies.iter_mut().filter(|link| link.stage == Stage::Complete && link.is_listed);
        listed.filter_map(|link| link.has_confirmed(seq, slot_seq).then_some(())).count()
    }

    /// The streams of the slot's copies, whether the slot table names them or not.
    pub(crate) fn streams(&mut self) -> Vec<Arc<Outgoing>> {
        self.state().complete().map(|link| link.outgoing.clone()).collect()
    }

    /// The streams of the copies that may take the slot over, each with the place behind which a copy has all that was
    /// written so far.
    pub(crate) fn acks(&mut self) -> Vec<(Arc<Outgoing>, u64)> {
        self.state().listed().map(|link| (link.outgoing.clone(), link.last)).collect()
    }
}

fn new_link(outgoing: &Arc<Outgoing>, stage: Stage) -> CopyLink {
    CopyLink {
        outgoing: outgoing.clone(),
        generation: outgoing.generation(),
        stage,
        began: 0,
        last: 0,
        is_listed: false,
        waited: None,
    }
}
