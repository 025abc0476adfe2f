//! The queue to one peer.

use std::time::Instant;

use hashbrown::HashMap;

use super::WaveKey;

/// How a link is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LinkState {
    /// Nothing has been asked of it, or it has recovered from a failure.
    #[default]
    Idle,
    /// Its task runs: it connects, or is connected.
    Running,
    /// The peer could not be reached, or went away: it is left alone until then.
    Down(Instant),
}

/// The queue to one peer.
///
/// Bound: [`super::LINK_QUEUE_BYTES_MAX`] in `out`; while it is full, the connections that want it wait and read no further.
#[derive(Debug, Default)]
pub(super) struct Link {
    pub(super) state: LinkState,
    /// Frames that the socket has not taken.
    pub(super) out: Vec<u8>,
    /// Bytes that were ever queued.
    pub(super) queued: u64,
    /// Bytes that the socket has taken, of those.
    pub(super) written: u64,
    /// Frames without a reply, and where in the stream each ends.
    pub(super) in_flight: HashMap<u64, u64>,
    pub(super) waker: Option<std::task::Waker>,
    /// Waves that wait for room in `out`.
    pub(super) wants_room: Vec<WaveKey>,
    pub(super) is_dead: bool,
    /// Whether the peer was asked, over the connection that is up, to tell of changes of its keys.
    pub(super) follows: bool,
}

impl Link {
    /// Bytes were appended to `out`: they count.
    pub(super) fn count_queued(&mut self) {
        self.queued = self.written + self.out.len() as u64;
    }

    pub(super) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
