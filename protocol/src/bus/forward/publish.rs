//! PUBLISH frames: messages for the peer's subscribers.

use super::{ForwardError, Reader};

/// Which subscribers a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// Those of a channel, and of patterns.
    Plain = 0,
    /// Those of a shard channel.
    Shard = 1,
}

/// A message for the peer's subscribers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publish<'a> {
    /// Whose.
    pub kind: ChannelKind,
    /// The channel.
    pub channel: &'a [u8],
    /// The message.
    pub message: &'a [u8],
}

impl<'a> Publish<'a> {
    /// Appends the payload to `buf`.
    pub fn encode(&self, buf: &mut Vec<u8>) {
        buf.push(self.kind as u8);
        buf.extend_from_slice(&(self.channel.len() as u32).to_le_bytes());
        buf.extend_from_slice(self.channel);
        buf.extend_from_slice(self.message);
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// It is cut short, or of an unknown kind.
    pub fn decode(payload: &'a [u8]) -> Result<Self, ForwardError> {
        let mut reader = Reader(payload);
        let kind = match reader.u8()? {
            0 => ChannelKind::Plain,
            1 => ChannelKind::Shard,
            other => return Err(ForwardError::UnknownChannelKind(other)),
        };
        let len = reader.u32()? as usize;
        Ok(Self { kind, channel: reader.take(len)?, message: reader.0 })
    }
}
