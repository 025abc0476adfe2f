//! Reads listpacks: Redis's packed sequences of strings and integers.
//!
//! Six bytes of header (length in bytes, number of entries), the entries, and 0xff. Behind each entry stands its own
//! length, for reading backwards. See the format's
//! [specification](https://github.com/antirez/listpack/blob/master/listpack.md).

use super::reader::{Malformed, Reader};
use crate::types::item::Item;

/// The number of entries is not kept: there are this many or more.
const COUNT_UNKNOWN: u16 = u16::MAX;
const END: u8 = 0xff;

/// Hands out all entries in order. One that is malformed ends it, as does a refusal by `visit`.
pub(super) fn for_each<'a>(
    bytes: &'a [u8],
    visit: &mut dyn FnMut(Item<'a>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut reader = Reader::new(bytes);
    let total = u32::from_le_bytes(reader.array()?);
    let count = u16::from_le_bytes(reader.array()?);
    if total as usize != bytes.len() {
        return Err(Malformed);
    }
    let mut visited = 0_usize;
    loop {
        let first = reader.byte()?;
        if first == END {
            break;
        }
        let (item, len) = entry(&mut reader, first)?;
        skip_back_length(&mut reader, len)?;
        visit(item)?;
        visited += 1;
    }
    let is_counted_right = count == COUNT_UNKNOWN || usize::from(count) == visited;
    if reader.is_at_end() && is_counted_right { Ok(()) } else { Err(Malformed) }
}

/// An entry whose first byte was read, and its length.
fn entry<'a>(reader: &mut Reader<'a>, first: u8) -> Result<(Item<'a>, usize), Malformed> {
    let string = |reader: &mut Reader<'a>, header_len: usize, len: usize| {
        Ok((Item::Bytes(reader.bytes(len)?), header_len.checked_add(len).ok_or(Malformed)?))
    };
    Ok(match first {
        0x00..=0x7f => (Item::Int(i64::from(first)), 1),
        0x80..=0xbf => string(reader, 1, usize::from(first & 0x3f))?,
        0xc0..=0xdf => {
            let bits = u16::from(first & 0x1f) << 8 | u16::from(reader.byte()?);
            // Thirteen bits with a sign: moved to the top and back.
            (Item::Int(i64::from((bits << 3) as i16 >> 3)), 2)
        }
        0xe0..=0xef => {
            let len = usize::from(first & 0x0f) << 8 | usize::from(reader.byte()?);
            string(reader, 2, len)?
        }
        0xf0 => {
            let len = u32::from_le_bytes(reader.array()?) as usize;
            string(reader, 5, len)?
        }
        0xf1 => (Item::Int(i64::from(i16::from_le_bytes(reader.array()?))), 3),
        0xf2 => {
            let [low, middle, high] = reader.array()?;
            (Item::Int(i64::from(i32::from_le_bytes([0, low, middle, high]) >> 8)), 4)
        }
        0xf3 => (Item::Int(i64::from(i32::from_le_bytes(reader.array()?))), 5),
        0xf4 => (Item::Int(i64::from_le_bytes(reader.array()?)), 9),
        0xf5..=0xff => return Err(Malformed),
    })
}

/// The entry's length in groups of seven bits, the last group marked by a clear top bit when read from the end.
fn skip_back_length(reader: &mut Reader<'_>, len: usize) -> Result<(), Malformed> {
    let width = match len {
        0..128 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    };
    let stored = reader.bytes(width)?;
    let value = stored.iter().fold(0_usize, |sum, byte| sum << 7 | usize::from(byte & 0x7f));
    if value == len { Ok(()) } else { Err(Malformed) }
}
