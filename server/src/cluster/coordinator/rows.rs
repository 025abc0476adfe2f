//! Rows that are learnt, and what they change on this node.

use std::collections::BTreeMap;

use rondache_protocol::bus::identity::Identity;

use super::{
    Coordinator, Io, Role,
    message::{CoordinatorMessage, SLOTS_PER_MESSAGE_MAX, SlotEpoch},
    orphans::OwnerState,
};
use crate::cluster::{
    plane::{Follow, Row, Start},
    table::{Merged, order::supersedes},
};

/// Every slot is looked at once in some seconds.
const LOOKED_AT_PER_TICK: u16 = 64;

impl Coordinator {
    /// Takes in a row that another node told.
    pub(super) fn learn(&mut self, io: &mut Io<'_>, from: Identity, row: Row) {
        let slot = row.slot;
        if slot >= self.settings.slots {
            return;
        }
        let before = self.table.row(slot);
        if let Some(before) = &before
            && !supersedes(&row, before)
        {
            if self.owns(slot) && row.owner != self.me && row.epoch >= before.epoch {
                self.rise_above(io, before, row.epoch);
            }
            return;
        }
        match &before {
            Some(mine) if self.owns(slot) && row.owner != self.me && mine.claim.firm_epoch == row.claim.firm_epoch => {
                self.contest(io, mine, row);
            }
            Some(known) if from != known.owner && self.is_owners_affair(known, &row) => {}
            Some(known) if from != known.owner && self.is_given_back(known, &row) => {}
            _ => self.adopt(io, before.as_ref(), row),
        }
    }

    /// Whether a row is a provisional claim to a slot whose firm owner is alive. The two settle it between them; until the
    /// owner itself says that it has lost, others neither drop its copies nor ask the one who may have to give way.
    fn is_owners_affair(&self, known: &Row, row: &Row) -> bool {
        let is_weaker = row.claim.firm_epoch == known.claim.firm_epoch && row.claim.provisional > 0;
        let is_others = row.owner != known.owner && row.owner != self.me && known.owner != self.me;
        is_weaker && is_others && known.claim.provisional == 0 && self.owner_state(&known.owner) == OwnerState::Serving
    }

    /// Whether a row gives a slot back to the owner that is known, and names no copies, since whoever gave it back knows of
    /// none. That owner says next which there are: until then they are kept.
    fn is_given_back(&self, known: &Row, row: &Row) -> bool {
        row.version == 0 && row.owner == known.owner && row.owner != self.me
    }

    /// Puts a row that wins into the table and does what it asks of this node.
    pub(super) fn adopt(&mut self, io: &mut Io<'_>, before: Option<&Row>, row: Row) {
        if row.owner == self.me {
            if self.owns(row.slot) {
                self.resume(io, before, row);
            } else if self.table.merge(&row) == Merged::Newer {
                self.handoffs.confirmed(row.slot);
                self.sort_out(io, row.slot);
            }
            return;
        }
        if self.table.merge(&row) != Merged::Newer {
            return;
        }
        if let Some(before) = before.filter(|before| before.owner != row.owner && before.epoch >= row.epoch) {
            self.beaten.note(before);
        }
        if row.version > 0 || before.is_some_and(|before| before.owner != row.owner) {
            self.handoffs.confirmed(row.slot);
        }
        let has_lost = self.owns(row.slot);
        if has_lost {
            self.takeovers.lost += 1;
            self.forget_own(row.slot);
        }
        self.follow(io, before, &row, has_lost);
    }

    /// Follows a row that names another owner.
    fn follow(&mut self, io: &mut Io<'_>, before: Option<&Row>, row: &Row, has_lost: bool) {
        let slot = row.slot;
        let is_named = row.copies.contains(&self.me);
        let holds = !has_lost && io.plane.position(slot).epoch != 0;
        if is_named && !holds {
            self.not_synced.insert(slot);
        }
        let role = if is_named && holds { Role::Copy } else { Role::Neither };
        let is_new = before.is_none_or(|before| before.owner != row.owner || before.epoch != row.epoch);
        if is_new || role != self.role(slot) {
            self.set_role(slot, role);
            self.orphans.remove(&slot);
            io.plane.follow(slot, row.epoch, Some(row.owner), follow_of(role));
        }
        self.sort_out(io, slot);
    }

    /// Looks at the next slots for copies that this node is named for and holds no more: word of that may have been lost.
    pub(super) fn tick_not_synced(&mut self, io: &mut Io<'_>) {
        let slots = self.settings.slots;
        for _ in 0..LOOKED_AT_PER_TICK.min(slots) {
            self.looked_at = if self.looked_at + 1 < slots { self.looked_at + 1 } else { 0 };
            let slot = self.looked_at;
            if self.table.copies(slot).any(|copy| copy == self.me) && io.plane.position(slot).epoch == 0 {
                self.not_synced.insert(slot);
            }
        }
        self.send_not_synced(io);
    }

