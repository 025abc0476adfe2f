//! What a copy answers.

use super::{ReplicateError, SlotPosition, reader::Reader};

mod kind {
    pub(super) const APPLIED: u8 = 1;
    pub(super) const REFUSED: u8 = 2;
    pub(super) const SHED: u8 = 3;
}

/// Why a copy stopped being one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Refusal {
    /// An effect is missing between the last one and this.
    Gap = 1,
    /// The record belongs to an epoch that is over, or to one whose beginning the copy has not seen.
    Epoch = 2,
    /// The node holds no copy of the slot.
    NoCopy = 3,
    /// An effect failed, or the digests differ: the copy does not hold what the owner holds.
    Diverged = 4,
}

impl Refusal {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Gap, Self::Epoch, Self::NoCopy, Self::Diverged].into_iter().find(|refusal| *refusal as u8 == byte)
    }
}

/// One answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// Every frame up to this position was applied.
    Applied {
        /// The stream's position.
        position: u64,
    },
    /// A record of a slot was refused, and the slot's copy dropped.
    Refused {
        /// The slot.
        slot: u16,
        /// The position of the frame with the record.
        position: u64,
        /// Where the copy stood.
        at: SlotPosition,
        /// Why.
        reason: Refusal,
    },
    /// The copy's node is short of memory: the owner is asked to evict so much of a slot.
    Shed {
        /// The slot.
        slot: u16,
        /// Roughly how many bytes.
        bytes: u64,
    },
}

/// Appends an answer.
pub fn put_ack(buf: &mut Vec<u8>, ack: &Ack) {
    match ack {
        Ack::Applied { position } => {
            buf.push(kind::APPLIED);
            buf.extend_from_slice(&position.to_le_bytes());
        }
        Ack::Refused { slot, position, at, reason } => {
            buf.push(kind::REFUSED);
            buf.extend_from_slice(&slot.to_le_bytes());
            buf.extend_from_slice(&position.to_le_bytes());
            buf.extend_from_slice(&at.epoch.to_le_bytes());
            buf.extend_from_slice(&at.seq.to_le_bytes());
            buf.push(*reason as u8);
        }
        Ack::Shed { slot, bytes } => {
            buf.push(kind::SHED);
            buf.extend_from_slice(&slot.to_le_bytes());
            buf.extend_from_slice(&bytes.to_le_bytes());
        }
    }
}

/// The answers in a frame.
#[derive(Clone, Debug)]
pub struct Acks<'a>(Reader<'a>);

impl<'a> Acks<'a> {
    /// Those in `frame`.
    #[must_use]
    pub const fn new(frame: &'a [u8]) -> Self {
        Self(Reader(frame))
    }

    fn read(&mut self) -> Result<Ack, ReplicateError> {
        let reader = &mut self.0;
        Ok(match reader.u8()? {
            kind::APPLIED => Ack::Applied { position: reader.u64()? },
            kind::REFUSED => Ack::Refused {
                slot: reader.slot()?,
                position: reader.u64()?,
                at: SlotPosition { epoch: reader.u64()?, seq: reader.u64()? },
                reason: Refusal::from_byte(reader.u8()?).ok_or(ReplicateError::Field(kind::REFUSED))?,
            },
            kind::SHED => Ack::Shed { slot: reader.slot()?, bytes: reader.u64()? },
            unknown => return Err(ReplicateError::UnknownKind(unknown)),
        })
    }
}

impl Iterator for Acks<'_> {
    type Item = Result<Ack, ReplicateError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.0 = Reader(&[]);
        }
        Some(read)
    }
}
