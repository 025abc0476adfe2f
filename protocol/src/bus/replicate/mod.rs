//! What the owner of slots sends to a copy of them, and what the copy answers.
//!
//! ```text
//! frame  = position u64 | record …                  positions count a stream's frames from 1, without gaps
//! record = len u32 (of what follows) | kind u8 | fields
//! ```
//! All numbers are little endian. A record that is larger than a frame should be travels in [`Record::Part`]s, one a
//! frame. Nothing here trusts a length: what is decoded are views of bytes that are there.

mod ack;
mod reader;
mod record;
#[cfg(test)]
mod tests;

pub use self::{
    ack::{Ack, Acks, Refusal, put_ack},
    record::{
        Effect, EffectHead, EffectWords, Entry, PART_LEN_MAX, Record, Records, Row, Write, put_caught_up, put_digest,
        put_drop, put_effect, put_effect_words, put_entry, put_fill_begin, put_fill_end, put_grant, put_heartbeat,
        put_lead, put_part, put_word, put_words_count, put_wrote,
    },
};

/// Bytes of a frame before its records.
pub const FRAME_HEAD_LEN: usize = 8;

/// Why bytes are no frame of records or acknowledgements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplicateError {
    /// A field or record goes on behind the end.
    #[error("a record is cut short")]
    CutShort,
    /// A kind that this version does not know.
    #[error("unknown kind of record {0}")]
    UnknownKind(u8),
    /// A record holds more bytes than its fields.
    #[error("a record of kind {0} is longer than its fields")]
    TooLong(u8),
    /// A slot that does not exist.
    #[error("slot {0} is out of range")]
    Slot(u16),
    /// A field has a value that it never has.
    #[error("a field of a record of kind {0} is out of range")]
    Field(u8),
}

/// How far a slot's writes have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotPosition {
    /// The owner's epoch.
    pub epoch: u64,
    /// The slot's count of effects.
    pub seq: u64,
}

/// A frame's position and its records.
///
/// # Errors
/// The frame is shorter than its position.
pub fn split_frame(frame: &[u8]) -> Result<(u64, &[u8]), ReplicateError> {
    let (head, records) = frame.split_first_chunk::<FRAME_HEAD_LEN>().ok_or(ReplicateError::CutShort)?;
    Ok((u64::from_le_bytes(*head), records))
}
