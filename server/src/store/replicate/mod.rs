//! Replication, as the store sees it: what this node is to each slot, and the effects of slots on their way to copies.
//!
//! | module | holds |
//! |---|---|
//! | [`outgoing`] | a stream to one copy: what waits, what was sent and not acknowledged |
//! | `pending` | the effects of the running command |
//! | `append` | effects into the streams of their slot's copies |
//! | `filling` | a copy that is being made: which keys it has already |
//! | `control` | changes of a slot's role, under its shard's lock |
//! | `following` | the copy's side: what records do to a slot's state |
//! | [`recent`] | forwarded writes that were executed lately |
//! | `content` | all keys of one slot: dropping them, comparing them |
//!
//! Everything here happens under the lock of the slot's shard, hence in the order of execution. A shard whose slots were
//! never part of a cluster has no state, and pays nothing.

pub(crate) mod append;
pub(crate) mod content;
pub(crate) mod control;
pub(crate) mod filling;
pub(crate) mod following;
pub mod outgoing;
pub(crate) mod pending;
pub mod recent;
#[cfg(test)]
pub(crate) mod testing;

use std::{
    mem::offset_of,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rondache_protocol::bus::{identity::Identity, replicate::SlotPosition};
use smallvec::SmallVec;

pub(crate) use self::append::append_flush;
use self::{filling::FillCursor, outgoing::Outgoing, recent::RecentWrites};
use super::{SHARDS, SLOTS_PER_SHARD, prefetch::prefetch_read, shard::Shard};

/// How many of a slot's owners are remembered, for WAIT.
const STARTS_LEN: usize = 4;

/// What this node is to a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// It executes the slot's commands.
    #[default]
    Owner,
    /// It owns the slot, whose commands wait for a handoff.
    Parked,
    /// It holds all that the owner holds, but for what is on its way.
    Copy,
    /// A copy is being made here.
    Filling,
    /// It holds nothing.
    Nothing,
}

/// How much of a slot a copy has been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The keys in front of the cursor.
    Filling(FillCursor),
    /// Everything.
    Complete,
}

/// One copy of an owned slot.
#[derive(Clone, Debug)]
pub(crate) struct CopyLink {
    pub(crate) outgoing: Arc<Outgoing>,
    /// The stream's overflows when the copy began.
    pub(crate) generation: u64,
    pub(crate) stage: Stage,
    /// Where in the stream the copy began: refusals from before speak of an earlier one.
    pub(crate) began: u64,
    /// Where in the stream the slot's last record stands.
    pub(crate) last: u64,
    /// Whether the slot table names it: only then it may take the slot over, and is waited for.
    pub(crate) is_listed: bool,
    /// What the copy is known to have, as far as somebody has waited for it: rare, and apart from what each write needs.
    pub(crate) waited: Option<Box<Waited>>,
}

/// How far a copy has come that somebody waits for (WAIT): acknowledgements tell places in the stream, not counts of
/// effects, and a slot that is written to all the time never has all of them acknowledged.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Waited {
    /// The copy has the slot's effects up to this one.
    confirmed_seq: u64,
    /// A count of effects, and the place in the stream behind which the copy has them.
    next: Option<(u64, u64)>,
}

impl CopyLink {
    /// Whether the copy has the slot's effects up to `seq` (`None`: all); the slot stands at `slot_seq`.
    fn has_confirmed(&mut self, seq: Option<u64>, slot_seq: u64) -> bool {
        let acked = self.outgoing.acked();
        if acked >= self.last {
            return true;
        }
        let Some(seq) = seq else { return false };
        let waited = self.waited.get_or_insert_default();
        if let Some((next_seq, position)) = waited.next
            && acked >= position
        {
            **waited = Waited { confirmed_seq: next_seq, next: None };
        }
        if waited.confirmed_seq >= seq {
            return true;
        }
        waited.next.get_or_insert((slot_seq, self.last));
        false
    }

    pub(crate) fn to(&self) -> Identity {
        self.outgoing.to
    }
}

/// The copies of a slot; one, by default, stands in the slot's state itself.
pub(crate) type CopyLinks = SmallVec<[CopyLink; 1]>;

/// What this node knows of a slot.
///
/// Each write reads it and changes it, and each finds another: what a write needs stands in the first
/// [`HOT_LINES`] lines, which a batch loads ahead.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(crate) struct SlotState {
    pub(crate) role: Role,
    /// Whether the slot table has named this node's copy since it began.
    pub(crate) is_listed: bool,
    /// Whether the copies count for nothing, as this node may have to give the slot back to one who knows nothing of them.
    pub(crate) is_in_doubt: bool,
    /// How far the slot has come here.
    pub(crate) at: SlotPosition,
    /// Records of lower epochs are refused.
    pub(crate) epoch_min: u64,
    /// The slot's copies, while this node owns it. At most as many as the row has, and those under way.
    pub(crate) copies: CopyLinks,
    /// The last owners' epochs and where each began.
    pub(crate) starts: [SlotPosition; STARTS_LEN],
    /// How far the slot had come when this node last gave it away.
    pub(crate) granted: SlotPosition,
}

/// Bytes of a cache line.
const LINE_LEN: usize = 64;
/// How many lines of a slot's state a write touches.
const HOT_LINES: usize = 2;

const _: () = assert!(offset_of!(SlotState, starts) <= HOT_LINES * LINE_LEN, "what a write needs comes first");

impl SlotState {
    /// Remembers that an owner begins at the slot's present position.
    pub(crate) fn note_start(&mut self) {
        self.starts.rotate_right(1);
        self.starts[0] = self.at;
    }

