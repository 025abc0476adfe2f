//! What comes out of the membership's state machine.

use std::net::SocketAddr;

use rondache_protocol::bus::identity::Identity;

use super::exchange::Exchange;

/// What membership wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Seal the payload and send it as a datagram.
    Datagram {
        /// To which bus address.
        to: SocketAddr,
        /// What.
        payload: Vec<u8>,
    },
    /// Send a control message.
    Control {
        /// To which member.
        to: Identity,
        /// What.
        message: Exchange,
    },
    /// Try to connect to that member; if its address refuses, tell [`Membership::on_absent`](super::core::Membership::on_absent).
    Probe(Identity),
}

/// A datagram that made no sense, though its seal was good.
#[derive(Debug, thiserror::Error)]
#[error("a sealed datagram makes no sense: {0}")]
pub struct Nonsense(String);

impl Nonsense {
    pub(super) fn new(error: &foca::Error) -> Self {
        Self(error.to_string())
    }
}
