//! What a stream tells of its copies.

/// What the stream's owner side is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEvent {
    /// The copy holds all that the slot holds.
    Synced {
        /// The slot.
        slot: u16,
        /// The epoch in which the copy began.
        epoch: u64,
    },
    /// The copy has applied all effects of a parked slot.
    CaughtUp {
        /// The slot.
        slot: u16,
        /// The owner's epoch.
        epoch: u64,
    },
    /// The copy is none any more.
    Lost {
        /// The slot.
        slot: u16,
        /// The owner's epoch.
        epoch: u64,
    },
}

impl StreamEvent {
    pub(super) const fn is_caught_up_of(&self, of: u16) -> bool {
        matches!(self, Self::CaughtUp { slot, .. } if *slot == of)
    }

    pub(super) const fn slot(&self) -> u16 {
        match self {
            Self::Synced { slot, .. } | Self::CaughtUp { slot, .. } | Self::Lost { slot, .. } => *slot,
        }
    }
}
