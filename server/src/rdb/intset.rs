//! Reads sets of integers: the width of a number in bytes, how many there are, and the numbers in rising order.

use super::reader::{Malformed, Reader};
use crate::types::item::Item;

/// Hands out all members in order. One that is malformed ends it, as does a refusal by `visit`.
pub(super) fn for_each<'a>(
    bytes: &'a [u8],
    visit: &mut dyn FnMut(Item<'a>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut reader = Reader::new(bytes);
    let width = u32::from_le_bytes(reader.array()?);
    let count = u32::from_le_bytes(reader.array()?);
    let mut last = None;
    for _ in 0..count {
        let member = match width {
            2 => i64::from(i16::from_le_bytes(reader.array()?)),
            4 => i64::from(i32::from_le_bytes(reader.array()?)),
            8 => i64::from_le_bytes(reader.array()?),
            _ => return Err(Malformed),
        };
        if last.is_some_and(|last| last >= member) {
            return Err(Malformed);
        }
        last = Some(member);
        visit(Item::Int(member))?;
    }
    if reader.is_at_end() { Ok(()) } else { Err(Malformed) }
}
