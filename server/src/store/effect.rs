//! Effects: the deterministic writes of a slot, in order.
//!
//! A copy that applies a slot's effects in sequence holds what the owner holds: deadlines are absolute and jittered
//! already, random choices are made. They are queued under the shard's lock, so their order is the order of execution.

use std::collections::{BTreeMap, VecDeque};

/// One write, as its slot's copies apply it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The slot that the write belongs to.
    pub slot: u16,
    /// The slot's count of effects, from 1, without gaps.
    pub seq: u64,
    /// The database.
    pub db: usize,
    /// The command with its arguments.
    pub args: Vec<Box<[u8]>>,
}

/// A shard's effects that nobody has taken yet.
///
/// Bound: at most [`OUTBOX_LEN_MAX`] effects wait; when it is full the oldest are dropped, which a copy notices as a gap
/// in `seq` and answers by asking for the slot again.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: VecDeque<Effect>,
    seqs: BTreeMap<u16, u64>,
}

/// How many effects wait in one shard at most.
pub const OUTBOX_LEN_MAX: usize = 4096;

impl Outbox {
    /// Appends a write to its slot's order.
    pub fn push(&mut self, slot: u16, db: usize, args: Vec<Box<[u8]>>) {
        let seq = self.seqs.entry(slot).or_default();
        *seq += 1;
        if self.waiting.len() == OUTBOX_LEN_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(Effect { slot, seq: *seq, db, args });
    }

    /// Takes everything that waits, oldest first.
    pub fn drain(&mut self) -> impl Iterator<Item = Effect> + '_ {
        self.waiting.drain(..)
    }
}
