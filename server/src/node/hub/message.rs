//! Messages as clients read them.

use bytes::Bytes;
use rondache_protocol::resp::writer::{ReplyWriter, RespVersion};

use crate::session::client::Client;

/// A message to many clients, encoded once for each version of the protocol that they speak.
pub(super) struct Shared<W> {
    write: W,
    encoded: [Option<Bytes>; 2],
}

impl<W: Fn(&mut ReplyWriter<'_>)> Shared<W> {
    /// A message that `write` writes.
    pub(super) fn new(write: W) -> Self {
        Self { write, encoded: [None, None] }
    }

    /// The message as `client` reads it.
    pub(super) fn encoded_for(&mut self, client: &Client) -> Bytes {
        let (version, at) = if client.is_resp3() { (RespVersion::V3, 1) } else { (RespVersion::V2, 0) };
        self.encoded[at].get_or_insert_with(|| encode(version, &self.write)).clone()
    }
}

/// What `write` writes, in one version of the protocol.
pub(super) fn encode(version: RespVersion, write: impl Fn(&mut ReplyWriter<'_>)) -> Bytes {
    let mut buf = Vec::new();
    write(&mut ReplyWriter::new(&mut buf, version));
    Bytes::from(buf)
}
