//! Reads ziplists: the packed sequences of Redis before version 7.
//!
//! Ten bytes of header (length in bytes, offset of the last entry, number of entries), the entries, and 0xff. In front of
//! each entry stands the length of the one before.

use super::reader::{Malformed, Reader};
use crate::types::item::Item;

/// The number of entries is not kept: there are this many or more.
const COUNT_UNKNOWN: u16 = u16::MAX;
const END: u8 = 0xff;
/// The length of the entry before does not fit a byte: four more follow.
const LONG_PREVIOUS: u8 = 0xfe;

/// Hands out all entries in order. One that is malformed ends it, as does a refusal by `visit`.
pub(super) fn for_each<'a>(
    bytes: &'a [u8],
    visit: &mut dyn FnMut(Item<'a>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut reader = Reader::new(bytes);
    let total = u32::from_le_bytes(reader.array()?);
    let _offset_of_last: [u8; 4] = reader.array()?;
    let count = u16::from_le_bytes(reader.array()?);
    if total as usize != bytes.len() {
        return Err(Malformed);
    }
    let mut visited = 0_usize;
    loop {
        match reader.byte()? {
            END => break,
            LONG_PREVIOUS => drop(reader.array::<4>()?),
            _ => {}
        }
        visit(entry(&mut reader)?)?;
        visited += 1;
    }
    let is_counted_right = count == COUNT_UNKNOWN || usize::from(count) == visited;
    if reader.is_at_end() && is_counted_right { Ok(()) } else { Err(Malformed) }
}

fn entry<'a>(reader: &mut Reader<'a>) -> Result<Item<'a>, Malformed> {
    let first = reader.byte()?;
    let low = usize::from(first & 0x3f);
    Ok(match first {
        0x00..=0x3f => Item::Bytes(reader.bytes(low)?),
        0x40..=0x7f => {
            let len = low << 8 | usize::from(reader.byte()?);
            Item::Bytes(reader.bytes(len)?)
        }
        0x80..=0xbf => {
            let len = u32::from_be_bytes(reader.array()?) as usize;
            Item::Bytes(reader.bytes(len)?)
        }
        0xc0 => Item::Int(i64::from(i16::from_le_bytes(reader.array()?))),
        0xd0 => Item::Int(i64::from(i32::from_le_bytes(reader.array()?))),
        0xe0 => Item::Int(i64::from_le_bytes(reader.array()?)),
        0xf0 => {
            let [low, middle, high] = reader.array()?;
            Item::Int(i64::from(i32::from_le_bytes([0, low, middle, high]) >> 8))
        }
        0xfe => Item::Int(i64::from(reader.byte()? as i8)),
        0xf1..=0xfd => Item::Int(i64::from(first & 0x0f) - 1),
        _ => return Err(Malformed),
    })
}
