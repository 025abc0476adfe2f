//! Provisional claims become firm, once a majority is there and nobody alive knows better ones.

use std::collections::BTreeSet;

use rondache_protocol::bus::identity::Identity;

use super::{Coordinator, Io, message::CoordinatorMessage, settings::PartitionPolicy};
use crate::cluster::{
    plane::{Claim, Row},
    table::batch::{BATCH_ROWS_MAX, RowBatch},
};

/// A round without an answer from everybody is given up after this long.
const ROUND_MS: u64 = 1_000;

/// This node's provisional claims.
#[derive(Debug, Default)]
pub(super) struct Confirm {
    slots: BTreeSet<u16>,
    due_ms: u64,
    round: u64,
    asked: Option<Asked>,
}

/// A round under way.
#[derive(Debug)]
struct Asked {
    rows: Vec<Row>,
    unanswered: BTreeSet<Identity>,
    until_ms: u64,
}

impl Confirm {
    pub(super) fn add(&mut self, slot: u16) {
        self.slots.insert(slot);
    }

    pub(super) fn remove(&mut self, slot: u16) {
        self.slots.remove(&slot);
    }

    /// How many claims are provisional.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// There are new claims that a majority is likely to agree to.
    pub(super) fn hurry(&mut self, due_ms: u64) {
        self.due_ms = self.due_ms.min(due_ms);
    }

    /// Members came or went: what was answered is worth nothing any more.
    pub(super) fn restart(&mut self, due_ms: u64) {
        self.asked = None;
        self.due_ms = due_ms;
    }
}

impl Coordinator {
    pub(super) fn tick_confirm(&mut self, io: &mut Io<'_>) {
        if self.confirm.slots.is_empty() || !self.has_majority || io.now_ms < self.confirm.due_ms {
            return;
        }
        if self.confirm.asked.as_ref().is_some_and(|asked| io.now_ms < asked.until_ms) {
            return;
        }
        let slots = self.confirm.slots.iter().filter(|slot| !self.contests.contains_key(slot));
        let rows: Vec<Row> = slots.take(BATCH_ROWS_MAX).filter_map(|slot| self.table.row(*slot)).collect();
        if rows.is_empty() {
            return;
        }
        let members = self.view.live().map(super::identity_of).filter(|member| *member != self.me);
        let unanswered: BTreeSet<Identity> = members.collect();
        self.confirm.round += 1;
        for peer in &unanswered {
            for rows in RowBatch::of(rows.iter().cloned()) {
                io.send(*peer, CoordinatorMessage::Confirm { round: self.confirm.round, rows });
            }
        }
        self.confirm.asked = Some(Asked { rows, unanswered, until_ms: io.now_ms + ROUND_MS });
        self.make_firm(io);
    }

    pub(super) fn on_confirm(&mut self, io: &mut Io<'_>, from: Identity, round: u64, rows: &RowBatch) {
        rows.rows().for_each(|row| self.learn(io, from, row));
        let is_other = |row: &Row| self.table.row(row.slot).as_ref() != Some(row);
        let others: Vec<u16> = rows.rows().filter(is_other).map(|row| row.slot).collect();
        if others.is_empty() {
            io.send(from, CoordinatorMessage::Confirmed { round });
        }
        for rows in self.table.batches(others) {
            io.send(from, CoordinatorMessage::Rows(rows));
        }
    }

    pub(super) fn on_confirmed(&mut self, io: &mut Io<'_>, from: Identity, round: u64) {
        if let Some(asked) = self.confirm.asked.as_mut().filter(|_| round == self.confirm.round) {
            asked.unanswered.remove(&from);
            self.make_firm(io);
            self.tick_confirm(io);
        }
    }

    /// Whether a slot that this node took over may have to go back to its former owner, and the claim to it is to be firm
    /// soon: until then no copy counts. Where no majority is and the policy is to serve nevertheless, nothing ever would, and
    /// what copies have counts for as long as the cut lasts.
    pub(super) fn is_in_doubt(&self, slot: u16) -> bool {
        self.forks.contains_key(&slot) && (self.has_majority || self.settings.policy == PartitionPolicy::Majority)
    }

    /// The majority was lost or is there again.
    pub(super) fn doubt_again(&mut self, io: &mut Io<'_>) {
        for slot in &self.confirm.slots {
            io.plane.set_in_doubt(*slot, self.is_in_doubt(*slot));
        }
    }

    /// Makes the round's claims firm if everybody has agreed.
    fn make_firm(&mut self, io: &mut Io<'_>) {
        let Some(asked) = self.confirm.asked.take_if(|asked| asked.unanswered.is_empty()) else { return };
        for row in asked.rows {
            let slot = row.slot;
            if self.table.row(slot).as_ref() != Some(&row) || self.contests.contains_key(&slot) {
                continue;
            }
            let claim = Claim { firm_epoch: row.epoch, provisional: 0 };
            self.table.merge(&Row { claim, version: row.version + 1, ..row });
            self.confirm.slots.remove(&slot);
            self.forks.remove(&slot);
            io.plane.set_in_doubt(slot, false);
            self.changed.insert(slot);
            self.reconcile.consider(slot);
        }
    }
}