    /// Whether what was written at a position is part of what the slot holds now.
    pub(crate) fn holds(&self, written: SlotPosition) -> bool {
        if written.epoch == self.at.epoch {
            return true;
        }
        let mut later = self.starts.iter().filter(|start| start.epoch > written.epoch);
        // With an owner between that is not remembered, nothing can be said.
        let is_remembered = self.starts.iter().any(|start| start.epoch <= written.epoch);
        is_remembered && later.all(|start| start.seq >= written.seq)
    }
}

/// Where the state of a shard's slots stands, for the prefetch pass, which runs without the shard's lock.
#[derive(Debug, Default)]
pub(crate) struct SlotsHint(AtomicUsize);

impl SlotsHint {
    /// Makes the present place the one to prefetch from.
    #[inline]
    pub(crate) fn publish(&self, slots: Option<&Slots>) {
        let address = slots.map_or(0, |slots| std::ptr::from_ref(slots).addr());
        if self.0.load(Ordering::Relaxed) != address {
            self.0.store(address, Ordering::Relaxed);
        }
    }

    /// Starts loading what a write on the slot needs. A stale address costs a useless prefetch.
    #[inline]
    pub(crate) fn prefetch(&self, slot: u16) {
        let slots = self.0.load(Ordering::Relaxed);
        if slots != 0 {
            let state = slots + offset_of!(Slots, states) + index_of(slot) * size_of::<SlotState>();
            (0..HOT_LINES).for_each(|line| prefetch_read(state + line * LINE_LEN));
        }
    }
}

/// What the shard's lock guards of its slots.
#[derive(Debug)]
pub(crate) struct Slots {
    states: [SlotState; SLOTS_PER_SHARD],
    pub(crate) recent: RecentWrites,
    /// One bit per slot: this node decides on expiry and eviction of its keys.
    owned: u16,
    /// One bit per slot: this node counts and lists its keys.
    served: u16,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            states: std::array::from_fn(|_| SlotState::default()),
            recent: RecentWrites::default(),
            owned: u16::MAX,
            served: u16::MAX,
        }
    }
}

const _: () = assert!(SLOTS_PER_SHARD == u16::BITS as usize, "a shard's slots fit a word");

/// A slot's place among its shard's.
const fn index_of(slot: u16) -> usize {
    slot as usize / SHARDS
}

impl Slots {
    pub(crate) fn state_mut(&mut self, slot: u16) -> &mut SlotState {
        &mut self.states[index_of(slot)]
    }

    fn set_role(&mut self, slot: u16, role: Role) {
        self.states[index_of(slot)].role = role;
        let bit = 1 << index_of(slot);
        let set = |mask: &mut u16, on: bool| *mask = if on { *mask | bit } else { *mask & !bit };
        set(&mut self.owned, role == Role::Owner);
        set(&mut self.served, matches!(role, Role::Owner | Role::Parked));
    }
}

/// Some of a shard's slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShardSlots(u16);

impl ShardSlots {
    pub(crate) const ALL: Self = Self(u16::MAX);

    /// Only this one.
    pub(crate) const fn of(slot: u16) -> Self {
        Self(1 << index_of(slot))
    }

    /// A bit per slot, in the order of the slots.
    pub(crate) const fn bits(self) -> u16 {
        self.0
    }

    /// Whether every slot is among them: then no key need be looked at.
    #[inline]
    pub(crate) const fn is_all(self) -> bool {
        self.0 == u16::MAX
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the slot is among them.
    #[inline]
    pub(crate) const fn has(self, slot: u16) -> bool {
        self.0 & 1 << index_of(slot) != 0
    }

    /// Whether the key's slot is among them.
    #[inline]
    pub(crate) fn has_key(self, key: &[u8]) -> bool {
        self.is_all() || self.has(rondache_protocol::slot::slot_of(key))
    }

    /// Their places among the shard's slots.
    pub(crate) fn indexes(self) -> impl Iterator<Item = usize> {
        (0..SLOTS_PER_SHARD).filter(move |index| self.0 & 1 << index != 0)
    }
}

impl Shard {
    /// The slots on whose keys' expiry and eviction this node decides.
    #[inline]
    pub(crate) fn owned_slots(&self) -> ShardSlots {
        self.slots.as_ref().map_or(ShardSlots::ALL, |slots| ShardSlots(slots.owned))
    }

    /// How many copies of a slot there are that may take it over.
    pub(crate) fn listed_copies(&self, slot: u16) -> usize {
        self.slots.as_ref().map_or(0, |slots| slots.states[index_of(slot)].listed().count())
    }

    /// Their streams, and where in each the slot's last record stands.
    pub(crate) fn copy_places(&self, slot: u16) -> Vec<(Arc<Outgoing>, u64)> {
        let states = self.slots.as_ref().map(|slots| &slots.states[index_of(slot)]);
        let links = states.into_iter().flat_map(SlotState::listed);
        links.map(|link| (link.outgoing.clone(), link.last)).collect()
    }

    /// How far a slot has come here.
    pub(crate) fn position(&self, slot: u16) -> SlotPosition {
        self.slots.as_ref().map(|slots| slots.states[index_of(slot)].at).unwrap_or_default()
    }

    /// The slots whose keys this node counts and lists.
    #[inline]
    pub(crate) fn served_slots(&self) -> ShardSlots {
        self.slots.as_ref().map_or(ShardSlots::ALL, |slots| ShardSlots(slots.served))
    }
}
