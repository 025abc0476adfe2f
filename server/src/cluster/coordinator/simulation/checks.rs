//! What must hold.

use std::collections::{BTreeMap, BTreeSet};

use rondache_protocol::bus::identity::Identity;

/// What a run has shown so far.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// Who owned which slot in which epoch by a firm claim.
    firm: BTreeMap<(u16, u64), Identity>,
    /// Since when nobody executes a slot.
    idle_since_ms: BTreeMap<u16, u64>,
    /// The slot that nobody executed for the longest time, behind that time.
    pub(super) longest_idle: (u64, u16),
    /// Copies that were lost, by owner and copy.
    pub(super) copies_lost: BTreeMap<(usize, usize), u64>,
    pub(super) acknowledged: BTreeSet<(u16, u32)>,
    /// Who executed each slot last.
    executors: BTreeMap<u16, usize>,
}

impl Checks {
    /// A node began to own a slot by a firm claim.
    pub(super) fn owned(&mut self, slot: u16, epoch: u64, owner: Identity) -> Result<(), String> {
        match self.firm.insert((slot, epoch), owner) {
            Some(other) if other != owner => {
                Err(format!("slot {slot} has two owners in epoch {epoch}: {other:?} and {owner:?}"))
            }
            _ => Ok(()),
        }
    }

    /// Notes who executes a slot; whether it is another node than before.
    pub(super) fn is_new_executor(&mut self, slot: u16, host: usize) -> bool {
        self.executors.insert(slot, host) != Some(host)
    }

    /// Writes to a slot that a copy has acknowledged.
    pub(super) fn acknowledged_of(&self, slot: u16) -> impl Iterator<Item = u32> {
        self.acknowledged.range((slot, 0)..=(slot, u32::MAX)).map(|(_, write)| *write)
    }

    /// Notes whether anybody executes the slot.
    pub(super) fn executed(&mut self, now_ms: u64, slot: u16, is_executed: bool) {
        if is_executed {
            self.idle_since_ms.remove(&slot);
            return;
        }
        let since_ms = *self.idle_since_ms.entry(slot).or_insert(now_ms);
        self.longest_idle = self.longest_idle.max((now_ms - since_ms, slot));
    }
}
