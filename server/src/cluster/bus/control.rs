//! The messages of the control plane.
//!
//! They may be lost when a link breaks, and are never repeated by the link: whoever sends one that matters repeats or
//! reconciles it. On one link they keep their order.

use rondache_protocol::bus::{
    codec::{self, CodecError, MESSAGE_LEN_MAX},
    frame::{self, FrameError, KINDS_FROM},
    identity::Identity,
};
use serde::{Deserialize, Serialize};

use super::credentials::ClusterFacts;
use crate::cluster::{
    member::MemberInfo,
    membership::exchange::{Entry, Exchange},
};

/// The kind of the frames that carry a [`Control`].
pub const CONTROL_KIND: u8 = KINDS_FROM;
/// The kind of the frames that carry a [`Joining`].
pub const JOINING_KIND: u8 = KINDS_FROM + 1;

/// What members say to each other. New variants are added at the end: an older node drops what it does not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Control {
    /// Of members: push-pull.
    Members(Exchange),
    /// Whether that life is alive, as the receiver sees it right now: the frozen-node guard's question.
    AskAlive {
        /// Names the question; never used before, so that an old answer is no answer.
        nonce: u64,
        /// Who is asked about.
        who: Identity,
    },
    /// The answer.
    AnswerAlive {
        /// The question's.
        nonce: u64,
        /// Whether it is alive.
        is_alive: bool,
    },
    // Further parts of the control plane (coordinator, settings, …) add one variant each here, holding a type of their own.
}

/// What a node that wants to join and a member say, on a connection of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Joining {
    /// The first message: let me in.
    Ask(MemberInfo),
    /// You are in.
    Welcome {
        /// The cluster.
        facts: ClusterFacts,
        /// Its members, the answering one included.
        members: Vec<Entry>,
    },
    /// I am in no cluster myself.
    NoCluster,
}

/// Why a message could not be sent or read.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// It is no message, or too long a one.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// It is too long for a frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// The message as a frame.
///
/// # Errors
/// It is too long.
pub fn to_frame<T: Serialize>(kind: u8, message: &T) -> Result<Vec<u8>, MessageError> {
    let payload = codec::encode(message)?;
    let mut bytes = Vec::with_capacity(frame::HEADER_LEN + payload.len());
    frame::encode(&mut bytes, kind, 0, &payload, MESSAGE_LEN_MAX)?;
    Ok(bytes)
}
