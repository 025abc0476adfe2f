//! The records of a stream.

mod read;
mod write;

pub use self::{
    read::Records,
    write::{
        put_caught_up, put_digest, put_drop, put_effect, put_effect_words, put_entry, put_fill_begin, put_fill_end,
        put_grant, put_heartbeat, put_lead, put_part, put_word, put_words_count, put_wrote,
    },
};
use super::{ReplicateError, SlotPosition, reader::Reader};
use crate::{
    bus::identity::{Identity, WriteId},
    resp::request::ArgRange,
};

/// A record with more bytes than this travels in parts of at most this size.
pub const PART_LEN_MAX: usize = 256 * 1024;

mod kind {
    pub(super) const EFFECT: u8 = 1;
    pub(super) const ENTRY: u8 = 2;
    pub(super) const WROTE: u8 = 3;
    pub(super) const FILL_BEGIN: u8 = 4;
    pub(super) const FILL_END: u8 = 5;
    pub(super) const LEAD: u8 = 6;
    pub(super) const GRANT: u8 = 7;
    pub(super) const DROP: u8 = 8;
    pub(super) const DIGEST: u8 = 9;
    pub(super) const HEARTBEAT: u8 = 10;
    pub(super) const PART: u8 = 11;
    pub(super) const CAUGHT_UP: u8 = 12;
}

/// In an effect's flags: it names the forwarded write that caused it.
const HAS_WRITE: u8 = 1;
/// In an entry's flags: it has a deadline.
const HAS_DEADLINE: u8 = 1;
/// In a part's flags: the record ends with it.
const IS_LAST: u8 = 1;
/// Copies in a row at most: more are no row.
const COPIES_MAX: u16 = 1024;

/// A forwarded write and its reply, for retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write<'a> {
    /// Which write.
    pub id: WriteId,
    /// Its reply as the client reads it; `None`: too large to keep.
    pub reply: Option<&'a [u8]>,
}

/// What an effect says besides its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EffectHead<'a> {
    /// The slot.
    pub slot: u16,
    /// The owner's epoch, and the slot's count of effects with this one.
    pub at: SlotPosition,
    /// The database.
    pub db: u8,
    /// The owner's time when it executed the command (unix ms).
    pub now_ms: u64,
    /// The forwarded write behind it.
    pub write: Option<Write<'a>>,
}

/// One deterministic write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect<'a> {
    /// Where it belongs.
    pub head: EffectHead<'a>,
    /// The command.
    pub words: EffectWords<'a>,
}

/// A command's words, each behind its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EffectWords<'a> {
    count: u32,
    bytes: &'a [u8],
}

impl<'a> EffectWords<'a> {
    /// The words that [`put_words_count`] and [`put_word`] wrote.
    ///
    /// # Errors
    /// There are not even as many bytes as a count takes.
    pub fn new(encoded: &'a [u8]) -> Result<Self, ReplicateError> {
        let mut reader = Reader(encoded);
        Ok(Self { count: reader.u32()?, bytes: reader.0 })
    }

    /// The bytes that [`EffectWords::ranges`] point into.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Appends where each word stands in [`EffectWords::bytes`].
    ///
    /// # Errors
    /// A length is wrong.
    pub fn ranges(&self, out: &mut Vec<ArgRange>) -> Result<(), ReplicateError> {
        let mut at = 0_usize;
        for _ in 0..self.count {
            let head = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
            let start = at + 4;
            let end = start + u32::from_le_bytes(*head.ok_or(ReplicateError::CutShort)?) as usize;
            if end > self.bytes.len() {
                return Err(ReplicateError::CutShort);
            }
            let narrow = |offset| u32::try_from(offset).map_err(|_| ReplicateError::CutShort);
            out.push(ArgRange { start: narrow(start)?, end: narrow(end)? });
            at = end;
        }
        if at == self.bytes.len() { Ok(()) } else { Err(ReplicateError::TooLong(kind::EFFECT)) }
    }
}

/// One key with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The slot.
    pub slot: u16,
    /// The owner's epoch.
    pub epoch: u64,
    /// The database.
    pub db: u8,
    /// When it expires (unix ms).
    pub deadline_ms: Option<u64>,
    /// What it remembers of its last use.
    pub access: u32,
    /// The key.
    pub key: &'a [u8],
    /// Its value as DUMP writes it.
    pub payload: &'a [u8],
}

/// A row of the slot table, as a grant carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The slot.
    pub slot: u16,
    /// Counts the slot's owners.
    pub epoch: u64,
    /// Counts the owner's changes within the epoch.
    pub version: u32,
    /// The claim's firm epoch.
    pub firm_epoch: u64,
    /// Takeovers without a majority since then.
    pub provisional: u32,
    /// The owner.
    pub owner: Identity,
    /// The copies in sync.
    pub copies: Vec<Identity>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A write.
    Effect(Effect<'a>),
    /// A key of a slot that is being copied, as it is now.
    Entry(Entry<'a>),
    /// A write whose effect a copy under way does not need: only its reply.
    Wrote {
        /// The slot.
        slot: u16,
        /// The owner's epoch.
        epoch: u64,
        /// The owner's time when it was executed (unix ms).
        now_ms: u64,
        /// The write.
        write: Write<'a>,
    },
    /// A slot is copied from here on: what the copy holds of it is dropped.
    FillBegin {
        /// The slot.
        slot: u16,
        /// The owner's position.
        at: SlotPosition,
    },
    /// The copy now holds all that the owner holds.
    FillEnd {
        /// The slot.
        slot: u16,
        /// The owner's position.
        at: SlotPosition,
    },
    /// A new owner begins, with what it holds.
    Lead {
        /// The slot.
        slot: u16,
        /// The new owner's epoch.
        epoch: u64,
        /// Where it stood before: a copy that stands elsewhere is none.
        before: SlotPosition,
    },
    /// The receiver owns the slot from here on.
    Grant(Row),
    /// The copy is no longer wanted.
    Drop {
        /// The slot.
        slot: u16,
        /// The owner's epoch.
        epoch: u64,
    },
    /// What the slot holds at this point of its order, for comparison.
    Digest {
        /// The slot.
        slot: u16,
        /// The owner's position.
        at: SlotPosition,
        /// The digest.
        digest: u128,
    },
    /// The owner is there.
    Heartbeat {
        /// Its time (unix ms).
        now_ms: u64,
    },
    /// A piece of a record that is too large for a frame.
    Part {
        /// Whether the record ends with it.
        is_last: bool,
        /// The piece.
        bytes: &'a [u8],
    },
    /// The slot is parked: nothing follows before a grant or another effect.
    CaughtUp {
        /// The slot.
        slot: u16,
    },
}
