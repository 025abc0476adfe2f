//! For each slot of a wave where its requests go, decided once per dispatch.

use super::slot_set::SlotSet;
use crate::cluster::routing::PeerIndex;

/// Where requests go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Nowhere for now.
    Hold,
    /// Nowhere for a long time.
    Down,
    /// Not to the copy that was to answer.
    Unreachable,
    /// Into this node's store.
    Here,
    /// To a peer.
    Peer(PeerIndex),
}

/// The decisions of one dispatch. The set answers nearly every question, since few requests of a wave share a slot; the
/// list is looked through for the others.
#[derive(Debug, Default)]
pub(crate) struct Decided {
    slots: SlotSet,
    list: Vec<(u16, Decision)>,
}

impl Decided {
    /// What was decided for a slot.
    pub(crate) fn get(&self, slot: u16) -> Option<Decision> {
        if !self.slots.contains(slot) {
            return None;
        }
        self.list.iter().rev().find(|(of, _)| *of == slot).map(|(_, decision)| *decision)
    }

    /// Decides; the last word counts.
    pub(crate) fn set(&mut self, slot: u16, decision: Decision) {
        self.slots.insert(slot);
        self.list.push((slot, decision));
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.list.clear();
    }
}
