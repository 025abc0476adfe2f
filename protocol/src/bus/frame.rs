//! How a connection between nodes is cut into frames.
//!
//! ```text
//! 0        4      5       6          8          12
//! | length | kind | flags | reserved | checksum | payload …
//! ```
//! Little-endian. `length` counts the payload. The checksum is the low half of the payload's xxh3, with kind and flags
//! folded in: TCP's own sum lets one damaged segment in some thousands through, and a cache must not store those.
//!
//! What the kinds mean is the business of whoever uses a connection; kinds below [`KINDS_FROM`] belong to the handshake.

use xxhash_rust::xxh3::xxh3_64;

/// Bytes before a frame's payload.
pub const HEADER_LEN: usize = 12;

/// The first kind that is free for what follows the handshake.
pub const KINDS_FROM: u8 = 16;

/// Where the payload of the frame begins that is being written: see [`begin`].
#[derive(Debug)]
#[must_use = "a frame without its header is garbage: finish it"]
pub struct Begun {
    start: usize,
    kind: u8,
    flags: u8,
}

/// A frame, in the buffer that it was read into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it is.
    pub kind: u8,
    /// What the kind makes of them.
    pub flags: u8,
    /// What it carries.
    pub payload: &'a [u8],
}

/// A frame's header, for those who read it apart from the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the payload.
    pub len: usize,
    /// What the frame is.
    pub kind: u8,
    /// What the kind makes of them.
    pub flags: u8,
    checksum: u32,
}

/// Why bytes are no frame. Nothing behind them on the connection can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The payload is longer than is allowed here.
    #[error("a frame of {len} bytes is too long: the limit is {len_max}")]
    TooLong {
        /// What the header claims.
        len: usize,
        /// What is allowed.
        len_max: usize,
    },
    /// The payload is not what was sent.
    #[error("a frame of kind {kind} is damaged: its checksum is wrong")]
    BadChecksum {
        /// The frame's kind.
        kind: u8,
    },
}

impl Header {
    /// Reads a header.
    ///
    /// # Errors
    /// The payload is longer than `len_max`.
    pub fn decode(bytes: &[u8; HEADER_LEN], len_max: usize) -> Result<Self, FrameError> {
        let [l0, l1, l2, l3, kind, flags, _, _, c0, c1, c2, c3] = *bytes;
        let len = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        if len > len_max {
            return Err(FrameError::TooLong { len, len_max });
        }
        Ok(Self { len, kind, flags, checksum: u32::from_le_bytes([c0, c1, c2, c3]) })
    }

    /// Holds the payload against the checksum.
    ///
    /// # Errors
    /// It is not what was sent.
    pub fn check<'a>(&self, payload: &'a [u8]) -> Result<Frame<'a>, FrameError> {
        if checksum(self.kind, self.flags, payload) != self.checksum {
            return Err(FrameError::BadChecksum { kind: self.kind });
        }
        Ok(Frame { kind: self.kind, flags: self.flags, payload })
    }
}

fn checksum(kind: u8, flags: u8, payload: &[u8]) -> u32 {
    (xxh3_64(payload) as u32) ^ u32::from_le_bytes([kind, flags, 0, 0])
}

/// Begins a frame at the end of `out`; the payload is appended there, then [`finish`] writes the header.
pub fn begin(out: &mut Vec<u8>, kind: u8, flags: u8) -> Begun {
    out.extend_from_slice(&[0; HEADER_LEN]);
    Begun { start: out.len(), kind, flags }
}

/// Writes the header of a frame whose payload ends where `out` does.
///
/// # Errors
/// The payload is longer than `len_max`; the frame has been taken out of `out` again.
pub fn finish(out: &mut Vec<u8>, begun: Begun, len_max: usize) -> Result<(), FrameError> {
    let Begun { start, kind, flags } = begun;
    let len = out.len() - start;
    let (true, Ok(len_word)) = (len <= len_max, u32::try_from(len)) else {
        out.truncate(start - HEADER_LEN);
        return Err(FrameError::TooLong { len, len_max });
    };
    let sum = checksum(kind, flags, &out[start..]);
    let header = &mut out[start - HEADER_LEN..start];
    header[..4].copy_from_slice(&len_word.to_le_bytes());
    header[4] = kind;
    header[5] = flags;
    header[8..].copy_from_slice(&sum.to_le_bytes());
    Ok(())
}

/// Appends a whole frame to `out`.
///
/// # Errors
/// The payload is longer than `len_max`.
pub fn encode(out: &mut Vec<u8>, kind: u8, flags: u8, payload: &[u8], len_max: usize) -> Result<(), FrameError> {
    let begun = begin(out, kind, flags);
    out.extend_from_slice(payload);
    finish(out, begun, len_max)
}

/// The frame that `buf` begins with, and how many of its bytes that takes; `None`: more bytes are needed.
///
/// # Errors
/// The frame is damaged, or longer than `len_max`: then there is no way to find the next one.
pub fn decode(buf: &[u8], len_max: usize) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    let Some((header, rest)) = buf.split_first_chunk::<HEADER_LEN>() else {
        return Ok(None);
    };
    let header = Header::decode(header, len_max)?;
    let Some(payload) = rest.get(..header.len) else {
        return Ok(None);
    };
    Ok(Some((header.check(payload)?, HEADER_LEN + header.len)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEN_MAX: usize = 1 << 20;

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_however_they_arrive(
            frames in prop::collection::vec((any::<u8>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..300)), 0..6),
            chunk in 1_usize..100,
        ) {
            let mut wire = Vec::new();
            for (kind, flags, payload) in &frames {
                encode(&mut wire, *kind, *flags, payload, LEN_MAX).expect("a short frame");
            }
            let (mut buf, mut got) = (Vec::new(), Vec::new());
            for bytes in wire.chunks(chunk) {
                buf.extend_from_slice(bytes);
                while let Some((frame, used)) = decode(&buf, LEN_MAX).expect("an undamaged frame") {
                    got.push((frame.kind, frame.flags, frame.payload.to_vec()));
                    buf.drain(..used);
                }
            }
            prop_assert!(buf.is_empty());
            prop_assert_eq!(got, frames);
        }

        #[test]
        fn any_bytes_are_frames_or_an_error(bytes: Vec<u8>) {
            let _ = decode(&bytes, 64);
        }

        #[test]
        fn a_flipped_bit_of_kind_flags_or_payload_is_noticed(
            payload in prop::collection::vec(any::<u8>(), 1..100), at: prop::sample::Index, bit in 0..8_u32,
        ) {
            let mut wire = Vec::new();
            encode(&mut wire, 20, 0, &payload, LEN_MAX).expect("a short frame");
            let places: Vec<usize> = (4..6).chain(HEADER_LEN..wire.len()).collect();
            wire[places[at.index(places.len())]] ^= 1_u8 << bit;
            let noticed = matches!(decode(&wire, LEN_MAX), Err(FrameError::BadChecksum { .. }));
            prop_assert!(noticed);
        }
    }

    #[test]
    fn a_frame_beyond_the_limit_is_refused_by_its_header_alone() {
        let mut wire = 101_u32.to_le_bytes().to_vec();
        wire.resize(HEADER_LEN, 0);
        assert_eq!(decode(&wire, 100), Err(FrameError::TooLong { len: 101, len_max: 100 }));
    }

    #[test]
    fn a_frame_that_became_too_long_leaves_the_buffer_as_it_was() {
        let mut out = b"before".to_vec();
        assert!(encode(&mut out, 1, 0, &[0; 11], 10).is_err());
        assert_eq!(out, b"before");
    }
}
