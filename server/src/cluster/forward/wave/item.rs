//! One request of a wave, and what has become of it.

use std::ops::Range;

use rondache_protocol::bus::forward::Manner;

use crate::cluster::{
    forward::error::ForwardFailure,
    routing::{PeerIndex, Route},
};

/// The slot of an item that goes to a node rather than to a slot's owner.
pub(crate) const NO_SLOT: u16 = u16::MAX;

/// Where an item goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// To the owner of its slot, whoever that is by then.
    Owner,
    /// To this peer, which has a copy of its slot; where that can't answer, to the owner.
    Copy(PeerIndex),
    /// To this node, as part of a command that concerns all nodes.
    Here,
    /// To one peer, likewise.
    Node(PeerIndex),
}

/// How far an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// To be sent, or run here, as soon as its slot has an owner.
    Waiting,
    /// Under way, in the wave's frame of that number.
    Sent {
        /// To whom.
        peer: PeerIndex,
        /// Counts the wave's frames.
        frame: u16,
    },
    /// Its reply stands in [`Wave::replies`].
    Done {
        /// Where it begins.
        from: usize,
        /// How long it is.
        len: usize,
    },
    /// It gets an error.
    Failed(ForwardFailure),
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The request's bytes in [`Wave::requests`].
    pub(crate) request: Range<usize>,
    pub(crate) slot: u16,
    pub(crate) target: Target,
    pub(crate) manner: Manner,
    /// Names the request among this worker's; given when it is sent or run for the first time.
    pub(crate) number: u64,
    pub(crate) state: State,
    /// The slot's route when it was last looked at: while it stays, trying again sooner than planned is of no use.
    pub(crate) seen: Option<Route>,
    /// Whether a node that did not answer may have executed it.
    pub(crate) may_have_run: bool,
    /// Whether executing it changes anything.
    pub(crate) is_write: bool,
    /// Whether it may wait at its owner for longer than any deadline.
    pub(crate) is_blocking: bool,
    /// Whether the client wants no reply.
    pub(crate) is_silent: bool,
    /// Whether the slot's owner lets it wait for copies.
    pub(crate) lacks_copies: bool,
    /// Which of the wave's gathers it is a part of.
    pub(crate) gather: Option<u16>,
    /// Where in [`Wave::local`] its reply belongs.
    pub(crate) at: usize,
}

/// What is known of a request when it joins a wave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joining {
    pub(crate) slot: u16,
    pub(crate) target: Target,
    pub(crate) manner: Manner,
    pub(crate) is_write: bool,
    pub(crate) is_blocking: bool,
    pub(crate) is_silent: bool,
    pub(crate) lacks_copies: bool,
    /// Where among the local replies its own belongs.
    pub(crate) at: usize,
}
