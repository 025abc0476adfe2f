//! Bitmaps: <https://valkey.io/commands/?group=bitmap>.
//!
//! Bit 0 is the highest bit of a string's first byte. Bits behind the end count as clear.

mod bit;
mod bitfield;
mod bitop;
mod bits;
mod count;
mod field;
mod offset;

use super::registry::HandlerList;

/// The family's handlers.
pub(super) const HANDLERS: HandlerList = &[
    ("bitcount", count::bitcount),
    ("bitfield", bitfield::bitfield),
    ("bitfield_ro", bitfield::bitfield_ro),
    ("bitop", bitop::bitop),
    ("bitpos", count::bitpos),
    ("getbit", bit::getbit),
    ("setbit", bit::setbit),
];
