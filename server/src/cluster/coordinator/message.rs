//! What coordinators say to each other. Every message may be lost: what it tells is told again.

use rondache_protocol::bus::identity::Identity;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        plane::{Claim, Position},
        table::batch::RowBatch,
    },
    plan::Plan,
};

/// The most slots that one question, answer or order names.
pub const SLOTS_PER_MESSAGE_MAX: usize = 4096;

/// A message from one coordinator to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CoordinatorMessage {
    /// Rows that changed, or that the receiver seems not to have.
    Rows(RowBatch),
    /// What the sender's table and plan are.
    Digest(TableDigest),
    /// All rows that the sender has in some ranges; what is newer at the receiver comes back as [`Self::Rows`].
    Ranges(Ranges),
    /// A plan.
    Plan(Plan),
    /// How far have these slots, whose owner is gone, come at the receiver?
    Compare(Question),
    /// The answer to [`Self::Compare`].
    Compared(Answer),
    /// Of slots whose owner is gone: the receiver's copy is the best, it is to take them over.
    Take(Vec<SlotEpoch>),
    /// The receiver's rows say that the sender copies these slots in sync, but it does not.
    NotSynced(Vec<SlotEpoch>),
    /// The sender is the owner from whom the receiver took slots provisionally, and is alive: which of the two goes on?
    /// The answer is [`Self::Kept`], or [`Self::Rows`] that give slots back.
    Reclaim(Vec<Reclaimed>),
    /// Slots that the sender does not give back.
    Kept(RowBatch),
    /// Provisional claims that their owner would make firm. Is any of them not the best that the receiver knows?
    Confirm {
        /// The sender's count of such questions.
        round: u64,
        /// The claims.
        rows: RowBatch,
    },
    /// All of that round's claims are the best that the sender knows.
    Confirmed {
        /// The round.
        round: u64,
    },
    /// Has the receiver answered all that the sender said before?
    Fence {
        /// The sender's count of such questions.
        round: u64,
    },
    /// The answer to [`Self::Fence`]: what was asked before it is answered before it.
    Fenced {
        /// The round.
        round: u64,
    },
}

/// What a table and a plan are, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDigest {
    /// One per range of slots.
    pub ranges: Vec<u64>,
    /// [`Plan::rank`], if there is a plan.
    pub plan: Option<(u64, Identity)>,
}

/// All rows of some ranges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranges {
    /// The ranges.
    pub ranges: Vec<u8>,
    /// Their rows.
    pub rows: Vec<RowBatch>,
}

/// A slot in the epoch of one owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotEpoch {
    /// The slot.
    pub slot: u16,
    /// The owner's epoch.
    pub epoch: u64,
}

/// See [`CoordinatorMessage::Compare`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The owner that is gone.
    pub gone: Identity,
    /// Its slots that the sender and the receiver copy.
    pub slots: Vec<SlotEpoch>,
}

/// See [`CoordinatorMessage::Compared`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The owner that is gone.
    pub gone: Identity,
    /// For each slot that was asked about, in that order, how far it has come; `None`: there is no copy of it.
    pub positions: Vec<(u16, Option<Position>)>,
}

/// See [`CoordinatorMessage::Reclaim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reclaimed {
    /// The slot.
    pub slot: u16,
    /// The sender's claim.
    pub claim: Claim,
    /// The sender's epoch and count of effects.
    pub position: Position,
}

/// Who is to get a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// One life of a member.
    One(Identity),
    /// All live members but the sender.
    All,
}

/// A message that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// To whom.
    pub to: To,
    /// What.
    pub message: CoordinatorMessage,
}
