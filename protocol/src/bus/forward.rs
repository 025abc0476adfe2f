//! Requests that travel from an entry node to the owners of their slots, and the replies to them.
//!
//! ```text
//! FORWARD  id u64 · origin u64 · groups: [ db u8 · flags u8 · count u16 · age_ms u32 · client u64 · number u64 · len u32 · requests ]
//! REPLY    id u64 · count u32 · [ status u8 · len u32 ] × count · replies
//! TRACK    wants u8
//! INVALIDATE  what u8 · key
//! RELEASE  client u64
//! UNBLOCK  client u64 · with_error u8
//! PUBLISH  kind u8 · channel_len u32 · channel · message
//! WRITTEN  id u64 · [ slot u16 · epoch u64 · seq u64 ]
//! ```
//! Numbers are little-endian. Requests and replies are RESP, as clients send and read them: they are copied, never
//! translated. Encoding appends to the link's buffer in place; decoding borrows from the received frame, allocates
//! nothing, and answers malformed input with [`ForwardError`].

mod invalidation;
mod publish;
mod reply;
mod request;
#[cfg(test)]
mod tests;
mod written;

pub use self::{
    invalidation::Invalidation,
    publish::{ChannelKind, Publish},
    reply::{Reply, ReplyEncoder, Status, set_reply_status},
    request::{Forward, ForwardEncoder, GROUP_LEN_MAX, Group, Manner},
    written::{decode_written, encode_written},
};

/// The kinds of frame on a link that carries requests.
pub mod kind {
    /// Requests for the peer to execute.
    pub const FORWARD: u8 = 0x10;
    /// The replies to one [`FORWARD`] frame.
    pub const REPLY: u8 = 0x11;
    /// Copies that the peer's clients hold are stale.
    pub const INVALIDATE: u8 = 0x12;
    /// A client has no more state at the peer, or has gone.
    pub const RELEASE: u8 = 0x13;
    /// Ends a client's wait at the peer.
    pub const UNBLOCK: u8 = 0x14;
    /// A message for the peer's subscribers.
    pub const PUBLISH: u8 = 0x15;
    /// The sender's clients keep copies of what they read, or no longer do: whether [`INVALIDATE`] is wanted.
    pub const TRACK: u8 = 0x16;
    /// Where slots stand with what a [`FORWARD`] frame wrote; comes in front of its [`REPLY`].
    pub const WRITTEN: u8 = 0x17;
}

/// A frame's content contradicts its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// It ends too early.
    #[error("a frame is cut short")]
    CutShort,
    /// There is more than its form allows.
    #[error("a frame has bytes behind its end")]
    Trailing,
    /// A status that this version does not know.
    #[error("unknown status {0} of a reply")]
    UnknownStatus(u8),
    /// A kind of channel that this version does not know.
    #[error("unknown kind {0} of a published message")]
    UnknownChannelKind(u8),
    /// An invalidation that this version does not know.
    #[error("unknown kind {0} of an invalidation")]
    UnknownInvalidation(u8),
}

fn put(buf: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = buf.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// Reads the payload of TRACK: whether invalidations are wanted.
///
/// # Errors
/// It is cut short, or longer.
pub fn decode_track(payload: &[u8]) -> Result<bool, ForwardError> {
    let mut reader = Reader(payload);
    let wants = reader.u8()? != 0;
    reader.end().map(|()| wants)
}

/// Reads the payload of RELEASE: the client.
///
/// # Errors
/// It is cut short, or longer.
pub fn decode_release(payload: &[u8]) -> Result<u64, ForwardError> {
    let mut reader = Reader(payload);
    let client = reader.u64()?;
    reader.end().map(|()| client)
}

/// Reads the payload of UNBLOCK: the client, and whether its reply is to be an error.
///
/// # Errors
/// It is cut short, or longer.
pub fn decode_unblock(payload: &[u8]) -> Result<(u64, bool), ForwardError> {
    let mut reader = Reader(payload);
    let (client, with_error) = (reader.u64()?, reader.u8()? != 0);
    reader.end().map(|()| (client, with_error))
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], ForwardError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(ForwardError::CutShort)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const LEN: usize>(&mut self) -> Result<[u8; LEN], ForwardError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(ForwardError::CutShort)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, ForwardError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32, ForwardError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, ForwardError> {
        self.array().map(u64::from_le_bytes)
    }

    fn end(&self) -> Result<(), ForwardError> {
        if self.0.is_empty() { Ok(()) } else { Err(ForwardError::Trailing) }
    }
}
