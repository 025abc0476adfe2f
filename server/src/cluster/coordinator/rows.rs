//! Rows that are learnt, and what they change on this node.

use rondache_protocol::bus::identity::Identity;

use super::{
    Coordinator, Io, Role,
    message::{CoordinatorMessage, SlotEpoch},
    orphans::OwnerState,
};
use crate::cluster::{
    plane::{Follow, Row, Start},
    table::{Merged, order::supersedes},
};

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
            let at = SlotEpoch { slot, epoch: row.epoch };
            io.send(row.owner, CoordinatorMessage::NotSynced(vec![at]));
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
        self.forget_own(row.slot);
        self.begin_to_own(io, Row { version: row.version + 1, copies, ..row }, Start::Warm);
    }

    /// Takes a higher epoch than one that lost against this node's claim: later epochs are to be later owners again.
    fn rise_above(&mut self, io: &mut Io<'_>, mine: &Row, epoch: u64) {
        self.stop_copying(io, mine.slot);
        let fork = self.forks.remove(&mine.slot);
        self.forget_own(mine.slot);
        if let Some(fork) = fork {
            self.forks.insert(mine.slot, fork);
        }
        let row = Row { epoch: epoch.saturating_add(1), version: 1, ..mine.clone() };
        self.begin_to_own(io, row, Start::Warm);
    }
}

fn follow_of(role: Role) -> Follow {
    if role == Role::Copy { Follow::Copy } else { Follow::Forward }
}
