//! Any node answers anything: requests for slots that others own travel to their owners, and the replies come back.
//!
//! ```text
//! client ─► batch ─► what is Mine runs
//!                └─► the rest: a wave ─► links, one per worker and peer ─► a worker of the peer runs it
//! client ◄─ replies in order ◄─ wave ◄──────────── replies ◄────────────────────┘
//! ```
//! | module | holds |
//! |---|---|
//! | `wave` | the requests of one batch that wait for others, and their replies in order |
//! | `gather` | commands that were split over slots or nodes |
//! | `wait_for` | WAIT, as it goes on |
//! | `links` | a worker's queues to its peers; where each request goes |
//! | `link` | a link's socket |
//! | `owner` | the other end: runs what arrives |
//! | [`broadcast`] | messages for the subscribers of other nodes |
//! | `keeper` | deadlines, pauses, and the dead |
//! | [`dial`] | how a link gets its connection |
//! | [`error`] | what a client reads when no owner could be had |
//!
//! A forwarded request is never forwarded again: a node that does not own the slot refuses it, and the entry node asks
//! who does once routes have changed. So the limit on hops is one, by construction.

pub mod broadcast;
mod decided;
pub mod dial;
pub mod error;
pub(crate) mod gather;
pub(in crate::cluster) mod inbox;
pub(crate) mod keeper;
pub(crate) mod late;
pub(crate) mod link;
pub(crate) mod links;
#[cfg(test)]
mod moving_tests;
pub(crate) mod owner;
pub(crate) mod slot_set;
pub(crate) mod wait_for;
pub(crate) mod wave;

use std::sync::Arc;

use parking_lot::RwLock;

use self::dial::{Dial, PlainDial};

/// Longest payload of a frame: a request or reply at its longest, and some room.
pub const FRAME_LEN_MAX: usize = 1 << 31;

/// Bytes that wait in one link's queue before connections that want to use it wait, and read no more from their
/// clients.
pub const LINK_QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of requests that wait on one worker for slots without an owner that can be reached; beyond it they fail at
/// once.
pub const PARKED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What all workers share of forwarding.
pub struct Forwarding {
    /// Changed once, when the bus is up.
    dialler: RwLock<Arc<dyn Dial>>,
}

impl Default for Forwarding {
    fn default() -> Self {
        Self { dialler: RwLock::new(Arc::new(PlainDial)) }
    }
}

impl std::fmt::Debug for Forwarding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Forwarding")
    }
}

impl Forwarding {
    /// Sets how links connect from now on.
    pub fn set_dialler(&self, dialler: Arc<dyn Dial>) {
        *self.dialler.write() = dialler;
    }

    pub(crate) fn dialler(&self) -> Arc<dyn Dial> {
        self.dialler.read().clone()
    }
}
