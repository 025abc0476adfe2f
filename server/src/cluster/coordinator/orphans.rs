//! Slots whose owner is gone: who takes them over.
//!
//! One copy that is alive takes its slots at once. Several compare how far they have come ([`super::compare`]). Without
//! any, the plan's owner takes the slot empty. A slot that this node was granted by a grant that never came is an orphan,
//! too: its giver is a copy by now, and has come the farthest.

use std::collections::BTreeMap;

use rondache_protocol::bus::identity::Identity;

use super::{
    Coordinator, Io,
    contest::Fork,
    message::{CoordinatorMessage, SlotEpoch},
};
use crate::cluster::plane::{Claim, Row, Start};

/// A slot without an owner.
#[derive(Debug)]
pub(super) struct Orphan {
    since_ms: u64,
    pub(super) due_ms: u64,
    /// Whether the data plane was told that the owner is gone.
    is_told: bool,
    /// How often its copies were compared.
    pub(super) tries: u32,
}

/// Whether a row's owner does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnerState {
    Serving,
    Gone,
    /// The view does not have it: it may have joined a moment ago, or was forgotten.
    Stranger,
}

/// What to do about an orphan.
enum Next {
    Done,
    /// Its copies are to be compared.
    Compare,
    /// It is to be looked at again after so many ms.
    Later(u64),
}

/// While others are to act, an orphan is looked at this often.
const LOOK_AGAIN_MS: u64 = 100;
/// How long the best copy has to take a slot over before the copies compare again.
pub(super) const TAKE_MS: u64 = 500;

impl Orphan {
    fn new(since_ms: u64, due_ms: u64) -> Self {
        Self { since_ms, due_ms, is_told: false, tries: 0 }
    }
}

impl Coordinator {
    pub(super) fn owner_state(&self, owner: &Identity) -> OwnerState {
        match self.view.members.get(&owner.id) {
            Some(member) if member.info.identity == *owner => {
                if member.may_serve() {
                    OwnerState::Serving
                } else {
                    OwnerState::Gone
                }
            }
            Some(member) if member.info.identity.generation > owner.generation => OwnerState::Gone,
            _ => OwnerState::Stranger,
        }
    }

    /// After a change of the view: finds the slots whose owner is gone, or is back.
    pub(super) fn sort_out_the_dead(&mut self, io: &mut Io<'_>) {
        self.stop_copying_to_the_dead(io);
        let mut states: BTreeMap<Identity, OwnerState> = BTreeMap::new();
        let mut slots = Vec::new();
        for (slot, owner) in self.table.owners() {
            let state = *states.entry(owner).or_insert_with(|| self.owner_state(&owner));
            if state != OwnerState::Serving || self.orphans.contains_key(&slot) {
                slots.push(slot);
            }
        }
        slots.into_iter().for_each(|slot| self.sort_out(io, slot));
    }

    /// Finds out whether the slot is an orphan.
    pub(super) fn sort_out(&mut self, io: &mut Io<'_>, slot: u16) {
        let Some(owner) = self.table.owner(slot) else { return };
        let now_ms = io.now_ms;
        if owner == self.me {
            if self.owns(slot) {
                self.orphans.remove(&slot);
            } else {
                let due_ms = now_ms + self.settings.grant_ms;
                self.orphans.entry(slot).or_insert(Orphan::new(now_ms, due_ms));
            }
            return;
        }
        let (due_ms, is_gone) = match self.owner_state(&owner) {
            OwnerState::Serving => {
                if self.orphans.remove(&slot).is_some() {
                    self.follow_again(io, slot, Some(owner));
                }
                return;
            }
            OwnerState::Gone => (now_ms, true),
            OwnerState::Stranger => (now_ms + self.settings.stranger_ms, false),
        };
        let orphan = self.orphans.entry(slot).or_insert(Orphan::new(now_ms, due_ms));
        if is_gone && !orphan.is_told {
            (orphan.is_told, orphan.due_ms) = (true, orphan.due_ms.min(due_ms));
            self.follow_again(io, slot, None);
        }
    }