    /// Tells the owners whose rows name this node as a copy that holds nothing, all slots of one in one message.
    pub(super) fn send_not_synced(&mut self, io: &mut Io<'_>) {
        let mut told: BTreeMap<Identity, Vec<SlotEpoch>> = BTreeMap::new();
        for slot in std::mem::take(&mut self.not_synced) {
            let row = self.table.row(slot).filter(|row| row.copies.contains(&self.me));
            if let Some(row) = row.filter(|_| io.plane.position(slot).epoch == 0) {
                told.entry(row.owner).or_default().push(SlotEpoch { slot, epoch: row.epoch });
            }
        }
        for (owner, slots) in told {
            for slots in slots.chunks(SLOTS_PER_MESSAGE_MAX) {
                io.send(owner, CoordinatorMessage::NotSynced(slots.to_vec()));
            }
        }
    }

    /// A node that this node's rows name as a copy says that it holds nothing. About copies that no row names any more,
    /// that is no news: one that is under way is not to be given up for it.
    pub(super) fn on_not_synced(&mut self, io: &mut Io<'_>, from: Identity, slots: &[SlotEpoch]) {
        for at in slots.iter().take(SLOTS_PER_MESSAGE_MAX) {
            if self.own_row(at.slot, at.epoch).is_some_and(|row| row.copies.contains(&from)) {
                self.copy_lost(io, at.slot, at.epoch, from);
            }
        }
    }

    /// Tells the data plane again whom the slot's commands go to: nobody if the owner is gone.
    pub(super) fn follow_again(&self, io: &mut Io<'_>, slot: u16, owner: Option<Identity>) {
        io.plane.follow(slot, self.table.epoch(slot), owner, follow_of(self.role(slot)));
    }

    /// Begins to own a slot by a row that this node made or was granted.
    pub(super) fn begin_to_own(&mut self, io: &mut Io<'_>, row: Row, start: Start) {
        if self.table.merge(&row) == Merged::Stale {
            return;
        }
        let slot = row.slot;
        self.set_role(slot, Role::Owner);
        self.orphans.remove(&slot);
        self.handoffs.confirmed(slot);
        io.plane.set_in_doubt(slot, row.claim.provisional > 0 && self.is_in_doubt(slot));
        io.plane.own(slot, row.epoch, start, &row.copies);
        self.reconcile.consider(slot);
        self.changed.insert(slot);
        self.has_new_owner = true;
        if row.claim.provisional > 0 {
            self.confirm.add(slot);
        }
    }

    /// Changes the copies that a row of this node names.
    pub(super) fn change_copies(&mut self, mut row: Row, copies: Vec<Identity>) {
        row.version += 1;
        row.copies = copies;
        self.changed.insert(row.slot);
        self.reconcile.consider(row.slot);
        self.table.merge(&row);
    }

    /// Forgets what this node had begun as the slot's owner.
    pub(super) fn forget_own(&mut self, slot: u16) {
        self.reconcile.forget(slot);
        self.handoffs.forget(slot);
        self.forks.remove(&slot);
        self.contests.remove(&slot);
        self.confirm.remove(slot);
        self.changed.remove(&slot);
        self.set_role(slot, Role::Neither);
    }

    /// Goes on owning a slot that the one who had taken it gave back.
    fn resume(&mut self, io: &mut Io<'_>, before: Option<&Row>, row: Row) {
        let copies = before.map(|before| before.copies.clone()).unwrap_or_default();
        self.own_anew(io, Row { version: row.version + 1, copies, ..row });
    }

    /// Takes a higher epoch than one that lost against this node's claim: later epochs are to be later owners again.
    fn rise_above(&mut self, io: &mut Io<'_>, mine: &Row, epoch: u64) {
        self.stop_copying(io, mine.slot);
        self.own_anew(io, Row { epoch: epoch.saturating_add(1), version: 1, ..mine.clone() });
    }

    /// Goes on owning a slot by another row. From whom this node has taken it, if from anybody, may still ask for it.
    pub(super) fn own_anew(&mut self, io: &mut Io<'_>, row: Row) {
        let fork = self.forks.remove(&row.slot);
        self.forget_own(row.slot);
        if let Some(fork) = fork {
            self.forks.insert(row.slot, fork);
        }
        self.begin_to_own(io, row, Start::Warm);
    }
}

fn follow_of(role: Role) -> Follow {
    if role == Role::Copy { Follow::Copy } else { Follow::Forward }
}
