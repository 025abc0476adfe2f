//! Reads sets of integers: the width of a number in bytes, how many there are, and the numbers in rising order.

use super::reader::{Malformed, Reader};

/// All members, checked.
pub(super) fn members(bytes: &[u8]) -> Result<Vec<i64>, Malformed> {
    let mut reader = Reader::new(bytes);
    let width = u32::from_le_bytes(reader.array()?);
    let count = u32::from_le_bytes(reader.array()?) as usize;
    let mut members = Vec::new();
    while !reader.is_at_end() {
        let member = match width {
            2 => i64::from(i16::from_le_bytes(reader.array()?)),
            4 => i64::from(i32::from_le_bytes(reader.array()?)),
            8 => i64::from_le_bytes(reader.array()?),
            _ => return Err(Malformed),
        };
        if members.last().is_some_and(|last| *last >= member) {
            return Err(Malformed);
        }
        members.push(member);
    }
    if members.len() == count { Ok(members) } else { Err(Malformed) }
}