    /// Does what is to be done about orphans now.
    pub(super) fn take_orphans(&mut self, io: &mut Io<'_>) {
        if self.has_departed {
            return;
        }
        let is_due = |orphan: &Orphan| orphan.due_ms <= io.now_ms;
        let due: Vec<u16> = self.orphans.iter().filter(|(_, orphan)| is_due(orphan)).map(|(slot, _)| *slot).collect();
        let mut to_compare: BTreeMap<Identity, Vec<Row>> = BTreeMap::new();
        for slot in due {
            let Some(row) = self.table.row(slot) else { continue };
            match self.look_after(io, &row) {
                Next::Done => {}
                Next::Compare => to_compare.entry(row.owner).or_default().push(row),
                Next::Later(wait_ms) => self.look_again(slot, io.now_ms + wait_ms),
            }
        }
        for (gone, rows) in to_compare {
            self.begin_compare(io, gone, &rows);
        }
    }

    /// Whether slots belong to members that the view does not have yet: a plan would take these for dead.
    pub(super) fn awaits_strangers(&self, now_ms: u64) -> bool {
        let is_young = |orphan: &Orphan| now_ms < orphan.since_ms + self.settings.stranger_ms;
        let owners =
            self.orphans.iter().filter(|(_, orphan)| is_young(orphan)).filter_map(|(slot, _)| self.table.owner(*slot));
        owners.into_iter().any(|owner| owner != self.me && self.owner_state(&owner) == OwnerState::Stranger)
    }

    pub(super) fn look_again(&mut self, slot: u16, due_ms: u64) {
        if let Some(orphan) = self.orphans.get_mut(&slot) {
            orphan.due_ms = due_ms;
        }
    }

    /// The live copies of a row, this node not among them.
    pub(super) fn other_live_copies(&self, row: &Row) -> Vec<Identity> {
        row.copies.iter().copied().filter(|copy| *copy != self.me && self.view.is_alive(copy)).collect()
    }

    fn look_after(&mut self, io: &mut Io<'_>, row: &Row) -> Next {
        if !self.may_write() {
            return Next::Later(LOOK_AGAIN_MS);
        }
        let others = self.other_live_copies(row);
        let is_candidate = row.owner == self.me || row.copies.contains(&self.me);
        let is_held = io.plane.position(row.slot).epoch != 0;
        if row.owner == self.me && !is_held && !others.is_empty() {
            let at = SlotEpoch { slot: row.slot, epoch: row.epoch };
            io.send(others[0], CoordinatorMessage::Take(vec![at]));
            return Next::Later(TAKE_MS);
        }
        if is_candidate && others.is_empty() {
            let start = if is_held { Start::Warm } else { Start::Cold };
            self.take_over(io, row, start, Vec::new());
            return Next::Done;
        }
        if is_candidate {
            return Next::Compare;
        }
        let has_waited = |orphan: &Orphan| io.now_ms >= orphan.since_ms + self.settings.cold_wait_ms;
        let is_planned = self.plan.as_ref().and_then(|plan| plan.owner(row.slot)) == Some(self.me);
        if others.is_empty() && is_planned && self.orphans.get(&row.slot).is_some_and(has_waited) {
            self.take_over(io, row, Start::Cold, Vec::new());
            return Next::Done;
        }
        Next::Later(LOOK_AGAIN_MS)
    }

    /// Takes a slot over from an owner that is gone. `in_sync` are copies that have come exactly as far as this node's.
    ///
    /// The claim is provisional at first, with a majority too: who is cut off loses sight of the others one by one, and after
    /// the first still seems to have one. Where there is one, its members agree in a moment (see [`super::confirm`]).
    pub(super) fn take_over(&mut self, io: &mut Io<'_>, before: &Row, start: Start, in_sync: Vec<Identity>) {
        let slot = before.slot;
        let epoch = before.epoch.saturating_add(1);
        let claim = Claim { provisional: before.claim.provisional.saturating_add(1), ..before.claim };
        let base_seq = (start == Start::Warm).then(|| io.plane.position(slot).seq);
        self.forks.insert(slot, Fork { from: before.owner, base_seq });
        if self.has_majority {
            self.confirm.hurry(io.now_ms);
        }
        self.takeovers.count(self.has_majority, start);
        self.begin_to_own(io, Row { slot, epoch, version: 1, claim, owner: self.me, copies: in_sync }, start);
    }
}
