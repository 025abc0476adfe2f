//! What becomes of requests that this node's store can't answer, and whose requests a batch runs.

use rondache_protocol::bus::{
    forward::{Group, Status},
    identity::WriteId,
};

use super::{ReplyMode, Session};
use crate::{cluster::forward::wave::Wave, config::cluster::ReadFrom};

/// Whose requests a batch runs, and where those go that others must answer.
pub(crate) enum Away<'a> {
    /// A client's, while the node is alone: it answers all of them.
    Alone,
    /// A client's: requests for others join a wave.
    Collect(&'a mut Wave),
    /// Another node's: requests for others are refused, and where each reply ends is noted.
    Serve(&'a mut Served),
}

impl Away<'_> {
    /// Whether the node has met others: then slots have owners.
    #[inline]
    pub(crate) fn is_clustered(&self) -> bool {
        !matches!(self, Self::Alone)
    }

    /// Whether another node asks, which has seen to everything but the execution.
    #[inline]
    pub(crate) fn is_serving(&self) -> bool {
        matches!(self, Self::Serve(_))
    }

    /// Whether this node's copies may answer: clients' reads where `read_from` says so, and what another node sends for that.
    pub(crate) fn reads_copies(&self, read_from: ReadFrom) -> bool {
        match self {
            Self::Alone => false,
            Self::Collect(_) => read_from != ReadFrom::Owner,
            Self::Serve(served) => served.reads_copy,
        }
    }

    /// How long the replies may become before they are sent.
    #[inline]
    pub(crate) fn full_at(&self) -> usize {
        match self {
            Self::Serve(served) => served.full_at,
            _ => super::batch::REPLY_BYTES_MAX,
        }
    }
}

/// Requests that another node sent, as they run.
#[derive(Debug)]
pub(crate) struct Served {
    /// What became of each request, and where its reply ends.
    pub(crate) ends: Vec<(Status, usize)>,
    /// Names the first request; the others follow, but those of a unit share it.
    pub(crate) first: WriteId,
    pub(crate) is_unit: bool,
    /// Whether this node, or an owner before it, may have executed them already.
    pub(crate) is_retry: bool,
    pub(crate) age_ms: u32,
    /// Whether it may answer from its copies.
    pub(crate) reads_copy: bool,
    /// Replies beyond this length are left for another frame.
    pub(crate) full_at: usize,
}

impl Served {
    pub(crate) fn new(ends: Vec<(Status, usize)>, group: &Group<'_>, full_at: usize) -> Self {
        let manner = &group.manner;
        Self {
            ends,
            first: group.first,
            is_unit: manner.is_unit,
            is_retry: manner.is_retry,
            age_ms: manner.age_ms,
            reads_copy: manner.reads_copy,
            full_at,
        }
    }

    /// Names the request that runs next.
    #[inline]
    pub(crate) fn write_id(&self) -> WriteId {
        let behind = if self.is_unit { 0 } else { self.ends.len() as u64 };
        WriteId { origin: self.first.origin, number: self.first.number.wrapping_add(behind) }
    }
}

/// Whether the client wants no reply to the command at hand (CLIENT REPLY), which counts it as answered.
pub(crate) fn take_silence(session: &mut Session) -> bool {
    let (is_silent, next) = match session.reply_mode {
        ReplyMode::On => return false,
        ReplyMode::Off => (true, ReplyMode::Off),
        ReplyMode::SkipNext => (true, ReplyMode::Skipping),
        ReplyMode::Skipping => (true, ReplyMode::On),
    };
    session.reply_mode = next;
    session.refresh_mode();
    is_silent
}
