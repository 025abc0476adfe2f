//! WRITTEN: where slots stand with what the requests of a frame have written, told in front of the frame's REPLY, so that
//! the entry node knows what to count for WAIT.

use super::{ForwardError, Reader};
use crate::bus::replicate::SlotPosition;

/// Bytes of an entry.
const ENTRY_LEN: usize = 2 + 8 + 8;

/// Appends the payload.
pub fn encode_written(id: u64, written: impl Iterator<Item = (u16, SlotPosition)>, buf: &mut Vec<u8>) {
    buf.extend_from_slice(&id.to_le_bytes());
    for (slot, at) in written {
        buf.extend_from_slice(&slot.to_le_bytes());
        buf.extend_from_slice(&at.epoch.to_le_bytes());
        buf.extend_from_slice(&at.seq.to_le_bytes());
    }
}

/// Reads a payload: the FORWARD frame whose requests wrote, and the slots with their positions.
///
/// # Errors
/// It is cut short.
pub fn decode_written(payload: &[u8]) -> Result<(u64, impl Iterator<Item = (u16, SlotPosition)>), ForwardError> {
    let mut reader = Reader(payload);
    let id = reader.u64()?;
    let (entries, rest) = reader.0.split_at(reader.0.len() - reader.0.len() % ENTRY_LEN);
    if !rest.is_empty() {
        return Err(ForwardError::CutShort);
    }
    let entry = |bytes: &[u8]| {
        let mut reader = Reader(bytes);
        let slot = reader.array().map(u16::from_le_bytes).ok()?;
        Some((slot, SlotPosition { epoch: reader.u64().ok()?, seq: reader.u64().ok()? }))
    };
    Ok((id, entries.chunks_exact(ENTRY_LEN).filter_map(entry)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_arrive_as_they_were_sent_and_never_in_part() {
        let written = [(7, SlotPosition { epoch: 1, seq: 2 }), (16_383, SlotPosition { epoch: u64::MAX, seq: 0 })];
        let mut payload = Vec::new();
        encode_written(9, written.into_iter(), &mut payload);
        let (id, decoded) = decode_written(&payload).unwrap();
        assert_eq!((id, decoded.collect::<Vec<_>>().as_slice()), (9, &written[..]));
        for len in (0..payload.len()).filter(|len| *len < 8 || (len - 8) % ENTRY_LEN != 0) {
            assert_eq!(decode_written(&payload[..len]).err(), Some(ForwardError::CutShort), "{len}");
        }
    }
}
