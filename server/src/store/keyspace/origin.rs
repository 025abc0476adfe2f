//! Writes that came from other nodes, and whether they were executed before.

use super::*;

/// What is known of a write that may have been executed already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recalled {
    /// It was not executed.
    Never,
    /// It was, and this was its reply.
    Reply(Vec<u8>),
    /// Nobody can tell, or its reply was too large to be kept.
    Unknown,
}

impl Keyspace<'_> {
    /// Whether a write on `slot`, whose shard is held, was executed before: here, or by an owner whose effects came here.
    /// `age_ms` is how long ago its client sent it: what is remembered reaches back only so far.
    #[must_use]
    pub fn recall(&self, _slot: u16, _id: WriteId, _age_ms: u32) -> Recalled {
        Recalled::Never
    }
}
