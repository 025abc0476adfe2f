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
    coordinator::message::CoordinatorMessage,
    member::MemberInfo,
    membership::exchange::{Entry, Exchange},
    runtime::reports::Report,
    settings::SettingsMessage,
};

/// The kind of the frames that carry a [`Control`].
pub const CONTROL_KIND: u8 = KINDS_FROM;
/// The kind of the frames that carry a [`Question`] or an [`Answer`].
pub const QUESTION_KIND: u8 = KINDS_FROM + 1;

/// What members say to each other. New variants are added at the end: an older node drops what it does not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Control {
    /// Of members: push-pull.
    Members(Exchange),
    /// Of coordinators: who owns what.
    Coordinator(CoordinatorMessage),
    /// Settings of the cluster that changed, or all of them.
    Settings(SettingsMessage),
    /// A digest of the sender's settings of the cluster: whoever has others answers with all of them.
    SettingsDigest(u64),
    /// How the sender is doing.
    Report(Report),
}

/// What a node asks on a connection of its own, which may be its first to a cluster, or one after the others held it for
/// dead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Question {
    /// May this node join?
    Join(MemberInfo),
    /// Is that life alive, as the receiver sees it right now? The connection's handshake makes sure that the answer is
    /// not an old one.
    IsAlive(Identity),
}

/// The answer to a [`Question`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// You have joined.
    Welcome {
        /// The cluster.
        facts: ClusterFacts,
        /// Its members, the answering one included.
        members: Vec<Entry>,
    },
    /// I am in no cluster myself.
    NoCluster,
    /// Whether it is alive.
    IsAlive(bool),
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
