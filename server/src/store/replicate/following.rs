//! The copy's side: what the records of its owner's stream do to a slot's state.

use rondache_protocol::bus::replicate::{Refusal, SlotPosition, Write};

use super::{Role, control::SlotControl};
use crate::store::shard::Shard;

impl Shard {
    /// Takes an effect's place in the slot's order. `Err`: it may not be applied, and the copy is none any more.
    #[inline]
    pub(crate) fn accept_effect(
        &mut self,
        slot: u16,
        at: SlotPosition,
        now_ms: u64,
        write: Option<&Write<'_>>,
    ) -> Result<(), Refusal> {
        let slots = self.slots.as_deref_mut().ok_or(Refusal::NoCopy)?;
        let state = slots.state_mut(slot);
        if at.epoch != state.at.epoch || at.epoch < state.epoch_min {
            return Err(if matches!(state.role, Role::Nothing) { Refusal::NoCopy } else { Refusal::Epoch });
        }
        match state.role {
            Role::Copy if at.seq == state.at.seq + 1 => {}
            // Effects on keys that are still to come are left out, and one may become the deletion of several keys.
            Role::Filling if at.seq >= state.at.seq => {}
            Role::Copy | Role::Filling => return Err(Refusal::Gap),
            Role::Owner | Role::Parked => return Err(Refusal::Epoch),
            Role::Nothing => return Err(Refusal::NoCopy),
        }
        state.at.seq = at.seq;
        if let Some(write) = write {
            slots.recent.put(slot, now_ms, write);
        }
        Ok(())
    }

    /// Whether a key of a copy under way may be put in.
    pub(crate) fn accept_entry(&mut self, slot: u16, epoch: u64) -> Result<(), Refusal> {
        let state = self.slots.as_deref_mut().map(|slots| slots.state_mut(slot)).ok_or(Refusal::NoCopy)?;
        match state.role {
            Role::Filling if epoch == state.at.epoch => Ok(()),
            Role::Owner | Role::Parked => Err(Refusal::Epoch),
            _ => Err(Refusal::NoCopy),
        }
    }
}

impl SlotControl<'_> {
    /// A copy begins: what is here is dropped.
    pub(crate) fn fill_begins(&mut self, at: SlotPosition) -> Result<(), Refusal> {
        let state = self.state();
        if matches!(state.role, Role::Owner | Role::Parked) || at.epoch < state.epoch_min {
            return Err(Refusal::Epoch);
        }
        self.drop_content();
        let state = self.state();
        state.at = at;
        state.epoch_min = at.epoch;
        state.is_listed = false;
        self.set_role(Role::Filling);
        Ok(())
    }

    /// The copy holds all.
    pub(crate) fn fill_ends(&mut self, at: SlotPosition) -> Result<(), Refusal> {
        let state = self.state();
        if state.role != Role::Filling || state.at.epoch != at.epoch {
            return Err(Refusal::NoCopy);
        }
        if at.seq < state.at.seq {
            return Err(Refusal::Gap);
        }
        state.at = at;
        state.note_start();
        self.set_role(Role::Copy);
        Ok(())
    }

    /// A new owner begins at `before`, where this copy must stand too.
    pub(crate) fn lead(&mut self, epoch: u64, before: SlotPosition) -> Result<(), Refusal> {
        let state = self.state();
        if state.role != Role::Copy {
            let is_owner = matches!(state.role, Role::Owner | Role::Parked);
            return Err(if is_owner { Refusal::Epoch } else { Refusal::NoCopy });
        }
        if epoch <= state.at.epoch || epoch < state.epoch_min {
            return Err(Refusal::Epoch);
        }
        if state.at != before {
            return Err(Refusal::Gap);
        }
        state.at.epoch = epoch;
        state.epoch_min = epoch;
        state.note_start();
        Ok(())
    }

    /// Whether the copy may own the slot in `epoch`.
    pub(crate) fn accept_grant(&mut self, epoch: u64) -> Result<(), Refusal> {
        let state = self.state();
        match state.role {
            Role::Copy if epoch > state.at.epoch && epoch >= state.epoch_min => Ok(()),
            Role::Copy | Role::Owner | Role::Parked => Err(Refusal::Epoch),
            _ => Err(Refusal::NoCopy),
        }
    }

    /// The owner has emptied a database of the slot, or all.
    pub(crate) fn flushed(&mut self, at: SlotPosition, db: Option<usize>) -> Result<(), Refusal> {
        self.shard.accept_effect(self.slot, at, 0, None)?;
        self.drop_databases(db);
        Ok(())
    }

    /// Whether the slot has a later owner here than the one of that epoch.
    pub(crate) fn is_past(&mut self, epoch: u64) -> bool {
        let state = self.state();
        epoch < state.at.epoch.max(state.epoch_min)
    }

    /// Drops the copy, unless this node owns the slot. Answers where it stood, and whether it was dropped.
    pub(crate) fn abandon(&mut self) -> (SlotPosition, bool) {
        let (role, at) = (self.role(), self.position());
        let is_copy = matches!(role, Role::Copy | Role::Filling);
        if is_copy {
            self.drop_content();
            self.set_role(Role::Nothing);
        }
        (at, is_copy)
    }

    /// Drops a copy of that epoch; of a `listed` one, too, or only one that no row has named. Answers whether there was one.
    pub(crate) fn drop_copy(&mut self, epoch: u64, listed: bool) -> bool {
        let state = self.state();
        state.at.epoch == epoch && (listed || !state.is_listed) && self.abandon().1
    }

    /// Compares the copy with its owner at this point of the order.
    pub(crate) fn matches(&mut self, at: SlotPosition, digest: u128) -> Result<(), Refusal> {
        let state = self.state();
        if state.role != Role::Copy || state.at.epoch != at.epoch {
            return Err(Refusal::NoCopy);
        }
        if state.at.seq != at.seq {
            return Err(Refusal::Gap);
        }
        if self.shard.digest_slot(self.slot) == digest { Ok(()) } else { Err(Refusal::Diverged) }
    }

    /// Remembers a forwarded write whose effect the copy under way does not need.
    pub(crate) fn note_write(&mut self, epoch: u64, now_ms: u64, write: &Write<'_>) {
        let slot = self.slot;
        if self.state().at.epoch == epoch {
            self.slots().recent.put(slot, now_ms, write);
        }
    }
}
