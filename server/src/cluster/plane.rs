//! What the coordinator orders of the data plane, and what the data plane tells it.
//!
//! The coordinator decides who owns and who copies a slot; the data plane holds the slot's keys, runs its commands and
//! streams its effects. This interface is all they know of each other, so that each is tested without the other.

use rondache_protocol::bus::identity::Identity;
use serde::{Deserialize, Serialize};

/// How much a claim to a slot is worth. Later ones and firm ones win; the order is that of the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// The epoch of the last owner that was made by a handoff from a firm owner, or by a takeover with a majority.
    pub firm_epoch: u64,
    /// How many takeovers without a majority there were since; 0: the claim is firm.
    pub provisional: u32,
}

/// Who serves a slot: one row of the slot table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The slot.
    pub slot: u16,
    /// Counts the slot's owners.
    pub epoch: u64,
    /// Counts the owner's changes of the row within the epoch.
    pub version: u32,
    /// What the owner's claim is worth.
    pub claim: Claim,
    /// The one node that executes the slot's commands.
    pub owner: Identity,
    /// The nodes that hold a copy in sync, most preferred first.
    pub copies: Vec<Identity>,
}

/// How far a slot's writes have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The owner's epoch.
    pub epoch: u64,
    /// The slot's count of effects; it goes on across epochs.
    pub seq: u64,
}

/// With what an owner begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the copy that this node holds.
    Warm,
    /// With nothing: what is there is dropped.
    Cold,
}

/// What a node that does not own a slot does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Applies the owner's effects, and may become owner.
    Copy,
    /// Drops what it holds, and only forwards.
    Forward,
}

/// The data plane, as the coordinator commands it. Every call is quick: it locks a shard, or appends to a stream.
pub trait DataPlane {
    /// Of a slot that is owned, or is about to be: whether its copies count for nothing, since the claim to it may have to give
    /// way to one that knows nothing of them. No write that waits for copies is executed or confirmed meanwhile.
    fn set_in_doubt(&mut self, _slot: u16, _is_in_doubt: bool) {}

    /// Executes the slot's commands from now on. `copies` get its effects from here on; they are in sync, and are told
    /// where the epoch begins, so that one that has not come exactly as far finds that out at once. Of a slot that is
    /// owned already, parked or not: goes on under the later epoch, with these copies alone.
    fn own(&mut self, slot: u16, epoch: u64, start: Start, copies: &[Identity]);

    /// Leaves the slot's commands to `owner` (`None`: to nobody, since the slot's owner is dead: requests wait, or fail where
    /// nothing may be taken over, and what that owner had sent before may still be applied; an owner that is no peer yet:
    /// requests wait until the call comes again). With [`Follow::Forward`], what a later owner, or this one, has begun to
    /// send stays.
    fn follow(&mut self, slot: u16, epoch: u64, owner: Option<Identity>, follow: Follow);

    /// Of an owned slot: makes `to` a copy, by sending what the slot holds and then every effect. Ends with
    /// [`PlaneEvent::CopySynced`] or [`PlaneEvent::CopyLost`]. It waits for its turn and for `rebalance-bandwidth`.
    fn start_copy(&mut self, slot: u16, to: Identity);

    /// Of an owned slot: sends nothing more to `to`, and tells it so: it drops the slot. (What no row has made a copy it also
    /// drops some seconds after it has lost the link to its owner, or when one who was its owner tells it to.)
    fn stop_copy(&mut self, slot: u16, to: Identity);

    /// The row names a copy that was made: from now on writes may count on it.
    fn list_copy(&mut self, _slot: u16, _to: Identity) {}

    /// Of an owned slot: lets its commands wait. [`PlaneEvent::CaughtUp`] follows for each copy that has applied all of
    /// the slot's effects.
    fn park(&mut self, slot: u16);

    /// Executes a parked slot's commands again: its handoff was aborted.
    fn unpark(&mut self, slot: u16);

    /// Of a parked slot: appends the grant to the stream to its new owner, behind all effects. Irrevocable.
    fn grant(&mut self, row: &Row);

    /// How far the slot has come here; [`Position::default`] where nothing, or only a part of a copy, is held.
    fn position(&self, slot: u16) -> Position;
}

/// What the data plane tells the coordinator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaneEvent {
    /// A copy that [`DataPlane::start_copy`] began holds all that the slot's owner holds.
    CopySynced {
        /// The slot.
        slot: u16,
        /// The epoch in which the copy began.
        epoch: u64,
        /// The copy.
        to: Identity,
    },
    /// A copy, begun or in sync, is no longer one: it found a gap, or too much waited for it.
    CopyLost {
        /// The slot.
        slot: u16,
        /// The owner's epoch.
        epoch: u64,
        /// The copy.
        to: Identity,
    },
    /// A copy of a parked slot has applied all of its effects.
    CaughtUp {
        /// The slot.
        slot: u16,
        /// The owner's epoch.
        epoch: u64,
        /// The copy.
        copy: Identity,
    },
    /// The giver's grant has arrived behind all of its effects: this node is to own the slot as the row says.
    Granted {
        /// The row of the new epoch.
        row: Row,
    },
}
